"""The functions of converted rules, in Python, for a DataFusion that has nobody else to lend them. Written from their description, not
from Watchkeep's code. Objects are compared as written without spaces, which is how the records here are written."""

import ipaddress
import json
import re

import pyarrow as pa
from datafusion import udf

TEXTS = pa.list_(pa.string())


class Number(str):
    """A number as its record writes it."""


def read(raw):
    """The record, its numbers as written."""
    return json.loads(raw, parse_int=Number, parse_float=Number)


def under(value, path):
    """Every value under the path; lists on the way count as their elements, keys with dots as paths."""
    if isinstance(value, list) and value:
        for element in value:
            yield from under(element, path)
    elif path is None:
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == path:
                yield from under(inner, None)
            elif path.startswith(key + "."):
                yield from under(inner, path[len(key) + 1:])


def spell(value):
    """A value as its record writes it, a text as it reads."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{quoted(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(quoted(element) for element in value) + "]"
    return {True: "true", False: "false", None: "null"}[value]


def quoted(value):
    """A value within an object."""
    is_text = isinstance(value, str) and not isinstance(value, Number)
    return json.dumps(value, ensure_ascii=False) if is_text else spell(value)


LINE = re.compile(r'"(.*?)"(?: |$)|\[([^\]]*)\]|([^ ]+)')
LINE_FIELDS = """bucket_owner bucket time remote_ip requester request_id operation key request_uri http_status error_code bytes_sent
object_size total_time turn_around_time referer user_agent version_id host_id signature_version cipher_suite authentication_type
host_header tls_version access_point_arn acl_required""".split()


def found(raw, path):
    """Every value of a record under the path: JSON, or a line of the S3 access log."""
    if raw.startswith("{"):
        return list(under(read(raw), path))
    fields = ["".join(groups) for groups in LINE.findall(raw)]
    return [value for name, value in zip(LINE_FIELDS, fields) if name.replace("_", "") == path.replace("_", "").lower()]


def leaves(value):
    """Every text and number."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif isinstance(value, str):
        yield str(value)


def number(text):
    """A number, or none."""
    try:
        return float(text.strip())
    except ValueError:
        return None


def compare(texts, relation, other):
    """Does one number stand so to the other?"""
    other = number(other)
    stands = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__, "=": float.__eq__}[relation]
    return any(n is not None and stands(n, other) for n in map(number, texts))


def in_network(texts, networks):
    """Is one text an address in one of the networks?"""
    for text in texts:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        if any(address in ipaddress.ip_network(network) for network in networks):
            return True
    return False


def time_parts(texts, part):
    """The part of each time, as written."""
    places = {"year": (0, 4), "month": (5, 7), "day": (8, 10), "hour": (11, 13), "minute": (14, 16)}
    start, end = places[part]
    return [str(int(text[start:end])) for text in texts if re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", text)]


def any_pair(stands):
    """Does one of the texts stand so to one of the others?"""
    return lambda texts, others: any(stands(text, other) for text in texts for other in others)


FUNCTIONS = {
    "wk_values": ([str, str], list, lambda raw, path: [spell(v) for v in found(raw, path) if v is not None]),
    "wk_elements": ([str, str], list, lambda raw, path: [spell(v) for v in found(raw, path) if v is not None and v != []]),
    "wk_numbers": ([str, str], list, lambda raw, path: [str(v) for v in found(raw, path) if isinstance(v, Number)]),
    "wk_has": ([str, str], bool, lambda raw, path: bool(found(raw, path))),
    "wk_is_null": ([str, str], bool, lambda raw, path: not found(raw, path) or None in found(raw, path)),
    "wk_leaves": ([str], list, lambda raw: list(leaves(read(raw))) if raw.startswith("{") else [raw]),
    "wk_folded": ([list], list, lambda texts: [text.lower() for text in texts]),
    "wk_is": ([list, list], bool, any_pair(str.__eq__)),
    "wk_starts_with": ([list, list], bool, any_pair(str.startswith)),
    "wk_ends_with": ([list, list], bool, any_pair(str.endswith)),
    "wk_contains": ([list, list], bool, any_pair(str.__contains__)),
    "wk_matches": ([list, str], bool, lambda texts, e: any(re.search(e.replace(r"\z", r"\Z"), t, re.ASCII) for t in texts)),
    "wk_compare": ([list, str, str], bool, compare),
    "wk_in_network": ([list, list], bool, in_network),
    "wk_time_parts": ([list, str], list, time_parts),
}


def lend(context):
    """Registers every function."""
    types = {str: pa.string(), list: TEXTS, bool: pa.bool_()}
    for name, (takes, gives, function) in FUNCTIONS.items():
        def call(*columns, function=function, gives=gives):
            rows = zip(*(column.to_pylist() for column in columns))
            return pa.array([function(*row) for row in rows], types[gives])
        context.register_udf(udf(call, [types[one] for one in takes], types[gives], "immutable", name=name))
