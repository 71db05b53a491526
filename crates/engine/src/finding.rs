//! Findings: what a rule that held says about an event.
//!
//! In: the rule, the event. Out: a [`Finding`] with its reason sentence, entities and fold key. The sentence is one line of at most
//! [`MESSAGE_CHARS`] characters, with control characters escaped, since values are the attacker's.

use std::borrow::Cow;

use model::{Entity, EntityKind, Finding, FoldKey, MatchedTerm};

use crate::event::Event;
use crate::field::{Field, FieldsBuilder};
use crate::sigma::CompiledRule;
use crate::source::holes;

/// Longest reason sentence.
pub(crate) const MESSAGE_CHARS: usize = 400;
/// Longest value in a reason sentence.
pub(crate) const VALUE_CHARS: usize = 120;
/// Longest mention of an event among others.
const BRIEF_CHARS: usize = 160;
pub(crate) const HOUR_MS: i64 = 3_600_000;
/// What a reason sentence says of an event whose record has no time.
const NO_TIME: &str = " (the record has no time; that of its receipt stands in)";

/// What of a rule is needed to say its findings.
#[derive(Debug)]
pub(crate) struct Voice {
    sentence: Option<Sentence>,
    entities: Vec<(EntityKind, Field)>,
    fold: Vec<(String, Field)>,
    window_ms: i64,
    techniques: Vec<String>,
}

impl Voice {
    pub(crate) fn new(compiled: &CompiledRule, fields: &mut FieldsBuilder) -> Voice {
        let rule = &compiled.rule;
        let own = &rule.watchkeep;
        let entity = |(kind, path): (&String, &String)| Some((EntityKind::parse(kind)?, path.clone()));
        let entities: Vec<(EntityKind, String)> = own.entities.iter().filter_map(entity).collect();
        let (by, window_ms) = match &own.fold {
            Some(fold) => (fold.by.clone(), fold.window_ms),
            None => (vec![EntityKind::Principal.as_str().to_owned()], HOUR_MS),
        };
        Voice {
            sentence: own.message.as_ref().map(|text| Sentence::new(text, fields)),
            entities: entities.into_iter().map(|(kind, path)| (kind, fields.intern(&path))).collect(),
            fold: by.into_iter().map(|name| (name.clone(), fields.intern(&name))).collect(),
            window_ms,
            techniques: rule.techniques(),
        }
    }

    /// The finding of the rule on the event.
    pub(crate) fn say(
        &self,
        compiled: &CompiledRule,
        event: &Event<'_>,
        default: &Sentence,
        matched: Vec<MatchedTerm>,
    ) -> Finding {
        let rule = &compiled.rule;
        let message = match &self.sentence {
            Some(sentence) => sentence.fill(event),
            None => format!("{}: {}", default.fill(event), rule.title),
        };
        Finding {
            finding_id: Finding::id_of(&rule.id, &compiled.revision, &[event.id()]),
            rule_id: rule.id.clone(),
            rule_title: rule.title.clone(),
            rule_revision: compiled.revision.clone(),
            level: rule.level,
            kind: rule.watchkeep.kind,
            source: event.source().id.clone(),
            event_time: event.time(),
            received: event.received(),
            event_ids: vec![event.id()],
            entities: self.entities(event),
            techniques: self.techniques.clone(),
            message: with_time_note(one_line(&message, MESSAGE_CHARS - NO_TIME.len()), event),
            lane: event.lane(),
            fold: self.fold(event),
            matched,
            columns: event.columns(),
            window: None,
            context: Vec::new(),
        }
    }

    /// Adds the entities that the rule names besides those of the source.
    pub(crate) fn add_entities(&self, event: &Event<'_>, entities: &mut Vec<Entity>) {
        for (kind, field) in &self.entities {
            let keys = event.shown(*field).filter(|key| !key.is_empty());
            entities.extend(keys.map(|key| Entity { kind: *kind, key: key.into_owned() }));
        }
    }

    fn entities(&self, event: &Event<'_>) -> Vec<Entity> {
        let mut entities = event.entities();
        self.add_entities(event, &mut entities);
        entities.sort();
        entities.dedup();
        entities
    }

