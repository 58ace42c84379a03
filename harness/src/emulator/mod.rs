//! The emulators. `seam.rs` has the trait for their differences. Each emulator has its own folder, and a line in `list.rs`.

pub(crate) mod installed;
mod list;
pub(crate) mod qemu;
pub(crate) mod seam;
mod shell;

pub(crate) use self::list::vga_roms;
pub use self::{
    installed::{EmulatorError, EmulatorId, Installed, NoVersion, Version},
    qemu::packaged::{FetchedQemu, fetch_qemu, fetched_qemu},
    seam::Stop,
};
