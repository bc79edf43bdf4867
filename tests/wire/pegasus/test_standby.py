"""A standby sends its clients to the leader, and refuses what is wrong by
itself before."""

import pytest

from support.pegasus import METAS

REDIRECTED = ["/meta/app?name=stat&detail", "/meta/app", "/meta/apps",
              "/meta/cluster?x=1", "/meta/nodes?detail", "/meta/app_envs",
              "/meta/ddd"]
FORMS = ["/meta/app/create", "/meta/app/drop", "/meta/app/recall",
         "/meta/app/rename", "/meta/app/set_max_replica_count",
         "/meta/app_envs/set", "/meta/app_envs/del", "/meta/app_envs/clear",
         "/meta/cluster/level", "/meta/balance", "/meta/propose",
         "/meta/nodes/config_sync", "/meta/nodes/update_configuration"]


def location(pegasus, target):
    leader = pegasus.on(pegasus.leader())
    return f"http://{pegasus.address(leader)}{target}"


def assert_redirected(r, to):
    assert (r.status, r.body) == (307, b"")
    assert r.headers["Content-Type"] == "text/plain"
    assert r.headers["Content-Length"] == "0"
    assert r.headers["Location"] == to


@pytest.mark.parametrize("target", REDIRECTED)
def test_reading_is_redirected(pegasus, target):
    for meta in pegasus.standbys():
        assert_redirected(pegasus.on(meta).get(target),
                          location(pegasus, target))


@pytest.mark.parametrize("path", FORMS)
def test_a_form_is_redirected_before_its_body_is_read(pegasus, path):
    for meta in pegasus.standbys():
        for body in (b"no json", b""):
            assert_redirected(pegasus.on(meta).post(path, body),
                              location(pegasus, path))


def test_the_query_is_encoded_anew(pegasus):
    meta = pegasus.on(pegasus.standbys()[0])
    r = meta.get("//meta/app/?name=%61%20%26+%c3%a9&detail&x")
    assert r.status == 400  # x, by the standby itself
    r = meta.get("//meta///app/?name=%61%20%26+%c3%a9&detail")
    assert_redirected(r, location(
        pegasus, "/meta/app?name=a%20%26%2B%C3%A9&detail"))
    plain = "abyzABYZ0189-._~!$'()*,;:@/?"
    r = meta.get(f"/meta/app?name={plain}%5b%60%7b%40%2f%3a")
    assert_redirected(r, location(
        pegasus, f"/meta/app?name={plain}%5B%60%7B@/:"))


def test_a_token_of_the_query_goes_along_and_none_is_added(pegasus):
    meta = pegasus.on(pegasus.standbys()[0])
    r = meta.using(token=None).get(f"/meta/apps?token={meta.token}&detail")
    assert_redirected(r, location(
        pegasus, f"/meta/apps?detail&token={meta.token}"))
    assert "token" not in meta.get("/meta/apps").headers["Location"]


@pytest.mark.parametrize("path", ["/", "/version", "/recentStartTime"])
def test_what_every_server_has_is_never_redirected(pegasus, path):
    for meta in METAS:
        assert pegasus.on(meta).get(path).status == 200


def test_rights_are_judged_before_the_redirect(deployment, pegasus):
    meta = "pegasus-meta/" + pegasus.standbys()[0]
    r = deployment.client(meta, "read").post("/meta/app/create", {})
    assert (r.status, r.text) == (403, "ERR_ACL_DENY")
    r = deployment.client(meta, "none").get("/meta/nosuch")
    assert (r.status, r.text) == (401, "invalid or missing token")
    r = deployment.client(meta, "read").get("/meta/app/create")
    assert r.status == 405
    r = deployment.client(meta, "write").post("/meta/app/create?x=1", {})
    assert (r.status, r.body) == (400, b"")


def test_a_standby_answers_beacons_itself(pegasus):
    meta = pegasus.on(pegasus.standbys()[0])
    r = meta.post("/meta/nodes/beacon",
                  {"address": "10.255.0.1:1", "start_time": 1})
    assert r.status == 200 and r.json["is_master"] == "false"
    leader = pegasus.on(pegasus.leader())
    assert r.json["primary_node"] == pegasus.address(leader)
    assert "10.255.0.1:1" not in pegasus.json("/meta/nodes")["details"]
