"""What processes have cost so far: CPU time and memory, from /proc."""

import os


def trees(roots):
    """The processes with those ids and all below them."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            children.setdefault(_parent(name), []).append(int(name))
    found, todo = set(), list(roots)
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.add(pid)
            todo += children.get(pid, [])
    return found


def _parent(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return int(f.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def cpu_us(pids):
    """User and system time. By thread in nanoseconds: /proc/PID/stat counts
    in hundredths of a second, which is much of a short run."""
    return sum(_cpu_ns(pid) for pid in pids) / 1000


def _cpu_ns(pid):
    total = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                total += int(f.read().split()[0])
    except OSError:
        pass  # it ended meanwhile
    return total


def memory_kib(pids):
    """Memory of those processes; what several share is counted once."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as f:
                total += sum(int(line.split()[1]) for line in f
                             if line.startswith("Pss:"))
        except OSError:
            pass
    return total
