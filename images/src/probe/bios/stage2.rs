//! The second stage: asks the firmware, reads the planned sectors, reports.

use iced_x86::{IcedError, code_asm::*};

use super::{
    disk::{Disk, Reads},
    drive::{Drive, ERROR_NO_SIGNATURE},
    examine::Examine,
    line::Line,
    memory::{
        BUFFER, LONG_BUFFER, LONG_RUN, NOTHING, PACKET, PACKET_BYTES, RUN, STAGE2_AT,
        STAGE2_BEGINS, TABLE,
    },
    variable,
};
use crate::{
    probe::{
        AssembleError, ProbePlan,
        found::{field, kind},
        sector, serial, table,
    },
    units::VIRTUAL_SECTOR_BYTES,
};

/// Memory that the firmware loads into ends here.
const MEMORY_END: u32 = 0xA_0000;

const JUMP_BYTES: u16 = 3;

pub(super) fn assemble(drive: Drive, plan: &ProbePlan) -> Result<Vec<u8>, AssembleError> {
    let table = table::encode(plan)?;
    // The constants stand before the code, so that the code knows their addresses when it is assembled.
    let too_large = AssembleError::TooLarge {
        part: "the plan",
        bytes: table.len(),
        max: usize::from(u16::MAX),
    };
    let code_at = u16::try_from(table.len()).map_err(|_| too_large)? + TABLE;
    let jump = code_at - STAGE2_AT - JUMP_BYTES;

    let mut probe = Probe::new()?;
    probe.emit(drive, plan)?;
    let mut bytes = vec![STAGE2_BEGINS];
    bytes.extend(jump.to_le_bytes());
    bytes.push(0);
    bytes.extend(table);
    bytes.extend(probe.a.assemble(u64::from(code_at))?);
    Ok(bytes)
}

struct Probe {
    a: CodeAssembler,
    line: Line,
    disk: Disk,
    examine: Examine,
}

fn constant(field: u16) -> u16 {
    TABLE + field
}

impl Probe {
    fn new() -> Result<Self, IcedError> {
        let mut a = CodeAssembler::new(16)?;
        Ok(Self {
            line: Line::new(&mut a),
            disk: Disk::new(&mut a),
            examine: Examine::new(&mut a),
            a,
        })
    }

    fn emit(&mut self, drive: Drive, plan: &ProbePlan) -> Result<(), AssembleError> {
        self.emit_set_up()?;
        self.begin()?;
        self.text(&format!("begin=bios disc={} slot={}", plan.disc, plan.slot))?;
        self.end()?;
        self.report_entry()?;
        self.report_packet()?;
        self.report_geometry()?;
        self.report_extensions()?;
        // Its failure, if any, is in the lines above and in every read below.
        self.a.call(self.disk.open)?;
        self.read_in_runs_of(RUN, BUFFER)?;
        self.report_loaded()?;
        self.read_in_runs_of(1, BUFFER)?;
        self.report_checks()?;
        if plan.sweep {
            self.read_in_runs_of(LONG_RUN, LONG_BUFFER)?;
            self.report_area()?;
            self.report_sweep()?;
        }
        self.begin()?;
        self.text("end=ok")?;
        self.a.mov(byte_ptr(variable::TO_DEBUG_PORT), 1)?;
        self.end()?;
        serial::halt(&mut self.a)?;
        self.line.emit(&mut self.a)?;
        self.disk.emit_read(&mut self.a, drive, Reads::Runs)?;
        self.disk.emit_rest(&mut self.a, drive)?;
        Ok(self.examine.emit(&mut self.a, &self.disk, &self.line)?)
    }

    fn begin(&mut self) -> Result<(), IcedError> {
        self.a.call(self.line.begin)
    }

    fn text(&mut self, text: &str) -> Result<(), IcedError> {
        self.line.text(&mut self.a, text)
    }

    fn end(&mut self) -> Result<(), IcedError> {
        self.a.call(self.line.end)
    }

    /// Where every sector is read anyway, a call for each would be most of the time.
    fn read_in_runs_of(&mut self, sectors: u32, buffer: u16) -> Result<(), IcedError> {
        self.a.mov(dword_ptr(variable::BUFFERED_COUNT), 0)?;
        self.a.mov(byte_ptr(variable::RUN), sectors)?;
        self.a.mov(word_ptr(variable::BUFFER_AT), u32::from(buffer))
    }

