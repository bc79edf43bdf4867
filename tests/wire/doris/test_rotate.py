"""A new key for secrets at rest, while requests are served."""

import json
import os
import random
import re
import signal
import subprocess
import threading

import pytest

from support.load import Load
from support.metarpc import MetaRpc
from support.metaservice import HDFS, OBJ, MetaService
from support.store import rows
from support.waiting import until

# The shorter the deadline, the sooner a rotation is sure of its end.
pytestmark = [pytest.mark.fault,
              pytest.mark.config(METAGATE_SERVE_DEADLINE_MS="3000",
                                 METAGATE_MYSQL_READ_TIMEOUT_S="2",
                                 METAGATE_MYSQL_LOCK_WAIT_TIMEOUT_S="1")]

SEALED = [("doris_instance", "ram_ak"), ("doris_instance", "ram_sk"),
          ("doris_obj_info", "ak"), ("doris_obj_info", "sk"),
          ("doris_vault", "ak"), ("doris_vault", "sk"),
          ("doris_stage", "ak"), ("doris_stage", "sk"),
          ("doris_instance", "ram_external_id"),
          ("doris_obj_info", "external_id"), ("doris_vault", "external_id"),
          ("doris_vault", "hdfs_conf"), ("doris_stage", "body")]


def key_ids(sql):
    """How many texts each key has sealed."""
    counts = {}
    for table, column in SEALED:
        for row in rows(sql, f"SELECT {column} AS sealed FROM {table}"
                        f" WHERE {column} IS NOT NULL"):
            sealed = row["sealed"]
            key = int(re.match(r"v1:(\d+):", sealed).group(1))
            counts[key] = counts.get(key, 0) + 1
    return counts


def keys_in_file(deployment):
    with open(deployment.path("key")) as f:
        return [int(line.split()[0]) for line in f if line.strip()]


def filled(doris, n):
    """An instance with a secret in every place."""
    ms = MetaService(doris)
    iid = ms.instance(obj_info=dict(OBJ, ak=f"ak{n}", sk=f"sk{n}"),
                      ram_user={"user_id": "u", "ak": f"rak{n}",
                                "sk": f"rsk{n}"},
                      vault={"obj_info": dict(OBJ, ak=f"vak{n}",
                                              sk=f"vsk{n}")})
    MetaRpc(doris, iid).ok("create_stage", {"stage": {
        "type": "EXTERNAL", "name": "e", "stage_id": "s",
        "obj_info": dict(OBJ, ak=f"tak{n}", sk=f"tsk{n}")}})
    return iid


def assert_readable(doris, iid, n):
    ms = MetaService(doris)
    shown = ms.get_instance(iid)
    assert shown["obj_info"][0]["sk"] == f"sk{n}"
    assert shown["ram_user"]["sk"] == f"rsk{n}"
    assert shown["stages"][0]["obj_info"]["sk"] == f"tsk{n}"
    vaults = ms.result("get_obj_store_info", {
        "cloud_unique_id": f"1:{iid}:x"})["storage_vault"]
    assert vaults[0]["obj_info"]["sk"] == f"vsk{n}"


def test_a_rotation_while_secrets_are_written_and_read(deployment, doris,
                                                       sql):
    ms = MetaService(doris)
    ids = [filled(doris, n) for n in range(120)]
    before = keys_in_file(deployment)
    written = {}

    def client(k):
        """Rotates an access key of its own instance, and reads it back."""
        iid = ids[k]
        turn = written.get(k, 0) + 1
        ms.ok("legacy_update_ak_sk", {
            "cloud_unique_id": f"1:{iid}:x",
            "obj": {"id": "1", "ak": f"a{turn}", "sk": f"s{turn}"}})
        written[k] = turn
        assert ms.get_instance(iid)["obj_info"][0]["sk"] == f"s{turn}"

    failures, stop = [], threading.Event()

    def keep(k):
        while not stop.is_set():
            try:
                client(k)
            except AssertionError as e:
                failures.append(e)
                return

    threads = [threading.Thread(target=keep, args=[k]) for k in range(4)]
    for t in threads:
        t.start()
    try:
        said = deployment.command("rotate-key").stdout
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert not failures, failures[0]
    new = before[-1] + 1
    assert f"key {new} seals from now on" in said
    assert keys_in_file(deployment) == before + [new]
    assert list(key_ids(sql)) == [new]
    for k in range(4):
        assert ms.get_instance(ids[k])["obj_info"][0]["sk"] \
            == f"s{written[k]}"
    for n in range(4, 120):
        assert_readable(doris, ids[n], n)


def keys_of(sql, iid):
    row, = rows(sql, "SELECT ak, sk FROM doris_obj_info WHERE instance_id = %s",
                iid.encode())
    return row["ak"], row["sk"]


