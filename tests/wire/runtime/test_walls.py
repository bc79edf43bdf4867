"""The check of who may include whom finds what goes through a wall."""

import os
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


SEEDS = [
    ("fcgi/json/json.c", '#include "store/store.h"',
     "fcgi/json/json.c: json may not include store (store/store.h)"),
    ("fcgi/base/buf.c", '#include "db.h"',
     "fcgi/base/buf.c: base may not include store (db.h)"),
    ("fcgi/base/buf.c", '#include "base/gone.h"',
     "fcgi/base/buf.c: no such header: base/gone.h"),
    ("fcgi/arrows", "attic: base",
     "fcgi/arrows and the folders disagree about: attic"),
    ("fcgi/arrows", "", "fcgi/README.md has no line for attic/"),
    ("fcgi/loose.c", "", "fcgi/loose.c lies outside the rooms"),
    ("include/loose.h", "", "include/loose.h: the first line names no room"),
    ("include/loose.h", "/* as doris has it */",
     "include/loose.h:2:/* as doris has it */  (names a dialect)"),
    ("handlers/doris/form.c", '#include "pegasus/pegasus.h"',
     "handlers/doris/form.c: a family may not include pegasus/pegasus.h"),
    ("handlers/doris/form.c", '#include "store/store.h"',
     "handlers/doris/form.c: a family may not include store/store.h"),
    ("handlers/pegasus/core/tick.c", '#include "../../doris/state.h"', None),
    ("handlers/pegasus/core/state.c", '#include "db.h"',
     "handlers/pegasus/core/state.c: takes base.h only, not db.h"),
    ("handlers/kunlun/core/failover.c", '#include "db.h"',
     "handlers/kunlun/core/failover.c: takes base.h only, not db.h"),
    ("handlers/pegasus/table/app.c", '#include "../doris/doris.h"', None),
    ("handlers/pegasus/table/app.c", '#include "doris/errors.def"',
     "handlers/pegasus/table/app.c: a family may not include doris/errors.def"),
]


def test_what_goes_through_a_wall_is_named(copy):
    for file, line, _ in SEEDS:
        with open(copy / file, "a") as f:
            f.write(line + "\n")
    arrows = copy / "fcgi/arrows"
    arrows.write_text(arrows.read_text().replace("\nbase:\n",
                                                 "\nbase: command\n"))
    found = complaints(copy)
    up = [line for line in found if line.endswith("(a way up)")]
    assert [line.split(":")[0] for line in up] == [
        file for file, line, _ in SEEDS if "../" in line]
    assert sorted({line for line in found if "../" not in line}) == sorted(
        [said for *_, said in SEEDS if said]
        + ["fcgi/arrows has a circle"])


def test_a_room_that_has_grown_too_large_is_named(copy):
    """Not one that is as large as it may be."""
    (copy / "fcgi/pgsql/pg.c").unlink()
    (copy / "fcgi/cli/post.c").unlink()
    for i in range(15):
        (copy / f"fcgi/pgsql/{i}.c").write_text("")
    (copy / "fcgi/cli/0.cc").write_text("\n" * 3500)
    (copy / "handlers/doris/attic").mkdir()
    (copy / "handlers/doris/attic/0.c").write_text("\n" * 3500)
    assert complaints(copy) == []
    (copy / "fcgi/pgsql/15.cc").write_text("")
    (copy / "fcgi/cli/1.c").write_text("\n")
    (copy / "handlers/doris/attic/1.c").write_text("\n")
    assert complaints(copy) == ["fcgi/cli/ has more than 3500 lines",
                                "fcgi/pgsql/ has more than 15 sources",
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


def test_a_file_that_no_page_names_is_named(copy):
    (copy / "fcgi/base/attic.c").write_text("")
    (copy / "handlers/doris/meta/attic.c").write_text("")
    with open(copy / "handlers/pegasus/README.md", "a") as f:
        f.write("`table/gone.c`")
    subprocess.run(["git", "-C", copy, "add", "-A"], check=True)
    found = subprocess.run([f"{ROOT}/.ci/found", copy], text=True,
                           check=False, capture_output=True).stdout
    assert {
        "fcgi/README.md does not name base/attic.c",
        "handlers/doris/README.md does not name meta/attic.c",
        "handlers/pegasus/README.md names what is not there: table/gone.c",
    } <= set(found.splitlines())
