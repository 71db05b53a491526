//! The structure of JSON without its meaning: where a value ends, and which arrays hold records.
//!
//! In: bytes that may end anywhere. Out: events of structure. No recursion; the state is a few numbers, whatever the depth.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::json::plain_end;

/// Keys of the outermost object whose arrays hold records, and what must stand before the key for that to be so.
const CONTAINERS: [(&str, Option<&str>); 19] = [
    // CloudTrail files in S3.
    ("Records", None),
    // CloudWatch Logs subscriptions.
    ("logEvents", None),
    // `aws guardduty get-findings`.
    ("Findings", None),
    // `aws cloudtrail lookup-events`.
    ("Events", None),
    // CloudTrail Lake `PutAuditEvents`.
    ("auditEvents", None),
    // CloudTrail Lake `GetQueryResults`, of a query for `eventJson`.
    ("QueryResultRows", None),
    // Kubernetes audit webhook.
    ("items", Some("audit.k8s.io")),
    // `aws logs filter-log-events` and `get-log-events`.
    ("events", Some("logStream")),
    // History and snapshot files of AWS Config.
    ("configurationItems", None),
    // Azure Monitor, through Event Hubs and into storage accounts.
    ("records", None),
    // Lists of the Microsoft Graph API.
    ("value", Some("@odata.")),
    // `sacct --json`; the name of its plugin stands beside the jobs.
    ("jobs", Some("Slurm")),
    // Pages of Airflow's `/eventLogs`.
    ("event_logs", None),
    // Requests and files of OTLP JSON, which hold spans and log records three levels deep.
    ("resourceSpans", None),
    ("scopeSpans", None),
    ("spans", Some("spanId")),
    ("resourceLogs", None),
    ("scopeLogs", None),
    ("logRecords", Some("imeUnixNano")),
];

/// The keys of [`CONTAINERS`], for those who read records by field.
pub(crate) fn container_keys() -> impl Iterator<Item = &'static str> {
    CONTAINERS.iter().map(|(key, _)| *key)
}

/// Is `key` the key of an array of records, in a document that starts with (or is) `head`?
pub(crate) fn is_container(key: &[u8], head: &[u8]) -> bool {
    let says = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
    CONTAINERS.iter().any(|(name, needs)| name.as_bytes() == key && needs.is_none_or(says))
}

/// Could `line` hold a container? Cheap, and never wrong when it says no.
pub(crate) fn may_hold_container(line: &[u8]) -> bool {
    QUOTED_KEYS.find_iter(line).any(|found| {
        let (_, needs) = CONTAINERS[found.pattern().as_usize()];
        needs.is_none_or(|word| memchr::memmem::find(line, word.as_bytes()).is_some())
    })
}

/// The keys of [`CONTAINERS`] in their quotes, all found in one pass.
static QUOTED_KEYS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let quoted = container_keys().map(|key| format!("\"{key}\""));
    AhoCorasick::new(quoted).expect("a handful of short keys can always be searched for")
});

/// May `line` hold more than one JSON value after another? Cheap, and never wrong when it says no.
pub(crate) fn may_hold_several(line: &[u8]) -> bool {
    memchr::memchr2_iter(b'{', b'[', line).any(|at| {
        let before = line[..at].iter().rev().find(|byte| !byte.is_ascii_whitespace());
        matches!(before, Some(b'}' | b']'))
    })
}

/// What a [`Scan`] met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// The bytes end first; the scan goes on when there are more.
    End,
    /// The value's last bracket or quote is before `pos`.
    Closed,
    /// A line ends at `pos`, outside of strings.
    LineEnd,
    /// A line ends at `pos` inside a string, which JSON does not allow.
    Broken,
    /// An array of records starts: its bracket is before `pos`. Only at depth 1.
    Container,
    /// At depth 0, a byte that belongs to what is around the value is at `pos`.
    Outside,
}

