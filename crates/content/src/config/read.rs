//! From TOML text to a checked [`Config`].

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::{Diagnostic, Lane, Level, SourceId};
use toml::de::DeTable;

use super::files::read_globs;
use super::logs::read_kafka;
use super::network::{read_listener, read_nats, read_otlp, read_s3_sqs, read_sns, read_syslog};
use super::poll::read_poll;
use super::reader::{Reader, Section, Shape, not_empty};
use super::*;
use crate::nearest::nearest;

/// Environment variables with this prefix set keys: `WATCHKEEP_CONSOLE_LISTEN` sets `console.listen`.
pub const ENVIRONMENT_PREFIX: &str = "WATCHKEEP_";

/// Variables with the prefix that are not keys of the file: flags, and what steers the project's own checks.
const RESERVED: [&str; 10] =
    ["CONFIG", "FORMAT", "DATA", "LOG", "BIN", "CACHE", "CI_SECONDS", "CRASH_POINTS", "CRASH_SEED", "UPDATE"];

/// Values from outside the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    environment: BTreeMap<String, String>,
    flags: BTreeMap<String, (String, String)>,
}

impl Overrides {
    /// Takes the variables that begin with [`ENVIRONMENT_PREFIX`].
    pub fn from_environment(variables: impl IntoIterator<Item = (String, String)>) -> Overrides {
        let environment = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(ENVIRONMENT_PREFIX)?.to_owned(), value)))
            .filter(|(name, _)| !RESERVED.contains(&name.as_str()))
            .collect();
        Overrides { environment, flags: BTreeMap::new() }
    }

    /// Sets the key at a dotted path, as `flag` asks.
    pub fn set_flag(&mut self, path: &str, flag: &str, value: impl Into<String>) {
        self.flags.insert(path.to_owned(), (flag.to_owned(), value.into()));
    }

    pub(super) fn get(&self, path: &str) -> Option<(String, Origin)> {
        if let Some((flag, value)) = self.flags.get(path) {
            return Some((value.clone(), Origin::Flag(flag.clone())));
        }
        let name = variable(path);
        let value = self.environment.get(&name)?;
        Some((value.clone(), Origin::Environment(format!("{ENVIRONMENT_PREFIX}{name}"))))
    }
}

/// The variable of a dotted path, without the prefix.
fn variable(path: &str) -> String {
    path.replace('.', "_").to_ascii_uppercase()
}

impl Config {
    /// Reads the file at `path` (none: an empty one), under `overrides`.
    ///
    /// Shape: `None` when anything is an error; every diagnostic carries the file's name.
    pub fn load(path: Option<&Path>, overrides: &Overrides) -> (Option<Config>, Vec<Diagnostic>) {
        let Some(path) = path else { return Config::parse("", overrides) };
        let name = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("the file cannot be read: {error}");
                let remedy = "name a file that exists, or leave the flag away to run on the defaults";
                return (None, vec![Diagnostic::error(0, 0, "unreadable", message, remedy).in_file(name)]);
            }
        };
        let base = path.parent().unwrap_or(Path::new(""));
        let (config, diagnostics) = Config::parse_in(&text, base, overrides);
        (config, diagnostics.into_iter().map(|diagnostic| diagnostic.in_file(name.clone())).collect())
    }

    /// Reads a TOML text whose relative paths stay as they are.
    pub fn parse(text: &str, overrides: &Overrides) -> (Option<Config>, Vec<Diagnostic>) {
        Config::parse_in(text, Path::new(""), overrides)
    }

    fn parse_in(text: &str, base: &Path, overrides: &Overrides) -> (Option<Config>, Vec<Diagnostic>) {
        let (document, syntax) = DeTable::parse_recoverable(text);
        let mut reader = Reader::new(text, base, overrides);
        for error in syntax {
            let offset = error.span().map_or(0, |span| span.start);
            reader.error(offset, "not-toml", error.message().to_owned(), "correct the TOML at this place");
        }
        let config = read(&mut reader, document.get_ref());
        unknown_variables(&mut reader, overrides);
        let mut diagnostics = reader.diagnostics;
        // A value on a line that is no TOML is what the parser made of it, not what its author wrote.
        let broken: Vec<usize> =
            diagnostics.iter().filter(|wrong| wrong.code == "not-toml").map(|wrong| wrong.line).collect();
        diagnostics.retain(|wrong| wrong.code == "not-toml" || !broken.contains(&wrong.line));
        diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        let refused = diagnostics.iter().any(Diagnostic::is_error);
        ((!refused).then_some(config), diagnostics)
    }
}

