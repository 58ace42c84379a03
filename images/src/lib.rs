//! What is on a disc: the two units, ISO 9660, El Torito, boot images, the programs that run in the
//! guest, the reference master that puts them together, and the reader that takes any disc apart.
//!
//! This crate starts no process and knows no firmware: it turns the words of a disc's id into bytes,
//! the same bytes every time.
//!
//! A disc that says by itself whether a firmware reads it right, and what follows it on the serial line. Here the machine is
//! QEMU with SeaBIOS, which you start; a real one does as well. The crate `harness` boots discs under UEFI too, keeps a deadline
//! and judges what happens.
//!
//! ```
//! use std::{io::Read, process::{Command, Stdio}};
//! use boot_matrix_images::{probe::protocol::Transcript, reference::master};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let disc = master("my/-/floppy-1440k/-/test", None, &"floppy-1440k".parse()?, None)?;
//! disc.write_to(folder)?;    // disc.iso, and manifest.json, which says what must be found on it
//! let mut qemu = Command::new("qemu-system-x86_64")
//!     .args(["-display", "none", "-serial", "stdio", "-cdrom"]).arg(folder.join("disc.iso"))
//!     .stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
//! let mut transcript = Transcript::new();
//! let mut serial = qemu.stdout.take().into_iter().flat_map(Read::bytes);
//! while transcript.end_line().is_none() && let Some(Ok(byte)) = serial.next() {
//!     transcript.push(&[byte]);
//! }
//! qemu.kill().and_then(|()| qemu.wait())?;
//! let report = transcript.finish()?.ok_or("no probe began")?;
//! assert!(report.ended && report.slot == 1, "{report:?}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod any_bytes;
pub mod boot;
pub mod boot_configuration;
pub mod boot_image;
pub mod bytes;
pub mod change;
pub mod checkpoint;
pub mod container;
pub mod cpio;
pub mod defect;
pub mod differ;
pub mod distilled;
pub mod efi_program;
pub mod eltorito;
pub mod fat;
pub mod field;
pub mod finding;
mod findings;
pub mod grub_core;
mod initrd;
pub mod inspect;
pub mod iso9660;
mod limine;
pub mod manifest;
pub mod map;
pub mod medium;
pub mod mend;
pub mod overview;
mod packed;
pub mod partition_table;
mod portable;
mod portable_executable;
pub mod probe;
pub mod reference;
pub mod signature;
pub mod size;
pub mod sparse;
mod syslinux;
pub mod tool;
mod udf;
mod uefi;
pub mod units;
