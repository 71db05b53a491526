"""The webhook output against the `standardwebhooks` package, and against `cryptography` for ed25519."""

import base64
import http.server
import json
import os
import threading
import unittest

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from platform_under_test import Platform


class Receiver:
    """Keeps each delivery; refuses the first `refusals` of them with 503."""

    def __init__(self, refusals=0):
        self.deliveries = []
        self.refused = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                delivery = (dict(self.headers.items()), body)
                if len(outer.refused) < refusals:
                    outer.refused.append(delivery)
                    self.send_response(503)
                    self.send_header("Retry-After", "1")
                else:
                    outer.deliveries.append(delivery)
                    self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def lower(headers):
    return {name.lower(): value for name, value in headers.items()}


class WebhookTest(unittest.TestCase):
    def deliver(self, secret, probes, refusals=0):
        receiver = Receiver(refusals)
        self.addCleanup(receiver.close)
        platform = Platform()
        platform.add(f"""
[[routes]]
name = "hook"
kind = "webhook"
url = "{receiver.url}"
secret = {platform.secret("secret", secret)}
retry = {{ first = "200ms", longest = "1s", give_up_after = "1h" }}
""")
        with platform:
            for probe in probes:
                platform.post_probe(probe)
            platform.wait_for(lambda: len(receiver.deliveries) >= len(probes), "the deliveries")
        return receiver

    def test_every_delivery_verifies_with_the_package(self):
        secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        receiver = self.deliver(secret, ["one", "two", "three"])
        for headers, body in receiver.deliveries:
            message = Webhook(secret).verify(body, headers)
            self.assertIn("probe", json.dumps(message))
        self.assertEqual(len({lower(headers)["webhook-id"] for headers, _ in receiver.deliveries}), 3)

    def test_the_package_refuses_another_secret_and_a_changed_body(self):
        secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        headers, body = self.deliver(secret, ["one"]).deliveries[0]
        with self.assertRaises(WebhookVerificationError):
            Webhook("whsec_" + base64.b64encode(os.urandom(32)).decode()).verify(body, headers)
        with self.assertRaises(WebhookVerificationError):
            Webhook(secret).verify(body + b" ", headers)

    def test_a_retry_has_the_same_id_and_body_and_verifies(self):
        secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        receiver = self.deliver(secret, ["one"], refusals=2)
        ids = {lower(headers)["webhook-id"] for headers, _ in receiver.refused + receiver.deliveries}
        self.assertEqual(len(ids), 1, "a retry must keep its idempotency key")
        self.assertEqual({body for _, body in receiver.refused}, {receiver.deliveries[0][1]})
        Webhook(secret).verify(receiver.deliveries[0][1], receiver.deliveries[0][0])

    def test_ed25519_verifies_with_the_public_key_alone(self):
        key = Ed25519PrivateKey.generate()
        raw = key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
        public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        receiver = self.deliver("whsk_" + base64.b64encode(raw + public).decode(), ["one"])
        headers, body = receiver.deliveries[0]
        headers = lower(headers)
        version, _, signature = headers["webhook-signature"].split(" ")[0].partition(",")
        self.assertEqual(version, "v1a")
        signed = f'{headers["webhook-id"]}.{headers["webhook-timestamp"]}.'.encode() + body
        key.public_key().verify(base64.b64decode(signature), signed)


if __name__ == "__main__":
    unittest.main()
