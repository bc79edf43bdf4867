"""Backups and restores by node_mgr where they go to WebHDFS and S3: what comes
back, and what is left when the target is away in mid-stream."""

import os
import threading

import pytest

from support import objects
from support.secrets import secret_file
from support.waiting import until
from wire.kunlun.test_backup import HOUR_AHEAD, cold, insert, rows
from wire.kunlun.test_backup import full  # noqa: F401

pytestmark = [pytest.mark.fault, pytest.mark.limit(600)]


class Target:
    """One of the two, and how node_mgr is told of it."""

    def __init__(self, server, **named):
        self.server, self.named = server, named
        server.broken = self._broken
        self.trips = None  # (method, bytes): down behind so many of a body
        self.down = threading.Event()

    def _broken(self, handler):
        if self.trips and handler.command == self.trips[0] \
                and self.trips[1](handler):
            self.down.set()
        if not self.down.is_set():
            return False
        handler.close_connection = True
        handler.connection.close()
        return True

    def up_again(self):
        self.trips = None
        self.down.clear()

    def of(self, at):
        """Names of what there is of its cluster's backups."""
        return [name for name in self.server.files
                if f"/coldbackup/{at['cluster']}/" in name]

    def archive(self, at):
        name, = self.of(at)
        return name


@pytest.fixture(scope="module")
def targets():
    with objects.S3() as s3, objects.HDFS() as hdfs:
        yield {"s3": Target(s3), "webhdfs": Target(
            hdfs, backup_storage=hdfs.url)}


@pytest.fixture(scope="module")
def environment(targets):
    with secret_file(objects.SECRET) as secret:
        yield {"METAGATE_NODE_MGR_BACKUP_URL": targets["s3"].server.url,
               "METAGATE_NODE_MGR_BACKUP_ACCESS_KEY": objects.ACCESS,
               "METAGATE_NODE_MGR_BACKUP_SECRET_FILE": secret}


@pytest.fixture(params=["s3", "webhdfs"])
def target(request, targets):
    target = targets[request.param]
    yield target
    target.up_again()


def backup(machine, at, target):
    return machine.run("backup_shard", at, cluster_name=at["cluster"],
                       shard_name="shard1", **target.named)


def restore(machine, at, target):
    return machine.run("restore_storage", at, cluster_name=at["cluster"],
                       shard_name="shard1", timestamp=HOUR_AHEAD,
                       **target.named)


def test_what_was_backed_up_there_comes_back(machine, full, target):
    word, path = backup(machine, full, target)
    assert word == "succeed", path
    assert target.archive(full).endswith(path)
    insert(machine, full, 2)
    assert restore(machine, full, target) \
        == ("succeed", "restore storage succeed")
    assert rows(machine, full) == [1, 2]  # by the binlogs, kept there too


def test_a_cold_backup_goes_where_the_configuration_says(
        machine, full, targets):
    target = targets["s3"]
    assert cold(machine, full, "coldbackup") \
        == ("succeed", "coldbackup succeed")
    name = target.archive(full)
    index, = [text for n, text in target.server.files.items()
              if n.endswith("/coldbackup/storage.txt")]
    file = name[name.index("/coldbackup/"):]
    assert file in index.decode().split()
    insert(machine, full, 2)
    assert cold(machine, full, "coldrestore", file=file) \
        == ("succeed", "coldrestore succeed")
    assert rows(machine, full) == [1]


def test_a_target_that_goes_down_in_mid_stream_is_told(machine, full, target):
    with machine.login(full) as c, c.cursor() as q:  # more than one piece
        q.execute("USE d")
        q.execute("CREATE TABLE large (a INT PRIMARY KEY, b LONGBLOB)")
        q.execute("INSERT INTO large SELECT seq, RANDOM_BYTES(1024)"
                  " FROM seq_1_to_20000")

    def half(handler):
        """Some of an archive has come."""
        if f"/{full['cluster']}/" not in handler.path:
            return False
        if handler.headers.get("Transfer-Encoding") != "chunked":
            return "partNumber=2" in handler.path
        if "data=1" not in handler.path:
            return False
        # what has come stays there, as in Hadoop
        name = handler.path.partition("?")[0].removeprefix("/webhdfs/v1")
        target.server.files[name] = handler.rfile.read(1 << 20)
        return True
    target.trips = ("PUT", half)
    job = machine.begin("backup_shard", ip=full["ip"], port=full["port"],
                        cluster_name=full["cluster"], shard_name="shard1",
                        **target.named)
    assert target.down.wait(120)
    assert target.of(full) or target.server.uploads
    # what is left there is taken away as soon as it is back
    left = f"error: coldbackup/{full['cluster']}/shard1/coldback_"
    until(lambda: left in str(machine.node.status(job)), "it is named", 120)
    target.up_again()
    said = machine.node.finished(job, 120)
    assert said["result"] == "error", said
    assert said["info"].startswith("backup shard error: "), said
    until(lambda: target.of(full) == [] and not target.server.uploads,
          "nothing of it is there")
    assert backup(machine, full, target)[0] == "succeed"

    # and the way back: data are as they were
    insert(machine, full, 2)
    size = len(target.server.files[target.archive(full)])
    target.trips = ("GET", lambda handler: cut(handler, target, size // 2))
    word, said = restore(machine, full, target)
    assert word == "error" and said.startswith("restore storage error"), said
    target.up_again()
    assert rows(machine, full) == [1, 2]
    home = machine.home(full, "data_dir_path")
    assert not [n for n in os.listdir(home)
                if "load" in n or "old" in n or "relay" in n]
    assert restore(machine, full, target)[0] == "succeed"
    assert rows(machine, full) == [1, 2]


def cut(handler, target, n):
    """Sends so much of an archive, and no more."""
    path = handler.path.partition("?")[0].removeprefix("/webhdfs/v1")
    if path not in target.server.files or path.endswith("storage.txt") \
            or "op=GETFILESTATUS" in handler.path \
            or ("op=OPEN" in handler.path and "data=1" not in handler.path):
        return False
    data = target.server.files[path]
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[:n])
    handler.wfile.flush()
    return True


def test_an_archive_that_is_damaged_there_is_refused(machine, full, target):
    assert backup(machine, full, target)[0] == "succeed"
    insert(machine, full, 2)
    name = target.archive(full)
    whole = target.server.files[name]
    middle = len(whole) // 2
    for bad in (whole[:middle] + bytes(64) + whole[middle + 64:],
                whole[:middle], b""):
        target.server.files[name] = bad
        word, said = restore(machine, full, target)
        assert word == "error" and said.startswith("restore storage error")
        assert rows(machine, full) == [1, 2]
    del target.server.files[name]  # and one that is not there any more
    key = name[name.index("coldbackup/"):]
    url = target.named.get("backup_storage", target.server.url)
    assert restore(machine, full, target) \
        == ("error", f"restore storage error: there is no {key} in {url}")
    target.server.files[name] = whole
    assert restore(machine, full, target)[0] == "succeed"
    assert rows(machine, full) == [1, 2]
