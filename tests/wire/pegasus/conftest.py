"""Pegasus through nginx, workers and the leader."""

import pytest

from support.pegasus import Cluster


@pytest.fixture
def pegasus(deployment):
    cluster = Cluster(deployment)
    for address in cluster.nodes():  # at the first test of a deployment
        cluster.until_node(address, "ALIVE")
    return cluster


@pytest.fixture
def table(pegasus, fresh):
    """A fresh table of four partitions; its name."""
    name = fresh("t")
    pegasus.ok("/meta/app/create", app_name=name, partition_count=4)
    return name
