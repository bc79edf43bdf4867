"""`metagate post` puts on the wire what http_post_para and http_post_file do,
and takes what they take."""

import os
import re
import socket
import subprocess
import threading

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
BINARY = os.path.join(ROOT, "build", "asan", "metagate")
BOUNDARY = b"----WebKitFormBoundaryZjrentBBjYWJ7gXp"
OK = (b"HTTP/1.0 200 OK\r\nContent-Length: 20\r\n\r\n"
      b'{"result":"succeed"}')


class Peer:
    """Takes one request as it comes, gives one reply."""

    def __init__(self, reply=OK):
        self.reply, self.got = reply, b""
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = "http://127.0.0.1:%d" % self.port
        self.thread = threading.Thread(target=self.run)

    def run(self):
        with self.socket.accept()[0] as c:
            while not self.whole():
                piece = c.recv(65536)
                if not piece:
                    return
                self.got += piece
            c.sendall(self.reply)

    def whole(self):
        head, end, body = self.got.partition(b"\r\n\r\n")
        length = re.search(rb"^Content-Length: (\d+)\r?$", head, re.M)
        return end and length and len(body) >= int(length[1])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        # nobody has come: the thread's accept ends
        socket.socket.shutdown(self.socket, socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()

    @property
    def head(self):
        return self.got.partition(b"\r\n\r\n")[0].decode().split("\r\n")

    @property
    def body(self):
        return self.got.partition(b"\r\n\r\n")[2]


@pytest.fixture
def place(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "token").write_text("ab" * 32 + "\n")
    return str(tmp_path / "run")


def post(place, *words, stdin=b""):
    return subprocess.run([BINARY, "--run-dir", place, "post", *words],
                          input=stdin, capture_output=True, timeout=60)


def test_json_goes_as_http_post_para_sends_it(place):
    json = '{"ver":"0.1","job_type":"get_node"}'
    with Peer() as peer:
        done = post(place, peer.url, json)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b'{"result":"succeed"}\n'
    assert peer.head[0] == "POST / HTTP/1.0"
    assert "Content-Type:application/x-www-form-urlencoded" in peer.head or \
        "Content-Type: application/x-www-form-urlencoded" in peer.head
    assert f"Content-Length: {len(json)}" in peer.head
    assert "Accept: */*" in peer.head
    assert not any(h.lower().startswith(("expect", "transfer-encoding"))
                   for h in peer.head)
    assert peer.body == json.encode()


def test_a_file_goes_as_http_post_file_sends_it(place, tmp_path):
    data = b"\r\n--" + BOUNDARY + b"x\r\n" + bytes(range(256))
    (tmp_path / "mysql_shard1.json").write_bytes(data)
    with Peer() as peer:
        done = post(place, peer.url, '{"file_type":"mysql"}',
                    str(tmp_path / "mysql_shard1.json"))
    assert done.returncode == 0, done.stderr
    assert ("Content-Type: multipart/form-data; boundary="
            + BOUNDARY.decode()) in peer.head
    assert peer.body == (
        b"--" + BOUNDARY + b"\r\n"
        b'Content-Disposition: form-data; name="parameters"\r\n\r\n'
        b'{"file_type":"mysql"}\r\n--' + BOUNDARY + b"\r\n"
        b'Content-Disposition: form-data; name="filename"; '
        b'filename="mysql_shard1.json"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" + data +
        b"\r\n--" + BOUNDARY + b"--\r\n")


def test_the_token_of_the_deployment_goes_along(place):
    with Peer() as peer:
        post(place, peer.url, "{}")
    assert "X-Metagate-Token: " + "ab" * 32 in peer.head


@pytest.mark.parametrize("url", [
    "127.0.0.1:{}/", "http://127.0.0.1:{}?a", "http://user:x@127.0.0.1:{}/"])
def test_an_url_of_this_host_may_have_less_or_more_before_it(place, url):
    with Peer() as peer:
        post(place, url.format(peer.port), "{}")
    assert "X-Metagate-Token: " + "ab" * 32 in peer.head


# what leads to the peer is no address of this host: a name, "any"
@pytest.mark.parametrize("host", ["localhost", "0.0.0.0"])
@pytest.mark.parametrize("before", [
    "http://", "", "http://127.0.0.1:x@", "http://127.0.0.1:1@",
    "http://[::1]:x@", "http://[::1]:1@", "127.0.0.1:x@", "[::1]:x@"])
def test_the_token_goes_to_no_other_host_by_itself(place, before, host):
    with Peer() as peer:
        done = post(place, f"{before}{host}:{peer.port}/", "{}")
    assert done.returncode == 0, done.stderr
    assert peer.head[0] == "POST / HTTP/1.0"
    assert not any(h.startswith("X-Metagate-Token") for h in peer.head)


def test_another_token_is_named_by_its_file(place, tmp_path):
    (tmp_path / "t").write_text("cd" * 32)
    with Peer() as peer:
        post(place, "--token-file", str(tmp_path / "t"), peer.url, "{}")
    assert "X-Metagate-Token: " + "cd" * 32 in peer.head
    done = post(place, "--token-file", str(tmp_path / "none"), peer.url, "{}")
    assert done.returncode == 1 and b"cannot be read" in done.stderr


def test_json_comes_from_a_file_or_from_standard_input(place, tmp_path):
    (tmp_path / "j").write_text('{"a":1}')
    with Peer() as peer:
        post(place, peer.url, f"@{tmp_path}/j")
    assert peer.body == b'{"a":1}'
    with Peer() as peer:
        post(place, peer.url, "-", stdin=b'{"b":2}')
    assert peer.body == b'{"b":2}'


def test_a_refusal_is_shown_and_is_the_exit_status(place):
    reply = (b"HTTP/1.0 401 Unauthorized\r\nContent-Length: 39\r\n\r\n"
             b'{"result":"error","info":"token error"}')
    with Peer(reply) as peer:
        done = post(place, peer.url, "{}")
    assert done.returncode == 1
    assert b"token error" in done.stdout and b"401" in done.stderr


def test_what_cannot_be_sent_is_told(place):
    assert post(place, "http://127.0.0.1:1/", "{}").returncode == 1
    assert post(place, "ftp://127.0.0.1/", "{}").returncode == 1
    assert post(place, "http://127.0.0.1:1/").returncode == 2
    assert post(place, "--timeout", "0", "http://127.0.0.1:1/",
                "{}").returncode == 2
    assert b"--help" in post(place, "--no", "x", "y").stderr
    assert post(place, "--help").returncode == 0
