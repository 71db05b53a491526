//! The enrich step: what is known about each entity of a finding, as of the event's time.
//!
//! Bound: it acts on findings alone; of an entity at most [`FACTS_MAX`] facts are told, and of a finding those of [`ENTITIES_MAX`] entities.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Enrichment, Entity, EntityKind, Fact, Finding, Provider, Time};

use super::asset::{Asset, AssetKind, Change, Things};
use super::names::{Names, network};
use crate::sigma::{Inventory, Wildcards};

/// Facts of one entity.
const FACTS_MAX: usize = 40;
/// Entities of one finding.
const ENTITIES_MAX: usize = 64;
/// Characters of one fact.
const VALUE_CHARS: usize = 200;
const DAY_MS: i64 = 86_400_000;

/// Something else that knows entities, such as a table of addresses.
pub trait Lookup: Send + Sync + std::fmt::Debug {
    /// What it knows of the entity as of `at`.
    fn look(&self, entity: &Entity, at: Time) -> Option<Enrichment>;
}

/// The inventory, ready to be asked.
#[derive(Debug, Default)]
pub struct Context {
    things: Arc<Things>,
    names: Names,
    /// Kinds of which the inventory has things: what is seen of them, and not known, is worth a word.
    kept: BTreeSet<AssetKind>,
    changes: Vec<Wildcards>,
    lists: Vec<List>,
    lookups: Vec<Arc<dyn Lookup>>,
}

/// A named list as something that an entity may stand on.
#[derive(Debug)]
struct List {
    name: String,
    values: Vec<(Value, Option<Time>)>,
}

#[derive(Debug)]
enum Value {
    Text(Wildcards),
    Network(ipnet::IpNet),
}

impl Context {
    /// Of these things and lists.
    pub fn new(things: Arc<Things>, inventory: &Inventory) -> Context {
        let names = Names::new(&things.assets);
        let kept = things.assets.iter().map(|asset| asset.kind).collect();
        let changes = things.changes.iter().map(|change| Wildcards::new(change.covers.iter().map(String::as_str)));
        let changes = changes.collect();
        let lists = inventory.names().map(|name| List::new(name, inventory)).collect();
        Context { things, names, kept, changes, lists, lookups: Vec::new() }
    }

    /// Asks these too, in this order.
    pub fn with_lookups(self, lookups: Vec<Arc<dyn Lookup>>) -> Context {
        Context { lookups, ..self }
    }

    /// The kinds of which the inventory has things.
    pub fn kept(&self) -> &BTreeSet<AssetKind> {
        &self.kept
    }

    /// Is the entity a thing of the inventory, whether it still counts or has ended?
    pub fn knows(&self, entity: &Entity) -> bool {
        !self.names.of(entity).is_empty()
    }

    /// Is a thing of this kind and name in the inventory?
    pub fn knows_thing(&self, kind: AssetKind, name: &str) -> bool {
        kind.entities().iter().any(|entity| self.knows(&Entity { kind: *entity, key: name.to_owned() }))
    }

    /// Puts into the finding what is known about its entities as of its event's time. What it claims, its id and its fold key stay as they are.
    pub fn enrich(&self, finding: &mut Finding) {
        let at = finding.event_time;
        let mut context = Vec::new();
        for entity in finding.entities.iter().take(ENTITIES_MAX) {
            context.extend(self.of(entity, at));
            context.extend(self.lookups.iter().filter_map(|lookup| lookup.look(entity, at)));
        }
        for one in &mut context {
            one.facts.truncate(FACTS_MAX);
        }
        finding.context = context;
    }

    /// What the inventory knows of the entity as of `at`; `None` where it keeps no such things and has no word on it.
    pub fn of(&self, entity: &Entity, at: Time) -> Option<Enrichment> {
        let assets: Vec<&Asset> = self.names.of(entity).into_iter().map(|place| &self.things.assets[place]).collect();
        let assets: Vec<&Asset> = assets.into_iter().filter(|asset| asset.counts_at(at)).collect();
        let mut facts = Vec::new();
        assets.iter().for_each(|asset| self.asset_facts(asset, at, &mut facts));
        self.change_facts(entity, &assets, at, &mut facts);
        let lists = self.lists.iter().filter(|list| list.has(entity, at));
        facts.extend(lists.map(|list| fact("list", &list.name)));
        let is_kept = AssetKind::of_entity(entity.kind).is_some_and(|kind| self.kept.contains(&kind));
        let known = !assets.is_empty();
        (known || is_kept || !facts.is_empty()).then(|| Enrichment {
            entity: entity.clone(),
            provider: Provider::Inventory,
            // Who stands on a list is known, if only by that.
            known: known || !facts.is_empty(),
            facts,
        })
    }

    fn asset_facts(&self, asset: &Asset, at: Time, facts: &mut Vec<Fact>) {
        facts.push(fact(asset.kind.as_str(), &asset.id));
        facts.extend(asset.classes.iter().map(|class| fact("class", class)));
        facts.extend(asset.description.iter().map(|text| fact("description", text)));
        if let Some(owner) = &asset.kept.owner {
            facts.push(fact("owner", owner));
            let turns = self.things.on_call.iter().filter(|turn| turn.owner == *owner && turn.is_at(at));
            facts.extend(turns.map(|turn| fact("on_call", &turn.who)));
        }
        facts.extend(asset.attributes.iter().map(|(name, value)| fact(name, value)));
        if let Some(reviewed) = asset.kept.reviewed {
            let day: String = reviewed.to_string().chars().take(10).collect();
            facts.push(fact("reviewed", &day));
            if asset.kept.is_stale(at) {
                let days = at.millis_since(reviewed) / DAY_MS;
                facts.push(fact("stale", &format!("its review was {days} days old")));
            }
        }
        facts.extend(asset.until.map(|until| fact("until", &until.to_string())));
    }

    fn change_facts(&self, entity: &Entity, assets: &[&Asset], at: Time, facts: &mut Vec<Fact>) {
        for (change, covers) in self.things.changes.iter().zip(&self.changes) {
            let is_open = change.from <= at && at < change.until;
            if is_open && (covers.fit(&entity.key) || assets.iter().any(|asset| covers.fit(&asset.id))) {
                facts.push(fact("change", &told(change)));
            }
        }
    }
}

fn told(change: &Change) -> String {
    let by = change.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    format!("{}: {}{by}, until {}", change.id, change.summary, change.until)
}

fn fact(name: &str, value: &str) -> Fact {
    Fact::new(name, crate::finding::one_line(value, VALUE_CHARS))
}

impl List {
    fn new(name: &str, inventory: &Inventory) -> List {
        let values = inventory.get(name).unwrap_or_default().iter().map(|value| {
            let read = network(value).map_or_else(|| Value::Text(Wildcards::new([value.as_str()])), Value::Network);
            (read, inventory.end_of(name, value))
        });
        List { name: name.to_owned(), values: values.collect() }
    }

    /// Does the entity stand on it at `at`?
    fn has(&self, entity: &Entity, at: Time) -> bool {
        let address = (entity.kind == EntityKind::Address).then(|| crate::sigma::address(&entity.key)).flatten();
        self.values.iter().any(|(value, end)| {
            let fits = match value {
                Value::Text(text) => text.fit(&entity.key),
                Value::Network(network) => address.is_some_and(|address| network.contains(&address)),
            };
            fits && end.is_none_or(|end| at < end)
        })
    }
}
