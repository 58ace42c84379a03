//! Boots a disc in QEMU, observes what happens and judges it. It does not know the matrix.
//!
//! In a test of another project: an ISO must boot under UEFI from a SATA drive, and reach its prompt.
//!
//! ```
//! use boot_matrix_harness::{
//!     attachment::Attachment, case::{Case, Success}, expect::machine_or_skip, firmware::FirmwareId,
//! };
//!
//! # let folder = tempfile::tempdir()?;
//! # let (folder, iso, prompt) = (folder.path(), folder.path().join("disc.iso"), "end=ok");
//! # images::reference::master("a/-/bios+efi/-/reference", None, &"bios+efi".parse()?, None)?.write_to(folder)?;
//! // Without QEMU, standard error has a message.
//! if let Some(machine) = machine_or_skip(FirmwareId::Ovmf, Attachment::Ahci) {
//!     let seen = Case {
//!         success: Success::Text(prompt.parse()?),    // a regular expression, such as "login:"
//!         ..Case::new(iso, machine, folder.join("evidence"))
//!     }
//!     .expect_booted();
//!     assert!(seen.serial.contains(prompt));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! If the disc does not start, the test fails and prints what happened, what was read and the disc's defects. The folder `evidence` then has the serial
//! line, the sectors that were read, the screen if it did not boot, and a script that boots it again. Without `success`, a disc has booted when its probe
//! reports that; [`images::reference`] masters such discs. [`run`](run::run) judges nothing: it returns the observation.
//!
//! | to | |
//! |---|---|
//! | say what boots on what | [`case`], [`platform`], [`attachment`], [`firmware`], [`emulator`], [`dialogue`] |
//! | boot it | [`expect`], [`run`], [`checkpoint`], [`listen`] |
//! | read what was seen | [`observation`], [`outcome`], [`guest`], [`diagnosis`] |
//! | master discs with a tool | [`master`] |

pub mod accelerator;
pub mod arch;
mod ask;
pub mod attachment;
pub mod case;
pub mod checkpoint;
pub mod child;
mod confine;
pub mod copy;
pub mod diagnosis;
pub mod dialogue;
pub mod distil;
pub mod emulator;
pub mod evidence;
pub mod expect;
pub mod firmware;
pub mod guest;
pub mod hash;
mod layout;
pub mod listen;
pub mod live;
pub mod machine;
pub mod master;
pub mod medium_profile;
pub mod observation;
pub mod outcome;
pub mod packages;
pub mod platform;
pub mod progress;
pub mod race;
pub mod readers;
mod recording;
mod registers;
mod rules;
pub mod run;
pub mod screen;
pub mod serial;
pub mod spelling;
pub mod text;
pub mod toml_file;
mod trace;
pub mod verdict;
mod watch;
