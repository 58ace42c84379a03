//! The program itself: asks the firmware, reads the planned sectors, reports. The same lines as [`super::super::program`], in the same order.

mod reports;
mod routines;

use crate::{
    boot::Loader,
    portable::{Argument, Condition, Machine, Operand, Passed, Place, Width},
    probe::{
        AssembleError, ProbePlan,
        found::{field, kind},
        protocol, sector, table,
        uefi::{blocks::ERROR_BLOCK_SIZE, variable},
    },
    uefi::{self, block_io, boot_services, device_path, device_path_to_text, file, status},
    units::VIRTUAL_SECTOR_BYTES,
};

/// Longest text of a path in a line, in characters: leaves room for the other fields.
const PATH_CHARACTERS_MAX: u32 = (protocol::LINE_BYTES_MAX - 128) as u32;
/// As many sectors as the buffer holds.
const RUN_MAX: u32 = variable::BUFFER_BYTES / sector::BYTES as u32;
/// The largest block that the probe takes.
const BLOCK_BYTES_MAX: u32 = 4096;
const SECTOR_BITS: u8 = VIRTUAL_SECTOR_BYTES.trailing_zeros() as u8;
/// Marks a code of which the low byte may be 0.
const FAILED: u32 = 0x100;
/// The first sum of a CRC-16.
const CRC_START: u32 = 0xFFFF;

/// Variables of this program's own, eight bytes each.
mod own {
    const FIRST: u32 = super::variable::OWN;
    pub(super) const TEXT: u32 = FIRST;
    pub(super) const TEMPORARY: u32 = FIRST + 0x08;
    pub(super) const DIGIT: u32 = FIRST + 0x18;
    /// Eight bytes that are put in decimal.
    pub(super) const NUMBER: u32 = FIRST + 0x20;
    pub(super) const HEX: u32 = FIRST + 0x28;
    pub(super) const HEX_16: u32 = FIRST + 0x30;
    pub(super) const CRC: u32 = FIRST + 0x38;
    pub(super) const CRC_AT: u32 = FIRST + 0x40;
    pub(super) const COUNT: u32 = FIRST + 0x48;
    pub(super) const NODE: u32 = FIRST + 0x50;
    pub(super) const WIDE: u32 = FIRST + 0x58;
    pub(super) const STATUS: u32 = FIRST + 0x60;
    pub(super) const SECTOR: u32 = FIRST + 0x68;
    pub(super) const READ_AT: u32 = FIRST + 0x70;
    pub(super) const FAILURE: u32 = FIRST + 0x78;
    pub(super) const RUN_NOW: u32 = FIRST + 0x80;
    pub(super) const PER_BLOCK: u32 = FIRST + 0x88;
    pub(super) const MANY: u32 = FIRST + 0x90;
    pub(super) const LBA: u32 = FIRST + 0x98;
    pub(super) const BYTES: u32 = FIRST + 0xA0;
    pub(super) const MEDIA_ID: u32 = FIRST + 0xA8;
    pub(super) const ALL: u32 = FIRST + 0xB0;
    pub(super) const SUM: u32 = FIRST + 0xB8;
    pub(super) const SHOWN: u32 = FIRST + 0xC0;
    pub(super) const CHECK: u32 = FIRST + 0xC8;
    pub(super) const LEFT: u32 = FIRST + 0xD0;
    pub(super) const INTACT: u32 = FIRST + 0xD8;
    pub(super) const BAD: u32 = FIRST + 0xE0;
    pub(super) const FILE: u32 = FIRST + 0xE8;
    pub(super) const TOTAL: u32 = FIRST + 0xF0;
    /// Digits, from the end; a zero behind them.
    pub(super) const DIGITS: u32 = FIRST + 0xF8;
    pub(super) const LAST_DIGIT: u32 = DIGITS + 22;
}

/// Places of the routines. Each clobbers the accumulator.
struct Routines {
    begin: Place,
    end: Place,
    put_text: Place,
    put_wide: Place,
    put_decimal: Place,
    put_digit: Place,
    put_hex8: Place,
    put_hex16: Place,
    crc: Place,
    read: Place,
    fill: Place,
    observe: Place,
    put_found: Place,
}

pub(super) struct Program<M> {
    m: M,
    at: Routines,
    data: Vec<u8>,
}

impl<M: Machine> Program<M> {
    /// A program whose constants stand in `.data`, behind what is there.
    pub(super) fn new(mut m: M, data: Vec<u8>) -> Self {
        let at = Routines {
            begin: m.place(),
            end: m.place(),
            put_text: m.place(),
            put_wide: m.place(),
            put_decimal: m.place(),
            put_digit: m.place(),
            put_hex8: m.place(),
            put_hex16: m.place(),
            crc: m.place(),
            read: m.place(),
            fill: m.place(),
            observe: m.place(),
            put_found: m.place(),
        };
        Self { m, at, data }
    }

    /// `.data` and the code.
    pub(super) fn emit(
        mut self,
        plan: &ProbePlan,
        loader: Loader,
    ) -> Result<(Vec<u8>, Vec<u8>), AssembleError> {
        self.set_up();
        self.begin();
        self.text(&format!("begin=uefi disc={} slot={}", plan.disc, plan.slot));
        self.end();
        self.report_path();
        self.report_media();
        self.read_in_runs_of(1);
        self.report_checks();
        if plan.sweep {
            self.read_in_runs_of(RUN_MAX);
            self.report_area();
            self.report_sweep();
        }
        self.report_file(loader);
        self.begin();
        self.text("end=ok");
        self.put(variable::TO_DEBUG_PORT, 1);
        self.end();
        self.m.halt(variable::LINE, variable::END);
        self.emit_routines();
        Ok((self.data, self.m.finish()?))
    }

