"""pprof's two clients against a running deployment, and what their formats
are made of."""

import os
import re
import shutil
import struct
import subprocess

from support.waiting import until

GOOGLE, GO = "google-pprof", "go"
PACKAGES = {GOOGLE: "google-perftools", GO: "golang-go"}


def until_named(ask, *functions):
    """A report that names them all: a second of a busy machine may have few
    samples, and none of a function that is quick."""
    return until(lambda: (lambda out: out if all(
        re.search(rf" {f}$", out, re.M) for f in functions) else None)(ask()),
        f"samples of {functions}")


def url(client, path):
    """The token goes in as the user name of Basic."""
    return f"http://{client.token}:x@{client.host}:{client.port}{path}"


def google(folder, client, path, *options):
    return _run(folder, GOOGLE, "--text", *options, url(client, path))


def go(folder, client, path, *options):
    return _run(folder, GO, "tool", "pprof", "-top", *options,
                url(client, path))


def _run(folder, program, *args):
    """Standard output and error in one text."""
    path = shutil.which(program)
    assert path, f"missing: apt-get install {PACKAGES[program]}"
    env = {"PATH": os.environ["PATH"], "HOME": str(folder),
           "PPROF_TMPDIR": str(folder), "GOFLAGS": "-mod=mod",
           "GOCACHE": str(folder), "GOTOOLCHAIN": "local"}
    done = subprocess.run([path, *args], capture_output=True, text=True,
                          env=env, cwd=folder, timeout=90)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def cpu_records(profile):
    """[(count, [pc, ...])] of gperftools' binary form, which must be whole."""
    words = struct.unpack(f"<{len(profile) // 8}Q",
                          profile[:len(profile) // 8 * 8])
    assert words[:3] == (0, 3, 0) and words[3] > 0, words[:5]
    at, records = 5, []
    while words[at:at + 3] != (0, 1, 0):
        count, depth = words[at], words[at + 1]
        assert 0 < depth < 1000
        records.append((count, list(words[at + 2:at + 2 + depth])))
        at += 2 + depth
    maps = profile[(at + 3) * 8:].decode()
    assert "r-xp" in maps and "metagate" in maps
    return records
