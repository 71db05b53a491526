"""The input of NATS JetStream against Debian's `nats-server`, with `nats-py` as the publisher."""

import asyncio
import gzip
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

import nats

from platform_under_test import Platform, free_port, record

TOKEN = "interop-token"


class NatsTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchkeep-nats-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.port = free_port()
        self.server = None
        self.start_server()
        self.addCleanup(self.stop_server)
        self.platform = Platform()
        secret = self.platform.secret("nats-token", TOKEN)
        self.platform.add(f"""
[[inputs]]
name = "bus"
kind = "nats"
servers = ["nats://127.0.0.1:{self.port}"]
stream = "AUDIT"
subject = "audit.>"
token = {secret}
tls = false
""")

    def start_server(self):
        command = ["nats-server", "--addr", "127.0.0.1", "--port", str(self.port), "--jetstream", "--store_dir", str(self.folder), "--auth", TOKEN]
        self.server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                return socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.1)
        raise AssertionError("nats-server does not answer")

    def stop_server(self):
        self.server.terminate()
        self.server.wait()

    def start(self):
        self.platform.__enter__()
        self.addCleanup(self.platform.__exit__, None, None, None)

    def ask(self, work):
        """Runs `work` with a JetStream context."""
        async def with_stream():
            client = await nats.connect(f"nats://127.0.0.1:{self.port}", token=TOKEN)
            try:
                return await work(client.jetstream())
            finally:
                await client.close()
        return asyncio.run(with_stream())

    def make_stream(self):
        self.ask(lambda stream: stream.add_stream(name="AUDIT", subjects=["audit.>", "other.>"]))

    def publish(self, payloads, subject="audit.trail"):
        async def publish(stream):
            for payload in payloads:
                await stream.publish(subject, payload)
        self.ask(publish)

    def open_messages(self):
        """Messages that the consumer has not acknowledged."""
        info = self.ask(lambda stream: stream.consumer_info("AUDIT", "watchkeep"))
        return info.num_pending + info.num_ack_pending

    def expect(self, probes):
        self.platform.wait_for(lambda: self.platform.probes() == sorted(probes), f"alerts for {probes}")
        self.platform.wait_for(lambda: self.open_messages() == 0, "acknowledgements")

    def test_messages_are_read_acknowledged_and_not_read_again(self):
        self.make_stream()
        self.publish([json.dumps(record("early")).encode()])
        self.start()
        lines = "\n".join(json.dumps(record(probe)) for probe in ("line-1", "line-2")).encode()
        self.publish([lines, gzip.compress(json.dumps({"Records": [record("packed")]}).encode()), b"{broken", b""])
        self.publish([json.dumps(record("elsewhere")).encode()], subject="other.trail")
        self.expect(["early", "line-1", "line-2", "packed"])
        self.platform.wait_for(lambda: self.platform.ledger()["rejected"] == 1, "the reject")
        ledger = self.platform.ledger()
        self.assertEqual(ledger["received"], ledger["evaluated"] + ledger["rejected"], ledger)

    def test_many_messages_are_read_in_batches(self):
        self.make_stream()
        probes = [f"many-{number}" for number in range(0, 1200, 100)]
        self.publish(json.dumps(record(f"many-{number}") | ({} if number % 100 == 0 else {"eventName": "Quiet"})).encode() for number in range(1200))
        self.start()
        self.expect(probes)
        self.assertEqual(self.platform.ledger()["received"], 1200)

    def test_a_stream_that_is_not_there_is_said_once_and_read_when_it_comes(self):
        self.start()
        title = "A stream of NATS cannot be read"
        self.platform.wait_for(lambda: any(alert["title"] == title for alert in self.platform.alerts()), "the trouble")
        self.make_stream()
        self.publish([json.dumps(record("late")).encode()])
        self.expect(["late"])

    def test_a_server_that_was_away_is_read_on(self):
        self.make_stream()
        self.start()
        self.publish([json.dumps(record("before")).encode()])
        self.expect(["before"])
        self.stop_server()
        self.start_server()
        self.publish([json.dumps(record("after")).encode()])
        self.platform.wait_for(lambda: self.platform.probes() == ["after", "before"], "what came after", seconds=60)


if __name__ == "__main__":
    unittest.main()
