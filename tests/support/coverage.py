"""Which endpoints the tests have asked for: tests/run compares them with the
tables (`metagate routes --tests`), so that a row nobody tests is a failure."""

import json
import os

_seen = set()
_enabled = True


def note(listener, method, path, body):
    if _enabled:
        _seen.add((listener, method, path.partition("?")[0], _verb(body)))


def pause(off):
    """Generated tests ask for every row by themselves: they do not count."""
    global _enabled
    _enabled = not off


def _verb(body):
    # KunlunBase selects by the body's job_type; a form with a file has none.
    if body and body.startswith(b"--") and b"form-data" in body:
        return "upload"
    if not body or b'"job_type"' not in body:
        return "-"
    try:
        return str(json.loads(body).get("job_type", "-"))
    except (ValueError, AttributeError):
        return "-"


def save(path):
    """Adds what was seen to the file."""
    old = set()
    if os.path.exists(path):
        old = set(map(tuple, json.load(open(path))))
    with open(path, "w") as f:
        json.dump(sorted(old | _seen), f)
