//! Prints the effective configuration as TOML, with where each value came from.

use std::fmt::{Display, Write};

use super::*;

/// A TOML basic string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// TOML lines with their origins.
struct Printer<'c> {
    config: &'c Config,
    prefix: String,
    out: String,
}

impl Printer<'_> {
    fn table(&mut self, header: &str, prefix: &str) {
        let _ = writeln!(self.out, "\n{header}");
        self.prefix = prefix.to_owned();
    }

    fn line(&mut self, key: &str, value: impl Display) {
        let path = if self.prefix.is_empty() { key.to_owned() } else { format!("{}.{key}", self.prefix) };
        let origin = self.config.origins.get(&path).cloned().unwrap_or(Origin::Default);
        let text = format!("{key} = {value}");
        let _ = writeln!(self.out, "{text:<48} # {origin}");
    }

    fn text(&mut self, key: &str, value: impl Display) {
        self.line(key, quoted(&value.to_string()));
    }

    fn optional(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    fn list<I: Display>(&mut self, key: &str, items: impl IntoIterator<Item = I>) {
        let items: Vec<String> = items.into_iter().map(|item| quoted(&item.to_string())).collect();
        self.line(key, format!("[{}]", items.join(", ")));
    }

    fn duration(&mut self, key: &str, value: Duration) {
        self.text(key, print_duration(value));
    }

    fn size(&mut self, key: &str, value: u64) {
        self.text(key, print_size(value));
    }
}

impl Config {
    /// The effective configuration as TOML; each line's comment says where its value came from. Secrets stay references.
    pub fn to_toml(&self) -> String {
        let mut p = Printer { config: self, prefix: String::new(), out: String::new() };
        p.text("data_dir", self.data_dir.display());
        p.line("threads", self.threads);
        self.print_sections(&mut p);
        self.print_limits(&mut p);
        for (i, keep) in self.keep.iter().enumerate() {
            p.table("[[keep]]", &format!("keep[{i}]"));
            p.text("source", &keep.source);
            p.duration("for", keep.retention);
            p.size("bytes", keep.bytes);
        }
        for (i, input) in self.inputs.iter().enumerate() {
            print_input(&mut p, i, input);
        }
        for (i, route) in self.routes.iter().enumerate() {
            print_route(&mut p, i, route);
        }
        if self.inputs.is_empty() {
            p.out.insert_str(0, "inputs = []\n");
        }
        if self.routes.is_empty() {
            p.out.insert_str(0, "routes = []\n");
        }
        p.out
    }

    fn print_sections(&self, p: &mut Printer<'_>) {
        p.table("[content]", "content");
        p.line("embedded", self.content.embedded);
        p.list("roots", self.content.roots.iter().map(|root| root.display()));
        p.table("[console]", "console");
        p.line("enabled", self.console.enabled);
        p.text("listen", self.console.listen);
        p.line("remote", self.console.remote);
        p.table("[acknowledgements]", "acknowledgements");
        p.line("enabled", self.acknowledgements.enabled);
        if let Some(token) = &self.acknowledgements.token {
            p.line("token", token);
        }
        p.table("[lake]", "lake");
        p.line("enabled", self.lake.enabled);
        p.duration("roll", self.lake.roll);
        p.table("[correlations]", "correlations");
        p.duration("late_data", self.correlations.late_data);
        p.line("groups", self.correlations.groups);
        p.size("bytes", self.correlations.bytes);
        p.line("snapshot_rows", self.correlations.snapshot_rows);
        p.duration("snapshot_every", self.correlations.snapshot_every);
        p.table("[health]", "health");
        p.list("expect", &self.health.expect);
        p.duration("canary", self.health.canary);
    }

    fn print_limits(&self, p: &mut Printer<'_>) {
        let limits = &self.limits;
        p.table("[limits]", "limits");
        p.size("record_bytes", limits.record_bytes as u64);
        p.line("depth", limits.depth);
        p.size("http_body_bytes", limits.http_body_bytes as u64);
        p.line("batch_records", limits.batch_records);
        p.size("batch_bytes", limits.batch_bytes as u64);
        p.line("queue_batches", limits.queue_batches);
        p.size("journal_segment_bytes", limits.journal_segment_bytes);
        p.size("journal_bytes", limits.journal_bytes);
    }
}

