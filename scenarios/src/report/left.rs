//! What a run left behind, whole or not.

use std::{collections::BTreeSet, fs, path::Path};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    compare::Comparison,
    files::{self, FileError},
    id::CellId,
    record::{self, CellResult, Verdict},
    results::{Host, Results, SCHEMA, Tools},
    run::{self, LIST},
};

/// What there is of the results.
#[derive(Default)]
pub(super) struct Left {
    pub(super) began_ms: Option<u64>,
    pub(super) host: Option<Host>,
    pub(super) accelerator: Option<String>,
    pub(super) tools: Option<Tools>,
    pub(super) cells: Vec<CellResult>,
    pub(super) comparison: Option<Comparison>,
    pub(super) missing: Vec<String>,
}

/// Reads the results, or where there are none of the last run, what each of its cells left.
pub(super) fn read(out: &Path) -> Result<Left, FileError> {
    let file = Results::file(out);
    let unfinished = match files::read_json::<Value>(&file) {
        Ok(document) if belongs_to_last_run(&document, out) => return Ok(of_results(document)),
        Ok(_) => "The last run in this folder was interrupted, and results.json is from an earlier one. The page shows the files of each cell.".to_owned(),
        Err(error) => format!("The run was interrupted, or its results are damaged. The page shows the files of each cell. ({error})"),
    };
    let list = out.join(LIST);
    let ids = fs::read_to_string(&list).map_err(FileError::new("read", &list))?;
    let mut left = Left {
        missing: vec![unfinished],
        ..Left::default()
    };
    let mut without = 0;
    let run = last_run(out);
    for id in ids.lines().filter_map(|line| line.parse::<CellId>().ok()) {
        let record = run.and_then(|run| record::read_record(out, run, &id).ok());
        left.cells.extend(record.or_else(|| {
            without += 1;
            record::of_id(&id, Verdict::Infra, "the cell left no result")
        }));
    }
    if without > 0 {
        left.missing.push(format!(
            "{without} of {} cells have no result: they were not run, or did not finish.",
            left.cells.len()
        ));
    }
    Ok(left)
}

/// Whether the results are those of the run that was the last to begin. Older results and other folders do not say.
fn belongs_to_last_run(document: &Value, out: &Path) -> bool {
    match (field::<u64>(document, "began_ms"), last_run(out)) {
        (Some(began), Some(last)) => began == last,
        _ => true,
    }
}

/// The name of the run that was the last to begin in a folder, as far as its file can be read.
fn last_run(out: &Path) -> Option<u64> {
    #[derive(Deserialize)]
    struct Began {
        began: std::time::SystemTime,
    }
    let last = files::read_json::<Began>(&out.join(run::FILE)).ok();
    last.map(|run| record::milliseconds(run.began))
}

fn of_results(document: Value) -> Left {
    let mut left = Left {
        began_ms: field(&document, "began_ms"),
        host: field(&document, "host"),
        accelerator: field(&document, "accelerator"),
        tools: field(&document, "tools"),
        comparison: field(&document, "comparison"),
        ..Left::default()
    };
    if let Err(other) = files::expect_schema(&document, SCHEMA) {
        left.missing.push(format!(
            "The results are from another version of boot-matrix ({other}). The page shows the parts that can be read."
        ));
    }
    for (name, known) in [
        ("host", left.host.is_some()),
        ("tools", left.tools.is_some()),
    ] {
        if !known {
            left.missing.push(format!(
                "The results do not contain the {name}, or it cannot be read."
            ));
        }
    }
    let cells = document.get("cells").and_then(Value::as_array);
    if cells.is_none() {
        left.missing
            .push("The results contain no list of cells.".to_owned());
    }
    let mut told = BTreeSet::new();
    let mut unreadable = 0;
    for cell in cells.into_iter().flatten() {
        match record(cell) {
            Some(record) if told.insert(record.id.clone()) => left.cells.push(record),
            Some(record) => left.missing.push(format!(
                "The results contain {} twice; the first one is shown.",
                record.id
            )),
            None => unreadable += 1,
        }
    }
    if unreadable > 0 {
        left.missing.push(format!(
            "{unreadable} cells of the results cannot be read, and are not shown."
        ));
    }
    left
}

/// A cell, or as much of it as can be understood.
fn record(cell: &Value) -> Option<CellResult> {
    // Its folder follows from its id, which alone is trusted.
    let id: CellId = field::<String>(cell, "id")?.parse().ok()?;
    if let Ok(record) = CellResult::deserialize(cell) {
        return Some(record);
    }
    let reason = "a part of this cell's results cannot be read";
    let verdict = field(cell, "verdict").unwrap_or(Verdict::Infra);
    Some(CellResult {
        outcome: field(cell, "outcome"),
        guest: field(cell, "guest"),
        starts: field(cell, "starts"),
        expected: field(cell, "expected"),
        differs: field(cell, "differs").unwrap_or_default(),
        causes: Vec::new(),
        findings: field(cell, "findings").unwrap_or_default(),
        duration_ms: field(cell, "duration_ms").unwrap_or_default(),
        ..record::of_id(&id, verdict, reason)?
    })
}

fn field<T: DeserializeOwned>(of: &Value, name: &str) -> Option<T> {
    T::deserialize(of.get(name)?).ok()
}
