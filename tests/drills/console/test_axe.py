"""What axe-core finds on each page of the console, in both lights; it comes
from npm."""

import os
import shutil
import subprocess

import pytest

from support import doris as d
from support.deployment import ROOT
from support.waiting import until
from wire.console.test_browser import (  # noqa: F401
    PAGES, browser, go, rows, to, window)

pytestmark = pytest.mark.profile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(ROOT, "build", "drill-console")


@pytest.fixture(scope="module")
def axe():
    os.makedirs(BUILD, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(os.path.join(HERE, name), BUILD)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"],
                   cwd=BUILD, check=True, timeout=600)
    with open(f"{BUILD}/node_modules/axe-core/axe.min.js") as f:
        return f.read()


def violations(browser, axe):
    browser.run(axe)
    return browser.run_async(
        "axe.run().then(r => arguments[0](r.violations.map(v =>"
        " [v.id, v.help, v.nodes.map(n => n.html.slice(0, 200))])))")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_no_page_has_a_violation(browser, console, doris, rows, axe, theme):
    _, job = rows
    iid = d.instance(doris)
    go(browser, console)
    browser.choose("Colours", theme)
    found = {}
    for page in [*PAGES, f"jobs/{job}", f"topology/doris/doris/instance/{iid}"]:
        to(browser, page, "")
        until(lambda: browser.text("main h1"))
        if page == "profiles":
            browser.choose("Kind", "Heap growth")
            browser.press("Collect")
            browser.until_says("Functions", "main")
            browser.type("#search", "main")
        if page == "audit":
            browser.press("create_instance")
            browser.until_says("Before and after", "main")
        if page == "api":
            browser.run("document.querySelectorAll('details')"
                        ".forEach((d, i) => { d.open = i < 12 })")
        found[page] = violations(browser, axe)
    browser.press("Sign out")
    found["login"] = violations(browser, axe)
    assert not {page: v for page, v in found.items() if v}
