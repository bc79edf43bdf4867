"""Tokens: where they may stand, what they give, how they come and go."""

import base64
import os
import socket
import stat

import pytest

from support import raw
from support.front import once
from support.load import Load
from support.waiting import until
from support.words import fresh


def basic(user, password="x"):
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": "Basic " + pair}


@pytest.fixture
def token(front):
    """token(scope, *more): a token that lasts as long as the test."""
    made = []

    def make(scope, *more):
        made.append(fresh("t"))
        return front.token(made[-1], scope, *more)

    yield make
    for name in made:
        front.command("token", "revoke", name, check=False)


def params(front, path="/a", **headers):
    r = front.client("doris", "none").get(path, headers=headers)
    assert r.status == 200, r
    return r.json["params"]


# ---- where ----

def test_four_places_are_looked_at(front, token):
    t = token("read")
    ways = [({"X-Metagate-Token": t}, ""), ({"Authorization": f"Bearer {t}"},
            ""), ({"Authorization": f"bEARER  {t}"}, ""), (basic(t), ""),
            (basic(t, ""), ""), ({}, "?token=" + t), ({}, "?a=b&TOKEN=" + t)]
    for headers, query in ways:
        assert params(front, "/a" + query, **headers)["MG_SCOPE"] == "read"


def test_letter_case_does_not_count(front, token):
    assert params(front, **{"X-Metagate-Token": token("read").upper()})


def test_the_first_that_is_not_empty_decides(front, token):
    good, bad = token("read"), "bad"
    order = [{"X-Metagate-Token": good}, {"Authorization": "Bearer " + good},
             basic(good)]
    for i, first in enumerate(order):
        assert params(front, "/a?token=" + bad, **{
            **(basic(bad) if i == 0 else {}), **first})
    client = front.client("doris", "none")
    assert client.get("/a?token=" + good, headers={
        "X-Metagate-Token": bad}).status == 403
    assert client.get("/a?token=" + good, headers={
        "X-Metagate-Token": ""}).status == 200
    assert client.get("/a?token=" + good, headers=basic("")).status == 200
    assert client.get("/a", headers={
        "X-Metagate-Token": bad, **basic(good)}).status == 403


def test_a_token_s_value_is_compared_as_it_is(front, token):
    t = token("read")
    client = front.client("doris", "none")
    for other in (t[:-1], t + "0", " ".join(t), "%" + t, t[:-1] + "%30",
                  '"', "default", "include", "~.", "*"):
        assert client.get("/a", headers={
            "Authorization": "Bearer " + other}).status == 403, other
    assert client.get("/a?%74oken=" + t).status == 403
    assert client.get("/a?xtoken=" + t).status == 403


# ---- what ----

@pytest.mark.parametrize("scope", ["read", "write", "admin", "profile",
                                   "machine"])
def test_scope_and_name_reach_the_worker(front, token, scope):
    t = token(scope)
    got = params(front, **{"X-Metagate-Token": t})
    assert got["MG_SCOPE"] == scope
    assert got["MG_NAME"].startswith("t")
    assert got["MG_SECRETS"] == ""


def test_the_mark_for_secrets_reaches_the_worker(front, token):
    t = token("read", "secrets")
    assert params(front, **{"X-Metagate-Token": t})["MG_SECRETS"] == "1"


# ---- make, revoke, list ----

def test_a_token_lies_in_files_for_the_account_alone(front):
    name = fresh("t")
    out = front.command("token", "add", name, "read").stdout
    for path in (front.path("tokens", name), front.path("tokens.map"),
                 front.path("tokens", name + ".curlrc")):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert path in out or path.endswith("tokens.map")
    with open(front.path("tokens", name)) as f:
        assert f.read().strip() not in out
    assert name in front.command("token", "list").stdout
    front.command("token", "revoke", name)
    assert name not in front.command("token", "list").stdout
    assert not os.path.exists(front.path("tokens", name))


def test_a_name_that_is_taken_is_refused(front, token):
    name = fresh("t")
    front.command("token", "add", name, "read")
    again = front.command("token", "add", name, "admin", check=False)
    front.command("token", "revoke", name)
    assert again.returncode == 1 and "of that name" in again.stderr


def test_a_token_of_an_older_map_is_taken_listed_and_revoked(front):
    name, value = fresh("t"), os.urandom(32).hex()
    with open(front.path("tokens.map"), "a") as f:
        f.write(f'"{value}" "read {name} 0";\n')
    made = fresh("t")
    front.token(made, "read")  # nginx reads the map
    assert params(front, **{"X-Metagate-Token": value})["MG_NAME"] == name
    assert name in front.command("token", "list").stdout
    front.command("token", "revoke", name)
    front.command("token", "revoke", made)
    assert front.client("doris", "none").get("/a", headers={
        "X-Metagate-Token": value}).status == 403


def test_wrong_arguments_change_nothing(front):
    before = open(front.path("tokens.map")).read()
    for words in (["add", "a b", "read"], ["add", "a", "root"], ["add", "a"],
                  ["add", "a", "read", "yes"], ["revoke", "nobody"], ["x"]):
        done = front.command("token", *words, check=False)
        assert done.returncode in (1, 2) and done.stderr
    assert open(front.path("tokens.map")).read() == before


