use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;

use super::*;
use crate::{
    files,
    terms::{Accepted, Starts},
};

fn id(name: &str) -> CellId {
    format!("{name}/-/none/-/x/seabios/ide").parse().unwrap()
}

fn ids(names: &[&str]) -> Vec<CellId> {
    names.iter().map(|name| id(name)).collect()
}

/// The basis of a run with `whole` as the chosen cells.
fn basis(whole: &[CellId]) -> Basis {
    Basis {
        cells: whole.len(),
        cells_sha256: ids_sha256(whole.iter().map(CellId::as_str)),
        ..Basis::default()
    }
}

fn record(id: &CellId, verdict: Verdict) -> CellResult {
    let outcome = json!({ "kind": "booted", "stage": "ended" });
    CellResult {
        outcome: serde_json::from_value(outcome).unwrap(),
        ..record::of_id(id, verdict, "a test").unwrap()
    }
}

/// A run of slice `slice` of `of`, complete and as expected, that began at `began_ms`.
fn shard(whole: &[&str], slice: usize, of: usize, began_ms: u64) -> Shard {
    let partition = Partition { slice, of };
    let whole = ids(whole);
    let own: Vec<CellId> = partition.slots(&whole).cloned().collect();
    Shard {
        folder: format!("run-{began_ms}").into(),
        began_ms,
        partition,
        basis: basis(&whole),
        cut_short: false,
        records: own
            .iter()
            .map(|id| record(id, Verdict::AsExpected))
            .collect(),
        ids: own,
        whole: None,
        host: Host::this(),
        accelerator: Some("tcg".to_owned()),
        tools: Tools::default(),
    }
}

/// The result of joining: the run of each cell, by the time that it began; `-` if the cell could not be run.
fn joined(shards: &[Shard]) -> (String, Results) {
    let (results, taken) = join(shards).unwrap();
    let whose = results.cells.iter().map(|cell| {
        let name = &cell.scenario;
        match taken.get(&cell.id) {
            Some(&index) => format!("{name}{}", shards[index].began_ms),
            None => format!("{name}-"),
        }
    });
    (whose.collect::<Vec<_>>().join(" "), results)
}

fn merged(results: &Results) -> &Merged {
    results.merged.as_ref().unwrap()
}

const WHOLE_OF_5: [&str; 5] = ["a", "b", "c", "d", "e"];

#[test]
fn slices_become_one_whole_in_the_order_of_its_cells() {
    let mut shards = [2, 1].map(|slice| shard(&WHOLE_OF_5, slice, 2, slice as u64));
    shards[0].accelerator = Some("kvm".to_owned());
    let (whose, results) = joined(&shards);
    assert_eq!(whose, "a1 b2 c1 d2 e1");
    assert_eq!(results.totals.as_expected, 5);
    assert_eq!(results.began_ms, Some(1));
    assert_eq!(results.accelerator, "kvm and tcg");
    assert_eq!(results.basis, Some(basis(&ids(&WHOLE_OF_5))));
    assert_eq!(results.exit_code(), 0);
    let merged = merged(&results);
    assert!(merged.proven);
    assert_eq!(
        (&merged.lacking[..], &merged.contradictions[..]),
        (&[][..], &[][..])
    );
    let parts: Vec<_> = merged
        .from
        .iter()
        .map(|part| (part.partition.slice, part.cells, part.taken, part.cut_short))
        .collect();
    assert_eq!(parts, [(1, 3, 3, false), (2, 2, 2, false)]);
}

#[test]
fn a_slice_that_nobody_ran_is_lacking() {
    let mut shards = vec![shard(&WHOLE_OF_5, 1, 2, 1)];
    let (whose, results) = joined(&shards);
    assert_eq!(whose, "a1 c1 e1", "nobody knows what the others are");
    assert_eq!(results.exit_code(), 3);
    let nobody = Lacking {
        partition: Partition { slice: 2, of: 2 },
        cells: 2,
        folder: None,
    };
    assert!(!merged(&results).proven);
    assert_eq!(merged(&results).lacking, std::slice::from_ref(&nobody));
    // With the list of all cells, their names are also known.
    shards[0].whole = Some(ids(&WHOLE_OF_5));
    let (whose, results) = joined(&shards);
    assert_eq!(whose, "a1 b- c1 d- e1");
    assert_eq!(results.cells[1].verdict, Verdict::Infra);
    assert_eq!(merged(&results).lacking, [nobody]);
    // A list of other cells proves nothing.
    shards[0].whole = Some(ids(&["a", "y", "c", "z", "e"]));
    assert_eq!(joined(&shards).0, "a1 c1 e1");
}

