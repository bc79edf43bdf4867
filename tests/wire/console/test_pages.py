"""The console's files: who gets them, under which rules."""

import os
import re

import pytest

from support import fcgi
from support.waiting import until

UI = os.path.join(os.path.dirname(__file__), "../../../nginx/ui")
FILES = sorted(os.listdir(UI))
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript",
         "svg": "image/svg+xml"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_as_it_is_in_the_tree_and_needs_no_token(console, name):
    r = console.scope("none").get("/ui/" + name)
    with open(os.path.join(UI, name), "rb") as f:
        assert (r.status, r.body) == (200, f.read())
    assert r.headers["Content-Type"].split(";")[0] == \
        TYPES[name.rpartition(".")[2]]
    assert r.headers["X-Content-Type-Options"] == "nosniff"
    assert r.headers["Cache-Control"] == "no-cache" and "ETag" in r.headers


def test_a_page_may_load_and_run_nothing_but_our_files(console):
    for path in ("/", "/ui/"):
        r = console.scope("none").get(path, headers=BROWSER)
        assert r.status == 200 and r.text.startswith("<!doctype html>")
        rules = dict(rule.strip().split(" ", 1) for rule in
                     r.headers["Content-Security-Policy"].split(";"))
        assert rules.pop("default-src") == "'none'"
        assert rules.pop("frame-ancestors") == "'none'"
        assert rules.pop("base-uri") == rules.pop("form-action") == "'none'"
        assert set(rules.values()) == {"'self'"}


RULES = ["Content-Security-Policy", "Cross-Origin-Opener-Policy",
         "Cross-Origin-Resource-Policy", "Permissions-Policy",
         "X-Content-Type-Options", "Referrer-Policy"]


@pytest.mark.parametrize("path", ["/ui/" + name for name in FILES])
def test_a_worker_gives_what_nginx_gives(console, deployment, path):
    """Under the same rules: other front ends serve no files of ours."""
    served = console.scope("none").get(path, headers=BROWSER)
    with open(deployment.path("secret")) as f:
        secret = f.read().strip()
    with fcgi.Connection(deployment.path("s", "serve-0.sock")) as worker:
        told = worker.ask({
            "REQUEST_METHOD": "GET", "REQUEST_URI": path, "CONTENT_LENGTH": "",
            "MG_LISTENER": "console", "MG_SECRET": secret,
            "HTTP_ACCEPT": BROWSER["Accept"]})
    assert (told.status, told.body) == (200, served.body)
    for name in [*RULES, "Content-Type"]:
        assert told.headers[name].lower() == served.headers[name].lower(), name
    assert told.headers["Etag"] and "no-cache" in told.headers["Cache-Control"]


def test_no_file_asks_another_host_or_has_code_in_its_markup():
    for name in FILES:
        with open(os.path.join(UI, name), encoding="utf-8") as f:
            text = f.read()
        assert not re.search(r"(src|href|url|import|fetch)\W+https?://", text)
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|eval\(|"
                             r"document\.cookie|<style|\son\w+=\"", text), name


def test_for_others_the_root_is_what_it_was(console):
    assert console.get("/").status == 404
    assert console.scope("none").get("/").status == 401
    assert console.scope("none").post("/", b"", headers=BROWSER).status == 401


@pytest.mark.parametrize("path", [
    "/ui/nope.js", "/ui/..%2fsecret.conf", "/ui/.htaccess", "/ui/a/../../x",
    "/ui/%2e%2e/metrics", "/ui/../metrics", "/ui", "/uix"])
def test_what_is_no_file_of_the_console_is_not_given(console, path):
    r = console.scope("none").get(path)
    assert r.status in (400, 401, 404), r
    assert "error" in r.json and "MG_SECRET" not in r.text


def test_nothing_is_taken_below_the_pages(console):
    for method in ("POST", "PUT", "DELETE"):
        assert console.request(method, "/ui/index.html").status in (404, 405)


def test_a_page_of_another_version_is_served_no_longer(console, deployment):
    with open(deployment.path("nginx", "ui", "older.js"), "w") as f:
        f.write("1")
    os.chmod(f.name, 0o644)
    assert console.get("/ui/older.js").status == 200
    deployment.command("nginx")
    until(lambda: console.get("/ui/older.js").status == 404)
    assert console.get("/ui/app.js").status == 200


# ---- words ----

def words_of(name):
    with open(os.path.join(UI, name), encoding="utf-8") as f:
        return dict(re.findall(r"^  '([\w.-]+)': '((?:[^'\\]|\\.)*)',?$",
                               f.read(), re.M))


def test_both_languages_have_all_words():
    en, zh = words_of("en.js"), words_of("zh.js")
    assert len(en) > 50 and en.keys() == zh.keys(), en.keys() ^ zh.keys()
    for key in en:
        holes = r"\{\w+\}"
        assert sorted(re.findall(holes, en[key])) == \
            sorted(re.findall(holes, zh[key])), key
        assert en[key] and zh[key], key


def test_each_word_that_is_used_is_there_and_each_that_is_there_is_used():
    en, used, families = words_of("en.js"), set(), set()
    for name in FILES:
        if not name.endswith(".js") or name in ("en.js", "zh.js"):
            continue
        with open(os.path.join(UI, name), encoding="utf-8") as f:
            text = f.read()
        used |= set(re.findall(r"\bt\('([\w.-]+)'", text))
        families |= set(re.findall(r"\bt\(`([\w.-]+\.)\$\{", text))
    assert not used - en.keys()
    left = {k for k in en.keys() - used
            if not any(k.startswith(f) for f in families)}
    assert not left
