"""node_mgr: what it says of its machine, and how it refuses."""

import os
import re
import socket
import stat

from support import raw

CHALLENGES = ["Bearer", 'Basic realm="metagate"']
NONE = '{"result":"error","info":"token error"}\r\n'


def test_a_machine_tells_what_it_has(node):
    r = node.ask("get_info")
    assert re.fullmatch(r"\d+\.\d\d%", r["cpu_used"])
    assert float(r["cpu_used"][:-1]) <= 100
    assert all(re.fullmatch(r"\d+M", r[k]) for k in ("mem_used", "mem_free"))
    assert all(re.fullmatch(r"\d+(\.\d)?[KMGTP]", r[k])
               for k in ("disk_used", "disk_free"))
    assert r["meta_node"] == 0  # it has a socket only
    assert r["cpu_cores"] == os.cpu_count()
    assert r["load1"] == round(r["load1"], 2) >= 0
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    assert r["mem_total_mb"] == memory
    assert int(r["mem_used"][:-1]) + int(r["mem_free"][:-1]) == memory


def test_the_clients_of_the_time_are_understood(deployment, node):
    """HTTP/1.0, a form's Content-Type, its literal words of a reply."""
    body = b'{"ver":"0.1","job_type":"get_info"}'
    with node.client.connect() as s:
        s.sendall(b"POST / HTTP/1.0\r\nHOST: x\r\nAccept: */*\r\n"
                  b"Content-Type:application/x-www-form-urlencoded\r\n"
                  b"X-Metagate-Token: " + node.client.token.encode() +
                  b"\r\nContent-Length:%d\r\n\r\n" % len(body) + body)
        said = b"".join(iter(lambda: s.recv(65536), b""))
    head, _, text = said.partition(b"\r\n\r\n")
    assert b" 200 OK" in head.split(b"\r\n")[0]
    assert int(re.search(rb"\r\nContent-Length: (\d+)", head)[1]) == len(text)
    assert b"chunked" not in head and b'"cpu_used"' in text


def test_both_ports_and_every_path_are_one_service(deployment, node):
    second = node.client.using(port=57001)
    for client in (node.client, second):
        for path in ("/", "/a/b", "/para", "/HttpService/Emit"):
            r = client.post(path, {"job_type": "get_info"})
            assert r.status == 200 and "cpu_used" in r.json, r


def test_every_machine_has_one(deployment, node):
    for k in (1, 2, 3):
        client = deployment.client(f"node_mgr/127.0.0.{k}")
        with socket.socket() as s:
            s.bind((client.host, 0))
            s.listen()
            taken = s.getsockname()[1]
            r = client.post("/", {"job_type": "check_port", "port0": taken})
            assert r.json == {"result": "error",
                              "info": f"port {taken} is not idle"}
        r = client.post("/", {"job_type": "check_port", "port0": str(taken)})
        assert r.json == {"result": "succeed"}


def test_what_no_job_is_is_said(node):
    for body in (b"", b"nope", b"[]", b'{"job_type":1', b'"get_info"'):
        r = node.client.post("/", body)
        assert (r.status, r.json["info"]) == (200, "json parse error"), body
    for body in ({}, {"job_type": 1}, {"job_type": "nope"},
                 {"job_type": ["get_info"]}, {"job_type": ""}):
        r = node.client.post("/", body)
        assert r.json == {"result": "error", "info": "job_type error"}, body


def test_who_may_not_is_told_so(node):
    for token in ("none", "unknown"):
        r = node.client.scope(token).post("/", {"job_type": "get_info"})
        assert (r.status, r.text) == (401, NONE)
        assert r.headers.get_all("WWW-Authenticate") == CHALLENGES
    r = node.client.scope("profile").post("/", {"job_type": "get_info"})
    assert (r.status, r.text) == (403, NONE)
    assert "WWW-Authenticate" not in r.headers


def test_a_body_that_is_too_large_is_refused_in_its_form(node):
    r = node.client.post("/", b" " * ((1 << 20) + 1))
    assert (r.status, r.json) == (413, {"result": "error", "info":
                                        "request body too large"})


def test_help_is_a_page_and_nothing_else_is(node):
    for path in ("/", "/para", "/file"):
        r = node.client.get(path)
        assert r.status == 200 and "<h1>" in r.text
        assert r.headers["Content-Type"].startswith("text/html")
    assert node.client.get("/etc/passwd").status == 404
    assert node.client.get("/../../etc/passwd").status == 400


def test_ports_are_numbers(node):
    assert node.refused("check_port") == "get port0 error"
    for bad in (0, 65536, -1, "x", 1.5, None, [1], {}):
        assert node.refused("check_port", port3=bad) == "get port3 error", bad


def paths(deployment, name):
    top = os.path.join(deployment.base, name)
    os.makedirs(top, exist_ok=True)
    owner = os.stat(deployment.run_dir)
    os.chown(top, owner.st_uid, owner.st_gid)
    return top


