"""The start, the end, and what stands in their way."""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess

import pytest

from support import processes
from support.box import Box, listener
from support.client import Client
from support.mariadb import MariaDB
from support.metaservice import MetaService
from support.waiting import until

pytestmark = pytest.mark.fault
AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


@pytest.fixture
def box():
    made = []

    def make(**more):
        made.append(Box(**more))
        return made[-1]
    yield make
    for b in made:
        b.close()


def test_the_first_start_leads_to_a_first_request(box):
    b = box()
    up = b.ready(b.up())
    told = b.output().partition("A first request, from a second terminal:")[2]
    reply = subprocess.run(["sh", "-ec", told], capture_output=True,
                           text=True, timeout=30)
    assert reply.returncode == 0, reply.stderr
    assert '"instance_id":"i1"' in reply.stdout.replace(" ", "")
    assert f"http://{b.net}.1:5000/" in b.output()
    with open(b.path("token")) as f:
        assert re.fullmatch(r"[0-9a-f]{64}\n?", f.read())
    up.send_signal(signal.SIGINT)
    assert up.wait(60) == 0
    assert not processes.below(b.run_dir)


def test_children_end_in_reverse_order_the_database_last(box):
    b = box()
    up = b.ready(b.up())
    up.terminate()
    assert up.wait(60) == 0
    with open(b.path("log", "up.log")) as f:
        stops = re.findall(r"child\.stop name=(\S+)", f.read())
    assert stops[0] == "nginx" and stops[-1] == "mariadb"
    assert {"serve-0", "serve-1"} < set(stops[1:-1])
    with open(b.path("log", "mariadb.log")) as f:
        assert "Shutdown complete" in f.read()


def test_start_in_the_background_returns_when_it_serves(box):
    b = box()
    done = b.command("start")
    assert "ready after" in done.stdout and b.healthy()
    assert "serve-1" in b.command("status").stdout
    b.command("stop")
    assert not processes.below(b.run_dir)
    assert b.command("status", check=False).returncode == 1
    assert "no deployment runs" in b.command("stop").stdout


def test_a_start_that_fails_in_the_background_says_why(box):
    b = box(METAGATE_NGINX_BINARY="/nonexistent/nginx")
    done = b.command("start", check=False)
    assert done.returncode == 1
    assert "/nonexistent/nginx" in done.stdout + done.stderr
    assert not processes.below(b.run_dir)


def test_what_was_stored_is_there_after_a_restart(box):
    b = box()
    up = b.ready(b.up())
    with open(b.path("token")) as f:
        token = f.read()
    with open(b.path("secret")) as f:
        secret = f.read()
    up.terminate()
    up.wait(60)
    os.remove(os.path.join(b.base, "up.out"))
    b.ready(b.up())
    assert "first start" not in b.output()
    with open(b.path("token")) as f:
        assert f.read() == token
    with open(b.path("secret")) as f:
        assert f.read() != secret  # made anew at each start


def test_a_lost_key_is_asked_for_and_never_made_anew(box):
    b = box()
    up = b.ready(b.up())
    up.terminate()
    up.wait(60)
    with open(b.path("key")) as f:
        right = f.read()
    os.rename(b.path("key"), b.path("key.away"))
    told = b.refused()
    assert f"{b.path('key')} is gone: put it back" in told
    assert "cannot make" not in told  # one sentence, the cure
    assert not os.path.exists(b.path("key"))
    os.rename(b.path("key.away"), b.path("key"))
    with open(b.path("key"), "w") as f:
        f.write("1 " + 64 * "a" + "\n")  # as one that was made anew
    assert "put back the key file of this store" in b.refused()
    assert not processes.below(b.run_dir)
    with open(b.path("key"), "w") as f:
        f.write(right)
    os.remove(os.path.join(b.base, "up.out"))
    b.ready(b.up())


# ---- kill -9 of up ----

