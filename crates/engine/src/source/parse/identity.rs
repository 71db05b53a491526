//! What a `source.yml` says about who acts, and who is behind what.

use model::EntityKind;

use super::Form;
use crate::identity::Means;
use crate::source::links::{LASTS_MS, LASTS_MS_MAX};
use crate::source::{LinkEnd, LinkRule, Named, Reading, Source};
use crate::yaml::{Entry, Node};

const LINK_KEYS: [&str; 8] = ["means", "when", "present", "absent", "from", "to", "until", "lasts"];

impl Form {
    /// The kind of entity that a key names.
    pub(super) fn kind(&mut self, entry: &Entry<'_>) -> Option<EntityKind> {
        let kind = EntityKind::parse(&entry.key);
        if kind.is_none() {
            let known: Vec<&str> = EntityKind::ALL.iter().map(|kind| kind.as_str()).collect();
            let message = format!("`{}` is not a kind of entity", entry.key);
            self.wrong.push(entry.error("unknown-entity", message, format!("the kinds are {}", known.join(", "))));
        }
        kind
    }

    /// A map of kind to reading, or a list of such maps, in the order of the text.
    pub(super) fn named(&mut self, node: &Node<'_>) -> Vec<Named> {
        let mut named = Vec::new();
        for node in self.list(node) {
            let Some(entries) = node.as_map() else {
                let message = format!("here is {}, not an entity", node.noun());
                let remedy = "write its kind and where its key is: `session: userIdentity.arn`";
                self.wrong.push(node.error("wrong-type", message, remedy));
                continue;
            };
            for entry in entries {
                let reading = self.reading(&entry.value);
                named.extend(self.kind(entry).map(|kind| Named { kind, reading }));
            }
        }
        named
    }

    pub(super) fn links(&mut self, node: &Node<'_>) -> Vec<LinkRule> {
        self.list(node).iter().filter_map(|node| self.link(node)).collect()
    }

    /// Where a link leads from or to who acts, the source must say who that is.
    pub(super) fn check_actor(&mut self, root: &Node<'_>, source: &Source) {
        let is_asked = source.links.iter().any(|link| [&link.from, &link.to].contains(&&LinkEnd::Actor));
        if let Some(node) = root.get("links").filter(|_| is_asked && root.get("actor").is_none()) {
            let message = "a link leads from or to the actor, and the source has no `actor`";
            self.wrong.push(node.error("missing-key", message, "add `actor:` with where a record says who acts"));
        }
    }

    fn link(&mut self, node: &Node<'_>) -> Option<LinkRule> {
        let entries = self.map(node, &LINK_KEYS)?;
        let (mut means, mut from, mut to) = (None, None, None);
        let (mut when, mut until, mut lasts_ms) = (Reading::default(), None, LASTS_MS);
        for entry in entries {
            let node = &entry.value;
            match &*entry.key {
                "means" => means = self.means(node),
                "when" => when.when = self.lists(node),
                "present" => when.present = self.texts(node),
                "absent" => when.absent = self.texts(node),
                "from" => from = Some(self.end(node)),
                "to" => to = Some(self.end(node)),
                "until" => until = Some(self.reading(node)),
                "lasts" => lasts_ms = self.lasts(node),
                _ => {}
            }
        }
        for key in ["means", "from", "to"] {
            if node.get(key).is_none() {
                let remedy = "a link says `means:` in what sense `to:` is behind `from:`";
                self.wrong.push(node.error("missing-key", format!("the link has no `{key}`"), remedy));
            }
        }
        if (&from, &to) == (&Some(LinkEnd::Actor), &Some(LinkEnd::Actor)) {
            let message = "the link leads from the actor to the actor";
            self.wrong.push(node.error("empty-link", message, "let one end read what the record says of another"));
        }
        Some(LinkRule { means: means?, when, from: from?, to: to?, until, lasts_ms })
    }

    fn means(&mut self, node: &Node<'_>) -> Option<Means> {
        let means = node.as_str().and_then(Means::parse);
        if means.is_none() {
            let message =
                format!("`{}` is no sense in which one is behind another", node.as_str().unwrap_or(node.noun()));
            let known: Vec<&str> = Means::ALL.iter().map(|means| means.as_str()).collect();
            self.wrong.push(node.error("unknown-means", message, format!("use one of {}", known.join(", "))));
        }
        means
    }

    /// `actor`, or what is read.
    fn end(&mut self, node: &Node<'_>) -> LinkEnd {
        if node.as_str() == Some("actor") {
            return LinkEnd::Actor;
        }
        let before = self.wrong.len();
        let named = self.named(node);
        if named.is_empty() && self.wrong.len() == before {
            let remedy = "write `actor`, or kinds and where their keys are: `{session: userIdentity.arn}`";
            self.wrong.push(node.error("empty-link", "this end of the link reads nothing", remedy));
        }
        LinkEnd::Read(named)
    }

    fn lasts(&mut self, node: &Node<'_>) -> i64 {
        let millis = self.duration(node).unwrap_or(LASTS_MS);
        if !(1..=LASTS_MS_MAX).contains(&millis) {
            let message = "a link cannot hold for so long";
            self.wrong.push(node.error("bad-duration", message, "write a duration above nothing and up to `400d`"));
        }
        millis
    }
}
