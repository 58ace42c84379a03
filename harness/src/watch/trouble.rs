//! Why a machine could not be watched to an outcome.

use std::{io, time::Duration};

use images::probe::protocol::WireDamage;

use crate::{emulator::Stop, machine::CommandError, rules::Stopped};

/// Why watching ended without an outcome.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// QEMU ended.
    Exited(std::process::ExitStatus),
    /// Somebody outside asked QEMU to stop.
    Stopped(String),
    /// A channel or a file failed.
    Host(io::Error),
    /// QEMU did not answer.
    Silent(CommandError),
    /// A probe line was lost or changed on the way.
    Wire(WireDamage),
    /// The host had no time for the machine.
    Starved {
        /// The time that it had.
        had: Duration,
        /// The time that passed.
        waited: Duration,
    },
}

/// What a command brought; nothing when the machine is gone: its exit is the next event, and says more.
pub(super) fn unless_gone<T>(result: Result<T, CommandError>) -> Result<Option<T>, Trouble> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(CommandError::Gone) => Ok(None),
        Err(CommandError::Channel { source }) => Err(Trouble::Host(source)),
        Err(error) => Err(Trouble::Silent(error)),
    }
}

/// What a guest that stands still did; it did nothing where somebody outside wants that.
pub(super) fn stopped(stop: Stop) -> Result<Stopped, Trouble> {
    match stop {
        Stop::Reset => Ok(Stopped::Reset),
        Stop::Off => Ok(Stopped::Off),
        Stop::Panicked => Ok(Stopped::Panicked),
        Stop::Outside(reason) => Err(Trouble::Stopped(reason)),
    }
}
