"""A FastCGI client of our own: records to a worker's socket, past nginx."""

import select
import socket
import struct

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7
GET_VALUES, GET_VALUES_RESULT = 9, 10
RESPONDER = 1
KEEP = 1


class Broken(Exception):
    """The connection ended before the reply did."""


class Answer:
    def __init__(self, out, err, closes):
        head, _, self.body = out.partition(b"\r\n\r\n")
        self.headers = {}
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(":")
            self.headers[name.strip().title()] = value.strip()
        self.status = int(self.headers.get("Status", "200").split()[0])
        self.text = self.body.decode("utf-8", "replace")
        self.err = err
        self.closes = closes  # a record after END: do not use it again


def record(kind, data, request_id=1, padding=0):
    return struct.pack(">BBHHBB", 1, kind, request_id, len(data), padding,
                       0) + data + bytes(padding)


def stream(kind, data, request_id=1, size=65535):
    """Records of at most size bytes, and the empty one that ends it."""
    return b"".join(record(kind, data[i:i + size], request_id)
                    for i in range(0, len(data), size)) \
        + record(kind, b"", request_id)


def pairs(params):
    def length(n):
        return bytes([n]) if n < 128 else struct.pack(">I", n | 1 << 31)
    out = b""
    for name, value in params.items():
        n, v = name.encode(), str(value).encode("utf-8", "surrogateescape")
        out += length(len(n)) + length(len(v)) + n + v
    return out


def request(params, body=b"", keep=True, request_id=1):
    """A whole request as bytes."""
    begin = struct.pack(">HB5x", RESPONDER, KEEP if keep else 0)
    return (record(BEGIN, begin, request_id)
            + stream(PARAMS, pairs(params), request_id)
            + stream(STDIN, body, request_id))


class Connection:
    """One connection to the socket at path; kept unless said otherwise."""

    def __init__(self, path, timeout=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, params, body=b"", keep=True):
        self.send(request(params, body, keep))
        return self.answer()

    def answer(self):
        """Reads one reply; Broken when it does not come to its end."""
        out, err = b"", b""
        while True:
            kind, data = self.record()
            if kind == STDOUT:
                out += data
            elif kind == STDERR:
                err += data
            elif kind == END:
                # What nginx looks at: bytes that came along with END.
                return Answer(out, err, closes=bool(self.rest))

    def record(self):
        version, kind, _, n, padding, _ = struct.unpack(
            ">BBHHBB", self._read(8))
        assert version == 1
        return kind, self._read(n + padding)[:n]

    def closed_meanwhile(self):
        """Whether the worker has closed it while it was idle."""
        return bool(select.select([self.socket], [], [], 0)[0])

    def ended(self):
        """Waits until the worker has closed; what it sent before."""
        data, self.rest = self.rest, b""
        while True:
            try:
                part = self.socket.recv(65536)
            except ConnectionResetError:
                part = b""
            if not part:
                return data
            data += part

    def _read(self, n):
        while len(self.rest) < n:
            try:
                part = self.socket.recv(65536)
            except ConnectionResetError:
                part = b""
            if not part:
                raise Broken(f"after {len(self.rest)} bytes of {n}")
            self.rest += part
        data, self.rest = self.rest[:n], self.rest[n:]
        return data
