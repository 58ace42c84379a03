//! Every cell of the matrix, each a test that is named by the cell's id.

use std::{process::ExitCode, sync::Arc};

use boot_matrix_tests::{environment::Environment, snapshot, trial};
use libtest_mimic::{Arguments, Trial};

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
    let environment = Arc::new(Environment::find()?);
    let cells = match &arguments.filter {
        // A runner asks for one test in each process: that must not cost the expansion of all the others.
        Some(id) if arguments.exact => environment.cell(id)?.into_iter().collect(),
        _ => environment.cells()?,
    };
    let trial = |cell: scenarios::cell::Cell| {
        let environment = Arc::clone(&environment);
        Trial::ignorable_test(cell.id.to_string(), move || trial::run(&environment, &cell))
    };
    Ok(cells.into_iter().map(trial).collect())
}
