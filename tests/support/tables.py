"""The product's tables as `metagate routes --tests` prints them: endpoints
with their inputs, checks, examples, and how each dialect words a refusal."""

import functools
import json
import os
import re
import subprocess

from support.words import fresh

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BINARY = os.path.join(ROOT, "build",
                      os.environ.get("METAGATE_TEST_BUILD", "asan"),
                      "metagate")

# How each form shows a failure: reply -> (code, text); code "-" is bare text,
# which shows none, also of a row that has one (for who asks for JSON).
FORMS = {
    "doris": lambda r: (r.json["code"], r.json["msg"]),
    "doris_text": lambda r: ("-", r.text.removesuffix("\n")),
    "doris_rpc": lambda r: (r.json["status"]["code"], r.json["status"]["msg"]),
    "doris_fe": lambda r: (str(r.json["code"]), r.json["data"]),
    "console": lambda r: (r.json["error"], r.json["message"]),
    "pegasus": lambda r: ("-", r.text),
    "cluster_mgr": lambda r: ("-", r.json.get("info",
                                              r.json.get("error_info"))),
    "node_mgr": lambda r: ("-", r.json["info"]),
    "ticdc": lambda r: (r.json["error_code"],
                        r.json["error_msg"].partition("]")[2]),
    "ticdc plain": lambda r: ("-", r.text),
    "pegasus outcome": lambda r: (r.json["error"], r.json["hint_message"]),
}


@functools.cache
def load():
    done = subprocess.run([BINARY, "routes", "--tests"], capture_output=True,
                          timeout=60, check=True)
    return json.loads(done.stdout)


@functools.cache
def endpoints():
    return [Endpoint(e) for e in load()["endpoints"]]


class Endpoint:
    """One row on one mount."""

    def __init__(self, row):
        self.row = row
        for name in ("dialect", "listener", "form", "auth", "prefix", "label", "path",
                     "url", "verb", "methods", "scope", "flags", "bind", "tail",
                     "status", "fields", "shown", "checks", "example"):
            setattr(self, name, row[name])
        # What its clients would use: a GET with a body is taken, but rare.
        likely = ("PUT", "POST") if self.needs_body else ("GET",)
        self.method = next((m for m in likely if m in self.methods),
                           self.methods[0])
        self.pattern = re.compile(
            "[^/]+".join(re.escape(part) for part
                         in re.split(r"\{[^}]*\}", self.url)) + r"\Z")

    def __str__(self):
        verb = "" if self.verb == "-" else " " + self.verb
        return f"{self.method} {self.listener}{self.url}{verb}"

    def matches(self, listener, method, path, verb):
        """Whether a recorded request came to this row."""
        method = {"HEAD": "GET"}.get(method, method)
        return (listener.partition("/")[0] == self.listener
                and method in self.methods and verb == self.verb
                and (self.path == "*" or self.pattern.match(path) is not None))

    def answers(self, status):
        """Whether its example may be answered by that: the row's status, or
        what the example says beside it (what there is to ask for may be
        another thing's business)."""
        also = ((self.example or {}).get("answers") or "").split()
        return status == self.status or str(status) in also

    @property
    def takes_body(self):
        return any(in_body(f) for f in self.fields)

    @property
    def needs_body(self):
        return self.takes_body and not any("QUERY" in f["flags"]
                                           for f in self.fields)

    def request(self, word=None, variant=None):
        """The example as a Request; every $U is the same fresh word."""
        return Request(self, word or fresh("u"), variant)

    def before(self, word):
        """The example's setup as Requests, in order."""
        names = ((self.example or {}).get("setup") or "").split()
        return [find(self, name.partition("#")[0])
                .request(word, name.partition("#")[2]) for name in names]


class Request:
    """A valid request that a test may spoil: path, query text, body (a dict,
    or None). What it takes from a reply before it ($R{member=otherwise}) is
    found among those to the requests of the same word."""

    REPLY = re.compile(r"\$R\{(\w+)=([^}]*)\}")
    replies = {}

    def __init__(self, endpoint, word, variant=None):
        example = endpoint.example or {}
        if variant:
            example = example["variants"][variant]
        self.endpoint, self.word = endpoint, word
        at = self._fill(example.get("at"))
        self.path = endpoint.prefix + at if at else endpoint.url
        self.query = self._fill(example.get("query"))
        self.text = self._fill(example.get("json"))

    @property
    def body(self):
        text = self.text and self.REPLY.sub(self._replied, self.text)
        return json.loads(text) if text else None

    def _fill(self, text):
        return text.replace("$U", self.word) if text else None

    def _replied(self, match):
        known = self.replies.get(self.word, {})
        return json.dumps(known[match[1]]) if match[1] in known else match[2]

    def send(self, client, **changes):
        method = changes.pop("method", self.endpoint.method)
        body = changes.pop("body", self.body)
        if isinstance(body, str):  # one, in JSON
            body = json.dumps(body).encode()
        reply = client.request(method, self.path, body, query=self.query,
                               **changes)
        try:
            self.replies.setdefault(self.word, {}).update(reply.json)
        except (ValueError, TypeError):
            pass  # text, or no object
        return reply


