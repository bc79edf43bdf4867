"""Another front end before a deployment's workers, from the examples in
nginx/examples: with METAGATE_TEST_FRONT=lighttpd (or haproxy) clients of
Doris and the console go through it, and workers check tokens themselves."""

import grp
import os
import pwd
import re
import shutil
import subprocess

from support.listeners import LISTENERS
from support.waiting import until

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../../nginx/examples")
COMMANDS = {"lighttpd": ["lighttpd", "-D", "-f"],
            "haproxy": ["haproxy", "-db", "-f"],
            "apache": ["apache2", "-DFOREGROUND", "-f"],
            "caddy": ["caddy", "run", "--adapter", "caddyfile", "--config"]}
PACKAGES = {"apache": "apache2-bin"}
FILES = {"caddy": "Caddyfile"}
# What stands around an example in a configuration that has nothing else.
AROUND = {
    "apache": "".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
        for name in ("mpm_event", "authz_core", "env", "proxy", "proxy_fcgi",
                     "proxy_balancer", "lbmethod_byrequests", "slotmem_shm"))
    + """ServerName metagate.test
ServerRoot @EMPTY@
PidFile @BASE@/apache.pid
DefaultRuntimeDir @BASE@
ErrorLog /dev/stderr
User @ACCOUNT@
Group #@GROUP@
""",
    "caddy": "{\n\tadmin off\n\tauto_https off\n\tstorage file_system @EMPTY@\n"
             "}\n"}
PORTS = {"console": 18080, "doris": 15000}
# Listeners that an example has besides.
MORE_PORTS = {"haproxy": {name: port + 10000 for name, (_, port)
                          in LISTENERS.items() if name not in PORTS}}


def key(listener):
    """pegasus-meta/m1: PEGASUS_META_1_PORT."""
    name = re.sub(r"/[a-z]", "_", listener)
    return name.replace("-", "_").upper() + "_PORT"


def chosen():
    return os.environ.get("METAGATE_TEST_FRONT")


class FrontEnd:
    def __init__(self, kind, deployment):
        self.host = f"{deployment.net}.1"
        self.ports = {**PORTS, **MORE_PORTS.get(kind, {})}
        self.path = os.path.join(deployment.base, kind + ".cfg")
        self._write(kind, deployment)
        argv = list(COMMANDS[kind])
        argv[0] = shutil.which(argv[0], path=os.environ["PATH"] + ":/usr/sbin")
        assert argv[0], ("missing: apt-get install "
                         + PACKAGES.get(kind, kind))
        with open(os.path.join(deployment.base, kind + ".out"), "w") as out:
            self.process = subprocess.Popen(
                [*argv, self.path], stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, cwd="/",
                env={"PATH": os.environ["PATH"], "HOME": deployment.base})

    def _write(self, kind, deployment):
        empty = os.path.join(deployment.base, "empty")
        os.makedirs(empty, exist_ok=True)
        with open(os.path.join(EXAMPLES, FILES.get(kind, kind + ".cfg"))) as f:
            text = AROUND.get(kind, "") + f.read()
        owner = os.stat(deployment.run_dir)
        for name, value in (("SOCKETS", deployment.path("s")),
                            ("EMPTY", empty), ("HOST", self.host),
                            ("BASE", deployment.base),
                            ("ACCOUNT", pwd.getpwuid(owner.st_uid).pw_name),
                            ("GROUP", owner.st_gid),
                            ("GROUP_NAME",
                             grp.getgrgid(owner.st_gid).gr_name),
                            *((key(name), port)
                              for name, port in self.ports.items())):
            text = text.replace(f"@{name}@", str(value))
        with open(self.path, "w") as f:
            f.write(text)

    def address(self, listener):
        return (self.host, self.ports[listener]) \
            if listener in self.ports else None

    def wait_ready(self, client):
        until(lambda: client.get("/healthz").status == 200,
              "the front end answers")

    def wait_known(self, client):
        """Workers look for new tokens once a second: until all of them have,
        as they are asked in turn."""
        until(lambda: all(client.get("/metrics").status != 401
                          for _ in range(8)), "the token is known")

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
