//! Reading virtual sectors through INT 13h, in both stages.

use iced_x86::{IcedError, code_asm::*};

use super::{
    drive::{Drive, ERROR_BEYOND_CHS, ERROR_NO_GEOMETRY},
    memory::{ADDRESS_PACKET, BUFFER, PACKET, PACKET_BYTES, TABLE},
    variable,
};
use crate::{
    eltorito::{BOOT_RECORD_LBA, ENTRY_BYTES},
    probe::{AssembleError, table},
    units::{VIRTUAL_SECTOR_BYTES, VIRTUAL_SECTORS_PER_BLOCK},
};

/// The drive that a BIOS boots a disk as. A CD without emulation has a number above it (El Torito §2.2: 81h to FFh).
const FIRST_DISK: u32 = 0x80;

/// How much one call of the firmware reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// One sector or one block, to [`BUFFER`]: all that stage 1 has room for.
    Single,
    /// As many as [`variable::RUN`] says, to [`variable::BUFFER_AT`]: for stage 2.
    Runs,
}

/// Entry points of the routines.
pub(super) struct Disk {
    /// INT 13h with DL the boot drive. Preserves DS and ES, which some firmware does not.
    pub(super) int13: CodeLabel,
    /// Learns what `read` needs. Carry: failed, AH = code. Clobbers EAX, BX, CX, DX, SI.
    pub(super) open: CodeLabel,
    /// Brings virtual sector EAX: SI = its 512 bytes. Asks the firmware only for what is not in the
    /// buffer. Carry: failed, AH = code. Preserves the rest but EAX.
    pub(super) read: CodeLabel,
    /// Asks for the specification packet. Carry: failed, AH = code. Clobbers AX, CX, DX, SI.
    pub(super) packet: CodeLabel,
    /// Asks for the geometry. Carry: failed, AH = code. CX, DX as the firmware gave them.
    pub(super) geometry: CodeLabel,
}

impl Disk {
    pub(super) fn new(a: &mut CodeAssembler) -> Self {
        Self {
            int13: a.create_label(),
            open: a.create_label(),
            read: a.create_label(),
            packet: a.create_label(),
            geometry: a.create_label(),
        }
    }

    /// What both stages need to read from `drive`.
    pub(super) fn emit_read(
        &mut self,
        a: &mut CodeAssembler,
        drive: Drive,
        reads: Reads,
    ) -> Result<(), AssembleError> {
        let mut present = a.create_label();
        let mut failed = a.create_label();
        let mut single = a.create_label();
        self.emit_int13(a)?;
        match drive {
            Drive::Emulated => self.emit_geometry(a)?,
            Drive::NoEmulation => self.emit_packet(a)?,
            Drive::Disk => {}
        }
        self.emit_open(a, drive, reads)?;

        a.set_label(&mut self.read)?;
        a.pushad()?;
        a.mov(ebx, eax)?;
        a.sub(ebx, dword_ptr(variable::BUFFERED))?;
        a.cmp(ebx, dword_ptr(variable::BUFFERED_COUNT))?;
        a.jb(present)?;
        a.mov(dword_ptr(variable::BUFFERED_COUNT), 0)?;
        match drive {
            Drive::Emulated => self.emit_fill_by_chs(a, reads, failed)?,
            Drive::NoEmulation if reads == Reads::Runs => {
                let mut by_sector = a.create_label();
                a.cmp(byte_ptr(variable::DRIVE), FIRST_DISK)?;
                a.je(by_sector)?;
                self.emit_fill_by_block(a, reads, failed)?;
                a.jmp(present)?;
                a.set_label(&mut by_sector)?;
                self.emit_fill_by_sector(a, reads, failed)?;
            }
            Drive::NoEmulation => self.emit_fill_by_block(a, reads, failed)?,
            Drive::Disk => self.emit_fill_by_sector(a, reads, failed)?,
        }
        a.set_label(&mut present)?;
        a.popad()?;
        a.sub(eax, dword_ptr(variable::BUFFERED))?;
        a.shl(ax, VIRTUAL_SECTOR_BYTES.trailing_zeros())?;
        a.mov(si, ax)?;
        match reads {
            Reads::Single => a.add(si, u32::from(BUFFER))?,
            Reads::Runs => a.add(si, word_ptr(variable::BUFFER_AT))?,
        }
        a.clc()?;
        a.ret()?;

        a.set_label(&mut failed)?;
        a.popad()?;
        if reads == Reads::Runs {
            // Which sector of the run failed is found one by one.
            a.cmp(byte_ptr(variable::RUN), 1)?;
            a.je(single)?;
            a.mov(byte_ptr(variable::RUN), 1)?;
            a.jmp(self.read)?;
            a.set_label(&mut single)?;
        }
        a.mov(ah, byte_ptr(variable::ERROR))?;
        a.stc()?;
        Ok(a.ret()?)
    }

