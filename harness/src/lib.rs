//! Boots a disc in QEMU, observes what happens and judges it. Knows nothing of the matrix.

pub mod accelerator;
mod ask;
pub mod attachment;
pub mod case;
pub mod checkpoint;
pub mod dialogue;
pub mod evidence;
pub mod firmware;
mod layout;
pub mod machine;
pub mod master;
pub mod observation;
pub mod outcome;
pub mod platform;
pub mod qemu;
mod recording;
mod registers;
mod rules;
pub mod run;
pub mod screen;
pub mod serial;
pub mod text;
mod trace;
mod variables;
pub mod verdict;
mod watch;
mod words;
