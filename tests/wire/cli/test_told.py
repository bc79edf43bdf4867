"""What the table of verbs tells of itself: completion and the manual page."""

import re
import subprocess

import pytest

from support.cli import OK, USAGE

BASH = """. "$1"; shift; COMP_WORDS=(metagate "$@"); COMP_CWORD=$#; _metagate
printf '%s\\n' "${COMPREPLY[@]}" """
ZSH = """compdef() { :; }; compadd() { shift; print -rl -- "$@"; }
_files() { :; }
. "$1"; shift; words=(metagate "$@"); CURRENT=$(($# + 1)); _metagate"""
FISH = """source $argv[1]
complete -C (string join ' ' -- metagate $argv[2..-1])"""
SHELLS = {"bash": ["bash", "-c", BASH, "bash"], "zsh": ["zsh", "-fc", ZSH,
          "zsh"], "fish": ["fish", "-N", "-c", FISH]}


def completed(shell, script, *words):
    done = subprocess.run([*SHELLS[shell], script, *words],
                          capture_output=True, text=True)
    assert done.stderr == "", done
    return {line.split("\t")[0] for line in done.stdout.splitlines()}


@pytest.fixture(params=["bash", "zsh", "fish"])
def complete(request, mg, tmp_path):
    done = mg("completion", request.param)
    assert done.returncode == OK, done
    script = tmp_path / "script"
    script.write_text(done.stdout)
    return lambda *words: completed(request.param, str(script), *words)


def test_what_may_follow_is_completed(complete):
    assert complete("") >= {"up", "status", "job", "doris", "cluster"}
    assert complete("doris", "") == {"instance", "cluster", "node", "vault"}
    assert complete("job", "") == {"list", "show", "cancel"}
    assert complete("doris", "instance", "") >= {"create", "drop"}
    assert complete("job", "list", "--") >= {"--state", "--watch", "--url"}
    assert complete("job", "list", "--state", "open", "--") >= {"--kind"}


def test_what_an_option_may_be_is_completed(complete):
    """Where nobody knows, it may be a file: nothing of ours is offered."""
    assert complete("job", "list", "-o", "") == {
        "table", "wide", "json", "name"}
    assert complete("job", "list", "--kind", "a", "--state", "") >= {
        "open", "done"}
    assert complete("topology", "show", "--level", "") == {"ok", "warn", "bad"}
    for option in ("--token-file", "--kind"):
        assert not complete("job", "list", option, "") & {
            "--state", "-o", "table", "open"}
    assert complete("job", "list", "-o", "json", "") >= {"--state"}


def test_what_was_begun_is_taken_up(mg, tmp_path):
    script = tmp_path / "script"
    script.write_text(mg("completion", "bash").stdout)
    assert completed("bash", str(script), "job", "ca") == {"cancel"}
    assert mg("completion", "csh").returncode == USAGE


def test_the_manual_is_clean_and_has_every_verb(mg, tmp_path):
    page = tmp_path / "metagate-verbs.1"
    page.write_text(mg("man").stdout)
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning",
                           str(page)], capture_output=True, text=True)
    assert done.stdout + done.stderr == ""
    text = subprocess.run(["mandoc", "-T", "ascii", str(page)], check=True,
                          capture_output=True, text=True).stdout
    text = re.sub(".\x08", "", text)
    told = mg("--help").stdout.partition("NOUN VERB")[2]
    for line in told.partition("--run-dir")[0].splitlines()[1:]:
        for verb in filter(None, line[20:].split(", ")):
            assert re.search(rf"^ +{line[2:20].strip()} {verb}\b", text,
                             re.M), (line, verb)
    ends = text.partition("EXIT STATUS")[2].partition("SEE ALSO")[0]
    assert re.findall(r"^ +([0-9]) ", ends, re.M) == list("012345678")


@pytest.mark.profile
def test_profiles_are_put_out_as_they_are(mg):
    done = mg("profile", "worker-cpu", "0", "--seconds", "0")
    assert done.returncode == OK and "[stack]" in done.stdout, done.stderr
    done = mg("profile", "role-heap", "control-m1", "--format", "collapsed")
    assert done.returncode == OK, done


def test_the_manual_of_one_noun(mg):
    one = mg("man", "job").stdout
    assert ".Ss \\&job" in one and ".Ss \\&topology" not in one
