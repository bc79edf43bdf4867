"""Servers and their keeper are killed at random, some minutes for each seed."""

import os

import pytest

from support.keeper_drill import Drill, kept_of

pytestmark = [pytest.mark.fault, pytest.mark.limit(3600)]
SEED = int(os.environ.get("METAGATE_DRILL_SEED", "1"))


@pytest.mark.parametrize("seed", range(SEED, SEED + 3))
def test_whoever_comes_next_keeps_them(machine, seed):
    Drill(machine, kept_of(machine), seed).run(40, Drill.hung)
