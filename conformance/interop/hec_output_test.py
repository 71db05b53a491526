"""The HEC output against a collector written from the protocol's documentation."""

import json
import unittest

from hec_server import HecServer
from platform_under_test import Platform

TOKEN = "b1f7a2f4-22c7-4bd5-8a35-0b2d3b1f9c01"


class HecOutputTest(unittest.TestCase):
    def run_with(self, server, probes, until):
        platform = Platform()
        platform.add(f"""
[[routes]]
name = "splunk"
kind = "splunk_hec"
url = "{server.url}"
token = {platform.secret("hec-token", TOKEN)}
index = "soc"
acknowledge = true
retry = {{ first = "200ms", longest = "1s", give_up_after = "1h" }}
""")
        with platform:
            for probe in probes:
                platform.post_probe(probe)
            platform.wait_for(lambda: until(platform), "the deliveries", seconds=60)
            return platform.alerts()

    def test_an_alert_counts_as_received_once_the_indexer_acknowledged_it(self):
        server = HecServer(TOKEN, patience=1)
        self.addCleanup(server.close)
        probes = ["hec-1", "hec-2", "hec-3"]

        def received(platform):
            mine = [alert for alert in platform.alerts() if alert["title"] == "Interoperability Probe"]
            return len(mine) == len(probes) and all(alert["state"] == "received" for alert in mine)

        self.run_with(server, probes, received)
        self.assertEqual(len(server.events), len(probes))
        for envelope in server.events:
            self.assertEqual(envelope["index"], "soc")
            self.assertIsInstance(envelope["time"], (int, float))
            self.assertIn("probe", json.dumps(envelope["event"]))
        self.assertEqual(server.forgotten, 0, "a status is asked for once more after it was given")

    def test_a_refused_token_is_retried_and_nothing_is_lost(self):
        server = HecServer("another-token")
        self.addCleanup(server.close)

        def opened(server):
            server.token = TOKEN
            return True

        def delivered(platform):
            return len(platform.probes()) == 1 and opened(server) and len(server.events) == 1

        self.run_with(server, ["late"], delivered)
        self.assertIn("late", json.dumps(server.events[0]["event"]))


if __name__ == "__main__":
    unittest.main()
