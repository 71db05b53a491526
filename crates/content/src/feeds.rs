//! Inputs that poll, held against the feeds that they name.

use crate::Catalogue;
use crate::config::{Config, InputKind, PollConfig};
use crate::nearest::nearest;

/// What is wrong with the inputs of `config` that poll, each with its remedy.
pub fn lint(config: &Config, catalogue: &Catalogue) -> Vec<String> {
    let mut wrong = Vec::new();
    for input in &config.inputs {
        if let InputKind::Poll(poll) = &input.kind {
            wrong.extend(lint_one(poll, catalogue).into_iter().map(|told| format!("input `{}`: {told}", input.name)));
        }
    }
    wrong
}

fn lint_one(poll: &PollConfig, catalogue: &Catalogue) -> Vec<String> {
    let ids = || catalogue.feeds.keys().map(String::as_str);
    let Some(feed) = catalogue.feeds.get(&poll.feed) else {
        let remedy = match nearest(&poll.feed, ids()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the feeds are {}", ids().collect::<Vec<_>>().join(", ")),
        };
        return vec![format!("there is no feed `{}`; {remedy}", poll.feed)];
    };
    let lacks =
        |name: &&String| !poll.parameters.contains_key(*name) && (poll.endpoint.is_none() || stands(feed, name));
    let missing = feed.parameters.keys().filter(lacks).map(|name| {
        let what = &feed.parameters[name];
        format!("feed `{}` asks for `{name}`, {what}; write `parameters = {{ {name} = \"…\" }}`", feed.id)
    });
    let strange = poll.parameters.keys().filter(|name| !feed.parameters.contains_key(*name)).map(|name| {
        let known: Vec<&str> = feed.parameters.keys().map(String::as_str).collect();
        let remedy = if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
        format!("feed `{}` has no parameter `{name}`; {remedy}", feed.id)
    });
    missing.chain(strange).collect()
}

/// Is the parameter used where an `endpoint` of the site does not take its place?
fn stands(feed: &engine::feed::Feed, name: &str) -> bool {
    let named = format!("{{{name}}}");
    feed.path.contains(&named) || feed.query.values().any(|value| value.contains(&named))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;
    use crate::{Root, load};

    #[test]
    fn an_input_that_polls_is_held_against_its_feed() {
        let text = "
            [[inputs]]
            name = \"a\"
            kind = \"poll\"
            feed = \"okta_system_logs\"
            secret = { env = \"OKTA\" }
            [[inputs]]
            name = \"b\"
            kind = \"poll\"
            feed = \"github_organization_audit\"
            parameters = { organisation = \"lab\" }
            secret = { env = \"GITHUB\" }
            [[inputs]]
            name = \"c\"
            kind = \"poll\"
            feed = \"okta_system_log\"
            endpoint = \"https://lab.okta.com\"
            secret = { env = \"OKTA\" }";
        let (config, wrong) = Config::parse(text, &Overrides::default());
        assert!(wrong.is_empty(), "{wrong:?}");
        let (catalogue, _) = load(&[Root::WithoutRules(Box::new(Root::Embedded))]);
        assert_eq!(
            lint(&config.expect("a configuration"), &catalogue),
            [
                "input `a`: there is no feed `okta_system_logs`; did you mean `okta_system_log`?",
                "input `b`: feed `github_organization_audit` asks for `organization`, the name of the organisation in its address; \
                 write `parameters = { organization = \"…\" }`",
                "input `b`: feed `github_organization_audit` has no parameter `organisation`; it has organization",
            ]
        );
    }

    #[test]
    fn a_feed_of_a_folder_replaces_one_and_needs_a_source() {
        let folder = tempfile::tempdir().expect("a folder");
        let bytes = crate::embedded_file("feeds/openai_audit.yml").expect("it is built in");
        let built_in = std::str::from_utf8(bytes).expect("text");
        crate::tests::write(folder.path(), "feeds/a.yml", &built_in.replace("limit: 100", "limit: 20"));
        let stray =
            built_in.replace("id: openai_audit", "id: mine").replace("source: openai_audit", "source: openai_audits");
        crate::tests::write(folder.path(), "feeds/b.yml", &stray);
        let (catalogue, wrong) = load(&[Root::WithoutRules(Box::new(Root::Embedded)), Root::Dir(folder.path().into())]);
        assert_eq!(catalogue.feeds["openai_audit"].query["limit"], "20");
        let told: Vec<_> = wrong.iter().map(|wrong| (wrong.code.as_str(), wrong.remedy.as_str())).collect();
        let expected = [
            ("overrides-feed", "nothing, if that is meant; otherwise give it its own id"),
            ("unknown-source", "did you mean `openai_audit`?"),
        ];
        assert_eq!(told, expected);
        assert!(wrong[1].file.ends_with("feeds/b.yml"), "{wrong:?}");
    }
}
