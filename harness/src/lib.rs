//! Boots a disc in QEMU, observes what happens and judges it. Knows nothing of the matrix.
//!
//! A test of another project that an ISO boots under UEFI from a SATA drive, and comes to its prompt:
//!
//! ```
//! use harness::{
//!     attachment::Attachment, case::{Case, Success}, firmware::FirmwareId, outcome::OutcomeKind,
//!     platform::Platform, run::run,
//! };
//!
//! # let folder = tempfile::tempdir()?;
//! # let (folder, iso, prompt) = (folder.path(), folder.path().join("disc.iso"), "end=ok");
//! # images::reference::master("a/-/bios+efi/-/reference", None, &"bios+efi".parse()?, None)?.write_to(folder)?;
//! let machine = Platform::of_host(FirmwareId::Ovmf, Attachment::Ahci)?;
//! let seen = run(&Case {
//!     success: Success::Text(prompt.parse()?),    // a regular expression, such as "login:"
//!     ..Case::new(iso, machine, folder.join("evidence"))
//! })?;
//! assert_eq!(seen.outcome.kind, OutcomeKind::Booted, "{}", seen.outcome.detail);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The folder `evidence` then has the serial line, the sectors that were read, the screen of what did not boot, and a script
//! that boots it again. Without `success`, a disc has booted when the probe on it says so; [`images::reference`] masters such discs.
//! A boot that has not succeeded is no error: [`Outcome`](outcome::Outcome) says what happened instead, and an
//! [`Infra`](run::Infra) that nothing can be said, because QEMU or the host failed.

pub mod accelerator;
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
pub mod evidence;
pub mod firmware;
pub mod guest;
mod layout;
pub mod listen;
pub mod live;
pub mod machine;
pub mod master;
pub mod observation;
pub mod outcome;
pub mod packages;
pub mod platform;
pub mod progress;
pub mod qemu;
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
mod variables;
pub mod verdict;
mod watch;
