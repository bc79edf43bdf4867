"""Listeners as the product has them: name -> (machine, port)."""

import os
import re

DEF = os.path.join(os.path.dirname(__file__), "../../include/listeners.def")
ROW = re.compile(r'^LISTENER\("([^"]*)",\s*"([^"]*)",\s*(\d+),\s*(\d+)', re.M)


def _load():
    with open(DEF) as f:
        rows = ROW.findall(f.read())
    return {name + ("/" + tail if tail else ""): (int(machine), int(port))
            for name, tail, machine, port in rows}


LISTENERS = _load()


def first(name):
    """The listener of that name, or the first of several ("pegasus-meta/m1",
    who leads a new deployment)."""
    return next(listener for listener in LISTENERS
                if listener.partition("/")[0] == name)
