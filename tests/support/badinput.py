"""Wrong values by type, and what is wrong with a body as a whole. A new way
of being wrong is one line here and reaches every endpoint."""

import copy
import json

# Type -> values that no dialect takes for it.
WRONG = {
    "STR": [True, {}, [], ["x"], {"a": "b"}],
    "I32": ["x", "", " 1", "1x", "0x10", True, {}, [], 1.5, 1e300,
            1 << 31, -(1 << 31) - 1, 1 << 63, 10 ** 30],
    "I64": ["x", "", " 1", "1x", "0x10", True, {}, [], 1.5, 1e300,
            1 << 63, -(1 << 63) - 1, 10 ** 30],
    "U64": ["x", "", "-1", "1x", True, {}, [], 1.5, -1, 1 << 64, 10 ** 30],
    "F64": ["x", "", True, {}, []],
    "BOOL": ["x", "", 2, -1, 1.5, {}, []],
    "ENUM": [True, {}, [], 1.5],
    "BYTES": ["!", "a", True, {}, [], 1],
    "OBJ": ["x", "", 1, 1.5, True, [], [{}]],
    "LIST": ["x", "", 1, 1.5, True, {}, {"a": 1}],
    "MAP": ["x", "", 1, 1.5, True, [], [{}]],
}

# Values that are wrong unless the dialect says otherwise: (bind style, type,
# values).
STRICT = [
    ("STR_FROM_NUM", "STR", [1, 1.5]),
    ("INT_FROM_STR", "I32", ["1"]),
    ("INT_FROM_STR", "I64", ["1"]),
    ("INTEGRAL", "I32", [1.0]),
    ("INTEGRAL", "I64", [1.0]),
    ("UNKNOWN_ENUM_UNSET", "ENUM", ["no such name", ""]),
    ("NULL_UNSET", None, [None]),
]

# The same for a query parameter or a part of the path.
WRONG_TEXT = {
    "I32": ["x", "1x", "%201", "1%20", "0x10", "1.5", "2147483648",
            "-2147483649", "9" * 40],
    "I64": ["x", "1x", "%201", "1%20", "0x10", "1.5", "9223372036854775808",
            "-9223372036854775809", "9" * 40],
    "U64": ["x", "1x", "-1", "1.5", "18446744073709551616", "9" * 40],
    "BOOL": ["x", "2", "yes!"],
    "ENUM": ["no%20such%20name", "%20", "-1", "1x"],
}

# Bytes, escaped for a query, that are not UTF-8: overlong forms, surrogates,
# what lies beyond Unicode, pieces.
NOT_UTF8 = ["%ff", "%fe", "%80", "%bf", "%c3", "%c3%28", "%c0%80", "%c0%af",
            "%c1%bf", "%e0%80%af", "%e0%9f%bf", "%e2%28%a1", "%e2%82",
            "%ed%a0%80", "%ed%bf%bf", "%f0%80%80%af", "%f0%8f%bf%bf",
            "%f0%28%8c%bc", "%f0%9f%98", "%f4%90%80%80", "%f5%80%80%80",
            "%f8%88%80%80%80", "%fc%84%80%80%80%80"]

# Values of a query parameter whose escapes are none, stand for NUL or are not
# UTF-8.
VALUES = ["%", "%4", "%zz", "%4g", "%g4", "%%", "%%41", "%+1", "%-1", "%u0041",
          "%0", "%00", "b%00", "%00b"] + NOT_UTF8
# The same for its name.
NAMES = ["%zz=a", "%=a", "%00=a", "%ff=a", "%c3=a"]


def queries(names, replaces=False):
    """[(parameter, query string)]: the values above for these parameters in
    turn; the parameter is None when its own name is what cannot be read.
    A dialect that replaces what is not UTF-8 refuses none of that."""
    names = names or ["a"]
    passes = NOT_UTF8 if replaces else []
    values = [v for v in VALUES if v not in passes]
    turn = [(names[i % len(names)], v) for i, v in enumerate(values)]
    return [(None, q) for q in NAMES if q[:-2] not in passes] + [
        (n, f"{n}={v}") for n, v in turn] + [
        (names[0], f"b=1&{names[0]}=%"), (names[0], f"{names[0]}=%&b=1")]