    fn emit_set_up(&mut self) -> Result<(), IcedError> {
        let a = &mut self.a;
        a.cli()?;
        serial::set_up(a)?;
        // The first line must not continue one of the firmware's.
        for byte in *b"\r\n" {
            a.mov(al, u32::from(byte))?;
            serial::put_byte(a)?;
        }
        a.sti()?;
        a.mov(dword_ptr(variable::SEQUENCE), 0)?;
        a.mov(byte_ptr(variable::TO_DEBUG_PORT), 0)?;
        // The image's first byte in memory, before anything moves: CS * 16 + IP.
        a.movzx(eax, word_ptr(variable::ENTRY_CS))?;
        a.shl(eax, 4)?;
        a.movzx(ebx, word_ptr(variable::ENTRY_IP))?;
        a.add(eax, ebx)?;
        a.mov(dword_ptr(variable::LOADED_AT), eax)?;
        Ok(())
    }

    fn report_entry(&mut self) -> Result<(), IcedError> {
        self.begin()?;
        self.text("drive=")?;
        self.a.mov(al, byte_ptr(variable::DRIVE))?;
        self.a.call(self.line.put_hex8)?;
        self.text(" cs=")?;
        self.a.mov(ax, word_ptr(variable::ENTRY_CS))?;
        self.a.call(self.line.put_hex16)?;
        self.text(" ip=")?;
        self.a.mov(ax, word_ptr(variable::ENTRY_IP))?;
        self.a.call(self.line.put_hex16)?;
        self.end()
    }

    fn report_packet(&mut self) -> Result<(), IcedError> {
        let mut failed = self.a.create_label();
        let mut done = self.a.create_label();
        let mut next = self.a.create_label();
        self.begin()?;
        self.a.call(self.disk.packet)?;
        self.a.jc(failed)?;
        self.text("packet=")?;
        self.a.mov(si, u32::from(PACKET))?;
        self.a.mov(cx, u32::from(PACKET_BYTES))?;
        self.a.set_label(&mut next)?;
        self.a.lodsb()?;
        self.a.call(self.line.put_hex8)?;
        self.a.loop_(next)?;
        self.a.jmp(done)?;
        self.a.set_label(&mut failed)?;
        self.put_error("packet-error=")?;
        self.a.set_label(&mut done)?;
        self.end()
    }

    fn report_geometry(&mut self) -> Result<(), IcedError> {
        let mut failed = self.a.create_label();
        let mut done = self.a.create_label();
        self.begin()?;
        self.a.call(self.disk.geometry)?;
        self.a.jc(failed)?;
        self.text("cylinders=")?;
        self.a.movzx(eax, cl)?;
        self.a.shl(ax, 2)?;
        self.a.mov(al, ch)?;
        self.a.inc(ax)?;
        self.a.call(self.line.put_decimal)?;
        self.text(" heads=")?;
        self.a.movzx(eax, dh)?;
        self.a.inc(ax)?;
        self.a.call(self.line.put_decimal)?;
        self.text(" sectors=")?;
        self.a.movzx(eax, cl)?;
        self.a.and(al, 0x3F)?;
        self.a.call(self.line.put_decimal)?;
        self.text(" drives=")?;
        self.a.movzx(eax, dl)?;
        self.a.call(self.line.put_decimal)?;
        self.a.jmp(done)?;
        self.a.set_label(&mut failed)?;
        self.put_error("geometry-error=")?;
        self.a.set_label(&mut done)?;
        self.end()
    }

    fn report_extensions(&mut self) -> Result<(), IcedError> {
        let mut failed = self.a.create_label();
        let mut done = self.a.create_label();
        self.begin()?;
        self.a.mov(ah, 0x41)?;
        self.a.mov(bx, 0x55AA)?;
        self.a.call(self.disk.int13)?;
        self.a.jc(failed)?;
        self.a.xchg(al, ah)?;
        self.a.mov(ah, u32::from(ERROR_NO_SIGNATURE))?;
        self.a.cmp(bx, 0xAA55)?;
        self.a.jne(failed)?;
        self.a.mov(dl, al)?;
        self.text("extensions=")?;
        self.a.mov(al, dl)?;
        self.a.call(self.line.put_hex8)?;
        self.a.jmp(done)?;
        self.a.set_label(&mut failed)?;
        self.put_error("extensions-error=")?;
        self.a.set_label(&mut done)?;
        self.end()
    }

    /// Puts `text` and AH.
    fn put_error(&mut self, text: &str) -> Result<(), IcedError> {
        self.a.push(ax)?;
        self.text(text)?;
        self.a.pop(ax)?;
        self.a.mov(al, ah)?;
        self.a.call(self.line.put_hex8)
    }

