"""What [doris] changes: for newer managers, and for fleets of older names."""

import pytest

from support.metaservice import OK

pytestmark = pytest.mark.config(METAGATE_DORIS_UNKNOWN_OP_OK="yes",
                                METAGATE_DORIS_CLUSTER_NAME_CHECK="no")


def test_an_unknown_operation_is_ok(ms):
    r = ms.send("no_such_operation", "no json")
    assert (r.status, r.text) == (200, OK), r
    assert ms.scope("machine").send("no_such_operation").status == 403


def test_clusters_have_any_name_but_none(ms):
    iid = ms.instance()
    ms.cluster(iid, cluster_name="1-old name")
    ms.bad("not have cluster name", "add_cluster", {
        "instance_id": iid, "cluster": {"cluster_id": "c2",
                                        "type": "COMPUTE"}})
    for name, msg in (("", "not have cluster name"),):
        ms.bad(msg, "rename_cluster", {"instance_id": iid, "cluster": {
            "cluster_id": "c1", "cluster_name": name}})
    ms.ok("rename_cluster", {"instance_id": iid, "cluster": {
        "cluster_id": "c1", "cluster_name": "é-2"}})
    assert ms.get_cluster(iid)["cluster_name"] == "é-2"