/// A scan over one value, which can stop at the end of the bytes and go on later.
#[derive(Clone, Debug, Default)]
pub(super) struct Scan {
    /// Is the value an object?
    is_object: bool,
    /// How far it is, from the value's first byte.
    pub(super) pos: usize,
    /// Brackets that are open.
    depth: u64,
    in_string: bool,
    escaped: bool,
    /// The last string at depth 1, without its quotes.
    key: (usize, usize),
    /// Position of the last byte that is not space.
    pub(super) last: usize,
    /// From `pos` to here there is only space.
    blank: usize,
    /// Runs of line ends met.
    pub(super) lines: u64,
}

impl Scan {
    /// A scan from the first byte of an object.
    pub(super) fn of_object() -> Scan {
        Scan { is_object: true, ..Scan::default() }
    }

    /// A scan over an object from the closing bracket of one of its arrays.
    pub(super) fn after_array() -> Scan {
        Scan { is_object: true, pos: 1, depth: 1, ..Scan::default() }
    }

    /// Goes on over `bytes`, which start with the value's first byte.
    pub(super) fn go(&mut self, bytes: &[u8]) -> Met {
        while let Some(&byte) = bytes.get(self.pos) {
            if self.in_string {
                match self.string(bytes) {
                    Some(met) => return met,
                    None => continue,
                }
            }
            let met = self.structure(byte, bytes);
            if let Some(met) = met {
                return met;
            }
        }
        Met::End
    }

    /// How many bytes of `bytes` the value surely takes so far.
    pub(super) fn len(&self) -> usize {
        if self.in_string { self.pos } else { self.last + 1 }
    }

    /// Forgets the bytes before `pos`: the scan goes on with them gone.
    pub(super) fn forget(&mut self) -> usize {
        let used = std::mem::take(&mut self.pos);
        (self.last, self.key, self.blank) = (0, (0, 0), 0);
        used
    }

    /// The first byte after the space at `pos`, if there is one yet.
    pub(super) fn next_byte(&mut self, bytes: &[u8]) -> Option<u8> {
        let from = self.blank.max(self.pos);
        let space = bytes[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.blank = from + space;
        bytes.get(self.blank).copied()
    }

    /// Goes on over the line end at `pos`, and the space after it.
    pub(super) fn pass_line_end(&mut self, bytes: &[u8]) {
        self.next_byte(bytes);
        self.pos = self.blank;
        self.lines += 1;
    }

    fn string(&mut self, bytes: &[u8]) -> Option<Met> {
        if self.escaped {
            if bytes[self.pos] == b'\n' {
                return Some(Met::Broken);
            }
            self.escaped = false;
            self.pos += 1;
            return None;
        }
        self.pos = plain_end(bytes, self.pos);
        match bytes.get(self.pos) {
            None => return Some(Met::End),
            Some(b'\\') => self.escaped = true,
            Some(b'"') => {
                self.in_string = false;
                self.last = self.pos;
                if self.depth == 1 {
                    self.key.1 = self.pos;
                }
            }
            Some(b'\n') => return Some(Met::Broken),
            // Another control character: who reads the record refuses it.
            Some(_) => {}
        }
        self.pos += 1;
        (self.depth == 0 && !self.in_string).then_some(Met::Closed)
    }

    #[inline]
    fn structure(&mut self, byte: u8, bytes: &[u8]) -> Option<Met> {
        match byte {
            b' ' | b'\t' | b'\r' => {
                self.pos += 1;
                return None;
            }
            b'\n' => return Some(Met::LineEnd),
            b'"' => {
                self.in_string = true;
                if self.depth == 1 {
                    self.key = (self.pos + 1, self.pos + 1);
                }
            }
            b'{' => self.depth += 1,
            b'[' => {
                let is_key = self.depth == 1 && self.is_object && bytes[self.last] == b':';
                self.depth += 1;
                if is_key && is_container(&bytes[self.key.0..self.key.1], &bytes[..self.pos]) {
                    self.last = self.pos;
                    self.pos += 1;
                    return Some(Met::Container);
                }
            }
            b'}' | b']' | b',' if self.depth == 0 => return Some(Met::Outside),
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        self.last = self.pos;
        self.pos += 1;
        (self.depth == 0 && matches!(byte, b'}' | b']')).then_some(Met::Closed)
    }
}
