#!/usr/bin/python3
"""A seed of tests/fuzz/binlog.c, made of a binlog of a real server.

    binlog_seed.py [--mysql] FILE > SEED

--mysql turns a file of MariaDB without checksums into what a MySQL server
would have written: GTIDs with a UUID, rows of version 2. (There is none here
that writes names of columns.)
"""

import struct
import sys

HEAD = struct.Struct("<IBIIIH")
FORMAT, TABLE_MAP, GTID, GTID_MYSQL = 15, 19, 162, 33
ALONE = 1


def events(data):
    at = 4
    while at + HEAD.size <= len(data):
        size = HEAD.unpack_from(data, at)[3]
        yield data[at:at + size]
        at += size


def event(like, kind, body):
    at_s, _, server, _, pos, flags = HEAD.unpack_from(like)
    return HEAD.pack(at_s, kind, server, HEAD.size + len(body), pos,
                     flags) + body


def as_mysql(e):
    """What MySQL has in its place."""
    kind, body = e[4], e[HEAD.size:]
    if kind == GTID:
        yield event(e, GTID_MYSQL, b"\1" + body[8:12] + bytes(range(12)) + body[:8] +
                    b"\2" + bytes(16) + b"\x40\x42\x0f\0\0\0\0")
        if not body[12] & ALONE:
            yield event(e, 2, bytes(8) + b"\0\0\0\0\0" + b"\0BEGIN")
    elif 23 <= kind <= 25:
        yield event(e, kind + 7, body[:8] + b"\2\0" + body[8:])
    elif kind < 160:
        yield e


def main(args):
    mysql = args[0] == "--mysql"
    with open(args[-1], "rb") as f:
        all_events = list(events(f.read()))
    crc = all_events[0][-5]
    out = [bytes([(not mysql) | crc << 1])]
    for e in all_events:
        for x in as_mysql(e) if mysql else [e]:
            out.append(struct.pack("<I", len(x)) + x)
    sys.stdout.buffer.write(b"".join(out))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(sys.argv[1:])
