"""A Doris cluster's document against the rows that it is made from."""

import json

from support.store import rows

NODE = ["cloud_unique_id", "name", "ip", "vpc_name", "ctime", "mtime",
        "status", "heartbeat_port", "description", "edit_log_port",
        "node_type", "is_smooth_upgrade", "host", "public_endpoint",
        "private_endpoint"]


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def members(row, columns):
    """A row's columns as printed: NULL is absent, times are strings."""
    out = {}
    for column in columns:
        value = text(row[column])
        if value is None:
            continue
        if column in ("ctime", "mtime"):
            value = str(value)
        if column == "is_smooth_upgrade":
            value = bool(value)
        out["desc" if column == "description" else column] = value
    return out


def names(sql, table, column, row):
    return [text(r[column]) for r in rows(
        sql, f"SELECT {column} FROM {table} WHERE instance_id = %s"
        " AND seq = %s ORDER BY ord", row["instance_id"], row["seq"])]


def cluster_of(sql, row):
    """The cluster as its rows say, in the order of output."""
    nodes = rows(sql, "SELECT * FROM doris_node WHERE instance_id = %s"
                 " AND seq = %s ORDER BY ord", row["instance_id"],
                 row["seq"])
    parts = members(row, ["cluster_id", "cluster_name", "type",
                          "description"])
    parts["nodes"] = [members(n, NODE) for n in nodes]
    parts["mysql_user_name"] = names(sql, "doris_cluster_user", "user", row)
    parts |= members(row, ["public_endpoint", "private_endpoint",
                           "cluster_status", "ctime", "mtime"])
    parts["cluster_names"] = names(sql, "doris_cluster_member", "member", row)
    parts["cluster_policy"] = json.loads(row["cluster_policy"] or "{}")
    parts |= json.loads(row["properties"] or "{}")
    return {k: v for k, v in parts.items() if v not in ([], {})}


def assert_true(ms, sql, iid):
    """Rows, documents and replies agree; no cloud_unique_id is left over."""
    found = rows(sql, "SELECT * FROM doris_cluster WHERE instance_id = %s"
                 " ORDER BY seq", iid.encode())
    for row in found:
        truth = cluster_of(sql, row)
        got = ms.get_cluster(iid, truth["cluster_id"])
        assert json.dumps(got) == json.dumps(truth)
        shown = json.dumps(truth, indent=4, ensure_ascii=False)
        assert row["doc"] == json.dumps(json.loads(shown), ensure_ascii=False,
                                    separators=(",", ":"))
    held = {text(r["cloud_unique_id"]) for r in rows(
        sql, "SELECT cloud_unique_id FROM doris_cloud_id"
        " WHERE instance_id = %s", iid.encode())}
    used = {text(r["cloud_unique_id"]) for r in rows(
        sql, "SELECT cloud_unique_id FROM doris_node"
        " WHERE instance_id = %s", iid.encode())}
    assert held == used - {None, ""}
    return [cluster_of(sql, row) for row in found]
