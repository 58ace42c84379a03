//! A guest over time: the words on its screens, how long they have stood there, and other signs of life.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{
    Guest, GuestStage, GuestState, Need, SaidBy,
    sight::{Asks, Repeating, Says, Sight, Statement, Waits},
    words::Vocabulary,
};

/// So long words must stand that need not wait: what follows at once may say something else.
const AT_ONCE: Duration = Duration::from_millis(500);
/// So long a countdown may stand still before it is none. GRUB measures its clock in the first millisecond, and on a busy host may find one that is many
/// times too slow.
const COUNTS_FOR: Duration = Duration::from_secs(60);
/// What is said of a countdown that stands still.
const STANDS_STILL: &str =
    "Its countdown does not advance: the program hangs, or its clock is far too slow.";
/// So long after a loader's failure, a command line that says nothing else follows on it.
const FOLLOWS: Duration = Duration::from_secs(3);
/// So long after a loader's failure, a return to the firmware follows on it: shim waits two seconds before it returns.
const RETURNS: Duration = Duration::from_secs(10);
/// So long after a kernel's failure, a panic follows on it.
const PANICS: Duration = Duration::from_secs(30);
/// Seen so often, a failure is one that repeats.
const REPEATED: usize = 3;
/// So many different failures are counted: a guest that fails otherwise each time does not repeat itself.
const MOST_FAILURES: usize = 256;

/// What a guest says on one channel.
#[derive(Debug, Default)]
struct Heard {
    sight: Sight,
    /// Since when it says that.
    since: Duration,
    /// When its countdown last changed.
    counted: Duration,
}

impl Heard {
    fn says(&self, state: GuestState) -> bool {
        matches!(&self.sight.says, Says::One(statement) if statement.state == state)
    }
}

/// A failure that may repeat.
#[derive(Debug, Default)]
struct Failure {
    /// How often it was seen.
    count: usize,
    /// Its words, as far as they were seen at any time: they may be half printed.
    said: String,
    /// When it was last seen to change.
    changed: Duration,
}

/// Whether the serial text of a message is mixed with another copy of it: a loader writes to the serial line, and a BIOS mirrors the screen there. Then it begins
/// as on the screen, and a line of the screen stands behind a part of another.
fn is_mixed(serial: &str, screen: &str) -> bool {
    let first = screen.lines().next();
    let has_behind = |line: &str| {
        let mut others = serial.lines();
        others.any(|other| other.len() > line.len() && other.ends_with(line))
    };
    first.is_some()
        && first == serial.lines().next()
        && !screen.contains(char::REPLACEMENT_CHARACTER)
        && screen.lines().any(has_behind)
}

/// A guest that is being followed.
#[derive(Debug)]
pub(crate) struct Follower {
    vocabulary: Arc<Vocabulary>,
    serial: Heard,
    screen: Heard,
    /// How far it came by its words.
    stage: GuestStage,
    /// When a kernel was last read, whether it has begun or not.
    kernel_read: Option<Duration>,
    /// The program that showed the stage.
    program: Option<Arc<str>>,
    /// A program that may wait without a word.
    waits: Option<Waits>,
    /// A program that asked for a key.
    asks: Option<Asks>,
    /// The latest failure of a loader or kernel, and when it was last seen: the screen may be cleared or scroll before a command line or a panic follows.
    failure: Option<(Statement, Duration)>,
    /// How often each failure was seen that may repeat, by channel, which of the known words and what was said.
    failures: HashMap<(SaidBy, usize, String), Failure>,
}

/// The state of a guest that its words suggest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// What it came to.
    pub(crate) guest: Guest,
    /// Nothing has contradicted it for as long as is asked of such words.
    pub(crate) decides: bool,
    /// It has been said for as long, whatever else goes on.
    pub(crate) stands: bool,
    /// Since when it has been said.
    pub(crate) since: Duration,
}

impl Follower {
    pub(crate) fn new(vocabulary: Arc<Vocabulary>) -> Self {
        Self {
            vocabulary,
            serial: Heard::default(),
            screen: Heard::default(),
            stage: GuestStage::default(),
            kernel_read: None,
            program: None,
            waits: None,
            asks: None,
            failure: None,
            failures: HashMap::new(),
        }
    }

