//! Links between our own pages lead somewhere: files exist and headings are there.

use std::path::{Component, Path, PathBuf};

use crate::place::Place;
use crate::tidy::{Fault, Text};

/// Links of Markdown files that lead nowhere. Links to the world are not followed.
pub fn faults(place: &Place, texts: &[Text]) -> Vec<Fault> {
    let pages: Vec<&Text> = texts.iter().filter(|text| text.is("md")).collect();
    let mut faults = Vec::new();
    for page in &pages {
        for (line, target) in links(&page.text) {
            if let Some(what) = broken(place, &pages, page, &target) {
                faults.push(Fault::new(&page.path, line, what));
            }
        }
    }
    faults
}

fn broken(place: &Place, pages: &[&Text], page: &Text, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = match file {
        "" => page.path.clone(),
        file => normal(&page.path.parent().unwrap_or(Path::new("")).join(file)),
    };
    if !place.root.join(&path).exists() {
        return Some(format!("the link `{target}` leads to no file"));
    }
    let linked = pages.iter().find(|other| other.path == path);
    let has_heading =
        heading.is_empty() || linked.is_none_or(|other| anchors(&other.text).iter().any(|own| own == heading));
    (!has_heading).then(|| format!("the link `{target}` leads to no heading"))
}

/// `](target)` with line numbers, outside code.
pub fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for (at, _) in prose.match_indices("](") {
            if let Some(target) = prose[at + 2..].split([')', ' ']).next() {
                found.push((index + 1, target.to_owned()));
            }
        }
    }
    found
}

/// The anchors that the headings of a page give.
pub fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading
        .to_lowercase()
        .chars()
        .filter(|own| own.is_alphanumeric() || matches!(own, ' ' | '-' | '_'))
        .collect::<String>();
    kept.replace(' ', "-")
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                parts.pop();
            }
            Component::CurDir => {}
            other => parts.push(other),
        }
    }
    parts
}
