"""Requests, and the clients that send them (load.c)."""

import json
import os
import random
import struct
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


class Refused(Exception):
    """A run whose figures mean nothing; the text says why."""


def build(directory):
    binary = os.path.join(directory, "load")
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-Wall",
                    "-Wextra", "-o", binary, os.path.join(HERE, "load.c")],
                   check=True)
    return binary


def request(path, body, token, host):
    """One whole HTTP request; body None is a GET."""
    text = "" if body is None else json.dumps(body, separators=(",", ":"))
    head = (f"{'GET' if body is None else 'POST'} {path} HTTP/1.1\r\n"
            f"Host: {host}\r\nX-Metagate-Token: {token}\r\n")
    if body is not None:
        head += ("Content-Type: application/json\r\n"
                 f"Content-Length: {len(text)}\r\n")
    return (head + "\r\n" + text).encode()


def write_requests(path, requests):
    with open(path, "wb") as f:
        for r in requests:
            f.write(struct.pack("<I", len(r)) + r)


def requests_for(row, work, n, size):
    """n requests of the work, each with a key of its own drawing."""
    draw = random.Random()
    at = path(row, work)
    host = "{}:{}".format(*row.at(work.listener))
    bodies = [work.body(draw, size) for _ in range(n)]
    return [request(work.path_of(at, b), b, row.token, host) for b in bodies]


def path(row, work):
    return work.path if row.kind == "metagate" else work.peer_path


def start(binary, row, work, requests, connections, seconds):
    """The clients, at work."""
    return subprocess.Popen(
        [binary, *map(str, row.at(work.listener)), str(connections),
         str(seconds), requests, work.expect], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)


def result_of(clients, row, seconds):
    """What load.c reports, as a dictionary. Refused when a request failed."""
    out, err = clients.communicate(timeout=seconds + 60)
    if clients.returncode != 0:
        raise Refused(f"{row.name}: {err.strip()}")
    result = json.loads(out)
    if result["bad"]:
        raise Refused(f"{row.name}: {result['bad']} errors: "
                      f"{err.strip()[:400]}")
    return result


def run(binary, row, work, requests, connections, seconds):
    """As result_of. Refused when a client starved, too."""
    result = result_of(start(binary, row, work, requests, connections,
                             seconds), row, seconds)
    mean = result["requests"] / connections
    if result["unanswered"] or result["least"] < mean / 10 - 1:
        raise Refused(
            f"{row.name}: a client starved: {result['unanswered']} of "
            f"{connections} without an answer, the least had "
            f"{result['least']} answers, the mean {mean:.0f}")
    if work_repeats(result, requests):
        raise Refused(f"{row.name}: more requests than were made")
    result["rate"] = result["requests"] / result["seconds"]
    return result


def work_repeats(result, requests):
    return result["repeated"] and requests.endswith(".once")
