//! A running machine: it owns the child, its channels and its folder, and takes them with it.

pub mod board;
mod channels;
mod clock;
pub(crate) mod files;
mod isolation;
pub mod spec;

use std::{
    collections::VecDeque,
    fs::File,
    io,
    os::fd::BorrowedFd,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};

use serde_json::Value;

pub use self::isolation::isolation_here;
use self::{
    channels::Wires,
    clock::Clock,
    spec::{MachineSpec, Origin},
};
use crate::{
    attachment::Attachment,
    emulator::seam::{Command, Monitor, Report, Stop, Wish},
    screen::Eyes,
};

/// How long QEMU may take over an answer: thousands of times what it takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// What comes out of a machine, in the order in which it is consumed.
#[derive(Clone, Debug)]
pub enum Event {
    /// Bytes on COM1.
    Serial(Vec<u8>),
    /// Bytes on the debug port.
    Debug(Vec<u8>),
    /// The guest stands still.
    Stopped(Stop),
    /// QEMU is gone, and reaped.
    Exited(ExitStatus),
}

/// A running machine. Dropping it kills QEMU and reaps it.
///
/// It belongs to the thread that started it: when that thread ends, the kernel kills QEMU.
#[derive(Debug)]
pub struct Machine {
    wires: Wires,
    monitor: Box<dyn Monitor>,
    /// Whether the machine's state was written or read, once that has an end.
    transferred: Option<bool>,
    inbox: VecDeque<Event>,
    folder: PathBuf,
    /// The guest's, where it is a file.
    memory: Option<File>,
    clock: Clock,
    eyes: Eyes,
    /// Where a screen's text may be in the guest's memory.
    text_memory: &'static [u64],
    gone: bool,
}

/// Why a monitor command brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// QEMU is gone.
    #[error("QEMU is gone")]
    Gone,
    /// QEMU declined, with its words.
    #[error("QEMU refused {command}: {words}")]
    Refused {
        /// The command.
        command: String,
        /// QEMU's words.
        words: String,
    },
    /// QEMU did not answer.
    #[error(
        "QEMU did not answer {command} within {} s: it hangs, or this host is too busy, and neither says anything about the disc; \
         run it again when less else runs here, or with another QEMU",
        PATIENCE.as_secs()
    )]
    Silent {
        /// The command.
        command: String,
    },
    /// A channel failed.
    #[error("the channel to QEMU failed: {source}")]
    Channel {
        /// The host's words.
        #[from]
        source: io::Error,
    },
}

impl Machine {
    /// Starts QEMU in `folder`, with its diagnostics in `stderr`. It runs at once.
    ///
    /// The folder is the machine's alone: as root, it and what is in it are given to a user that QEMU runs as.
    ///
    /// # Errors
    /// The program cannot be started, or the host refuses sockets or files.
    pub fn start(spec: &MachineSpec, folder: &Path, stderr: File) -> io::Result<Self> {
        let memory = match &spec.origin {
            Origin::PowerOn => None,
            Origin::ToCheckpoint(_) => Some(files::empty_memory(u64::from(spec.memory_mib) << 20)?),
            Origin::Checkpoint(checkpoint) => Some(files::memory_of(&checkpoint.memory)?),
        };
        let started = Instant::now();
        let wires = Wires::start(spec, folder, stderr, memory.as_ref())?;
        let mut machine = Self {
            clock: Clock::of(wires.child.id(), started, spec.pace),
            wires,
            monitor: spec.emulator.emulator().monitor(),
            transferred: None,
            inbox: VecDeque::new(),
            folder: folder.to_owned(),
            memory,
            eyes: Eyes::default(),
            text_memory: spec.board.text_memory,
            gone: false,
        };
        // Its answer is of no interest: commands that follow wait for their own. A QEMU that died at
        // once cannot take it; that comes out as an exit.
        for Command {
            name, arguments, ..
        } in machine.monitor.commands(Wish::Attention)
        {
            let (_, request) = machine.monitor.request(name, &arguments);
            let _ = machine.wires.send(&request);
        }
        Ok(machine)
    }

    /// Starts QEMU from a checkpoint, of which `state` is the state without the memory. The guest goes on at once.
    ///
    /// # Errors
    /// As [`Machine::start`], or QEMU does not take the state.
    pub fn resume(
        spec: &MachineSpec,
        folder: &Path,
        stderr: File,
        state: &File,
    ) -> Result<Self, CommandError> {
        let mut machine = Self::start(spec, folder, stderr)?;
        machine.transfer(Wish::Load, state)?;
        Ok(machine)
    }