def test_space_is_told_by_class(deployment, node, fresh):
    top = paths(deployment, fresh("p"))
    used = os.path.join(top, "instance_data", "data_dir_path", "6001")
    os.makedirs(used)
    with open(os.path.join(used, "f"), "wb") as f:
        f.write(os.urandom(3 << 20))
    r = node.ask("get_path_space", paths0=top, paths1=top,
                 paths2=f"{top};{top}", paths3=top)
    assert (r["result"], r["info"]) == ("succeed", "")
    assert [p["used"] for p in r["paths0"]][0] in (3, 4)
    assert r["paths1"][0]["used"] == 0 and len(r["paths2"]) == 2
    disk = os.statvfs(top)
    free = disk.f_bavail * disk.f_frsize >> 20
    assert abs(r["paths3"][0]["free"] - free) < 4096


def test_each_bad_directory_is_named_once(deployment, node, fresh):
    top = paths(deployment, fresh("p"))
    everybody = paths(deployment, fresh("p"))
    os.chmod(everybody, stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
    bad = ["/no-such", "relative", "/", "/etc", "/proc/self", "/usr/lib",
           "/tmp", everybody, deployment.run_dir, top + "/.."]
    r = node.refused("get_path_space", paths0=";".join([top, *bad]),
                     paths1="/no-such", paths2=top, paths3=top)
    assert r == ";".join(bad) + " is error"


def test_all_four_classes_are_wanted(deployment, node, fresh):
    given = {f"paths{i}": paths(deployment, fresh("p")) for i in range(4)}
    for i in range(4):
        rest = {k: v for k, v in given.items() if k != f"paths{i}"}
        assert node.refused("get_path_space", **rest) == f"get paths{i} error"


def test_a_disk_is_told_as_df_does(deployment, node):
    r = node.ask("get_disk_size", path=deployment.base)
    assert re.fullmatch(r"\d+(\.\d)?[BKMGTP]", r["disk_free"])
    assert node.refused("get_disk_size", path="/no-such") \
        == "/no-such is error"
    assert node.refused("get_disk_size") == "get path error"


def test_a_long_body_is_not_cut(node):
    """Theirs reads what the first packet brings, up to a line feed."""
    text = raw.request("POST", "/", {"pad": "\n" * 5000, "job_type":
                                     "check_port", "port0": 0},
                       [("X-Metagate-Token", node.client.token)])
    r = raw.send(node.client, [text[:100], text[100:3000], text[3000:]])
    assert r.json["info"] == "get port0 error"


def test_a_pause_is_taken_as_number_or_text(node):
    for minutes in (0, 10, "10", -1, "0"):
        assert node.ask("auto_pullup", minutes=minutes, port=4242) \
            == {"result": "succeed"}
    for bad in (None, 1.5, "x", "", -2, {}):
        assert node.refused("auto_pullup", minutes=bad) == "get minutes error"
    assert node.refused("auto_pullup") == "get minutes error"


def test_a_machine_without_instances_lists_none(deployment):
    client = deployment.client("node_mgr/127.0.0.3")
    for job in ("get_node", "get_instance"):
        assert client.post("/", {"job_type": job}).json == {}
    r = client.post("/", {"job_type": "get_node", "node_type": "nope"})
    assert r.json["info"] == "get node_type error"
    for job in ("update_node", "update_instance"):
        r = client.post("/", {"job_type": job})
        assert r.json == {"result": "succeed"}


def test_an_unknown_job_is_none(node):
    assert node.status("nope") == {
        "job_id": "nope", "job_status": "none", "result": "busy",
        "info": "job id no find"}
    assert node.refused("get_status") == "get job_id error"


def test_metrics_are_ours_when_there_is_no_exporter(node):
    r = node.ask("node_exporter", prometheus_port=57010)
    assert r["result"] == "succeed" and r["info"].endswith("/metrics")


LINE = "bash -x bin/cluster_mgr_safe --debug --pidfile=run.pid cluster_mgr.cnf"


def test_a_computing_node_is_controlled_by_its_own_commands_only(node):
    for job in ("pgsql_cmd", "cluster_cmd"):
        assert node.refused(job, cmd="python2 start_pg.py port=1;id") \
            == "command not allowed"
    for cmd in ("", "bash", LINE + ";id", LINE + " x", LINE.upper()):
        assert node.refused("cluster_cmd", cmd=cmd) == "command not allowed"


def test_jobs_of_what_is_not_there_end_with_a_word(node, fresh):
    for job, more, expected in (
            ("control_instance", {"type": "storage", "control": "stop"},
             "control instance error: there is no instance"),
            ("control_instance", {"type": "x", "control": "stop"},
             "type item error"),
            ("control_instance", {"type": "storage", "control": "x"},
             "control item error"),
            ("delete_computer", {}, "delete computer succeed"),
            ("install_computer", {}, "get nodes error")):
        name = fresh("job")
        assert node.ask(job, job_id=name, ip=node.address, port=4242,
                        **more) == {"result": "accept"}
        assert node.finished(name)["info"] == expected
