"""500 clients that send or read slowly, or nothing at all, beside one that is
fast: it never waits for them."""

import socket

import pytest

from support import doris as d
from support.load import race
from support.waiting import until

pytestmark = pytest.mark.fault

SLOW = 500
PIECES = [
    b"",                                       # says nothing
    b"G",                                      # half a method
    b"GET /MetaService/http/list_inst",        # half a target
    b"GET / HTTP/1.1\r\nHost: h\r\nX-A: ",     # half a header
    b"PUT /MetaService/http/create_instance HTTP/1.1\r\nHost: h\r\n"
    b"X-Metagate-Token: {token}\r\nContent-Length: 1000\r\n\r\n{\"a",
    b"PUT /MetaService/http/create_instance HTTP/1.1\r\nHost: h\r\n"
    b"X-Metagate-Token: {token}\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n{",
    # a long answer that nobody reads
    b"GET /openapi.json HTTP/1.1\r\nHost: h\r\n"
    b"X-Metagate-Token: {token}\r\n\r\n" * 20,
]


def slow_client(client, i):
    s = socket.socket()
    if i % len(PIECES) == len(PIECES) - 1:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    s.settimeout(15)
    s.connect((client.host, client.port))
    s.sendall(PIECES[i % len(PIECES)].replace(b"{token}",
                                              client.token.encode()))
    return s


def test_a_fast_client_does_not_notice_500_slow_ones(deployment, doris,
                                                     console):
    iid = d.instance(doris)
    slow = []
    try:
        for i in range(SLOW):
            # the long answer is the console's
            slow.append(slow_client(
                console if i % len(PIECES) == len(PIECES) - 1 else doris, i))

        def fast(i):
            answers = [doris.get("get_instance",
                                 query={"instance_id": iid}).status
                       for _ in range(50)]
            answers.append(d.add_cluster(doris, iid, f"c{i}").status)
            return answers

        assert race(8, fast) == [[200] * 51] * 8
        # no thread of a worker is held by any of them
        until(lambda: busy(console) == 1, "only who asks for it is served")
    finally:
        for s in slow:
            s.close()
    assert len(d.clusters(doris, iid)) == 8


def busy(console):
    text = console.get("/metrics").text
    return next(int(line.split()[1]) for line in text.splitlines()
                if line.startswith("metagate_worker_threads_busy "))


def test_a_thousand_idle_connections_hold_no_thread(deployment, doris,
                                                    console):
    idle = []
    try:
        for _ in range(1000):
            idle.append(socket.create_connection((doris.host, doris.port), 15))
        assert doris.get("list_instances").status == 200
        assert busy(console) == 1
    finally:
        for s in idle:
            s.close()
