//! The program `boot-matrix`: parses, calls, renders. `cargo xtask` calls the same code.

// They end the run where nothing can be written.
#![deny(clippy::print_stdout, clippy::print_stderr)]
#![expect(
    missing_docs,
    reason = "called by the two programs of this repository alone"
)]

#[macro_use]
pub mod terminal;

pub mod boot_matrix;
pub mod checkpoints;
pub mod columns;
pub mod completions;
pub mod conformance;
pub mod doctor;
pub mod examples;
pub mod firmware;
pub mod host;
pub mod image;
pub mod inspect;
pub mod iso;
pub mod listen;
pub mod merge;
pub mod options;
pub mod pack;
pub mod parallel;
pub mod place;
pub mod program;
pub mod report;
pub mod repro;
pub mod sarif;
pub mod setup;
pub mod signals;
pub mod stop;
pub mod verb;
