"""Every type of column through every protocol, read by decoders that are not
ours (json, google.protobuf, avro), beside what the server says."""

import ast
import base64
import io
import json
import os
import struct
import subprocess
from decimal import Decimal

import avro.io
import avro.schema
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from support.mariadb import MariaDB

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
PROGRAM = os.path.join(ROOT, "build", "asan", "support", "encode_shell")

# Name: type, values, and what a value is: INT, FLOAT, DEC(imal), TIME (a text
# that the server prints), TEXT, BYTES, NUMBER (an ENUM, SET or BIT).
COLUMNS = {
    "ti": ("TINYINT", ["-128", "-1", "127"], "INT"),
    "tu": ("TINYINT UNSIGNED", ["0", "128", "255"], "INT"),
    "si": ("SMALLINT", ["-32768", "-1", "32767"], "INT"),
    "su": ("SMALLINT UNSIGNED", ["0", "32768", "65535"], "INT"),
    "mi": ("MEDIUMINT", ["-8388608", "-1", "8388607"], "INT"),
    "mu": ("MEDIUMINT UNSIGNED", ["0", "8388608", "16777215"], "INT"),
    "i": ("INT", ["-2147483648", "-4", "2147483647"], "INT"),
    "iu": ("INT UNSIGNED", ["0", "2147483648", "4294967295"], "INT"),
    "bi": ("BIGINT", ["-9223372036854775808", "-1", "9223372036854775807"],
           "INT"),
    "bu": ("BIGINT UNSIGNED", ["0", "9223372036854775807", "5"], "INT"),
    "f": ("FLOAT", ["0", "-1.5", "3.4e38"], "FLOAT"),
    "d": ("DOUBLE", ["0.1", "-1.7e308", "2.3e-308"], "FLOAT"),
    "de": ("DECIMAL(65,30)",
           ["-99999999999999999999999999999999999."
            "999999999999999999999999999999", "0.000000000000000000000000000001",
            "1.5"], "DEC"),
    "dn": ("DECIMAL(20,6)", ["-0.000001", "0", "-1234567890.123456"], "DEC"),
    "b1": ("BIT(1)", ["0", "1", "1"], "BIT"),
    "b17": ("BIT(17)", ["0", "65536", "131071"], "BIT"),
    "b64": ("BIT(64)", ["0", "1", "9223372036854775807"], "BIT"),
    "da": ("DATE", ["'2020-02-29'", "'1000-01-01'", "'9999-12-31'"], "TIME"),
    "t0": ("TIME", ["'-838:59:59'", "'00:00:00'", "'-00:00:01'"], "TIME"),
    "t6": ("TIME(6)", ["'-01:02:03.456789'", "'-00:00:00.000001'",
                       "'838:59:59.999999'"], "TIME"),
    "dt": ("DATETIME", ["'0000-00-00 00:00:00'", "'2020-02-29 23:59:59'",
                        "'9999-12-31 23:59:59'"], "TIME"),
    "d3": ("DATETIME(3)", ["'2001-02-03 04:05:06.789'", "0",
                           "'2020-01-01'"], "TIME"),
    "ts": ("TIMESTAMP NULL", ["'1970-01-01 00:00:01'", "0",
                              "'2038-01-19 03:14:07'"], "TIME"),
    "t3": ("TIMESTAMP(6) NULL", ["'2001-02-03 04:05:06.000001'", "0",
                                 "'2038-01-19 03:14:07.999999'"], "TIME"),
    "y": ("YEAR", ["0", "1901", "2155"], "INT"),
    "c": ("CHAR(10)", ["''", "'日本語 '", "'<a&b>'"], "TEXT"),
    "l1": ("VARCHAR(20) CHARACTER SET latin1", ["'é€ß'", "''", "'x'"], "TEXT"),
    "gb": ("VARCHAR(20) CHARACTER SET gbk", ["'你好'", "''", "'x'"], "TEXT"),
    "vc": ("VARCHAR(300)", ["REPEAT('日', 300)", "'a\\0b\\n\\t\"\\\\'",
                            "'😀\u2028'"], "TEXT"),
    "tx": ("LONGTEXT", ["REPEAT('x', 70000)", "''", "'é'"], "TEXT"),
    "js": ("JSON", ["'{\"a\": [1, 2.5, null, \"é\"]}'", "'[]'", "'1'"],
           "TEXT"),
    "bn": ("BINARY(5)", ["''", "x'6100'", "x'6162636465'"], "BYTES"),
    "vb": ("VARBINARY(300)", ["ALL", "x'00'", "'\"\\\\'"], "BYTES"),
    "bl": ("LONGBLOB", ["ALL", "''", "REPEAT(x'00ff', 40000)"], "BYTES"),
    "en": ("ENUM('x','y,z','é') CHARACTER SET latin1", ["'x'", "'y,z'", "'é'"],
           "MEMBER"),
    "se": ("SET('p','q','r')", ["''", "'p,r'", "'p,q,r'"], "MEMBER"),
    "uu": ("UUID", ["'123e4567-e89b-12d3-a456-426655440000'"] * 3, "TEXT"),
    "i6": ("INET6", ["'::1'", "'2001:db8::ff00:42:8329'", "'::'"], "TEXT"),
    "zz": ("INT(5) UNSIGNED ZEROFILL", ["7", "0", "99999"], "INT"),
}
ALL = "x'" + bytes(range(256)).hex() + "'"


