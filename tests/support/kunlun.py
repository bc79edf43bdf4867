"""Words for tests of KunlunBase."""

import os
import socket

import pymysql

from support import processes, store
from support.waiting import until


class Asked:
    """What answers to job_type, members beside it; what is understood by 200."""

    def ask(self, job_type, **members):
        """The reply's object."""
        r = self.client.post("/", {"ver": "0.1", "job_type": job_type,
                                   **members})
        assert r.status == 200, r
        return r.json

    def refused(self, job_type, **members):
        """The sentence of a refusal."""
        said = self.ask(job_type, **members)
        assert said["result"] == self.REFUSED, said
        return said["info"]

    def status(self, job_id):
        return self.ask("get_status", job_id=job_id)


class Node(Asked):
    """node_mgr of one machine."""

    REFUSED = "error"

    def __init__(self, client):
        self.client = client

    @property
    def address(self):
        return self.client.host

    def scope(self, scope):
        return Node(self.client.scope(scope))

    def finished(self, job_id, timeout=60):
        """get_status of a job once that is over."""
        return until(lambda: (s := self.status(job_id))["result"] != "busy"
                     and s, timeout)


class Cluster(Asked):
    """cluster_mgr, asked as its flat clients do."""

    REFUSED = "failed"

    def __init__(self, client, word=None):
        self.client, self.word = client, word

    def scope(self, scope):
        return Cluster(self.client.scope(scope), self.word)

    def begin(self, job_type, **members):
        job = members.pop("job_id", None) or self.word("job")
        said = self.ask(job_type, job_id=job, **members)
        assert said == {"result": "accept"}, said
        return job

    def finished(self, job_id, timeout=60):
        """(result, info) of a job once that is over."""
        said = until(lambda: (s := self.status(job_id))["result"]
                     in ("done", "failed") and s, timeout)
        return said["result"], said["info"]

    def run(self, job_type, timeout=60, **members):
        return self.finished(self.begin(job_type, **members), timeout)


class Panel:
    """cluster_mgr, asked as XPanel 1.x does: members in paras."""

    PATH = "/HttpService/Emit"

    def __init__(self, client):
        self.client = client

    def scope(self, scope):
        return Panel(self.client.scope(scope))

    def body(self, job_type, job_id="", **paras):
        return {"version": "1.0", "job_id": job_id, "job_type": job_type,
                "timestamp": "1435749309", "user_name": "kunlun_test",
                "paras": paras}

    def ask(self, job_type, job_id="", **paras):
        r = self.client.post(self.PATH, self.body(job_type, job_id, **paras))
        assert r.status == 200 and r.text.endswith("}\n"), r
        assert list(r.json) == ["version", "error_code", "error_info",
                                "status", "job_id", "job_type",
                                "attachment"], r
        assert r.json["version"] == "1.0"
        assert isinstance(r.json["attachment"], dict)
        return r.json

    def refused(self, job_type, **paras):
        """(code, sentence) of a refusal."""
        said = self.ask(job_type, **paras)
        assert said["status"] == "failed", said
        return said["error_code"], said["error_info"]

    def begin(self, job_type, **paras):
        said = self.ask(job_type, **paras)
        assert (said["status"], said["error_code"], said["error_info"],
                said["job_type"]) == ("accept", "0", "", job_type), said
        assert said["job_id"].isdigit()
        return said["job_id"]

    def status(self, job_id):
        return self.ask("get_status", job_id=job_id)

    def finished(self, job_id, timeout=60):
        """get_status once the job is over."""
        return until(lambda: (s := self.status(job_id))["status"]
                     in ("done", "failed") and s, timeout)

    def run(self, job_type, timeout=60, **paras):
        """(status, code, sentence) of a job."""
        said = self.finished(self.begin(job_type, **paras), timeout)
        return said["status"], said["error_code"], said["error_info"]


