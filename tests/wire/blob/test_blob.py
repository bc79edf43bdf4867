"""Where backups go: a directory, WebHDFS, S3. What is there is whole."""

import hashlib
import os
import subprocess

import pytest

from support import objects
from support.waiting import until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
PROGRAM = os.path.join(ROOT, "build", "asan", "support", "blob_shell")
LARGE = os.urandom(1 << 20) * 20  # three parts of S3


# Published with the description of the signature (Amazon S3, "Signature
# Calculations for the Authorization Header: Transferring Payload in a Single
# Chunk"): method, path, query, further headers, payload, signature.
VECTORS = [
    ("GET", "/test.txt", "", {"range": "bytes=0-9"}, b"",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
    ("PUT", "/test%24file.text", "",
     {"date": "Fri, 24 May 2013 00:00:00 GMT",
      "x-amz-storage-class": "REDUCED_REDUNDANCY"}, b"Welcome to Amazon S3.",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
    ("GET", "/", "lifecycle", {}, b"",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
    ("GET", "/", "max-keys=2&prefix=J", {}, b"",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
]


@pytest.mark.parametrize("method, path, query, more, body, expected", VECTORS)
def test_who_checks_our_signatures_knows_the_published_ones(
        method, path, query, more, body, expected):
    date = "20130524T000000Z"
    total = hashlib.sha256(body).hexdigest()
    headers = {"host": "examplebucket.s3.amazonaws.com", "x-amz-date": date,
               "x-amz-content-sha256": total, **more}
    assert objects.sigv4(objects.SECRET, method, path, query, headers,
                         sorted(headers), total, date, "us-east-1") == expected


class Store:
    def __init__(self, url, files):
        self.url, self.files = url, files

    def __call__(self, *words, data=b"", secret=objects.SECRET):
        return subprocess.run(
            [PROGRAM, self.url, *words], input=data, capture_output=True,
            timeout=120, env={**os.environ,
                              "METAGATE_TEST_ACCESS_KEY": objects.ACCESS,
                              "METAGATE_TEST_SECRET_KEY": secret})

    def ok(self, *words, data=b""):
        done = self(*words, data=data)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *words, data=b"", **how):
        done = self(*words, data=data, **how)
        assert done.returncode == 1
        return done.stderr.decode()


class Directory:
    """The files below a directory, as the servers show theirs."""

    def __init__(self, path):
        self.path = str(path)

    def __iter__(self):
        return iter([os.path.join(d, f) for d, _, names in os.walk(self.path)
                     for f in names])

    def clear(self):
        for path in self:
            os.remove(path)


@pytest.fixture(params=["file", "webhdfs", "s3"])
def store(request, tmp_path):
    if request.param == "file":
        yield Store(f"file://{tmp_path}", Directory(tmp_path))
        return
    with (objects.HDFS if request.param == "webhdfs" else objects.S3)() as s:
        store = Store(s.url, s.files)
        store.server = s
        yield store


def test_what_was_put_is_read_back(store):
    for data in (b"", b"one", LARGE):
        said = store.ok("put", "clust1/shard1/base.tgz", data=data).decode()
        assert said.split() == [str(len(data)),
                                hashlib.sha256(data).hexdigest()]
        assert store.ok("get", "clust1/shard1/base.tgz") == data
        assert int(store.ok("size", "clust1/shard1/base.tgz")) == len(data)
    assert len(list(store.files)) == 1
    assert store.ok("get", "clust1/shard1/base.tgz", "20971000") == \
        LARGE[20971000:]


def test_what_broke_off_is_not_there(store):
    store.ok("put", "a/b", data=b"before")
    for data in (b"x", LARGE):
        assert store.refused("fail", "a/b", data=data).startswith("state")
        assert store.ok("get", "a/b") == b"before"
        store.refused("fail", "a/new", data=data)
        assert "not_found" in store.refused("get", "a/new")
        assert "not_found" in store.refused("size", "a/new")
    if hasattr(store, "server"):
        assert not store.server.uploads
    assert len(list(store.files)) == 1


def test_what_is_to_be_new_replaces_nothing(store):
    for n, data in enumerate((b"x", LARGE)):
        store.ok("new", f"a/{n}", data=data)
        for other in (b"y", LARGE[1:]):
            assert store.refused("new", f"a/{n}",
                                 data=other).startswith("exists")
        assert store.ok("get", f"a/{n}") == data
    assert len(list(store.files)) == 2
    if hasattr(store, "server"):
        assert not store.server.uploads


def test_of_many_that_put_a_new_one_one_does(tmp_path):
    puts = [subprocess.Popen([PROGRAM, f"file://{tmp_path}", "new", "a"],
                             stdin=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(5)]
    for n, put in enumerate(puts):
        put.stdin.write(b"%d" % n * 100000)
    for put in puts:
        put.communicate()
    won = [n for n, put in enumerate(puts) if put.returncode == 0]
    assert len(won) == 1
    assert (tmp_path / "a").read_bytes() == b"%d" % won[0] * 100000
    assert os.listdir(tmp_path) == ["a"]


def test_lines_are_added(store):
    assert store.ok("text", "storage.txt") == b""
    store.ok("line", "storage.txt", "/coldbackup/a.tgz")
    store.ok("line", "storage.txt", "/coldbackup/b.tgz")
    assert store.ok("text", "storage.txt") == \
        b"/coldbackup/a.tgz\n/coldbackup/b.tgz\n"


def test_what_was_dropped_is_gone(store):
    store.ok("put", "a/b/c", data=b"x")
    store.ok("drop", "a/b/c")
    store.ok("drop", "a/b/c")
    store.ok("drop", "never/was")
    assert not list(store.files)


def test_a_put_that_was_killed_leaves_nothing_behind_a_drop(store):
    """... nor behind the next put."""
    for then in (("drop", "a/b"), ("put", "a/b")):
        put = subprocess.Popen([PROGRAM, store.url, "put", "a/b"],
                               stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                               env={**os.environ,
                                    "METAGATE_TEST_ACCESS_KEY": objects.ACCESS,
                                    "METAGATE_TEST_SECRET_KEY": objects.SECRET})
        put.stdin.write(LARGE)
        put.stdin.flush()
        left = store.server.uploads if "s3" in store.url else store.files
        if "webhdfs" not in store.url:  # there it is told when it is cut
            until(lambda: list(left), "some of it is there")
        put.kill()
        put.communicate()
        until(lambda: list(left), "it is left behind")
        store.ok(*then, data=LARGE)
        assert len(list(store.files)) == (then[0] == "put")
        if hasattr(store, "server"):
            assert not store.server.uploads


@pytest.mark.parametrize("key", ["../x", "a/../b", "/a", "a//b", "a/", "",
                                 "a b", "a\nb", "a/./b", "é"])
def test_names_that_lead_elsewhere_are_refused(store, key):
    assert store.refused("put", key, data=b"x").startswith("bad_param")
    assert not list(store.files)


@pytest.mark.parametrize("url", [
    "ftp://x/y", "file://relative", "file:///", "webhdfs://", "s3://B/x",
    "s3://bucket/../x?endpoint=http://127.0.0.1:1",
    "s3://bucket/x?endpoint=file:///etc", "webhdfs://a@b/x",
    "s3://bucket/x?endpoint=http://127.0.0.1:1&region=a%00",
    "webhdfs://b:1/x?user=%zz",
    "s3://bucket/x?endpoint=http://u:p@127.0.0.1:1"])
def test_urls_that_are_none_are_refused(url):
    assert Store(url, None).refused("size", "a").startswith("bad_param")


def test_no_link_leads_out_of_a_directory(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("what is outside")
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "link").symlink_to(tmp_path / "outside")
    store = Store(f"file://{tmp_path}/base", None)
    assert store.refused("get", "link/file").startswith("denied")
    store.refused("put", "link/new", data=b"x")
    assert os.listdir(tmp_path / "outside") == ["file"]


def test_a_directory_lies_below_its_root(tmp_path, monkeypatch):
    (tmp_path / "outside").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "outside")
    monkeypatch.setenv("METAGATE_TEST_ROOT", f"{tmp_path}/root/")
    for below in ("", "/new/folder"):
        Store(f"file://{tmp_path}/root{below}", None).ok("put", "a", data=b"x")
        assert (tmp_path / f"root{below}" / "a").read_bytes() == b"x"
    for beside in ("rootless", "outside", "root/../outside", "root/a b"):
        said = Store(f"file://{tmp_path}/{beside}", None).refused("size", "a")
        assert said.startswith("bad_param")
    said = Store(f"file://{tmp_path}/root/link", None).refused("put", "a",
                                                               data=b"x")
    assert said.startswith("denied")
    assert not os.listdir(tmp_path / "outside")


def test_a_wrong_secret_is_told_and_never_shown():
    with objects.S3() as s:
        said = Store(s.url, s.files).refused("put", "a", data=b"x",
                                             secret="wrong-secret")
        assert said.startswith("denied") and "wrong-secret" not in said
        assert len(s.refused) == 1


def test_a_call_that_failed_in_passing_is_made_again():
    with objects.S3() as s:
        left = [2]

        def broken(handler):
            if left[0] == 0:
                return False
            left[0] -= 1
            handler.body()
            handler.answer(503)
            return True

        s.broken = broken
        Store(s.url, s.files).ok("put", "a", data=b"x")
        assert list(s.files.values()) == [b"x"]


def test_a_store_that_is_away_is_told():
    with objects.HDFS() as s:
        url = s.url
    assert Store(url, None).refused("put", "a", data=b"x").startswith("peer")


def test_the_metadata_address_of_clouds_is_no_store():
    said = Store("s3://bucket/x?endpoint=http://169.254.169.254",
                 None).refused("size", "a")
    assert said.startswith("denied")


def test_the_published_signature():
    """The example of Amazon's description of signature version 4 for GET of
    an object with a range: the checker above computes what is printed there."""
    empty = hashlib.sha256(b"").hexdigest()
    assert objects.sigv4(
        objects.SECRET, "GET", "/test.txt", "",
        {"host": "examplebucket.s3.amazonaws.com", "range": "bytes=0-9",
         "x-amz-content-sha256": empty, "x-amz-date": "20130524T000000Z"},
        ["host", "range", "x-amz-content-sha256", "x-amz-date"], empty,
        "20130524T000000Z", "us-east-1") == \
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
