"""Where each member of a request goes, as tests/wire/expected/members/*.txt
says it by hand. A file:

    listener NAME PREFIX           where the endpoints below it are
    getter NAME METHOD URL BODY    how something is shown again ($V: the value)
    getter NAME SQL STATEMENT      what only machines are told: its row
    block NAME                     lines that several endpoints have

    /path VERB | after SETUP | with PATCH      an endpoint, or a way to ask it;
                                               PUT:/path: of that method
        member {several,of}.them : OUTCOME | with PATCH | value A B
        use BLOCK                  its lines, for members without own ones

The request is the endpoint's example ($U: a fresh word, $R{m}: a member of a
reply before it), `after` other examples than its own setup, merged with the
patches (null takes a member away), in which the member then gets the value.
`@` in an outcome is the member's name; `query` stands in the place of the
request's arguments; a line may have an `after` of its own. Outcomes:

    shown GETTER PATH [= VALUE]  it is there afterwards, as it was sent or thus
    known GETTER PATH = VALUE    what is there afterwards is not VALUE
    set GETTER PATH              what is there afterwards is not what was sent
    refused STATUS TEXT          (an RPC: the code), with * in the text
    selects                      another value: refused, or another answer
    beside REASON                it is taken whatever it says
"""

import fnmatch
import glob
import json
import os
import random
import re
from collections import namedtuple
from urllib.parse import parse_qsl, urlencode

from support import badinput, tables
from support.waiting import until
from support.words import fresh

WHERE = os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "wire", "expected", "members")

Getter = namedtuple("Getter", "listener method url body")
Line = namedtuple("Line", "member outcome patch values setup query")


class Table:
    """What the files say: lines[listener, prefix, path][member] and how the
    getters ask."""

    def __init__(self):
        self.wants, self.getters, self.blocks = {}, {}, {}
        for name in sorted(glob.glob(os.path.join(WHERE, "*.txt"))):
            with open(name) as f:
                self._read(f)
        self.lines = {where: self._resolve(wants)
                      for where, wants in self.wants.items()}

    def _read(self, lines):
        mount = into = options = None
        for line in lines:
            line = line.rstrip()
            word, _, rest = line.partition(" ")
            if not line or line.lstrip().startswith("#"):
                continue
            if word == "listener":
                mount = (rest.split() + [""])[:2]
            elif word == "getter":
                parts = 2 if " SQL " in line else 3
                name, method, url, body = (rest.split(" ", parts) + [""])[:4]
                assert name not in self.getters, line
                self.getters[name] = Getter(mount[0], method, url, body)
            elif word == "block":
                into, options = self.blocks.setdefault(rest, []), None
            elif line[0] != " ":
                path, *options = line.split(" | ")
                options = read_options(options)
                into = self.wants.setdefault((*mount, path.strip()), [])
            else:
                into.append((line.strip(), options or {}))

    def _resolve(self, wants):
        """The lines of an endpoint; those of a block count where it has none
        of its own for a member."""
        found = {}
        for line, options in wants:
            if not line.startswith("use "):
                for one in self._parsed(line, options):
                    found.setdefault(one.member, []).append(one)
        for line, _ in wants:
            if line.startswith("use "):
                found = {**self._resolve(self.blocks[line[4:]]), **found}
        return found

    @staticmethod
    def _parsed(line, options):
        text, *own = line.split(" | ")
        names, _, outcome = text.partition(" : ")
        own = read_options(own)
        patch = [p for p in (options.get("with"), own.get("with")) if p]
        for word in names.split():
            for member in expand(word):
                yield Line(member, outcome.strip().replace(
                    "@", member.rpartition(".")[2]), patch,
                    own.get("value", "").split(),
                    own.get("after", options.get("after")),
                    own.get("query", options.get("query")))


def read_options(parts):
    return dict(part.strip().partition(" ")[::2] for part in parts)


def expand(word):
    """a.{b,c}: a.b and a.c; groups may stand in each other."""
    at = re.search(r"\{([^{}]*)\}", word)
    if not at:
        return [word]
    return [w for one in at[1].split(",")
            for w in expand(word[:at.start()] + one + word[at.end():])]


