//! ISO 9660 (ECMA-119, 4th edition): volume descriptors, path tables, directories. Interchange level 2 names,
//! level 3 files (several extents), no extensions.

mod directory;
mod path_table;
mod tree;
mod volume_descriptor;

pub use directory::{DirectoryRecord, EXTENT_BYTES_MAX, Names, directory_record_extents};
pub use tree::{FileSpec, Tree, TreeExtents};
pub use volume_descriptor::{
    DescriptorKind, PrimaryVolume, RawPrimaryVolume, SYSTEM_AREA_BLOCKS, terminator,
};
