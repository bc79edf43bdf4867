"""/openapi.json as a contract: every example gets a reply that meets it."""

import functools
import json
import subprocess

import pytest

from support import tables
from support.examples import client_of, endpoints, prepared
from support.openapi import Api


def printed():
    done = subprocess.run([tables.BINARY, "routes", "--openapi"],
                          capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout)


@functools.cache
def api():
    return Api(printed())


def operation_of(endpoint):
    found = [o for o in api().operations
             if (o.listener, o.path, o.verb, o.method.upper())
             == (endpoint.listener, endpoint.url, endpoint.verb,
                 endpoint.method)]
    assert len(found) == 1, (str(endpoint), found)
    return found[0]


def test_the_document_is_the_one_that_is_served(console):
    served, here = console.get("/openapi.json").json, printed()
    assert set(served["paths"]) == set(here["paths"])
    assert served["components"] == here["components"]


def test_operations_are_named_once_and_say_who_may():
    ids = [o.id for o in api().operations]
    assert len(ids) == len(set(ids)) > 300
    schemes = api().document["components"]["securitySchemes"]
    for o in api().operations:
        security = o.row.get("security", api().document["security"])
        assert all(name in schemes for s in security for name in s), o.id
        assert (security == []) == (o.row["x-scope"] == "none"), o.id
        assert o.row["servers"], o.id
        assert o.row["tags"], o.id
        assert "4XX" in o.row["responses"], o.id
        assert o.method != "get" or "requestBody" not in o.row, o.id


def test_every_reference_leads_somewhere():
    schemas = api().document["components"]["schemas"]

    def walk(at):
        if isinstance(at, dict):
            if "$ref" in at:
                assert at["$ref"].rpartition("/")[2] in schemas, at
            for v in at.values():
                walk(v)
        elif isinstance(at, list):
            for v in at:
                walk(v)
    walk(api().document)


def test_an_example_meets_its_schema():
    n = 0
    for o in api().operations:
        for content in o.row.get("requestBody", {}).get("content",
                                                        {}).values():
            if "example" in content:
                n += 1
                mistake = api().mistake(content["schema"], content["example"])
                assert not mistake, (o.id, mistake)
    assert n > 60


@pytest.mark.parametrize("endpoint", [
    pytest.param(e, id=str(e), marks=[pytest.mark.profile]
                 if "/pprof/" in e.url else []) for e in endpoints()])
def test_a_reply_meets_its_schema(deployment, endpoint):
    request = prepared(deployment, endpoint)
    operation = operation_of(endpoint)
    reply = request.send(client_of(deployment, endpoint))
    assert endpoint.answers(reply.status), reply
    differs = operation.differs(reply)
    assert not differs, f"{operation.id}: {differs}"