def name_of(path):
    """The member's name in the table: without places in lists and maps."""
    return ".".join(p for p in path if p not in (0, "k"))


def members(endpoint):
    """[(path, field)] of everything that the endpoint takes."""
    return [(path, f) for path, f in badinput.fields_below(endpoint.fields)
            if not f.get("fields")]


def merge(body, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    body = dict(body) if isinstance(body, dict) else {}
    for key, value in patch.items():
        if value is None:
            body.pop(key, None)
        else:
            body[key] = merge(body.get(key), value)
    return body


def values(field, line):
    """What the member is given, one after the other."""
    if line.values:
        return [literal(v) for v in line.values]
    kind = field["type"]
    if kind == "ENUM":
        return field["names"]
    return {"STR": lambda: [fresh("v")], "BOOL": lambda: [True, False],
            "I32": lambda: [random.randint(20000, 60000)],
            "BYTES": lambda: ["AAECAw=="], "FLAG": lambda: [""],
            }.get(kind, lambda: [random.randint(10 ** 6, 10 ** 7)])()


def literal(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


class Case:
    """An endpoint with one member at one value."""

    def __init__(self, endpoint, path, line, value):
        self.endpoint, self.path, self.line = endpoint, path, line
        self.value = value
        self.word = fresh("u")

    def prepare(self, client):
        """Its setup, done."""
        names = self.line.setup
        before = self.endpoint.before(self.word) if names is None else [
            tables.find(self.endpoint, name.partition("#")[0]).request(
                self.word, name.partition("#")[2]) for name in names.split()]
        for request in before:
            r = request.send(client(request.endpoint.listener))
            assert accepted(r), f"setup {request.endpoint}: {r}"

    def send(self, client, with_member=True):
        """The request; what it says of the member only with_member."""
        request = self.endpoint.request(self.word)
        body = request.body
        if self.line.query is not None:
            request.query = self.line.query.replace("$U", self.word)
        for patch in self.line.patch:
            body = merge(body, json.loads(filled(patch, self.word)))
        field = next(f for p, f in members(self.endpoint) if p == self.path)
        if with_member:
            if "PATH" in field["flags"]:
                request.path = re.sub(r"\{%s\}" % self.path[-1],
                                      str(self.value), self.endpoint.url)
            elif "QUERY" in field["flags"]:
                request.query = with_argument(request.query, self.path[-1],
                                              self.value)
            else:
                path = self.path
                if isinstance(self.value, list):  # all of its elements
                    path = path[:-1]
                body = badinput.put(body, path, self.value)
        return request.send(client(self.endpoint.listener), body=body)

    def __str__(self):
        return f"{self.endpoint} {name_of(self.path)}={self.value!r}"


def with_argument(query, name, value):
    old = parse_qsl(query or "", keep_blank_values=True)
    return urlencode([(k, v) for k, v in old if k != name] + [(name, value)])


def filled(text, word, value=""):
    text = text.replace("$U", word).replace("$V", str(value))
    known = tables.Request.replies.get(word, {})
    return re.sub(r"\$R\{(\w+)\}", lambda m: json.dumps(known[m[1]]), text)


def accepted(reply):
    if reply.status == 202:  # TiCDC; there is no body
        return True
    if reply.status != 200:
        return False
    try:
        told = reply.json
    except ValueError:
        return True
    if isinstance(told, dict) and isinstance(told.get("status"), dict):
        return told["status"].get("code", "OK") == "OK"  # an RPC
    return not isinstance(told, dict) or told.get("error") in (None, "ERR_OK")


def refusal(reply):
    """(status or code, text)"""
    try:
        told = reply.json
    except ValueError:
        return str(reply.status), reply.text
    if isinstance(told.get("status"), dict):
        return told["status"]["code"], told["status"]["msg"]
    if reply.status == 200 and "error" in told:  # Pegasus
        return told["error"], told.get("hint_message", "")
    return str(reply.status), told.get("msg", told.get(
        "message", told.get("error_msg", "")))  # the last is TiCDC's


def at(value, path):
    """What a dotted path leads to; LookupError when there is nothing."""
    while path:
        if isinstance(value, dict) and path in value:  # a name with dots
            return value[path]
        step, _, path = path.partition(".")
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def is_value(found, sent):
    """Whether it is shown as it was sent: 64-bit numbers may be texts."""
    if isinstance(sent, list):
        return len(found) == len(sent) and all(map(is_value, found, sent))
    if isinstance(sent, bool) or isinstance(found, bool):
        return found is sent
    return found == sent or str(found) == str(sent)


class Shown:
    """A getter's answer about the case."""

    def __init__(self, table, client, case, reply, words):
        name, _, rest = " ".join(words).partition(" ")
        self.path, _, self.constant = rest.partition(" = ")
        if name == "reply":
            self.reply = reply
        elif table.getters[name].method == "SQL":
            self.reply = client.sql(filled(table.getters[name].url, case.word,
                                           case.value))
        else:
            g = table.getters[name]
            self.reply = client(g.listener).request(
                g.method, filled(g.url, case.word, case.value),
                filled(g.body, case.word, case.value).encode() or None,
                headers={"Accept": "application/json"})

    def value(self):
        return at(self.reply.json, self.path)


def differs(table, client, case):
    """What is wrong with how the case goes; "" when nothing is."""
    kind, *words = case.line.outcome.split()
    case.prepare(client)
    if kind == "selects":
        return _selects(client, case)
    r = case.send(client)
    if kind == "refused":
        status, text = refusal(r)
        fits = not accepted(r) and words[0] in ("*", status) \
            and fnmatch.fnmatchcase(text, " ".join(words[1:]) or "*")
        return "" if fits else f"{case}: {r}"
    if not accepted(r):
        return f"{case} is not taken: {r}"
    if kind == "beside":
        return "" if words else f"{case}: a reason is wanted"
    shown = Shown(table, client, case, r, words)
    try:
        found = shown.value()
    except (LookupError, ValueError, TypeError) as e:
        return f"{case} is not shown ({e!r}): {shown.reply}"
    if kind == "set":
        return "" if not is_value(found, case.value) else \
            f"{case} is shown: {shown.reply}"
    if kind == "known":
        return "" if not is_value(found, json.loads(shown.constant)) else \
            f"{case} is not known: {shown.reply}"
    assert kind == "shown", case.line
    expected = json.loads(filled(shown.constant, case.word)) \
        if shown.constant else case.value
    return "" if is_value(found, expected) else \
        f"{case} is shown as {found!r}: {shown.reply}"


def _selects(client, case):
    if "read" in case.endpoint.scope:
        base = until(lambda: _steady(client, case), "the same answer twice")
        r = case.send(client)
        return "" if (r.status, r.text) != (base.status, base.text) else \
            f"{case} makes no difference: {r}"
    r = case.send(client)
    if accepted(r):
        return f"{case} makes no difference: {r}"
    r = case.send(client, False)
    return "" if accepted(r) else f"{case.endpoint} without it: {r}"


def _steady(client, case):
    """The answer without the member, when nothing else changes it."""
    base, again = (case.send(client, False) for _ in range(2))
    assert accepted(base), base
    return base if base.text == again.text else None


def cases(table):
    """Every endpoint of one mount each, with every member and value that the
    table has a line for."""
    for endpoint in mounted(table):
        lines = table.lines.get(key(table, endpoint), {})
        for path, field in members(endpoint):
            for line in lines.get(name_of(path), []):
                for value in values(field, line):
                    yield Case(endpoint, path, line, value)


def key(table, endpoint):
    path = endpoint.path
    if endpoint.verb != "-":
        path += " " + endpoint.verb
    for method in endpoint.methods:  # "PUT:/path": of a path's methods one
        one = endpoint.listener, endpoint.prefix, f"{method}:{path}"
        if one in table.lines:
            return one
    return endpoint.listener, endpoint.prefix, path


def mounted(table):
    """Endpoints once each: what several mounts share is the same."""
    seen = set()
    for e in tables.endpoints():
        # a second mount of the same rows: /v1, a second listener
        fields = json.dumps(e.row["fields"], sort_keys=True)
        same = (e.dialect, e.prefix.removesuffix("/v1"), e.path,
                e.verb, tuple(e.methods), fields)
        if same not in seen:
            seen.add(same)
            yield e
