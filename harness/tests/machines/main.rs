//! Real machines: discs booted, watched and judged on the host's QEMU.

mod boots;
mod common;
mod host;
mod mastered;
mod real_media;
mod uefi;