class Messages:
    """What encode_shell has said: the messages of each protocol in order."""

    def __init__(self, text):
        self.schemas, self.of = {}, {}
        for line in text.splitlines():
            word, rest = line.split(" ", 1)
            if word == "schema":
                number, subject, schema = rest.split(" ", 2)
                self.schemas[int(number)] = (subject, schema)
                continue
            key, value = (None if h == "-" else bytes.fromhex(h)
                          for h in rest.split(" "))
            self.of.setdefault(word, []).append((key, value))


def made_of(kind, value):
    """SQL by which the server says a value."""
    return {"BYTES": f"HEX({value})", "BIT": f"{value}+0",
            "MEMBER": f"CONCAT({value}+0, '|', {value})",
            "FLOAT": f"CAST({value} AS DOUBLE)"}.get(kind, f"CAST({value} AS "
                                                     f"CHAR)")


@pytest.fixture(scope="module")
def world():
    """Rows of each value, NULLs, an UPDATE and a DELETE; what the server has
    and what was encoded."""
    assert os.path.exists(PROGRAM), f"{PROGRAM} is missing: make unit"
    with MariaDB() as server, server.connect() as c, c.cursor() as cur:
        def run(sql):
            cur.execute(sql)
            return cur.fetchall()

        run("SET sql_mode = '', time_zone = '+00:00'")
        run("CREATE DATABASE types")
        run("USE types")
        run("CREATE TABLE t (id INT PRIMARY KEY, "
            + ", ".join(f"{n} {c[0]}" for n, c in COLUMNS.items())
            + ", g INT AS (id + 1) VIRTUAL) CHARACTER SET utf8mb4")
        start = run("SELECT @@GLOBAL.gtid_binlog_pos AS p")[0]["p"]
        for i in range(3):
            values = [c[1][i].replace("ALL", ALL) for c in COLUMNS.values()]
            run(f"INSERT INTO t (id, {', '.join(COLUMNS)}) VALUES ({i + 1}, "
                f"{', '.join(values)})")
        run("INSERT INTO t (id) VALUES (4)")
        wanted = run("SELECT id, " + ", ".join(
            f"{made_of(c[2], n)} AS {n}" for n, c in COLUMNS.items())
            + " FROM t ORDER BY id")
        run("UPDATE t SET i = 5 WHERE id = 1")
        run("DELETE FROM t WHERE id = 2")
        until = run("SELECT @@last_gtid AS p")[0]["p"]
        done = subprocess.run(
            [PROGRAM, server.hosts, server.user, "4711", start, until,
             "types"], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-4000:]
        yield wanted, Messages(done.stdout)


