//! What a `source.yml` says about text formats.

use super::Form;
use crate::source::SourceFormat;
use crate::source::text::{
    Delimited, INSIDE_MAX, KeyValue, Layout, Product, Quotes, Separator, TextFormat, expression,
};
use crate::yaml::Node;

/// Values that are text of a format of their own, by name.
type Inside = Vec<(String, Vec<TextFormat>)>;

const LAYOUTS: [&str; 7] = ["delimited", "key_value", "patterns", "cef", "leef", "prometheus", "syslog"];
const KEYS: [&str; 10] =
    ["line", "comments", "inside", "delimited", "key_value", "patterns", "cef", "leef", "prometheus", "syslog"];

impl Form {
    /// `format`: `json`, or a text format, or a list of them.
    pub(super) fn formats(&mut self, node: &Node<'_>) -> (Vec<SourceFormat>, Inside) {
        let mut inside = Vec::new();
        let nodes = self.list(node).iter();
        (nodes.filter_map(|node| self.format(node, &mut inside)).collect(), inside)
    }

    fn format(&mut self, node: &Node<'_>, json: &mut Inside) -> Option<SourceFormat> {
        if node.as_str() == Some("json") {
            return Some(SourceFormat::Json);
        }
        if let Some(said) = node.get("json") {
            let entries = self.map(said, &["inside"]).unwrap_or_default();
            *json = entries.iter().flat_map(|entry| self.inside(&entry.value, INSIDE_MAX)).collect();
            self.map(node, &["json"]);
            return Some(SourceFormat::Json);
        }
        if node.as_map().is_none() {
            let message = format!("`{}` is not a format", node.as_str().unwrap_or(node.noun()));
            let remedy = format!("use `json`, or a map with `line` and one of {}", LAYOUTS.join(", "));
            self.wrong.push(node.error("unknown-format", message, remedy));
            return None;
        }
        let format = self.text_format(node, INSIDE_MAX)?;
        let is_named = matches!(&format.layout, Layout::Syslog(_)) || format.header().is_some();
        if format.looks().is_empty() && !is_named {
            let message = "nothing says which lines are of the source";
            let remedy = "add `line:` with a regular expression that only its lines match";
            self.wrong.push(node.error("missing-key", message, remedy));
        }
        Some(SourceFormat::Text(format))
    }

    fn text_format(&mut self, node: &Node<'_>, left: usize) -> Option<TextFormat> {
        let entries = self.map(node, &KEYS)?;
        let layouts: Vec<_> = entries.iter().filter(|entry| LAYOUTS.contains(&&*entry.key)).collect();
        let [layout] = layouts[..] else {
            let message = format!("a format is read in one way, and here are {}", layouts.len());
            self.wrong.push(node.error("empty-format", message, format!("write one of {}", LAYOUTS.join(", "))));
            return None;
        };
        let mut format = TextFormat::of(self.layout(&layout.key, &layout.value));
        for entry in entries {
            match &*entry.key {
                "line" => format.line = self.pattern(&entry.value),
                "comments" => format.comments = self.pattern(&entry.value),
                "inside" => format.inside = self.inside(&entry.value, left),
                _ => {}
            }
        }
        Some(format)
    }

    fn inside(&mut self, node: &Node<'_>, left: usize) -> Inside {
        let Some(left) = left.checked_sub(1) else {
            let message = "formats stand in each other too deeply";
            self.wrong.push(node.error("too-deep", message, format!("use at most {INSIDE_MAX} levels")));
            return Vec::new();
        };
        let mut inside = Vec::new();
        for entry in self.map(node, &[]).unwrap_or_default() {
            let mut formats = Vec::new();
            for node in self.list(&entry.value) {
                let Some(format) = self.text_format(node, left) else { continue };
                if format.looks().is_empty() {
                    let message = "nothing says which values are of the format";
                    self.wrong.push(node.error("missing-key", message, "add `line:` with a regular expression"));
                }
                formats.push(format);
            }
            inside.push((entry.key.to_string(), formats));
        }
        inside
    }

    fn layout(&mut self, name: &str, node: &Node<'_>) -> Layout {
        match name {
            "delimited" => Layout::Delimited(self.delimited(node)),
            "key_value" => Layout::KeyValue(self.key_value(node)),
            "patterns" => Layout::Patterns(self.patterns(node)),
            "cef" => Layout::Cef(self.product(node)),
            "leef" => Layout::Leef(self.product(node)),
            "prometheus" => Layout::Prometheus(self.some_texts(node, "the start of the names of its metrics")),
            _ => Layout::Syslog(self.some_texts(node, "the programs whose messages are meant")),
        }
    }

