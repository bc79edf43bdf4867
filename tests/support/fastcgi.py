"""Workers for tests of nginx alone: FastCGI over unix sockets, in threads of
the test process. A test decides what they answer and counts what they got."""

import json
import os
import socket
import struct
import threading

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6
KEEP = 1


class Request:
    def __init__(self, worker, params, body):
        self.worker, self.params, self.body = worker, params, body
        self.path = params["REQUEST_URI"].partition("?")[0]


def echo(request):
    """The default answer: what arrived, as JSON."""
    return reply(200, json.dumps({"worker": request.worker,
                                  "params": request.params,
                                  "body_bytes": len(request.body)}))


def reply(status, text, *more):
    body = text.encode()
    head = [f"Status: {status} X", "Content-Type: application/json",
            f"Content-Length: {len(body)}", *more]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class Workers:
    """Listens on serve-0.sock ... below `folder`. `answer(request)` gives the
    bytes of a CGI reply, or None: the connection is then broken off."""

    def __init__(self, folder, n=2):
        self.folder, self.n = folder, n
        self.answer = echo
        self.seen = []  # every request that arrived whole
        self.listening = []

    def start(self):
        for n in range(self.n):
            path = os.path.join(self.folder, f"serve-{n}.sock")
            if os.path.exists(path):
                os.unlink(path)
            s = socket.socket(socket.AF_UNIX)
            s.bind(path)
            os.chmod(path, 0o666)
            s.listen(511)
            self.listening.append(s)
            self._thread(self._accept, s, n)

    def stop(self):
        for s in self.listening:
            s.shutdown(socket.SHUT_RDWR)  # wakes the accept
            s.close()
        self.listening = []

    def paths(self):
        return [r.path for r in self.seen]

    def _thread(self, function, *args):
        threading.Thread(target=function, args=args, daemon=True).start()

    def _accept(self, listening, n):
        while True:
            try:
                s, _ = listening.accept()
            except OSError:
                return
            self._thread(self._serve, s, n)

    def _serve(self, s, n):
        with s, s.makefile("rb") as stream:
            try:
                while self._one(s, stream, n):
                    pass
            except (OSError, EOFError):
                pass

    def _one(self, s, stream, n):
        """One request; False when the connection ends."""
        params, body, keep = b"", b"", False
        while True:
            kind, data = _record(stream)
            if kind is None:
                return False
            if kind == BEGIN:
                keep = bool(data[2] & KEEP)
            elif kind == PARAMS:
                params += data
            elif kind == STDIN and data:
                body += data
            elif kind == STDIN:
                break
        request = Request(n, dict(_pairs(params)), body)
        self.seen.append(request)
        answer = self.answer(request)
        if answer is None:
            return False
        s.sendall(_out(STDOUT, answer) + _out(STDOUT, b"")
                  + _out(END, bytes(8)))
        return keep


def _record(stream):
    head = stream.read(8)
    if len(head) < 8:
        return None, b""
    _, kind, _, length, padding, _ = struct.unpack("!BBHHBB", head)
    return kind, stream.read(length + padding)[:length]


def _out(kind, data):
    parts = [data[i:i + 65528] for i in range(0, len(data), 65528)] or [b""]
    return b"".join(struct.pack("!BBHHBB", 1, kind, 1, len(p), 0, 0) + p
                    for p in parts)


def _pairs(data):
    at = 0
    while at < len(data):
        sizes = []
        for _ in range(2):
            size = data[at]
            if size & 0x80:
                size = struct.unpack("!I", data[at:at + 4])[0] & 0x7FFFFFFF
                at += 3
            at += 1
            sizes.append(size)
        name = data[at:at + sizes[0]].decode("latin-1")
        at += sizes[0]
        yield name, data[at:at + sizes[1]].decode("latin-1")
        at += sizes[1]
