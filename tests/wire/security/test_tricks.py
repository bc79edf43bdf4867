"""What a client may try with headers, paths and framing, on raw sockets
(notes: T1 to T3 of the threat model). A trick gives no right, reaches no
other path, and is never answered by a 5xx."""

import json

import pytest

from support import doris as d, raw
from support.words import fresh

# A path on each listener that nobody may ask for without a token, and one
# that everybody may.
LISTENERS = {
    "console": ("/metrics", "/healthz"),
    "doris": ("/MetaService/http/list_instances", None),
    "pegasus-meta/m1": ("/meta/nodes", "/version"),
    "pegasus-replica/r1": ("/pprof/cmdline", "/version"),
    "doris-fe": ("/rest/v2/manager/node/frontends", None),
}
REFUSED = (400, 401, 403)
T = "{token}"  # stands for a valid token of scope admin
HOST = ("Host", "h")

# Headers that are no token, whatever they hold.
HEADERS = {
    # our parameters by their names
    "scope": [("MG-Scope", "admin"), ("MG-Name", "first")],
    "scope with underscores": [("MG_SCOPE", "admin"), ("MG_NAME", "first")],
    "scope in small letters": [("mg_scope", "admin")],
    "scope as a CGI variable": [("HTTP_MG_SCOPE", "admin")],
    "scope prefixed": [("X-MG-Scope", "admin")],
    "scope of a name like ours": [("X-Metagate-Scope", "admin")],
    "secret": [("MG-Secret", "0" * 64)],
    "secret with underscores": [("MG_SECRET", "0" * 64)],
    "listener": [("MG_LISTENER", "console"), ("MG_SCOPE", "admin")],
    "request id": [("MG_REQUEST_ID", "0" * 32), ("MG_SCOPE", "admin")],
    "authenticated by somebody": [("X-Remote-User", "first"),
                                  ("Remote-User", "first"),
                                  ("X-Authenticated-User", "first")],
    # networks
    "forwarded for": [("X-Forwarded-For", "127.0.0.1")],
    "forwarded for a list": [("X-Forwarded-For", "127.0.0.1, ::1")],
    "forwarded": [("Forwarded", "for=127.0.0.1;by=127.0.0.1")],
    "real ip": [("X-Real-IP", "127.0.0.1")],
    "client ip": [("Client-IP", "127.0.0.1"), ("True-Client-IP", "::1")],
    # other paths and methods
    "original url": [("X-Original-URL", "/healthz")],
    "rewrite url": [("X-Rewrite-URL", "/healthz")],
    "accel redirect": [("X-Accel-Redirect", "/metrics")],
    "method override": [("X-HTTP-Method-Override", "OPTIONS")],
    "forwarded host": [("X-Forwarded-Host", "localhost")],
    "httpoxy": [("Proxy", "http://evil.example")],
    # a valid token where none is looked for
    "token in a cookie": [("Cookie", "token=" + T)],
    "token with underscores": [("X_Metagate_Token", T)],
    "token of another header": [("X-Token", T), ("X-Api-Key", T)],
    "token as referrer": [("Referer", "http://h/?token=" + T)],
    "token after a blank": [("X-Metagate-Token ", T)],
    "token name folded": [("X-A", "b\r\n X-Metagate-Token: " + T)],
    "token behind a CR": [("X-A", "b\rX-Metagate-Token: " + T)],
    "token behind a NUL": [("X-A", "b\0\r\nX-Metagate-Token: " + T)],
    "a digest": [("Authorization", f'Digest username="{T}"')],
    "a bearer without a blank": [("Authorization", "Bearer" + T)],
    "two words for a bearer": [("Authorization", f"Bearer {T} {T}")],
    "a basic password": [("Authorization", "Basic eDp4")],
    "a broken basic": [("Authorization", "Basic !!!!")],
    "an empty bearer": [("Authorization", "Bearer ")],
    "an empty basic": [("Authorization", "Basic Og==")],
    # a wrong token first, a valid one after: the first one decides
    "wrong, then right": [("X-Metagate-Token", "nope"),
                          ("Authorization", "Bearer " + T)],
    "both in one header": [("X-Metagate-Token", f"nope, {T}")],
    "the header twice": [("X-Metagate-Token", "nope"),
                         ("X-Metagate-Token", T)],
    "a part of it": [("X-Metagate-Token", T[:-1])],
    "quoted": [("X-Metagate-Token", f'"{T}"')],
    "as a pattern": [("X-Metagate-Token", "~.*")],
    "a wildcard": [("X-Metagate-Token", "*")],
    "the map's default": [("X-Metagate-Token", "default")],
    "a variable": [("X-Metagate-Token", "$mg_token")],
}

