//! One cell as a test: what the runner says of it, and whether insta says the same.

use std::fs;

use anyhow::{Context, bail};
use libtest_mimic::{Completion, Failed};
use scenarios::{
    cell::Cell,
    id::CellId,
    record::{self, CellResult, Differs, Verdict},
    runner,
};

use crate::{cells::Cells, snapshot};

/// Runs a cell as a test, or asserts what a run saw of it.
///
/// # Errors
/// What was seen is not what is expected, or could not be seen; or the runner and insta do not agree.
pub fn run(cells: &Cells, id: &CellId) -> Result<Completion, Failed> {
    let environment = &cells.environment;
    let run = &environment.run;
    let cell = environment.cell(id)?;
    let result = match cells.are_tried() {
        true => record::read_record(&run.out, run.name(), id),
        false => runner::trial::run(environment, &cell),
    };
    let result = result?;
    ask_insta(cells, &cell, &result).map_err(|error| format!("{error:#}"))?;
    match result.verdict {
        Verdict::AsExpected | Verdict::Observed => Ok(Completion::Completed),
        Verdict::Skipped => Ok(Completion::ignored_with(result.reason.join("; "))),
        Verdict::Mismatch | Verdict::Infra => Err(runner::trial::explain(&run.out, &result).into()),
    }
}

/// Lets insta see the text that the runner compared, if it did.
fn ask_insta(cells: &Cells, cell: &Cell, result: &CellResult) -> anyhow::Result<()> {
    let run = &cells.environment.run;
    let file = record::snapshot_file(&run.out, &cell.id);
    if !file.exists() {
        return Ok(());
    }
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let insta = snapshot::is_accepted(&cell.snapshot, &text)?;
    let differs = |differs: &Differs| matches!(differs, Differs::Snapshot | Differs::New);
    let runner = !result.differs.iter().any(differs);
    if insta != runner {
        let say = |accepted| if accepted { "is" } else { "is not" };
        bail!(
            "what was seen {} what was accepted by insta, and {} by the runner: {}",
            say(insta),
            say(runner),
            cell.snapshot.display()
        );
    }
    Ok(())
}
