//! What one screen says: the known words on it, and what they come to together.

use std::{cmp::Reverse, ops::Range, sync::Arc, time::Duration};

use super::{
    GuestStage, GuestState, Need,
    words::{Known, Vocabulary},
};

/// Known words that tell a state, where they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sighting {
    /// Which of the known words.
    known: usize,
    state: GuestState,
    stage: GuestStage,
    /// Where they stand in the text.
    place: Range<usize>,
    /// They stand on the last line.
    last: bool,
}

/// What a screen says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) says: Says,
    /// A countdown or a progress stands there: its words.
    pub(super) counting: Option<String>,
    /// A program that says this may be silent for longer than others.
    pub(super) waits: Option<Waits>,
    /// A program asks for a key, and goes on without one.
    pub(super) asks: Option<Asks>,
    /// The furthest stage that its words show, and the program that shows it.
    pub(super) reached: Option<(GuestStage, Arc<str>)>,
    /// The failures on it that may repeat.
    pub(super) repeating: Vec<Repeating>,
}

/// A program that is known to wait without a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waits {
    pub(crate) program: Arc<str>,
    /// How far it has come when it waits.
    pub(crate) stage: GuestStage,
    /// For how long.
    pub(crate) time: Duration,
    /// For what, in sentences for people.
    pub(crate) means: String,
}

/// A program that asks for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asks {
    pub(super) program: Arc<str>,
    /// How it asks, whole lines.
    pub(super) said: String,
    /// What comes of it, in sentences for people.
    pub(super) means: String,
}

/// A failure that may repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repeating {
    /// Which of the known words.
    pub(super) known: usize,
    /// What makes it this failure and no other: its lines without the numbers in them, as those of sectors, times and devices.
    pub(super) words: String,
    /// How often they stand there.
    pub(super) count: usize,
    /// The latest of them, whole lines.
    pub(super) said: String,
}

/// What the words on a screen come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Says {
    /// There are none that tell a state.
    #[default]
    Nothing,
    /// One thing.
    One(Statement),
    /// Several things that cannot all be true.
    Contradiction,
}

/// What the words on a screen say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) state: GuestState,
    pub(super) stage: GuestStage,
    pub(super) program: Arc<str>,
    /// The decisive words, whole lines of them.
    pub(super) said: String,
    /// A failure says why, by words that hold wherever they stand: of a prompt or a return to the firmware, one that stands above.
    pub(super) explained: bool,
    pub(super) hold: Duration,
    pub(super) means: String,
    pub(super) findings: Vec<String>,
    pub(super) needs: Option<Need>,
}

impl Sighting {
    /// Which of several counts: the one that ends last. Of two that end at the same place it is the one that says what is lacking, and then the one
    /// that stands first in its file, where the more particular words come first.
    fn rank(&self) -> (usize, bool, bool, Reverse<usize>) {
        let lacks = self.state == GuestState::Needs;
        (self.place.end, self.last, lacks, Reverse(self.known))
    }
}

impl Sight {
    /// What stands in a text: the lines of a screen, without blanks at their ends, those that a screen's edge broke joined again. `reached` is the stage
    /// that was reached before.
    pub(super) fn of(vocabulary: &Vocabulary, text: &str, reached: GuestStage) -> Self {
        let text = text.trim_end();
        let last_line = text.rfind('\n').map_or(0, |end| end + 1)..text.len();
        let mut sight = Self::default();
        let present: Vec<usize> = vocabulary.set.matches(text).into_iter().collect();
        // A kernel's first words may stand on the same screen as those that mean something only after them.
        let stages = present.iter().filter_map(|&index| {
            let known = vocabulary.known.get(index)?;
            (!known.last && known.after <= reached).then_some((known.stage, &known.program))
        });
        sight.reached = stages
            .max_by_key(|(stage, _)| *stage)
            .map(|(stage, program)| (stage, Arc::clone(program)));
        let reached = sight
            .reached
            .as_ref()
            .map_or(reached, |(stage, _)| reached.max(*stage));
        let mut sightings = Vec::new();
        for index in present {
            let Some(known) = vocabulary.known.get(index) else {
                continue;
            };
            let places = known.pattern.places(text);
            let Some(place) = places.last().cloned() else {
                continue;
            };
            if known.after > reached || known.last && place.end < last_line.start {
                continue;
            }
            if known.counts {
                sight.counting = Some(whole_lines(text, &place));
            }
            if let Some(time) = known.waits {
                sight.waits = Some(Waits {
                    program: Arc::clone(&known.program),
                    stage: known.stage,
                    time,
                    means: known.means.clone(),
                });
            }
            if known.short_of == Some(Need::Key) {
                sight.asks = Some(Asks {
                    program: Arc::clone(&known.program),
                    said: whole_lines(text, &place),
                    means: known.means.clone(),
                });
            }
            if known.repeats {
                for place in &places {
                    sight.count_failure(index, whole_lines(text, place));
                }
            }
            if let Some(state) = known.state {
                sightings.push(Sighting {
                    known: index,
                    state,
                    stage: known.stage,
                    place,
                    last: known.last,
                });
            }
        }
        sight.says = says(vocabulary, text, &sightings);
        sight
    }