#[test]
fn a_run_that_was_cut_short_is_completed_by_another() {
    let mut dead = shard(&WHOLE_OF_5, 1, 2, 1);
    dead.cut_short = true;
    dead.records.truncate(1);
    let mut shards = vec![dead, shard(&WHOLE_OF_5, 2, 2, 2)];
    let (whose, results) = joined(&shards);
    assert_eq!(whose, "a1 b2 c- d2 e-");
    let lacking = Lacking {
        partition: Partition { slice: 1, of: 2 },
        cells: 2,
        folder: Some("run-1".into()),
    };
    assert_eq!(merged(&results).lacking, [lacking]);
    assert!(merged(&results).from[0].cut_short);
    shards.push(shard(&WHOLE_OF_5, 1, 2, 3));
    let (whose, results) = joined(&shards);
    assert_eq!(
        whose, "a3 b2 c3 d2 e3",
        "of two that agree the later counts"
    );
    assert!(merged(&results).proven);
    let taken: Vec<_> = merged(&results)
        .from
        .iter()
        .map(|part| (part.began_ms, part.taken))
        .collect();
    assert_eq!(taken, [(1, 0), (3, 3), (2, 2)]);
}

#[test]
fn what_could_not_be_run_gives_way_and_a_failure_does_not() {
    let run = |began_ms, verdict| {
        let mut shard = shard(&["a"], 1, 1, began_ms);
        shard.records[0].verdict = verdict;
        shard
    };
    let check = |shards: &[Shard], expect: &str, contradictory: bool| {
        let (whose, results) = joined(shards);
        assert_eq!(whose, expect);
        assert_eq!(merged(&results).proven, !contradictory);
        assert_eq!(merged(&results).contradictions.is_empty(), !contradictory);
        results
    };
    let (infra, skipped, passed, failed) = (
        Verdict::Infra,
        Verdict::Skipped,
        Verdict::AsExpected,
        Verdict::Mismatch,
    );
    check(&[run(1, passed), run(2, infra)], "a1", false);
    check(&[run(2, infra), run(1, infra)], "a2", false);
    check(&[run(1, skipped), run(2, infra)], "a1", false);
    let results = check(&[run(1, failed), run(2, passed)], "a1", true);
    let seen = [
        ("run-1".into(), "mismatch, booted".to_owned()),
        ("run-2".into(), "as-expected, booted".to_owned()),
    ];
    let contradiction = Contradiction {
        id: id("a").to_string(),
        seen: seen.into(),
    };
    assert_eq!(merged(&results).contradictions, [contradiction]);
    // A cell that could not be run does not contradict anything.
    let results = check(&[run(1, failed), run(2, passed), run(3, infra)], "a1", true);
    assert_eq!(merged(&results).contradictions[0].seen.len(), 2);
}

#[test]
fn why_a_cell_failed_at_first_is_kept() {
    let mut shards = [1, 2].map(|began_ms| shard(&["a"], 1, 1, began_ms));
    shards[0].records[0].flaky = vec!["it hung".to_owned()];
    let (whose, results) = joined(&shards);
    assert_eq!(whose, "a2");
    assert_eq!(results.cells[0].flaky, ["it hung"]);
    assert_eq!(results.totals.flaky, 1);
}

#[test]
fn records_are_alike_by_what_happened() {
    let one = record(&id("a"), Verdict::AsExpected);
    let alike = |change: &dyn Fn(&mut CellResult)| {
        let mut other = one.clone();
        change(&mut other);
        is_alike(&one, &other)
    };
    assert!(alike(&|other| other.duration_ms = 7));
    assert!(!alike(&|other| other.verdict = Verdict::Observed));
    assert!(!alike(
        &|other| other.findings = vec!["count-zero".to_owned()]
    ));
    assert!(!alike(&|other| other.outcome = None));
    assert!(!alike(
        &|other| other.differs = vec![record::Differs::Outcome]
    ));
    let code = |cell: &mut CellResult| {
        cell.outcome.as_mut().unwrap().code = Some("0009".to_owned());
    };
    assert!(!alike(&code));
    // All possible outcomes count as the same.
    let either = json!({ "outcome": "booted", "or": "hung", "because": "a test" });
    let mut one = one.clone();
    one.expected = serde_json::from_value(either).unwrap();
    let mut other = one.clone();
    code(&mut other);
    assert!(is_alike(&one, &other));
}

