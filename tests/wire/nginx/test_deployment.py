"""nginx in a whole deployment: its log, its processes."""

import os
import signal

import pytest

from support import canary, processes
from support.waiting import until
from support.words import fresh

pytestmark = pytest.mark.fault

# Where tokens have to be: modes are a test of their own.
TOKENS_LIE_IN = ("token", "tokens", "tokens.map", "curlrc")


def error_log(deployment):
    with open(deployment.path("log", "nginx-error.log")) as f:
        return f.read()


def test_the_error_log_tells_all_but_the_token(deployment, doris):
    """413, and 504 with the token in each place where nginx quotes it; 502 is
    in runtime/test_secrets.py."""
    token = deployment.tokens.add(fresh("canary"), "write")
    workers = [deployment.pid_of(f"serve-{i}") for i in (0, 1)]
    bare = doris.using(token=None)
    assert bare.put("get_instance?token=" + token,
                    b"x" * (1 << 21)).status == 413
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        late = bare.put("get_instance?ToKeN=" + token, b"{}", headers={
            "Referer": "http://x/?a=b&TOKEN=" + token.upper()})
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
    assert (late.status, late.json["code"]) == (503, "INTERNAL_ERROR")
    assert late.headers["Retry-After"] == "1"

    text = until(lambda: "timed out" in error_log(deployment)
                 and error_log(deployment))
    for part in ("too large body", "?token=***", "?ToKeN=***",
                 'referrer: "http://x/?a=b&TOKEN=***"'):
        assert part in text, part
    assert canary.hits(deployment, [token], allowed=TOKENS_LIE_IN) == []


def test_workers_of_a_killed_nginx_do_not_live_on(deployment, console):
    """They would hold the listeners with the tokens of yesterday."""
    master = deployment.pid_of("nginx")
    old = [pid for pid, argv in processes.below(deployment.run_dir).items()
           if "nginx: worker" in argv[0]]
    assert old
    processes.kill(master)
    until(lambda: not any(map(processes.alive, old)), "old workers are gone")
    until(lambda: deployment.pid_of("nginx") not in (None, master))
    until(lambda: console.get("/healthz").status == 200)


def test_a_reload_by_token_reaches_the_running_nginx(deployment, doris):
    name = fresh("t")
    token = deployment.tokens.add(name, "read")
    client = doris.using(token=token)
    assert client.get("get_instance?instance_id=x").status == 404
    deployment.command("token", "revoke", name)
    client.close()
    assert client.get("get_instance?instance_id=x").status == 403
