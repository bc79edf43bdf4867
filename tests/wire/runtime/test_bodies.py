"""Bodies at and beyond the limits."""

import json

from support import raw
from support.words import fresh

MIB = 1 << 20


def padded(iid, size):
    """A create_instance body of exactly size bytes."""
    body = {"instance_id": iid, "name": "n", "user_id": "u", "comment": ""}
    body["comment"] = "x" * (size - len(json.dumps(body)))
    return json.dumps(body)


def many_names(n, length, **more):
    """An object of n further names of that length."""
    names = ",".join(f'"{i:0{length}x}":1' for i in range(n))
    return json.dumps(more)[:-1] + "," + names + "}"


def test_a_body_of_one_mebibyte_is_taken(doris):
    r = doris.put("create_instance", padded(fresh("i"), MIB))
    assert r.status == 200, r


def test_a_larger_body_is_refused_in_the_dialects_form(doris, console):
    r = doris.put("create_instance", padded(fresh("i"), MIB + 1))
    assert r.status == 413
    assert r.json == {"code": "INVALID_ARGUMENT",
                      "msg": "request body too large"}
    assert console.put("/healthz", b"x" * (MIB + 1)).json["error"]


def test_a_larger_chunked_body_is_refused_alike(doris):
    head = raw.head("PUT", "/MetaService/http/create_instance", [
        ("Host", "x"), ("X-Metagate-Token", doris.token),
        ("Transfer-Encoding", "chunked")])
    chunk = b"%x\r\n%s\r\n" % (1 << 16, b" " * (1 << 16))
    r = raw.send(doris, [head] + [chunk] * 17 + [b"0\r\n\r\n"])
    assert r.status == 413
    assert r.json["msg"] == "request body too large"


def test_a_large_body_without_a_token_is_refused_for_the_token(doris):
    r = doris.scope("none").put("create_instance", b"x" * (MIB + 1))
    assert (r.status, r.text) == (403, "incorrect token, token=(not given)\n")


def test_an_object_of_30000_names_is_read(doris):
    body = many_names(30_000, 28, instance_id=fresh("i"), name="n")
    assert len(body) <= MIB
    assert doris.put("create_instance", body).status == 200


def test_one_name_twice_among_30000_is_found(doris):
    iid = fresh("i")
    twice = {"instance_id": iid, f"{29_999:028x}": 1}
    r = doris.put("create_instance", many_names(30_000, 28, **twice))
    assert (r.status, r.json["code"]) == (400, "INVALID_ARGUMENT")
    assert doris.get("get_instance", query={"instance_id": iid}).status == 404


def test_a_body_that_needs_too_much_memory_is_refused(doris):
    """A node of the tree per three bytes: nothing of it is bound."""
    iid = fresh("i")
    body = json.dumps({"instance_id": iid, "name": "n", "user_id": "u"})
    body = body[:-1] + ',"x":[' + ",".join(["[]"] * 340_000) + "]}"
    assert 1_000_000 < len(body) <= MIB
    r = doris.put("create_instance", body)
    assert (r.status, r.json["code"]) == (400, "INVALID_ARGUMENT")
    assert doris.get("get_instance", query={"instance_id": iid}).status == 404


def test_a_body_that_ends_early_does_nothing(doris):
    iid = fresh("i")
    body = json.dumps({"instance_id": iid, "name": "n"}).encode()
    head = raw.head("PUT", "/MetaService/http/create_instance", [
        ("Host", "x"), ("X-Metagate-Token", doris.token),
        ("Content-Length", str(len(body) + 1))])
    raw.send_and_leave(doris, head + body)
    r = doris.get("get_instance", query={"instance_id": iid})
    assert r.status == 404
