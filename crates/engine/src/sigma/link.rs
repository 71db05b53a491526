//! Joins correlations with the rules that they refer to, and says what cannot be joined.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use model::{Diagnostic, Level, RuleId};
use serde::Serialize;

use super::bounds::CORRELATION_DEPTH_MAX;
use super::correlation::{Correlation, Reference};
use super::parse::nearest;
use super::revision;
use super::rule::Rule;

mod weight;

pub use weight::Weight;

/// What a correlation joins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Member {
    /// A rule.
    Rule(RuleId),
    /// A correlation that stands earlier in the list.
    Correlation(usize),
}

/// A correlation whose references are found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Linked {
    /// The correlation.
    pub correlation: Correlation,
    /// 16 hexadecimal digits of a digest over its meaning and that of its members.
    pub revision: String,
    /// What its `rules` are, in their order.
    pub members: Vec<Member>,
    /// The field that each member calls by an alias: alias to one field for each member; `None` where the alias has none for it.
    pub aliases: BTreeMap<String, Vec<Option<String>>>,
    /// What an event of each member is worth, for `risk`; empty for any other type.
    pub weights: Vec<Weight>,
    /// Does it raise findings? One that others refer to does so only if one of them says `generate`.
    pub is_raised: bool,
}

impl Linked {
    /// What its findings call the rule: its id, or else its name or title.
    pub fn rule_id(&self) -> RuleId {
        RuleId::new(self.correlation.label())
    }

    /// What `name` of `group-by` or `field` is called in events of member `member`.
    pub fn field<'a>(&'a self, name: &'a str, member: usize) -> &'a str {
        self.aliases.get(name).and_then(|fields| fields[member].as_deref()).unwrap_or(name)
    }
}

/// Finds what correlations refer to.
///
/// Shape: the correlations that can be used, each behind those that it is built on. One that cannot be is left out, with an error,
/// and so is whatever is built on it.
pub fn link<R: Borrow<Rule>>(rules: &[R], correlations: &[Correlation]) -> (Vec<Linked>, Vec<Diagnostic>) {
    let rules = rules.iter().map(Borrow::borrow).collect();
    let states = vec![State::New; correlations.len()];
    let mut linker = Linker { rules, correlations, states, linked: Vec::new(), depths: Vec::new(), told: Vec::new() };
    linker.names();
    for at in 0..correlations.len() {
        linker.visit(at, 0);
    }
    let Linker { mut linked, told, .. } = linker;
    for at in 0..linked.len() {
        let above: Vec<bool> = linked
            .iter()
            .filter(|other| other.members.contains(&Member::Correlation(at)))
            .map(|other| other.correlation.generate)
            .collect();
        linked[at].is_raised = above.is_empty() || above.contains(&true);
    }
    (linked, told)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    Open,
    Wrong,
    Linked(usize),
}

struct Linker<'a> {
    rules: Vec<&'a Rule>,
    correlations: &'a [Correlation],
    states: Vec<State>,
    linked: Vec<Linked>,
    /// How many correlations stand one on the other, each linked one included.
    depths: Vec<usize>,
    told: Vec<Diagnostic>,
}

/// References that are followed from one correlation, so that a long chain does not exhaust the stack.
const FOLLOWED_MAX: usize = 256;

/// What a reference leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Rule(usize),
    Correlation(usize),
}

