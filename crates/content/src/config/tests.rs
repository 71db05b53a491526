use super::*;

fn parse(text: &str) -> Config {
    let (config, diagnostics) = Config::parse(text, &Overrides::default());
    assert_eq!(diagnostics, [], "{text}");
    config.expect("no diagnostics, so a configuration")
}

/// Every mistake as `line:column code message | remedy`.
fn mistakes(text: &str) -> Vec<String> {
    let (config, diagnostics) = Config::parse(text, &Overrides::default());
    assert_eq!(config, None);
    let one = |d: &model::Diagnostic| format!("{}:{} {} {} | {}", d.line, d.column, d.code, d.message, d.remedy);
    diagnostics.iter().map(one).collect()
}

#[test]
fn nothing_at_all_is_a_whole_configuration_on_this_machine_only() {
    let config = Config::embedded_default();
    assert_eq!(config, parse(""));
    assert_eq!(config.console.listen.to_string(), "127.0.0.1:8786");
    let inputs: Vec<_> = config.inputs.iter().map(|input| (input.kind.as_str(), input.lane)).collect();
    assert_eq!(inputs, [("samples", Lane::Sample), ("http", Lane::Live)]);
    let InputKind::Http { listen, .. } = &config.inputs[1].kind else { panic!("http") };
    assert!(listen.ip().is_loopback() && listen.port() == 8787);
    assert_eq!(config.routes[0].kind, RouteKind::NdjsonFile { path: "alerts.ndjson".into() });
    assert_eq!(
        config.in_data_dir(std::path::Path::new("alerts.ndjson")),
        PathBuf::from("./watchkeep-data/alerts.ndjson")
    );
}

/// Inputs and routes of every kind that has keys of its own.
const EVERY_KIND: &str = r#"
        data_dir = "/var/lib/watchkeep"
        [content]
        roots = ["/etc/watchkeep/site"]
        [limits]
        record_bytes = "1MiB"
        [[inputs]]
        name = "push"
        kind = "http"
        listen = "0.0.0.0:8787"
        token = { file = "/run/secrets/push" }
        [[inputs]]
        name = "otel"
        kind = "otlp"
        protocol = "grpc"
        listen = "0.0.0.0:4317"
        token = { env = "OTEL_TOKEN" }
        [[inputs]]
        name = "sns"
        kind = "sns"
        listen = "0.0.0.0:8788"
        topics = ["arn:aws:sns:eu-west-1:111122223333:findings"]
        token = { env = "SNS_TOKEN" }
        [[inputs]]
        name = "drop"
        kind = "watch"
        path = "/var/log/trail"
        only = ["*.json", "audit/**/*.log"]
        every = "1m30s"
        source = "aws_cloudtrail"
        [[inputs]]
        name = "trail"
        kind = "s3_sqs"
        queue = "https://sqs.eu-west-1.amazonaws.com/111122223333/trail"
        buckets = ["trail-logs"]
        visibility = "10m"
        [[inputs]]
        name = "hosts"
        kind = "syslog"
        protocol = "tls"
        listen = "0.0.0.0:6514"
        certificate = "/etc/watchkeep/syslog.pem"
        key = { file = "/run/secrets/syslog.key" }
        client_ca = "/etc/watchkeep/hosts-ca.pem"
        [[inputs]]
        name = "bus"
        kind = "nats"
        servers = ["tls://nats-1.internal:4222", "tls://nats-2.internal:4222"]
        stream = "AUDIT"
        subject = "audit.>"
        credentials = { file = "/run/secrets/nats.creds" }
        ca = "/etc/watchkeep/nats-ca.pem"
        [[inputs]]
        name = "events"
        kind = "kafka"
        brokers = ["kafka-1.internal:9093", "[2001:db8::9]:9093"]
        topics = ["audit", "gateway.requests"]
        start = "latest"
        ca = "/etc/watchkeep/kafka-ca.pem"
        sasl = "scram-sha-512"
        username = "watchkeep"
        password = { file = "/run/secrets/kafka" }
        [[inputs]]
        name = "okta"
        kind = "poll"
        feed = "okta_system_log"
        parameters = { domain = "lab.okta.com", "odd name" = "x" }
        endpoint = "http://127.0.0.1:9999/api"
        secret = { file = "/run/secrets/okta" }
        start = "7d"
        every = "15s"
        [[inputs]]
        name = "switches"
        kind = "syslog"
        protocol = "udp"
        listen = "0.0.0.0:514"
        networks = ["192.0.2.0/24", "2001:db8::7"]
        [[routes]]
        name = "soc"
        kind = "webhook"
        url = "https://soc.example/hook"
        secret = { env = "SOC_SECRET" }
        min_level = "high"
        lanes = ["live", "exercise"]
        [routes.retry]
        give_up_after = "2d"
        [[routes]]
        name = "splunk"
        kind = "splunk_hec"
        url = "https://splunk.example:8088"
        token = { file = "/run/secrets/hec" }
    "#;

