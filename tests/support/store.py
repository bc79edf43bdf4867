"""SQL on a deployment's own MariaDB, past metagate."""

import getpass
from contextlib import contextmanager

import pymysql

from support.waiting import until


def connect(socket, database):
    return pymysql.connect(
        unix_socket=socket, user=getpass.getuser(), database=database,
        autocommit=True, charset="utf8mb4",
        cursorclass=pymysql.cursors.DictCursor)


def rows(connection, sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def value(connection, sql, *values):
    """The first column of the first row; None when there is none."""
    found = rows(connection, sql, *values)
    return next(iter(found[0].values())) if found else None


def _transactions(connection, waiting):
    return value(connection, "SELECT COUNT(*) AS n"
                 " FROM information_schema.innodb_trx"
                 + (" WHERE trx_state = 'LOCK WAIT'" if waiting else ""))


# InnoDB answers from a copy that it renews only when nobody has read it for
# 0.1 s: who asks more often sees the same for ever.
TRX_PAUSE_S = 0.15


def until_waiting(connection, n):
    """Until n transactions wait for a lock."""
    until(lambda: _transactions(connection, True) == n,
          f"{n} transactions wait for a lock", pause=TRX_PAUSE_S)


def until_idle(connection):
    """Until no transaction is open: whatever still waited for a lock has
    got it and ended, or has given up."""
    until(lambda: _transactions(connection, False) == 0,
          "no transaction open", pause=TRX_PAUSE_S)


@contextmanager
def locked_instance(deployment, iid):
    """Holds the row of a Doris instance locked until the end."""
    connection = deployment.sql()
    try:
        connection.begin()
        assert rows(connection, "SELECT instance_id FROM doris_instance"
                    " WHERE instance_id = %s FOR UPDATE", iid)
        yield connection
        connection.rollback()
    finally:
        connection.close()
