"""What holds for every row of the tables, asked through nginx and worker.

Cases come from `metagate routes --tests`; nothing here names an endpoint. A
new endpoint is tested by its row, a new way of being wrong is a line in
support/badinput.py."""

import re
from urllib.parse import parse_qsl

import pytest

from support import badinput, tables
from support.examples import client_of, endpoints, prepared
from support.listeners import first
from support.tables import event
from support.words import fresh

SCOPES = ["none", "unknown", "read", "write", "admin", "profile", "machine"]
HAS = tables.OPENS
METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]


def each(cases):
    """Parametrizes by (endpoint, rest...); the test's name shows what is
    short. Without any case there is no test."""
    params = [pytest.param(c, id=_name(c), marks=_marks(c[0])) for c in cases]
    if not params:
        return lambda _: None
    return pytest.mark.parametrize("case", params)


def _name(case):
    return "-".join(ascii(c).strip("'\"")[:60] if isinstance(c, str) else str(c)
                    for c in case if isinstance(c, (str, tables.Endpoint)))


def _marks(endpoint):
    # gperftools is not in the sanitizer build
    return [pytest.mark.profile] if "/pprof/" in endpoint.url else []


def mounts():
    """One endpoint of each mount."""
    first_of = {}
    for e in tables.endpoints():
        first_of.setdefault((e.listener, e.prefix), e)
    return first_of.values()


def assert_refused(reply, refusal):
    differs = refusal.differs(reply)
    assert not differs, differs


# ---- the example, and who may ----

@each((e,) for e in endpoints())
def test_every_endpoint_has_an_example(case):
    endpoint, = case
    assert endpoint.example is not None, f"EXAMPLE(\"{endpoint.path}\", ...)"


@each((e, s) for e in endpoints() for s in SCOPES if e.auth == "token")
def test_a_token_opens_what_its_scope_says(deployment, case):
    endpoint, scope = case
    request = prepared(deployment, endpoint)
    r = request.send(client_of(deployment, endpoint, scope))
    if endpoint.scope == "none" or endpoint.scope in HAS.get(scope, ()):
        assert endpoint.answers(r.status), r
        if endpoint.form == "doris_rpc":  # which refuses by 200 too
            assert r.json["status"]["code"] == "OK", r
        return
    name = "SCOPE" if scope in HAS else "NO_TOKEN"
    assert_refused(r, event(endpoint, name, scope=endpoint.scope))
    # and it was not done: the same request is new to who may
    r = request.send(client_of(deployment, endpoint))
    assert endpoint.answers(r.status), r


@each((e, s) for e in endpoints() for s in SCOPES if e.auth == "basic")
def test_a_token_opens_nothing_where_users_log_in(deployment, case):
    """Neither as a token nor as a user; who logs in has scope read."""
    endpoint, scope = case
    request = prepared(deployment, endpoint)
    client = deployment.client(first(endpoint.listener), scope)
    assert_refused(request.send(client), event(endpoint, "NO_TOKEN"))
    wrong = client.using(token=None, basic=(client.token or "nobody", "x"))
    r = request.send(wrong)
    assert r.status == 401 and r.headers["WWW-Authenticate"], r
    if endpoint.scope != "none":
        r = request.send(client_of(deployment, endpoint))
        assert r.status == (endpoint.status if endpoint.scope == "read"
                            else 403), r


@each((e,) for e in mounts() if e.auth == "token")
def test_a_user_opens_nothing_where_tokens_do(deployment, case):
    endpoint, = case
    client = deployment.client(first(endpoint.listener), None)
    r = client.using(basic=deployment.fe_user()).get(
        endpoint.prefix + "/no-such-path")
    assert_refused(r, event(endpoint, "NO_TOKEN"))


@each((e, m) for e in endpoints() if e.verb == "-" for m in METHODS
      if not any(m in o.methods for o in tables.endpoints()
                 if (o.listener, o.url) == (e.listener, e.url)))
