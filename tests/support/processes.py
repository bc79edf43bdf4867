"""The processes of one deployment, found by its directory in /proc: nothing
here ever names a process by its program alone."""

import contextlib
import ctypes
import os
import signal

from support.waiting import until


def below(run_dir):
    """{pid: argument vector} of what was started for that directory, and of
    nginx's workers, whose titles name no directory."""
    argvs = {pid: argv for pid, argv in _all() if argv}
    ours = {pid for pid, argv in argvs.items()
            if any(run_dir in part for part in argv)}
    ours |= {pid for pid in argvs if _parent(pid) in ours}
    ours.discard(os.getpid())
    return {pid: argvs[pid] for pid in ours if not _is_guard(argvs[pid])}


def find(run_dir, role):
    """role: "serve-0", "up", "nginx" (the master) or "mariadb"."""
    for pid, argv in below(run_dir).items():
        if _role(argv) == role:
            return pid
    return None


def words():
    """The command line of every process there is, a text each."""
    return [" ".join(argv) for _, argv in _all()]


def _role(argv):
    words = " ".join(argv)
    name = os.path.basename(argv[0].split()[0].rstrip(":"))
    if name == "nginx":  # its workers have the same name
        return "nginx" if "nginx: master" in words else "nginx-worker"
    if name in ("mariadbd", "mysqld"):
        return "mariadb"
    if name != "metagate":
        return name
    if "--id" in argv:
        return f"{_command(argv)}-{argv[argv.index('--id') + 1]}"
    return _command(argv)


def _command(argv):
    rest = iter(argv[1:])
    for word in rest:
        if word in ("--run-dir", "--net"):
            next(rest, None)
        elif not word.startswith("--"):
            return word
    return ""


def _is_guard(argv):
    return any(part.endswith("/guard.py") for part in argv)


def _all():
    for name in os.listdir("/proc"):
        if name.isdigit():
            yield int(name), _argv(int(name))


def _argv(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            text = f.read().decode("utf-8", "replace")
    except OSError:
        return []
    return text.rstrip("\0").split("\0") if text.rstrip("\0") else []


def _parent(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return int(f.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def kill(pid, sig=signal.SIGKILL):
    """Sends it; with SIGKILL, returns when the process is gone, with SIGSTOP,
    when each of its threads stands still. One that has ended meanwhile is no
    error."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, sig)
    if sig == signal.SIGKILL:
        until(lambda: not alive(pid), f"end of process {pid}")
    if sig == signal.SIGSTOP:
        until(lambda: _thread_states(pid) <= set("TtZX"),
              f"threads of process {pid} stand still")


def _thread_states(pid):
    """The letters of proc(5); empty when the process is gone."""
    found = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/stat") as f:
                found.add(f.read().rpartition(")")[2].split()[0])
    return found


def alive(pid):
    """Whether it runs (a zombie does not)."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def descriptors(pid):
    """What its open files are."""
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            pass  # closed meanwhile
    return found


# ---- held: a stop that nobody but SIGKILL ends ----

_PTRACE_SEIZE, _PTRACE_INTERRUPT, _WALL = 0x4206, 0x4207, 0x40000000


def hold(pid):
    """Stops every thread of it as a debugger does. SIGSTOP would not last:
    when the parent of a stopped process group dies, the kernel sends the
    group SIGHUP and SIGCONT (setpgid(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p,
                            ctypes.c_void_p]
    for thread in map(int, os.listdir(f"/proc/{pid}/task")):
        for request in (_PTRACE_SEIZE, _PTRACE_INTERRUPT):
            if libc.ptrace(request, thread, None, None):
                raise OSError(ctypes.get_errno(), f"ptrace of {pid}")
        os.waitpid(thread, _WALL)
