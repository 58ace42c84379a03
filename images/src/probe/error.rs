use iced_x86::IcedError;
use thiserror::Error;

/// A probe that cannot be assembled.
#[derive(Debug, Error)]
pub enum AssembleError {
    /// The assembler refused an instruction: a mistake in the probe, not in the plan.
    #[error("cannot assemble the probe: {0}")]
    Assembler(#[from] IcedError),
    /// The PE writer refused: a mistake in the probe, not in the plan.
    #[error("cannot write the probe's PE headers: {0}")]
    Pe(#[from] object::write::Error),
    /// A part is larger than the place where it runs.
    #[error("{part} takes {bytes} bytes where {max} fit: plan fewer checks")]
    TooLarge {
        /// Which part.
        part: &'static str,
        /// What it takes.
        bytes: usize,
        /// What there is.
        max: usize,
    },
    /// The plan asks for something that the probe cannot hold.
    #[error("the probe's plan has {0}")]
    Plan(String),
}
