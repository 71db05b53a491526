"""Converted rules mean in DuckDB what the specification's cases say, and what the engine says of generated rules and records."""

import json
import pathlib
import random
import re
import shutil
import tempfile
import unittest
import uuid

import yaml
from sql_support import HERE, SOURCE, fill, found, in_parallel, queries, watchkeep

CASES = HERE.parent / "sigma"


def rule_id(number):
    """The id of a made rule."""
    return str(uuid.UUID(int=number, version=4))


class Rules(unittest.TestCase):
    """A folder of made rules with a source of its own."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchkeep-sql-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        for name in ("sources/lab_test", "packs/made", "inventory"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "sources/lab_test/source.yml").write_text(SOURCE)

    def write(self, number, detection):
        """Writes a rule whose detection is this text or value."""
        if not isinstance(detection, str):
            detection = yaml.safe_dump(detection, allow_unicode=True)
        body = "".join(f"    {line}\n" for line in detection.splitlines())
        text = (f"title: Made {number}\nid: {rule_id(number)}\nstatus: test\nlogsource: {{product: test}}\nlevel: low\n"
                f"detection:\n{body}")
        (self.folder / f"packs/made/made_{number}.yml").write_text(text)

    def queries(self):
        """Every rule of the folder, converted."""
        return queries(self.folder)


class Cases(Rules):
    """The conformance suite that any engine may run."""

    def test_queries_answer_the_cases_of_the_specification(self):
        cases = {}
        for number, path in enumerate(sorted(CASES.rglob("*.yml"))):
            case = yaml.safe_load(path.read_text())
            if path.name == "sections.yml" or "detection" not in case or not case.get("match"):
                continue
            if any(key in case for key in ("room", "filters", "inventory", "logsource", "refused")):
                continue
            cases[rule_id(number)] = (path.relative_to(CASES), case)
            self.write(number, case["detection"])
        converted = self.queries()
        refused = [str(name) for rule, (name, case) in cases.items() if rule not in converted]

        def answer(connection, rule):
            name, case = cases[rule]
            events = [(wanted, event if isinstance(event, str) else event["event"])
                      for key, wanted in (("match", True), ("no_match", False)) for event in case.get(key, [])]
            connection.execute("DELETE FROM events")
            fill(connection, [(str(at), "lab_test", event.strip()) for at, (_, event) in enumerate(events)])
            hunted = found(connection, converted[rule]["query"])
            return len(events), [f"{name}: {event}" for at, (wanted, event) in enumerate(events) if (str(at) in hunted) != wanted]

        answers = in_parallel(converted, answer)
        asked = sum(count for count, _ in answers)
        self.assertEqual([one for _, wrong in answers for one in wrong], [])
        self.assertEqual([name for name in refused if not name.startswith("re/")], [])
        self.assertLess(len(refused), 12, refused)
        self.assertGreater(asked, 1000)
        print(f"{asked} events of {len(converted)} cases; refused: {', '.join(refused)}")


WORDS = ["", "a", "A", "ab", "aB", "abc", "é", "É", "ß", "ẞ", "\u212a", "k", "ſ", "S", "a*b", "a b", "a\\b", "\\", "-ab", "/ab", "x -ab", "10.0.0.1",
         "::ffff:10.1.2.3", "2001:db8::7", "[2001:db8::8]", "1", "1.0", "01", "-2", "0x10", "1e3", "true", "null", "2024-01-02T03:04:05Z",
         "1714600000", "a'b", 'a"b', "a%b", "a_b", "a\u0000b", "😀", "[", "{}", "a,[b", "Σ", "ς", "a/b"]


class Generated(Rules):
    """Generated rules on generated records, in every spelling that JSON has for them."""

    def word(self, random):
        if random.random() < 0.8:
            return random.choice(WORDS)
        return "".join(random.choice("abAB*?\\é -\"'%") for _ in range(random.randrange(6)))

    def scalar(self, random):
        kind = random.random()
        if kind < 0.6:
            return self.word(random)
        if kind < 0.63:
            return random.choice(["\ud83d", "a\ude00\ud83d", "\\ud83d"])
        return random.choice([0, 1, -2, 10, 1000, 2**63, 10**20, 1.5, 1.0, 0.05, True, False, None])

    def value(self, random, depth=0):
        kind = random.random()
        if kind < 0.55 or depth > 2:
            return self.scalar(random)
        if kind < 0.8:
            return [self.value(random, depth + 1) for _ in range(random.randrange(4))]
        return {random.choice(["d", "e", "d.e", "0", "a/b", "a~b", 'q"r']): self.value(random, depth + 1) for _ in range(random.randrange(3))}

    def spell(self, random, value):
        """A record as text: with or without spaces and escapes, numbers in several spellings."""
        text = json.dumps(value, ensure_ascii=random.random() < 0.4, separators=random.choice([(",", ":"), (", ", ": "), (" ,", " :")]))
        text = re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text)
        if random.random() < 0.3:
            text = text.replace(" 1.5", " 1.50").replace(":1.5", ":1.50").replace(":1000", ":1e3").replace(":0,", ":-0,")
        return text.replace("/", "\\/") if random.random() < 0.2 else text

    def item(self, random):
        field = random.choice(["a", "b", "c", "c.d", "c.e", "c.d.e", "c.0", "c.a/b", "c.a~b", 'c.q"r', "nope"])
        words = lambda: [self.word(random) for _ in range(random.randrange(1, 4))]
        special = [("re", "^a+b?$"), ("re|i", "AB|é|k"), ("re|neq", "b$"), ("re", r"^.\w?$"), ("re|s", "a.b"), ("re", "[^a-z]{1,3}$"),
                   ("cidr", "10.0.0.0/16"), ("cidr", "10.1.2.3"), ("cidr", "2001:db8::/32"), ("cidr", "::/0"), ("cidr|neq", "10.0.0.0/8"),
                   ("lt", 1), ("lte", 1), ("gt", 1), ("gte", 1.5), ("gt", "0x0f"), ("exists", True), ("exists", False),
                   ("hour|gte", 3), ("year", 2024), ("week|lte", 18), ("minute|gt", 3),
                   ("fieldref", "b"), ("fieldref|neq", "a"), ("fieldref|startswith", "c.d"), ("fieldref|contains|cased", "a"), ("fieldref|endswith", "a")]
        kind = random.random()
        if kind < 0.45:
            chain = random.choice(["", "contains", "startswith", "endswith", "windash|contains", "windash", "base64offset|contains"])
            more = random.choice(["", "", "all", "cased", "neq", "all|neq"])
            chosen = [word for word in words() if "base64" not in chain or word and not set("*?") & set(word)] or ["ab"]
            return "|".join(part for part in (field, chain, more) if part), chosen
        if kind < 0.6:
            values = [self.scalar(random) for _ in range(random.randrange(1, 3))]
            values = [self.word(random) if isinstance(value, str) else value for value in values]
            return field + random.choice(["", "|neq"]), values if None not in values else None
        chain, value = random.choice(special)
        return f"{field}|{chain}", value

    def detection(self, random):
        searches = {}
        for name in ("s1", "s2", "f1", "f2"):
            if random.random() < 0.1:
                searches[name] = [self.word(random) or "x" for _ in range(random.randrange(1, 3))]
            elif random.random() < 0.3:
                searches[name] = [dict([self.item(random)]) for _ in range(2)]
            else:
                searches[name] = dict(self.item(random) for _ in range(random.randrange(1, 3)))
        condition = random.choice(["s1 and s2 and not f1", "1 of s* and not 1 of f*", "all of them", "2 of them", "s1 or s2 and not (f1 or not f2)",
                                   "not all of s*", "s1", "s1 or s2", "not s1", "not (not f1)"])
        return {**searches, "condition": condition}

    def test_queries_find_what_the_engine_finds(self):
        seed = random.Random(20261122)
        rules = 100
        for number in range(rules):
            self.write(number, self.detection(seed))
        records = []
        for number in range(300):
            record = {"wk_id": f"r{number}", "wk_at": "2026-01-02T03:04:05Z"}
            record |= {key: self.value(seed) for key in ("a", "b", "c", "c.d") if seed.random() < 0.6}
            records.append(self.spell(seed, record))
        log = self.folder / "records.ndjson"
        log.write_text("\n".join(records) + "\n")
        events, held = self.scan(log)
        rows = [(events[f"r{at}"], "lab_test", record) for at, record in enumerate(records) if f"r{at}" in events]
        converted = self.queries()
        self.assertGreater(len(rows), 290)
        self.assertGreater(len(converted), rules * 0.9)
        everywhere = in_parallel(converted.items(), lambda connection, item: (item[0], found(connection, item[1]["query"])), rows)
        wrong = []
        for rule, hunted in everywhere:
            if hunted != held.get(rule, set()):
                differ = sorted(hunted ^ held.get(rule, set()))
                raw = next(raw for event, _, raw in rows if event == differ[0])
                text = (self.folder / f"packs/made/made_{uuid.UUID(rule).int & 0xffff}.yml").read_text()
                wrong.append(f"{len(differ)} differ; the query {'finds' if differ[0] in hunted else 'misses'}\n{raw}\n{text}\n{converted[rule]['query']}")
        self.assertEqual(len(wrong), 0, f"{len(wrong)} of {len(converted)}\n" + "\n\n".join(wrong[:3]))
        print(f"{len(converted)} rules on {len(rows)} records, {sum(map(len, held.values()))} pairs hold")

    def scan(self, log):
        """The events by the number of their record, and the events of each rule's findings. One rule takes every record and says its number."""
        everything = rule_id(60000)
        self.write(60000, {"s": {"wk_id|exists": True}, "condition": "s"})
        out = watchkeep("scan", log, "--rules", self.folder, "--format", "ndjson", "--source", "lab_test", status=(0, 1))
        held, events = {}, {}
        for finding in map(json.loads, out.splitlines()):
            held.setdefault(finding["rule_id"], set()).update(finding["event_ids"])
            if finding["rule_id"] == everything:
                events[finding["matched"][0]["value"]] = finding["event_ids"][0]
        return events, held


if __name__ == "__main__":
    unittest.main()
