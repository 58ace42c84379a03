//! The UEFI probe for processors other than x86-64: one program, in the instructions of [`crate::portable`].
//!
//! Its variables are in `.data`, which is where [`super`] has them for x86-64. It is slow, and says the same lines.

mod program;

use self::program::Program;
use super::variable;
use crate::{
    boot::Loader,
    portable::{Aarch64, Ia32, Machine},
    portable_executable::Format,
    probe::{AssembleError, ProbePlan, table},
};

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
    crate::portable_executable::of(format, &data, variable::DATA_BYTES, &code)
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
