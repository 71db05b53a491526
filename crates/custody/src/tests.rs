use model::{Digest, Time};
use proptest::prelude::*;

use crate::chain::{Break, GENESIS, Link, Verifier, verify};
use crate::digest::{DigestReader, of_reader};
use crate::signature::{KeyError, SigningKey, TOLERANCE_S, VerifyError, VerifyingKey, header};

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";
const PRIVATE: &str = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA==";
const PUBLIC: &str = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
const ID: &str = "0123456789abcdef0123456789abcdef";
const AT: i64 = 1_795_305_600;
const BODY: &str = r#"{"type":"alert.opened","data":{"message":"Zugriff außerhalb — 東京"}}"#;
/// Made with PyPI `standardwebhooks` 1.1.0 from SECRET, ID, AT and BODY.
const V1: &str = "v1,T6Om28LqsLsPMP26bwxjpJLkoPIQBBE6b88sVmPIDEE=";
/// Made with PyPI `cryptography` from the seed of PRIVATE over `ID.AT.BODY`.
const V1A: &str = "v1a,EAbkFjcT5cokr/vx+zzCrJHSkrRhnwlZr4mTRbd38bVIOIi8+xZtmztnl825Pn/qxksIwW/65rCEhGWf8jpWDw==";

fn verifying(key: &str) -> VerifyingKey {
    VerifyingKey::parse(key).unwrap()
}

fn check(key: &str, timestamp: &str, signatures: &str, body: &str, now: i64) -> Result<(), VerifyError> {
    verifying(key).verify(ID, timestamp, signatures, body.as_bytes(), now, TOLERANCE_S)
}

#[test]
fn signatures_agree_with_the_python_library() {
    let published = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let signed = published.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
    assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_eq!(SigningKey::parse(SECRET).unwrap().sign(ID, AT, BODY.as_bytes()), V1);
    assert_eq!(SigningKey::parse(PRIVATE).unwrap().sign(ID, AT, BODY.as_bytes()), V1A);
}

#[test]
fn a_private_key_knows_its_public_half_and_a_secret_has_none() {
    assert_eq!(SigningKey::parse(PRIVATE).unwrap().public().as_deref(), Some(PUBLIC));
    let seed_only = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    assert_eq!(SigningKey::parse(seed_only).unwrap().public().as_deref(), Some(PUBLIC));
    assert_eq!(SigningKey::parse(SECRET).unwrap().public(), None);
}

#[test]
fn one_of_several_signatures_is_enough() {
    let signed = "1795305600";
    let both =
        header(&["v1,AAAA".to_owned(), "v2,zzz".to_owned(), "rubbish".to_owned(), V1.to_owned(), V1A.to_owned()]);
    assert_eq!(check(SECRET, signed, &both, BODY, AT), Ok(()));
    assert_eq!(check(PUBLIC, signed, &both, BODY, AT), Ok(()));
    assert_eq!(check(PUBLIC, signed, V1, BODY, AT), Err(VerifyError::NoMatch));
    assert_eq!(check(SECRET, signed, "", BODY, AT), Err(VerifyError::NoMatch));
}

#[test]
fn what_was_changed_does_not_verify() {
    for (key, signature) in [(SECRET, V1), (PUBLIC, V1A)] {
        assert_eq!(check(key, "1795305601", signature, BODY, AT), Err(VerifyError::NoMatch));
        assert_eq!(check(key, "1795305600", signature, "{}", AT), Err(VerifyError::NoMatch));
        let other_id = verifying(key).verify("other", "1795305600", signature, BODY.as_bytes(), AT, TOLERANCE_S);
        assert_eq!(other_id, Err(VerifyError::NoMatch));
    }
}

#[test]
fn old_and_early_messages_are_refused() {
    let at = |now| check(SECRET, "1795305600", V1, BODY, now);
    assert_eq!(at(AT + TOLERANCE_S), Ok(()));
    assert_eq!(at(AT + TOLERANCE_S + 1), Err(VerifyError::TooOld));
    assert_eq!(at(AT - TOLERANCE_S), Ok(()));
    assert_eq!(at(AT - TOLERANCE_S - 1), Err(VerifyError::TooNew));
    assert_eq!(check(SECRET, "soon", V1, BODY, AT), Err(VerifyError::BadTimestamp));
    assert_eq!(check(SECRET, "-9223372036854775808", V1, BODY, AT), Err(VerifyError::TooOld));
}