def test_another_method_is_refused(deployment, case):
    endpoint, method = case
    r = endpoint.request().send(client_of(deployment, endpoint),
                                method=method)
    assert_refused(r, event(endpoint, "METHOD", method=method))
    assert set(endpoint.methods) <= set(re.split(", *", r.headers["Allow"]))


@each((e, path) for e in mounts() for path in (
    "/no-such-path", "/a/b/c/d/e", "/" + "x" * 1000, "/%c3%a9",
    "/no-such-path?a=b", "/no%20such%2fpath"))
def test_an_unknown_path_is_refused(deployment, case):
    endpoint, path = case
    r = client_of(deployment, endpoint).get(endpoint.prefix + path)
    # named as it was sent, or as the dialect reads it
    assert_refused(r, event(endpoint, "UNKNOWN_PATH", operation=None,
                            path=None))


@each((e, path) for e in mounts() for path in (
    "/%00", "/%zz", "/%", "/%2", "/%ff", "/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/../../../../etc/passwd", "/%2e%2e/%2e%2e/%2e%2e"))
def test_a_path_that_is_none_is_refused(deployment, case):
    endpoint, path = case
    r = client_of(deployment, endpoint).get(endpoint.prefix + path)
    assert r.status in (400, 404), r  # nginx refuses most of them itself


@each((e,) for e in endpoints() if "{" in e.url)
def test_a_part_of_the_path_that_is_none_is_refused(deployment, case):
    endpoint, = case
    client, wrong = client_of(deployment, endpoint), []
    for value in badinput.VALUES:
        path = re.sub(r"\{[^}]*\}", lambda _: value, endpoint.url)
        r = client.request(endpoint.method, path)
        if r.status not in (400, 404):
            wrong.append(f"{path}: {r}")
    assert not wrong, "\n".join(wrong)


# ---- input that is wrong as a whole ----

def bad_bodies(endpoint):
    """[(name, bytes)] from the members of the endpoint's own record."""
    if not endpoint.takes_body or "BODY_RAW" in endpoint.flags:
        return []
    members = dict.fromkeys(
        path[0] for path, field in badinput.fields_below(endpoint.fields)
        if tables.in_body(field) and isinstance(path[0], str))
    bodies = badinput.bodies(list(members), endpoint.request().body or {})
    return [(name, body) for name, body in bodies
            if not (endpoint.tail and badinput.begins_well(body))]


@each((e,) for e in endpoints() if bad_bodies(e))
def test_a_body_that_is_no_object_is_refused(deployment, case):
    endpoint, = case
    late = "BIND_LATE" in endpoint.flags  # what is asked for comes first
    client, request, wrong = client_of(deployment, endpoint), \
        prepared(deployment, endpoint) if late else endpoint.request(), []
    request.query = None
    for name, body in bad_bodies(endpoint):
        differs = event(endpoint, "BODY").differs(
            request.send(client, body=body))
        if differs:
            wrong.append(f"{name}: {differs}")
    assert not wrong, "\n".join(wrong)


@each((e,) for e in endpoints()
      if e.needs_body and "BODY_RAW" not in e.flags)
def test_a_missing_body_is_refused(deployment, case):
    endpoint, = case
    request = prepared(deployment, endpoint) \
        if "BIND_LATE" in endpoint.flags else endpoint.request()
    r = request.send(client_of(deployment, endpoint), body=b"")
    assert_refused(r, event(endpoint, "BODY"))


@each((e,) for e in mounts())
def test_a_body_beyond_the_bound_is_refused(deployment, case):
    endpoint, = case
    r = client_of(deployment, endpoint).put(endpoint.prefix + "/x",
                                            b" " * ((1 << 20) + 1))
    assert_refused(r, event(endpoint, "TOO_LARGE"))


