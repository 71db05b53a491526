use super::*;

fn at(ms: i64) -> Time {
    Time::from_millis(1_700_000_000_000 + ms)
}

fn begun(auth: &Auth, token: &str, now: Time) -> String {
    match auth.sign_in(None, token, "ana", now).unwrap() {
        SignIn::Begun(id) => id,
        _ => panic!("the token is right"),
    }
}

#[test]
fn the_token_is_shown_once_and_only_its_digest_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (auth, token) = Auth::open(dir.path()).unwrap();
    let token = token.expect("a first start makes a token");
    assert_eq!(token.len(), 3 + 64);
    begun(&auth, &format!(" {token}\n"), at(0));
    let kept = std::fs::read_to_string(dir.path().join("console-token.sha256")).unwrap();
    assert!(!kept.contains(&token[3..]));
    let (again, fresh) = Auth::open(dir.path()).unwrap();
    assert!(fresh.is_none());
    begun(&again, &token, at(0));
    let renewed = Auth::renew(dir.path()).unwrap();
    let (after, _) = Auth::open(dir.path()).unwrap();
    assert!(matches!(after.sign_in(None, &token, "ana", at(0)).unwrap(), SignIn::Wrong));
    begun(&after, &renewed, at(0));
}

#[cfg(unix)]
#[test]
fn the_digest_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    Auth::open(dir.path()).unwrap();
    let mode = std::fs::metadata(dir.path().join("console-token.sha256")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_spoilt_digest_is_an_error_and_not_a_new_token() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("console-token.sha256"), "nonsense").unwrap();
    assert!(matches!(Auth::open(dir.path()), Err(AuthError::Malformed { .. })));
}

#[test]
fn sessions_end_when_idle_when_old_and_when_ended() {
    let dir = tempfile::tempdir().unwrap();
    let (auth, token) = Auth::open(dir.path()).unwrap();
    let token = token.unwrap();
    let id = begun(&auth, &token, at(0));
    let session = auth.session(&id, at(1), true).expect("alive");
    assert_eq!(session.user, "ana");
    assert!(auth.session(&id, at(session::IDLE_MS_MAX - 1), false).is_some(), "a look without a touch");
    assert!(auth.session(&id, at(session::IDLE_MS_MAX + 1), false).is_none(), "idle since the touch at 1 ms");

    let id = begun(&auth, &token, at(0));
    for step in 1..12 {
        assert!(auth.session(&id, at(step * 3_600_000), true).is_some());
    }
    assert!(auth.session(&id, at(SESSION_MS_MAX), true).is_none(), "twelve hours are the most");

    let id = begun(&auth, &token, at(0));
    auth.sign_out(&auth.session(&id, at(1), true).unwrap().key);
    assert!(auth.session(&id, at(2), true).is_none());
    assert!(auth.session("00", at(2), true).is_none());
}

#[test]
fn mistakes_are_limited_by_peer_and_forgotten_after_a_minute() {
    let dir = tempfile::tempdir().unwrap();
    let (auth, token) = Auth::open(dir.path()).unwrap();
    let token = token.unwrap();
    let peer: Option<IpAddr> = Some("127.0.0.1".parse().unwrap());
    for _ in 0..attempts::MISTAKES_MAX {
        assert!(matches!(auth.sign_in(peer, "wk_guess", "eve", at(0)).unwrap(), SignIn::Wrong));
    }
    assert!(matches!(auth.sign_in(peer, &token, "ana", at(1)).unwrap(), SignIn::Wait(ms) if ms > 0 && ms <= 60_000));
    assert!(matches!(auth.sign_in(None, &token, "ana", at(1)).unwrap(), SignIn::Begun(_)), "another peer");
    assert!(matches!(auth.sign_in(peer, &token, "ana", at(60_000)).unwrap(), SignIn::Begun(_)));
}

#[test]
fn sessions_are_bounded() {
    let sessions = session::Sessions::default();
    let first = sessions.begin("first", at(0)).unwrap();
    let mut last = String::new();
    for n in 1..=1024 {
        last = sessions.begin("next", at(n)).unwrap();
    }
    assert!(sessions.get(&first, at(2000), false).is_none(), "the longest unused gave way");
    assert!(sessions.get(&last, at(2000), false).is_some());
}