    /// Stops the guest and writes the machine's state and its memory, each to a file. The machine is of no use after that.
    ///
    /// # Errors
    /// QEMU is gone or refuses, or a file could not be written.
    pub(crate) fn save(&mut self, state: &File, memory: &Path) -> Result<(), CommandError> {
        self.transfer(Wish::Save, state)?;
        if let Some(guests) = &self.memory {
            files::keep_memory(guests, memory)?;
        }
        Ok(())
    }

    /// What came and was not taken yet, after the guest was stopped.
    pub(crate) fn left_over(&mut self) -> io::Result<Vec<Event>> {
        self.pump(Instant::now(), None)?;
        Ok(self.inbox.drain(..).collect())
    }

    /// Writes the machine's state to a file or reads it from there. The answer to the last command only says that it began.
    fn transfer(&mut self, wish: Wish<'_>, state: &File) -> Result<(), CommandError> {
        self.transferred = None;
        let mut last = "";
        for command in self.monitor.commands(wish) {
            last = command.name;
            self.run(&command, Some(state))?;
        }
        self.wait_for_transfer(last)
    }

    /// Waits until a state is written or read. What comes meanwhile is kept.
    fn wait_for_transfer(&mut self, command: &str) -> Result<(), CommandError> {
        let deadline = self.now() + PATIENCE;
        loop {
            let now = self.now();
            match self.transferred {
                Some(true) => return Ok(()),
                Some(false) => {
                    let told = self.fulfil(Wish::Complaint)?;
                    let words = match self.monitor.words(&told) {
                        "" => "no reason given",
                        words => words,
                    };
                    return Err(CommandError::Refused {
                        command: command.to_owned(),
                        words: words.to_owned(),
                    });
                }
                None if self.gone => return Err(CommandError::Gone),
                None if now >= deadline => {
                    return Err(CommandError::Silent {
                        command: command.to_owned(),
                    });
                }
                None => {
                    let until = self.wall(deadline);
                    self.pump(until, None)?;
                }
            }
        }
    }

    /// When QEMU was started.
    #[must_use]
    pub const fn started(&self) -> Instant {
        self.clock.started()
    }

    /// The time that the machine had since QEMU was started: without what it waited for a processor of the host, and less on a
    /// slow host. Never more than what a clock on the wall shows.
    pub fn now(&mut self) -> Duration {
        self.clock.now()
    }

    /// The earliest time on the wall at which the machine can have had so much time.
    pub fn wall(&mut self, time: Duration) -> Instant {
        self.clock.wall(time)
    }

