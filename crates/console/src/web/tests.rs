use super::*;

#[test]
fn only_paths_of_this_host_are_followed() {
    for good in ["/", "/alerts/00?x=1", "/?state=open"] {
        assert_eq!(local(good), Some(good));
    }
    for bad in ["", "alerts", "//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "/a b"] {
        assert_eq!(local(bad), None, "{bad:?}");
    }
}

#[test]
fn cookies_are_found_by_their_whole_name() {
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, "xwatchkeep_session=no; watchkeep_session=yes; other=1".parse().unwrap());
    assert_eq!(cookie(&headers, "watchkeep_session"), Some("yes"));
    assert_eq!(cookie(&headers, "session"), None);
}
