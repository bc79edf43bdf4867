"""The words of the dialects: each does what its endpoint does."""

import json
import re

from support import doris as d
from support.words import fresh

from support.cli import (CONFLICT, JOB, OK, UNKNOWN, USAGE, document)



def ok(done):
    assert done.returncode == OK, done
    return done.stdout


def test_an_instance_from_birth_to_its_end(mg, doris):
    iid = fresh("i")
    data = json.dumps({"obj_info": d.OBJ_INFO, "name": "from data"})
    create = ("doris", "instance", "create", iid, "--user-id", "u", "--name",
              "first", "--data", data)
    tried = document(mg(*create, "--dry-run"))
    assert tried["dry_run"] is True and tried["after"]["name"] == "first"
    assert mg("doris", "instance", "show", iid).returncode == UNKNOWN
    ok(mg(*create))
    assert mg(*create).returncode == CONFLICT
    ok(mg("doris", "instance", "rename", iid, "other"))
    told = document(mg("doris", "instance", "show", iid, "-o", "json"))
    assert told["result"]["name"] == "other"
    shown = ok(mg("doris", "instance", "show", iid))
    assert re.search(r"^name +other$", shown, re.M), shown
    assert mg("doris", "instance", "drop", iid).returncode == USAGE
    ok(mg("doris", "instance", "drop", iid, "-y"))


def test_a_cluster_its_nodes_and_vaults(mg, doris):
    iid = d.instance(doris)
    node = json.dumps([{"cloud_unique_id": f"1:{iid}:n1", "ip": "10.0.0.1",
                        "heartbeat_port": 9050}])
    ok(mg("doris", "cluster", "add", iid, "c1", "name1", "--type", "COMPUTE"))
    ok(mg("doris", "node", "add", iid, "c1", node, "--type", "COMPUTE"))
    names = ok(mg("doris", "node", "list", "--under",
                  f"doris/cluster/{iid}/c1", "-o", "name"))
    assert names == "10.0.0.1:9050\n"
    ok(mg("doris", "cluster", "rename", iid, "c1", "name2"))
    told = document(mg("doris", "cluster", "show", iid, "c1", "-o", "json"))
    assert told["result"]["cluster_name"] == "name2"
    ok(mg("doris", "cluster", "set", iid, "c1", "SUSPENDED"))
    listed = ok(mg("doris", "cluster", "list"))
    assert re.search(rf"^{iid}/c1 +name2 +SUSPENDED +ok", listed, re.M), listed
    named = ok(mg("doris", "instance", "list", "-o", "name")).split()
    assert iid in named  # what the other verbs take
    ok(mg("doris", "instance", "show", iid))
    wide = ok(mg("doris", "cluster", "list", "-o", "wide"))
    assert f"doris/cluster/{iid}/c1" in wide  # what --under takes
    ok(mg("doris", "node", "drop", iid, "c1", node, "--type", "COMPUTE",
          "-y"))
    ok(mg("doris", "cluster", "drop", iid, "c1", "-y"))


def test_a_table_is_waited_for_and_looked_at(mg):
    name = fresh("t")
    ok(mg("pegasus", "table", "create", name, "--partitions", "4",
          "--replicas", "3", "--wait=60"))
    rows = ok(mg("pegasus", "replica", "list", name)).splitlines()
    assert len(rows) == 5 and rows[0].split() == [
        "PIDX", "BALLOT", "PRIMARY", "SECONDARIES"], rows
    assert name in ok(mg("pegasus", "table", "list"))
    assert document(mg("pegasus", "table", "show", name, "-o", "json"))
    ok(mg("pegasus", "table", "rename", name, name + "x"))
    ok(mg("pegasus", "table", "drop", name + "x", "-y"))
    assert len(ok(mg("pegasus", "node", "list", "-o", "name")).split()) == 3
    assert ok(mg("pegasus", "cluster", "show"))


def test_a_changefeed_is_made_stopped_and_removed(mg):
    name = fresh("f")
    ok(mg("changefeed", "create", name, "blackhole://"))
    assert re.search(rf"^{name} ", ok(mg("changefeed", "list")), re.M)
    ok(mg("changefeed", "pause", name))
    told = document(mg("changefeed", "show", name, "-o", "json"))
    assert told["state"] == "stopped", told
    ok(mg("changefeed", "resume", name))
    assert mg("changefeed", "show", name + "x").returncode == UNKNOWN
    assert mg("changefeed", "create", name,
              "blackhole://").returncode == CONFLICT
    assert mg("changefeed", "remove", name).returncode == USAGE
    ok(mg("changefeed", "remove", name, "-y"))
    assert "c1" in ok(mg("capture", "list"))


def test_a_job_is_waited_for(mg, sql):
    """There is no machine that the cluster could be made on."""
    done = mg("cluster", "create", "--ha-mode", "mgr", "--shards", "1",
              "--nodes", "3", "--comps", "1", "--max-storage-size", "20",
              "--max-connections", "6", "--cpu-cores", "1", "--innodb-size",
              "1", "--wait=60")
    assert done.returncode == JOB and "failed: " in done.stderr, done
    newest = document(mg("job", "list", "--kind", "cluster_mgr.", "--limit",
                         "1", "-o", "json"))["items"][0]
    assert newest["state"] == "failed"
    shown = ok(mg("job", "show", str(newest["id"])))
    assert re.search(r"^state +failed$", shown, re.M), shown


def test_a_machine_and_what_a_refusal_says(mg):
    done = mg("cluster", "show", fresh("c"))
    assert done.returncode == UNKNOWN and done.stderr, done
    assert ok(mg("machine", "list", "-o", "json"))
    tried = document(mg("machine", "create", "127.9.9.9", "--rack-id", "1",
                        "--datadir", "/d", "--logdir", "/d", "--wal-log-dir",
                        "/d", "--comp-datadir", "/d", "--total-mem", "1",
                        "--total-cpu-cores", "1", "--dry-run"))
    assert tried["dry_run"] is True, tried


def test_the_vaults_of_an_instance(mg, doris):
    iid = d.instance(doris, obj_info=None, vault={"obj_info": d.OBJ_INFO})
    obj = json.dumps(d.OBJ_INFO)
    ok(mg("doris", "vault", "add-s3", iid, "v1", obj))
    assert "v1" in ok(mg("doris", "vault", "list", "--under",
                         f"doris/instance/{iid}"))
    hdfs = json.dumps({"prefix": "p", "build_conf": {"fs_name": "hdfs://h",
                                                     "user": "u"}})
    ok(mg("doris", "vault", "add-hdfs", iid, "v2", hdfs))
    ok(mg("doris", "vault", "drop-hdfs", iid, "v2", "-y"))
