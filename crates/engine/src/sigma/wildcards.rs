use super::fold::fold;
use super::pattern::Pattern;
use super::text::{Subject, TextTest};

/// Sigma strings of which any may fit a text, without regard to case.
#[derive(Debug)]
pub(crate) struct Wildcards(TextTest);

impl Wildcards {
    pub(crate) fn new<'t>(texts: impl IntoIterator<Item = &'t str>) -> Wildcards {
        let patterns: Vec<Pattern> = texts.into_iter().map(Pattern::parse).collect();
        Wildcards(TextTest::new(patterns.iter(), false))
    }

    /// Does any of them fit all of `text`?
    pub(crate) fn fit(&self, text: &str) -> bool {
        self.0.holds(Subject { raw: text, folded: &fold(text) })
    }

    /// The folded text of a Sigma string without wildcards.
    pub(crate) fn plain(text: &str) -> Option<String> {
        Pattern::parse(text).plain().map(Wildcards::fold)
    }

    /// The text as it is compared.
    pub(crate) fn fold(text: &str) -> String {
        fold(text)
    }
}