    /// How far memory and drive agree, from the image's first sector on. Only sectors with something in them
    /// count: a hole agrees with memory that nothing was ever loaded to.
    fn report_loaded(&mut self) -> Result<(), IcedError> {
        let mut next = self.a.create_label();
        let mut at_image_end = self.a.create_label();
        let mut at_memory_end = self.a.create_label();
        let mut unreadable = self.a.create_label();
        let mut different = self.a.create_label();
        let mut done = self.a.create_label();
        let mut gather = self.a.create_label();
        let a = &mut self.a;
        a.xor(ebp, ebp)?;
        a.mov(dword_ptr(variable::LOADED), ebp)?;
        a.set_label(&mut next)?;
        a.cmp(ebp, dword_ptr(constant(table::IMAGE)))?;
        a.jae(at_image_end)?;
        a.mov(ebx, ebp)?;
        a.shl(ebx, VIRTUAL_SECTOR_BYTES.trailing_zeros())?;
        a.add(ebx, dword_ptr(variable::LOADED_AT))?;
        a.cmp(ebx, MEMORY_END - VIRTUAL_SECTOR_BYTES as u32)?;
        a.ja(at_memory_end)?;
        a.mov(eax, ebp)?;
        a.call(self.disk.read)?;
        a.jc(unreadable)?;
        a.mov(di, bx)?;
        a.and(di, 0x0F)?;
        a.shr(ebx, 4)?;
        a.mov(es, bx)?;
        a.mov(cx, VIRTUAL_SECTOR_BYTES as u32 / 4)?;
        a.repe().cmpsd()?;
        a.push(ds)?;
        a.pop(es)?;
        a.jne(different)?;
        a.inc(ebp)?;
        a.sub(si, VIRTUAL_SECTOR_BYTES as u32)?;
        a.xor(edx, edx)?;
        a.mov(cx, VIRTUAL_SECTOR_BYTES as u32 / 4)?;
        a.set_label(&mut gather)?;
        a.lodsd()?;
        a.or(edx, eax)?;
        a.loop_(gather)?;
        a.test(edx, edx)?;
        a.je(next)?;
        a.mov(dword_ptr(variable::LOADED), ebp)?;
        a.jmp(next)?;

        for (label, text) in [
            (&mut different, "difference"),
            (&mut at_image_end, "image"),
            (&mut at_memory_end, "memory"),
        ] {
            self.a.set_label(label)?;
            self.put_loaded(text)?;
            self.a.jmp(done)?;
        }
        self.a.set_label(&mut unreadable)?;
        self.a.push(ax)?;
        self.put_loaded("error")?;
        self.a.pop(ax)?;
        self.put_error(" error=")?;
        self.a.set_label(&mut done)?;
        self.end()
    }

    fn put_loaded(&mut self, limit: &str) -> Result<(), IcedError> {
        self.begin()?;
        self.text("loaded=")?;
        self.a.mov(eax, dword_ptr(variable::LOADED))?;
        self.a.call(self.line.put_decimal)?;
        self.text(&format!(" limit={limit}"))
    }

    fn report_checks(&mut self) -> Result<(), IcedError> {
        let mut next = self.a.create_label();
        let mut done = self.a.create_label();
        self.a.mov(si, u32::from(constant(table::CHECKS)))?;
        self.a.mov(cx, word_ptr(constant(table::CHECK_COUNT)))?;
        self.a.jcxz(done)?;
        self.a.set_label(&mut next)?;
        self.a.push(cx)?;
        self.a.push(si)?;
        self.begin()?;
        self.text("check=")?;
        self.a.mov(ebp, dword_ptr(si))?;
        self.a.add(si, u32::from(table::CHECK_NAME))?;
        self.a.call(self.line.put_text_at)?;
        self.text(" sector=")?;
        self.a.mov(eax, ebp)?;
        self.a.call(self.line.put_decimal)?;
        // A check asks the firmware, even for a block that is still there.
        self.a.mov(dword_ptr(variable::BUFFERED_COUNT), 0)?;
        self.a.mov(eax, ebp)?;
        self.a.call(self.examine.observe)?;
        self.a.mov(bx, u32::from(variable::FOUND))?;
        self.a.call(self.examine.put_found)?;
        self.end()?;
        self.a.pop(si)?;
        self.a.pop(cx)?;
        self.a.add(si, u32::from(table::CHECK_BYTES))?;
        // Too far for LOOP.
        self.a.dec(cx)?;
        self.a.jne(next)?;
        self.a.set_label(&mut done)?;
        Ok(())
    }

