"""The workers' own sockets: nobody but our front end is answered there."""

import os
import stat
import subprocess
import sys

import pytest

from support import fcgi, processes
from support.waiting import until

KNOCK = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
try:
    s.connect(sys.argv[1])
except PermissionError:
    sys.exit(13)
"""


def sockets(deployment):
    folder = deployment.path("s")
    return [os.path.join(folder, n) for n in sorted(os.listdir(folder))
            if n.startswith(("serve-", "role-"))]


def params(target, listener, **more):
    return {"REQUEST_METHOD": "GET", "REQUEST_URI": target,
            "CONTENT_LENGTH": "", "MG_LISTENER": listener,
            "MG_SCOPE": "admin", "MG_NAME": "forged", "MG_SECRETS": "1",
            **more}


FORGED = {
    "no secret": {}, "empty": {"MG_SECRET": ""}, "zeros":
    {"MG_SECRET": "0" * 64}, "short": {"MG_SECRET": "0"}, "as a header":
    {"HTTP_MG_SECRET": "0" * 64}, "a token": {"HTTP_X_METAGATE_TOKEN": "x"},
}


@pytest.mark.parametrize("how", FORGED)
def test_a_client_without_the_secret_is_refused(deployment, how):
    found = until(lambda: (lambda all_: all_ if len(all_) == 2 + 3 + 3 + 2
                           else None)(sockets(deployment)), "every socket")
    for path in found:
        for target, listener in (("/metrics", "console"),
                                 ("/healthz", "console"),
                                 ("/role/control-m1/pprof/cmdline", "console"),
                                 ("/version", "pegasus-meta/m1"),
                                 ("/MetaService/http/list_instances",
                                  "doris")):
            with fcgi.Connection(path) as c:
                r = c.ask(params(target, listener, **FORGED[how]))
            assert (r.status, r.text) == (403, "not our front end\n"), (
                path, target)


def test_part_of_the_secret_is_no_secret(deployment):
    with open(deployment.path("secret")) as f:
        secret = f.read().strip()
    path = sockets(deployment)[-1]
    for wrong in (secret[:-1], secret + "0", secret.upper() + " ",
                  secret[:32]):
        with fcgi.Connection(path) as c:
            r = c.ask(params("/metrics", "console", MG_SECRET=wrong))
        assert r.status == 403
    with fcgi.Connection(os.path.dirname(path) + "/serve-0.sock") as c:
        r = c.ask(params("/metrics", "console", MG_SECRET=secret))
    assert r.status == 200, "or the above proves nothing"


def test_another_account_cannot_even_connect(deployment):
    for path in sockets(deployment):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
        if os.geteuid() != 0:
            continue  # who runs the tests cannot become another account
        done = subprocess.run(
            ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
             sys.executable, "-c", KNOCK, path])
        assert done.returncode == 13, path


def test_nothing_of_a_deployment_runs_as_root(deployment):
    for pid, argv in processes.below(deployment.run_dir).items():
        with open(f"/proc/{pid}/status") as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f
                          if ":\t" in line)
        if os.geteuid() == 0:
            assert "0" not in status["Uid"].split(), argv
        assert int(status["CapEff"], 16) == 0, argv
