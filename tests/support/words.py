"""Fresh names: tests share a deployment and never each other's objects."""

import itertools
import os

# One of our nginx: its host, the moment, the connection, the request on it.
REQUEST_ID = r"[0-9a-f]{16}-\d+\.\d{3}-\d+-\d+"
# What a worker gives a request that comes by another front end.
WORKERS_ID = r"[0-9a-f]{32}"

_run = os.urandom(4).hex()
_count = itertools.count(1)


def fresh(prefix="u"):
    """A word that nobody has used: letters and digits, at most 24 long."""
    return f"{prefix}{_run}{next(_count)}"
