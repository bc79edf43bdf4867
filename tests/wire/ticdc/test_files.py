"""Changefeeds into file:// and s3://: what lies there, by a reader that is not
ours."""

import base64
import datetime
import os
import random
import re
import struct
import zoneinfo

import pytest

from support import kinds, nets, objects
from support.changefiles import Files, tree
from support.disks import own_disk
from support.feeds import Feeds, now_tso
from support.store import rows, value
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


@pytest.fixture(autouse=True)
def no_reports(feeds):
    yield
    for name in list(feeds.captures):
        feeds.kill(name)
    assert feeds.reports() == ""


class Directory:
    def __init__(self, feeds, name):
        self.path = feeds.path("files", name)
        self.files = lambda: tree(self.path)

    def uri(self, protocol, **params):
        params = {"protocol": protocol, "flush-interval": "2s", **params}
        return f"file://{self.path}?" + "&".join(
            f"{k}={v}" for k, v in params.items())


class Bucket(Directory):
    def __init__(self, server):
        self.server = server
        self.path = "bucket/some/where"
        self.files = lambda: {
            k.removeprefix("/bucket/some/where/"): v
            for k, v in dict(server.files).items()}

    def uri(self, protocol, **params):
        return super().uri(protocol, endpoint=f"http://{self.server.at}",
                           region="us-east-1", **{
                               "access-key": objects.ACCESS,
                               "secret-access-key": objects.SECRET.replace(
                                   "/", "%2F"), **params}).replace(
                                       "file://", "s3://")


@pytest.fixture(params=["file", "s3"])
def place(request, feeds):
    """A directory or a bucket of its own."""
    if request.param == "file":
        yield Directory(feeds, request.node.name.translate(
            str.maketrans("[]", "--")))
        return
    with objects.S3() as s:
        yield Bucket(s)
        assert not s.refused
        # what calls is the changefeed, whatever is done for it
        assert s.works and all(re.fullmatch(r"changefeed-\d+", w or "")
                               for w in s.works), s.works


def test_rows_and_statements_lie_in_files(feeds, place):
    there = Files(place.files)
    name = "shop" + place.path[:3].strip("/")
    with feeds.sql("source", None) as c:
        feed = feeds.create(place.uri("csv"), filter_rules=[f"{name}.*"])
        rows(c, f"CREATE DATABASE {name}")
        rows(c, f"CREATE TABLE {name}.`t$ü` (id INT PRIMARY KEY,"
             " v VARCHAR(9), d DECIMAL(6,2) NOT NULL DEFAULT 1.5)")
        feeds.start("c1")
        rows(c, f"INSERT INTO {name}.`t$ü` VALUES (1, 'a\"b,', 2),"
             " (2, NULL, 3)")
        rows(c, f"UPDATE {name}.`t$ü` SET v = 'c\r\n' WHERE id = 1")
        feeds.until_at(feed)
        rows(c, f"ALTER TABLE {name}.`t$ü` ADD b VARBINARY(4) AFTER id")
        rows(c, f"UPDATE {name}.`t$ü` SET id = 7, b = X'00ff' WHERE id = 2")
        rows(c, f"DELETE FROM {name}.`t$ü` WHERE id = 1")
        feeds.until_at(feed)
        rows(c, f"DROP TABLE {name}.`t$ü`")
        last = now_tso(c)
    feeds.until_at(feed)
    assert there.lines(name, "t$ü") == [
        ["I", "t$ü", name, "1", 'a"b,', "2.00"],
        ["I", "t$ü", name, "2", "\\N", "3.00"],
        ["U", "t$ü", name, "1", "c\r\n", "2.00"],
        ["D", "t$ü", name, "2", "\\N", "\\N", "3.00"],
        ["I", "t$ü", name, "7", "AP8=", "\\N", "3.00"],
        ["D", "t$ü", name, "1", "\\N", "c\r\n", "2.00"]]
    said = there.definitions()
    assert [(d["Table"], d["Type"]) for _, d in said] == [
        ("", 1), ("t$ü", 3), ("t$ü", 5), ("t$ü", 4)]
    assert said[2][1]["Query"].startswith("ALTER TABLE")
    assert said[2][1]["TableColumns"] == [
        {"ColumnName": "id", "ColumnType": "INT", "ColumnPrecision": "11",
         "ColumnNullable": "false", "ColumnIsPk": "true"},
        {"ColumnName": "b", "ColumnType": "VARBINARY", "ColumnPrecision": "4"},
        {"ColumnName": "v", "ColumnType": "VARCHAR", "ColumnPrecision": "9"},
        {"ColumnName": "d", "ColumnType": "DECIMAL", "ColumnDefault": "1.50",
         "ColumnPrecision": "6", "ColumnScale": "2",
         "ColumnNullable": "false"}]
    # rows lie in the folder of the version that they are of
    assert {v for v, *_ in there.data(name, "t$ü")} == {said[1][0], said[2][0]}
    until(lambda: there.metadata() > last, "it is told how far all of it is")
    assert f" [changefeed-{feed}] ticdc.ddl " in feeds.log("c1")


