//! `watchkeep sources export`: records as events of a published schema, for systems that read that and not ours.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use content::Root;
use engine::{Engine, Event, ecs, ocsf};
use indicatif::ProgressBar;
use lake::export::ParquetExport;
use model::{Finding, SourceId};
use pipeline::scan::{Convert, Converted, Progress, ScanOptions, ScanReport, ScanSink, scan};

use crate::clock;
use crate::context::Context;
use crate::progress;
use crate::status::{Blame, Failure, Outcome, Status};
use crate::table::{counted, group};
use crate::verbs::check::engine_limits;
use crate::verbs::explain::known_source;
use crate::verbs::scan as scanning;

pub const EXAMPLES: &str = "\
Events go to standard output, or to the file of --output, one JSON object a line; as Parquet, one file for each source goes to the folder
of --output. What the source calls sensitive leaves as size and digest.

Exit status: 0 every record became an event · 2 some were rejected, or a file could not be read to its end · 3 environment error.

Examples:
  watchkeep sources export cloudtrail/ --to ocsf > events.ndjson
  watchkeep sources export cloudtrail/ --to ocsf --as parquet --output ocsf/
  zcat flow.log.gz | watchkeep sources export - --to ecs --source aws_vpc_flow_log";

/// Arguments of `sources export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Files, folders, or `-` for standard input; plain, gzip or zstd; JSON in any layout, or lines.
    #[arg(required = true)]
    path: Vec<PathBuf>,
    /// The schema to write.
    #[arg(long, value_name = "SCHEMA")]
    to: Schema,
    /// How to write it.
    #[arg(long = "as", value_name = "FORM", default_value = "ndjson")]
    form: Form,
    /// The source of every record; `auto` recognises each.
    #[arg(long, value_name = "ID", default_value = "auto")]
    source: String,
    /// The file, or for Parquet the folder, to write to.
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Each event carries its record as well: `raw_data` in OCSF, `event.original` in ECS.
    #[arg(long)]
    raw: bool,
    /// Threads that convert; as many as the machine has when nothing is said.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// A published schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Schema {
    /// Open Cybersecurity Schema Framework.
    Ocsf,
    /// Elastic Common Schema.
    Ecs,
}

/// A form of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// One JSON object a line.
    Ndjson,
    /// Apache Parquet, one file for each source.
    Parquet,
}

/// Exports.
pub fn run(context: &Context, args: &ExportArgs) -> Outcome {
    let inputs = scanning::inputs(&args.path)?;
    let config = context.config()?;
    let roots = context.roots(&config, true, &[]).into_iter().map(|root| Root::WithoutRules(Box::new(root)));
    let (catalogue, _) = content::load(&roots.collect::<Vec<_>>());
    let (engine, _) = catalogue.compile(engine_limits(&config));
    let mut sink = Writing::open(args)?;
    let bar = progress::bytes(scanning::total_bytes(&inputs));
    sink.bar = bar.clone();
    let options = ScanOptions {
        source: known_source(&engine, Some(&args.source))?,
        threads: scanning::threads(args.threads.unwrap_or(config.threads)),
        convert: Some(convert(&engine, args)),
        ..ScanOptions::at(clock::now())
    };
    let tell = |progress: Progress| bar.set_position(progress.bytes);
    let report = scan(&inputs, &engine, &options, &mut sink, &tell);
    bar.finish_and_clear();
    let report = report.map_err(Failure::author)?;
    let written = sink.finish()?;
    summary(context, &report, &written)?;
    Ok(if report.is_whole() && report.total().rejected() == 0 { Status::Fine } else { Status::Author })
}

fn convert(engine: &Engine, args: &ExportArgs) -> Convert {
    let options = ocsf::Options { raw_data: args.raw };
    match args.to {
        Schema::Ocsf => {
            let exporter = ocsf::Exporter::new(engine.sources());
            Convert(Arc::new(move |event: &Event<'_>| {
                let event = exporter.export(event, options)?.event;
                Some(serde_json::to_vec(&event).expect("its keys are text"))
            }))
        }
        Schema::Ecs => {
            let exporter = ecs::Exporter::new(engine.sources());
            Convert(Arc::new(move |event: &Event<'_>| {
                Some(serde_json::to_vec(&exporter.export(event, options)).expect("its keys are text"))
            }))
        }
    }
}

