"""The check of who may include whom finds what goes through a wall."""

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
