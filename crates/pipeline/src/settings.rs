//! The configuration with its secrets read: what the pipeline runs on.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use content::config::{
    Config, InputKind, OtlpConfig, RouteKind, Secret, SecretError, SnsConfig, SyslogConfig, SyslogProtocol,
};
use engine::ContentKey;
use engine::feed::Feed;

/// The name of the file that holds the made token of the acknowledgement endpoint.
pub const ACKNOWLEDGEMENTS_TOKEN_FILE: &str = "acknowledgements.token";
/// The name of the file that holds the made key of digests.
pub const CONTENT_KEY_FILE: &str = "content.key";
const TOKEN_BYTES: usize = 32;

/// A configuration whose secrets were read.
#[derive(Clone)]
pub struct Settings {
    /// The configuration.
    pub config: Config,
    /// Tokens and keys of inputs and secrets of routes, by `inputs.<name>` and `routes.<name>`.
    pub(crate) secrets: BTreeMap<String, String>,
    /// Who may acknowledge: a name, and its token.
    pub(crate) acknowledgers: Vec<(String, String)>,
    /// What the samples input plays.
    pub samples: Vec<(String, Cow<'static, [u8]>)>,
    /// How APIs are walked, by the feed's id; none until somebody adds those of the content.
    pub feeds: BTreeMap<String, Arc<Feed>>,
    /// How long shutting down may take.
    pub drain: Duration,
}

/// Why a configuration cannot be run on.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A secret cannot be read.
    #[error("the secret of {of}")]
    Secret {
        /// Whose.
        of: String,
        /// Why.
        #[source]
        source: SecretError,
    },
    /// A made token or key cannot be read or kept.
    #[error("cannot keep a made secret in `{}`", path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Settings {
    /// Reads every secret that `config` names. Makes the token of the acknowledgement endpoint when there is none yet.
    ///
    /// Errors: the first secret that cannot be read, by name.
    pub fn read(config: Config) -> Result<Settings, SettingsError> {
        let mut secrets = BTreeMap::new();
        for input in &config.inputs {
            if let Some(secret) = secret_of(&input.kind) {
                keep(&mut secrets, format!("inputs.{}", input.name), secret)?;
            }
        }
        for route in &config.routes {
            match &route.kind {
                RouteKind::Webhook { secret, .. } | RouteKind::SplunkHec { token: secret, .. } => {
                    keep(&mut secrets, format!("routes.{}", route.name), secret)?;
                }
                RouteKind::NdjsonFile { .. } => {}
            }
        }
        let acknowledgers = acknowledgers(&config)?;
        let samples =
            content::embedded_samples().into_iter().map(|(name, bytes)| (name, Cow::Borrowed(bytes))).collect();
        let (feeds, drain) = (BTreeMap::new(), Duration::from_secs(20));
        Ok(Settings { config, secrets, acknowledgers, samples, feeds, drain })
    }
}

/// The secret of an input: a token that senders present, or a private key.
fn secret_of(input: &InputKind) -> Option<&Secret> {
    match input {
        InputKind::Http { token, .. }
        | InputKind::Otlp(OtlpConfig { token, .. })
        | InputKind::Sns(SnsConfig { token, .. }) => token.as_ref(),
        InputKind::Nats(config) => config.secret(),
        InputKind::Poll(config) => Some(&config.secret),
        InputKind::Kafka(config) => config.sasl.as_ref().map(|sasl| &sasl.password),
        InputKind::Syslog(SyslogConfig { protocol: SyslogProtocol::Tls { key, .. }, .. }) => Some(key),
        _ => None,
    }
}

fn keep(secrets: &mut BTreeMap<String, String>, of: String, secret: &Secret) -> Result<(), SettingsError> {
    let text = secret.read().map_err(|source| SettingsError::Secret { of: of.clone(), source })?;
    secrets.insert(of, text.expose().to_owned());
    Ok(())
}

fn acknowledgers(config: &Config) -> Result<Vec<(String, String)>, SettingsError> {
    if !config.acknowledgements.enabled {
        return Ok(Vec::new());
    }
    let token = match &config.acknowledgements.token {
        Some(secret) => {
            let of = "acknowledgements".to_owned();
            secret.read().map_err(|source| SettingsError::Secret { of, source })?.expose().to_owned()
        }
        None => made_token(&config.data_dir)?,
    };
    Ok(vec![("soc".to_owned(), token)])
}

/// The token in the data folder; made when it is not there.
fn made_token(data_dir: &Path) -> Result<String, SettingsError> {
    made(data_dir, ACKNOWLEDGEMENTS_TOKEN_FILE, |random| format!("wk_ack_{random}"))
}

/// The key of digests of sensitive values, in the data folder; made when it is not there. Whoever loses it can no longer tell whether
/// what is said now was said before.
///
/// Errors: [`SettingsError::Token`] where it cannot be read or kept, or is not 64 hexadecimal digits.
pub fn content_key(data_dir: &Path) -> Result<ContentKey, SettingsError> {
    let text = made(data_dir, CONTENT_KEY_FILE, |random| random)?;
    let mut key = [0; 32];
    hex::decode_to_slice(&text, &mut key).map_err(|error| SettingsError::Token {
        path: data_dir.join(CONTENT_KEY_FILE),
        source: std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string()),
    })?;
    Ok(ContentKey::new(key))
}

/// What a file of the data folder says; if it is not there, what `write` makes of random digits, for its owner's eyes only.
fn made(data_dir: &Path, name: &str, write: impl Fn(String) -> String) -> Result<String, SettingsError> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = data_dir.join(name);
    let failed = |source| SettingsError::Token { path: path.clone(), source };
    match std::fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| failed(std::io::Error::other(error.to_string())))?;
    let token = write(hex::encode(bytes));
    std::fs::create_dir_all(data_dir).map_err(failed)?;
    let file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path);
    file.and_then(|mut file| writeln!(file, "{token}").and_then(|()| file.sync_all())).map_err(failed)?;
    Ok(token)
}
