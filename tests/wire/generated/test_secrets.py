"""Members that by their names hold a secret are marked SECRET, which is what
keeps them out of replies, messages, logs and the audit trail. Of what the
tables of endpoints tell: those of a queued job stand in none."""

import re

from support import badinput, members, tables

NAMES = re.compile(r"(?:.*\.)?(?:[^.]*_)?(?:ak|sk|pwd|password|passwd|secret"
                   r"|keytab|principal|external_id)\Z")
# Their names do not tell it.
ALSO = re.compile(r"(?:.*\.)?(?:hdfs_confs\.value|stages?\.properties)\Z")
# (verb or path, member): why it has no mark.
HANDLER = "the handler leaves it empty for who may not see secrets"
WITHOUT = {(verb, f"{kind}.pwd"): HANDLER
           for verb in ("get_node", "get_instance")
           for kind in ("meta", "storage", "computer")}
WITHOUT |= {(verb, "meta.pwd"): HANDLER
            for verb in ("get_meta", "get_storage", "get_computer")}


def texts():
    """(endpoint, member, field) of all that is taken or shown."""
    for e in tables.endpoints():
        for fields in (e.fields, e.shown):
            for path, field in badinput.fields_below(fields):
                if not field.get("fields"):
                    yield e, members.name_of(path), field


def secret(member):
    return NAMES.match(member) or ALSO.match(member)


def test_what_is_named_like_a_secret_is_marked_as_one():
    bare = {(e.path if e.verb == "-" else e.verb, member)
            for e, member, field in texts()
            if secret(member) and "SECRET" not in field["flags"]}
    assert bare == set(WITHOUT)


def test_the_names_are_those_of_members_that_there_are():
    found = {member.rpartition(".")[2] for _, member, _ in texts()
             if secret(member)}
    assert found >= {"ak", "sk", "external_id", "hdfs_kerberos_principal",
                     "hdfs_kerberos_keytab", "value", "properties", "pwd"}