def parameters(endpoint):
    """Names of its query parameters: those of its record, and those that only
    its handler knows, which the example has."""
    example = parse_qsl((endpoint.request().query or "").replace("%", ""),
                        keep_blank_values=True)
    return list(dict.fromkeys(
        [f["key"] for f in endpoint.fields if "QUERY" in f["flags"]]
        + [name for name, _ in example]))


def bad_queries(endpoint):
    dialect = tables.load()["dialects"][endpoint.dialect]
    return badinput.queries(parameters(endpoint), dialect["replaces_bytes"])


def replaced_queries(endpoint):
    """What others refuse and this dialect reads with U+FFFD in its place."""
    refused = bad_queries(endpoint)
    return [q for q in badinput.queries(parameters(endpoint))
            if q not in refused]


@each((e,) for e in endpoints()
      if tables.load()["dialects"][e.dialect]["replaces_bytes"])
def test_bytes_that_are_replaced_do_no_harm(deployment, case):
    endpoint, = case
    client, request = client_of(deployment, endpoint), endpoint.request()
    good = request.query + "&" if request.query else ""
    for _, query in replaced_queries(endpoint):
        request.query = good + query
        r = request.send(client)
        assert r.status < 500 or r.status == 503, (query, r)
        r.text.encode()


# nginx answers preflights whatever their query is
@each((e,) for e in endpoints() if e.methods != ["OPTIONS"])
def test_a_malformed_query_is_refused(deployment, case):
    endpoint, = case
    client, request, wrong = client_of(deployment, endpoint), \
        endpoint.request(), []
    good = request.query + "&" if request.query else ""
    for parameter, bad in bad_queries(endpoint):
        request.query = good + bad
        wrong.append(event(endpoint, "MALFORMED", parameter=parameter)
                     .differs(request.send(client)))
    assert not any(wrong), "\n".join(filter(None, wrong))


@each((e,) for e in endpoints() if "STRICT_QUERY" in e.flags)
def test_an_unknown_parameter_is_refused(deployment, case):
    endpoint, = case
    request = endpoint.request()
    request.query = "&".join(filter(None, [request.query, "no_such=1"]))
    assert_refused(request.send(client_of(deployment, endpoint)),
                   event(endpoint, "QUERY", parameter="no_such"))


# ---- one field that is wrong by itself ----

def body_fields():
    for e in endpoints():
        if e.takes_body and not {"BIND_LATE", "BODY_RAW"} & set(e.flags):
            for path, field in badinput.fields_below(e.fields):
                if tables.in_body(field):
                    yield e, ".".join(map(str, path)), path, field


@each(body_fields())
def test_a_value_of_a_wrong_type_is_refused(deployment, case):
    endpoint, _, path, field = case
    client, wrong = client_of(deployment, endpoint), []
    request = endpoint.request()
    request.query = None  # the query would win over the body
    for value in badinput.wrong_values(field, endpoint.bind):
        body = badinput.put(request.body, path, value)
        differs = event(endpoint, "FIELD").differs(
            request.send(client, body=body))
        if differs:
            wrong.append(f"{badinput.shown(value)}: {differs}")
    assert not wrong, "\n".join(wrong)


@each((e, f["key"], f) for e in endpoints() for f in e.fields
      if "QUERY" in f["flags"] and badinput.wrong_texts(f, e.bind))
def test_a_parameter_of_a_wrong_type_is_refused(deployment, case):
    endpoint, key, field = case
    client, request, wrong = client_of(deployment, endpoint), \
        endpoint.request(), []
    for value in badinput.wrong_texts(field, endpoint.bind):
        request.query = f"{key}={value}"
        differs = event(endpoint, "FIELD", field=key).differs(
            request.send(client))
        if differs:
            wrong.append(f"{value}: {differs}")
    assert not wrong, "\n".join(wrong)


# ---- checks ----

