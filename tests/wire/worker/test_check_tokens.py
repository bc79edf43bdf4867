"""[serve] check_tokens: front ends that map no tokens."""

import base64
import os
import signal
import time

import pytest

from support.waiting import until

READ, ADMIN = "1" * 64, "ab" * 32


@pytest.fixture
def checking(place):
    write(place, {READ: "read ci 0 0123456789abcdef",
                  ADMIN: "admin me 1 0123456789abcdee"})
    return place.worker(serve_check_tokens="yes")


def write(place, tokens):
    place.write("tokens.map", "# tokens\n" + "".join(
        f'"{token}" "{grant}";\n' for token, grant in tokens.items()))


def ask(w, target="/metrics", **more):
    """From a front end that claims everything and proves nothing."""
    return w.ask(target, scope="admin", MG_SECRET="", MG_NAME="root",
                 MG_SECRETS="1", **more).status


def basic(user):
    return "Basic " + base64.b64encode(f"{user}:x".encode()).decode()


def test_a_token_is_taken_from_each_of_its_places(checking):
    assert ask(checking) == 401
    assert ask(checking, HTTP_X_METAGATE_TOKEN=READ) == 200
    assert ask(checking, HTTP_AUTHORIZATION="Bearer " + READ) == 200
    assert ask(checking, HTTP_AUTHORIZATION=basic(READ)) == 200
    assert ask(checking, "/metrics?token=" + READ) == 200
    assert ask(checking, "/metrics?TOKEN=" + ADMIN.upper()) == 200


def test_a_wrong_token_is_refused_whatever_else_is_given(checking):
    wrong = "2" * 64
    assert ask(checking, HTTP_X_METAGATE_TOKEN=wrong) == 401
    assert ask(checking, "/metrics?token=" + READ,
               HTTP_X_METAGATE_TOKEN=wrong) == 401
    assert ask(checking, "/metrics?token=" + READ,
               HTTP_AUTHORIZATION="Bearer " + wrong) == 401
    assert ask(checking, HTTP_X_METAGATE_TOKEN=READ[:-1]) == 401


def test_what_needs_no_token_is_served_without(checking):
    assert ask(checking, "/healthz") == 503  # there is no store


def test_a_changed_file_is_read_by_itself(place, checking):
    assert ask(checking, HTTP_X_METAGATE_TOKEN=READ) == 200
    write(place, {ADMIN: "read me 0 0123456789abcdee"})
    until(lambda: ask(checking, HTTP_X_METAGATE_TOKEN=READ) == 401,
          "the revoked token is refused")
    assert ask(checking, HTTP_X_METAGATE_TOKEN=ADMIN) == 200


def test_an_expired_token_is_refused(place, checking):
    write(place, {ADMIN: f"read me 0 0123456789abcdee {int(time.time()) + 3600}",
                  READ: "read ci 0 0123456789abcdef 1700000000"})
    until(lambda: ask(checking, HTTP_X_METAGATE_TOKEN=READ) == 401,
          "the expired token is refused")
    assert ask(checking, HTTP_X_METAGATE_TOKEN=ADMIN) == 200
    assert os.listdir(place.file("used"))


def test_a_front_end_s_token_has_an_end(place, worker):
    """Of nginx, which cannot compare times; its mark is left for it."""
    more = {"MG_ID": "00112233445566aa"}
    assert worker.ask("/metrics", scope="admin", **more).status == 200
    assert os.listdir(place.file("used")) == ["00112233445566aa"]
    assert worker.ask("/metrics", scope="admin", **more,
                      MG_EXPIRES=str(int(time.time()) + 3600)).status == 200
    assert not os.listdir(place.file("nginx", "revoked"))
    assert worker.ask("/metrics", scope="admin", **more,
                      MG_EXPIRES=str(int(time.time()))).status == 401
    assert os.listdir(place.file("nginx", "revoked")) == ["00112233445566aa"]


def test_a_broken_file_changes_nothing(place, checking):
    place.write("tokens.map", f'"{READ}" "owner ci 0";\n')
    checking.process.send_signal(signal.SIGHUP)
    checking.wait_log("tokens=unchanged")
    assert ask(checking, HTTP_X_METAGATE_TOKEN=READ) == 200
    assert READ not in checking.log()


def test_without_the_file_the_worker_does_not_start(place):
    w = place.worker(wait=False, serve_check_tokens="yes")
    assert w.ended() == 1
