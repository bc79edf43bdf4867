"""The id of a request: nginx's, and nobody else's."""

import re

import pytest

from support.processes import kill
from support.waiting import until
from support.words import REQUEST_ID

pytestmark = pytest.mark.fault


def ids(deployment, n=20):
    """Of n requests on each of two kept connections."""
    clients = [deployment.client("console") for _ in range(2)]
    return [c.get("/metrics").headers["X-Request-Id"]
            for _ in range(n) for c in clients]


def test_no_two_requests_have_one_id_also_after_nginx_was_killed(deployment):
    before = ids(deployment)
    nginx = deployment.pid_of("nginx")
    kill(nginx)
    until(lambda: deployment.pid_of("nginx") not in (None, nginx), "another")

    def answers():
        try:
            return deployment.client("console").get("/metrics").status == 200
        except OSError:
            return False
    until(answers, "it answers")
    every = before + ids(deployment)
    assert len(set(every)) == 80
    assert all(re.fullmatch(REQUEST_ID, i) for i in every)
    assert len({i.split("-")[0] for i in every}) == 1  # it is one host
