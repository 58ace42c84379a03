//! The application itself: asks the firmware, reads the planned sectors, reports.

use iced_x86::{IcedError, code_asm::*};

use super::{blocks::Blocks, line::Line, variable};
use crate::{
    probe::{
        AssembleError, ProbePlan,
        found::{field, kind},
        protocol, sector, serial, table,
    },
    uefi::{
        self, block_io, boot_services, device_path, device_path_to_text, file, loaded_image,
        simple_file_system, status, system_table,
    },
};

/// Where the firmware looks for the loader on removable media (UEFI §3.5.1.1), as the probe reports it.
pub const LOADER_PATH: &str = "\\EFI\\BOOT\\BOOTX64.EFI";

/// Longest text of a path in a line, in characters: leaves room for the other fields.
const PATH_CHARACTERS_MAX: u32 = (protocol::LINE_BYTES_MAX - 128) as u32;

/// As many sectors as the buffer holds.
const RUN_MAX: u32 = variable::BUFFER_BYTES / sector::BYTES as u32;

pub(super) fn assemble(plan: &ProbePlan) -> Result<Vec<u8>, AssembleError> {
    let mut probe = Probe::new()?;
    probe.emit(plan)?;
    // Position-independent: any address gives the same bytes.
    Ok(probe.a.assemble(0x1000)?)
}

struct Probe {
    a: CodeAssembler,
    line: Line,
    blocks: Blocks,
    /// Calls `HandleProtocol` on RCX with the GUID at RDX. RAX = interface; carry: failed, AL = code.
    handle_protocol: CodeLabel,
}

impl Probe {
    fn new() -> Result<Self, IcedError> {
        let mut a = CodeAssembler::new(64)?;
        Ok(Self {
            line: Line::new(&mut a),
            blocks: Blocks::new(&mut a),
            handle_protocol: a.create_label(),
            a,
        })
    }

