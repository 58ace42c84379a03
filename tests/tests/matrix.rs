//! Every cell of the matrix, each a test that is named by the cell's id.

use std::{process::ExitCode, sync::Arc};

use boot_matrix_tests::{cells::Cells, snapshot, trial};
use libtest_mimic::{Arguments, Trial};
use scenarios::id::CellId;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    snapshot::silence_insta();
    let trials = match trials(&arguments) {
        Ok(trials) => trials,
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::from(2);
        }
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials(arguments: &Arguments) -> anyhow::Result<Vec<Trial>> {
    let cells = Arc::new(Cells::find()?);
    let ids = match &arguments.filter {
        // A runner asks for one test in each process: that must not cost the list of all the others.
        Some(id) if arguments.exact => id.parse().into_iter().collect(),
        _ => cells.ids()?,
    };
    let trial = |id: CellId| {
        let cells = Arc::clone(&cells);
        Trial::ignorable_test(id.to_string(), move || trial::run(&cells, &id))
    };
    Ok(ids.into_iter().map(trial).collect())
}