#[test]
fn what_is_shown_reads_back_as_the_same_configuration() {
    let config = parse(EVERY_KIND);
    let again = parse(&config.to_toml());
    assert_eq!(Config { origins: Default::default(), ..again }, Config { origins: Default::default(), ..config });
    let default = Config::embedded_default();
    let again = parse(&default.to_toml());
    assert_eq!(Config { origins: Default::default(), ..again }, Config { origins: Default::default(), ..default });
    let nothing = parse("inputs = []\nroutes = []");
    assert_eq!(parse(&nothing.to_toml()).inputs, []);
}

#[test]
fn every_mistake_is_told_at_once_with_place_and_remedy() {
    let text = "dat_dir = \"x\"
threads = \"four\"
[console]
listen = \"localhost\"
[limits]
record_bytes = 8
depth = 0
[[inputs]]
name = \"a b\"
kind = \"htpp\"
[[routes]]
name = \"soc\"
kind = \"webhook\"
url = \"soc.example\"
secret = \"whsec_abc\"
tmeout = \"3s\"";
    assert_eq!(
        mistakes(text),
        [
            "1:1 unknown-key unknown key `dat_dir` | did you mean `data_dir`?",
            "2:11 wrong-type `threads` is a string | write a whole number",
            "4:10 bad-value `console.listen` is `localhost` | write an address and port such as \"127.0.0.1:8786\"",
            "6:16 wrong-type `limits.record_bytes` is an integer | write a string",
            "7:9 bad-value `limits.depth` is `0` | write a whole number from 1",
            "9:8 bad-value `inputs[0].name` is `a b` | write a name of letters, digits, `_`, `-` and `.`",
            "10:8 bad-value `inputs[0].kind` is `htpp` | write one of `file`, `folder`, `watch`, `stdin`, `http`, `otlp`, `sns`, `s3_sqs`, `syslog`, `nats`, `kafka`, `poll`, `samples`; did you mean `http`?",
            "14:7 bad-value `routes[0].url` is `soc.example` | write an address such as \"https://soc.example/hook\"",
            "15:10 secret-in-clear `routes[0].secret` holds a secret itself | write `{ file = \"/path/of/the/secret\" }` or `{ env = \"NAME\" }`",
            "16:1 unknown-key unknown key `tmeout` in `routes[0]` | did you mean `timeout`?",
        ]
    );
}

