//! The condition grammar (Sigma 2.1, "Condition"), from the least to the most binding: `or`, `and`, `not`, `x of`, brackets.
//!
//! Bound: [`CONDITION_TOKENS_MAX`] tokens, [`CONDITION_DEPTH_MAX`] levels.

use super::super::bounds::{CONDITION_DEPTH_MAX, CONDITION_TOKENS_MAX};
use super::super::detection::{Condition, Of, Search};
use super::reader::nearest;

/// A mistake in a condition, with the byte of its text at which it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) at: usize,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) remedy: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    Open,
    Close,
    Pipe,
    Word(&'t str),
}

/// Reads a condition over `searches`.
///
/// Errors: every unknown search, or the first mistake of grammar.
pub(super) fn parse(text: &str, searches: &[Search]) -> Result<Condition, Vec<Mistake>> {
    let names: Vec<&str> = searches.iter().map(|search| search.name.as_str()).collect();
    parse_names(text, &names, &SEARCHES)
}

/// What the names of a condition stand for, as its author calls them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nouns {
    one: &'static str,
    many: &'static str,
}

/// Searches of a detection.
pub(super) const SEARCHES: Nouns = Nouns { one: "search", many: "searches" };
/// Rules of a correlation.
pub(super) const RULES: Nouns = Nouns { one: "rule", many: "rules" };

/// The words of a condition that stand for names, in order, without repeats.
pub(super) fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for (_, token) in tokens(text).into_iter().take(CONDITION_TOKENS_MAX) {
        if let Token::Word(word) = token
            && !is_operator(word)
            && !words.contains(&word)
        {
            words.push(word);
        }
    }
    words
}

/// Reads a condition over `names`; its leaves are their places.
///
/// Errors: every unknown name, or the first mistake of grammar.
pub(super) fn parse_names(text: &str, names: &[&str], nouns: &Nouns) -> Result<Condition, Vec<Mistake>> {
    let tokens = tokens(text);
    if tokens.len() > CONDITION_TOKENS_MAX {
        let message = format!("the condition has {} words, more than {CONDITION_TOKENS_MAX}", tokens.len());
        return Err(vec![mistake(
            0,
            "condition-too-long",
            message,
            "use `1 of selection_*` rather than a list of names",
        )]);
    }
    let mut parser = Parser { tokens: &tokens, next: 0, end: text.len(), names, nouns, unknown: Vec::new(), depth: 0 };
    let condition = parser.or();
    let condition = condition.and_then(|condition| match parser.peek() {
        None => Ok(condition),
        Some((at, Token::Pipe)) => Err(mistake(
            at,
            "aggregation",
            "aggregations behind `|` are no part of Sigma 2",
            "write a correlation document that refers to this rule",
        )),
        Some((at, Token::Close)) => {
            Err(mistake(at, "condition-syntax", "a bracket is closed that nothing opened", "remove it"))
        }
        Some((at, token)) => Err(mistake(
            at,
            "condition-syntax",
            format!("{} stands where `and`, `or` or the end is expected", show(token)),
            format!("join {} by `and` or `or`", nouns.many),
        )),
    });
    match condition {
        Ok(condition) if parser.unknown.is_empty() => Ok(condition),
        Ok(_) => Err(parser.unknown),
        Err(mistake) => Err(parser.unknown.into_iter().chain([mistake]).collect()),
    }
}

