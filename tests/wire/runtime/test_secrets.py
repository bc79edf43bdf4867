"""No token and no secret of a client reaches a log, an argument vector, an
environment or, unencrypted, the store."""

import base64
import os

import pytest

from support import canary, doris as d, raw
from support.processes import kill
from support.store import locked_instance, until_waiting
from support.words import fresh

pytestmark = [pytest.mark.fault,
              pytest.mark.config(METAGATE_MYSQL_LOG_OWN="yes")]

# Where tokens have to be: modes are a test of their own.
TOKENS_LIE_IN = ("token", "tokens", "tokens.map", "curlrc")


def ways_to_send(token):
    """Every way a token can be sent in: (query, headers)."""
    basic = base64.b64encode(f"{token}:x".encode()).decode()
    return [("", {"X-Metagate-Token": token}),
            ("", {"Authorization": "Bearer " + token}),
            ("", {"authorization": "basic " + basic}),
            ("?token=" + token, {}),
            ("?TOKEN=" + token.upper(), {}),
            ("?a=b&ToKeN=" + token, {"Referer": "http://x/?token=" + token})]


def provoke(doris, iid, token):
    """Answers of all kinds, good and bad, with the token in every place."""
    path = "/MetaService/http/get_instance"
    bare = doris.using(token=None)
    for query, headers in ways_to_send(token):
        for target in (path, "/nope", "/%zz", path + "/../.."):
            bare.request("GET", target + query, headers=headers)
        bare.request("PUT", path + query, b"x" * (1 << 21), headers=headers)
        bare.request("PUT", path + query, b"{", headers=headers)
    for target in (path + "?token=" + token + "&x=" + "y" * 9000,
                   "/" + token, "/ token=" + token):
        raw.send(doris, raw.head("GET", target, [("Host", "x")]))
    raw.send(doris, raw.head("GET", path + "?token=" + token, [
        ("Host", "x"), ("X-Long", "z" * 40_000)]))
    raw.send(doris, raw.head("BAD METHOD", path + "?token=" + token, []))


def lose_an_answer(deployment, doris, sql, iid, token):
    """A worker killed over a request: nginx logs an upstream error."""
    body = d.cluster(iid, "c1")
    workers = [deployment.pid_of(f"serve-{i}") for i in (0, 1)]
    with locked_instance(deployment, iid):
        with doris.connect() as s:
            s.sendall(raw.request("PUT", "/MetaService/http/add_cluster"
                                  "?token=" + token, body,
                                  [("Referer", "http://x/?TOKEN=" + token)]))
            until_waiting(sql, 1)
            for pid in workers:
                kill(pid)
            assert raw.read(s).status == 503


def test_tokens_and_secrets_are_found_nowhere(deployment, doris, sql):
    token = deployment.tokens.add(fresh("canary"), "write")
    ak, sk = fresh("AKcanary"), fresh("SKcanary")
    iid = d.instance(doris, obj_info={**d.OBJ_INFO, "ak": ak, "sk": sk})
    cuid = f"1:{iid}:x"
    # refused ones too: messages of Doris quote the request
    for op in ("add_obj_info", "legacy_update_ak_sk"):
        for obj in ({"ak": ak, "sk": sk}, {"sk": sk, "bucket": "b" * 2000},
                    {"sk": [sk]}, {"sk": sk, "id": "9"}):
            doris.put(op, {"cloud_unique_id": cuid, "obj": obj})
    doris.put("create_instance", '{"instance_id":"%s","sk":"%s"' % (iid, sk))
    doris.put("create_instance?sk=" + sk, "")
    provoke(doris, iid, token)
    lose_an_answer(deployment, doris, sql, iid, token)

    encoded = base64.b64encode(f"{token}:x".encode()).decode()
    assert canary.hits(deployment, [iid]), "the search itself finds nothing"
    assert canary.hits(deployment, [token, encoded],
                       allowed=TOKENS_LIE_IN) == []
    assert canary.hits(deployment, [sk]) == []


def test_files_with_secrets_are_closed_to_others(deployment):
    for name in ("token", "tokens.map", "curlrc", "key", "secret"):
        mode = os.stat(deployment.path(name)).st_mode & 0o777
        assert mode == 0o600, f"{name}: {mode:o}"
    assert os.stat(deployment.run_dir).st_mode & 0o777 == 0o750
    for name in os.listdir(deployment.path("s")):
        if name == "mysql.sock":
            continue  # MariaDB's own mode; who connects has to be somebody
        mode = os.stat(deployment.path("s", name)).st_mode & 0o777
        assert mode & 0o007 == 0, f"s/{name}: {mode:o}"
