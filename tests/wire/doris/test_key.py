"""decode_key and encode_key, drawn as Doris draws."""

import os
import re

import pytest

from support.tables import ROOT


# A key, and its fields. Most are those of Doris's own unit tests.
KEYS = r"""
0110696e7374616e636500011072656772657373696f6e5f696e7374616e6365300001 1 / instance / regression_instance0
0110696e7374616e6365000110746573740001 1 / instance / test
01106d657461000110676176696e2d696e7374616e6365000110726f77736574000112000000000000276612000000000000271a 1 / meta / gavin-instance / rowset / 10086 / 10010
011074786e000110676176696e2d696e7374616e636500011074786e5f6c6162656c000112000000000000276610746573742d6c6162656c0001 1 / txn / gavin-instance / txn_label / 10086 / test-label
011074786e000110676176696e2d696e7374616e636500011074786e5f696e666f000112000000000000276612000000000000271a 1 / txn / gavin-instance / txn_info / 10086 / 10010
011074786e000110676176696e2d696e7374616e636500011074786e5f696e6465780001120000000000002766 1 / txn / gavin-instance / txn_index / 10086
011074786e000110676176696e2d696e7374616e636500011074786e5f72756e6e696e67000112000000000000276612000000000000271a 1 / txn / gavin-instance / txn_running / 10086 / 10010
011076657273696f6e000110676176696e2d696e7374616e6365000110706172746974696f6e000112000000000000276612000000000000271a120000000000002710 1 / version / gavin-instance / partition / 10086 / 10010 / 10000
011076657273696f6e000110676176696e2d696e7374616e63650001107461626c65000112000000000000276612000000000000271a 1 / version / gavin-instance / table / 10086 / 10010
01106d657461000110676176696e2d696e7374616e6365000110726f777365745f746d70000112000000000000276612000000000000271a 1 / meta / gavin-instance / rowset_tmp / 10086 / 10010
01106d657461000110676176696e2d696e7374616e63650001107461626c657400011200000000000027661200000000000186aa1200000000000027101200000000000f63d9 1 / meta / gavin-instance / tablet / 10086 / 100010 / 10000 / 1008601
01106d657461000110676176696e2d696e7374616e63650001107461626c65745f696e6465780001120000000000002766 1 / meta / gavin-instance / tablet_index / 10086
01106d657461000110676176696e2d696e7374616e6365000110736368656d61000112000000000000276612000000000000271a 1 / meta / gavin-instance / schema / 10086 / 10010
01106d657461000110676176696e2d696e7374616e636500011064656c6574655f6269746d6170000112000000000000276610313030313000011200000000000027101200000000000f63d9 1 / meta / gavin-instance / delete_bitmap / 10086 / 10010 / 10000 / 1008601
01106d657461000110676176696e2d696e7374616e636500011064656c6574655f6269746d61705f6c6f636b000112000000000000276612000000000000271a 1 / meta / gavin-instance / delete_bitmap_lock / 10086 / 10010
01107374617473000110676176696e2d696e7374616e63650001107461626c6574000112000000000000276612000000000000271a1200000000000027101200000000000f63d910646174615f73697a650001 1 / stats / gavin-instance / tablet / 10086 / 10010 / 10000 / 1008601 / data_size
011072656379636c65000110676176696e2d696e7374616e6365000110726f7773657400011200000000000027661031303031300001 1 / recycle / gavin-instance / rowset / 10086 / 10010
011072656379636c65000110676176696e2d696e7374616e6365000110737461676500011031303038360001 1 / recycle / gavin-instance / stage / 10086
01106a6f62000110676176696e2d696e7374616e63650001107461626c6574000112000000000000276612000000000000271a1200000000000027101200000000000f63d9 1 / job / gavin-instance / tablet / 10086 / 10010 / 10000 / 1008601
01106a6f62000110676176696e2d696e7374616e6365000110636865636b0001 1 / job / gavin-instance / check
0110636f7079000110676176696e2d696e7374616e63650001106a6f620001103130303836000112000000000000271a10313030303000011200000000000f63d9 1 / copy / gavin-instance / job / 10086 / 10010 / 10000 / 1008601
0110636f7079000110676176696e2d696e7374616e63650001106c6f6164696e675f66696c650001103130303836000112000000000000271a103130303030000110313030383630310001 1 / copy / gavin-instance / loading_file / 10086 / 10010 / 10000 / 1008601
01106a6f62000110676176696e2d696e7374616e6365000110726f7574696e655f6c6f61645f70726f6772657373000112000000000000276612000000000000271a 1 / job / gavin-instance / routine_load_progress / 10086 / 10010
021073797374656d0001106d6574612d7365727669636500011072656769737472790001 2 / system / meta-service / registry
021073797374656d0001106d6574612d73657276696365000110656e6372797074696f6e5f6b65795f696e666f0001 2 / system / meta-service / encryption_key_info
011073746f726167655f7661756c74000110676176696e2d696e7374616e63650001107661756c74000110310001 1 / storage_vault / gavin-instance / vault / 1
01106d657461000110676176696e2d696e7374616e636500011064656c6574655f6269746d61705f6c6f636b0001120000000000002766110000000000000001 1 / meta / gavin-instance / delete_bitmap_lock / 10086 / -1
031076657273696f6e000110676176696e2d696e7374616e6365000110706172746974696f6e0001120000000000002766 3 / version / gavin-instance / partition / 10086
0110696e7374616e63650001106100ff620001 1 / instance / a\x00b
"""
DECODED = [(line.split(" ", 1)[0], line.split(" ", 1)[1].split(" / "))
           for line in KEYS.strip().splitlines()]

