//! `watchkeep explain`: a rule against a record, term by term; a rule over time against records, group by group.

mod over_time;

use std::io::{Read, Write};
use std::path::PathBuf;

use clap::Args;
use engine::sigma::{Explanation, Node};
use engine::{Engine, ExplainError, Format as StreamFormat, Given};
use model::{Lane, Reject, SourceId};

use super::check::{engine_limits, load, refuse_missing};
use crate::clock;
use crate::context::{Context, stdout, write_json, write_ndjson};
use crate::globals::Format;
use crate::status::{Failure, Outcome, Status};
use crate::style::Paint;

pub const EXAMPLES: &str = "\
Examples:
  watchkeep explain s3_weights_read_outside_custody record.json
  head -1 cloudtrail.ndjson | watchkeep explain 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11 -
  watchkeep explain \"AWS Root Credentials\" record.json --rules sigma/ --format json
  watchkeep explain \"Secrets Listed and Read in Bulk\" trail/*.json --group userIdentity.arn=arn:aws:iam::123456789012:user/ana";

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The rule: its id, title, name, or the name of its file without `.yml`.
    rule: String,
    /// Files of records, or `-` for standard input.
    #[arg(required = true)]
    events: Vec<PathBuf>,
    /// Of a rule over time, only groups with this value of this field; may be given several times.
    #[arg(long, value_name = "FIELD=VALUE")]
    group: Vec<String>,
    /// The source of the records; recognised when it is not given.
    #[arg(long, value_name = "ID")]
    source: Option<String>,
    /// Further files or folders of rules.
    #[arg(long, value_name = "DIR")]
    rules: Vec<PathBuf>,
    /// Only so many records from the start; of a rule over time, only so many groups.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

/// Explains a rule.
pub fn run(context: &Context, args: &ExplainArgs) -> Outcome {
    refuse_missing(&args.rules)?;
    let config = context.config()?;
    let (catalogue, diagnostics) = load(&context.roots(&config, true, &args.rules));
    if let Some(correlation) = over_time::find(&catalogue, &args.rule) {
        let source = args.source.as_deref();
        return over_time::explain(context, &catalogue, engine_limits(&config), correlation, args, source);
    }
    if !args.group.is_empty() {
        return Err(Failure::author(format!("`{}` is no rule over time, so it has no groups", args.rule)));
    }
    let Some(entry) = catalogue.find_rule(&args.rule) else {
        context.tell(&diagnostics.into_iter().filter(|wrong| wrong.is_error()).collect::<Vec<_>>())?;
        let near = catalogue.nearest_rule(&args.rule).map(|near| format!("; did you mean `{near}`?"));
        let message = format!("no rule has the id, title, name or file `{}`{}", args.rule, near.unwrap_or_default());
        return Err(Failure::author(message));
    };
    let alone = catalogue.with_rules(|other| other.rule.id == entry.rule.id);
    let (engine, wrong) = alone.compile(engine_limits(&config));
    if engine.rules().is_empty() {
        context.tell(&wrong)?;
        return Err(Failure::author(format!("rule `{}` cannot be compiled", entry.rule.title)));
    }
    let source = known_source(&engine, args.source.as_deref())?;
    let given = Given { source, received: clock::now(), lane: Lane::Test };
    let mut bytes = Vec::new();
    for event in &args.events {
        bytes.extend(read(event)?);
    }
    let explanations = explain_stream(&engine, entry.rule.id.as_str(), &bytes, &given, args.limit)?;
    print(context, &explanations)?;
    Ok(Status::Fine)
}

/// The source called `id`; an unknown one is the author's error.
pub fn known_source(engine: &Engine, id: Option<&str>) -> Result<Option<SourceId>, Failure> {
    let Some(id) = id.filter(|id| *id != "auto") else { return Ok(None) };
    match engine.sources().iter().find(|source| source.id.as_str() == id) {
        Some(source) => Ok(Some(source.id.clone())),
        None => {
            let known: Vec<&str> = engine.sources().iter().map(|source| source.id.as_str()).collect();
            Err(Failure::author(format!("there is no source `{id}`; there are: auto, {}", known.join(", "))))
        }
    }
}

