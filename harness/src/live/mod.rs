//! Discs that hold a real kernel and a small system, in the layouts of real distributions. They are made when they are needed, from
//! packages of one release that are downloaded and unpacked, never installed: no byte of a kernel, a loader or a certificate
//! belongs to this project.
//!
//! A [`Layout`] is data: what stands where on the disc, which loaders are made of which parts, which commands master it, and the
//! ways in which such discs are damaged. [`Stock`] has the packages, [`payload`] makes the kernel's files and its system of them, and
//! [`build()`] puts a disc together.

mod build;
mod edit;
mod keys;
mod layout;
pub mod payload;
mod stock;

pub use build::{Built, build};
pub use edit::Edit;
pub use keys::{KEYS, read_keys};
pub use layout::{Damage, FatImage, Layout, LayoutError, MachineLists, Make, Parts, json_schema};
pub use stock::Stock;