# What encode_key is asked for; its key is the one of KEYS with these values.
ENCODED = """
InstanceKey instance_id=test
MetaRowsetKey instance_id=gavin-instance&tablet_id=10086&version=10010
TxnLabelKey instance_id=gavin-instance&db_id=10086&label=test-label
TxnInfoKey instance_id=gavin-instance&db_id=10086&txn_id=10010
TxnIndexKey instance_id=gavin-instance&txn_id=10086
TxnRunningKey instance_id=gavin-instance&db_id=10086&txn_id=10010
PartitionVersionKey instance_id=gavin-instance&db_id=10086&tbl_id=10010&partition_id=10000
TableVersionKey instance_id=gavin-instance&db_id=10086&tbl_id=10010
MetaRowsetTmpKey instance_id=gavin-instance&txn_id=10086&tablet_id=10010
MetaTabletKey instance_id=gavin-instance&table_id=10086&index_id=100010&part_id=10000&tablet_id=1008601
MetaTabletIdxKey instance_id=gavin-instance&tablet_id=10086
MetaSchemaKey instance_id=gavin-instance&index_id=10086&schema_version=10010
MetaDeleteBitmap instance_id=gavin-instance&tablet_id=10086&rowest_id=10010&version=10000&seg_id=1008601
MetaDeleteBitmapUpdateLock instance_id=gavin-instance&table_id=10086&partition_id=10010
MetaDeleteBitmapUpdateLock instance_id=gavin-instance&table_id=10086&partition_id=-1
RecycleRowsetKey instance_id=gavin-instance&tablet_id=10086&rowset_id=10010
RecycleStageKey instance_id=gavin-instance&stage_id=10086
JobTabletKey instance_id=gavin-instance&table_id=10086&index_id=10010&part_id=10000&tablet_id=1008601
JobRecycleKey instance_id=gavin-instance
CopyJobKey instance_id=gavin-instance&stage_id=10086&table_id=10010&copy_id=10000&group_id=1008601
CopyFileKey instance_id=gavin-instance&stage_id=10086&table_id=10010&obj_key=10000&obj_etag=1008601
RLJobProgressKey instance_id=gavin-instance&db_id=10086&job_id=10010
MetaServiceRegistryKey
MetaServiceEncryptionKey
StorageVaultKey instance_id=gavin-instance&vault_id=1
VersionedPartitionVersionKey instance_id=gavin-instance&partition_id=10086
""".strip().splitlines()


def columns(key):
    """Where the fields begin, in hex digits: found by walking the key."""
    data, at, found = bytes.fromhex(key), 1, [0]
    while at < len(data):
        found.append(at * 2)
        if data[at] == 0x10:
            at = re.compile(b"(?:[^\\0]|\\0\xff)*\\0\x01",
                            re.S).match(data, at + 1).end()
        elif data[at] == 0x13:
            at += 11 + (data[at + 11:at + 12] == b"\xff")
        else:
            at += 9
    return found


def drawing(key, fields, corner="┌", dash="─", bar="│", arrow="▼"):
    """By the rules, from the key's fields."""
    starts, lines = columns(key), []
    width = starts[-1] + 2
    for k, (start, text) in enumerate(zip(starts, fields)):
        cells = [bar if c in starts[:k] else " " for c in range(start)]
        cells += [corner] + [dash] * (width - start - 1)
        text = f"key space: {text}" if k == 0 else text
        lines.append("".join(cells) + f" {k}. {text}")
    for mark in (bar, arrow):
        lines.append("".join(mark if c in starts else " "
                             for c in range(width)))
    return "\n".join(lines + [key]) + "\n"


def decode(ms, key, **more):
    return ms.send("decode_key", method="GET", query={"key": key, **more})


def test_the_figure_of_the_documentation(ms):
    key = DECODED[0][0]
    r = decode(ms, key)
    assert r.status == 200
    assert r.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert r.text == (
        "┌───────────────────────── 0. key space: 1\n"
        "│ ┌─────────────────────── 1. instance\n"
        "│ │                     ┌─ 2. regression_instance0\n"
        "│ │                     │ \n"
        "▼ ▼                     ▼ \n"
        "0110696e7374616e636500011072656772657373696f6e5f696e7374616e6365300"
        "001\n\n")


@pytest.mark.parametrize("key, fields", DECODED, ids=[
    "/".join(fields) for _, fields in DECODED])
