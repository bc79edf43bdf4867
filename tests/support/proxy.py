"""A proxy in front of a MariaDB that knows where statements begin and end,
and does to a chosen one what networks do.

    with Proxy("unix:/path/of/the/server") as proxy:
        rule = proxy.cut_after(r"^COMMIT")   # sent, but the reply is lost
        ... the product works by proxy.hosts ...
        rule.wait()

A rule is for the first statement that matches its pattern; then it is used
up. Prepared statements match by their text when they are executed.

    cut_before  both connections end, the statement has not been sent
    cut_within  ... after the first `keep` bytes of it
    cut_after   it is sent whole and performed; instead of the reply the
                client finds its connection closed, the server's lives on
    cut_behind  ... closed at once, whether it has been performed or not
    hold        it is kept back until rule.release(), whoever has gone by then
    mute        it is sent, and nothing ever comes back
    answer      it is not sent; the client gets that error of the server's
    answer_after  it is sent and performed; the client gets that error

proxy.refuse() ends everything and refuses; proxy.stall() takes connections
and says nothing; proxy.resume() ends both.
"""

import contextlib
import os
import re
import shutil
import socket
import struct
import tempfile
import threading

COM_QUERY, COM_PREPARE, COM_EXECUTE = 0x03, 0x16, 0x17
HEADER = 4
WAIT_S = 60


class Rule:
    def __init__(self, pattern, action, **detail):
        self.pattern = re.compile(pattern, re.I | re.S)
        self.action, self.detail = action, detail
        self._hit, self._released = threading.Event(), threading.Event()
        self._passed = threading.Event()

    def wait(self):
        """Until a statement has met the rule."""
        assert self._hit.wait(WAIT_S), f"no statement {self.pattern.pattern}"

    def release(self):
        """hold: the statement goes on; returns when it has been sent."""
        self._released.set()
        assert self._passed.wait(WAIT_S)

    def hit(self):
        self._hit.set()


class Proxy:
    def __init__(self, target, listen=None):
        """target, listen: "unix:/path" or "host:port"; by default a socket
        of its own is listened on."""
        self.target = target
        self._folder = tempfile.mkdtemp(prefix="mgproxy.", dir="/var/tmp")
        self.hosts = listen or f"unix:{self._folder}/s"
        self._rules, self._links = [], set()
        self._lock = threading.Lock()
        self._stalled = False
        self._listener = None

    def __enter__(self):
        self.resume()
        return self

    def __exit__(self, *_):
        self.refuse()
        with self._lock:
            for rule in self._rules:
                rule._released.set()
        shutil.rmtree(self._folder, ignore_errors=True)

    # ---- rules ----

    def _rule(self, pattern, action, **detail):
        rule = Rule(pattern, action, **detail)
        with self._lock:
            self._rules.append(rule)
        return rule

    def cut_before(self, pattern):
        return self._rule(pattern, "cut_before")

    def cut_within(self, pattern, keep):
        return self._rule(pattern, "cut_within", keep=keep)

    def cut_after(self, pattern):
        return self._rule(pattern, "cut_after")

    def cut_behind(self, pattern):
        return self._rule(pattern, "cut_behind")

    def hold(self, pattern):
        return self._rule(pattern, "hold")

    def mute(self, pattern):
        return self._rule(pattern, "mute")

    def answer(self, pattern, code, text, state="HY000"):
        return self._rule(pattern, "answer", code=code, text=text,
                          state=state)

    def answer_after(self, pattern, code, text, state="HY000"):
        return self._rule(pattern, "answer_after", code=code, text=text,
                          state=state)

    def gave_up(self, rule):
        """Takes a rule back; whether no statement had met it."""
        with self._lock:
            unused = rule in self._rules
            if unused:
                self._rules.remove(rule)
        return unused

    def take(self, statement):
        """The rule that this statement meets, used up; None."""
        with self._lock:
            for rule in self._rules:
                if rule.pattern.search(statement):
                    self._rules.remove(rule)
                    return rule
        return None

    # ---- connections ----

    def resume(self):
        self._stalled = False
        if self._listener is None:
            self._listener = _listen(self.hosts)
            threading.Thread(target=self._accept, args=[self._listener],
                             daemon=True).start()

    def stall(self):
        self.refuse()
        self._listener = _listen(self.hosts)  # nobody accepts
        self._stalled = True

    def refuse(self):
        listener, self._listener = self._listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            if self.hosts.startswith("unix:"):
                with contextlib.suppress(OSError):
                    os.unlink(self.hosts[5:])
        self.cut()

    def cut(self):
        """Ends every connection, on both sides."""
        with self._lock:
            links, self._links = self._links, set()
        for link in links:
            link.close()

    def _accept(self, listener):
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            link = Link(self, client)
            with self._lock:
                self._links.add(link)
            link.start()


