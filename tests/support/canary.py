"""Secrets that must not be found: greps what a deployment leaves behind and
what its processes show."""

import os

from support import processes


def hits(deployment, secrets, allowed=()):
    """[(where, secret)] in any letter case (a secret may be bytes): every file
    below RUN_DIR except
    `allowed` (paths relative to it; a folder allows all below), the output
    of `up`, and argument vector and environment of each process."""
    wanted = [as_bytes(s) for s in secrets]
    assert all(len(w) >= 8 for w in wanted), "too short to prove anything"
    found = []
    for name, text in _everything(deployment, allowed):
        lower = text.lower()
        found += [(name, s) for s, w in zip(secrets, wanted) if w in lower]
    return found


def as_bytes(secret):
    """As it is looked for."""
    return (secret.encode() if isinstance(secret, str) else secret).lower()


def _everything(deployment, allowed):
    yield "up.out", _read(os.path.join(deployment.base, "up.out"))
    for where, folders, names in os.walk(deployment.run_dir):
        inside = os.path.relpath(where, deployment.run_dir)
        folders[:] = [f for f in folders
                      if os.path.normpath(f"{inside}/{f}") not in allowed]
        for name in names:
            path = os.path.normpath(f"{inside}/{name}")
            if path not in allowed and os.path.isfile(f"{where}/{name}"):
                yield path, _read(os.path.join(where, name))
    for pid in processes.below(deployment.run_dir):
        for part in ("cmdline", "environ"):
            yield f"/proc/{pid}/{part}", _read(f"/proc/{pid}/{part}")


def _read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return b""  # gone meanwhile
