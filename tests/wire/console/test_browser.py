"""The console in a browser: who may see what, in which language, and what is
shown when something is wrong."""

import json

import pytest

from support import doris as d
from support.browser import Browser
from support.load import Load
from support.waiting import until

pytestmark = pytest.mark.profile

ENTER, DOWN, ESCAPE = "\ue007", "\ue015", "\ue00c"


@pytest.fixture(scope="module")
def window():
    with Browser() as b:
        yield b


@pytest.fixture
def browser(window, console):
    """Signed out, in English, nothing kept; and nothing complained of."""
    window.open(f"http://{console.host}:{console.port}/ui/icon.svg")
    window.size(1280, 900)
    window.run("sessionStorage.clear(); localStorage.clear();"
               "localStorage.setItem('metagate.language', 'en')")
    window.run_async("const r = indexedDB.deleteDatabase('metagate')\n"
                     "r.onsuccess = r.onerror = r.onblocked = arguments[0]")
    window.said()
    yield window


def go(browser, client, page=""):
    """Signs in with the client's token."""
    browser.open(f"http://{client.host}:{client.port}/#/{page}")
    browser.type("#token", client.token)
    browser.key(ENTER)
    browser.until_says("Sign out")


def no_complaints(browser):
    assert browser.said() == []


# ---- who ----

def test_a_wrong_token_is_told(browser, console):
    browser.open(f"http://{console.host}:{console.port}/")
    browser.type("#token", "nobody")
    browser.key(ENTER)
    browser.until_says("does not know that token")
    assert browser.run("return sessionStorage.length") == 0


def test_the_token_is_in_no_url_and_no_cookie(browser, console):
    go(browser, console)
    where = browser.run(
        "return [location.href, document.cookie, JSON.stringify(localStorage),"
        " ...performance.getEntriesByType('resource').map(e => e.name)]")
    assert not [w for w in where if console.token in w]
    assert browser.run("return sessionStorage.getItem('metagate.token')") == \
        console.token
    browser.press("Sign out")
    browser.find("#token")
    assert browser.run("return sessionStorage.length") == 0
    no_complaints(browser)


def test_a_token_that_is_revoked_leads_back(browser, console, deployment,
                                            fresh):
    name = fresh("t")
    deployment.command("token", "add", name, "admin")
    with open(deployment.path("tokens", name)) as f:
        go(browser, console.using(token=f.read().strip()), "profiles")
    deployment.command("token", "revoke", name)
    browser.press("Collect")
    browser.until_says("has expired or was revoked")
    assert browser.run("return sessionStorage.length") == 0


def test_a_token_for_profiles_sees_them_alone(browser, console):
    go(browser, console.scope("profile"))
    browser.until_says("Profiles", "h1")
    assert browser.run("return document.querySelectorAll('nav a').length") == 1


def test_both_languages_are_spoken(browser, console):
    go(browser, console, "profiles")
    browser.choose("Language", "中文")
    browser.until_says("性能剖析", "h1")
    assert browser.run("return document.documentElement.lang") == "zh-CN"
    browser.choose("语言", "English")
    browser.until_says("Profiles", "h1")
    no_complaints(browser)


# ---- profiles ----

def test_a_profile_of_the_pool_shows_our_functions(browser, console, doris):
    iid = d.instance(doris)
    with Load(4, lambda _: doris.get(
            "get_instance", query={"instance_id": iid}).status):
        go(browser, console, "profiles")
        browser.type("input[type=number]", "2")
        browser.press("Collect")
        browser.until_says("Functions")
    frames = browser.run("return [...document.querySelectorAll('.frame')]"
                         ".map(f => f.textContent)")
    assert [f for f in frames if f.startswith("doris_")], frames
    assert "dispatch" in frames
    # search, zoom by mouse and back by the keyboard
    browser.type("#search", "doris_")
    browser.until_says("match", ".flame-found")
    hit = browser.run("return document.querySelector('.hit').textContent")
    assert hit.startswith("doris_")
    browser.run("document.querySelector('.hit').click()")
    browser.until_says("Zoom out")
    assert browser.run("return document.querySelector('.hit').offsetWidth"
                       " >= document.querySelector('.flame').offsetWidth - 2")
    browser.run("document.querySelector('.hit').focus()")
    browser.key(ESCAPE)
    until(lambda: "Zoom out" not in browser.text())
    browser.key(DOWN)
    assert browser.run("return document.activeElement.ariaLevel") == "2"
    no_complaints(browser)


def test_two_profiles_are_compared_and_given(browser, console):
    go(browser, console, "profiles")
    for kind in ("Heap growth", "Heap growth"):
        browser.choose("Kind", kind)
        n = browser.run("return document.querySelectorAll("
                        "'.history tbody tr').length")
        browser.press("Collect")
        until(lambda: browser.run("return document.querySelectorAll("
                                  "'.history tbody tr').length") > n)
    other = browser.run(
        "return [...document.querySelectorAll('select')].at(-1).options[1]"
        ".text")
    browser.choose("Compare with", other)
    browser.until_says("Change of self")
    assert browser.run("return document.querySelectorAll('.frame.more0,"
                       ".frame.less0').length > 3")
    # the folded form is what a flame graph tool takes
    given = json.loads(browser.run_async("""
        const done = arguments[0], make = URL.createObjectURL
        URL.createObjectURL = b => {
            b.text().then(t => done(JSON.stringify(t)))
            return make(b)
        }
        ;[...document.querySelectorAll('button')]
            .find(b => b.textContent === 'Download folded').click()"""))
    stacks = [line.rpartition(" ") for line in given.splitlines()]
    assert len(stacks) > 3 and all(n.isdigit() for _, _, n in stacks)
    assert any("main" in s.split(";") for s, _, _ in stacks), given[:500]
    no_complaints(browser)


def test_nothing_that_happened_is_told_with_what_to_do(browser, console):
    go(browser, console, "profiles")
    browser.choose("Process", "control-m3")
    browser.type("input[type=number]", "1")
    browser.press("Collect")
    browser.until_says("Kept in this browser")
    until(lambda: "No samples." in browser.text() or
          "Functions" in browser.text())
    no_complaints(browser)


def test_the_last_20_are_kept(browser, console):
    go(browser, console, "profiles")
    browser.run_async("""
        const done = arguments[0], r = indexedDB.open('metagate', 1)
        r.onsuccess = () => {
            const tx = r.result.transaction('profiles', 'readwrite')
            for (let i = 0; i < 20; i++)
                tx.objectStore('profiles').add({ target: 'pool', kind: 'cpu',
                    seconds: i, at: Date.now(), unit: 'us', note: '',
                    folded: 'a;b 1', raw: new ArrayBuffer(8) })
            tx.oncomplete = () => { r.result.close(); done() }
        }""")
    browser.choose("Kind", "Heap growth")
    browser.press("Collect")
    browser.until_says("Heap growth", ".history")
    assert browser.run("return document.querySelectorAll("
                       "'.history tbody tr').length") == 20
    assert "· 0 s" not in browser.text(".history")
    no_complaints(browser)
