"""The Meta Service as its tests speak to it: every reply is compared byte for
byte, on both mounts."""

import json

from support.words import fresh

OK = '{\n    "code": "OK",\n    "msg": ""\n}\n'


def pretty(value):
    """As the Meta Service prints."""
    return json.dumps(value, indent=4, ensure_ascii=False) + "\n"


class MetaService:
    """One mount, with one token."""

    def __init__(self, client, version=""):
        self.client, self.version = client, version

    def scope(self, scope):
        return MetaService(self.client.scope(scope), self.version)

    def send(self, operation, body=None, method="PUT", **more):
        return self.client.request(method, self.version + operation, body,
                                   **more)

    def ok(self, operation, body=None, **more):
        """A success without a result."""
        r = self.send(operation, body, **more)
        assert (r.status, r.text) == (200, OK), r
        assert r.headers["Content-Type"] == "application/json"

    def result(self, operation, body=None, **more):
        """A success with one: the result, printed as it must be."""
        r = self.send(operation, body, **more)
        assert r.status == 200, r
        shown = r.json
        assert list(shown) == ["code", "msg", "result"], r
        assert (shown["code"], shown["msg"]) == ("OK", ""), r
        assert r.text == pretty(shown), r
        return shown["result"]

    def fails(self, http, code, msg, operation, body=None, **more):
        r = self.send(operation, body, **more)
        assert (r.status, r.text) == (http, pretty({"code": code,
                                                    "msg": msg})), r
        assert r.headers["Content-Type"] == "application/json"

    def bad(self, msg, operation, body=None, **more):
        self.fails(400, "INVALID_ARGUMENT", msg, operation, body, **more)

    def missing(self, msg, operation, body=None, **more):
        self.fails(404, "NOT_FOUND", msg, operation, body, **more)

    def exists(self, msg, operation, body=None, **more):
        self.fails(409, "ALREADY_EXISTED", msg, operation, body, **more)

    def internal(self, msg, operation, body=None, **more):
        self.fails(500, "INTERNAL_ERROR", msg, operation, body, **more)

    # ---- what most tests begin with ----

    def instance(self, **more):
        """A new instance's id; without storage unless asked for."""
        iid = fresh("i")
        self.ok("create_instance", {"instance_id": iid, **more})
        return iid

    def deleted(self):
        iid = self.instance()
        self.ok("drop_instance", {"instance_id": iid})
        return iid

    def get_instance(self, iid):
        return self.result("get_instance", query={"instance_id": iid},
                           method="GET")

    def cluster(self, iid, cid="c1", **more):
        """A new compute cluster's id."""
        self.ok("add_cluster", {"instance_id": iid, "cluster": {
            "cluster_id": cid, "cluster_name": f"name_{cid}",
            "type": "COMPUTE", **more}})
        return cid

    def sql_cluster(self, iid, cid="s1", nodes=None):
        self.ok("add_cluster", {"instance_id": iid, "cluster": {
            "cluster_id": cid, "cluster_name": f"name_{cid}", "type": "SQL",
            "nodes": nodes or [fe(iid, 1, node_type="FE_MASTER")]}})
        return cid

    def get_cluster(self, iid, cid="c1"):
        return self.result("get_cluster", {"cloud_unique_id": f"1:{iid}:any",
                                           "cluster_id": cid})


def be(iid, n, **more):
    """A compute node that differs from the others by its number."""
    return {"cloud_unique_id": f"1:{iid}:be{n}", "ip": f"172.21.0.{n}",
            "heartbeat_port": 9050, **more}


def fe(iid, n, **more):
    return {"cloud_unique_id": f"1:{iid}:fe{n}", "ip": f"172.21.1.{n}",
            "edit_log_port": 9010, "node_type": "FE_OBSERVER", **more}


OBJ = {"ak": "ak1", "sk": "sk1", "bucket": "bucket", "prefix": "prefix",
       "endpoint": "cos.example.com", "region": "ap-beijing",
       "provider": "COS", "external_endpoint": "ext.cos.example.com"}

HDFS = {"build_conf": {"fs_name": "hdfs://172.21.0.44:4007",
                       "user": "hadoop",
                       "hdfs_kerberos_principal": "hadoop/172.30.0.178@EMR",
                       "hdfs_kerberos_keytab": "/etc/emr.keytab",
                       "hdfs_confs": [{
                           "key": "hadoop.security.authentication",
                           "value": "kerberos"}]},
        "prefix": "sample_prefix"}


def without(value, *path):
    """A copy without the member at that path."""
    value = dict(value)
    if len(path) == 1:
        del value[path[0]]
    else:
        value[path[0]] = without(value[path[0]], *path[1:])
    return value


# ---- texts that several operations share ----

NO_PORT = ("check cluster params failed, edit_log_port is required for "
           "frontends while heatbeat_port is required for banckends, node : ")
UNKNOWN = "failed to get instance, instance_id={} err=KeyNotFound"


def compact(value):
    """As objects stand in messages."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


SECRETS = {"ak", "sk", "external_id", "hdfs_kerberos_principal",
           "hdfs_kerberos_keytab"}


def masked(value):
    """The same without its keys."""
    if isinstance(value, dict):
        secret = SECRETS | ({"value"} if "key" in value else set())
        return {k: "***" if k in secret else masked(v)
                for k, v in value.items()}
    return [masked(v) for v in value] if isinstance(value, list) else value


def occupied(iid, cid, node):
    return ("cloud_unique_id is already occupied by an instance, "
            f"instance_id={iid} cluster_name=name_{cid} cluster_id={cid} "
            f"cloud_unique_id={node}")
