"""Where and of what a report is, and its file."""

import json
import os
import platform
import subprocess

from rows import BUILD, ROOT
from works import cores


def busy_us():
    """Time that all processors together have worked, for whomever."""
    with open("/proc/stat") as f:
        user, nice, system, _, _, irq, soft, steal = (
            int(n) for n in f.readline().split()[1:9])
    tick = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + soft + steal) * 1_000_000 // tick


def facts():
    with open("/proc/meminfo") as f:
        memory = int(f.readline().split()[1]) / 1024 / 1024
    with open("/proc/cpuinfo") as f:
        model = next((line.partition(":")[2].strip() for line in f
                      if line.startswith("model name")), "?")
    return {"cores": cores(), "memory_gib": round(memory, 1), "cpu": model,
            "kernel": platform.release(), "load_before": os.getloadavg()[0]}


def commit():
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always",
                           "--dirty"], capture_output=True, text=True)
    return done.stdout.strip()


def write(report, prefix=""):
    """build/bench/<prefix><time>.json, also as <prefix>latest.json."""
    name = prefix + report["time"].replace(":", "") + ".json"
    for path in (name, prefix + "latest.json"):
        with open(os.path.join(BUILD, path), "w") as f:
            json.dump(report, f, indent=1)
    print(f"\n{os.path.join(BUILD, name)}", flush=True)