def test_all_children_end_with_a_killed_up_and_the_next_one_works(box):
    b = box()
    up = b.ready(b.up())
    processes.kill(b.pid_of("up"))
    up.wait()
    until(lambda: not processes.below(b.run_dir), "everything ended", 60)
    b.ready(b.up())
    until(b.healthy, "serving")


def test_the_next_up_ends_what_a_killed_one_left_frozen(box):
    b = box()
    up = b.ready(b.up())
    frozen = [b.pid_of("serve-0"), b.pid_of("mariadb")]
    for pid in frozen:
        processes.hold(pid)
    processes.kill(b.pid_of("up"))
    up.wait()
    assert all(processes.alive(pid) for pid in frozen)
    os.remove(os.path.join(b.base, "up.out"))
    b.ready(b.up())
    assert "waiting for the last deployment's processes" in b.output()
    assert not any(processes.alive(pid) for pid in frozen)
    assert b.healthy()


def test_a_first_start_killed_in_the_middle_is_made_good(box):
    b = box()
    up = b.up()
    until(lambda: os.path.isdir(b.path("mysql.new")), "the files being made")
    up.kill()
    up.wait()
    assert not os.path.isdir(b.path("mysql"))
    b.ready(b.up())
    assert b.healthy() and not os.path.exists(b.path("mysql.new"))


# ---- a store of one's own ----

def test_a_deployment_works_with_the_grants_that_init_prints(box):
    b = box()
    with MariaDB(net=b.net, port=13307) as server:
        password = os.path.join(b.base, "password")
        with open(password, "w") as f:
            f.write("well-kept\n")
        if os.geteuid() == 0:
            shutil.chown(password, "metagate", "metagate")
        os.chmod(password, 0o600)
        b.environment.update(METAGATE_MYSQL_HOSTS=server.tcp,
                             METAGATE_MYSQL_USER="limited",
                             METAGATE_MYSQL_PASSWORD_FILE=password)
        os.mkdir(b.run_dir)
        if os.geteuid() == 0:
            shutil.chown(b.run_dir, "metagate", "metagate")
        os.chmod(b.run_dir, 0o750)
        sql = b.command("init", "--print-grants").stdout
        with server.connect(None) as c, c.cursor() as cursor:
            for statement in re.sub("--.*", "", sql).split(";"):
                if statement.strip():
                    cursor.execute(statement.replace("...", "well-kept"))
        b.ready(b.up())
        doris = MetaService(b.client("doris", prefix="/MetaService/http"))
        iid = doris.instance()
        assert doris.result("get_instance", query={"instance_id": iid})
        doris.ok("drop_instance", {"instance_id": iid})
        pegasus = b.client("pegasus-meta/m1")
        r = pegasus.post("/meta/app/create", {
            "app_name": "t", "partition_count": 4, "replica_count": 3})
        assert r.status == 200, r
        until(lambda: "fail" not in [
            line.split()[0] for line in b.command(
                "check", check=False).stdout.splitlines()
            if line.split()[1] not in ("settings", "disk")], "all is well")
        b.command("rotate-key")


# ---- ports ----

def test_a_port_taken_on_this_address_names_holder_and_cure(box):
    b = box()
    held = listener(b.net + ".1", 5000)
    said = b.refused()
    held.close()
    assert f"{b.net}.1:5000 is held by pid {os.getpid()} (" in said
    assert "take another NET" in said
    assert not processes.below(b.run_dir)


def test_a_port_of_another_metagate_says_where_that_one_lies(box):
    first, second = box(), box()
    first.ready(first.up())
    own, second.net = second.net, first.net
    said = second.refused()
    assert f" of the metagate in {first.run_dir}; take another NET" in said
    second.net = own


NAMELESS = ["unshare", "-m", "-u", "sh", "-c", 'mount --bind /dev/null'
            ' /etc/hosts && hostname nowhere.invalid && exec "$@"', "sh"]


