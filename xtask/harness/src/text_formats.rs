//! Lines of every text format, as one stream: framed the same however it is cut, counted and accounted for, and told in full.

use std::sync::LazyLock;

use engine::{Engine, Event, Format, Given, Sink, Source, sigma};
use model::{Finding, Lane, Reject, SourceId, Time};

use crate::limits;

/// A source for each format; their fields are few, so that lines made by chance fill them.
const SOURCES: &str = include_str!("text_formats.yml");

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let read = |text: &str| {
        let (source, wrong) = Source::parse(text);
        source.unwrap_or_else(|| panic!("{wrong:?}"))
    };
    let sources = SOURCES.split("---\n").map(read).collect();
    Engine::compile(sources, Vec::<sigma::Rule>::new(), Vec::new(), &sigma::Inventory::new(), limits()).0
});

#[derive(Default)]
struct Told {
    settled: u64,
    events: Vec<(String, String)>,
}

impl Sink for Told {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, _reason: Reject) {
        self.settled += 1;
    }

    fn evaluated(&mut self, event: &Event<'_>) {
        self.settled += 1;
        let _ = (event.entities(), event.redacted(), event.links());
        self.events.push((event.id().to_string(), format!("{:?}", event.columns())));
    }

    fn finding(&mut self, _finding: Finding, _event: &Event<'_>) {}
}

/// A stream of lines.
pub fn text_formats(bytes: &[u8]) {
    let whole = read(bytes, bytes.len().max(1), None);
    assert_eq!(read(bytes, 7, None), whole, "cut in pieces, the stream says something else");
    read(bytes, 64, Some("comma"));
}

fn read(bytes: &[u8], piece: usize, source: Option<&str>) -> Vec<(String, String)> {
    let received = Time::from_millis(1_795_305_600_000);
    let given = Given { source: source.map(SourceId::from), received, lane: Lane::Live };
    let (mut worker, mut told, mut counted) = (ENGINE.worker(), Told::default(), 0);
    let mut each = |frame: engine::Frame<'_>| {
        if frame.outcome.is_ok() {
            counted += ENGINE.count(&mut worker, frame.bytes, &given);
            ENGINE.evaluate(&mut worker, frame.bytes, &given, &mut told);
        }
    };
    let mut framer = ENGINE.framer(Format::Auto);
    bytes.chunks(piece).for_each(|piece| framer.push(piece, &mut each));
    framer.finish(&mut each);
    assert_eq!(counted, told.settled, "a record went missing, or came twice");
    told.events
}
