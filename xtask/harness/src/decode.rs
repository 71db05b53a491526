//! Records of every source, whole bodies and HEC envelopes, through the embedded content and all of its rules.

use std::sync::LazyLock;

use content::Root;
use engine::{Engine, Event, Format, Given, Limits, Sink, ecs, ocsf};
use model::{Finding, Lane, Reject, SourceId, Time};

use crate::limits;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let (catalogue, _) = content::load(&[Root::Embedded]);
    // Real records are larger than the small limits of the other targets.
    catalogue.compile(Limits { record_bytes: 64 << 10, ..limits() }).0
});

static OCSF: LazyLock<ocsf::Exporter> = LazyLock::new(|| ocsf::Exporter::new(ENGINE.sources()));
static ECS: LazyLock<ecs::Exporter> = LazyLock::new(|| ecs::Exporter::new(ENGINE.sources()));

/// Whatever a record says, its event is valid in the schemas that it is exported in.
fn export(event: &Event<'_>) {
    let options = ocsf::Options { raw_data: true };
    let made = OCSF.export(event, options).expect("every class of the content is one of the schema").event;
    let wrong = ocsf::Validator::check(&made);
    assert!(wrong.is_empty(), "{wrong:#?}\n{made:#}");
    let made = ECS.export(event, options);
    let wrong = ecs::check(&made);
    assert!(wrong.is_empty(), "{wrong:#?}\n{made:#}");
}

/// Counts what evaluation says, and looks at everything that an event can tell.
#[derive(Default)]
struct Counts {
    evaluated: u64,
    rejected: u64,
}

impl Sink for Counts {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, _reason: Reject) {
        self.rejected += 1;
    }

    fn evaluated(&mut self, event: &Event<'_>) {
        self.evaluated += 1;
        assert_eq!(event.id(), event.id(), "an event's id is not stable");
        let _ = (event.columns(), event.entities());
        let _ = event.redacted();
        export(event);
    }

    fn finding(&mut self, finding: Finding, event: &Event<'_>) {
        assert_eq!(finding.source, event.source().id);
        let _ = (ocsf::finding_wire(&finding), ocsf::detection_finding(&finding));
    }
}

/// Is `feed` a source of the embedded content?
pub(crate) fn knows(feed: &str) -> bool {
    ENGINE.sources().iter().any(|source| source.id.as_str() == feed)
}

/// One frame said to be of `feed`, and then of nobody knows what.
pub fn decode(feed: &str, bytes: &[u8]) {
    evaluate(bytes, Some(SourceId::new(feed)));
    evaluate(bytes, None);
}

/// A whole body as an HTTP sender posts it: every frame is counted and accounted for.
pub fn http_body(bytes: &[u8]) {
    body(bytes, Format::Auto);
}

/// A body of HEC envelopes.
pub fn hec_body(bytes: &[u8]) {
    body(bytes, Format::Hec);
}

fn body(bytes: &[u8], format: Format) {
    let mut framer = ENGINE.framer(format);
    let mut each = |frame: engine::Frame<'_>| {
        if frame.outcome.is_ok() {
            evaluate(frame.bytes, None);
        }
    };
    framer.push(bytes, &mut each);
    framer.finish(&mut each);
}

fn evaluate(frame: &[u8], source: Option<SourceId>) {
    let given = Given { source, received: Time::from_millis(1_795_305_600_000), lane: Lane::Live };
    let mut worker = ENGINE.worker();
    let expected = ENGINE.count(&mut worker, frame, &given);
    let mut counts = Counts::default();
    ENGINE.evaluate(&mut worker, frame, &given, &mut counts);
    assert_eq!(expected, counts.evaluated + counts.rejected, "a record went missing, or came twice");
}
