//! A small machine, in whose instructions a UEFI application is written once for several processors: each has its own file, with the instructions in its own.
//!
//! The machine has one register, the accumulator, and variables in `.data`, which are known by their offsets. It is slow.

mod aarch64;
mod ia32;

pub(crate) use self::{aarch64::Aarch64, ia32::Ia32};
use crate::probe::AssembleError;

/// A table's header, in system table and boot services alike (UEFI §4.2).
const HEADER: u32 = 24;

/// How many bytes a value has in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    One,
    Two,
    Four,
    /// A pointer's.
    Word,
}

/// A second operand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operand {
    /// This number.
    Value(u32),
    /// The variable of four bytes at this offset in `.data`.
    Int(u32),
    /// The variable of a pointer's width there.
    Word(u32),
}

/// How the accumulator compares with an operand, both without a sign.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Condition {
    Equal,
    Unequal,
    Below,
    AtLeast,
    Above,
}

/// What a function of the firmware is called with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument {
    /// The variable of a pointer's width at this offset.
    Word(u32),
    /// The address of what stands at this offset.
    Address(u32),
    /// A number of a pointer's width.
    Value(u32),
    /// A number of 64 bits: the variable of a pointer's width at this offset.
    Wide(u32),
    /// A number of 64 bits.
    WideValue(u32),
}

/// Where the two arguments of a UEFI application are kept: variables of a pointer's width.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passed {
    pub(crate) image_handle: u32,
    pub(crate) system_table: u32,
}

/// A place in the code.
pub(crate) type Place = usize;

/// A processor, as a program needs it. Its code may clobber every register but the one that points to `.data`.
pub(crate) trait Machine {
    /// How many bytes a pointer has.
    const POINTER: u32;

    /// A place that is not known yet.
    fn place(&mut self) -> Place;
    /// Which is here.
    fn here(&mut self, place: Place);

    /// Finds `.data`, which stands right before the code and has so many bytes, and keeps there what the firmware passed.
    fn begin(&mut self, data_bytes: u32, passed: Passed);
    /// The same of a program that returns: keeps in a variable what its caller wants to have again.
    fn enter(&mut self, data_bytes: u32, passed: Passed, callers: u32);
    /// Returns to the firmware with an error, after [`Machine::enter`].
    fn leave(&mut self, error: u32, callers: u32);
    /// Makes the serial line ready.
    fn set_up_serial(&mut self);
    /// Accumulator = number.
    fn set(&mut self, value: u32);
    /// Accumulator = the variable at an offset, without a sign.
    fn load(&mut self, width: Width, at: u32);
    /// The variable at an offset = accumulator.
    fn store(&mut self, width: Width, at: u32);
    /// Accumulator = the address of what stands at an offset.
    fn address(&mut self, at: u32);
    /// Accumulator = what stands at the address in the accumulator, and an offset.
    fn peek(&mut self, width: Width, offset: u32);
    /// What stands at the address in a variable = accumulator.
    fn poke(&mut self, width: Width, pointer: u32);
    fn add(&mut self, operand: Operand);
    fn subtract(&mut self, operand: Operand);
    fn and(&mut self, operand: Operand);
    fn or(&mut self, operand: Operand);
    fn xor(&mut self, operand: Operand);
    fn shift_left(&mut self, bits: u8);
    fn shift_right(&mut self, bits: u8);
    /// Accumulator = quotient, the variable of four bytes = remainder; of numbers of 32 bits.
    fn divide(&mut self, by: u32, remainder: u32);
    /// Goes to a place if the accumulator compares so.
    fn branch(&mut self, condition: Condition, operand: Operand, place: Place);
    fn jump(&mut self, place: Place);
    fn call(&mut self, place: Place);
    fn give_back(&mut self);
    /// Calls the firmware's function at the address in the accumulator, which then is its status.
    fn firmware(&mut self, arguments: &[Argument]);
    /// Keeps interrupts off, and lets them come again as before: a variable keeps how that was.
    fn interrupts_off(&mut self, flags: u32);
    fn interrupts_back(&mut self, flags: u32);
    /// The accumulator's byte to the serial line, and to the debug port too if there is one and the variable says so.
    fn send(&mut self, to_debug_port: u32);
    /// The accumulator's byte to the debug port, or to the serial line where there is none.
    fn signal(&mut self);
    /// Selects the item of QEMU's firmware configuration device whose key is the accumulator (QEMU, `docs/specs/fw_cfg.rst`).
    fn select(&mut self);
    /// Accumulator = the item's next byte.
    fn fetch(&mut self);
    /// Halts for ever. Who looks at the registers finds the last line, and its end by a variable, where that can be found out in no other way.
    fn halt(&mut self, line: u32, end: u32);

    /// The offset of what stands behind so many pointers.
    fn pointers(before: u32, count: u32) -> u32 {
        before + count * Self::POINTER
    }

    /// The offset of a boot service, by that in 64-bit firmware.
    fn service(wide: u32) -> u32 {
        Self::pointers(HEADER, (wide - HEADER) / 8)
    }

    /// The offset of the boot services in the system table: the header, two of the vendor's words, and six pointers; the vendor's revision is padded where pointers
    /// have 64 bits.
    fn boot_services() -> u32 {
        Self::pointers(HEADER, 9)
    }

    /// The code, all places known.
    fn finish(self) -> Result<Vec<u8>, AssembleError>;
}
