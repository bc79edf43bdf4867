"""The rows of a table: what is measured, started and stopped here."""

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess

import cost
from data import DOCS, PEERS
from support.deployment import Deployment
from support.waiting import until
from works import WORKS, cores

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build", "bench")
FIRST_PORT = 18500
TZ = "Asia/Shanghai"  # of Deployment: times in replies are local
PEER_NAMES = {"limit": "FastCGI echo", "php": "PHP-FPM, PDO",
              "go": "Go net/http", "doc": "Go, doc", "kept": "Go, doc, kept",
              "node": "Node, Fastify"}
DESIGN = ("doc", "kept")  # metagate's own idea in Go (peers/go/design.go)
_libc = ctypes.CDLL(None, use_errno=True)


class Row:
    """name; address of its HTTP; token; groups: {what: process ids}."""

    def __init__(self, kind, name, address, token, groups):
        self.kind, self.name, self.address = kind, name, address
        self.token, self.groups = token, groups

    def at(self, listener):
        """Where that listener is; a peer has one for all."""
        if self.kind != "metagate":
            return self.address
        return self.deployment.address(listener)

    def kept(self):
        """(replies that were kept and held, that were not); None of a peer."""
        if self.kind != "metagate":
            return None
        text = self.deployment.client("console").get("/metrics").text
        found = dict(line.rsplit(" ", 1) for line in text.splitlines()
                     if line.startswith("metagate_cache_"))
        return (int(found["metagate_cache_hits_total"]),
                int(found["metagate_cache_misses_total"]))

    def forget(self):
        """New workers, which have kept nothing."""
        if self.kind == "metagate":
            for n in range(2):
                self.deployment.command("stop", f"serve-{n}")
                self.deployment.command("start", f"serve-{n}")

    def label(self):
        return "".join(c if c.isalnum() else "-" for c in self.name)

    def cpu(self):
        return {g: cost.cpu_us(cost.trees(p)) for g, p in self.groups.items()}

    def memory_mib(self):
        """Of its own processes, the database apart."""
        pids = set()
        for group, roots in self.groups.items():
            if group != "db":
                pids |= cost.trees(roots)
        return cost.memory_kib(pids) / 1024


class Box:
    """What the bench has started; everything ends with it."""

    def __init__(self, directory, net):
        self.directory, self.net = directory, net
        self.children = []
        os.makedirs(directory, exist_ok=True)

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def start(self, argv, name, **more):
        with open(self.path(name + ".log"), "ab") as log:
            child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=_end_with_parent,
                env={**os.environ, "TZ": TZ}, **more)
        self.children.append(child)
        return child

    def stop(self):
        for child in reversed(self.children):
            child.terminate()
        for child in reversed(self.children):
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.children = []

    def wait_port(self, port, child):
        def open_now():
            if child.poll() is not None:
                raise RuntimeError("it has ended")
            with socket.create_connection((self.net, port), 1):
                return True
        until(open_now, f"port {port} of {child.args[0]}, see "
              f"{self.directory}/*.log", 30)


def _end_with_parent():
    _libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


# ---- metagate ----

def start_metagate(binary, name, environment=None):
    """(row, deployment) of a deployment of its own."""
    deployment = Deployment("release", {
        "METAGATE_MYSQL_BUFFER_POOL_MIB": "2048",
        "METAGATE_NGINX_CLIENT_CONNECTIONS": "65535",
        "METAGATE_NGINX_RATE_PER_S": "0",
        # Tens of thousands of nodes that are nowhere: their heartbeats cost by
        # the second, and what is told here is the cost of a request.
        "METAGATE_DORIS_HEARTBEAT_S": "0",
        **(environment or {})}, "bench")
    deployment.binary = binary
    deployment.start()
    pids = {role: deployment.pid_of(role) for role in ("nginx", "mariadb")}
    everything = cost.trees([deployment.pid])
    apart = cost.trees(list(pids.values()))
    row = Row("metagate", name, deployment.address("doris"),
              deployment.tokens["admin"],
              {"nginx": [pids["nginx"]], "worker": everything - apart,
               "db": [pids["mariadb"]]})
    row.deployment = deployment
    # `up` has nginx and the database below it.
    row.cpu = lambda: {
        "nginx": cost.cpu_us(cost.trees([pids["nginx"]])),
        "worker": cost.cpu_us(cost.trees([deployment.pid])
                              - cost.trees(list(pids.values()))),
        "db": cost.cpu_us([pids["mariadb"]])}
    row.memory_mib = lambda: cost.memory_kib(
        cost.trees([deployment.pid]) - {pids["mariadb"]}) / 1024
    return row, deployment


