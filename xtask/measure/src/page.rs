//! Keeps a generated part of a page up to date, between two marks.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// Replaces what stands between `<!-- NAME -->` and `<!-- end NAME -->` in `docs/<file>`.
pub fn write(file: &str, name: &str, text: &str) -> anyhow::Result<()> {
    let path = place(file);
    let page = std::fs::read_to_string(&path).with_context(|| format!("cannot read docs/{file}"))?;
    let page = replace(&page, name, text).with_context(|| format!("docs/{file} has no part `{name}`"))?;
    std::fs::write(&path, page)?;
    println!("docs/{file}: part `{name}` written");
    Ok(())
}

/// Writes `docs/<file>` anew.
pub fn put(file: &str, text: &str) -> anyhow::Result<()> {
    std::fs::write(place(file), text)?;
    println!("docs/{file} written");
    Ok(())
}

fn place(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(file)
}

fn replace(page: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end {name} -->"));
    let (head, rest) = page.split_once(&begin)?;
    let (_, tail) = rest.split_once(&end)?;
    Some(format!("{head}{begin}\n{}\n\n{end}{tail}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn only_the_part_between_the_marks_changes() {
        let page = "# T\n<!-- a -->\nold\n<!-- end a -->\nkept\n";
        assert_eq!(replace(page, "a", "new\n").unwrap(), "# T\n<!-- a -->\n\nnew\n\n<!-- end a -->\nkept\n");
        assert_eq!(replace(page, "b", "new"), None);
    }
}
