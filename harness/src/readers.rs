//! The readers of what QEMU and firmware say, for whoever feeds them any bytes: the fuzz targets. Nothing else needs
//! them by name.

pub use crate::{
    firmware::words::{Said, Words},
    machine::qmp::Qmp,
    registers::Registers,
    text::Lines,
    trace::TraceLog,
};
