//! The matrix as tests: each cell one trial, named by its id. Only expands, runs and asserts.

#![forbid(unsafe_code)]

pub mod attempt;
pub mod environment;
pub mod fuzzing;
pub mod judge;
pub mod snapshot;
pub mod trial;
