//! Reading a feed's file: every mistake at once, with its place and remedy.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use model::{Diagnostic, SourceId};

use super::{Authorisation, CursorAt, Feed, Newer, Next, Order, RateLimit, Unit, placeholders};
use crate::yaml::form::millis;
use crate::yaml::{self, Entry, Node, form};

const KEYS: [&str; 16] = [
    "id",
    "title",
    "description",
    "source",
    "parameters",
    "endpoint",
    "path",
    "query",
    "headers",
    "secret",
    "records",
    "next",
    "newer",
    "order",
    "every",
    "limit",
];
const REQUIRED: [&str; 9] = ["id", "title", "source", "endpoint", "path", "secret", "records", "next", "newer"];
/// The word of `records` where the answer itself is the list.
const WHOLE: &str = "$";
/// No API is asked more often.
const EVERY_MIN_MS: i64 = 1000;

pub(super) fn parse(text: &str) -> (Option<Feed>, Vec<Diagnostic>) {
    let (documents, wrong) = yaml::parse(text);
    let mut form = Form(form::Form::new("a feed", wrong));
    let Some(document) = documents.first() else {
        form.refuse_empty("give it an `id`, a `source`, an `endpoint` and a `path`");
        return (None, form.0.wrong);
    };
    let feed = form.feed(&document.root);
    let is_usable = !form.wrong.iter().any(Diagnostic::is_error);
    (feed.filter(|_| is_usable), form.0.wrong)
}

struct Form(form::Form);

impl Deref for Form {
    type Target = form::Form;

    fn deref(&self) -> &form::Form {
        &self.0
    }
}

impl DerefMut for Form {
    fn deref_mut(&mut self) -> &mut form::Form {
        &mut self.0
    }
}

impl Form {
    fn feed(&mut self, root: &Node<'_>) -> Option<Feed> {
        let entries = self.map(root, &KEYS)?;
        self.demand(root, "feed", &REQUIRED);
        let mut feed = Feed {
            id: String::new(),
            title: String::new(),
            description: String::new(),
            source: SourceId::new(""),
            parameters: BTreeMap::new(),
            endpoint: String::new(),
            path: String::new(),
            query: BTreeMap::new(),
            headers: BTreeMap::new(),
            secret: Authorisation::default(),
            records: Vec::new(),
            next: Next::None,
            newer: Newer::default(),
            order: Order::default(),
            every_ms: 60_000,
            limit: RateLimit::default(),
        };
        for entry in entries {
            self.entry(entry, &mut feed);
        }
        self.names(root, &feed);
        Some(feed)
    }

    fn entry(&mut self, entry: &Entry<'_>, feed: &mut Feed) {
        let node = &entry.value;
        match &*entry.key {
            "id" => feed.id = self.text(node),
            "title" => feed.title = self.text(node),
            "description" => feed.description = self.text(node).trim().to_owned(),
            "source" => feed.source = SourceId::new(self.text(node)),
            "parameters" => feed.parameters = self.pairs(node),
            "endpoint" => feed.endpoint = self.endpoint(node),
            "path" => feed.path = self.path(node),
            "query" => feed.query = self.pairs(node),
            "headers" => feed.headers = self.headers(node),
            "secret" => feed.secret = self.secret(node),
            "records" => feed.records = self.keys(node),
            "next" => feed.next = self.next(node),
            "newer" => feed.newer = self.newer(node),
            "order" => feed.order = self.order(node),
            "every" => feed.every_ms = self.every(node),
            "limit" => feed.limit = self.limit(node),
            _ => {}
        }
    }

    fn demand(&mut self, node: &Node<'_>, what: &str, keys: &[&str]) {
        for key in keys.iter().filter(|key| node.as_map().is_some() && node.get(key).is_none()) {
            let message = format!("the {what} has no `{key}`");
            self.wrong.push(node.error("missing-key", message, format!("add `{key}:`")));
        }
    }

    /// `https://` and a host, nothing behind it but a path.
    fn endpoint(&mut self, node: &Node<'_>) -> String {
        let text = self.text(node);
        let host = text.strip_prefix("https://").unwrap_or_default();
        if !text.is_empty()
            && (host.is_empty() || host.starts_with('/') || text.ends_with('/') || text.contains(['?', '#', '@', ' ']))
        {
            let remedy = "write `https://` and a host, without a slash at its end: a secret goes nowhere else";
            self.wrong.push(node.error("bad-endpoint", format!("`{text}` is no endpoint"), remedy));
        }
        text
    }

