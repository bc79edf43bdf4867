"""The templates in other surroundings: TLS, an nginx of one's own, CORS."""

import http.client
import os
import signal
import ssl
import subprocess

import pytest

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
    assert (plain.status, plain.text) == (400, "bad request\n")


def nginx_test(front, text):
    path = front.path("own.conf")
    with open(path, "w") as f:
        f.write(text)
    return subprocess.run(
        ["/usr/sbin/nginx", "-t", "-q", "-e", "stderr", "-c", path],
        capture_output=True, text=True, **front.as_account())


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


@pytest.fixture(params=["*", ORIGIN])
def cors(front, request):
    """A listener as cluster_mgr's will be: CORS, and one refusal per path."""
    top = front.path("nginx", "nginx.conf")
    with open(top) as f:
        before = f.read()
    server = open(front.path("nginx", "servers.conf")).read()
    server = "server {" + server.split("server {")[2]  # doris, as it is
    refuse = front.path("nginx", "refuse", "doris.conf")
    server = server.replace(":5000 ", ":57000 ").replace(
        f'include "{refuse}";', f"""
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
            }}
            location = /.early {{ internal; return 400 "$mg_early_words"; }}
            location @too_large {{ return 413 "x"; }}
            location @too_many {{ return 429 "x"; }}
            location @down {{ return 503 "x"; }}
        """)
    with open(front.path("nginx", "cors-test.conf"), "w") as f:
        f.write(server)
    with open(top, "w") as f:
        f.write(before.rstrip().removesuffix("}") + "include \""
                + front.path("nginx", "cors-test.conf") + "\";\n}\n")
    front.nginx.send_signal(signal.SIGHUP)
    client = front.client("doris")
    client.port = 57000

    def up():
        try:
            return client.get("/a").status == 200
        except ConnectionRefusedError:
            return False

    until(up)
    yield client, request.param
    client.close()
    front.configure()


def test_a_preflight_needs_no_token_and_tells_nothing(front, cors):
    client, origin = cors
    before = len(front.workers.seen)
    r = client.using(token=None).request("OPTIONS", "/", headers={
        "Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    assert (r.status, r.body) == (200, b"")
    assert len(front.workers.seen) == before
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
