"""The `poll` input against mocks of the APIs that its built-in feeds walk; the vendors' own clients read two of the mocks too."""

import asyncio
import contextlib
import datetime
import http.server
import json
import os
import sqlite3
import threading
import time
import unittest
import unittest.mock
import urllib.parse
import uuid

import okta.client
import openai

from platform_under_test import Platform

PAGE = 10
RULE = """\
title: Polled {product}
id: {id}
status: test
description: Fires on every record of the test, once for each.
logsource: {{product: {product}, service: {service}}}
detection:
    selection: {{{field}: {value}}}
    condition: selection
level: low
watchkeep:
    owner: detection
    kind: alert
    fold: {{by: [{identity}], window: 1s}}
    message: 'polled {{{identity}}}'
"""


def utc(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Api:
    """What is alike in every API: records in order of time, pages, a secret."""

    product, service, parameters, secret_header, secret_value = "", "", {}, "authorization", "Bearer s3cret"
    also_secret = None

    def __init__(self):
        self.records, self.asked, self.failures, self.moment = [], [], [], threading.Event()
        self.stop_at = None

    def add(self, count, ago):
        """Adds records, one a second, the first of which is `ago` seconds old."""
        first = int(time.time()) - ago
        for n in range(count):
            self.records.append((first + n, self.record(f"{uuid.uuid4().hex}", first + n)))

    def answer(self, path, query, headers):
        """Status, headers and body."""
        self.asked.append((path, query))
        if headers.get(self.secret_header) not in (self.secret_value, self.also_secret):
            return 401, {}, {"error": "no"}
        if self.stop_at is not None and len(self.asked) >= self.stop_at:
            self.stop_at = None
            self.moment.set()
        if self.failures:
            return self.failures.pop(0)
        return self.page({name: values[-1] for name, values in query.items()})


class OpenAi(Api):
    product, service, field, value, identity = "openai", "audit", "type", "project.archived", "id"
    feed, path = "openai_audit", "/v1/organization/audit_logs"
    ids, times = "id", "effective_at"

    def record(self, name, at):
        return {"id": f"audit_log-{name}", "object": "organization.audit_log", "type": "project.archived", "effective_at": at,
                "actor": {"type": "api_key", "api_key": {"id": "key_x", "type": "user", "user": {"id": "user-x", "email": "user@example.com"}}},
                "project.archived": {"id": "proj_abc"}}

    def page(self, query):
        after = query.get("after")
        since = self.since(query)
        newest = [record for at, record in reversed(self.records) if at >= since]
        ids = [record[self.ids] for record in newest]
        first = ids.index(after) + 1 if after else 0
        data = newest[first:first + PAGE]
        more = first + PAGE < len(newest)
        return 200, {}, {"object": "list", "data": data, "first_id": data[0]["id"] if data else None,
                         "last_id": data[-1]["id"] if data else None, "has_more": more}

    def since(self, query):
        return int(query.get("effective_at[gte]", 0))


class Anthropic(OpenAi):
    product, service, field, value, identity = "anthropic", "activity", "type", "mcp_server_created", "id"
    feed, path, secret_header, secret_value = "anthropic_activity", "/v1/compliance/activities", "x-api-key", "s3cret"

    def record(self, name, at):
        return {"id": f"activity_{name}", "created_at": utc(at), "organization_id": "org_01", "type": "mcp_server_created",
                "actor": {"type": "user_actor", "email_address": "user@example.com", "user_id": "user_01", "ip_address": "192.0.2.1"}}

    def page(self, query):
        return super().page(query | {"after": query.get("after_id")})

    def since(self, query):
        return seconds(query["created_at.gte"])


class Okta(Api):
    product, service, field, value, identity = "okta", "okta", "eventType", "user.session.start", "uuid"
    feed, path, parameters, secret_value = "okta_system_log", "/api/v1/logs", {}, "SSWS s3cret"

    def record(self, name, at):
        return {"uuid": name, "published": utc(at), "eventType": "user.session.start", "severity": "INFO", "version": "0",
                "outcome": {"result": "SUCCESS"}, "client": {"ipAddress": "192.0.2.9"},
                "actor": {"id": "00u1", "type": "User", "alternateId": "user@example.com", "displayName": "A User"}}

    def page(self, query):
        """As Okta answers a polling request: the last page names a next one too."""
        if "after" in query:
            first = int(query["after"])
        else:
            since = seconds(query["since"])
            first = next((n for n, (at, _) in enumerate(self.records) if at >= since), len(self.records))
        data = [record for _, record in self.records[first:first + PAGE]]
        self_link, next_link = (f'<{self.base}{self.path}?limit=1000&after={n}>; rel="{rel}"' for n, rel in
                                ((first, "self"), (first + len(data), "next")))
        return 200, [("link", self_link), ("link", next_link)], data


class GitHub(Api):
    product, service, field, value, identity = "github", "audit", "action", "git.clone", "_document_id"
    feed, path, parameters = "github_organization_audit", "/orgs/lab/audit-log", {"organization": "lab"}

    def record(self, name, at):
        return {"@timestamp": at * 1000, "created_at": at * 1000, "_document_id": name, "action": "git.clone", "actor": "alice", "org": "lab"}

    def page(self, query):
        assert query["order"] == "asc" and query["include"] == "all", query
        since = seconds(query["phrase"].removeprefix("created:>="))
        kept = [record for at, record in self.records if at >= since]
        first = int(query.get("after", 0))
        rest = urllib.parse.urlencode(query | {"after": first + PAGE})
        link = f'<{self.base}{self.path}?{rest}>; rel="next", <{self.base}{self.path}?before=>; rel="first"'
        return 200, {"link": link} if first + PAGE < len(kept) else {}, kept[first:first + PAGE]


class HuggingFace(Api):
    product, service, field, value, identity = "huggingface", "audit", "type", "repo.create", "_id"
    feed, path, parameters = "huggingface_audit", "/api/organizations/lab/audit-log/export", {"organization": "lab"}

    def record(self, name, at):
        return {"_id": name, "type": "repo.create", "createdAt": utc(at), "author": {"name": "alice"}, "org": "lab", "repo": {"name": "lab/x", "type": "model"}}

    def page(self, query):
        return 200, {}, [record for _, record in reversed(self.records)]


class Server:
    """Serves APIs on this machine."""

    def __init__(self, api):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                if url.path != api.path:
                    return self.reply(404, {}, {})
                self.reply(*api.answer(url.path, urllib.parse.parse_qs(url.query), self.headers))

            def reply(self, status, headers, body):
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in headers.items() if isinstance(headers, dict) else headers:
                        self.send_header(name, value)
                    self.send_header("content-type", "application/json")
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = api.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class PollTest(unittest.TestCase):
    def start(self, api, secret="s3cret"):
        """A platform that walks `api`."""
        server = Server(api)
        self.addCleanup(server.stop)
        platform = Platform()
        rule = RULE.format(id=uuid.uuid4(), product=api.product, service=api.service, field=api.field, value=api.value, identity=api.identity)
        (platform.folder / "rules" / "polled.yml").write_text(rule)
        parameters = ", ".join(f'{name} = "{value}"' for name, value in api.parameters.items())
        platform.add(f"""
[[inputs]]
name = "vendor"
kind = "poll"
feed = "{api.feed}"
parameters = {{ {parameters} }}
endpoint = "{server.base}"
secret = {platform.secret("vendor.key", secret + chr(10))}
start = "1h"
every = "1s"
""")
        return platform

    def run_it(self, platform):
        platform.__enter__()
        self.addCleanup(platform.__exit__, None, None, None)
        return platform

    def ask(self, platform, sql):
        path = next(platform.folder.rglob("state.db"))
        with contextlib.closing(sqlite3.connect(path, timeout=10)) as store, store:
            return store.execute(sql).fetchall()

    def findings(self, platform):
        return self.ask(platform, "SELECT finding_id FROM findings WHERE input = 'vendor' ORDER BY finding_id")

    def expect(self, platform, count):
        platform.wait_for(lambda: len(self.findings(platform)) >= count, f"{count} findings", 60)
        self.assertEqual(len(self.findings(platform)), count)

    def troubles(self, platform):
        return [(alert["title"], alert["message"]) for alert in platform.alerts() if "API" in alert["title"]]

    def killed_in_the_middle(self, api):
        api.add(95, 600)
        platform = self.start(api)
        self.addCleanup(platform.__exit__, None, None, None)
        # Each walk is killed while it waits for its third or fourth page, or takes it in.
        for stop_at in (3, 4, 3):
            api.asked.clear()
            api.moment.clear()
            api.stop_at = stop_at
            platform.__enter__()
            self.assertTrue(api.moment.wait(60), "a walk came so far")
            platform.process.kill()
            platform.process.wait()
            api.add(1, 5)
        platform.__enter__()
        self.expect(platform, 98)
        api.add(25, 20)
        self.expect(platform, 123)
        found = self.findings(platform)
        platform.process.kill()
        platform.process.wait()
        # As if it had been killed before any position was remembered.
        self.ask(platform, "DELETE FROM cursors WHERE key LIKE 'position:%'")
        api.asked.clear()
        platform.__enter__()
        platform.wait_for(lambda: len(api.asked) > 14, "every page again", 60)
        ledger = lambda: platform.ledger()
        platform.wait_for(lambda: ledger()["received"] == ledger()["evaluated"] + ledger()["rejected"], "a balance")
        self.assertEqual(self.findings(platform), found)
        self.assertEqual((ledger()["rejected"], self.troubles(platform)), (0, []))

    def test_openai_is_walked_as_its_own_client_does(self):
        api = OpenAi()
        api.add(95, 600)
        server = Server(api)
        self.addCleanup(server.stop)
        client = openai.OpenAI(api_key="none", admin_api_key="s3cret", base_url=f"{server.base}/v1", max_retries=0)
        theirs = [entry.id for entry in client.admin.organization.audit_logs.list(limit=100, effective_at={"gte": 1})]
        self.assertEqual(theirs, [record["id"] for _, record in reversed(api.records)])
        # The same parameters in the same words, but for the times.
        names = lambda: {name for _, query in api.asked for name in query}
        first = names()
        api.asked.clear()
        platform = self.run_it(self.start(api))
        self.expect(platform, 95)
        self.assertEqual(names(), first)

    def test_okta_is_walked_as_its_own_client_does(self):
        api = Okta()
        # Okta documents a space there; the client writes none.
        api.also_secret = "SSWSs3cret"
        api.add(25, 600)
        server = Server(api)
        self.addCleanup(server.stop)

        async def theirs():
            # Its check for `https` is switched off only there.
            with unittest.mock.patch.dict(os.environ, {"OKTA_TESTING_TESTINGDISABLEHTTPSCHECK": "true"}):
                client = okta.client.Client({"orgUrl": server.base, "token": "s3cret"})
            found, after = [], None
            while True:
                since = None if after else utc(time.time() - 3600)
                events, response, error = await client.list_log_events(since=since, after=after, limit=1000, sort_order="ASCENDING")
                assert error is None, error
                if not events:
                    return found
                found += [event.uuid for event in events]
                after = str(len(found))

        self.assertEqual(asyncio.run(theirs()), [record["uuid"] for _, record in api.records])
        names = lambda: {name for _, query in api.asked for name in query}
        first = names()
        api.asked.clear()
        api.also_secret = None
        platform = self.run_it(self.start(api))
        self.expect(platform, 25)
        self.assertEqual(names(), first)

    def test_openai_after_kills_every_record_is_evaluated_once(self):
        self.killed_in_the_middle(OpenAi())

    def test_anthropic_after_kills_every_record_is_evaluated_once(self):
        self.killed_in_the_middle(Anthropic())

    def test_okta_after_kills_every_record_is_evaluated_once(self):
        self.killed_in_the_middle(Okta())

    def test_github_after_kills_every_record_is_evaluated_once(self):
        self.killed_in_the_middle(GitHub())

    def test_hugging_face_gives_an_export_of_which_each_record_is_evaluated_once(self):
        api = HuggingFace()
        api.add(95, 600)
        platform = self.run_it(self.start(api))
        self.expect(platform, 95)
        api.add(5, 20)
        self.expect(platform, 100)
        platform.process.kill()
        platform.process.wait()
        platform.__enter__()
        api.add(1, 5)
        self.expect(platform, 101)
        self.assertEqual(self.troubles(platform), [])

    def test_limits_are_kept_and_bad_answers_are_told(self):
        api = GitHub()
        api.add(25, 600)
        reset = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 2)}
        api.failures = [(429, {"retry-after": "1"}, {}), (403, reset, {}), (200, {}, b"<html>down</html>")]
        platform = self.run_it(self.start(api))
        self.expect(platform, 25)
        told = self.troubles(platform)
        self.assertEqual([title for title, _ in told], ["An API cannot be read"])
        self.assertIn("the answer is no JSON", told[0][1])

    def test_a_secret_that_does_not_hold_is_told_with_what_to_do(self):
        api = OpenAi()
        platform = self.run_it(self.start(api, secret="wr0ng"))
        platform.wait_for(lambda: self.troubles(platform), "the trouble")
        (title, message), = self.troubles(platform)
        self.assertEqual(title, "An API does not let us read it")
        self.assertIn("it has to be an admin key of an owner", message)
        self.assertNotIn("wr0ng", message)


if __name__ == "__main__":
    unittest.main()
