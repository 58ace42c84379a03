//! Real discs, real fixes, and firmware that is a function of what is on the disc: so each way through an experiment can be had.

use harness::{
    guest::{Guest, GuestStage, GuestState},
    observation::Start,
    outcome::{Outcome, Stage},
};
use images::{
    change::Changed,
    finding::FindingId as Id,
    inspect::{Window, inspect},
    reference::master,
    sparse::SparseBytes,
};

use super::*;

/// A disc for a BIOS and for UEFI, whose catalog lacks its key bytes, has a wrong checksum then, and an initial entry that does not boot.
fn disc() -> SparseBytes {
    let boot = "bios+efi".parse().unwrap();
    let disc = master("experiment/-/-/-/reference", None, &boot, None).unwrap();
    let catalog = disc.manifest.catalog.byte_offset();
    let mut bytes = disc.bytes;
    bytes.write_at(catalog + 0x1E, &[0, 0]);
    bytes.write_at(catalog + 0x1C, &[0x12, 0x34]);
    bytes.write_at(catalog + 0x20, &[0]);
    bytes
}

fn observation(kind: OutcomeKind, stage: Stage, guest: Option<GuestState>) -> Observation {
    let outcome = Outcome {
        kind,
        code: None,
        stage,
        gave_back: false,
        detail: String::new(),
    };
    let guest = guest.map(|state| Guest::unheard(state, GuestStage::Loader));
    Observation {
        starts: Starts::of(&outcome, guest.as_ref(), false),
        outcome,
        guest,
        probe: None,
        words: Vec::new(),
        reads: Vec::new(),
        reads_before_entry: None,
        reads_known: true,
        start: Start::Cold,
        duration_ms: 100,
        serial: String::new(),
        screen: None,
    }
}

fn refused(stage: Stage) -> Observation {
    observation(OutcomeKind::Refused, stage, None)
}

fn booted() -> Observation {
    observation(OutcomeKind::Booted, Stage::Ended, None)
}

fn hung() -> Observation {
    let silent = Some(GuestState::Silent);
    observation(OutcomeKind::Hung, Stage::Entered, silent)
}

/// Experiments on boots that came to this, by firmware that does this with what it finds.
fn shown(
    boots: &[Observation],
    mut firmware: impl FnMut(&Trial<'_>, &Inspection) -> Option<Observation>,
) -> Shown {
    let disc = disc();
    let options = Options::default();
    let boots: Vec<&Observation> = boots.iter().collect();
    let failed = Failed {
        disc: &disc,
        options: &options,
        likelihood: &|_, finding| Some(usize::from(finding.id != Id::CatalogKey)),
        boots: &boots,
    };
    let nothing = images::change::Edits::default();
    let boot = &mut |trial: &Trial<'_>| {
        let edits = trial.mended.map_or(&nothing, |mended| &mended.edits);
        let changed = Changed::new(&disc, edits);
        let inspection = inspect(&mut Window::new(&changed), &options).unwrap();
        firmware(trial, &inspection)
    };
    experiment(&failed, boot).unwrap()
}

fn ids(shown: &Shown) -> Vec<Id> {
    shown.proved.iter().map(|finding| finding.id).collect()
}

#[test]
fn what_the_firmware_minds_is_the_cause_and_nothing_else_is() {
    let seen = shown(&[refused(Stage::CatalogRead)], |_, disc| {
        Some(if disc.found(Id::CatalogKey) {
            refused(Stage::CatalogRead)
        } else {
            booted()
        })
    });
    assert_eq!(ids(&seen), [Id::CatalogKey]);
    assert_eq!(seen.starts, Starts::Yes);
    assert_eq!(seen.then, "it boots");
    assert!(seen.harmless.contains(&Id::EntryNotBootable), "{seen:?}");
    assert!(seen.untried.is_empty(), "{seen:?}");
}

#[test]
fn two_faults_at_once_are_two_causes() {
    // The second one shows only when the first is gone.
    let seen = shown(&[refused(Stage::MediumFound)], |_, disc| {
        Some(if disc.found(Id::CatalogKey) {
            refused(Stage::MediumFound)
        } else if disc.found(Id::EntryNotBootable) {
            refused(Stage::CatalogRead)
        } else {
            booted()
        })
    });
    assert_eq!(ids(&seen), [Id::CatalogKey, Id::EntryNotBootable]);
}

