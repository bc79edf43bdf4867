"""Runners of node_mgr's jobs are killed in every step of each kind, when it
begins and when it is about to say what it has done: the job succeeds, and
nothing is left of it but what it was asked for."""

import pytest

from support import node_jobs
from support.kills import MOMENTS, Kills
from support.kunlun import leftovers

pytestmark = [pytest.mark.fault, pytest.mark.limit(1200)]


@pytest.mark.parametrize("name, n, moment",
                         node_jobs.places(MOMENTS))
def test_who_follows_ends_what_was_begun(request, machine, name, n,
                                         moment):
    assert node_jobs.drill(Kills(machine.deployment),
                           node_jobs.made(name, machine, request),
                           n, moment)


@pytest.mark.parametrize("name, n, moment", node_jobs.undone_places())
def test_who_follows_undoes_what_was_cancelled(request, machine, name, n,
                                               moment):
    node_jobs.drill(Kills(machine.deployment),
                    node_jobs.made(name, machine, request), n, moment)


def test_nothing_is_left_of_any(machine, lent, deployment):
    lent.close()
    assert leftovers(deployment, [machine]) == []
