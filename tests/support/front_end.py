"""Another front end before a deployment's workers, from the examples in
nginx/examples: with METAGATE_TEST_FRONT=lighttpd (or haproxy) clients of
Doris and the console go through it, and workers check tokens themselves."""

import os
import shutil
import subprocess

from support.waiting import until

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../../nginx/examples")
COMMANDS = {"lighttpd": ["lighttpd", "-D", "-f"],
            "haproxy": ["haproxy", "-db", "-f"]}
PORTS = {"console": 18080, "doris": 15000}


def chosen():
    return os.environ.get("METAGATE_TEST_FRONT")


class FrontEnd:
    def __init__(self, kind, deployment):
        self.host = f"{deployment.net}.1"
        self.path = os.path.join(deployment.base, kind + ".cfg")
        self._write(kind, deployment)
        argv = list(COMMANDS[kind])
        argv[0] = shutil.which(argv[0], path=os.environ["PATH"] + ":/usr/sbin")
        assert argv[0], f"missing: apt-get install {kind}"
        with open(os.path.join(deployment.base, kind + ".out"), "w") as out:
            self.process = subprocess.Popen(
                [*argv, self.path], stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, cwd="/")

    def _write(self, kind, deployment):
        empty = os.path.join(deployment.base, "empty")
        os.makedirs(empty, exist_ok=True)
        with open(os.path.join(EXAMPLES, kind + ".cfg")) as f:
            text = f.read()
        for name, value in (("SOCKETS", deployment.path("s")),
                            ("EMPTY", empty), ("HOST", self.host),
                            ("CONSOLE_PORT", PORTS["console"]),
                            ("DORIS_PORT", PORTS["doris"])):
            text = text.replace(f"@{name}@", str(value))
        with open(self.path, "w") as f:
            f.write(text)

    def address(self, listener):
        return (self.host, PORTS[listener]) if listener in PORTS else None

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
