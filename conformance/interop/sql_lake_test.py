"""A rule and its hunt agree: real records go through the running platform to the lake's Parquet files; what the query of each rule finds
there is what the engine's findings name."""

import collections
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import duckdb
import sql_functions
import sql_support
from datafusion import SessionContext
from sql_support import DATA, found, queries, watchkeep


EVERYTHING = """\
title: Every Event Of {product}
id: 3f1f6f0e-6a53-4a0e-9f0b-5a1c0f7d2b1{number}
status: test
logsource: {{product: {product}}}
detection: {{s: {{no.such.field|exists: false}}, condition: s}}
level: low
"""


# A rule that only rules over time name raises nothing by itself; named here too, by one that never holds, it says what it finds.
ALOUD = """\
title: Members Speak
id: 3f1f6f0e-6a53-4a0e-9f0b-5a1c0f7d2b20
status: test
correlation: {{type: event_count, rules: [{members}], group-by: [eventID], timespan: 1s, condition: {{gte: 1000000}}, generate: true}}
level: low
"""


def members(packs):
    """The ids of the rules that are nothing but members: facts for rules over time."""
    documents = [text for file in packs.rglob("*.yml") for text in file.read_text().split("\n---\n")]
    facts = [text for text in documents if "\nlogsource:" in text and "\nlevel: informational" in text and "kind: signal" in text]
    return sorted(re.search(r"^id: (\S+)", text, re.M)[1] for text in facts)


@unittest.skipIf(not DATA.is_dir() and "CI" not in os.environ, f"the data sets are not at {DATA}; set WATCHKEEP_DATA")
class Lake(unittest.TestCase):
    """Every rule of the repository for AWS and Kubernetes, and every built-in one, on every kind of record."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchkeep-sql-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        records = cls.folder / "records"
        records.mkdir()
        sql_support.corpora(records)
        cls.pack = cls.folder / "rules"
        watchkeep("import", DATA / "sigma_rules.tar.zst", "--to", cls.pack, "--product", "aws,kubernetes")
        cls.findings, events = cls.scan(records)
        cls.files = cls.run_platform(records, events)

    @classmethod
    def scan(cls, records):
        """The events of each rule's findings, and how many different events there were."""
        all_rules = cls.folder / "everything"
        all_rules.mkdir()
        for number, product in enumerate(("aws", "kubernetes")):
            (all_rules / f"{product}.yml").write_text(EVERYTHING.format(product=product, number=number))
        packs = sql_support.HERE.parent.parent / "content/packs"
        (all_rules / "aloud.yml").write_text(ALOUD.format(members=", ".join(members(packs))))
        out = watchkeep("scan", records, "--rules", cls.pack, "--rules", all_rules, "--format", "ndjson", status=(0, 1), cwd=cls.folder)
        by_rule, events = collections.defaultdict(set), set()
        for finding in map(json.loads, out.splitlines()):
            by_rule[finding["rule_id"]].update(finding["event_ids"])
            events.update(finding["event_ids"])
        return by_rule, len(events)

    @classmethod
    def run_platform(cls, records, events):
        """Runs the platform until the lake holds the events; gives the files."""
        config = cls.folder / "watchkeep.toml"
        config.write_text("\n".join([
            f'data_dir = "{cls.folder / "data"}"', "[content]", f'roots = ["{cls.pack}"]', "[console]", "enabled = false",
            "[lake]", 'roll = "1s"', "[[inputs]]", 'name = "records"', 'kind = "folder"', f'path = "{records}"', ""]))
        with open(cls.folder / "log", "wb") as log:
            process = subprocess.Popen([os.environ["WATCHKEEP_BIN"], "run", "--config", str(config)], stdout=log, stderr=log)
        cls.addClassCleanup(cls.stop, process)
        files = cls.folder / "data/lake/events"
        end = time.monotonic() + 600
        while (rows := cls.rows(files)) < events:
            assert process.poll() is None, (cls.folder / "log").read_text()[-4000:]
            assert time.monotonic() < end, f"{rows} of {events} events are in the lake"
            time.sleep(1)
        return str(files / "*/*/*.parquet")

    @staticmethod
    def stop(process):
        """Ends the platform."""
        process.send_signal(signal.SIGTERM)
        process.wait(60)

    @staticmethod
    def rows(files):
        """Different events in the lake so far: a record that comes twice has a row each time."""
        try:
            return duckdb.connect().execute(f"SELECT count(DISTINCT event_id) FROM read_parquet('{files}/*/*/*.parquet')").fetchall()[0][0]
        except duckdb.Error:
            return 0

    def rules(self, to):
        """Every rule as a query: the imported ones, and those in the binary by the names of their files."""
        packs = sql_support.HERE.parent.parent / "content/packs"
        return queries(self.pack, packs, to=to)

    def agree(self, converted, ask):
        """Each query finds the events of its rule's findings. Gives how many pairs there were."""
        pairs, wrong = 0, []
        for rule, one in converted.items():
            hunted, held = ask(one["query"]), self.findings.get(rule, set())
            pairs += len(held)
            if hunted != held:
                wrong.append(f"{one['title']}: only the query {sorted(hunted - held)[:3]}, only the engine {sorted(held - hunted)[:3]}")
        self.assertEqual(wrong, [])
        return pairs

    def test_every_query_finds_in_duckdb_what_the_engine_found(self):
        connection = duckdb.connect()
        connection.execute(sql_support.setup())
        connection.execute(f"CREATE TABLE events AS SELECT * FROM read_parquet('{self.files}', hive_partitioning = false)")
        converted = self.rules("duckdb")
        fired = [rule for rule in converted if self.findings.get(rule)]
        pairs = self.agree(converted, lambda sql: found(connection, sql))
        print(f"duckdb: {len(converted)} rules, {len(fired)} of them with findings, {pairs} pairs of rule and event")
        self.assertGreater(len(fired), 60)

    def test_every_query_finds_in_datafusion_what_the_engine_found(self):
        files = f"read_parquet('{self.files}', hive_partitioning = false)"
        rows = duckdb.connect().execute(f"SELECT event_id, time, source, raw FROM {files}").to_arrow_table()
        context = SessionContext()
        sql_functions.lend(context)
        context.register_record_batches("events", [rows.combine_chunks().to_batches()])
        converted = self.rules("datafusion")
        pairs = self.agree(converted, lambda sql: set(context.sql(sql).to_pydict()["event_id"]))
        print(f"datafusion: {len(converted)} rules, {pairs} pairs of rule and event")
        self.assertGreater(pairs, 1000)


if __name__ == "__main__":
    unittest.main()
