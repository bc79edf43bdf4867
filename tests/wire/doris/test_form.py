"""How the Meta Service speaks, whatever is asked of it."""

import json
import os
import re

import pytest

from support.metaservice import OBJ, OK, be, pretty
from support.words import REQUEST_ID, WORKERS_ID, fresh


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize("kind", [
    "text/plain", "application/x-www-form-urlencoded", "application/json",
    "multipart/form-data; boundary=x", None])
def test_methods_and_content_types_do_not_matter(ms, method, kind):
    body = {"instance_id": fresh("i")}
    headers = {"Content-Type": kind} if kind else {}
    ms.ok("create_instance", body, method=method, headers=headers)
    r = ms.send("get_instance", method=method,
                query={"instance_id": body["instance_id"]}, headers=headers)
    assert r.status == 200


@pytest.mark.parametrize("path", [
    "//MetaService/http/get_instance", "/MetaService//http///get_instance",
    "/MetaService/http/get_instance/", "//MetaService/http//get_instance//"])
def test_empty_pieces_of_a_path_count_for_nothing(ms, deployment, path):
    iid = ms.instance()
    r = deployment.client("doris", prefix="").request(
        "GET", path, query={"instance_id": iid})
    assert r.status == 200 and r.json["result"]["instance_id"] == iid, r


def test_the_last_of_a_parameter_counts(ms):
    iid = ms.instance()
    assert ms.result("get_instance", method="GET",
                     query=f"instance_id=other&instance_id={iid}")[
                         "instance_id"] == iid


def test_a_byte_order_mark_is_skipped(ms):
    iid = fresh("i")
    ms.ok("create_instance",
          b"\xef\xbb\xbf" + json.dumps({"instance_id": iid}).encode())
    assert ms.get_instance(iid)["instance_id"] == iid
    assert ms.send("create_instance", b"\xef\xbb\xbf").status == 400


def test_a_method_that_there_is_not(ms):
    r = ms.send("get_instance", method="PATCH")
    assert r.status == 405 and "GET" in r.headers["Allow"], r
    assert ms.send("no_such_operation_at_all", method="PATCH").status in (
        404, 405)


def test_both_mounts_see_the_same(ms, doris):
    iid = ms.instance()
    for version in ("", "v1/"):
        r = doris.get(f"{version}get_instance", query={"instance_id": iid})
        assert r.json["result"]["instance_id"] == iid


@pytest.mark.parametrize("path", ["nope", "v2/get_instance", "v1", "v1/",
                                  "GET_INSTANCE", ""])
def test_an_unknown_operation(ms, path):
    ms.missing("http path not found or not allowed", path, {"a": 1})


def test_what_only_foundationdb_has(ms):
    ms.bad("this method only support fdb txn kv", "show_meta_ranges",
           method="GET")


def test_a_scope_that_is_too_small(ms):
    r = ms.scope("read").send("create_instance", "no json")
    assert (r.status, r.text) == (
        403, "token not allowed, operation=create_instance\n")
    assert r.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_refusal_in_text_is_json_where_that_is_accepted(ms):
    read = ms.scope("read")
    r = read.send("create_instance", "no json",
                  headers={"Accept": "application/json"})
    assert (r.status, r.text) == (403, pretty({
        "code": "INVALID_ARGUMENT",
        "msg": "token not allowed, operation=create_instance"}))
    assert r.headers["Content-Type"] == "application/json"
    r = ms.scope("none").send("create_instance", headers={
        "Accept": "application/json"})
    assert (r.status, r.json["msg"]) == (
        403, "incorrect token, token=(not given)")


def test_a_long_message_is_cut_and_says_so(ms):
    """Between two characters, and not left out."""
    iid = ms.instance()
    ms.cluster(iid, desc="\N{SNOWMAN}" * 300,
               nodes=[be(iid, n, desc="\N{SNOWMAN}" * 300)
                      for n in range(1, 12)])
    r = ms.send("rename_cluster", {"instance_id": iid, "cluster": {
        "cluster_id": "c1", "cluster_name": "name_c1"}})
    told = r.json["msg"]
    assert r.status == 400 and told.endswith("\N{SNOWMAN}..."), r
    assert told.startswith(
        "failed to rename cluster, name eq original name, original cluster "
        'is {"cluster_id":"c1","cluster_name":"name_c1","type":"COMPUTE"')
    assert 8192 - 3 < len(told.encode()) - 3 <= 8192
    key = "z" * 10000
    assert ms.send("decode_key", method="GET", query={"key": key}).json[
        "msg"] == ("failed to decode key, key=" + key)[:8192] + "..."


@pytest.mark.parametrize("query, told", [
    ("instance_id=%ff", "instance_id"), ("%ff=1", "(unreadable)"),
    ("instance_id=%00", "instance_id")])
def test_a_parameter_that_is_no_text(ms, query, told):
    r = ms.send("get_instance?" + query, method="GET")
    assert (r.status, r.json["code"]) == (400, "INVALID_ARGUMENT")
    assert r.json["msg"] == (
        f"parse http request '{ms.version}get_instance': INVALID_ARGUMENT:"
        "not UTF-8 text in the URL: " + told)


