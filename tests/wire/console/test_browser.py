"""The console in a browser: who may see what, in which language, and what is
shown when something is wrong."""

import json
import os
import re

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


def test_a_token_that_expires_leads_back(browser, console, deployment, fresh):
    """Time goes on in the map: its end is moved to before now."""
    name, path = fresh("t"), deployment.path("tokens.map")
    deployment.command("token", "add", name, "read", "--expires", "2099-12-31")
    with open(deployment.path("tokens", name)) as f:
        go(browser, console.using(token=f.read().strip()), "audit")
    with open(path) as f:
        text = f.read()
    assert " 4102358400" in text
    with open(path, "w") as f:
        f.write(text.replace(" 4102358400", " 1000000000"))
    other = fresh("t")
    deployment.command("token", "add", other, "read")  # nginx reads the map
    browser.until_says("has expired or was revoked")
    for t in (name, other):
        deployment.command("token", "revoke", t)


def test_a_token_for_profiles_sees_them_alone(browser, console):
    go(browser, console.scope("profile"))
    browser.until_says("Profiles", "h1")
    assert browser.text("nav").split() == ["Profiles"]


def test_both_languages_are_spoken(browser, console):
    go(browser, console, "profiles")
    browser.choose("Language", "中文")
    browser.until_says("性能剖析", "h1")
    assert browser.run("return document.documentElement.lang") == "zh-CN"
    browser.choose("语言", "English")
    browser.until_says("Profiles", "h1")
    no_complaints(browser)


# ---- pages ----

PAGES = ["overview", "topology", "jobs", "failovers", "changefeeds", "audit",
         "profiles", "configuration", "api"]


@pytest.fixture
def rows(sql, fresh):
    """A job that nobody performs, and a failover, by a name of their own."""
    name = fresh("b")
    with sql.cursor() as c:
        c.execute("INSERT INTO job (uid, queue, machine, kind, part, state,"
                  " step, steps, doing, progress, since_ms, tries, cancel,"
                  " args, shown, locks, owner, epoch, token_name, request_id,"
                  " created_ms) VALUES (%s, 'nobody', '',"
                  " 'cluster_mgr.create_cluster', 'p', 'queued', 1, 3, 'start',"
                  " 'waits for a test', 5, 0, 0, 'x', '{\"shards\": 1}', '', '',"
                  " 0, 't', '', 5)", name)
        job = c.lastrowid
        c.execute("INSERT INTO kunlun_failover (shard_id, cluster, shard,"
                  " epoch, kind, was, `is`, why, seen, suspected_ms,"
                  " decided_ms, chosen) VALUES (1, %s, 's1', 2, 'failover',"
                  " '127.0.0.1:1', '127.0.0.2:1', 'its server has ended',"
                  " '{\"a\": [1]}', 10, 20, 'has most')", name)
    yield name, job
    with sql.cursor() as c:
        c.execute("DELETE FROM job WHERE id = %s", job)
        c.execute("DELETE FROM kunlun_failover WHERE cluster = %s", name)


def to(browser, page, says):
    browser.run("location.hash = '#/' + arguments[0]", page)
    browser.until_says(says, "main")


def test_each_page_shows_what_there_is(browser, console, doris, rows):
    name, job = rows
    iid = d.instance(doris)
    doris.put("rename_instance", {"instance_id": iid, "name": "x" + iid})
    go(browser, console)
    browser.until_says("Dialects", "main")
    browser.until_says("doris", "main")
    browser.until_says("pegasus.leader", "main")
    to(browser, f"topology/doris/doris/instance/{iid}", "x" + iid)
    to(browser, "jobs", "cluster_mgr.create_cluster")
    to(browser, f"jobs/{job}", "waits for a test")
    browser.until_says('"shards": 1', "main")
    to(browser, "failovers", name)
    browser.until_says("its server has ended", "main")
    to(browser, "audit", f"instance {iid}")
    browser.type("[name=target]", f"instance {iid}")
    until(lambda: browser.run("return document.querySelectorAll("
                              "'main tbody tr').length") == 2)
    browser.press("rename_instance")
    browser.until_says("Before and after", "main")
    marked = browser.run("return [...document.querySelectorAll('.add, .del')]"
                         ".map(e => e.lastChild.data.trim())")
    assert f'"name": "x{iid}",' in marked and len(marked) <= 6, marked
    to(browser, "configuration", "serve.threads")
    browser.until_says("Tokens", "main")
    to(browser, "api", "operations")
    no_complaints(browser)


