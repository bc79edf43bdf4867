"""Runs one deployment for as long as the test process lives.

    guard.py BASE LOCK_FD COMMAND...   (standard input: a pipe from the tests)

When the pipe closes, also because the tests were killed, the command gets
SIGTERM, and the directory BASE is removed unless it holds a file `keep`. The
lock of the deployment's NET is held until then. Prints the command's process
id at once and its exit status when it ends.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading

STOP_S = 60
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main():
    base, lock_fd = sys.argv[1], int(sys.argv[2])
    for sig in SIGNALS:
        signal.signal(sig, signal.SIG_IGN)  # the pipe alone ends it
    os.set_inheritable(lock_fd, False)
    child = start(sys.argv[3:], os.path.join(base, "up.out"))
    tell(child.pid)
    ended = threading.Thread(target=lambda: tell(child.wait()))
    ended.start()
    while sys.stdin.buffer.raw.read(1):
        pass  # a byte has no meaning: only the end has
    stop(child, ended)
    if not os.path.exists(os.path.join(base, "keep")):
        shutil.rmtree(base, ignore_errors=True)


def start(command, output):
    with open(output, "wb") as out:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True, preexec_fn=default_signals)


def default_signals():
    for sig in SIGNALS:
        signal.signal(sig, signal.SIG_DFL)


def stop(child, ended):
    if ended.is_alive():
        child.terminate()
    ended.join(STOP_S)
    if ended.is_alive():
        tell("hung")
        child.kill()
        ended.join()


def tell(what):
    try:
        print(what, flush=True)
    except OSError:
        pass  # nobody is left who would read it


if __name__ == "__main__":
    main()
