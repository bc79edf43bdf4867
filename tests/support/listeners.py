"""Listeners as the product has them: name -> (machine, port)."""

import json
import os
import subprocess

BUILD = os.path.join(os.path.dirname(__file__), "../../build")


def _load():
    binary = max((os.path.join(BUILD, flavour, "metagate")
                  for flavour in ("asan", "release")),
                 key=lambda b: os.path.exists(b) and os.path.getmtime(b))
    done = subprocess.run([binary, "routes", "--tests"], capture_output=True,
                          timeout=60, check=True)
    return [(listener["id"], listener["machine"], listener["port"])
            for listener in json.loads(done.stdout)["listeners"]]


# In the order of the tables; one that has several ports is there for each, and
# asked at its first.
ALL = _load()
LISTENERS = {name: (machine, port) for name, machine, port in reversed(ALL)}
LISTENERS = {name: LISTENERS[name] for name, _, _ in ALL}


def first(name):
    """The listener of that name, or the first of several ("pegasus-meta/m1",
    who leads a new deployment)."""
    return next(listener for listener in LISTENERS
                if listener.partition("/")[0] == name)
