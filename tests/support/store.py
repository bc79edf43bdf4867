"""SQL on a deployment's own MariaDB, past metagate."""

import getpass
from contextlib import contextmanager

import pymysql


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


def transactions(connection, waiting=False):
    """How many are open now; waiting: of those, how many for a lock."""
    return value(connection, "SELECT COUNT(*) AS n"
                 " FROM information_schema.innodb_trx"
                 + (" WHERE trx_state = 'LOCK WAIT'" if waiting else ""))


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
