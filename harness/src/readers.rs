//! The readers of what QEMU, firmware and guests say, for whoever feeds them any bytes: the fuzz targets. Nothing else needs
//! them by name.

pub use crate::{
    emulator::qemu::qmp::{Qmp, QmpEvent},
    firmware::{said::Said, words::Words},
    guest::watching::followed,
    registers::Registers,
    text::Lines,
    trace::TraceLog,
};
