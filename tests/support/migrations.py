"""sql/NNNN_name.sql as the product reads it, for tests of each step."""

import glob
import os
import re
from collections import namedtuple

SQL = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))), "sql")

# What comes before a step: comments; then its probe, over comment lines.
STEP = re.compile(r"^-- done: (?P<probe>.*\n(?:--.*\n)*)(?P<ddl>(?:.*\n)*?"
                  r".*;[ \t]*)$", re.M)

Step = namedtuple("Step", "file id step probe ddl")


def steps():
    """All steps of all files, in order."""
    found = []
    for path in sorted(glob.glob(os.path.join(SQL, "*.sql"))):
        name = os.path.basename(path)
        with open(path) as f:
            text = f.read()
        for n, match in enumerate(STEP.finditer(text), 1):
            probe = match["probe"].replace("\n--", "\n")
            ddl = match["ddl"].rstrip().rstrip(";")
            found.append(Step(name, int(name[:4]), n, probe, ddl))
    return found
