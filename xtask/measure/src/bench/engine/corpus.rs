//! Real events in bulk, held in memory: the labelled sets again and again, each time with ids of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::sigma::LogSource;
use serde_json::Value;

use crate::bench::corpus::with_own_id;
use crate::bench::engine::carried::Carried;
use crate::data::Data;

/// Events of one kind, one a line.
pub struct Corpus {
    /// What they are.
    pub name: &'static str,
    number: u64,
    bytes: Vec<u8>,
    /// For each event the place of its log sources in `carried`.
    tags: Vec<u16>,
    carried: Arc<Carried>,
}

/// What a corpus is made from.
pub struct Recipe {
    /// What the events are.
    pub name: &'static str,
    /// Each event, as one line of JSON.
    pub lines: Vec<String>,
    /// The keys of ids, whose first hexadecimal digits differ from round to round.
    pub ids: &'static [&'static str],
    /// May the events be repeated to come to the number wanted?
    pub repeats: bool,
}

impl Corpus {
    /// `count` events, in the order of the recipe, again and again; fewer where they may not be repeated.
    pub fn of(recipe: &Recipe, carried: Carried, count: usize) -> anyhow::Result<Corpus> {
        let Recipe { name, lines, ids, repeats } = recipe;
        anyhow::ensure!(!lines.is_empty(), "no events for the corpus {name}");
        let mut carried = carried;
        let mut named = Vec::new();
        for line in lines {
            let mut event: Value = serde_json::from_str(line)?;
            carried.name(&mut event);
            named.push((event.to_string(), carried.tag(&event)));
        }
        let mut corpus = Corpus::empty(name, Arc::new(carried));
        let count = if *repeats { count } else { count.min(lines.len()) };
        for (at, (line, tag)) in named.iter().cycle().take(count).enumerate() {
            let round = (at / lines.len()) as u64;
            corpus.push(&ids.iter().fold(line.clone(), |line, id| with_own_id(&line, id, round)), *tag);
        }
        Ok(corpus)
    }

    fn empty(name: &'static str, carried: Arc<Carried>) -> Corpus {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Corpus { name, number, bytes: Vec::new(), tags: Vec::new(), carried }
    }

    /// A number that no other corpus of this process has.
    pub fn number(&self) -> u64 {
        self.number
    }

    fn push(&mut self, line: &str, tag: u16) {
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.push(b'\n');
        self.tags.push(tag);
    }

    /// Each event's bytes. Finding the ends of lines is part of what every lane does.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let mut begin = 0;
        memchr::memchr_iter(b'\n', &self.bytes).map(move |end| &self.bytes[std::mem::replace(&mut begin, end + 1)..end])
    }

    /// Each event's bytes with the place of its log sources in [`Corpus::carried`].
    pub fn tagged(&self) -> impl Iterator<Item = (&[u8], usize)> {
        self.lines().zip(self.tags.iter().map(|tag| usize::from(*tag)))
    }

    /// The combinations of log sources that its events carry.
    pub fn carried(&self) -> &[Vec<LogSource>] {
        self.carried.combinations()
    }

    /// How many events.
    pub fn events(&self) -> usize {
        self.tags.len()
    }

    /// All events, as one text.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes of an event, on average.
    pub fn event_bytes(&self) -> usize {
        self.bytes.len() / self.events().max(1)
    }

    /// About `count` events from all over the corpus: one in so many.
    pub fn sample(&self, count: usize) -> Corpus {
        let step = (self.events() / count.max(1)).max(1);
        self.part((0..self.events()).step_by(step).take(count))
    }

    /// The events before `at`, and those from there on.
    pub fn split(&self, at: usize) -> [Corpus; 2] {
        [self.part(0..at), self.part(at..self.events())]
    }

    /// The events at these places, which must ascend.
    fn part(&self, places: impl Iterator<Item = usize>) -> Corpus {
        let mut places = places.peekable();
        let mut part = Corpus::empty(self.name, self.carried.clone());
        for (at, (line, tag)) in self.lines().zip(&self.tags).enumerate() {
            if places.next_if_eq(&at).is_some() {
                part.push(std::str::from_utf8(line).expect("lines were pushed as text"), *tag);
            }
        }
        part
    }
}

/// CloudTrail: what red teams' and researchers' calls left in real trails.
pub fn cloudtrail(data: &Data) -> anyhow::Result<Recipe> {
    const SETS: [&str; 4] =
        ["stratus.jsonl", "invictus.jsonl.gz", "traildiscover.jsonl", "otrf_ec2_proxy_s3_exfil.jsonl"];
    let mut lines = Vec::new();
    for set in SETS {
        let rows = data.rows(&format!("labelled/{set}"))?;
        lines.extend(rows.iter().flat_map(events_of).map(Value::to_string));
    }
    Ok(Recipe { name: "CloudTrail", lines, ids: &["eventID", "requestID"], repeats: true })
}

/// Windows and Sysmon events of attacks on a test domain: flat, as a forwarder writes them.
pub fn windows(data: &Data) -> anyhow::Result<Recipe> {
    let mut files = Vec::new();
    for name in data.names("windows_otrf")? {
        files.push(std::io::BufRead::lines(data.open(&name)?).collect::<Result<Vec<_>, _>>()?);
    }
    // Turn by turn, so that a short corpus has something of each attack.
    let longest = files.iter().map(Vec::len).max().unwrap_or(0);
    let lines = (0..longest).flat_map(|at| files.iter().filter_map(move |lines| lines.get(at).cloned())).collect();
    Ok(Recipe { name: "Windows", lines, ids: &[], repeats: false })
}

/// Kubernetes audit events: the tests of two public rule collections.
pub fn kubernetes(data: &Data) -> anyhow::Result<Recipe> {
    let mut lines: Vec<String> =
        data.rows("labelled/falco_k8s_audit.jsonl")?.iter().flat_map(events_of).map(Value::to_string).collect();
    let panther = data.rows("labelled/panther_tests.jsonl")?;
    let of_kubernetes = panther.iter().filter(|row| row["log_type"] == "Amazon.EKS.Audit");
    lines.extend(of_kubernetes.flat_map(events_of).map(Value::to_string));
    Ok(Recipe { name: "Kubernetes audit", lines, ids: &["auditID"], repeats: true })
}

/// The records of a labelled row: `event`, or each of `events`.
fn events_of(row: &Value) -> Vec<&Value> {
    let many = row["events"].as_array().map(Vec::as_slice).unwrap_or_default();
    many.iter().chain(row.get("event")).filter(|event| event.is_object()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_as_they_were_pushed_and_a_sample_is_spread() {
        let lines: Vec<String> = (0..10).map(|n| format!("{{\"n\":{n}}}")).collect();
        let recipe = Recipe { name: "test", lines, ids: &[], repeats: true };
        let corpus = Corpus::of(&recipe, Carried::by(&[], &std::collections::BTreeMap::new()), 20).unwrap();
        assert_eq!(corpus.events(), 20);
        assert_eq!(corpus.lines().nth(13), Some(&b"{\"n\":3}"[..]));
        let sample: Vec<&[u8]> = vec![b"{\"n\":0}", b"{\"n\":5}", b"{\"n\":0}", b"{\"n\":5}"];
        assert_eq!(corpus.sample(4).lines().collect::<Vec<_>>(), sample);
        let [first, rest] = corpus.split(13);
        assert_eq!((first.events(), rest.lines().next()), (13, Some(&b"{\"n\":3}"[..])));
    }
}
