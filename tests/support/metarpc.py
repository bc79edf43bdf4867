"""The RPCs of the Meta Service as tests speak them, and small valid records."""

import json

from support.words import fresh


class MetaRpc:
    """POST /MetaService/<rpc>; each reply has a status member."""

    def __init__(self, client, iid):
        self.client, self.iid = client, iid

    def send(self, rpc, body=None, **more):
        body = {"cloud_unique_id": f"1:{self.iid}:any", **(body or {})}
        return self.client.request("POST", f"/MetaService/{rpc}", body, **more)

    def ok(self, rpc, body=None):
        """A success: the reply without its status."""
        r = self.send(rpc, body)
        assert r.status == 200, r
        shown = r.json
        assert r.text == json.dumps(shown, separators=(",", ":"),
                                    ensure_ascii=False), r
        assert list(shown)[0] == "status", r
        said = shown.pop("status")
        assert said["code"] == "OK", r
        assert said["msg"] == "" or rpc == "commit_txn" and said[
            "msg"].startswith("transaction is already visible: "), r
        return shown

    def fails(self, code, msg, rpc, body=None):
        """A refusal: 200 with that status; the other members."""
        r = self.send(rpc, body)
        assert r.status == 200, r
        shown = r.json
        assert shown.pop("status") == {"code": code, "msg": msg}, r
        return shown

    def code(self, rpc, body=None):
        r = self.send(rpc, body)
        assert r.status == 200, r
        return r.json["status"]["code"]

    # ---- what most tests begin with ----

    def tablets(self, *tablet_ids, partition_id=40, **more):
        self.ok("create_tablets", {"db_id": 10, "tablet_metas": [
            tablet(t, partition_id=partition_id, **more)
            for t in tablet_ids]})

    def begin(self, label=None, **more):
        """A new transaction's id."""
        return self.ok("begin_txn", {"txn_info": txn(label, **more)})["txn_id"]

    def load(self, txn_id, tablet_id, name=None, **more):
        """Prepares and commits a rowset of the transaction."""
        body = {"rowset_meta": rowset(tablet_id, txn_id, name, **more)}
        self.ok("prepare_rowset", body)
        self.ok("commit_rowset", body)
        return body["rowset_meta"]["rowset_id_v2"]

    def commit(self, txn_id, **more):
        return self.ok("commit_txn", {"db_id": 10, "txn_id": txn_id, **more})

    def txn(self, txn_id):
        return self.ok("get_txn", {"txn_id": txn_id})["txn_info"]

    def stats(self, tablet_id):
        out = self.ok("get_tablet_stats", {"tablet_idx": [
            {"tablet_id": tablet_id}]})
        return out["tablet_stats"][0]

    def versions(self, tablet_id):
        """[start, end] of the visible rowsets, and their names."""
        out = self.ok("get_rowset", {"idx": {"tablet_id": tablet_id},
                                     "start_version": 0, "end_version": -1})
        return [(r["start_version"], r["end_version"], r["rowset_id_v2"])
                for r in out["rowset_meta"]]


def tablet(tablet_id, table_id=20, index_id=30, partition_id=40, **more):
    return {"table_id": table_id, "index_id": index_id,
            "partition_id": partition_id, "tablet_id": tablet_id,
            "schema": {"schema_version": 1, "keys_type": "DUP_KEYS",
                       "column": [{"unique_id": 0, "name": "k",
                                   "type": "INT", "is_key": True}]},
            "rs_metas": [{"rowset_id_v2": f"first{tablet_id}",
                          "start_version": 0, "end_version": 1}], **more}


def txn(label=None, **more):
    return {"db_id": 10, "table_ids": [20], "label": label or fresh("label"),
            "timeout_ms": 600000, **more}


def rowset(tablet_id, txn_id, name=None, **more):
    return {"tablet_id": tablet_id, "txn_id": txn_id,
            "rowset_id_v2": name or fresh("rs"), "num_rows": 10,
            "num_segments": 1, "data_disk_size": 100, **more}


def compaction(job_id, kind="CUMULATIVE", **more):
    return {"id": job_id, "type": kind, "base_compaction_cnt": 0,
            "cumulative_compaction_cnt": 0, "expiration": 4000000000,
            "lease": 4000000000, **more}
