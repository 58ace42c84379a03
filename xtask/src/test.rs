//! Everything: the default matrix through the same door as a user's, and all other tests.

use std::process::ExitCode;

use anyhow::Context;

use crate::{
    boot_matrix,
    cli::{BootMatrix, Test},
    place::{cargo, nextest_profile, workspace},
    setup,
    signals::Signals,
    steps::{self, Step},
    stop::Stop,
};

/// Runs the verb.
pub(crate) fn run(options: Test) -> anyhow::Result<ExitCode> {
    setup::provide_for_tests(options.tooling.yes)?;
    let format = options.format;
    let booted = Step::run("boot-matrix", || matrix(options));
    let signals = Signals::catch()?;
    let steps = [
        booted,
        Step::command_under(
            signals,
            "tests",
            cargo()
                .current_dir(workspace())
                .args([
                    "nextest",
                    "run",
                    "--workspace",
                    "--profile",
                    nextest_profile(),
                    "--no-fail-fast",
                ])
                .args(["-E", "not binary_id(boot-matrix-tests::matrix)"]),
        ),
        Step::command_under(
            signals,
            "documentation's tests",
            cargo()
                .current_dir(workspace())
                .args(["test", "--workspace", "--doc", "--quiet"]),
        ),
    ];
    Ok(ExitCode::from(
        steps::summary("test/1", &steps, format).context("cannot write")?,
    ))
}

fn matrix(options: Test) -> Result<(), (u8, String)> {
    let whole = BootMatrix::whole(options.tooling);
    let results = boot_matrix::boot(&whole).map_err(|error| {
        let stop = Stop::of(&error);
        (stop.code, stop.to_string())
    })?;
    match results.totals.exit_code() {
        0 => Ok(()),
        code => Err((code, boot_matrix::sentence(&results.totals))),
    }
}