fn print_input(p: &mut Printer<'_>, i: usize, input: &InputConfig) {
    p.table("[[inputs]]", &format!("inputs[{i}]"));
    p.text("name", &input.name);
    p.text("kind", input.kind.as_str());
    p.text("source", input.source.as_ref().map_or("auto", |source| source.as_str()));
    p.text("lane", input.lane);
    match &input.kind {
        InputKind::File { path } | InputKind::Folder { path } => p.text("path", path.display()),
        InputKind::Watch { path, only, every } => {
            p.text("path", path.display());
            p.list("only", only);
            p.duration("every", *every);
        }
        InputKind::Stdin => {}
        InputKind::Http { listen, token } => {
            p.text("listen", listen);
            if let Some(token) = token {
                p.line("token", token);
            }
        }
        InputKind::Otlp(config) => {
            p.text("protocol", config.protocol.as_str());
            p.text("listen", config.listen);
            if let Some(token) = &config.token {
                p.line("token", token);
            }
        }
        InputKind::Sns(config) => {
            p.text("listen", config.listen);
            p.list("topics", &config.topics);
            if let Some(token) = &config.token {
                p.line("token", token);
            }
        }
        InputKind::S3Sqs(config) => print_s3_sqs(p, config),
        InputKind::Syslog(config) => print_syslog(p, config),
        InputKind::Nats(config) => print_nats(p, config),
        InputKind::Kafka(config) => print_kafka(p, config),
        InputKind::Poll(config) => print_poll(p, config),
        InputKind::Samples { repeat, every } => {
            p.line("repeat", repeat);
            p.duration("every", *every);
        }
    }
}

fn print_s3_sqs(p: &mut Printer<'_>, config: &S3SqsConfig) {
    p.text("queue", &config.queue);
    p.optional("region", config.region.as_ref());
    p.optional("endpoint", config.endpoint.as_ref());
    p.list("buckets", &config.buckets);
    p.line("objects", config.objects);
    p.duration("visibility", config.visibility);
    p.line("max_receives", config.max_receives);
}

fn print_syslog(p: &mut Printer<'_>, config: &SyslogConfig) {
    p.text("protocol", config.protocol.as_str());
    p.text("listen", config.listen);
    p.list("networks", &config.networks);
    p.line("connections", config.connections);
    p.size("message_bytes", config.message_bytes as u64);
    if let SyslogProtocol::Tls { certificate, key, client_ca } = &config.protocol {
        p.text("certificate", certificate.display());
        p.line("key", key);
        p.optional("client_ca", client_ca.as_ref().map(|path| path.display()));
    }
}

fn print_nats(p: &mut Printer<'_>, config: &NatsConfig) {
    p.list("servers", &config.servers);
    p.text("stream", &config.stream);
    p.text("consumer", &config.consumer);
    p.optional("subject", config.subject.as_ref());
    for (key, secret) in [("credentials", &config.credentials), ("token", &config.token)] {
        if let Some(secret) = secret {
            p.line(key, secret);
        }
    }
    p.line("tls", config.tls);
    p.optional("ca", config.ca.as_ref().map(|path| path.display()));
}

fn print_kafka(p: &mut Printer<'_>, config: &KafkaConfig) {
    p.list("brokers", &config.brokers);
    p.list("topics", &config.topics);
    p.text("start", config.start.as_str());
    p.line("tls", config.tls);
    p.optional("ca", config.ca.as_ref().map(|path| path.display()));
    if let Some(sasl) = &config.sasl {
        p.text("sasl", sasl.mechanism);
        p.text("username", &sasl.username);
        p.line("password", &sasl.password);
    }
}

fn print_poll(p: &mut Printer<'_>, config: &PollConfig) {
    p.text("feed", &config.feed);
    p.optional("endpoint", config.endpoint.as_ref());
    p.line("secret", &config.secret);
    p.duration("start", config.start);
    if let Some(every) = config.every {
        p.duration("every", every);
    }
    if !config.parameters.is_empty() {
        let pairs = config.parameters.iter().map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)));
        p.line("parameters", format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", ")));
    }
}

fn print_route(p: &mut Printer<'_>, i: usize, route: &RouteConfig) {
    p.table("[[routes]]", &format!("routes[{i}]"));
    p.text("name", &route.name);
    p.text("kind", route.kind.as_str());
    p.text("min_level", route.min_level);
    p.list("lanes", &route.lanes);
    p.list("rules", &route.rules);
    match &route.kind {
        RouteKind::NdjsonFile { path } => p.text("path", path.display()),
        RouteKind::Webhook { url, secret, timeout } => {
            p.text("url", url);
            p.line("secret", secret);
            p.duration("timeout", *timeout);
        }
        RouteKind::SplunkHec { url, token, index, sourcetype, acknowledge, timeout } => {
            p.text("url", url);
            p.line("token", token);
            if let Some(index) = index {
                p.text("index", index);
            }
            p.text("sourcetype", sourcetype);
            p.line("acknowledge", acknowledge);
            p.duration("timeout", *timeout);
        }
    }
    p.table("[routes.retry]", &format!("routes[{i}].retry"));
    p.duration("first", route.retry.first);
    p.duration("longest", route.retry.longest);
    p.duration("give_up_after", route.retry.give_up_after);
}
