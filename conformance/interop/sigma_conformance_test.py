"""The Sigma conformance suite, by programs that share nothing with our engine: its format, its adapters, its published comparison."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).parents[2]
SUITE = ROOT / "conformance" / "sigma"
PAGE = ROOT / "docs" / "reference" / "sigma-conformance.md"
BUILT = pathlib.Path(os.environ.get("WATCHKEEP_BIN", ROOT / "target" / "debug" / "watchkeep")).parent
PYSIGMA = f"'{sys.executable}' '{pathlib.Path(__file__).parent / 'sigma_pysigma.py'}'"

RULE = """title: A rule
id: 9f8c1d2e-0000-4000-8000-000000000001
logsource: {product: test}
detection:
    sel:
        a|%s: x
    condition: sel
"""


def ask(*questions):
    """What the adapter of pySigma answers."""
    lines = "".join(json.dumps({"filters": [], "inventory": {}, **question}) + "\n" for question in questions)
    done = subprocess.run(["sh", "-c", PYSIGMA], input=lines, capture_output=True, text=True, check=True, timeout=120)
    return [json.loads(line) for line in done.stdout.splitlines()]


def validator(name):
    """What a file of cases must look like, by a published schema."""
    schema = json.loads((SUITE / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


class Format(unittest.TestCase):
    def test_every_case_is_of_the_published_format(self):
        paths = sorted(path for path in SUITE.glob("*/*.yml") if path.parent.name != "correlation")
        self.assertGreater(len(paths), 400)
        for path in paths:
            case = self.valid(path, validator("schema.json"))
            for event in case.get("match", []) + case.get("no_match", []):
                text = event["event"] if isinstance(event, dict) else event
                self.assertIsInstance(json.loads(text), dict, path)

    def test_every_case_over_time_is_of_the_published_format(self):
        paths = sorted(SUITE.glob("correlation/*.yml"))
        self.assertGreater(len(paths), 100)
        for path in paths:
            case = self.valid(path, validator("correlation.schema.json"))
            ids = [event["id"] for event in case.get("events", [])]
            for event in case.get("events", []):
                self.assertIsInstance(json.loads(event["event"]), dict, path)
            for found in case.get("found", []):
                self.assertLessEqual(set(found["events"]), set(ids), path)

    def valid(self, path, format):
        case = yaml.safe_load(path.read_text())
        self.assertEqual([error.message for error in format.iter_errors(case)], [], path)
        return case

    def test_a_case_that_is_wrong_is_found_so(self):
        format = validator("schema.json")
        good = yaml.safe_load((SUITE / "values" / "whole.yml").read_text())
        self.assertTrue(format.is_valid(good))
        for change in [{"refused": True}, {"rules": "x"}, {"matches": []}, {"covers": []}, {"match": [{"event": "{}"}]}]:
            self.assertFalse(format.is_valid({**good, **change}), change)
        format = validator("correlation.schema.json")
        good = yaml.safe_load((SUITE / "correlation" / "alias.yml").read_text())
        self.assertTrue(format.is_valid(good))
        for change in [{"refused": True}, {"detection": "x"}, {"events": []}, {"covers": []}, {"found": [{"rule": "t"}]}]:
            self.assertFalse(format.is_valid({**good, **change}), change)


class Adapter(unittest.TestCase):
    def test_it_matches_misses_and_refuses(self):
        rule = RULE % "startswith"
        answers = ask(
            {"id": "1", "rules": [rule], "event": {"a": "xyz"}},
            {"id": "2", "rules": [rule], "event": {"a": "yx"}},
            {"id": "3", "rules": [RULE % "nonsense"], "event": {"a": "x"}},
            {"id": "4", "rules": [rule], "logsource": {"product": "other"}, "event": {"a": "xyz"}},
            {"id": "5", "rules": [rule]},
        )
        self.assertEqual(answers[0], {"matches": ["9f8c1d2e-0000-4000-8000-000000000001"]})
        self.assertEqual(answers[1], {"matches": []})
        self.assertIn("nonsense", answers[2]["refused"])
        self.assertEqual(answers[3], {"matches": []})
        self.assertEqual(answers[4], {"matches": []})


class Comparison(unittest.TestCase):
    def test_the_published_page_is_what_the_engines_answer(self):
        engines = {
            "watchkeep": f"'{BUILT / 'examples' / 'sigma_conformance'}'",
            "rsigma": f"'{BUILT / 'rsigma_conformance'}'",
            "pysigma-sqlite": PYSIGMA,
        }
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / "page.md"
            shutil.copy(PAGE, page)
            command = [BUILT / "conformance", "--suite", SUITE, "--write", page]
            for name, adapter in engines.items():
                command += ["--engine", f"{name}={adapter}"]
            # Its status is 1 where another engine fails, which the page says.
            done = subprocess.run(command, capture_output=True, text=True, timeout=600)
            self.assertIn(done.returncode, (0, 1), done.stderr)
            self.assertEqual(page.read_text(), PAGE.read_text(), "run `cargo xtask conformance --write`")


if __name__ == "__main__":
    unittest.main()