    fn delimited(&mut self, node: &Node<'_>) -> Delimited {
        const KEYS: [&str; 7] = ["separator", "quotes", "brackets", "columns", "at_least", "at_most", "header"];
        let mut delimited = Delimited::default();
        let mut at_least = None;
        for entry in self.map(node, &KEYS).unwrap_or_default() {
            let node = &entry.value;
            match &*entry.key {
                "separator" => delimited.separator = self.separator(node),
                "quotes" => delimited.quotes = self.quotes(node),
                "brackets" => delimited.brackets = node.as_str() == Some("true"),
                "columns" => delimited.columns = self.list(node).iter().map(|node| self.texts(node)).collect(),
                "at_least" => at_least = Some(self.number(node) as usize),
                "at_most" => delimited.at_most = Some(self.number(node) as usize),
                "header" => delimited.header = self.pattern(node),
                _ => {}
            }
        }
        delimited.at_least = at_least.unwrap_or(delimited.columns.len());
        if delimited.columns.is_empty() && delimited.header.is_none() {
            let message = "nothing names the columns";
            self.wrong.push(node.error(
                "missing-key",
                message,
                "add `columns:`, or `header:` with a regular expression",
            ));
        }
        delimited
    }

    fn separator(&mut self, node: &Node<'_>) -> Separator {
        match node.as_str() {
            Some("spaces") => Separator::Spaces,
            Some("tab") => Separator::Byte(b'\t'),
            Some(text) if is_mark(text) => Separator::Byte(text.as_bytes()[0]),
            _ => {
                let message = "this is not a separator";
                self.wrong.push(node.error("bad-separator", message, "write `spaces`, `tab` or one mark, such as ','"));
                Separator::Spaces
            }
        }
    }

    fn quotes(&mut self, node: &Node<'_>) -> Quotes {
        match node.as_str() {
            Some("none") => Quotes::None,
            Some("bare") => Quotes::Bare,
            Some("doubled") => Quotes::Doubled,
            Some("escaped") => Quotes::Escaped,
            _ => {
                let message = "this is not a way to use quotes";
                self.wrong.push(node.error("bad-quotes", message, "write `none`, `bare`, `doubled` or `escaped`"));
                Quotes::None
            }
        }
    }

    fn key_value(&mut self, node: &Node<'_>) -> KeyValue {
        let mut key_value = KeyValue::default();
        for entry in self.map(node, &["separator", "assign"]).unwrap_or_default() {
            let mark = match (&*entry.key, self.separator(&entry.value)) {
                (_, Separator::Byte(mark)) => mark,
                (_, Separator::Spaces) => b' ',
            };
            match &*entry.key {
                "separator" => key_value.separator = mark,
                _ => key_value.assign = mark,
            }
        }
        key_value
    }

    fn patterns(&mut self, node: &Node<'_>) -> Vec<String> {
        let patterns: Vec<String> = self.list(node).iter().filter_map(|node| self.pattern(node)).collect();
        if patterns.is_empty() {
            self.wrong.push(node.error("empty-format", "here is no pattern", "write a regular expression"));
        }
        patterns
    }

    fn product(&mut self, node: &Node<'_>) -> Product {
        let mut product = Product::default();
        for entry in self.map(node, &["vendor", "product"]).unwrap_or_default() {
            match &*entry.key {
                "vendor" => product.vendor = self.texts(&entry.value),
                _ => product.product = self.texts(&entry.value),
            }
        }
        if product.vendor.is_empty() {
            let message = "nothing says whose lines are meant";
            self.wrong.push(node.error("missing-key", message, "add `vendor:` as the lines write it"));
        }
        product
    }

    fn some_texts(&mut self, node: &Node<'_>, what: &str) -> Vec<String> {
        let texts = self.texts(node);
        if texts.iter().all(|text| text.trim().is_empty()) {
            self.wrong.push(node.error("empty-format", "here is nothing", format!("name {what}")));
        }
        texts
    }

    fn pattern(&mut self, node: &Node<'_>) -> Option<String> {
        let pattern = self.text(node);
        match expression::compile(&pattern) {
            Ok(_) => Some(pattern),
            Err(error) => {
                let message = format!("the pattern cannot be read: {}", error.to_string().replace('\n', " "));
                self.wrong.push(node.error("bad-pattern", message, "write a regular expression"));
                None
            }
        }
    }
}

/// One ASCII character that is no letter, digit, quote or line end.
fn is_mark(text: &str) -> bool {
    let is_mark = |byte: &u8| byte.is_ascii_punctuation() && *byte != b'"' || matches!(byte, b' ' | b'\t');
    text.len() == 1 && text.as_bytes().iter().all(is_mark)
}
