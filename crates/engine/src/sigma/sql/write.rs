//! Conditions as text, indented for people.

use std::rc::Rc;

use super::SQL_BYTES_MAX;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    /// Holds always, or never.
    Constant(bool),
    /// A call that is true or false, and never NULL.
    Call(Rc<str>),
    Not(Box<Part>),
    All(Rc<[Part]>),
    Any(Rc<[Part]>),
    AtLeast(usize, Vec<Part>),
}

impl Part {
    pub(super) fn call(sql: String) -> Part {
        Part::Call(sql.into())
    }

    pub(super) fn all(mut parts: Vec<Part>) -> Part {
        match parts.len() {
            1 => parts.remove(0),
            _ => Part::All(parts.into()),
        }
    }

    pub(super) fn any(mut parts: Vec<Part>) -> Part {
        match parts.len() {
            1 => parts.remove(0),
            _ => Part::Any(parts.into()),
        }
    }
}

/// The events for which every part holds; `None` where the text would be too long.
pub(super) fn query(parts: Vec<Part>) -> Option<String> {
    let mut writer = Writer { sql: "SELECT DISTINCT event_id, time, source, raw\nFROM events\nWHERE ".to_owned() };
    for (at, part) in parts.iter().flat_map(conjuncts).enumerate() {
        if at > 0 {
            writer.push("\n  AND ")?;
        }
        writer.part(part, 2)?;
    }
    Some(writer.sql)
}

fn conjuncts(part: &Part) -> Vec<&Part> {
    match part {
        Part::All(parts) if !parts.is_empty() => parts.iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

struct Writer {
    sql: String,
}

impl Writer {
    fn push(&mut self, text: &str) -> Option<()> {
        self.sql.push_str(text);
        (self.sql.len() <= SQL_BYTES_MAX).then_some(())
    }

    fn part(&mut self, part: &Part, depth: usize) -> Option<()> {
        match part {
            Part::Constant(holds) => self.push(if *holds { "TRUE" } else { "FALSE" }),
            Part::Call(sql) => self.push(sql),
            Part::Not(part) => {
                self.push("NOT ")?;
                // A NOT before a NOT is legal, and clearer in brackets.
                match &**part {
                    Part::Not(_) => self.list(std::slice::from_ref(&**part), "AND", depth),
                    part => self.part(part, depth),
                }
            }
            Part::All(parts) if parts.is_empty() => self.push("TRUE"),
            Part::Any(parts) if parts.is_empty() => self.push("FALSE"),
            Part::All(parts) => self.list(parts, "AND", depth),
            Part::Any(parts) => self.list(parts, "OR", depth),
            Part::AtLeast(least, parts) => self.at_least(*least, parts, depth),
        }
    }

    fn list(&mut self, parts: &[Part], word: &str, depth: usize) -> Option<()> {
        let indent = format!("\n{:width$}", "", width = depth * 2);
        self.push("(")?;
        for (at, part) in parts.iter().enumerate() {
            self.push(&indent)?;
            if at > 0 {
                self.push(word)?;
                self.push(" ")?;
            }
            self.part(part, depth + 1)?;
        }
        self.push(&indent[..indent.len() - 2])?;
        self.push(")")
    }

    fn at_least(&mut self, least: usize, parts: &[Part], depth: usize) -> Option<()> {
        self.push("(")?;
        for (at, part) in parts.iter().enumerate() {
            self.push(if at > 0 { " + CASE WHEN " } else { "CASE WHEN " })?;
            self.part(part, depth + 1)?;
            self.push(" THEN 1 ELSE 0 END")?;
        }
        self.push(if parts.is_empty() { "0" } else { "" })?;
        self.push(&format!(" >= {least})"))
    }
}