def test_what_was_never_sealed_is_sealed(deployment, doris, sql):
    """Rows of a version that left it plain; more than one page of them."""
    ms, ids, n = MetaService(doris), [], 9
    role = {"role_arn": "arn:1", "provider": "S3", "bucket": "b",
            "cred_provider_type": "INSTANCE_PROFILE", "endpoint": "e",
            "region": "r", "external_id": "x"}
    for k in range(n):
        iid = ms.instance(ram_user={"user_id": "u", "ak": "a", "sk": "s",
                                    "external_id": "x"},
                          vault={"hdfs_info": HDFS})
        ids.append(iid)
        ms.ok("add_s3_vault", {"cloud_unique_id": f"1:{iid}:x", "vault": {
            "name": "v", "obj_info": role}})
        MetaRpc(doris, iid).ok("create_stage", {"stage": {
            "type": "EXTERNAL", "name": "e", "stage_id": "s",
            "create_time": 5, "properties": {"p": "x"}}})
    plain = {
        ("doris_instance", "ram_external_id"): "'x'",
        ("doris_vault", "hdfs_conf"): "IF(hdfs_conf IS NULL, NULL, %s)",
        ("doris_stage", "body"): "%s"}
    bodies = {"hdfs_conf": HDFS, "body": {
        "type": "EXTERNAL", "name": "e", "stage_id": "s",
        "properties": {"p": "x"}, "create_time": "5"}}

    def seen():
        return [ms.get_instance(i) for i in ids] + [
            ms.result("get_obj_store_info", {"cloud_unique_id": f"1:{i}:x"})
            for i in ids]
    before = seen()
    with sql.cursor() as c:
        for (table, column), said in plain.items():
            args = [json.dumps(bodies[column])] if "%s" in said else []
            for iid in ids:
                c.execute(f"UPDATE {table} SET {column} = {said}"
                          f" WHERE instance_id = %s", [*args, iid.encode()])
        for iid in ids:  # when it was a member of the body
            c.execute("UPDATE doris_vault SET external_id = NULL, obj_conf ="
                      " JSON_SET(obj_conf, '$.external_id', 'x')"
                      " WHERE instance_id = %s AND name = 'v'", iid.encode())
    assert seen() == before
    deployment.command("rotate-key")
    assert list(key_ids(sql)) == [keys_in_file(deployment)[-1]]
    assert seen() == before
    for iid in ids:
        found, = rows(sql, "SELECT external_id, obj_conf FROM doris_vault"
                      " WHERE instance_id = %s AND name = 'v'", iid)
        assert found["external_id"].startswith("v1:")
        assert "external_id" not in found["obj_conf"]


def test_a_key_that_changes_under_the_rotation_stays_changed(deployment,
                                                             doris, sql):
    """The rotation has read the old text and waits for the row; what another
    commits meanwhile is not what it has read."""
    ms, iid = MetaService(doris), filled(doris, 1)

    def put(n):
        ms.ok("legacy_update_ak_sk", {
            "cloud_unique_id": f"1:{iid}:x",
            "obj": {"id": "1", "ak": f"ak{n}", "sk": f"sk{n}"}})
        return keys_of(sql, iid)

    newer, _ = put(2), put(3)
    other = deployment.sql()
    try:
        other.begin()
        with other.cursor() as c:
            c.execute("UPDATE doris_obj_info SET ak = %s, sk = %s"
                      " WHERE instance_id = %s", (*newer, iid.encode()))
        process = subprocess.Popen(
            deployment.argv("rotate-key"), env=deployment.env(), cwd="/",
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: rows(sql, "SELECT 1 FROM information_schema.INNODB_TRX"
                           " WHERE trx_state = 'LOCK WAIT'"),
              "the rotation waits for the row", pause=0.2)  # a cached view
        other.commit()
        assert process.wait(60) == 0
    finally:
        other.close()
    shown, = ms.get_instance(iid)["obj_info"]
    assert (shown["ak"], shown["sk"]) == ("ak2", "sk2")
    assert list(key_ids(sql)) == [keys_in_file(deployment)[-1]]


def test_killed_anywhere_nothing_is_lost(deployment, doris, sql):
    ids = {filled(doris, n): n for n in range(60)}
    rng = random.Random(7)
    for _ in range(6):
        process = subprocess.Popen(
            deployment.argv("rotate-key"), env=deployment.env(), cwd="/",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        # killed when it has said that the key is there, or a little later
        process.stdout.readline()
        keys = keys_in_file(deployment)
        target = rng.randrange(480)
        until(lambda: key_ids(sql).get(keys[-1], 0) >= target
              or process.poll() is not None, "some texts are sealed anew",
              pause=0)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for iid, n in list(ids.items())[:3]:
            assert_readable(doris, iid, n)
    deployment.command("rotate-key")
    assert list(key_ids(sql)) == [keys_in_file(deployment)[-1]]
    for iid, n in ids.items():
        assert_readable(doris, iid, n)


def test_a_text_that_cannot_be_opened_is_told(deployment, doris, sql):
    iid = filled(doris, 1)
    sealed = rows(sql, "SELECT sk FROM doris_obj_info WHERE instance_id = %s",
                  iid.encode())[0]["sk"]
    with sql.cursor() as c:
        c.execute("UPDATE doris_obj_info SET sk = %s WHERE instance_id = %s",
                  (sealed[:-4] + "AAA=", iid.encode()))
    done = deployment.command("rotate-key", check=False)
    assert done.returncode == 1
    assert "1 texts cannot be opened" in done.stderr
    with sql.cursor() as c:
        c.execute("UPDATE doris_obj_info SET sk = %s WHERE instance_id = %s",
                  (sealed, iid.encode()))
    deployment.command("rotate-key")
    assert_readable(doris, iid, 1)
    assert deployment.command("rotate-key", "x", check=False).returncode == 2
