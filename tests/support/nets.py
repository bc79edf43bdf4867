"""NET=127.77.n for one deployment, claimed by flock on a file in /var/tmp."""

import fcntl
import os
import random

FIRST, LAST = 1, 250
LOCKS = "/var/tmp/metagate-net.%d"


def claim():
    """(net, descriptor): ours until the last copy of it is closed."""
    numbers = list(range(FIRST, LAST + 1))
    random.shuffle(numbers)
    for n in numbers:
        fd = _open(LOCKS % n)
        if fd is None:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            continue
        if not _in_use(n):
            return f"127.77.{n}", fd
        os.close(fd)
    raise RuntimeError("every NET from 127.77.1 to 127.77.250 is in use")


def _in_use(n):
    """Whether somebody listens there all the same: what an earlier run has
    left behind is that run's failure, not ours."""
    with open("/proc/net/tcp") as f:
        local = [line.split()[1] for line in f.readlines()[1:]]
    # little-endian: the last part of the address comes first
    return any(address[2:8] == f"{n:02X}4D7F" for address in local)


def _open(path):
    # Opened for reading, and created apart: in a sticky directory the kernel
    # refuses O_CREAT on a file of another account (fs.protected_regular).
    for _ in range(2):
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            pass
        except PermissionError:
            return None
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY,
                             0o644))
        except FileExistsError:
            pass
    return None
