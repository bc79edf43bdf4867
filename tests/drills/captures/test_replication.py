"""Fifty rounds of kills, and a transaction of a million rows: what the tests
of wire/ticdc do in short."""

import os

import pytest

os.environ.setdefault("METAGATE_DRILL_ROUNDS", "50")

# pylint: disable=unused-import,wrong-import-position
from wire.ticdc.test_replication import (  # noqa: E402,F401
    feeds, no_reports,
    test_everything_arrives_once_whatever_dies,
    test_what_is_large_passes_within_the_quota)

pytestmark = pytest.mark.limit(7200)