class Link:
    """One client's connection and its server's."""

    def __init__(self, proxy, client):
        self.proxy, self.client = proxy, client
        self.server = None
        self.prepared = {}      # statement id: text
        self.preparing = None   # text whose id is still to come
        self.muted = False
        self.cutting = None     # the rule by which the next reply is lost
        self.instead = None     # what the client gets for the next reply

    def start(self):
        try:
            self.server = _connect(self.proxy.target)
        except OSError:
            self.close()
            return
        for pump in (self._requests, self._replies):
            threading.Thread(target=pump, daemon=True).start()

    def close(self):
        for end in (self.client, self.server):
            _close(end)

    def _replies(self):
        with contextlib.suppress(OSError):
            while data := self.server.recv(65536):
                if self.preparing is not None:
                    self._learn(data)
                if self.cutting:
                    self.muted = True
                    _close(self.client)
                    self.cutting.hit()
                if self.instead:
                    data, self.instead = self.instead, None
                if not self.muted:
                    with contextlib.suppress(OSError):
                        self.client.sendall(data)
        if not self.muted:
            _close(self.client)
        _close(self.server)

    def _learn(self, data):
        """The reply to COM_STMT_PREPARE begins with the statement's id."""
        if len(data) >= HEADER + 5 and data[HEADER] == 0:
            number = struct.unpack_from("<I", data, HEADER + 1)[0]
            self.prepared[number] = self.preparing
        self.preparing = None

    def _requests(self):
        kept = b""
        with contextlib.suppress(OSError):
            while data := self.client.recv(65536):
                kept += data
                while (n := _packet_bytes(kept)) is not None:
                    packet, kept = kept[:n], kept[n:]
                    if not self._pass(packet):
                        return
        if not self.muted:
            _close(self.server)

    def _pass(self, packet):
        """Sends it on, or does what a rule says; False ends the link."""
        statement = self._statement(packet)
        rule = self.proxy.take(statement) if statement else None
        if rule is None:
            self.server.sendall(packet)
            return True
        return getattr(self, "_" + rule.action)(rule, packet)

    def _statement(self, packet):
        if packet[3] != 0 or len(packet) == HEADER:
            return None  # of the log-in: commands start their own sequence
        command, rest = packet[HEADER], packet[HEADER + 1:]
        if command == COM_QUERY:
            return rest.decode("utf-8", "replace")
        if command == COM_PREPARE:
            self.preparing = rest.decode("utf-8", "replace")
        if command == COM_EXECUTE:
            return self.prepared.get(struct.unpack_from("<I", rest)[0])
        return None

    def _cut_before(self, rule, packet):
        self.close()
        rule.hit()
        return False

    def _cut_within(self, rule, packet):
        self.server.sendall(packet[:rule.detail["keep"]])
        self.close()
        rule.hit()
        return False

    def _cut_after(self, rule, packet):
        self.cutting = rule
        self.server.sendall(packet)
        return True

    def _cut_behind(self, rule, packet):
        self.muted = True
        self.server.sendall(packet)
        _close(self.client)
        rule.hit()
        return False

    def _hold(self, rule, packet):
        rule.hit()
        rule._released.wait()
        with contextlib.suppress(OSError):
            self.server.sendall(packet)
        rule._passed.set()
        return True

    def _mute(self, rule, packet):
        self.muted = True
        self.server.sendall(packet)
        rule.hit()
        return True

    def _answer(self, rule, packet):
        self.client.sendall(_error(rule.detail, packet))
        rule.hit()
        return True

    def _answer_after(self, rule, packet):
        self.instead = _error(rule.detail, packet)
        self.server.sendall(packet)
        rule.hit()
        return True


def _error(detail, packet):
    """The packet that refuses the request in `packet`."""
    body = (b"\xff" + struct.pack("<H", detail["code"]) + b"#"
            + detail["state"].encode() + detail["text"].encode())
    return struct.pack("<I", len(body))[:3] + bytes([packet[3] + 1]) + body


def _packet_bytes(data):
    """Length of the whole first packet; None when it is not all there."""
    if len(data) < HEADER:
        return None
    n = HEADER + int.from_bytes(data[:3], "little")
    return n if len(data) >= n else None


def _address(where):
    if where.startswith("unix:"):
        return socket.AF_UNIX, where[5:]
    host, _, port = where.rpartition(":")
    return socket.AF_INET, (host, int(port))


def _listen(where):
    family, address = _address(where)
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(address)
    s.listen(64)
    return s


def _connect(where):
    family, address = _address(where)
    s = socket.socket(family, socket.SOCK_STREAM)
    s.connect(address)
    return s


def _close(s):
    if s is None:
        return
    with contextlib.suppress(OSError):
        s.shutdown(socket.SHUT_RDWR)
    s.close()
