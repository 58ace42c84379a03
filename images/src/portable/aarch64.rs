//! AArch64 in QEMU's machine `virt`. Encodings: Arm Architecture Reference Manual (DDI 0487), C6.2.

use super::{Argument, Condition, Machine, Operand, Passed, Place, Width};
use crate::probe::AssembleError;

/// Points to `.data`. A function that is called keeps it (AAPCS64).
const BASE: u32 = 19;
/// The accumulator, and registers beside it.
const ACCUMULATOR: u32 = 9;
const OTHER: u32 = 10;
const THIRD: u32 = 11;
const FOURTH: u32 = 12;
const LINK: u32 = 30;
/// Zero as a source, nowhere as a destination.
const ZERO: u32 = 31;

/// The PL011 of QEMU's machine `virt` (`hw/arm/virt.c`, `VIRT_UART`), and its flags: bit 5 is TXFF.
const UART: u32 = 0x0900_0000;
const UART_FLAGS: u32 = 0x18;

/// The firmware configuration device of that machine (`VIRT_FW_CFG`): its data register, and its selector, which is big-endian.
const FW_CFG: u32 = 0x0902_0000;
const FW_CFG_SELECTOR: u32 = 8;

/// A branch whose place is not known yet.
#[derive(Clone, Copy)]
struct Branch {
    at: usize,
    to: Place,
    /// Bits of the distance, and where they stand.
    bits: u32,
    shift: u32,
}

#[derive(Default)]
pub(crate) struct Aarch64 {
    code: Vec<u32>,
    places: Vec<Option<usize>>,
    branches: Vec<Branch>,
}

impl Aarch64 {
    fn put(&mut self, instruction: u32) {
        self.code.push(instruction);
    }

    fn branch_to(&mut self, instruction: u32, to: Place, bits: u32, shift: u32) {
        self.branches.push(Branch {
            at: self.code.len(),
            to,
            bits,
            shift,
        });
        self.put(instruction);
    }

    /// MOVZ and MOVK.
    fn number(&mut self, register: u32, value: u32) {
        self.put(0xD280_0000 | (value & 0xFFFF) << 5 | register);
        if value > 0xFFFF {
            self.put(0xF2A0_0000 | (value >> 16) << 5 | register);
        }
    }

    /// LDR and STR with an offset that is a multiple of the width.
    fn memory(&mut self, width: Width, is_load: bool, register: u32, base: u32, offset: u32) {
        let (opcode, scale) = match width {
            Width::One => (0x3900_0000, 0),
            Width::Two => (0x7900_0000, 1),
            Width::Four => (0xB900_0000, 2),
            Width::Word => (0xF900_0000, 3),
        };
        let load = u32::from(is_load) << 22;
        self.put(opcode | load | (offset >> scale) << 10 | base << 5 | register);
    }

    fn operand(&mut self, operand: Operand) {
        match operand {
            Operand::Value(value) => self.number(OTHER, value),
            Operand::Int(at) => self.memory(Width::Four, true, OTHER, BASE, at),
            Operand::Word(at) => self.memory(Width::Word, true, OTHER, BASE, at),
        }
    }

    /// An instruction on three registers.
    fn compute(&mut self, opcode: u32, to: u32, one: u32, other: u32) {
        self.put(opcode | other << 16 | one << 5 | to);
    }

    fn with(&mut self, opcode: u32, operand: Operand) {
        self.operand(operand);
        self.compute(opcode, ACCUMULATOR, ACCUMULATOR, OTHER);
    }

    fn move_to(&mut self, to: u32, from: u32) {
        self.compute(ORR, to, ZERO, from);
    }

    fn address_in(&mut self, register: u32, at: u32) {
        self.number(register, at);
        self.compute(ADD, register, BASE, register);
    }

    /// ADR of the code's start, and back over `.data`, which is a number of pages.
    fn find_data(&mut self, data_bytes: u32, passed: Passed) {
        let back = u32::try_from(self.code.len()).map_or(0, u32::wrapping_neg);
        self.put(0x1000_0000 | (back & 0x7_FFFF) << 5 | BASE);
        self.put(0xD140_0000 | (data_bytes >> 12) << 10 | BASE << 5 | BASE);
        self.memory(Width::Word, false, 0, BASE, passed.image_handle);
        self.memory(Width::Word, false, 1, BASE, passed.system_table);
    }