    /// One more failure that may repeat.
    fn count_failure(&mut self, known: usize, said: String) {
        let words = without_numbers(&said);
        let mut before = self.repeating.iter_mut();
        match before.find(|one| one.known == known && one.words == words) {
            Some(one) => {
                one.count += 1;
                one.said = said;
            }
            None => self.repeating.push(Repeating {
                known,
                words,
                count: 1,
                said,
            }),
        }
    }
}

/// What the words come to together.
fn says(vocabulary: &Vocabulary, text: &str, sightings: &[Sighting]) -> Says {
    // What came after another thing supersedes it where it is further on: a loader's complaint before a kernel's words is history.
    let Some(latest) = sightings.iter().max_by_key(|one| one.rank()) else {
        return Says::Nothing;
    };
    let current: Vec<&Sighting> = sightings
        .iter()
        .filter(|one| {
            let history = one.stage == GuestStage::Loader
                && latest.stage > GuestStage::Loader
                && one.place.end < latest.place.end;
            !history
        })
        .collect();
    let Some(state) = agreed(&current, latest) else {
        return Says::Contradiction;
    };
    // Of the words that say it, the latest; of a prompt after a failure, those of the failure.
    let says_it = |one: &&&Sighting| one.state == state;
    let Some(sighting) = current
        .iter()
        .filter(says_it)
        .max_by_key(|one| one.place.end)
    else {
        return Says::Nothing;
    };
    let goes_on = |known: &Known| known.goes_on && state == GuestState::GaveUp;
    let follows = text.get(lines_of(text, &sighting.place).end..);
    if vocabulary.known.get(sighting.known).is_some_and(goes_on)
        && follows.is_some_and(|text| !text.trim().is_empty())
    {
        return Says::Nothing;
    }
    let is_failure = |one: &Sighting| {
        let fails = [GuestState::GaveUp, GuestState::Needs, GuestState::Retries];
        fails.contains(&one.state) && !one.last
    };
    let mut failures: Vec<&Sighting> = current
        .iter()
        .copied()
        .filter(|one| is_failure(one))
        .collect();
    failures.sort_by_key(|one| one.rank());
    let decisive = match (state, failures.last()) {
        (GuestState::Prompt | GuestState::GaveBack, Some(failure)) => failure,
        _ => sighting,
    };
    // What a program says of one failure in several sentences belongs together, and the first one tells most.
    let mut decisive = *decisive;
    let hold_of = |one: &Sighting| vocabulary.known.get(one.known).map(|known| known.hold);
    let mut hold = hold_of(sighting).unwrap_or_default();
    let end = decisive.place.end;
    if is_failure(decisive) {
        for one in failures.iter().rev() {
            let between = text
                .get(one.place.end..decisive.place.start)
                .unwrap_or_default();
            let same = program_of(vocabulary, one) == program_of(vocabulary, decisive);
            if same && one.place.end <= decisive.place.start && between.matches('\n').count() <= FAR
            {
                decisive = one;
                hold = hold.min(hold_of(one).unwrap_or_default());
            }
        }
    }
    let place = decisive.place.start..end.max(decisive.place.end);
    let Some(known) = vocabulary.known.get(decisive.known) else {
        return Says::Nothing;
    };
    // A bare command line that follows a menu's failure is waited for as long as the menu would be.
    let last = current
        .iter()
        .filter(|one| one.last)
        .filter_map(|one| hold_of(one));
    let hold = hold.max(last.max().unwrap_or_default());
    let reason = (state == GuestState::Prompt && failures.is_empty())
        .then(|| reason_above(vocabulary, text, sighting))
        .flatten();
    let explained = is_failure(decisive) || reason.is_some();
    Says::One(Statement {
        state,
        stage: sighting.stage,
        program: Arc::clone(&known.program),
        said: reason.unwrap_or_else(|| with_lines_above(text, &place, known.above.as_deref())),
        explained,
        hold,
        means: known.means.clone(),
        findings: known.findings.clone(),
        needs: known.short_of,
    })
}

