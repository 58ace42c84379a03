//! Partition tables, which stand in the system area of a hybrid disc and in the first sector of a hard-disk image.

mod gpt;
mod mbr;

pub use gpt::{ESP_TYPE, GptEntry, GptHeader};
pub use mbr::{Mbr, MbrEntry};
