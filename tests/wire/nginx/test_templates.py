"""The templates in other surroundings: TLS, an nginx of one's own, CORS."""

import http.client
import os
import signal
import socket
import ssl
import subprocess
import threading

import pytest

from support import processes
from support.front import own_deployment
from support.waiting import until

ORIGIN = "https://panel.example"


@pytest.fixture
def certificate(front):
    pem, key = front.path("tls.pem"), front.path("tls.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
         "2", "-subj", "/CN=metagate", "-addext",
         f"subjectAltName=IP:{front.net}.1", "-out", pem, "-keyout", key],
        check=True, capture_output=True)
    for path in (pem, key):
        os.chown(path, *front.account())
    return pem, key


def test_every_listener_speaks_tls(front, settings, certificate):
    settings(METAGATE_NGINX_TLS_CERTIFICATE=certificate[0],
             METAGATE_NGINX_TLS_KEY=certificate[1])
    context = ssl.create_default_context(cafile=certificate[0])
    client = front.client("doris")
    connection = http.client.HTTPSConnection(client.host, client.port,
                                             context=context)
    connection.request("GET", "/a", headers={"X-Metagate-Token": client.token})
    reply = connection.getresponse()
    assert reply.status == 200
    assert b'"REQUEST_SCHEME": "https"' in reply.read()
    plain = client.get("/a")
    assert (plain.status, plain.text) == (400, "this port speaks TLS: https, not http\n")


def test_a_private_key_may_be_for_nginx_alone(front, settings, certificate):
    """That of an nginx that is not ours, whose master is root."""
    if os.geteuid() != 0:
        return  # only root can make one
    os.chown(certificate[1], 0, 0)
    os.chmod(certificate[1], 0o600)
    keys = {"METAGATE_NGINX_TLS_CERTIFICATE": certificate[0],
            "METAGATE_NGINX_TLS_KEY": certificate[1]}
    with own_deployment() as own:
        for command in (["nginx"], ["token", "add", "a", "read"],
                        ["token", "revoke", "a"], ["token", "list"]):
            own.command(*command, environment=keys)
        with open(own.path("nginx", "servers.conf")) as f:
            assert " ssl;" in f.read()


def test_tls_is_spoken_with_forward_secrecy_only(front, settings, certificate):
    settings(METAGATE_NGINX_TLS_CERTIFICATE=certificate[0],
             METAGATE_NGINX_TLS_KEY=certificate[1],
             METAGATE_NGINX_HSTS_S="31536000")
    client = front.client("doris")

    def connect(ciphers):
        context = ssl.create_default_context(cafile=certificate[0])
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
        connection = http.client.HTTPSConnection(client.host, client.port,
                                                 context=context)
        connection.request("GET", "/a",
                           headers={"X-Metagate-Token": client.token})
        return connection.getresponse()

    reply = connect("ECDHE-RSA-AES128-GCM-SHA256")
    assert reply.status == 200
    assert reply.headers["Strict-Transport-Security"] == "max-age=31536000"
    for refused in ("AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256",
                    "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA"):
        with pytest.raises(ssl.SSLError):
            connect(refused)


def test_a_slow_reader_fills_no_disk(front, settings):
    """What is not read stays with the worker beyond the bound."""
    settings(METAGATE_NGINX_REPLY_TEMP_KIB="768")
    body, read = b"x" * (16 << 20), threading.Event()
    front.workers.answer = lambda request: (
        b"Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n" + body)
    client = front.client("doris")
    s = socket.create_connection((client.host, client.port))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    s.sendall(f"GET /a HTTP/1.0\r\nHost: {client.host}\r\n"
              f"X-Metagate-Token: {client.token}\r\n\r\n".encode())
    until(lambda: temporary(front) >= 256 << 10, "something went to disk")
    for _ in range(20):
        assert temporary(front) <= 1 << 20
        read.wait(0.05)
    got = b""
    while part := s.recv(1 << 20):
        got += part
    s.close()
    assert got.endswith(body[:1000]) and len(got) > len(body)


def temporary(front):
    """Bytes of nginx's unlinked temporary files."""
    total = 0
    for pid in processes.below(front.run_dir):
        folder = f"/proc/{pid}/fd"
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            path = os.path.join(folder, name)
            try:
                if "/tmp/fastcgi/" in os.readlink(path):
                    total += os.stat(path).st_size
            except OSError:
                pass
    return total


def nginx_test(front, text):
    path = front.path("own.conf")
    with open(path, "w") as f:
        f.write(text)
    return subprocess.run(front.nginx_argv("-t", "-q", conf=path),
                          capture_output=True, text=True)


def test_an_nginx_of_one_s_own_takes_the_templates(front):
    top = open(front.path("nginx", "nginx.conf")).read()
    temporary = "".join(line + "\n" for line in top.splitlines()
                        if "_temp_path" in line or line.startswith("pid"))
    pid, paths = temporary.split("\n", 1)
    done = nginx_test(front, f"""
        {pid}
        error_log stderr;
        events {{ }}
        http {{
            {paths}
            default_type text/html;
            gzip on;
            include {front.path("nginx", "http.conf")};
            include {front.path("nginx", "servers.conf")};
            server {{ listen {front.net}.1:18080; access_log off; return 204; }}
        }}""")
    assert done.returncode == 0 and done.stderr == "", done.stderr


