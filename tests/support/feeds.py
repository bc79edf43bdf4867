"""Captures on a store, a source and a target of their own, and changefeeds as
rows of the store: what replicates, without the interface."""

import json
import os
import shutil
import signal
import subprocess
import tempfile

from support.mariadb import MariaDB
from support.store import rows, value
from support.waiting import until

TARGET_PORT = 13399
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def now_tso(connection):
    """The source's clock."""
    return int(value(connection, "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000"
                     " AS SIGNED) AS n")) << 18


class Feeds:
    """with Feeds(net) as feeds: feeds.start("c1"); feeds.create(...)"""

    def __init__(self, net, build="asan", source_settings=(),
                 target_settings=(), source=None):
        """source: a server that is not a MariaDB, not begun yet."""
        self.net, self.build = net, build
        self.binary = os.path.join(ROOT, "build", build, "metagate")
        self.store = MariaDB()
        self.source = source or MariaDB(settings=source_settings)
        self.position = ("@@GLOBAL.gtid_executed" if source else
                         "@@GLOBAL.gtid_binlog_pos")
        self.target = MariaDB(net=net, port=TARGET_PORT,
                              settings=target_settings)
        self.run_dir = tempfile.mkdtemp(prefix="mgfeeds.", dir="/var/tmp")
        self.captures = {}
        self.next_feed = 1

    def __enter__(self):
        try:
            for server in (self.store, self.source, self.target):
                server.__enter__()
            self._accounts()
            self._files()
            self.command("migrate")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in list(self.captures):
            self.kill(name)
        for server in (self.store, self.source, self.target):
            server.close()
        shutil.rmtree(self.run_dir, ignore_errors=True)

    def _accounts(self):
        with self.store.connect() as c, c.cursor() as cursor:
            cursor.execute("CREATE DATABASE metagate CHARACTER SET utf8mb4")
        for server, grants in ((self.source, "ALL"), (self.target, "ALL")):
            with server.connect() as c, c.cursor() as cursor:
                cursor.execute("CREATE USER repl@'%%' IDENTIFIED BY 'pa:ss'"
                               % ())
                cursor.execute(f"GRANT {grants} ON *.* TO repl@'%%'" % ())

    def path(self, *parts):
        return os.path.join(self.run_dir, *parts)

    def _files(self):
        for part in ("s", "log", "tmp", "files"):
            os.mkdir(self.path(part))
        with open(self.path("repl.password"), "w",
                  opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write("pa:ss\n")
        with open(self.path("deployment_id"), "w") as f:
            f.write("0123456789abcdef0123456789abcdef\n")
        with open(self.path("metagate.ini"), "w") as f:
            f.write(f"[mysql]\nhosts = {self.store.hosts}\n"
                    f"user = {self.store.user}\n"
                    f"[ticdc]\nupstream = {self.source.hosts}\n"
                    "upstream_user = repl\n"
                    f"upstream_password_file = {self.path('repl.password')}\n"
                    f"file_root = {self.path('files')}\n")
        self.seal("x", "x", "x", "x")  # makes the key file

    def seal(self, table, row, column, text):
        helper = os.path.join(os.path.dirname(self.binary), "support",
                              "seal_shell")
        return subprocess.run(
            [helper, self.path("key"), table, str(row), column], input=text,
            stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    # ---- captures ----

    def argv(self, *args):
        return [self.binary, "--run-dir", self.run_dir, "--net", self.net,
                *args]

    def env(self):
        return {**os.environ, "ASAN_OPTIONS": "detect_leaks=0",
                "TZ": "Asia/Shanghai"}

    def command(self, *args):
        done = subprocess.run(self.argv(*args), env=self.env(), text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout

    def start(self, *names, within=()):
        """Until they take signals. within: words in front of the command."""
        begun = {n: self.log(n).count("capture.start") for n in names}
        for name in names:
            with open(self.path(f"{name}.err"), "ab") as err:
                self.captures[name] = subprocess.Popen(
                    [*within, *self.argv("capture", "--id", name)],
                    env=self.env(),
                    stdin=subprocess.DEVNULL, stdout=err, stderr=err, cwd="/")
        for name in names:
            until(lambda: self.log(name).count("capture.start") > begun[name],
                  f"capture {name} has started")

    def kill(self, name, how=signal.SIGKILL):
        """Its exit status."""
        p = self.captures.pop(name)
        p.send_signal(how)
        return p.wait(120)

    def log(self, name):
        try:
            with open(self.path("log", f"capture-{name}.log"),
                      errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def reports(self):
        """What sanitizers have said."""
        out = ""
        for name in os.listdir(self.run_dir):
            if name.endswith(".err"):
                with open(self.path(name), errors="replace") as f:
                    out += f.read()
        return out

    def sql(self, server="store", database="metagate"):
        return getattr(self, server).connect(database=database)

    # ---- changefeeds ----

    def target_uri(self, **params):
        tail = "&".join(f"{k}={v}" for k, v in params.items())
        return (f"mysql://repl:pa%3Ass@{self.net}.1:{TARGET_PORT}/"
                + ("?" + tail if tail else ""))

    def create(self, uri=None, target_ts=0, start_ts=None, gtid=None,
               **config):
        """A row as the interface writes it: its number."""
        feed = self.next_feed
        self.next_feed += 1
        with self.sql("source", None) as c:
            if start_ts is None:
                start_ts = now_tso(c)
                gtid = value(c, f"SELECT {self.position} AS p")
        uri = uri or self.target_uri()
        with self.sql() as c:
            rows(c, "INSERT INTO ticdc_changefeed VALUES (%s, 'default', %s,"
                 " 1, 1, 0, 'normal', %s, %s, %s, %s, %s, %s, %s, %s, '', 0,"
                 " %s, '', '', '', 0, 0, 0, 0, 0, 0, 0, 'test', 0, 0, 0)",
                 feed, f"f{feed}",
                 self.seal("ticdc_changefeed", feed, "sink_uri", uri),
                 self.seal("ticdc_changefeed", feed, "config",
                           json.dumps(config)),
                 5000 + feed, start_ts, target_ts, start_ts, start_ts,
                 gtid or "", start_ts if gtid is not None else 0)
        return feed

    def feed(self, feed):
        with self.sql() as c:
            row, = rows(c, "SELECT * FROM ticdc_changefeed WHERE feed = %s",
                        feed)
        return row

    def turn(self, feed, state):
        """Pause ('stopped') and resume ('normal') as the interface does it."""
        with self.sql() as c:
            rows(c, "UPDATE ticdc_changefeed SET state = %s,"
                 " epoch = epoch + 1, version = version + 1, tries = 0,"
                 " error_code = '', error_message = '' WHERE feed = %s",
                 state, feed)

    def rewind(self, feed, gtid, checkpoint_ts):
        """Sets it back while it is stopped, as resume with a checkpoint of
        its own does; its next turn goes on from there."""
        with self.sql() as c:
            rows(c, "UPDATE ticdc_changefeed SET gtid = %s, anchor_ts = 0,"
                 " checkpoint_ts = %s, resolved_ts = %s,"
                 " rewound_epoch = epoch + 1 WHERE feed = %s",
                 gtid, checkpoint_ts, checkpoint_ts, feed)
            for table in ("ticdc_table", "ticdc_report", "ticdc_ddl",
                          "ticdc_xa"):
                rows(c, f"DELETE FROM {table} WHERE feed = %s", feed)

    def tables(self, feed):
        """{name: (state, writer's --id)}"""
        with self.sql() as c:
            return {r["table_name"]: (r["state"], r["name"]) for r in rows(
                c, "SELECT t.table_name, t.state, c.name FROM ticdc_table t"
                " LEFT JOIN ticdc_capture c ON c.capture_id = t.writer"
                " WHERE t.feed = %s AND NOT t.dropped", feed)}

    def until_at(self, feed, tso=None, timeout=60):
        """Until everything that the source has now is written."""
        if tso is None:
            with self.sql("source", None) as c:
                tso = now_tso(c)
        until(lambda: self.feed(feed)["checkpoint_ts"] > tso,
              f"feed {feed} at {tso}: {self.feed(feed)}"[:600],
              timeout=timeout, pause=0.1)


# How a column is printed so that two values that differ look different.
SHOWN = {"float": "{} + 0e0", "double": "{} + 0e0",
         "decimal": "CAST({} AS CHAR)",
         "enum": "CONCAT({0} + 0, HEX({0}))", "set": "CONCAT({0} + 0, HEX({0}))"}


def content(connection, schema):
    """{table: (columns, rows sorted)}, values so that none can be taken for
    another."""
    out = {}
    for t in rows(connection, "SELECT table_name AS name"
                  " FROM information_schema.tables WHERE table_schema = %s"
                  " AND table_type = 'BASE TABLE'", schema):
        columns = rows(
            connection, "SELECT column_name AS name, data_type AS type,"
            " column_type AS whole, is_nullable AS nullable,"
            " column_default AS dflt, collation_name AS coll"
            " FROM information_schema.columns WHERE table_schema = %s"
            " AND table_name = %s ORDER BY ordinal_position",
            schema, t["name"])
        parts = ", ".join(SHOWN.get(c["type"], "HEX({})").format(
            f"`{c['name']}`") for c in columns)
        found = rows(connection, f"SELECT {parts} FROM"
                     f" `{schema}`.`{t['name']}`")
        out[t["name"]] = ([tuple(c.values()) for c in columns], sorted(
            [tuple(repr(v) for v in r.values()) for r in found]))
    return out
