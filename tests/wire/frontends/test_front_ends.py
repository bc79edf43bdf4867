"""Other front ends than nginx, by the examples in nginx/examples: the wire
tests of a dialect, run again behind each of them."""

import os
import re
import subprocess
import sys

import pytest

from support.deployment import ROOT

TESTS = ["tests/wire/doris/test_form.py", "tests/wire/doris/test_instance.py",
         "tests/wire/doris/test_cluster.py",
         "tests/wire/console/test_console.py",
         "tests/wire/frontends/behind.py"]


@pytest.mark.limit(600)
@pytest.mark.parametrize("kind", ["lighttpd", "haproxy", "apache",
                                  "caddy"])
def test_the_wire_tests_pass_behind_it(kind):
    env = {**os.environ, "METAGATE_TEST_FRONT": kind,
           "METAGATE_TEST_COVERAGE": "", "METAGATE_TEST_RESULTS": ""}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", "tests/pytest.ini",
         "--rootdir", "tests", "-k", "not v1",
         "-m", "not fault and not config and not profile", *TESTS],
        cwd=ROOT, env=env, capture_output=True, text=True,
        stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-6000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 150


def test_every_example_says_how_it_is_used():
    folder = os.path.join(ROOT, "nginx", "examples")
    for name in ("apache.cfg", "lighttpd.cfg", "haproxy.cfg", "Caddyfile"):
        with open(os.path.join(folder, name)) as f:
            text = f.read()
        assert "check_tokens = yes" in text and "MG_LISTENER" in text


# Debian's own file, but for what the example says of it
DEBIAN_HAPROXY = """global
    user haproxy
    stats timeout 30s
    daemon
defaults
    log global
    mode http
    option httplog
    option dontlognull
    timeout connect 5000
    timeout client  50000
    timeout server  50000
"""


def test_the_haproxy_example_stands_beside_another_file(tmp_path):
    with open(os.path.join(ROOT, "nginx/examples/haproxy.cfg")) as f:
        text = f.read()
    ports = iter(range(20000, 30000))
    text = re.sub(r"@[A-Z_0-9]+_PORT@", lambda _: str(next(ports)), text)
    for name, value in (("SOCKETS", tmp_path), ("EMPTY", tmp_path),
                        ("HOST", "127.0.0.1"), ("GROUP_NAME", "haproxy")):
        text = text.replace(f"@{name}@", str(value))
    assert not re.search("@[A-Z_]+@", text)
    (tmp_path / "debian.cfg").write_text(DEBIAN_HAPROXY)
    (tmp_path / "example.cfg").write_text(text)
    done = subprocess.run(
        ["haproxy", "-c", "-q", "-f", str(tmp_path / "debian.cfg"), "-f",
         str(tmp_path / "example.cfg")], capture_output=True, text=True,
        env={"PATH": os.environ["PATH"] + ":/usr/sbin"}, timeout=30)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
