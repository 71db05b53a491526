//! The functions that a program may call: those of VRL's library whose answer follows from what they are given, in bounded time and memory.

use vrl::compiler::Function;

/// Functions that are left out, by what they would bring in.
const LEFT_OUT: [&[&str]; 6] = [
    // The world: clock, chance, files, environment, network, the log.
    &[
        "now",
        "random_bool",
        "random_bytes",
        "random_float",
        "random_int",
        "uuid_v4",
        "uuid_v7",
        "get_env_var",
        "get_hostname",
        "get_timezone_name",
        "dns_lookup",
        "reverse_dns",
        "http_request",
        "log",
        "parse_proto",
        "encode_proto",
        "validate_json_schema",
        "parse_etld",
        "parse_user_agent",
    ],
    // What has no year gets that of today.
    &["parse_syslog", "parse_klog", "parse_linux_authorization"],
    // Secrets: a mapping has none to keep.
    &["encrypt", "decrypt", "encrypt_ip", "decrypt_ip", "hmac"],
    // Small input, output without bound.
    &["decode_gzip", "decode_zlib", "decode_zstd", "decode_snappy", "decode_lz4", "parse_yaml", "range"],
    // Patterns that can take time without bound.
    &["parse_grok", "parse_groks", "match_datadog_query"],
    // Packing what would only be unpacked.
    &["encode_gzip", "encode_zlib", "encode_zstd", "encode_snappy", "encode_lz4"],
];

/// The functions.
pub(crate) fn all() -> Vec<Box<dyn Function>> {
    let mut all = vrl::stdlib::all();
    all.retain(|function| !LEFT_OUT.iter().any(|names| names.contains(&function.identifier())));
    all
}

/// The names of the functions, sorted.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = all().iter().map(|function| function.identifier()).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new release of the library adds functions: each is looked at before it is offered.
    #[test]
    fn what_is_offered_was_looked_at() {
        insta::assert_snapshot!(names().join("\n"));
    }
}