# Queries with a valid token where it is not looked for.
QUERIES = ["xtoken=" + T, "%74oken=" + T, "token[]=" + T, "a=b;token=" + T,
           "a#token=" + T, "token=" + T + "x", "token=x&token=" + T,
           "token", "token=%", "a=token=" + T]

# Targets that lead to what is open to all in one reading, and to what is not
# in another. {shut} and {open} are the listener's.
TARGETS = [
    "{open}/..{shut}", "{open}/../..{shut}", "{shut}/..{open}",
    "{shut}/../../..{open}", "{open}%2f..{shut}", "{shut}%2f..%2f..{open}",
    "{open};/..{shut}", "{shut};{open}", "{open}/..;{shut}", "{open}%00{shut}",
    "{shut}%00{open}", "{shut}%23{open}", "{shut}#{open}", "{open}#{shut}",
    "{shut}%3f{open}", "{shut}?{open}", "{open}%3f/..{shut}",
    "{shut}/.{open}", "{open}/%2e%2e{shut}", "{open}/%252e%252e{shut}",
    "{open}\\..{shut}", "{open}/%5c..{shut}", "{shut}%20{open}",
    "{open}%0d%0a{shut}", "{open}%0a{shut}", "/{open}/..{shut}",
    "{open}//..{shut}", "{open}/%c0%ae%c0%ae{shut}", "{open}%ff/..{shut}",
    "{shut}/%2e%2e/%2e%2e{open}", "/.early", "/.early{shut}", "/@down",
    "http://localhost{shut}", "http://h{open}@h{shut}",
    "HTTP://H{shut}", "http://first:x@h{shut}", "http:///{shut}",
    "//h{shut}", "*", "{shut} {open}",
]

# A whole request hidden in another; {inner} is one with a valid token that
# changes something. Each says which framing it abuses.
INNER = ("PUT /MetaService/http/create_instance HTTP/1.1\r\nHost: h\r\n"
         "X-Metagate-Token: {token}\r\nContent-Length: {length}\r\n\r\n"
         "{body}")
FRAMES = {
    "length and chunks": ["Content-Length: {all}", "Transfer-Encoding: chunked"],
    "chunks and length": ["Transfer-Encoding: chunked", "Content-Length: {all}"],
    "two lengths": ["Content-Length: 5", "Content-Length: {all}"],
    "a list of lengths": ["Content-Length: 5, {all}"],
    "a signed length": ["Content-Length: +5"],
    "a hexadecimal length": ["Content-Length: 0x5"],
    "a length with a blank": ["Content-Length: 5 5"],
    "a length of a folded line": ["Content-Length:", " 5"],
    "a length after a blank": ["Content-Length : 5"],
    "chunks, obscured": ["Transfer-Encoding: xchunked", "Content-Length: 5"],
    "chunks twice": ["Transfer-Encoding: chunked, chunked"],
    "chunks, then identity": ["Transfer-Encoding: chunked, identity"],
    "chunks after a tab": ["Transfer-Encoding:\tchunked", "Content-Length: 5"],
    "chunks after a vertical tab": ["Transfer-Encoding: \x0bchunked",
                                    "Content-Length: 5"],
    "chunks with underscores": ["Transfer_Encoding: chunked",
                                "Content-Length: 5"],
    "two encodings": ["Transfer-Encoding: identity",
                      "Transfer-Encoding: chunked"],
}


def filled(text, token):
    return text.replace(T, token)


def test_there_are_enough_of_them():
    assert len(HEADERS) + len(QUERIES) + len(TARGETS) + len(FRAMES) >= 100


def assert_refused(r, *where):
    assert r is None or r.status in REFUSED, (*where, r)
    if r is not None:
        assert "# HELP" not in r.text and '"code": "OK"' not in r.text


def ask(client, target, headers):
    return raw.send(client, raw.head("GET", target, [
        *headers, ("Connection", "close")]))


@pytest.mark.parametrize("name", HEADERS)
def test_no_header_stands_for_a_token(deployment, name):
    for listener, (shut, _) in LISTENERS.items():
        client = deployment.client(listener)
        headers = [(k, filled(v, client.token)) for k, v in HEADERS[name]]
        assert_refused(ask(client, shut, [HOST, *headers]), listener)


@pytest.mark.parametrize("query", QUERIES)
def test_no_query_stands_for_a_token(deployment, query):
    for listener, (shut, _) in LISTENERS.items():
        client = deployment.client(listener)
        target = shut + "?" + filled(query, client.token)
        assert_refused(ask(client, target, [HOST]), listener)


@pytest.mark.parametrize("target", TARGETS)
def test_no_path_leads_past_the_token(deployment, target):
    for listener, (shut, open_to_all) in LISTENERS.items():
        client = deployment.client(listener, "none")
        path = target.format(shut=shut, open=open_to_all or "/healthz")
        r = ask(client, path, [HOST])
        if r is not None and open_to_all and r.status == 200:
            # what is open, and nothing else
            own = ask(client, open_to_all, [HOST])
            assert r.body == own.body, (listener, path, r)
            continue
        assert r is None or r.status in (*REFUSED, 404), (listener, path, r)


