//! Where the columns of a source stand in the events of its class.
//!
//! A column is a path of OCSF's dictionary, whatever the class: rules and people ask all sources for `api.operation` and
//! `src_endpoint.ip`. Not every class has every attribute. What a finding is about stands below its `evidences`; a profile that the
//! class offers is carried when a column needs it; what the class has no place for is kept below `unmapped`, by the column's name.

use std::collections::{BTreeMap, BTreeSet};

use super::schema::{Attribute, Class, Schema, Shape, schema};
use crate::source::Source;

/// Other places of a column, tried in order: what its path starts with, what stands there instead, and a column that the source must
/// have for it, lest the object around the place be made for it alone.
const OTHER_PLACES: [(&str, &str, &str); 5] = [
    ("", "evidences.", ""),
    ("container.", "api.request.containers.", "api.request.uid"),
    ("container.", "process.container.", ""),
    ("container.", "device.container.", "device.hostname"),
    ("resources.", "entity.", ""),
];

/// Profiles that ask for what a source must have in its columns.
const COSTLY: [(&str, &str); 1] = [("cloud", "cloud.provider")];
/// Profiles that are carried only if the source says so, since they say what an event is, or ask for what no column holds.
const NEVER_UNASKED: [&str; 2] = ["osint", "incident"];

/// The place of a column.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub path: String,
    pub attribute: &'static Attribute,
    /// For each step of the path, whether it is a list.
    pub lists: Vec<bool>,
    profiles: BTreeSet<String>,
}

/// A source's columns, by its class.
#[derive(Debug)]
pub(super) struct Mapping {
    pub class: &'static Class,
    pub class_uid: u32,
    /// The profiles that its events carry.
    pub profiles: Vec<String>,
    /// Columns that have a place.
    pub places: BTreeMap<String, Place>,
}

impl Mapping {
    /// `None` for a class that the schema does not have.
    pub fn of(source: &Source) -> Option<Mapping> {
        let class = schema().class(source.ocsf.class_uid)?;
        let declared = &source.ocsf.profiles;
        let is_paid = |profile: &str| {
            COSTLY.iter().all(|(costly, column)| *costly != profile || source.column_readings.contains_key(*column))
        };
        let is_offered = |profile: &&String| {
            is_paid(profile) && (declared.contains(profile) || !NEVER_UNASKED.contains(&profile.as_str()))
        };
        let offered: Vec<String> = class.profiles.iter().filter(is_offered).cloned().collect();
        let is_column = |name: &str| name.is_empty() || source.column_readings.contains_key(name);
        let columns = source.column_readings.keys().filter(|column| !column.starts_with("unmapped."));
        let place = |column: &String| Some((column.clone(), find(&class.shape, column, &offered, &is_column)?));
        let places: BTreeMap<String, Place> = columns.filter_map(place).collect();
        let needed: BTreeSet<&String> = places.values().flat_map(|place| &place.profiles).collect();
        let is_carried = |profile: &String| declared.contains(profile) || needed.contains(profile);
        let profiles = offered.iter().filter(|profile| is_carried(profile)).cloned().collect();
        Some(Mapping { class, class_uid: source.ocsf.class_uid, profiles, places })
    }
}

fn find(class: &Shape, column: &str, offered: &[String], is_column: &dyn Fn(&str) -> bool) -> Option<Place> {
    walk(schema(), class, column, offered).or_else(|| {
        let other = |(from, to, needs): &(&str, &str, &str)| {
            let path = format!("{to}{}", column.strip_prefix(from)?);
            (is_column(needs) && !is_column(&path)).then(|| walk(schema(), class, &path, offered))?
        };
        OTHER_PLACES.iter().find_map(other)
    })
}

/// Follows a path through objects; a path that ends in one means its name.
fn walk(schema: &'static Schema, class: &Shape, path: &str, offered: &[String]) -> Option<Place> {
    let (mut shape, mut lists, mut profiles) = (class, Vec::new(), BTreeSet::new());
    let mut steps = path.split('.').peekable();
    while let Some(step) = steps.next() {
        let attribute = schema.attribute(shape, step).filter(|attribute| attribute.is_in(offered))?;
        profiles.extend(attribute.profiles.iter().find(|profile| offered.contains(profile)).cloned());
        lists.push(attribute.is_list);
        match (attribute.is_object(), steps.peek()) {
            (false, None) => return Some(Place { path: path.to_owned(), attribute, lists, profiles }),
            (false, Some(_)) => return None,
            (true, Some(_)) => shape = schema.object(&attribute.object)?,
            (true, None) => return walk(schema, class, &format!("{path}.name"), offered),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(uid: u32, column: &str, offered: &[&str]) -> Option<String> {
        let offered: Vec<String> = offered.iter().map(|profile| (*profile).to_owned()).collect();
        find(&schema().class(uid).expect("a class").shape, column, &offered, &str::is_empty).map(|place| place.path)
    }

    #[test]
    fn a_column_stands_where_its_class_has_it() {
        assert_eq!(place(6003, "api.operation", &[]).as_deref(), Some("api.operation"));
        assert_eq!(place(3004, "api.operation", &[]), None);
        assert_eq!(place(3004, "api.operation", &["cloud"]).as_deref(), Some("api.operation"));
        assert_eq!(place(2004, "src_endpoint.ip", &[]).as_deref(), Some("evidences.src_endpoint.ip"));
        assert_eq!(place(2004, "actor.user.groups", &[]).as_deref(), Some("evidences.actor.user.groups.name"));
        assert_eq!(place(3004, "resources.uid", &[]).as_deref(), Some("entity.uid"));
        assert_eq!(place(6003, "tls.version", &[]), None);
        assert_eq!(place(6003, "status.more", &[]), None);
    }
}
