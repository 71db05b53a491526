//! Routing: which of its source's log sources one record carries, and so which rules it is held against.
//!
//! In: a record. Out: a set of rules. Every `when` is worked out at compile time: values that the same
//! entries name are one class, each combination of classes is a place in a table, and the table says the set. So a record costs one
//! look-up for each field that some `when` names, and a source without `when` costs nothing.
//! Bound: [`ENTRIES_MAX`] entries, [`COMBINATIONS_MAX`] places in the table.

mod classes;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::OnceLock;

use super::shape::Names;
use crate::field::{Field, Fields, FieldsBuilder};
use crate::record::{Record, Scalar};
use crate::sigma::{LogSource, Program, RuleIndex, RuleSet};
use classes::Classes;

/// How many log sources a source may carry: one bit each.
pub(super) const ENTRIES_MAX: usize = 128;
/// How many combinations of values the conditions of a source may tell apart.
pub(super) const COMBINATIONS_MAX: usize = 1 << 16;

/// A Sigma log source that a source carries, and on which records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The log source.
    pub logsource: LogSource,
    /// Conditions: each path has one of these values, in any case; none, and every record carries it.
    pub when: BTreeMap<String, Vec<String>>,
    /// Names that rules use, and where such a record has their value, if it lacks them.
    pub fields: BTreeMap<String, Vec<String>>,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LogSource { product, category, service, .. } = &self.logsource;
        let parts = [("product", product), ("category", category), ("service", service)];
        let parts: Vec<String> =
            parts.iter().filter_map(|(name, part)| Some(format!("{name}: {}", part.as_ref()?))).collect();
        write!(f, "{{{}}}", parts.join(", "))
    }
}

/// The entries that hold, one bit each.
type Held = u128;

/// The sets of rules of a source, and how a record finds its own.
#[derive(Debug)]
pub(crate) struct Routing {
    keys: Vec<Key>,
    /// For each combination of classes: the number of its set.
    table: Vec<u16>,
    sets: Vec<Set>,
    /// How many rules are in one set at least.
    rules: usize,
}

/// What a combination of log sources comes to.
#[derive(Debug)]
pub(crate) struct Set {
    logsources: Vec<LogSource>,
    rules: OnceLock<RuleSet>,
    /// The names that their records have under another.
    pub(crate) names: Names,
}

impl Set {
    /// The rules that look at one of them. They are made ready for evaluation when a record first asks: a feed brings few of the
    /// log sources that it could bring, and those of feeds that are not there cost nothing.
    #[inline]
    pub(crate) fn rules(&self, program: &Program) -> &RuleSet {
        self.rules.get_or_init(|| program.applicable(&self.logsources))
    }
}

/// A field that conditions name.
#[derive(Debug)]
struct Key {
    field: Field,
    classes: Classes,
    /// How far apart two classes of this field are in the table.
    stride: u32,
}

/// The sets that a record is held against: their numbers, in memory that is used again.
pub(crate) type Picked = Vec<u32>;

/// The class of values that no entry names, and of none.
const OTHER: u32 = 0;

/// The conditions of all entries: for each path, the classes of values, and what each class leaves of the entries.
pub(super) struct Conditions<'r> {
    paths: Vec<(&'r str, BTreeMap<String, Held>)>,
    /// For each path: the entries that do not name it.
    free: Vec<Held>,
}

impl<'r> Conditions<'r> {
    /// The conditions of the first [`ENTRIES_MAX`] of the entries.
    pub(super) fn of(routes: &'r [Route]) -> Conditions<'r> {
        let routes = &routes[..routes.len().min(ENTRIES_MAX)];
        let names: BTreeSet<&str> = routes.iter().flat_map(|route| route.when.keys().map(String::as_str)).collect();
        let mut conditions = Conditions { paths: Vec::new(), free: Vec::new() };
        for path in names {
            let mut values: BTreeMap<String, Held> = BTreeMap::new();
            let mut free: Held = 0;
            for (at, route) in routes.iter().enumerate() {
                match route.when.get(path) {
                    Some(wanted) => {
                        wanted
                            .iter()
                            .for_each(|value| *values.entry(value.to_ascii_lowercase()).or_default() |= 1 << at);
                    }
                    None => free |= 1 << at,
                }
            }
            conditions.paths.push((path, values));
            conditions.free.push(free);
        }
        conditions
    }

    /// For one path: what the entries make of each class of values, from that of the values that nobody names.
    fn classes(&self, at: usize) -> Vec<Held> {
        let (_, values) = &self.paths[at];
        let mut classes: Vec<Held> = values.values().copied().collect::<BTreeSet<Held>>().into_iter().collect();
        classes.insert(OTHER as usize, 0);
        classes
    }

    /// How many combinations of values they tell apart.
    pub(super) fn combinations(&self) -> usize {
        (0..self.paths.len()).map(|at| self.classes(at).len()).fold(1, usize::saturating_mul)
    }
}

impl Routing {
    /// The sets of `program`'s rules for a source with these entries, which [`Conditions`] has found to be within bounds.
    pub(crate) fn compile(routes: &[Route], program: &Program, fields: &mut FieldsBuilder) -> Routing {
        let conditions = Conditions::of(routes);
        let mut keys = Vec::new();
        let every = routes.iter().take(ENTRIES_MAX).enumerate().fold(0, |held: Held, (at, _)| held | 1 << at);
        let mut places = vec![every];
        for (at, (path, values)) in conditions.paths.iter().enumerate() {
            let classes = conditions.classes(at);
            let stride = u32::try_from(places.len()).expect("parsing keeps combinations few");
            let left = classes.iter().map(|held| held | conditions.free[at]);
            places = left.flat_map(|left| places.iter().map(move |so_far| so_far & left)).collect();
            let number = |held: &Held| classes.iter().position(|class| class == held).unwrap_or_default();
            let values = values.iter().map(|(value, held)| (value.as_str(), number(held) as u32));
            keys.push(Key { field: fields.intern(path), classes: Classes::new(values), stride });
        }
        let mut routing = Routing { keys, table: Vec::new(), sets: Vec::new(), rules: 0 };
        let names: Vec<Names> = routes.iter().map(|route| Names::compile(&route.fields, fields)).collect();
        routing.fill(routes, &names, program, &places);
        // A source without conditions has one set, which every record asks for.
        if let [set] = routing.sets.as_slice() {
            set.rules(program);
        }
        routing
    }

