"""How much of each parser the seeds of its fuzz target reach by themselves: a
search that begins with what they reach finds the rest."""

import os
import re
import shutil
import subprocess

import pytest

from support.deployment import ROOT

# The least share of a source's lines, per cent; what its seeds cannot reach is
# not the parser (threads, sockets, the store).
LEAST = {
    "archive": {"fcgi/backup/unpack.c": 90,
                "fcgi/backup/xbstream.c": 90},
    "bind": {"fcgi/json/json_number.c": 95,
             "fcgi/record/record_bind.c": 85,
             "fcgi/record/record_bind_list.c": 90,
             "fcgi/record/record_bind_scalar.c": 90},
    "binlog": {"fcgi/binlog/charset.c": 80,
               "fcgi/binlog/decimal.c": 90,
               "fcgi/binlog/document.c": 80,
               "fcgi/binlog/event.c": 80,
               "fcgi/binlog/gtid.c": 80,
               "fcgi/binlog/query.c": 80,
               "fcgi/binlog/rows.c": 80,
               "fcgi/binlog/table.c": 80,
               "fcgi/binlog/tables.c": 80,
               "fcgi/binlog/temporal.c": 90,
               "fcgi/binlog/unpack.c": 80,
               "fcgi/source/feed.c": 80},
    "journal": {"fcgi/journal/groups.c": 90},
    "scanner": {"fcgi/json/json_scan.c": 90,
                "fcgi/json/json_scan_name.c": 90,
                "fcgi/json/json_scan_string.c": 90},
    "redact": {"fcgi/host/redact.c": 90},
    "egress": {"fcgi/egress/egress.c": 70},
    "files": {"fcgi/config/config.c": 60,
              "fcgi/config/config_value.c": 95,
              "fcgi/crypt/crypt_keys.c": 40},
    "intake": {"fcgi/worker/intake.c": 90, "fcgi/identity/identity.c": 80,
               "fcgi/identity/params.c": 80},
    "query": {"fcgi/request/uri.c": 80},
    "router": {"fcgi/api/route.c": 80},
    "multipart": {"fcgi/request/multipart.c": 80},
    "sql_words": {"fcgi/mysql/sql_words.c": 90,
                  "handlers/ticdc/core/ddl.c": 80},
    "token_map": {"fcgi/config/token_map.c": 90},
}


def make(*args):
    done = subprocess.run(["make", "-s", "B=build/release", *args], cwd=ROOT,
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def share(target, source):
    name = os.path.splitext(os.path.basename(source))[0]
    said = subprocess.run(
        ["gcov", "-n", f"build/release/seeds/{target}.covered/{name}.gcda"],
        cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = re.search(rf"File '{source}'\nLines executed:([0-9.]+)%", said)
    return float(found[1])


@pytest.mark.parametrize("target", sorted(LEAST))
def test_seeds_reach_most_of_what_they_are_for(target):
    program = f"build/release/seeds/{target}"
    sources = sorted(LEAST[target])
    shutil.rmtree(os.path.join(ROOT, program + ".covered"), ignore_errors=True)
    if os.path.exists(os.path.join(ROOT, program)):
        os.unlink(os.path.join(ROOT, program))
    make("COVER=" + " ".join(sources), program)
    seeds = os.path.join(ROOT, "tests/fuzz/seeds", target)
    subprocess.run([os.path.join(ROOT, program),
                    *(os.path.join(seeds, f) for f in sorted(os.listdir(seeds)))],
                   cwd=ROOT, check=True, timeout=120, capture_output=True)
    reached = {s: share(target, s) for s in sources}
    low = {s: r for s, r in reached.items() if r < LEAST[target][s]}
    assert not low, low