#[test]
fn what_still_does_not_start_is_told_as_that() {
    let seen = shown(&[refused(Stage::MediumFound)], |_, disc| {
        Some(if disc.found(Id::CatalogKey) {
            refused(Stage::MediumFound)
        } else {
            refused(Stage::ImageLoaded)
        })
    });
    assert_eq!(ids(&seen), [Id::CatalogKey]);
    assert_eq!(seen.starts, Starts::No);
    assert!(seen.then.contains("image-loaded"), "{}", seen.then);
}

#[test]
fn where_one_fix_spoils_another_single_ones_are_tried() {
    let seen = shown(&[refused(Stage::CatalogRead)], |_, disc| {
        let alone = !disc.found(Id::CatalogKey) && disc.found(Id::EntryNotBootable);
        Some(if alone {
            booted()
        } else {
            refused(Stage::CatalogRead)
        })
    });
    assert_eq!(ids(&seen), [Id::CatalogKey]);
}

#[test]
fn where_nothing_helps_nothing_is_a_cause() {
    let seen = shown(&[refused(Stage::CatalogRead)], |_, _| {
        Some(refused(Stage::CatalogRead))
    });
    assert!(
        seen.proved.is_empty() && seen.untried.is_empty(),
        "{seen:?}"
    );
    assert!(seen.harmless.contains(&Id::CatalogKey), "{seen:?}");
}

#[test]
fn what_does_not_do_the_same_twice_shows_nothing() {
    let mut number = 0;
    let seen = shown(&[hung()], |_, _| {
        number += 1;
        Some(if number == 1 { booted() } else { hung() })
    });
    assert!(
        seen.proved.is_empty() && seen.harmless.is_empty(),
        "{seen:?}"
    );
    assert!(seen.untried.contains(&Id::CatalogKey), "{seen:?}");
    assert_eq!(seen.boots, 1);
}

#[test]
fn a_hang_is_booted_twice_before_and_twice_after() {
    let mut as_it_is = 0;
    let mut with_all = 0;
    let seen = shown(&[hung()], |trial, disc| {
        as_it_is += usize::from(trial.mended.is_none());
        let whole = trial.mended.is_some_and(|mended| mended.fixed.len() > 1);
        with_all +=
            usize::from(whole && !disc.found(Id::EntryNotBootable) && !disc.found(Id::CatalogKey));
        Some(if disc.found(Id::CatalogKey) {
            hung()
        } else {
            booted()
        })
    });
    assert_eq!(ids(&seen), [Id::CatalogKey]);
    assert_eq!(as_it_is, 1, "the first time was before");
    assert!(with_all >= 2);
}

#[test]
fn what_there_is_no_time_for_is_told_as_untried() {
    for most in 0..MOST_BOOTS {
        let mut left = most;
        let seen = shown(&[refused(Stage::CatalogRead)], |_, disc| {
            left = left.checked_sub(1)?;
            Some(if disc.found(Id::CatalogKey) {
                refused(Stage::CatalogRead)
            } else {
                booted()
            })
        });
        let found = ids(&seen);
        assert!(
            found.iter().all(|id| *id == Id::CatalogKey),
            "{most}: {seen:?}"
        );
        let told = found.len() + seen.harmless.len() + seen.untried.len();
        assert!(told >= 2, "{most}: {seen:?}");
        assert!(seen.boots <= MOST_BOOTS);
    }
}

#[test]
fn another_attachment_that_does_not_do_the_same_is_not_explained_by_it() {
    let boots = [
        refused(Stage::CatalogRead),
        refused(Stage::CatalogRead),
        refused(Stage::CatalogRead),
    ];
    let seen = shown(&boots, |trial, disc| {
        Some(if disc.found(Id::CatalogKey) || trial.boot == 1 {
            refused(Stage::CatalogRead)
        } else {
            booted()
        })
    });
    assert_eq!(seen.holds_for, [0, 2]);
}
