"""A small HTTP Event Collector, written from Splunk's documentation of the protocol ("Format events for HTTP Event
Collector", "About HTTP Event Collector Indexer Acknowledgment"): tokens, channels, concatenated events, delayed
acknowledgements whose true status is given once, and the documented error codes."""

import gzip
import http.server
import json
import threading
import urllib.parse
import uuid


class HecServer:
    """Keeps events by channel. An acknowledgement turns true after it has been asked for `patience` times."""

    def __init__(self, token, patience=1):
        self.token = token
        self.patience = patience
        self.events = []
        self.asked = {}
        self.next_ack = {}
        self.forgotten = 0
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                address = urllib.parse.urlsplit(self.path)
                query = urllib.parse.parse_qs(address.query)
                channel = self.headers.get("X-Splunk-Request-Channel") or query.get("channel", [None])[0]
                with outer.lock:
                    status, answer = outer.answer(address.path, self.headers.get("Authorization"), channel, body)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path, authorization, channel, body):
        if authorization is None:
            return 401, {"text": "Token is required", "code": 2}
        scheme, _, token = authorization.partition(" ")
        if scheme != "Splunk":
            return 401, {"text": "Invalid authorization", "code": 3}
        if token != self.token:
            return 403, {"text": "Invalid token", "code": 4}
        if not channel:
            return 400, {"text": "Data channel is missing", "code": 10}
        try:
            uuid.UUID(channel)
        except ValueError:
            return 400, {"text": "Invalid data channel", "code": 11}
        if path in ("/services/collector", "/services/collector/event"):
            return self.take(channel, body.decode())
        if path == "/services/collector/ack":
            return 200, {"acks": {str(ack): self.status(channel, ack) for ack in json.loads(body)["acks"]}}
        return 404, {"text": "The requested URL was not found on this server.", "code": 404}

    def take(self, channel, text):
        if not text.strip():
            return 400, {"text": "No data", "code": 5}
        decoder, at, taken = json.JSONDecoder(), 0, []
        while at < len(text):
            if text[at].isspace():
                at += 1
                continue
            try:
                envelope, at = decoder.raw_decode(text, at)
            except ValueError:
                return 400, {"text": "Invalid data format", "code": 6, "invalid-event-number": len(taken)}
            if not isinstance(envelope, dict) or "event" not in envelope:
                return 400, {"text": "Event field is required", "code": 12, "invalid-event-number": len(taken)}
            if envelope["event"] in ("", None):
                return 400, {"text": "Event field cannot be blank", "code": 13, "invalid-event-number": len(taken)}
            if not isinstance(envelope.get("fields", {}), dict):
                return 400, {"text": "Error in handling indexed fields", "code": 15, "invalid-event-number": len(taken)}
            taken.append(envelope)
        ack = self.next_ack.get(channel, 0)
        self.next_ack[channel] = ack + 1
        self.asked[(channel, ack)] = 0
        self.events.extend(taken)
        return 200, {"text": "Success", "code": 0, "ackId": ack}

    def status(self, channel, ack):
        """True once, after enough questions; afterwards the status is forgotten, as the documentation says."""
        if (channel, ack) not in self.asked:
            self.forgotten += 1
            return False
        self.asked[(channel, ack)] += 1
        if self.asked[(channel, ack)] <= self.patience:
            return False
        del self.asked[(channel, ack)]
        return True
