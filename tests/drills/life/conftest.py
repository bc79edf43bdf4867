"""The words of the wire tests of KunlunBase."""

from wire.kunlun.conftest import cluster  # noqa: F401
