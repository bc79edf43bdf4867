#!/usr/bin/python3
"""A private MariaDB for tests: its own directory, a socket, no network unless
asked for, and gone at the end whatever happens to the tests.

    /usr/bin/python3 tests/support/mariadb.py run -- build/asan/unit/db_test

runs a command with METAGATE_TEST_MYSQL=unix:/path/of/the/socket and
METAGATE_TEST_MYSQL_USER; its exit status is the command's.
"""

import ctypes
import getpass
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ACCOUNTS = ("metagate", "nobody")  # whose mariadbd is, when we are root
START_S = 60
SCHEMA = "metagate"
PR_SET_PDEATHSIG = 1
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

# It is killed by tests, but its machine is not: nothing has to wait for a disk,
# which a schema alone would do 1,500 times.
NO_DISK = ["--innodb-flush-method=nosync", "--debug-no-sync",
           "--innodb-log-file-size=16M"]
# DESIGN section 2, and what makes a small server quick to start.
SETTINGS = [
    "--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin",
    "--log-bin=binlog", "--server-id=1", "--binlog-format=ROW",
    "--binlog-row-image=FULL", "--binlog-row-metadata=FULL",
    f"--binlog-ignore-db={SCHEMA}", "--skip-name-resolve",
    "--local-infile=0", "--innodb-buffer-pool-size=32M",
    "--performance-schema=OFF",
    "--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0", *NO_DISK,
]


class MariaDB:
    """with MariaDB() as db: db.hosts, db.user, db.connect()"""

    def __init__(self, net=None, port=13306, settings=(), where=None):
        """net: "127.71.1" to listen on net.1:port too; where: the folder for
        its files, which is /var/tmp."""
        self.base = tempfile.mkdtemp(prefix="mgdb.", dir=where or "/var/tmp")
        self.socket = os.path.join(self.base, "s")
        self.data = os.path.join(self.base, "data")
        self.log = os.path.join(self.base, "log")
        self.user = getpass.getuser()
        self.net, self.port = net, port
        self.settings = list(settings)
        self.process = None
        self.account = account()
        self.hosts = f"unix:{self.socket}"
        self.tcp = f"{net}.1:{port}" if net else None

    def __enter__(self):
        try:
            self._install()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _install(self):
        if self.account:
            os.chown(self.base, self.account.pw_uid, self.account.pw_gid)
        done = subprocess.run(
            [_tool("mariadb-install-db"), "--no-defaults", "--skip-test-db",
             "--auth-root-authentication-method=socket",
             f"--auth-root-socket-user={self.user}",
             f"--datadir={self.data}", self._tmpdir(), *NO_DISK],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, preexec_fn=self._become,
            cwd=self.base)
        if done.returncode != 0:
            raise RuntimeError("mariadb-install-db: " + done.stdout)

    def _tmpdir(self):
        # In /tmp a server that starts removes the temporary tables of others.
        return f"--tmpdir={self.base}"

    def _become(self):
        """In the child: never root, and never longer alive than we are."""
        if self.account:
            os.setgroups([])
            os.setgid(self.account.pw_gid)
            os.setuid(self.account.pw_uid)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def start(self):
        net = ([f"--bind-address={self.net}.1", f"--port={self.port}"]
               if self.net else ["--skip-networking"])
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [_tool("mariadbd"), "--no-defaults", f"--datadir={self.data}",
                 f"--socket={self.socket}", f"--pid-file={self.base}/pid",
                 self._tmpdir(), *SETTINGS, *net, *self.settings],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=self._become, cwd=self.base)
        end = time.monotonic() + START_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.log, errors="replace") as f:
                    raise RuntimeError("mariadbd: " + f.read()[-4000:])
            time.sleep(0.02)

    def _answers(self):
        import pymysql
        try:
            self.connect().close()
        except pymysql.Error:
            return False
        return True

    def connect(self, database=None, **more):
        """An autocommit connection by the socket, rows as dicts."""
        import pymysql
        return pymysql.connect(
            unix_socket=self.socket, user=self.user, database=database,
            autocommit=True, charset="utf8mb4",
            cursorclass=pymysql.cursors.DictCursor, **more)

    def kill(self):
        """kill -9; returns when it is gone."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()

    def close(self):
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)


def account():
    """Whom a root's children become; None for an ordinary user."""
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    raise RuntimeError("no account to run mariadbd: " + ", ".join(ACCOUNTS))


def _tool(name):
    found = shutil.which(name, path=PATH)
    if not found:
        raise RuntimeError(f"{name} is missing: "
                           "apt-get install mariadb-server-core")
    return found


def run(command):
    """Its exit status; 128 + n when a signal ended it."""
    for sig in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, lambda *_: sys.exit(1))  # by way of __exit__
    with MariaDB() as db:
        with db.connect() as c, c.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {SCHEMA}")
        env = {**os.environ, "METAGATE_TEST_MYSQL": db.hosts,
               "METAGATE_TEST_MYSQL_USER": db.user}
        status = subprocess.run(command, env=env).returncode
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[1:3] != ["run", "--"]:
        sys.exit("usage: mariadb.py run -- COMMAND [ARGUMENT...]")
    sys.exit(run(sys.argv[3:]))
