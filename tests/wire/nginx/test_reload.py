"""nginx goes on serving while its configuration changes."""

import subprocess

import pytest

from support.front import once
from support.load import Load
from support.waiting import until


def failed(load):
    return [r for r in load.results
            if isinstance(r, Exception) or r is None or r.status != 200]


@pytest.mark.fault
def test_100_reloads_fail_no_request(front):
    client = front.client("doris")
    with Load(8, lambda i: once(client)) as load:
        for _ in range(100):
            front.configure()
        end = load.done + 100
        until(lambda: load.done > end)
    assert failed(load) == []
    assert load.done > 200


def test_checking_the_configuration_takes_no_connection(front):
    """`nginx -t` binds the listeners: with SO_REUSEPORT it would get some."""
    client = front.client("doris")
    with Load(8, lambda i: once(client)) as load:
        for _ in range(50):
            subprocess.run(front.nginx_argv("-t", "-q"), check=True)
    assert failed(load) == []


def test_a_request_in_progress_outlives_a_reload(front):
    def answer(request):
        if request.path == "/long":
            front.configure()  # the old process is leaving now
        return b"Status: 200 OK\r\nContent-Length: 2\r\n\r\nok"

    front.workers.answer = answer
    assert once(front.client("doris"), "/long").text == "ok"


def test_a_leftover_pid_file_harms_nobody(front):
    """Its number may be another process's by now: that gets no SIGHUP, which
    would end it."""
    uid, gid = front.account()
    with subprocess.Popen(["/bin/sleep", "600"], user=uid,
                          group=gid) as stranger:
        path = front.path("nginx", "nginx.pid")
        with open(path) as f:
            real = f.read()
        try:
            with open(path, "w") as f:
                f.write(f"{stranger.pid}\n")
            front.configure()
            assert stranger.poll() is None
        finally:
            with open(path, "w") as f:
                f.write(real)
            stranger.kill()


def test_a_configuration_that_nginx_refuses_changes_nothing(front):
    done = front.command("nginx", check=False, environment={
        "METAGATE_NGINX_TLS_CERTIFICATE": "/etc/passwd",
        "METAGATE_NGINX_TLS_KEY": "/etc/passwd"})
    assert done.returncode == 1 and "/etc/passwd" in done.stderr
    assert once(front.client("doris")).status == 200
    front.configure()