def test_a_host_whose_name_nobody_knows_is_good_enough(box):
    """debootstrap leaves no /etc/hosts: not even localhost is known."""
    if os.geteuid() != 0:
        return  # nobody else can take a name away
    b = box()
    b.ready(b.up(NAMELESS))
    assert b.healthy()


def test_a_mode_that_is_changed_is_told(box):
    b = box()
    held = listener(b.net + ".1", 5000)
    os.mkdir(b.run_dir)
    os.chmod(b.run_dir, 0o755)  # whatever the umask is
    assert f"metagate: {b.run_dir} had mode 0755, now 0750\n" in b.refused()
    held.close()


def test_values_that_are_in_force_are_printed(box):
    b = box()
    os.mkdir(b.run_dir)
    told = b.command("config", "--effective").stdout.splitlines()
    assert "serve.workers = 2" in told and "mysql.hosts =" in told
    assert len(told) > 50
    b.environment["METAGATE_SERVE_WORKERS"] = "3"
    assert "serve.workers = 3" in b.command("config", "--effective").stdout


def test_a_port_taken_on_all_addresses_names_the_key(box):
    held = listener("0.0.0.0")
    port = held.getsockname()[1]
    b = box()
    b.environment["METAGATE_LISTEN_DORIS"] = f"{b.net}.1:{port}"
    said = b.refused()
    held.close()
    assert f"port {port} is held on all addresses by pid {os.getpid()} (" \
        in said
    assert "[listen] doris" in said


def test_a_port_of_an_outgoing_connection_is_waited_for(box):
    b = box()
    far = listener("127.0.0.1")
    near = socket.socket()
    near.bind((b.net + ".1", 5000))
    near.connect(far.getsockname())
    up = b.up()
    until(lambda: "in use by an outgoing connection" in b.output(), "waiting")
    far.accept()[0].close()  # the far end first: no TIME_WAIT on ours
    near.close()
    b.ready(up)


def test_a_listener_may_be_at_an_address_of_either_family(box):
    free = socket.socket(socket.AF_INET6)
    free.bind(("::1", 0))
    port = free.getsockname()[1]
    free.close()
    b = box(METAGATE_LISTEN_CONSOLE=f"[::1]:{port}")
    b.ready(b.up())
    assert f"http://[::1]:{port}/" in b.output()
    assert Client("::1", port, "console").get("/healthz").status == 200
    told = b.command("check").stdout
    assert f"console answers on [::1]:{port}" in told


def test_a_port_taken_at_an_ipv6_address_names_its_holder(box):
    held = socket.socket(socket.AF_INET6)
    held.bind(("::1", 0))
    held.listen()
    where = f"[::1]:{held.getsockname()[1]}"
    b = box(METAGATE_LISTEN_DORIS=where)
    said = b.refused()
    held.close()
    assert f"{where} is held by pid {os.getpid()} (" in said


def test_a_command_without_net_finds_where_the_deployment_listens(box):
    b = box()
    b.ready(b.up())
    told = subprocess.run(
        [b.binary, "--run-dir", b.run_dir, "status"], capture_output=True,
        text=True, env=b.env(), timeout=60, cwd="/").stdout
    assert f"http://{b.net}.1:5000/" in told
    assert "127.0.0.1:" not in told


def test_a_start_without_net_takes_the_net_of_the_last(box):
    b = box()
    b.ready(b.up())
    b.command("stop")
    bare = [b.binary, "--run-dir", b.run_dir]
    done = subprocess.run([*bare, "start"], capture_output=True, text=True,
                          env=b.env(), timeout=120, cwd="/")
    assert done.returncode == 0, done.stdout
    assert f"http://{b.net}.1:5000/" in done.stdout and b.healthy()


def test_a_listener_that_is_off_is_closed_and_nobody_misses_it(box):
    b = box(METAGATE_LISTEN_CONSOLE="off", METAGATE_LISTEN_PEGASUS_META="off")
    b.ready(b.up())
    for port in 8080, 34601, 34602, 34603:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((b.net + ".1", port), 5)
        assert f":{port}/" not in b.output()
    assert b.client("doris").get("/MetaService/http/get_instance").status == 400
    told = b.command("check", check=False).stdout
    assert "doris answers" in told and "console" not in told


