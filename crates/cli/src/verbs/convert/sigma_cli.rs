//! Other targets: what `sigma-cli` makes of a rule's file, when it is installed.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use content::CatalogueRule;
use model::Diagnostic;

use crate::status::Failure;

/// `sigma-cli` on this machine.
pub struct Tool {
    program: PathBuf,
    target: String,
}

impl Tool {
    /// Finds `sigma` on the path.
    pub fn find(target: &str) -> Result<Tool, Failure> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program = std::env::split_paths(&path).map(|folder| folder.join("sigma")).find(|file| file.is_file());
        let Some(program) = program else {
            let message = format!(
                "`{target}` is a target of sigma-cli, and `sigma` is not on the PATH\n  remedy: `pip install sigma-cli`, then \
                 `sigma plugin install {target}`; duckdb and datafusion need neither"
            );
            return Err(Failure::environment(message));
        };
        Ok(Tool { program, target: target.to_owned() })
    }

    /// Converts the rule alone, whatever else its file holds. The inner error is what `sigma` said.
    pub fn convert(
        &self,
        entry: &CatalogueRule,
        pipelines: &[String],
    ) -> Result<Result<String, Vec<Diagnostic>>, Failure> {
        let mut file = tempfile::Builder::new().prefix("watchkeep-").suffix(".yml").tempfile()?;
        file.write_all(document(&entry.text, entry.rule.line).as_bytes())?;
        file.flush()?;
        let output = Command::new(&self.program)
            .args(self.arguments(file.path(), pipelines))
            .output()
            .map_err(|error| Failure::environment(format!("`{}` did not start: {error}", self.program.display())))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return Ok(Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned()));
        }
        if said.contains("--target") {
            let message = format!(
                "sigma-cli has no target `{}`\n  remedy: `sigma plugin install {}`; `sigma list targets` lists what is there",
                self.target, self.target
            );
            return Err(Failure::environment(message));
        }
        Ok(Err(vec![self.refusal(entry, &said)]))
    }

    fn arguments(&self, file: &Path, pipelines: &[String]) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = ["convert", "--target", &self.target].map(OsString::from).into();
        for pipeline in pipelines {
            arguments.extend([OsString::from("--pipeline"), pipeline.into()]);
        }
        if pipelines.is_empty() {
            arguments.push("--without-pipeline".into());
        }
        arguments.push(file.into());
        arguments
    }

    fn refusal(&self, entry: &CatalogueRule, said: &str) -> Diagnostic {
        let lines = said.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "Parsing Sigma rules");
        let said = lines.collect::<Vec<_>>().join(" ");
        let message = format!("`{}` is not converted to {}: sigma-cli says: {said}", entry.rule.title, self.target);
        let remedy = "change the rule, or give a pipeline with --pipeline (`sigma list pipelines`)";
        Diagnostic::error(entry.rule.line, 0, "sigma-cli", message, remedy).in_file(entry.file.clone())
    }
}

/// The document of a file that starts at a line.
fn document(text: &str, line: usize) -> String {
    let rest = text.lines().skip(line.saturating_sub(1));
    let mut taken: Vec<&str> = Vec::new();
    for line in rest {
        if line.starts_with("---") && taken.iter().any(|taken| !taken.trim().is_empty()) {
            break;
        }
        if !line.starts_with("---") {
            taken.push(line);
        }
    }
    taken.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn one_document_is_taken_out_of_its_file() {
        let text = "# head\n---\ntitle: a\nx: 1\n---\ntitle: b\ny: '---'\n---\n";
        assert_eq!(document(text, 3), "title: a\nx: 1\n");
        assert_eq!(document(text, 6), "title: b\ny: '---'\n");
        assert_eq!(document("title: a\n", 1), "title: a\n");
        assert_eq!(document("---\ntitle: a\n", 1), "title: a\n");
    }
}