def test_a_changefeed_shows_its_lag(browser, console, deployment, fresh):
    cdc, name = deployment.client("ticdc/c1"), fresh("f")
    assert cdc.post("/api/v1/changefeeds", {
        "changefeed_id": name, "sink_uri": "blackhole://"}).status == 202
    try:
        go(browser, console, "changefeeds")
        browser.until_says(name, "main")
        browser.until_says("normal", "main")
        assert cdc.post(f"/api/v1/changefeeds/{name}/pause").status == 202
        browser.until_says("stopped", "main")  # nobody has reloaded it
    finally:
        cdc.delete(f"/api/v1/changefeeds/{name}")
    no_complaints(browser)


def test_a_read_can_be_tried(browser, console):
    go(browser, console, "api")
    browser.until_says("operations", "main")
    assert browser.run(
        "const d = [...document.querySelectorAll('details')].find(d =>"
        " d.querySelector('code').textContent === '/api/whoami')\n"
        "d.open = true; return true")
    browser.press("Try it")
    browser.until_says('"rights": [', "main")
    no_complaints(browser)


def test_no_page_complains_in_either_language(browser, console):
    with open(os.path.join(os.path.dirname(__file__),
                           "../../../nginx/ui/en.js")) as f:
        words = set(re.findall(r"'(\w+\.[\w.]+)':", f.read()))
    go(browser, console)
    for language, label in (("中文", "Language"), ("English", "语言")):
        browser.choose(label, language)
        for page in PAGES:
            browser.run("location.hash = '#/' + arguments[0]", page)
            until(lambda: browser.run(
                "return document.querySelector('nav [aria-current]').hash")
                == f"#/{page}")
            until(lambda: browser.text("main h1"))
            shown = browser.text()
            # a word that is missing shows its key
            assert not set(shown.split()) & words
            assert (language == "中文") == ("退出" in shown)
    no_complaints(browser)


def test_no_page_is_wider_than_a_telephone(browser, console):
    browser.size(390, 800)
    go(browser, console)
    for page in PAGES:
        browser.run("location.hash = '#/' + arguments[0]", page)
        until(lambda: browser.text("main h1"))
        assert browser.run("return document.documentElement.scrollWidth"
                           " <= innerWidth"), page


def test_who_may_cancel_a_job_can_and_others_see_no_button(browser, console,
                                                           sql, rows):
    _, job = rows
    go(browser, console.scope("read"), f"jobs/{job}")
    browser.until_says("waits for a test", "main")
    assert browser.run("return document.querySelectorAll('main button')"
                       ".length") == 0
    assert "Profiles" not in browser.text("nav")
    to(browser, "configuration", "serve.threads")
    assert "Tokens" not in browser.text("main")
    browser.press("Sign out")
    go(browser, console.scope("write"), f"jobs/{job}")
    browser.press("Cancel job")
    browser.press("No")
    browser.press("Cancel job")
    # the one before may still be there, closed
    until(lambda: browser.run(
        "const yes = document.querySelector('dialog[open] [value=yes]');"
        "if (yes) yes.click(); return !!yes"))
    until(lambda: console.get(f"/api/jobs/{job}").json.get("cancel"))
    until(lambda: "Cancel job" not in browser.text("main"))
    no_complaints(browser)


def test_many_things_below_one_are_shown_when_it_is_opened(browser, console,
                                                            doris):
    """And hide no other dialect."""
    iid = d.instance(doris)
    doris.put("rename_instance", {"instance_id": iid, "name": "x" + iid})
    for i in range(21):
        d.add_cluster(doris, iid, f"c{i}")
    go(browser, console, "topology")
    browser.until_says("21 below", "main")
    assert "n_c20" not in browser.text("main")
    assert {"doris", "pegasus"} <= set(browser.run(
        "return [...document.querySelectorAll('.tree h2')]"
        ".filter(e => e.offsetParent).map(e => e.textContent)"))
    browser.click(f"[aria-label='What lies below x{iid}']")
    browser.until_says("n_c20", "main")
    no_complaints(browser)