fn mistake(at: usize, code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Mistake {
    Mistake { at, code: code.to_owned(), message: message.into(), remedy: remedy.into() }
}

fn tokens(text: &str) -> Vec<(usize, Token<'_>)> {
    let mut tokens = Vec::new();
    let mut word = None;
    let ends = text.char_indices().chain([(text.len(), ' ')]);
    for (at, c) in ends {
        let single = match c {
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            '|' => Some(Token::Pipe),
            _ => None,
        };
        if single.is_some() || c.is_whitespace() {
            if let Some(start) = word.take() {
                tokens.push((start, Token::Word(&text[start..at])));
            }
            tokens.extend(single.map(|token| (at, token)));
        } else {
            word.get_or_insert(at);
        }
    }
    tokens
}

fn show(token: Token<'_>) -> String {
    match token {
        Token::Open => "`(`".to_owned(),
        Token::Close => "`)`".to_owned(),
        Token::Pipe => "`|`".to_owned(),
        Token::Word(word) => format!("`{word}`"),
    }
}

struct Parser<'t> {
    tokens: &'t [(usize, Token<'t>)],
    next: usize,
    end: usize,
    names: &'t [&'t str],
    nouns: &'t Nouns,
    unknown: Vec<Mistake>,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<(usize, Token<'t>)> {
        self.tokens.get(self.next).copied()
    }

    /// Takes the next token if it is this word, in any case.
    fn takes(&mut self, wanted: &str) -> bool {
        let is_it = matches!(self.peek(), Some((_, Token::Word(word))) if word.eq_ignore_ascii_case(wanted));
        self.next += usize::from(is_it);
        is_it
    }

    fn or(&mut self) -> Result<Condition, Mistake> {
        let mut parts = vec![self.and()?];
        while self.takes("or") {
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Or(parts) })
    }

    fn and(&mut self) -> Result<Condition, Mistake> {
        let mut parts = vec![self.not()?];
        while self.takes("and") {
            parts.push(self.not()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::And(parts) })
    }

    fn not(&mut self) -> Result<Condition, Mistake> {
        let at = self.peek().map_or(self.end, |(at, _)| at);
        if self.depth >= CONDITION_DEPTH_MAX {
            let message = format!("the condition is nested deeper than {CONDITION_DEPTH_MAX} levels");
            return Err(mistake(at, "condition-too-deep", message, "name parts of it as searches"));
        }
        self.depth += 1;
        let part =
            if self.takes("not") { self.not().map(|part| Condition::Not(Box::new(part))) } else { self.operand() };
        self.depth -= 1;
        part
    }

    fn operand(&mut self) -> Result<Condition, Mistake> {
        let one = self.nouns.one;
        let Some((at, token)) = self.peek() else {
            return Err(mistake(
                self.end,
                "condition-syntax",
                format!("the condition ends where a {one} is expected"),
                format!("name a {one}"),
            ));
        };
        self.next += 1;
        match token {
            Token::Open => {
                let inner = self.or()?;
                match self.peek() {
                    Some((_, Token::Close)) => {
                        self.next += 1;
                        Ok(inner)
                    }
                    Some((at, Token::Pipe)) => Err(mistake(
                        at,
                        "aggregation",
                        "aggregations behind `|` are no part of Sigma 2",
                        "write a correlation document that refers to this rule",
                    )),
                    _ => Err(mistake(at, "condition-syntax", "this bracket is never closed", "close it")),
                }
            }
            Token::Word(word) if matches!(self.peek(), Some((_, Token::Word(of))) if of.eq_ignore_ascii_case("of")) => {
                self.next += 1;
                self.of(at, word)
            }
            Token::Word(word) if !is_operator(word) => self.search(at, word),
            other => Err(mistake(
                at,
                "condition-syntax",
                format!("{} stands where a {one} is expected", show(other)),
                format!("name a {one}, or write `1 of …`, `all of …` or `( … )`"),
            )),
        }
    }

    fn of(&mut self, at: usize, quantity: &str) -> Result<Condition, Mistake> {
        let least = match quantity.to_ascii_lowercase().as_str() {
            "all" => None,
            "any" => Some(1),
            number => match number.parse() {
                Ok(least @ 1..) => Some(least),
                _ => {
                    let message = format!("`{quantity} of` counts nothing");
                    return Err(mistake(at, "condition-syntax", message, "write `1 of`, `all of`, or a higher number"));
                }
            },
        };
        let Some((place, Token::Word(pattern))) = self.peek() else {
            let message = format!("`{quantity} of` names no {}", self.nouns.many);
            return Err(mistake(at, "condition-syntax", message, "write `them` or a pattern such as `selection_*`"));
        };
        self.next += 1;
        let searches = self.named(pattern);
        if searches.is_empty() {
            self.unknown.push(self.unknown_search(place, pattern));
        } else if least.is_some_and(|least| least > searches.len()) {
            let (count, many) = (searches.len(), self.nouns.many);
            let message = format!("`{quantity} of {pattern}` can never hold: there are {count} such {many}");
            self.unknown.push(mistake(at, "impossible-quantity", message, "lower the number"));
        }
        Ok(Condition::Of(Of { least, pattern: pattern.to_owned(), searches }))
    }

    /// `them` leaves out names with an underscore in front, and so does a pattern that does not begin with one itself.
    fn named(&self, pattern: &str) -> Vec<usize> {
        let (is_them, is_hidden) = (pattern.eq_ignore_ascii_case("them"), pattern.starts_with('_'));
        let named = |name: &str| is_them || glob(pattern.as_bytes(), name.as_bytes());
        let fits = |name: &str| named(name) && (is_hidden || !name.starts_with('_'));
        self.names.iter().enumerate().filter(|(_, name)| fits(name)).map(|(at, _)| at).collect()
    }

    fn search(&mut self, at: usize, name: &str) -> Result<Condition, Mistake> {
        match self.names.iter().position(|known| *known == name) {
            Some(search) => Ok(Condition::Search(search)),
            None => {
                self.unknown.push(self.unknown_search(at, name));
                Ok(Condition::Search(0))
            }
        }
    }

    fn unknown_search(&self, at: usize, name: &str) -> Mistake {
        let Nouns { one, many } = self.nouns;
        let remedy = match nearest(name, self.names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if name.contains('*') => format!("write `1 of` or `all of` before a pattern that fits a {one}"),
            None => format!("the {many} are {}", self.names.join(", ")),
        };
        mistake(at, &format!("unknown-{one}"), format!("the condition names `{name}`, which is no {one}"), remedy)
    }
}

