"""What `sources export` writes is read by others: OCSF by a validator over the whole published schema, Parquet by DuckDB and pyarrow."""

import collections
import json
import pathlib
import shutil
import tempfile
import unittest

import duckdb
import jsonschema
import pyarrow.parquet
from ocsf_json_schema import get_ocsf_schema
from ocsf_json_schema.embedded import OcsfJsonSchemaEmbedded
from sql_support import HERE, watchkeep

SOURCES = HERE.parent.parent / "content/sources"


class Export(unittest.TestCase):
    """Every sample of every source."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchkeep-export-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        samples = sorted(path for path in SOURCES.glob("*/samples/*") if path.suffix != ".md")
        cls.samples = [str(path) for path in samples]
        cls.ocsf = cls.exported("ocsf")

    @classmethod
    def exported(cls, schema):
        return [json.loads(line) for line in watchkeep("sources", "export", *cls.samples, "--to", schema).splitlines()]

    def test_every_source_exports_valid_ocsf(self):
        """Each class with its profiles is a JSON Schema of its own; a schema that is strict refuses attributes that it does not know."""
        names = {event["metadata"]["log_name"] for event in self.ocsf}
        self.assertEqual(len(names), len(list(SOURCES.glob("*/source.yml"))), "every source has samples")
        maker, validators, wrong = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0")), {}, collections.Counter()
        for event in self.ocsf:
            uid, profiles = event["class_uid"], tuple(event["metadata"]["profiles"])
            if (uid, profiles) not in validators:
                made = maker.get_class_schema(maker.lookup_class_name_from_uid(uid), profiles=list(profiles))
                validators[uid, profiles] = jsonschema.Draft202012Validator(made)
            for error in validators[uid, profiles].iter_errors(event):
                place = ".".join(str(step) for step in error.absolute_path if not isinstance(step, int))
                wrong[event["metadata"]["log_name"], place, error.message[:200]] += 1
        self.assertEqual(wrong, {})
        for name, value in (("colour", "red"), ("severity_id", 7), ("time", "now"), ("api", {})):
            self.assertFalse(validators[uid, profiles].is_valid({**event, name: value}), f"{name} is wrong")

    def test_parquet_says_what_the_lines_say(self):
        """The same events, as structs and lists; read by DuckDB and by pyarrow."""
        out = self.folder / "parquet"
        watchkeep("sources", "export", *self.samples, "--to", "ocsf", "--as", "parquet", "--output", out)
        counts = collections.Counter(event["metadata"]["log_name"] for event in self.ocsf)
        self.assertEqual({path.stem: pyarrow.parquet.read_metadata(path).num_rows for path in out.glob("*.parquet")}, counts)
        ours = {event["metadata"]["uid"]: event for event in self.ocsf}
        connection = duckdb.connect()
        rows = connection.execute(
            f"SELECT metadata.uid, class_uid, time, observables[1].value FROM read_parquet('{out}/*.parquet', union_by_name = true)").fetchall()
        self.assertEqual(len(rows), len(self.ocsf))
        for uid, class_uid, time, value in rows:
            event = ours[uid]
            first = (event.get("observables") or [{"value": None}])[0]["value"]
            # Records without a time have that of their receipt, which another export has later.
            wanted = time if "time:received" in event["metadata"]["labels"] else event["time"]
            self.assertEqual((class_uid, time, value), (event["class_uid"], wanted, first), uid)
        table = pyarrow.parquet.read_table(out / "aws_cloudtrail.parquet").to_pylist()
        trail = [event for event in self.ocsf if event["metadata"]["log_name"] == "aws_cloudtrail"]
        self.assertEqual([row["api"]["operation"] for row in table], [event["api"]["operation"] for event in trail])
        self.assertTrue(any(dict(row["unmapped"] or []).get("vpc_endpoint") for row in table), "what the class has no place for is a map")

    def test_ecs_is_written_for_the_same_events(self):
        """ECS as lines and as Parquet: as many events, with the fields that every event has."""
        events = self.exported("ecs")
        self.assertEqual({event["watchkeep"]["event_id"] for event in events}, {event["metadata"]["uid"] for event in self.ocsf})
        for event in events:
            self.assertTrue(event["@timestamp"] and event["ecs"]["version"] and event["event"]["category"], event)
        out = self.folder / "ecs"
        watchkeep("sources", "export", *self.samples, "--to", "ecs", "--as", "parquet", "--output", out)
        found = duckdb.connect().execute(f"""SELECT count(*) FROM '{out}/aws_vpc_flow_log.parquet' WHERE network.transport = 'tcp'""").fetchone()
        wanted = [event for event in events if event.get("network", {}).get("transport") == "tcp" and event["watchkeep"]["source"] == "aws_vpc_flow_log"]
        self.assertEqual(found[0], len(wanted))
        self.assertGreater(found[0], 0)
