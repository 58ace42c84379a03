//! The default matrix through the same door as a user's, and all other tests but the longest.

use std::{
    process::{Command, ExitCode},
    thread,
};

use anyhow::Context;
use clap::Args;
use harness::outcome::OutcomeKind;
use scenarios::{
    cell::Cell,
    matrix::Matrix,
    results::Results,
    run::{self, Run},
    words::{Master, Set},
};

use crate::repository::{target, workspace};
use crate::steps::{self, Step};
use cli::{
    boot_matrix,
    options::{BootMatrix, Format, Sets, Tooling},
    place::{self, cargo, nextest_profile},
    remark, setup,
    signals::Signals,
    stop::Stop,
};

#[derive(Debug, Args)]
#[command(after_help = crate::examples::TEST.help())]
pub(crate) struct Test {
    #[command(flatten)]
    pub(crate) tooling: Tooling,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

/// Runs the verb.
pub(crate) fn run(options: Test) -> anyhow::Result<ExitCode> {
    setup::provide_for_tests(&options.tooling)?;
    let format = options.format;
    let tooling = options.tooling;
    let tooling_of_live = tooling.clone();
    let booted = Step::run("boot-matrix", || {
        matrix(&BootMatrix::whole(tooling.clone()))
    });
    let others = Step::run("a cell of each other family", || {
        matrix(&one_of_each_other_family(tooling)?)
    });
    let live = Step::run("two discs with a real system", || {
        matrix_or_skipped(&two_live_discs(tooling_of_live))
    });
    let signals = Signals::catch()?;
    let tried = Run::file(&target().join("boot-matrix"));
    let mut causes = Command::new(place::THIS_PROGRAM);
    causes.args(["trust", "discs", "--causes"]);
    for disc in EXPLAINED {
        causes.args(["--only", disc]);
    }
    let steps = [
        booted,
        others,
        live,
        Step::command_under(signals, "what keeps six discs from starting", &mut causes),
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
                // Some wait for a browser, or for a machine to be silent.
                .args(["--test-threads", &(processors() + 1).to_string()])
                // The cells were booted above, and are asserted.
                .envs(tried.is_file().then_some((run::VARIABLE, &tried))),
        ),
        Step::command_under(
            signals,
            "documentation's tests",
            cargo()
                .current_dir(workspace())
                .args(["test", "--workspace", "--doc", "--quiet"]),
        ),
    ];
    remark!("cargo xtask trust suite runs the longest tests, which are left out here");
    Ok(ExitCode::from(
        steps::summary("test/1", &steps, format).context("cannot write")?,
    ))
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, Into::into)
}

/// A healthy disc by one firmware and a damaged one by the other, of which the quickest of both kinds: their kernel has few drivers, and the damaged one starts
/// none. Its package is the smallest too.
const LIVE: [&str; 2] = [
    "live-cloud/-/alpine/-/-/seabios/ide",
    "live-damaged-cloud/-/alpine,damage=no-grub-cfg/-/-/ovmf/ide",
];

/// Discs with one fault, of which its finding alone may be called the cause.
const EXPLAINED: [&str; 6] = [
    "defects-descriptors/-/bios+efi,defect=no-boot-record/",
    "defects-catalog/-/bios+efi,defect=catalog-checksum/",
    "defects-entry/-/efi,defect=entry-not-bootable/",
    "defects-count/-/bios+efi,defect=count-efi-short/",
    "defects-image/-/bios+efi,defect=loader-emulation/",
    "defects-efi-image/-/bios+efi,defect=efi-loader-name/",
];

/// The rest of the set takes half an hour: `cargo xtask trust discs`.
fn two_live_discs(tooling: Tooling) -> BootMatrix {
    BootMatrix {
        filters: LIVE.map(str::to_owned).to_vec(),
        set: Some(Sets(Vec::new())),
        out: Some(target().join("boot-matrix-live")),
        ..BootMatrix::whole(tooling)
    }
}

/// One cell of each scenario that is not in the default set, nor in the set `live`: the first that does not hang, for that takes a deadline to see.
fn one_of_each_other_family(tooling: Tooling) -> Result<BootMatrix, (u8, String)> {
    let matrix = Matrix::shipped(workspace()).map_err(|error| (2, error.to_string()))?;
    // What no package of the distribution brings is for those who ask for it by name.
    let is_fetched = |cell: &Cell| {
        let tool = matrix.masters.tool(cell.id.disc().master());
        tool.is_some_and(|tool| tool.install.is_some())
    };
    let hangs = |cell: &Cell| {
        let expected = cell.expectation(None);
        expected.is_some_and(|expected| expected.outcome == OutcomeKind::Hung)
    };
    let others = matrix
        .scenarios
        .iter()
        .filter(|scenario| ![Set::Default, Set::Live].contains(&scenario.set));
    let filters = others
        .filter_map(|scenario| {
            let cells = || {
                scenario
                    .cells()
                    .filter(|cell| !hangs(cell) && !is_fetched(cell))
            };
            // Of what compares tools, another tool than our own.
            let foreign =
                cells().find(|cell| cell.id.disc().master() != Master::default().as_str());
            foreign.or_else(|| cells().next())
        })
        .map(|cell| cell.id.to_string());
    Ok(BootMatrix {
        filters: filters.collect(),
        set: Some(Sets(Vec::new())),
        out: Some(target().join("boot-matrix-families")),
        ..BootMatrix::whole(tooling)
    })
}

/// The same, and cells that this host cannot run, all of them too, are no failure: a network or a program is missing.
fn matrix_or_skipped(options: &BootMatrix) -> Result<(), (u8, String)> {
    let results = booted(options)?;
    if results.totals.skipped < results.totals.cells {
        return judged(&results);
    }
    for cell in &results.cells {
        remark!("skipped: {}: {}", cell.id, cell.reason.join("; "));
    }
    Ok(())
}

fn matrix(options: &BootMatrix) -> Result<(), (u8, String)> {
    judged(&booted(options)?)
}

fn booted(options: &BootMatrix) -> Result<Results, (u8, String)> {
    boot_matrix::boot(options).map_err(|error| {
        let stop = Stop::of(&error);
        (stop.code, stop.to_string())
    })
}

fn judged(results: &Results) -> Result<(), (u8, String)> {
    match results.totals.exit_code() {
        0 => Ok(()),
        code => Err((code, boot_matrix::sentence(&results.totals))),
    }
}
