//! Rules made for the measure of scale: the same text for every engine, drawn from words of the trade by a seeded generator, so
//! that they look like rules and few match.

use std::fmt::Write as _;

/// How the rules of a family look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Exact values, beginnings and ends, over many fields.
    Varied,
    /// Substrings, most of them over the same few long fields.
    Substrings,
}

const VERBS: [&str; 24] = [
    "Create",
    "Delete",
    "Put",
    "Get",
    "List",
    "Describe",
    "Update",
    "Modify",
    "Attach",
    "Detach",
    "Start",
    "Stop",
    "Enable",
    "Disable",
    "Register",
    "Deregister",
    "Associate",
    "Authorize",
    "Revoke",
    "Import",
    "Export",
    "Copy",
    "Restore",
    "Tag",
];
const NOUNS: [&str; 40] = [
    "Bucket",
    "Object",
    "Policy",
    "Role",
    "User",
    "Group",
    "AccessKey",
    "LoginProfile",
    "Instance",
    "Snapshot",
    "Image",
    "Volume",
    "Secret",
    "Parameter",
    "Function",
    "Layer",
    "Trail",
    "Detector",
    "Cluster",
    "Nodegroup",
    "Service",
    "Task",
    "Repository",
    "Stack",
    "Queue",
    "Topic",
    "Stream",
    "Table",
    "Database",
    "Key",
    "Grant",
    "Alias",
    "Certificate",
    "Domain",
    "Endpoint",
    "Model",
    "TrainingJob",
    "Notebook",
    "Pipeline",
    "Workspace",
];
const SERVICES: [&str; 20] = [
    "s3",
    "iam",
    "ec2",
    "sts",
    "kms",
    "lambda",
    "rds",
    "eks",
    "ecs",
    "ecr",
    "sns",
    "sqs",
    "dynamodb",
    "sagemaker",
    "bedrock",
    "ssm",
    "secretsmanager",
    "cloudtrail",
    "guardduty",
    "organizations",
];
const WORDS: [&str; 60] = [
    "admin",
    "backup",
    "deploy",
    "prod",
    "staging",
    "research",
    "weights",
    "eval",
    "training",
    "checkpoint",
    "audit",
    "vault",
    "terraform",
    "jenkins",
    "gitlab",
    "runner",
    "nightly",
    "release",
    "mirror",
    "archive",
    "export",
    "customer",
    "billing",
    "payroll",
    "telemetry",
    "shadow",
    "legacy",
    "sandbox",
    "gateway",
    "ingress",
    "curl",
    "wget",
    "python-requests",
    "Boto3",
    "aws-cli",
    "kali",
    "parrot",
    "pentoo",
    "powershell",
    "cmd.exe",
    "rundll32",
    "certutil",
    "bitsadmin",
    "mimikatz",
    "nmap",
    "sqlmap",
    "hydra",
    "pacu",
    "cloudfox",
    "prowler",
    "scoutsuite",
    "enumerate",
    "tunnel",
    "proxy",
    "beacon",
    "stager",
    "payload",
    "implant",
    "rclone",
    "megasync",
];
const EXACT: [&str; 8] = [
    "userIdentity.userName",
    "requestParameters.roleName",
    "requestParameters.userName",
    "requestParameters.bucketName",
    "requestParameters.functionName",
    "requestParameters.policyArn",
    "requestParameters.keyId",
    "errorCode",
];
const ENDS: [&str; 8] = [
    "userIdentity.arn",
    "userAgent",
    "requestParameters.policyArn",
    "requestParameters.instanceId",
    "requestParameters.key",
    "requestParameters.secretId",
    "userIdentity.principalId",
    "userIdentity.sessionContext.sessionIssuer.arn",
];
const BEGINNINGS: [&str; 4] =
    ["userAgent", "requestParameters.key", "requestParameters.secretId", "userIdentity.principalId"];
/// Where the other substrings are looked for: one piece in ten.
const OTHERS: [&str; 3] = ["userIdentity.arn", "requestParameters.policyDocument", "requestParameters.commands"];
/// Lengths of lists of pieces of which one is enough.
const LENGTHS: [usize; 10] = [1, 1, 2, 2, 3, 4, 6, 8, 12, 30];
/// Pieces that many events have.
const USUAL: [&str; 6] = ["aws-cli/", "Boto3/", "Python/", "linux", "aws-sdk-go/", "amazonaws.com"];

/// The first `count` rules of a family, one YAML document each. A longer series begins with the shorter one.
pub fn rules(family: Family, count: usize) -> Vec<String> {
    let mut draw = Draw(match family {
        Family::Varied => 0x9e37_79b9_7f4a_7c15,
        Family::Substrings => 0x2545_f491_4f6c_dd1d,
    });
    (0..count).map(|at| rule(family, at, &mut draw)).collect()
}

