"""A Kafka cluster in memory (support/kafka_shell), and what is in its topics,
read by kcat."""

import collections
import json
import os
import re
import shutil
import subprocess

from support.waiting import until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))

Record = collections.namedtuple("Record", "partition offset key value")


class Reader:
    """What is in a cluster."""

    def __init__(self, servers, topic, partitions, options):
        assert shutil.which("kcat"), "kcat is missing: apt-get install kcat"
        self.servers, self.topic, self.partitions = servers, topic, partitions
        self.options = [w for k, v in options.items()
                        for w in ("-X", f"{k}={v}")]

    def kcat(self, *args):
        done = subprocess.run(["kcat", "-q", "-b", self.servers, *self.options,
                               *args], capture_output=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def make(self, topic):
        """Another topic: the cluster makes what it is asked for by name."""
        until(lambda: f'"{topic}" with {self.partitions} partitions'.encode()
              in self.kcat("-L", "-t", topic), f"there is a topic {topic}")

    def uri(self, protocol, **params):
        params = {"protocol": protocol, "kafka-version": "2.4.0", **params}
        return f"kafka://{self.servers}/{self.topic}?" + "&".join(
            f"{k}={v}" for k, v in params.items())

    def records(self, topic=None):
        """All of a topic, in the order of each partition; None for a key or a
        value that is not there."""
        left = self.kcat("-C", "-t", topic or self.topic, "-o", "beginning",
                         "-e", "-X", "fetch.wait.max.ms=5", "-f",
                         "%p %o %K %S\\n%k%s")
        out, at = [], 0
        while at < len(left):
            end = left.index(b"\n", at)
            partition, offset, *sizes = map(int, left[at:end].split())
            at, parts = end + 1, []
            for n in sizes:
                parts.append(left[at:at + n] if n >= 0 else None)
                at += max(n, 0)
            out.append(Record(partition, offset, *parts))
        return out

    def ends(self):
        """{partition: the offset of what comes next}, once all have a
        leader."""
        def asked():
            said = self.kcat("-Q", *(w for p in range(self.partitions)
                                     for w in ("-t", f"{self.topic}:{p}:-1")))
            found = {int(p): int(o) for p, o in re.findall(
                rb"\[(\d+)\] offset (\d+)", said)}
            return found if len(found) == self.partitions else None
        return until(asked, "partitions have leaders", timeout=60)

    def messages(self):
        return [(r.key, r.value) for r in self.records()]

    def documents(self, topic=None):
        """Of canal-json: [(partition, document)]."""
        return [(r.partition, json.loads(r.value))
                for r in self.records(topic)]


class Kafka(Reader):
    """with Kafka(topic) as kafka: kafka.uri("canal-json"), kafka.records()"""

    def __init__(self, topic="feed", brokers=1, partitions=4, build="asan"):
        program = os.path.join(ROOT, "build", build, "support", "kafka_shell")
        assert os.path.exists(program), f"{program} is missing: make unit"
        self.process = subprocess.Popen(
            [program, str(brokers), topic, str(partitions)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        super().__init__(self.process.stdout.readline().strip(), topic,
                         partitions, {})

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

    def disturb(self):
        self.say("not_leader 10")
