//! Which assets a key of an entity may be.

use ipnet::IpNet;
use model::{Entity, EntityKind};
use rustc_hash::FxHashMap;

use super::asset::{Asset, AssetKind};
use crate::sigma::Wildcards;

/// Assets by the names under which telemetry shows them.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Names without wildcards, folded.
    exact: FxHashMap<(EntityKind, String), Vec<usize>>,
    patterns: Vec<(AssetKind, Wildcards, usize)>,
    networks: Vec<(IpNet, usize)>,
}

impl Names {
    pub(super) fn new(assets: &[Asset]) -> Names {
        let mut names = Names::default();
        for (at, asset) in assets.iter().enumerate() {
            for name in &asset.names {
                names.add(asset.kind, name, at);
            }
        }
        names
    }

    fn add(&mut self, kind: AssetKind, name: &str, at: usize) {
        if kind == AssetKind::Network {
            self.networks.extend(network(name).map(|network| (network, at)));
            return;
        }
        match Wildcards::plain(name) {
            Some(folded) => {
                for entity in kind.entities() {
                    self.exact.entry((*entity, folded.clone())).or_default().push(at);
                }
            }
            None => self.patterns.push((kind, Wildcards::new([name]), at)),
        }
    }

    /// The places of the assets that the entity may be, in order.
    pub(super) fn of(&self, entity: &Entity) -> Vec<usize> {
        let exact = self.exact.get(&(entity.kind, Wildcards::fold(&entity.key)));
        let mut found: Vec<usize> = exact.into_iter().flatten().copied().collect();
        let fits =
            |kind: AssetKind, pattern: &Wildcards| kind.entities().contains(&entity.kind) && pattern.fit(&entity.key);
        found.extend(self.patterns.iter().filter(|(kind, pattern, _)| fits(*kind, pattern)).map(|(.., at)| *at));
        if entity.kind == EntityKind::Address
            && let Some(address) = crate::sigma::address(&entity.key)
        {
            found.extend(self.networks.iter().filter(|(network, _)| network.contains(&address)).map(|(_, at)| *at));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// A block, or one address as a block.
pub(super) fn network(name: &str) -> Option<IpNet> {
    name.parse().ok().or_else(|| name.parse::<std::net::IpAddr>().ok().map(IpNet::from))
}
