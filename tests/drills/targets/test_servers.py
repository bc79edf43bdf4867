"""Backups and restores by node_mgr with servers that others have written: what
npm has that speaks as S3 and as WebHDFS. Neither checks a signature, or is
Hadoop: that our calls are signed as published says wire/blob."""

import os

import pytest

from wire.kunlun.test_backup import HOUR_AHEAD, cold, insert, rows
from wire.kunlun.test_backup import full  # noqa: F401
from support.secrets import secret_file

pytestmark = [pytest.mark.fault, pytest.mark.limit(600)]


@pytest.fixture(scope="module", params=["s3", "webhdfs"])
def target(request, servers):
    """(where its files are, its url)"""
    top, s3, hdfs = servers
    if request.param == "s3":
        return top / "s3", ("s3://bucket/backups?region=us-east-1"
                            f"&endpoint=http://127.0.0.1:{s3}")
    return top / "hdfs", f"webhdfs://127.0.0.1:{hdfs}/backups?user=metagate"


@pytest.fixture(scope="module")
def environment(target):
    with secret_file("S3RVER") as secret:
        yield {"METAGATE_NODE_MGR_BACKUP_URL": target[1],
               "METAGATE_NODE_MGR_BACKUP_ACCESS_KEY": "S3RVER",
               "METAGATE_NODE_MGR_BACKUP_SECRET_FILE": secret}


def names(target, at):
    """Files there that its backups are, or parts of them."""
    return [os.path.join(where, name)
            for where, _, files in os.walk(target[0]) for name in files
            if f"/coldbackup/{at['cluster']}/" in os.path.join(where, name)]


def test_backups_come_back_from_there(machine, full, target):
    with machine.login(full) as c, c.cursor() as q:  # more than one piece
        q.execute("CREATE TABLE d.l (a INT PRIMARY KEY, b LONGBLOB)")
        q.execute("INSERT INTO d.l SELECT seq, RANDOM_BYTES(1024)"
                  " FROM mysql.seq_1_to_20000")
        q.execute("CHECKSUM TABLE d.l")
        before = q.fetchall()
    assert cold(machine, full, "coldbackup") \
        == ("succeed", "coldbackup succeed")
    found = names(target, full)
    file = "/coldbackup" + found[0].partition("/coldbackup")[2]
    file = file[:file.index(".tgz") + 4]
    assert all(file in name and ".new" not in name for name in found)
    insert(machine, full, 2)
    assert cold(machine, full, "coldrestore", file=file) \
        == ("succeed", "coldrestore succeed")
    assert rows(machine, full) == [1]
    with machine.login(full) as c, c.cursor() as q:
        q.execute("CHECKSUM TABLE d.l")
        assert q.fetchall() == before

    named = {"cluster_name": full["cluster"], "shard_name": "shard1"}
    word, path = machine.run("backup_shard", full, **named)
    assert word == "succeed" and any(path in n for n in names(target, full))
    insert(machine, full, 3)
    assert machine.run("restore_storage", full, timestamp=HOUR_AHEAD,
                       **named) == ("succeed", "restore storage succeed")
    assert rows(machine, full) == [1, 3]
