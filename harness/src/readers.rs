//! The parsers of output from QEMU, firmware and guests, for the fuzz targets, which pass them any bytes. Nothing else needs
//! them by name.

pub use crate::{
    firmware::words::{Said, Words},
    guest::watching::followed,
    machine::qmp::Qmp,
    registers::Registers,
    text::Lines,
    trace::TraceLog,
};
