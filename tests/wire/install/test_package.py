"""`make deb`: what is in the package, and what dpkg makes of it in a folder of
its own. A whole Debian that boots with it: tests/drills."""

import os
import re
import subprocess

import pytest

from support.deployment import ROOT

UNITS = {"metagate-serve@.socket", "metagate-serve@.service",
         "metagate-control@.service", "metagate-supervise@.service",
         "metagate-capture@.service",
         "metagate-setup.service", "metagate.target"}
DOCS = {"README.md", "INSTALLED.md", "copyright", "changelog.gz"}
FILES = {"usr/bin/metagate", "etc/logrotate.d/metagate",
         "usr/lib/sysusers.d/metagate.conf",
         "usr/lib/tmpfiles.d/metagate.conf",
         "usr/share/man/man1/metagate.1.gz",
         "usr/share/man/man1/metagate-verbs.1.gz",
         "usr/share/bash-completion/completions/metagate",
         "usr/share/zsh/vendor-completions/_metagate",
         "usr/share/fish/vendor_completions.d/metagate.fish",
         "usr/share/lintian/overrides/metagate",
         *(f"lib/systemd/system/{u}" for u in UNITS),
         *(f"usr/share/doc/metagate/{d}" for d in DOCS)}


def run(*argv, **more):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600,
                          stdin=subprocess.DEVNULL, **more)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def deb():
    path = run("make", "-s", "deb", cwd=ROOT).split()[-1]
    return os.path.join(ROOT, path)


@pytest.fixture(scope="module")
def newer(deb, tmp_path_factory):
    """The same as version 9."""
    top = tmp_path_factory.mktemp("newer")
    run("dpkg-deb", "-R", deb, f"{top}/root")
    control = top / "root/DEBIAN/control"
    control.write_text(re.sub("^Version: .*", "Version: 9",
                              control.read_text(), flags=re.M))
    run("dpkg-deb", "--root-owner-group", "-Znone", "--build", f"{top}/root",
        f"{top}/newer.deb")
    return f"{top}/newer.deb"


def test_lintian_finds_no_error(deb):
    found = subprocess.run(["lintian", "--allow-root", deb], text=True,
                           capture_output=True, timeout=600,
                           stdin=subprocess.DEVNULL)
    assert found.returncode in (0, 1) and not re.search(
        "^E: ", found.stdout, re.M), found.stdout + found.stderr


def test_a_package_holds_what_is_installed_and_belongs_to_root(deb):
    lines = [line.split(None, 5) for line in
             run("dpkg-deb", "-c", deb).splitlines()]
    assert {line[5][2:] for line in lines if line[0][0] == "-"} == FILES
    assert {line[1] for line in lines} == {"root/root"}
    assert {line[0] for line in lines if line[0][0] == "d"} == {"drwxr-xr-x"}


def test_it_names_its_libraries_and_its_configuration(deb):
    depends = run("dpkg-deb", "-f", deb, "Depends")
    for library in ("libfcgi0ldbl (>= 2.4.2-2+deb12u1)", "libmariadb3 (",
                    "libc6 (", "libgoogle-perftools4 ("):
        assert library in depends
    assert run("dpkg-deb", "-I", deb, "conffiles").split() == [
        "/etc/logrotate.d/metagate"]


def test_the_same_tree_gives_the_same_bytes(deb):
    with open(deb, "rb") as f:
        before = f.read()
    run("make", "-s", "deb", cwd=ROOT)
    with open(deb, "rb") as f:
        assert f.read() == before


def test_names_of_functions_stay_for_profiles(deb, tmp_path):
    run("dpkg-deb", "-x", deb, str(tmp_path))
    binary = f"{tmp_path}/usr/bin/metagate"
    assert " T doris_instance_rename\n" in run("nm", binary)
    assert ".debug_info" not in run("readelf", "-SW", binary)