    /// The machine's own folder, in which QEMU runs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// QEMU's process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.wires.child.id()
    }

    /// The next event; `None` when the deadline passes first, or nothing can come any more.
    ///
    /// # Errors
    /// A channel failed.
    pub fn next_event(&mut self, deadline: Instant) -> io::Result<Option<Event>> {
        while self.inbox.is_empty() && !self.gone && Instant::now() < deadline {
            self.pump(deadline, None)?;
        }
        Ok(self.inbox.pop_front())
    }

    /// Whether events are there already that belong together with the last one: a line on one channel may say why
    /// another came.
    #[must_use]
    pub fn has_more(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// As [`Machine::next_event`], but `None` also when `interrupt` becomes readable, or for no reason.
    ///
    /// # Errors
    /// A channel failed.
    pub fn next_event_unless(
        &mut self,
        interrupt: Option<BorrowedFd<'_>>,
        deadline: Instant,
    ) -> io::Result<Option<Event>> {
        if self.inbox.is_empty() && !self.gone {
            self.pump(deadline, interrupt)?;
        }
        Ok(self.inbox.pop_front())
    }

    /// Types on COM1. What comes from it comes as [`Event::Serial`].
    ///
    /// # Errors
    /// QEMU is gone, or the guest has not read 64 KiB of what was typed before.
    pub fn type_on_serial(&mut self, text: &[u8]) -> io::Result<()> {
        self.wires.type_text(text)
    }

    /// Whether QEMU is gone.
    #[must_use]
    pub const fn is_gone(&self) -> bool {
        self.gone
    }

    /// Runs a command of the monitor, by the emulator's name for it; what else comes meanwhile is kept for [`Machine::next_event`].
    ///
    /// # Errors
    /// QEMU is gone, refuses or does not answer.
    pub fn command(&mut self, command: &str, arguments: &Value) -> Result<Value, CommandError> {
        let (id, request) = self.monitor.request(command, arguments);
        if self.gone || self.wires.send(&request).is_err() {
            return Err(CommandError::Gone);
        }
        self.answer(command, id)
    }

    fn run(&mut self, command: &Command, file: Option<&File>) -> Result<Value, CommandError> {
        let Command {
            name, arguments, ..
        } = command;
        match file.filter(|_| command.takes_file) {
            None => self.command(name, arguments),
            Some(file) => {
                let (id, request) = self.monitor.request(name, arguments);
                self.wires
                    .send_with_file(&request, file)
                    .map_err(|_| CommandError::Gone)?;
                self.answer(name, id)
            }
        }
    }

    /// Runs the commands that fulfil a wish.
    fn fulfil(&mut self, wish: Wish<'_>) -> Result<Value, CommandError> {
        let mut answer = Value::Null;
        for command in self.monitor.commands(wish) {
            answer = self.run(&command, None)?;
        }
        Ok(answer)
    }

    fn answer(&mut self, command: &str, id: u64) -> Result<Value, CommandError> {
        let deadline = self.now() + PATIENCE;
        loop {
            if let Some(answer) = self.monitor.answer(id) {
                return answer.map_err(|words| CommandError::Refused {
                    command: command.to_owned(),
                    words,
                });
            }
            if self.gone {
                return Err(CommandError::Gone);
            }
            if self.now() >= deadline {
                return Err(CommandError::Silent {
                    command: command.to_owned(),
                });
            }
            let until = self.wall(deadline);
            self.pump(until, None)?;
        }
    }

    /// The processor's registers, as QEMU prints them.
    ///
    /// # Errors
    /// As [`Machine::command`].
    pub fn registers(&mut self) -> Result<String, CommandError> {
        let answer = self.fulfil(Wish::Registers)?;
        Ok(self.monitor.words(&answer).to_owned())
    }

    /// Presses keys together on the emulated keyboard, each going down and up for this long. Gives back before they are up.
    ///
    /// # Errors
    /// As [`Machine::command`].
    pub fn press(&mut self, names: &[&'static str], hold: Duration) -> Result<(), CommandError> {
        self.fulfil(Wish::Keys { names, hold }).map(drop)
    }

    /// Puts the medium into the drive of this attachment, or plugs it in.
    ///
    /// # Errors
    /// As [`Machine::command`].
    pub(crate) fn insert(&mut self, attachment: Attachment) -> Result<(), CommandError> {
        self.fulfil(Wish::Insert(attachment)).map(drop)
    }

    /// Takes it out.
    ///
    /// # Errors
    /// As [`Machine::command`].
    pub(crate) fn remove(&mut self, attachment: Attachment) -> Result<(), CommandError> {
        self.fulfil(Wish::Remove(attachment)).map(drop)
    }

    /// Guest memory by physical address.
    ///
    /// # Errors
    /// As [`Machine::command`].
    pub fn memory(&mut self, address: u64, bytes: u64) -> Result<Vec<u8>, CommandError> {
        let file = "memory.bin";
        self.fulfil(Wish::Memory {
            address,
            bytes,
            file,
        })?;
        self.take_file(file)
    }

    /// The screen as a PPM image.
    ///
    /// # Errors
    /// As [`Machine::command`].
    pub fn screen(&mut self) -> Result<Vec<u8>, CommandError> {
        let file = "screen.ppm";
        self.fulfil(Wish::Screen { file })?;
        self.take_file(file)
    }

    /// Where a screen's text may be in the guest's memory.
    pub(crate) const fn text_memory(&self) -> &'static [u64] {
        self.text_memory
    }

    /// Who reads its pixels, and knows what stood there last.
    pub(crate) const fn eyes(&mut self) -> &mut Eyes {
        &mut self.eyes
    }

    fn take_file(&self, name: &str) -> Result<Vec<u8>, CommandError> {
        Ok(files::take_left(&self.folder.join(name))?)
    }

    fn pump(&mut self, deadline: Instant, interrupt: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let batch = self.wires.wait(deadline, interrupt)?;
        if !batch.serial.is_empty() {
            self.inbox.push_back(Event::Serial(batch.serial));
        }
        if !batch.debug.is_empty() {
            self.inbox.push_back(Event::Debug(batch.debug));
        }
        for report in self.monitor.hear(&batch.monitor) {
            match report {
                Report::Stopped(stop) => self.inbox.push_back(Event::Stopped(stop)),
                Report::Transferred(whole) => self.transferred = Some(whole),
            }
        }
        if let Some(status) = batch.exited {
            self.gone = true;
            self.inbox.push_back(Event::Exited(status));
        }
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Killed before the sockets close, so that it does not die of them with a complaint. Both fail
        // only when it is gone already.
        let _ = self.wires.child.kill();
        let _ = self.wires.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_qemu_says_nothing_about_the_disc() {
        let command = "pmemsave".to_owned();
        let words = CommandError::Silent { command }.to_string();
        assert!(words.starts_with("QEMU did not answer pmemsave within 20 s: "));
        assert!(words.contains("; run it again"), "{words}");
    }
}
