"""Networks that need no token, and what a browser must not make of them."""

import pytest

from support import raw


@pytest.fixture
def trusted(front, settings):
    settings(METAGATE_NGINX_TRUSTED="127.0.0.0/8=read",
             METAGATE_NGINX_HOSTS="meta.example.com")
    return front


def ask(front, host=None, *headers, listener="doris", target="/a",
        version="HTTP/1.1"):
    client = front.client(listener, "none")
    host = [("Host", host or f"{client.host}:{client.port}")]
    return raw.send(client, raw.head("PUT", target, [
        *host, ("Content-Length", "0"), *headers], version))


def test_no_network_is_trusted_by_default(front):
    assert ask(front).status == 403


def test_a_trusted_network_gets_its_scope(trusted):
    for listener in ("doris", "console"):
        got = ask(trusted, listener=listener).json["params"]
        assert (got["MG_SCOPE"], got["MG_NAME"]) == ("read", "@trusted")
        assert got["MG_SECRETS"] == ""


def test_another_network_does_not(front, settings):
    settings(METAGATE_NGINX_TRUSTED="10.0.0.0/8=read,fd00::/8=admin")
    assert ask(front).status == 403


def test_a_token_decides_before_the_network(trusted):
    token = trusted.client("doris").token
    got = ask(trusted, None, ("X-Metagate-Token", token)).json["params"]
    assert got["MG_SCOPE"] == "admin"
    assert ask(trusted, None, ("X-Metagate-Token", "wrong")).status == 403
    assert ask(trusted, target="/a?token=wrong").status == 403


@pytest.mark.parametrize("name,value", [
    ("Origin", "http://evil.example"), ("Origin", "null"),
    ("Referer", "http://evil.example/"), ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Site", "anything")])
def test_a_page_of_another_site_is_not_trusted(trusted, name, value):
    assert ask(trusted, None, (name, value)).status == 403


def test_a_referer_of_our_own_passes(trusted):
    """Go's client sends the first URL along when it follows a redirect."""
    m1 = trusted.client("pegasus-meta/m1")
    doris = trusted.client("doris")
    for url in (f"http://{m1.host}:{m1.port}/meta/cluster",
                f"http://{m1.host}:{m1.port}",
                f"https://localhost:{doris.port}/a?b=http://x",
                f"http://Meta.Example.com:{doris.port}/"):
        assert ask(trusted, None, ("Referer", url)).status == 200, url


def test_a_referer_that_only_looks_like_ours_is_foreign(trusted):
    doris = trusted.client("doris")
    own = f"{doris.host}:{doris.port}"
    for url in (f"http://evil.example/http://{own}/", f"http://{own}.evil/",
                f"http://{own}1/", f"http://{doris.host}/",
                f"http://{doris.host}:1/", f"http://a@{own}/",
                f"http://{own}@evil.example/", f"http://x.{own}/",
                f"ftp://{own}/", own):
        assert ask(trusted, None, ("Referer", url)).status == 403, url


def test_a_page_s_request_with_a_token_passes(trusted):
    token = trusted.client("doris").token
    r = ask(trusted, "evil.example", ("Origin", "http://evil.example"),
            ("X-Metagate-Token", token))
    assert r.json["params"]["MG_SCOPE"] == "admin"


def test_what_browsers_send_of_their_own_accord_passes(trusted):
    for value in ("none", "same-origin"):
        assert ask(trusted, None, ("Sec-Fetch-Site", value)).status == 200


def test_names_of_ours_pass(trusted):
    address = trusted.client("doris").host
    for host in (address, address + ":1", "localhost", "LOCALHOST:5000",
                 "meta.example.com", "Meta.Example.com:5000"):
        assert ask(trusted, host).status == 200, host


@pytest.mark.parametrize("host", [
    "evil.example", "evil.example:5000", "127.0.0.1", "localhost.evil.example",
    "xlocalhost", "metaxexample.com", "meta.example.com.evil.example",
    "evil-meta.example.com", "[::1]"])
def test_a_foreign_host_is_not_trusted(trusted, host):
    assert ask(trusted, host).status == 403


def test_two_hosts_that_differ_are_not_trusted(trusted):
    """An absolute request line names one, the header another."""
    good = trusted.client("doris").host
    target = "http://{}/a"
    assert ask(trusted, "evil", target=target.format(good)).status == 403
    assert ask(trusted, good, target=target.format("evil")).status == 403
    assert ask(trusted, good, target=target.format(good)).status == 200


def test_no_host_at_all_is_not_trusted(trusted):
    client = trusted.client("doris", "none")
    r = raw.send(client, raw.head("GET", "/a", [], "HTTP/1.0"))
    assert r.status == 403
