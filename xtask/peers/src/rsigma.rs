//! RSigma, as a library, in the configuration that is fastest for it.

use rsigma_eval::event::JsonEvent;
use rsigma_eval::{Engine, EvaluationResult, LogSourceExtractor, MatchDetailLevel};
use rsigma_parser::SigmaRule;

/// What narrows rules by log source: `product`, `category`, `service`, each optional.
pub type LogSource = rsigma_parser::LogSource;

/// A parsed event: RSigma reads fields from this tree.
pub type Event = serde_json::Value;

/// Which rules an event can meet.
#[derive(Clone, Debug, Default)]
pub enum Routing {
    /// All of them.
    #[default]
    Off,
    /// Those that do not contradict the event's own keys `product`, `service` and `category`.
    Keys,
    /// Those that do not contradict this log source: RSigma's own routing, which narrows its index too.
    Compatible(LogSource),
    /// Those whose log source has no part that this one lacks: what Watchkeep's routing means. The index is not narrowed.
    Contained(LogSource),
}

/// How RSigma is set up. The default is without routing and without its two optional filters, which make it slower on the
/// rule sets measured; the detail of matches is always off, and findings never carry the event.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Narrowing by log source.
    pub routing: Routing,
    /// One automaton over the substrings of all rules, before rules are looked at.
    pub cross_rule_ac: bool,
    /// A Bloom filter over three-byte pieces, before substrings are searched.
    pub bloom: bool,
}

/// RSigma with its rules compiled.
///
/// Shape: many threads may share one; RSigma counts with atomics alone.
pub struct Rsigma {
    engine: Engine,
    routing: Routing,
}

impl Rsigma {
    /// Compiles the rules of `texts` (YAML, one or more documents each). A text that cannot be read and a rule that cannot be
    /// compiled are left out, and told: place in `texts`, and why.
    ///
    /// A rule keeps its own id; `hit` of [`Rsigma::evaluate`] names rules by it, and by nothing if it has none.
    pub fn load<'t>(texts: impl IntoIterator<Item = &'t str>, options: Options) -> (Rsigma, Vec<(usize, String)>) {
        Rsigma::load_as(texts, options, |_, _| {})
    }

    /// As [`Rsigma::load`], and `edit` may change each rule before it is compiled: give it another id, say.
    pub fn load_as<'t>(
        texts: impl IntoIterator<Item = &'t str>,
        options: Options,
        mut edit: impl FnMut(usize, &mut SigmaRule),
    ) -> (Rsigma, Vec<(usize, String)>) {
        let mut engine = Engine::new();
        engine.set_match_detail(MatchDetailLevel::Off);
        engine.set_include_event(false);
        engine.set_bloom_prefilter(options.bloom);
        engine.set_cross_rule_ac(options.cross_rule_ac);
        if matches!(options.routing, Routing::Keys) {
            engine.set_logsource_extractor(Some(LogSourceExtractor::new()));
        }
        let mut errors = Vec::new();
        let (mut rules, mut places) = (Vec::new(), Vec::new());
        for (place, text) in texts.into_iter().enumerate() {
            match rsigma_parser::parse_sigma_yaml(text) {
                Err(error) => errors.push((place, error.to_string())),
                Ok(found) => {
                    errors.extend(found.errors.into_iter().map(|error| (place, error)));
                    for mut rule in found.rules {
                        edit(place, &mut rule);
                        rules.push(rule);
                        places.push(place);
                    }
                }
            }
        }
        // One call, so that its indexes are built once.
        let refused = engine.add_rules(&rules);
        errors.extend(refused.into_iter().map(|(at, error)| (places[at], error.to_string())));
        (Rsigma { engine, routing: options.routing }, errors)
    }

    /// How many rules are compiled.
    pub fn rules(&self) -> usize {
        self.engine.rule_count()
    }

    /// The parse that RSigma's own command line uses.
    ///
    /// Errors: the bytes are not one JSON text.
    pub fn parse(bytes: &[u8]) -> Result<Event, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// Calls `hit` with the id of each rule that `event` meets; gives their number.
    pub fn evaluate(&self, event: &Event, hit: &mut dyn FnMut(&str)) -> usize {
        let found = match &self.routing {
            Routing::Off | Routing::Keys => self.engine.evaluate(&JsonEvent::borrow(event)),
            Routing::Compatible(logsource) => self.engine.evaluate_pruned(&JsonEvent::borrow(event), logsource),
            Routing::Contained(logsource) => self.engine.evaluate_with_logsource(&JsonEvent::borrow(event), logsource),
        };
        tell(&found, hit)
    }

    /// As [`Rsigma::evaluate`] with [`Routing::Compatible`], by the log source of this one event.
    pub fn evaluate_from(&self, event: &Event, logsource: &LogSource, hit: &mut dyn FnMut(&str)) -> usize {
        tell(&self.engine.evaluate_pruned(&JsonEvent::borrow(event), logsource), hit)
    }

    /// Parses one JSON text and evaluates it: all that an event costs.
    ///
    /// Errors: the bytes are not one JSON text.
    pub fn evaluate_bytes(&self, bytes: &[u8], hit: &mut dyn FnMut(&str)) -> Result<usize, serde_json::Error> {
        Ok(self.evaluate(&Rsigma::parse(bytes)?, hit))
    }
}

fn tell(found: &[EvaluationResult], hit: &mut dyn FnMut(&str)) -> usize {
    for result in found {
        hit(result.header.rule_id.as_deref().unwrap_or_default());
    }
    found.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: &str = "title: A\nid: one\nlogsource: {product: windows, category: process_creation}\n\
        detection:\n    sel: {Image|endswith: .exe}\n    condition: sel\n";
    const ANY: &str = "title: B\nid: two\nlogsource: {category: antivirus}\n\
        detection:\n    sel: {Image|contains: '\\w'}\n    condition: sel\n";

    fn hits(options: Options, event: &str) -> Vec<String> {
        let (peer, errors) = Rsigma::load([WINDOWS, ANY], options);
        assert_eq!(errors, []);
        let mut found = Vec::new();
        let count = peer.evaluate_bytes(event.as_bytes(), &mut |id| found.push(id.to_owned())).expect("JSON");
        assert_eq!(count, found.len());
        found.sort();
        found
    }

    #[test]
    fn routing_narrows_the_rules() {
        let event = r#"{"Image":"C:\\w.exe","product":"linux"}"#;
        let linux = LogSource { product: Some("linux".into()), ..LogSource::default() };
        let by = |routing| hits(Options { routing, ..Options::default() }, event);
        assert_eq!(by(Routing::Off), ["one", "two"]);
        assert_eq!(by(Routing::Keys), ["two"]);
        assert_eq!(by(Routing::Compatible(linux.clone())), ["two"]);
        assert_eq!(by(Routing::Contained(linux)), [""; 0]);
    }

    #[test]
    fn the_optional_filters_change_no_answer() {
        let options = Options { cross_rule_ac: true, bloom: true, ..Options::default() };
        assert_eq!(hits(options, r#"{"Image":"C:\\w.exe"}"#), ["one", "two"]);
    }

    #[test]
    fn what_is_refused_is_told_with_its_place() {
        let (peer, errors) = Rsigma::load([ANY, "title: [", "title: C\nlogsource: {}\n"], Options::default());
        assert_eq!(peer.rules(), 1);
        assert_eq!(errors.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [1, 2]);
    }
}
