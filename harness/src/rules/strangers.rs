//! What a disc came to that is not ours: no probe on it says so, and the guest is followed by what it says and does.

use std::time::Duration;

use super::facts::{Dialogue, Facts, Followed, LAST_WORD, LOST, Over, SETTLED};
use crate::{
    guest::{Guest, GuestStage, GuestState, Standing},
    outcome::{Outcome, OutcomeKind},
    progress::{Came, Progress},
};

/// Quiet for so long, a loader will show no more: it waits for something that does not come.
const LOADER_QUIET: Duration = Duration::from_secs(20);
/// The same of a firmware that has not handed over: it may wait for a drive that does not answer.
const FIRMWARE_QUIET: Duration = Duration::from_secs(45);
/// The same of a kernel and what it starts: it may unpack a large archive without a word.
const KERNEL_QUIET: Duration = Duration::from_secs(75);
/// Quiet for so long, a menu is waited for no more where a text is expected: nobody chooses from it.
const MENU_QUIET: Duration = Duration::from_secs(10);
/// Heard or seen within so long, a guest runs; else it is silent.
const RECENTLY: Duration = Duration::from_secs(5);

/// What is said of a kernel that halted the processor.
const HALTED: &str = "A small kernel can end this way, and so can one that gave up.";

impl Followed {
    /// Whether a kernel was read and text followed that is not the loader's. What halts then may have finished: nobody can know.
    const fn printed_by_a_kernel(&self) -> bool {
        self.kernel && self.printed.after_reads
    }
}

impl Facts {
    /// What happened to a disc that is not ours, once something shows it.
    pub(super) fn decide_of_stranger(&self, followed: &Followed) -> Option<Outcome> {
        self.booted()
            .or_else(|| self.strange_probe())
            .or_else(|| self.machine_stopped())
            .or_else(|| self.gave_up())
            .or_else(|| self.fell_silent())
            .or_else(|| self.said_so(followed))
            .or_else(|| self.stopped_for_good(followed))
            .or_else(|| self.fell_quiet(followed))
            .or_else(|| self.deadline())
    }

    /// How far it came by now; `None` before the firmware hands over.
    pub(crate) fn progress(&self) -> Option<Progress> {
        let followed = self.followed.as_ref().filter(|_| self.entered)?;
        let standing = followed
            .standing
            .as_ref()
            .filter(|standing| standing.stands);
        let alive = self.came_after() && self.caught.is_none() && self.lost.is_none();
        let came = match standing {
            Some(standing) => Came::of(standing.guest.state),
            None if alive => Came::GoesOn,
            None => Came::Stopped,
        };
        Some(Progress {
            stage: self.stage(),
            guest: standing.map_or(followed.stage, |standing| {
                standing.guest.stage.max(followed.stage)
            }),
            came,
        })
    }

    /// Its words decide.
    fn said_so(&self, followed: &Followed) -> Option<Outcome> {
        let standing = followed.standing.as_ref()?;
        // A dialogue knows better what a menu or a command line is there for.
        if !(standing.decides || self.are_last(standing))
            || !self.entered
            || self.dialogue == Some(Dialogue::Underway)
        {
            return None;
        }
        let decides = match standing.guest.state {
            GuestState::System if self.awaits_pattern => false,
            GuestState::Menu if self.awaits_pattern => self.quiet >= MENU_QUIET,
            // A processor that is halted with interrupts off waits for nobody.
            GuestState::System | GuestState::Menu | GuestState::Prompt | GuestState::Runs => {
                !self.dead && self.caught.is_none()
            }
            // The firmware's own line says more, and comes whole a moment later.
            GuestState::GaveBack if standing.guest.is_firmware_speaking() => {
                self.quiet >= LAST_WORD || self.over.is_some()
            }
            _ => true,
        };
        if !decides {
            return None;
        }
        self.outcome(OutcomeKind::HandedOver, standing.guest.in_a_sentence())
    }

    /// Whether a failure's words are the last ones: nothing follows on them where the machine has halted for good.
    fn are_last(&self, standing: &Standing) -> bool {
        self.dead && standing.guest.state <= GuestState::Needs
    }

