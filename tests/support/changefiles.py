"""Files of a changefeed as somebody reads them who knows TiCDC's layout from
its documentation and nothing of ours: python's csv and json."""

import csv
import io
import json
import os
import re
import zlib

SCHEMA = re.compile(r"schema_(\d+)_(\d{10})\.json")
csv.field_size_limit(1 << 30)
ROWS = re.compile(r"CDC(\d+)\.(csv|json)")


def unescaped(name):
    """A folder's name: bytes that it cannot have are ".c3"."""
    return re.sub(rb"\.([0-9a-f]{2})",
                  lambda m: bytes([int(m[1], 16)]), name.encode()).decode()


def checksum(doc):
    """As documented: of the indented text without what differs."""
    bare = {**doc, "Version": 0, "TableVersion": 0, "Query": "", "Type": 0,
            "TableColumns": doc["TableColumns"] and sorted(
                doc["TableColumns"], key=lambda c: c["ColumnName"].encode())}
    text = json.dumps(bare, indent=4, ensure_ascii=False)
    for c in "<>&":
        text = text.replace(c, "\\u%04x" % ord(c))
    return zlib.crc32(text.encode())


def tree(root):
    """What lies below a directory, by its path there."""
    out = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            try:
                with open(path, "rb") as f:
                    out[os.path.relpath(path, root)] = f.read()
            except FileNotFoundError:  # renamed meanwhile
                pass
    return {k: v for k, v in out.items() if not k.endswith(".new")}


class Files:
    """files(): {"schema/table/…": bytes}"""

    def __init__(self, files, killed=0, **dialect):
        self.files, self.killed, self.dialect = files, killed, dialect

    def metadata(self):
        return json.loads(self.files()["metadata"])["checkpoint-ts"]

    def definitions(self, schema=None, table=""):
        """[(version, document)], as they follow one another."""
        found = []
        for path, data in self.files().items():
            *folder, meta, name = path.split("/") if path.count("/") > 1 else (
                path, "", "")
            m = SCHEMA.fullmatch(name)
            if m is None or meta != "meta":
                continue
            doc = json.loads(data)
            assert doc["TableVersion"] == int(m[1]) and doc["Version"] == 1
            assert checksum(doc) == int(m[2]), path
            assert [unescaped(f) for f in folder] == [
                n for n in (doc["Schema"], doc["Table"]) if n]
            assert doc["TableColumnsTotal"] == len(doc["TableColumns"] or [])
            if schema is None or (doc["Schema"], doc["Table"]) == (schema,
                                                                   table):
                found.append((doc["TableVersion"], doc))
        return sorted(found, key=lambda d: d[0])

    def data(self, schema, table):
        """[(version, date, number, bytes)] in the order of a consumer. Numbers
        have no gaps, and an index says the last: less one for each writer that
        was killed between the two."""
        found, last, index = [], {}, {}
        for path, data in self.files().items():
            parts = path.split("/")
            if [unescaped(p) for p in parts[:2]] != [schema, table]:
                continue
            if parts[2] == "meta":
                continue
            if parts[-2:] == ["meta", "CDC.index"]:
                index["/".join(parts[:-2])] = data.decode()
                continue
            m = ROWS.fullmatch(parts[-1])
            assert m, path
            folder = "/".join(parts[:-1])
            last.setdefault(folder, []).append(int(m[1]))
            date = parts[3] if len(parts) == 5 else ""
            found.append((int(parts[2]), date, int(m[1]), data))
        for folder, numbers in last.items():
            assert sorted(numbers) == list(range(1, len(numbers) + 1)), folder
            named = int(ROWS.fullmatch(index[folder].strip())[1])
            assert max(numbers) - self.killed <= named <= max(numbers)
        return sorted(found, key=lambda d: d[:3])

    def lines(self, schema, table):
        """CSV: [[field …]], of all files."""
        return [line for *_, data in self.data(schema, table)
                for line in csv.reader(io.StringIO(data.decode(), newline=""),
                                       **self.dialect)]

    def documents(self, schema, table):
        """canal-json."""
        return [json.loads(line) for *_, data in self.data(schema, table)
                for line in data.decode().split("\r\n") if line]
