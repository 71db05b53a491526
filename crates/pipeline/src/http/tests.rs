use super::hec::{HecBody, HecCode, parse_body};
use super::token::presented;
use super::*;

fn wrong(body: &str) -> (u64, Option<HecCode>) {
    let read = parse_body(body.as_bytes());
    (read.events, read.wrong)
}

#[test]
fn envelopes_stand_one_after_another_with_or_without_space() {
    let body = "{\"event\":\"a\"}{\"event\":{\"b\":1}}\n\n {\"event\":3,\"time\":1}\n";
    assert_eq!(parse_body(body.as_bytes()), HecBody { events: 3, end: body.len() - 1, wrong: None });
    assert_eq!(parse_body(b""), HecBody { events: 0, end: 0, wrong: None });
}

#[test]
fn the_first_wrong_envelope_ends_the_body() {
    assert_eq!(wrong("{\"event\":\"a\"}{\"event\":null}"), (1, Some(HecCode::EventRequired)));
    assert_eq!(wrong("{\"event\":{}}"), (0, Some(HecCode::EventBlank)));
    assert_eq!(wrong("{\"event\":\"a\"} junk"), (1, Some(HecCode::InvalidDataFormat)));
    assert_eq!(wrong("{\"event\":\"a\",\"event\":\"b\"}"), (0, Some(HecCode::InvalidDataFormat)));
    assert_eq!(wrong(&format!("{{\"event\":{}", "[".repeat(10_000))), (0, Some(HecCode::InvalidDataFormat)));
    assert_eq!(wrong("{\"event\":\"\u{0}\"}"), (0, Some(HecCode::InvalidDataFormat)));
}

#[test]
fn a_token_is_read_from_every_scheme_that_senders_use() {
    assert_eq!(presented("Splunk abc").as_deref(), Some("abc"));
    assert_eq!(presented("bearer  abc ").as_deref(), Some("abc"));
    assert_eq!(presented("Basic eDphYmM=").as_deref(), Some("abc"));
    for header in ["", "abc", "Basic abc", "Basic !!", "Digest abc", "Splunk "] {
        assert_eq!(presented(header), None, "{header}");
    }
}

#[test]
fn a_token_does_not_show_itself() {
    let token = Token::new("secret");
    assert!(token.is("secret") && !token.is("secreT") && !token.is("") && !token.is("secret2"));
    assert_eq!(format!("{token:?}"), "Token(…)");
}

#[test]
fn the_gate_counts_requests_and_bytes() {
    let gate = Gate::new(2, 10 << 10);
    let first = gate.enter(4 << 10).unwrap();
    let second = gate.enter(4 << 10).unwrap();
    assert!(gate.enter(1).is_none(), "two requests are in");
    drop(first);
    assert!(gate.enter(8 << 10).is_none(), "too many bytes");
    drop(second);
    assert!(gate.enter(1 << 30).is_some(), "one that is larger than all takes everything");
    let mut growing = gate.enter(0).unwrap();
    assert!(growing.cover(6 << 10) && growing.cover(2 << 10));
    let other = gate.enter(4 << 10).unwrap();
    assert!(!growing.cover(7 << 10), "the other has the rest");
    drop(other);
    assert!(growing.cover(1 << 30), "one that outgrows all takes everything");
    drop(growing);
    assert!(gate.enter(10 << 10).is_some(), "and gives it back");
}

proptest::proptest! {
    #[test]
    fn any_body_is_read_to_a_whole_event_and_no_further(body in "(\\{\"event\":(1|\"a\"|\"\"|null|\\{\\})\\}| |x){0,8}") {
        let read = parse_body(body.as_bytes());
        proptest::prop_assert!(read.end <= body.len());
        let before = parse_body(&body.as_bytes()[..read.end]);
        proptest::prop_assert_eq!(before, HecBody { wrong: None, ..read });
    }

    #[test]
    fn no_bytes_make_the_reader_panic(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let _ = parse_body(&body);
        let _ = Acknowledgement::parse(&body);
        for encoding in ["gzip", "zstd"] {
            let _ = framing::decompress::body(body.clone(), Some(encoding), 1000, &mut |_| true);
        }
    }
}

#[tokio::test]
async fn a_request_that_panics_is_refused_without_what_it_said() {
    let refused = answer::blocking(|| assert!(std::hint::black_box(false), "secret")).await.unwrap_err();
    assert_eq!((refused.code(), refused.message().contains("secret")), ("internal", false), "{}", refused.message());
}