#[test]
fn toml_that_is_none_is_told_with_its_place() {
    let told = mistakes("data_dir = \n[console]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"");
    assert!(told.len() >= 2, "{told:?}");
    assert!(told.iter().all(|one| one.contains("not-toml")), "{told:?}");
    assert!(told[0].starts_with("1:") && told[1].starts_with("4:"), "{told:?}");
}

#[test]
fn what_others_can_reach_needs_a_token_or_a_decision() {
    let told = mistakes(
        "[console]\nlisten = \"0.0.0.0:80\"\n[[inputs]]\nname = \"push\"\nkind = \"http\"\nlisten = \"0.0.0.0:81\"",
    );
    assert_eq!(told.iter().filter(|one| one.contains("reachable")).count(), 2, "{told:?}");
    parse("[console]\nlisten = \"0.0.0.0:80\"\nremote = true");
}

#[test]
fn a_name_stands_once() {
    let text = "[[inputs]]\nname = \"a\"\nkind = \"stdin\"\n[[inputs]]\nname = \"a\"\nkind = \"stdin\"";
    assert!(mistakes(text)[0].contains("duplicate-name"));
}

#[test]
fn flags_win_over_the_environment_which_wins_over_the_file() {
    let variables = [
        ("WATCHKEEP_CONSOLE_LISTEN", "127.0.0.1:1000"),
        ("WATCHKEEP_LIMITS_DEPTH", "64"),
        ("WATCHKEEP_CONTENT_ROOTS", "a, b"),
        ("WATCHKEEP_CONFIG", "elsewhere.toml"),
        ("HOME", "/root"),
    ];
    let mut overrides = Overrides::from_environment(variables.map(|(name, value)| (name.into(), value.into())));
    overrides.set_flag("console.listen", "--console", "127.0.0.1:2000");
    let text = "threads = 3\n[console]\nlisten = \"127.0.0.1:3000\"\n[limits]\ndepth = 5";
    let (config, diagnostics) = Config::parse(text, &overrides);
    assert_eq!(diagnostics, []);
    let config = config.expect("whole");
    assert_eq!((config.console.listen.port(), config.limits.depth, config.threads), (2000, 64, 3));
    assert_eq!(config.content.roots, [PathBuf::from("a"), PathBuf::from("b")]);
    assert_eq!(config.origins["console.listen"], Origin::Flag("--console".into()));
    assert_eq!(config.origins["limits.depth"], Origin::Environment("WATCHKEEP_LIMITS_DEPTH".into()));
    assert_eq!(config.origins["threads"], Origin::File { line: 1 });
    assert_eq!(config.origins["data_dir"], Origin::Default);
    let shown = config.to_toml();
    assert!(shown.contains("# environment WATCHKEEP_LIMITS_DEPTH"), "{shown}");
    assert!(shown.contains("# flag --console"), "{shown}");
}

#[test]
fn a_variable_that_sets_nothing_is_told() {
    let overrides = Overrides::from_environment([("WATCHKEEP_CONSOLE_LISEN".to_owned(), "x".to_owned())]);
    let (config, diagnostics) = Config::parse("", &overrides);
    assert!(config.is_some());
    assert_eq!(diagnostics[0].code, "unknown-variable");
    assert_eq!(diagnostics[0].remedy, "did you mean `WATCHKEEP_CONSOLE_LISTEN`?");
}

#[test]
fn a_bad_value_says_that_it_came_from_the_environment() {
    let overrides = Overrides::from_environment([("WATCHKEEP_THREADS".to_owned(), "many".to_owned())]);
    let (config, diagnostics) = Config::parse("", &overrides);
    assert_eq!(config, None);
    assert_eq!(diagnostics[0].message, "`threads` is `many` (from environment WATCHKEEP_THREADS)");
}

#[test]
fn paths_of_the_file_are_relative_to_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("watchkeep.toml");
    let text = "data_dir = \"data\"\n[[inputs]]\nname = \"f\"\nkind = \"file\"\npath = \"trail.json\"";
    std::fs::write(&file, text).expect("written");
    let (config, diagnostics) = Config::load(Some(&file), &Overrides::default());
    assert_eq!(diagnostics, []);
    let config = config.expect("whole");
    assert_eq!(config.data_dir, folder.path().join("data"));
    assert_eq!(config.inputs[0].kind, InputKind::File { path: folder.path().join("trail.json") });
    let (none, diagnostics) = Config::load(Some(&folder.path().join("gone.toml")), &Overrides::default());
    assert_eq!(none, None);
    assert_eq!(diagnostics[0].code, "unreadable");
}

#[test]
fn units_are_read_and_written() {
    for (text, millis) in [("30s", 30_000), ("250ms", 250), ("1h30m", 5_400_000), ("2d", 172_800_000), ("0s", 0)] {
        let duration = parse_duration(text).expect(text);
        assert_eq!(duration.as_millis(), millis, "{text}");
        assert_eq!(parse_duration(&print_duration(duration)), Some(duration));
    }
    for (text, bytes) in [("8MiB", 8 << 20), ("512 KiB", 512 << 10), ("1GB", 1_000_000_000), ("7B", 7)] {
        assert_eq!(parse_size(text), Some(bytes), "{text}");
        assert_eq!(parse_size(&print_size(bytes)), Some(bytes));
    }
    for wrong in ["", "30", "s", "1.5h", "-1s", "3 weeks", "99999999999999999999s"] {
        assert_eq!(parse_duration(wrong), None, "{wrong}");
    }
    for wrong in ["", "8", "MiB", "8 mib", "99999999999999999999B"] {
        assert_eq!(parse_size(wrong), None, "{wrong}");
    }
}

