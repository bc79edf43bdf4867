"""Jobs whose runners are killed in a chosen step, at a chosen moment of it.

A runner is followed by another that continues or undoes: a drill begins a
job, `Kills.at` kills whoever performs it there, and the drill looks at what
came of it. What the moments are:

begins  the step is under way, or not even begun
writes  it is about to write something of the job's row: mostly that it is
        done, which is lost then, so that its follower performs it once more
undoes  somebody has cancelled the job in that step, and it is being undone,
        or begins to be
"""

import contextlib
import os
import random
import signal

from support import processes, store
from support.waiting import until

MOMENTS = ("begins", "writes")
UNDOES = "undoes"
STEP_S = 600
UNDER_WAY = ("queued", "running", "undoing")


def sample(places, n):
    """n of the places, chosen by METAGATE_DRILL_SEED (1): as parameters of a
    test they are part of its name, so that a failure can be had again."""
    seed = int(os.environ.get("METAGATE_DRILL_SEED", "1"))
    return random.Random(seed).sample(list(places), n)


class Kills:
    """Of one deployment."""

    def __init__(self, deployment):
        self.deployment = deployment

    def row(self, client_id, kind):
        """The newest job of that name."""
        with self.deployment.sql() as c:
            return store.rows(
                c, "SELECT id, step, steps, state FROM job WHERE client_id ="
                " %s AND kind = %s ORDER BY id DESC LIMIT 1",
                client_id, kind)[0]

    def performers(self):
        """Whoever performs jobs; what they fork bears their words, too."""
        below = processes.below(self.deployment.run_dir)
        return [pid for pid, argv in below.items()
                if {"control", "supervise"} & set(argv)]

    def kill(self):
        """All that performs jobs; `up` starts it again."""
        pids = self.performers()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in pids:
            processes.kill(pid)

    def at(self, client_id, kind, n, moment):
        """Kills the performers in step n of that job; whether it came so
        far, and was not over."""
        def there():
            row = self.row(client_id, kind)
            return row["step"] >= n or row["state"] not in UNDER_WAY
        until(there, f"step {n} of {kind}", STEP_S, pause=0.003)
        row = self.row(client_id, kind)
        if row["state"] not in UNDER_WAY:
            return False
        if moment == UNDOES:
            self._cancel(row["id"], client_id, kind)
        if moment in ("begins", UNDOES):
            self.kill()
            return True
        return self._kill_who_writes(row["id"])

    def _cancel(self, job, client_id, kind):
        """As job_cancel does; until it is being undone, or over."""
        with self.deployment.sql() as c:
            store.rows(c, "UPDATE job SET cancel = 1, due_ms = IF(owner = '',"
                       " UNIX_TIMESTAMP(NOW(3)) * 1000, due_ms)"
                       " WHERE id = %s AND finished_ms IS NULL", job)
        until(lambda: self.row(client_id, kind)["state"]
              not in ("queued", "running"), "it is undone", STEP_S,
              pause=0.003)

    def _kill_who_writes(self, job):
        """Holds the job's row until somebody wants it, and beyond the end of
        who does: nothing of what it was about to write is written."""
        with self.deployment.sql() as c, self.deployment.sql() as eye:
            c.begin()
            row, = store.rows(c, "SELECT state FROM job WHERE id = %s"
                              " FOR UPDATE", job)
            if row["state"] not in UNDER_WAY:
                c.rollback()
                return False
            until(lambda: waiting(eye), "a writer", STEP_S,
                  pause=store.TRX_PAUSE_S)
            self.kill()
            # what the server has read of a client that is gone it performs,
            # unless the row is held until it gives up; those who come next
            # may wait by then
            killed = waiting(eye)
            until(lambda: not killed & waiting(eye), "no writer", STEP_S,
                  pause=store.TRX_PAUSE_S)
            c.rollback()
        return True


def waiting(connection):
    """The transactions that wait for a row of `job`."""
    return {row["id"] for row in store.rows(
        connection, "SELECT w.requesting_trx_id AS id"
        " FROM information_schema.INNODB_LOCKS l"
        " JOIN information_schema.INNODB_LOCK_WAITS w"
        " ON w.requested_lock_id = l.lock_id"
        " WHERE l.lock_table LIKE '%%`job`'")}
