//! Reading virtual sectors through INT 13h, in both stages.

use iced_x86::{IcedError, code_asm::*};

use super::{
    ADDRESS_PACKET, BUFFER, Drive, ERROR_BEYOND_CHS, ERROR_NO_GEOMETRY, PACKET, PACKET_BYTES,
    variable,
};
use crate::units::{VIRTUAL_SECTOR_BYTES, VIRTUAL_SECTORS_PER_BLOCK};

/// As many sectors as the buffer holds: the longest run, a power of two.
pub(super) const RUN_MAX: u32 = VIRTUAL_SECTORS_PER_BLOCK as u32;

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
    ) -> Result<(), IcedError> {
        let mut present = a.create_label();
        let mut failed = a.create_label();
        let mut single = a.create_label();
        self.emit_int13(a)?;
        match drive {
            Drive::Emulated => self.emit_geometry(a)?,
            Drive::NoEmulation => self.emit_packet(a)?,
        }
        self.emit_open(a, drive)?;

        a.set_label(&mut self.read)?;
        a.pushad()?;
        a.mov(ebx, eax)?;
        a.sub(ebx, dword_ptr(variable::BUFFERED))?;
        a.cmp(ebx, dword_ptr(variable::BUFFERED_COUNT))?;
        a.jb(present)?;
        a.mov(dword_ptr(variable::BUFFERED_COUNT), 0)?;
        match drive {
            Drive::Emulated => self.emit_fill_by_chs(a, failed)?,
            Drive::NoEmulation => self.emit_fill_by_block(a, failed)?,
        }
        a.set_label(&mut present)?;
        a.popad()?;
        a.sub(eax, dword_ptr(variable::BUFFERED))?;
        a.shl(ax, VIRTUAL_SECTOR_BYTES.trailing_zeros())?;
        a.mov(si, ax)?;
        a.add(si, u32::from(BUFFER))?;
        a.clc()?;
        a.ret()?;

        // A run may reach past the drive's end: what failed is only told of one sector alone.
        a.set_label(&mut failed)?;
        a.popad()?;
        a.cmp(byte_ptr(variable::RUN), 1)?;
        a.je(single)?;
        a.mov(byte_ptr(variable::RUN), 1)?;
        a.jmp(self.read)?;
        a.set_label(&mut single)?;
        a.mov(ah, byte_ptr(variable::ERROR))?;
        a.stc()?;
        a.ret()
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

    fn emit_open(&mut self, a: &mut CodeAssembler, drive: Drive) -> Result<(), IcedError> {
        let mut failed = a.create_label();
        a.set_label(&mut self.open)?;
        a.mov(dword_ptr(variable::BUFFERED_COUNT), 0)?;
        a.mov(byte_ptr(variable::RUN), 1)?;
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
                a.call(self.packet)?;
                a.jc(failed)?;
                a.mov(eax, dword_ptr(PACKET + 4))?;
                a.mov(dword_ptr(variable::LOAD_RBA), eax)?;
            }
        }
        // Carry is as the firmware left it: clear, but the arithmetic above may have changed it.
        a.clc()?;
        a.set_label(&mut failed)?;
        a.ret()
    }

    /// Fills the buffer from sector EAX on, with as many as [`variable::RUN`] allows up to its next
    /// multiple and the end of the track.
    fn emit_fill_by_chs(
        &mut self,
        a: &mut CodeAssembler,
        failed: CodeLabel,
    ) -> Result<(), IcedError> {
        let mut in_track = a.create_label();
        a.mov(dword_ptr(variable::BUFFERED), eax)?;
        a.movzx(bx, byte_ptr(variable::RUN))?;
        a.mov(cx, bx)?;
        a.dec(cx)?;
        a.and(cx, ax)?;
        a.sub(bx, cx)?;
        a.mov(byte_ptr(variable::ERROR), u32::from(ERROR_NO_GEOMETRY))?;
        a.movzx(ecx, word_ptr(variable::SECTORS_PER_TRACK))?;
        a.jcxz(failed)?;
        a.xor(edx, edx)?;
        a.div(ecx)?;
        a.sub(cx, dx)?;
        a.cmp(bx, cx)?;
        a.jbe(in_track)?;
        a.mov(bx, cx)?;
        a.set_label(&mut in_track)?;
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
        a.mov(bx, u32::from(BUFFER))?;
        a.call(self.int13)?;
        a.pop(bx)?;
        a.mov(byte_ptr(variable::ERROR), ah)?;
        a.jc(failed)?;
        a.mov(byte_ptr(variable::BUFFERED_COUNT), bl)
    }

    /// Fills the buffer with the block that sector EAX lies in.
    fn emit_fill_by_block(
        &mut self,
        a: &mut CodeAssembler,
        failed: CodeLabel,
    ) -> Result<(), IcedError> {
        let in_block = VIRTUAL_SECTORS_PER_BLOCK as i32;
        a.and(eax, -in_block)?;
        a.mov(dword_ptr(variable::BUFFERED), eax)?;
        a.shr(eax, in_block.trailing_zeros())?;
        a.add(eax, dword_ptr(variable::LOAD_RBA))?;
        // Disk address packet: 10h bytes, one block, to 0000:BUFFER, from the 64-bit address at 8.
        a.mov(si, u32::from(ADDRESS_PACKET))?;
        a.mov(dword_ptr(si), 0x0001_0010)?;
        a.mov(dword_ptr(si + 4), u32::from(BUFFER))?;
        a.mov(dword_ptr(si + 8), eax)?;
        a.mov(dword_ptr(si + 12), 0)?;
        a.mov(ah, 0x42)?;
        a.call(self.int13)?;
        a.mov(byte_ptr(variable::ERROR), ah)?;
        a.jc(failed)?;
        a.mov(byte_ptr(variable::BUFFERED_COUNT), in_block)
    }
}
