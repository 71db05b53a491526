//! The programs of sources: compiled when content is loaded, so that `check` tells their mistakes as it does all others.

use std::sync::Arc;

use engine::Source;
use engine::source::Remap;
use model::Diagnostic;

/// The program of a source, if it has one; and its mistakes, by the lines of `source.yml`.
#[cfg(feature = "remap")]
pub fn compile(source: &Source) -> (Option<Arc<dyn Remap>>, Vec<Diagnostic>) {
    let Some(own) = &source.remap else { return Default::default() };
    match ::remap::Program::compile(&own.text) {
        Ok(program) => (Some(Arc::new(own::Own::new(program))), Vec::new()),
        Err(wrong) => {
            let placed = wrong.into_iter().map(|wrong| Diagnostic { line: wrong.line + own.line - 1, ..wrong });
            (None, placed.collect())
        }
    }
}

/// A build without programs refuses a source that has one.
#[cfg(not(feature = "remap"))]
pub fn compile(source: &Source) -> (Option<Arc<dyn Remap>>, Vec<Diagnostic>) {
    let refuse = |own: &engine::source::RemapText| {
        let message = "this build of Watchkeep runs no programs of sources";
        Diagnostic::error(
            own.line,
            1,
            "bad-remap",
            message,
            "build it with the feature `remap`, which is on by default",
        )
    };
    (None, source.remap.iter().map(refuse).collect())
}

#[cfg(feature = "remap")]
mod own {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::{Duration, Instant};

    use model::Reject;
    use remap::{Failure, Program};

    /// How long one record may take. Steps are what bounds a program; this is for one that does much in each.
    const TIME_MAX: Duration = Duration::from_secs(2);
    /// Records that may take longer. Whoever sends them would hold up all others otherwise.
    const LATE_MAX: u32 = 3;

    /// A program with what was seen of it.
    #[derive(Debug)]
    pub struct Own {
        program: Program,
        late: AtomicU32,
    }

    impl Own {
        pub fn new(program: Program) -> Own {
            Own { program, late: AtomicU32::new(0) }
        }

        /// Runs the program, unless it was late too often: then it is not run again before content is loaded anew.
        pub fn run(&self, record: &str, bytes_max: usize, is_late: &dyn Fn() -> bool) -> Result<String, Reject> {
            if self.late.load(Ordering::Relaxed) >= LATE_MAX {
                return Err(Reject::BadRemap);
            }
            self.program.run(record, bytes_max, is_late).map_err(|failure| match failure {
                Failure::Internal => Reject::Internal,
                Failure::TooLate => {
                    self.late.fetch_add(1, Ordering::Relaxed);
                    Reject::BadRemap
                }
                _ => Reject::BadRemap,
            })
        }
    }

    impl engine::source::Remap for Own {
        fn remap(&self, record: &str, bytes_max: usize) -> Result<String, Reject> {
            let begun = Instant::now();
            self.run(record, bytes_max, &|| begun.elapsed() > TIME_MAX)
        }
    }
}

#[cfg(all(test, feature = "remap"))]
mod tests {
    use engine::{Event, Given, Limits, Reject, Sink};
    use model::{Finding, Lane, SourceId, Time};

    use crate::{Catalogue, Root, load};

    const SOURCE: &str = r#"
id: odd_gate
title: An odd gate
logsource: {product: odd, service: gate}
format: {line: '^GATE\|', patterns: ['^GATE\|(?P<rest>.*)$']}
recognise: {has: [gate_blob]}
remap: |
    line = string(.message) ?? decode_base64!(.gate_blob)
    parts = split(line, "|")
    . = parse_key_value!(parts[1])
    .when = format_timestamp!(parse_timestamp!(.when, "%Y/%m/%d %H:%M:%S %z"), "%+")
    .who = downcase!(.who)
time: [when]
identity: [[when], [who]]
ocsf: {class_uid: 6003, class_name: API Activity, category_uid: 6, category_name: Application Activity}
columns: {actor.user.name: who}
"#;

    const RULE: &str = "title: Ana\nid: 9f8c1d2e-0000-4000-8000-0000000000aa\nlevel: high\nlogsource: {product: odd, service: gate}\n\
                        detection: {s: {who: ana}, condition: s}\n";