    fn report_area(&mut self) -> Result<(), IcedError> {
        let mut next = self.a.create_label();
        let mut whole = self.a.create_label();
        let mut unreadable = self.a.create_label();
        let mut done = self.a.create_label();
        self.begin()?;
        self.text("area=")?;
        self.a.mov(eax, dword_ptr(constant(table::STRUCTURED)))?;
        self.a.call(self.line.put_decimal)?;
        self.a.xor(ebp, ebp)?;
        self.a.mov(dx, 0xFFFF)?;
        self.a.set_label(&mut next)?;
        self.a.cmp(ebp, dword_ptr(constant(table::STRUCTURED)))?;
        self.a.jae(whole)?;
        self.a.mov(eax, ebp)?;
        self.a.call(self.disk.read)?;
        self.a.jc(unreadable)?;
        self.a.mov(cx, sector::BYTES as u32)?;
        self.a.mov(ax, dx)?;
        self.a.call(self.line.crc)?;
        self.a.mov(dx, ax)?;
        self.a.inc(ebp)?;
        self.a.jmp(next)?;

        self.a.set_label(&mut whole)?;
        self.text(" crc=")?;
        self.a.mov(ax, dx)?;
        self.a.call(self.line.put_hex16)?;
        self.a.jmp(done)?;
        self.a.set_label(&mut unreadable)?;
        self.put_error(" error=")?;
        self.text(" at=")?;
        self.a.mov(eax, ebp)?;
        self.a.call(self.line.put_decimal)?;
        self.a.set_label(&mut done)?;
        self.end()
    }

    fn report_sweep(&mut self) -> Result<(), IcedError> {
        let mut next = self.a.create_label();
        let mut bad = self.a.create_label();
        let mut known = self.a.create_label();
        let mut done = self.a.create_label();
        let mut nothing = self.a.create_label();
        let a = &mut self.a;
        a.mov(dword_ptr(variable::INTACT), 0)?;
        a.mov(dword_ptr(variable::FIRST_BAD), NOTHING)?;
        a.mov(ebp, dword_ptr(constant(table::STRUCTURED)))?;
        a.cmp(ebp, dword_ptr(constant(table::IMAGE)))?;
        a.jae(nothing)?;
        a.set_label(&mut next)?;
        a.mov(eax, ebp)?;
        a.call(self.examine.observe)?;
        a.cmp(byte_ptr(variable::FOUND + field::KIND), kind::SECTOR)?;
        a.jne(bad)?;
        a.cmp(dword_ptr(variable::FOUND + field::NUMBER), ebp)?;
        a.jne(bad)?;
        a.inc(dword_ptr(variable::INTACT))?;
        a.jmp(known)?;
        a.set_label(&mut bad)?;
        a.cmp(dword_ptr(variable::FIRST_BAD), NOTHING)?;
        a.jne(known)?;
        a.mov(dword_ptr(variable::FIRST_BAD), ebp)?;
        a.mov(si, u32::from(variable::FOUND))?;
        a.mov(di, u32::from(variable::FOUND_BAD))?;
        a.mov(cx, u32::from(field::BYTES))?;
        a.rep().movsb()?;
        a.set_label(&mut known)?;
        a.inc(ebp)?;
        a.cmp(ebp, dword_ptr(constant(table::IMAGE)))?;
        a.jb(next)?;

        self.begin()?;
        self.text("sweep=")?;
        self.a.mov(eax, dword_ptr(constant(table::STRUCTURED)))?;
        self.a.call(self.line.put_decimal)?;
        self.text("-")?;
        self.a.lea(eax, ptr(ebp - 1))?;
        self.a.call(self.line.put_decimal)?;
        self.text(" intact=")?;
        self.a.mov(eax, dword_ptr(variable::INTACT))?;
        self.a.call(self.line.put_decimal)?;
        self.a.cmp(dword_ptr(variable::FIRST_BAD), NOTHING)?;
        self.a.je(done)?;
        self.text(" first-bad=")?;
        self.a.mov(eax, dword_ptr(variable::FIRST_BAD))?;
        self.a.call(self.line.put_decimal)?;
        self.a.mov(bx, u32::from(variable::FOUND_BAD))?;
        self.a.call(self.examine.put_found)?;
        self.a.set_label(&mut done)?;
        self.end()?;
        // The end line follows: the label has an instruction to stand at.
        self.a.set_label(&mut nothing)
    }
}
