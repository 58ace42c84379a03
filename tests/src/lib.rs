//! The matrix as tests: each cell one trial, named by its id. It asks the runner and asserts.

#![forbid(unsafe_code)]

pub mod cells;
pub mod fuzzing;
pub mod snapshot;
pub mod trial;
