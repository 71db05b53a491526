//! Values at places of a JSON tree, by dotted path; a step into a list goes into its first element.

use serde_json::{Map, Value, json};

/// Puts a value at its place; an object that the path crosses is made, as the first of a list where `is_list` says so of the path so
/// far. What is already there and is no object is left alone.
pub(crate) fn put(tree: &mut Map<String, Value>, path: &str, value: Value, is_list: &dyn Fn(usize) -> bool) {
    put_at(tree, path, 0, value, is_list);
}

fn put_at(tree: &mut Map<String, Value>, path: &str, depth: usize, value: Value, is_list: &dyn Fn(usize) -> bool) {
    let Some((head, rest)) = path.split_once('.') else {
        tree.entry(path).or_insert(value);
        return;
    };
    let slot = tree.entry(head).or_insert_with(|| if is_list(depth) { json!([{}]) } else { json!({}) });
    if let Some(object) = object_mut(slot) {
        put_at(object, rest, depth + 1, value, is_list);
    }
}

/// Puts a value at its place, in place of what is there.
pub(crate) fn set(tree: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => drop(tree.insert(path.to_owned(), value)),
        Some((head, rest)) => {
            if let Some(object) = object_mut(tree.entry(head).or_insert_with(|| json!({}))) {
                set(object, rest, value);
            }
        }
    }
}

/// Keeps a value below `top`, as an object for each step of its path. Where a value already stands in the way, the path is the key.
pub(crate) fn keep(event: &mut Map<String, Value>, top: &str, path: &str, value: Value) {
    let slot = event.entry(top).or_insert_with(|| json!({}));
    let Some(unmapped) = slot.as_object_mut() else { return };
    let mut at = &mut *unmapped;
    let (parents, last) = path.rsplit_once('.').map_or(("", path), |(parents, last)| (parents, last));
    let is_free = is_free(at, path);
    if !is_free {
        unmapped.insert(path.to_owned(), value);
        return;
    }
    for step in parents.split('.').filter(|step| !step.is_empty()) {
        at = at.entry(step).or_insert_with(|| json!({})).as_object_mut().expect("nothing else stands in the way");
    }
    at.insert(last.to_owned(), value);
}

/// Can the path be walked through objects alone, to a place where nothing stands?
fn is_free(tree: &Map<String, Value>, path: &str) -> bool {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    match (tree.get(head), rest) {
        (None, _) => true,
        (Some(Value::Object(inner)), Some(rest)) => is_free(inner, rest),
        _ => false,
    }
}

/// The object itself, or the first of a list of objects.
pub(crate) fn object_mut(value: &mut Value) -> Option<&mut Map<String, Value>> {
    match value {
        Value::Array(list) => list.first_mut().and_then(Value::as_object_mut),
        value => value.as_object_mut(),
    }
}

/// The value at a path.
pub(crate) fn at<'a>(tree: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let value = tree.get(head)?;
    match rest {
        None => Some(value),
        Some(rest) => match value {
            Value::Array(list) => at(list.first()?.as_object()?, rest),
            value => at(value.as_object()?, rest),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_stand_below_a_value_is_kept_by_its_whole_path() {
        let mut event = Map::new();
        keep(&mut event, "unmapped", "job", json!("x"));
        keep(&mut event, "unmapped", "job.uid", json!("y"));
        keep(&mut event, "unmapped", "run.uid", json!("z"));
        assert_eq!(event["unmapped"], json!({"job": "x", "job.uid": "y", "run": {"uid": "z"}}));
    }

    #[test]
    fn a_path_goes_into_the_first_of_a_list() {
        let mut event = Map::new();
        put(&mut event, "resources.uid", json!("a"), &|depth| depth == 0);
        put(&mut event, "resources.type", json!("b"), &|depth| depth == 0);
        assert_eq!(Value::Object(event.clone()), json!({"resources": [{"uid": "a", "type": "b"}]}));
        assert_eq!(at(&event, "resources.type"), Some(&json!("b")));
    }
}
