"""Files with a secret that a deployment reads."""

import contextlib
import os
import tempfile

from support import mariadb


@contextlib.contextmanager
def secret_file(text):
    """The path of a file that a deployment's account can read, and nobody
    else."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as top:
        os.chmod(top, 0o755)
        path = os.path.join(top, "secret")
        with open(path, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(text)
        account = mariadb.account()
        if account:
            os.chown(path, account.pw_uid, account.pw_gid)
        yield path