    /// What only stage 2 asks for, about a drive that it does not read that way.
    pub(super) fn emit_rest(
        &mut self,
        a: &mut CodeAssembler,
        drive: Drive,
    ) -> Result<(), IcedError> {
        match drive {
            Drive::Emulated => self.emit_packet(a),
            Drive::NoEmulation => self.emit_geometry(a),
            Drive::Disk => {
                self.emit_packet(a)?;
                self.emit_geometry(a)
            }
        }
    }

    fn emit_int13(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        a.set_label(&mut self.int13)?;
        a.push(ds)?;
        a.push(es)?;
        a.mov(dl, byte_ptr(variable::DRIVE))?;
        a.int(0x13)?;
        a.pop(es)?;
        a.pop(ds)?;
        a.ret()
    }

    fn emit_geometry(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        a.set_label(&mut self.geometry)?;
        // ES:DI = 0 guards against firmware that reads the parameter table it should return there.
        a.push(di)?;
        a.xor(di, di)?;
        a.mov(ah, 8)?;
        a.call(self.int13)?;
        a.pop(di)?;
        a.ret()
    }

    fn emit_packet(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        a.set_label(&mut self.packet)?;
        a.push(di)?;
        // Zeros first: what the firmware leaves out must not look reported.
        a.mov(di, u32::from(PACKET))?;
        a.mov(cx, u32::from(PACKET_BYTES))?;
        a.xor(ax, ax)?;
        a.rep().stosb()?;
        a.pop(di)?;
        a.mov(si, u32::from(PACKET))?;
        a.mov(byte_ptr(si), u32::from(PACKET_BYTES))?;
        a.mov(ax, 0x4B01)?;
        a.call(self.int13)?;
        a.ret()
    }

    fn emit_open(
        &mut self,
        a: &mut CodeAssembler,
        drive: Drive,
        reads: Reads,
    ) -> Result<(), AssembleError> {
        let mut failed = a.create_label();
        let mut on_cd = a.create_label();
        let mut open = a.create_label();
        a.set_label(&mut self.open)?;
        a.mov(dword_ptr(variable::BUFFERED_COUNT), 0)?;
        match drive {
            Drive::Emulated => {
                a.call(self.geometry)?;
                a.jc(failed)?;
                a.movzx(ax, dh)?;
                a.inc(ax)?;
                a.mov(word_ptr(variable::HEADS), ax)?;
                a.and(cx, 0x3F)?;
                a.mov(word_ptr(variable::SECTORS_PER_TRACK), cx)?;
            }
            Drive::NoEmulation => {
                if reads == Reads::Runs {
                    a.cmp(byte_ptr(variable::DRIVE), FIRST_DISK)?;
                    a.jne(on_cd)?;
                    a.mov(byte_ptr(variable::RUN), 1)?;
                    a.mov(word_ptr(variable::BUFFER_AT), u32::from(BUFFER))?;
                    self.emit_find_image(a, failed)?;
                    a.jmp(open)?;
                    a.set_label(&mut on_cd)?;
                }
                a.call(self.packet)?;
                a.jc(failed)?;
                a.mov(eax, dword_ptr(PACKET + 4))?;
                a.mov(dword_ptr(variable::IMAGE_AT), eax)?;
                if reads == Reads::Runs {
                    a.set_label(&mut open)?;
                }
            }
            Drive::Disk => self.emit_find_image(a, failed)?,
        }
        // Carry is as the firmware left it: clear, but the arithmetic above may have changed it.
        a.clc()?;
        a.set_label(&mut failed)?;
        Ok(a.ret()?)
    }

    /// Follows the boot record to the catalog, and its initial entry to the image.
    fn emit_find_image(
        &mut self,
        a: &mut CodeAssembler,
        failed: CodeLabel,
    ) -> Result<(), IcedError> {
        let in_block = VIRTUAL_SECTORS_PER_BLOCK as u32;
        let record = BOOT_RECORD_LBA.get() as u32 * in_block;
        a.mov(dword_ptr(variable::IMAGE_AT), 0)?;
        a.mov(eax, record)?;
        // Of the boot record the catalog's address, of the catalog the initial entry's load RBA.
        for address in [0x47, ENTRY_BYTES as i32 + 8] {
            a.call(self.read)?;
            a.jc(failed)?;
            a.mov(eax, dword_ptr(si + address))?;
            a.shl(eax, in_block.trailing_zeros())?;
        }
        a.mov(dword_ptr(variable::IMAGE_AT), eax)?;
        a.mov(dword_ptr(variable::BUFFERED_COUNT), 0)
    }

    /// The buffer will begin with sector EAX. BX = how many to read at once: up to the next multiple of
    /// [`variable::RUN`], and not past the image, where there may be nothing to read.
    fn emit_run(&self, a: &mut CodeAssembler, reads: Reads) -> Result<(), IcedError> {
        let mut known = a.create_label();
        a.mov(dword_ptr(variable::BUFFERED), eax)?;
        if reads == Reads::Single {
            return a.mov(bx, 1);
        }
        a.movzx(ebx, byte_ptr(variable::RUN))?;
        a.mov(cx, bx)?;
        a.dec(cx)?;
        a.and(cx, ax)?;
        a.sub(bx, cx)?;
        a.mov(ecx, dword_ptr(TABLE + table::IMAGE))?;
        a.sub(ecx, eax)?;
        a.jbe(known)?;
        a.cmp(ebx, ecx)?;
        a.jbe(known)?;
        a.mov(bx, cx)?;
        // The caller goes on with an instruction.
        a.set_label(&mut known)
    }