def find(like, name):
    """The endpoint with that path or verb, of like's mount if that has it,
    else of another mount of the dialect. "PUT:/a" is the one of that method."""
    method, colon, path = name.partition(":")
    if not colon:
        method, path = None, name
    named = [e for e in endpoints() if e.dialect == like.dialect
             and path in (e.path, e.verb)
             and (method is None or method in e.methods)]
    for e in named:
        if (e.listener, e.prefix) == (like.listener, like.prefix):
            return e
    if named:
        return named[0]
    raise KeyError(f"setup of {like}: no endpoint {name}")


def encoded(body):
    """A body as the client would send it."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def in_body(field):
    flags = field["flags"]
    return "BODY" in flags or not {"PATH", "QUERY"} & set(flags)


# ---- who may ----

# What a row may ask for that a token of this scope has: fcgi/base/scope.c.
OPENS = {"read": {"read", "read|machine"},
         "write": {"read", "write", "read|machine"},
         "admin": {"read", "write", "admin", "profile", "machine",
                   "read|machine"},
         "profile": {"profile"}, "machine": {"machine", "read|machine"}}


# ---- refusals ----

# The class of an event for which a dialect has no row, as fcgi/request/failure.c.
EVENT_CLASS = {"UNKNOWN_PATH": "not_found", "METHOD": "not_found",
               "NO_TOKEN": "denied", "SCOPE": "denied", "QUERY": "bad_param",
               "BODY": "bad_param", "FIELD": "bad_param",
               "TOO_LARGE": "limit", "BUSY": "busy"}


def says_no_token(error, code, text):
    """TiCDC tells a token that is missing from one that is not known, which
    are one event: the former's code is the row's second one."""
    return error["own_code"] == code == "CDC:ErrCredentialNotFound" \
        and text == "credential not found: token"


class Refusal:
    """An expected failure: a row of errors.def, its text as a pattern in
    which placeholders that nobody gave stand for anything."""

    def __init__(self, endpoint, error, **args):
        self.error = error = dict(error)
        form = error["form"] or endpoint.form
        self.form = FORMS[form]
        if form == "doris_rpc":  # codes of its own; a handler refuses by 200
            error["code"] = error["own_code"] or error["code"]
            if not error["id"].startswith(("ON_", "DEFAULT_")):
                error["http"] = 200
        parts = re.split(r"\{([\w.-]+)\}", error["text"])
        self.text = "".join(
            re.escape(part) if i % 2 == 0
            else re.escape(args[part]) if args.get(part) is not None else ".*"
            for i, part in enumerate(parts))

    def differs(self, reply):
        """What is wrong with the reply; "" when it is the expected one."""
        if reply.status != self.error["http"]:
            return f"expected {self}, got {reply}"
        try:
            code, text = self.form(reply)
        except (ValueError, KeyError, TypeError) as e:
            return f"not in the dialect's form ({e!r}): {reply}"
        if says_no_token(self.error, code, text):
            return ""
        if code not in ("-", self.error["code"]) \
                or not re.fullmatch(self.text, text, re.S):
            return f"expected {self}, got {reply}"
        return ""

    def __str__(self):
        return (f"{self.error['http']} {self.error['code']} "
                f"/{self.text}/ ({self.error['id']})")


def event(endpoint, name, **args):
    """How the endpoint's dialect words what the framework refuses."""
    dialect = load()["dialects"][endpoint.dialect]
    if name == "MALFORMED" and not dialect["events"][name]:
        name = "QUERY"
    error = dialect["events"][name] \
        or dialect["classes"][EVENT_CLASS[name]] \
        or dialect["classes"]["internal"]
    # The operation's name in messages is its path below the mount.
    known = {"label": endpoint.label or ""}
    if "{" not in endpoint.url:
        known |= {"operation": endpoint.path.lstrip("/"),
                  "path": endpoint.url}
    return Refusal(endpoint, error, **{**known, **args})