def refused(ms, body, reason, operation="create_instance"):
    r = ms.send(operation, body)
    assert r.status == 400, r
    assert r.text == pretty(r.json)
    assert r.json["code"] == "INVALID_ARGUMENT"
    head = f"parse http request '{ms.version}{operation}': INVALID_ARGUMENT:"
    assert r.json["msg"].startswith(head), r
    assert reason in r.json["msg"].removeprefix(head), r


@pytest.mark.parametrize("body", [
    "", " ", "[]", "1", "null", '"x"', "{", "{]", '{"a":1}x', "{\"a\"}",
    '{"instance_id":"a","instance_id":"b"}',
    '{"instance_id":"a","instanceId":"b"}', b'{"instance_id":"\xff"}',
    '{"instance_id":"\\u0000"}', '{"instance_id":"a\x00b"}',
    '{"instance_id":"\\ud800"}', "[" * 100 + "]" * 100,
    '{"a":' * 65 + "1" + "}" * 65])
def test_what_is_no_object_is_refused(ms, body):
    refused(ms, body, "")


@pytest.mark.parametrize("body, field", [
    ({"instance_id": {}}, "(instance_id)"),
    ({"instance_id": ["x"]}, "(instance_id)"),
    ({"instance_id": True}, "(instance_id)"),
    ({"obj_info": []}, "(obj_info)"), ({"obj_info": "x"}, "(obj_info)"),
    ({"sse_enabled": "yes"}, "(sse_enabled)"),
    ({"vault": {"hdfs_info": {"build_conf": {"hdfs_confs": {}}}}},
     "(vault.hdfs_info.build_conf.hdfs_confs)"),
    ({"instance_id": "x" * 256}, "(instance_id)")])
def test_a_member_of_another_shape_is_refused(ms, body, field):
    refused(ms, body, field)


@pytest.mark.parametrize("port", [-1, 65536, 9050.5, "", "x", "9050x",
                                  99999999999, True, None])
def test_a_port(ms, port):
    iid = ms.instance()
    body = {"instance_id": iid, "cluster": {
        "cluster_id": "c1", "cluster_name": "n", "type": "COMPUTE",
        "nodes": [be(iid, 1, heartbeat_port=port)]}}
    if port is None:  # null is not given
        r = ms.send("add_cluster", body)
        assert r.json["msg"].startswith("check cluster params failed"), r
    else:
        refused(ms, body, "heartbeat_port)", "add_cluster")


def test_what_protobufs_parser_takes_is_taken(ms):
    iid = fresh("i")
    ms.ok("create_instance",
          "{'instance_id': '%s', name: \"n\", unknown: [1,],}" % iid)
    assert ms.get_instance(iid)["name"] == "n"
    body = """{
        "instanceId": "%s",
        "cluster": {
            "clusterId": "c1",
            "cluster_name": "n1",
            "type": 1,
            "nodes": [
                {
                    "cloudUniqueId": "1:%s:a",
                    "ip": "172.21.0.5",
                    "heartbeatPort": "9050",
                },
                {"ip": "172.21.0.6", "heartbeat_port": 9050.0, "desc": null},
                {"ip": "172.21.0.7", "heartbeat_port": 9.05e3, "name": 7}
            ],
            "no_such": {"a": [{}]}
        },
    }""" % (iid, iid)
    ms.ok("add_cluster", body)
    nodes = ms.get_cluster(iid)["nodes"]
    assert [n["heartbeat_port"] for n in nodes] == [9050] * 3
    assert nodes[2]["name"] == "7" and "desc" not in nodes[1]


def test_numbers_for_strings_keep_their_digits(ms):
    number = str(int.from_bytes(os.urandom(12), "big"))
    ms.ok("create_instance", '{"instance_id": %s, "name": 1.50}' % number)
    assert ms.get_instance(number)["name"] == "1.50"


def test_unknown_enum_names_are_unset(ms):
    r = ms.send("create_instance", {"instance_id": fresh("i"),
                                    "obj_info": {**OBJ, "provider": "NEW"}})
    assert r.json["msg"] == "s3 conf info err, please check it", r


def test_a_request_id_is_in_the_headers_only(ms):
    r = ms.send("create_instance", {"instance_id": fresh("i")})
    assert re.fullmatch(f"{REQUEST_ID}|{WORKERS_ID}",
                        r.headers["X-Request-Id"])
    assert r.text == OK


def test_long_texts_come_back_whole(ms):
    iid, text = ms.instance(), "é\"\\\n\t/<&>" * 100
    ms.cluster(iid, desc=text)
    assert ms.get_cluster(iid)["desc"] == text
    r = ms.send("add_cluster", {"instance_id": iid, "cluster": {
        "cluster_id": "c2", "cluster_name": "n2", "type": "COMPUTE",
        "desc": "x" * 1025}})
    assert r.status == 400, r