    /// The link register, around what is called.
    fn around(&mut self, call: impl FnOnce(&mut Self)) {
        // STR x30, [sp, #-16]! and LDR x30, [sp], #16.
        self.put(0xF81F_0FE0 | LINK);
        call(self);
        self.put(0xF841_07E0 | LINK);
    }
}

const ADD: u32 = 0x8B00_0000;
const SUB: u32 = 0xCB00_0000;
const SUBS: u32 = 0xEB00_0000;
const AND: u32 = 0x8A00_0000;
const ORR: u32 = 0xAA00_0000;
const EOR: u32 = 0xCA00_0000;
const UDIV: u32 = 0x9AC0_0800;

impl Machine for Aarch64 {
    const POINTER: u32 = 8;

    fn place(&mut self) -> Place {
        self.places.push(None);
        self.places.len() - 1
    }

    fn here(&mut self, place: Place) {
        let at = self.code.len();
        if let Some(place) = self.places.get_mut(place) {
            *place = Some(at);
        }
    }

    fn begin(&mut self, data_bytes: u32, passed: Passed) {
        self.find_data(data_bytes, passed);
    }

    fn enter(&mut self, data_bytes: u32, passed: Passed, callers: u32) {
        self.move_to(ACCUMULATOR, BASE);
        self.find_data(data_bytes, passed);
        self.store(Width::Word, callers);
    }

    fn leave(&mut self, error: u32, callers: u32) {
        self.number(0, error);
        // MOVK: the highest bit marks an error.
        self.put(0xF2E0_0000 | 0x8000 << 5);
        self.memory(Width::Word, true, BASE, BASE, callers);
        self.give_back();
    }

    // The firmware's console is on it.
    fn set_up_serial(&mut self) {}

    fn set(&mut self, value: u32) {
        self.number(ACCUMULATOR, value);
    }

    fn load(&mut self, width: Width, at: u32) {
        self.memory(width, true, ACCUMULATOR, BASE, at);
    }

    fn store(&mut self, width: Width, at: u32) {
        self.memory(width, false, ACCUMULATOR, BASE, at);
    }

    fn address(&mut self, at: u32) {
        self.address_in(ACCUMULATOR, at);
    }

    fn peek(&mut self, width: Width, offset: u32) {
        // The offset need not be a multiple of the width: a device path's nodes are packed.
        self.number(OTHER, offset);
        self.compute(ADD, ACCUMULATOR, ACCUMULATOR, OTHER);
        self.memory(width, true, ACCUMULATOR, ACCUMULATOR, 0);
    }

    fn poke(&mut self, width: Width, pointer: u32) {
        self.memory(Width::Word, true, OTHER, BASE, pointer);
        self.memory(width, false, ACCUMULATOR, OTHER, 0);
    }

    fn add(&mut self, operand: Operand) {
        self.with(ADD, operand);
    }

    fn subtract(&mut self, operand: Operand) {
        self.with(SUB, operand);
    }

    fn and(&mut self, operand: Operand) {
        self.with(AND, operand);
    }

    fn or(&mut self, operand: Operand) {
        self.with(ORR, operand);
    }

    fn xor(&mut self, operand: Operand) {
        self.with(EOR, operand);
    }

    fn shift_left(&mut self, bits: u8) {
        let bits = u32::from(bits);
        self.put(
            0xD340_0000 | (64 - bits) << 16 | (63 - bits) << 10 | ACCUMULATOR << 5 | ACCUMULATOR,
        );
    }

    fn shift_right(&mut self, bits: u8) {
        self.put(0xD340_FC00 | u32::from(bits) << 16 | ACCUMULATOR << 5 | ACCUMULATOR);
    }

    fn divide(&mut self, by: u32, remainder: u32) {
        self.number(OTHER, by);
        self.compute(UDIV, THIRD, ACCUMULATOR, OTHER);
        // MSUB: what is left of the accumulator.
        self.put(0x9B00_8000 | OTHER << 16 | ACCUMULATOR << 10 | THIRD << 5 | FOURTH);
        self.memory(Width::Four, false, FOURTH, BASE, remainder);
        self.move_to(ACCUMULATOR, THIRD);
    }

