"""Every member of every request is stored and shown again, or refused, or
there is a reason: tests/wire/expected/members says which."""

from types import SimpleNamespace

import pytest

from support import members
from support.listeners import first
from support.pegasus import Cluster
from support.store import rows

TABLE = members.Table()
CASES = list(members.cases(TABLE))


@pytest.fixture
def client(deployment):
    """listener -> a client of it; of the Pegasus metas the one that leads."""
    def of(listener):
        if listener == "pegasus-meta":
            cluster = Cluster(deployment)
            return cluster.on(cluster.leader())
        client = deployment.client(first(listener))
        if listener == "doris-fe":
            client = client.using(token=None, basic=deployment.fe_user())
        return client

    def sql(statement):
        """Its first row, as a reply would show it."""
        with deployment.sql() as connection:
            found = rows(connection, statement)
        return SimpleNamespace(json=found[0] if found else {})

    of.sql = sql
    return of


def marks(endpoint):
    return [pytest.mark.profile] if "/pprof/" in endpoint.url else []


@pytest.mark.parametrize("case", [pytest.param(
    c, id=f"{c.endpoint.url}-{members.name_of(c.path)}-{i}",
    marks=marks(c.endpoint)) for i, c in enumerate(CASES)])
def test_a_member_goes_where_the_table_says(client, case):
    wrong = members.differs(TABLE, client, case)
    assert not wrong, wrong


def test_every_member_has_a_line_and_every_line_a_member():
    taken, known = set(), set()
    for e in members.mounted(TABLE):
        taken |= {(members.key(TABLE, e), members.name_of(path))
                  for path, _ in members.members(e)}
    for where, lines in TABLE.lines.items():
        known |= {(where, member) for member in lines}
    assert sorted(taken - known) == []
    assert sorted(known - taken) == []
