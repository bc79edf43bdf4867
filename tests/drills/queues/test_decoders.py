"""Messages of every type read by what npm has: kafkajs, avsc, protobufjs."""

import base64
import json
import os
import re
import struct
import subprocess
from decimal import Decimal, localcontext

import pytest

from support import nets
from support.feeds import Feeds
from support.kafka import Kafka
from support.store import rows
# pylint: disable=unused-import
from wire.protocols.test_types import (  # noqa: F401
    COLUMNS, canal_value, compare, world)

pytestmark = pytest.mark.limit(900)


def decoded(npm, messages):
    """[(schema or None, bytes)] as node has them."""
    done = subprocess.run(
        ["node", "decode.js"], cwd=npm, text=True, check=True, timeout=120,
        stdout=subprocess.PIPE, input="".join(
            json.dumps({"schema": s, "data": m.hex()}) + "\n"
            for s, m in messages))
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def avro_value(name, v):
    """As test_types compares it."""
    kind, what = COLUMNS.get(name, ("", (), "INT"))[::2]
    if not isinstance(v, dict):
        return v
    data = bytes.fromhex(v["hex"])
    if what == "DEC":
        with localcontext() as c:
            c.prec = 70
            return Decimal(int.from_bytes(data, "big", signed=True)).scaleb(
                -int(re.search(r",(\d+)\)", kind)[1]))
    return int.from_bytes(data, "big") if what == "BIT" else data


def test_avsc_reads_every_type(world, npm):
    wanted, messages = world
    parts = [(k, v) for k, v in messages.of["avro"]]
    bodies = [(messages.schemas[struct.unpack(">I", m[1:5])[0]][1], m[5:])
              for pair in parts for m in pair if m is not None]
    said = iter(decoded(npm, bodies))
    for i, (_, v) in enumerate(parts):
        assert int(next(said)["id"]) == [1, 2, 3, 4, 1, 2][i]
        if v is None:
            continue
        row = {k: avro_value(k, x) for k, x in next(said).items()}
        if i == 4:
            assert row["i"] == 5
        else:
            compare(wanted[i], row, member="names")


def test_protobufjs_reads_every_type(world, npm):
    wanted, messages = world
    said = decoded(npm, [(None, v) for _, v in messages.of["canal"]])
    for i, d in enumerate(said):
        assert (d["type"], d["n"], d["table"]) == (7, 1, "t")
        assert d["eventType"] == [1, 1, 1, 1, 2, 3][i]
        row, = d["rows"]
        part = row["before"] if i >= 4 else row["after"]
        compare(wanted[[0, 1, 2, 3, 0, 1][i]], {
            c["name"]: None if c.get("isNull")
            else canal_value(c["name"], c.get("value", "")) for c in part})


def test_kafkajs_reads_what_kcat_reads(npm):
    net, fd = nets.claim()
    with Feeds(net) as feeds, Kafka() as kafka:
        with feeds.sql("source", None) as c:
            rows(c, "CREATE DATABASE js")
            rows(c, "USE js")
            rows(c, "CREATE TABLE js.t (id INT PRIMARY KEY, v VARCHAR(99))")
            feed = feeds.create(
                kafka.uri("canal-json"), filter_rules=["js.*"],
                sink_config={"dispatchers": [
                    {"matcher": ["*.*"], "dispatcher": "index-value"}]})
            rows(c, "INSERT INTO js.t SELECT seq, CONCAT('ü', seq)"
                 " FROM seq_1_to_2000")
        feeds.start("c1")
        feeds.until_at(feed, timeout=120)
        want = [(r.partition, r.offset, r.value) for r in kafka.records()]
        assert len(want) == 2000
        done = subprocess.run(
            ["node", "consume.js", kafka.servers, kafka.topic, "2000"],
            cwd=npm, stdout=subprocess.PIPE, check=True, timeout=300)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert sorted((p, o, base64.b64decode(v)) for p, o, v in lines) == \
            sorted(want)
        assert feeds.reports() == ""
    os.close(fd)