def same(name, got, row, member):
    """Whether a decoded value is the server's. member: names or numbers."""
    kind, want = COLUMNS[name][2], row[name]
    if want is None or got is None:
        return got is None and want is None
    if kind == "FLOAT":
        small = COLUMNS[name][0] == "FLOAT"
        want = struct.unpack("f", struct.pack("f", want))[0] if small else want
        got = float(got)
        return (struct.pack("f", got) == struct.pack("f", want) if small
                else got == want)
    if kind in ("INT", "BIT"):
        return int(got) == int(want)
    if kind == "DEC":
        return Decimal(got) == Decimal(want) and (
            not isinstance(got, str) or got == want)
    if kind == "BYTES":
        return got == bytes.fromhex(want)
    if kind == "MEMBER":
        number, text = want.split("|", 1)
        return got == text if member == "names" else int(got) == int(number)
    return got == want


def compare(row, decoded, member="numbers"):
    assert set(decoded) == {"id", *COLUMNS}  # no virtual one
    assert int(decoded["id"]) == row["id"]
    wrong = {n: (decoded[n], row[n]) for n in COLUMNS
             if not same(n, decoded[n], row, member)}
    assert not wrong, str(wrong)[:2000]


# ---- the protocols ----

def canal_value(name, text):
    if text is not None and COLUMNS.get(name, ("", "", ""))[2] == "BYTES":
        return text.encode("iso-8859-1")
    return text


def test_canal_json(world):
    wanted, messages = world
    said = [json.loads(v) for _, v in messages.of["canal-json"]]
    assert [s["type"] for s in said] == ["INSERT"] * 4 + ["UPDATE", "DELETE"]
    for s, row in zip(said, wanted):
        assert all(v is None or isinstance(v, str)
                   for v in s["data"][0].values())
        compare(row, {k: canal_value(k, v) for k, v in s["data"][0].items()})
    assert said[4]["data"][0]["i"] == "5"
    compare(wanted[0], {k: canal_value(k, v)
                        for k, v in said[4]["old"][0].items()})
    compare(wanted[1], {k: canal_value(k, v)
                        for k, v in said[5]["data"][0].items()})
    types = said[0]["mysqlType"]
    assert (types["zz"], types["bu"], types["tx"], types["vb"]) == (
        "int unsigned zerofill", "bigint unsigned", "longtext", "varbinary")
    assert said[0]["pkNames"] == ["id"]


def open_value(name, column):
    v, kind = column["v"], COLUMNS.get(name, ("", "", ""))[2]
    if v is None:
        return None
    if column["t"] in (249, 250, 251, 252):
        raw = base64.b64decode(v)
        return raw if kind == "BYTES" else raw.decode()
    if kind == "BYTES":  # as Go quotes: of Python's the same but for \u
        return ast.literal_eval("'" + v.replace("'", "\\'") + "'").encode(
            "latin-1")
    return v


def test_open_protocol(world):
    wanted, messages = world
    for i, (key, value) in enumerate(messages.of["open-protocol"]):
        version, n = struct.unpack(">QQ", key[:16])
        (m,) = struct.unpack(">Q", value[:8])
        assert (version, n, m) == (1, len(key) - 16, len(value) - 8)
        assert json.loads(key[16:])["t"] == 1
        doc = json.loads(value[8:], parse_float=float)
        part = doc["d"] if i == 5 else doc["p"] if i == 4 else doc["u"]
        assert list(part) == sorted(part)
        compare(wanted[[0, 1, 2, 3, 0, 1][i]],
                {k: open_value(k, v) for k, v in part.items()})


def test_maxwell(world):
    wanted, messages = world
    for i, (key, value) in enumerate(messages.of["maxwell"]):
        doc = json.loads(value)
        assert key == struct.pack(">Q", 1)
        part = doc["old"] if i == 5 else doc["data"]
        decoded = {k: base64.b64decode(v) if v is not None and
                   COLUMNS.get(k, ("", "", ""))[2] == "BYTES" else v
                   for k, v in part.items()}
        if i == 4:
            assert (decoded["i"], doc["old"]) == (5, {"i": -2147483648})
        else:
            compare(wanted[[0, 1, 2, 3, 0, 1][i]], decoded)