class Machine:
    """A machine with directories of its own, registered as cluster_mgr
    would."""

    CLASSES = {"data_dir_path": "datadir", "log_dir_path": "logdir",
               "innodb_log_dir_path": "wal_log_dir",
               "comp_datadir": "comp_datadir"}

    def __init__(self, deployment, node, word):
        self.deployment, self.node, self.word = deployment, node, word
        self.made = []
        self.top = os.path.join(deployment.base, "roots-" + node.address)
        for column in self.CLASSES.values():
            os.makedirs(os.path.join(self.top, column), exist_ok=True)
        owner = os.stat(deployment.run_dir)
        for where, _, _ in os.walk(self.top):
            os.chown(where, owner.st_uid, owner.st_gid)
        self.register()

    def register(self):
        with self.deployment.sql() as c, c.cursor() as q:
            q.execute(
                "INSERT INTO Kunlun_Metadata_DB.server_nodes (hostaddr,"
                " datadir, logdir, wal_log_dir, comp_datadir)"
                " VALUES (%s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE id = id",
                (self.node.address, *(os.path.join(self.top, c)
                                 for c in self.CLASSES.values())))

    def home(self, at, kind):
        return os.path.join(self.top, self.CLASSES[kind], "instance_data",
                            kind, str(at["port"]))

    def place(self):
        """An address and a port where nobody listens."""
        with socket.socket() as s:
            s.bind((self.node.address, 0))
            port = s.getsockname()[1]
        return {"ip": self.node.address, "port": port,
                "cluster": self.word("c")}

    def body(self, at):
        return {"cluster_name": at["cluster"], "shard_name": "shard1",
                "install_id": 0, "nodes": [
                    {"ip": at["ip"], "port": at["port"],
                     "innodb_buffer_pool_size": "16MB"}]}

    def begin(self, job_type, **members):
        job = self.word("job")
        said = self.node.ask(job_type, job_id=job, **members)
        assert said["result"] in ("accept", "succeed"), said
        return job

    def run(self, job_type, at, **members):
        """The outcome of a job: (result, info)."""
        where = {} if at is None else {"ip": at["ip"], "port": at["port"]}
        job = self.begin(job_type, **where, **members)
        said = self.node.finished(job, 120)
        return said["result"], said["info"]

    def install(self, at):
        return self.run("install_storage", None, **self.body(at))

    def installed(self):
        at = self.place()
        assert self.install(at) == ("succeed", "install storage succeed")
        self.made.append(at)
        return at

    def entry(self, at):
        """Its entry of get_node; None."""
        return next((n for n in self.node.ask("get_node").values()
                     if n["port"] == at["port"]), None)

    def listens(self, at):
        with socket.socket() as s:
            return s.connect_ex((at["ip"], at["port"])) == 0

    def login(self, at, **more):
        entry = until(lambda: self.entry(at))
        return pymysql.connect(host=at["ip"], port=at["port"],
                               user=entry["user"], password=entry["pwd"],
                               autocommit=True, **more)

    def install_computer(self, at):
        return self.begin("install_computer", install_id=0, nodes=[
            {"ip": at["ip"], "port": at["port"], "name": "comp1",
             "user": "abc"}], cluster_name=at["cluster"])

    def gone(self, at):
        """Nothing of it is left, neither here nor in the store."""
        return self.entry(at) is None and not self.listens(at) and not [
            p for p in (self.home(at, k) for k in self.CLASSES)
            if os.path.exists(p)]

    def close(self):
        for at in self.made:
            self.run(at.get("delete", "delete_storage"), at)


class End:
    """An instance that tables are sent from, or to."""

    def __init__(self, machine, at):
        self.machine, self.at = machine, at
        entry = until(lambda: machine.entry(at))
        self.user, self.password = entry["user"], entry["pwd"]
        self.db = None

    def named(self, letter, table, **more):
        """The members of a request that name a table here."""
        return {f"{letter}_ip": self.at["ip"], f"{letter}_port":
                self.at["port"], f"{letter}_user": self.user,
                f"{letter}_pwd": self.password, f"{letter}_dbname": self.db,
                f"{letter}_table_name": table, **more}

    def sql(self, text, *values, connection=None):
        """The rows of the last statement; `%s` stands for the values."""
        if connection is not None:
            return self._run(connection, text, values)
        with self.connect() as connection:
            return self._run(connection, text, values)

    @staticmethod
    def _run(connection, text, values):
        with connection.cursor() as q:
            q.execute(text, values or None)
            return q.fetchall()

    def connect(self):
        return pymysql.connect(host=self.at["ip"], port=self.at["port"],
                               user=self.user, password=self.password,
                               database=self.db, autocommit=True)

    def left(self):
        """What a move has left behind, files and tables."""
        home = self.machine.home(self.at, "data_dir_path")
        found = [os.path.join(where, name)
                 for where, folders, files in os.walk(home)
                 for name in folders + files
                 if name.startswith(("outbox", "inbox", "metagate_arriving"))]
        return found + [row[0] for row in self.sql(
            "SELECT TABLE_NAME FROM information_schema.TABLES"
            " WHERE TABLE_NAME LIKE 'metagate%'")]


class Lent:
    """Instances on machines 1 and 2 that several tests use."""

    def __init__(self):
        self.deployment, self.pair = None, ()

    def ends(self, deployment, word):
        if self.deployment is not deployment:
            self.deployment = deployment
            self.pair = [
                End(m, m.installed()) for m in (
                    Machine(deployment, Node(deployment.client(
                        f"node_mgr/127.0.0.{k}")), word) for k in (1, 2))]
        name = word("d") + "_$$_public"
        for end in self.pair:
            end.db = None
            end.sql(f"CREATE DATABASE `{name}`")
            end.db = name
        return self.pair

    def close(self):
        if self.deployment is None or self.deployment.guard is None:
            return
        for end in self.pair:
            end.machine.close()


def leftovers(deployment, machines):
    """Processes, directories and rows of instances: nothing of them may be
    there when there is none."""
    found = [argv for argv in processes.words()
             if any(m.top in argv for m in machines)]
    for m in machines:
        for kind, column in m.CLASSES.items():
            top = os.path.join(m.top, column, "instance_data", kind)
            if os.path.isdir(top):
                found += [os.path.join(top, d) for d in os.listdir(top)]
    with deployment.sql() as c:
        for table in ("kunlun_instance", "kunlun_place", "kunlun_outbox",
                      "kunlun_shard", "kunlun_member", "kunlun_computer",
                      "kunlun_pointer", "Kunlun_Metadata_DB.db_clusters",
                      "Kunlun_Metadata_DB.shards",
                      "Kunlun_Metadata_DB.shard_nodes",
                      "Kunlun_Metadata_DB.comp_nodes"):
            n = store.value(c, f"SELECT COUNT(*) AS n FROM {table}")
            if n:
                found.append(f"{n} rows of {table}")
    return found
