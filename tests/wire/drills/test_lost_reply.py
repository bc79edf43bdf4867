"""The reply to COMMIT is lost, for every row of the tables that changes
something: the client is told what happened, and it happened once."""

import os
import secrets

import pytest

from support import tables
from support.listeners import first
from support.proxy import Proxy
from support.store import rows, value
from support.worker import Worker

pytestmark = pytest.mark.fault

WAYS = ["cut_after", "cut_before", "cut_behind"]


tried = set()


def mutations():
    """TiCDC's rows ask their source and wait for captures, which have a
    deployment without a proxy: wire/ticdc kills its store."""
    return [e for e in tables.endpoints()
            if "TX" in e.flags and e.example is not None
            and e.dialect != "ticdc"]


@pytest.fixture(scope="module", params=["yes", "no"],
                ids=["joined", "single"])
def behind_proxy(pool, request):
    """A worker of the deployment that reaches its store by a proxy."""
    deployment = pool.get(name=__name__.rpartition(".")[2])
    path = deployment.path("s", "proxy.sock")
    # The server asks who the proxy is, not who its client is.
    with deployment.sql() as sql:
        user = value(sql, "SELECT SUBSTRING_INDEX(USER(), '@', 1)")
    with Proxy("unix:" + deployment.path("s", "mysql.sock"),
               listen="unix:" + path) as proxy:
        os.chmod(path, 0o666)
        worker = Worker(deployment.binary, deployment.run_dir, deployment.net,
                        deployment.env(), mysql_hosts="unix:" + path,
                        mysql_user=user, mysql_batch=request.param,
                        serve_threads=1).start()
        yield deployment, proxy, worker
        status = worker.stop()
        worker.end()
    assert status == 0, worker.errors


def ask(worker, request, request_id):
    target = request.path + ("?" + request.query if request.query else "")
    body = b"" if request.body is None else tables.encoded(request.body)
    return worker.ask(target, body, listener=first(request.endpoint.listener),
                      method=request.endpoint.method, MG_REQUEST_ID=request_id)


def audit_rows(sql, request_id):
    return rows(sql, "SELECT operation, target FROM audit"
                " WHERE request_id = %s", request_id)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("endpoint", mutations(), ids=str)
def test_an_effect_whose_reply_was_lost_is_there_once(behind_proxy, endpoint,
                                                      way):
    deployment, proxy, worker = behind_proxy
    request = endpoint.request()
    client = deployment.client(first(endpoint.listener))
    for before in endpoint.before(request.word):
        assert before.send(client).status == before.endpoint.status
    request_id = secrets.token_hex(16)
    rule = getattr(proxy, way)("COMMIT(; END)?$")
    # the outcome was found, or what was undone was done again
    r = ask(worker, request, request_id)
    assert endpoint.answers(r.status), r
    with deployment.sql() as sql:
        done = audit_rows(sql, request_id)
    if r.status != endpoint.status:
        # refused, perhaps at the second try: others had done it meanwhile
        proxy.gave_up(rule)
        assert not done, done
        return
    if not done and not proxy.gave_up(rule):
        pytest.fail(f"a COMMIT without an audit row: {r}")
    if not done:
        return  # the example changes nothing: there was no COMMIT
    tried.add(str(endpoint))
    rule.wait()
    assert len(done) == 1, done
    # ... and the same request under its id is never done a second time
    again = ask(worker, request, request_id)
    with deployment.sql() as sql:
        assert len(audit_rows(sql, request_id)) == 1, again


def test_most_rows_could_be_tried():
    assert len(tried) > 20 and len(tried) >= 0.8 * len(mutations()), (
        sorted({str(e) for e in mutations()} - tried))
