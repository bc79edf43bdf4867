"""KunlunBase through nginx and workers."""

import pytest

from support.kunlun import Cluster, Lent, Machine, Node, Panel
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


@pytest.fixture
def cluster(deployment, fresh):
    """cluster_mgr by the first token, flat."""
    return Cluster(deployment.client("cluster_mgr"), fresh)


@pytest.fixture
def panel(deployment):
    """The same as XPanel 1.x asks it."""
    return Panel(deployment.client("cluster_mgr"))


@pytest.fixture(scope="module")
def lent():
    """What the tests of a module share; deleted behind the last of them."""
    lent = Lent()
    yield lent
    lent.close()


@pytest.fixture
def pair(deployment, lent, fresh):
    """An instance on machine 1 and one on machine 2, each with a schema of the
    test's own: two Ends."""
    return lent.ends(deployment, fresh)