# Bodies that are no JSON object; "a" stands for a member of the endpoint's.
BODIES = {
    "array": b"[]", "array of objects": b"[{}]", "string": b'"x"',
    "number": b"1", "null": b"null", "true": b"true", "blank": b" \n",
    "word": b"nope", "open": b"{", "closed twice": b"{}}",
    "trailing byte": b"{} x", "second object": b"{}{}", "no colon": b'{"a" 1}',
    "no value": b'{"a":}', "no comma": b'{"a":1 "b":2}',
    "two commas": b'{"a":1,,"b":2}', "leading comma": b'{,"a":1}',
    "open string": b'{"a":"b', "open array": b'{"a":[1', "bad escape":
    b'{"a":"\\x"}', "NUL escape": b'{"a":"\\u0000"}', "NUL byte":
    b'{"a":"\x00"}', "line feed in a string": b'{"a":"\n"}',
    "high surrogate alone": b'{"a":"\\ud800"}', "low surrogate alone":
    b'{"a":"\\udc00"}', "short escape": b'{"a":"\\u12"}',
    "not UTF-8": b'{"a":"\xff"}', "overlong UTF-8": b'{"a":"\xc0\xaf"}',
    "surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}', "beyond Unicode":
    b'{"a":"\xf4\x90\x80\x80"}', "half a character": b'{"a":"\xc3"}',
    "leading zero": b'{"a":01}', "plus": b'{"a":+1}', "bare point":
    b'{"a":1.}', "hexadecimal": b'{"a":0x1}', "NaN": b'{"a":NaN}',
    "infinity": b'{"a":Infinity}', "minus alone": b'{"a":-}',
    "exponent alone": b'{"a":1e}', "one name twice": b'{"a":1,"a":1}',
    "one name twice, escaped": b'{"a":1,"\\u0061":1}',
    "one name twice inside": b'{"a":{"b":1,"b":2}}',
    "too deep": b'{"a":' * 65 + b"1" + b"}" * 65,
    "arrays too deep": b'{"a":' + b"[" * 65 + b"]" * 65 + b"}",
    "comment": b'{"a":1 /* c */}', "UTF-16": '{"a":1}'.encode("utf-16"),
}
CUTS = 8  # pieces of the example that are sent alone


def bodies(members, example):
    """[(name, bytes)]: the bodies above with these members in turn, and what
    is left when the example is cut short."""
    members = members or ["a"]
    for i, (name, data) in enumerate(BODIES.items()):
        member = members[i % len(members)]
        escaped = f'"\\u{ord(member[0]):04x}{member[1:]}"'
        yield f"{name} ({member})", data.replace(
            b'"\\u0061"', escaped.encode()).replace(
            b'"a"', json.dumps(member).encode())
    whole = json.dumps(example).encode()
    for n in sorted({len(whole) * i // CUTS for i in range(1, CUTS)}):
        if n > 0:
            yield f"cut after {n}", whole[:n]


def begins_well(body):
    """Whether an object comes first: what is behind it may be anything."""
    try:
        text = body.decode().lstrip()
        return isinstance(json.JSONDecoder().raw_decode(text)[0], dict)
    except (ValueError, RecursionError):
        return False


def wrong_values(field, bind):
    """What this field must refuse under the dialect's style."""
    kind = field["type"]
    values = list(WRONG.get(kind, []))
    for style, of, more in STRICT:
        lenient = style in bind or (kind == "STR" and style == "STR_FROM_NUM"
                                    and "NUM_OR_STR" in field["flags"])
        if of in (kind, None) and not lenient and kind in WRONG:
            values += more
    if kind == "STR" and field["max"] > 0:
        values.append("x" * (field["max"] + 1))
    if kind in ("I32", "I64") and field["max"] > field["min"]:
        values += [field["min"] - 1, field["max"] + 1]
    if "EMPTY_ABSENT" in field["flags"]:
        values = [v for v in values if v != ""]
    return values


def wrong_texts(field, bind):
    """The same for a query parameter."""
    texts = list(WRONG_TEXT.get(field["type"], []))
    if field["type"] == "ENUM" and "UNKNOWN_ENUM_UNSET" in bind:
        texts = []
    if field["type"] == "STR" and field["max"] > 0:
        texts += ["x" * (field["max"] + 1), "%41" * (field["max"] + 1)]
    return texts


def fields_below(fields, path=()):
    """(path, field) of every member that a JSON body can hold; an element of
    a list has the step 0, that of a map the step "k"."""
    for f in fields:
        here = path + ((f["nested"],) if f["nested"] else ()) \
            + ((f["key"],) if f["key"] else ())
        if here:
            yield here, f
        step = {"LIST": (0,), "MAP": ("k",)}.get(f["type"], ())
        for inner, g in fields_below(f.get("fields") or [], here + step):
            yield inner, g


def put(body, path, value):
    """A copy of body in which the member at path is value; what is missing
    on the way is made."""
    top = copy.deepcopy(body) if isinstance(body, dict) else {}
    at = top
    for step, after in zip(path, path[1:] + (None,)):
        last = after is None
        if step == 0:  # the only element of a list
            at[:] = [value if last else at[0] if at else _new(after)]
            at = at[0]
            continue
        if last:
            at[step] = value
        elif not isinstance(at.get(step), type(_new(after))):
            at[step] = _new(after)
        at = at[step]
    return top


def _new(step):
    return [] if step == 0 else {}


def without(body, path):
    """A copy of body without the member at the path; None when it had none."""
    top = copy.deepcopy(body)
    at = top
    for step in path[:-1]:
        if not isinstance(at, dict) or step not in at:
            return None
        at = at[step]
    if not isinstance(at, dict) or path[-1] not in at:
        return None
    del at[path[-1]]
    return top


def shown(value):
    """For test ids and messages."""
    return json.dumps(value)[:60]
