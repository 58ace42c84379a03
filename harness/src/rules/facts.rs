//! What the rules decide from: everything that was seen of a machine.

use std::time::Duration;

use images::probe::{DiscHash, protocol};

use crate::{
    guest::{GuestStage, Standing, Waits},
    outcome::Stage,
};

/// Quiet for so long after a failure, no further word is to come.
pub(super) const LAST_WORD: Duration = Duration::from_secs(1);
/// Quiet for so long, code that runs through memory nobody loaded will not find its way.
pub(super) const LOST: Duration = Duration::from_millis(300);
/// Quiet for so long, foreign boot code that showed signs of life will show no more: it waits for a key.
pub(super) const SETTLED: Duration = Duration::from_secs(3);

/// Everything that was seen so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Whether the machine wrote anything anywhere.
    pub(crate) any_output: bool,
    /// How far the disc reads show that it came.
    pub(crate) reads: Stage,
    /// The firmware jumped into a boot image.
    pub(crate) entered: bool,
    /// The boot image wrote something, on the serial line or the text screen.
    pub(crate) output_after_entry: bool,
    /// The picture changed after the boot image was entered.
    pub(crate) screen_after_entry: bool,
    /// The boot image read the disc.
    pub(crate) reads_after_entry: bool,
    /// The first option that failed: code and words.
    pub(crate) failed: Option<(Option<String>, String)>,
    /// The boot image returned with an error after it was entered: code and words.
    pub(crate) returned: Option<(Option<String>, String)>,
    /// The firmware has nothing left to boot: its words.
    pub(crate) nothing_left: Option<String>,
    /// The firmware crashed: its words.
    pub(crate) crashed: Option<String>,
    /// What the probe said.
    pub(crate) probe: ProbeFacts,
    /// The pattern that was waited for came: where.
    pub(crate) pattern: Option<&'static str>,
    /// Whether a pattern is waited for at all: then quiet alone decides nothing.
    pub(crate) awaits_pattern: bool,
    /// How the dialogue goes, where there is one.
    pub(crate) dialogue: Option<Dialogue>,
    /// The machine stopped by itself.
    pub(crate) stopped: Option<Stopped>,
    /// Halted with interrupts off, seen twice, nothing between.
    pub(crate) dead: bool,
    /// Busy, with interrupts off, at every one of several looks since the last sign of life. UEFI firmware is for seconds, before it hands over.
    pub(crate) deaf: bool,
    /// Whether the disc is read so slowly that a single read may take seconds.
    pub(crate) reads_slowly: bool,
    /// The processor runs through memory that nobody loaded: where.
    pub(crate) lost: Option<String>,
    /// A program that is not ours cannot get past an exception, by the firmware's own words: where.
    pub(crate) caught: Option<String>,
    /// Since the last sign of life.
    pub(crate) quiet: Duration,
    /// Why nothing more is waited for, once that is so.
    pub(crate) over: Option<Over>,
    /// What is known of a guest that is not ours; `None` on a disc of ours, whose probe says so itself.
    pub(crate) followed: Option<Followed>,
}

/// What the probe said.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProbeFacts {
    /// The disc it belongs to.
    pub(crate) begun: Option<DiscHash>,
    /// The disc that it ought to belong to, where that is known.
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

/// Whether a second channel says the same as the serial line.
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
    /// It says that it is this disc's, or nobody knows which one that is.
    pub(super) fn is_ours(&self) -> bool {
        self.begun.is_some() && (self.expected.is_none() || self.begun == self.expected)
    }

    /// Its report is half there.
    pub(super) fn is_at_work(&self) -> bool {
        self.amid_line || (self.is_ours() && !self.is_at_its_end())
    }

    /// The end line came, and nothing speaks against it.
    pub(super) fn is_at_its_end(&self) -> bool {
        self.ended && self.confirmed != Confirmed::No
    }

    /// Takes what a probe said. Damage is the caller's.
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
    /// A step is waited for: then quiet alone decides nothing.
    Underway,
    /// So many steps are done, and the boot image was entered.
    Ended(usize),
    /// A step did not come: which, and what there was instead.
    Failed(String),
}

/// Why nothing more is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// The deadline passed.
    Deadline(Duration),
    /// The host had so little time for the machine that what did not happen says nothing.
    Busy {
        /// The time that it had.
        had: Duration,
        /// The time that passed.
        waited: Duration,
    },
    /// More came on this channel than anybody reads.
    Flood(&'static str),
    /// It came as far as was asked for.
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
}
