"""Another front end before a deployment's workers: what `metagate front`
prints, included by the distribution's own main file. With
METAGATE_TEST_FRONT=lighttpd (haproxy, apache, caddy) clients go through it, on
other ports than nginx's, and workers check tokens themselves."""

import grp
import os
import pwd
import re
import shutil
import subprocess

from support.listeners import ALL, LISTENERS
from support.waiting import until

PACKAGES = {"apache": "apache2"}
MAIN_PORT = 20080  # of what the distribution's main file serves


def chosen():
    return os.environ.get("METAGATE_TEST_FRONT")


def moved(port):
    return port + 10000 if port < 50000 else port - 10000


def settings(net):
    """METAGATE_LISTEN_...: every listener on another port."""
    by_key = {}
    for name, machine, port in ALL:
        key = name.partition("/")[0].replace("-", "_").upper()
        by_key.setdefault(key, []).append(f"{net}.{machine}:{moved(port)}")
    return {f"METAGATE_LISTEN_{key}": ",".join(v)
            for key, v in by_key.items()}


def _read(path):
    with open(path) as f:
        return f.read()


def _with(text, *changes):
    """Each of the changes (a line's pattern, what stands there) once."""
    for pattern, line in changes:
        text, n = re.subn(f"(?m)^{pattern}$", line, text)
        assert n == 1, f"{pattern}: {n} lines"
    return text


# ---- the distribution's main files; what differs is where things lie ----

def _lighttpd(e):
    text = _with(
        _read("/etc/lighttpd/lighttpd.conf"),
        (r"server\.document-root .*", f'server.document-root = "{e.empty}"'),
        (r"server\.upload-dirs .*", f'server.upload-dirs = ( "{e.base}" )'),
        (r"server\.errorlog .*", f'server.errorlog = "{e.base}/errors"'),
        (r"server\.pid-file .*", f'server.pid-file = "{e.base}/pid"'),
        (r"server\.username .*", f'server.username = "{e.account}"'),
        (r"server\.groupname .*", f'server.groupname = "{e.group}"'),
        (r"server\.port .*", f'server.port = {MAIN_PORT}\n'
         f'server.bind = "{e.host}"'),
        (r"include_shell .*use-ipv6.*", ""),
        (r"include .*conf-enabled.*", f'include "{e.part}"'))
    return ["lighttpd", "-D", "-f", e.write("lighttpd.conf", text)]


def _haproxy(e):
    text = _with(
        _read("/etc/haproxy/haproxy.cfg"),
        (r"\s*chroot .*", ""), (r"\s*group haproxy", ""),
        (r"\s*user .*", f"\tuser {e.account}"), (r"\s*daemon", ""),
        (r"\s*stats socket .*", f"\tstats socket {e.base}/stats level admin"))
    return ["haproxy", "-db", "-f", e.write("haproxy.cfg", text), "-f", e.part]


def _apache(e):
    folder = os.path.join(e.base, "apache2")
    shutil.copytree("/etc/apache2", folder, symlinks=True)
    for name in re.search("`a2enmod ([a-z_# \n]+)`", _read(e.part))[1].split():
        path = f"{folder}/mods-enabled/{name}.load"
        if name != "#" and not os.path.lexists(path):
            os.symlink(f"/etc/apache2/mods-available/{name}.load", path)
    e.write("apache2/ports.conf", f"Listen {e.host}:{MAIN_PORT}\n")
    site = "apache2/sites-enabled/000-default.conf"
    os.unlink(os.path.join(e.base, site))
    e.write(site, _read("/etc/apache2/sites-available/000-default.conf")
            .replace("*:80", f"{e.host}:{MAIN_PORT}"))
    shutil.copy(e.part, f"{folder}/sites-enabled/metagate.conf")
    e.env.update(APACHE_RUN_USER=e.account, APACHE_RUN_GROUP=e.group,
                 APACHE_PID_FILE=f"{e.base}/pid", APACHE_RUN_DIR=e.base,
                 APACHE_LOCK_DIR=e.base, APACHE_LOG_DIR=e.base)
    return ["apache2", "-DFOREGROUND", "-d", folder]


def _caddy(e):
    text = _with(_read("/etc/caddy/Caddyfile"),
                 (r":80 {", f":{MAIN_PORT} {{\n\tbind {e.host}"))
    return ["caddy", "run", "--adapter", "caddyfile", "--config", e.write(
        "Caddyfile", "{\n\tadmin off\n\tstorage file_system "
        f"{e.empty}\n}}\n{text}\nimport {e.part}\n")]


KINDS = {"lighttpd": _lighttpd, "haproxy": _haproxy, "apache": _apache,
         "caddy": _caddy}


class FrontEnd:
    def __init__(self, kind, deployment):
        self.host = f"{deployment.net}.1"
        self.net = deployment.net
        self.base = os.path.join(deployment.base, "front")
        self.empty = os.path.join(self.base, "empty")
        os.makedirs(self.empty)
        owner = os.stat(deployment.run_dir)
        self.account = pwd.getpwuid(owner.st_uid).pw_name
        for folder in (self.base, self.empty):
            os.chown(folder, owner.st_uid, owner.st_gid)
        self.env = {"PATH": os.environ["PATH"], "HOME": self.base}
        text = self.rendered(kind, deployment)
        self.group = grp.getgrgid(owner.st_gid).gr_name
        assert self.group in text  # it says to whom the sockets are open
        self.part = self.write(f"{kind}.part", text)
        self._start(KINDS[kind](self), PACKAGES.get(kind, kind))
        self.main = kind != "haproxy"  # which serves nothing by itself

    def rendered(self, kind, deployment):
        done = subprocess.run(
            deployment.argv("front", kind), capture_output=True, text=True,
            env={**deployment.env(), **settings(deployment.net)}, cwd="/",
            timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def write(self, name, text):
        path = os.path.join(self.base, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def _start(self, argv, package):
        argv[0] = shutil.which(argv[0], path=os.environ["PATH"] + ":/usr/sbin")
        assert argv[0], f"missing: apt-get install {package}"
        with open(os.path.join(self.base, "out"), "w") as out:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                cwd="/", env=self.env)

    def address(self, listener):
        machine, port = LISTENERS[listener]
        return f"{self.net}.{machine}", moved(port)

    def wait_ready(self, client):
        def ready():
            if self.process.poll() is not None:
                return "ended"
            return client.get("/healthz").status == 200
        if until(ready, "the front end answers") == "ended":
            raise AssertionError("the front end ended: " + _read(
                os.path.join(self.base, "out"))[-3000:])

    def wait_known(self, client):
        """Workers look for new tokens once a second: until all of them have,
        as they are asked in turn."""
        until(lambda: all(client.get("/metrics").status != 401
                          for _ in range(8)), "the token is known")

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
