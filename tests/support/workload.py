"""Writers on a source that do everything to a few tables, from a seed: rows
one by one and many at a time, keys that change and change places, statements
between them. What they leave behind is what a target has to have."""

import random
import threading

import pymysql

from support.store import rows
from support.waiting import until

TEXTS = ("a", "A ", "ß", "ss", "é", "e", "", "Ω", "z" * 60, "v", "w", None)


class Writers:
    def __init__(self, server, schema, seed, n=8, tables=3, statements=True):
        self.server, self.schema = server, schema
        self.random = random.Random(seed)
        self.n, self.tables, self.statements = n, tables, statements
        self.stop = threading.Event()
        self.threads = []
        self.committed = 0
        self.lock = threading.Lock()
        self.errors = []

    def make(self):
        with self.server.connect() as c:
            rows(c, f"CREATE DATABASE {self.schema}")
            for i in range(self.tables):
                rows(c, f"CREATE TABLE {self.schema}.t{i} (id INT PRIMARY KEY"
                     ", u VARCHAR(80) CHARACTER SET utf8mb4 COLLATE"
                     " utf8mb4_unicode_ci NULL UNIQUE, n BIGINT, b BLOB)")
            # what tells every change, so that none can be lost or come twice
            rows(c, f"CREATE TABLE {self.schema}.log (seq BIGINT"
                 " AUTO_INCREMENT PRIMARY KEY, what VARCHAR(200))")
            rows(c, f"CREATE TABLE {self.schema}.sum (id INT PRIMARY KEY,"
                 " n BIGINT NOT NULL)")
            rows(c, f"INSERT INTO {self.schema}.sum VALUES"
                 + ",".join(f"({i}, 0)" for i in range(20)))

    def start(self):
        for i in range(self.n):
            t = threading.Thread(target=self._run, args=(
                random.Random(self.random.random()), i), daemon=True)
            self.threads.append(t)
            t.start()

    def end(self):
        self.stop.set()
        # one that still writes would change what is compared
        until(lambda: not any(t.is_alive() for t in self.threads),
              "the writers end", 60)
        assert not self.errors, self.errors[:3]

    # ---- a writer ----

    def _run(self, r, i):
        c = None
        while not self.stop.wait(r.random() * 0.02):
            try:
                if c is None:
                    c = self.server.connect(self.schema)
                self._one(c, r, i)
                with self.lock:
                    self.committed += 1
            except (pymysql.err.OperationalError,
                    pymysql.err.InterfaceError) as e:
                # the server was killed, a lock was waited for in vain
                if e.args and e.args[0] not in (1213, 1205) and c is not None:
                    c.close()
                    c = None
            except (pymysql.err.IntegrityError, pymysql.err.ProgrammingError,
                    pymysql.err.InternalError):
                c.rollback()
            except Exception as e:  # shown at the end
                self.errors.append(repr(e))
                return

    def _one(self, c, r, i):
        if r.random() < 0.01 and self.statements:
            return self._statement(c, r, i)
        c.begin()
        for _ in range(r.choice((1, 1, 1, 2, 5, 40))):
            self._change(c, r)
        if r.random() < 0.1:
            c.rollback()
        else:
            c.commit()

    def _change(self, c, r):
        t = f"t{r.randrange(self.tables)}"
        key, text = r.randrange(60), r.choice(TEXTS)
        if text and r.random() < 0.8:
            text += str(r.randrange(40))
        with c.cursor() as q:
            kind = r.randrange(6)
            try:
                if kind == 0:
                    q.execute(f"INSERT INTO {t} (id, u, n, b) VALUES"
                              " (%s, %s, %s, %s)",
                              (key, text, r.getrandbits(62), b"\0\xff" * 9))
                elif kind == 1:
                    q.execute(f"UPDATE {t} SET n = n + 1, u = %s WHERE id = %s",
                              (text, key))
                elif kind == 2:
                    q.execute(f"DELETE FROM {t} WHERE id = %s", (key,))
                elif kind == 3:
                    q.execute(f"UPDATE {t} SET id = %s WHERE id = %s",
                              (r.randrange(60), key))
                elif kind == 4:
                    q.execute(f"REPLACE INTO {t} (id, u, n) VALUES"
                              " (%s, %s, 0)", (key, text))
                else:
                    q.execute(f"UPDATE {t} SET n = n * 2 WHERE id BETWEEN"
                              " %s AND %s", (key, key + 9))
            except (pymysql.err.IntegrityError, pymysql.err.DataError):
                pass  # a duplicate: the transaction goes on without it
            q.execute("INSERT INTO log (what) VALUES (%s)", (f"{t} {key}",))
            q.execute("UPDATE sum SET n = n + 1 WHERE id = %s",
                      (r.randrange(20),))

    def _statement(self, c, r, i):
        t = f"t{r.randrange(self.tables)}"
        name = f"x{i}_{r.randrange(3)}"
        with c.cursor() as q:
            q.execute(r.choice((
                f"ALTER TABLE {t} ADD COLUMN IF NOT EXISTS c{i} INT DEFAULT 5",
                f"ALTER TABLE {t} DROP COLUMN IF EXISTS c{i}",
                f"CREATE TABLE IF NOT EXISTS {name}"
                " (a INT PRIMARY KEY, b VARCHAR(20))",
                f"CREATE OR REPLACE TABLE {name} (a INT PRIMARY KEY)"
                " AS SELECT id AS a FROM sum",
                f"DROP TABLE IF EXISTS {name}",
                f"TRUNCATE TABLE {name}",
                f"RENAME TABLE {name} TO x{i}_{r.randrange(3, 6)}",
                f"INSERT INTO {name} (a) VALUES ({r.randrange(1000)})",
                f"ALTER TABLE {t} MODIFY n BIGINT NULL COMMENT 'c{i}'",
            )))


class Changes:
    """with Changes(feeds, "schema.t", seed): one who changes rows of a table
    (id, n) of a source at random, keys among them."""

    def __init__(self, feeds, table, seed):
        self.table, self.stop, self.failed = table, False, None
        self.connection = feeds.sql("source", None)
        self.random = random.Random(seed)
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stop = True
        until(lambda: not self.thread.is_alive(), "who changes rows ends", 60)
        assert kind or self.failed is None

    def _run(self):
        try:
            with self.connection as c:
                n = 0
                while not self.stop:
                    n += 1
                    k = self.random.randrange(200)
                    rows(c, f"REPLACE INTO {self.table} VALUES ({k}, {n})")
                    if n % 3 == 0:
                        rows(c, f"DELETE FROM {self.table} WHERE id ="
                             f" {self.random.randrange(200)}")
                    if n % 5 == 0:
                        rows(c, f"UPDATE IGNORE {self.table} SET id ="
                             f" {self.random.randrange(200)}, n = -{n}"
                             f" WHERE id = {k}")
        except Exception as e:  # told at the end
            self.failed = e
