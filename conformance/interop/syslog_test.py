"""The syslog input against `rsyslogd` and `logger` of Debian, over UDP, TCP and TLS."""

import datetime
import ipaddress
import json
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from platform_under_test import Platform, free_port, record

RULE = """\
title: Interoperability Logon
id: 0d6f8a52-1f43-4c39-8b0e-6d1f2c7a9e10
status: test
description: Fires on a logon over SSH of a user whose name is a probe, once for each.
logsource: {product: linux, service: sshd}
detection:
    selection: {user|startswith: probe-}
    condition: selection
level: high
watchkeep:
    owner: detection
    kind: alert
    fold: {by: [user], window: 1s}
    message: 'logon {user} by syslog'
"""


def logon(user):
    """What the SSH daemon writes for a logon."""
    return f"Accepted publickey for {user} from 192.0.2.7 port 50022 ssh2: ED25519 SHA256:abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


class Authority:
    """Certificates for one test."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self.sign(name, self.key, is_authority=True)
        self.path = self.write(f"{name}.pem", self.certificate)

    def sign(self, name, key, is_authority=False):
        now = datetime.datetime.now(datetime.timezone.utc)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issuer = subject if is_authority else self.certificate.subject
        names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
                   .not_valid_after(now + datetime.timedelta(hours=1)).add_extension(names, critical=False)
                   .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True))
        return builder.sign(self.key, hashes.SHA256())

    def write(self, name, thing):
        path = self.folder / name
        if isinstance(thing, x509.Certificate):
            path.write_bytes(thing.public_bytes(serialization.Encoding.PEM))
        else:
            form = serialization.PrivateFormat.PKCS8
            path.write_bytes(thing.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        return path

    def issue(self, name):
        """The paths of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self.write(f"{name}.pem", self.sign(name, key)), self.write(f"{name}.key", key)


class SyslogTest(unittest.TestCase):
    def setUp(self):
        self.platform = Platform()
        (self.platform.folder / "rules" / "logon.yml").write_text(RULE)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchkeep-syslog-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.port = free_port()

    def start(self, protocol, more=""):
        self.platform.add(f"""
[[inputs]]
name = "hosts"
kind = "syslog"
protocol = "{protocol}"
listen = "127.0.0.1:{self.port}"
{more}
""")
        self.platform.__enter__()
        self.addCleanup(self.platform.__exit__, None, None, None)

    def users(self):
        return sorted(alert["message"].split()[1] for alert in self.platform.alerts() if alert["title"] == "Interoperability Logon")

    def expect(self, users):
        self.platform.wait_for(lambda: self.users() == sorted(users), f"alerts for {users}")

    def logger(self, user, *more):
        subprocess.run(["logger", "--server", "127.0.0.1", "--port", str(self.port), "--tag", "sshd", "--id=4711", "--priority", "auth.info",
                        *more, logon(user)], check=True)

    def rsyslog(self, action):
        """An rsyslogd that sends on what it gets on a port of its own; gives that port."""
        port = free_port()
        configuration = self.folder / "rsyslog.conf"
        configuration.write_text(f"""
global(workDirectory="{self.folder}" {action.pop("global", "")})
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="{port}")
action(type="omfwd" target="127.0.0.1" port="{self.port}" protocol="tcp" template="{action.pop("template")}"
       action.resumeRetryCount="-1" action.resumeInterval="1" {action.pop("more", "")})
""")
        process = subprocess.Popen(["rsyslogd", "-n", "-f", str(configuration), "-i", str(self.folder / "pid")],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        used = f":{port:04X} "
        self.platform.wait_for(lambda: used in pathlib.Path("/proc/net/udp").read_text(), "rsyslogd")
        return port

    def through(self, port, users):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for user in users:
                sender.sendto(f"<38>Nov 22 19:00:00 host-7 sshd[4711]: {logon(user)}".encode(), ("127.0.0.1", port))

    def test_logger_sends_datagrams_of_both_formats(self):
        self.start("udp")
        self.logger("probe-old", "--udp", "--rfc3164")
        self.logger("probe-new", "--udp", "--rfc5424")
        self.expect(["probe-old", "probe-new"])

    def test_logger_sends_streams_of_both_framings(self):
        self.start("tcp")
        self.logger("probe-line", "--tcp", "--rfc5424")
        self.logger("probe-counted", "--tcp", "--rfc3164", "--octet-count")
        self.expect(["probe-line", "probe-counted"])

    def test_rsyslog_sends_on_over_tcp_with_octet_counts(self):
        self.start("tcp")
        port = self.rsyslog({"template": "RSYSLOG_SyslogProtocol23Format", "more": 'TCP_Framing="octet-counted"'})
        users = [f"probe-{number}" for number in range(20)]
        self.through(port, users)
        self.expect(users)
        ledger = self.platform.ledger()
        self.assertEqual(ledger["received"], ledger["evaluated"] + ledger["rejected"], ledger)

    def test_rsyslog_with_a_certificate_is_heard_over_tls_and_strangers_are_not(self):
        own, others = Authority(self.folder, "authority"), Authority(self.folder, "stranger-authority")
        (server, server_key), (client, client_key) = own.issue("server"), own.issue("client")
        stranger, stranger_key = others.issue("stranger")
        self.start("tls", f"""certificate = "{server}"
key = {{ file = "{server_key}" }}
client_ca = "{own.path}"
""")
        for certificate in (None, (stranger, stranger_key)):
            context = ssl.create_default_context(cafile=own.path)
            if certificate:
                context.load_cert_chain(*certificate)
            # TLS 1.3 tells of the refusal at the first read, or by a reset.
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                with context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), 10), server_hostname="localhost") as stream:
                    stream.sendall(f"<38>Nov 22 19:00:00 host-7 sshd[1]: {logon('probe-stranger')}\n".encode())
                    assert stream.recv(1) != b"", "closed without a word"
                    raise AssertionError("the stranger was heard")
        files = (f'defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="{own.path}" '
                 f'defaultNetstreamDriverCertFile="{client}" defaultNetstreamDriverKeyFile="{client_key}"')
        port = self.rsyslog({"template": "RSYSLOG_TraditionalForwardFormat", "global": files,
                             "more": 'StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/certvalid"'})
        self.through(port, ["probe-a", "probe-b"])
        self.expect(["probe-a", "probe-b"])
        titles = {alert["title"] for alert in self.platform.alerts()}
        self.assertIn("A sender of syslog was turned away", titles)

    def test_json_inside_of_syslog_is_read(self):
        self.start("tcp")
        with socket.create_connection(("127.0.0.1", self.port)) as stream:
            stream.sendall(json.dumps(record("json-1")).encode() + b"\n" + json.dumps(record("json-2")).encode())
        self.platform.wait_for(lambda: self.platform.probes() == ["json-1", "json-2"], "the records")


if __name__ == "__main__":
    unittest.main()
