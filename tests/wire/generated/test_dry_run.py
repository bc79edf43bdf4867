"""X-Metagate-Dry-Run on every row that changes something: it tells what the
change then does, and leaves nothing behind."""

import json
import re

import pytest

from support import tables
from support.examples import client_of, endpoints, prepared
from support.store import rows

DRY_RUN = {"X-Metagate-Dry-Run": "1"}


def changing():
    return [pytest.param(e, id=str(e)) for e in endpoints() if "TX" in e.flags]


def left_of(sql, reply):
    rid = reply.headers["X-Request-Id"]
    return [table for table in ("audit", "job") if rows(
        sql, f"SELECT 1 FROM {table} WHERE request_id = %s", rid)]


@pytest.mark.parametrize("endpoint", changing())
def test_what_a_change_would_do_is_told_and_not_done(deployment, sql,
                                                     endpoint):
    request = prepared(deployment, endpoint)
    client = client_of(deployment, endpoint)
    told = request.send(client, headers=DRY_RUN)
    assert left_of(sql, told) == []

    done = request.send(client)
    assert "X-Metagate-Dry-Run" not in done.headers
    audit = rows(sql, "SELECT * FROM audit WHERE request_id = %s",
                 done.headers["X-Request-Id"])
    if not audit:  # some examples are refused in a deployment without load
        assert (told.status, told.text) == (done.status, done.text)
        return
    assert done.status == endpoint.status, done
    assert told.status == 200, told
    assert told.headers["X-Metagate-Dry-Run"] == "1"
    assert told.json["dry_run"] is True
    assert told.json["operation"] == audit[0]["operation"]
    assert numberless(told.json["target"]) == numberless(audit[0]["target"])
    for name in ("before", "after"):
        was = audit[0][name + "_json"]
        assert shape(told.json[name]) == shape(was and json.loads(was)), name


def numberless(target):
    """A number that is given out is another one each time, and of a job that
    is not accepted there is none."""
    return re.sub(r"^job$", "job N", re.sub(r"\b[0-9]+\b", "N", target or ""))


def shape(document):
    """Times, numbers given out and random names differ from run to run: the
    members do not."""
    if isinstance(document, dict):
        return {k: shape(v) for k, v in document.items()}
    if isinstance(document, list):
        return [shape(v) for v in document]
    return type(document).__name__


def test_a_refusal_is_that_of_the_change(deployment):
    """Of a request without its input, of a token that may not."""
    endpoint = next(e for e in endpoints() if "TX" in e.flags and e.checks)
    request = prepared(deployment, endpoint)
    for client, body in ((client_of(deployment, endpoint), {}),
                         (client_of(deployment, endpoint, "read"), None)):
        sent = {"body": body} if body is not None else {}
        dry = request.send(client, headers=DRY_RUN, **sent)
        real = request.send(client, **sent)
        assert dry.status == real.status >= 400, (dry, real)
        assert dry.text == real.text


def test_a_header_that_says_neither_is_refused(deployment):
    endpoint = next(e for e in endpoints() if "TX" in e.flags)
    r = prepared(deployment, endpoint).send(
        client_of(deployment, endpoint),
        headers={"X-Metagate-Dry-Run": "yes"})
    differs = tables.event(endpoint, "FIELD", field="X-Metagate-Dry-Run",
                           reason="must be 1 or 0").differs(r)
    assert not differs, differs


@pytest.mark.parametrize("endpoint", [
    pytest.param(e, id=str(e)) for e in endpoints()
    if not {"TX", "DRY"} & set(e.flags)
    and e.scope not in ("none", "read", "read|machine", "profile")])
def test_what_changes_things_at_once_is_not_tried(deployment, endpoint):
    """No transaction could take it back."""
    r = prepared(deployment, endpoint).send(client_of(deployment, endpoint),
                                            headers=DRY_RUN)
    differs = tables.event(
        endpoint, "FIELD", field="X-Metagate-Dry-Run",
        reason="this changes things at once, and cannot be tried").differs(r)
    assert not differs, differs


# ---- dry_run in a body, as KunlunBase's clients say it ----

def jobs_of_kunlun():
    return [pytest.param(e, id=str(e)) for e in endpoints()
            if e.listener in ("cluster_mgr", "node_mgr")
            and e.verb not in ("-", "dry_run") and "BODY_RAW" not in e.flags]


def forms(endpoint, request):
    """A body in each form that its service is spoken to in, with dry_run in
    each place where that is looked for."""
    body = dict(request.body, dry_run="1")
    yield body
    if endpoint.listener == "cluster_mgr":
        members = {k: v for k, v in body.items()
                   if k not in ("ver", "job_type", "job_id")}
        yield {k: v for k, v in dict(body, version="1.0").items()
               if k != "ver"}
        nested = {"version": "1.0", "job_id": "", "job_type": body["job_type"],
                  "timestamp": "1650000000", "user_name": "test"}
        yield dict(nested, paras=members)
        yield dict(nested, dry_run="1", paras={
            k: v for k, v in members.items() if k != "dry_run"})


def counts(sql):
    """Of what jobs change; what daemons keep by themselves is not told."""
    tables_of = [f"Kunlun_Metadata_DB.{t}" for t in (
        "db_clusters", "shards", "shard_nodes", "comp_nodes", "server_nodes",
        "backup_storage", "cluster_backups")] + ["kunlun_pause", "kunlun_copy"]
    return {t: rows(sql, f"SELECT COUNT(*) AS n FROM {t}")[0]["n"]
            for t in tables_of}


@pytest.mark.parametrize("endpoint", jobs_of_kunlun())
def test_dry_run_in_a_body_changes_nothing(deployment, sql, endpoint):
    request = prepared(deployment, endpoint)
    client = client_of(deployment, endpoint)
    refusal = f"dry_run of {endpoint.verb} is not served"
    before = counts(sql)
    for body in forms(endpoint, request):
        r = request.send(client, body=body)
        assert left_of(sql, r) == [], body
        if "TX" not in endpoint.flags:  # it reads, and is asked for so
            assert refusal not in r.text, r
            continue
        said = r.json.get("info", r.json.get("error_info"))
        told = r.json.get("result", r.json.get("status"))
        plans = endpoint.listener == "cluster_mgr" and "ASYNC" in endpoint.flags
        assert said == refusal or plans and (
            told == "failed" or "plan" in r.json
            or "plan" in r.json.get("attachment", {})), r
        assert told in ("done", "failed", "error"), r
    assert counts(sql) == before
