"""Changefeeds into Kafka: what consumers read there."""

import http.server
import io
import json
import os
import random
import struct
import threading

import avro.io
import avro.schema
import pytest

from support import nets
from support.feeds import Feeds, now_tso
from support.kafka import Kafka
from support.store import rows
from support.waiting import until
from support.workload import Changes

ROUNDS = int(os.environ.get("METAGATE_DRILL_ROUNDS", "5"))
SEED = int(os.environ.get("METAGATE_DRILL_SEED", "1"))


@pytest.fixture(scope="module")
def feeds():
    net, fd = nets.claim()
    with Feeds(net) as f:
        yield f
    os.close(fd)


@pytest.fixture
def kafka(feeds):
    with Kafka() as k:
        yield k
        for name in list(feeds.captures):
            feeds.kill(name)
    assert feeds.reports() == ""


def test_rows_statements_and_watermarks_arrive(feeds, kafka):
    with feeds.sql("source", None) as c:
        rows(c, "CREATE DATABASE shop")
        feed = feeds.create(kafka.uri("canal-json",
                                      **{"enable-tidb-extension": "true"}),
                            filter_rules=["shop.*"])
        rows(c, "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(9))")
        feeds.start("c1")
        rows(c, "INSERT INTO shop.t VALUES (1, 'a'), (2, 'b')")
        rows(c, "UPDATE shop.t SET v = 'c' WHERE id = 1")
        rows(c, "DELETE FROM shop.t WHERE id = 2")
        last = now_tso(c)
    feeds.until_at(feed)

    def watermarks():
        return [(p, d) for p, d in kafka.documents()
                if d["type"] == "TIDB_WATERMARK"
                and d["_tidb"]["watermarkTs"] > last]
    until(lambda: {p for p, _ in watermarks()} == set(range(4)),
          "a watermark behind all of it in each partition")
    said = kafka.documents()
    ddl = [(p, d) for p, d in said if d["isDdl"]]
    assert [(p, d["type"], d["table"]) for p, d in ddl] == [(0, "CREATE", "t")]
    data = [d for _, d in said if not d["isDdl"]
            and d["type"] != "TIDB_WATERMARK"]
    assert [(d["type"], d["data"][0]["id"]) for d in data] == [
        ("INSERT", "1"), ("INSERT", "2"), ("UPDATE", "1"), ("DELETE", "2")]
    assert data[2]["old"] == [{"id": "1", "v": "a"}]
    assert data[0]["pkNames"] == ["id"]
    # no watermark is in front of a row that is not behind it
    high = {}
    for p, d in said:
        if d["type"] == "TIDB_WATERMARK":
            high[p] = max(high.get(p, 0), d["_tidb"]["watermarkTs"])
        else:
            assert d["_tidb"]["commitTs"] > high.get(p, 0)


def in_front(documents):
    """Rows that come for the first time behind a watermark that they are not
    behind: a consumer takes them for duplicates."""
    seen, high, out = set(), {}, []
    for p, d in documents:
        if d["type"] == "TIDB_WATERMARK":
            high[p] = max(high.get(p, 0), d["_tidb"]["watermarkTs"])
        elif not d["isDdl"]:
            row = (d["type"], *d["data"][0].values())
            if row not in seen and d["_tidb"]["commitTs"] <= high.get(p, 0):
                out.append((p, high[p], d))
            seen.add(row)
    return out


def test_every_topic_is_told_how_far_all_of_it_is(feeds, kafka):
    """Tables of two captures in topics of their own, one of a table in which
    nothing happens; whoever tells the watermarks is killed."""
    tables = ["a", "b", "c", "quiet"]
    for table in tables:
        kafka.make(f"own_wide_{table}")
    with feeds.sql("source", None) as c:
        rows(c, "CREATE DATABASE wide")
        for table in tables:
            rows(c, f"CREATE TABLE wide.{table} (id INT PRIMARY KEY, n INT)")
    feed = feeds.create(
        kafka.uri("canal-json", **{"enable-tidb-extension": "true"}),
        filter_rules=["wide.*"], sink_config={"dispatchers": [
            {"matcher": ["*.*"], "dispatcher": "index-value",
             "topic": "own_{schema}_{table}"}]})
    feeds.start("c1", "c2")
    until(lambda: {w for _, w in feeds.tables(feed).values()} == {"c1", "c2"},
          "both write")
    with Changes(feeds, "wide.a", SEED), Changes(feeds, "wide.b", SEED), \
            Changes(feeds, "wide.c", SEED):
        for _ in range(2):
            feeds.until_at(feed, timeout=120)
            name = feeds.tables(feed)[""][1]
            feeds.kill(name)
            feeds.start(name)
    with feeds.sql("source", None) as c:
        last = now_tso(c)
    feeds.until_at(feed, tso=last, timeout=120)
    for table in tables:
        topic = f"own_wide_{table}"
        until(lambda: {p for p, d in kafka.documents(topic)
                       if d["type"] == "TIDB_WATERMARK"
                       and d["_tidb"]["watermarkTs"] > last} == set(range(4)),
              f"a watermark behind all of it in each partition of {topic}")
        assert in_front(kafka.documents(topic)) == []


