//! 32-bit x86.

use iced_x86::{IcedError, code_asm::*};

use super::{Argument, Condition, Machine, Operand, Passed, Place, Width};
use crate::probe::{AssembleError, serial};

/// Points to `.data`. A function that is called keeps it (UEFI §2.3.2.3).
const BASE: AsmRegister32 = ebx;

/// The firmware configuration device's selector; its data port is the next.
const FW_CFG: u32 = 0x510;

/// EAX is the accumulator. The first error stays, and comes out at the end.
pub(crate) struct Ia32 {
    a: CodeAssembler,
    places: Vec<CodeLabel>,
    outcome: Result<(), IcedError>,
}

impl Ia32 {
    pub(crate) fn new() -> Result<Self, AssembleError> {
        Ok(Self {
            a: CodeAssembler::new(32)?,
            places: Vec::new(),
            outcome: Ok(()),
        })
    }

    fn put(&mut self, emit: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>) {
        if self.outcome.is_ok() {
            self.outcome = emit(&mut self.a);
        }
    }

    fn label(&self, place: Place) -> CodeLabel {
        self.places.get(place).copied().unwrap_or_default()
    }

    /// Finds `.data` after so many bytes of code.
    fn find_data(&mut self, after: i32, data_bytes: u32, passed: Passed) {
        self.put(|a| {
            let mut next = a.create_label();
            let call = 5;
            a.call(next)?;
            a.set_label(&mut next)?;
            a.pop(BASE)?;
            a.sub(BASE, data_bytes as i32 + after + call)?;
            a.mov(eax, dword_ptr(esp + 4))?;
            a.mov(dword_ptr(BASE + passed.image_handle), eax)?;
            a.mov(eax, dword_ptr(esp + 8))?;
            a.mov(dword_ptr(BASE + passed.system_table), eax)
        });
    }

    /// ECX = operand.
    fn operand(&mut self, operand: Operand) {
        self.put(|a| match operand {
            Operand::Value(value) => a.mov(ecx, value),
            Operand::Int(at) | Operand::Word(at) => a.mov(ecx, dword_ptr(BASE + at)),
        });
    }
}

impl Machine for Ia32 {
    const POINTER: u32 = 4;

    fn place(&mut self) -> Place {
        let label = self.a.create_label();
        self.places.push(label);
        self.places.len() - 1
    }

    fn here(&mut self, place: Place) {
        if let Some(label) = self.places.get_mut(place)
            && self.outcome.is_ok()
        {
            // The assembler takes one label an instruction.
            self.outcome = self.a.set_label(label).and_then(|()| self.a.nop());
        }
    }

    fn begin(&mut self, data_bytes: u32, passed: Passed) {
        self.find_data(0, data_bytes, passed);
    }

    fn enter(&mut self, data_bytes: u32, passed: Passed, callers: u32) {
        self.put(|a| a.mov(ecx, BASE));
        self.find_data(2, data_bytes, passed);
        self.put(|a| a.mov(dword_ptr(BASE + callers), ecx));
    }

    fn leave(&mut self, error: u32, callers: u32) {
        // The highest bit marks an error.
        self.put(|a| {
            a.mov(eax, 1 << 31 | error)?;
            a.mov(BASE, dword_ptr(BASE + callers))?;
            a.ret()
        });
    }

    fn set_up_serial(&mut self) {
        self.put(|a| {
            a.pushfd()?;
            a.cli()?;
            serial::set_up(a)?;
            a.popfd()
        });
    }

    fn set(&mut self, value: u32) {
        self.put(|a| a.mov(eax, value));
    }

    fn load(&mut self, width: Width, at: u32) {
        self.put(|a| match width {
            Width::One => a.movzx(eax, byte_ptr(BASE + at)),
            Width::Two => a.movzx(eax, word_ptr(BASE + at)),
            Width::Four | Width::Word => a.mov(eax, dword_ptr(BASE + at)),
        });
    }

    fn store(&mut self, width: Width, at: u32) {
        self.put(|a| match width {
            Width::One => a.mov(byte_ptr(BASE + at), al),
            Width::Two => a.mov(word_ptr(BASE + at), ax),
            Width::Four | Width::Word => a.mov(dword_ptr(BASE + at), eax),
        });
    }

    fn address(&mut self, at: u32) {
        self.put(|a| a.lea(eax, ptr(BASE + at)));
    }

    fn peek(&mut self, width: Width, offset: u32) {
        self.put(|a| match width {
            Width::One => a.movzx(eax, byte_ptr(eax + offset)),
            Width::Two => a.movzx(eax, word_ptr(eax + offset)),
            Width::Four | Width::Word => a.mov(eax, dword_ptr(eax + offset)),
        });
    }

    fn poke(&mut self, width: Width, pointer: u32) {
        self.put(|a| {
            a.mov(ecx, dword_ptr(BASE + pointer))?;
            match width {
                Width::One => a.mov(byte_ptr(ecx), al),
                Width::Two => a.mov(word_ptr(ecx), ax),
                Width::Four | Width::Word => a.mov(dword_ptr(ecx), eax),
            }
        });
    }