fn read(event: &PathBuf) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    if event.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    let wrong = |error| Failure::author(format!("`{}` cannot be read: {error}", event.display()));
    let file = std::fs::File::open(event).map_err(wrong)?;
    let (_, mut plain) = framing::decompress::open(file).map_err(wrong)?;
    plain.read_to_end(&mut bytes).map_err(wrong)?;
    Ok(bytes)
}

fn explain_stream(
    engine: &Engine,
    rule: &str,
    bytes: &[u8],
    given: &Given,
    limit: usize,
) -> Result<Vec<Explanation>, Failure> {
    let mut explanations = Vec::new();
    let mut failure: Option<ExplainError> = None;
    let mut each = |frame: engine::Frame<'_>| {
        if explanations.len() >= limit {
            return;
        }
        let result = match frame.outcome {
            Ok(()) => engine.explain(rule, frame.bytes, given),
            Err(reason) => Err(ExplainError::Rejected(reason)),
        };
        match result {
            Ok(more) => explanations.extend(more),
            Err(error) => {
                failure.get_or_insert(error);
            }
        }
    };
    let mut framer = engine.framer(StreamFormat::Auto);
    framer.push(bytes, &mut each);
    framer.finish(&mut each);
    explanations.truncate(limit);
    match failure {
        Some(error) if explanations.is_empty() => Err(told(&error)),
        None if explanations.is_empty() => Err(Failure::author("there is no record")),
        _ => Ok(explanations),
    }
}

fn told(error: &ExplainError) -> Failure {
    match error {
        ExplainError::Rejected(reason) => rejected(*reason),
        other => Failure::author(other),
    }
}

fn rejected(reason: Reject) -> Failure {
    Failure::author(format!(
        "the record is rejected as `{reason}`: {}\n  remedy: {}",
        reason.explain(),
        reason.remedy()
    ))
}

fn print(context: &Context, explanations: &[Explanation]) -> Result<(), Failure> {
    match context.format_or_text() {
        Format::Json => write_json(&explanations),
        Format::Ndjson => write_ndjson(explanations),
        Format::Ocsf | Format::Yaml => {
            Err(Failure::author("that format is for other verbs; use table, json or ndjson here"))
        }
        Format::Table => {
            let mut out = stdout();
            for (i, explanation) in explanations.iter().enumerate() {
                if i > 0 {
                    writeln!(out)?;
                }
                write!(out, "{}", render(explanation, context.paint))?;
            }
            Ok(out.flush()?)
        }
    }
}

/// The explanation as a tree: `✓` held, `✗` did not.
fn render(explanation: &Explanation, paint: Paint) -> String {
    let verdict = if explanation.held { paint.bad("fires") } else { paint.good("stays silent") };
    let mut out = format!("{} {}: {verdict}\n", mark(explanation.held, paint), paint.bold(&explanation.title));
    render_node(&explanation.tree, 1, paint, &mut out);
    out
}

fn mark(held: bool, paint: Paint) -> String {
    if held { paint.good("✓") } else { paint.bad("✗") }
}

fn render_node(node: &Node, depth: usize, paint: Paint, out: &mut String) {
    let indent = "  ".repeat(depth);
    out.push_str(&format!("{indent}{} {}", mark(node.held, paint), node.label));
    if let Some(term) = &node.term {
        let seen = if term.seen.is_empty() { "absent".to_owned() } else { term.seen.join(", ") };
        let why = if term.note.is_empty() { &seen } else { &term.note };
        out.push_str(&format!("  {}", paint.dim(format!("← {why}"))));
    }
    out.push('\n');
    for child in &node.children {
        render_node(child, depth + 1, paint, out);
    }
}
