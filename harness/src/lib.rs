//! Boots a disc in QEMU, observes what happens and judges it. Knows nothing of the matrix.

pub mod accelerator;
mod ask;
pub mod attachment;
pub mod firmware;
pub mod observation;
pub mod outcome;
pub mod qemu;
pub mod screen;
pub mod verdict;
