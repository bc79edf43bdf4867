"""The check of who may include whom finds what goes through a wall."""

import os
import re
import shutil
import subprocess

import pytest

from support.deployment import ROOT


@pytest.fixture
def copy(tmp_path):
    tree = tmp_path / "walls"
    for folder in ("fcgi", "handlers", "include"):
        shutil.copytree(f"{ROOT}/{folder}", tree / folder)
    subprocess.run(["git", "init", "-q", tree], check=True)
    return tree


def complaints(tree):
    subprocess.run(["git", "-C", tree, "add", "-A"], check=True)
    return subprocess.run([f"{ROOT}/.ci/arrows", tree], text=True, check=False,
                          capture_output=True).stdout.splitlines()


def test_the_tree_as_it_is_breaks_no_wall(copy):
    assert complaints(copy) == []


# What stands behind the line itself.
UNSEEN = "  (does not say what it includes)"
DIALECT = "  (names a dialect)"

SEEDS = [
    ("fcgi/json/json.c", '#include "store/store.h"',
     "fcgi/json/json.c: json may not include store (store/store.h)"),
    ("fcgi/base/buf.c", '#include "db.h"',
     "fcgi/base/buf.c: base may not include store (db.h)"),
    ("fcgi/base/buf.c", '#include "base/gone.h"',
     "fcgi/base/buf.c: no such header: base/gone.h"),
    # what is found is the same however it is written
    ("fcgi/json/json.c", "#include <schema/keys.h>",
     "fcgi/json/json.c: json may not include schema (schema/keys.h)"),
    ("fcgi/base/buf.c", " #\tinclude <job.h>",
     "fcgi/base/buf.c: base may not include loop (job.h)"),
    ("handlers/doris/form.c", "#include <schema/keys.h>",
     "handlers/doris/form.c: a family may not include schema/keys.h"),
    ("fcgi/base/clock.c", "#define LEADS_OUT \"store/store.h\"", None),
    ("fcgi/base/clock.c", "#include LEADS_OUT", UNSEEN),
    ("include/arena.h", "#include LEADS_OUT", UNSEEN),
    ("fcgi/base/clock.c", "/* */ #include \"store/store.h\"", UNSEEN),
    ("fcgi/base/clock.c", "#include /* */ \"store/store.h\"", UNSEEN),
    ("fcgi/base/clock.c", "%:include \"store/store.h\"", UNSEEN),
    ("handlers/doris/form.c", "#define ERROR_FILE \"pegasus/errors.def\"",
     "handlers/doris/form.c: a family may not include pegasus/errors.def"),
    ("fcgi/base/err.c", "#define ANY_FILE \"json/json_scan.h\"",
     "fcgi/base/err.c: base may not include json (json/json_scan.h)"),
    # into what is no .h and no .def nobody looks
    ("fcgi/json/hidden.inc", '#include "store/store.h"', None),
    ("fcgi/json/json.c", '#include "hidden.inc"',
     "fcgi/json/json.c: neither header nor table: hidden.inc"),
    ("handlers/doris/hidden.inc", '#include "pegasus/pegasus.h"', None),
    ("handlers/doris/form.c", "#include <doris/hidden.inc>",
     "handlers/doris/form.c: neither header nor table: doris/hidden.inc"),
    ("handlers/doris/text.c", '#define ERROR_FILE "doris/hidden.inc"',
     "handlers/doris/text.c: neither header nor table: doris/hidden.inc"),
    ("fcgi/base/clock.c", '#define ANY_FILE "what.ever"', None),
    # headers of include/ and tables are no gaps
    ("include/hex.h", '#include "db.h"',
     "include/hex.h: base may not include store (db.h)"),
    ("include/hex.h", '#include "store/store.h"',
     "include/hex.h: base may not include store (store/store.h)"),
    ("include/err.def", '#include "db.h"',
     "include/err.def: base may not include store (db.h)"),
    ("fcgi/binlog/events.def", '#include "db.h"',
     "fcgi/binlog/events.def: binlog may not include store (db.h)"),
    ("handlers/doris/errors.def", '#include "pegasus/pegasus.h"',
     "handlers/doris/errors.def: a family may not include pegasus/pegasus.h"),
    ("fcgi/base/list.c", "/* as node_mgr has it */", DIALECT),
    ("fcgi/json/deep/a.c", '#include "store/store.h"',
     "fcgi/json/deep/a.c lies below a room, where nothing is compiled"),
    ("fcgi/json/deep/a.c", "",
     "fcgi/json/deep/a.c: json may not include store (store/store.h)"),
    ("handlers/doris/meta/deep/a.c", "",
     "handlers/doris/meta/deep/a.c lies below a room, where nothing is compiled"),
    ("fcgi/arrows", "attic: base",
     "fcgi/arrows and the folders disagree about: attic"),
    ("fcgi/arrows", "", "fcgi/README.md has no line for attic/"),
    ("fcgi/arrows", "",
     "fcgi/arrows has one that no include takes: attic base"),
    ("fcgi/loose.c", "", "fcgi/loose.c lies outside the rooms"),
    ("include/loose.h", "", "include/loose.h: the first line names no room"),
    ("include/loose.h", "/* as doris has it */", DIALECT),
    ("handlers/doris/form.c", '#include "pegasus/pegasus.h"',
     "handlers/doris/form.c: a family may not include pegasus/pegasus.h"),
    ("handlers/doris/form.c", '#include "store/store.h"',
     "handlers/doris/form.c: a family may not include store/store.h"),
    ("handlers/pegasus/core/tick.c", '#include "../../doris/state.h"', None),
    ("handlers/pegasus/core/state.c", '#include "db.h"',
     "handlers/pegasus/core/state.c: takes base.h only, not db.h"),
    ("handlers/pegasus/core/state.c", '#include "sql_words.h"',
     "handlers/pegasus/core/state.c: takes base.h only, not sql_words.h"),
    ("handlers/pegasus/core/tick.c", "#include <pthread.h>",
     "handlers/pegasus/core/tick.c: takes base.h only, not pthread.h"),
    ("handlers/pegasus/core/tick.c", "#include <math.h>", None),
    ("handlers/kunlun/core/failover.c", '#include "db.h"',
     "handlers/kunlun/core/failover.c: takes base.h only, not db.h"),
    ("handlers/pegasus/table/app.c", '#include "../doris/doris.h"', None),
    ("handlers/pegasus/table/app.c", '#include "doris/errors.def"',
     "handlers/pegasus/table/app.c: a family may not include doris/errors.def"),
]


