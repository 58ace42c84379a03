//! El Torito: the boot record that names the boot catalog, and the catalog's entries.
//!
//! Source: "El Torito" Bootable CD-ROM Format Specification 1.0 (Phoenix and IBM, 1995), and the UEFI
//! specification 13.3.2.1.

mod boot_info_table;
mod boot_record;
mod catalog;
mod entry;

pub use boot_info_table::BootInfoTable;
pub use boot_record::{BOOT_RECORD_LBA, RawBootRecord, boot_record};
pub use catalog::{Catalog, Section, SectionEntry};
pub(crate) use entry::word_sum;
pub use entry::{
    BOOTABLE, BootEntry, ENTRY_BYTES, EntryBytes, Extension, HeaderIndicator, MediaType,
    NOT_BOOTABLE, Platform, RawValidation, SectionHeader, SelectionCriteria, UnknownCode,
    ValidationEntry,
};
