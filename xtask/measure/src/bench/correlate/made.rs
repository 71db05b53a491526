//! Made streams: events as evaluation hands them over.

use std::ops::Range;
use std::sync::Arc;

use engine::correlate::{Batch, Correlations, Detail, Feeds, Matched, Progress};
use engine::sigma::{self, Document, Inventory};
use model::{EventId, Lane, SourceId, Time};

const BATCH: usize = 1_000;

/// How a stream is made.
pub struct Made {
    groups: u64,
    is_late: bool,
    is_twice: bool,
}

impl Made {
    /// Events of so many groups, turn by turn in no order.
    pub fn groups(groups: u64) -> Made {
        Made { groups, is_late: false, is_twice: false }
    }

    /// A fifth of the events comes two minutes late.
    pub fn late(self) -> Made {
        Made { is_late: true, ..self }
    }

    /// A fifth of the records comes again.
    pub fn twice(self) -> Made {
        Made { is_twice: true, ..self }
    }

    /// A part of the stream, in batches, each made when it is asked for.
    pub fn batches<'m>(&'m self, events: Range<u64>, feeds: &'m Feeds) -> impl Iterator<Item = Batch> + 'm {
        let comes = |nth: u64| {
            let delay = if self.is_late && mixed(nth).is_multiple_of(5) { 120_000 } else { 0 };
            (nth + delay, if self.is_twice && nth % 5 == 4 { nth - 1 } else { nth })
        };
        let mut all: Vec<(u64, u64)> = events.map(comes).collect();
        all.sort_by_key(|(at, _)| *at);
        let mut all = all.into_iter().map(|(_, nth)| nth).peekable();
        std::iter::from_fn(move || {
            all.peek()?;
            Some(self.batch(all.by_ref().take(BATCH), feeds))
        })
    }

    fn batch(&self, events: impl Iterator<Item = u64>, feeds: &Feeds) -> Batch {
        let source = SourceId::new("made");
        let matched: Vec<Matched> = events.map(|nth| self.event(nth, feeds, &source)).collect();
        let time = matched.iter().map(|event| event.time).max().unwrap_or_default();
        let progress = Progress { source, partition: "one".into(), lane: Lane::Live, time, received: time };
        Batch { matched, links: Vec::new(), progress: vec![progress] }
    }

    fn event(&self, nth: u64, feeds: &Feeds, source: &SourceId) -> Matched {
        let number = mixed(nth);
        let value = |name: &String| match name.as_str() {
            "user" => format!("arn:aws:iam::111122223333:user/researcher-{:06}", number % self.groups),
            "object" => format!("weights/model-7/shard-{nth:08}.safetensors"),
            _ => (number % 65_536).to_string(),
        };
        let fields = feeds.fields.iter().enumerate();
        let time = Time::from_millis(1_700_000_000_000 + nth as i64);
        Matched {
            time,
            id: EventId::of(&[&nth.to_be_bytes()]),
            rules: Box::from([(nth % feeds.rules.len() as u64) as u32]),
            fields: fields.map(|(at, name)| (at as u32, Box::from([Arc::from(value(name))]))).collect(),
            actor: None,
            lane: Lane::Live,
            detail: Arc::new(Detail {
                source: source.clone(),
                received: time,
                brief: "somebody called GetObject on s3.amazonaws.com from 203.0.113.7".into(),
                entities: Arc::default(),
                fields: Box::default(),
            }),
        }
    }
}

/// Mixes the bits of a number (SplitMix64), so that groups come in no order.
pub fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// One correlation of the rules `a`, `b` and `c`; or one that stands in rule `a` itself.
pub fn correlations(text: &str) -> anyhow::Result<(Arc<Correlations>, Feeds)> {
    let rule = |name: &str, more: &str| {
        format!(
            "title: {name}\nname: {name}\nid: 9f8c1d2e-0000-4000-8000-0000000000{:02x}\nlevel: high\nlogsource: {{product: made}}\n\
             detection: {{s: {{rule: {name}}}, condition: s}}\n{more}",
            name.as_bytes()[0]
        )
    };
    let (own, apart) = match text.starts_with("type: volume") {
        true => (format!("watchkeep:\n  stateful:\n      {text}\n"), String::new()),
        false => (String::new(), format!("---\ntitle: t\nname: t\nlevel: high\ncorrelation:\n  {text}\n")),
    };
    let all = format!("{}---\n{}---\n{}{apart}", rule("a", &own), rule("b", ""), rule("c", ""));
    let (documents, told) = sigma::parse(&all);
    let (mut rules, mut correlations) = (Vec::new(), Vec::new());
    for document in documents {
        match document {
            Document::Rule(rule) => rules.push(rule),
            Document::Correlation(correlation) => correlations.push(correlation),
            Document::Filter(_) => {}
        }
    }
    let (linked, unlinked) = sigma::link(&rules, &correlations);
    let wrong: Vec<String> =
        told.iter().chain(&unlinked).filter(|told| told.is_error()).map(ToString::to_string).collect();
    anyhow::ensure!(wrong.is_empty() && !linked.is_empty(), "{wrong:?}");
    let feeds = Feeds::of(&linked);
    let correlations = Correlations::compile(&linked, &feeds, &Inventory::new(), &|_| vec![SourceId::new("made")]);
    Ok((Arc::new(correlations), feeds))
}