def given(body, dotted):
    """Whether a member counts as given (fcgi/record/record.c: field_given)."""
    at = body
    for step in dotted.split("."):
        if not isinstance(at, dict) or step not in at:
            return False
        at = at[step]
    return at not in (None, "", 0, [], {}, "0") or at is False


def around(body, dotted):
    above = dotted.rpartition(".")[0]
    return not above or given(body, above)


def holds(check, body):
    """Whether the check passes; None when only the product can tell."""
    kind, a, b = check["kind"], check["a"], check["b"]
    if kind in ("NEED", "PRESENT"):
        return given(body, a)
    if kind == "NEED_IN":
        return not around(body, a) or given(body, a)
    if kind == "ANY_OF":
        return given(body, a) or given(body, b)
    return None if kind == "FN" else True


def with_inputs_left_out():
    """(endpoint, member, the check that must refuse)."""
    for e in endpoints():
        body = e.request().body
        if not isinstance(body, dict) or "BIND_LATE" in e.flags:
            continue
        members = dict.fromkeys(
            c[x] for c in e.checks for x in ("a", "b") if c[x]
            and c["kind"] in ("NEED", "NEED_IN", "PRESENT", "ANY_OF"))
        for member in members:
            yield e, member


@each(with_inputs_left_out())
def test_each_required_input_left_out_is_refused(deployment, case):
    endpoint, member = case
    request = prepared(deployment, endpoint)
    body = badinput.without(request.body, tuple(member.split(".")))
    if body is None:  # the example does without it: its object is optional
        body = request.body
    broken = next((c for c in endpoint.checks if holds(c, body) is False),
                  None)
    r = request.send(client_of(deployment, endpoint), body=body)
    if broken is None:
        assert endpoint.answers(r.status), r
    else:
        assert_refused(r, tables.Refusal(endpoint, broken["error"]))


def bad_by_check():
    """(endpoint, member, value shown, number of its check, value that this
    must refuse)."""
    for e in endpoints():
        if not isinstance(e.request().body, dict) or "BIND_LATE" in e.flags:
            continue
        for i, c in enumerate(e.checks):
            for value in values_refused(c):
                yield e, c["a"], badinput.shown(value), i, value


def values_refused(check):
    if check["kind"] == "MATCH":
        found = re.compile(check["regex"])
        return [v for v in ("!", "a b", "-", "1:", "\u00e9", "a\n", "x" * 300)
                if not re.search(found.pattern.replace("$", r"\Z"), v)]
    if check["kind"] == "MAX_BYTES":
        return ["x" * (check["hi"] + 1)]
    if check["kind"] == "RANGE":
        return [check["lo"] - 1, check["hi"] + 1]
    return []


@each(bad_by_check())
def test_a_value_that_a_check_forbids_is_refused(deployment, case):
    endpoint, member, _, number, value = case
    request = prepared(deployment, endpoint)
    body = badinput.put(request.body, tuple(member.split(".")), value)
    r = request.send(client_of(deployment, endpoint), body=body)
    assert_refused(r, tables.Refusal(endpoint,
                                     endpoint.checks[number]["error"]))


# ---- how much of it there is ----

def bad_inputs(endpoint):
    """How many wrong requests the tests above send to this endpoint."""
    n = len(bad_bodies(endpoint))
    if parameters(endpoint) or n == 0:
        n += len(bad_queries(endpoint)) + len(replaced_queries(endpoint))
    n += sum(len(badinput.wrong_texts(f, endpoint.bind))
             for f in endpoint.fields if "QUERY" in f["flags"])
    n += sum(len(badinput.wrong_values(f, endpoint.bind))
             for e, _, _, f in body_fields() if e is endpoint)
    return n


def test_every_endpoint_gets_at_least_40_bad_inputs():
    """In its own body and parameters; one that has neither gets queries that
    are none, which is all that can be wrong with its input."""
    few = [f"{e}: {bad_inputs(e)}" for e in endpoints() if bad_inputs(e) < 40]
    assert not few, "\n".join(few)