#[test]
fn a_secret_is_read_from_its_place_and_never_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "s3cret\n").expect("written");
    let text = Secret::File(file.clone()).read().expect("there");
    assert_eq!(text.expose(), "s3cret");
    assert_eq!(format!("{text:?}"), "SecretText(…)");
    std::fs::write(&file, "\n").expect("written");
    assert!(matches!(Secret::File(file).read(), Err(SecretError::Empty(_))));
    assert!(matches!(Secret::Env("WATCHKEEP_TEST_NOT_SET".into()).read(), Err(SecretError::Env(_))));
}

#[test]
fn an_input_of_a_queue_says_what_it_lacks() {
    let told = mistakes(
        "[[inputs]]
name = \"trail\"
kind = \"s3_sqs\"
queue = \"trail\"
region = \"Ireland\"
objects = 0
visibility = \"5s\"
bucket = \"b\"",
    );
    assert_eq!(
        told,
        [
            "4:9 bad-value `inputs[0].queue` is `trail` | write the queue's URL such as \"https://sqs.eu-west-1.amazonaws.com/111122223333/trail\"",
            "5:10 bad-value `inputs[0].region` is `Ireland` | write a region such as \"eu-west-1\"",
            "6:11 bad-value `inputs[0].objects` is `0` | write a whole number from 1 to 100",
            "7:14 bad-value `inputs[0].visibility` is `5s` | write a duration from \"30s\" to \"12h\"",
            "8:1 unknown-key unknown key `bucket` in `inputs[0]` | did you mean `buckets`?",
        ]
    );
}

#[test]
fn syslog_beyond_this_machine_needs_networks_or_certificates_of_senders() {
    let input =
        |lines: &str| format!("[[inputs]]\nname = \"hosts\"\nkind = \"syslog\"\nlisten = \"0.0.0.0:514\"\n{lines}");
    for open in [
        "protocol = \"udp\"",
        "protocol = \"tcp\"\nnetworks = []",
        "protocol = \"tls\"\ncertificate = \"a\"\nkey = { env = \"K\" }",
    ] {
        let told = mistakes(&input(open));
        assert!(told.len() == 1 && told[0].contains(" reachable "), "{told:?}");
    }
    let told = mistakes(&input("protocol = \"tls\"\nnetworks = [\"0.0.0.0/0\", \"lab\"]"));
    assert_eq!(told.iter().filter(|one| one.contains("is no network of senders")).count(), 2, "{told:?}");
    assert_eq!(told.iter().filter(|one| one.contains("missing-key")).count(), 2, "{told:?}");
    parse(&input("protocol = \"tcp\"\nnetworks = [\"192.0.2.0/24\"]"));
}

#[test]
fn an_input_of_kafka_says_what_it_lacks() {
    let told = mistakes(
        "[[inputs]]
name = \"events\"
kind = \"kafka\"
brokers = [\"kafka-1\", \"me:secret@kafka-1:9093\", \"kafka-1:9093\"]
start = \"newest\"
tls = false
sasl = \"plain\"
username = \"me\"",
    );
    for expected in [
        "4:12 bad-value `kafka-1` is no `host:port` of a broker",
        "4:23 bad-value ",
        "1:1 missing-key `inputs[0]` has no `topics`",
        "5:9 bad-value `inputs[0].start` is `newest`",
        "1:1 secret-in-clear `inputs[0]` sends its password in clear",
        "1:1 missing-key `inputs[0]` has one of `sasl`",
    ] {
        assert!(told.iter().any(|one| one.starts_with(expected)), "{expected}: {told:?}");
    }
    assert_eq!(told.len(), 6, "{told:?}");
    assert!(told.iter().all(|one| !one.contains("me:secret")), "{told:?}");
}

#[test]
fn a_pattern_of_files_that_is_none_is_told() {
    let told = mistakes(
        "[[inputs]]\nname = \"x\"\nkind = \"watch\"\npath = \"in\"\nonly = [\"*.json\", \"/var/log/*\", \"[a\"]",
    );
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("5:19 bad-value `/var/log/*` is no pattern of files"), "{told:?}");
    assert!(told[1].contains("`[a` is no pattern of files"), "{told:?}");
}

