//! The matrix as data: scenario files, their cells, and the results of a run.
//!
//! It reads and expands [`file::ScenarioFile`]s, chooses among the
//! [`cell::Cell`]s, runs them ([`runner`]), and defines the documents that a run writes and reads.

#![forbid(unsafe_code)]

pub mod accepted;
pub mod baseline;
pub mod basis;
pub mod cell;
pub mod compare;
pub mod conformance;
pub mod difference;
pub mod digests;
pub mod disc;
pub mod editor;
pub mod exchange;
pub mod file;
pub mod files;
pub mod filter;
pub mod gate;
pub mod grid;
pub mod id;
pub mod live;
pub mod master;
pub mod matrix;
pub mod merge;
pub mod merged;
pub mod program;
pub mod read_error;
pub mod record;
pub mod report;
pub mod results;
pub mod run;
pub mod runner;
pub mod scenario;
pub mod selection;
pub mod snapshots;
pub mod terms;
pub mod toolbox;
pub mod twice;
pub mod words;

mod discs;
mod reading;
mod rule;
mod version;
