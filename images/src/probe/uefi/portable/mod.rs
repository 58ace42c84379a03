//! The UEFI probe for processors other than x86-64: one program, in the instructions of a small machine that each processor has its own file for.
//!
//! The machine has one register, the accumulator, and variables in `.data`, which is where [`super`] has them for x86-64. It is slow, and says the same lines.

mod aarch64;
mod ia32;
mod program;

use self::{aarch64::Aarch64, ia32::Ia32, program::Program};
use super::{AssembleError, ProbePlan, variable};
use crate::{boot::Loader, portable_executable::Format, probe::table};

/// How many bytes a value has in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    One,
    Two,
    Four,
    /// A pointer's.
    Word,
}

/// A second operand.
#[derive(Clone, Copy, Debug)]
enum Operand {
    /// This number.
    Value(u32),
    /// The variable of four bytes at this offset in `.data`.
    Int(u32),
    /// The variable of a pointer's width there.
    Word(u32),
}

/// How the accumulator compares with an operand, both without a sign.
#[derive(Clone, Copy, Debug)]
enum Condition {
    Equal,
    Unequal,
    Below,
    AtLeast,
    Above,
}

/// What a function of the firmware is called with.
#[derive(Clone, Copy, Debug)]
enum Argument {
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

/// A place in the code.
type Place = usize;

/// A processor, as the program needs it. Its code may clobber every register but the one that points to `.data`.
trait Machine {
    /// How many bytes a pointer has.
    const POINTER: u32;

    /// A place that is not known yet.
    fn place(&mut self) -> Place;
    /// Which is here.
    fn here(&mut self, place: Place);

    /// Finds `.data`, which stands right before the code, keeps what the firmware passed, and makes the serial line ready.
    fn begin(&mut self);
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
    /// The byte at the address in a variable = accumulator.
    fn poke(&mut self, pointer: u32);
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
    /// Keeps interrupts off, and lets them come again as before.
    fn interrupts_off(&mut self);
    fn interrupts_back(&mut self);
    /// The accumulator's byte to the serial line, and to the debug port too if there is one and the variable says so.
    fn send(&mut self);
    /// Halts for ever. Who looks at the registers finds the last line where that can be found out in no other way.
    fn halt(&mut self);

    /// The code, all places known.
    fn finish(self) -> Result<Vec<u8>, AssembleError>;
}

/// The application for a processor. As [`super::application`].
pub(super) fn application(plan: &ProbePlan, loader: Loader) -> Result<Vec<u8>, AssembleError> {
    let (data, code, format) = match loader {
        Loader::Aa64 => {
            let (data, code) = assemble(plan, loader, Aarch64::default())?;
            (data, code, Format::AARCH64)
        }
        _ => {
            let (data, code) = assemble(plan, loader, Ia32::new()?)?;
            (data, code, Format::IA32)
        }
    };
    crate::portable_executable::of(format, &data, super::DATA_BYTES, &code)
}

fn assemble<M: Machine>(
    plan: &ProbePlan,
    loader: Loader,
    machine: M,
) -> Result<(Vec<u8>, Vec<u8>), AssembleError> {
    let mut data = table::encode(plan)?;
    let constants = variable::CONSTANTS as usize;
    if data.len() > variable::TABLE_END {
        return Err(AssembleError::TooLarge {
            part: "the plan",
            bytes: data.len(),
            max: variable::TABLE_END,
        });
    }
    data.resize(constants, 0);
    let program = Program::new(machine, data);
    let (data, code) = program.emit(plan, loader)?;
    let max = variable::LINE as usize;
    if data.len() > max {
        return Err(AssembleError::TooLarge {
            part: "the constants",
            bytes: data.len(),
            max,
        });
    }
    Ok((data, code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        efi_program::{EfiProgram, Machine as Processor},
        probe::uefi::tests::plan,
    };

    #[test]
    fn each_is_a_program_for_its_processor_whose_length_is_the_same_for_any_image() {
        for (loader, processor) in [
            (Loader::Ia32, Processor::IA32),
            (Loader::Aa64, Processor::of_loader("BOOTAA64.EFI").unwrap()),
        ] {
            let small = application(&plan(64, 2), loader).unwrap();
            let large = application(&plan(64, 0xFFFF_FFFE), loader).unwrap();
            assert_eq!(small.len(), large.len());
            // The reader is not the writer's own: it decodes headers with the object crate.
            let read = EfiProgram::decode(&large).unwrap();
            assert_eq!(read.machine, processor);
            assert!(read.is_efi && read.length() <= large.len() as u64);
            assert!(application(&plan(65, 2_880), loader).is_err());
        }
    }
}
