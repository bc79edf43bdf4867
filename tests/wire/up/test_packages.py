"""make deps: what is missing is named, and nothing else is touched."""

import os
import shutil
import subprocess

import pytest

from support import nets
from support.box import listener

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
DEPS = os.path.join(ROOT, ".package", "deps")


@pytest.fixture
def deps(tmp_path):
    """Runs it with an apt-get, a sudo and a dpkg-query of the test."""
    os.chmod(tmp_path, 0o755)
    for parent in list(tmp_path.parents)[:2]:
        os.chmod(parent, 0o755)
    script = tmp_path / "deps"
    shutil.copy(DEPS, script)
    calls = tmp_path / "calls"
    calls.touch()
    calls.chmod(0o666)

    def program(name, text):
        path = tmp_path / name
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)

    def run(*groups, installed=None, user=None, version="99"):
        program("apt-get", f'echo "apt-get $*" >>{calls}; exit 1\n')
        program("sudo", f'echo "sudo $*" >>{calls}; exit 1\n')
        if installed is not None:
            program("dpkg-query", "".join(
                ["case $* in *Version*) echo ", version, "; exit ;; esac\n",
                 *(f"echo 'installed {p},'\n" for p in installed)]))
        prefix = [] if user is None or os.geteuid() != 0 else [
            "setpriv", f"--reuid={user}", "--regid=nogroup", "--clear-groups"]
        done = subprocess.run(
            [*prefix, str(script), *groups], capture_output=True, text=True,
            timeout=60, cwd="/", env={
                "PATH": f"{tmp_path}:/usr/bin:/bin:/usr/sbin:/sbin"})
        return done, calls.read_text()
    return run


def listed(*groups):
    return subprocess.run([DEPS, "--list", *groups], capture_output=True,
                          text=True, check=True).stdout.split()


def test_nothing_is_asked_of_the_network_when_nothing_is_missing(deps):
    done, calls = deps("run", "build", installed=listed("run", "build"))
    assert (done.returncode, done.stdout, calls) == (0, "", "")


def test_an_ordinary_user_is_told_the_one_command(deps):
    have = listed("run", "build")
    have.remove("nginx")
    have.remove("libfcgi-dev")
    done, calls = deps(installed=have, user="nobody")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == \
        "apt-get update && apt-get install --no-install-recommends" \
        " libfcgi-dev nginx"
    assert "apt-get" not in calls  # sudo was asked, and refused


def test_a_libfcgi_with_a_known_hole_is_missing(deps):
    done, _ = deps("--tell", "build", installed=listed("build"),
                   version="2.4.2-1")
    assert done.stderr.endswith("installs them): libfcgi-dev\n")


def test_what_another_package_provides_is_not_missing(deps):
    have = [p for p in listed("bench") if p != "npm"]
    have = [p + ",npm" if p == "nodejs" else p for p in have]
    done, calls = deps("bench", installed=have)
    assert (done.returncode, calls) == (0, "")


def test_an_unknown_group_is_refused(deps):
    done, _ = deps("nosuch")
    assert done.returncode == 1 and "unknown group nosuch" in done.stderr


def test_what_is_missing_can_be_told_without_installing_it(deps):
    have = listed("run", "build")
    have.remove("gcc")
    done, calls = deps("--tell", "run", "build", installed=have)
    assert (done.returncode, calls) == (0, "")
    assert done.stderr == "missing packages (`make deps` installs them): gcc\n"


def make(*words, **environment):
    """What make would do."""
    return subprocess.run(
        ["make", "-n", *words], capture_output=True, text=True, cwd=ROOT,
        timeout=60, env={"PATH": os.environ["PATH"], **environment}).stdout


def test_the_tests_install_what_they_need_first():
    assert make("test").splitlines() == [".package/deps run build test comp",
                                         "tests/run"]


def test_the_compiler_is_gcc_unless_it_is_said(tmp_path):
    target = f"B={tmp_path}/release", f"{tmp_path}/release/fcgi/base/arena.o"
    assert "\ngcc -std" in make(*target)
    assert "\nclang -std" in make(*target, CC="clang")
    assert "\nclang -std" in make(*target, "CC=clang")


def test_taken_ports_are_told_before_the_build(tmp_path):
    def look(net):
        return subprocess.run(
            [os.path.join(ROOT, ".package", "ports"), f"{tmp_path}/run", net],
            capture_output=True, text=True, timeout=60)

    net, lock = nets.claim()
    try:
        held = listener(net + ".1", 12100)
        done = look(net)
        held.close()
        assert done.returncode == 1
        assert f"  12100 at {net}.1\n" in done.stderr
        assert look(net).returncode == 0
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "metagate.ini").touch()
        held = listener(net + ".1", 12100)
        assert look(net).returncode == 0  # `up` looks for itself
        held.close()
    finally:
        os.close(lock)


def test_services_that_came_along_are_disabled(tmp_path):
    """Of packages that were not there before, whether they are of systemd or
    older; a template is nothing that starts."""
    calls = tmp_path / "calls"
    for name, text in (
            ("dpkg", "printf '%s\\n' /etc/init.d/web "
                     "/lib/systemd/system/web.service "
                     "/usr/lib/systemd/system/web.socket "
                     "/lib/systemd/system/clean.timer "
                     "/lib/systemd/system/web@.service /etc/web.service\n"),
            ("systemctl", f'echo "systemctl $*" >>{calls}\n'),
            ("update-rc.d", f'echo "update-rc.d $*" >>{calls}\n')):
        (tmp_path / name).write_text("#!/bin/sh\n" + text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "before").write_text("old\n")
    (tmp_path / "after").write_text("old\nweb\n")
    with open(DEPS) as f:
        functions, begin, _ = f.read().partition("\nwork=$(mktemp -d)\n")
    assert begin
    subprocess.run(["/bin/sh", "-c", f"{functions}\nwork={tmp_path}\n"
                    "disable_services"], check=True, timeout=60, env={
                        "PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert sorted(calls.read_text().splitlines()) == [
        "systemctl disable clean.timer", "systemctl disable web.service",
        "systemctl disable web.socket", "update-rc.d web disable"]
