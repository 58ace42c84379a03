//! The programs that run in the guest, the sectors they recognise, and the lines they report.
//!
//! A probe is told at mastering time which virtual sectors of its own image to read back through the
//! firmware. It reports what it *found* there and judges nothing: what should have been there is
//! known on the host.

pub mod bios;
mod error;
mod fields;
mod found;
mod plan;
pub mod protocol;
#[cfg(test)]
mod protocol_tests;
pub mod report;
pub mod sector;
pub(crate) mod serial;
mod table;
pub mod uefi;

pub use error::AssembleError;
pub use plan::{Check, DiscHash, ProbePlan};
