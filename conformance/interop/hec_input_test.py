"""The HEC input against two clients from PyPI and against the protocol as it is documented."""

import gzip
import json
import logging
import unittest
import uuid

from splunk_handler import SplunkHandler
from splunk_hec_handler import SplunkHecHandler

from platform_under_test import Platform, record

TOKEN = "0c9a1b52-6f0e-4a51-9a4e-6c6f0d0a7b11"


class HecInputTest(unittest.TestCase):
    def setUp(self):
        self.platform = Platform(token=TOKEN)
        self.platform.__enter__()
        self.addCleanup(self.platform.__exit__, None, None, None)

    def expect(self, probes):
        self.platform.wait_for(lambda: self.platform.probes() == sorted(probes), f"alerts for {probes}")

    def post(self, body, path="/services/collector/event", token=TOKEN, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.platform.request("POST", path, body, {"Authorization": f"Splunk {token}", **headers})

    def test_splunk_hec_handler_sends_json_events(self):
        handler = SplunkHecHandler("127.0.0.1", TOKEN, port=self.platform.port, proto="http", empty_body=True,
                                   sourcetype="aws:cloudtrail")
        logger = logging.Logger("hec-json")
        logger.addHandler(handler)
        for probe in ("json-1", "json-2", "json-3"):
            logger.info(record(probe))
        self.expect(["json-1", "json-2", "json-3"])

    def test_splunk_handler_sends_many_text_events_in_one_body(self):
        handler = SplunkHandler("127.0.0.1", self.platform.port, TOKEN, "main", protocol="http", flush_interval=30,
                                sourcetype="aws:cloudtrail", source="interop")
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger = logging.Logger("hec-text")
        logger.addHandler(handler)
        probes = [f"text-{number}" for number in range(20)]
        for probe in probes:
            logger.info(json.dumps(record(probe)))
        handler.shutdown()
        self.expect(probes)

    def test_an_acknowledgement_is_true_once_the_events_are_durable(self):
        channel = str(uuid.uuid4())
        body = json.dumps({"event": record("ack-1")}) + json.dumps({"event": record("ack-2")})
        status, answer = self.post(body, X_Splunk_Request_Channel=channel)
        self.assertEqual((status, answer["code"]), (200, 0))
        ask = json.dumps({"acks": [answer["ackId"]]})
        status, acks = self.post(ask, path=f"/services/collector/ack?channel={channel}")
        self.assertEqual((status, acks), (200, {"acks": {str(answer["ackId"]): True}}))
        self.expect(["ack-1", "ack-2"])

    def test_a_gzip_body_is_read(self):
        body = gzip.compress(json.dumps({"event": record("gzip-1")}).encode())
        status, answer = self.post(body, Content_Encoding="gzip")
        self.assertEqual((status, answer["code"]), (200, 0))
        self.expect(["gzip-1"])

    def test_raw_takes_records_as_they_are(self):
        lines = "\n".join(json.dumps(record(probe)) for probe in ("raw-1", "raw-2"))
        status, answer = self.post(lines, path=f"/services/collector/raw?channel={uuid.uuid4()}")
        self.assertEqual((status, answer["code"]), (200, 0))
        self.expect(["raw-1", "raw-2"])

    def test_refusals_have_the_documented_codes(self):
        event = json.dumps({"event": record("never")})
        status, answer = self.post(event, token=str(uuid.uuid4()))
        self.assertEqual((status, answer["code"]), (403, 4))
        status, answer = self.platform.request("POST", "/services/collector/event", event)
        self.assertEqual((status, answer["code"]), (401, 2))
        status, answer = self.post("")
        self.assertEqual((status, answer["code"]), (400, 5))
        status, answer = self.post("{broken")
        self.assertEqual((status, answer["code"]), (400, 6))
        self.assertEqual(self.platform.probes(), [])


if __name__ == "__main__":
    unittest.main()
