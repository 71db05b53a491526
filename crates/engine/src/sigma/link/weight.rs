//! What the members of a `risk` are worth.

use model::Level;
use serde::Serialize;

use super::super::correlation::Correlation;
use super::super::stateful::{Points, Stateful, level_points};

/// What an event of a member is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Weight {
    /// Points.
    pub points: u64,
    /// The tactics of its tags, as ATT&CK and ATLAS call them (`credential-access`): sorted, each once.
    pub tactics: Vec<String>,
}

/// The weight of each member, from its level and tags; none where the correlation adds up no points.
pub(super) fn weights<'t>(
    correlation: &Correlation,
    members: impl Iterator<Item = (Level, &'t [String])>,
) -> Vec<Weight> {
    let Some(Stateful::Risk(risk)) = correlation.stateful() else { return Vec::new() };
    let given = |member: usize| match &risk.points {
        Points::Level => None,
        Points::Given(points) => points.get(member).copied().flatten(),
    };
    members
        .enumerate()
        .map(|(member, (level, tags))| Weight {
            points: given(member).unwrap_or_else(|| level_points(level)),
            tactics: tactics(tags),
        })
        .collect()
}

/// The tactics among tags: `attack.credential_access` gives `credential-access`; techniques, groups and software have digits.
fn tactics(tags: &[String]) -> Vec<String> {
    let mut tactics: Vec<String> = tags
        .iter()
        .filter_map(|tag| {
            let tag = tag.to_ascii_lowercase().replace('_', "-");
            let name = tag.strip_prefix("attack.").or_else(|| tag.strip_prefix("atlas."))?;
            let is_tactic = !name.is_empty() && !name.contains(|c: char| c.is_ascii_digit() || c == '.');
            is_tactic.then(|| name.to_owned())
        })
        .collect();
    tactics.sort();
    tactics.dedup();
    tactics
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tactics_are_the_tags_without_numbers() {
        let tags = [
            "attack.t1530",
            "attack.credential_access",
            "attack.credential-access",
            "ATLAS.Exfiltration",
            "cve.2021-1",
        ];
        let tags = tags.map(str::to_owned);
        assert_eq!(tactics(&tags), ["credential-access", "exfiltration"]);
        assert!(tactics(&["attack.g0016".to_owned(), "atlas.aml.t0025".to_owned(), "attack.".to_owned()]).is_empty());
    }
}
