"""Changefeeds into a Kafka of Apache on a disk: volume, and fifty rounds of
kills of captures and of the broker; kcat and python3-kafka read it."""

import json
import os

os.environ.setdefault("METAGATE_DRILL_ROUNDS", "50")

# pylint: disable=unused-import,wrong-import-position
import kafka as python_kafka  # noqa: E402
import pytest  # noqa: E402

from support.store import rows, value  # noqa: E402
from wire.ticdc.test_kafka import (  # noqa: E402,F401
    feeds, test_nothing_is_lost_whatever_dies)

pytestmark = pytest.mark.limit(7200)
MANY = 100000 if int(os.environ["METAGATE_DRILL_ROUNDS"]) < 50 else 1000000


@pytest.fixture
def kafka(apache, feeds):
    """A topic of its own in the one cluster."""
    apache.topic = f"feed{feeds.next_feed}"
    apache.make(apache.topic)
    yield apache
    for name in list(feeds.captures):
        feeds.kill(name)
    assert feeds.reports() == ""


def read_by_another(apache):
    """python3-kafka: [(partition, offset, value)] sorted."""
    consumer = python_kafka.KafkaConsumer(
        bootstrap_servers=apache.servers, api_version=(0, 9),
        enable_auto_commit=False, consumer_timeout_ms=60000)
    parts = [python_kafka.TopicPartition(apache.topic, p)
             for p in range(apache.partitions)]
    consumer.assign(parts)
    consumer.seek_to_beginning(*parts)
    left, out = {p: n for p, n in apache.ends().items() if n > 0}, []
    while left:
        m = next(consumer)
        out.append((m.partition, m.offset, m.value))
        if m.offset + 1 >= left.get(m.partition, 0):
            left.pop(m.partition, None)
    consumer.close()
    return sorted(out)


def test_many_rows_are_there_once_for_every_consumer(feeds, kafka):
    with feeds.sql("source", None) as c:
        rows(c, "CREATE DATABASE many")
        rows(c, "USE many")
        rows(c, "CREATE TABLE many.t (id INT PRIMARY KEY, v VARCHAR(99))")
        feed = feeds.create(
            kafka.uri("canal-json"), filter_rules=["many.*"],
            sink_config={"dispatchers": [{"matcher": ["*.*"],
                                          "dispatcher": "index-value"}]})
        for begin in range(1, MANY, 10000):
            rows(c, "INSERT INTO many.t SELECT seq, REPEAT('x', 90)"
                 f" FROM seq_{begin}_to_{begin + 9999}")
        feeds.start("c1", "c2")
        feeds.until_at(feed, timeout=1200)
        assert value(c, "SELECT COUNT(*) FROM many.t") == MANY
    said = kafka.records()
    ids = [json.loads(r.value)["data"][0]["id"] for r in said]
    assert len(ids) == MANY and len(set(ids)) == MANY
    assert read_by_another(kafka) == sorted(
        (r.partition, r.offset, r.value) for r in said)
