"""What is secret lies sealed in the store, whatever it is called; what was
written before it was sealed is read as it is, and sealed when it can be."""

import json

import pytest

from support.metarpc import MetaRpc
from support.metaservice import HDFS, OBJ
from support.store import rows
from support.words import fresh

ROLE = {"role_arn": "arn:aws:iam::1:r", "provider": "S3", "bucket": "b",
        "cred_provider_type": "INSTANCE_PROFILE", "endpoint": "e",
        "region": "r"}
WHY = " was sealed with a key that is not here, or altered"


def words():
    return {name: fresh(f"canary{name}") for name in (
        "ak", "sk", "ram_id", "obj_id", "vault_id", "stage_id", "principal",
        "keytab", "conf", "property")}


def filled(ms, w):
    """Two instances with a secret in every place: with an object store, and
    with vaults."""
    iid = ms.instance(
        ram_user={"user_id": "u", "ak": w["ak"], "sk": w["sk"],
                  "external_id": w["ram_id"]},
        obj_info={**ROLE, "external_id": w["obj_id"]})
    MetaRpc(ms.client, iid).ok("create_stage", {"stage": {
        "type": "EXTERNAL", "name": "e", "stage_id": "s", "create_time": 5,
        "properties": {"pass": w["property"]}, "external_id": w["stage_id"],
        "obj_info": {**OBJ, "ak": w["ak"], "sk": w["sk"]}}})
    build = {**HDFS["build_conf"],
             "hdfs_kerberos_principal": w["principal"],
             "hdfs_kerberos_keytab": w["keytab"],
             "hdfs_confs": [{"key": "k", "value": w["conf"]}]}
    vid = ms.instance(vault={"hdfs_info": {**HDFS, "build_conf": build}})
    ms.ok("add_s3_vault", {"cloud_unique_id": f"1:{vid}:x", "vault": {
        "name": "v1", "obj_info": {**ROLE, "external_id": w["vault_id"]}}})
    return iid, vid


def shown(ms, iid, vid):
    """All of it, as who may see it does."""
    return ms.send("get_instance", query={"instance_id": iid},
                   method="GET").text + ms.send("get_obj_store_info", {
                       "cloud_unique_id": f"1:{vid}:x"}).text


def stored(sql, word):
    """Every column of the store that holds the word."""
    columns = rows(sql, "SELECT c.TABLE_NAME AS t, c.COLUMN_NAME AS n"
                   " FROM information_schema.COLUMNS c"
                   " JOIN information_schema.TABLES t USING (TABLE_SCHEMA,"
                   " TABLE_NAME) WHERE t.TABLE_SCHEMA = DATABASE()"
                   " AND t.TABLE_TYPE = 'BASE TABLE' AND c.DATA_TYPE IN"
                   " ('varchar', 'varbinary', 'char', 'text', 'mediumtext',"
                   " 'longtext', 'blob', 'mediumblob', 'longblob')")
    assert len(columns) > 100
    return [f"{c['t']}.{c['n']}" for c in columns if rows(
        sql, f"SELECT 1 AS x FROM `{c['t']}` WHERE INSTR(`{c['n']}`, %s) > 0"
        " LIMIT 1", word)]


def test_no_table_holds_a_secret_in_plain(ms, sql):
    w = words()
    iid, vid = filled(ms, w)
    seen = shown(ms, iid, vid)
    assert [k for k, v in w.items() if v not in seen] == []
    assert stored(sql, iid), "the search itself finds nothing"
    assert {k: at for k, v in w.items() if (at := stored(sql, v))} == {}
    MetaRpc(ms.client, iid).ok("drop_stage", {"type": "EXTERNAL",
                                              "stage_name": "e"})
    ms.ok("drop_hdfs_vault", {"cloud_unique_id": f"1:{vid}:x", "vault": {
        "name": "built_in_storage_vault"}})
    assert {k: at for k, v in w.items() if (at := stored(sql, v))} == {}


def make_plain(sql, iid, vid, w):
    """As they were before."""
    body = {"type": "EXTERNAL", "name": "e", "stage_id": "s",
            "create_time": "5",
            "properties": {"pass": w["property"]},
            "external_id": w["stage_id"],
            "obj_info": {k: v for k, v in OBJ.items()
                         if k not in ("ak", "sk")}}
    hdfs = {**HDFS, "build_conf": {
        **HDFS["build_conf"], "hdfs_kerberos_principal": w["principal"],
        "hdfs_kerberos_keytab": w["keytab"],
        "hdfs_confs": [{"key": "k", "value": w["conf"]}]}}
    with sql.cursor() as c:
        for said, value, of in (
                ("doris_instance SET ram_external_id", w["ram_id"], iid),
                ("doris_obj_info SET external_id", w["obj_id"], iid),
                ("doris_stage SET body", json.dumps(body), iid)):
            c.execute(f"UPDATE {said} = %s WHERE instance_id = %s",
                      (value, of.encode()))
        c.execute("UPDATE doris_vault SET external_id = NULL, obj_conf ="
                  " JSON_SET(obj_conf, '$.external_id', %s)"
                  " WHERE instance_id = %s AND name = 'v1'",
                  (w["vault_id"], vid.encode()))
        c.execute("UPDATE doris_vault SET hdfs_conf = %s"
                  " WHERE instance_id = %s AND name <> 'v1'",
                  (json.dumps(hdfs), vid.encode()))