def replayed(documents):
    """Every row as a consumer has it that takes each message in its order."""
    table = {}
    for _, d in documents:
        if d["isDdl"] or d["type"] == "TIDB_WATERMARK":
            continue
        if d["type"] == "DELETE":
            table.pop(d["data"][0]["id"], None)
        else:
            table[d["data"][0]["id"]] = d["data"][0]["n"]
    return table


def repeats_in_bounds(records, marks):
    """Each row comes in the order of its commits, and again only as far back as
    the checkpoint that was stored when something died. marks: [(checkpoint,
    {partition: the first offset behind it})]. How often any came again."""
    seen, newest, repeated = set(), {}, 0
    for r in records:
        d = json.loads(r.value)
        if d["isDdl"] or d["type"] == "TIDB_WATERMARK":
            continue
        row, ts = d["data"][0], d["_tidb"]["commitTs"]
        event = (d["type"], row["id"], row["n"])
        if event not in seen:
            seen.add(event)
            assert ts >= newest.get(row["id"], 0), d
            newest[row["id"]] = ts
            continue
        repeated += 1
        before = [c for c, ends in marks if ends[r.partition] <= r.offset]
        assert before and ts > before[-1], (d, before[-1:])
    return repeated


def test_nothing_is_lost_whatever_dies(feeds, kafka):
    """Captures are killed and brokers fail (here: answer that they lead no
    partition; in drills they die) while rows and their keys change, in four
    partitions by their keys."""
    r = random.Random(SEED)
    with feeds.sql("source", None) as c:
        rows(c, "CREATE DATABASE chaos")
        rows(c, "CREATE TABLE chaos.t (id INT PRIMARY KEY, n INT)")
    feed = feeds.create(
        kafka.uri("canal-json", **{"enable-tidb-extension": "true"}),
        filter_rules=["chaos.*"],
        sink_config={"dispatchers": [{"matcher": ["*.*"],
                                      "dispatcher": "index-value"}]})
    feeds.start("c1", "c2")
    marks = []
    with Changes(feeds, "chaos.t", SEED):
        for _ in range(ROUNDS):
            before = feeds.feed(feed)["checkpoint_ts"]
            until(lambda: feeds.feed(feed)["checkpoint_ts"] > before,
                  "it goes on", timeout=90)
            marks.append((feeds.feed(feed)["checkpoint_ts"], kafka.ends()))
            kafka.disturb()
            name = r.choice(["c1", "c2"])
            marks.append((feeds.feed(feed)["checkpoint_ts"], kafka.ends()))
            feeds.kill(name)
            feeds.start(name)
    feeds.until_at(feed, timeout=120)
    repeats_in_bounds(kafka.records(), marks)
    said = [x for x in kafka.documents() if x[1]["type"] != "TIDB_WATERMARK"]
    with feeds.sql("source", None) as c:
        want = {str(x["id"]): str(x["n"])
                for x in rows(c, "SELECT id, n FROM chaos.t")}
    assert replayed(said) == want
    assert len({p for p, _ in said}) == 4
    # a row's events lie in one partition
    at = {}
    for p, d in said:
        if not d["isDdl"]:
            assert at.setdefault(d["data"][0]["id"], p) == p


class Registry(http.server.BaseHTTPRequestHandler):
    """A schema registry that keeps what it is told."""
    schemas, broken = [], 0

    def _answer(self, status, doc):
        body = json.dumps(doc).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self._answer(200, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if Registry.broken > 0:
            Registry.broken -= 1
            self._answer(503, {"error_code": 503})
            return
        Registry.schemas.append((self.path, json.loads(body)["schema"],
                                 self.headers["Content-Type"]))
        self._answer(200, {"id": len(Registry.schemas) - 1})

    def log_message(self, *_):
        pass


@pytest.fixture
def registry():
    Registry.schemas, Registry.broken = [], 1
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def record(message):
    zero, number = struct.unpack(">bI", message[:5])
    assert zero == 0
    schema = avro.schema.parse(Registry.schemas[number][1])
    return avro.io.DatumReader(schema).read(
        avro.io.BinaryDecoder(io.BytesIO(message[5:])))


def test_schemas_of_avro_are_registered(feeds, kafka, registry):
    """Anew when the table has another definition."""
    with feeds.sql("source", None) as c:
        rows(c, "CREATE DATABASE av")
        rows(c, "CREATE TABLE av.t (id INT PRIMARY KEY, v VARCHAR(9))")
        feed = feeds.create(kafka.uri("avro", **{
            "schema-registry": registry}), filter_rules=["av.*"])
        feeds.start("c1")
        rows(c, "INSERT INTO av.t VALUES (1, 'a')")
        feeds.until_at(feed, timeout=120)
        rows(c, "ALTER TABLE av.t ADD w BIGINT DEFAULT 7")
        rows(c, "INSERT INTO av.t (id, v) VALUES (2, NULL)")
        rows(c, "DELETE FROM av.t WHERE id = 1")
    feeds.until_at(feed, timeout=120)
    assert [(record(k), v and record(v)) for k, v in kafka.messages()] == [
        ({"id": 1}, {"id": 1, "v": "a"}), ({"id": 2},
                                           {"id": 2, "v": None, "w": 7}),
        ({"id": 1}, None)]
    assert [(path, kind) for path, _, kind in Registry.schemas] == [
        (f"/subjects/feed-{part}/versions",
         "application/vnd.schemaregistry.v1+json")
        for part in ("key", "value")] * 2
