//! Causes by experiment: what is changed on a disc, and whether that changes what becomes of it.
//!
//! First everything is fixed that the failed boot may have tripped over. Does the disc come further then, one fix after the other is left out: a finding
//! without whose fix it falls back is a cause, and the others are harmless here. Does it not, single fixes are tried, for one of them may spoil what
//! another mends.

use std::collections::BTreeSet;

use harness::{
    diagnosis::comes_to, guest::Starts, observation::Observation, outcome::OutcomeKind,
    progress::Progress,
};
use images::{
    finding::{Finding, FindingId, Severity},
    inspect::{Inspection, Options, Source},
    mend::{Mended, mend, subject},
};

/// So often a disc is booted for boots that failed alike.
pub const MOST_BOOTS: usize = 8;

/// A disc of which a boot failed.
pub struct Failed<'d> {
    /// The disc.
    pub disc: &'d dyn Source,
    /// How it is read.
    pub options: &'d Options<'d>,
    /// How likely a finding explains the failure, less being likelier; nothing where it concerns what was not looked at.
    pub likelihood: &'d dyn Fn(&Inspection, &Finding) -> Option<usize>,
    /// The boots that failed alike. The first one is experimented on.
    pub boots: &'d [&'d Observation],
}

impl std::fmt::Debug for Failed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Failed")
            .field("boots", &self.boots.len())
            .finish_non_exhaustive()
    }
}

/// One more boot that is asked for.
#[derive(Debug)]
pub struct Trial<'t> {
    /// Which of the boots is repeated.
    pub boot: usize,
    /// With what; nothing: as the disc is.
    pub mended: Option<&'t Mended>,
    /// What is far enough.
    pub enough: Option<Progress>,
}

/// What the boots showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Which of the boots it holds for.
    pub holds_for: Vec<usize>,
    /// The findings without whose fix it comes no further.
    pub proved: Vec<Finding>,
    /// What becomes of the disc with these fixed.
    pub then: String,
    /// Whether it was seen to start then.
    pub starts: Starts,
    /// Findings whose fix changes nothing here.
    pub harmless: Vec<FindingId>,
    /// Findings whose fix was not tried by itself.
    pub untried: Vec<FindingId>,
    /// How often it was booted.
    pub boots: usize,
}

type Subject = (FindingId, u64);

/// Whether there is something to find out: it was seen to fail, or fell silent.
#[must_use]
pub fn is_wanted(observation: &Observation) -> bool {
    match observation.starts {
        Starts::Yes => false,
        Starts::No => observation.outcome.kind != OutcomeKind::NotMastered,
        Starts::Unknown => is_unsteady(observation),
    }
}

/// Whether nothing said decided it, so that it is tried twice: a hang, a reset, silence.
fn is_unsteady(observation: &Observation) -> bool {
    use harness::guest::GuestState::Silent;
    let silent = observation
        .guest
        .as_ref()
        .is_some_and(|guest| guest.state == Silent);
    silent
        || matches!(
            observation.outcome.kind,
            OutcomeKind::Hung | OutcomeKind::Reset
        )
}

/// Finds out which findings are the cause, by at most [`MOST_BOOTS`] boots; nothing when no finding has a fix that could be tried.
/// `boot` makes one, or says by `None` that it cannot, or that there is no time for it.
pub fn experiment(
    failed: &Failed<'_>,
    boot: &mut dyn FnMut(&Trial<'_>) -> Option<Observation>,
) -> Option<Shown> {
    let original = *failed.boots.first()?;
    let all = failed.mended(&|_| true)?;
    let is_grave = |finding: &Finding| finding.severity == Severity::Error;
    let worth_it = match original.starts {
        // What fell silent may well run: it takes an error to look for a failure.
        Starts::Unknown => all.fixed.iter().any(is_grave),
        _ => !all.fixed.is_empty(),
    };
    if !worth_it {
        return None;
    }
    let mut work = Work {
        failed,
        boot,
        boots: 0,
        before: Progress::of(original),
        goal: None,
    };
    let mut shown = work.causes(original, all);
    if !shown.proved.is_empty() {
        work.confirm(&mut shown);
    }
    shown.boots = work.boots;
    Some(shown)
}

impl Failed<'_> {
    /// The disc with every finding fixed that may concern the boot, and that is wanted.
    fn mended(&self, wanted: &dyn Fn(Subject) -> bool) -> Option<Mended> {
        let concerned = |inspection: &Inspection, finding: &Finding| {
            wanted(subject(finding)) && (self.likelihood)(inspection, finding).is_some()
        };
        mend(self.disc, self.options, concerned).ok()
    }
}

struct Work<'w, 'd> {
    failed: &'w Failed<'d>,
    boot: &'w mut dyn FnMut(&Trial<'_>) -> Option<Observation>,
    boots: usize,
    /// How far the boot came that is experimented on.
    before: Progress,
    /// How far it comes with what is proved fixed.
    goal: Option<Progress>,
}

impl Work<'_, '_> {
    fn try_it(&mut self, trial: &Trial<'_>) -> Option<Observation> {
        if self.boots >= MOST_BOOTS {
            return None;
        }
        self.boots += 1;
        (self.boot)(trial)
    }

    /// The first boot again with changes.
    fn with(&mut self, mended: &Mended, enough: Option<Progress>) -> Option<Observation> {
        self.try_it(&Trial {
            boot: 0,
            mended: Some(mended),
            enough,
        })
    }

