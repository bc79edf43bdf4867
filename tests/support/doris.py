"""Small valid Doris objects for tests that are not about Doris."""

from support.words import fresh

OBJ_INFO = {"ak": "ak1", "sk": "sk1", "bucket": "b", "prefix": "p",
            "endpoint": "s3.example.com", "region": "r", "provider": "S3",
            "external_endpoint": "s3.example.com", "user_id": "u1"}


def instance(doris, **more):
    """A new instance's id."""
    iid = fresh("i")
    r = doris.put("create_instance", {"instance_id": iid, "name": "n",
                                      "user_id": "u1", "obj_info": OBJ_INFO,
                                      **more})
    assert r.status == 200, r
    return iid


def cluster(iid, cid):
    """The body of add_cluster for a COMPUTE cluster without nodes."""
    return {"instance_id": iid, "cloud_unique_id": f"1:{iid}:meta",
            "cluster": {"cluster_id": cid, "cluster_name": f"n_{cid}",
                        "type": "COMPUTE"}}


def add_cluster(doris, iid, cid):
    return doris.put("add_cluster", cluster(iid, cid))


def clusters(doris, iid):
    """The ids of the instance's clusters."""
    r = doris.post("get_cluster", {"cloud_unique_id": f"1:{iid}:meta",
                                   "instance_id": iid})
    if r.status == 404:  # none yet
        return []
    assert r.status == 200, r
    return [c["cluster_id"] for c in r.json["result"].get("cluster", [])]