fn is_operator(word: &str) -> bool {
    ["and", "or", "not", "of"].iter().any(|operator| word.eq_ignore_ascii_case(operator))
}

/// `*` stands for any run of characters; the leftmost place for each part is the best one.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let mut parts = pattern.split(|byte| *byte == b'*');
    let Some(rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    let mut rest = rest;
    for part in parts {
        match memchr::memmem::find(rest, part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::super::super::detection::Group;
    use super::*;

    fn searches() -> Vec<Search> {
        let names = ["sel", "selection_a", "selection_b", "filter", "_hidden"];
        names.iter().map(|name| Search { name: (*name).to_owned(), line: 0, body: Group::All(vec![]) }).collect()
    }

    fn show(text: &str) -> String {
        fn tell(condition: &Condition) -> String {
            let join = |parts: &[Condition], word: &str| {
                format!("({})", parts.iter().map(tell).collect::<Vec<_>>().join(word))
            };
            match condition {
                Condition::Search(search) => search.to_string(),
                Condition::Not(part) => format!("!{}", tell(part)),
                Condition::And(parts) => join(parts, "&"),
                Condition::Or(parts) => join(parts, "|"),
                Condition::Of(of) => format!("{:?}:{:?}", of.least, of.searches),
            }
        }
        match parse(text, &searches()) {
            Ok(condition) => tell(&condition),
            Err(mistakes) => {
                mistakes.iter().map(|mistake| format!("{}@{}", mistake.code, mistake.at)).collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn precedence_is_not_and_or() {
        assert_eq!(show("sel or filter and not selection_a"), "(0|(3&!1))");
        assert_eq!(show("(sel or filter) and not not selection_a"), "((0|3)&!!1)");
        assert_eq!(show("not (sel or filter)"), "!(0|3)");
        assert_eq!(show("sel AND NOT filter"), "(0&!3)");
        assert_eq!(show("not 1 of selection_* or sel"), "(!Some(1):[1, 2]|0)");
    }

    #[test]
    fn quantities_name_searches() {
        assert_eq!(show("1 of them"), "Some(1):[0, 1, 2, 3]");
        assert_eq!(show("all of them"), "None:[0, 1, 2, 3]");
        assert_eq!(show("all of sel*"), "None:[0, 1, 2]");
        assert_eq!(show("any of *_a"), "Some(1):[1]");
        assert_eq!(show("2 of selection_*"), "Some(2):[1, 2]");
        assert_eq!(show("1 of _h*"), "Some(1):[4]");
        assert_eq!(show("1 of s*c*_b"), "Some(1):[2]");
    }

    #[test]
    fn mistakes_have_places() {
        assert_eq!(show("sel and nope"), "unknown-search@8");
        assert_eq!(show("nope or nada"), "unknown-search@0 unknown-search@8");
        assert_eq!(show("sel and"), "condition-syntax@7");
        assert_eq!(show("(sel"), "condition-syntax@0");
        assert_eq!(show("sel)"), "condition-syntax@3");
        assert_eq!(show("sel filter"), "condition-syntax@4");
        assert_eq!(show("and sel"), "condition-syntax@0");
        assert_eq!(show("sel | count() > 3"), "aggregation@4");
        assert_eq!(show("3 of selection_*"), "impossible-quantity@0");
        assert_eq!(show("0 of them"), "condition-syntax@0");
        assert_eq!(show("1 of"), "condition-syntax@0");
        assert_eq!(show(&"(".repeat(10_000)), "condition-too-long@0");
        assert_eq!(show(&"(".repeat(1000)), "condition-too-deep@64");
        assert_eq!(show(&"not ".repeat(1000)), "condition-too-deep@256");
        assert_eq!(show("selection*"), "unknown-search@0");
        assert_eq!(show(""), "condition-syntax@0");
    }
}
