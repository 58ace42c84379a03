//! The program itself: asks the firmware, reads the planned sectors, reports. The same lines as [`super::super::program`], in the same order.

use super::{Argument, Condition, Machine, Operand, Place, Width};
use crate::{
    boot::Loader,
    probe::{
        AssembleError, ProbePlan,
        found::{field, kind},
        protocol, sector, table,
        uefi::{ERROR_BLOCK_SIZE, variable},
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
/// A table's header, in system table and boot services alike (UEFI §4.2).
const HEADER: u32 = 24;

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
        self.m.halt();
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

    /// The offset of what stands behind so many pointers.
    const fn pointers(before: u32, count: u32) -> u32 {
        before + count * M::POINTER
    }

    /// The offset of a boot service, by that of 64-bit firmware.
    const fn service(wide: u32) -> u32 {
        Self::pointers(HEADER, (wide - HEADER) / 8)
    }

    /// Calls what stands at an offset behind a pointer. The status is the accumulator, and in [`own::STATUS`].
    fn call_of(&mut self, pointer: u32, offset: u32, arguments: &[Argument]) {
        self.m.load(Width::Word, pointer);
        self.m.peek(Width::Word, offset);
        self.m.firmware(arguments);
        self.m.store(Width::Word, own::STATUS);
    }

    fn call_service(&mut self, wide: u32, arguments: &[Argument]) {
        self.call_of(variable::BOOT_SERVICES, Self::service(wide), arguments);
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
        self.m.begin();
        self.m.load(Width::Word, variable::SYSTEM_TABLE);
        // The header, two of the vendor's words, and six pointers; the vendor's revision is padded where pointers have 64 bits.
        self.m.peek(Width::Word, Self::pointers(HEADER, 9));
        self.m.store(Width::Word, variable::BOOT_SERVICES);
        self.m.interrupts_off();
        // The first line must not continue one of the firmware's.
        for byte in *b"\r\n" {
            self.m.set(byte.into());
            self.m.send();
        }
        self.m.interrupts_back();
    }

    /// The device path that the image was loaded from, as text and node by node.
    fn report_path(&mut self) {
        let [no_path, failed, no_memory, nodes, done] = [(); 5].map(|()| self.m.place());
        self.m.set(0);
        self.m.store(Width::Word, own::NODE);
        self.protocol_of(
            variable::IMAGE_HANDLE,
            uefi::LOADED_IMAGE_DEVICE_PATH,
            no_path,
        );
        self.copy(own::NODE, variable::INTERFACE);
        let guid = self.constant(&uefi::DEVICE_PATH_TO_TEXT);
        let arguments = [
            Argument::Address(guid),
            Argument::Value(0),
            Argument::Address(variable::INTERFACE),
        ];
        self.call_service(boot_services::LOCATE_PROTOCOL, &arguments);
        self.branch_if_failed(failed);
        // Neither for display only nor with shortcuts: every field of every node.
        let convert = Self::pointers(0, device_path_to_text::CONVERT_DEVICE_PATH / 8);
        let arguments = [
            Argument::Word(own::NODE),
            Argument::Value(0),
            Argument::Value(0),
        ];
        self.call_of(variable::INTERFACE, convert, &arguments);
        self.m
            .branch(Condition::Equal, Operand::Value(0), no_memory);
        self.m.store(Width::Word, own::WIDE);
        self.begin();
        self.text("path=");
        self.put(own::COUNT, PATH_CHARACTERS_MAX);
        self.m.call(self.at.put_wide);
        self.end();
        self.m.jump(nodes);

        self.m.here(no_memory);
        self.m.set(status::OUT_OF_RESOURCES);
        self.m.store(Width::Word, own::STATUS);
        self.m.here(no_path);
        self.m.here(failed);
        self.begin();
        self.code("path-error=", own::STATUS);
        self.end();
        self.m.load(Width::Word, own::NODE);
        self.m.branch(Condition::Equal, Operand::Value(0), done);
        self.report_nodes(nodes);
        self.m.here(done);
    }

    /// The media nodes of the path at [`own::NODE`]. `node` is where this begins.
    fn report_nodes(&mut self, node: Place) {
        let [next, end, hard_drive, cdrom, file_path, short] = [(); 6].map(|()| self.m.place());
        let byte = |it: &mut Self, offset| {
            it.m.load(Width::Word, own::NODE);
            it.m.peek(Width::One, offset);
        };
        self.m.here(node);
        byte(self, device_path::TYPE);
        self.m
            .branch(Condition::Equal, Operand::Value(device_path::TYPE_END), end);
        self.m.branch(
            Condition::Unequal,
            Operand::Value(device_path::TYPE_MEDIA),
            next,
        );
        byte(self, device_path::SUBTYPE);
        for (subtype, place) in [
            (device_path::HARD_DRIVE, hard_drive),
            (device_path::CDROM, cdrom),
            (device_path::FILE_PATH, file_path),
        ] {
            self.m
                .branch(Condition::Equal, Operand::Value(subtype), place);
        }
        self.m.jump(next);

        let of_node = |width, offset| {
            move |m: &mut M| {
                m.load(Width::Word, own::NODE);
                m.peek(width, offset);
            }
        };
        self.m.here(hard_drive);
        self.begin();
        self.number(
            "hd-partition=",
            of_node(Width::Four, device_path::HARD_DRIVE_PARTITION),
        );
        self.wide_number(" hd-start=", own::NODE, device_path::HARD_DRIVE_START);
        self.wide_number(" hd-blocks=", own::NODE, device_path::HARD_DRIVE_BLOCKS);
        let signature = of_node(Width::One, device_path::HARD_DRIVE_SIGNATURE_TYPE);
        self.number(" hd-signature-type=", signature);
        self.end();
        self.m.jump(next);

        self.m.here(cdrom);
        self.begin();
        self.number(
            "cdrom-entry=",
            of_node(Width::Four, device_path::CDROM_ENTRY),
        );
        self.wide_number(" cdrom-start=", own::NODE, device_path::CDROM_START);
        self.wide_number(" cdrom-blocks=", own::NODE, device_path::CDROM_BLOCKS);
        self.end();
        self.m.jump(next);

        self.m.here(file_path);
        self.begin();
        self.text("loader-path=");
        of_node(Width::Two, device_path::LENGTH)(&mut self.m);
        self.m.subtract(Operand::Value(device_path::HEADER_BYTES));
        self.m.shift_right(1);
        self.m.store(Width::Four, own::COUNT);
        self.m
            .branch(Condition::Below, Operand::Value(PATH_CHARACTERS_MAX), short);
        self.put(own::COUNT, PATH_CHARACTERS_MAX);
        self.m.here(short);
        self.m.load(Width::Word, own::NODE);
        self.m.add(Operand::Value(device_path::HEADER_BYTES));
        self.m.store(Width::Word, own::WIDE);
        self.m.call(self.at.put_wide);
        self.end();

        self.m.here(next);
        of_node(Width::Two, device_path::LENGTH)(&mut self.m);
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.load(Width::Word, own::NODE);
        self.m.add(Operand::Int(own::TEMPORARY));
        self.m.store(Width::Word, own::NODE);
        // A node shorter than its header would never end.
        self.m.load(Width::Four, own::TEMPORARY);
        self.m.branch(
            Condition::AtLeast,
            Operand::Value(device_path::HEADER_BYTES),
            node,
        );
        self.m.here(end);
    }

    /// The block I/O of the device that the image was loaded from.
    fn report_media(&mut self) {
        let [failed, done] = [(); 2].map(|()| self.m.place());
        self.protocol_of(variable::IMAGE_HANDLE, uefi::LOADED_IMAGE, failed);
        self.m.load(Width::Word, variable::INTERFACE);
        // A revision, and two pointers.
        self.m.peek(Width::Word, Self::pointers(0, 3));
        self.m.store(Width::Word, variable::DEVICE_HANDLE);
        self.protocol_of(variable::DEVICE_HANDLE, uefi::BLOCK_IO, failed);
        self.copy(variable::BLOCK_IO, variable::INTERFACE);
        self.m.load(Width::Word, variable::BLOCK_IO);
        self.m.peek(Width::Word, block_io::MEDIA);
        self.m.store(Width::Word, variable::MEDIA);
        self.begin();
        let of_media = |width, offset| {
            move |m: &mut M| {
                m.load(Width::Word, variable::MEDIA);
                m.peek(width, offset);
            }
        };
        self.number("block-size=", of_media(Width::Four, block_io::BLOCK_SIZE));
        self.wide_number(" last-block=", variable::MEDIA, block_io::LAST_BLOCK);
        for (text, flag) in [
            (" removable=", block_io::REMOVABLE),
            (" read-only=", block_io::READ_ONLY),
            (" partition=", block_io::LOGICAL_PARTITION),
            (" media-present=", block_io::PRESENT),
        ] {
            self.number(text, of_media(Width::One, flag));
        }
        self.end();
        self.m.jump(done);
        self.m.here(failed);
        self.copy(variable::BLOCK_STATUS, own::STATUS);
        self.begin();
        self.code("block-error=", variable::BLOCK_STATUS);
        self.end();
        self.m.here(done);
    }

    fn report_checks(&mut self) {
        let [next, done] = [(); 2].map(|()| self.m.place());
        self.m.address(table::CHECKS.into());
        self.m.store(Width::Word, own::CHECK);
        self.m.load(Width::Two, table::CHECK_COUNT.into());
        self.m.store(Width::Four, own::LEFT);
        self.m.here(next);
        self.m.load(Width::Four, own::LEFT);
        self.m.branch(Condition::Equal, Operand::Value(0), done);
        self.begin();
        self.text("check=");
        self.m.load(Width::Word, own::CHECK);
        self.m.add(Operand::Value(table::CHECK_NAME.into()));
        self.m.store(Width::Word, own::TEXT);
        self.m.call(self.at.put_text);
        self.m.load(Width::Word, own::CHECK);
        self.m.peek(Width::Four, 0);
        self.m.store(Width::Four, own::SECTOR);
        self.number(" sector=", |m| m.load(Width::Four, own::SECTOR));
        // A check asks the firmware, even for a block that is still there.
        self.put(variable::BUFFERED_COUNT, 0);
        self.m.call(self.at.observe);
        self.show(variable::FOUND);
        self.end();
        self.increase(Width::Word, own::CHECK, table::CHECK_BYTES.into());
        self.decrease(Width::Four, own::LEFT);
        self.m.jump(next);
        self.m.here(done);
    }

    /// Puts what was found.
    fn show(&mut self, found: u32) {
        self.m.address(found);
        self.m.store(Width::Word, own::SHOWN);
        self.m.call(self.at.put_found);
    }

    /// The CRC of what was read last goes on by so many bytes.
    fn sum_read(&mut self, bytes: u32) {
        self.copy(own::CRC_AT, own::READ_AT);
        self.m.set(bytes);
        self.m.store(Width::Word, own::COUNT);
        self.m.call(self.at.crc);
    }

    fn report_area(&mut self) {
        let [next, whole, unreadable, done] = [(); 4].map(|()| self.m.place());
        self.begin();
        self.number("area=", |m| m.load(Width::Four, table::STRUCTURED.into()));
        self.put(own::SECTOR, 0);
        self.put(own::CRC, CRC_START);
        self.m.here(next);
        self.m.load(Width::Four, own::SECTOR);
        let structured = Operand::Int(table::STRUCTURED.into());
        self.m.branch(Condition::AtLeast, structured, whole);
        self.m.call(self.at.read);
        self.branch_if_failed(unreadable);
        self.sum_read(sector::BYTES as u32);
        self.increase(Width::Four, own::SECTOR, 1);
        self.m.jump(next);

        self.m.here(whole);
        self.text(" crc=");
        self.m.load(Width::Four, own::CRC);
        self.m.call(self.at.put_hex16);
        self.m.jump(done);
        self.m.here(unreadable);
        self.code(" error=", own::FAILURE);
        self.number(" at=", |m| m.load(Width::Four, own::SECTOR));
        self.m.here(done);
        self.end();
    }

    fn report_sweep(&mut self) {
        let [next, bad, known, good, nothing] = [(); 5].map(|()| self.m.place());
        let image = Operand::Int(table::IMAGE.into());
        self.m.load(Width::Four, table::STRUCTURED.into());
        self.m.store(Width::Four, own::SECTOR);
        self.m.branch(Condition::AtLeast, image, nothing);
        self.put(own::INTACT, 0);
        // No sector has this number in an image that 32 bits can count.
        self.put(own::BAD, u32::MAX);
        self.m.here(next);
        self.m.call(self.at.observe);
        self.m
            .load(Width::One, variable::FOUND + u32::from(field::KIND));
        self.m
            .branch(Condition::Unequal, Operand::Value(kind::SECTOR), bad);
        self.m
            .load(Width::Four, variable::FOUND + u32::from(field::NUMBER));
        self.m
            .branch(Condition::Unequal, Operand::Int(own::SECTOR), bad);
        self.increase(Width::Four, own::INTACT, 1);
        self.m.jump(known);
        self.m.here(bad);
        self.m.load(Width::Four, own::BAD);
        self.m
            .branch(Condition::Unequal, Operand::Value(u32::MAX), known);
        self.m.load(Width::Four, own::SECTOR);
        self.m.store(Width::Four, own::BAD);
        for at in (0..u32::from(field::BYTES)).step_by(4) {
            self.m.load(Width::Four, variable::FOUND + at);
            self.m.store(Width::Four, variable::FOUND_BAD + at);
        }
        self.m.here(known);
        self.increase(Width::Four, own::SECTOR, 1);
        self.m.load(Width::Four, own::SECTOR);
        self.m.branch(Condition::Below, image, next);

        self.begin();
        self.number("sweep=", |m| m.load(Width::Four, table::STRUCTURED.into()));
        self.number("-", |m| {
            m.load(Width::Four, own::SECTOR);
            m.subtract(Operand::Value(1));
        });
        self.number(" intact=", |m| m.load(Width::Four, own::INTACT));
        self.m.load(Width::Four, own::BAD);
        self.m
            .branch(Condition::Equal, Operand::Value(u32::MAX), good);
        self.number(" first-bad=", |m| m.load(Width::Four, own::BAD));
        self.show(variable::FOUND_BAD);
        self.m.here(good);
        self.end();
        self.m.here(nothing);
    }

    /// The loader's file, read back through the simple file system.
    fn report_file(&mut self, loader: Loader) {
        let [next, whole, failed, done] = [(); 4].map(|()| self.m.place());
        let path = loader.path().replace('/', "\\");
        self.begin();
        self.text(&format!("file={path}"));
        self.protocol_of(variable::DEVICE_HANDLE, uefi::SIMPLE_FILE_SYSTEM, failed);
        self.copy(own::FILE, variable::INTERFACE);
        let arguments = [
            Argument::Word(own::FILE),
            Argument::Address(variable::INTERFACE),
        ];
        self.call_of(own::FILE, uefi::simple_file_system::OPEN_VOLUME, &arguments);
        self.branch_if_failed(failed);
        let wide: Vec<u8> = path
            .encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect();
        let path = self.constant(&wide);
        self.copy(own::FILE, variable::INTERFACE);
        let arguments = [
            Argument::Word(own::FILE),
            Argument::Address(variable::INTERFACE),
            Argument::Address(path),
            Argument::WideValue(file::MODE_READ),
            Argument::WideValue(0),
        ];
        // Behind a revision of 64 bits; between it and the reads are two functions.
        self.call_of(own::FILE, file::OPEN, &arguments);
        self.branch_if_failed(failed);

        self.copy(own::FILE, variable::INTERFACE);
        self.put(own::TOTAL, 0);
        self.put(own::CRC, CRC_START);
        self.m.here(next);
        self.m.set(variable::BUFFER_BYTES);
        self.m.store(Width::Word, variable::READ_BYTES);
        let arguments = [
            Argument::Word(own::FILE),
            Argument::Address(variable::READ_BYTES),
            Argument::Address(variable::BUFFER),
        ];
        let read = Self::pointers(file::OPEN, (file::READ - file::OPEN) / 8);
        self.call_of(own::FILE, read, &arguments);
        self.branch_if_failed(failed);
        self.m.load(Width::Word, variable::READ_BYTES);
        self.m.branch(Condition::Equal, Operand::Value(0), whole);
        self.m.store(Width::Word, own::COUNT);
        self.m.add(Operand::Int(own::TOTAL));
        self.m.store(Width::Four, own::TOTAL);
        self.m.address(variable::BUFFER);
        self.m.store(Width::Word, own::CRC_AT);
        self.m.call(self.at.crc);
        self.m.jump(next);

        self.m.here(whole);
        self.number(" size=", |m| m.load(Width::Four, own::TOTAL));
        self.text(" crc=");
        self.m.load(Width::Four, own::CRC);
        self.m.call(self.at.put_hex16);
        self.m.jump(done);
        self.m.here(failed);
        self.code(" error=", own::STATUS);
        self.m.here(done);
        self.end();
    }

    fn emit_routines(&mut self) {
        self.emit_begin();
        self.emit_end();
        self.emit_put_text();
        self.emit_put_wide();
        self.emit_put_decimal();
        self.emit_put_hex();
        self.emit_crc();
        self.emit_read();
        self.emit_fill();
        self.emit_observe();
        self.emit_put_found();
    }

    /// The accumulator's byte to the line's end.
    fn put_byte(&mut self) {
        self.m.poke(variable::END);
        self.increase(Width::Word, variable::END, 1);
    }

    /// Starts a line: `BM1 <seq> `.
    fn emit_begin(&mut self) {
        self.m.here(self.at.begin);
        self.m.address(variable::LINE);
        self.m.store(Width::Word, variable::END);
        self.text(protocol::LINE_START);
        self.m.load(Width::Four, variable::SEQUENCE);
        self.decimal();
        self.increase(Width::Four, variable::SEQUENCE, 1);
        self.m.set(u32::from(b' '));
        self.put_byte();
        self.m.give_back();
    }

    /// Ends it with its CRC and sends it.
    fn emit_end(&mut self) {
        let next = self.m.place();
        self.m.here(self.at.end);
        self.put(own::CRC, CRC_START);
        self.m.address(variable::LINE);
        self.m.store(Width::Word, own::CRC_AT);
        self.m.load(Width::Word, variable::END);
        self.m.subtract(Operand::Word(own::CRC_AT));
        self.m.store(Width::Word, own::COUNT);
        self.m.call(self.at.crc);
        self.text(" *");
        self.m.load(Width::Four, own::CRC);
        self.m.call(self.at.put_hex16);
        self.text("\r\n");
        self.m.address(variable::LINE);
        self.m.store(Width::Word, own::TEXT);
        // A timer event of the firmware's must not write to the same port in the middle of a line.
        self.m.interrupts_off();
        self.m.here(next);
        self.m.load(Width::Word, own::TEXT);
        self.m.peek(Width::One, 0);
        self.m.send();
        self.increase(Width::Word, own::TEXT, 1);
        self.m
            .branch(Condition::Below, Operand::Word(variable::END), next);
        self.m.interrupts_back();
        self.m.give_back();
    }

    /// Puts the text at [`own::TEXT`], ended by a zero.
    fn emit_put_text(&mut self) {
        let end = self.m.place();
        self.m.here(self.at.put_text);
        self.m.load(Width::Word, own::TEXT);
        self.m.peek(Width::One, 0);
        self.m.branch(Condition::Equal, Operand::Value(0), end);
        self.put_byte();
        self.increase(Width::Word, own::TEXT, 1);
        self.m.jump(self.at.put_text);
        self.m.here(end);
        self.m.give_back();
    }

    /// Puts the 16-bit characters at [`own::WIDE`], ended by a zero, at most [`own::COUNT`]. What is no visible ASCII becomes `_`.
    fn emit_put_wide(&mut self) {
        let [hidden, put, end] = [(); 3].map(|()| self.m.place());
        self.m.here(self.at.put_wide);
        self.m.load(Width::Four, own::COUNT);
        self.m.branch(Condition::Equal, Operand::Value(0), end);
        self.m.load(Width::Word, own::WIDE);
        self.m.peek(Width::Two, 0);
        self.m.branch(Condition::Equal, Operand::Value(0), end);
        self.m
            .branch(Condition::Below, Operand::Value(u32::from(b'!')), hidden);
        let last = Operand::Value(u32::from(b'~') + 1);
        self.m.branch(Condition::Below, last, put);
        self.m.here(hidden);
        self.m.set(u32::from(b'_'));
        self.m.here(put);
        self.put_byte();
        self.increase(Width::Word, own::WIDE, 2);
        self.decrease(Width::Four, own::COUNT);
        self.m.jump(self.at.put_wide);
        self.m.here(end);
        self.m.give_back();
    }

    /// Puts the 64 bits of [`own::NUMBER`] in decimal: divided in four pieces, whatever the processor divides.
    fn emit_put_decimal(&mut self) {
        let next = self.m.place();
        self.m.here(self.at.put_decimal);
        self.m.address(own::LAST_DIGIT);
        self.m.store(Width::Word, own::DIGIT);
        self.m.here(next);
        self.put(own::HEX, 0);
        for piece in [6, 4, 2, 0] {
            self.m.load(Width::Two, own::NUMBER + piece);
            self.m.store(Width::Four, own::TEMPORARY);
            self.m.load(Width::Four, own::HEX);
            self.m.shift_left(16);
            self.m.or(Operand::Int(own::TEMPORARY));
            self.m.divide(10, own::HEX);
            self.m.store(Width::Two, own::NUMBER + piece);
        }
        self.m.load(Width::Four, own::HEX);
        self.m.add(Operand::Value(u32::from(b'0')));
        self.m.poke(own::DIGIT);
        self.decrease(Width::Word, own::DIGIT);
        self.m.load(Width::Four, own::NUMBER);
        self.m.or(Operand::Int(own::NUMBER + 4));
        self.m.branch(Condition::Unequal, Operand::Value(0), next);
        self.m.load(Width::Word, own::DIGIT);
        self.m.add(Operand::Value(1));
        self.m.store(Width::Word, own::TEXT);
        self.m.jump(self.at.put_text);
    }

    /// Puts the accumulator in hexadecimal: two digits of a byte, four of two bytes.
    fn emit_put_hex(&mut self) {
        let [digit, letter] = [(); 2].map(|()| self.m.place());
        self.m.here(self.at.put_hex16);
        self.m.store(Width::Four, own::HEX_16);
        self.m.shift_right(8);
        self.m.call(self.at.put_hex8);
        self.m.load(Width::Four, own::HEX_16);
        self.m.here(self.at.put_hex8);
        self.m.and(Operand::Value(0xFF));
        self.m.store(Width::Four, own::HEX);
        self.m.shift_right(4);
        self.m.call(self.at.put_digit);
        self.m.load(Width::Four, own::HEX);
        self.m.and(Operand::Value(0x0F));
        self.m.here(self.at.put_digit);
        self.m.branch(Condition::Above, Operand::Value(9), letter);
        self.m.add(Operand::Value(u32::from(b'0')));
        self.m.jump(digit);
        self.m.here(letter);
        self.m.add(Operand::Value(u32::from(b'A') - 10));
        self.m.here(digit);
        self.put_byte();
        self.m.give_back();
    }

    /// [`own::CRC`] goes on over [`own::COUNT`] bytes, not 0, at [`own::CRC_AT`].
    fn emit_crc(&mut self) {
        self.m.here(self.at.crc);
        self.m.load(Width::Word, own::CRC_AT);
        self.m.peek(Width::One, 0);
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.load(Width::Four, own::CRC);
        self.m.shift_right(8);
        self.m.xor(Operand::Int(own::TEMPORARY));
        self.m.shift_left(1);
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.address(table::CRC_TABLE.into());
        self.m.add(Operand::Int(own::TEMPORARY));
        self.m.peek(Width::Two, 0);
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.load(Width::Four, own::CRC);
        self.m.shift_left(8);
        self.m.xor(Operand::Int(own::TEMPORARY));
        self.m.and(Operand::Value(0xFFFF));
        self.m.store(Width::Four, own::CRC);
        self.increase(Width::Word, own::CRC_AT, 1);
        self.decrease(Width::Word, own::COUNT);
        self.m
            .branch(Condition::Unequal, Operand::Value(0), self.at.crc);
        self.m.give_back();
    }

    /// Brings virtual sector [`own::SECTOR`]: [`own::READ_AT`] = its bytes. Asks the firmware only for what is not in the buffer. Accumulator: 0, or what
    /// [`own::FAILURE`] is too.
    fn emit_read(&mut self) {
        let [again, filled, done, failed] = [(); 4].map(|()| self.m.place());
        self.m.here(self.at.read);
        self.m.load(Width::Four, own::SECTOR);
        self.m.subtract(Operand::Int(variable::BUFFERED));
        self.m.branch(
            Condition::Below,
            Operand::Int(variable::BUFFERED_COUNT),
            done,
        );
        self.m.here(again);
        self.m.call(self.at.fill);
        self.m.store(Width::Four, own::FAILURE);
        self.m.branch(Condition::Equal, Operand::Value(0), filled);
        // Which sector of the run failed is found one by one.
        self.m.load(Width::Four, variable::RUN);
        self.m.branch(Condition::Equal, Operand::Value(1), failed);
        self.put(variable::RUN, 1);
        self.m.jump(again);
        self.m.here(failed);
        self.m.load(Width::Four, own::FAILURE);
        self.m.give_back();
        self.m.here(filled);
        self.m.load(Width::Four, own::SECTOR);
        self.m.subtract(Operand::Int(variable::BUFFERED));
        self.m.here(done);
        self.m.shift_left(SECTOR_BITS);
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.address(variable::BUFFER);
        self.m.add(Operand::Int(own::TEMPORARY));
        self.m.store(Width::Word, own::READ_AT);
        self.m.set(0);
        self.m.give_back();
    }

    /// Fills the buffer with the run, or at least the block, that the sector lies in: up to the next multiple of the run, and not past the image's last
    /// block, where there may be nothing to read. Accumulator: 0, or [`FAILED`] with a code.
    fn emit_fill(&mut self) {
        let [refused, bad, run_known, end_known, halve, lba_known] =
            [(); 6].map(|()| self.m.place());
        self.m.here(self.at.fill);
        self.put(variable::BUFFERED_COUNT, 0);
        self.m.load(Width::Word, variable::BLOCK_STATUS);
        self.branch_if_failed(refused);
        self.m.load(Width::Word, variable::MEDIA);
        self.m.peek(Width::Four, block_io::BLOCK_SIZE);
        self.m.branch(
            Condition::Below,
            Operand::Value(VIRTUAL_SECTOR_BYTES as u32),
            bad,
        );
        self.m
            .branch(Condition::Above, Operand::Value(BLOCK_BYTES_MAX), bad);
        self.m.shift_right(SECTOR_BITS);
        self.m.store(Width::Four, own::PER_BLOCK);
        self.m.store(Width::Four, own::RUN_NOW);
        self.m
            .branch(Condition::AtLeast, Operand::Int(variable::RUN), run_known);
        self.m.load(Width::Four, variable::RUN);
        self.m.store(Width::Four, own::RUN_NOW);
        self.m.here(run_known);
        self.m.set(0);
        self.m.subtract(Operand::Int(own::RUN_NOW));
        self.m.and(Operand::Int(own::SECTOR));
        self.m.store(Width::Four, variable::BUFFERED);
        self.m.load(Width::Four, own::RUN_NOW);
        self.m.store(Width::Four, own::MANY);
        self.m.load(Width::Four, variable::BUFFERED);
        self.m.branch(
            Condition::AtLeast,
            Operand::Int(table::IMAGE.into()),
            end_known,
        );
        self.m.load(Width::Four, table::IMAGE.into());
        self.m.subtract(Operand::Int(variable::BUFFERED));
        self.m
            .branch(Condition::AtLeast, Operand::Int(own::MANY), end_known);
        self.m.add(Operand::Int(own::PER_BLOCK));
        self.m.subtract(Operand::Value(1));
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.set(0);
        self.m.subtract(Operand::Int(own::PER_BLOCK));
        self.m.and(Operand::Int(own::TEMPORARY));
        self.m.store(Width::Four, own::MANY);
        self.m.here(end_known);

        // Blocks are one, two, four or eight sectors.
        self.m.load(Width::Four, variable::BUFFERED);
        self.m.store(Width::Word, own::LBA);
        self.m.here(halve);
        self.m.load(Width::Four, own::PER_BLOCK);
        self.m
            .branch(Condition::Below, Operand::Value(2), lba_known);
        self.m.shift_right(1);
        self.m.store(Width::Four, own::PER_BLOCK);
        self.m.load(Width::Word, own::LBA);
        self.m.shift_right(1);
        self.m.store(Width::Word, own::LBA);
        self.m.jump(halve);
        self.m.here(lba_known);
        self.m.load(Width::Four, own::MANY);
        self.m.shift_left(SECTOR_BITS);
        self.m.store(Width::Word, own::BYTES);
        self.m.load(Width::Word, variable::MEDIA);
        self.m.peek(Width::Four, block_io::MEDIA_ID);
        self.m.store(Width::Word, own::MEDIA_ID);
        let arguments = [
            Argument::Word(variable::BLOCK_IO),
            Argument::Word(own::MEDIA_ID),
            Argument::Wide(own::LBA),
            Argument::Word(own::BYTES),
            Argument::Address(variable::BUFFER),
        ];
        // Behind a revision of 64 bits, the media and a function.
        let read_blocks = Self::pointers(block_io::MEDIA, 2);
        self.call_of(variable::BLOCK_IO, read_blocks, &arguments);
        self.branch_if_failed(refused);
        self.m.load(Width::Four, own::MANY);
        self.m.store(Width::Four, variable::BUFFERED_COUNT);
        self.m.set(0);
        self.m.give_back();
        self.m.here(bad);
        self.m.set(u32::from(ERROR_BLOCK_SIZE));
        self.m.here(refused);
        self.m.and(Operand::Value(0xFF));
        self.m.or(Operand::Value(FAILED));
        self.m.give_back();
    }

    /// Reads [`own::SECTOR`] and fills [`variable::FOUND`].
    fn emit_observe(&mut self) {
        let [read, next, other, done] = [(); 4].map(|()| self.m.place());
        let found = |field: u16| variable::FOUND + u32::from(field);
        self.m.here(self.at.observe);
        self.m.call(self.at.read);
        self.m.branch(Condition::Equal, Operand::Value(0), read);
        self.m.store(Width::One, found(field::ERROR));
        self.m.set(kind::ERROR);
        self.m.jump(done);

        // One pass: every bit, and the sum.
        self.m.here(read);
        self.put(own::ALL, 0);
        self.put(own::SUM, 0);
        self.copy(own::TEXT, own::READ_AT);
        self.put(own::COUNT, sector::BYTES as u32 / 4);
        self.m.here(next);
        self.m.load(Width::Word, own::TEXT);
        self.m.peek(Width::Four, 0);
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.or(Operand::Int(own::ALL));
        self.m.store(Width::Four, own::ALL);
        self.m.load(Width::Four, own::SUM);
        self.m.add(Operand::Int(own::TEMPORARY));
        self.m.store(Width::Four, own::SUM);
        self.increase(Width::Word, own::TEXT, 4);
        self.decrease(Width::Four, own::COUNT);
        self.m.branch(Condition::Unequal, Operand::Value(0), next);
        let not_a_hole = self.m.place();
        self.m.load(Width::Four, own::ALL);
        self.branch_if_failed(not_a_hole);
        self.m.set(kind::HOLE);
        self.m.jump(done);

        self.m.here(not_a_hole);
        for (at, magic) in (0..).step_by(4).zip(sector::MAGIC.as_chunks::<4>().0) {
            self.m.load(Width::Word, own::READ_AT);
            self.m.peek(Width::Four, at);
            let magic = Operand::Value(u32::from_le_bytes(*magic));
            self.m.branch(Condition::Unequal, magic, other);
        }
        self.m.load(Width::Four, own::SUM);
        self.branch_if_failed(other);
        for at in [0, 4, 8, 12] {
            self.m.load(Width::Word, own::READ_AT);
            self.m.peek(Width::Four, 8 + at);
            self.m.store(Width::Four, found(field::DISC) + at);
        }
        let foreign = self.m.place();
        for half in [0, 4] {
            self.m.load(Width::Four, found(field::DISC) + half);
            let own = Operand::Int(u32::from(table::DISC) + half);
            self.m.branch(Condition::Unequal, own, foreign);
        }
        self.m.load(Width::Two, table::SLOT.into());
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.load(Width::Two, found(field::SLOT));
        self.m
            .branch(Condition::Unequal, Operand::Int(own::TEMPORARY), foreign);
        self.m.set(kind::SECTOR);
        self.m.jump(done);
        self.m.here(foreign);
        self.m.set(kind::FOREIGN);
        self.m.jump(done);

        self.m.here(other);
        self.put(own::CRC, CRC_START);
        self.sum_read(sector::BYTES as u32);
        self.m.load(Width::Four, own::CRC);
        self.m.store(Width::Two, found(field::CRC));
        self.m.set(kind::OTHER);
        self.m.here(done);
        self.m.store(Width::One, found(field::KIND));
        self.m.give_back();
    }

    /// Puts ` found=…` or ` error=…` for what [`own::SHOWN`] leads to.
    fn emit_put_found(&mut self) {
        let [error, foreign, hole, other] = [(); 4].map(|()| self.m.place());
        let shown = |width, field: u16| {
            move |m: &mut M| {
                m.load(Width::Word, own::SHOWN);
                m.peek(width, field.into());
            }
        };
        let kind_of = shown(Width::One, field::KIND);
        let number = shown(Width::Four, field::NUMBER);
        self.m.here(self.at.put_found);
        kind_of(&mut self.m);
        self.m
            .branch(Condition::Equal, Operand::Value(kind::ERROR), error);
        self.text(" found=");
        kind_of(&mut self.m);
        for (kind, place) in [
            (kind::FOREIGN, foreign),
            (kind::HOLE, hole),
            (kind::OTHER, other),
        ] {
            self.m.branch(Condition::Equal, Operand::Value(kind), place);
        }
        number(&mut self.m);
        self.decimal();
        self.m.give_back();

        self.m.here(foreign);
        self.text("foreign disc=");
        // Little-endian: the last byte is the first to be written.
        for at in (0..8).rev() {
            shown(Width::One, field::DISC + at)(&mut self.m);
            self.m.call(self.at.put_hex8);
        }
        self.number(" slot=", shown(Width::Two, field::SLOT));
        self.number(" number=", number);
        self.m.give_back();

        self.m.here(hole);
        self.text("hole");
        self.m.give_back();

        self.m.here(other);
        self.text("other crc=");
        shown(Width::Two, field::CRC)(&mut self.m);
        self.m.call(self.at.put_hex16);
        self.m.give_back();

        self.m.here(error);
        self.text(" error=");
        shown(Width::One, field::ERROR)(&mut self.m);
        self.m.call(self.at.put_hex8);
        self.m.give_back();
    }
}
