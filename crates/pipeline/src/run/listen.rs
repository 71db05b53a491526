//! The addresses of the HTTP servers: which inputs share one, and which may not.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use content::config::{InputConfig, InputKind, OtlpProtocol};
use tokio::net::TcpListener;

use super::RunError;
use crate::http::Serves;
use crate::settings::Settings;

/// Opens every address before anything else starts: a port that is taken is found at once.
pub(super) async fn listen(settings: &Settings) -> Result<BTreeMap<SocketAddr, TcpListener>, RunError> {
    let mut listeners = BTreeMap::new();
    for (address, inputs) in by_address(settings) {
        check_address(address, &inputs)?;
        let listener = TcpListener::bind(address).await;
        listeners.insert(address, listener.map_err(|source| RunError::Listen { address, source })?);
    }
    Ok(listeners)
}

pub(super) fn by_address(settings: &Settings) -> BTreeMap<SocketAddr, Vec<&InputConfig>> {
    let mut addresses: BTreeMap<SocketAddr, Vec<&InputConfig>> = BTreeMap::new();
    for input in &settings.config.inputs {
        if let Some((listen, _, _)) = served(&input.kind) {
            addresses.entry(listen).or_default().push(input);
        }
    }
    addresses
}

/// Where an input that an HTTP server takes listens, whether it is open to all, and which paths are its own.
pub(super) fn served(kind: &InputKind) -> Option<(SocketAddr, bool, Serves)> {
    match kind {
        InputKind::Http { listen, token } => Some((*listen, token.is_none(), Serves::Records)),
        InputKind::Sns(config) => Some((config.listen, config.token.is_none(), Serves::Sns)),
        InputKind::Otlp(config) => {
            let serves = if config.protocol == OtlpProtocol::Grpc { Serves::OtlpGrpc } else { Serves::Otlp };
            Some((config.listen, config.token.is_none(), serves))
        }
        _ => None,
    }
}

/// Refuses what would be open to strangers, inputs that nothing tells apart, and gRPC beside anything else.
fn check_address(address: SocketAddr, inputs: &[&InputConfig]) -> Result<(), RunError> {
    let is_grpc = |input: &InputConfig| matches!(served(&input.kind), Some((_, _, Serves::OtlpGrpc)));
    let pair = |first: &InputConfig, second: &InputConfig| (first.name.clone(), second.name.clone());
    if let Some(other) = inputs.iter().find(|input| is_grpc(input) != is_grpc(inputs[0])) {
        let (first, second) = pair(inputs[0], other);
        return Err(RunError::Mixed { first, second, address });
    }
    let mut seen: Vec<(Serves, &InputConfig)> = Vec::new();
    for (input, (_, is_open, serves)) in inputs.iter().filter_map(|input| Some((input, served(&input.kind)?))) {
        if !is_open {
            continue;
        }
        if !address.ip().is_loopback() {
            return Err(RunError::Open { input: input.name.clone(), address });
        }
        if let Some((_, first)) = seen.iter().find(|(other, _)| *other == serves) {
            let (first, second) = pair(first, input);
            return Err(RunError::Ambiguous { first, second, address });
        }
        seen.push((serves, input));
    }
    Ok(())
}

pub(super) fn addresses(
    settings: &Settings,
    listeners: &BTreeMap<SocketAddr, TcpListener>,
) -> BTreeMap<String, SocketAddr> {
    let mut addresses = BTreeMap::new();
    for (address, inputs) in by_address(settings) {
        let bound = listeners.get(&address).and_then(|listener| listener.local_addr().ok()).unwrap_or(address);
        addresses.extend(inputs.into_iter().map(|input| (input.name.clone(), bound)));
    }
    addresses
}
