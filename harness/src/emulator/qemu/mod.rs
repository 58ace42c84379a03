//! QEMU.

pub(crate) mod found;
pub(crate) mod overlay;
pub(crate) mod packaged;
pub(crate) mod qmp;
pub(crate) mod writable;
