"""The S3 input behind a queue, against S3, SQS, SNS and EventBridge as `moto` serves them, with `boto3` as the writer."""

import gzip
import json
import os
import subprocess
import sys
import time
import unittest

import boto3

from platform_under_test import Platform, free_port, record

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_EC2_METADATA_DISABLED": "true"}
REGION = "eu-west-1"
BUCKET = "trail-logs"
VPC_FLOW_HEAD = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"


class S3SqsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.port = free_port()
        os.environ.update(KEYS)
        cls.addClassCleanup(lambda: [os.environ.pop(name) for name in KEYS])
        server = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(cls.port)]
        cls.moto = subprocess.Popen(server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.moto.wait)
        cls.addClassCleanup(cls.moto.terminate)

    def client(self, service):
        return boto3.client(service, region_name=REGION, endpoint_url=f"http://127.0.0.1:{self.port}")

    def setUp(self):
        self.platform = Platform()
        name = f"queue-{self.platform.port}"
        self.s3, self.sqs = self.client("s3"), self.client("sqs")
        self.wait_for_moto()
        self.bucket = f"{BUCKET}-{self.platform.port}"
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.queue = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.queue_arn = f"arn:aws:sqs:{REGION}:123456789012:{name}"
        self.platform.add(f"""
[[inputs]]
name = "trail"
kind = "s3_sqs"
queue = "{self.queue}"
region = "{REGION}"
endpoint = "http://127.0.0.1:{self.port}"
""")

    def wait_for_moto(self):
        for _ in range(100):
            try:
                return self.s3.list_buckets()
            except Exception:  # noqa: BLE001 - it has not started yet, in whatever way
                assert self.moto.poll() is None, "moto ended"
                time.sleep(0.2)
        raise AssertionError("moto does not answer")

    def start(self):
        self.platform.__enter__()
        self.addCleanup(self.platform.__exit__, None, None, None)

    def notify_queue(self):
        configuration = {"QueueConfigurations": [{"QueueArn": self.queue_arn, "Events": ["s3:ObjectCreated:*"]}]}
        self.s3.put_bucket_notification_configuration(Bucket=self.bucket, NotificationConfiguration=configuration)

    def put(self, key, probes, pack=gzip.compress):
        body = pack(json.dumps({"Records": [record(probe) for probe in probes]}).encode())
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def left(self):
        """Messages in the queue, those that are being handled too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        return sum(int(count) for count in counts.values())

    def expect(self, probes):
        self.platform.wait_for(lambda: self.platform.probes() == sorted(probes), f"alerts for {probes}")
        self.platform.wait_for(lambda: self.left() == 0, "an empty queue")

    def test_objects_that_s3_tells_the_queue_of_are_read(self):
        self.notify_queue()
        self.put("AWSLogs/123456789012/first trail+1.json.gz", ["s3-1", "s3-2"])
        self.start()
        self.put("AWSLogs/plain.json", ["s3-3"], pack=bytes)
        self.put("AWSLogs/h\u00e9llo & more.json.gz", ["s3-4"])
        self.expect(["s3-1", "s3-2", "s3-3", "s3-4"])

    def test_a_repeat_changes_nothing_and_a_large_object_is_read_in_pieces(self):
        self.notify_queue()
        self.start()
        lines = [record(f"large-{number}") | ({} if number % 2000 == 0 else {"eventName": "Quiet"}) for number in range(8001)]
        body = "\n".join(map(json.dumps, lines)).encode()
        self.assertGreater(len(body), 4 << 20)
        self.s3.put_object(Bucket=self.bucket, Key="large.ndjson.gz", Body=gzip.compress(body))
        probes = ["large-0", "large-2000", "large-4000", "large-6000", "large-8000"]
        self.expect(probes)
        self.s3.copy_object(Bucket=self.bucket, Key="copy.ndjson.gz", CopySource=f"{self.bucket}/large.ndjson.gz")
        self.put("after.json.gz", ["after"])
        self.expect(probes + ["after"])
        ledger = self.platform.ledger()
        self.assertEqual(ledger["received"], ledger["evaluated"] + ledger["rejected"], ledger)
        self.assertEqual(ledger["opened"], 6, "the copy holds the same records")

    def test_a_header_that_names_columns_stands_over_every_batch(self):
        self.notify_queue()
        self.start()
        flows = "\n".join(f"2 123456789012 eni-1 192.0.2.7 198.51.100.9 {1024 + n} 443 6 10 840 1700000000 1700000060 ACCEPT OK" for n in range(2000))
        self.s3.put_object(Bucket=self.bucket, Key="flow.log.gz", Body=gzip.compress(f"{VPC_FLOW_HEAD}\n{flows}\n".encode()))
        self.platform.wait_for(lambda: self.platform.ledger()["evaluated"] >= 2000, "the flows")
        ledger = self.platform.ledger()
        self.assertEqual((ledger["received"], ledger["evaluated"], ledger["rejected"]), (2000, 2000, 0), ledger)
        self.platform.wait_for(lambda: self.left() == 0, "an empty queue")

    def test_a_notification_through_sns_is_opened(self):
        sns = self.client("sns")
        topic = sns.create_topic(Name=f"topic-{self.platform.port}")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=self.queue_arn)
        self.start()
        self.put("through-sns.json.gz", ["sns-1"])
        notice = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "awsRegion": REGION,
                               "s3": {"bucket": {"name": self.bucket}, "object": {"key": "through-sns.json.gz"}}}]}
        sns.publish(TopicArn=topic, Message=json.dumps(notice))
        self.expect(["sns-1"])

    def test_event_bridge_tells_of_objects_too(self):
        events = self.client("events")
        self.s3.put_bucket_notification_configuration(Bucket=self.bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
        rule = f"rule-{self.platform.port}"
        events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["aws.s3"], "detail-type": ["Object Created"]}))
        events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": self.queue_arn}])
        self.start()
        self.put("through events+.json.gz", ["bridge-1"])
        self.expect(["bridge-1"])

    def test_what_is_gone_and_what_is_broken_is_kept_and_the_rest_goes_on(self):
        self.notify_queue()
        self.put("gone.json.gz", ["never"])
        self.s3.delete_object(Bucket=self.bucket, Key="gone.json.gz")
        whole = gzip.compress("\n".join(json.dumps(record(f"cut-{number}")) for number in range(20)).encode(), mtime=0)
        self.s3.put_object(Bucket=self.bucket, Key="cut.json.gz", Body=whole[:-40])
        self.sqs.send_message(QueueUrl=self.queue, MessageBody="no notification")
        self.put("whole.json.gz", ["whole"])
        self.start()
        self.platform.wait_for(lambda: self.left() == 0, "an empty queue")
        self.platform.wait_for(lambda: "whole" in self.platform.probes(), "the whole object")
        self.platform.wait_for(lambda: self.platform.ledger()["rejected"] >= 3, "the rejects")
        self.assertNotIn("never", self.platform.probes())
        self.assertIn("cut-0", self.platform.probes(), "what stands before the break is read")
        titles = {alert["title"] for alert in self.platform.alerts()}
        self.assertLessEqual({"An object is gone", "A message names no object"}, titles)


if __name__ == "__main__":
    unittest.main()