    /// A constant in `.data`: where.
    fn constant(&mut self, bytes: &[u8]) -> u32 {
        let known = self
            .data
            .windows(bytes.len())
            .skip(variable::CONSTANTS as usize);
        let found = known.into_iter().position(|window| window == bytes);
        let at = found.map_or_else(
            || {
                let at = self.data.len();
                self.data.extend(bytes);
                // Whatever comes next may be a number.
                self.data.resize(self.data.len().next_multiple_of(8), 0);
                at
            },
            |at| at + variable::CONSTANTS as usize,
        );
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    fn put(&mut self, variable: u32, value: u32) {
        self.m.set(value);
        self.m.store(Width::Four, variable);
    }

    fn copy(&mut self, to: u32, from: u32) {
        self.m.load(Width::Word, from);
        self.m.store(Width::Word, to);
    }

    fn increase(&mut self, width: Width, variable: u32, by: u32) {
        self.m.load(width, variable);
        self.m.add(Operand::Value(by));
        self.m.store(width, variable);
    }

    fn decrease(&mut self, width: Width, variable: u32) {
        self.m.load(width, variable);
        self.m.subtract(Operand::Value(1));
        self.m.store(width, variable);
    }

    fn begin(&mut self) {
        self.m.call(self.at.begin);
    }

    fn end(&mut self) {
        self.m.call(self.at.end);
    }

    /// Puts a text that is known now.
    fn text(&mut self, text: &str) {
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        let at = self.constant(&bytes);
        self.m.address(at);
        self.m.store(Width::Word, own::TEXT);
        self.m.call(self.at.put_text);
    }

    /// Puts the accumulator's 32 bits in decimal.
    fn decimal(&mut self) {
        self.m.store(Width::Four, own::NUMBER);
        self.put(own::NUMBER + 4, 0);
        self.m.call(self.at.put_decimal);
    }

    /// Puts a text and the 32 bits that `load` brings.
    fn number(&mut self, text: &str, load: impl FnOnce(&mut M)) {
        self.text(text);
        load(&mut self.m);
        self.decimal();
    }

    /// Puts a text and the 64 bits that a pointer and an offset lead to.
    fn wide_number(&mut self, text: &str, pointer: u32, offset: u32) {
        self.text(text);
        for half in [0, 4] {
            self.m.load(Width::Word, pointer);
            self.m.peek(Width::Four, offset + half);
            self.m.store(Width::Four, own::NUMBER + half);
        }
        self.m.call(self.at.put_decimal);
    }

    /// Puts a text and the code in a variable.
    fn code(&mut self, text: &str, variable: u32) {
        self.text(text);
        self.m.load(Width::One, variable);
        self.m.call(self.at.put_hex8);
    }

    /// Where every sector is read anyway, a call for each would be most of the time.
    fn read_in_runs_of(&mut self, sectors: u32) {
        self.put(variable::BUFFERED_COUNT, 0);
        self.put(variable::RUN, sectors);
    }

    /// Calls what stands at an offset behind a pointer. The status is the accumulator, and in [`own::STATUS`].
    fn call_of(&mut self, pointer: u32, offset: u32, arguments: &[Argument]) {
        self.m.load(Width::Word, pointer);
        self.m.peek(Width::Word, offset);
        self.m.firmware(arguments);
        self.m.store(Width::Word, own::STATUS);
    }

    fn call_service(&mut self, wide: u32, arguments: &[Argument]) {
        self.call_of(variable::BOOT_SERVICES, M::service(wide), arguments);
    }

    fn branch_if_failed(&mut self, place: Place) {
        self.m.branch(Condition::Unequal, Operand::Value(0), place);
    }

    /// [`variable::INTERFACE`] = the protocol of the handle in a variable.
    fn protocol_of(&mut self, handle: u32, guid: [u8; 16], failed: Place) {
        let guid = self.constant(&guid);
        let arguments = [
            Argument::Word(handle),
            Argument::Address(guid),
            Argument::Address(variable::INTERFACE),
        ];
        self.call_service(boot_services::HANDLE_PROTOCOL, &arguments);
        self.branch_if_failed(failed);
    }

    fn set_up(&mut self) {
        let passed = Passed {
            image_handle: variable::IMAGE_HANDLE,
            system_table: variable::SYSTEM_TABLE,
        };
        self.m.begin(variable::DATA_BYTES, passed);
        self.m.set_up_serial();
        self.m.load(Width::Word, variable::SYSTEM_TABLE);
        self.m.peek(Width::Word, M::boot_services());
        self.m.store(Width::Word, variable::BOOT_SERVICES);
        self.m.interrupts_off(variable::FLAGS);
        // The first line must not continue one of the firmware's.
        for byte in *b"\r\n" {
            self.m.set(byte.into());
            self.m.send(variable::TO_DEBUG_PORT);
        }
        self.m.interrupts_back(variable::FLAGS);
    }
}
