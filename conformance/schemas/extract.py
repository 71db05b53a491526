"""Makes the extracts of crates/engine/schemas from what OCSF and Elastic publish: names, types, requirements, profiles, values.

    python conformance/schemas/extract.py ocsf 1.8.0.json          the export of the OCSF schema, as in the package `ocsf-json-schema` of PyPI
    python conformance/schemas/extract.py ecs package/generated    the package `@elastic/ecs` of npm, unpacked; its version behind it
"""

import json
import pathlib
import re
import sys

TO = pathlib.Path(__file__).resolve().parents[2] / "crates/engine/schemas"
# Their values follow from the class.
FOLLOWS = {"class_uid", "category_uid", "type_uid"}


def attribute(name, given):
    kept = {"t": given["type"].removesuffix("_t")}
    if given["type"] == "object_t":
        kept["o"] = given["object_type"]
    if given.get("is_array"):
        kept["list"] = True
    if given.get("requirement") == "required":
        kept["required"] = True
    if given.get("enum") and name not in FOLLOWS:
        values = sorted(given["enum"].items(), key=lambda pair: (len(pair[0]), pair[0]))
        kept["values"] = {key: value["caption"] for key, value in values}
    if given.get("sibling"):
        kept["sibling"] = given["sibling"]
    if given.get("profiles"):
        kept["profiles"] = given["profiles"]
    return kept


class Table:
    """Attributes, each once: most are the same in many places."""

    def __init__(self):
        self.rows, self.places = [], {}

    def place(self, row):
        return self.places.setdefault(json.dumps(row, sort_keys=True), len(self.places))

    def all(self):
        return [json.loads(row) for row in self.places]


def shape(given, table):
    made = {}
    for kind, short in (("at_least_one", "any_of"), ("just_one", "one_of")):
        if (given.get("constraints") or {}).get(kind):
            made[short] = given["constraints"][kind]
    made["attributes"] = {name: table.place(attribute(name, one)) for name, one in sorted(given["attributes"].items())}
    return made


def ocsf(path):
    given = json.loads(pathlib.Path(path).read_text())
    table, reached, classes = Table(), set(), {}

    def reach(attributes):
        for one in attributes.values():
            if one["type"] == "object_t" and one["object_type"] not in reached:
                reached.add(one["object_type"])
                reach(given["objects"][one["object_type"]]["attributes"])

    for one in given["classes"].values():
        head = {"caption": one["caption"], "category_uid": one.get("category_uid", 0), "category_name": one.get("category_name", "Uncategorized")}
        classes[one["uid"]] = {**head, "profiles": one.get("profiles", []), **shape(one, table)}
        reach(one["attributes"])
    objects = {name: shape(given["objects"][name], table) for name in sorted(reached)}
    types = {name.removesuffix("_t"): {key: one[key] for key in ("regex", "range", "max_len") if key in one}
             for name, one in given["dictionary"]["types"]["attributes"].items()}
    write(f"ocsf-{given['version']}.json", {
        "version": given["version"], "types": {name: one for name, one in types.items() if one},
        "classes": dict(sorted(classes.items())), "objects": objects, "attributes": table.all(),
    })


def write(name, parts):
    """One line for each class, object and attribute, so that a new version shows what it changed."""
    out = []
    for key, part in parts.items():
        dump = lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        if isinstance(part, dict):
            body = ",\n".join(f"{dump(str(name))}:{dump(one)}" for name, one in part.items())
            out.append(f"{dump(key)}:{{\n{body}\n}}")
        elif isinstance(part, list):
            body = ",\n".join(map(dump, part))
            out.append(f"{dump(key)}:[\n{body}\n]")
        else:
            out.append(f"{dump(key)}:{dump(part)}")
    (TO / name).write_text("{" + ",\n".join(out) + "}\n")


def ecs(folder, version):
    text = (pathlib.Path(folder) / "ecs_flat.ts").read_text()
    fields = {}
    for name, body in re.findall(r"^  '?([@\w.]+)'?: \{\n(.*?)^  \},$", text, re.M | re.S):
        kept = {"t": re.search(r"^    type: '([^']+)'", body, re.M)[1]}
        if "'array'" in (re.search(r"^    normalize: \[(.*?)\]", body, re.M | re.S) or " ")[0]:
            kept["list"] = True
        allowed = re.search(r"^    allowed_values: \[\n(.*?)^    \],", body, re.M | re.S)
        if allowed:
            one = re.findall(r"^      \{(.*?)^      \},", allowed[1], re.M | re.S)
            pair = lambda body: (re.search(r"^        name: '([^']+)'", body, re.M)[1],
                                 re.findall(r"'([^']+)'", (re.search(r"expected_event_types: \[(.*?)\]", body, re.S) or [0, ""])[1]))
            kept["values"] = dict(map(pair, one))
        fields[name] = kept
    write(f"ecs-{version}.json", {"version": version, "fields": dict(sorted(fields.items()))})


if __name__ == "__main__":
    {"ocsf": ocsf, "ecs": ecs}[sys.argv[1]](*sys.argv[2:])
