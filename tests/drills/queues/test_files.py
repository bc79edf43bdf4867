"""Fifty rounds of kills while a changefeed writes files, into a directory and
into S3: what the tests of wire/ticdc do in short."""

import os

import pytest

os.environ.setdefault("METAGATE_DRILL_ROUNDS", "50")

# pylint: disable=unused-import,wrong-import-position
from wire.ticdc.test_files import (  # noqa: E402,F401
    feeds, no_reports, place, test_nothing_is_lost_whatever_dies)

pytestmark = pytest.mark.limit(7200)