    fn fold(&self, event: &Event<'_>) -> FoldKey {
        let value = |name: &str, field: Field| {
            let entity = EntityKind::parse(name).and_then(|kind| event.entity(kind));
            entity.map(Cow::Borrowed).or_else(|| event.named(name, field)).unwrap_or_default().into_owned()
        };
        let by = self.fold.iter().map(|(name, field)| (name.clone(), value(name, *field))).collect();
        FoldKey { by, window_ms: self.window_ms }
    }
}

fn with_time_note(message: String, event: &Event<'_>) -> String {
    if event.is_time_of_receipt() { message + NO_TIME } else { message }
}

/// A sentence with holes, each of which names an entity kind, a column or a path of the record.
#[derive(Debug)]
pub(crate) struct Sentence {
    text: String,
    holes: Vec<(String, Field)>,
}

impl Sentence {
    pub(crate) fn new(text: &str, fields: &mut FieldsBuilder) -> Sentence {
        let holes = holes(text).map(|name| (name.to_owned(), fields.intern(name))).collect();
        Sentence { text: text.to_owned(), holes }
    }

    /// The sentence about the event. A hole without a value reads `unknown` and its last word, unless it stands beside one that has
    /// a value: `{type}{Type}` is either.
    pub(crate) fn fill(&self, event: &Event<'_>) -> String {
        self.fill_with(event, |name, field| event.named(name, field))
    }

    /// As [`Sentence::fill`], on one short line. Only the columns that it names are worked out.
    pub(crate) fn brief(&self, event: &Event<'_>) -> String {
        one_line(&self.fill_with(event, |name, field| event.named_alone(name, field)), BRIEF_CHARS)
    }

    fn fill_with<'e>(&self, event: &'e Event<'_>, read: impl Fn(&str, Field) -> Option<Cow<'e, str>>) -> String {
        let mut text = String::new();
        let mut rest = self.text.as_str();
        let mut missing: Option<&str> = None;
        let mut has_value = false;
        for (name, field) in &self.holes {
            let Some((before, after)) = rest.split_once('{') else { break };
            let Some((_, after)) = after.split_once('}') else { break };
            if !before.is_empty() {
                admit(&mut text, missing.take(), std::mem::take(&mut has_value));
            }
            text.push_str(before);
            let entity = || EntityKind::parse(name).and_then(|kind| event.entity(kind)).map(Cow::Borrowed);
            match read(name, *field).or_else(entity).filter(|value| !value.is_empty()) {
                Some(value) => {
                    has_value = true;
                    text.push_str(&one_line(&value, VALUE_CHARS));
                }
                None => missing = missing.or(Some(name)),
            }
            rest = after;
        }
        admit(&mut text, missing, has_value);
        text.push_str(rest);
        text
    }
}

/// Says that a value is missing, unless one beside it is there.
fn admit(text: &mut String, missing: Option<&str>, has_value: bool) {
    if let Some(name) = missing.filter(|_| !has_value) {
        text.push_str("unknown ");
        text.push_str(name.rsplit('.').next().unwrap_or(name));
    }
}

/// The text on one line: control characters and those that turn the direction of writing are escaped, and the end is cut.
pub(crate) fn one_line(text: &str, chars: usize) -> String {
    // Nearly every value.
    if text.len() <= chars && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut line = String::new();
    let mut count = 0;
    for character in text.chars() {
        let start = line.len();
        if is_unsafe(character) {
            line.extend(character.escape_unicode())
        } else {
            line.push(character)
        }
        count += line[start..].chars().count();
        if count > chars {
            line.truncate(start);
            while line.chars().count() >= chars {
                line.pop();
            }
            line.push('…');
            return line;
        }
    }
    line
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_stays_on_one_line_and_short() {
        assert_eq!(one_line("a\nb\u{202E}", 100), "a\\u{a}b\\u{202e}");
        let cut = one_line(&"x".repeat(1000), 400);
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (400, true));
        assert!(one_line(&"\n".repeat(1000), 400).chars().count() <= 400);
        assert_eq!(one_line(&"x".repeat(400), 400).chars().count(), 400);
    }
}