    /// Fills the buffer from sector EAX on, not past the end of its track.
    fn emit_fill_by_chs(
        &mut self,
        a: &mut CodeAssembler,
        reads: Reads,
        failed: CodeLabel,
    ) -> Result<(), IcedError> {
        let mut in_track = a.create_label();
        self.emit_run(a, reads)?;
        a.mov(byte_ptr(variable::ERROR), u32::from(ERROR_NO_GEOMETRY))?;
        a.movzx(ecx, word_ptr(variable::SECTORS_PER_TRACK))?;
        a.jcxz(failed)?;
        a.xor(edx, edx)?;
        a.div(ecx)?;
        if reads == Reads::Runs {
            a.sub(cx, dx)?;
            a.cmp(bx, cx)?;
            a.jbe(in_track)?;
            a.mov(bx, cx)?;
            a.set_label(&mut in_track)?;
        }
        a.inc(dx)?;
        a.push(dx)?;
        a.xor(edx, edx)?;
        a.movzx(ecx, word_ptr(variable::HEADS))?;
        a.div(ecx)?;
        a.pop(cx)?;
        a.mov(byte_ptr(variable::ERROR), u32::from(ERROR_BEYOND_CHS))?;
        a.cmp(eax, 1023)?;
        a.ja(failed)?;
        // CH = cylinder's low eight bits, CL = its high two above the sector, DH = head.
        a.mov(ch, al)?;
        a.shl(ah, 6)?;
        a.or(cl, ah)?;
        a.mov(dh, dl)?;
        a.push(bx)?;
        a.mov(ah, 2)?;
        a.mov(al, bl)?;
        self.emit_buffer(a, reads)?;
        a.call(self.int13)?;
        a.pop(bx)?;
        a.mov(byte_ptr(variable::ERROR), ah)?;
        a.jc(failed)?;
        a.mov(byte_ptr(variable::BUFFERED_COUNT), bl)
    }

    /// Fills the buffer from the block that sector EAX lies in.
    fn emit_fill_by_block(
        &mut self,
        a: &mut CodeAssembler,
        reads: Reads,
        failed: CodeLabel,
    ) -> Result<(), IcedError> {
        let in_block = VIRTUAL_SECTORS_PER_BLOCK as i32;
        a.and(eax, -in_block)?;
        self.emit_run(a, reads)?;
        a.shr(eax, in_block.trailing_zeros())?;
        a.add(eax, dword_ptr(variable::IMAGE_AT))?;
        a.add(bx, in_block - 1)?;
        a.shr(bx, in_block.trailing_zeros())?;
        self.emit_extended_read(a, reads, failed)?;
        a.shl(bx, in_block.trailing_zeros())?;
        a.mov(byte_ptr(variable::BUFFERED_COUNT), bl)
    }

    /// Fills the buffer from sector EAX on.
    fn emit_fill_by_sector(
        &mut self,
        a: &mut CodeAssembler,
        reads: Reads,
        failed: CodeLabel,
    ) -> Result<(), IcedError> {
        self.emit_run(a, reads)?;
        a.add(eax, dword_ptr(variable::IMAGE_AT))?;
        self.emit_extended_read(a, reads, failed)?;
        a.mov(byte_ptr(variable::BUFFERED_COUNT), bl)
    }

    /// Reads BX of the drive's own sectors from EAX on. Preserves BX.
    fn emit_extended_read(
        &mut self,
        a: &mut CodeAssembler,
        reads: Reads,
        failed: CodeLabel,
    ) -> Result<(), IcedError> {
        // Disk address packet: 10h bytes, BX sectors, to 0000:buffer, from the 64-bit address at 8.
        a.mov(si, u32::from(ADDRESS_PACKET))?;
        a.mov(word_ptr(si), 0x10)?;
        a.mov(word_ptr(si + 2), bx)?;
        a.push(bx)?;
        self.emit_buffer(a, reads)?;
        a.mov(word_ptr(si + 4), bx)?;
        a.mov(word_ptr(si + 6), 0)?;
        a.mov(dword_ptr(si + 8), eax)?;
        a.mov(dword_ptr(si + 12), 0)?;
        a.mov(ah, 0x42)?;
        a.call(self.int13)?;
        a.pop(bx)?;
        a.mov(byte_ptr(variable::ERROR), ah)?;
        a.jc(failed)
    }

    /// BX = where to read to, in segment 0.
    fn emit_buffer(&self, a: &mut CodeAssembler, reads: Reads) -> Result<(), IcedError> {
        match reads {
            Reads::Single => a.mov(bx, u32::from(BUFFER)),
            Reads::Runs => a.mov(bx, word_ptr(variable::BUFFER_AT)),
        }
    }
}
