//! Real events in bulk, held in memory: the labelled sets again and again, each time with ids of their own.

use serde_json::Value;

use crate::bench::corpus::with_own_id;
use crate::data::Data;

/// Events of one kind, one a line.
pub struct Corpus {
    /// What they are.
    pub name: &'static str,
    bytes: Vec<u8>,
    events: usize,
}

impl Corpus {
    /// `count` events made of `lines`, in their order, again and again; the first hexadecimal digits of each of `ids` differ
    /// from round to round.
    fn repeat(name: &'static str, lines: &[String], ids: &[&str], count: usize) -> anyhow::Result<Corpus> {
        anyhow::ensure!(!lines.is_empty(), "no events for the corpus {name}");
        let mut corpus = Corpus { name, bytes: Vec::new(), events: 0 };
        for (at, line) in lines.iter().cycle().take(count).enumerate() {
            let round = (at / lines.len()) as u64;
            let line = ids.iter().fold(line.clone(), |line, id| with_own_id(&line, id, round));
            corpus.push(&line);
        }
        Ok(corpus)
    }

    fn push(&mut self, line: &str) {
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.push(b'\n');
        self.events += 1;
    }

    /// Each event's bytes. Finding the ends of lines is part of what every lane does.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let mut begin = 0;
        memchr::memchr_iter(b'\n', &self.bytes).map(move |end| &self.bytes[std::mem::replace(&mut begin, end + 1)..end])
    }

    /// How many events.
    pub fn events(&self) -> usize {
        self.events
    }

    /// Bytes of an event, on average.
    pub fn event_bytes(&self) -> usize {
        self.bytes.len() / self.events.max(1)
    }

    /// Every so many events, so that about `count` are left, from all over the corpus.
    pub fn sample(&self, count: usize) -> Corpus {
        let step = (self.events / count.max(1)).max(1);
        let mut sample = Corpus { name: self.name, bytes: Vec::new(), events: 0 };
        for line in self.lines().step_by(step).take(count) {
            sample.push(std::str::from_utf8(line).expect("lines were pushed as text"));
        }
        sample
    }
}

/// CloudTrail: what red teams' and researchers' calls left in real trails.
pub fn cloudtrail(data: &Data, count: usize) -> anyhow::Result<Corpus> {
    Corpus::repeat("CloudTrail", &cloudtrail_lines(data)?, &["eventID", "requestID"], count)
}

fn cloudtrail_lines(data: &Data) -> anyhow::Result<Vec<String>> {
    const SETS: [&str; 4] =
        ["stratus.jsonl", "invictus.jsonl.gz", "traildiscover.jsonl", "otrf_ec2_proxy_s3_exfil.jsonl"];
    let mut lines = Vec::new();
    for set in SETS {
        let rows = data.rows(&format!("labelled/{set}"))?;
        lines.extend(rows.iter().flat_map(events_of).map(Value::to_string));
    }
    Ok(lines)
}

/// Windows and Sysmon events of attacks on a test domain: flat, as a forwarder writes them.
pub fn windows(data: &Data, count: usize) -> anyhow::Result<Corpus> {
    let mut files = Vec::new();
    for name in data.names("windows_otrf")? {
        let lines = std::io::BufRead::lines(data.open(&name)?).collect::<Result<Vec<_>, _>>()?;
        files.push(lines);
    }
    // Turn by turn, so that a short corpus has something of each attack.
    let longest = files.iter().map(Vec::len).max().unwrap_or(0);
    let lines: Vec<String> =
        (0..longest).flat_map(|at| files.iter().filter_map(move |lines| lines.get(at).cloned())).collect();
    Corpus::repeat("Windows", &lines, &[], count.min(lines.len()))
}

/// Kubernetes audit events: the tests of two public rule collections.
pub fn kubernetes(data: &Data, count: usize) -> anyhow::Result<Corpus> {
    let mut lines: Vec<String> =
        data.rows("labelled/falco_k8s_audit.jsonl")?.iter().flat_map(events_of).map(Value::to_string).collect();
    let panther = data.rows("labelled/panther_tests.jsonl")?;
    let of_kubernetes = panther.iter().filter(|row| row["log_type"] == "Amazon.EKS.Audit");
    lines.extend(of_kubernetes.flat_map(events_of).map(Value::to_string));
    Corpus::repeat("Kubernetes audit", &lines, &["auditID"], count)
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
        let corpus = Corpus::repeat("test", &lines, &[], 20).unwrap();
        assert_eq!(corpus.events(), 20);
        assert_eq!(corpus.lines().nth(13), Some(&b"{\"n\":3}"[..]));
        let sample: Vec<&[u8]> = vec![b"{\"n\":0}", b"{\"n\":5}", b"{\"n\":0}", b"{\"n\":5}"];
        assert_eq!(corpus.sample(4).lines().collect::<Vec<_>>(), sample);
    }
}