#[test]
fn an_input_that_polls_says_what_it_lacks() {
    let told = mistakes(
        "[[inputs]]
name = \"okta\"
kind = \"poll\"
parameters = { domain = \"lab.okta.com/steal?\", other = 3, up = \"a..b\" }
endpoint = \"http://okta.example\"
secret = \"00abc\"
every = \"10ms\"",
    );
    for expected in [
        "1:1 missing-key `inputs[0]` has no `feed`",
        "4:25 bad-value the parameter `domain` is `lab.okta.com/steal?`",
        "4:56 wrong-type `inputs[0].parameters.other` is an integer",
        "4:64 bad-value the parameter `up` is `a..b`",
        "5:12 bad-value `inputs[0].endpoint` is `http://okta.example` | write `https://` and a host",
        "6:10 secret-in-clear ",
        "7:9 bad-value `inputs[0].every` is `10ms`",
    ] {
        assert!(told.iter().any(|one| one.starts_with(expected)), "{expected}: {told:?}");
    }
    assert!(told.iter().all(|one| !one.contains("00abc")), "{told:?}");
}

#[test]
fn an_input_of_nats_says_what_it_lacks() {
    let told = mistakes(
        "[[inputs]]
name = \"bus\"
kind = \"nats\"
servers = [\"nats-1:4222\", \"nats://me:secret@nats-1:4222\"]
consumer = \"a.b\"
token = \"t\"",
    );
    for expected in [
        "4:12 bad-value `nats-1:4222` is no server",
        "4:27 secret-in-clear ",
        "1:1 missing-key `inputs[0]` has no `stream`",
        "5:12 bad-value `inputs[0].consumer` is `a.b`",
        "6:9 secret-in-clear ",
    ] {
        assert!(told.iter().any(|one| one.starts_with(expected)), "{expected}: {told:?}");
    }
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told.iter().all(|one| !one.contains("me:secret")), "{told:?}");
}

#[test]
fn otlp_listens_on_its_usual_port_and_not_beyond_this_machine_without_a_token() {
    let text = |protocol: &str| format!("[[inputs]]\nname = \"otel\"\nkind = \"otlp\"\nprotocol = \"{protocol}\"\n");
    for (protocol, listen) in [("http", "127.0.0.1:4318"), ("grpc", "127.0.0.1:4317")] {
        let config = parse(&text(protocol));
        let InputKind::Otlp(otlp) = &config.inputs[0].kind else { panic!("otlp") };
        assert_eq!((otlp.protocol.as_str(), otlp.listen.to_string().as_str()), (protocol, listen));
    }
    assert_eq!(
        mistakes(&format!("{}listen = \"0.0.0.0:4317\"", text("grcp"))),
        [
            "1:1 reachable `inputs[0]` listens on `0.0.0.0:4317` without a token | add `token = { file = \"…\" }`, or listen on 127.0.0.1",
            "4:12 bad-value `inputs[0].protocol` is `grcp` | write one of `http`, `grpc`",
        ]
    );
}

#[test]
fn sns_names_its_topics() {
    let text = "[[inputs]]\nname = \"sns\"\nkind = \"sns\"\n";
    let remedy = "write `topics = [\"arn:aws:sns:eu-west-1:111122223333:name\"]`";
    assert_eq!(mistakes(text), [format!("1:1 missing-key `inputs[0]` names no `topics` | {remedy}")]);
    let wrong = mistakes(&format!("{text}topics = [\"arn:aws:sqs:eu-west-1:111122223333:name\"]"));
    assert_eq!(
        wrong,
        [format!("4:11 bad-value `arn:aws:sqs:eu-west-1:111122223333:name` is no topic of SNS | {remedy}")]
    );
}

#[test]
fn what_is_kept_of_what_was_said_needs_a_source_and_a_time() {
    let keep = parse("[[keep]]\nsource = \"litellm_proxy\"\nfor = \"30d\"\nbytes = \"2GiB\"\n").keep;
    let [keep] = &keep[..] else { panic!("{keep:?}") };
    assert_eq!((keep.source.as_str(), keep.retention.as_secs(), keep.bytes), ("litellm_proxy", 30 * 86_400, 2 << 30));
    assert!(parse("").keep.is_empty(), "nothing is kept unless somebody decides so");
    let told = mistakes("[[keep]]\nfor = \"ever\"\n[[keep]]\nsource = \"a\"\n");
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told.iter().any(|line| line.contains("ten years")), "{told:#?}");
}