    fn emit(&mut self, plan: &ProbePlan) -> Result<(), IcedError> {
        self.emit_set_up()?;
        self.begin()?;
        self.text(&format!("begin=uefi disc={} slot={}", plan.disc, plan.slot))?;
        self.end()?;
        self.report_path()?;
        self.report_media()?;
        self.read_in_runs_of(1)?;
        self.report_checks()?;
        if plan.sweep {
            self.read_in_runs_of(RUN_MAX)?;
            self.report_area()?;
            self.report_sweep()?;
        }
        self.report_file()?;
        self.begin()?;
        self.text("end=ok")?;
        self.a.mov(byte_ptr(r15 + variable::TO_DEBUG_PORT), 1)?;
        self.end()?;
        serial::halt(&mut self.a)?;
        self.emit_handle_protocol()?;
        self.line.emit(&mut self.a)?;
        self.blocks.emit(&mut self.a, &mut self.line)?;
        self.line.emit_pool(&mut self.a)
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

    /// Ends a part at `label`, whatever follows: the assembler takes one label an instruction.
    fn land(&mut self, label: &mut CodeLabel) -> Result<(), IcedError> {
        self.a.set_label(label)?;
        self.a.nop()
    }

    /// Puts `text` and the 64-bit number that `load` brings to RAX.
    fn number(
        &mut self,
        text: &str,
        load: impl Fn(&mut CodeAssembler) -> Result<(), IcedError>,
    ) -> Result<(), IcedError> {
        self.text(text)?;
        load(&mut self.a)?;
        self.a.call(self.line.put_decimal)
    }

    /// Puts `text` and the code in AL.
    fn error(&mut self, text: &str) -> Result<(), IcedError> {
        self.a.push(rax)?;
        self.text(text)?;
        self.a.pop(rax)?;
        self.a.call(self.line.put_hex8)
    }

    /// Where every sector is read anyway, a call for each would be most of the time.
    fn read_in_runs_of(&mut self, sectors: u32) -> Result<(), IcedError> {
        self.a.mov(dword_ptr(r15 + variable::BUFFERED_COUNT), 0)?;
        self.a.mov(dword_ptr(r15 + variable::RUN), sectors)
    }

    fn emit_set_up(&mut self) -> Result<(), IcedError> {
        let a = &mut self.a;
        let mut entry = a.create_label();
        a.set_label(&mut entry)?;
        a.lea(r15, ptr(entry))?;
        a.sub(r15, variable::DATA_BYTES as i32)?;
        a.mov(qword_ptr(r15 + variable::IMAGE_HANDLE), rcx)?;
        a.mov(rax, qword_ptr(rdx + system_table::BOOT_SERVICES))?;
        a.mov(qword_ptr(r15 + variable::BOOT_SERVICES), rax)?;
        a.pushfq()?;
        a.cli()?;
        serial::set_up(a)?;
        // The first line must not continue one of the firmware's.
        for byte in *b"\r\n" {
            a.mov(al, u32::from(byte))?;
            serial::put_byte(a)?;
        }
        a.popfq()
    }

    fn emit_handle_protocol(&mut self) -> Result<(), IcedError> {
        let mut failed = self.a.create_label();
        self.a.set_label(&mut self.handle_protocol)?;
        self.a.lea(r8, ptr(r15 + variable::INTERFACE))?;
        self.a.mov(rax, qword_ptr(r15 + variable::BOOT_SERVICES))?;
        self.a
            .mov(rax, qword_ptr(rax + boot_services::HANDLE_PROTOCOL))?;
        self.a.call(self.blocks.call)?;
        self.a.jne(failed)?;
        self.a.mov(rax, qword_ptr(r15 + variable::INTERFACE))?;
        self.a.clc()?;
        self.a.ret()?;
        self.a.set_label(&mut failed)?;
        self.a.stc()?;
        self.a.ret()
    }

    /// The protocol `guid` on the handle in `handle`. RAX = interface; carry: failed, AL = code.
    fn protocol_of(&mut self, handle: u32, guid: [u8; 16]) -> Result<(), IcedError> {
        let guid = self.line.constant(&mut self.a, guid.to_vec());
        self.a.mov(rcx, qword_ptr(r15 + handle))?;
        self.a.lea(rdx, ptr(guid))?;
        self.a.call(self.handle_protocol)
    }

    /// The device path that the image was loaded from, as text and node by node.
    fn report_path(&mut self) -> Result<(), IcedError> {
        let mut failed = self.a.create_label();
        let mut no_memory = self.a.create_label();
        let nodes = self.a.create_label();
        let mut done = self.a.create_label();
        self.protocol_of(variable::IMAGE_HANDLE, uefi::LOADED_IMAGE_DEVICE_PATH)?;
        // RBX stays the path, 0 when there is none.
        self.a.mov(ebx, 0)?;
        self.a.jc(failed)?;
        self.a.mov(rbx, rax)?;
        let guid = self
            .line
            .constant(&mut self.a, uefi::DEVICE_PATH_TO_TEXT.to_vec());
        self.a.lea(rcx, ptr(guid))?;
        self.a.xor(edx, edx)?;
        self.a.lea(r8, ptr(r15 + variable::INTERFACE))?;
        self.a.mov(rax, qword_ptr(r15 + variable::BOOT_SERVICES))?;
        self.a
            .mov(rax, qword_ptr(rax + boot_services::LOCATE_PROTOCOL))?;
        self.a.call(self.blocks.call)?;
        self.a.jne(failed)?;
        // Neither for display only nor with shortcuts: every field of every node.
        self.a.mov(rax, qword_ptr(r15 + variable::INTERFACE))?;
        self.a.mov(
            rax,
            qword_ptr(rax + device_path_to_text::CONVERT_DEVICE_PATH),
        )?;
        self.a.mov(rcx, rbx)?;
        self.a.xor(edx, edx)?;
        self.a.xor(r8d, r8d)?;
        self.a.call(self.blocks.call)?;
        self.a.je(no_memory)?;
        self.a.push(rax)?;
        self.begin()?;
        self.text("path=")?;
        self.a.pop(rsi)?;
        self.a.mov(ecx, PATH_CHARACTERS_MAX)?;
        self.a.call(self.line.put_wide)?;
        self.end()?;
        self.a.jmp(nodes)?;

        self.a.set_label(&mut no_memory)?;
        self.a.mov(al, status::OUT_OF_RESOURCES)?;
        self.a.set_label(&mut failed)?;
        self.a.push(rax)?;
        self.begin()?;
        self.a.pop(rax)?;
        self.error("path-error=")?;
        self.end()?;
        self.a.test(rbx, rbx)?;
        self.a.je(done)?;
        self.report_nodes(nodes)?;
        self.land(&mut done)
    }

    /// The media nodes of the path at RBX. `node` is where this begins.
    fn report_nodes(&mut self, mut node: CodeLabel) -> Result<(), IcedError> {
        let mut next = self.a.create_label();
        let mut end = self.a.create_label();
        let mut hard_drive = self.a.create_label();
        let mut cdrom = self.a.create_label();
        let mut file_path = self.a.create_label();
        self.a.set_label(&mut node)?;
        self.a
            .cmp(byte_ptr(rbx + device_path::TYPE), device_path::TYPE_END)?;
        self.a.je(end)?;
        self.a
            .cmp(byte_ptr(rbx + device_path::TYPE), device_path::TYPE_MEDIA)?;
        self.a.jne(next)?;
        self.a.mov(al, byte_ptr(rbx + device_path::SUBTYPE))?;
        self.a.cmp(al, device_path::HARD_DRIVE)?;
        self.a.je(hard_drive)?;
        self.a.cmp(al, device_path::CDROM)?;
        self.a.je(cdrom)?;
        self.a.cmp(al, device_path::FILE_PATH)?;
        self.a.je(file_path)?;
        self.a.jmp(next)?;

        self.a.set_label(&mut hard_drive)?;
        self.begin()?;
        self.number("hd-partition=", |a| {
            a.mov(eax, dword_ptr(rbx + device_path::HARD_DRIVE_PARTITION))
        })?;
        self.number(" hd-start=", |a| {
            a.mov(rax, qword_ptr(rbx + device_path::HARD_DRIVE_START))
        })?;
        self.number(" hd-blocks=", |a| {
            a.mov(rax, qword_ptr(rbx + device_path::HARD_DRIVE_BLOCKS))
        })?;
        self.number(" hd-signature-type=", |a| {
            a.movzx(eax, byte_ptr(rbx + device_path::HARD_DRIVE_SIGNATURE_TYPE))
        })?;
        self.end()?;
        self.a.jmp(next)?;

        self.a.set_label(&mut cdrom)?;
        self.begin()?;
        self.number("cdrom-entry=", |a| {
            a.mov(eax, dword_ptr(rbx + device_path::CDROM_ENTRY))
        })?;
        self.number(" cdrom-start=", |a| {
            a.mov(rax, qword_ptr(rbx + device_path::CDROM_START))
        })?;
        self.number(" cdrom-blocks=", |a| {
            a.mov(rax, qword_ptr(rbx + device_path::CDROM_BLOCKS))
        })?;
        self.end()?;
        self.a.jmp(next)?;

        self.a.set_label(&mut file_path)?;
        self.begin()?;
        self.text("loader-path=")?;
        self.a.movzx(ecx, word_ptr(rbx + device_path::LENGTH))?;
        self.a.sub(ecx, device_path::HEADER_BYTES as i32)?;
        self.a.shr(ecx, 1)?;
        self.a.mov(eax, PATH_CHARACTERS_MAX)?;
        self.a.cmp(ecx, eax)?;
        self.a.cmova(ecx, eax)?;
        self.a.lea(rsi, ptr(rbx + device_path::HEADER_BYTES))?;
        self.a.call(self.line.put_wide)?;
        self.end()?;

        self.a.set_label(&mut next)?;
        self.a.movzx(eax, word_ptr(rbx + device_path::LENGTH))?;
        self.a.add(rbx, rax)?;
        // A node shorter than its header would never end.
        self.a.cmp(eax, device_path::HEADER_BYTES)?;
        self.a.jae(node)?;
        self.land(&mut end)
    }

    /// The block I/O of the device that the image was loaded from.
    fn report_media(&mut self) -> Result<(), IcedError> {
        let mut failed = self.a.create_label();
        let mut done = self.a.create_label();
        self.protocol_of(variable::IMAGE_HANDLE, uefi::LOADED_IMAGE)?;
        self.a.jc(failed)?;
        self.a
            .mov(rax, qword_ptr(rax + loaded_image::DEVICE_HANDLE))?;
        self.a.mov(qword_ptr(r15 + variable::DEVICE_HANDLE), rax)?;
        self.protocol_of(variable::DEVICE_HANDLE, uefi::BLOCK_IO)?;
        self.a.jc(failed)?;
        self.a.mov(qword_ptr(r15 + variable::BLOCK_IO), rax)?;
        self.a.mov(rbx, qword_ptr(rax + block_io::MEDIA))?;
        self.a.mov(qword_ptr(r15 + variable::MEDIA), rbx)?;
        self.begin()?;
        self.number("block-size=", |a| {
            a.mov(eax, dword_ptr(rbx + block_io::BLOCK_SIZE))
        })?;
        self.number(" last-block=", |a| {
            a.mov(rax, qword_ptr(rbx + block_io::LAST_BLOCK))
        })?;
        for (text, flag) in [
            (" removable=", block_io::REMOVABLE),
            (" read-only=", block_io::READ_ONLY),
            (" partition=", block_io::LOGICAL_PARTITION),
            (" media-present=", block_io::PRESENT),
        ] {
            self.number(text, |a| a.movzx(eax, byte_ptr(rbx + flag)))?;
        }
        self.end()?;
        self.a.jmp(done)?;
        self.a.set_label(&mut failed)?;
        self.a.mov(qword_ptr(r15 + variable::BLOCK_STATUS), rax)?;
        self.begin()?;
        self.a.mov(al, byte_ptr(r15 + variable::BLOCK_STATUS))?;
        self.error("block-error=")?;
        self.end()?;
        self.land(&mut done)
    }

    fn report_checks(&mut self) -> Result<(), IcedError> {
        let mut next = self.a.create_label();
        let mut done = self.a.create_label();
        self.a.lea(r12, ptr(r15 + u32::from(table::CHECKS)))?;
        self.a
            .movzx(r13d, word_ptr(r15 + u32::from(table::CHECK_COUNT)))?;
        self.a.set_label(&mut next)?;
        self.a.test(r13d, r13d)?;
        self.a.je(done)?;
        self.begin()?;
        self.text("check=")?;
        self.a.lea(rsi, ptr(r12 + u32::from(table::CHECK_NAME)))?;
        self.a.call(self.line.put_text)?;
        self.number(" sector=", |a| a.mov(eax, dword_ptr(r12)))?;
        // A check asks the firmware, even for a block that is still there.
        self.a.mov(dword_ptr(r15 + variable::BUFFERED_COUNT), 0)?;
        self.a.mov(eax, dword_ptr(r12))?;
        self.a.call(self.blocks.observe)?;
        self.a.lea(rbx, ptr(r15 + variable::FOUND))?;
        self.a.call(self.blocks.put_found)?;
        self.end()?;
        self.a.add(r12, i32::from(table::CHECK_BYTES))?;
        self.a.dec(r13d)?;
        self.a.jmp(next)?;
        self.land(&mut done)
    }

    fn report_area(&mut self) -> Result<(), IcedError> {
        let mut next = self.a.create_label();
        let mut whole = self.a.create_label();
        let mut unreadable = self.a.create_label();
        let mut done = self.a.create_label();
        self.begin()?;
        self.number("area=", |a| {
            a.mov(eax, dword_ptr(r15 + u32::from(table::STRUCTURED)))
        })?;
        self.a.xor(r12d, r12d)?;
        self.a.mov(r13d, 0xFFFF)?;
        self.a.set_label(&mut next)?;
        self.a
            .cmp(r12d, dword_ptr(r15 + u32::from(table::STRUCTURED)))?;
        self.a.jae(whole)?;
        self.a.mov(eax, r12d)?;
        self.a.call(self.blocks.read)?;
        self.a.jc(unreadable)?;
        self.a.mov(ecx, sector::BYTES as u32)?;
        self.a.mov(eax, r13d)?;
        self.a.call(self.line.crc)?;
        self.a.mov(r13d, eax)?;
        self.a.inc(r12d)?;
        self.a.jmp(next)?;

        self.a.set_label(&mut whole)?;
        self.text(" crc=")?;
        self.a.mov(eax, r13d)?;
        self.a.call(self.line.put_hex16)?;
        self.a.jmp(done)?;
        self.a.set_label(&mut unreadable)?;
        self.error(" error=")?;
        self.number(" at=", |a| a.mov(eax, r12d))?;
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
        // R12 = sector, R13 = intact ones, R14 = first bad one, all ones when none is.
        a.mov(r12d, dword_ptr(r15 + u32::from(table::STRUCTURED)))?;
        a.xor(r13d, r13d)?;
        a.mov(r14, -1_i64)?;
        a.cmp(r12d, dword_ptr(r15 + u32::from(table::IMAGE)))?;
        a.jae(nothing)?;
        a.set_label(&mut next)?;
        a.mov(eax, r12d)?;
        a.call(self.blocks.observe)?;
        a.lea(rsi, ptr(r15 + variable::FOUND))?;
        a.cmp(byte_ptr(rsi + u32::from(field::KIND)), kind::SECTOR)?;
        a.jne(bad)?;
        a.cmp(dword_ptr(rsi + u32::from(field::NUMBER)), r12d)?;
        a.jne(bad)?;
        a.inc(r13d)?;
        a.jmp(known)?;
        a.set_label(&mut bad)?;
        a.cmp(r14, -1)?;
        a.jne(known)?;
        a.mov(r14d, r12d)?;
        a.lea(rdi, ptr(r15 + variable::FOUND_BAD))?;
        a.mov(ecx, u32::from(field::BYTES))?;
        a.rep().movsb()?;
        a.set_label(&mut known)?;
        a.inc(r12d)?;
        a.cmp(r12d, dword_ptr(r15 + u32::from(table::IMAGE)))?;
        a.jb(next)?;

        self.begin()?;
        self.number("sweep=", |a| {
            a.mov(eax, dword_ptr(r15 + u32::from(table::STRUCTURED)))
        })?;
        self.number("-", |a| a.lea(eax, ptr(r12 - 1)))?;
        self.number(" intact=", |a| a.mov(eax, r13d))?;
        self.a.cmp(r14, -1)?;
        self.a.je(done)?;
        self.number(" first-bad=", |a| a.mov(eax, r14d))?;
        self.a.lea(rbx, ptr(r15 + variable::FOUND_BAD))?;
        self.a.call(self.blocks.put_found)?;
        self.a.set_label(&mut done)?;
        self.end()?;
        self.land(&mut nothing)
    }

    /// The loader's file, read back through the simple file system.
    fn report_file(&mut self) -> Result<(), IcedError> {
        let mut next = self.a.create_label();
        let mut whole = self.a.create_label();
        let mut failed = self.a.create_label();
        let mut done = self.a.create_label();
        self.begin()?;
        self.text(&format!("file={LOADER_PATH}"))?;
        self.protocol_of(variable::DEVICE_HANDLE, uefi::SIMPLE_FILE_SYSTEM)?;
        self.a.jc(failed)?;
        self.a.mov(rcx, rax)?;
        self.a.lea(rdx, ptr(r15 + variable::INTERFACE))?;
        self.a
            .mov(rax, qword_ptr(rcx + simple_file_system::OPEN_VOLUME))?;
        self.a.call(self.blocks.call)?;
        self.a.jne(failed)?;
        let path = LOADER_PATH
            .encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect();
        let path = self.line.constant(&mut self.a, path);
        self.a.mov(rcx, qword_ptr(r15 + variable::INTERFACE))?;
        self.a.lea(rdx, ptr(r15 + variable::INTERFACE))?;
        self.a.lea(r8, ptr(path))?;
        self.a.mov(r9d, file::MODE_READ)?;
        self.a.xor(r10d, r10d)?;
        self.a.mov(rax, qword_ptr(rcx + file::OPEN))?;
        self.a.call(self.blocks.call)?;
        self.a.jne(failed)?;

        // RBX = file, R12 = bytes so far, R13 = their CRC.
        self.a.mov(rbx, qword_ptr(r15 + variable::INTERFACE))?;
        self.a.xor(r12d, r12d)?;
        self.a.mov(r13d, 0xFFFF)?;
        self.a.set_label(&mut next)?;
        self.a.mov(
            qword_ptr(r15 + variable::READ_BYTES),
            variable::BUFFER_BYTES as i32,
        )?;
        self.a.mov(rcx, rbx)?;
        self.a.lea(rdx, ptr(r15 + variable::READ_BYTES))?;
        self.a.lea(r8, ptr(r15 + variable::BUFFER))?;
        self.a.mov(rax, qword_ptr(rbx + file::READ))?;
        self.a.call(self.blocks.call)?;
        self.a.jne(failed)?;
        self.a.mov(rcx, qword_ptr(r15 + variable::READ_BYTES))?;
        self.a.test(rcx, rcx)?;
        self.a.je(whole)?;
        self.a.add(r12, rcx)?;
        self.a.lea(rsi, ptr(r15 + variable::BUFFER))?;
        self.a.mov(eax, r13d)?;
        self.a.call(self.line.crc)?;
        self.a.mov(r13d, eax)?;
        self.a.jmp(next)?;

        self.a.set_label(&mut whole)?;
        self.number(" size=", |a| a.mov(rax, r12))?;
        self.text(" crc=")?;
        self.a.mov(eax, r13d)?;
        self.a.call(self.line.put_hex16)?;
        self.a.jmp(done)?;
        self.a.set_label(&mut failed)?;
        self.error(" error=")?;
        self.a.set_label(&mut done)?;
        self.end()
    }
}
