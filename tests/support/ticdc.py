"""TiCDC's interface as a test asks it."""

from support.waiting import until

ERROR = {"error_msg", "error_code"}


class Ticdc:
    def __init__(self, deployment, listener="ticdc/c1", prefix="/api/v1"):
        self.client = deployment.client(listener, prefix=prefix)
        self.deployment = deployment

    def __getattr__(self, name):  # get, put, post, delete
        return getattr(self.client, name)

    def create(self, name, sink_uri="blackhole://", **more):
        """Made and there; its name."""
        r = self.client.post("changefeeds", {"changefeed_id": name,
                                             "sink_uri": sink_uri, **more})
        assert (r.status, r.body) == (202, b""), r
        return name

    def feed(self, name):
        r = self.client.get(f"changefeeds/{name}")
        assert r.status == 200, r
        return r.json

    def until(self, name, **members):
        """Once it shows these members."""
        def there():
            shown = self.feed(name)
            return shown if all(shown[key] == value for key, value
                                in members.items()) else None

        return until(there, f"changefeed {name} with {members}")


def refused(reply, status, code, text=""):
    """The reply is that refusal, in TiCDC's form and no other."""
    assert reply.status == status, reply
    assert set(reply.json) == ERROR, reply
    assert reply.json["error_code"] == code, reply
    assert reply.json["error_msg"].startswith(f"[{code}]"), reply
    assert text in reply.json["error_msg"], reply