fn read<'d>(reader: &mut Reader<'d>, document: &'d DeTable<'d>) -> Config {
    let mut root = reader.root(document);
    let data_dir = reader.path(&mut root, "data_dir").unwrap_or_else(|| PathBuf::from("./watchkeep-data"));
    let threads = reader.value(&mut root, "threads", Shape::Number, 0, whole::<usize>);
    let content = read_content(reader, &mut root);
    let console = read_console(reader, &mut root);
    let acknowledgements = read_acknowledgements(reader, &mut root);
    let lake = read_lake(reader, &mut root);
    let correlations = read_correlations(reader, &mut root);
    let health = read_health(reader, &mut root);
    let limits = read_limits(reader, &mut root);
    let keep = read_keep(reader, &mut root);
    let inputs = read_inputs(reader, &mut root);
    let routes = read_routes(reader, &mut root);
    reader.finish(root);
    let origins = std::mem::take(&mut reader.origins);
    Config {
        data_dir,
        threads,
        content,
        console,
        acknowledgements,
        lake,
        correlations,
        health,
        keep,
        inputs,
        routes,
        limits,
        origins,
    }
}

fn read_content<'d>(reader: &mut Reader<'d>, root: &mut Section<'d>) -> ContentConfig {
    let mut section = reader.section(root, "content");
    let content = ContentConfig {
        embedded: reader.value(&mut section, "embedded", Shape::Switch, true, switch),
        roots: reader.paths(&mut section, "roots").unwrap_or_default(),
    };
    reader.finish(section);
    content
}

fn read_console<'d>(reader: &mut Reader<'d>, root: &mut Section<'d>) -> ConsoleConfig {
    let mut section = reader.section(root, "console");
    let console = ConsoleConfig {
        enabled: reader.value(&mut section, "enabled", Shape::Switch, true, switch),
        listen: reader.value(&mut section, "listen", Shape::Text, loopback(8786), address),
        remote: reader.value(&mut section, "remote", Shape::Switch, false, switch),
    };
    if !console.remote && !console.listen.ip().is_loopback() {
        let message = format!("`console.listen` is `{}`, which other machines can reach", console.listen);
        let remedy = "listen on 127.0.0.1, or put TLS in front and set `remote = true`";
        reader.error(section.offset(), "reachable", message, remedy);
    }
    reader.finish(section);
    console
}

fn read_acknowledgements<'d>(reader: &mut Reader<'d>, root: &mut Section<'d>) -> AcknowledgementsConfig {
    let mut section = reader.section(root, "acknowledgements");
    let acknowledgements = AcknowledgementsConfig {
        enabled: reader.value(&mut section, "enabled", Shape::Switch, true, switch),
        token: reader.secret(&mut section, "token"),
    };
    reader.finish(section);
    acknowledgements
}

fn read_lake<'d>(reader: &mut Reader<'d>, root: &mut Section<'d>) -> LakeConfig {
    let mut section = reader.section(root, "lake");
    let lake = LakeConfig {
        enabled: reader.value(&mut section, "enabled", Shape::Switch, true, switch),
        roll: duration(reader, &mut section, "roll", 300_000),
    };
    reader.finish(section);
    lake
}

fn read_correlations<'d>(reader: &mut Reader<'d>, root: &mut Section<'d>) -> CorrelationsConfig {
    let mut section = reader.section(root, "correlations");
    let s = &mut section;
    let correlations = CorrelationsConfig {
        late_data: duration(reader, s, "late_data", 900_000),
        groups: reader.value(s, "groups", Shape::Number, 1_000_000, positive),
        bytes: size(reader, s, "bytes", 1 << 30),
        snapshot_rows: reader.value(s, "snapshot_rows", Shape::Number, 20_000, positive),
        snapshot_every: duration(reader, s, "snapshot_every", 600_000),
    };
    reader.finish(section);
    correlations
}

/// The shortest time between two canaries.
const CANARY_MIN: Duration = Duration::from_secs(10);

fn read_health<'d>(reader: &mut Reader<'d>, root: &mut Section<'d>) -> HealthConfig {
    let mut section = reader.section(root, "health");
    let expect = reader.list(&mut section, "expect").unwrap_or_default();
    let expect = expect.into_iter().map(|(source, _)| SourceId::new(source)).collect();
    let canary = duration(reader, &mut section, "canary", 300_000);
    if !canary.is_zero() && canary < CANARY_MIN {
        let message = format!("`health.canary` is `{}`", print_duration(canary));
        reader.error(section.offset(), "bad-value", message, "write `10s` or more, or `0s` for none");
    }
    reader.finish(section);
    HealthConfig { expect, canary }
}