def test_keys_are_decoded(ms, key, fields):
    assert decode(ms, key).text == drawing(key, fields) + "\n"
    assert decode(ms, key.upper()).text.endswith(key.upper() + "\n\n")
    plain = drawing(key, fields, "/", "-", "|", "v") + "\n"
    assert decode(ms, key, unicode="false").text == plain
    assert decode(ms, key, unicode="yes").text == drawing(key, fields) + "\n"


@pytest.mark.parametrize("key, fields", [
    ("01", ["1"]), ("ff", ["255"]), ("0110" "0001", ["1", ""]),
    ("01" "127fffffffffffffff", ["1", str(2 ** 63 - 1)]),
    ("01" "118000000000000000", ["1", str(-2 ** 63)]),
    ("01" "10c3a9" "0001", ["1", "é"]),
    ("01" "10ff1b7fc0af" "0001", ["1", r"\xff\x1b\x7f\xc0\xaf"]),
    ("03" "10610001" "13" "00112233445566778899" "ff",
     ["3", "a", "00112233445566778899"]),
    ("03" "13" "00112233445566778899" "120000000000000001",
     ["3", "00112233445566778899", "1"])])
def test_unusual_keys_are_decoded(ms, key, fields):
    assert decode(ms, key).text == drawing(key, fields) + "\n"


@pytest.mark.parametrize("key", [
    "0110696e7374616e6365", "01ff", "0112000000", "0110", "011061",
    "01106100", "0110610002", "0", "011", "zz", "01zz", "01 ", "0x01",
    "01" "12ffffffffffffffff", "01" "118000000000000001",
    "01" "1300112233445566778899ff", "03" "13001122334455667788"])
def test_what_is_no_key_is_refused(ms, key):
    ms.bad(f"failed to decode key, key={key}", "decode_key", method="GET",
           query={"key": key})


def test_a_long_key(ms):
    key = "0110" + "61" * 3000 + "0001"
    assert decode(ms, key).text == drawing(key, ["1", "a" * 3000]) + "\n"
    r = decode(ms, "0110" + "61" * 4096 + "0001")
    assert (r.status, r.json["code"]) == (400, "INVALID_ARGUMENT")


def test_a_key_is_given(ms):
    ms.bad("no key to decode", "decode_key", method="GET")
    ms.bad("no key to decode", "decode_key", method="GET",
           query={"key": ""})


# ---- encode ----

def encode(ms, key_type, query="", **more):
    return ms.send("encode_key", method="GET",
                   query="&".join(filter(None, [f"key_type={key_type}",
                                                query])), **more)


@pytest.mark.parametrize("asked", ENCODED)
def test_keys_are_encoded(ms, asked):
    key_type, _, query = asked.partition(" ")
    r = encode(ms, key_type, query)
    assert r.status == 200, r
    assert r.headers["Content-Type"] == "text/plain; charset=utf-8"
    key = r.text.splitlines()[-3]
    values = [p.partition("=")[2] for p in query.split("&") if p]
    fields = dict(DECODED)[key]
    assert [f for f in fields[1:] if f in values] == values
    escaped = "".join(f"\\x{key[i:i + 2]}" for i in range(0, len(key), 2))
    assert r.text == drawing(key, fields) + escaped + "\n\n"


def key_types():
    """Every row of key_types.def."""
    with open(os.path.join(ROOT, "handlers/doris/key/key_types.def")) as f:
        return re.findall(r'^KEY\("(\w+)", +(\d), "([^"]*)"\)', f.read(),
                          re.M)


@pytest.mark.parametrize("name, space, words", key_types())
def test_every_type_of_key_comes_back(ms, name, space, words):
    fields, given = [space], {}
    for n, word in enumerate(words.split()):
        if ":" in word:
            value = f"v{n}" if word[0] == "s" else str(10086 + n)
            given[word[2:]] = value
            word = value
        fields.append(word)
    r = encode(ms, name, "&".join(f"{k}={v}" for k, v in given.items()))
    assert r.status == 200, r
    assert r.text.startswith(drawing(r.text.splitlines()[-3], fields))
    for missing in given:
        left = "&".join(f"{k}={v}" for k, v in given.items() if k != missing)
        ms.bad(f"{missing} is not given or empty", "encode_key",
               method="GET", query=f"key_type={name}&{left}")


def test_what_encode_key_refuses(ms):
    def bad(msg, query):
        ms.bad(msg, "encode_key", method="GET", query=query)
    bad("key_type not supported: (empty)", "")
    bad("key_type not supported: (empty)", "key_type=")
    bad("key_type not supported: instancekey", "key_type=instancekey")
    bad("instance_id is not given or empty", "key_type=InstanceKey")
    bad("db_id is not given or empty",
        "key_type=TxnLabelKey&instance_id=i&db_id=&label=")
    for junk in ("x", "1x", "1.5", "9223372036854775808", "%201"):
        bad("txn_id is not a 64-bit integer",
            f"key_type=TxnIndexKey&instance_id=i&txn_id={junk}")
