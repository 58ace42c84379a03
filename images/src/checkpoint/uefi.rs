//! The UEFI application, for `-kernel`: OVMF runs it when it has connected all devices, before it looks for what to boot
//! (`PlatformBootManagerAfterConsole`).

use iced_x86::{IcedError, code_asm::*};

use super::fw_cfg;
use crate::{
    portable_executable::portable_executable,
    probe::AssembleError,
    uefi::{self, block_io, boot_services, loaded_image, status, system_table},
};

/// QEMU takes a kernel for one with four setup sectors where the file does not say how many, and refuses a file that is
/// shorter (`hw/i386/x86.c: x86_load_linux`).
pub(super) const FILE_BYTES_MIN: usize = 4096;

const DATA_BYTES: u32 = 0x1000;

/// Offsets in `.data`, which R15 points to. It begins with [`GUIDS`].
mod variable {
    pub(super) const BLOCK_IO: u32 = 0x00;
    pub(super) const LOADED_IMAGE: u32 = 0x10;
    pub(super) const SIMPLE_FILE_SYSTEM: u32 = 0x20;
    pub(super) const COUNT: u32 = 0x30;
    pub(super) const HANDLES: u32 = 0x38;
    pub(super) const INTERFACE: u32 = 0x40;
    pub(super) const IMAGE_HANDLE: u32 = 0x48;
}
const GUIDS: [[u8; 16]; 3] = [uefi::BLOCK_IO, uefi::LOADED_IMAGE, uefi::SIMPLE_FILE_SYSTEM];

/// The registers that a UEFI application must preserve (UEFI §2.3.4.2) and this one uses.
const SAVED: [AsmRegister64; 5] = [rbx, r12, r13, r14, r15];
/// Room for the callee's four arguments and a fifth. With the return address and what is saved it keeps the stack aligned to 16.
const FRAME: i32 = 0x30;

/// An x86-64 UEFI application. It returns `EFI_NOT_FOUND`, as if there were nothing to run, and the firmware goes on as always.
pub(super) fn application() -> Result<Vec<u8>, AssembleError> {
    let mut a = CodeAssembler::new(64)?;
    emit(&mut a)?;
    // Position-independent: any address gives the same bytes.
    let code = a.assemble(0x1000)?;
    let mut file = portable_executable(GUIDS.as_flattened(), DATA_BYTES, &code)?;
    file.resize(file.len().max(FILE_BYTES_MIN), 0);
    Ok(file)
}

fn emit(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let mut entry = a.create_label();
    a.set_label(&mut entry)?;
    for register in SAVED {
        a.push(register)?;
    }
    a.sub(rsp, FRAME)?;
    a.lea(r15, ptr(entry))?;
    a.sub(r15, DATA_BYTES as i32)?;
    a.mov(qword_ptr(r15 + variable::IMAGE_HANDLE), rcx)?;
    a.mov(rbx, qword_ptr(rdx + system_table::BOOT_SERVICES))?;

    hide_own_file_system(a)?;
    find_block_devices(a)?;
    for_each_handle(a, disconnect_unless_partition)?;
    fw_cfg_wait_keeping_rbx(a)?;
    for_each_handle(a, connect)?;

    a.mov(rcx, r13)?;
    a.call(qword_ptr(rbx + boot_services::FREE_POOL))?;
    // The highest bit marks an error.
    a.mov(eax, status::NOT_FOUND)?;
    a.bts(rax, 63)?;
    a.add(rsp, FRAME)?;
    for register in SAVED.into_iter().rev() {
        a.pop(register)?;
    }
    a.ret()
}

/// The file system that QEMU's kernel comes from would be one more thing to boot from (`UEFI Non-Block Boot Device`): takes it away.
fn hide_own_file_system(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let mut done = a.create_label();
    a.mov(rcx, qword_ptr(r15 + variable::IMAGE_HANDLE))?;
    protocol(a, variable::LOADED_IMAGE)?;
    a.jne(done)?;
    a.mov(rax, qword_ptr(r15 + variable::INTERFACE))?;
    a.mov(r14, qword_ptr(rax + loaded_image::DEVICE_HANDLE))?;
    a.mov(rcx, r14)?;
    protocol(a, variable::SIMPLE_FILE_SYSTEM)?;
    a.jne(done)?;
    a.mov(rcx, r14)?;
    a.lea(rdx, ptr(r15 + variable::SIMPLE_FILE_SYSTEM))?;
    a.mov(r8, qword_ptr(r15 + variable::INTERFACE))?;
    a.call(qword_ptr(rbx + boot_services::UNINSTALL_PROTOCOL_INTERFACE))?;
    a.set_label(&mut done)?;
    a.nop()
}

