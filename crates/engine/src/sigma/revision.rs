//! Digests of meaning: equal for two texts that say the same, different as soon as they do not.
//!
//! Shape: searches are put in the place of their names, AND and OR are sorted, modifiers have one spelling; descriptions,
//! names, order and layout leave no trace.

use model::Digest;

use super::detection::{Condition, Detection, Group, Item, Of, Value};
use super::modifier::Modifier;
use super::rule::{LogSource, Rule};

/// The digest of a rule's meaning: detection, log source, level, kind and fold.
pub(super) fn of_rule(rule: &Rule) -> String {
    let LogSource { product, category, service, definition: _ } = &rule.logsource;
    let part = |part: &Option<String>| part.as_deref().map(str::to_lowercase).unwrap_or_default();
    let fold = match &rule.watchkeep.fold {
        Some(fold) => format!("{:?} {}", fold.by, fold.window_ms),
        None => String::new(),
    };
    digest(&[
        &meaning(&rule.detection),
        &part(product),
        &part(category),
        &part(service),
        rule.level.as_str(),
        rule.watchkeep.kind.as_str(),
        &fold,
    ])
}

/// The digest of a detection's meaning.
pub(super) fn of_detection(detection: &Detection) -> String {
    digest(&[&meaning(detection)])
}

fn digest(parts: &[&str]) -> String {
    let bytes: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    Digest::of_parts(&bytes).hex()[..16].to_owned()
}

fn meaning(detection: &Detection) -> String {
    let searches: Vec<String> = detection.searches.iter().map(|search| group(&search.body)).collect();
    joined("or", detection.conditions.iter().map(|part| condition(part, &searches)).collect())
}

/// Parts in order, without repeats; one part alone is itself.
fn joined(word: &str, mut parts: Vec<String>) -> String {
    parts.sort_unstable();
    parts.dedup();
    if parts.len() == 1 { parts.remove(0) } else { format!("({word} {})", parts.join(" ")) }
}

fn condition(part: &Condition, searches: &[String]) -> String {
    let several = |parts: &[Condition]| parts.iter().map(|part| condition(part, searches)).collect();
    match part {
        Condition::Search(search) => searches[*search].clone(),
        Condition::Not(part) => format!("(not {})", condition(part, searches)),
        Condition::And(parts) => joined("and", several(parts)),
        Condition::Or(parts) => joined("or", several(parts)),
        Condition::Of(Of { least, searches: named, .. }) => {
            let mut parts: Vec<String> = named.iter().map(|search| searches[*search].clone()).collect();
            match least {
                None => joined("and", parts),
                Some(1) => joined("or", parts),
                Some(least) => {
                    parts.sort_unstable();
                    format!("({least}-of {})", parts.join(" "))
                }
            }
        }
    }
}

fn group(part: &Group) -> String {
    match part {
        Group::All(parts) => joined("and", parts.iter().map(group).collect()),
        Group::Any(parts) => joined("or", parts.iter().map(group).collect()),
        Group::Item(part) => item(part),
    }
}

fn item(part: &Item) -> String {
    // The order of modifiers that stand for a way of comparing means nothing; that of encodings does.
    let mut ways: Vec<&str> = Vec::new();
    let mut encodings: Vec<&str> = Vec::new();
    for modifier in part.modifiers.iter() {
        let is_encoding = matches!(
            modifier,
            Modifier::Windash
                | Modifier::Base64
                | Modifier::Base64Offset
                | Modifier::Utf16
                | Modifier::Utf16Le
                | Modifier::Utf16Be
        );
        if is_encoding { encodings.push(modifier.as_str()) } else { ways.push(modifier.as_str()) }
    }
    ways.sort_unstable();
    let mut values: Vec<String> = part.values.iter().map(value).collect();
    values.sort_unstable();
    values.dedup();
    format!("[{:?} {} {} {}]", part.field, ways.join("|"), encodings.join("|"), values.join(" "))
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(is_set) => is_set.to_string(),
        Value::Number(lexeme) => lexeme.clone(),
        Value::Text(text) => format!("{text:?}"),
    }
}
