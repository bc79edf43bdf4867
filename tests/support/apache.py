"""A Kafka of Apache, 0.9, as npm has it (drills/queues/package.json), with
the face of support/kafka.py: it is on a disk, and can be killed."""

import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile

from support.kafka import Reader
from support.waiting import until

OLD = {"api.version.request": "false", "broker.version.fallback": "0.9.0"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


class Apache(Reader):
    """with Apache(jars) as kafka: kafka.uri("canal-json"), kafka.kill()"""

    def __init__(self, jars, topic="feed", partitions=4):
        assert shutil.which("java"), \
            "java is missing: apt-get install openjdk-17-jre-headless"
        zookeeper, port = free_port(), free_port()
        super().__init__(f"127.0.0.1:{port}", topic, partitions, OLD)
        self.port, self.zookeeper_port = port, zookeeper
        self.jars = ":".join(sorted(
            j for j in glob.glob(f"{jars}/*.jar")
            if not j.endswith(("-sources.jar", "-javadoc.jar", "-scaladoc.jar",
                               "-test.jar"))))
        self.top = tempfile.mkdtemp(prefix="mgkafka.", dir="/var/tmp")
        self.running = {}
        self._say("log4j.properties", "log4j.rootLogger=WARN, out\n"
                  "log4j.appender.out=org.apache.log4j.ConsoleAppender\n"
                  "log4j.appender.out.layout=org.apache.log4j.SimpleLayout\n")
        # a session of a broker that was killed ends soon
        self._say("zookeeper", "tickTime=500\nmaxClientCnxns=0\n"
                  f"dataDir={self.top}/zk\nclientPort={zookeeper}\n"
                  "clientPortAddress=127.0.0.1\n")
        self._say("broker", "broker.id=0\nhost.name=127.0.0.1\n"
                  f"port={port}\nlog.dirs={self.top}/log\n"
                  f"zookeeper.connect=127.0.0.1:{zookeeper}\n"
                  "zookeeper.session.timeout.ms=2000\n"
                  f"num.partitions={partitions}\n"
                  "num.io.threads=2\nnum.network.threads=2\n"
                  "message.max.bytes=11000000\n"
                  "replica.fetch.max.bytes=11000000\n"
                  "controlled.shutdown.enable=false\n")

    def _say(self, name, text):
        with open(os.path.join(self.top, name), "w") as f:
            f.write(text)

    def _java(self, name, main, heap):
        with open(os.path.join(self.top, name + ".out"), "ab") as out:
            self.running[name] = subprocess.Popen(
                ["java", f"-Xmx{heap}m", "-XX:+UseSerialGC", "-cp", self.jars,
                 f"-Dlog4j.configuration=file:{self.top}/log4j.properties",
                 main, os.path.join(self.top, name)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.top)

    def __enter__(self):
        self._java("zookeeper",
                   "org.apache.zookeeper.server.quorum.QuorumPeerMain", 128)
        try:
            until(lambda: answers(self.zookeeper_port), "ZooKeeper answers",
                  timeout=60)
            self.start()
            self.make(self.topic)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for p in self.running.values():
            p.kill()
            p.wait()
        shutil.rmtree(self.top, ignore_errors=True)

    def kill(self):
        p = self.running.pop("broker")
        p.send_signal(signal.SIGKILL)
        p.wait()

    def start(self):
        """Until it answers: it does not begin while ZooKeeper still believes
        in the one before it."""
        def up():
            if "broker" not in self.running or \
                    self.running["broker"].poll() is not None:
                self._java("broker", "kafka.Kafka", 512)
            return answers(self.port)
        until(up, "the broker answers", timeout=120, pause=0.5)

    def disturb(self):
        self.kill()
        self.start()

    def uri(self, protocol, **params):
        return super().uri(protocol, **{"kafka-version": "0.9.0.1", **params})
