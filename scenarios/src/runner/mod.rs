//! The runner: a cell is tried, judged and recorded here, whoever asks.

pub mod attempt;
pub mod boot;
pub mod environment;
pub mod experiment;
pub mod judge;
pub mod order;
pub mod pool;
pub mod snapshot;
pub mod trial;