    fn path(&mut self, node: &Node<'_>) -> String {
        let text = self.text(node);
        if !text.is_empty() && (!text.starts_with('/') || text.contains(['?', '#', ' '])) {
            let remedy = "begin it with `/`, and write what follows `?` under `query:`";
            self.wrong.push(node.error("bad-path", format!("`{text}` is no path"), remedy));
        }
        text
    }

    fn headers(&mut self, node: &Node<'_>) -> BTreeMap<String, String> {
        for entry in node.as_map().unwrap_or_default() {
            self.header(&entry.key, &entry.value);
            let value = entry.value.as_str().unwrap_or_default();
            if !value.chars().all(|c| (' '..='~').contains(&c)) {
                self.wrong.push(entry.value.error(
                    "bad-header",
                    "the value is no header's",
                    "write plain ASCII on one line",
                ));
            }
        }
        self.pairs(node)
    }

    fn header(&mut self, name: &str, node: &Node<'_>) {
        let fits = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(fits) {
            let message = format!("`{name}` is no header");
            self.wrong.push(node.error("bad-header", message, "write a name such as `authorization`"));
        }
    }

    fn secret(&mut self, node: &Node<'_>) -> Authorisation {
        let mut secret = Authorisation::default();
        let entries = self.map(node, &["header", "value", "about"]).unwrap_or_default();
        self.demand(node, "secret", &["header", "value", "about"]);
        for entry in entries {
            let text = self.text(&entry.value);
            match &*entry.key {
                "header" => {
                    self.header(&text, &entry.value);
                    secret.header = text.to_ascii_lowercase();
                }
                "value" => {
                    if placeholders(&text) != Ok(vec!["secret"]) {
                        let remedy = "write `{secret}` once, such as `Bearer {secret}`; the secret itself stands in no file of content";
                        self.wrong.push(entry.value.error(
                            "bad-secret",
                            "the value does not say where the secret stands",
                            remedy,
                        ));
                    }
                    secret.value = text;
                }
                "about" => secret.about = text,
                _ => {}
            }
        }
        secret
    }

    /// `data.items`, or `$` for the answer itself.
    fn keys(&mut self, node: &Node<'_>) -> Vec<String> {
        let text = self.text(node);
        if text.is_empty() || text == WHOLE {
            return Vec::new();
        }
        if text.split('.').any(str::is_empty) {
            let remedy = "write keys with dots between them, such as `data.items`, or `$` for the answer itself";
            self.wrong.push(node.error("bad-path", format!("`{text}` is no way to a value"), remedy));
        }
        text.split('.').map(str::to_owned).collect()
    }

    fn next(&mut self, node: &Node<'_>) -> Next {
        match node.as_str() {
            Some("none") => return Next::None,
            Some("link") => return Next::Link { endless: false },
            Some("endless_link") => return Next::Link { endless: true },
            _ => {}
        }
        let remedy = "write `none`, `link`, `endless_link`, `{cursor: last_id, as: after, while: has_more}` or `{last_record: id, as: after}`";
        let Some(entries) = node.as_map() else {
            let message = format!("`{}` is no way to a next page", node.as_str().unwrap_or(node.noun()));
            self.wrong.push(node.error("bad-next", message, remedy));
            return Next::None;
        };
        self.map(node, &["cursor", "last_record", "as", "while"]);
        self.demand(node, "next page", &["as"]);
        let (mut at, mut parameter, mut more) = (Vec::new(), String::new(), None);
        for entry in entries {
            match &*entry.key {
                "cursor" => at.push(CursorAt::Answer(self.keys(&entry.value))),
                "last_record" => at.push(CursorAt::LastRecord(self.keys(&entry.value))),
                "as" => parameter = self.text(&entry.value),
                "while" => more = Some(self.keys(&entry.value)),
                _ => {}
            }
        }
        if at.len() != 1 {
            self.wrong.push(node.error("bad-next", "here is not one of `cursor` and `last_record`", remedy));
        }
        at.pop().map_or(Next::None, |at| Next::Cursor { at, parameter, more })
    }

