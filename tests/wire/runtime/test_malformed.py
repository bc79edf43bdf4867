"""Bytes that are no HTTP request: refused by nginx in the dialect's form, and
the next request is served."""

import pytest

from support import raw

TARGET = "/MetaService/http/get_instance"
HOST = ("Host", "x")


def head(method="GET", target=TARGET, headers=(HOST,), version="HTTP/1.1"):
    return raw.head(method, target, headers, version)


BAD, METHOD = (400, "bad request\n"), (405, "method not allowed\n")
MALFORMED = {
    "lower-case method": (head("get"), BAD),
    "no method": (head(""), BAD),
    "TRACE": (head("TRACE"), METHOD),
    "CONNECT": (head("CONNECT", "x:80"), BAD),
    "no host": (head(headers=()), BAD),
    "two hosts": (head(headers=[HOST, ("Host", "y")]), BAD),
    "host with a blank": (head(headers=[("Host", "a b")]), BAD),
    "no path": (head(target="nope"), BAD),
    "NUL in the path": (head(target=TARGET + "%00"), BAD),
    "above the root": (head(target="/../../etc/passwd"), BAD),
    "bare escape": (head(target="/%"), BAD),
    "long request line": (head(target="/" + "x" * 20_000),
                          (414, "request line too long\n")),
    "long header": (head(headers=[HOST, ("X-A", "x" * 20_000)]), BAD),
    "many headers": (head(headers=[HOST] + [
        (f"X-{i}", "x" * 1000) for i in range(100)]), BAD),
    "NUL in a header": (head(headers=[HOST, ("X-A", "a\0b")]), BAD),
    "length twice": (head("PUT", headers=[
        HOST, ("Content-Length", "1"), ("Content-Length", "2")]), BAD),
    "negative length": (head("PUT", headers=[
        HOST, ("Content-Length", "-1")]), BAD),
    "length no number": (head("PUT", headers=[
        HOST, ("Content-Length", "0x1")]), BAD),
    "length and chunks": (head("PUT", headers=[
        HOST, ("Content-Length", "4"), ("Transfer-Encoding", "chunked")])
        + b"0\r\n\r\n", BAD),
    "unknown transfer encoding": (head("PUT", headers=[
        HOST, ("Transfer-Encoding", "gzip, chunked")]),
        (501, "not implemented\n")),
    "HTTP/2 on paper": (head(version="HTTP/2.0"),
                        (505, "HTTP version not supported\n")),
    "no version at all": (head(version="FTP/1.0"), BAD),
    "TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 3
                  + b"\r\n\r\n", BAD),
    "binary": (bytes(range(256)) + b"\r\n\r\n", BAD),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_http_is_refused_in_the_dialects_form(doris, name):
    data, expected = MALFORMED[name]
    r = raw.send(doris, data)
    assert (r.status, r.text) == expected
    assert doris.get("list_instances").status == 200


def test_a_bad_chunk_does_nothing(doris):
    bad = raw.head("PUT", "/MetaService/http/create_instance", [
        HOST, ("X-Metagate-Token", doris.token),
        ("Transfer-Encoding", "chunked")]) + b"zz\r\n{}\r\n0\r\n\r\n"
    r = raw.send(doris, bad)
    assert (r.status, r.text) == BAD