@pytest.fixture(scope="module")
def canal():
    """alibaba's messages, by their published numbers."""
    f = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="canal.proto",
                                              package="canal",
                                              syntax="proto2")

    def message(name, *fields):
        m = file.message_type.add(name=name)
        for number, field, kind, *more in fields:
            x = m.field.add(name=field, number=number,
                            label=f.LABEL_REPEATED if "many" in more
                            else f.LABEL_OPTIONAL)
            if isinstance(kind, str):
                x.type, x.type_name = f.TYPE_MESSAGE, ".canal." + kind
            else:
                x.type = kind

    message("Packet", (2, "version", f.TYPE_INT32), (3, "type", f.TYPE_INT32),
            (5, "body", f.TYPE_BYTES))
    message("Messages", (1, "batch_id", f.TYPE_INT64),
            (2, "messages", f.TYPE_BYTES, "many"))
    message("Pair", (1, "key", f.TYPE_STRING), (2, "value", f.TYPE_STRING))
    message("Header", (1, "version", f.TYPE_INT32),
            (5, "serverenCode", f.TYPE_STRING), (6, "executeTime", f.TYPE_INT64),
            (7, "sourceType", f.TYPE_INT32), (8, "schemaName", f.TYPE_STRING),
            (9, "tableName", f.TYPE_STRING), (11, "eventType", f.TYPE_INT32),
            (12, "props", "Pair", "many"))
    message("Entry", (1, "header", "Header"), (2, "entryType", f.TYPE_INT32),
            (3, "storeValue", f.TYPE_BYTES))
    message("Column", (2, "sqlType", f.TYPE_INT32), (3, "name", f.TYPE_STRING),
            (4, "isKey", f.TYPE_BOOL), (5, "updated", f.TYPE_BOOL),
            (6, "isNull", f.TYPE_BOOL), (8, "value", f.TYPE_STRING),
            (10, "mysqlType", f.TYPE_STRING))
    message("RowData", (1, "before", "Column", "many"),
            (2, "after", "Column", "many"))
    message("RowChange", (2, "eventType", f.TYPE_INT32),
            (10, "isDdl", f.TYPE_BOOL), (11, "sql", f.TYPE_STRING),
            (12, "rowDatas", "RowData", "many"),
            (14, "ddlSchemaName", f.TYPE_STRING))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return {m.name: factory.GetPrototype(
        pool.FindMessageTypeByName("canal." + m.name))
        for m in file.message_type}


def test_canal(world, canal):
    wanted, messages = world
    for i, (key, value) in enumerate(messages.of["canal"]):
        packet = canal["Packet"].FromString(value)
        assert (key, packet.version, packet.type) == (None, 1, 7)
        (entry,) = canal["Messages"].FromString(packet.body).messages
        entry = canal["Entry"].FromString(entry)
        change = canal["RowChange"].FromString(entry.storeValue)
        assert entry.header.tableName == "t"
        assert change.eventType == entry.header.eventType
        assert change.eventType == [1, 1, 1, 1, 2, 3][i]
        (row,) = change.rowDatas
        part = row.before if i >= 4 else row.after
        assert [c.name for c in part if c.isKey] == ["id"]
        if i == 4:
            assert {c.name: c.value for c in row.after}["i"] == "5"
        compare(wanted[[0, 1, 2, 3, 0, 1][i]],
                {c.name: None if c.isNull else canal_value(c.name, c.value)
                 for c in part})


def avro_record(schemas, message):
    zero, number = struct.unpack(">bI", message[:5])
    assert zero == 0
    schema = avro.schema.parse(schemas[number][1])
    stream = io.BytesIO(message[5:])
    record = avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(stream))
    assert stream.read() == b""
    return schemas[number][0], record


def test_avro(world):
    wanted, messages = world
    for i, (key, value) in enumerate(messages.of["avro"]):
        subject, record = avro_record(messages.schemas, key)
        assert subject == "topic-key"
        assert record == {"id": [1, 2, 3, 4, 1, 2][i]}
        if i == 5:
            assert value is None
            continue
        subject, record = avro_record(messages.schemas, value)
        assert subject == "topic-value"
        decoded = {k: int.from_bytes(v, "big")
                   if v is not None and k in COLUMNS and COLUMNS[k][2] == "BIT"
                   else v for k, v in record.items()}
        if i == 4:
            assert decoded["i"] == 5
        else:
            compare(wanted[i], decoded, member="names")
