"""What is in the store before a run.

A template instance is made through the API. Its rows, and above all the
rendered `doc` of its clusters, are then copied within the store with the
number in their names replaced: so the bulk looks exactly as the product
writes it, whatever that is. The peers have a schema of their own with the
same tables and rows, without `doc`; those of metagate's own design have
another, with it."""

import json
import random

from support.waiting import until
from works import BIG, DORIS, NAME, TABLE

PEGASUS = ("pegasus_app", "pegasus_app_env", "pegasus_partition")
TABLES = ("doris_instance", "doris_cluster", "doris_cloud_id", "doris_node")
PEERS, DOCS = "bench_peers", "bench_docs"  # the latter's clusters have a doc
CHUNK = 5000
TEMPLATE = "0000000"


def node(instance, c, k):
    return {"cloud_unique_id": f"1:{instance}:n{c}{k}", "ip": f"10.1.{c}.{k}",
            "host": f"node{c}{k}.{instance}.example", "heartbeat_port": 9050}


def cluster(instance, c):
    return {"cluster_id": f"{instance}_c{c}", "cluster_name": f"compute_{c}",
            "type": "COMPUTE", "nodes": [node(instance, c, k)
                                         for k in range(3)]}


def must(answer):
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} {answer.text}")


def make_template(api):
    name = NAME % 0
    must(api.post(DORIS + "/create_instance", {
        "instance_id": name, "name": name, "user_id": "bench", "obj_info": {
            "ak": "a", "sk": "s", "bucket": "b", "prefix": "p",
            "provider": "S3", "endpoint": "e", "external_endpoint": "e",
            "region": "r"}}))
    for c in range(3):
        must(api.post(DORIS + "/add_cluster", {
            "instance_id": name, "cluster": cluster(name, c)}))