    /// How far the guest came: a kernel that was read is one that runs, where nothing tells otherwise.
    pub(crate) fn stage(&self) -> GuestStage {
        let read = if self.kernel_read.is_some() {
            GuestStage::Kernel
        } else {
            GuestStage::Loader
        };
        self.stage.max(read)
    }

    /// The program that may be waiting without a word, as long as nothing further on has begun.
    pub(crate) fn waits(&self) -> Option<&Waits> {
        let stage = self.stage();
        self.waits.as_ref().filter(|waits| stage <= waits.stage)
    }

    /// Whether a line is what some loader is known to print.
    pub(crate) fn is_of_a_loader(&self, line: &str) -> bool {
        let known = self.vocabulary.set.matches(line).into_iter();
        known
            .filter_map(|index| self.vocabulary.known.get(index))
            .any(|known| known.stage == GuestStage::Loader)
    }

    /// A kernel was seen to be read, whether it says so or not.
    pub(crate) const fn kernel_was_read(&mut self, now: Duration) {
        self.kernel_read = Some(now);
    }

    /// Takes what a channel shows now: the lines of the terminal or of the screen. Says whether its words come to something else than before.
    pub(crate) fn see(&mut self, by: SaidBy, text: &str, now: Duration) -> bool {
        let sight = Sight::of(&self.vocabulary, text, self.stage());
        if let Some((stage, program)) = &sight.reached
            && (*stage > self.stage || self.program.is_none())
        {
            self.stage = self.stage.max(*stage);
            self.program = Some(Arc::clone(program));
        }
        let heard = match by {
            SaidBy::Serial => &mut self.serial,
            SaidBy::Screen => &mut self.screen,
        };
        for failure in &sight.repeating {
            let mut before = heard.sight.repeating.iter();
            let same =
                |other: &&Repeating| other.known == failure.known && other.words == failure.words;
            let before = before.find(same).map_or(0, |other| other.count);
            let key = (by, failure.known, failure.words.clone());
            if self.failures.len() >= MOST_FAILURES && !self.failures.contains_key(&key) {
                continue;
            }
            let seen = self.failures.entry(key).or_default();
            // A menu that is drawn again takes the words away, and they come again.
            if failure.count > before {
                seen.count += failure.count - before;
                seen.changed = now;
            }
            if failure.said.len() > seen.said.len() {
                seen.said.clone_from(&failure.said);
                seen.changed = now;
            }
        }
        if sight.counting.is_some() && sight.counting != heard.sight.counting {
            heard.counted = now;
        }
        if sight.waits.is_some() {
            self.waits.clone_from(&sight.waits);
        }
        if sight.asks.is_some() {
            self.asks.clone_from(&sight.asks);
        }
        if let Says::One(statement) = &sight.says
            && statement.state == GuestState::GaveUp
            // Words that say so only as long as nothing follows say nothing of what followed.
            && statement.explained
            && statement.stage <= GuestStage::Kernel
        {
            self.failure = Some((statement.clone(), now));
        }
        let new = sight.says != heard.sight.says;
        if new {
            heard.since = now;
        }
        heard.sight = sight;
        new
    }

    /// Whether a countdown or a progress goes on.
    pub(crate) fn counts(&self, now: Duration) -> bool {
        [&self.serial, &self.screen].into_iter().any(|heard| {
            heard.sight.counting.is_some() && now.saturating_sub(heard.counted) < COUNTS_FOR
        })
    }