#[test]
fn runs_of_another_kind_or_cut_otherwise_are_refused() {
    let one = shard(&WHOLE_OF_5, 1, 2, 1);
    let error = join(&[one.clone(), shard(&["a", "b"], 2, 2, 2)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "run-1 and run-2 are not of one kind: 5 cells, and not 2"
    );
    let error = join(&[one.clone(), shard(&WHOLE_OF_5, 2, 3, 2)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "run-1 is slice:1/2 and run-2 is slice:2/3: these overlap without being the same"
    );
}

#[test]
fn a_list_of_other_cells_than_its_slice_s_is_damaged() {
    let damaged = |change: fn(&mut Shard)| {
        let mut shards = [1, 2].map(|slice| shard(&WHOLE_OF_5, slice, 2, slice as u64));
        change(&mut shards[0]);
        match join(&shards) {
            Err(MergeError::Damaged(folder)) => folder == Path::new("run-1"),
            _ => false,
        }
    };
    assert!(!damaged(|_| ()));
    assert!(damaged(|shard| shard.ids.truncate(2)));
    assert!(damaged(|shard| shard.ids.push(id("f"))));
    // By the digest of all of them.
    assert!(damaged(|shard| shard.ids[0] = id("y")));
    // By the list of all of them.
    assert!(damaged(|shard| {
        shard.ids[0] = id("y");
        shard.whole = Some(ids(&WHOLE_OF_5));
    }));
    assert!(!damaged(|shard| shard.whole = Some(ids(&WHOLE_OF_5))));
    // By another run of the same slice.
    let mut other = shard(&WHOLE_OF_5, 1, 2, 2);
    other.ids.swap(0, 1);
    let error = join(&[shard(&WHOLE_OF_5, 1, 2, 1), other]).unwrap_err();
    assert_eq!(error, MergeError::Damaged("run-2".into()));
}

/// A run's folder: the run began at `began_ms`, and has the cells `a` and `b`; only `a` left a record.
fn folder_of_a_run(began_ms: u64) -> tempfile::TempDir {
    let out = tempfile::tempdir().unwrap();
    let own = ids(&["a", "b"]);
    let run = Run {
        folders: Vec::new(),
        masters: Vec::new(),
        scenarios: Vec::new(),
        cells: out.path().join(LIST),
        out: out.path().to_owned(),
        toolbox: None,
        accepted: Accepted::default(),
        strict: false,
        accept: false,
        began: UNIX_EPOCH + Duration::from_millis(began_ms),
        went_on: UNIX_EPOCH,
        words: Vec::new(),
        partition: None,
        basis: Some(basis(&own)),
        listed_sha256: ids_sha256(own.iter().map(CellId::as_str)),
        against: None,
        reruns: false,
        starts: Starts::default(),
        checkpoints: out.path().join("checkpoints"),
        live: PathBuf::new(),
    };
    files::write_json(&Run::file(out.path()), &run).unwrap();
    let list: String = own.iter().map(|id| format!("{id}\n")).collect();
    files::write(&out.path().join(LIST), list.as_bytes()).unwrap();
    let left = record(&own[0], Verdict::AsExpected);
    record::write_record(out.path(), began_ms, &own[0], left).unwrap();
    out
}

/// Its results, as a run that began at `began_ms` writes them.
fn results_of_a_run(out: &Path, began_ms: u64) {
    let own = ids(&["a", "b"]);
    let cells = own.iter().map(|id| record(id, Verdict::AsExpected));
    let results = Results {
        began_ms: Some(began_ms),
        basis: Some(basis(&own)),
        ..Results::new("tcg".to_owned(), Tools::default(), cells.collect())
    };
    results.write(out).unwrap();
}

#[test]
fn of_a_run_that_was_killed_there_is_what_its_cells_left() {
    let out = folder_of_a_run(7);
    let read = || {
        let shard = Shard::read(out.path()).unwrap();
        (
            shard.began_ms,
            shard.ids.len(),
            shard.records.len(),
            shard.cut_short,
        )
    };
    assert_eq!(read(), (7, 2, 1, true));
    // Results of an earlier run in the same folder do not belong to it.
    results_of_a_run(out.path(), 6);
    assert_eq!(read(), (7, 2, 1, true));
    results_of_a_run(out.path(), 7);
    assert_eq!(read(), (7, 2, 2, false));
    // Results without a run file are trusted.
    files::remove(&Run::file(out.path())).unwrap();
    results_of_a_run(out.path(), 6);
    assert_eq!(read(), (6, 2, 2, false));
    files::remove(&Results::file(out.path())).unwrap();
    let nothing = Shard::read(out.path()).unwrap_err().to_string();
    assert!(nothing.contains("results.json"), "{nothing}");
}

#[test]
fn the_list_of_another_run_is_not_taken() {
    let out = folder_of_a_run(7);
    let list = format!("{}\n", id("a"));
    files::write(&out.path().join(LIST), list.as_bytes()).unwrap();
    let error = Shard::read(out.path()).unwrap_err().to_string();
    assert!(
        error.contains("the list of cells is of another run"),
        "{error}"
    );
}
