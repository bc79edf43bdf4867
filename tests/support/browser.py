"""Chromium without a window, by chromedriver's WebDriver protocol: Debian's
packages, and nothing beside Python."""

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from support.waiting import until

PACKAGES = {"chromedriver": "chromium-driver", "chromium": "chromium"}
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """One window. What pages say on their console is in said()."""

    def __init__(self, width=1280, height=900, dark=False, language="en"):
        for program, package in PACKAGES.items():
            assert shutil.which(program), f"missing: apt-get install {package}"
        self.folder = tempfile.mkdtemp(prefix="metagate-browser.",
                                       dir="/var/tmp")
        env = {"PATH": os.environ["PATH"], "HOME": self.folder,
               "LANG": "C.UTF-8", "TMPDIR": self.folder}
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env)
        self.session = ""
        try:
            self._begin(width, height, dark, language)
        except BaseException:
            self._end()
            raise

    def _begin(self, width, height, dark, language):
        said = b""
        while b"successfully" not in said:
            line = self.driver.stdout.readline()
            assert line, said
            said += line
        self.base = "http://127.0.0.1:%s" % re.search(
            rb"on port (\d+)\.", said)[1].decode()
        options = {"binary": shutil.which("chromium"), "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu",
            "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-sync",
            "--disable-component-update", "--hide-scrollbars",
            f"--lang={language}", f"--window-size={width},{height}",
            f"--user-data-dir={self.folder}/profile",
            *(["--force-dark-mode"] if dark else [])],
            "prefs": {"intl.accept_languages": language,
                      "download.default_directory": self.folder}}
        value = self._send("POST", "/session", {"capabilities": {
            "alwaysMatch": {"goog:chromeOptions": options,
                            "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = f"/session/{value['sessionId']}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self._send("DELETE", "", None)
        finally:
            self._end()

    def _end(self):
        self.driver.terminate()
        self.driver.wait()
        self.driver.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _send(self, method, path, body):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.base + self.session + path, data, method=method,
            headers={"Content-Type": "application/json"})
        try:
            with urllib.request.build_opener(
                    urllib.request.ProxyHandler({})).open(
                        request, timeout=120) as r:
                return json.load(r)["value"]
        except urllib.error.HTTPError as e:
            raise AssertionError(json.load(e)["value"]["message"]) from None

    # ---- what a person does ----

    def open(self, url):
        self._send("POST", "/url", {"url": url})

    def run(self, script, *args):
        """Of JavaScript, as the body of a function."""
        return self._send("POST", "/execute/sync",
                          {"script": script, "args": list(args)})

    def run_async(self, script, *args):
        return self._send("POST", "/execute/async",
                          {"script": script, "args": list(args)})

    def find(self, selector):
        """Waits for it."""
        return until(lambda: self._send("POST", "/elements", {
            "using": "css selector", "value": selector}), selector)[0][ELEMENT]

    def click(self, selector):
        self._send("POST", f"/element/{self.find(selector)}/click", {})

    def press(self, text, name="button, a"):
        """The button or link that says so."""
        assert until(lambda: self.run(
            """const [names, text] = arguments
            const e = [...document.querySelectorAll(names)].find(
                e => e.textContent.trim() === text && !e.disabled &&
                     e.offsetParent !== null)
            if (e) e.click()
            return !!e""", name, text), f"a {name} {text!r}")

    def type(self, selector, text):
        element = self.find(selector)
        self._send("POST", f"/element/{element}/clear", {})
        self._send("POST", f"/element/{element}/value", {"text": text})

    def key(self, *keys):
        """To where the focus is."""
        self._send("POST", "/actions", {"actions": [{
            "type": "key", "id": "keys", "actions": [
                {"type": kind, "value": k} for k in keys
                for kind in ("keyDown", "keyUp")]}]})

    def choose(self, label, option):
        """In the list with that label, as a person would."""
        until(lambda: self.run(
            """const [label, option] = arguments
            const s = [...document.querySelectorAll('select')].find(s =>
                s.getAttribute('aria-label') === label ||
                [...(s.labels || [])].some(l => l.textContent === label))
            const o = s && [...s.options].find(o => o.text === option)
            if (!o) return false
            s.value = o.value
            s.dispatchEvent(new Event('input', { bubbles: true }))
            s.dispatchEvent(new Event('change', { bubbles: true }))
            return true""", label, option), f"{label}: {option}")

    def text(self, selector="body"):
        return self.run("const e = document.querySelector(arguments[0])\n"
                        "return e ? e.innerText : ''", selector)

    def until_says(self, text, selector="body"):
        def says():
            shown = self.text(selector)
            assert text in shown, shown[:2000]
            return True

        until(says, f"the page says {text!r}")

    def said(self):
        """Complaints on the console since it was asked last."""
        return [line for line in self._send("POST", "/se/log",
                                            {"type": "browser"})
                if line["level"] in ("SEVERE", "WARNING")]

    def size(self, width, height):
        self._send("POST", "/goog/cdp/execute", {
            "cmd": "Emulation.setDeviceMetricsOverride",
            "params": {"width": width, "height": height,
                       "deviceScaleFactor": 1, "mobile": width < 500}})

    def picture(self, path):
        """All of the page, also what one would scroll to."""
        value = self._send("POST", "/goog/cdp/execute", {
            "cmd": "Page.captureScreenshot",
            "params": {"captureBeyondViewport": True}})
        with open(path, "wb") as f:
            f.write(base64.b64decode(value["data"]))