/// The protocol whose GUID is at `guid`, on the handle RCX, into [`variable::INTERFACE`]. Not equal: there is none.
fn protocol(a: &mut CodeAssembler, guid: u32) -> Result<(), IcedError> {
    a.lea(rdx, ptr(r15 + guid))?;
    a.lea(r8, ptr(r15 + variable::INTERFACE))?;
    a.call(qword_ptr(rbx + boot_services::HANDLE_PROTOCOL))?;
    a.test(rax, rax)
}

/// R13 = every handle with block I/O, R12 = how many.
fn find_block_devices(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let mut found = a.create_label();
    a.mov(ecx, uefi::BY_PROTOCOL)?;
    a.lea(rdx, ptr(r15 + variable::BLOCK_IO))?;
    a.xor(r8d, r8d)?;
    a.lea(r9, ptr(r15 + variable::COUNT))?;
    a.lea(rax, ptr(r15 + variable::HANDLES))?;
    a.mov(qword_ptr(rsp + 0x20), rax)?;
    a.call(qword_ptr(rbx + boot_services::LOCATE_HANDLE_BUFFER))?;
    a.mov(r12, qword_ptr(r15 + variable::COUNT))?;
    a.mov(r13, qword_ptr(r15 + variable::HANDLES))?;
    a.test(rax, rax)?;
    a.je(found)?;
    a.xor(r12d, r12d)?;
    // The next instruction is there.
    a.set_label(&mut found)
}

/// Runs `body` with R14 = 0 … R12 − 1.
fn for_each_handle(
    a: &mut CodeAssembler,
    body: impl Fn(&mut CodeAssembler) -> Result<(), IcedError>,
) -> Result<(), IcedError> {
    let mut next = a.create_label();
    let mut done = a.create_label();
    a.xor(r14d, r14d)?;
    a.set_label(&mut next)?;
    a.cmp(r14, r12)?;
    a.jae(done)?;
    body(a)?;
    a.inc(r14)?;
    a.jmp(next)?;
    a.set_label(&mut done)?;
    a.nop()
}

/// Takes every driver off the device, and with them whatever they know of the medium. A partition goes with its device, so its handle is dropped; by
/// the time that its turn comes it may be no handle any more.
fn disconnect_unless_partition(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let mut drop = a.create_label();
    let mut done = a.create_label();
    a.mov(rcx, qword_ptr(r13 + r14 * 8))?;
    protocol(a, variable::BLOCK_IO)?;
    a.jne(drop)?;
    a.mov(rax, qword_ptr(r15 + variable::INTERFACE))?;
    a.mov(rax, qword_ptr(rax + block_io::MEDIA))?;
    a.cmp(byte_ptr(rax + block_io::LOGICAL_PARTITION), 0)?;
    a.jne(drop)?;
    a.mov(rcx, qword_ptr(r13 + r14 * 8))?;
    a.xor(edx, edx)?;
    a.xor(r8d, r8d)?;
    a.call(qword_ptr(rbx + boot_services::DISCONNECT_CONTROLLER))?;
    a.jmp(done)?;
    a.set_label(&mut drop)?;
    a.mov(qword_ptr(r13 + r14 * 8), 0)?;
    a.set_label(&mut done)?;
    a.nop()
}

/// Lets the drivers have the device again, and all that they find on it.
fn connect(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let mut dropped = a.create_label();
    a.mov(rcx, qword_ptr(r13 + r14 * 8))?;
    a.test(rcx, rcx)?;
    a.je(dropped)?;
    a.xor(edx, edx)?;
    a.xor(r8d, r8d)?;
    // Recursively: partitions and file systems too.
    a.mov(r9d, 1)?;
    a.call(qword_ptr(rbx + boot_services::CONNECT_CONTROLLER))?;
    a.set_label(&mut dropped)?;
    a.nop()
}

fn fw_cfg_wait_keeping_rbx(a: &mut CodeAssembler) -> Result<(), IcedError> {
    a.push(rbx)?;
    fw_cfg::wait_for_host(a)?;
    a.pop(rbx)
}