    #[derive(Default)]
    struct Told {
        events: Vec<(Time, String, usize)>,
        rejects: Vec<Reject>,
    }

    impl Sink for Told {
        fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, reason: Reject) {
            self.rejects.push(reason);
        }

        fn evaluated(&mut self, event: &Event<'_>) {
            self.events.push((event.time(), event.id().to_string(), 0));
        }

        fn finding(&mut self, _finding: Finding, _event: &Event<'_>) {
            self.events.last_mut().expect("findings come behind their event").2 += 1;
        }
    }

    fn loaded(source: &str) -> (Catalogue, Vec<model::Diagnostic>) {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        };
        write("sources/odd_gate/source.yml", source);
        write("packs/odd/ana.yml", RULE);
        load(&[Root::Dir(folder.path().to_owned())])
    }

    fn evaluated(record: &str) -> Told {
        let (catalogue, wrong) = loaded(SOURCE);
        assert!(!wrong.iter().any(model::Diagnostic::is_error), "{wrong:#?}");
        let (engine, _) = catalogue.compile(Limits::default());
        let mut told = Told::default();
        let given = Given { source: None, received: Time::from_millis(0), lane: Lane::Live };
        let mut worker = engine.worker();
        engine.evaluate(&mut worker, record.as_bytes(), &given, &mut told);
        let told_of = told.events.len() + told.rejects.len();
        assert_eq!(engine.count(&mut worker, record.as_bytes(), &given), told_of as u64);
        told
    }

    #[test]
    fn a_line_and_a_blob_that_no_mapping_reads_become_the_same_event() {
        let line = evaluated("GATE|who=ANA when=\"2026/11/20 04:13:00 +0100\"|x");
        let blob = evaluated(r#"{"gate_blob": "R0FURXx3aG89QU5BIHdoZW49IjIwMjYvMTEvMjAgMDQ6MTM6MDAgKzAxMDAifHg="}"#);
        assert_eq!((line.rejects, line.events.len(), line.events[0].2), (vec![], 1, 1));
        assert_eq!(line.events[0].0, "2026-11-20T03:13:00Z".parse().expect("a time"));
        assert_eq!(line.events, blob.events);
    }

    #[test]
    fn what_a_program_gives_up_is_rejected_with_that_reason() {
        let told = evaluated("GATE|who=ANA when=yesterday|x");
        assert_eq!((told.events.len(), told.rejects), (0, vec![Reject::BadRemap]));
    }

    #[test]
    fn a_program_that_is_late_again_and_again_is_not_run_any_more() {
        let program = remap::Program::compile("for_each(array!(.all)) -> |_i, _a| { .x = 1 }").expect("a program");
        let own = super::own::Own::new(program);
        let record = serde_json::json!({"all": vec![0; 100]}).to_string();
        assert!(own.run(&record, 10_000, &|| false).is_ok());
        (0..3).for_each(|_| assert_eq!(own.run(&record, 10_000, &|| true), Err(Reject::BadRemap)));
        assert_eq!(own.run(&record, 10_000, &|| false), Err(Reject::BadRemap));
    }

    #[test]
    fn mistakes_of_a_program_are_told_with_the_lines_of_the_file() {
        let (catalogue, wrong) = loaded(&SOURCE.replace("downcase!(.who)", "downcaze!(.who)"));
        let told: Vec<(usize, &str)> = wrong.iter().map(|wrong| (wrong.line, wrong.code.as_str())).collect();
        assert_eq!(told, [(12, "bad-remap")], "{wrong:#?}");
        assert!(wrong[0].file.ends_with("odd_gate/source.yml") && wrong[0].message.contains("downcaze"), "{wrong:#?}");
        assert!(catalogue.remaps.is_empty());
        // The same of a file that is read by the other reader of YAML.
        let (_, wrong) =
            loaded(&SOURCE.replace("downcase!(.who)", "downcaze!(.who)").replace("title: An", "title: >-\n  An"));
        assert_eq!(wrong[0].line, 13, "{wrong:#?}");
        let (_, wrong) = loaded(&SOURCE.replace("remap: |", "remap: >"));
        assert_eq!(wrong.iter().map(|wrong| wrong.code.as_str()).collect::<Vec<_>>(), ["wrong-type"], "{wrong:#?}");
    }
}