@pytest.mark.parametrize("name", [n for n in HEADERS if "scope" in n
                                  or "override" in n or "url" in n])
def test_a_reader_stays_one(deployment, doris, name):
    reader, iid = doris.scope("read"), fresh("i")
    body = json.dumps({"instance_id": iid, "name": "n", "user_id": "u"})
    headers = [(k, filled(v, "x")) for k, v in HEADERS[name]]
    r = raw.send(reader, raw.head("PUT", "/MetaService/http/create_instance", [
        HOST, ("X-Metagate-Token", reader.token), *headers,
        ("Content-Length", str(len(body)))]) + body.encode())
    assert r.status in (400, 403), r
    assert doris.get("get_instance",
                     query={"instance_id": iid}).status == 404


# Those that are the path of a page, as they are written.
PAGES = ("{shut}?{open}", "http://localhost{shut}", "HTTP://H{shut}")


@pytest.mark.parametrize("target", TARGETS)
def test_a_path_is_read_in_one_way(deployment, target):
    """With a token too: what is answered is the page of the path as it was
    sent, or nothing."""
    for listener, (shut, open_to_all) in LISTENERS.items():
        client = deployment.client(listener)
        path = target.format(shut=shut, open=open_to_all or "/healthz")
        r = ask(client, path, [HOST, ("X-Metagate-Token", client.token)])
        if listener == "doris-fe":  # who logs in there has no token
            assert r is None or r.status in REFUSED, (path, r)
            continue
        assert r is None or r.status in (400, 404) or (
            target in PAGES and r.status == 200), (listener, path, r)


@pytest.mark.parametrize("path", ["/%0d%0aX-Evil:%201", "/%0aX-Evil:1",
                                  "/?a=%0d%0aX-Evil:%201", "/\\r\\nX-Evil"])
def test_no_header_of_a_reply_is_made_by_a_request(deployment, path):
    for listener in LISTENERS:
        client = deployment.client(listener)
        r = ask(client, path, [HOST, ("X-Metagate-Token", client.token)])
        assert "X-Evil" not in r.headers and r.status < 500


def inner_request(token, iid):
    body = json.dumps({"instance_id": iid, "name": "n", "user_id": "u"})
    return INNER.format(token=token, length=len(body), body=body)


@pytest.mark.parametrize("outer", ["none", "read"])
@pytest.mark.parametrize("name", FRAMES)
def test_no_request_hides_in_another(deployment, doris, name, outer):
    """Two readings of where a body ends: it is refused, or what follows is
    read as the body it is, and the request within is never done. With a token
    the outer one reaches a worker, which reads its body too."""
    iid = fresh("i")
    inner = inner_request(doris.token, iid)
    body = "0\r\n\r\n" + inner
    lines = [line.replace("{all}", str(len(body))) for line in FRAMES[name]]
    head = ("POST /MetaService/http/list_instances HTTP/1.1\r\nHost: h\r\n"
            + "\r\n".join(lines) + "\r\n")
    if outer != "none":
        head += f"X-Metagate-Token: {doris.scope(outer).token}\r\n"
    with doris.connect() as s:
        s.sendall((head + "\r\n" + body).encode("latin-1"))
        first = raw.read(s)
        # without a token: refused, and the connection is of no more use
        assert first is None or first.status in (400, 401, 403, 501) or (
            outer != "none" and first.status == 200), first
    r = doris.get("get_instance", query={"instance_id": iid})
    if name in ("chunks with underscores", "chunks after a tab"):
        return  # well framed: what follows is a request of its own
    assert r.status == 404, f"{name}: the hidden request was done"


def test_a_body_that_is_not_read_is_not_the_next_request(deployment, doris):
    """A refused request with a body, and a request within that body."""
    iid = fresh("i")
    inner = inner_request(doris.token, iid)
    data = raw.head("PUT", "/MetaService/http/create_instance", [
        HOST, ("Content-Length", str(len(inner)))]) + inner.encode()
    with doris.connect() as s:
        s.sendall(data)
        assert raw.read(s).status == 403
        s.sendall(raw.head("GET", "/MetaService/http/list_instances", [
            HOST, ("Connection", "close")]))
        second = raw.read(s)
        assert second is None or second.status == 403
    assert doris.get("get_instance", query={"instance_id": iid}).status == 404


def test_the_tricks_have_left_everything_as_it_was(deployment, doris):
    assert doris.get("list_instances").status == 200
    assert d.clusters(doris, d.instance(doris)) == []