#[test]
fn bad_keys_say_why_without_showing_themselves() {
    let error = |text: &str| SigningKey::parse(text).map(|_| ()).unwrap_err();
    assert_eq!(error("hunter2"), KeyError::Prefix);
    assert_eq!(error("whsec_*"), KeyError::Base64);
    assert_eq!(error("whsec_AAAA"), KeyError::Length(3));
    assert_eq!(error(PUBLIC), KeyError::Prefix);
    let mismatched = format!("{}AAAA", &PRIVATE[..PRIVATE.len() - 4]);
    assert!(SigningKey::parse(&mismatched).is_err());
    let zero = format!("whpk_{}=", "A".repeat(43));
    assert_eq!(
        VerifyingKey::parse(&zero).map(|_| ()).unwrap_err(),
        KeyError::Point,
        "a point of small order signs anything"
    );
    assert_eq!(format!("{:?}", SigningKey::parse(SECRET).unwrap()), "SigningKey(…)");
}

fn chain_of(payloads: &[Vec<u8>]) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    for (i, payload) in payloads.iter().enumerate() {
        links.push(Link::seal(links.last(), Time::from_millis(i as i64), payload));
    }
    links
}

fn verified(links: &[Link], payloads: &[Vec<u8>]) -> Result<Option<Link>, Break> {
    verify(links.iter().zip(payloads.iter().map(Vec::as_slice)))
}

#[test]
fn a_chain_shows_the_first_break() {
    let payloads: Vec<Vec<u8>> = (0u8..5).map(|i| vec![i]).collect();
    let links = chain_of(&payloads);
    assert_eq!(verified(&links, &payloads).unwrap().unwrap(), links[4]);
    assert_eq!(links[0].previous, GENESIS);

    let mut changed = payloads.clone();
    changed[2] = vec![9];
    assert_eq!(verified(&links, &changed), Err(Break::Payload { seq: 3 }));

    let mut later = links.clone();
    later[1].at = Time::from_millis(99);
    assert_eq!(verified(&later, &payloads), Err(Break::Digest { seq: 2 }));

    let mut cut = (links.clone(), payloads.clone());
    cut.0.remove(1);
    cut.1.remove(1);
    assert_eq!(verified(&cut.0, &cut.1), Err(Break::Gap { expected: 2, found: 3 }));

    let mut resealed = links.clone();
    resealed[1] = Link::seal(Some(&links[0]), links[1].at, b"forged");
    let mut forged = payloads.clone();
    forged[1] = b"forged".to_vec();
    assert_eq!(verified(&resealed, &forged), Err(Break::Previous { seq: 3 }));
    assert_eq!(verified(&[], &[]), Ok(None));
}

#[test]
fn a_digest_reader_sees_what_passes() {
    let mut reader = DigestReader::new(&b"abc"[..]);
    std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
    assert_eq!(reader.finish(), (Digest::of(b"abc"), 3));
    let empty = of_reader(std::io::empty()).unwrap();
    assert_eq!(empty.0.hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_change_to_any_link_is_noticed(n in 1usize..8, which in 0usize..8, byte in 0usize..32, part in 0u8..4) {
        let payloads: Vec<Vec<u8>> = (0..n).map(|i| vec![i as u8; i]).collect();
        let mut links = chain_of(&payloads);
        let link = &mut links[which % n];
        match part {
            0 => link.payload.0[byte] ^= 1,
            1 => link.previous.0[byte] ^= 1,
            2 => link.digest.0[byte] ^= 1,
            _ => link.seq ^= 1,
        }
        prop_assert!(verified(&links, &payloads).is_err());
    }

    #[test]
    fn streaming_and_whole_digests_agree(bytes in proptest::collection::vec(any::<u8>(), 0..100_000)) {
        let (digest, length) = of_reader(&bytes[..]).unwrap();
        prop_assert_eq!((digest, length), (Digest::of(&bytes), bytes.len() as u64));
    }

    #[test]
    fn what_is_signed_verifies(id in "[a-z0-9_]{1,40}", at in 0i64..4_000_000_000, body: Vec<u8>) {
        for (signing, verifier) in [(SECRET, SECRET), (PRIVATE, PUBLIC)] {
            let signature = SigningKey::parse(signing).unwrap().sign(&id, at, &body);
            prop_assert_eq!(verifying(verifier).verify(&id, &at.to_string(), &signature, &body, at, 0), Ok(()));
        }
    }

    #[test]
    fn no_header_makes_verifying_panic(timestamp: String, signatures: String) {
        let _ = verifying(SECRET).verify(ID, &timestamp, &signatures, b"", AT, TOLERANCE_S);
    }
}

#[test]
fn a_verifier_keeps_its_head_after_a_break() {
    let links = chain_of(&[vec![1], vec![2]]);
    let mut verifier = Verifier::new();
    verifier.check(&links[0], &[1]).unwrap();
    assert!(verifier.check(&links[1], &[3]).is_err());
    assert_eq!(verifier.head(), Some(&links[0]));
}
