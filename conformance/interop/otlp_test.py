"""The `otlp` input against the exporters of OpenTelemetry's own SDK, over HTTP and over gRPC."""

import json
import unittest

from google.protobuf.json_format import MessageToDict
from grpc import Compression as GrpcCompression
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult

from platform_under_test import Platform, free_port, record

TOKEN = "wk_interop_0c9a1b526f0e"
RESOURCE = Resource.create({"service.name": "assistant", "k8s.namespace.name": "agents", "k8s.pod.name": "assistant-5d9c"})
RULE = """\
title: Interoperability Tool
id: 8f0c8a54-9a55-4d0c-8b5b-0d6a1d3f4e22
status: test
description: Fires on a call of a tool that nobody has.
logsource: {product: opentelemetry, service: genai}
detection:
    selection: {attributes.gen_ai.tool.name: interop_tool, resource.attributes.service.name: assistant}
    condition: selection
level: high
watchkeep:
    owner: detection
    kind: alert
    fold: {by: [attributes.gen_ai.tool.call.id], window: 1s}
    message: 'tool {attributes.gen_ai.tool.call.id} of {resource.attributes.service.name}'
"""


class OtlpTest(unittest.TestCase):
    def setUp(self):
        self.platform = Platform()
        self.http, self.grpc = free_port(), free_port()
        token = self.platform.secret("otlp-token", TOKEN)
        for protocol, port in (("http", self.http), ("grpc", self.grpc)):
            self.platform.add(f'[[inputs]]\nname = "otlp_{protocol}"\nkind = "otlp"\nprotocol = "{protocol}"\n'
                              f'listen = "127.0.0.1:{port}"\ntoken = {token}\n')
        (self.platform.folder / "rules" / "interop_tool.yml").write_text(RULE)
        self.platform.__enter__()
        self.addCleanup(self.platform.__exit__, None, None, None)
        self.headers = {"authorization": f"Bearer {TOKEN}"}

    def span_exporters(self):
        url = f"http://127.0.0.1:{self.http}/v1/traces"
        yield "http", OTLPSpanExporter(url, headers=self.headers)
        yield "http-gzip", OTLPSpanExporter(url, headers=self.headers, compression=Compression.Gzip)
        yield "grpc", GrpcSpanExporter(f"127.0.0.1:{self.grpc}", insecure=True, headers=self.headers)
        yield "grpc-gzip", GrpcSpanExporter(f"127.0.0.1:{self.grpc}", insecure=True, headers=self.headers,
                                            compression=GrpcCompression.Gzip)

    def log_exporters(self):
        url = f"http://127.0.0.1:{self.http}/v1/logs"
        yield "http", OTLPLogExporter(url, headers=self.headers, compression=Compression.Gzip)
        yield "grpc", GrpcLogExporter(f"127.0.0.1:{self.grpc}", insecure=True, headers=self.headers)

    def tools(self):
        alerts = self.platform.alerts()
        return sorted(alert["message"].split()[1] for alert in alerts if alert["title"] == "Interoperability Tool")

    def test_a_span_of_an_agent_is_an_event_of_the_source_for_generative_ai(self):
        names = []
        for name, exporter in self.span_exporters():
            provider = TracerProvider(resource=RESOURCE)
            provider.add_span_processor(SimpleSpanProcessor(exporter))
            attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "interop_tool",
                          "gen_ai.tool.call.id": name, "gen_ai.usage.input_tokens": 97}
            with provider.get_tracer("interop", "1.0").start_as_current_span("execute_tool", attributes=attributes):
                pass
            provider.shutdown()
            names.append(name)
        self.platform.wait_for(lambda: self.tools() == sorted(names), f"alerts for {names}")

    def emit(self, exporter, body):
        provider = LoggerProvider(resource=RESOURCE)
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        provider.get_logger("interop").emit(LogRecord(timestamp=1778176932301000000, body=body,
                                                      severity_number=SeverityNumber.INFO))
        provider.shutdown()

    def test_a_record_that_a_log_carries_as_text_or_as_an_object_is_found_by_its_own_source(self):
        probes = []
        for name, exporter in self.log_exporters():
            self.emit(exporter, json.dumps(record(f"text-{name}")))
            probes.append(f"text-{name}")
        for name, exporter in self.log_exporters():
            self.emit(exporter, record(f"object-{name}"))
            probes.append(f"object-{name}")
        self.platform.wait_for(lambda: self.platform.probes() == sorted(probes), f"alerts for {probes}")

    def test_the_same_request_as_json_is_taken_with_a_token_and_refused_without(self):
        kept = InMemoryLogRecordExporter()
        self.emit(kept, json.dumps(record("json-1")))
        body = json.dumps(MessageToDict(encode_logs(kept.get_finished_logs())))
        self.platform.port, port = self.http, self.platform.port
        try:
            headers = {"Content-Type": "application/json"}
            self.assertEqual(self.platform.request("POST", "/v1/logs", body, headers)[0], 401)
            status, answer = self.platform.request("POST", "/v1/logs", body, headers | self.headers)
            self.assertEqual((status, answer), (200, {}))
        finally:
            self.platform.port = port
        self.platform.wait_for(lambda: self.platform.probes() == ["json-1"], "an alert")

    def test_an_exporter_without_the_token_is_told_that_it_failed(self):
        provider = TracerProvider(resource=RESOURCE)
        with provider.get_tracer("interop").start_as_current_span("chat") as span:
            pass
        for exporter in (OTLPSpanExporter(f"http://127.0.0.1:{self.http}/v1/traces"),
                         GrpcSpanExporter(f"127.0.0.1:{self.grpc}", insecure=True)):
            self.assertEqual(exporter.export([span]), SpanExportResult.FAILURE)
            exporter.shutdown()


if __name__ == "__main__":
    unittest.main()