def test_one_of_several_listeners_may_be_off(box):
    """A meta that nobody reaches does not lead; the others do without it."""
    b = box()
    b = box(METAGATE_LISTEN_PEGASUS_META="off", METAGATE_LISTEN_CONSOLE="")
    b.environment["METAGATE_LISTEN_PEGASUS_META"] = f"off, {b.net}.1:34602"
    b.ready(b.up())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((b.net + ".1", 34601), 5)
    for m in "m2", "m3":
        socket.create_connection((b.net + ".1", 34600 + int(m[1])), 5).close()
    led = until(lambda: [r for m in ("m2", "m3") if (r := b.client(
        f"pegasus-meta/{m}").get("/meta/cluster")).status == 200], "a leader",
        60)[0].json
    assert led["meta_servers"] == f"{b.net}.1:34602,{b.net}.1:34603"
    assert led["primary_meta_server"] in led["meta_servers"]


def test_the_database_takes_no_port_unless_it_is_given_one(box):
    b = box()
    up = b.ready(b.up())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((b.net + ".1", 13306), 5)
    up.terminate()
    assert up.wait(60) == 0
    b.environment["METAGATE_MYSQL_PORT"] = "13306"
    open(os.path.join(b.base, "up.out"), "w").close()
    b.ready(b.up())
    socket.create_connection((b.net + ".1", 13306), 5).close()
    assert f"{b.net}.1:13306 (account repl" in b.output()


def test_the_binary_says_which_it_is(box):
    b = box()
    told = b.command("--version").stdout
    assert re.fullmatch(r"metagate \d+\.\d+\.\d+, schema \d+, commit "
                        r"([0-9a-f]{40}|unknown)\n", told)
    assert b.command("help", "nginx").stdout == \
        b.command("nginx", "--help").stdout
    done = b.command("status", "-o", "yaml", check=False)
    assert done.returncode == 2
    assert done.stderr == "usage: metagate status [-o json]\n"


# ---- what stands in the way ----

def test_two_listeners_at_one_address_are_named(box):
    b = box(METAGATE_LISTEN_CONSOLE="127.0.0.1:6543",
            METAGATE_LISTEN_DORIS="127.0.0.1:6543")
    said = b.refused()
    assert said.splitlines()[-1].startswith(
        "metagate: [listen] doris: 127.0.0.1:6543 is the address of console")
    assert "up.end" not in said
    assert not processes.below(b.run_dir)


def test_a_bad_value_is_an_error_before_anything_starts(box):
    b = box(METAGATE_MYSQL_DATABASE="a b")
    assert b.refused() == "metagate: environment: METAGATE_MYSQL_DATABASE" \
        " must be 1 to 64 letters, digits and _\n"


def test_a_store_that_cannot_be_used_is_named_by_its_keys(box):
    b = box(METAGATE_MYSQL_HOSTS="127.0.0.1:1",
            METAGATE_MYSQL_PASSWORD_FILE="/nosuch")
    said = b.refused()
    assert "[mysql] hosts = 127.0.0.1:1, database = metagate," in said
    assert "password_file = /nosuch\n" in said


def test_an_unknown_key_is_an_error_with_file_and_line(box):
    b = box()
    os.mkdir(b.run_dir)
    with open(b.path("metagate.ini"), "w") as f:
        f.write("[serve]\nworkers = 2\nwokers = 3\n")
    said = b.refused()
    assert f"{b.run_dir}/metagate.ini:3: [serve] wokers" in said