def test_parts_of_jobs_are_shown_to_who_asks(browser, console, sql, rows):
    _, job = rows
    with sql.cursor() as c:
        c.execute("INSERT INTO job (uid, queue, machine, kind, parent_id, part,"
                  " state, step, steps, doing, progress, since_ms, tries,"
                  " cancel, args, shown, locks, owner, epoch, token_name,"
                  " request_id, created_ms) SELECT CONCAT(uid, 'p'), queue,"
                  " machine, 'node_mgr.survey', id, 'q', state, step, steps,"
                  " doing, progress, since_ms, tries, cancel, args, shown,"
                  " locks, owner, epoch, token_name, request_id, created_ms"
                  " FROM job WHERE id = %s", job)
        part = c.lastrowid
    try:
        go(browser, console, "jobs")
        link = "return !!document.querySelector(`a[href='#/jobs/%d']`)"
        until(lambda: browser.run(link % job))
        assert not browser.run(link % part)
        browser.choose("Show", "with their parts")
        until(lambda: browser.run(link % part))
    finally:
        with sql.cursor() as c:
            c.execute("DELETE FROM job WHERE id = %s", part)
    no_complaints(browser)


def test_a_page_of_a_thousand_things_is_searched(browser, console, sql, fresh):
    name = fresh("m")
    with sql.cursor() as c:
        c.executemany(
            "INSERT INTO audit (at_ms, token_name, listener, operation, target,"
            " request_id) VALUES (%s, %s, 'doris', 'x', %s, %s)",
            [(i, name, f"instance {i}", f"{name}-{i}") for i in range(1000)]
            + [(0, "somebody else", f"{name} else", f"{name}-else")])
    go(browser, console, "audit")
    browser.until_says(f"{name} else", "main")
    browser.type("[name=name]", name)
    until(lambda: f"{name} else" not in browser.text("main")
          and "instance 999" in browser.text("main"))
    for n in (200, 300):
        browser.press("More")
        until(lambda: browser.run("return document.querySelectorAll("
                                  "'main tbody tr').length") == n)
    browser.type("[name=target]", "instance 12")
    until(lambda: browser.run("return document.querySelectorAll("
                              "'main tbody tr').length") == 11)
    no_complaints(browser)


def test_the_keyboard_is_enough(browser, console):
    go(browser, console)
    browser.run("location.reload()")
    browser.until_says("Dialects", "main")
    browser.key("\ue004")  # Tab: the first is the way to the content
    assert browser.run("return document.activeElement.className") == "skip"
    for _ in range(4):
        browser.key("\ue004")
    assert browser.run("return document.activeElement.textContent") == "Jobs"
    browser.key(ENTER)
    browser.until_says("Jobs", "h1")
    until(lambda: browser.run("return document.activeElement.tagName") == "H1")


@pytest.mark.fault
def test_a_store_that_is_down_is_told_and_forgotten(browser, console,
                                                    deployment):
    go(browser, console)
    browser.until_says("Dialects", "main")
    deployment.command("stop", "mariadb")
    try:
        browser.until_says("The metadata store is down", "main")
        browser.until_says("Dialects", "main")  # what was read last stays
    finally:
        deployment.command("start", "mariadb")
    until(lambda: "store is down" not in browser.text("main"),
          "it is well again", timeout=60)


# ---- profiles ----

def test_a_profile_of_the_pool_shows_our_functions(browser, console, doris):
    with Load(4, lambda _: doris.get("encode_key", query={
            "key_type": "InstanceKey", "instance_id": "i"}).status):
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
    until(lambda: browser.run(  # drawn once its width is known
        "return document.querySelectorAll('.frame.more0,.frame.less0')"
        ".length > 3"))
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
