"""Libraries that stand between a program and the C library, for what cannot
be had otherwise: built from tests/support/preload/<name>.c when first asked
for. They are for the release build: the sanitizers want to be first."""

import functools
import os
import subprocess
import tempfile

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "preload")
BUILD = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(HERE))),
                     "build", "preload")


@functools.cache
def library(name):
    """The path of the shared object."""
    os.makedirs(BUILD, exist_ok=True)
    out = os.path.join(BUILD, name + ".so")
    fd, new = tempfile.mkstemp(dir=BUILD)
    os.close(fd)
    subprocess.run(["gcc", "-O1", "-g", "-shared", "-fPIC", "-Wall", "-Wextra",
                    "-o", new, os.path.join(HERE, name + ".c"), "-ldl"],
                   check=True)
    os.chmod(new, 0o755)
    os.rename(new, out)
    return out


def environment(name, **settings):
    return {"LD_PRELOAD": library(name),
            **{k.upper(): str(v) for k, v in settings.items()}}