fn read_limits<'d>(reader: &mut Reader<'d>, root: &mut Section<'d>) -> LimitsConfig {
    let mut section = reader.section(root, "limits");
    let s = &mut section;
    let limits = LimitsConfig {
        record_bytes: size(reader, s, "record_bytes", 8 << 20) as usize,
        depth: reader.value(s, "depth", Shape::Number, 128, positive),
        http_body_bytes: size(reader, s, "http_body_bytes", 64 << 20) as usize,
        batch_records: reader.value(s, "batch_records", Shape::Number, 5000, positive),
        batch_bytes: size(reader, s, "batch_bytes", 4 << 20) as usize,
        queue_batches: reader.value(s, "queue_batches", Shape::Number, 8, positive),
        journal_segment_bytes: size(reader, s, "journal_segment_bytes", 64 << 20),
        journal_bytes: size(reader, s, "journal_bytes", 4 << 30),
    };
    if limits.journal_bytes < limits.journal_segment_bytes {
        let message = "`limits.journal_bytes` is less than `limits.journal_segment_bytes`";
        reader.error(section.offset(), "bad-value", message, "give the journal room for at least one segment");
    }
    reader.finish(section);
    limits
}

fn read_inputs<'d>(reader: &mut Reader<'d>, root: &mut Section<'d>) -> Vec<InputConfig> {
    let Some(sections) = reader.sections(root, "inputs") else { return default_inputs() };
    let mut names = BTreeMap::new();
    sections.into_iter().filter_map(|section| read_input(reader, section, &mut names)).collect()
}

/// The words after `kind = ` of an input.
const INPUT_KINDS: &[&str] = &[
    "file", "folder", "watch", "stdin", "http", "otlp", "sns", "s3_sqs", "syslog", "nats", "kafka", "poll", "samples",
];

fn default_inputs() -> Vec<InputConfig> {
    let samples = InputKind::Samples { repeat: false, every: Duration::from_millis(25) };
    let http = InputKind::Http { listen: loopback(8787), token: None };
    vec![
        InputConfig { name: "samples".into(), source: None, lane: Lane::Sample, kind: samples },
        InputConfig { name: "http".into(), source: None, lane: Lane::Live, kind: http },
    ]
}

fn read_input<'d>(
    reader: &mut Reader<'d>,
    mut section: Section<'d>,
    names: &mut BTreeMap<String, usize>,
) -> Option<InputConfig> {
    let s = &mut section;
    let name = reader.required(s, "name", name_text);
    unique(reader, s, name.as_deref(), names);
    let source = reader.optional(s, "source", Shape::Text, not_empty);
    let source = source.filter(|source| source != "auto").map(|source| SourceId::new(source.as_str()));
    let word = reader.required(s, "kind", one_of(INPUT_KINDS));
    let sample = word.as_deref() == Some("samples");
    let lane = reader.value(s, "lane", Shape::Text, if sample { Lane::Sample } else { Lane::Live }, lane);
    if sample && lane != Lane::Sample {
        reader.error(s.offset(), "bad-value", "samples are always on lane `sample`", "remove `lane`");
    }
    let kind = word.and_then(|word| read_input_kind(reader, s, &word));
    reader.finish(section);
    Some(InputConfig { name: name?, source, lane, kind: kind? })
}

fn read_input_kind<'d>(reader: &mut Reader<'d>, s: &mut Section<'d>, word: &str) -> Option<InputKind> {
    Some(match word {
        "file" => InputKind::File { path: reader.required_path(s, "path")? },
        "folder" => InputKind::Folder { path: reader.required_path(s, "path")? },
        "watch" => {
            let (only, every) = (read_globs(reader, s, "only"), duration(reader, s, "every", 2000));
            InputKind::Watch { path: reader.required_path(s, "path")?, only, every }
        }
        "stdin" => InputKind::Stdin,
        "otlp" => InputKind::Otlp(read_otlp(reader, s)?),
        "sns" => InputKind::Sns(read_sns(reader, s)?),
        "s3_sqs" => InputKind::S3Sqs(read_s3_sqs(reader, s)?),
        "nats" => InputKind::Nats(read_nats(reader, s)?),
        "kafka" => InputKind::Kafka(read_kafka(reader, s)?),
        "poll" => InputKind::Poll(read_poll(reader, s)?),
        "syslog" => InputKind::Syslog(read_syslog(reader, s)?),
        "samples" => InputKind::Samples {
            repeat: reader.value(s, "repeat", Shape::Switch, false, switch),
            every: duration(reader, s, "every", 25),
        },
        _ => {
            let (listen, token) = read_listener(reader, s, 8787);
            InputKind::Http { listen, token }
        }
    })
}

