//! Where the tests find their data, and how they run a rule on a record.

#[path = "../common/packed.rs"]
mod packed;
#[path = "../common/data.rs"]
mod place;

use std::io::Read as _;

use engine::sigma::{self, Document, Filter, Inventory, LogSource, Memo, Program, Rule, RuleIndex};
use engine::{Fields, FieldsBuilder, Limits, Record, Scratch};

use self::packed::text_of;
pub use self::place::folder;

/// Every line of a file, as JSON; unpacked where its name ends in `.gz`.
pub fn json_lines(name: &str) -> Vec<serde_json::Value> {
    let text = text_of(&folder().expect("the caller has looked").join(name));
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

/// Every rule file of the repository's archive: path and text.
pub fn repository() -> Vec<(String, String)> {
    let archive =
        std::fs::File::open(folder().expect("the caller has looked").join("sigma_rules.tar.zst")).expect("archive");
    let mut bytes = Vec::new();
    zstd::Decoder::new(archive).expect("zstd").read_to_end(&mut bytes).expect("zstd");
    let mut files = Vec::new();
    let mut at = 0;
    let mut long_name = None;
    while let Some(header) = bytes.get(at..at + 512).filter(|header| header[0] != 0) {
        let text = |range: std::ops::Range<usize>| {
            let field = &header[range];
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
            String::from_utf8_lossy(&field[..end]).trim().to_owned()
        };
        let size = usize::from_str_radix(&text(124..136), 8).expect("octal size");
        let (prefix, name) = (if &header[257..262] == b"ustar" { text(345..500) } else { String::new() }, text(0..100));
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let content = &bytes[at + 512..at + 512 + size];
        if header[156] == b'L' {
            long_name = Some(String::from_utf8_lossy(content).trim_end_matches('\0').to_owned());
            at += 512 + size.div_ceil(512) * 512;
            continue;
        }
        let path = long_name.take().unwrap_or(path);
        if header[156] == b'0' && path.ends_with(".yml") {
            files.push((path.trim_start_matches("./").to_owned(), String::from_utf8(content.to_vec()).expect("UTF-8")));
        }
        at += 512 + size.div_ceil(512) * 512;
    }
    files.sort();
    files
}

/// The rules of a text, which must have no error.
pub fn rules(text: &str) -> Vec<Rule> {
    let (documents, diagnostics) = sigma::parse(text);
    let errors: Vec<String> = diagnostics.iter().filter(|d| d.is_error()).map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{text}\n{}", errors.join("\n"));
    documents
        .into_iter()
        .filter_map(|document| if let Document::Rule(rule) = document { Some(rule) } else { None })
        .collect()
}

/// A program with what is needed to run it.
pub struct Bench {
    pub program: Program,
    pub fields: Fields,
    pub scratch: Scratch,
    pub memo: Memo,
}

impl Bench {
    pub fn new(rules: &[Rule], filters: &[Filter], inventory: &Inventory) -> (Bench, Vec<engine::Diagnostic>) {
        let mut fields = FieldsBuilder::new();
        let (program, diagnostics) = sigma::compile(rules, filters, inventory, &mut fields);
        let fields = fields.build();
        let scratch = Scratch::new(&fields);
        (Bench { program, fields, scratch, memo: Memo::default() }, diagnostics)
    }

    /// Of one rule without filters, which must compile.
    pub fn of(text: &str) -> Bench {
        let (bench, diagnostics) = Bench::new(&rules(text), &[], &Inventory::new());
        assert_eq!(diagnostics, [], "{text}");
        bench
    }

    /// The rules that hold for `event`, whatever their log source.
    pub fn hits(&mut self, event: &str) -> Vec<RuleIndex> {
        let set = self.program.applicable(&self.every_logsource());
        let record = engine::extract::extract(&self.fields, event, &mut self.scratch, &Limits::default())
            .unwrap_or_else(|reject| panic!("{reject}: {event}"));
        let mut hits = Vec::new();
        self.program.evaluate(&set, &record, &mut self.memo, &mut |rule| hits.push(rule));
        hits
    }

    /// Is `event` a record that can be read?
    pub fn reads(&mut self, event: &str) -> bool {
        engine::extract::extract(&self.fields, event, &mut self.scratch, &Limits::default()).is_ok()
    }

    /// Calls `f` with the program and the record of `event`.
    pub fn with<T>(&mut self, event: &str, f: impl FnOnce(&Program, &Record<'_>) -> T) -> T {
        let record = engine::extract::extract(&self.fields, event, &mut self.scratch, &Limits::default())
            .unwrap_or_else(|reject| panic!("{reject}: {event}"));
        f(&self.program, &record)
    }

    fn every_logsource(&self) -> Vec<LogSource> {
        let mut logsources: Vec<LogSource> =
            self.program.rules().iter().map(|rule| rule.rule.logsource.clone()).collect();
        logsources.sort();
        logsources.dedup();
        logsources
    }
}
