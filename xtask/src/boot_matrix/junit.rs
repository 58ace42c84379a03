//! Puts nextest's JUnit report right: it knows only pass and fail, and a cell that was skipped is no pass, and one that
//! could not be run no failure of the disc.

use std::{collections::BTreeMap, fs, io, path::Path};

use scenarios::{
    files::{self, FileError},
    results::{CellResult, Results, Verdict},
};

/// Takes the report that nextest left, puts it right, and writes it into the folder of the results. Without a report
/// there is nothing to do.
pub(super) fn mend(report: &Path, results: &Results, out: &Path) -> Result<(), FileError> {
    let text = match fs::read_to_string(report) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        text => text.map_err(FileError::new("read", report))?,
    };
    files::write(
        &out.join("junit.xml"),
        mended(&text, &results.cells).as_bytes(),
    )
}

/// The report with `<skipped>` and `<error>` where they belong, and the counts to match.
fn mended(report: &str, cells: &[CellResult]) -> String {
    let to_mend: BTreeMap<&str, &CellResult> = cells
        .iter()
        .filter(|cell| matches!(cell.verdict, Verdict::Skipped | Verdict::Infra))
        .map(|cell| (cell.id.as_str(), cell))
        .collect();
    let mut text = String::with_capacity(report.len());
    let mut rest = report;
    let mut counts = Counts::default();
    while let Some((before, case)) = rest.split_once("<testcase ") {
        text.push_str(before);
        let (case, after) = split_case(case);
        let result =
            attribute(case, "name").and_then(|name| to_mend.get(unescape(name).as_str()).copied());
        match result {
            Some(result) => text.push_str(&mended_case(case, result, &mut counts)),
            None => text.push_str(&format!("<testcase {case}")),
        }
        rest = after;
    }
    text.push_str(rest);
    counts.apply(&text)
}

/// The attributes and content of a test case, and what follows it.
fn split_case(case: &str) -> (&str, &str) {
    let end_of_tag = case.find('>').map_or(case.len(), |at| at + 1);
    if case[..end_of_tag].ends_with("/>") {
        return case.split_at(end_of_tag);
    }
    const END: &str = "</testcase>";
    case.split_at(case.find(END).map_or(case.len(), |at| at + END.len()))
}

#[derive(Default)]
struct Counts {
    skipped: usize,
    errors: usize,
    /// What nextest counted as failures and is none.
    no_failures: usize,
}

fn mended_case(case: &str, result: &CellResult, counts: &mut Counts) -> String {
    let reason = escape(&result.reason.join("\n"));
    let attributes = case
        .split(['>'])
        .next()
        .unwrap_or_default()
        .trim_end_matches('/')
        .trim_end();
    if case.contains("<failure") {
        counts.no_failures += 1;
    }
    let element = if result.verdict == Verdict::Skipped {
        counts.skipped += 1;
        "skipped"
    } else {
        counts.errors += 1;
        "error"
    };
    format!(
        "<testcase {attributes}>\n            <{element} message=\"{reason}\"/>\n        </testcase>"
    )
}

impl Counts {
    /// The counts of the whole and of the suite; there is one suite.
    fn apply(&self, report: &str) -> String {
        let mut text = String::with_capacity(report.len());
        for line in report.split_inclusive('\n') {
            if line.trim_start().starts_with("<testsuite") {
                text.push_str(&self.apply_to_tag(line));
            } else {
                text.push_str(line);
            }
        }
        text
    }

    fn apply_to_tag(&self, tag: &str) -> String {
        let count = |name| attribute(tag, name).and_then(|text| text.parse::<usize>().ok());
        let set = |tag: &str, name: &str, was: Option<usize>, is: usize| match was {
            Some(was) => tag.replacen(
                &format!(" {name}=\"{was}\""),
                &format!(" {name}=\"{is}\""),
                1,
            ),
            None => tag.replacen('>', &format!(" {name}=\"{is}\">"), 1),
        };
        let (failures, errors) = (count("failures").unwrap_or(0), count("errors").unwrap_or(0));
        let tag = set(
            tag,
            "failures",
            count("failures"),
            failures.saturating_sub(self.no_failures),
        );
        let tag = set(&tag, "errors", count("errors"), errors + self.errors);
        set(
            &tag,
            "skipped",
            count("skipped"),
            count("skipped").unwrap_or(0) + self.skipped,
        )
    }
}

/// An attribute's text, as it is written.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let tag = tag.split('>').next()?;
    let (_, rest) = format!(" {tag}")
        .find(&format!(" {name}=\""))
        .map(|at| tag.split_at(at + name.len() + 2))?;
    rest.split('"').next()
}

fn escape(text: &str) -> String {
    // XML 1.0 has no place for other control characters, not even as references.
    let text: String = text
        .chars()
        .filter(|&c| c >= ' ' || matches!(c, '\n' | '\t'))
        .collect();
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\n', "&#10;")
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(id: &str, verdict: Verdict, reason: &str) -> CellResult {
        serde_json::from_value(serde_json::json!({
            "id": id, "scenario": "a", "medium": "-", "boot": "b", "size": "-", "master": "r",
            "firmware": "seabios", "attachment": "ide", "outcome": null, "expected": null, "verdict": verdict,
            "differs": [], "findings": [], "duration_ms": 0, "start": null, "evidence": "cells", "reason": [reason]
        }))
        .unwrap()
    }

    #[test]
    fn skipped_is_no_pass_and_infra_no_failure() {
        // As nextest 0.9.143 writes it.
        let report = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="4" failures="2" errors="0" uuid="0" timestamp="t" time="1.0">
    <testsuite name="boot-matrix-tests::matrix" tests="4" disabled="0" errors="0" failures="2">
        <testcase name="a/pass" classname="boot-matrix-tests::matrix" timestamp="t" time="0.1"/>
        <testcase name="a/skip" classname="boot-matrix-tests::matrix" timestamp="t" time="0.1">
        </testcase>
        <testcase name="a/infra" classname="boot-matrix-tests::matrix" timestamp="t" time="0.1">
            <failure message="boom" type="test failure">text</failure>
        </testcase>
        <testcase name="a/fail" classname="boot-matrix-tests::matrix" timestamp="t" time="0.1">
            <failure message="no" type="test failure">text</failure>
        </testcase>
    </testsuite>
</testsuites>
"#;
        let cells = [
            cell("a/pass", Verdict::AsExpected, ""),
            cell("a/skip", Verdict::Skipped, "<no> \"tool\""),
            cell("a/infra", Verdict::Infra, "QEMU\u{1b} died & gone\nsaid so"),
            cell("a/fail", Verdict::Mismatch, "x"),
        ];
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="4" failures="1" errors="1" uuid="0" timestamp="t" time="1.0" skipped="1">
    <testsuite name="boot-matrix-tests::matrix" tests="4" disabled="0" errors="1" failures="1" skipped="1">
        <testcase name="a/pass" classname="boot-matrix-tests::matrix" timestamp="t" time="0.1"/>
        <testcase name="a/skip" classname="boot-matrix-tests::matrix" timestamp="t" time="0.1">
            <skipped message="&lt;no&gt; &quot;tool&quot;"/>
        </testcase>
        <testcase name="a/infra" classname="boot-matrix-tests::matrix" timestamp="t" time="0.1">
            <error message="QEMU died &amp; gone&#10;said so"/>
        </testcase>
        <testcase name="a/fail" classname="boot-matrix-tests::matrix" timestamp="t" time="0.1">
            <failure message="no" type="test failure">text</failure>
        </testcase>
    </testsuite>
</testsuites>
"#;
        assert_eq!(mended(report, &cells), expected);
    }
}