def test_a_map_that_nginx_refuses_is_put_back(front):
    path = front.path("tokens.map")
    before = open(path).read()
    os.rename(path, path + ".kept")
    try:
        with open(path, "w") as f:
            f.write(before + before)  # every token twice
        os.chown(path, *front.account())
        done = front.command("token", "add", "ci", "read", check=False)
        assert done.returncode == 1 and "nothing was changed" in done.stderr
        assert before.split('"')[1] not in done.stderr  # nginx quotes it
        assert open(path).read() == before + before
        assert not os.path.exists(front.path("tokens", "ci"))
    finally:
        os.rename(path + ".kept", path)
    assert front.client("doris").get("/a").status == 200


def test_a_revoked_token_is_dead_when_the_command_ends(front):
    for _ in range(2):
        name = fresh("t")
        client = front.client("doris", front.token(name, "read"))
        revoked = []
        with Load(4, lambda i: (bool(revoked), once(client).status)) as load:
            until(lambda: load.done > 50)
            front.command("token", "revoke", name)
            revoked.append(True)
            end = load.done + 50
            until(lambda: load.done > end)
        assert set(load.results) == {(False, 200), (True, 403)} or (
            set(load.results) == {(False, 200), (False, 403), (True, 403)})


def accepted(sockets):
    """Whether nginx has taken them from the kernel's queue: then its process
    has a descriptor, and the kernel names the owner's inode."""
    ours = {s.getsockname()[1] for s in sockets}
    with open("/proc/net/tcp") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return ours == {int(row[2].rpartition(":")[2], 16) for row in rows
                    if row[9] != "0"} & ours


@pytest.mark.parametrize("sent", ["", "GET /a HTTP/1.1\r\nHost: h\r\n"])
def test_a_revoked_token_is_dead_on_a_connection_opened_before(front, sent):
    """nginx's old process still takes what such a connection says first."""
    name = fresh("t")
    t = front.token(name, "read")
    client = front.client("doris", t)
    rest = "GET /a HTTP/1.1\r\nHost: h\r\n"[len(sent):]

    def open_one():
        s = socket.create_connection((client.host, client.port), 10)
        s.sendall(sent.encode())
        return s

    def status(s):
        with s:
            s.sendall(f"{rest}X-Metagate-Token: {t}\r\n\r\n".encode())
            return raw.read(s).status

    assert status(open_one()) == 200
    waiting = [open_one() for _ in range(20)]
    until(lambda: accepted(waiting))
    front.command("token", "revoke", name)
    assert {status(s) for s in waiting} == {403}


# ---- times ----

def used(front, name):
    """The rest of its line in the list: created, expires, last use."""
    lines = front.command("token", "list").stdout.splitlines()
    assert lines[0].split()[:3] == ["name", "scope", "secrets"]
    return [line.split(None, 3)[3] for line in lines[1:]
            if line.split()[0] == name]


def test_id_and_end_reach_the_worker(front, token):
    got = params(front, **{"X-Metagate-Token": token("read")})
    assert len(got["MG_ID"]) == 16 and got["MG_EXPIRES"] == ""
    got = params(front, **{"X-Metagate-Token": token(
        "read", "--expires", "2099-12-31")})
    assert len(got["MG_ID"]) == 16 and got["MG_EXPIRES"] == "4102358400"


def test_a_rotated_token_lives_on_beside_the_new_one(front):
    name = fresh("t")
    old = front.token(name, "write", "secrets")
    out = front.command("token", "rotate", name, "--keep", "30m").stdout
    with open(front.path("tokens", name)) as f:
        new = f.read().strip()
    assert new != old and new not in out and old not in out
    for t in (old, new):
        got = params(front, **{"X-Metagate-Token": t})
        assert (got["MG_NAME"], got["MG_SCOPE"], got["MG_SECRETS"]) == (
            name, "write", "1")
        assert bool(got["MG_EXPIRES"]) == (t == old)
    assert [bool("never" in line) for line in used(front, name)] == [
        False, True]
    front.command("token", "revoke", name)
    for t in (old, new):
        assert front.client("doris", "none").get("/a", headers={
            "X-Metagate-Token": t}).status == 403


def test_a_map_that_nginx_refuses_keeps_the_old_token_s_files(front, token):
    name = fresh("t")
    token_is = front.token(name, "read")
    path = front.path("tokens.map")
    before = open(path).read()
    twice = before + before.replace(f" {name} ", f" {name}2 ")
    try:
        with open(path, "w") as f:
            f.write(twice)
        done = front.command("token", "rotate", name, check=False)
        assert done.returncode == 1 and "nothing was changed" in done.stderr
        assert open(path).read() == twice
    finally:
        with open(path, "w") as f:
            f.write(before)
    with open(front.path("tokens", name)) as f:
        assert f.read().strip() == token_is
    front.command("token", "revoke", name)
