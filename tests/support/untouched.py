"""Rows of the tables that no wire test has asked for: reads what was recorded
(coverage.py) as JSON on standard input, prints one row per line."""

import json
import sys

from support import tables


def main():
    seen = [tuple(s) for s in json.load(sys.stdin)]
    # A mount of the same row elsewhere (Doris' v1) is the same code.
    touched = {(e.dialect, e.path, e.verb, tuple(e.methods))
               for e in tables.endpoints()
               if any(e.matches(*s) for s in seen)}
    for e in tables.endpoints():
        if (e.dialect, e.path, e.verb, tuple(e.methods)) not in touched:
            print(e)
    return 0


if __name__ == "__main__":
    sys.exit(main())