    /// Works out the set of each place. Places with the same rules and names share one set.
    fn fill(&mut self, routes: &[Route], names: &[Names], program: &Program, places: &[Held]) {
        let mut wanted: BTreeMap<&LogSource, usize> = BTreeMap::new();
        program.rules().iter().for_each(|compiled| *wanted.entry(&compiled.rule.logsource).or_default() += 1);
        let wanted: Vec<(Held, usize)> =
            wanted.into_iter().map(|(wanted, rules)| (answering(wanted, routes), rules)).collect();
        let answers: BTreeSet<Held> = wanted.iter().map(|(answering, _)| *answering).collect();
        let mut by_held: BTreeMap<Held, u16> = BTreeMap::new();
        let mut by_meaning: BTreeMap<(Vec<bool>, Names), u16> = BTreeMap::new();
        for &held in places {
            let number = *by_held.entry(held).or_insert_with(|| {
                let is_held = |at: &usize| *at < ENTRIES_MAX && held >> at & 1 == 1;
                let carried: Vec<usize> = (0..routes.len()).filter(is_held).collect();
                let answer = answers.iter().map(|answering| answering & held != 0).collect();
                let mut all = Names::default();
                carried.iter().for_each(|at| all.add(&names[*at]));
                *by_meaning.entry((answer, all.clone())).or_insert_with(|| {
                    let logsources: Vec<LogSource> = carried.iter().map(|at| routes[*at].logsource.clone()).collect();
                    self.sets.push(Set { logsources, rules: OnceLock::new(), names: all });
                    u16::try_from(self.sets.len() - 1).expect("there are no more sets than places")
                })
            });
            self.table.push(number);
        }
        let reachable = places.iter().fold(0, |reachable, held| reachable | held);
        self.rules = wanted.iter().filter(|(answering, _)| answering & reachable != 0).map(|(_, rules)| rules).sum();
    }

    /// How many rules look at some record of the source.
    pub(crate) fn rules(&self) -> usize {
        self.rules
    }

    /// Finds the sets of rules that the record is held against: one, or several where a field that conditions name has several values.
    ///
    /// Shape: an entry holds where each of its paths has one of its values among all that the record gives; that is the union over
    /// every choice of one value for each path.
    #[inline]
    pub(crate) fn pick(&self, record: &Record<'_>, picked: &mut Picked) {
        picked.clear();
        picked.push(0);
        for key in &self.keys {
            key.add(record, picked);
        }
        if picked.len() > 1 {
            picked.iter_mut().for_each(|place| *place = u32::from(self.table[*place as usize]));
            picked.sort_unstable();
            picked.dedup();
        } else {
            picked[0] = u32::from(self.table[picked[0] as usize]);
        }
    }

    /// The sets that were picked.
    pub(crate) fn sets<'s>(&'s self, picked: &'s Picked) -> impl Iterator<Item = &'s Set> {
        picked.iter().map(|number| &self.sets[*number as usize])
    }

    /// Every rule that looks at the record.
    pub(crate) fn rules_for(&self, record: &Record<'_>, program: &Program) -> BTreeSet<RuleIndex> {
        let mut picked = Picked::new();
        self.pick(record, &mut picked);
        self.sets(&picked).flat_map(|set| set.rules(program).iter()).collect()
    }
}

impl Route {
    /// Does the record carry the log source? The slow answer, for people who ask why.
    pub(crate) fn holds(&self, record: &Record<'_>, fields: &Fields) -> bool {
        self.when.iter().all(|(path, wanted)| {
            let values = fields.get(path).into_iter().flat_map(|field| record.values(field));
            values.filter_map(Scalar::scalar_text).any(|text| wanted.iter().any(|one| one.eq_ignore_ascii_case(text)))
        })
    }
}

impl Key {
    /// Moves each place by the class of the record's value; where values differ, there is a place for each.
    #[inline]
    fn add(&self, record: &Record<'_>, places: &mut Picked) {
        let mut values = record.values(self.field).filter_map(|value| value.scalar_text());
        let Some(first) = values.next() else { return };
        let first = self.classes.of(first);
        let before = places.len();
        for value in values {
            let class = self.classes.of(value);
            let offset = class * self.stride;
            // What no entry names adds nothing to a value that one names.
            if class != first && class != OTHER && !places[before..].contains(&(places[0] + offset)) {
                (0..before).for_each(|at| places.push(places[at] + offset));
            }
        }
        if first != OTHER || places.len() == before {
            places[..before].iter_mut().for_each(|place| *place += first * self.stride);
        } else {
            places.drain(..before);
        }
    }
}

/// The entries that satisfy what a rule asks of a log source.
fn answering(wanted: &LogSource, routes: &[Route]) -> Held {
    let routes = routes.iter().take(ENTRIES_MAX).enumerate();
    routes.filter(|(_, route)| wanted.applies_to(&route.logsource)).fold(0, |held, (at, _)| held | 1 << at)
}

#[cfg(test)]
mod tests;
