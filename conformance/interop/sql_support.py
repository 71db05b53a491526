"""What the checks of converted rules share: the binary, a database with the setup, records of many kinds."""

import concurrent.futures
import gzip
import itertools
import json
import os
import pathlib
import subprocess

import duckdb

HERE = pathlib.Path(__file__).resolve().parent
DATA = pathlib.Path(os.environ.get("WATCHKEEP_DATA", HERE.parent.parent.parent / "shared/data"))

SOURCE = """\
id: lab_test
title: Test
logsource: {product: test}
recognise: [{has: [wk_at]}]
time: [wk_at]
identity: [wk_id]
ocsf: {class_uid: 6003, category_uid: 6}
enable: nothing
"""


def watchkeep(*arguments, status=0, **more):
    """Runs the binary, which must end so; gives its output."""
    command = [os.environ["WATCHKEEP_BIN"], *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, **more)
    assert done.returncode in (status if isinstance(status, tuple) else (status,)), (command, done.returncode, done.stderr[-4000:])
    return done.stdout


def queries(*arguments, to="duckdb", status=(0, 2)):
    """What `convert` makes of rules, by rule id."""
    lines = watchkeep("convert", *arguments, "--to", to, "--format", "ndjson", status=status).splitlines()
    return {one["rule"]: one for one in map(json.loads, lines)}


def setup():
    """The statements that DuckDB wants before the queries, without the view."""
    text = watchkeep("convert", "root_user_changed_something", "--setup")
    return text.split("-- The lake.")[0]


def database(rows=(), made=None):
    """DuckDB with the functions and a table of events: (event_id, source, raw)."""
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    connection.execute(made or setup())
    connection.execute("CREATE TABLE events (event_id VARCHAR, time VARCHAR, source VARCHAR, raw VARCHAR)")
    fill(connection, rows)
    return connection


def fill(connection, rows):
    """Adds events: (event_id, source, raw). In one statement, for each is planned anew."""
    if rows:
        columns = [list(column) for column in zip(*rows)]
        connection.execute("INSERT INTO events SELECT unnest(?), '', unnest(?), unnest(?)", columns)


def in_parallel(items, work, rows=()):
    """What `work` makes of each item, with a database of its own for each thread.

    Nearly all the time goes into planning, a query being large and the records few: it is planned as it is written. `sql_lake_test.py`
    runs queries as DuckDB optimises them.
    """
    made = setup()

    def share(mine):
        connection = database(rows, made)
        connection.execute("PRAGMA disable_optimizer")
        return [work(connection, item) for item in mine]

    items, threads = list(items), 2
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        shares = list(pool.map(share, (items[at::threads] for at in range(threads))))
    return [made for made in itertools.chain(*itertools.zip_longest(*shares, fillvalue=None)) if made is not None]


def found(connection, sql):
    """The ids of the events that a query finds."""
    return {row[0] for row in connection.execute(f"SELECT event_id FROM ({sql})").fetchall()}


def lines(path):
    """Lines of a plain or gzipped file."""
    with (gzip.open(path, "rt") if path.suffix == ".gz" else open(path)) as file:
        yield from (line.rstrip("\n") for line in file)


def records_of(line):
    """The records of a line of a labelled set, or the line itself."""
    row = json.loads(line)
    if "eventName" in row or "auditID" in row:
        return [line]
    events = row.get("events") or [row.get("event")]
    return [json.dumps(event, separators=(",", ":"), ensure_ascii=False) for event in events if isinstance(event, dict)]


def apart(records):
    """The records, each with an id of its own: the lake keeps one event of each id, and made cases share theirs."""
    seen = set()
    for text in records:
        record = json.loads(text)
        for name in ("eventID", "auditID"):
            if record.get(name) in seen:
                record[name] = f"{record[name]}-{len(seen)}"
                text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
            seen.update(filter(None, [record.get(name)]))
        yield text


def corpora(folder):
    """Writes real records of every cloud source to `folder`."""
    sets = ["labelled/invictus.jsonl.gz", "labelled/stratus.jsonl", "labelled/otrf_ec2_proxy_s3_exfil.jsonl", "labelled/traildiscover.jsonl",
            "labelled/panther_tests.jsonl", "labelled/falco_k8s_audit.jsonl", "labelled/bedrock_invocation.jsonl"]
    for name in sets:
        written = apart(record for line in lines(DATA / name) for record in records_of(line))
        (folder / (pathlib.Path(name).name.split(".")[0] + ".ndjson")).write_text("\n".join(written) + "\n")
    generated = list(lines(DATA / "generated_sample.ndjson.gz"))[::4]
    (folder / "generated.ndjson").write_text("\n".join(generated) + "\n")
    for name in ["cloudtrail_edge_shapes.jsonl", "cloudtrail_opensearch_catalog.jsonl.gz", "guardduty_soar_events.jsonl",
                 "otel_s3_access.log", "s3_access_opensearch_catalog.log"]:
        (folder / (name.split(".")[0] + ".log")).write_text("\n".join(lines(DATA / "raw" / name)) + "\n")