def test_what_was_plain_is_read_and_sealed_when_it_is_written(ms, sql):
    w = words()
    iid, vid = filled(ms, w)
    seen = shown(ms, iid, vid)
    make_plain(sql, iid, vid, w)
    assert shown(ms, iid, vid) == seen
    assert stored(sql, w["obj_id"]) == ["doris_obj_info.external_id"]
    ms.ok("alter_obj_info", {"cloud_unique_id": f"1:{iid}:x", "obj": {
        "id": "1", "role_arn": "arn:2", "external_id": w["obj_id"]}})
    ms.ok("alter_s3_vault", {"cloud_unique_id": f"1:{vid}:x", "vault": {
        "name": "v1", "obj_info": {"use_path_style": True}}})
    ms.ok("alter_ram_user", {"instance_id": iid, "ram_user": {
        "user_id": "u", "ak": "a", "sk": "s", "external_id": w["ram_id"]}})
    for name in "obj_id", "vault_id", "ram_id":
        assert stored(sql, w[name]) == []
        assert w[name] in shown(ms, iid, vid)


def test_an_external_id_in_the_body_is_read(ms, sql):
    """Where it lay before it had a column; a write moves it."""
    vid = ms.instance(vault={"obj_info": {**ROLE, "external_id": "x1"}})
    with sql.cursor() as c:
        c.execute("UPDATE doris_vault SET external_id = NULL, obj_conf ="
                  " JSON_SET(obj_conf, '$.external_id', 'x2')"
                  " WHERE instance_id = %s", vid.encode())
    where = {"cloud_unique_id": f"1:{vid}:x"}

    def vault():
        return ms.result("get_obj_store_info",
                         where)["storage_vault"][0]["obj_info"]
    assert vault()["external_id"] == "x2"
    ms.ok("alter_s3_vault", {**where, "vault": {
        "name": "built_in_storage_vault",
        "obj_info": {"use_path_style": True}}})
    assert vault()["external_id"] == "x2"
    row, = rows(sql, "SELECT obj_conf, external_id FROM doris_vault"
                " WHERE instance_id = %s", vid.encode())
    assert "x2" not in row["obj_conf"] and row["external_id"][:3] == "v1:"


@pytest.fixture
def spoil(sql):
    def run(iid, table, column, more=""):
        with sql.cursor() as c:
            assert c.execute(
                f"UPDATE {table} SET {column} = CONCAT('v1:77:',"
                f" SUBSTRING_INDEX({column}, ':', -1))"
                f" WHERE instance_id = %s{more}", iid.encode()) == 1
    return run


def test_what_does_not_open_can_be_dropped_and_replaced(ms, spoil):
    w = words()
    iid, vid = filled(ms, w)
    rpc, where = MetaRpc(ms.client, iid), {"cloud_unique_id": f"1:{vid}:x"}
    spoil(iid, "doris_stage", "body")
    said = f"failed to open secret, instance_id={iid} "
    ref = {"type": "EXTERNAL", "stage_name": "e"}
    rpc.fails("UNDEFINED_ERR", f"{said}stage s: body{WHY}", "get_stage", ref)
    rpc.ok("drop_stage", ref)
    assert "stages" not in ms.get_instance(iid)

    spoil(iid, "doris_obj_info", "external_id")
    ms.internal(f"{said}object store 1: external_id{WHY}", "get_instance",
                query={"instance_id": iid}, method="GET")
    ms.ok("alter_obj_info", {"cloud_unique_id": f"1:{iid}:x", "obj": {
        "id": "1", "role_arn": "arn:2"}})
    assert "external_id" not in ms.get_instance(iid)["obj_info"][0]

    said = f"failed to open secret, instance_id={vid} storage vault "
    spoil(vid, "doris_vault", "external_id", " AND name = 'v1'")
    spoil(vid, "doris_vault", "hdfs_conf", " AND name <> 'v1'")
    ms.internal(f"{said}built_in_storage_vault: hdfs_conf{WHY}",
                "get_obj_store_info", where)
    ms.ok("drop_hdfs_vault", {**where, "vault": {
        "name": "built_in_storage_vault"}})
    ms.internal(f"{said}v1: external_id{WHY}", "get_obj_store_info", where)
    ms.ok("alter_s3_vault", {**where, "vault": {
        "name": "v1", "obj_info": {"use_path_style": True}}})
    ms.internal(f"{said}v1: external_id{WHY}", "get_obj_store_info", where)
    ms.ok("alter_s3_vault", {**where, "vault": {
        "name": "v1", "obj_info": {"external_id": "x2"}}})
    got, = ms.result("get_obj_store_info", where)["storage_vault"]
    assert got["obj_info"]["external_id"] == "x2"


def test_an_internal_stage_that_does_not_open(ms, spoil):
    iid = ms.instance(obj_info=OBJ)
    rpc = MetaRpc(ms.client, iid)
    rpc.ok("create_stage", {"stage": {
        "type": "INTERNAL", "stage_id": "s", "mysql_user_name": ["n"],
        "mysql_user_id": ["i"]}})
    spoil(iid, "doris_stage", "body")
    ref = {"type": "INTERNAL", "mysql_user_name": "n", "mysql_user_id": "i"}
    said = (f"failed to open secret, instance_id={iid} stage s: body{WHY}")
    rpc.fails("UNDEFINED_ERR", said, "get_stage", ref)
    rpc.fails("UNDEFINED_ERR", said, "get_stage",
              {**ref, "mysql_user_id": "later"})
    rpc.ok("drop_stage", ref)
    rpc.ok("create_stage", {"stage": {
        "type": "INTERNAL", "stage_id": "s2", "mysql_user_name": ["n"],
        "mysql_user_id": ["i"]}})
    assert rpc.ok("get_stage", ref)["stage"][0]["stage_id"] == "s2"
