"""KunlunBase through nginx and workers."""

import pytest

from support.kunlun import Machine, Node
from support.listeners import first


@pytest.fixture
def node(deployment):
    """node_mgr of machine 1, by the first token."""
    return Node(deployment.client(first("node_mgr")))


@pytest.fixture
def machine(deployment, node, fresh):
    """Machine 1, registered; what the test installs is deleted."""
    machine = Machine(deployment, node, fresh)
    yield machine
    machine.close()
