"""Bytes to a listener and the answer's bytes: for what no client may send."""

import json
import socket

from support.client import Reply


def send(client, data, timeout=15):
    """One connection: `data` (bytes, or a list of pieces) and the answer;
    None when the peer closes without one."""
    pieces = [data] if isinstance(data, bytes) else data
    with client.connect(timeout) as s:
        for piece in pieces:
            try:
                s.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                break  # refused before the end; the answer may be there
        return read(s)


def head(method, target, headers, version="HTTP/1.1"):
    """A request's head, from pairs, without judging any of it."""
    lines = [f"{method} {target} {version}"]
    lines += [f"{k}: {v}" for k, v in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def request(method, target, body, headers=()):
    """A whole request with a JSON body."""
    text = json.dumps(body).encode()
    return head(method, target, [
        ("Host", "x"), ("Content-Length", str(len(text))), *headers]) + text


def read(s):
    """One answer from the socket."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = _more(s)
        if not part:
            return None if not data else Reply(0, {}, data)
        data += part
    top, _, body = data.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    headers = {k.strip().title(): v.strip() for k, _, v in
               (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("Content-Length", 1 << 30)):
        part = _more(s)
        if not part:
            break
        body += part
    return Reply(int(first.split()[1]), headers, body)


def _more(s):
    try:
        return s.recv(65536)
    except ConnectionResetError:
        return b""


def send_and_leave(client, data):
    """Sends, then shuts the sending half and reads until the peer closes."""
    with client.connect() as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        while _more(s):
            pass