/// What a system's own script says before it leaves a shell, in words that nobody knows: the paragraph above the shell's banner.
fn reason_above(vocabulary: &Vocabulary, text: &str, prompt: &Sighting) -> Option<String> {
    if prompt.stage < GuestStage::Initramfs {
        return None;
    }
    let above = text.get(..lines_of(text, &prompt.place).start)?;
    let mut paragraphs = above.trim_end().rsplit("\n\n").map(str::trim);
    let is_banner = |one: &&str| one.is_empty() || vocabulary.set.is_match(one);
    paragraphs.next().filter(is_banner)?;
    let reason = paragraphs.find(|one| !one.is_empty())?;
    let of_kernel = |line: &str| line.starts_with('[');
    let lines: Vec<&str> = reason.lines().map(str::trim).collect();
    let told = lines.len() <= MOST_LINES && !lines.iter().any(|line| of_kernel(line));
    (told && !vocabulary.set.is_match(reason)).then(|| lines.join("\n"))
}

/// A longer paragraph is a log, and no reason.
const MOST_LINES: usize = 4;

/// So many lines apart, two sentences are of different failures.
const FAR: usize = 5;

/// So many lines above a sentence may say why.
const ABOVE: usize = 8;

fn program_of<'v>(vocabulary: &'v Vocabulary, sighting: &Sighting) -> Option<&'v str> {
    let known = vocabulary.known.get(sighting.known)?;
    Some(&known.program)
}

/// The one state in which all these words can be true.
fn agreed(current: &[&Sighting], latest: &Sighting) -> Option<GuestState> {
    use GuestState::{GaveBack, GaveUp, Menu, Needs, Panic, Prompt, Retries, System};
    let has = |state| current.iter().any(|one| one.state == state);
    let failed = has(GaveUp) || has(Needs) || has(Retries);
    let ends: Vec<GuestState> = [GaveBack, Panic, Prompt, Menu, System]
        .into_iter()
        .filter(|&state| has(state))
        .collect();
    match ends.as_slice() {
        [] => Some(latest.state),
        // A failure says why there is a prompt, why it returned to the firmware, and what a kernel said before it panicked.
        [state @ (GaveBack | Prompt | Panic)] => Some(*state),
        // After a failure a loader shows its menu again, or its command line.
        [Menu] if failed && latest.state == Menu && latest.last => current
            .iter()
            .filter(|one| one.state != Menu)
            .map(|one| one.state)
            .min(),
        [Menu] => Some(latest.state),
        // The command line of a loader that has read its configuration looks the same as that of one that has not, which has said so.
        [Prompt, Menu] if latest.last => Some(Prompt),
        [state] if !failed => Some(*state),
        _ => None,
    }
}

/// A text with each number in it as the same sign.
fn without_numbers(text: &str) -> String {
    let pieces = text.split(|c: char| c.is_ascii_digit());
    let words: Vec<&str> = pieces.filter(|piece| !piece.is_empty()).collect();
    words.join("#")
}

/// The lines in which a place lies, without blanks around them.
fn whole_lines(text: &str, place: &Range<usize>) -> String {
    let lines = text.get(lines_of(text, place)).unwrap_or_default().lines();
    let lines = lines.map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// The same, and of the lines close above it those that begin with a word.
fn with_lines_above(text: &str, place: &Range<usize>, word: Option<&str>) -> String {
    let whole = whole_lines(text, place);
    let Some(word) = word else { return whole };
    let above = text.get(..lines_of(text, place).start).unwrap_or_default();
    let lines = above.lines().rev().map(str::trim);
    let close = lines.filter(|line| !line.is_empty()).take(ABOVE);
    let mut said: Vec<&str> = close.filter(|line| line.starts_with(word)).collect();
    said.reverse();
    said.push(&whole);
    said.join("\n")
}

/// The whole lines in which a place lies.
fn lines_of(text: &str, place: &Range<usize>) -> Range<usize> {
    let before = text.get(..place.start).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let after = text.get(place.end..).unwrap_or_default();
    // A match that ends with a line feed ends with its line.
    if place.end > place.start && text.as_bytes().get(place.end - 1) == Some(&b'\n') {
        return start..place.end - 1;
    }
    let end = after.find('\n').map_or(text.len(), |end| place.end + end);
    start..end
}
