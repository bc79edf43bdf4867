"""A version of metagate after this one: the same sources with more migrations,
in a folder of its own."""

import os
import shutil
import subprocess

from support.deployment import ROOT

LINKED = ["Makefile", "fcgi", "handlers", "include", "nginx"]
COPIED = ["sql", ".package", "README.md", "LICENSE"]


def tree(folder, version, migrations, build="release"):
    """A tree at folder with these files of sql/ besides ({name: text}) and a
    word of its version in the package's changelog. What build/ holds of the
    sources is used again, so `make` there takes seconds."""
    os.mkdir(folder)
    for name in LINKED:
        subprocess.run(["cp", "-as", f"{ROOT}/{name}", folder], check=True)
    for name in COPIED:
        subprocess.run(["cp", "-a", f"{ROOT}/{name}", folder], check=True)
    for name, text in migrations.items():
        with open(f"{folder}/sql/{name}", "w") as f:
            f.write(text)
    changes = f"{folder}/.package/debian/changelog"
    with open(changes) as f:
        text = f.read()
    first, _, rest = text.partition("\n")
    with open(changes, "w") as f:
        f.write(f"metagate ({version})" + first.partition(")")[2] + "\n"
                + rest + "\n" + text)
    objects = f"{folder}/build/{build}"
    os.makedirs(f"{folder}/build")
    subprocess.run(["cp", "-as", f"{ROOT}/build/{build}", objects], check=True)
    # what is made anew: never through a link into our own build
    shutil.rmtree(f"{objects}/embed")
    for name in ("metagate", "core.a"):
        if os.path.lexists(f"{objects}/{name}"):
            os.unlink(f"{objects}/{name}")
    return folder


def make(folder, version, *args):
    """What make prints in such a tree."""
    done = subprocess.run(
        ["make", "-s", "--no-print-directory", f"VERSION={version}", *args],
        cwd=folder, capture_output=True, text=True, timeout=600,
        stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def binary(folder, version, migrations, build="release"):
    """The newer binary's path."""
    tree(folder, version, migrations, build)
    make(folder, version, build)
    return f"{folder}/build/{build}/metagate"
