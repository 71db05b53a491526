//! TLS of a syslog listener (RFC 5425), with the senders' certificates checked where an authority for them is given.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto};

/// What TLS needs. Files are PEM.
#[derive(Clone)]
pub struct TlsOptions {
    /// The certificate of this listener and those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key, as PEM text.
    pub key: String,
    /// The authority that signs senders' certificates; `None` asks for none.
    pub client_ca: Option<PathBuf>,
}

impl std::fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let TlsOptions { certificate, client_ca, .. } = self;
        write!(f, "TlsOptions({}, key …, {client_ca:?})", certificate.display())
    }
}

/// Errors: what is wrong with which file.
pub(super) fn acceptor(options: &TlsOptions) -> Result<TlsAcceptor, String> {
    let chain = certificates(&options.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(options.key.as_bytes())
        .map_err(|error| format!("the private key cannot be read as PEM: {error}"))?;
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    let builder = match &options.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| format!("`{}`: {error}", path.display()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| format!("`{}`: {error}", path.display()))?)
        }
    };
    let config = builder.with_single_cert(chain, key);
    let config = config.map_err(|error| format!("`{}` and its key: {error}", options.certificate.display()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let all = read.map_err(|error| format!("`{}` cannot be read as PEM: {error}", path.display()))?;
    if all.is_empty() { Err(format!("`{}` holds no certificate", path.display())) } else { Ok(all) }
}
