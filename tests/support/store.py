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


@contextmanager
def locked(deployment, sql, *values):
    """Holds what `sql` (a SELECT ... FOR UPDATE) locks until the end."""
    connection = deployment.sql()
    try:
        connection.begin()
        assert rows(connection, sql, *values), "nothing there to be locked"
        yield connection
        connection.rollback()
    finally:
        connection.close()
