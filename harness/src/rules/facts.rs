//! What the rules decide from: everything that was seen of a machine.

use std::time::Duration;

use images::probe::{DiscHash, protocol};

use crate::{
    guest::{GuestStage, Printed, Standing, Waits},
    outcome::Stage,
};

/// After a failure and this much silence, no further message is expected.
pub(super) const LAST_WORD: Duration = Duration::from_secs(1);
/// After this much silence, code that executes unloaded memory will not recover.
pub(super) const LOST: Duration = Duration::from_millis(300);
/// After this much silence, third-party boot code that showed signs of life will show no more: it waits for a key.
pub(super) const SETTLED: Duration = Duration::from_secs(3);

/// The facts so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Whether the machine wrote anything anywhere.
    pub(crate) any_output: bool,
    /// How far it came according to the disc reads.
    pub(crate) reads: Stage,
    /// The firmware jumped into a boot image.
    pub(crate) entered: bool,
    /// The boot image wrote something, on the serial line or the text screen.
    pub(crate) output_after_entry: bool,
    /// The picture changed after the boot image was entered.
    pub(crate) screen_after_entry: bool,
    /// The boot image read the disc.
    pub(crate) reads_after_entry: bool,
    /// The first option that failed: code and message.
    pub(crate) failed: Option<(Option<String>, String)>,
    /// The boot image returned with an error after it was entered: code and message.
    pub(crate) returned: Option<(Option<String>, String)>,
    /// The firmware has nothing left to boot: its message.
    pub(crate) nothing_left: Option<String>,
    /// The firmware crashed: its message.
    pub(crate) crashed: Option<String>,
    /// What the probe said.
    pub(crate) probe: ProbeFacts,
    /// Where the expected pattern came.
    pub(crate) pattern: Option<&'static str>,
    /// Whether a pattern is expected: then silence alone decides nothing.
    pub(crate) awaits_pattern: bool,
    /// The state of the dialogue, if there is one.
    pub(crate) dialogue: Option<Dialogue>,
    /// The machine stopped by itself.
    pub(crate) stopped: Option<Stopped>,
    /// Halted with interrupts off, seen twice in a row.
    pub(crate) dead: bool,
    /// Spinning with interrupts disabled at each of several checks since the last sign of life. UEFI firmware does that for seconds before it hands over.
    pub(crate) deaf: bool,
    /// Whether the disc is read so slowly that a single read may take seconds.
    pub(crate) reads_slowly: bool,
    /// Where the processor executes memory that was not loaded.
    pub(crate) lost: Option<String>,
    /// Where a third-party program is stuck at an exception, according to the firmware's message.
    pub(crate) caught: Option<String>,
    /// The time since the last sign of life.
    pub(crate) quiet: Duration,
    /// Why the watch ended, once it has.
    pub(crate) over: Option<Over>,
    /// The facts about a third-party guest; `None` on our own discs, whose probe reports them.
    pub(crate) followed: Option<Followed>,
}

/// What the probe said.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProbeFacts {
    /// The disc it belongs to.
    pub(crate) begun: Option<DiscHash>,
    /// The disc that it should belong to, if known.
    pub(crate) expected: Option<DiscHash>,
    /// The serial line ends within one of its lines.
    pub(crate) amid_line: bool,
    /// The `end` line came on the serial line.
    pub(crate) ended: bool,
    /// Whether the same line came on the debug port.
    pub(crate) confirmed: Confirmed,
    /// The first stage could not load the second, with this code.
    pub(crate) stage1_failed: Option<u8>,
}

/// Whether a second channel confirms the serial line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Confirmed {
    /// It does not.
    #[default]
    No,
    /// It does.
    Yes,
    /// There is none: a real machine has no debug port.
    Impossible,
}

impl ProbeFacts {
    /// It says that it is this disc's, or the disc is not known.
    pub(super) fn is_ours(&self) -> bool {
        self.begun.is_some() && (self.expected.is_none() || self.begun == self.expected)
    }

    /// Its report is half there.
    pub(super) fn is_at_work(&self) -> bool {
        self.amid_line || (self.is_ours() && !self.is_at_its_end())
    }

    /// The end line came, and nothing contradicts it.
    pub(super) fn is_at_its_end(&self) -> bool {
        self.ended && self.confirmed != Confirmed::No
    }

    /// Adds a probe's event. The caller handles damage.
    pub(crate) fn hear(&mut self, event: protocol::Event) {
        match event {
            protocol::Event::Begin { disc, .. } => self.begun = Some(disc),
            protocol::Event::End => self.ended = true,
            protocol::Event::Stage1Failed(code) => self.stage1_failed = Some(code),
            protocol::Event::Damage => {}
        }
    }
}

/// How a dialogue goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Dialogue {
    /// A step is awaited: then silence alone decides nothing.
    Underway,
    /// This many steps are done, and the boot image was entered.
    Ended(usize),
    /// A step did not come: the step, and the text instead.
    Failed(String),
}

/// Why the watch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// The deadline passed.
    Deadline(Duration),
    /// The host had so little time for the machine that missing events prove nothing.
    Busy {
        /// The time that it had.
        had: Duration,
        /// The time that passed.
        waited: Duration,
    },
    /// More came on this channel than there is room for.
    Flood(&'static str),
    /// It came as far as required.
    Enough,
}

/// Why the machine stopped by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// It was reset.
    Reset,
    /// It was switched off.
    Off,
    /// It panicked.
    Panicked,
}

/// What is known of a guest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Followed {
    /// What its words come to.
    pub(crate) standing: Option<Standing>,
    /// How far it came.
    pub(crate) stage: GuestStage,
    /// It counts down, or shows a progress.
    pub(crate) counts: bool,
    /// It may be waiting for something without a word.
    pub(crate) waits: Option<Waits>,
    /// A kernel was read, or printed its own words.
    pub(crate) kernel: bool,
    /// What it printed last; known only where something else decides.
    pub(crate) printed: Printed,
}
