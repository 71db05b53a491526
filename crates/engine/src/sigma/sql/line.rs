//! Lines of the lake that converted rules read: the Amazon S3 server access log, as its source declares it.
//!
//! A database has no sources, so the columns stand here once more; a test holds them against the `source.yml`.

use crate::field::Fields;
use crate::record::Scratch;
use crate::source::text::{Line, TextReader};
use crate::source::{Delimited, Layout, Quotes, TextFormat};

/// The fields, in order, by the name that rules use and by the names that other tools gave them.
pub(super) const NAMES: [&[&str]; 26] = [
    &["bucket_owner", "bucketowner"],
    &["bucket", "bucket_name"],
    &["time", "requestdatetime"],
    &["remote_ip", "remoteip"],
    &["requester"],
    &["request_id", "requestid"],
    &["operation"],
    &["key"],
    &["request_uri", "requesturi"],
    &["http_status", "httpstatus"],
    &["error_code", "errorcode"],
    &["bytes_sent", "bytessent"],
    &["object_size", "objectsize"],
    &["total_time", "totaltime"],
    &["turn_around_time", "turnaroundtime"],
    &["referer", "referrer"],
    &["user_agent", "useragent"],
    &["version_id", "versionid"],
    &["host_id", "hostid"],
    &["signature_version", "signatureversion", "sigv"],
    &["cipher_suite", "ciphersuite"],
    &["authentication_type", "authenticationtype", "authtype"],
    &["host_header", "hostheader", "endpoint"],
    &["tls_version", "tlsversion", "tlsVersion"],
    &["access_point_arn", "accesspointarn"],
    &["acl_required", "aclrequired"],
];

/// The oldest format ended with the version id.
const COLUMNS_MIN: usize = 18;

/// What a line looks like: a time in brackets behind owner and bucket.
const LOOKS: &str = r"^[^ ]+ +[^ ]+ +\[..?/.../";

/// The format of the lines.
pub(super) fn format() -> TextFormat {
    let owned = |names: &&[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let delimited = Delimited {
        quotes: Quotes::Bare,
        brackets: true,
        columns: NAMES.iter().map(owned).collect(),
        at_least: COLUMNS_MIN,
        ..Delimited::default()
    };
    TextFormat { line: Some(LOOKS.to_owned()), ..TextFormat::of(Layout::Delimited(delimited)) }
}

/// Reads lines of this format.
#[derive(Debug)]
pub(super) struct Reader(TextReader);

impl Reader {
    pub fn new(fields: &Fields) -> Reader {
        Reader(TextReader::new(&format(), fields))
    }

    /// Reads a line into `scratch`; says whether it is one.
    pub fn read(&self, raw: &str, fields: &Fields, scratch: &mut Scratch) -> bool {
        scratch.reset(fields);
        let line = Line::of(raw);
        self.0.recognises(&line) && self.0.read(&line, fields, scratch).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn the_columns_are_those_of_the_source() {
        let text = include_str!("../../../../../content/sources/aws_s3_access_log/source.yml");
        let source = Source::parse(text).0.expect("the source can be used");
        let declared = source.text_formats().next().expect("it has lines");
        let ours = format();
        assert_eq!(declared.layout, ours.layout);
    }
}
