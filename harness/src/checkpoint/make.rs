//! Making a checkpoint: a machine runs to where our program stops it, and is saved there.

use std::{
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use images::checkpoint::READY;

use super::{
    record::{Record, Refusal},
    saved::{DEBUG, MEMORY, NoCheckpoint, PROGRAM, SERIAL, STATE, program, source},
};
use crate::{
    firmware::family::Family,
    machine::{CommandError, Event, Machine},
    platform::Platform,
    text::Cleaner,
};

/// Stands in the drive meanwhile: a medium on which there is nothing to find.
const BLANK: &str = "blank.iso";
const BLANK_BYTES: u64 = 1 << 20;
/// QEMU's own words, until the checkpoint is made.
const STDERR: &str = "qemu-stderr.txt";
/// The machine's own folder, until then.
const MACHINE: &str = "machine";
/// Many times what a power-on self-test takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes a platform's checkpoint in an empty folder.
pub(super) fn make(platform: &Platform, folder: &Path) -> Result<Record, NoCheckpoint> {
    let began = Instant::now();
    let host = |source| NoCheckpoint::Host {
        folder: folder.to_owned(),
        source,
    };
    let folder = &std::path::absolute(folder).map_err(host)?;
    let program = program(platform.firmware.id).map_err(io::Error::other);
    fs::write(folder.join(PROGRAM), program.map_err(host)?).map_err(host)?;
    let blank = fs::File::create(folder.join(BLANK)).map_err(host)?;
    blank.set_len(BLANK_BYTES).map_err(host)?;

    let spec = source(platform, folder, &folder.join(BLANK).to_string_lossy())?;
    let machines = folder.join(MACHINE);
    fs::create_dir(&machines).map_err(host)?;
    spec.emulator
        .emulator()
        .prepare(&spec, &machines)
        .map_err(host)?;
    let stderr = fs::File::create(folder.join(STDERR)).map_err(host)?;
    let state = fs::File::create(folder.join(STATE)).map_err(host)?;
    let mut machine = Machine::start(&spec, &machines, stderr).map_err(host)?;

    let mut record = Record::new(platform);
    let mut said = Said {
        ready_on_serial: !spec.board.has_debug_port,
        ..Said::default()
    };
    match said.hear_out(&mut machine, platform.firmware.id.family()) {
        Ok(()) => {
            machine.save(&state, &folder.join(MEMORY))?;
            // Until it was stopped it went on: SeaBIOS sends to the serial line from a timer's interrupt.
            for event in machine.left_over().map_err(host)? {
                said.hear(event);
            }
            drop(machine);
            fs::write(folder.join(SERIAL), &said.serial).map_err(host)?;
            fs::write(folder.join(DEBUG), &said.debug).map_err(host)?;
            record.take_down(folder).map_err(host)?;
        }
        Err(Deaf::Refused(refusal)) => {
            record.refusal = Some(refusal);
            drop(machine);
            fs::remove_file(folder.join(STATE)).map_err(host)?;
        }
        Err(Deaf::Failed(error)) => return Err(error.into()),
    }
    for unused in [BLANK, STDERR] {
        fs::remove_file(folder.join(unused)).map_err(host)?;
    }
    fs::remove_dir_all(machines).map_err(host)?;
    record.made_in_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(record)
}

/// What a machine says until it is stopped.
#[derive(Debug, Default)]
struct Said {
    serial: Vec<u8>,
    debug: Vec<u8>,
    /// Whether the program has no other channel: nothing on the empty disc can say the same.
    ready_on_serial: bool,
}

/// Why a machine did not become ready.
enum Deaf {
    /// It goes on, or goes nowhere.
    Refused(Refusal),
    /// QEMU failed.
    Failed(CommandError),
}

impl Said {
    /// Listens until the program says that it is ready.
    fn hear_out(&mut self, machine: &mut Machine, family: &dyn Family) -> Result<(), Deaf> {
        let deadline = machine.now() + PATIENCE;
        loop {
            let until = machine.wall(deadline);
            match machine.next_event(until) {
                Ok(Some(Event::Exited(_))) => return Err(Deaf::Failed(CommandError::Gone)),
                Ok(Some(event)) => self.hear(event),
                Ok(None) if machine.now() < deadline => continue,
                Ok(None) => return Err(Deaf::Refused(Refusal::Overdue)),
                Err(error) => return Err(Deaf::Failed(error.into())),
            }
            let channel = match self.ready_on_serial {
                true => &mut self.serial,
                false => &mut self.debug,
            };
            if channel.ends_with(READY.as_bytes()) {
                // The program is not the firmware.
                channel.truncate(channel.len() - READY.len());
                return Ok(());
            }
            let mut cleaner = Cleaner::default();
            cleaner.push(&self.serial);
            if cleaner.text().lines().any(|line| family.chooses(line)) {
                return Err(Deaf::Refused(Refusal::PassedBy));
            }
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Serial(bytes) => self.serial.extend(bytes),
            Event::Debug(bytes) => self.debug.extend(bytes),
            Event::Stopped(_) | Event::Exited(_) => {}
        }
    }
}