def test_the_manual_page_names_every_command(deb, tmp_path):
    run("dpkg-deb", "-x", deb, str(tmp_path))
    page = run("gzip", "-dc", f"{tmp_path}/usr/share/man/man1/metagate.1.gz")
    with open(f"{ROOT}/fcgi/base/commands.def") as f:
        commands = re.findall(r'^COMMAND\("([a-z-]+)"', f.read(), re.M)
    named = [n.replace("\\", "") for n in
             re.findall(r"^\.TP\n\.B ([a-z\\-]+)", page, re.M)]
    assert named == commands and len(commands) > 10
    assert not re.search("@[A-Z]+@", page)


def test_a_version_without_a_word_of_what_changed_is_refused():
    done = subprocess.run([".package/deb"], cwd=ROOT, text=True, timeout=60,
                          capture_output=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "VERSION": "77"})
    assert done.returncode == 1
    assert done.stderr == "deb: .package/debian/changelog begins with" \
        " another version than 77\n"


# ---- dpkg, on a folder ----

class Host:
    """A folder that dpkg takes for a host; nothing runs there."""

    def __init__(self, root):
        self.root = root
        for folder in ("info", "updates", "triggers"):
            (root / "var/lib/dpkg" / folder).mkdir(parents=True)
        for name in ("status", "available"):
            (root / "var/lib/dpkg" / name).touch()
        (root / "etc").mkdir()

    def dpkg(self, *args):
        return run("dpkg", f"--root={self.root}", "--force-depends",
                   "--force-script-chrootless", "--force-confold", *args)

    def found(self):
        """What is there beside dpkg's own and the files of accounts."""
        paths = {os.path.relpath(os.path.join(where, name), self.root)
                 for where, folders, names in os.walk(self.root)
                 for name in names + [f for f in folders if os.path.islink(
                     os.path.join(where, f))]}
        return {p for p in paths if not re.match(
            r"var/lib/dpkg/|etc/(\.pwd\.lock|g?shadow|passwd|group)", p)}

    def accounts(self):
        return {line.split(":")[0] for name in ("passwd", "group")
                for line in (self.root / "etc" / name).read_text().split()}


@pytest.fixture
def host(tmp_path):
    root = tmp_path / "host"
    root.mkdir()
    return Host(root)


def as_root():
    """dpkg and the tools of accounts ask for it."""
    return os.geteuid() == 0


def test_dpkg_installs_upgrades_goes_back_and_purges(host, deb, newer):
    if not as_root():
        return
    told = host.dpkg("-i", deb)
    assert "/usr/share/doc/metagate/INSTALLED.md" in told
    assert FILES <= host.found() and host.accounts() == {"metagate"}
    kept = host.root / "var/lib/metagate/metagate.ini"
    kept.write_text("[core]\n")
    conf = host.root / "etc/logrotate.d/metagate"
    conf.write_text("# mine\n")
    for package, was in ((newer, "0.1.0"), (deb, "9")):
        assert f"metagate: {was} goes on until" in host.dpkg("-i", package)
        assert kept.exists() and conf.read_text() == "# mine\n"
    host.dpkg("-r", "metagate")
    assert host.found() == {"etc/logrotate.d/metagate",
                            "var/lib/metagate/metagate.ini",
                            "var/lib/metagate/s"}
    host.dpkg("-P", "metagate")
    assert host.found() == set() and host.accounts() == set()
    assert not (host.root / "var/lib/metagate").exists()


def test_purging_ends_links_of_units_that_were_enabled(host, deb):
    if not as_root():
        return
    host.dpkg("-i", deb)
    wants = host.root / "etc/systemd/system/metagate.target.wants"
    wants.mkdir(parents=True)
    (wants / "metagate-serve@2.service").symlink_to(
        "/lib/systemd/system/metagate-serve@.service")
    host.dpkg("-P", "metagate")
    assert host.found() == set() and not wants.exists()