fn read_keep<'d>(reader: &mut Reader<'d>, root: &mut Section<'d>) -> Vec<KeepConfig> {
    let sections = reader.sections(root, "keep").unwrap_or_default();
    sections.into_iter().filter_map(|section| read_keep_one(reader, section)).collect()
}

fn read_keep_one<'d>(reader: &mut Reader<'d>, mut section: Section<'d>) -> Option<KeepConfig> {
    let s = &mut section;
    let source = reader.required(s, "source", not_empty);
    let retention = reader.required(s, "for", days);
    let bytes = size(reader, s, "bytes", 10 << 30);
    reader.finish(section);
    Some(KeepConfig { source: SourceId::new(source?), retention: retention?, bytes })
}

/// What is kept for ever was not decided on.
fn days(text: &str) -> Result<Duration, String> {
    let parsed = parse_duration(text).filter(|one| (3600..=3660 * 86_400).contains(&one.as_secs()));
    parsed.ok_or_else(|| "a duration from \"1h\" to ten years, such as \"30d\"".to_owned())
}

fn read_routes<'d>(reader: &mut Reader<'d>, root: &mut Section<'d>) -> Vec<RouteConfig> {
    let Some(sections) = reader.sections(root, "routes") else { return vec![default_route()] };
    let mut names = BTreeMap::new();
    sections.into_iter().filter_map(|section| read_route(reader, section, &mut names)).collect()
}

fn default_route() -> RouteConfig {
    RouteConfig {
        name: "alerts_file".into(),
        min_level: Level::Informational,
        lanes: Lane::ALL.to_vec(),
        rules: Vec::new(),
        kind: RouteKind::NdjsonFile { path: PathBuf::from("alerts.ndjson") },
        retry: DEFAULT_RETRY,
    }
}

const DEFAULT_RETRY: RetryConfig = RetryConfig {
    first: Duration::from_secs(5),
    longest: Duration::from_secs(120),
    give_up_after: Duration::from_secs(24 * 3600),
};

fn read_route<'d>(
    reader: &mut Reader<'d>,
    mut section: Section<'d>,
    names: &mut BTreeMap<String, usize>,
) -> Option<RouteConfig> {
    let s = &mut section;
    let name = reader.required(s, "name", name_text);
    unique(reader, s, name.as_deref(), names);
    let min_level = reader.value(s, "min_level", Shape::Text, Level::Low, level);
    let lanes = read_lanes(reader, s);
    let rules = reader.list(s, "rules").unwrap_or_default().into_iter().map(|(rule, _)| rule).collect();
    let retry = read_retry(reader, s);
    let word = reader.required(s, "kind", one_of(&["ndjson_file", "webhook", "splunk_hec"]));
    let kind = word.and_then(|word| read_route_kind(reader, s, &word));
    reader.finish(section);
    Some(RouteConfig { name: name?, min_level, lanes, rules, kind: kind?, retry })
}

fn read_route_kind<'d>(reader: &mut Reader<'d>, s: &mut Section<'d>, word: &str) -> Option<RouteKind> {
    Some(match word {
        "ndjson_file" => RouteKind::NdjsonFile { path: PathBuf::from(reader.required(s, "path", not_empty)?) },
        "webhook" => {
            let (address, secret) = (reader.required(s, "url", url), reader.required_secret(s, "secret"));
            let timeout = duration(reader, s, "timeout", 20_000);
            RouteKind::Webhook { url: address?, secret: secret?, timeout }
        }
        _ => {
            let (address, token) = (reader.required(s, "url", url), reader.required_secret(s, "token"));
            let index = reader.optional(s, "index", Shape::Text, not_empty);
            let sourcetype = reader.value(s, "sourcetype", Shape::Text, "watchkeep:alert".into(), not_empty);
            let acknowledge = reader.value(s, "acknowledge", Shape::Switch, true, switch);
            let timeout = duration(reader, s, "timeout", 20_000);
            RouteKind::SplunkHec { url: address?, token: token?, index, sourcetype, acknowledge, timeout }
        }
    })
}

fn read_lanes<'d>(reader: &mut Reader<'d>, section: &mut Section<'d>) -> Vec<Lane> {
    let Some(items) = reader.list(section, "lanes") else { return vec![Lane::Live] };
    let mut lanes = Vec::new();
    for (word, offset) in items {
        match lane(&word) {
            Ok(lane) => lanes.push(lane),
            Err(expected) => {
                reader.error(offset, "bad-value", format!("`{word}` is no lane"), format!("write {expected}"));
            }
        }
    }
    lanes
}

