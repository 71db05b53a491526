//! Proposals as an inventory file that lacks only its owners.

use std::fmt::Write as _;

use engine::context::AssetKind;

/// A thing that telemetry showed and the inventory does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// What kind of thing.
    pub kind: AssetKind,
    /// How telemetry shows it.
    pub name: String,
    /// What was seen of it, in one line.
    pub seen: String,
}

/// The things as an inventory file. `owner:` is left empty, and an empty owner is a mistake: somebody has to write theirs.
pub fn proposed_yaml(proposed: &[Proposed]) -> String {
    let mut text = "# Seen in telemetry, and not in the inventory. Write who owns each, and what it is for (`class:`); leave out what is not yours.\n\
                    # `watchkeep check` refuses the file until every `owner:` is filled.\nassets:"
        .to_owned();
    text.push_str(if proposed.is_empty() { " []\n" } else { "\n" });
    for one in proposed {
        let seen: String = one.seen.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let (kind, id, name) = (one.kind.as_str(), quoted(&one.name), quoted(&plain_name(&one.name)));
        let _ = write!(
            text,
            "    # {seen}\n    - id: {id}\n      kind: {kind}\n      names: [{name}]\n      class: []\n      owner:\n      reviewed:\n"
        );
    }
    text
}

/// A text between single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A Sigma string that fits this text alone.
fn plain_name(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut name, c| {
        if matches!(c, '*' | '?' | '\\') {
            name.push('\\');
        }
        name.push(c);
        name
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use engine::context::{Context, Things};
    use engine::sigma::Inventory;
    use model::{Entity, EntityKind};

    use super::super::parse;
    use super::*;

    const NAMES: [&str; 5] = ["lab-scratch", "it's", r"a*b?c\d", r"c:\data\", "#no: [comment"];

    fn proposed() -> Vec<Proposed> {
        let one = |name: &&str| Proposed { kind: AssetKind::Bucket, name: (*name).into(), seen: "3 events\nx".into() };
        NAMES.iter().map(one).collect()
    }

    #[test]
    fn a_proposed_file_is_refused_until_every_owner_is_filled() {
        let yaml = proposed_yaml(&proposed());
        let (_, wrong) = parse(&yaml);
        assert_eq!(wrong.len(), NAMES.len(), "{yaml}\n{wrong:?}");
        for one in &wrong {
            assert!(one.is_error() && one.code == "empty-owner", "{one:?}");
        }
        let (parsed, wrong) = parse(&yaml.replace("owner:\n", "owner: storage\n"));
        assert!(wrong.is_empty(), "{wrong:?}");
        assert!(parsed.things.assets.iter().all(|asset| asset.kept.owner.as_deref() == Some("storage")));
    }

    #[test]
    fn what_is_pasted_knows_exactly_what_was_seen() {
        let (parsed, _) = parse(&proposed_yaml(&proposed()).replace("owner:\n", "owner: storage\n"));
        let things = Things { assets: parsed.things.assets, ..Things::default() };
        let context = Context::new(Arc::new(things), &Inventory::new());
        let knows = |key: &str| context.knows(&Entity { kind: EntityKind::Bucket, key: key.into() });
        for name in NAMES {
            assert!(knows(name), "{name}");
        }
        assert!(!knows(r"aXbXc\d") && !knows("lab-scratch2"));
    }

    #[test]
    fn nothing_proposed_is_an_empty_file_that_reads() {
        let (parsed, wrong) = parse(&proposed_yaml(&[]));
        assert!(parsed.things.assets.is_empty() && wrong.is_empty(), "{wrong:?}");
    }
}
