"""The command line by nouns and verbs: how it ends, what it says."""

import json
import subprocess

# fcgi/cli/cli_exit.def
OK, FAILED, USAGE, UNKNOWN, DENIED, CONFLICT, AWAY, WAITED, JOB = range(9)


def run(deployment, *words, **env):
    return subprocess.run(deployment.argv(*words), capture_output=True,
                          text=True, env={**deployment.env(), **env},
                          stdin=subprocess.DEVNULL, timeout=120, cwd="/")


def document(done):
    """What -o json has said."""
    assert done.returncode == OK, done.stderr
    return json.loads(done.stdout)
