//! The results as JUnit has them, for what shows test reports. nextest's own report knows neither what was skipped nor what could not be
//! run, and only what it ran itself: not what is kept of a run that went on, or what is merged.

use std::{path::Path, time::Duration};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};
use scenarios::{
    files,
    record::{CellResult, Verdict},
    results::Results,
};

use super::output;

/// The name of the report in the folder of a run.
const FILE: &str = "junit.xml";
/// As nextest calls the program of the cells.
const SUITE: &str = "boot-matrix-tests::matrix";

/// Writes the report into the folder of the results.
pub(crate) fn write(results: &Results, out: &Path) -> anyhow::Result<()> {
    files::write(&out.join(FILE), render(&results.cells)?.as_bytes())?;
    Ok(())
}

fn render(cells: &[CellResult]) -> anyhow::Result<String> {
    let mut suite = TestSuite::new(SUITE);
    suite.add_test_cases(cells.iter().map(case));
    let mut report = Report::new("boot-matrix");
    report.add_test_suite(suite);
    Ok(report.to_string()?)
}

fn case(cell: &CellResult) -> TestCase {
    let mut status = match cell.verdict {
        Verdict::AsExpected | Verdict::Observed => TestCaseStatus::success(),
        Verdict::Skipped => TestCaseStatus::skipped(),
        Verdict::Mismatch => TestCaseStatus::non_success(NonSuccessKind::Failure),
        // Nothing is known of the disc.
        Verdict::Infra => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if let Some(first) = cell.flaky.first() {
        let mut failed = TestRerun::new(NonSuccessKind::Failure);
        failed
            .set_message(first.clone())
            .set_description(cell.flaky.join("\n"));
        status.add_rerun(failed);
    }
    if let Some(first) = cell.reason.first() {
        status.set_message(first.clone());
        let because = cell.expected.iter().map(|expected| &expected.because);
        let mut lines = cell.reason.clone();
        lines.extend(because.map(|because| format!("expected because: {because}")));
        lines.push(format!("evidence: {}", cell.evidence));
        status.set_description(lines.join("\n"));
    }
    let mut case = TestCase::new(cell.id.clone(), status);
    case.set_classname(SUITE)
        .set_time(Duration::from_millis(cell.duration_ms));
    // What the disc's program came to, whether that had to be so or not.
    if let Some(starts) = cell.starts_in_words() {
        case.set_system_out(format!("{}; {starts}", output::in_words(cell)));
    }
    case
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(id: &str, verdict: Verdict, reason: &str) -> CellResult {
        serde_json::from_value(serde_json::json!({
            "id": id, "scenario": "a", "medium": "-", "boot": "b", "size": "-", "master": "r",
            "firmware": "seabios", "attachment": "ide", "outcome": null, "expected": null, "verdict": verdict,
            "differs": [], "findings": [], "duration_ms": 1500, "start": null, "evidence": "cells", "reason": [reason]
        }))
        .unwrap()
    }

    #[test]
    fn skipped_is_no_pass_and_infra_no_failure() {
        let cells = [
            CellResult {
                flaky: vec!["at first".to_owned()],
                ..cell("a/pass", Verdict::AsExpected, "")
            },
            cell("a/skip", Verdict::Skipped, "<no> \"tool\""),
            cell(
                "a/infra",
                Verdict::Infra,
                "QEMU\u{1b}[1m died & gone ]]>\nsaid so",
            ),
            cell("a/fail", Verdict::Mismatch, "x"),
        ];
        let text = render(&cells).unwrap();
        // An independent reader.
        let suites = junit_parser::from_reader(text.as_bytes()).unwrap();
        let counts = (suites.tests, suites.failures, suites.errors, suites.skipped);
        assert_eq!(counts, (4, 1, 1, 1), "{text}");
        let status = |index: usize| &suites.suites[0].cases[index].status;
        assert!(status(0).is_success() && status(1).is_skipped());
        assert!(status(2).is_error() && status(3).is_failure());
        assert!(
            text.contains("<flakyFailure message=\"at first\""),
            "{text}"
        );
        let infra = format!("{:?}", status(2));
        assert!(
            infra.contains("died & gone ]]>") && !infra.contains('\u{1b}'),
            "{infra}"
        );
    }
}
