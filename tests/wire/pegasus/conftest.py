"""Pegasus through nginx, workers and the leader."""

import pytest

from support.pegasus import Cluster


@pytest.fixture
def pegasus(deployment):
    return Cluster(deployment)


@pytest.fixture
def table(pegasus, fresh):
    """A fresh table of four partitions; its name."""
    name = fresh("t")
    pegasus.ok("/meta/app/create", app_name=name, partition_count=4)
    return name