def test_lines_are_as_the_options_have_them(feeds):
    place = Directory(feeds, "options")
    feed = feeds.create(
        place.uri("csv"), filter_rules=["opt.*"], timezone="UTC",
        sink_config={"terminator": "\n", "date-separator": "month",
                     "file-index-digit": 6, "csv": {
                         "delimiter": "||", "quote": "", "null": "nil",
                         "include-commit-ts": True, "output-old-value": True,
                         "output-handle-key": True, "output-field-header": True,
                         "binary-encoding-method": "hex"}})
    with feeds.sql("source", None) as c:
        rows(c, "CREATE DATABASE opt")
        rows(c, "CREATE TABLE opt.t (a INT, b CHAR(9), c BLOB,"
             " g INT AS (a + 1) VIRTUAL, PRIMARY KEY (a, b))")
        rows(c, "INSERT INTO opt.t (a, b) VALUES (1, 'x|||y\r\n\\\\')")
        rows(c, "UPDATE opt.t SET c = X'0aff'")
    feeds.start("c1")
    feeds.until_at(feed)
    (_, date, number, data), = Files(place.files).data("opt", "t")
    with feeds.sql("source", None) as c:
        month = value(c, "SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%%Y-%%m')")
    assert (date, number) == (month, 1)
    assert any(p.endswith("/CDC000001.csv") for p in place.files())
    lines = data.decode().split("\n")
    assert lines[0] == ("ticdc-meta$operation||ticdc-meta$table||"
                        "ticdc-meta$schema||ticdc-meta$commit-ts||"
                        "ticdc-meta$is-update||ticdc-meta$handle-key||a||b||c")
    b = r"x\|\||y\r\n\\"
    ts = [line.split("||")[3] for line in lines[1:4]]
    assert lines[1:] == [
        f"I||t||opt||{ts[0]}||false||{{1, {b}}}||1||{b}||nil",
        f"D||t||opt||{ts[1]}||true||{{1, {b}}}||1||{b}||nil",
        f"I||t||opt||{ts[1]}||true||{{1, {b}}}||1||{b}||0aff", ""]
    assert int(ts[0]) < int(ts[1])