def test_what_goes_through_a_wall_is_named(copy):
    for file, line, _ in SEEDS:
        (copy / file).parent.mkdir(exist_ok=True)
        with open(copy / file, "a") as f:
            f.write(line + "\n")
    arrows = copy / "fcgi/arrows"
    arrows.write_text(arrows.read_text().replace("\nbase:\n",
                                                 "\nbase: command\n"))
    found = complaints(copy)
    up = [line for line in found if line.endswith("(a way up)")]
    assert [line.split(":")[0] for line in up] == [
        file for file, line, _ in SEEDS if "../" in line]
    assert sorted({re.sub(r"^([^:]*):\d+:", r"\1:", line)
                   for line in found if "../" not in line}) == sorted(
        [f"{file}:{line}{said}" if said in (UNSEEN, DIALECT) else said
         for file, line, said in SEEDS if said]
        + ["fcgi/arrows has a circle",
           "fcgi/arrows has one that no include takes: base command"])


def test_a_room_that_has_grown_too_large_is_named(copy):
    """Not one that is as large as it may be."""
    (copy / "fcgi/pgsql/pg.c").unlink()
    for i in range(15):
        (copy / f"fcgi/pgsql/{i}.c").write_text("")
    (copy / "handlers/doris/attic").mkdir()
    (copy / "handlers/doris/attic/0.c").write_text("\n" * 3500)
    assert complaints(copy) == []
    (copy / "fcgi/pgsql/15.cc").write_text("")
    (copy / "handlers/doris/attic/1.c").write_text("\n")
    assert complaints(copy) == ["fcgi/pgsql/ has more than 15 sources",
                                "handlers/doris/attic/ has more than 3500 lines"]


def test_a_file_of_a_stack_that_calls_a_later_one_is_named(tmp_path):
    """Of three files the lowest calls the highest, and one is in no stack."""
    room = tmp_path / "fcgi/room"
    room.mkdir(parents=True)
    (tmp_path / "fcgi/stacks").write_text("room: low middle high\n")
    for name, body in (("low", "int high(void); int low(void)"
                               "{ return high(); }"),
                       ("middle", "static int low(void) { return 1; }"
                                  "int middle(void) { return low(); }"),
                       ("high", "int middle(void); int high(void)"
                                "{ return middle(); }"),
                       ("stray", "int stray;")):
        (room / f"{name}.c").write_text(body)
        subprocess.run([os.environ.get("CC", "gcc").split()[-1], "-c",
                        f"{name}.c", "-o", f"{name}.o"], cwd=room, check=True)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "add", "-A"], check=True)
    found = subprocess.run([f"{ROOT}/.ci/stacks", tmp_path, "."], text=True,
                           check=False, capture_output=True).stdout
    assert found.splitlines() == [
        "fcgi/stacks and the folder room/ disagree about: stray",
        "room/low.c goes up to high.c: high"]