    fn branch(&mut self, condition: Condition, operand: Operand, place: Place) {
        let condition = match condition {
            Condition::Equal => 0,
            Condition::Unequal => 1,
            Condition::AtLeast => 2,
            Condition::Below => 3,
            Condition::Above => 8,
        };
        self.operand(operand);
        self.compute(SUBS, ZERO, ACCUMULATOR, OTHER);
        self.branch_to(0x5400_0000 | condition, place, 19, 5);
    }

    fn jump(&mut self, place: Place) {
        self.branch_to(0x1400_0000, place, 26, 0);
    }

    fn call(&mut self, place: Place) {
        self.around(|it| it.branch_to(0x9400_0000, place, 26, 0));
    }

    fn give_back(&mut self) {
        self.put(0xD65F_0000 | LINK << 5);
    }

    fn firmware(&mut self, arguments: &[Argument]) {
        for (register, &argument) in (0..).zip(arguments) {
            match argument {
                Argument::Word(at) | Argument::Wide(at) => {
                    self.memory(Width::Word, true, register, BASE, at);
                }
                Argument::Address(at) => self.address_in(register, at),
                Argument::Value(value) | Argument::WideValue(value) => self.number(register, value),
            }
        }
        self.around(|it| it.put(0xD63F_0000 | ACCUMULATOR << 5));
        self.move_to(ACCUMULATOR, 0);
    }

    fn interrupts_off(&mut self, flags: u32) {
        // MRS DAIF; MSR DAIFSet, #2.
        self.put(0xD53B_4220 | OTHER);
        self.memory(Width::Word, false, OTHER, BASE, flags);
        self.put(0xD503_42DF);
    }

    fn interrupts_back(&mut self, flags: u32) {
        self.memory(Width::Word, true, OTHER, BASE, flags);
        self.put(0xD51B_4220 | OTHER);
    }

    fn send(&mut self, _to_debug_port: u32) {
        self.signal();
    }

    fn signal(&mut self) {
        self.number(OTHER, UART);
        let full = self.place();
        self.here(full);
        self.memory(Width::Four, true, THIRD, OTHER, UART_FLAGS);
        // TBNZ bit 5.
        self.branch_to(0x3728_0000 | THIRD, full, 14, 5);
        self.memory(Width::One, false, ACCUMULATOR, OTHER, 0);
    }

    fn select(&mut self) {
        self.number(OTHER, FW_CFG);
        // REV16.
        self.put(0xDAC0_0400 | ACCUMULATOR << 5 | THIRD);
        self.memory(Width::Two, false, THIRD, OTHER, FW_CFG_SELECTOR);
    }

    fn fetch(&mut self) {
        self.number(OTHER, FW_CFG);
        self.memory(Width::One, true, ACCUMULATOR, OTHER, 0);
    }

    fn halt(&mut self, line: u32, end: u32) {
        // There is no second channel, and so x0 has the last line and x1 its end.
        self.address_in(0, line);
        self.memory(Width::Word, true, 1, BASE, end);
        // MSR DAIFSet, #15; WFI; B.
        self.put(0xD503_4FDF);
        let again = self.place();
        self.here(again);
        self.put(0xD503_207F);
        self.jump(again);
    }

    fn finish(mut self) -> Result<Vec<u8>, AssembleError> {
        for branch in &self.branches {
            let place = self.places.get(branch.to).copied().flatten();
            let distance = place
                .and_then(|place| i32::try_from(place).ok())
                .zip(i32::try_from(branch.at).ok())
                .map(|(place, at)| place - at)
                .ok_or_else(|| AssembleError::Plan("a branch leads nowhere".to_owned()))?;
            let reach = 1 << (branch.bits - 1);
            if !(-reach..reach).contains(&distance) {
                return Err(AssembleError::TooLarge {
                    part: "the UEFI application",
                    bytes: self.code.len() * 4,
                    max: 4 << (branch.bits - 1),
                });
            }
            let mask = (1_u32 << branch.bits) - 1;
            if let Some(instruction) = self.code.get_mut(branch.at) {
                *instruction |= (distance.cast_unsigned() & mask) << branch.shift;
            }
        }
        Ok(self
            .code
            .iter()
            .flat_map(|code| code.to_le_bytes())
            .collect())
    }
}