def test_times_are_those_of_the_changefeed_s_zone(feeds):
    moments = [1, 991159201, 994003200.25, 1007208000.5, 2147483647]
    zone = zoneinfo.ZoneInfo("America/New_York")
    place = Directory(feeds, "zone")
    feed = feeds.create(place.uri("csv"), filter_rules=["zone.*"],
                        timezone="America/New_York")
    with feeds.sql("source", None) as c:
        rows(c, "CREATE DATABASE zone")
        rows(c, "CREATE TABLE zone.t (id INT PRIMARY KEY, t TIMESTAMP(2) NULL,"
             " d DATETIME)")
        for i, s in enumerate(moments):
            rows(c, f"INSERT INTO zone.t VALUES ({i}, FROM_UNIXTIME({s}),"
                 " '2001-02-03 04:05:06')")
        rows(c, "INSERT INTO zone.t VALUES (9, '0000-00-00', NULL)")
    feeds.start("c1")
    feeds.until_at(feed)
    assert [x[4:] for x in Files(place.files).lines("zone", "t")] == [
        [datetime.datetime.fromtimestamp(s, zone).strftime(
            "%Y-%m-%d %H:%M:%S.%f")[:-4], "2001-02-03 04:05:06"]
        for s in moments] + [["0000-00-00 00:00:00.00", "\\N"]]


def replayed(files, schema, table):
    """Rows as a consumer has them that takes each file in its order."""
    out = {}
    for op, _, _, k, n in files.lines(schema, table):
        if op == "D":
            out.pop(k, None)
        else:
            out[k] = n
    return out


def test_nothing_is_lost_whatever_dies(feeds, place):
    """Captures are killed while rows and their keys change; S3 fails now and
    then."""
    r = random.Random(SEED)
    name = "chaos" + place.path[:3].strip("/")
    with feeds.sql("source", None) as c:
        rows(c, f"CREATE DATABASE {name}")
        rows(c, f"CREATE TABLE {name}.t (id INT PRIMARY KEY, n INT)")
        rows(c, f"CREATE TABLE {name}.u (id INT PRIMARY KEY, n INT)")
    feed = feeds.create(place.uri("csv"), filter_rules=[f"{name}.*"])
    if isinstance(place, Bucket):
        def broken(handler):
            if r.random() > 0.1:
                return False
            handler.body()
            handler.answer(503)
            return True
        place.server.broken = broken
    feeds.start("c1", "c2")
    with Changes(feeds, f"{name}.t", SEED), Changes(feeds, f"{name}.u", SEED):
        for _ in range(ROUNDS):
            before = feeds.feed(feed)["checkpoint_ts"]
            until(lambda: feeds.feed(feed)["checkpoint_ts"] > before,
                  "it goes on", timeout=90)
            victim = r.choice(["c1", "c2"])
            feeds.kill(victim)
            feeds.start(victim)
    feeds.until_at(feed, timeout=120)
    there = Files(place.files, killed=ROUNDS)
    with feeds.sql("source", None) as c:
        for table in "tu":
            want = {str(x["id"]): str(x["n"])
                    for x in rows(c, f"SELECT id, n FROM {name}.{table}")}
            assert replayed(there, name, table) == want
            assert len(there.data(name, table)) > 1
    until(lambda: there.metadata() <= feeds.feed(feed)["checkpoint_ts"])


# How a value of the source is printed to be the text that a file has: in CSV,
# and in canal-json where that is another.
PRINTED = {"bit": ("{} + 0", None), "year": ("{} + 0", None),
           "float": ("CAST({} AS DOUBLE)", None),
           "double": ("CAST({} AS DOUBLE)", None),
           "enum": ("CAST({} AS CHAR)", "{} + 0"),
           "set": ("CAST({} AS CHAR)", "{} + 0"),
           **dict.fromkeys(("binary", "varbinary", "longblob", "geometry"),
                           ("HEX({})", None))}


def comparable(kind, text, is_csv):
    """The text of a file as the source prints it."""
    if text is None or (is_csv and text == "\\N"):
        return None
    if kind == "float":
        return struct.unpack("f", struct.pack("f", float(text)))[0]
    if kind == "double":
        return float(text)
    if PRINTED.get(kind, ("",))[0] == "HEX({})":
        raw = base64.b64decode(text) if is_csv else text.encode("latin-1")
        return raw.hex().upper()
    return text