def test_a_call_that_no_arrow_allows_is_named(tmp_path):
    """Along an arrow, along two of them; not up, and not by an object whose
    source is gone."""
    fcgi = tmp_path / "fcgi"
    bodies = {"low": "int high(void); int low(void) { return high(); }",
              "middle": "int low(void); int middle(void) { return low(); }",
              "high": "int low(void); int middle(void);"
                      "int high(void) { return low() + middle(); }"}
    for room, body in bodies.items():
        (fcgi / room).mkdir(parents=True)
        (fcgi / room / f"{room}.c").write_text(body)
        subprocess.run([os.environ.get("CC", "gcc").split()[-1], "-c",
                        f"{room}.c", "-o", f"{room}.o"], cwd=fcgi / room,
                       check=True)
    shutil.copy(fcgi / "low/low.o", fcgi / "middle/gone.o")
    (fcgi / "stacks").write_text("")
    (fcgi / "arrows").write_text("low:\nmiddle: low\nhigh: middle\n")
    found = subprocess.run([f"{ROOT}/.ci/stacks", tmp_path, "."], text=True,
                           check=False, capture_output=True).stdout
    assert found.splitlines() == [
        "low/ calls high() of high/, which is no arrow"]


def test_what_decides_and_does_more_than_compute_is_named(tmp_path):
    """Of the C library it may call what computes, and of its family its own
    folder; what another folder calls is not asked."""
    bodies = {
        "core/pure": "#include <math.h>\n#include <stdio.h>\n"
                     "#include <stdlib.h>\n#include <string.h>\n"
                     "int other(char *s);\nint pure(char *s, double d);\n"
                     "int pure(char *s, double d) { char *t = malloc(9);"
                     " strcpy(t, s); int n = snprintf(s, 9, \"%f\", sqrt(d))"
                     " + other(t); free(t); return n; }",
        "core/other": "#include <ctype.h>\n#include <stdio.h>\n"
                      "#include <stdlib.h>\n#include <time.h>\n"
                      "#include <pthread.h>\n"
                      "int beside(void);\nint other(char *s);\n"
                      "int other(char *s) { static pthread_mutex_t m;"
                      " pthread_mutex_lock(&m);"
                      " return isdigit(*s) + (fopen(s, \"r\") != NULL)"
                      " + (getenv(s) != NULL) + (int)time(NULL)"
                      " + beside(); }",
        "beside/beside": "#include <stdio.h>\nint beside(void);\n"
                         "int beside(void) { return getchar(); }",
    }
    for file, body in bodies.items():
        source = tmp_path / f"handlers/any/{file}.c"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(body)
        subprocess.run([os.environ.get("CC", "gcc").split()[-1], "-O2", "-c",
                        source, "-o", source.with_suffix(".o")], check=True)
    shutil.copy(tmp_path / "handlers/any/core/other.o",
                tmp_path / "handlers/any/core/gone.o")
    (tmp_path / "fcgi").mkdir()
    for name in ("arrows", "stacks"):
        (tmp_path / "fcgi" / name).write_text("")
    found = subprocess.run([f"{ROOT}/.ci/stacks", tmp_path, "."], text=True,
                           check=False, capture_output=True).stdout
    assert sorted(found.splitlines()) == [
        f"handlers/any/core/other.c calls {name}(), which does more than "
        "compute" for name in ("beside", "fopen", "getenv",
                               "pthread_mutex_lock", "time")]


def test_a_file_that_no_page_names_is_named(copy):
    """And a name that is in two folders names neither."""
    (copy / "fcgi/base/attic.c").write_text("")
    (copy / "handlers/doris/meta/attic.c").write_text("")
    for folder in ("lead", "table"):
        (copy / f"handlers/pegasus/{folder}/loft.c").write_text("")
    with open(copy / "handlers/pegasus/README.md", "a") as f:
        f.write("`table/gone.c` `loft.c` `table/loft.c` `*_loft.c`")
    (copy / "handlers/pegasus/lead/a_loft.c").write_text("")
    (copy / "handlers/pegasus/lead/b_loft.c").write_text("")
    subprocess.run(["git", "-C", copy, "add", "-A"], check=True)
    found = subprocess.run([f"{ROOT}/.ci/found", copy], text=True,
                           check=False, capture_output=True).stdout
    assert {
        "fcgi/README.md does not name base/attic.c",
        "handlers/doris/README.md does not name meta/attic.c",
        "handlers/pegasus/README.md names what is not there: table/gone.c",
        "handlers/pegasus/README.md names what several folders have: loft.c",
        "handlers/pegasus/README.md does not name lead/loft.c",
    } == set(found.splitlines())
