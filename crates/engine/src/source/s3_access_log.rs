//! Lines of the Amazon S3 server access log.
//!
//! In: a line. Out: the places of its fields. Fields stand in a fixed order, separated by spaces; some are in quotes, the time is in
//! brackets. Later versions of the format added fields at the end, so a line may be shorter or longer than the list here.
//! Source: Amazon S3 User Guide, "Amazon S3 server access log format".

use model::Reject;

use crate::field::{Field, Fields};
use crate::record::Scratch;

/// The fields, in order, by the name that rules use and by the names that other tools gave them.
pub(crate) const NAMES: [&[&str]; 26] = [
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
const FIELDS_MIN: usize = 18;

/// Which of the names are declared fields.
#[derive(Clone, Debug)]
pub(crate) struct Names(Vec<Vec<Field>>);

impl Names {
    pub(crate) fn new(fields: &Fields) -> Names {
        let known = |names: &&[&str]| names.iter().filter_map(|name| fields.get(name)).collect();
        Names(NAMES.iter().map(known).collect())
    }
}

/// Reads a line into `scratch`.
///
/// Errors: `UnknownSource` if the line does not look like one at all, `BadLine` if it does and is not whole.
pub(crate) fn read(line: &str, names: &Names, fields: &Fields, scratch: &mut Scratch) -> Result<(), Reject> {
    scratch.reset(fields);
    let mut count = 0;
    let mut at = 0;
    while let Some((start, end, next)) = field(line, at) {
        match count {
            2 if !is_time(line, start) => return Err(Reject::UnknownSource),
            _ if end < start => return Err(if count > 2 { Reject::BadLine } else { Reject::UnknownSource }),
            _ => {}
        }
        for name in names.0.get(count).into_iter().flatten() {
            scratch.set_text(*name, start, end);
        }
        count += 1;
        at = next;
    }
    match count {
        FIELDS_MIN.. => Ok(()),
        3.. => Err(Reject::BadLine),
        _ => Err(Reject::UnknownSource),
    }
}

/// The field at `at`: where its text starts and ends, and where the next field starts. An unclosed one ends before it starts.
fn field(line: &str, at: usize) -> Option<(usize, usize, usize)> {
    let rest = line[at..].trim_start_matches(' ');
    let start = line.len() - rest.len();
    let closing = match rest.as_bytes().first()? {
        b'"' => return Some(quoted(line, start)),
        b'[' => ']',
        _ => {
            let end = rest.find(' ').map_or(line.len(), |end| start + end);
            return Some((start, end, end));
        }
    };
    Some(match rest.find(closing) {
        Some(end) => (start + 1, start + end, start + end + 1),
        None => (start + 1, start, line.len()),
    })
}

/// A quoted field ends at the quote before a space or the end: user agents hold quotes that nobody escaped.
fn quoted(line: &str, start: usize) -> (usize, usize, usize) {
    let body = start + 1;
    let is_end = |at: &usize| matches!(line.as_bytes().get(at + 1), None | Some(b' '));
    let quotes = memchr::memchr_iter(b'"', &line.as_bytes()[body..]).map(|at| body + at);
    match quotes.into_iter().find(is_end) {
        Some(end) => (body, end, end + 1),
        None => (body, start, line.len()),
    }
}

/// `06/Feb/2019:00:00:38 +0000`, with its bracket before `start`.
fn is_time(line: &str, start: usize) -> bool {
    let bytes = &line.as_bytes()[start..];
    start > 0 && line.as_bytes()[start - 1] == b'[' && bytes.get(2) == Some(&b'/') && bytes.get(6) == Some(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::FieldsBuilder;
    use crate::record::Record;

    const LINE: &str = r#"79a5 lab-weights [06/Feb/2019:00:00:38 +0000] 192.0.2.3 arn:aws:iam::1:user/ana 3E57 REST.GET.OBJECT a/b.pt "GET /a/b.pt HTTP/1.1" 200 - 113 120 7 - "-" "say "hi"1" v1 s9l= SigV4 ECDHE AuthHeader lab.s3.amazonaws.com TLSV1.2 - Yes extra"#;

    fn read_line(line: &str) -> Result<Vec<String>, Reject> {
        let mut builder = FieldsBuilder::new();
        let wanted: Vec<_> = NAMES.iter().map(|names| builder.intern(names[0])).collect();
        let fields = builder.build();
        let mut scratch = Scratch::new(&fields);
        read(line, &Names::new(&fields), &fields, &mut scratch)?;
        let record: Record<'_> = scratch.record(line, true);
        Ok(wanted.iter().map(|field| record.first_str(*field).unwrap_or_default().to_owned()).collect())
    }

    #[test]
    fn a_line_is_read_with_its_quotes_and_brackets() {
        let fields = read_line(LINE).unwrap();
        assert_eq!(fields[1..4], ["lab-weights", "06/Feb/2019:00:00:38 +0000", "192.0.2.3"]);
        assert_eq!(fields[7..10], ["a/b.pt", "GET /a/b.pt HTTP/1.1", "200"]);
        assert_eq!((fields[16].as_str(), fields[25].as_str()), ("say \"hi\"1", "Yes"));
    }

    #[test]
    fn older_lines_are_shorter() {
        let old: Vec<&str> = LINE.split(" s9l=").collect();
        assert_eq!(read_line(old[0]).unwrap()[17], "v1");
    }

    #[test]
    fn a_line_cut_off_is_bad_and_any_other_is_unknown() {
        assert_eq!(read_line(&LINE[..100]), Err(Reject::BadLine));
        assert_eq!(read_line(&LINE[..60]), Err(Reject::BadLine));
        for other in ["", "a", "hello big world", "1 2 [x] 3", "a b [06/Feb/2019"] {
            assert_eq!(read_line(other), Err(Reject::UnknownSource), "{other}");
        }
    }
}