@pytest.fixture
def listener(front):
    """listener(text): a client of one more listener, as another dialect's:
    Doris's server with that text in place of its refusals."""
    top = front.path("nginx", "nginx.conf")
    refuse = f'include "{front.path("nginx", "refuse", "doris.conf")}";'
    with open(front.path("nginx", "servers.conf")) as f:
        server = next(part for part in f.read().split("server {")
                      if refuse in part)
    client = front.client("doris")
    client.port = 57900

    def up():
        try:
            return client.get("/").status
        except ConnectionRefusedError:
            return None

    def make(text):
        with open(front.path("nginx", "more.conf"), "w") as f:
            f.write("server {" + server.replace(":5000 ", ":57900 ").replace(
                refuse, text + """
                    location = /.early { internal; return 400 "early"; }
                    location @too_large { return 413 "large"; }
                    location @too_many { return 429 "many"; }
                    location @down { return 503 "down"; }"""))
        with open(top) as f:
            before = f.read()
        with open(top, "w") as f:
            f.write(before.rstrip().removesuffix("}") + "include \""
                    + front.path("nginx", "more.conf") + "\";\n}\n")
        os.kill(front.nginx_pid, signal.SIGHUP)
        until(up, "the new listener answers")
        front.workers.seen.clear()
        return client

    yield make
    client.close()
    front.configure()


@pytest.fixture(params=["*", ORIGIN])
def cors(front, listener, request):
    """As cluster_mgr's will be: CORS, and one refusal per path."""
    client = listener(f"""
        set $mg_allow_origin "{request.param}";
        include "{front.path("nginx", "cors.conf")}";
        default_type application/json;
        if ($uri ~ "/HttpService/Emit\\z") {{
            set $mg_refuse "$mg_refuse emit";
        }}
        if ($mg_refuse ~ "^[a-z]+ emit\\z") {{
            return 401 '{{"version":"1.0","error_code":"70001"}}\\n';
        }}
        if ($mg_refuse ~ "^[a-z]+\\z") {{
            return 401 '{{"result":"failed","info":"token error"}}';
        }}""")
    return client, request.param


def test_a_preflight_needs_no_token_and_tells_nothing(front, cors):
    client, origin = cors
    r = client.using(token=None).request("OPTIONS", "/", headers={
        "Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    assert (r.status, r.body) == (200, b"")
    assert front.workers.seen == []
    assert r.headers["Access-Control-Allow-Origin"] == origin
    assert r.headers["Access-Control-Allow-Methods"] == "POST, GET, OPTIONS"
    assert r.headers["Access-Control-Max-Age"] == "86400"
    for name in ("Authorization", "Content-Type", "X-Metagate-Token"):
        assert name in r.headers["Access-Control-Allow-Headers"]
    assert r.headers["Access-Control-Allow-Credentials"] is None


def test_replies_and_refusals_carry_the_origin(front, cors):
    client, origin = cors
    for r, status in ((client.post("/", b"{}"), 200),
                      (client.using(token=None).post("/", b"{}"), 401)):
        assert r.status == status
        assert r.headers.get_all("Access-Control-Allow-Origin") == [origin]
        assert r.headers["Access-Control-Allow-Methods"] is None


def test_a_refusal_may_differ_by_path(front, cors):
    client = cors[0].using(token=None)
    assert client.post("/", b"{}").json["result"] == "failed"
    r = client.post("/HttpService/Emit", b"{}")
    assert (r.status, r.json["error_code"]) == (401, "70001")


def test_other_listeners_have_no_cors(front):
    r = front.client("doris").get("/a", headers={"Origin": ORIGIN})
    assert r.headers["Access-Control-Allow-Origin"] is None


def test_a_listener_may_ask_for_basic_in_place_of_a_token(front, listener):
    """As Doris FE's: the worker decides, nginx asks for nothing."""
    client = listener("set $mg_authorization $http_authorization;")
    client = client.using(token=None, basic=("root", "password"))
    got = client.get("/rest").json["params"]
    assert got["HTTP_AUTHORIZATION"] == "Basic cm9vdDpwYXNzd29yZA=="
    assert got["MG_SCOPE"] == got["MG_NAME"] == ""
    bare = client.using(basic=None).get("/rest").json["params"]
    assert "HTTP_AUTHORIZATION" not in bare


def test_a_listener_may_tell_a_missing_token_from_an_unknown(listener):
    """As TiCDC's, with Pegasus' header."""
    client = listener("""
        if ($mg_refuse = missing) { return 401 "none"; }
        if ($mg_refuse) { return 401 "unknown"; }""")
    assert client.using(token=None).get("/").text == "none"
    assert client.using(token="x").get("/").text == "unknown"
    assert client.get("/").status == 200
