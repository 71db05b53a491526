//! Findings as facts of correlations above.

use std::sync::Arc;

use model::{EventId, Lane};

use super::correlator::Correlator;
use super::group::Occurred;
use super::read::{Place, places};
use crate::correlate::{Claim, Detail, Fact, Members};

impl Correlator {
    /// A finding of a group occurs: those above are given a fact, which is as late as what it rests on.
    pub(super) fn occur(
        &mut self,
        (of, lane, key): (usize, Lane, &[u8]),
        group: &[(String, String)],
        occurred: &Occurred,
        late_ms: i64,
    ) {
        let plans = self.plans.clone();
        let claims = as_grouped(&occurred.claims, group);
        for (above, member) in &plans.plans[of].above {
            let is_late = occurred.at.micros() <= self.frontiers[self.place(lane, *above)];
            let counts = &mut self.counts.correlations[*above];
            counts.too_late += u64::from(is_late);
            counts.lost += u64::from(counts.is_aside);
            if is_late || counts.is_aside {
                continue;
            }
            for place in self.places_above(*above, *member, &claims) {
                let Place { key: key_above, values, .. } = place;
                let fact = Fact {
                    time: occurred.at,
                    id: self.id_of(of, lane, key, occurred.first),
                    members: Members::one(*member),
                    values,
                    detail: None,
                    beneath: Some(claims.clone()),
                };
                self.give(*above, lane, &key_above, fact, late_ms);
            }
        }
    }

    /// An occurrence is no longer so: those above lose their fact.
    pub(super) fn undo(&mut self, of: usize, lane: Lane, key: &[u8], group: &[(String, String)], occurred: &Occurred) {
        let plans = self.plans.clone();
        let claims = as_grouped(&occurred.claims, group);
        let id = self.id_of(of, lane, key, occurred.first);
        for (above, member) in &plans.plans[of].above {
            for place in self.places_above(*above, *member, &claims) {
                if let Some(at) = self.table.find(*above as u32, lane, &place.key) {
                    self.take_out(at, occurred.at, id);
                }
            }
        }
    }

    fn places_above(&self, above: usize, member: usize, claims: &[Claim]) -> Vec<Place> {
        let mut found = Vec::new();
        let reader = &self.plans.plans[above].readers[member];
        places(std::iter::once((member, reader)), claims, &mut found);
        found
    }

    /// Names a finding among the facts of those above.
    fn id_of(&self, of: usize, lane: Lane, key: &[u8], first: EventId) -> EventId {
        let label = self.plans.plans[of].linked.correlation.label();
        EventId::of(&[b"finding", label.as_bytes(), lane.as_str().as_bytes(), key, first.as_bytes()])
    }
}

/// The events of a finding, as those above see them: a field that it groups by has the value of its group.
fn as_grouped(claims: &[Claim], group: &[(String, String)]) -> Arc<[Claim]> {
    let with_group = |claim: &Claim| -> Claim {
        let Some(detail) = &claim.detail else { return claim.clone() };
        let mut fields = detail.fields.to_vec();
        for (name, value) in group {
            let value: Box<[Arc<str>]> = Box::new([Arc::from(value.as_str())]);
            match fields.binary_search_by(|(known, _)| (**known).cmp(name.as_str())) {
                Ok(at) => fields[at].1 = value,
                Err(at) => fields.insert(at, (Arc::from(name.as_str()), value)),
            }
        }
        Claim { detail: Some(Arc::new(Detail { fields: fields.into(), ..Detail::clone(detail) })), ..claim.clone() }
    };
    claims.iter().map(with_group).collect()
}
