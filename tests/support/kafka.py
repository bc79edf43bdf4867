"""A Kafka cluster in memory (build/asan/support/kafka_shell), and what is in
its topics, read by kcat."""

import json
import os
import shutil
import subprocess

from support.waiting import until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "build", "asan", "support", "kafka_shell")


class Kafka:
    """with Kafka(topic) as kafka: kafka.uri("canal-json"), kafka.read()"""

    def __init__(self, topic="feed", brokers=1, partitions=4):
        assert os.path.exists(PROGRAM), f"{PROGRAM} is missing: make unit"
        assert shutil.which("kcat"), "kcat is missing: apt-get install kcat"
        self.topic, self.partitions = topic, partitions
        self.process = subprocess.Popen(
            [PROGRAM, str(brokers), topic, str(partitions)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.servers = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()

    def say(self, line):
        """"down 1", "up 1", "not_leader 20"; returns when it is so."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def uri(self, protocol, **params):
        return (f"kafka://{self.servers}/{self.topic}?protocol={protocol}"
                "&kafka-version=2.4.0"
                + "".join(f"&{k}={v}" for k, v in params.items()))

    def make(self, topic):
        """Another topic: the cluster makes what it is asked for by name."""
        until(lambda: f'"{topic}" with {self.partitions} partitions' in
              subprocess.run(["kcat", "-L", "-b", self.servers, "-t", topic],
                             capture_output=True, text=True,
                             timeout=60).stdout, f"there is a topic {topic}")

    def read(self, topic=None):
        """All messages: [(partition, value)] in the order of each."""
        done = subprocess.run(
            ["kcat", "-q", "-b", self.servers, "-C", "-t",
             topic or self.topic, "-o",
             "beginning", "-e", "-X", "fetch.wait.max.ms=5", "-f",
             "%p %s\\n"], capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
        out = []
        for line in done.stdout.splitlines():
            partition, value = line.split(b" ", 1)
            out.append((int(partition), value))
        return out

    def messages(self):
        """The same of any bytes: [(key, value)], None for what is not there."""
        done = subprocess.run(
            ["kcat", "-q", "-b", self.servers, "-C", "-t", self.topic, "-o",
             "beginning", "-e", "-X", "fetch.wait.max.ms=5", "-f",
             "%K %S\\n%k%s"], capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
        out, left = [], done.stdout
        while left:
            head, left = left.split(b"\n", 1)
            parts = []
            for n in map(int, head.split()):
                parts.append(left[:n] if n >= 0 else None)
                left = left[max(n, 0):]
            out.append(tuple(parts))
        return out

    def documents(self, topic=None):
        """Of canal-json: [(partition, document)]."""
        return [(p, json.loads(v)) for p, v in self.read(topic)]