    fn causes(&mut self, original: &Observation, all: Mended) -> Shown {
        let ids = |findings: &[Finding]| {
            let mut ids: Vec<FindingId> = findings.iter().map(|finding| finding.id).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let untried = |findings: &[Finding]| Shown {
            holds_for: vec![0],
            untried: ids(findings),
            ..Shown::default()
        };
        let twice = is_unsteady(original);
        if twice {
            let again = self.try_it(&Trial {
                boot: 0,
                mended: None,
                enough: None,
            });
            // What does not do the same twice shows nothing by doing something else.
            if again.is_none_or(|again| Progress::of(&again) != self.before) {
                return untried(&all.fixed);
            }
        }
        let Some(mut with_all) = self.with(&all, None) else {
            return untried(&all.fixed);
        };
        if twice && Progress::of(&with_all) > self.before {
            match self.with(&all, Some(Progress::of(&with_all))) {
                None => return untried(&all.fixed),
                Some(again) if Progress::of(&again) < Progress::of(&with_all) => with_all = again,
                Some(_) => {}
            }
        }
        if Progress::of(&with_all) > self.before {
            return self.needed(&all, &with_all);
        }
        self.single(&all)
    }

    /// Of fixes that together bring the disc further: those that it takes.
    fn needed(&mut self, all: &Mended, with_all: &Observation) -> Shown {
        let goal = Progress::of(with_all);
        self.goal = Some(goal);
        let mut left: Vec<&Finding> = all.fixed.iter().collect();
        // The least likely ones first.
        left.sort_by_key(|finding| std::cmp::Reverse(self.rank(all, finding)));
        // The likeliest may do it alone: then every other one is harmless.
        if let [others @ .., likeliest] = left.as_slice()
            && !others.is_empty()
            && let Some(alone) = self.failed.mended(&|it| it == subject(likeliest))
            && let Some(seen) = self.with(&alone, Some(goal))
            && Progress::of(&seen) >= goal
        {
            let likeliest = *likeliest;
            return Shown {
                holds_for: vec![0],
                proved: vec![likeliest.clone()],
                then: comes_to(with_all),
                starts: with_all.starts,
                harmless: others.iter().map(|finding| finding.id).collect(),
                untried: Vec::new(),
                boots: 0,
            };
        }
        let mut dropped: BTreeSet<Subject> = BTreeSet::new();
        let mut untried: Vec<FindingId> = Vec::new();
        let mut needed: Vec<Subject> = Vec::new();
        while let Some(finding) = left.first().copied() {
            left.remove(0);
            if left.is_empty() && needed.is_empty() && untried.is_empty() {
                // It takes some of them, and this is the last one.
                needed.push(subject(finding));
                break;
            }
            let without: BTreeSet<Subject> =
                dropped.iter().copied().chain([subject(finding)]).collect();
            let rest = self.failed.mended(&|it| !without.contains(&it));
            match rest.and_then(|rest| self.with(&rest, Some(goal))) {
                None => untried.push(finding.id),
                Some(seen) if Progress::of(&seen) >= goal => dropped = without,
                Some(_) => needed.push(subject(finding)),
            }
        }
        let is = |finding: &&Finding| needed.contains(&subject(finding));
        Shown {
            holds_for: vec![0],
            proved: all.fixed.iter().filter(is).cloned().collect(),
            then: comes_to(with_all),
            starts: with_all.starts,
            harmless: dropped.into_iter().map(|(id, _)| id).collect(),
            untried,
            boots: 0,
        }
    }

    /// Of fixes that together bring the disc no further: one that does by itself.
    fn single(&mut self, all: &Mended) -> Shown {
        let mut ranked: Vec<&Finding> = all.fixed.iter().collect();
        ranked.sort_by_key(|finding| self.rank(all, finding));
        let mut shown = Shown {
            holds_for: vec![0],
            ..Shown::default()
        };
        if let [only] = ranked.as_slice() {
            shown.harmless.push(only.id);
            return shown;
        }
        for finding in ranked {
            if !shown.proved.is_empty() {
                shown.untried.push(finding.id);
                continue;
            }
            let alone = self.failed.mended(&|it| it == subject(finding));
            match alone.and_then(|alone| self.with(&alone, None)) {
                None => shown.untried.push(finding.id),
                Some(seen) if Progress::of(&seen) > self.before => {
                    self.goal = Some(Progress::of(&seen));
                    shown.proved.push(finding.clone());
                    shown.then = comes_to(&seen);
                    shown.starts = seen.starts;
                }
                Some(_) => shown.harmless.push(finding.id),
            }
        }
        shown
    }

    fn rank(&self, all: &Mended, finding: &Finding) -> usize {
        let rank = (self.failed.likelihood)(&all.inspection, finding);
        rank.unwrap_or(usize::MAX)
    }

    /// The other boots with what was proved on the first.
    fn confirm(&mut self, shown: &mut Shown) {
        let proved: BTreeSet<Subject> = shown.proved.iter().map(subject).collect();
        let Some(mended) = self.failed.mended(&|it| proved.contains(&it)) else {
            return;
        };
        for (number, observation) in self.failed.boots.iter().enumerate().skip(1) {
            let before = Progress::of(observation);
            let seen = self.try_it(&Trial {
                boot: number,
                mended: Some(&mended),
                enough: self.goal.filter(|goal| *goal > before),
            });
            if seen.is_none_or(|seen| Progress::of(&seen) > before) {
                shown.holds_for.push(number);
            }
        }
    }
}

#[cfg(test)]
#[path = "experiment_tests.rs"]
mod tests;
