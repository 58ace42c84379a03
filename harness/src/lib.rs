//! Boots a disc in QEMU, observes what happens and judges it. Knows nothing of the matrix.

pub mod attachment;
pub mod observation;
pub mod outcome;
