//! Is an event valid against the published list of fields?

use serde_json::{Map, Value};

use super::schema::{Field, field};

/// Top of what is not ECS's: a field set of our own.
const OWN: &str = "watchkeep";

/// Everything that is wrong with an event, each with the field's name. It knows the list and nothing of how events are made.
pub fn check(event: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let Some(tree) = event.as_object() else { return vec!["an event is an object".into()] };
    for name in ["@timestamp", "ecs.version", "event.kind"] {
        if event.pointer(&format!("/{}", name.replace('.', "/"))).is_none() {
            wrong.push(format!("{name}: it is missing"));
        }
    }
    walk(tree, "", &mut wrong);
    types_go_with_categories(event, &mut wrong);
    wrong
}

fn walk(tree: &Map<String, Value>, path: &str, wrong: &mut Vec<String>) {
    for (name, value) in tree {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if path == OWN {
            continue;
        }
        match (field(&path), value) {
            (Some(field), value) => one(field, &path, value, wrong),
            (None, Value::Object(inner)) => walk(inner, &path, wrong),
            (None, _) => wrong.push(format!("{path}: ECS has no such field")),
        }
    }
}

fn one(field: &Field, path: &str, value: &Value, wrong: &mut Vec<String>) {
    match (field.is_list, value) {
        (true, Value::Array(list)) => list.iter().filter(|value| !field.allows(value)).for_each(|value| {
            wrong.push(format!("{path}: {value} is no {}, or not one of its values", field.kind));
        }),
        (true, _) => wrong.push(format!("{path}: a list is right")),
        (false, value) if !field.allows(value) => {
            wrong.push(format!("{path}: {value} is no {}, or not one of its values", field.kind));
        }
        _ => {}
    }
}

/// ECS says for each category which types go with it.
fn types_go_with_categories(event: &Value, wrong: &mut Vec<String>) {
    let texts = |name: &str| {
        let list = event["event"][name].as_array().cloned().unwrap_or_default();
        list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let known = field("event.category").expect("a field of ECS");
    let (categories, types) = (texts("category"), texts("type"));
    let goes = |one: &String| categories.iter().any(|name| known.values.get(name).is_some_and(|all| all.contains(one)));
    for one in types.iter().filter(|one| !goes(one)) {
        wrong.push(format!("event.type: `{one}` goes with none of the categories {categories:?}"));
    }
}