    fn add(&mut self, operand: Operand) {
        self.operand(operand);
        self.put(|a| a.add(eax, ecx));
    }

    fn subtract(&mut self, operand: Operand) {
        self.operand(operand);
        self.put(|a| a.sub(eax, ecx));
    }

    fn and(&mut self, operand: Operand) {
        self.operand(operand);
        self.put(|a| a.and(eax, ecx));
    }

    fn or(&mut self, operand: Operand) {
        self.operand(operand);
        self.put(|a| a.or(eax, ecx));
    }

    fn xor(&mut self, operand: Operand) {
        self.operand(operand);
        self.put(|a| a.xor(eax, ecx));
    }

    fn shift_left(&mut self, bits: u8) {
        self.put(|a| a.shl(eax, u32::from(bits)));
    }

    fn shift_right(&mut self, bits: u8) {
        self.put(|a| a.shr(eax, u32::from(bits)));
    }

    fn divide(&mut self, by: u32, remainder: u32) {
        self.put(|a| {
            a.mov(ecx, by)?;
            a.xor(edx, edx)?;
            a.div(ecx)?;
            a.mov(dword_ptr(BASE + remainder), edx)
        });
    }

    fn branch(&mut self, condition: Condition, operand: Operand, place: Place) {
        self.operand(operand);
        let to = self.label(place);
        self.put(|a| {
            a.cmp(eax, ecx)?;
            match condition {
                Condition::Equal => a.je(to),
                Condition::Unequal => a.jne(to),
                Condition::Below => a.jb(to),
                Condition::AtLeast => a.jae(to),
                Condition::Above => a.ja(to),
            }
        });
    }

    fn jump(&mut self, place: Place) {
        let to = self.label(place);
        self.put(|a| a.jmp(to));
    }

    fn call(&mut self, place: Place) {
        let to = self.label(place);
        self.put(|a| a.call(to));
    }

    fn give_back(&mut self) {
        self.put(|a| a.ret());
    }

    fn firmware(&mut self, arguments: &[Argument]) {
        // cdecl; a number of 64 bits is two.
        let words = arguments.iter().map(|argument| match argument {
            Argument::Wide(_) | Argument::WideValue(_) => 2,
            _ => 1,
        });
        let words: u32 = words.sum();
        self.put(|a| {
            // Aligned as the calling convention wants it, whoever called.
            a.push(ebp)?;
            a.mov(ebp, esp)?;
            a.and(esp, -16)?;
            a.sub(esp, (words.next_multiple_of(4) * 4) as i32)?;
            let mut at = 0;
            for argument in arguments {
                let slot = dword_ptr(esp + at);
                match *argument {
                    Argument::Word(from) | Argument::Wide(from) => {
                        a.mov(ecx, dword_ptr(BASE + from))?;
                        a.mov(slot, ecx)?;
                    }
                    Argument::Address(of) => {
                        a.lea(ecx, ptr(BASE + of))?;
                        a.mov(slot, ecx)?;
                    }
                    Argument::Value(value) | Argument::WideValue(value) => {
                        a.mov(ecx, value)?;
                        a.mov(slot, ecx)?;
                    }
                }
                at += 4;
                if matches!(argument, Argument::Wide(_) | Argument::WideValue(_)) {
                    a.mov(dword_ptr(esp + at), 0)?;
                    at += 4;
                }
            }
            a.call(eax)?;
            a.mov(esp, ebp)?;
            a.pop(ebp)
        });
    }

    fn interrupts_off(&mut self, flags: u32) {
        self.put(|a| {
            a.pushfd()?;
            a.pop(ecx)?;
            a.mov(dword_ptr(BASE + flags), ecx)?;
            a.cli()
        });
    }

    fn interrupts_back(&mut self, flags: u32) {
        self.put(|a| {
            a.push(dword_ptr(BASE + flags))?;
            a.popfd()
        });
    }

    fn send(&mut self, to_debug_port: u32) {
        self.put(|a| {
            let mut end = a.create_label();
            serial::put_byte(a)?;
            a.cmp(byte_ptr(BASE + to_debug_port), 0)?;
            a.je(end)?;
            serial::put_debug_byte(a)?;
            a.set_label(&mut end)?;
            a.nop()
        });
    }

    fn signal(&mut self) {
        self.put(serial::put_debug_byte);
    }

    fn select(&mut self) {
        self.put(|a| {
            a.mov(dx, FW_CFG)?;
            a.out(dx, ax)
        });
    }

    fn fetch(&mut self) {
        self.put(|a| {
            a.mov(dx, FW_CFG + 1)?;
            a.in_(al, dx)?;
            a.movzx(eax, al)
        });
    }

    fn halt(&mut self, _line: u32, _end: u32) {
        self.put(serial::halt);
    }

    fn finish(mut self) -> Result<Vec<u8>, AssembleError> {
        self.outcome?;
        Ok(self.a.assemble(0x1000)?)
    }
}
