"""The examples of the tables, sent to a deployment."""

from support import tables
from support.listeners import first


def endpoints():
    """Those with a path of their own ("*" is what is left), whose body is
    what selects them (one that is not JSON has tests of its own)."""
    return [e for e in tables.endpoints() if e.path != "*"
            and not (e.verb != "-" and "BODY_RAW" in e.flags)]


def client_of(deployment, endpoint, token="admin"):
    client = deployment.client(first(endpoint.listener), token)
    if endpoint.auth == "basic" and token not in ("none", "unknown"):
        client = client.using(token=None, basic=deployment.fe_user())
    return client


def prepared(deployment, endpoint):
    """The endpoint's valid request, its setup done."""
    request = endpoint.request()
    client = client_of(deployment, endpoint)
    for before in endpoint.before(request.word):
        r = before.send(client)
        assert r.status == before.endpoint.status, (
            f"setup {before.endpoint}: {r}")
    return request
