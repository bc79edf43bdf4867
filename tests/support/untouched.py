"""Rows of the tables that no wire test has asked for: reads what was recorded
(coverage.py) as JSON on standard input, prints one row per line."""

import json
import sys

from support import tables


def _row(endpoint):
    return (endpoint.dialect, endpoint.path, endpoint.verb,
            tuple(endpoint.methods))


def main():
    seen = [tuple(s) for s in json.load(sys.stdin)]
    # A mount of the same row elsewhere (Doris' v1) is the same code.
    touched = {_row(e) for e in tables.endpoints()
               if any(e.matches(*s) for s in seen)}
    for e in tables.endpoints():
        if _row(e) not in touched:
            touched.add(_row(e))
            print(e)
    return 0


if __name__ == "__main__":
    sys.exit(main())
