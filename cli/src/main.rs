//! The program `boot-matrix`, with all that it needs of its repository.

use std::process::ExitCode;

use cli::{
    place::{Carried, Home},
    program::{self, Installed},
};

const CARRIED: Carried = Carried {
    files: include_bytes!(concat!(env!("OUT_DIR"), "/carried.tar.gz")),
    digest: env!("BOOT_MATRIX_CARRIED"),
};

fn main() -> ExitCode {
    program::run::<Installed>("boot-matrix", Home::Installed(CARRIED))
}