def of_source(c, schema, table, is_csv):
    """{key: values}, and the kinds of its columns by name."""
    columns = rows(c, "SELECT column_name AS name, data_type AS kind,"
                   " column_key AS k FROM information_schema.columns WHERE"
                   " table_schema = %s AND table_name = %s ORDER BY"
                   " ordinal_position", schema, table)
    parts = []
    for x in columns:
        shown = PRINTED.get(x["kind"], ("CONVERT({} USING utf8mb4)", None))
        parts.append((shown[0] if is_csv or shown[1] is None
                      else shown[1]).format(x["name"]))
    found = rows(c, f"SELECT {', '.join(parts)} FROM {schema}.{table}")
    names = {x["name"]: x["kind"] for x in columns}
    key = [i for i, x in enumerate(columns) if x["k"] == "PRI"]
    out = {}
    for line in found:
        values = [v if v is None or isinstance(v, float) else str(v)
                  for v in line.values()]
        out[tuple(values[i] for i in key)] = values
    return out, names, key


def of_files(there, schema, table, names, key, is_csv):
    """The same, replayed."""
    out = {}
    if is_csv:
        events = [(line[0], line[3:])
                  for line in there.lines(schema, table)]
    else:
        events = [(d["type"][0], list(d["data"][0].values()))
                  for d in there.documents(schema, table)]
    for op, values in events:
        values = [comparable(kind, v, is_csv)
                  for v, kind in zip(values, names.values(), strict=True)]
        at = tuple(values[i] for i in key)
        if op == "D":
            assert out.pop(at)
        else:
            out[at] = values
    return out


@pytest.mark.parametrize("protocol", ["csv", "canal-json"])
def test_every_type_lies_there_as_it_is(feeds, protocol):
    schema, is_csv = "kinds_" + protocol[:3], protocol == "csv"
    place = Directory(feeds, schema)
    feed = feeds.create(place.uri(protocol), filter_rules=[f"{schema}.*"],
                        timezone="UTC")
    with feeds.sql("source", None) as c:
        kinds.make(c, schema)
        kinds.fill(c)
        feeds.start("c1")
        feeds.until_at(feed, timeout=120)
        there = Files(place.files)
        for i, kind in enumerate(kinds.TYPES):
            for table in (f"t{i}", f"k{i}"):
                want, names, key = of_source(c, schema, table, is_csv)
                if key:
                    assert of_files(there, schema, table, names, key,
                                    is_csv) == want, (kind, table)


def test_a_full_disk_holds_a_changefeed_up_until_there_is_room(feeds):
    place = Directory(feeds, "small")
    os.makedirs(place.path)
    feeds.start("c1", within=own_disk(place.path, 2 << 20))
    seen = f"/proc/{feeds.captures['c1'].pid}/root" + place.path
    there = Files(lambda: tree(seen))
    feed = feeds.create(place.uri("csv"), filter_rules=["room.*"])
    with feeds.sql("source", None) as c:
        rows(c, "CREATE DATABASE room")
        rows(c, "CREATE TABLE room.t (id INT PRIMARY KEY, v LONGTEXT)")
        rows(c, "INSERT INTO room.t VALUES (1, 'first')")
        feeds.until_at(feed)
        with open(f"{seen}/filler", "wb") as f:
            f.write(bytes(1500 << 10))
        rows(c, "INSERT INTO room.t VALUES (2, REPEAT('x', 1000000))")
        row = until(lambda: (r := feeds.feed(feed))["error_code"] and r,
                    "it says why", timeout=90)
        assert row["error_code"] == "CDC:ErrExternalStorageAPI"
        assert "No space left on device" in row["error_message"]
        assert row["state"] == "pending"
        before = row["checkpoint_ts"]
        os.remove(f"{seen}/filler")
        feeds.until_at(feed, timeout=120)
    assert feeds.feed(feed)["checkpoint_ts"] > before
    assert [(f[3], len(f[4])) for f in there.lines("room", "t")] == [
        ("1", 5), ("2", 1000000)]
