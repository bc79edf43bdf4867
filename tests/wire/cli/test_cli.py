"""metagate <noun> <verb>: by the deployment's own binary, as an operator has
it."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unicodedata

import pytest

from support import doris as d
from support.cli import AWAY, DENIED, FAILED, OK, UNKNOWN, USAGE, document
from support.waiting import until


def test_a_list_as_json_is_what_the_api_answers(mg, console):
    for words, path in ((("duty", "list"), "/api/duties"),
                        (("config", "list"), "/api/config"),
                        (("topology", "show", "--dialect", "pegasus"),
                         "/api/topology?dialect=pegasus")):
        path, _, query = path.partition("?")

        def names(o):
            return [i["name"] for i in o["items"]]

        def same():  # a lease may come or go between the two
            said = names(document(mg(*words, "-o", "json")))
            told = names(console.get(path, query=query or None).json)
            assert said == told and len(said) > 1, words
            return True
        until(same)


def test_pages_are_followed_and_cut(mg, doris):
    ids = {d.instance(doris) for _ in range(3)}
    audit = document(mg("audit", "list", "-o", "json"))["items"]
    assert len({a["id"] for a in audit}) == len(audit) >= 3
    some = document(mg("audit", "list", "--limit", "2", "-o", "json"))
    assert [a["id"] for a in some["items"]] == [a["id"] for a in audit[:2]]
    named = mg("topology", "--kind", "instance", "-o", "name").stdout.split()
    assert ids <= {n.rpartition("/")[2] for n in named}


def test_the_topology_is_a_tree(mg, doris):
    iid = d.instance(doris)
    d.add_cluster(doris, iid, "c1")
    lines = mg("topology", "-o", "wide").stdout.splitlines()
    at, = [i for i, line in enumerate(lines)
           if f"doris/cluster/{iid}/c1" in line]
    assert re.match(r"^\W+n_c1", lines[at]), lines[at]
    assert not lines[0].startswith(" ")


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


def test_wide_characters_are_aligned(mg, doris):
    narrow, wide = d.instance(doris, name="abcd"), d.instance(doris, name="集群")
    out = mg("topology", "--kind", "instance", "-o", "wide").stdout
    rows = {i: line for i in (narrow, wide) for line in out.splitlines()
            if i in line}
    before = [width(rows[i].partition(" instance ")[0])
              for i in (narrow, wide)]
    assert before[0] == before[1], rows
    assert "集群" in rows[wide]


def on_terminal(deployment, *words, **env):
    """What a terminal of 200 columns is shown."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    done = subprocess.Popen(deployment.argv(*words), stdout=theirs,
                            stdin=subprocess.DEVNULL, cwd="/",
                            env={**deployment.env(), "TERM": "xterm", **env})
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert done.wait() == OK
    return said.decode()


def test_there_is_no_colour_but_on_a_terminal(mg, deployment):
    words = "pegasus", "node", "list"
    assert "\033[" in on_terminal(deployment, *words)
    assert "\033" not in on_terminal(deployment, *words, NO_COLOR="1")
    assert "\033" not in on_terminal(deployment, *words, TERM="dumb")
    assert "\033" not in mg(*words).stdout


def test_what_is_watched_is_shown_again(deployment):
    watch = subprocess.Popen(
        deployment.argv("duty", "list", "--watch=1"), stdout=subprocess.PIPE,
        text=True, env=deployment.env(), stdin=subprocess.DEVNULL, cwd="/")
    try:
        heads = 0
        for line in watch.stdout:
            heads += line.startswith("NAME ")
            if heads == 2:
                break
        assert heads == 2
    finally:
        watch.kill()
        watch.wait()


@pytest.mark.parametrize("words, status, text", [
    (["job", "show", "99999999"], UNKNOWN, "there is no job"),
    (["job", "show", "x"], FAILED, ""),
    (["job", "lsit"], USAGE, "did you mean list?"),
    (["jbo"], USAGE, "did you mean job?"),
    (["job", "list", "--stat", "open"], USAGE, "did you mean --state?"),
    (["job", "list", "word"], USAGE, "a word too many"),
    (["job", "cancel"], USAGE, "missing: ID"),
    (["job", "cancel", "1"], USAGE, "--yes"),
    (["job", "cancel", "99999999", "-y"], UNKNOWN, "there is no job"),
    (["job", "list", "-o", "yaml"], USAGE, "off"),
    (["job", "list", "--limit", "x"], USAGE, "off"),
    (["job", "list", "--wait"], USAGE, "nothing is to be waited for"),
    (["job", "list", "--dry-run"], USAGE, "it changes nothing"),
    (["audit", "list", "--dialect", "nobody"], FAILED, "no dialect is called"),
    (["job", "list", "--url", "http://127.0.0.1:1"], AWAY, "no answer"),
    (["job", "list", "--context", "nobody"], USAGE, "")])
def test_how_it_ends(mg, words, status, text):
    done = mg(*words)
    assert (done.returncode, text in done.stderr) == (status, True), done


def test_another_host_by_url_and_token(mg, console, tmp_path):
    base = f"http://{console.host}:{console.port}"
    token = tmp_path / "token"
    token.write_text(console.scope("read").token + "\n")
    who = document(mg("whoami", "--url", base, "--token-file", str(token),
                      "-o", "json"))
    assert who["rights"] == ["read"]
    contexts = tmp_path / "contexts"
    contexts.write_text(f"# name url token\nhere {base} {token}\n")
    env = {"METAGATE_CONTEXTS": str(contexts), "METAGATE_CONTEXT": "here"}
    assert document(mg("whoami", "-o", "json", **env)) == who
    done = mg("token", "show", **env)
    assert done.returncode == DENIED and "scope admin" in done.stderr, done
    assert mg("whoami", "--context", "there", **env).returncode == USAGE


def test_without_a_deployment_it_says_what_to_name(mg, tmp_path):
    done = mg("--run-dir", str(tmp_path), "job", "list")
    assert done.returncode == USAGE and "--url" in done.stderr, done


def verbs(mg):
    """(noun, verb) of the whole table, as help tells it."""
    out = mg("--help").stdout
    lines = out.partition("NOUN VERB")[2].partition("--run-dir")[0].splitlines()
    return [(line[2:20].strip(), verb) for line in lines[1:] if line.strip()
            for verb in line[20:].split(", ")]


def test_every_verb_has_help(mg):
    all_verbs = verbs(mg)
    assert len(all_verbs) > 15
    for noun, verb in all_verbs:
        done = mg(*noun.split(), verb, "--help")
        assert done.returncode == OK, done
        assert done.stdout.startswith(f"usage: metagate {noun} {verb}"), done
        whole = mg(*noun.split(), "--help").stdout
        assert f"  {noun} {verb}" in whole
    assert "doris node add" not in mg("doris", "cluster", "--help").stdout
    assert "doris node add" in mg("doris", "--help").stdout


def test_a_command_keeps_its_form_beside_a_noun_of_its_name(mg):
    assert "#listen" not in mg("config", "list").stdout
    assert "# " in mg("config").stdout
    assert "last use" in mg("token", "list").stdout


def test_help_of_a_noun(mg):
    assert mg("help", "job").stdout == mg("job", "--help").stdout
