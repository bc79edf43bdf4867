"""KunlunBase through nginx and workers."""

import pytest

from support.kunlun import Node
from support.listeners import first


@pytest.fixture
def node(deployment):
    """node_mgr of machine 1, by the first token."""
    return Node(deployment.client(first("node_mgr")))
