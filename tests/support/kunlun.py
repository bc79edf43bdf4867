"""Words for tests of KunlunBase."""

from support.waiting import until


class Node:
    """node_mgr of one machine."""

    def __init__(self, client):
        self.client = client

    @property
    def address(self):
        return self.client.host

    def scope(self, scope):
        return Node(self.client.scope(scope))

    def ask(self, job_type, **members):
        """The reply's object; the answer is always 200."""
        r = self.client.post("/", {"ver": "0.1", "job_type": job_type,
                                   **members})
        assert r.status == 200, r
        return r.json

    def refused(self, job_type, **members):
        """The sentence of a refusal."""
        said = self.ask(job_type, **members)
        assert said["result"] == "error", said
        return said["info"]

    def status(self, job_id):
        return self.ask("get_status", job_id=job_id)

    def finished(self, job_id, timeout=60):
        """get_status of a job once that is over."""
        return until(lambda: (s := self.status(job_id))["result"] != "busy"
                     and s, timeout)
