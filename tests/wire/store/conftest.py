"""A MariaDB for each module, a schema for each test, a proxy in front."""

import os
import subprocess
import tempfile

import pytest

from support.db_shell import ROOT, Shell
from support.mariadb import MariaDB
from support.proxy import Proxy
from support.words import fresh

METAGATE = os.path.join(ROOT, "build", "asan", "metagate")


@pytest.fixture(scope="module")
def server():
    with MariaDB() as server:
        yield server


class Store:
    """One schema on the server, and what works on it."""

    def __init__(self, server, proxy, run_dir):
        self.server, self.proxy, self.run_dir = server, proxy, run_dir
        self.schema = fresh("s").replace("-", "_")
        self.shells = []

    def shell(self, hosts=None, **settings):
        shell = Shell(hosts or self.proxy.hosts, self.server.user,
                      self.schema, **settings)
        self.shells.append(shell)
        return shell

    def migrate(self, *arguments, hosts=None, run_dir=None):
        """A started `metagate migrate`."""
        env = {**os.environ, "METAGATE_MYSQL_HOSTS":
               hosts or self.server.hosts,
               "METAGATE_MYSQL_USER": self.server.user,
               "METAGATE_MYSQL_DATABASE": self.schema}
        return subprocess.Popen(
            [METAGATE, "--run-dir", run_dir or self.run_dir, "migrate",
             *arguments], env=env, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def migrated(self):
        process = self.migrate()
        out = process.communicate(timeout=120)[0]
        assert process.returncode == 0, out
        return self

    def rows(self, sql, *values, database=True):
        with self.server.connect(self.schema if database else None) as c:
            with c.cursor() as cursor:
                cursor.execute(sql, values)
                return list(cursor.fetchall())

    def value(self, sql, *values):
        found = self.rows(sql, *values)
        return next(iter(found[0].values())) if found else None

    def close(self):
        for shell in self.shells:
            shell.close()
        # what is not in the schema of this test: the next one makes it anew
        self.rows("DROP DATABASE IF EXISTS Kunlun_Metadata_DB", database=False)


@pytest.fixture
def bare(server):
    """A store whose schema does not exist yet."""
    with tempfile.TemporaryDirectory(prefix="mgstore.", dir="/var/tmp") as run:
        with Proxy(server.hosts) as proxy:
            store = Store(server, proxy, run)
            yield store
            store.close()


@pytest.fixture
def store(bare):
    """... migrated, with a table t of one row (1, 0)."""
    bare.migrated()
    bare.rows("CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL)")
    bare.rows("INSERT INTO t VALUES (1, 0)")
    return bare
