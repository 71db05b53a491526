"""Starts the built `watchkeep` on a configuration of its own, with one rule that fires on a made-up API call."""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import uuid

RULE = """\
title: Interoperability Probe
id: 3f1f6f0e-6a53-4a0e-9f0b-5a1c0f7d2b11
status: test
description: Fires on a call that no cloud has, once for each probe.
logsource: {product: aws, service: cloudtrail}
detection:
    selection: {eventName: InteropProbe}
    condition: selection
level: high
watchkeep:
    owner: detection
    kind: alert
    fold: {by: [requestParameters.probe], window: 1s}
    message: 'probe {requestParameters.probe} by {userIdentity.arn}'
"""


def free_port():
    """A port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def record(probe):
    """A CloudTrail record that the rule fires on."""
    return {
        "eventVersion": "1.08",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/probe", "accountId": "111122223333",
                         "principalId": "AIDAEXAMPLE", "userName": "probe"},
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "eventSource": "probe.amazonaws.com",
        "eventName": "InteropProbe",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "interop",
        "requestParameters": {"probe": probe},
        "responseElements": None,
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
    }


class Platform:
    """A running Watchkeep with one HTTP input and the routes given."""

    def __init__(self, routes="", token=None):
        self.port = free_port()
        self.token = token
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchkeep-interop-"))
        rules = self.folder / "rules"
        rules.mkdir()
        (rules / "interop_probe.yml").write_text(RULE)
        lines = [
            f'data_dir = "{self.folder / "data"}"',
            "[content]", f'roots = ["{rules}"]',
            "[console]", "enabled = false",
            "[[inputs]]", 'name = "http"', 'kind = "http"', f'listen = "127.0.0.1:{self.port}"',
        ]
        if token:
            (self.folder / "token").write_text(token)
            lines.append(f'token = {{ file = "{self.folder / "token"}" }}')
        self.config = self.folder / "watchkeep.toml"
        self.config.write_text("\n".join(lines) + "\n" + routes)
        self.log = open(self.folder / "log", "w+b")
        self.process = None

    def secret(self, name, text):
        """Keeps a secret in a file and gives its reference as TOML."""
        path = self.folder / name
        path.write_text(text)
        return f'{{ file = "{path}" }}'

    def add(self, toml):
        """Adds to the configuration, before the start."""
        self.config.write_text(self.config.read_text() + toml)

    def __enter__(self):
        binary = os.environ["WATCHKEEP_BIN"]
        self.process = subprocess.Popen([binary, "run", "--config", str(self.config)], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT)
        self.wait_for(lambda: self.get("/services/collector/health") == 200, "the HTTP input")
        return self

    def __exit__(self, kind, error, trace):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if error is not None:
            self.log.seek(0)
            print(self.log.read().decode(errors="replace")[-4000:])
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def get(self, path):
        """The status of a GET, or none when nobody listens."""
        try:
            return self.request("GET", path)[0]
        except OSError:
            return None

    def request(self, method, path, body=None, headers=None):
        """One request; gives the status and the body as JSON or text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def post_probe(self, probe):
        """Posts one record that fires the rule."""
        headers = {"Content-Type": "application/x-ndjson"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        status, body = self.request("POST", "/v1/records", json.dumps(record(probe)) + "\n", headers)
        assert status in (200, 202), (status, body)

    def alerts(self):
        """The alerts as the command line tells them."""
        listed = subprocess.run([os.environ["WATCHKEEP_BIN"], "alert", "list", "--config", str(self.config), "--format", "json"],
                                capture_output=True, text=True, check=True)
        return json.loads(listed.stdout)

    def probes(self):
        """The probes for which there is an alert."""
        return sorted(alert["message"].split()[1] for alert in self.alerts() if alert["title"] == "Interoperability Probe")

    def ledger(self):
        """The sums of the ledger by step, but for those of Watchkeep's own records: received, evaluated, rejected, …"""
        path = next(self.folder.rglob("state.db"))
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as store:
            sums = dict(store.execute("SELECT step, SUM(n) FROM ledger WHERE input NOT LIKE 'route:%' GROUP BY step"))
        return {"received": 0, "evaluated": 0, "rejected": 0} | sums

    def wait_for(self, claim, what, seconds=30):
        """Waits until `claim` holds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"watchkeep ended with {self.process.returncode} while waiting for {what}")
            if claim():
                return
            time.sleep(0.1)
        raise AssertionError(f"waited {seconds} s for {what}")
