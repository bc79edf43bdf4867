"""The words of the wire tests of KunlunBase."""

from wire.kunlun.conftest import lent, machine, node, pair  # noqa: F401
