//! What the shipped masters come to by the bytes of the conformance kit's discs.

use std::{fs, path::Path};

use scenarios::{
    conformance::{self, Kit, Level, Report, Result as Came},
    files,
    matrix::Matrix,
};

use super::{markdown::markdown_table, masters::ORDER};

/// The folder with the reports that are kept, one for each tool.
const RESULTS: &str = "conformance/results";

/// A row for each disc, a column for each tool.
pub(super) fn table(folder: &Path, _: &Matrix) -> Result<String, String> {
    let kit = Kit::read(&conformance::shipped(folder)).map_err(|error| error.to_string())?;
    let results = folder.join(RESULTS);
    let entries = fs::read_dir(&results)
        .map_err(|error| format!("cannot read {}: {error}", results.display()))?;
    let mut reports: Vec<Report> = Vec::new();
    for entry in entries {
        let file = entry.map_err(|error| error.to_string())?.path();
        reports.push(files::read_json(&file).map_err(|error| error.to_string())?);
    }
    let place = |tool: &str| ORDER.iter().position(|&known| known == tool);
    reports.sort_by_key(|report| {
        (
            place(&report.tool).unwrap_or(ORDER.len()),
            report.tool.clone(),
        )
    });
    let mut head = vec!["disc".to_owned(), String::new()];
    head.extend(reports.iter().map(|report| {
        let version = report.version.as_deref().unwrap_or_default();
        format!("{} {version}", report.tool)
    }));
    let mut rows = Vec::new();
    for item in kit.discs() {
        let mut row = vec![
            format!("`{}`", item.id.0.0),
            match item.level {
                Level::Required => "required".to_owned(),
                Level::Optional => "optional".to_owned(),
            },
        ];
        for report in &reports {
            let disc = report.discs.iter().find(|disc| disc.id == item.id.0.0);
            let disc = disc.ok_or_else(|| {
                let tool = &report.tool;
                format!("{RESULTS}/{tool}.json has no disc {}: cargo xtask conformance {tool} --bytes-only --format json", item.id.0.0)
            })?;
            row.push(match disc.result {
                Came::NotOffered => "–".to_owned(),
                Came::Fail => disc.faults.first().map_or_else(
                    || "no disc".to_owned(),
                    |fault| format!("**{}**", fault.field),
                ),
                other => other.to_string(),
            });
        }
        rows.push(row);
    }
    let mut sum = vec!["total".to_owned(), "required".to_owned()];
    sum.extend(reports.iter().map(|report| report.required.to_string()));
    rows.push(sum);
    let mut sum = vec![String::new(), "optional".to_owned()];
    sum.extend(reports.iter().map(|report| report.optional.to_string()));
    rows.push(sum);
    Ok(markdown_table(&head, &rows))
}