class Store:
    def __init__(self, deployment):
        self.deployment = deployment
        self.db = deployment.sql()
        self.size = 0

    def run(self, sql, args=None):
        with self.db.cursor() as cursor:
            cursor.execute(sql, args)
            return [tuple(row.values()) for row in cursor.fetchall()]

    def _columns(self, table):
        """(name, whether it is text) of what is copied."""
        rows = self.run(
            "SELECT column_name, data_type, extra FROM"
            " information_schema.columns WHERE table_schema = 'metagate'"
            " AND table_name = %s ORDER BY ordinal_position", [table])
        return [(n, t in ("varchar", "varbinary", "mediumtext"))
                for n, t, extra in rows if "auto_increment" not in extra]

    def _copy(self, table, replace, where, numbers):
        """INSERT … SELECT of the template's rows for each number."""
        columns = self._columns(table)
        values = ", ".join(replace(c, text) for c, text in columns)
        names = ", ".join(c for c, _ in columns)
        self.run(f"INSERT INTO {table} ({names}) SELECT {values}"
                 f" FROM {table} t JOIN {numbers} s WHERE {where}")

    def fill(self, size):
        """Makes it `size` instances of 3 clusters of 3 nodes."""
        def replace(column, text):
            if not text:
                return f"t.{column}"
            return (f"REPLACE(t.{column}, '{TEMPLATE}',"
                    " LPAD(s.seq, 7, '0'))")

        if self.size == 0:
            make_template(self.deployment.client("doris"))
        while self.size < size:
            to = min(self.size + CHUNK, size)
            for table in TABLES:
                self._copy(table, replace,
                           f"t.instance_id = '{NAME % 0}'",
                           f"seq_{self.size + 1}_to_{to}")
            self.size = to

    def fill_big(self, clusters=1000):
        """One instance whose clusters are copies of the template's first."""
        name = NAME % 0

        def rename(value):
            return f"REPLACE({value}, '{name}', '{BIG}')"

        def numbered(column, text):
            if column == "instance_id":
                return f"'{BIG}'"
            if column == "seq":
                return "s.seq"
            if not text:
                return f"t.{column}"
            value = rename(f"t.{column}")
            for old, new in ((f"{BIG}_c0", f"{BIG}_c"),
                             ("compute_0", "compute_"),
                             (":n0", ":n"), ("node0", "node")):
                value = f"REPLACE({value}, '{old}', CONCAT('{new}', s.seq))"
            return value

        def plain(column, text):
            return rename(f"t.{column}") if text else f"t.{column}"

        first = f"t.instance_id = '{name}'"
        self._copy("doris_instance", plain, first, "seq_1_to_1")
        slot = self.run("SELECT MIN(seq) FROM doris_cluster"
                        " WHERE instance_id = %s", [name])[0][0]
        self._copy("doris_cluster", numbered, f"{first} AND t.seq = {slot}",
                   f"seq_1_to_{clusters}")
        self._copy("doris_node", numbered, f"{first} AND t.seq = {slot}",
                   f"seq_1_to_{clusters}")
        self.run(f"INSERT INTO doris_cloud_id (cloud_unique_id, instance_id)"
                 f" SELECT DISTINCT cloud_unique_id, instance_id"
                 f" FROM doris_node WHERE instance_id = '{BIG}'")

    def fill_tables(self, tables=1000):
        """A wide Pegasus table, and many: all partitions are healthy, so the
        leader has nothing to do."""
        api = self.deployment.client("pegasus-meta/m1")
        until(lambda: api.get("/meta/cluster").status == 200, "a leader", 60)
        must(api.post("/meta/cluster/level", {"level": "freezed"}))
        must(api.post("/meta/app/create", {
            "app_name": TABLE, "partition_count": 1024, "replica_count": 3}))
        app = self.run("SELECT app_id FROM pegasus_app WHERE live_name = %s",
                       [TABLE])[0][0]
        nodes = [r[0] for r in
                 self.run("SELECT address FROM pegasus_node ORDER BY address")]
        first = self.run("SELECT next_app_id FROM pegasus_cluster")[0][0]
        self.db.begin()
        self.run("UPDATE pegasus_cluster SET version = version + 1,"
                 " next_app_id = next_app_id + %s", [tables])
        version = self.run("SELECT version FROM pegasus_cluster")[0][0]
        self._copy_tables(app, first, tables)
        self._settle_partitions(nodes)
        self.run("UPDATE pegasus_app SET changed = %s", [version])
        self.db.commit()

    def _copy_tables(self, app, first, tables):
        for table, more in (("pegasus_app", ""),
                            ("pegasus_partition", " AND t.pidx < 8")):
            own = {"app_id": f"{first} + s.seq - 1",
                   "app_name": f"CONCAT('{TABLE}_', s.seq)",
                   "live_name": f"CONCAT('{TABLE}_', s.seq)"}
            if table == "pegasus_app":
                own["partition_count"] = "8"
            self._copy(table, lambda c, _: own.get(c, f"t.{c}"),
                       f"t.app_id = {app}{more}", f"seq_1_to_{tables}")

    def _settle_partitions(self, nodes):
        """Everything has a primary and two secondaries, in turns."""
        for i in range(3):
            one, two, three = nodes[i % 3], nodes[(i + 1) % 3], \
                nodes[(i + 2) % 3]
            self.run("UPDATE pegasus_partition SET primary_node = %s,"
                     " secondaries = %s, members = 3, ballot = ballot + 3"
                     " WHERE pidx MOD 3 = %s", [one, f"{two},{three}", i])

    def check(self, draws=50):
        """Reads clusters through the API: they are what was asked for, and
        one more node, which renders the whole document anew, changes nothing
        else."""
        api = self.deployment.client("doris")
        draw = random.Random(1)
        for _ in range(draws):
            i, c = NAME % draw.randint(1, self.size), draw.randint(0, 2)
            got = self._get(api, i, c)
            want = cluster(i, c)
            have = {k: got[k] for k in want}
            have["nodes"] = [{k: n[k] for k in w}
                             for n, w in zip(got["nodes"], want["nodes"])]
            if have != want:
                raise RuntimeError(f"{i}: {got}")
        more = dict(node(i, c, 9), cloud_unique_id=f"1:{i}:check")
        changed = {"instance_id": i, "cluster": {
            "cluster_id": f"{i}_c{c}", "type": "COMPUTE", "nodes": [more]}}
        must(api.post(DORIS + "/add_node", changed))
        after = self._get(api, i, c)
        if (after["nodes"][:3] != got["nodes"]
                or {**after, "nodes": 0, "mtime": 0}
                != {**got, "nodes": 0, "mtime": 0}):
            raise RuntimeError(f"written anew: {after}, before: {got}")
        must(api.post(DORIS + "/drop_node", changed))

    @staticmethod
    def _get(api, i, c):
        answer = api.post(DORIS + "/get_cluster", {
            "cloud_unique_id": f"1:{i}:n{c}0", "cluster_id": f"{i}_c{c}"})
        must(answer)
        return answer.json["result"]

    def written(self, schema, body):
        """What is wrong with what that add_node has left; "" when nothing
        is."""
        node = body["cluster"]["nodes"][0]["cloud_unique_id"]
        for table in ("doris_node", "doris_cloud_id"):
            if not self.run(f"SELECT 1 FROM {schema}.{table} WHERE"
                            " cloud_unique_id = %s AND instance_id = %s",
                            [node, body["instance_id"]]):
                return f"nothing in {table}"
        audit = self.run(f"SELECT before_json, after_json FROM {schema}.audit"
                         " WHERE INSTR(request_json, %s)", [node])
        if len(audit) != 1 or None in audit[0]:
            return f"{len(audit)} audit rows {audit}"
        ids = [[n["cloud_unique_id"] for n in json.loads(text)["nodes"]]
               for text in audit[0]]
        return "" if ids[0] + [node] == ids[1] else f"audit tells {ids}"

    def make_peers(self, password):
        """The peers' schemas and account. Their sessions write no binlog, as
        the server writes none for metagate's schema."""
        self.run("SET sql_log_bin = 0")
        self.run("CREATE USER bench@localhost IDENTIFIED BY %s", [password])
        self.run("GRANT BINLOG ADMIN ON *.* TO bench@localhost")
        for schema, without in ((PEERS, "doc"), (DOCS, None)):
            self._copy_schema(schema, without)
            self.run(f"GRANT ALL ON {schema}.* TO bench@localhost")
        self.run("ANALYZE TABLE " + ", ".join(
            f"{schema}.{t}" for schema in ("metagate", PEERS, DOCS)
            for t in TABLES))

    def _copy_schema(self, schema, without):
        """Its tables and rows; of clusters without that column."""
        self.run(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
        tables = (*TABLES, *PEGASUS, "audit")
        made = [self.run(f"SHOW CREATE TABLE {t}")[0][1] for t in tables]
        self.run(f"USE {schema}")
        for sql in made:
            self.run(sql)
        if without:
            self.run(f"ALTER TABLE doris_cluster DROP COLUMN {without}")
        self.run("USE metagate")
        for table in (*TABLES, *PEGASUS):
            names = ", ".join(c for c, _ in self._columns(table)
                              if c != without)
            self.run(f"INSERT INTO {schema}.{table} ({names})"
                     f" SELECT {names} FROM {table}")
