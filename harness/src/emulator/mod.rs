//! The emulators.

pub(crate) mod qemu;

pub use qemu::{
    found::{NoVersion, Qemu, QemuError, Version},
    packaged::{FetchedQemu, fetch_qemu, fetched_qemu},
    qmp::QmpEvent,
};
