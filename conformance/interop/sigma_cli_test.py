"""`watchkeep convert --to splunk` gives what the real sigma-cli makes of a built-in rule, and says what sigma-cli refuses."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

CONTENT = pathlib.Path(__file__).resolve().parent.parent.parent / "content/packs"
FOLDER = os.environ.get("SIGMA_CLI_FOLDER", "")
# Rules that name no list, which sigma-cli would want a pipeline for.
RULES = ["identity/root_user_changed_something", "agents/kubernetes_exec_seeks_credentials", "inference/bedrock_api_key_created"]


def convert(*arguments, path=FOLDER):
    """Runs `watchkeep convert` with `sigma` on the path."""
    command = [os.environ["WATCHKEEP_BIN"], "convert", *map(str, arguments)]
    where = {**os.environ, "PATH": f"{path}:/usr/bin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, env=where)


def sigma(*arguments):
    """What sigma-cli says by itself."""
    command = [pathlib.Path(FOLDER) / "sigma", "convert", "--target", "splunk", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@unittest.skipUnless(FOLDER, "sigma-cli is not there; run `cargo xtask setup`")
class SigmaCli(unittest.TestCase):
    """The built-in rules, in a language that only sigma-cli knows."""

    def test_a_built_in_rule_becomes_what_sigma_cli_makes_of_its_file(self):
        done = convert("--to", "splunk", "--format", "ndjson", *(rule.split("/")[1] for rule in RULES))
        self.assertEqual(done.returncode, 0, done.stderr)
        queries = [json.loads(line)["query"] for line in done.stdout.splitlines()]
        self.assertEqual(len(queries), len(RULES))
        for rule in RULES:
            self.assertIn(sigma("--without-pipeline", CONTENT / f"{rule}.yml"), queries)
        root = next(query for query in queries if "Root" in query)
        self.assertIn('userIdentity.type="Root" NOT userIdentity.invokedBy=*', root)

    def test_a_pipeline_is_handed_on(self):
        with tempfile.TemporaryDirectory() as folder:
            rule = pathlib.Path(folder) / "made.yml"
            rule.write_text("title: Made\nid: 9f8c1d2e-0000-4000-8000-000000000001\nlevel: low\n"
                            "logsource: {product: windows, service: security}\n"
                            "detection:\n    s: {EventID: 4625}\n    condition: s\n")
            done = convert(rule, "--to", "splunk", "--pipeline", "splunk_windows")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn('source="WinEventLog:Security" EventCode=4625', done.stdout)
            self.assertIn(sigma("--pipeline", "splunk_windows", rule), done.stdout)

    def test_what_sigma_cli_refuses_is_told_with_its_words_and_the_rest_goes_out(self):
        with tempfile.TemporaryDirectory() as folder:
            for number, (name, search) in enumerate([("bad", "{a|minute: 3}"), ("good", "{a: b}")]):
                (pathlib.Path(folder) / f"{name}.yml").write_text(
                    f"title: {name}\nid: 9f8c1d2e-0000-4000-8000-00000000000{number}\nlevel: low\nlogsource: {{product: test}}\n"
                    f"detection:\n    s: {search}\n    condition: s\n")
            done = convert(folder, "--to", "splunk")
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertIn("1 of 2 rules converted", done.stderr)
            self.assertIn('a="b"', done.stdout)
            self.assertIn("sigma-cli says:", done.stderr)
            self.assertIn("bad.yml", done.stderr)

    def test_a_target_or_a_tool_that_is_not_there_is_named_with_what_to_install(self):
        missing = convert("root_user_changed_something", "--to", "nowhere")
        self.assertEqual((missing.returncode, "sigma plugin install nowhere" in missing.stderr), (3, True), missing.stderr)
        alone = convert("root_user_changed_something", "--to", "splunk", path="/nonexistent")
        self.assertEqual((alone.returncode, "pip install sigma-cli" in alone.stderr), (3, True), alone.stderr)


if __name__ == "__main__":
    unittest.main()
