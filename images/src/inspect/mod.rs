//! The static reader: takes any disc apart without booting it, and says what is wrong with it.
//!
//! It reads through a [`Window`] of 1 MiB, follows nothing without a bound, and panics at nothing. Of a healthy disc
//! it reports no error: where a firmware does other than one would think, its behaviour decides.

mod bios_program;
mod catalog;
pub(crate) mod counts;
mod descriptors;
mod disc;
pub(crate) mod efi_image;
mod elsewhere;
mod error;
mod examined;
pub(crate) mod file;
mod image;
mod mastered_by;
mod options;
mod original;
pub(crate) mod oversized;
mod partitions;
mod reading;
mod right_entry;
mod sections;
mod signed;
mod tree;
mod window;

pub(crate) use self::{
    bios_program::{
        BiosProgram, CODE, POINTER, SectorCode, begins_core_for_disk, reads_own_drive, reads_table,
    },
    catalog::{Contradiction, Slots},
    descriptors::DescriptorSet,
    elsewhere::{Owner, is_wiped, iso_elsewhere},
    examined::{HardDisk, Purpose, Reading},
    image::floppy,
    partitions::{GPT_HEADER, Gpt, read_entries as read_gpt_entries},
    signed::{DiscProgram, loaders_trusted_by, names_of},
    tree::{Node, NodeKind, RECORDS, records_of, walk as walk_tree},
};
pub use self::{
    disc::{file, inspect},
    error::InspectError,
    options::Options,
    reading::{
        BootReading, BootRecordReading, CatalogReading, Comparison, ComparisonResult, EntryKind,
        EntryReading, GptPartition, Inspection, MbrPartition, PartitionsReading, Schema, Session,
        TreeReading, Volume,
    },
    signed::{
        OnMachine, ProgramPlace, ProgramReading, SectionReading, SecureBootReading, ShimReading,
        SignatureReading, TrustedBy, certificates_of, inspect_program,
    },
    window::{DiscFile, Source, Window},
};

#[cfg(test)]
mod tests;
