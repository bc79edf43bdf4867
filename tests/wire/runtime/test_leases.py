"""What holds the duties of the cluster renews each lease by itself."""

import pytest

from support.store import rows
from support.waiting import until

pytestmark = pytest.mark.fault

FIRST = "cluster.audit"  # `control` looks at it before the others
LEASE_MS = 10000


def held(sql):
    """{name: (epoch, expires_ms)} of those that somebody holds."""
    return {row["name"]: (row["epoch"], row["expires_ms"])
            for row in rows(
                sql, "SELECT name, epoch, expires_ms FROM lease"
                     " WHERE expires_ms > 1000 * UNIX_TIMESTAMP(NOW(3))")}


def test_a_locked_lease_ends_no_other(deployment, sql):
    """Its renewal waits and is refused; the others', behind it, are made."""
    until(lambda: {FIRST, "doris.heartbeat", "pegasus.leader",
                   "cluster.failover"} <= set(held(sql)), "all are led")
    before = held(sql)
    others = [n for n in before if n != FIRST and n.split(".")[0] in
              ("cluster", "doris", "pegasus")]
    lock = deployment.sql()
    try:
        lock.begin()
        assert rows(lock, "SELECT name FROM lease WHERE name = %s FOR UPDATE",
                    FIRST)

        def renewed():
            now = held(sql)
            return all(n in now and now[n][1] > before[n][1] + LEASE_MS
                       for n in others)
        until(renewed, "the others are renewed for longer than a lease")
        after = held(sql)
        assert {n: after[n][0] for n in others} \
            == {n: before[n][0] for n in others}
    finally:
        lock.close()
    until(lambda: FIRST in held(sql), "somebody has it again")
