//! The program `boot-matrix`.

use std::process::ExitCode;

use cli::{options::Installed, program};

fn main() -> ExitCode {
    program::run::<Installed>("boot-matrix")
}
