"""A secret, of a client or of our own, shows in no reply to a token that may not see it, in
no metric, no profile, no file, no argument vector and no environment. (What
reaches the logs when things go wrong: runtime/test_secrets.py.)"""

import os
import re

import pytest

from support import canary, doris as d, tables
from support.listeners import first
from support.words import fresh

pytestmark = [pytest.mark.profile,
              pytest.mark.config(METAGATE_MYSQL_LOG_OWN="yes")]

PROCESSES = ["/worker/0", "/worker/1", "/role/control-m1", "/role/control-m2",
             "/role/supervise-{net}.1"]
TOKENS_LIE_IN = ("token", "tokens", "tokens.map", "curlrc")
# Secrets that a deployment makes for itself, and the files that need them.
OWN_LIE_IN = {"secret": {"secret", "nginx/secret.conf"},
              "key": {"key"},
              "repl.password": {"repl.password", "mariadb-init.sql"},
              "mysql.password": {"mysql.password", "mariadb-init.sql"},
              "fe-user": {"fe-user"}}


def planted(deployment, doris, ak, sk):
    """Instances whose object store has that secret, made and changed."""
    iid = d.instance(doris, obj_info={**d.OBJ_INFO, "ak": ak, "sk": sk})
    cuid = f"1:{iid}:x"
    for op in ("add_obj_info", "legacy_update_ak_sk", "update_ak_sk"):
        doris.put(op, {"cloud_unique_id": cuid, "instance_id": iid, "obj":
                       {**d.OBJ_INFO, "ak": ak, "sk": sk, "id": "1"}})
    return iid


def planted_elsewhere(owner, secret):
    """An instance that has the secret in every other place for one: a user of
    a cloud, roles, an HDFS vault, a stage."""
    role = {"role_arn": "arn:1", "provider": "S3", "bucket": "b",
            "cred_provider_type": "INSTANCE_PROFILE", "endpoint": "e",
            "region": "r", "external_id": secret}
    iid, hdfs = fresh("i"), {"build_conf": {
        "fs_name": "hdfs://h", "hdfs_kerberos_principal": secret,
        "hdfs_kerberos_keytab": secret,
        "hdfs_confs": [{"key": "k", "value": secret}]}}
    cuid = f"1:{iid}:x"
    for op, body in (
            ("create_instance", {
                "instance_id": iid, "vault": {"hdfs_info": hdfs},
                "ram_user": {"user_id": "u", "ak": secret, "sk": secret,
                             "external_id": secret}}),
            ("alter_ram_user", {
                "instance_id": iid, "ram_user": {
                    "user_id": "u", "ak": secret, "sk": secret,
                    "external_id": secret}}),
            ("add_hdfs_vault", {"cloud_unique_id": cuid, "vault": {
                "name": "h", "hdfs_info": hdfs}}),
            ("drop_hdfs_vault", {"cloud_unique_id": cuid,
                                 "vault": {"name": "h"}}),
            ("add_s3_vault", {"cloud_unique_id": cuid, "vault": {
                "name": "v", "obj_info": role}}),
            ("alter_s3_vault", {"cloud_unique_id": cuid, "vault": {
                "name": "v", "obj_info": {"external_id": secret}}})):
        r = owner.put(op, body)
        assert r.status == 200, r
    for name in "dropped", "kept":
        r = owner.post("/MetaService/create_stage", {
            "cloud_unique_id": cuid, "stage": {
                "type": "EXTERNAL", "name": name, "stage_id": name,
                "properties": {"p": secret}, "external_id": secret,
                "obj_info": role}})
        assert r.json["status"]["code"] == "OK", r
    r = owner.post("/MetaService/drop_stage", {
        "cloud_unique_id": cuid, "type": "EXTERNAL",
        "stage_name": "dropped"})
    assert r.json["status"]["code"] == "OK", r
    # refused, and told in a message, an audit row and a line of the log
    for op, body in (
            ("create_instance", {"instance_id": iid, "ram_user": {
                "user_id": "u", "ak": secret, "sk": secret}}),
            ("add_s3_vault", {"cloud_unique_id": cuid, "vault": {
                "name": "v", "obj_info": role}}),
            ("alter_s3_vault", {"cloud_unique_id": cuid, "vault": {
                "name": "none", "obj_info": {"external_id": secret}}})):
        r = owner.put(op, body)
        assert r.status >= 400 and secret not in r.text, r
    return iid


