"""The input of Kafka against the mock cluster of `librdkafka`, with the official client as the producer."""

import base64
import contextlib
import gzip
import json
import pathlib
import shutil
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

from platform_under_test import Platform, free_port, record
from syslog_test import Authority

# The cluster lives in a process of its own: it comes and goes with its producer.
CLUSTER = """
import base64, json, sys
from confluent_kafka import Producer
producers = {}
first = Producer({"test.mock.num.brokers": int(sys.argv[1])})
brokers = ",".join(f"{broker.host}:{broker.port}" for broker in first.list_topics(timeout=20).brokers.values())
print(brokers, flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    codec = asked["codec"]
    producer = producers.setdefault(codec, Producer({"bootstrap.servers": brokers, "compression.type": codec, "linger.ms": 50}))
    failed = []
    for partition, value in asked["messages"]:
        value = None if value is None else base64.b64decode(value)
        producer.produce(asked["topic"], value, key=b"key", headers={"trace": b"1"}, partition=partition,
                         on_delivery=lambda error, _: error and failed.append(str(error)))
        producer.poll(0)
    left = producer.flush(30)
    print(json.dumps({"left": left, "failed": failed}), flush=True)
"""


class Cluster:
    """A mock cluster, and its producer."""

    def __init__(self, brokers=1):
        self.process = subprocess.Popen([sys.executable, "-c", CLUSTER, str(brokers)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.brokers = self.process.stdout.readline().strip().split(",")

    def produce(self, messages, topic="audit", codec="none"):
        """Produces `(partition, value)`, and waits until the brokers have them."""
        encoded = [(n, None if value is None else base64.b64encode(value).decode()) for n, value in messages]
        self.process.stdin.write(json.dumps({"topic": topic, "codec": codec, "messages": encoded}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert answer == {"left": 0, "failed": []}, answer

    def stop(self):
        self.process.kill()
        self.process.communicate()


class Front:
    """A way to the one broker of `cluster` that can be closed and opened again; with `certificate`, inside of TLS."""

    def __init__(self, cluster, certificate=None):
        self.port = free_port()
        self.behind = int(cluster.brokers[0].rsplit(":", 1)[1])
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.open()

    def open(self):
        self.connections = []
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, args=[self.listener], daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self.serve, args=[client], daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError):
            client = self.context.wrap_socket(client, server_side=True) if self.context else client
            broker = socket.create_connection(("127.0.0.1", self.behind))
            self.connections += [client, broker]
            threading.Thread(target=self.requests, args=[client, broker], daemon=True).start()
            self.answers(broker, client)

    def requests(self, client, broker):
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                broker.sendall(data)

    def answers(self, broker, client):
        """Hands over whole answers; in each, the broker's own address is this one."""
        told, here = (b"\x00\x09127.0.0.1" + struct.pack(">i", port) for port in (self.behind, self.port))
        stream = broker.makefile("rb")
        while size := stream.read(4):
            client.sendall(size + stream.read(int.from_bytes(size, "big")).replace(told, here))


def message(probe):
    return json.dumps(record(probe)).encode()


class KafkaTest(unittest.TestCase):
    def start(self, brokers, start="earliest", topics=("audit",), tls="tls = false"):
        platform = Platform()
        platform.add(f"""
[[inputs]]
name = "bus"
kind = "kafka"
brokers = {json.dumps(brokers)}
topics = {json.dumps(list(topics))}
start = "{start}"
{tls}
""")
        platform.__enter__()
        self.addCleanup(platform.__exit__, None, None, None)
        return platform

    def cluster(self, brokers=1):
        cluster = Cluster(brokers)
        self.addCleanup(cluster.stop)
        return cluster

    def expect(self, platform, probes, seconds=30):
        platform.wait_for(lambda: platform.probes() == sorted(probes), f"alerts for {probes}", seconds)

    def test_every_codec_partition_and_shape_of_message_is_read(self):
        cluster = self.cluster(3)
        codecs = ["none", "gzip", "snappy", "lz4", "zstd"]
        for codec in codecs:
            cluster.produce([(n, message(f"{codec}-{n}")) for n in range(4)], codec=codec)
        platform = self.start(cluster.brokers)
        lines = b"\n".join(message(f"line-{n}") for n in (1, 2))
        packed = gzip.compress(json.dumps({"Records": [record("packed")]}).encode())
        cluster.produce([(0, lines), (1, packed), (2, b"{broken"), (3, None), (3, b"")], codec="zstd")
        self.expect(platform, [f"{codec}-{n}" for codec in codecs for n in range(4)] + ["line-1", "line-2", "packed"])
        platform.wait_for(lambda: platform.ledger()["rejected"] == 1, "the reject")
        ledger = platform.ledger()
        self.assertEqual(ledger["received"], ledger["evaluated"] + ledger["rejected"], ledger)

    def test_after_a_kill_nothing_is_lost_and_what_comes_twice_is_one_event(self):
        cluster = self.cluster()
        platform = self.start(cluster.brokers)
        probes = []
        for round in range(3):
            batch = [f"round-{round}-{n}" for n in range(12)]
            quiet = [(n % 4, json.dumps(record("quiet") | {"eventName": "Quiet"}).encode()) for n in range(2000)]
            cluster.produce([(n % 4, message(probe)) for n, probe in enumerate(batch)] + quiet, codec="lz4")
            probes += batch
            # In the middle: some of the round is read, and some is not.
            platform.wait_for(lambda: self.received(platform) > round * 2012, "some of the round", 60)
            platform.process.kill()
            platform.process.wait()
            platform.__enter__()
        self.expect(platform, probes, 90)
        platform.wait_for(lambda: self.received(platform) >= 3 * 2012, "every record", 60)
        platform.process.kill()
        platform.process.wait()
        findings = self.ask(platform, "SELECT finding_id FROM findings ORDER BY finding_id")
        # As if it had been killed before any position was remembered.
        self.ask(platform, "UPDATE cursors SET value = '0' WHERE key LIKE 'position:%'")
        platform.__enter__()
        platform.wait_for(lambda: self.received(platform) >= 6 * 2012, "every record again", 90)
        self.assertGreaterEqual(len(findings), len(probes))
        self.assertEqual(self.ask(platform, "SELECT finding_id FROM findings ORDER BY finding_id"), findings)

    def test_a_restart_reads_on_and_not_again(self):
        cluster = self.cluster()
        platform = self.start(cluster.brokers)
        cluster.produce([(0, message("before"))])
        self.expect(platform, ["before"])
        platform.wait_for(lambda: self.position(platform, 0) == "1", "the position")
        platform.process.terminate()
        platform.process.wait(30)
        cluster.produce([(0, message("away"))])
        platform.__enter__()
        self.expect(platform, ["before", "away"])
        self.assertEqual(self.received(platform), 2)

    def ask(self, platform, sql, *values):
        path = next(platform.folder.rglob("state.db"))
        with contextlib.closing(sqlite3.connect(path, timeout=10)) as store, store:
            return store.execute(sql, values).fetchall()

    def received(self, platform):
        """Records of the input alone, in the ledger."""
        return self.ask(platform, "SELECT coalesce(SUM(n), 0) FROM ledger WHERE input = 'bus' AND step = 'received'")[0][0]

    def position(self, platform, partition):
        found = self.ask(platform, "SELECT value FROM cursors WHERE key = ?", f"position:kafka:audit:{partition}")
        return found and found[0][0]

    def test_latest_leaves_out_what_was_there_before(self):
        cluster = self.cluster()
        cluster.produce([(0, message("old"))])
        platform = self.start(cluster.brokers, start="latest")
        platform.wait_for(lambda: all(self.position(platform, n) for n in range(4)), "positions")
        cluster.produce([(n, message(f"new-{n}")) for n in range(4)])
        self.expect(platform, [f"new-{n}" for n in range(4)])

    def test_messages_that_the_brokers_dropped_are_told(self):
        cluster = self.cluster()
        platform = self.start(cluster.brokers)
        cluster.produce([(0, message("before"))])
        platform.wait_for(lambda: self.position(platform, 0) == "1", "the position")
        platform.process.terminate()
        platform.process.wait(30)
        # The mock cluster keeps 5 MiB of a partition.
        large = json.dumps(record("large") | {"eventName": "Quiet", "pad": "x" * 400_000}).encode()
        for _ in range(20):
            cluster.produce([(0, large)])
        cluster.produce([(0, message("after"))])
        platform.__enter__()
        self.expect(platform, ["before", "after"])
        told = [alert["message"] for alert in platform.alerts() if alert["title"] == "Messages of Kafka are gone before they were read"]
        self.assertEqual(len(told), 1, told)
        self.assertRegex(told[0], r"partition 0 of topic `audit`: \d+ messages from offset 1 on are gone")

    def test_a_topic_that_comes_late_is_said_once_and_read_whole(self):
        cluster = self.cluster()
        platform = self.start(cluster.brokers, topics=["audit", "later"])
        title = "A topic of Kafka is not there"
        platform.wait_for(lambda: any(alert["title"] == title for alert in platform.alerts()), "the trouble")
        cluster.produce([(n, message(f"late-{n}")) for n in range(4)], topic="later")
        self.expect(platform, [f"late-{n}" for n in range(4)], 60)

    def test_brokers_that_go_away_are_said_once_and_hold_up_nobody_else(self):
        cluster = self.cluster()
        cluster.produce([(0, message("before"))])
        # The first address was never one.
        platform = self.start([f"127.0.0.1:{free_port()}"] + cluster.brokers)
        self.expect(platform, ["before"])
        cluster.stop()
        told = lambda: [alert for alert in platform.alerts() if alert["title"] == "Brokers of Kafka cannot be read"]
        platform.wait_for(told, "the trouble", 60)
        platform.post_probe("elsewhere")
        self.expect(platform, ["before", "elsewhere"])
        self.assertEqual(len(told()), 1)

    def test_brokers_that_were_away_are_read_on(self):
        cluster = self.cluster()
        front = Front(cluster)
        self.addCleanup(front.close)
        cluster.produce([(0, message("before"))])
        platform = self.start([f"127.0.0.1:{front.port}"])
        self.expect(platform, ["before"])
        front.close()
        cluster.produce([(n, message(f"away-{n}")) for n in range(4)])
        title = "Brokers of Kafka cannot be read"
        platform.wait_for(lambda: any(alert["title"] == title for alert in platform.alerts()), "the trouble", 60)
        front.open()
        self.expect(platform, ["before"] + [f"away-{n}" for n in range(4)], 90)

    def test_tls_is_spoken_with_brokers_of_the_authority_and_with_no_others(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="watchkeep-kafka-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        ours, others = Authority(folder, "ours"), Authority(folder, "others")
        cluster = self.cluster()
        cluster.produce([(0, message("inside"))])
        for authority, certificate in ((ours, ours.issue("broker")), (ours, others.issue("stranger"))):
            front = Front(cluster, certificate)
            self.addCleanup(front.close)
            platform = self.start([f"127.0.0.1:{front.port}"], tls=f'ca = "{authority.path}"')
            if "broker" in certificate[0].name:
                self.expect(platform, ["inside"])
            else:
                told = lambda: [alert["message"] for alert in platform.alerts() if alert["title"] == "Brokers of Kafka cannot be read"]
                platform.wait_for(told, "the trouble", 60)
                self.assertIn("certificate", told()[0])
                self.assertEqual(platform.probes(), [])


if __name__ == "__main__":
    unittest.main()
