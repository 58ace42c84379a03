//! What the disc failed by, found out by changing it.

use std::{
    cell::Cell as Counter,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use harness::{
    diagnosis::{Boot, Experiment, groups, likelihood},
    observation::Observation,
};
use images::{
    change::{Changed, Edits},
    finding::Finding,
    inspect::{Inspection, Options, Window},
};
use scenarios::{
    record,
    runner::{
        boot::{Boot as OneBoot, How, ReadDisc},
        experiment::{Failed, Trial, experiment, is_wanted},
    },
};

use super::{
    boots::{Booted, Setting},
    disc::Disc,
};
use crate::{parallel, signals::Signals, stop::Stop};

/// So long is experimented in all.
const IN_ALL: Duration = Duration::from_secs(90);
/// A trial may take so many times what the boot took that failed.
const LONGER: f64 = 1.5;
/// And in any case so long: a refusal takes a fraction of a second.
const AT_LEAST: Duration = Duration::from_secs(6);
/// The folder of the trials, in the evidence of the boot that is repeated.
const TRIALS: &str = "trials";

/// Experiments on every group of boots that failed alike.
pub(super) fn find(
    setting: &Setting,
    disc: &Disc,
    booted: &[Booted],
    signals: &Signals,
) -> anyhow::Result<Vec<Experiment>> {
    let boots: Vec<Boot<'_>> = booted.iter().filter_map(Booted::boot).collect();
    let failed: Vec<Vec<&Boot<'_>>> = groups(&boots)
        .into_iter()
        .filter(|group| {
            let wanted = |boot: &&Boot<'_>| is_wanted(boot.observation) && boot.medium.is_none();
            group.iter().all(wanted)
        })
        .collect();
    let until = Instant::now() + IN_ALL;
    let found = Mutex::new(Vec::new());
    let numbered: Vec<(usize, Vec<&Boot<'_>>)> = failed.into_iter().enumerate().collect();
    parallel::each(&numbered, signals, |(number, group)| {
        let work = Work {
            setting,
            disc,
            booted,
            until,
            signals,
        };
        if let Some(experiment) = work.experiment(group) {
            // A poisoned lock holds what it held.
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.push((*number, experiment));
        }
        Ok::<(), Stop>(())
    })?;
    if signals.caught() {
        return Err(Stop::host("interrupted", "").into());
    }
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(number, _)| *number);
    Ok(found
        .into_iter()
        .map(|(_, experiment)| experiment)
        .collect())
}

struct Work<'w> {
    setting: &'w Setting,
    disc: &'w Disc,
    booted: &'w [Booted],
    until: Instant,
    signals: &'w Signals,
}

impl Work<'_> {
    fn experiment(&self, group: &[&Boot<'_>]) -> Option<Experiment> {
        let first = *group.first()?;
        let observations: Vec<&Observation> = group.iter().map(|boot| boot.observation).collect();
        let likelihood =
            |inspection: &Inspection, finding: &Finding| likelihood(first, inspection, finding);
        let failed = Failed {
            disc: &*self.disc.file,
            options: &Options {
                boot_code: self.setting.boot_code(),
                ..Options::default()
            },
            likelihood: &likelihood,
            boots: &observations,
        };
        let number = Counter::new(0);
        let shown = experiment(&failed, &mut |trial| {
            number.set(number.get() + 1);
            self.boot(group.get(trial.boot)?, trial, number.get())
        })?;
        Some(Experiment {
            firmware: first.build.clone(),
            attachments: shown
                .holds_for
                .iter()
                .filter_map(|member| group.get(*member).map(|boot| boot.attachment))
                .collect(),
            proved: shown.proved,
            then: shown.then,
            starts: shown.starts,
            harmless: shown.harmless,
            untried: shown.untried,
            boots: shown.boots,
        })
    }

    /// Boots the disc once more, with changes, in the machine of a boot that failed.
    fn boot(&self, failed: &Boot<'_>, trial: &Trial<'_>, number: usize) -> Option<Observation> {
        let booted = self.booted.iter().find(|one| {
            one.cell.id.firmware() == failed.build && one.cell.attachment == failed.attachment
        })?;
        let left = self.until.checked_duration_since(Instant::now())?;
        if self.signals.caught() {
            return None;
        }
        let took = Duration::from_millis(failed.observation.duration_ms);
        let longest = took.mul_f64(LONGER).max(AT_LEAST);
        // A trial that is cut short shows nothing by what it did not come to.
        if left < longest {
            return None;
        }
        let evidence = self
            .setting
            .out
            .join(record::evidence_folder(&booted.cell.id))
            .join(TRIALS)
            .join(number.to_string());
        let nothing = Edits::default();
        let edits = trial.mended.map_or(&nothing, |mended| &mended.edits);
        let changed = Changed::new(&*self.disc.file, edits);
        let read = ReadDisc::strangers(&mut Window::new(&changed), &Options::default()).ok()?;
        let how = How {
            edits: edits.clone(),
            enough: trial.enough,
            deadline: Some(longest),
            evidence,
            ..self.setting.how(&booted.cell).ok()?
        };
        // Where it could not be booted, its folder says why.
        let seen = OneBoot::of(&booted.cell, &self.disc.path, None, &read, how).seen;
        seen.ok().filter(|seen| !seen.outcome.is_for_want_of_time())
    }
}
