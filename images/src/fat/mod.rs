//! Reading a FAT file system that may hold anything: its BIOS parameter block, the way to one directory, and where everything stands.
//!
//! Source: Microsoft, "FAT: General Overview of On-Disk Format" 1.03. Nothing here follows a chain without a bound.

mod bios_parameter_block;
mod change;
mod directory;
mod files;
mod walk;

pub use bios_parameter_block::{BiosParameterBlock, WrongWidth};
pub use directory::FatVolume;
pub(crate) use directory::{add_loader, is_loader};
pub(crate) use files::FatFile;
pub use walk::{FatStructure, FatVisit, Run};
