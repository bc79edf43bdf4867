"""Servers for fcgi/blob that speak as WebHDFS and S3 do, on loopback and in
memory. Neither is in Debian; what npm has does not check a signature, so S3's
is computed here anew, from its published description."""

import datetime
import hashlib
import hmac
import http.server
import threading
import urllib.parse

ACCESS, SECRET = "AKIAIOSFODNN7EXAMPLE", \
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def sigv4(secret, method, path, query, headers, signed, payload_sum, date,
          region):
    """AWS signature version 4 of a request; headers by lower-case name."""
    pairs = sorted(tuple(p.split("=", 1)) if "=" in p else (p, "")
                   for p in query.split("&") if p)
    canonical = "\n".join(
        [method, path, "&".join(f"{k}={v}" for k, v in pairs),
         *(f"{h}:{' '.join(headers[h].split())}" for h in signed), "",
         ";".join(signed), payload_sum])
    scope = f"{date[:8]}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (date[:8], region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class Cut(Exception):
    """A body that has ended too early: what has come of it."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        out = b""
        try:
            while n := int(self.rfile.readline(), 16):
                out += self.rfile.read(n)
                self.rfile.readline()
            self.rfile.readline()
        except (ConnectionError, ValueError):
            raise Cut(out) from None
        return out

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.server.owner.calls.append((self.command, self.path))
        self.server.owner.works.add(self.headers.get("X-Request-Id"))
        broken = self.server.owner.broken
        if broken and broken(self):
            return
        path, _, query = self.path.partition("?")
        self.serve(path, query)

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET


class Server:
    """with HDFS() as s: s.url, s.files"""
    handler = Handler

    def __init__(self):
        self.files, self.calls, self.broken = {}, [], None
        self.uploads, self.refused = {}, []
        self.uploading = {}  # of which object an upload is, or was
        self.works = set()  # what it was asked for, as the callers have it
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                    self.handler)
        self.http.daemon_threads = True
        self.http.owner = self
        self.at = "127.0.0.1:%d" % self.http.server_port
        self.thread = threading.Thread(target=self.http.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


class HdfsHandler(Handler):
    def serve(self, path, query):
        q = dict(urllib.parse.parse_qsl(query))
        files, op = self.server.owner.files, q.get("op", "")
        name = path.removeprefix("/webhdfs/v1")
        if "user.name" not in q:
            self.answer(400)
        elif op in ("CREATE", "OPEN") and "data" not in q:
            if op == "OPEN" and name not in files:
                self.answer(404, b'{"RemoteException":{}}')
            else:
                self.answer(307, Location="http://%s%s&data=1" %
                            (self.server.owner.at, self.path))
        elif op == "CREATE":
            files[name] = b""  # there from the beginning, until it is deleted
            try:
                files[name] = self.body()
            except Cut as e:
                if name in files:
                    files[name] = e.args[0]
                self.close_connection = True
                return
            self.answer(201)
        elif op == "OPEN":
            self.answer(200, files[name][int(q.get("offset", 0)):])
        elif op == "RENAME":
            there = q["destination"] in files or name not in files
            if not there:
                files[q["destination"]] = files.pop(name)
            self.answer(200, b'{"boolean":%s}' %
                        (b"false" if there else b"true"))
        elif op == "DELETE":
            gone = files.pop(name, None) is not None
            self.answer(200, b'{"boolean":%s}' % (b"true" if gone
                                                  else b"false"))
        elif op == "GETFILESTATUS" and name in files:
            self.answer(200, b'{"FileStatus":{"length":%d,"type":"FILE"}}' %
                        len(files[name]))
        else:
            self.answer(404, b'{"RemoteException":{}}')


class S3Handler(Handler):
    def is_signed(self, path, query, body):
        """As S3 judges it: nothing of the request may differ."""
        h = {k.lower(): v for k, v in self.headers.items()}
        fields = dict(f.strip().split("=", 1) for f in h.get(
            "authorization", "").removeprefix("AWS4-HMAC-SHA256 ").split(",")
            if "=" in f)
        try:
            access, day, region, service, end = \
                fields["Credential"].split("/")
            signed = fields["SignedHeaders"].split(";")
            age = datetime.datetime.now(datetime.timezone.utc) - \
                datetime.datetime.strptime(
                    h["x-amz-date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
            return (access == ACCESS and region == "us-east-1"
                    and abs(age.total_seconds()) < 900
                    and {"host", "x-amz-date",
                         "x-amz-content-sha256"} <= set(signed)
                    and hashlib.sha256(body).hexdigest() ==
                    h["x-amz-content-sha256"]
                    and sigv4(SECRET, self.command, path, query, h, signed,
                              h["x-amz-content-sha256"], h["x-amz-date"],
                              region) == fields["Signature"])
        except (KeyError, ValueError):
            return False

    def serve(self, path, query):
        s, body = self.server.owner, self.body()
        q = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        if not self.is_signed(path, query, body):
            s.refused.append(self.path)
            return self.answer(403, b"<Error><Code>SignatureDoesNotMatch"
                                    b"</Code></Error>")
        if "uploads" in q and self.command == "GET":
            return self.answer(200, b"<ListMultipartUploadsResult>%s"
                               b"</ListMultipartUploadsResult>" % b"".join(
                                   b"<Upload><Key>%s</Key><UploadId>%s"
                                   b"</UploadId></Upload>" % (
                                       o.encode(), u.encode())
                                   for u, o in s.uploading.items()
                                   if u in s.uploads
                                   and o.startswith(q["prefix"])))
        if "uploads" in q:
            # with what has to be escaped when it is sent back
            upload = "up/%d+=" % len(s.uploading)
            s.uploads[upload] = {}
            s.uploading[upload] = path.removeprefix("/bucket/")
            return self.answer(200, b"<UploadId>%s</UploadId>" %
                               upload.encode())
        if "uploadId" in q and self.command == "PUT":
            part = int(q["partNumber"])
            s.uploads[q["uploadId"]][part] = body
            return self.answer(200, ETag='"%d"' % part)
        taken = path in s.files and self.headers.get("If-None-Match") == "*"
        if taken and self.command in ("PUT", "POST"):
            return self.answer(412, b"<Error><Code>PreconditionFailed"
                                    b"</Code></Error>")
        if "uploadId" in q and self.command == "POST":
            parts = s.uploads.pop(q["uploadId"])
            assert all(b"<PartNumber>%d<" % n in body for n in parts)
            s.files[path] = b"".join(v for _, v in sorted(parts.items()))
            return self.answer(200, b"<CompleteMultipartUploadResult/>")
        if "uploadId" in q:
            s.uploads.pop(q["uploadId"], None)
            return self.answer(204)
        if self.command == "PUT":
            s.files[path] = body
            return self.answer(200, ETag='"1"')
        if self.command == "DELETE":
            s.files.pop(path, None)
            return self.answer(204)
        if path not in s.files:
            return self.answer(404, b"" if self.command == "HEAD" else
                               b"<Error><Code>NoSuchKey</Code></Error>")
        data = s.files[path]
        if self.command == "HEAD":
            return self.answer(200, Content_Length=str(len(data)))
        begin = int(self.headers.get("Range", "bytes=0-")[6:].rstrip("-"))
        return self.answer(206 if begin else 200, data[begin:])


class HDFS(Server):
    handler = HdfsHandler

    @property
    def url(self):
        return f"webhdfs://{self.at}/backups?user=meta%20gate"


class S3(Server):
    handler = S3Handler

    @property
    def url(self):
        return (f"s3://bucket/backups?region=us-east-1"
                f"&endpoint=http://{self.at}")
