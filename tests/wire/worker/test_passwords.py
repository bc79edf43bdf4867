"""Users of the Doris front end's listener: passwords, and how often they may
be tried. There is no store: who is let in gets 503."""

import base64
import hashlib
import os

import pytest

from support.load import race
from support.waiting import until

PATH = "/rest/v2/manager/cluster/cluster_info/cloud_cluster_status"
IN, WRONG, WAIT = 503, 401, 429


def hashed(name, password, salt="5a17"):
    digest = hashlib.scrypt(password.encode(), salt=salt.encode(), n=32768,
                            r=8, p=1, maxmem=1 << 26, dklen=32)
    return f"{name} scrypt {salt} {digest.hex()}\n"


def old(name, password, salt="5a17"):
    digest = hashlib.sha256((salt + password).encode())
    return f"{name} {salt} {digest.hexdigest()}\n"


@pytest.fixture
def users(place):
    place.write("fe-users", "# users\n\nbroken\n" + hashed("root", "right")
                + hashed("ci", "other") + old("old", "früher"))


@pytest.fixture
def worker(place, users):
    return place.worker(serve_threads=2, doris_fe_tries=3)


def ask(w, user, password, address="192.0.2.1"):
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    return w.ask(PATH, listener="doris-fe", scope="", REMOTE_ADDR=address,
                 HTTP_AUTHORIZATION="Basic " + basic)


def status(*args):
    return ask(*args).status


def test_users_of_both_kinds_of_lines_are_let_in(worker):
    assert status(worker, "root", "right") == IN
    assert status(worker, "ci", "other") == IN
    assert status(worker, "old", "früher") == IN
    for user, password in (("root", "other"), ("old", "x"), ("ci", ""),
                           ("nobody", "right"), ("broken", ""),
                           ("root", "x" * 257), ("u" * 3000, "x")):
        assert status(worker, user, password) == WRONG


def test_a_line_that_changes_holds_at_once(place, worker):
    assert status(worker, "root", "right") == IN
    place.write("fe-users", hashed("root", "new") + hashed("root", "newer"))
    assert status(worker, "root", "right") == WRONG
    assert status(worker, "root", "new") == IN
    assert status(worker, "root", "newer") == IN


def test_after_so_many_tries_even_the_right_one_waits(worker):
    for _ in range(3):
        assert status(worker, "root", "wrong") == WRONG
    r = ask(worker, "root", "right")
    wait = int(r.headers["Retry-After"])
    assert r.status == WAIT and 1 <= wait <= 60
    assert r.text == ('{"msg":"Too Many Requests","code":429,"data":"too many '
                      f'wrong passwords, try again in {wait} s","count":0}}')
    assert status(worker, "ci", "other") == IN
    assert status(worker, "root", "right", "192.0.2.2") == IN


def test_the_workers_of_a_host_count_together(place, worker):
    other = place.worker(serve_threads=2, doris_fe_tries=3)
    for w in (worker, other, worker):
        assert status(w, "root", "wrong") == WRONG
    assert status(other, "root", "right") == WAIT
    assert other.kill() == -9 and worker.kill() == -9
    later = place.worker(serve_threads=2, doris_fe_tries=3)
    assert status(later, "root", "right") == WAIT


def test_few_wait_for_a_slow_hash(place, users):
    """The others are told so, and do not count as tries."""
    w = place.worker(serve_threads=16, doris_fe_tries=1000)
    seen = set()

    def enough():
        answers = race(16, lambda i: ask(w, f"user{i}", "x"))
        seen.update((r.status, r.headers.get("Retry-After"), r.text)
                    for r in answers)
        return len(seen) == 2

    until(enough, "one too many came at once")
    assert {(s, wait) for s, wait, _ in seen} == {(WRONG, None), (503, "1")}
    assert any("too many passwords are being checked" in t for *_, t in seen)
    assert status(w, "root", "right") == IN


def test_without_room_a_worker_counts_alone(place, users):
    os.mkdir(place.file("fe-tries"))
    w = place.worker(serve_threads=2, doris_fe_tries=3)
    assert "doris.fe_tries" in w.log()
    for _ in range(3):
        assert status(w, "root", "wrong") == WRONG
    assert status(w, "root", "wrong") == WAIT


def test_who_was_right_is_not_locked_out_by_others(worker):
    for _ in range(10):
        assert status(worker, "root", "right") == IN
    for _ in range(3):
        assert status(worker, "root", "wrong") == WRONG
    assert status(worker, "root", "wrong") == WAIT
    assert status(worker, "root", "right") == IN


@pytest.mark.parametrize("addresses", [
    ["192.0.2.1"], ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3"]])
def test_one_host_cannot_try_many_users(worker, addresses):
    for i in range(12):
        assert status(worker, f"user{i}", "x",
                      addresses[i % len(addresses)]) == WRONG
    assert status(worker, "root", "right", addresses[0]) == WAIT
    for other in ("192.0.2.2", "2001:db8:0:1::1", "::ffff:192.0.2.1"):
        assert status(worker, "root", "wrong", other) == WRONG


def test_a_bound_of_none_is_none(place, users):
    w = place.worker(serve_threads=2, doris_fe_tries=0)
    for _ in range(6):
        assert status(w, "root", "wrong") == WRONG


def test_no_password_reaches_the_log(worker):
    ask(worker, "root", "Hush-1")
    ask(worker, "old", "Hush-2")
    assert "Hush" not in worker.log()