    fn newer(&mut self, node: &Node<'_>) -> Newer {
        let entries = self.map(node, &["time", "unit", "as", "write", "overlap"]).unwrap_or_default();
        self.demand(node, "way to what is newer", &["time", "overlap"]);
        let mut newer = Newer::default();
        let (mut parameter, mut value) = (None, None);
        for entry in entries {
            match &*entry.key {
                "time" => newer.time = self.keys(&entry.value),
                "unit" => newer.unit = self.unit(&entry.value),
                "as" => parameter = Some(self.text(&entry.value)),
                "write" => value = Some(self.written(&entry.value)),
                "overlap" => newer.overlap_ms = self.duration(&entry.value, 0),
                _ => {}
            }
        }
        newer.query = match (parameter, value) {
            (None, None) => None,
            (Some(parameter), Some(value)) => Some((parameter, value)),
            _ => {
                let remedy = "write both: `as: since` and `write: '{rfc3339}'`";
                self.wrong.push(node.error(
                    "missing-key",
                    "here is one of `as` and `write`, and not the other",
                    remedy,
                ));
                None
            }
        };
        newer
    }

    fn written(&mut self, node: &Node<'_>) -> String {
        let text = self.text(node);
        let is_one = matches!(placeholders(&text).as_deref(), Ok(["rfc3339" | "s" | "ms"]));
        if !text.is_empty() && !is_one {
            let remedy = "write one of `{rfc3339}`, `{s}` and `{ms}` where the time stands";
            self.wrong.push(node.error("bad-time", format!("`{text}` does not say where the time stands"), remedy));
        }
        text
    }

    fn unit(&mut self, node: &Node<'_>) -> Unit {
        match node.as_str() {
            Some("rfc3339") => Unit::Rfc3339,
            Some("s") => Unit::Seconds,
            Some("ms") => Unit::Millis,
            other => {
                let message = format!("`{}` is no unit", other.unwrap_or(node.noun()));
                self.wrong.push(node.error("bad-unit", message, "write `rfc3339`, `s` or `ms`"));
                Unit::default()
            }
        }
    }

    fn order(&mut self, node: &Node<'_>) -> Order {
        match node.as_str() {
            Some("oldest_first") => Order::OldestFirst,
            Some("newest_first") => Order::NewestFirst,
            other => {
                let message = format!("`{}` is no order", other.unwrap_or(node.noun()));
                self.wrong.push(node.error("bad-order", message, "write `oldest_first` or `newest_first`"));
                Order::default()
            }
        }
    }

    fn every(&mut self, node: &Node<'_>) -> i64 {
        self.duration(node, EVERY_MIN_MS)
    }

    fn duration(&mut self, node: &Node<'_>, least: i64) -> i64 {
        let read = node.as_str().and_then(millis).filter(|&found| found >= least);
        if read.is_none() {
            let message = format!("`{}` is not a duration that can be used", node.as_str().unwrap_or(node.noun()));
            let remedy = format!("write a number and a unit, `{}s` or more: `90s`, `30m`, `1h`", least / 1000);
            self.wrong.push(node.error("bad-duration", message, remedy));
        }
        read.unwrap_or(60_000)
    }

    fn limit(&mut self, node: &Node<'_>) -> RateLimit {
        let mut limit = RateLimit::default();
        for entry in self.map(node, &["remaining", "reset"]).unwrap_or_default() {
            let text = self.text(&entry.value);
            self.header(&text, &entry.value);
            match &*entry.key {
                "remaining" => limit.remaining = Some(text.to_ascii_lowercase()),
                "reset" => limit.reset = Some(text.to_ascii_lowercase()),
                _ => {}
            }
        }
        limit
    }

    /// Every name in braces is a parameter, and every parameter is used.
    fn names(&mut self, root: &Node<'_>, feed: &Feed) {
        let mut used = Vec::new();
        let texts = [("endpoint", &feed.endpoint), ("path", &feed.path)];
        let query = feed.query.values().map(|value| ("query", value));
        for (key, text) in texts.into_iter().chain(query) {
            let node = root.get(key).unwrap_or(root);
            let Ok(names) = placeholders(text) else {
                let remedy = "write `{name}` for a parameter";
                self.wrong.push(node.error("bad-parameter", format!("a brace in `{text}` has no other half"), remedy));
                continue;
            };
            for name in names.iter().filter(|name| !feed.parameters.contains_key(**name)) {
                let message = format!("`{{{name}}}` is no parameter of the feed");
                let remedy = format!("say under `parameters:` what it is: `{name}: …`");
                self.wrong.push(node.error("unknown-parameter", message, remedy));
            }
            used.extend(names);
        }
        for name in feed.parameters.keys().filter(|name| !used.contains(&name.as_str())) {
            let node = root.get("parameters").unwrap_or(root);
            let message = format!("the parameter `{name}` stands nowhere");
            self.wrong.push(node.error(
                "unused-parameter",
                message,
                "use it in `endpoint`, `path` or `query`, or remove it",
            ));
        }
    }
}