def test_of_a_child_that_fails_the_last_lines_are_shown(box):
    b = box()
    wordy = os.path.join(b.base, "wordy")
    with open(wordy, "w") as f:
        f.write("#!/bin/sh\ncase \"$*\" in *-t*) exit 0 ;; esac\n"
                "seq -f 'line %g.' 40\nexit 1\n")
    os.chmod(wordy, 0o755)
    b.environment["METAGATE_NGINX_BINARY"] = wordy
    said = b.refused()
    assert "line 40." in said and "line 20." not in said
    assert "/log/nginx.log)" in said


def test_a_spoilt_configuration_keeps_nobody_from_stopping(box):
    b = box()
    b.ready(b.up())
    with open(b.path("metagate.ini"), "a") as f:
        f.write("spoilt\n")
    assert b.command("status", check=False).returncode == 1
    done = b.command("stop")
    assert done.stdout.startswith("stopped; its data stay in ") and \
         "metagate.ini:" in done.stderr
    assert not processes.below(b.run_dir)


def test_a_run_dir_that_the_account_cannot_reach_names_the_folder(box):
    b = box(parent="closed/below")
    os.makedirs(os.path.join(b.base, "closed"))
    if os.geteuid() == 0:
        os.chmod(os.path.join(b.base, "closed"), 0o700)
    else:
        os.chmod(os.path.join(b.base, "closed"), 0o600)
    said = b.refused()
    os.chmod(os.path.join(b.base, "closed"), 0o755)
    assert f"{b.base}/closed" in said
    assert f"cannot enter {b.base}/closed (" in said or os.geteuid() != 0


def test_an_ordinary_user_is_told_what_stands_in_the_way(box):
    if os.geteuid() != 0:
        return  # only root can make it so
    b = box(parent="closed")
    os.mkdir(os.path.join(b.base, "closed"), 0o700)
    assert b.refused(AS_NOBODY) == (
        f"metagate: nobody cannot enter {b.base}/closed (Permission denied),"
        f" which lies on the way to RUN_DIR {b.run_dir}\n")
    taken = box()
    os.mkdir(taken.run_dir, 0o700)
    assert f"{taken.run_dir} belongs to root: start as root" in \
        taken.refused(AS_NOBODY)


def test_missing_parents_are_made_open(box):
    b = box(parent="a/b")
    b.ready(b.up())
    assert os.stat(os.path.join(b.base, "a")).st_mode & 0o777 == 0o755
    assert os.stat(os.path.join(b.base, "a", "b")).st_mode & 0o777 == 0o755
    assert os.stat(b.run_dir).st_mode & 0o777 == 0o750


def test_a_run_dir_of_somebody_else_is_refused(box):
    if os.geteuid() != 0:
        return  # only root can make one
    b = box()
    os.mkdir(b.run_dir)
    nobody = pwd.getpwnam("nobody")
    os.chown(b.run_dir, nobody.pw_uid, nobody.pw_gid)
    assert f"{b.run_dir} belongs to nobody" in b.refused()


def test_sockets_of_a_long_run_dir_lie_in_a_short_one(box):
    b = box(parent="/".join(["a-long-name-of-a-folder"] * 5))
    b.ready(b.up())
    assert "sockets lie in /tmp/metagate." in b.output()
    short = os.readlink(b.path("s"))
    assert b.healthy()
    assert "serve-0" in b.command("status").stdout
    b.command("stop")
    assert not os.path.exists(short)


def test_an_ordinary_user_runs_everything_as_that_user(box):
    if os.geteuid() != 0:
        return  # then every other test here shows it
    b = box(parent="home")
    home = os.path.join(b.base, "home")
    os.mkdir(home)
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    binary = os.path.join(b.base, "metagate")  # the clone may be closed to it
    shutil.copy(b.binary, binary)
    b.binary = binary
    b.ready(b.up(AS_NOBODY))
    assert b.healthy()
    for pid in processes.below(b.run_dir):
        assert os.stat(f"/proc/{pid}").st_uid == nobody.pw_uid
    b.command("stop")  # as root, for the owner
    assert not processes.below(b.run_dir)