def replies(deployment, iid):
    """What every row answers to tokens that may not see secrets."""
    for e in tables.endpoints():
        if e.path == "*" or "/pprof/" in e.path:
            continue  # profiles are asked for one by one, below
        for scope in ("read", "write", "profile", "machine"):
            client = deployment.client(first(e.listener), scope)
            request = e.request()
            for query in (request.query, f"instance_id={iid}",
                          f"cloud_unique_id=1:{iid}:x"):
                request.query = query
                r = request.send(client)
                yield f"{e} {query} {scope}", r
                if not isinstance(request.body, dict):
                    continue
                for key, value in (("instance_id", iid),
                                   ("cloud_unique_id", f"1:{iid}:x")):
                    r = request.send(client,
                                     body={**request.body, key: value})
                    yield f"{e} {key} {scope}", r



def profiles(deployment, console):
    for path in PROCESSES:
        path = path.format(net=deployment.net)
        for kind in ("profile?seconds=0", "heap", "growth", "cmdline",
                     "symbol", "heap?format=collapsed",
                     "growth?format=collapsed"):
            yield path + kind, console.get(f"{path}/pprof/{kind}")


def own_secrets(deployment):
    """{secret: the files that hold it}, keys also in their raw form."""
    found = {}
    for name, files in OWN_LIE_IN.items():
        with open(deployment.path(name)) as f:
            words = re.findall("[0-9a-f]{32,}", f.read())
        assert words, name
        for word in words:
            found[word] = files
            found[bytes.fromhex(word)] = set()
    return found


def test_a_secret_shows_nowhere(deployment, doris, console):
    ak, sk = fresh("AKcanary"), fresh("SKcanary")
    token = deployment.tokens.add(fresh("canary"), "admin")
    owner = doris.using(token=token)
    iid = planted(deployment, owner, ak, sk)
    shown = owner.get("get_instance", query={"instance_id": iid})
    assert sk in shown.text, "who may see it does: it is really there"
    own = own_secrets(deployment)
    seen = [*replies(deployment, iid), *profiles(deployment, console),
            ("metrics", console.get("/metrics")),
            ("rules", console.get("/metrics/rules")),
            ("openapi", console.get("/openapi.json"))]
    assert len(seen) > 100
    for where, r in seen:
        text = r.body.lower() + str(r.headers).lower().encode()
        for secret in (sk, token, *own):
            assert canary.as_bytes(secret) not in text, where
    assert canary.hits(deployment, [iid]), "the search itself finds nothing"
    assert canary.hits(deployment, [sk]) == []
    assert canary.hits(deployment, [token], allowed=TOKENS_LIE_IN) == []
    assert set(canary.hits(deployment, list(own))) == {
        (file, secret) for secret, files in own.items() for file in files}


def test_so_does_what_is_no_key(deployment, doris):
    """external_id, keytab, principal, hdfs_confs, properties."""
    secret = fresh("XXcanary")
    token = deployment.tokens.add(fresh("canary"), "admin")
    owner = doris.using(token=token)
    iid = planted_elsewhere(owner, secret)
    shown = owner.get("get_instance", query={"instance_id": iid}).text \
        + owner.put("get_obj_store_info",
                    {"cloud_unique_id": f"1:{iid}:x"}).text
    assert shown.count(secret) == 10, "who may see it does"
    seen = list(replies(deployment, iid))
    assert len(seen) > 100
    for where, r in seen:
        text = r.body.lower() + str(r.headers).lower().encode()
        assert canary.as_bytes(secret) not in text, where
    assert canary.hits(deployment, [iid]), "the search itself finds nothing"
    assert canary.hits(deployment, [secret]) == []


def test_what_is_shut_in_memory_stays_there(deployment):
    """Nobody attaches to a process that knows keys, and none leaves a core
    file."""
    for role in ("serve-0", "serve-1", "control-m1", "supervise"):
        pid = deployment.pid_of(role)
        with open(f"/proc/{pid}/limits") as f:
            core = next(line for line in f if line.startswith("Max core"))
        assert core.split()[4] in ("0", "1"), role
        # PR_SET_DUMPABLE 0: its files in /proc are root's
        assert os.stat(f"/proc/{pid}/environ").st_uid == 0, role
