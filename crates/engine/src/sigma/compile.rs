//! From rules to a program: placeholders filled, equal tests and conditions made one, cheap parts first.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Diagnostic, Digest};
use rustc_hash::FxHashMap;

use super::atom::{self, Atom, Problem};
use super::bounds::VALUES_MAX;
use super::detection::{Condition, Detection, Group, Item, Of, Value};
use super::document::Filter;
use super::inventory::Inventory;
use super::modifier::Modifier;
use super::node::{Node, NodeId, Predicate};
use super::program::{CompiledItem, CompiledRule, Program};
use super::rule::{LogSource, Rule};
use super::ruleset::RuleIndex;
use super::test::Test;
use super::witness::Clauses;
use crate::field::{Field, FieldsBuilder};

/// Compiles rules, narrowed by filters and filled from the inventory, to one program.
///
/// Shape: rules, or shared rules, which the program then shares. A rule that cannot be compiled (unknown placeholder, too large, id taken) is set aside with an error; the others go on.
pub fn compile<R: Borrow<Rule> + Clone + Into<Arc<Rule>>>(
    rules: &[R],
    filters: &[Filter],
    inventory: &Inventory,
    fields: &mut FieldsBuilder,
) -> (Program, Vec<Diagnostic>) {
    let mut compiler = Compiler {
        fields,
        inventory,
        program: Program { inventory: inventory.clone(), ..Program::default() },
        costs: Vec::new(),
        nodes: FxHashMap::default(),
        predicates: FxHashMap::default(),
    };
    let mut diagnostics = Vec::new();
    let shared: Vec<Arc<Filter>> = filters.iter().cloned().map(Arc::new).collect();
    let mut ids: FxHashMap<&str, &Rule> = FxHashMap::default();
    for shared_rule in rules {
        let rule: &Rule = shared_rule.borrow();
        if let Some(first) = ids.insert(rule.id.as_str(), rule) {
            diagnostics.push(duplicate(rule, first));
            ids.insert(first.id.as_str(), first);
            continue;
        }
        let narrowing: Vec<Arc<Filter>> = shared.iter().filter(|filter| filter.takes(rule)).cloned().collect();
        let unknown = compiler.unknown_placeholders(rule, &narrowing);
        if !unknown.is_empty() {
            diagnostics.extend(unknown);
        } else if let Err(diagnostic) = compiler.rule(shared_rule.clone().into(), narrowing) {
            diagnostics.push(diagnostic);
        }
    }
    diagnostics.extend(filters.iter().filter_map(|filter| idle(filter, rules)));
    let mut program = compiler.program;
    let roots = program.rules.iter().map(|rule| rule.root);
    program.clauses = Clauses::of(roots, &program.nodes, &program.predicates);
    (program, diagnostics)
}

fn duplicate(rule: &Rule, first: &Rule) -> Diagnostic {
    let place = if first.file.is_empty() { String::new() } else { format!(" in {}:{}", first.file, first.line) };
    let (code, id) = ("duplicate-id", rule.id.as_str());
    let diagnostic = if rule.revision == first.revision {
        let message = format!("rule `{}` is loaded a second time; it is already there{place}", rule.title);
        Diagnostic::warning(rule.line, 0, code, message, "name each folder once")
    } else {
        let message = format!("id {id} of rule `{}` is taken by `{}`{place}", rule.title, first.title);
        Diagnostic::error(rule.line, 0, code, message, "give the rule a new UUID")
    };
    diagnostic.in_file(rule.file.clone())
}

/// A filter that narrows nothing deserves a look.
fn idle(filter: &Filter, rules: &[impl Borrow<Rule>]) -> Option<Diagnostic> {
    if rules.iter().any(|rule| filter.takes(rule.borrow())) {
        return None;
    }
    let (message, remedy) = match rules.iter().map(Borrow::borrow).find(|rule: &&Rule| filter.names(rule)) {
        Some(rule) => (
            format!("filter `{}` names rule `{}`, whose log source is another", filter.title, rule.title),
            "give the filter the rule's log source, or a wider one",
        ),
        None => (
            format!("filter `{}` names no rule that is loaded", filter.title),
            "correct `filter.rules`, or remove the filter",
        ),
    };
    Some(Diagnostic::warning(filter.line, 0, "idle-filter", message, remedy).in_file(filter.file.clone()))
}

struct Compiler<'a> {
    fields: &'a mut FieldsBuilder,
    inventory: &'a Inventory,
    program: Program,
    costs: Vec<u32>,
    nodes: FxHashMap<Node, NodeId>,
    predicates: FxHashMap<(Option<Field>, Vec<Atom>), NodeId>,
}

