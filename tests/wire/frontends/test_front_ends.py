"""Other front ends than nginx, by what `metagate front` prints: the wire
tests of a dialect, run again behind each of them."""

import os
import re
import subprocess
import sys

import pytest

from support.deployment import ROOT
from support.front import own_deployment
from support.listeners import ALL

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


def test_every_kind_says_how_it_is_used():
    with own_deployment() as own:
        kinds = own.command("front", "x", check=False)
        assert kinds.returncode == 2
        kinds = kinds.stderr.partition("is one of ")[2].split()
        assert kinds == ["apache", "caddy", "haproxy", "lighttpd"]
        for kind in kinds:
            text = own.command("front", kind).stdout
            assert "check_tokens = yes" in text.replace("\n# ", " ")
            assert not re.search("@[A-Z_]+@", text)
            for name, machine, port in ALL:
                name = name.replace("127.0.0", own.net)
                assert name in text and f"{port}" in text, (kind, name)


def test_listeners_that_are_off_are_in_none_and_moved_ones_where_they_are():
    with own_deployment() as own:
        text = own.command("front", "haproxy", environment={
            "METAGATE_LISTEN_DORIS": "off",
            "METAGATE_LISTEN_CONSOLE": "[::1]:18080",
            "METAGATE_SERVE_WORKERS": "3"}).stdout
        assert "name doris\n" not in text and "name doris-fe\n" in text
        assert "bind [::1]:18080 name console\n" in text
        assert "serve-2.sock" in text and "serve-3.sock" not in text
