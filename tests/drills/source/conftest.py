"""A server for each module; a schema for each test, a proxy in front."""

import pytest

from support.mariadb import MariaDB
from support.proxy import Proxy
from support.source_shell import Source, look
from support.words import fresh


@pytest.fixture(scope="module")
def server():
    with MariaDB(settings=["--max-allowed-packet=256M"]) as server:
        yield server


class Upstream:
    def __init__(self, server, proxy):
        self.server, self.proxy = server, proxy
        self.schema = fresh("u").replace("-", "_")
        self.sources = []
        self.sql(f"CREATE DATABASE {self.schema}", database=False)
        self.sql("CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)")

    def sql(self, *statements, database=True):
        with self.server.connect(self.schema if database else None) as c:
            with c.cursor() as cursor:
                for s in statements:
                    cursor.execute(s)
                return list(cursor.fetchall())

    def value(self, sql):
        return next(iter(self.sql(sql)[0].values()))

    def now(self):
        """Its position, domains in order."""
        gtids = self.value("SELECT @@GLOBAL.gtid_binlog_pos AS p").split(",")
        return ",".join(sorted(gtids, key=lambda g: int(g.split("-")[0])))

    def insert(self, *ids, value="x"):
        """One transaction each."""
        self.sql(*(f"INSERT INTO t VALUES ({i}, '{value}')" for i in ids))

    def source(self, position="now", *options, hosts=None, **how):
        source = Source(hosts or self.proxy.hosts, self.server.user, position,
                        "beat=200", *options, **how)
        self.sources.append(source)
        return source

    def streaming(self, *how, **more):
        source = self.source(*how, **more)
        source.wait("streaming")
        return source

    def look(self, position="now", *options, user=None, **how):
        return look(self.server.hosts, user or self.server.user, position,
                    *options, **how)

    def ids(self, source):
        """Of the rows that were inserted and committed."""
        return [int(r["after"]["id"]) for r in source.taken()
                if r["schema"] == self.schema and r["kind"] == "insert"]


@pytest.fixture
def upstream(server):
    with Proxy(server.hosts) as proxy:
        up = Upstream(server, proxy)
        yield up
        for source in up.sources:
            source.__exit__()
