"""A file with parameters, as http_post_file sends it."""

import os

import pytest

from support.waiting import until

BOUNDARY = "----WebKitFormBoundaryZjrentBBjYWJ7gXp"


def part(head, body):
    return (f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n"
            .encode(errors="surrogateescape") + body + b"\r\n")


def form(*parts):
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


PARAMETERS = part('name="parameters"', b'{"ver":"0.1","file_type":"mysql"}')


def send(node, body):
    return node.client.post("/", body, headers={
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})


def kept(deployment, node, kind, name, body):
    """Its path, once the machine's supervise has written it."""
    path = deployment.path("upload", node.address, kind, name)

    def written():
        with open(path, "rb") as f:
            return f.read() == body
    until(written)
    return path


def a_file(name, body=b"x"):
    return part(f'name="filename"; filename="{name}"\r\n'
                "Content-Type: application/octet-stream", body)


def test_a_file_is_kept_by_its_type(deployment, node, fresh):
    name = fresh("f")
    for kind in ("mysql", "pgsql", "cluster", "other", None):
        text = b"not json" if kind is None \
            else b'{"file_type":"%s"}' % kind.encode()
        r = send(node, form(part('name="parameters"', text),
                            a_file(name, kind.encode() if kind else b"")))
        assert (r.status, r.json) == (200, {"result": "succeed"})
        folder = kind if kind in ("mysql", "pgsql", "cluster") else "upload"
        path = kept(deployment, node, folder, name,
                    kind.encode() if kind else b"")
        assert os.stat(path).st_mode & 0o133 == 0  # never to be executed


def test_what_looks_like_a_boundary_is_part_of_a_file(deployment, node, fresh):
    mark = b"\r\n--" + BOUNDARY.encode()
    body = bytes(range(256)) + mark[:-1] + b"\r\n" + mark + b"--y\r\n"
    name = fresh("f")
    assert send(node, form(a_file(name, body), PARAMETERS)).status == 200
    kept(deployment, node, "mysql", name, body)


@pytest.mark.parametrize("name", [
    "", ".", "..", ".hidden", "../x", "a/b", "a%2fb", "a b", "x" * 129,
    "c:\\\\x", "a;b", "\u00e9", "a\0b", "a\r\nb", "a\r\n\r\nb", "a\nb",
    "\udcff", 'a"b', 'a"', 'a"; filename="b', "x" * 3000], ids=ascii)
def test_a_name_that_is_no_bare_one_is_refused(node, name):
    """... and not cut to what can be read of it."""
    r = send(node, form(PARAMETERS, a_file(name)))
    assert (r.status, r.json) == (400, {"result": "error",
                                        "info": "filename error"})


def test_a_body_that_lacks_something_is_refused(node):
    for body, info in ((form(PARAMETERS), "get file error"),
                       (b"", "multipart error"), (b"x", "multipart error"),
                       (PARAMETERS + a_file("f"), "multipart error")):
        r = send(node, body)
        assert (r.status, r.json) == (400, {"result": "error", "info": info})
    r = node.client.post("/", form(PARAMETERS, a_file("f")), headers={
        "Content-Type": "multipart/form-data"})
    assert (r.status, r.json["info"]) == (400, "multipart error")


def test_the_client_of_the_time_is_served(deployment, node, fresh):
    """`metagate post URL JSON FILE` sends what http_post_file does."""
    name = os.path.join(deployment.base, fresh("f"))
    with open(name, "w") as f:
        f.write("{}")
    os.chmod(name, 0o644)
    url = f"http://{node.client.host}:{node.client.port}/"
    done = deployment.command("post", url, '{"file_type":"pgsql"}', name)
    assert '{"result":"succeed"}' in done.stdout
    kept(deployment, node, "pgsql", os.path.basename(name), b"{}")


def test_a_file_is_for_who_may(node):
    for token in ("read", "write", "profile"):
        r = send(node.scope(token), form(PARAMETERS, a_file("f")))
        assert (r.status, r.json["info"]) == (403, "token error")
