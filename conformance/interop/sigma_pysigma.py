"""pySigma with its SQLite backend behind the adapter protocol of conformance/sigma/README.md.

A question a line, an answer a line. Each event becomes a table of one row, made as Zircolite makes it: a column for each path,
text without regard to case, integers as integers, lists as JSON. Fields that a rule reads and the
event lacks are columns that hold NULL. Keywords look at one more column, which holds every value of the event.
"""

import json
import re
import sqlite3
import sys
import warnings

import yaml
from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import ValueListPlaceholderTransformation
from sigma.rule import SigmaLogSource, SigmaRule
from sigma.rule.base import SigmaYAMLLoader

TEXT = "_every_value"


def flat(value, path=""):
    """Paths and values of an event."""
    if isinstance(value, dict) and (value or not path):
        for key, part in value.items():
            yield from flat(part, f"{path}.{key}" if path else key)
    else:
        yield path, value


def leaves(value):
    """Every text, number and truth value of an event, as text."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from leaves(part)
    elif value is not None:
        yield str(value).lower() if isinstance(value, bool) else str(value)


def table(connection, event, fields):
    """One row of the event, and of nothing where a rule reads what is not there."""
    columns = {}
    for path, value in [*flat(event), (TEXT, "\n".join(leaves(event))), *((field, None) for field in fields)]:
        if path.lower() in columns:
            continue
        kind = "INTEGER" if isinstance(value, int) and not isinstance(value, bool) else "TEXT COLLATE NOCASE"
        kind = "REAL" if isinstance(value, float) else kind
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, (dict, list)):
            value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        columns[path.lower()] = (path, kind, value)
    names = ", ".join('"%s" %s' % (name.replace('"', '""'), kind) for name, kind, _ in columns.values())
    connection.execute(f"CREATE TABLE logs ({names})")
    marks = ", ".join("?" * len(columns))
    connection.execute(f"INSERT INTO logs VALUES ({marks})", [value for _, _, value in columns.values()])


def connect():
    def regexp(pattern, text):
        return text is not None and re.search(pattern, str(text)) is not None

    connection = sqlite3.connect(":memory:")
    connection.create_function("REGEXP", 2, regexp)
    return connection


def collection(question):
    """Rules with their filters applied."""
    documents = []
    for text in question["rules"] + question["filters"]:
        documents += [document for document in yaml.load_all(text, SigmaYAMLLoader) if document is not None]
    return SigmaCollection.from_dicts(documents)


def applies(rule, given):
    if given is None:
        return True
    return SigmaLogSource(given.get("category"), given.get("product"), given.get("service")) in rule.logsource


def answer(question):
    items = [ProcessingItem(ValueListPlaceholderTransformation())]
    pipeline = ProcessingPipeline(name="inventory", vars=dict(question["inventory"]), items=items)
    backend = sqliteBackend(processing_pipeline=pipeline, fulltext_field=TEXT)
    matches = []
    for rule in collection(question).rules:
        if not isinstance(rule, SigmaRule):
            continue
        queries = backend.convert_rule(rule)
        event = question.get("event")
        if event is None or not applies(rule, question.get("logsource")):
            continue
        connection = connect()
        table(connection, event, backend.required_fields(rule))
        if any(connection.execute(query).fetchone() for query in queries):
            matches.append(str(rule.id) if rule.id else rule.title)
        connection.close()
    return {"matches": matches}


# Whatever stops a conversion is a refusal: pySigma has errors of its own, of YAML, and of Python's types.
REFUSALS = (SigmaError, yaml.YAMLError, sqlite3.Error, re.error, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def main():
    # Python warns of expressions that it will read otherwise one day.
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        try:
            told = answer(json.loads(line))
        except REFUSALS as error:
            told = {"refused": f"{type(error).__name__}: {error}"}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
