//! What is on a disc: the two units, ISO 9660, El Torito, boot images, the programs that run in the
//! guest, the reference master that puts them together, and the reader that takes any disc apart.
//!
//! This crate starts no process and knows no firmware: it turns the words of a disc's id into bytes,
//! the same bytes every time.

pub mod boot;
pub mod boot_image;
pub mod bytes;
pub mod checkpoint;
pub mod container;
pub mod defect;
pub mod differ;
pub mod distilled;
pub mod eltorito;
pub mod fat;
pub mod finding;
pub mod inspect;
pub mod iso9660;
pub mod manifest;
pub mod map;
pub mod medium;
pub mod overview;
pub mod partition_table;
mod portable_executable;
pub mod probe;
pub mod reference;
pub mod size;
pub mod sparse;
mod uefi;
pub mod units;
