//! The first stage: from the first sector, wherever that was loaded, to stage 2 at 0000:0600.

use iced_x86::{BlockEncoderOptions, code_asm::*};

use super::{
    disk::{Disk, Reads},
    drive::{Drive, ERROR_NO_STAGE2},
    line,
    memory::{STACK_TOP, STAGE2_AT, STAGE2_BEGINS},
    variable,
};
use crate::probe::{AssembleError, protocol, serial};
use crate::units::{VIRTUAL_SECTOR_BYTES, VIRTUAL_SECTORS_PER_BLOCK};

pub(super) fn assemble(
    drive: Drive,
    offset: u16,
    stage2_at: u32,
    stage2_sectors: u16,
) -> Result<Vec<u8>, AssembleError> {
    // The entry address is what CALL pushes less what comes before it: known after a first pass.
    let (mut a, pushed) = emit(drive, offset, stage2_at, stage2_sectors)?;
    let pushed = offset_of(&mut a, &pushed)?;
    let before = u16::try_from(pushed)
        .unwrap_or(u16::MAX)
        .saturating_add(offset);
    let (mut a, _) = emit(drive, before, stage2_at, stage2_sectors)?;
    Ok(a.assemble(0)?)
}

/// The code, and the label whose address it takes for the entry address plus `before`.
fn emit(
    drive: Drive,
    before: u16,
    stage2_at: u32,
    stage2_sectors: u16,
) -> Result<(CodeAssembler, CodeLabel), AssembleError> {
    let a = &mut CodeAssembler::new(16)?;
    let mut here = a.create_label();
    let mut attempt = a.create_label();
    let mut next = a.create_label();
    let mut loaded = a.create_label();
    let mut fail = a.create_label();
    let mut put = a.create_label();
    let mut put_hex_digit = a.create_label();
    let mut put_text = a.create_label();
    let mut disk = Disk::new(a);

    a.cli()?;
    a.cld()?;
    a.xor(ax, ax)?;
    a.mov(ss, ax)?;
    a.mov(sp, u32::from(STACK_TOP))?;
    a.mov(ds, ax)?;
    a.mov(es, ax)?;
    // Where the code runs is the firmware's choice: 0000:7C00, 07C0:0000, any load segment.
    a.call(here)?;
    a.set_label(&mut here)?;
    a.pop(ax)?;
    a.sub(ax, u32::from(before))?;
    a.mov(byte_ptr(variable::DRIVE), dl)?;
    a.mov(word_ptr(variable::ENTRY_CS), cs)?;
    a.mov(word_ptr(variable::ENTRY_IP), ax)?;
    a.sti()?;
    a.call(disk.open)?;
    a.jc(fail)?;

    // Stage 2 stands sector by sector; or, where a master has put each virtual sector into a block of its own, block by
    // block (KB912666). From there it can say what it reads in the place of what.
    a.xor(ebx, ebx)?;
    a.inc(bx)?;
    a.set_label(&mut attempt)?;
    a.imul_3(eax, ebx, i32::from_le_bytes(stage2_at.to_le_bytes()))?;
    a.mov(di, u32::from(STAGE2_AT))?;
    a.mov(cx, u32::from(stage2_sectors))?;
    a.set_label(&mut next)?;
    a.push(eax)?;
    a.call(disk.read)?;
    a.jc(fail)?;
    a.pop(eax)?;
    a.add(eax, ebx)?;
    a.push(cx)?;
    a.mov(cx, VIRTUAL_SECTOR_BYTES as u32 / 4)?;
    a.rep().movsd()?;
    a.pop(cx)?;
    a.loop_(next)?;
    a.cmp(byte_ptr(STAGE2_AT), u32::from(STAGE2_BEGINS))?;
    a.je(loaded)?;
    a.shl(bl, VIRTUAL_SECTORS_PER_BLOCK.trailing_zeros())?;
    a.cmp(bl, VIRTUAL_SECTORS_PER_BLOCK as i32)?;
    a.je(attempt)?;
    a.mov(ah, u32::from(ERROR_NO_STAGE2))?;
    a.jmp(fail)?;
    a.set_label(&mut loaded)?;
    a.push(0)?;
    a.push(u32::from(STAGE2_AT))?;
    a.retf()?;

    disk.emit_read(a, drive, Reads::Single)?;

    a.set_label(&mut fail)?;
    a.cli()?;
    a.mov(bl, ah)?;
    serial::set_up(a)?;
    a.call(put_text)?;
    a.db(format!("\r\n{}\0", protocol::STAGE1_FAILURE).as_bytes())?;
    a.mov(al, bl)?;
    a.shr(al, 4)?;
    a.call(put_hex_digit)?;
    a.mov(al, bl)?;
    a.and(al, 0x0F)?;
    a.call(put_hex_digit)?;
    a.call(put_text)?;
    a.db(b"\r\n\0")?;
    serial::halt(a)?;

    let mut character = a.create_label();
    let mut end = a.create_label();
    a.set_label(&mut put_text)?;
    a.pop(si)?;
    a.set_label(&mut character)?;
    // The text stands in the code, and DS is 0 while CS need not be.
    a.mov(al, byte_ptr(si).cs())?;
    a.inc(si)?;
    a.test(al, al)?;
    a.je(end)?;
    a.call(put)?;
    a.jmp(character)?;
    a.set_label(&mut end)?;
    a.push(si)?;
    a.ret()?;

    a.set_label(&mut put_hex_digit)?;
    line::hex_digit(a)?;
    a.set_label(&mut put)?;
    serial::put_byte(a)?;
    serial::put_debug_byte(a)?;
    a.ret()?;
    Ok((std::mem::replace(a, CodeAssembler::new(16)?), here))
}

/// Where `label` came to stand.
fn offset_of(a: &mut CodeAssembler, label: &CodeLabel) -> Result<u64, AssembleError> {
    let result = a.assemble_options(0, BlockEncoderOptions::RETURN_NEW_INSTRUCTION_OFFSETS)?;
    Ok(result.label_ip(label)?)
}
