"""The Meta Service on both of its mounts."""

import pytest

from support.metarpc import MetaRpc
from support.metaservice import MetaService


@pytest.fixture(params=["", "v1/"], ids=["plain", "v1"])
def ms(doris, request):
    return MetaService(doris, request.param)


@pytest.fixture
def rpc(doris):
    """The RPCs, about a new instance."""
    return MetaRpc(doris, MetaService(doris).instance())
