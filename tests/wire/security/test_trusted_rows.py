"""A trusted network, and every row of the tables: what a page of another
site sends from there is refused, whatever it asks for."""

import pytest

from support import raw, tables
from support.listeners import first

pytestmark = pytest.mark.config(METAGATE_NGINX_TRUSTED="127.0.0.0/8=admin")

EVIL = "http://evil.example"
FROM_A_PAGE = {
    "origin": [("Origin", EVIL)],
    "null origin": [("Origin", "null")],
    "referrer": [("Referer", EVIL + "/page")],
    "cross-site": [("Sec-Fetch-Site", "cross-site")],
    "same-site": [("Sec-Fetch-Site", "same-site")],
    "rebound name": [("Host", "evil.example")],
    "rebound name with our port": [("Host", "evil.example:{port}")],
    "two names": [("Host", "{host}, evil.example")],
    "absolute target": [("absolute", EVIL)],
}


def rows():
    return [e for e in tables.endpoints() if e.path != "*"]


def send(client, endpoint, headers):
    request = endpoint.request()
    target = request.path + ("?" + request.query if request.query else "")
    host, sent = [("Host", f"{client.host}:{client.port}")], []
    for name, value in headers:
        value = value.format(host=client.host, port=client.port)
        if name == "absolute":
            target = value + target
        elif name == "Host":
            host = [(name, value)]
        else:
            sent.append((name, value))
    sent.append(("Content-Length", "0"))
    return raw.send(client, raw.head(endpoint.method, target, [
        *host, *sent, ("Connection", "close")]))


def needs_token(endpoint):
    return endpoint.scope != "none" and endpoint.row.get("auth") != "basic"


@pytest.mark.parametrize("how", FROM_A_PAGE)
def test_no_row_answers_a_page_of_another_site(deployment, how):
    for endpoint in filter(needs_token, rows()):
        client = deployment.client(first(endpoint.listener), "none")
        r = send(client, endpoint, FROM_A_PAGE[how])
        assert r.status in (400, 401, 403), (str(endpoint), r)


def test_without_a_page_the_network_is_trusted(deployment):
    """... or the test above would prove nothing."""
    for listener, path in (("console", "/metrics"),
                           ("doris", "/MetaService/http/list_instances")):
        client = deployment.client(listener, "none")
        for headers in ([], [("Sec-Fetch-Site", "none")],
                        [("Sec-Fetch-Site", "same-origin")],
                        [("X-Forwarded-For", "10.1.2.3")]):
            r = raw.send(client, raw.head("GET", path, [
                ("Host", f"{client.host}:{client.port}"), *headers,
                ("Connection", "close")]))
            assert r.status == 200, (listener, headers, r)
