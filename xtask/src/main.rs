//! The command line of boot-matrix.

fn main() {}