impl Compiler<'_> {
    /// Every placeholder that the inventory does not know, so that all of them are told at once.
    fn unknown_placeholders(&self, rule: &Rule, filters: &[Arc<Filter>]) -> Vec<Diagnostic> {
        let mut unknown: BTreeMap<String, Diagnostic> = BTreeMap::new();
        let own = (&rule.detection, &rule.title, &rule.file);
        let others = filters.iter().map(|filter| (&filter.detection, &filter.title, &filter.file));
        for (detection, title, file) in std::iter::once(own).chain(others) {
            let mut note = |item: &Item| {
                let texts =
                    item.values.iter().filter_map(Value::as_text).filter(|_| item.modifiers.has(Modifier::Expand));
                for (_, name) in texts.flat_map(atom::placeholders) {
                    if self.inventory.get(name).is_none() {
                        let misplaced =
                            Misplaced { problem: atom::unknown(name), line: item.line, column: item.column };
                        unknown.entry(name.to_owned()).or_insert_with(|| misplaced.of(title, file));
                    }
                }
            };
            detection.searches.iter().for_each(|search| search.body.each_item(&mut |item| note(item)));
        }
        unknown.into_values().collect()
    }

    fn rule(&mut self, rule: Arc<Rule>, filters: Vec<Arc<Filter>>) -> Result<(), Diagnostic> {
        let mut items = Vec::new();
        let mut parts =
            vec![self.detection(&rule.detection, &mut items).map_err(|problem| problem.of(&rule.title, &rule.file))?];
        for filter in &filters {
            let node = self.detection(&filter.detection, &mut items);
            parts.push(node.map_err(|problem| problem.of(&filter.title, &filter.file))?);
        }
        let root = self.all(parts);
        let index = RuleIndex(u32::try_from(self.program.rules.len()).expect("fewer than 2^32 rules fit into memory"));
        let wanted = LogSource { definition: None, ..rule.logsource.clone() };
        self.program.by_logsource.entry(wanted).or_default().push(index);
        let revision = revision(&rule, &filters);
        self.program.rules.push(CompiledRule { rule, filters, revision, root, items });
        Ok(())
    }

    fn detection(&mut self, detection: &Detection, items: &mut Vec<CompiledItem>) -> Result<NodeId, Misplaced> {
        let mut values = 0;
        let mut searches = Vec::with_capacity(detection.searches.len());
        for search in &detection.searches {
            searches.push(self.group(&search.body, items, &mut values)?);
        }
        let conditions = detection.conditions.iter().map(|condition| self.condition(condition, &searches)).collect();
        Ok(self.any(conditions))
    }

    fn condition(&mut self, condition: &Condition, searches: &[NodeId]) -> NodeId {
        match condition {
            Condition::Search(search) => searches[*search],
            Condition::Not(part) => {
                let part = self.condition(part, searches);
                self.not(part)
            }
            Condition::And(parts) => {
                let parts = parts.iter().map(|part| self.condition(part, searches)).collect();
                self.all(parts)
            }
            Condition::Or(parts) => {
                let parts = parts.iter().map(|part| self.condition(part, searches)).collect();
                self.any(parts)
            }
            Condition::Of(Of { least, searches: named, .. }) => {
                let parts: Vec<NodeId> = named.iter().map(|search| searches[*search]).collect();
                match least {
                    None => self.all(parts),
                    Some(1) => self.any(parts),
                    // Counted as written: two searches that say the same are two.
                    Some(least) => self.node(Node::AtLeast(*least, parts.into()), 1),
                }
            }
        }
    }

    fn group(&mut self, group: &Group, items: &mut Vec<CompiledItem>, values: &mut usize) -> Result<NodeId, Misplaced> {
        match group {
            Group::Item(item) => {
                let misplaced = |problem| Misplaced { problem, line: item.line, column: item.column };
                let compiled = self.item(item, values).map_err(misplaced)?;
                let node = compiled.node;
                items.push(compiled);
                Ok(node)
            }
            Group::All(parts) => {
                let parts = parts.iter().map(|part| self.group(part, items, values)).collect::<Result<_, _>>()?;
                Ok(self.all(parts))
            }
            Group::Any(parts) => {
                let parts = parts.iter().map(|part| self.group(part, items, values)).collect::<Result<_, _>>()?;
                Ok(self.any(parts))
            }
        }
    }

    /// Where values of its lists end, one test for each stretch of time: the values that never end, and up to each end those that last as long.
    fn item(&mut self, item: &Item, values: &mut usize) -> Result<CompiledItem, Problem> {
        let ends = atom::ends_of(item, self.inventory);
        if ends.is_empty() {
            return self.item_with(item, self.inventory, values);
        }
        let positive = Item { modifiers: item.modifiers.without(Modifier::Neq), ..item.clone() };
        let lasting = self.inventory.lasting(None);
        let CompiledItem { field, node, .. } = self.item_with(&positive, &lasting, values)?;
        let mut stretches = vec![node];
        for end in ends {
            let lasting = self.inventory.lasting(Some(end));
            let node = self.item_with(&positive, &lasting, values)?.node;
            let before = self.node(Node::Before(end), 0);
            stretches.push(self.all(vec![before, node]));
        }
        let node = self.any(stretches);
        let node = if item.modifiers.has(Modifier::Neq) { self.not(node) } else { node };
        Ok(CompiledItem { field, node, each: Vec::new() })
    }

    fn item_with(&mut self, item: &Item, inventory: &Inventory, values: &mut usize) -> Result<CompiledItem, Problem> {
        let lists = atom::of_item(item, inventory)?;
        *values += lists.iter().map(Vec::len).sum::<usize>();
        if *values > VALUES_MAX {
            return Err(Problem {
                code: "too-many-values",
                message: format!("the searches stand for more than {VALUES_MAX} values"),
                remedy: "shorten the lists, or split the rule".to_owned(),
                at: None,
            });
        }
        let field = item.field.as_deref().map(|path| self.fields.intern(path));
        let is_all = item.modifiers.has(Modifier::All);
        let is_apart = is_all || item.modifiers.has(Modifier::Re) || item.modifiers.is_field_reference();
        let (node, each) = if is_apart {
            let each = lists.into_iter().map(|atoms| self.predicate(field, atoms)).collect::<Result<Vec<_>, _>>()?;
            (if is_all { self.all(each.clone()) } else { self.any(each.clone()) }, each)
        } else {
            (self.predicate(field, lists.into_iter().flatten().collect())?, Vec::new())
        };
        let node = if item.modifiers.has(Modifier::Neq) { self.not(node) } else { node };
        Ok(CompiledItem { field, node, each })
    }

    fn predicate(&mut self, field: Option<Field>, mut atoms: Vec<Atom>) -> Result<NodeId, Problem> {
        if atoms.is_empty() {
            return Ok(self.node(Node::Any([].into()), 0));
        }
        atoms.sort_unstable();
        atoms.dedup();
        let key = (field, atoms);
        if let Some(&node) = self.predicates.get(&key) {
            return Ok(node);
        }
        let test = Test::new(&key.1, &mut |path| self.fields.intern(path)).map_err(|bad| Problem {
            code: "bad-regex",
            message: bad.message,
            remedy: "shorten the expression or its repetitions".to_owned(),
            at: None,
        })?;
        // A keyword walks the whole event.
        let cost = if field.is_some() { test.cost() } else { test.cost().saturating_add(100_000) };
        let number = u32::try_from(self.program.predicates.len()).expect("fewer than 2^32 predicates fit into memory");
        self.program.predicates.push(Predicate { field, test });
        let node = self.node(Node::Predicate(number), cost);
        self.predicates.insert(key, node);
        Ok(node)
    }

    fn not(&mut self, part: NodeId) -> NodeId {
        if let Node::Not(inner) = self.program.nodes[part.0 as usize] {
            return inner;
        }
        self.node(Node::Not(part), self.costs[part.0 as usize])
    }

    fn all(&mut self, parts: Vec<NodeId>) -> NodeId {
        self.joined(parts, Node::All)
    }

    fn any(&mut self, parts: Vec<NodeId>) -> NodeId {
        self.joined(parts, Node::Any)
    }

    fn joined(&mut self, mut parts: Vec<NodeId>, join: fn(Box<[NodeId]>) -> Node) -> NodeId {
        parts.sort_unstable_by_key(|part| (self.costs[part.0 as usize], *part));
        parts.dedup();
        if let [only] = parts[..] {
            return only;
        }
        let cost = parts.iter().fold(0, |sum: u32, part| sum.saturating_add(self.costs[part.0 as usize]));
        self.node(join(parts.into()), cost)
    }

    fn node(&mut self, node: Node, cost: u32) -> NodeId {
        if let Some(&known) = self.nodes.get(&node) {
            return known;
        }
        let id = NodeId(u32::try_from(self.program.nodes.len()).expect("fewer than 2^32 nodes fit into memory"));
        self.program.nodes.push(node.clone());
        self.costs.push(cost);
        self.nodes.insert(node, id);
        id
    }
}

/// A problem with its place.
struct Misplaced {
    problem: Problem,
    line: usize,
    column: usize,
}

impl Misplaced {
    fn of(self, title: &str, file: &str) -> Diagnostic {
        let Problem { code, message, remedy, .. } = self.problem;
        let message = format!("`{title}` is set aside: {message}");
        Diagnostic::error(self.line, self.column, code, message, remedy).in_file(file)
    }
}

fn revision(rule: &Rule, filters: &[Arc<Filter>]) -> String {
    if filters.is_empty() {
        return rule.revision.clone();
    }
    let mut parts: Vec<&[u8]> = filters.iter().map(|filter| filter.revision.as_bytes()).collect();
    parts.sort_unstable();
    parts.insert(0, rule.revision.as_bytes());
    Digest::of_parts(&parts).hex()[..16].to_owned()
}
