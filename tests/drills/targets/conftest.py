"""The words of the wire tests of KunlunBase; and servers of others."""

import os
import shutil
import socket
import subprocess

import pytest

from support.deployment import ROOT
from wire.kunlun.conftest import machine, node  # noqa: F401

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(ROOT, "build", "drill-targets")


def install():
    """What npm has of it, by the lock file."""
    os.makedirs(BUILD, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", "servers.js"):
        shutil.copy(os.path.join(HERE, name), BUILD)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"],
                   cwd=BUILD, check=True, timeout=600)


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    """(directory, port of S3, port of WebHDFS)"""
    install()
    top = tmp_path_factory.mktemp("targets")
    for name in ("s3", "hdfs"):
        (top / name).mkdir()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    node = subprocess.Popen(["node", "servers.js", str(top), str(port)],
                            cwd=BUILD, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    try:
        yield top, int(node.stdout.readline()), port
    finally:
        node.stdin.close()
        node.wait(60)