# ---- the limit and PHP, behind a bare nginx ----

NGINX = """daemon off; worker_processes auto; pid {dir}/nginx.pid;
error_log {dir}/nginx.log warn; {user}
worker_rlimit_nofile 65536;
events {{ worker_connections 16384; }}
http {{
    access_log off; keepalive_requests 1000000; tcp_nodelay on;
    client_body_temp_path {dir}/tmp/body; fastcgi_temp_path {dir}/tmp/fastcgi;
    proxy_temp_path {dir}/tmp/proxy; uwsgi_temp_path {dir}/tmp/uwsgi;
    scgi_temp_path {dir}/tmp/scgi; client_body_buffer_size 64k;
    fastcgi_param QUERY_STRING $query_string;
    fastcgi_param REQUEST_METHOD $request_method;
    fastcgi_param CONTENT_TYPE $content_type;
    fastcgi_param CONTENT_LENGTH $content_length;
    fastcgi_param DOCUMENT_URI $document_uri;
    fastcgi_param REQUEST_URI $request_uri;
    fastcgi_buffer_size 32k; fastcgi_buffers 32 32k;
    fastcgi_busy_buffers_size 64k;
{servers}
}}
"""
ECHO = """    upstream {name} {{
        server unix:{socket}; keepalive 256; keepalive_requests 1000000;
    }}
    server {{
        listen {net}:{port} reuseport backlog=4096;
        location / {{ fastcgi_pass {name}; fastcgi_keep_conn on; }}
    }}
"""
# Without kept connections: they starve the children of PHP-FPM.
PHP = """    server {{
        listen {net}:{port} reuseport backlog=4096;
        location / {{
            fastcgi_pass unix:{dir}/fpm.sock;
            fastcgi_param SCRIPT_FILENAME {here}/peers/php/index.php;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param DOCUMENT_URI $document_uri;
            fastcgi_param BENCH_SOCKET {mysql};
            fastcgi_param BENCH_USER bench;
            fastcgi_param BENCH_PASSWORD {password};
            fastcgi_param BENCH_TOKEN {token};
            fastcgi_param BENCH_TZ {tz};
        }}
    }}
"""


