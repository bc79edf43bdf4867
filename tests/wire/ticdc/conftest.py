"""TiCDC through nginx and workers."""

import pytest

from support.ticdc import Ticdc


@pytest.fixture
def ticdc(deployment):
    """Capture c1's listener, v1, by the first token."""
    return Ticdc(deployment)


@pytest.fixture
def feed(ticdc, fresh):
    """A fresh changefeed to blackhole; its id. Removed behind the test."""
    name = ticdc.create(fresh("f").replace("_", "-"))
    yield name
    ticdc.delete(f"changefeeds/{name}")