/// What was written.
#[derive(Default)]
struct Written {
    events: BTreeMap<SourceId, u64>,
    files: Vec<PathBuf>,
}

enum To {
    Lines(BufWriter<Box<dyn Write>>),
    Parquet(ParquetExport),
}

struct Writing {
    to: To,
    /// Where lines go until all are there, and where they then lie.
    rename: Option<(PathBuf, PathBuf)>,
    bar: ProgressBar,
    written: Written,
    error: Option<Failure>,
}

impl Writing {
    fn open(args: &ExportArgs) -> Result<Writing, Failure> {
        let mut rename = None;
        let to = match (args.form, &args.output) {
            (Form::Parquet, None) => {
                return Err(Failure::author("Parquet goes to a folder: name it with --output"));
            }
            (Form::Parquet, Some(folder)) => To::Parquet(ParquetExport::create(folder).environment()?),
            (Form::Ndjson, None) => To::Lines(BufWriter::with_capacity(64 << 10, Box::new(io::stdout().lock()))),
            (Form::Ndjson, Some(path)) => {
                let mut part = path.clone().into_os_string();
                part.push(".part");
                let part = PathBuf::from(part);
                let file = File::create(&part).map_err(|error| cannot(&part, &error))?;
                rename = Some((part, path.clone()));
                To::Lines(BufWriter::with_capacity(64 << 10, Box::new(file)))
            }
        };
        Ok(Writing { to, rename, bar: ProgressBar::hidden(), written: Written::default(), error: None })
    }

    fn write(&mut self, converted: &Converted) -> Result<(), Failure> {
        match &mut self.to {
            To::Lines(out) => {
                out.write_all(&converted.bytes)?;
                out.write_all(b"\n")?;
            }
            To::Parquet(export) => export.add(converted.source.as_str(), &converted.bytes).environment()?,
        }
        match self.written.events.get_mut(&converted.source) {
            Some(count) => *count += 1,
            None => drop(self.written.events.insert(converted.source.clone(), 1)),
        }
        Ok(())
    }

    fn finish(self) -> Result<Written, Failure> {
        let mut written = self.written;
        if let Some(error) = self.error {
            return Err(error);
        }
        match self.to {
            To::Lines(mut out) => out.flush()?,
            To::Parquet(export) => written.files = export.finish().environment()?,
        }
        if let Some((part, path)) = self.rename {
            std::fs::rename(&part, &path).map_err(|error| cannot(&path, &error))?;
            written.files.push(path);
        }
        Ok(written)
    }
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    Failure::environment(format!("cannot write `{}`: {error}", path.display()))
}

impl ScanSink for Writing {
    fn finding(&mut self, _file: &Path, _offset: u64, _finding: Finding) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn converted(&mut self, _file: &Path, converted: Converted) -> ControlFlow<()> {
        match self.write(&converted) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

fn summary(context: &Context, report: &ScanReport, written: &Written) -> Result<(), Failure> {
    let total = report.total();
    let events: u64 = written.events.values().sum();
    let mut text = format!(
        "{}: {} exported, {} rejected\n",
        counted(total.records, "record"),
        group(events),
        group(total.rejected())
    );
    let left_out = total.evaluated.saturating_sub(events);
    if left_out > 0 {
        text.push_str(&format!("{} left out: the schema has no class for their source\n", counted(left_out, "event")));
    }
    for (source, count) in &written.events {
        text.push_str(&format!("  {:>9}  {source}\n", group(*count)));
    }
    for file in &written.files {
        text.push_str(&format!("written to {}\n", file.display()));
    }
    scanning::rejects(report, context.paint_errors, &mut text);
    scanning::unread(report, context.paint_errors, &mut text);
    Ok(io::stderr().lock().write_all(text.as_bytes())?)
}