fn rule(family: Family, at: usize, draw: &mut Draw) -> String {
    let mut text = format!(
        "title: Made for measure {at}\nid: {:08x}-0000-4000-8000-{at:012x}\nstatus: test\nlevel: low\n\
         logsource:\n    product: aws\n    service: cloudtrail\ndetection:\n    selection:\n",
        family as usize + 1
    );
    match family {
        Family::Varied => varied(&mut text, draw),
        Family::Substrings => substrings(&mut text, draw),
    }
    text
}

/// Most rules name a call exactly, as rules of the trade do, and narrow it by beginnings and ends.
fn varied(text: &mut String, draw: &mut Draw) {
    let kind = draw.below(20);
    match kind {
        0 => {}
        1..=7 => values(text, draw.of(&EXACT), &draw.some(1, 4, Draw::name)),
        _ => {
            values(text, "eventSource", &[format!("{}.amazonaws.com", draw.of(&SERVICES))]);
            values(text, "eventName", &draw.some(2, 5, Draw::call));
        }
    }
    if kind < 14 {
        let field = format!("{}|endswith", draw.of(&ENDS));
        values(text, &field, &draw.some(1, 3, |draw| format!("/{}", draw.name())));
    }
    if kind > 10 {
        let field = format!("{}|startswith", draw.of(&BEGINNINGS));
        values(text, &field, &draw.some(1, 4, |draw| format!("{}/{}", draw.of(&WORDS), draw.below(1000))));
    }
    if draw.below(3) == 0 {
        text.push_str("    filter:\n");
        values(text, "userAgent|startswith", &draw.some(1, 2, |draw| format!("{}.amazonaws.com", draw.of(&SERVICES))));
        text.push_str("    condition: selection and not filter\n");
    } else {
        text.push_str("    condition: selection\n");
    }
}

/// In the shape of SigmaHQ's rules on the creation of processes, which are the ones that live by substrings: nine pieces in ten are
/// looked for in one field, one item in four wants all of its pieces, one in four of which is a usual one; a rule has two items and
/// twelve pieces on average. There the field is the command line, here the user agent: the longest that every event has.
fn substrings(text: &mut String, draw: &mut Draw) {
    let items = 1 + draw.below(3);
    for item in 0..items {
        if item > 0 {
            writeln!(text, "    selection_{item}:").expect("a string takes text");
        }
        let field = if draw.below(10) == 0 { draw.of(&OTHERS) } else { "userAgent" };
        if draw.below(4) == 0 {
            let mut pieces =
                draw.some(1, 3, |draw| if draw.below(3) == 0 { draw.of(&USUAL).to_owned() } else { draw.piece() });
            pieces.push(draw.piece());
            values(text, &format!("{field}|contains|all"), &pieces);
        } else {
            let length = LENGTHS[draw.below(LENGTHS.len())];
            values(text, &format!("{field}|contains"), &draw.some(length, length, Draw::piece));
        }
    }
    let condition = if draw.below(3) == 0 { "1 of selection*" } else { "all of selection*" };
    writeln!(text, "    condition: {condition}").expect("a string takes text");
}

fn values(text: &mut String, field: &str, values: &[String]) {
    writeln!(text, "        {field}:").expect("a string takes text");
    for value in values {
        writeln!(text, "            - '{value}'").expect("a string takes text");
    }
}

/// Numbers that look random and repeat (xorshift64*).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn of(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }

    fn some(&mut self, least: usize, most: usize, mut make: impl FnMut(&mut Draw) -> String) -> Vec<String> {
        let count = least + self.below(most - least + 1);
        (0..count).map(|_| make(self)).collect()
    }

    /// A name as people give them: `research-vault-0412`.
    fn name(&mut self) -> String {
        format!("{}-{}-{:04}", self.of(&WORDS), self.of(&WORDS), self.below(10_000))
    }

    /// A call of an API, some of which exist.
    fn call(&mut self) -> String {
        let call = format!("{}{}", self.of(&VERBS), self.of(&NOUNS));
        if self.below(4) == 0 { call } else { format!("{call}V{}", self.below(1000)) }
    }

    /// A piece of a command, a path or a name.
    fn piece(&mut self) -> String {
        match self.below(4) {
            0 => format!("{} --{}", self.of(&WORDS), self.of(&WORDS)),
            1 => format!("/{}/{}{}", self.of(&WORDS), self.of(&WORDS), self.below(100)),
            2 => format!("{}/{}.{}", self.of(&WORDS), self.below(20), self.below(100)),
            _ => format!("{}{}", self.of(&VERBS), self.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_series_begins_with_the_shorter_one_and_every_rule_compiles() {
        for family in [Family::Varied, Family::Substrings] {
            let few = rules(family, 200);
            assert_eq!(few[..], rules(family, 300)[..200]);
            let (documents, wrong) = engine::sigma::parse(&few.join("---\n"));
            assert_eq!((documents.len(), wrong), (200, vec![]), "{}", few[0]);
        }
    }

    #[test]
    fn rules_of_a_family_differ() {
        let mut texts = rules(Family::Substrings, 1_000);
        texts.iter_mut().for_each(|text| *text = text[text.find("detection").expect("a rule has one")..].to_owned());
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), 1_000);
    }
}
