//! Real machines: discs booted, watched and judged on the host's QEMU.

extern crate boot_matrix_harness as harness;

mod boots;
mod checkpoints;
mod common;
mod damaged;
mod dialogues;
mod drives;
mod families;
mod faults;
mod figures;
mod fixes;
mod guests;
mod host;
mod hostile;
mod listening;
mod mastered;
mod overlay;
mod programs;
mod real_media;
mod restless;
mod screens;
mod uefi;