impl Linker<'_> {
    /// Two correlations of one id, or two documents of one id across kinds, cannot be told apart.
    fn names(&mut self) {
        for (at, correlation) in self.correlations.iter().enumerate() {
            let Some(id) = &correlation.id else { continue };
            let earlier = self.correlations[..at].iter().find(|other| other.id.as_ref() == Some(id));
            let other = earlier.map(|other| &other.title);
            let voice_of = correlation.voice_of.as_ref();
            let mut others = self.rules.iter().filter(|rule| Some(&rule.id) != voice_of);
            let rule = others.find(|rule| rule.id.as_str().eq_ignore_ascii_case(id)).map(|rule| &rule.title);
            let Some(other) = other.or(rule) else { continue };
            let message = format!("id {id} of correlation `{}` is taken by `{other}`", correlation.title);
            self.tell(correlation, correlation.line, 0, "duplicate-id", message, "give the correlation a new UUID");
            self.states[at] = State::Wrong;
        }
    }

    fn tell(&mut self, of: &Correlation, line: usize, column: usize, code: &str, message: String, remedy: &str) {
        self.told.push(Diagnostic::error(line, column, code, message, remedy).in_file(of.file.clone()));
    }

    /// Links correlation `at` and whatever it is built on.
    fn visit(&mut self, at: usize, depth: usize) {
        if self.states[at] != State::New {
            return;
        }
        self.states[at] = State::Open;
        let correlation = &self.correlations[at];
        let mut targets: Vec<Target> = Vec::new();
        let mut is_right = true;
        for reference in &correlation.rules {
            match self
                .target(correlation, reference)
                .filter(|target| self.reach(correlation, reference, *target, depth))
            {
                Some(target) if targets.contains(&target) => {
                    let message = format!("`{}` is a rule that `rules` has named already", reference.name);
                    self.tell(
                        correlation,
                        reference.line,
                        reference.column,
                        "duplicate-reference",
                        message,
                        "name each rule once",
                    );
                    is_right = false;
                }
                Some(target) => targets.push(target),
                None => is_right = false,
            }
        }
        let aliases = if is_right { self.aliases(correlation, &targets) } else { None };
        let depth = 1 + targets.iter().map(|target| self.depth(*target)).max().unwrap_or(0);
        self.states[at] = match aliases {
            Some(_) if depth > CORRELATION_DEPTH_MAX => {
                let message = format!(
                    "correlation `{}` stands on {depth} levels, more than {CORRELATION_DEPTH_MAX}",
                    correlation.title
                );
                self.tell(correlation, correlation.line, 0, "correlation-too-deep", message, "build on fewer");
                State::Wrong
            }
            Some(aliases) => {
                let linked = self.join(correlation, &targets, aliases);
                self.depths.push(depth);
                self.linked.push(linked);
                State::Linked(self.linked.len() - 1)
            }
            None => State::Wrong,
        };
    }

    fn join(&self, of: &Correlation, targets: &[Target], aliases: BTreeMap<String, Vec<Option<String>>>) -> Linked {
        let members = targets.iter().map(|target| self.member(*target)).collect();
        let weights = weight::weights(of, targets.iter().map(|target| self.gravity(*target)));
        let beneath: Vec<&str> = targets.iter().map(|target| self.revision(*target)).collect();
        let revision = revision::of_correlation(of, &beneath, &aliases, &weights);
        Linked { correlation: of.clone(), revision, members, aliases, weights, is_raised: true }
    }

    fn revision(&self, target: Target) -> &str {
        match (target, self.member_place(target)) {
            (Target::Rule(rule), _) => &self.rules[rule].revision,
            (_, Some(place)) => &self.linked[place].revision,
            (_, None) => "",
        }
    }

    /// Level and tags of what a reference leads to.
    fn gravity(&self, target: Target) -> (Level, &[String]) {
        match target {
            Target::Rule(rule) => (self.rules[rule].level, &self.rules[rule].tags),
            Target::Correlation(at) => {
                (self.correlations[at].level.unwrap_or_default(), self.correlations[at].tags.as_slice())
            }
        }
    }

    fn depth(&self, target: Target) -> usize {
        match self.member_place(target) {
            Some(place) => self.depths[place],
            None => 0,
        }
    }

    fn member_place(&self, target: Target) -> Option<usize> {
        match target {
            Target::Correlation(at) => match self.states[at] {
                State::Linked(place) => Some(place),
                _ => None,
            },
            Target::Rule(_) => None,
        }
    }

    fn member(&self, target: Target) -> Member {
        match target {
            Target::Rule(rule) => Member::Rule(self.rules[rule].id.clone()),
            Target::Correlation(_) => {
                Member::Correlation(self.member_place(target).expect("only linked correlations are reached"))
            }
        }
    }

    /// What a name or id leads to; an id first, in any case. A rule that a correlation speaks for leads to that one, unless it is
    /// this one that asks.
    fn find(&self, of: &Correlation, name: &str) -> Vec<Target> {
        let by_id = self.rules.iter().position(|rule| rule.id.as_str().eq_ignore_ascii_case(name));
        let is_it = |id: &Option<String>| id.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(name));
        let by_id = by_id.map(|rule| self.voice(of, rule));
        let by_id =
            by_id.or_else(|| self.correlations.iter().position(|other| is_it(&other.id)).map(Target::Correlation));
        if let Some(target) = by_id {
            return vec![target];
        }
        let is_named = |other: &Option<String>| other.as_deref() == Some(name);
        let rules = (0..self.rules.len()).filter(|rule| is_named(&self.rules[*rule].name));
        let others = self.correlations.iter().enumerate();
        let others = others.filter(|(_, other)| is_named(&other.name) && other.voice_of.is_none());
        rules.map(|rule| self.voice(of, rule)).chain(others.map(|(at, _)| Target::Correlation(at))).collect()
    }

    fn voice(&self, of: &Correlation, rule: usize) -> Target {
        let id = &self.rules[rule].id;
        let voices = |other: &Correlation| other.voice_of.as_ref() == Some(id);
        match self.correlations.iter().position(voices) {
            Some(at) if !voices(of) => Target::Correlation(at),
            _ => Target::Rule(rule),
        }
    }

    fn target(&mut self, of: &Correlation, reference: &Reference) -> Option<Target> {
        let found = self.find(of, &reference.name);
        let Reference { name, line, column } = reference;
        match found[..] {
            [target] => Some(target),
            [] => {
                let message = format!("correlation `{}` refers to `{name}`, which is no rule that is loaded", of.title);
                let names = self.rules.iter().filter_map(|rule| rule.name.as_deref());
                let others = self.correlations.iter().filter_map(|other| other.name.as_deref());
                let remedy = match nearest(name, names.chain(others)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "load the rule, or write its `id` or its `name`".to_owned(),
                };
                self.tell(of, *line, *column, "unknown-rule", message, &remedy);
                None
            }
            _ => {
                let message = format!("`{name}` is the name of {} rules", found.len());
                self.tell(of, *line, *column, "ambiguous-reference", message, "refer to the rule by its `id`");
                None
            }
        }
    }

    /// Can the target be built on? Says why not, unless that is said of the target itself.
    fn reach(&mut self, of: &Correlation, reference: &Reference, target: Target, depth: usize) -> bool {
        let Target::Correlation(at) = target else { return true };
        let Reference { name, line, column } = reference;
        if depth >= FOLLOWED_MAX {
            let message = format!("`{name}` stands below more than {FOLLOWED_MAX} correlations");
            self.tell(of, *line, *column, "correlation-too-deep", message, "build on fewer");
            return false;
        }
        self.visit(at, depth + 1);
        match self.states[at] {
            State::Linked(_) => true,
            State::Open => {
                let message = format!("correlation `{}` refers to `{name}`, which is built on it", of.title);
                self.tell(of, *line, *column, "reference-cycle", message, "take one of the references out");
                false
            }
            _ => {
                let message = format!("correlation `{}` refers to `{name}`, which cannot be used", of.title);
                self.tell(of, *line, *column, "broken-reference", message, "correct what is said of that correlation");
                false
            }
        }
    }

    /// The field of each member under each alias; `None` where an alias speaks of a rule that is not joined.
    fn aliases(&mut self, of: &Correlation, targets: &[Target]) -> Option<BTreeMap<String, Vec<Option<String>>>> {
        let mut aliases = BTreeMap::new();
        let mut is_right = true;
        for alias in &of.aliases {
            let mut fields = vec![None; targets.len()];
            for (reference, field) in &alias.fields {
                let found = self.find(of, &reference.name);
                match targets.iter().position(|target| found[..] == [*target]) {
                    Some(member) => fields[member] = Some(field.clone()),
                    None => {
                        let message =
                            format!("alias `{}` speaks of `{}`, which is not in `rules`", alias.name, reference.name);
                        let remedy = "name a rule of `rules`, as it stands there";
                        self.tell(of, reference.line, reference.column, "alias-of-unknown-rule", message, remedy);
                        is_right = false;
                    }
                }
            }
            self.note_gaps(of, alias, &fields);
            aliases.insert(alias.name.clone(), fields);
        }
        is_right.then_some(aliases)
    }

    /// Where an alias has no field for a rule, its events are asked for a field of the alias's own name.
    fn note_gaps(&mut self, of: &Correlation, alias: &super::correlation::Alias, fields: &[Option<String>]) {
        let line = alias.fields.first().map_or(of.line, |(reference, _)| reference.line);
        for (reference, _) in of.rules.iter().zip(fields).filter(|(_, field)| field.is_none()) {
            let message = format!("alias `{}` names no field for rule `{}`", alias.name, reference.name);
            let remedy =
                format!("add `{}:` and its field; without it, a field called `{}` is read", reference.name, alias.name);
            let told = Diagnostic::warning(line, 0, "incomplete-alias", message, remedy);
            self.told.push(told.in_file(of.file.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