    /// Nothing can go on any more.
    fn stopped_for_good(&self, followed: &Followed) -> Option<Outcome> {
        if self.dead && self.probe.begun.is_some() {
            return self.no_more("halted with interrupts off");
        }
        if self.dead && followed.printed_by_a_kernel() {
            return self.outcome(
                OutcomeKind::HandedOver,
                "a kernel was read, text followed, and then the processor halted with interrupts disabled",
            );
        }
        if self.dead {
            return self.outcome(OutcomeKind::Hung, "halted with interrupts off");
        }
        let (what, place) = match (&self.caught, &self.lost) {
            (Some(place), _) => ("does not get past an exception", place),
            (None, Some(place)) => ("is lost", place),
            (None, None) => return None,
        };
        // What has shown signs of life may be in the middle of a call that comes to an end.
        let enough = match self.came_after() {
            _ if self.caught.is_some() => Duration::ZERO,
            true => SETTLED,
            false => LOST,
        };
        let stopped = self.entered && self.quiet >= enough;
        stopped.then(|| {
            let how =
                format!("what the firmware loaded was started, and the processor {what}: {place}");
            self.outcome(OutcomeKind::Hung, how)
        })?
    }

    fn fell_quiet(&self, followed: &Followed) -> Option<Outcome> {
        let enough = match (self.entered, followed.stage >= GuestStage::Kernel) {
            (false, _) => FIRMWARE_QUIET,
            (true, false) => LOADER_QUIET,
            (true, true) => KERNEL_QUIET,
        };
        let waits = followed.waits.as_ref().map(|waits| waits.time);
        let enough = enough.max(waits.unwrap_or_default());
        let quiet = self.probe.begun.is_none()
            && !self.waits()
            && !followed.counts
            && !matches!(self.over, Some(Over::Busy { .. }))
            && self.quiet >= enough;
        let how = format!(
            "nothing more was heard or seen of it for {} s",
            enough.as_secs()
        );
        // What never showed a sign of life hangs.
        quiet.then(|| self.no_more(&how))?
    }

    /// The guest's state, if there is a guest.
    pub(crate) fn guest(&self, outcome: &Outcome, followed: &Followed) -> Option<Guest> {
        if !self.entered || matches!(outcome.kind, OutcomeKind::Booted | OutcomeKind::Refused) {
            return None;
        }
        // What it said last is said, however short a while before it ended.
        let ended = outcome.gave_back || outcome.kind == OutcomeKind::Reset;
        let spoken = followed
            .standing
            .as_ref()
            .filter(|standing| standing.stands || ended || self.are_last(standing));
        let spoken = spoken.map(|standing| standing.guest.clone());
        // A machine that stopped for good says no more: what it printed last is all there is to go by.
        let last = match outcome.kind {
            OutcomeKind::Hung | OutcomeKind::Reset => followed.printed.lines.join("\n"),
            _ if self.dead => followed.printed.lines.join("\n"),
            _ => String::new(),
        };
        let unheard = |state| Guest {
            last: last.clone(),
            program: followed
                .waits
                .as_ref()
                .map(|waits| waits.program.to_string()),
            means: followed
                .waits
                .as_ref()
                .map_or_else(String::new, |waits| waits.means.clone()),
            ..Guest::unheard(state, followed.stage)
        };
        if outcome.gave_back {
            let returned = Guest::unheard(GuestState::GaveBack, followed.stage);
            return Some(match spoken {
                // Why it did, it may have said before.
                Some(guest) if guest.state >= GuestState::GaveUp && !guest.said.is_empty() => {
                    Guest {
                        state: GuestState::GaveBack,
                        ..guest
                    }
                }
                Some(guest) if guest.state == GuestState::GaveBack => guest,
                _ => returned,
            });
        }
        let decided = followed
            .standing
            .as_ref()
            .is_some_and(|standing| standing.decides || self.are_last(standing));
        let quiet = self.quiet >= RECENTLY;
        Some(match (outcome.kind, spoken) {
            (OutcomeKind::Hung, _) => unheard(GuestState::Silent),
            (OutcomeKind::HandedOver, spoken)
                if self.dead
                    && followed.printed_by_a_kernel()
                    && spoken
                        .as_ref()
                        .is_none_or(|guest| guest.state > GuestState::Needs) =>
            {
                Guest {
                    program: None,
                    means: HALTED.to_owned(),
                    stage: followed.stage.max(GuestStage::Kernel),
                    ..unheard(GuestState::Silent)
                }
            }
            (OutcomeKind::Reset, Some(guest)) if guest.state <= GuestState::Needs => guest,
            (OutcomeKind::Reset, _) => unheard(GuestState::Runs),
            (_, Some(guest)) if decided || !followed.counts => guest,
            (_, _) if quiet && !matches!(self.over, Some(Over::Flood(_) | Over::Busy { .. })) => {
                unheard(GuestState::Silent)
            }
            _ => unheard(GuestState::Runs),
        })
    }
}
