//! Reading a FAT file system that may hold anything: its BIOS parameter block, and the way to one directory.
//!
//! Source: Microsoft, "FAT: General Overview of On-Disk Format" 1.03. Nothing here follows a chain without a bound.

mod bios_parameter_block;
mod directory;

pub use bios_parameter_block::BiosParameterBlock;
pub use directory::FatVolume;
pub(crate) use directory::is_loader;