class Peers:
    """Starts the peers that are asked for, on one deployment's database."""

    def __init__(self, box, deployment, token):
        self.box, self.deployment, self.token = box, deployment, token
        self.password = secrets.token_hex(16)
        self.port = FIRST_PORT
        self.servers = ""
        self.waiting = []
        self.rows = {}
        self.db = [deployment.pid_of("mariadb")]
        self.socket = deployment.path("s", "mysql.sock")

    def start(self, kinds, replies):
        """{(kind, work): Row}; replies: {work: the bytes of a reply}."""
        limits = {w: self._echo(w, r) for w, r in replies.items()}
        if "php" in kinds:
            self._php()
        nginx = self._nginx()
        for work, (address, echo) in limits.items():
            self.rows["limit", work] = Row(
                "limit", PEER_NAMES["limit"], address, self.token,
                {"nginx": [nginx.pid], "app": [echo.pid]})
        for kind in kinds:
            address, child = getattr(self, "_row_" + kind)()
            groups = {"app": [child.pid], "db": self.db}
            if kind == "php":
                groups["nginx"] = [nginx.pid]
            for name, work in WORKS.items():
                if work.design or kind not in DESIGN:
                    self.rows[kind, name] = Row(kind, PEER_NAMES[kind],
                                                address, self.token, groups)
        for port, child in self.waiting:
            self.box.wait_port(port, child)
        return self.rows

    def _next(self):
        self.port += 1
        return self.box.net, self.port

    def _echo(self, work, reply):
        box, address = self.box, self._next()
        binary = box.path("echo")
        if not os.path.exists(binary):
            subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-o",
                            binary, os.path.join(HERE, "peers/limit/echo.c"),
                            "-lfcgi", "-pthread"], check=True)
        with open(box.path(work + ".reply"), "wb") as f:
            f.write(reply)
        sock = box.path(f"echo-{work}.sock")
        child = box.start([binary, sock, str(2 * cores()),
                           box.path(work + ".reply")], "echo")
        self.servers += ECHO.format(name="echo_" + work, socket=sock,
                                    net=address[0], port=address[1])
        return address, child

    def _php(self):
        self.php_address = self._next()
        self.servers += PHP.format(
            dir=self.box.directory, here=HERE, net=self.php_address[0],
            port=self.php_address[1], mysql=self.socket,
            password=self.password, token=self.token, tz=TZ)

    def _row_php(self):
        with open(self.box.path("fpm.conf"), "w") as f:
            f.write("[global]\ndaemonize = no\n"
                    f"error_log = {self.box.path('fpm.log')}\n"
                    f"[www]\nlisten = {self.box.path('fpm.sock')}\n"
                    "listen.backlog = 4096\npm = static\n"
                    f"pm.max_children = {4 * cores()}\n"
                    + ("user = root\ngroup = root\n" if os.getuid() == 0
                       else ""))
        names = ("php-fpm8.2", "php-fpm")
        fpm = next(p for p in (shutil.which(n, path=os.environ["PATH"]
                                            + ":/usr/sbin") for n in names)
                   if p)
        child = self.box.start(
            [fpm, "-R", "-F", "-y", self.box.path("fpm.conf"), "-d",
             "opcache.enable=1", "-d", "opcache.validate_timestamps=0"],
            "fpm")
        until(lambda: os.path.exists(self.box.path("fpm.sock")), "PHP-FPM")
        return self.php_address, child

    def _row_go(self, name="go", schema=PEERS, design=()):
        box, address = self.box, self._next()
        binary, there = box.path("go-peer"), os.path.join(HERE, "peers/go")
        if not os.path.exists(binary):
            subprocess.run(
                ["go", "build", "-o", binary, *(
                    os.path.join(there, f) for f in sorted(os.listdir(there)))],
                check=True,
                env={**os.environ, "GO111MODULE": "off", "GOFLAGS": "",
                     "GOPATH": "/usr/share/gocode",
                     "GOCACHE": os.path.join(BUILD, "go-cache")})
        child = box.start([binary, f"{address[0]}:{address[1]}", self.socket,
                           "bench", self.password, self.token, schema,
                           *design], name)
        self.waiting.append((address[1], child))
        return address, child

    def _row_doc(self):
        return self._row_go("go-doc", DOCS, ["doc"])

    def _row_kept(self):
        return self._row_go("go-kept", DOCS, ["kept"])

    def _row_node(self):
        box, address = self.box, self._next()
        there = os.path.join(BUILD, "node")
        install_node(there)
        child = box.start(
            ["node", "server.js", address[0], str(address[1]), self.socket,
             "bench", self.password, self.token, str(cores())], "node",
            cwd=there)
        self.waiting.append((address[1], child))
        return address, child

    def _nginx(self):
        os.makedirs(self.box.path("tmp"), exist_ok=True)
        conf = self.box.path("nginx.conf")
        user = "user root;" if os.getuid() == 0 else ""
        with open(conf, "w") as f:
            f.write(NGINX.format(dir=self.box.directory, user=user,
                                 servers=self.servers))
        child = self.box.start(["/usr/sbin/nginx", "-e", "stderr", "-c",
                                conf], "nginx")
        self.waiting.append((FIRST_PORT + 1, child))
        return child


def install_node(there):
    """Its packages, by the lock file, where build/ keeps them."""
    source = os.path.join(HERE, "peers/node")
    os.makedirs(there, exist_ok=True)
    locked = os.path.join(there, "node_modules", ".installed")
    for name in ("package.json", "package-lock.json", ".npmrc", "server.js"):
        shutil.copy(os.path.join(source, name), there)
    with open(os.path.join(source, "package-lock.json")) as f:
        want = f.read()
    if os.path.exists(locked) and open(locked).read() == want:
        return
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"],
                   cwd=there, check=True)
    with open(locked, "w") as f:
        f.write(want)
