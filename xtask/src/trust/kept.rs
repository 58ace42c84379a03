//! Figures as they are kept: `docs/trust/PART.json`, and the table that is made of it.

use std::path::{Path, PathBuf};

use scenarios::files::{self, FileError};
use serde::{Deserialize, Serialize};

use crate::tables::markdown::markdown_table;
use cli::host::Hardware;

/// The name and version of the document.
const SCHEMA: &str = "trust/1";

/// What a part came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// The versions of the programs that took part, in one line.
    pub(crate) programs: String,
    /// How long it took.
    pub(crate) seconds: u64,
    /// What was counted, and how much: each figure with its unit.
    pub(crate) figures: Vec<(String, String)>,
    /// What is told of several things alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tables: Vec<Table>,
    /// The option by which some of what is tried is chosen. The rows of the rest are those of an earlier time.
    #[serde(skip)]
    pub(crate) chosen_by: Option<&'static str>,
    /// What went wrong, a sentence each. Such figures are not kept.
    #[serde(skip)]
    pub(crate) failures: Vec<String>,
}

/// A row for each of several things.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Figures {
    /// Adds a figure.
    pub(crate) fn add(&mut self, what: impl Into<String>, figure: impl ToString) {
        self.figures.push((what.into(), figure.to_string()));
    }
}

/// Figures, and what they belong to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    schema: String,
    command: String,
    host: String,
    #[serde(flatten)]
    figures: Figures,
}

impl Kept {
    pub(crate) fn new(command: String, figures: Figures) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            command,
            host: Hardware::this().describe(),
            figures,
        }
    }

    /// Writes them below the folder of the workspace.
    pub(crate) fn keep(&self, workspace: &Path, part: &str) -> Result<PathBuf, FileError> {
        let file = file(workspace, part);
        files::write_json(&file, self)?;
        Ok(file)
    }

    /// For people, at a terminal.
    pub(crate) fn to_text(&self) -> String {
        let Figures {
            figures, tables, ..
        } = &self.figures;
        let width = figures.iter().map(|(what, _)| what.len()).max();
        let width = width.unwrap_or(0);
        let mut text: String = figures
            .iter()
            .map(|(what, figure)| format!("{what:width$}  {figure}\n"))
            .collect();
        for table in tables {
            text += "\n";
            text += &markdown_table(&table.head, &table.rows);
        }
        text
    }

    fn to_markdown(&self) -> String {
        let Figures {
            programs,
            seconds,
            figures,
            tables,
            ..
        } = &self.figures;
        let comma = if programs.is_empty() { "" } else { "; " };
        let mut text = format!(
            "`{}`, {} on {}{comma}{programs}.\n\n",
            self.command,
            duration(*seconds),
            self.host
        );
        let head = ["what", "figure"].map(str::to_owned);
        let rows: Vec<Vec<String>> = figures
            .iter()
            .map(|(what, figure)| vec![what.clone(), figure.clone()])
            .collect();
        text += &markdown_table(&head, &rows);
        for table in tables {
            text += "\n";
            text += &markdown_table(&table.head, &table.rows);
        }
        text
    }
}

fn file(workspace: &Path, part: &str) -> PathBuf {
    workspace.join(format!("docs/trust/{part}.json"))
}

fn duration(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// The rows that are kept of a table with this head; none where it has another one, or cannot be read.
pub(super) fn rows(workspace: &Path, part: &str, head: &[&str]) -> Vec<Vec<String>> {
    let kept: Result<Kept, _> = files::read_json(&file(workspace, part));
    let kept = kept.ok().filter(|kept| kept.schema == SCHEMA);
    let tables = kept.into_iter().flat_map(|kept| kept.figures.tables);
    let alike = tables.filter(|table| table.head == head);
    alike.flat_map(|table| table.rows).collect()
}

/// The figures of a part that are kept below a folder, for a page.
pub(crate) fn table(folder: &Path, part: &str) -> Result<String, String> {
    let remedy = format!("cargo xtask trust {part} --keep");
    let file = file(folder, part);
    let kept: Kept = files::read_json(&file).map_err(|error| format!("{error}; {remedy}"))?;
    if kept.schema != SCHEMA {
        return Err(format!(
            "{} is of another version: {remedy}",
            file.display()
        ));
    }
    Ok(kept.to_markdown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_as_a_table() {
        let folder = tempfile::tempdir().unwrap();
        let said = table(folder.path(), "flakes").unwrap_err();
        assert!(said.contains("trust flakes --keep"), "{said}");
        let mut figures = Figures {
            programs: "QEMU 7".into(),
            seconds: 61,
            ..Figures::default()
        };
        figures.add("cells", 7);
        let kept = Kept::new("cargo xtask trust flakes".into(), figures);
        std::fs::create_dir_all(folder.path().join("docs/trust")).unwrap();
        kept.keep(folder.path(), "flakes").unwrap();
        let text = table(folder.path(), "flakes").unwrap();
        assert!(
            text.starts_with("`cargo xtask trust flakes`, 1 min 1 s on "),
            "{text}"
        );
        assert!(
            text.contains("; QEMU 7.\n\n| what | figure |\n|---|---|\n| cells | 7 |\n"),
            "{text}"
        );
    }
}
