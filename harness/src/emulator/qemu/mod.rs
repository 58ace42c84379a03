//! QEMU.

mod arguments;
pub(crate) mod bare;
mod boards;
mod devices;
pub(crate) mod found;
mod medium;
pub(crate) mod overlay;
pub(crate) mod packaged;
pub(crate) mod qmp;
pub(crate) mod reads;
mod replay;
pub(crate) mod writable;
