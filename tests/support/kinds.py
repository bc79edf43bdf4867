"""Columns of every type, with values at their edges: tables t<i> of (id, v),
and k<i> of (v, w) with v as the key where it can be one."""

from support.store import rows

TYPES = {
    "TINYINT": "-128;-1;0;127", "TINYINT UNSIGNED": "0;255",
    "SMALLINT": "-32768;-1;32767", "MEDIUMINT": "-8388608;-1;8388607",
    "MEDIUMINT UNSIGNED": "16777215", "INT": "-2147483648;-1;2147483647",
    "INT UNSIGNED": "4294967295", "BIGINT": "-9223372036854775808;-1",
    "BIGINT UNSIGNED": "18446744073709551615",
    "FLOAT": "-1.5;3.4e38;1e-38;0.1", "DOUBLE": "0.1;-1.7e308;2.3e-308",
    "DECIMAL(65,30)": "-99999999999999999999999999999999999.9999;0;-0.1",
    "DECIMAL(20,6)": "-1234567890.123456;-0.000001",
    "BIT(1)": "0;1", "BIT(64)": "18446744073709551615",
    "DATE": "'0000-00-00';'2020-00-00';'9999-12-31'",
    "TIME(3)": "'-838:59:59.999';'-00:00:00.001';'00:00:00'",
    "TIME": "'-01:02:03';'838:59:59'",
    "DATETIME(6)": "'0000-00-00';'2001-02-03 04:05:06.789012'",
    "TIMESTAMP(6)": "'0000-00-00';'1970-01-02 00:00:01'"
                    ";'2037-12-31 23:59:59.999999'",
    "YEAR": "0;1901;2155",
    "CHAR(10)": "'';'a';'0123456789'",
    "CHAR(255) CHARSET latin1": "_latin1 X'E9'",
    "CHAR(100)": "'\u00e9\u20ac\U0001f600';REPEAT('\u20ac',100)",
    "VARCHAR(40) CHARSET latin1": "_latin1 X'E92080FF';''",
    "VARCHAR(40) CHARSET gbk": "_gbk X'C4E3BAC3'",
    "VARCHAR(40) CHARSET utf16": "'\u00e9\U0001f600'",
    "VARCHAR(40) CHARSET utf8mb3": "'\u00e9\u20ac'",
    "BINARY(4)": "X'00FF';X'00000000'", "VARBINARY(20)": "X'00FF0020';''",
    "TEXT": "REPEAT('x',65000);'a'", "TEXT CHARSET latin1": "_latin1 X'E9'",
    "LONGBLOB": "REPEAT(X'00FF',40000);''", "TINYTEXT": "'q'",
    "JSON": "'{\"a\":[1,2.5,null]}'",
    "ENUM('a','b','\u00e9')": "'a';'\u00e9'", "SET('x','y','z')": "'';'x,z'",
    "GEOMETRY": "POINT(1,-2);ST_GeomFromText('LINESTRING(0 0,1 1)',4326)",
    "UUID": "'01234567-89ab-1def-8123-456789abcdef'"
            ";'ffffffff-ffff-7fff-bfff-ffffffffffff'",
    "INET6": "'::';'ffff::ff00'", "INET4": "'0.0.0.0';'255.255.255.0'",
}


# What MySQL 5.6 does not have, or calls otherwise.
NEWER = ("JSON", "UUID", "INET6", "INET4")


def _types(but):
    return [(i, kind, values) for i, (kind, values) in enumerate(TYPES.items())
            if kind not in but]


def make(c, schema, but=()):
    rows(c, f"CREATE DATABASE {schema}")
    rows(c, f"USE {schema}")
    for i, kind, _ in _types(but):
        _make(c, i, kind.replace("utf8mb3", "utf8"))


def fill(c, but=()):
    """All of them inserted, some changed and some deleted."""
    rows(c, "SET sql_mode = '', time_zone = '+00:00'")
    for i, _, values in _types(but):
        _fill(c, i, values.split(";"))


def _make(c, i, kind):
    keyed = not kind.startswith(("JSON", "GEOM"))
    prefix = "(20)" if "TEXT" in kind or "BLOB" in kind else ""
    rows(c, f"CREATE TABLE t{i} (id INT PRIMARY KEY, v {kind} NULL)")
    rows(c, f"CREATE TABLE k{i} (v {kind} NOT NULL, w INT"
         + (f", PRIMARY KEY (v{prefix}))" if keyed else ")"))


def _fill(c, i, values):
    for n, v in enumerate(values):
        rows(c, f"INSERT INTO t{i} VALUES ({n}, {v})")
        rows(c, f"INSERT INTO k{i} VALUES ({v}, {n})")
    rows(c, f"INSERT INTO t{i} VALUES (99, NULL), (98, NULL)")
    rows(c, f"UPDATE t{i} SET v = NULL WHERE id = 0")
    rows(c, f"UPDATE k{i} SET w = w + 100")
    rows(c, f"DELETE FROM k{i} WHERE w = 101")
