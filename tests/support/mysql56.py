"""A MySQL 5.6, which npm has: another dialect of source. As support/mariadb,
by the folder of its package (tests/drills/captures)."""

import os
import shutil
import subprocess
import time

from support.mariadb import START_S, MariaDB

SETTINGS = [
    "--gtid-mode=ON", "--enforce-gtid-consistency", "--log-slave-updates",
    "--log-bin=binlog", "--server-id=1", "--binlog-format=ROW",
    "--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin",
    "--skip-name-resolve", "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=64M", "--performance-schema=OFF",
    "--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1",
    "--skip-networking", "--innodb-large-prefix", "--sql-mode=",
    "--explicit-defaults-for-timestamp",
]


class MySQL56(MariaDB):
    def __init__(self, package, settings=()):
        super().__init__(settings=settings)
        self.server = os.path.join(package, "server")
        self.user = "root"

    def _install(self):
        shutil.copytree(os.path.join(self.server, "data", "mysql"), self.data)
        for name in ("mysqld", "libaio.so.1"):
            shutil.copy(os.path.join(self.server, name), self.base)
        shutil.copytree(os.path.join(self.server, "share"),
                        os.path.join(self.base, "share"))
        os.chmod(os.path.join(self.base, "mysqld"), 0o755)
        if self.account:
            for top, folders, files in os.walk(self.base):
                for name in (".", *folders, *files):
                    os.chown(os.path.join(top, name), self.account.pw_uid,
                             self.account.pw_gid)

    def __enter__(self):
        super().__enter__()
        with self.connect() as c, c.cursor() as q:  # who would be anybody
            q.execute("DELETE FROM mysql.user WHERE user = ''")
            q.execute("FLUSH PRIVILEGES")
        return self

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(self.base, "mysqld"), "--no-defaults",
                 f"--basedir={self.base}", f"--datadir={self.data}",
                 f"--socket={self.socket}", f"--pid-file={self.base}/pid",
                 f"--lc-messages-dir={self.base}/share",
                 f"--character-sets-dir={self.base}/share/charsets",
                 self._tmpdir(), *SETTINGS, *self.settings],
                env={**os.environ, "LD_LIBRARY_PATH": self.base},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=self._become, cwd=self.base)
        end = time.monotonic() + 2 * START_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.log, errors="replace") as f:
                    raise RuntimeError("mysqld: " + f.read()[-4000:])
            time.sleep(0.05)
