//! The parsers of output from QEMU, firmware and guests, for the fuzz targets, which pass them any bytes. Nothing else needs
//! them by name.

pub use crate::{
    emulator::qemu::qmp::{Qmp, QmpEvent},
    firmware::{said::Said, words::Words},
    guest::watching::followed,
    registers::Registers,
    text::Lines,
    trace::TraceLog,
};