    /// The state that the guest's words suggest; `None` if they suggest none. `alive` is the time of the last sign of life other than words.
    pub(crate) fn standing(&self, now: Duration, alive: Duration) -> Option<Standing> {
        if let Some((guest, since)) = self.retries() {
            let told = now.saturating_sub(since) >= AT_ONCE;
            return Some(Standing {
                guest,
                decides: told,
                stands: true,
                since,
            });
        }
        let (by, heard, statement) = self.latest()?;
        // A system of which nobody saw a kernel is the picture of one.
        if statement.state == GuestState::System && self.stage() < GuestStage::Kernel {
            return None;
        }
        // A menu that was there before a kernel was read has started an entry, without a word of it. When it was drawn, a look at the screen does not tell.
        let may_be_older = |at: Duration| by == SaidBy::Screen || at > heard.since;
        if statement.state == GuestState::Menu && self.kernel_read.is_some_and(may_be_older) {
            return None;
        }
        // What was drawn on the screen since shows that there is one.
        if statement.state == GuestState::Runs && !self.screen.says(GuestState::Runs) {
            return None;
        }
        let stands = now.saturating_sub(heard.since);
        let still = stands.min(now.saturating_sub(alive));
        let decides = if statement.hold.is_zero() {
            stands >= AT_ONCE
        } else {
            still >= statement.hold && !self.counts(now)
        };
        // A loader that speaks after it read a kernel has not started it, unless it says that.
        let reached = match statement.state {
            GuestState::Runs => self.stage(),
            _ => self.stage,
        };
        let mut guest = Guest {
            program: Some(statement.program.to_string()),
            said: statement.said.clone(),
            by: Some(by),
            means: statement.means.clone(),
            needs: statement.needs,
            findings: statement.findings.clone(),
            ..Guest::unheard(statement.state, reached.max(statement.stage))
        };
        if statement.state == GuestState::Menu && heard.sight.counting.is_some() && decides {
            // It waits for no person, and what it counts down to has not begun.
            guest.state = GuestState::Runs;
            STANDS_STILL.clone_into(&mut guest.means);
        }
        if let Some(asks) = &self.asks
            && statement.state == GuestState::GaveBack
            && !statement.explained
        {
            guest.program = Some(asks.program.to_string());
            guest.said.clone_from(&asks.said);
            guest.means.clone_from(&asks.means);
            guest.needs = Some(Need::Key);
        }
        // Why it returned, the program said, and not the firmware that speaks then.
        if let Some((failure, at)) = &self.failure
            && statement.state == GuestState::GaveBack
            && !statement.explained
            && guest.needs.is_none()
            && heard.since.saturating_sub(*at) <= RETURNS
        {
            guest.program = Some(failure.program.to_string());
            guest.said.clone_from(&failure.said);
            guest.means.clone_from(&failure.means);
            guest.findings.clone_from(&failure.findings);
        }
        if let Some((failure, at)) = &self.failure
            && statement.program == failure.program
            && statement.stage == failure.stage
        {
            let before = heard.since.saturating_sub(*at);
            match statement.state {
                GuestState::Prompt
                    if statement.stage == GuestStage::Loader
                        && !statement.explained
                        && before <= FOLLOWS =>
                {
                    guest.said.clone_from(&failure.said);
                    guest.means.clone_from(&failure.means);
                    guest.findings.clone_from(&failure.findings);
                }
                GuestState::Panic if before <= PANICS && !guest.said.contains(&failure.said) => {
                    guest.said = format!("{}\n{}", failure.said, guest.said);
                    guest.findings.extend(failure.findings.iter().cloned());
                }
                _ => {}
            }
        }
        Some(Standing {
            guest,
            decides,
            stands: stands >= statement.hold.max(AT_ONCE),
            since: heard.since,
        })
    }

    /// What was said last, where that is one thing: of two channels the one that changed later.
    fn latest(&self) -> Option<(SaidBy, &Heard, &Statement)> {
        let both = [
            (SaidBy::Serial, &self.serial),
            (SaidBy::Screen, &self.screen),
        ];
        if both
            .iter()
            .any(|(_, heard)| heard.sight.says == Says::Contradiction)
        {
            return None;
        }
        let said = both
            .into_iter()
            .filter_map(|(by, heard)| match &heard.sight.says {
                Says::One(statement) => Some((by, heard, statement)),
                Says::Nothing | Says::Contradiction => None,
            });
        said.reduce(|one, other| {
            let takes = if other.2.state == one.2.state {
                // A serial mirror may break a line, and a screen of pixels may have holes.
                other.2.said.len() > one.2.said.len() || is_mixed(&one.2.said, &other.2.said)
            } else {
                other.1.since > one.1.since
            };
            if takes { other } else { one }
        })
    }

    /// A failure that was seen again and again, and when it was last seen to change.
    fn retries(&self) -> Option<(Guest, Duration)> {
        let failures = self.failures.iter();
        let repeated = failures.filter(|(_, failure)| failure.count >= REPEATED);
        let ((by, known, _), failure) = repeated.max_by_key(|(_, failure)| failure.said.len())?;
        let known = self.vocabulary.known.get(*known)?;
        let guest = Guest {
            program: Some(known.program.to_string()),
            said: failure.said.clone(),
            by: Some(*by),
            means: known.means.clone(),
            findings: known.findings.clone(),
            ..Guest::unheard(GuestState::Retries, self.stage.max(known.stage))
        };
        Some((guest, failure.changed))
    }
}
