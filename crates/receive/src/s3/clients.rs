//! Clients of AWS: one HTTP client with rustls, the default chain of credentials, one S3 client for each region.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

/// Longer than the 20 s for which SQS may hold a request.
const READ_TIMEOUT: Duration = Duration::from_secs(40);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// AWS has some forty regions; a message that names others is not believed for ever.
const REGIONS_MAX: usize = 64;

/// Credentials, and the region if none is given, come from the default chain: environment, profile, web identity, ECS, EC2.
pub(crate) async fn config(region: Option<String>, endpoint: Option<&str>) -> SdkConfig {
    loader(region, endpoint).load().await
}

fn loader(region: Option<String>, endpoint: Option<&str>) -> ConfigLoader {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http).timeout_config(timeouts);
    if let Some(region) = region {
        loader = loader.region(Region::new(region));
    }
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    loader
}

/// As [`config`], with keys that open nothing.
#[cfg(test)]
pub(crate) async fn config_of_tests(endpoint: &str) -> SdkConfig {
    let keys = aws_sdk_sqs::config::Credentials::new("AKIAEXAMPLE", "example", None, None, "tests");
    loader(Some("eu-west-1".to_owned()), Some(endpoint)).credentials_provider(keys).load().await
}

/// The region that a queue's address names: `https://sqs.<region>.amazonaws.com/…`. Pure.
pub(crate) fn region_of_queue(url: &str) -> Option<String> {
    let host = url.split_once("://")?.1.split(['/', ':']).next()?;
    let region = host.strip_prefix("sqs.")?.split_once(".amazonaws.com")?.0;
    is_region(region).then(|| region.to_owned())
}

/// Could this be a region? It becomes part of a host's name.
pub(crate) fn is_region(text: &str) -> bool {
    (4..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Clients of S3 by region.
pub(super) struct S3Clients {
    config: SdkConfig,
    /// Another endpoint than AWS has one address for all regions, and buckets in its paths.
    has_endpoint: bool,
    clients: Mutex<BTreeMap<String, aws_sdk_s3::Client>>,
}

impl S3Clients {
    pub fn new(config: SdkConfig, has_endpoint: bool) -> S3Clients {
        S3Clients { config, has_endpoint, clients: Mutex::default() }
    }

    /// The client for a bucket of `region`; of the queue's region when that is not known.
    pub fn of(&self, region: Option<&str>) -> aws_sdk_s3::Client {
        let region = region.filter(|region| !self.has_endpoint && is_region(region)).unwrap_or_default();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= REGIONS_MAX {
            clients.clear();
        }
        clients.entry(region.to_owned()).or_insert_with(|| self.make(region)).clone()
    }

    fn make(&self, region: &str) -> aws_sdk_s3::Client {
        let mut config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(self.has_endpoint);
        if !region.is_empty() {
            config = config.region(Region::new(region.to_owned()));
        }
        aws_sdk_s3::Client::from_conf(config.build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queues_address_names_its_region() {
        let region = |url: &str| region_of_queue(url);
        assert_eq!(region("https://sqs.eu-west-1.amazonaws.com/111122223333/q").as_deref(), Some("eu-west-1"));
        assert_eq!(region("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q").as_deref(), Some("cn-north-1"));
        for other in ["http://127.0.0.1:5000/1/q", "https://queue.amazonaws.com/1/q", "sqs", ""] {
            assert_eq!(region(other), None, "{other}");
        }
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_region() {
        assert!(is_region("us-gov-west-1"));
        for other in ["", "evil.example", "a/b#", "US-EAST-1", "x"] {
            assert!(!is_region(other), "{other}");
        }
    }
}
