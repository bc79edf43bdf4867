"""A small HTTP client: nothing is normalised, retried or redirected, every
call has a time limit, and what was asked for is recorded (coverage.py)."""

import base64
import copy
import http.client
import json
import select
import socket
import threading
from urllib.parse import quote

from support import coverage

TIMEOUT_S = 30


class Reply:
    """One answer. `json` parses the body; `text` is the body as UTF-8."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Client:
    """Speaks to one listener. Kept connections, one per thread."""

    def __init__(self, host, port, listener, token=None, prefix="",
                 basic=None, timeout=TIMEOUT_S):
        self.host, self.port, self.listener = host, port, listener
        self.token, self.prefix, self.basic = token, prefix, basic
        self.timeout = timeout
        self.tokens = None  # scope -> token: Tokens of the deployment
        self.local = threading.local()

    def using(self, **changes):
        """The same with another token, prefix, basic or timeout."""
        other = copy.copy(self)
        other.local = threading.local()
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def scope(self, scope):
        """The same with a token of that scope (tokens.py)."""
        return self.using(token=self.tokens[scope])

    def request(self, method, path, body=None, query=None, headers=None):
        """body: bytes or str as they are, anything else as JSON."""
        target = self.target(path, query)
        sent = self.headers(headers)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        coverage.note(self.listener, method, target.partition("?")[0], body)
        return self._send(method, target, body, sent)

    def get(self, path, body=None, **more):
        return self.request("GET", path, body, **more)

    def put(self, path, body=None, **more):
        return self.request("PUT", path, body, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, body, **more)

    def delete(self, path, body=None, **more):
        return self.request("DELETE", path, body, **more)

    def target(self, path, query=None):
        if not path.startswith("/"):
            path = self.prefix + "/" + path
        if query is None:
            return path
        if not isinstance(query, str):
            query = "&".join(f"{quote(str(k), safe='')}={quote(str(v), safe='')}"
                             for k, v in dict(query).items())
        return path + "?" + query

    def headers(self, more):
        sent = {}
        if self.token is not None:
            sent["X-Metagate-Token"] = self.token
        if self.basic is not None:
            pair = ":".join(self.basic).encode()
            sent["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        sent.update(more or {})
        return sent

    def connect(self, timeout=15):
        """A bare socket to the listener (raw.py)."""
        return socket.create_connection((self.host, self.port), timeout)

    def close(self):
        """This thread's kept connection."""
        connection = getattr(self.local, "connection", None)
        if connection is not None:
            connection.close()
        self.local.connection = None

    def _send(self, method, target, body, headers):
        connection = self._connection()
        try:
            connection.request(method, target, body, headers)
            reply = connection.getresponse()
            text = reply.read()
        except BaseException:
            self.close()
            raise
        if reply.will_close:
            self.close()
        return Reply(reply.status, reply.headers, text)

    def _connection(self):
        """This thread's kept connection, unless nginx has closed it."""
        connection = getattr(self.local, "connection", None)
        if connection is not None and (
                connection.sock is None
                or select.select([connection.sock], [], [], 0)[0]):
            self.close()
            connection = None
        if connection is None:
            connection = http.client.HTTPConnection(self.host, self.port,
                                                    timeout=self.timeout)
            self.local.connection = connection
        return connection
