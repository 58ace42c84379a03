//! What is on a disc: the two units, ISO 9660, El Torito, boot images, the programs that run in the
//! guest, and the reference master that puts them together.
//!
//! This crate starts no process and knows no firmware: it turns a [`probe::ProbePlan`] into code and
//! a description of a disc into bytes, the same bytes every time.

pub mod manifest;
pub mod probe;
pub mod units;