fn read_retry<'d>(reader: &mut Reader<'d>, parent: &mut Section<'d>) -> RetryConfig {
    let mut section = reader.section(parent, "retry");
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).expect("the defaults are short");
    let retry = RetryConfig {
        first: duration(reader, &mut section, "first", millis(DEFAULT_RETRY.first)),
        longest: duration(reader, &mut section, "longest", millis(DEFAULT_RETRY.longest)),
        give_up_after: duration(reader, &mut section, "give_up_after", millis(DEFAULT_RETRY.give_up_after)),
    };
    reader.finish(section);
    retry
}

/// Reports a name that stands twice.
fn unique<'d>(reader: &mut Reader<'d>, section: &Section<'d>, name: Option<&str>, names: &mut BTreeMap<String, usize>) {
    let Some(name) = name else { return };
    if names.insert(name.to_owned(), section.offset()).is_some() {
        let message = format!("the name `{name}` stands twice");
        reader.error(section.offset(), "duplicate-name", message, "give each its own name");
    }
}

fn unknown_variables(reader: &mut Reader<'_>, overrides: &Overrides) {
    let known: Vec<String> = reader_paths();
    for name in overrides.environment.keys().filter(|name| !known.contains(name)) {
        let remedy = match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{ENVIRONMENT_PREFIX}{near}`?"),
            None => "see `watchkeep config show` for the keys".to_owned(),
        };
        let message = format!("the environment variable `{ENVIRONMENT_PREFIX}{name}` sets nothing");
        reader.diagnostics.push(Diagnostic::warning(0, 0, "unknown-variable", message, remedy));
    }
}

/// The variables that set a key: every key outside arrays.
fn reader_paths() -> Vec<String> {
    let none = Overrides::default();
    let document = DeTable::default();
    let mut reader = Reader::new("", Path::new(""), &none);
    let config = read(&mut reader, &document);
    config.origins.keys().map(|path| variable(path)).collect()
}

pub(super) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

pub(super) fn duration<'d>(
    reader: &mut Reader<'d>,
    section: &mut Section<'d>,
    key: &'static str,
    default_ms: u64,
) -> Duration {
    let parse = |text: &str| parse_duration(text).ok_or_else(|| "a duration such as \"30s\" or \"1h\"".to_owned());
    reader.value(section, key, Shape::Text, Duration::from_millis(default_ms), parse)
}

pub(super) fn size<'d>(reader: &mut Reader<'d>, section: &mut Section<'d>, key: &'static str, default: u64) -> u64 {
    let parse = |text: &str| {
        parse_size(text).filter(|bytes| *bytes > 0).ok_or_else(|| "a size such as \"8MiB\" or \"512KiB\"".to_owned())
    };
    reader.value(section, key, Shape::Text, default, parse)
}

fn whole<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "a whole number from 0".to_owned())
}

pub(super) fn positive(text: &str) -> Result<usize, String> {
    whole(text).ok().filter(|number| *number > 0).ok_or_else(|| "a whole number from 1".to_owned())
}

pub(super) fn switch(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "true or false".to_owned())
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "an address and port such as \"127.0.0.1:8786\"".to_owned())
}

pub(super) fn url(text: &str) -> Result<String, String> {
    let plain = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match plain {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') => Ok(text.to_owned()),
        _ => Err("an address such as \"https://soc.example/hook\"".to_owned()),
    }
}

fn level(text: &str) -> Result<Level, String> {
    text.parse().map_err(|()| format!("one of {}", words(Level::ALL.map(Level::as_str))))
}

fn lane(text: &str) -> Result<Lane, String> {
    Lane::parse(text).ok_or_else(|| format!("one of {}", words(Lane::ALL.map(Lane::as_str))))
}

/// A name for ledgers, metrics and messages: letters, digits, `_`, `-` and `.`.
fn name_text(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !text.is_empty() && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("a name of letters, digits, `_`, `-` and `.`".to_owned())
    }
}

pub(super) fn one_of(choices: &'static [&'static str]) -> impl Fn(&str) -> Result<String, String> {
    move |text| {
        if choices.contains(&text) {
            return Ok(text.to_owned());
        }
        let hint = nearest(text, choices.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
        Err(format!("one of {}{}", words(choices.iter().copied()), hint.unwrap_or_default()))
    }
}

fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
