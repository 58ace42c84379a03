//! docs/found.md: every cheap reproducer does what the page says of it, where the tool or firmware is of its version.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

#[expect(dead_code, reason = "shared with tests that read JSON that way")]
mod common;
#[path = "common/shell.rs"]
mod shell;

use std::{fs, path::Path};

use serde_json::Value;
use shell::shell;

/// A command of the page, and what it says of it.
#[derive(Debug, PartialEq, Eq)]
struct Reproducer<'a> {
    /// What it needs: `genisoimage=1.1.11`, or a program's name alone.
    needs: Vec<&'a str>,
    command: &'a str,
    code: i32,
    words: &'a str,
}

/// The blocks that begin with ```` ```sh reproducer ````, each followed by `expected: exit 1 and "words"`.
fn reproducers(page: &str) -> Result<Vec<Reproducer<'_>>, String> {
    let blocks = page.split("\n```sh reproducer").skip(1);
    let read = |block| -> Option<Reproducer<'_>> {
        let (needs, rest): (&str, &str) = str::split_once(block, '\n')?;
        let (command, rest) = rest.split_once("\n```\n")?;
        let expected = rest.trim_start().lines().next()?;
        let (code, words) = expected
            .strip_prefix("expected: exit ")?
            .split_once(" and ")?;
        Some(Reproducer {
            needs: needs.split_whitespace().collect(),
            command,
            code: code.parse().ok()?,
            words: words.strip_prefix('"')?.strip_suffix('"')?,
        })
    };
    blocks
        .map(|block| {
            read(block)
                .ok_or_else(|| format!("no `expected: exit N and \"…\"` follows:{block:.200}"))
        })
        .collect()
}

/// Runs it in a folder of its own; what it contradicts.
fn contradiction(reproducer: &Reproducer<'_>) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("target")).unwrap();
    let (code, said) = shell(reproducer.command, folder.path());
    let holds = code == reproducer.code && said.contains(reproducer.words);
    (!holds).then(|| {
        let Reproducer { command, code: expected, words, .. } = reproducer;
        format!("{command}\n  should exit with {expected} and say {words:?}; it exits with {code:?} and says\n{said}")
    })
}

/// What is on this machine, as `doctor` says: names and versions.
fn found() -> Vec<(String, String)> {
    let (_, said) = shell("cargo xtask doctor --format json", Path::new("."));
    let json = said.lines().find(|line| line.starts_with('{')).unwrap();
    let json: Value = serde_json::from_str(json).unwrap();
    let listed = |key: &str| json[key].as_array().unwrap().clone();
    let needs = [listed("needs"), listed("optional")].concat();
    let found = needs.iter().filter_map(|need| {
        let name = need["name"].as_str()?.trim_start_matches("firmware ");
        Some((name.to_owned(), need["found"].as_str()?.to_owned()))
    });
    found.collect()
}

fn is_there(need: &str, found: &[(String, String)]) -> bool {
    let (name, version) = need.split_once('=').unwrap_or((need, ""));
    let version_is = |there: &str| {
        let rest = there.strip_prefix(version);
        rest.is_some_and(|rest| {
            version.is_empty() || !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        })
    };
    found
        .iter()
        .any(|(there, what)| there == name && version_is(what))
}

#[test]
fn what_the_page_says_is_what_happens() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/found.md");
    let page = fs::read_to_string(page).unwrap();
    let reproducers = reproducers(&page).unwrap();
    assert!(reproducers.len() > 20, "{}", reproducers.len());
    let found = found();
    let mut wrong = Vec::new();
    for reproducer in &reproducers {
        match reproducer.needs.iter().find(|need| !is_there(need, &found)) {
            Some(need) => println!("there is no {need}: not run: {}", reproducer.command),
            None => wrong.extend(contradiction(reproducer)),
        }
    }
    assert!(
        wrong.is_empty(),
        "docs/found.md says otherwise:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_claim_that_does_not_hold_is_noticed() {
    let block = |command: &str, claim: &str| {
        format!("\n```sh reproducer sh\n{command}\n```\n\nexpected: {claim}\n")
    };
    for (command, claim, holds) in [
        ("echo one && false", "exit 1 and \"one\"", true),
        ("echo one && false", "exit 0 and \"one\"", false),
        ("echo one >&2", "exit 0 and \"two\"", false),
        (
            "cargo xtask image nonsense --out target/x",
            "exit 2 and \"nonsense\"",
            true,
        ),
        ("echo '\"a\"'", "exit 0 and \"\"a\"\"", true),
    ] {
        let page = block(command, claim);
        let read = reproducers(&page).unwrap();
        assert_eq!(
            contradiction(&read[0]).is_none(),
            holds,
            "{command}: {claim}"
        );
    }
    assert!(reproducers(&block("true", "nothing")).is_err());
}

#[test]
fn a_reproducer_is_for_its_version_alone() {
    let found = [("xorriso".to_owned(), "1.5.4 (/usr/bin/xorriso)".to_owned())];
    assert!(is_there("xorriso=1.5.4", &found) && is_there("xorriso", &found));
    for need in ["xorriso=1.5.6", "xorriso=1.5", "xorriso=1", "genisoimage"] {
        assert!(!is_there(need, &found), "{need}");
    }
}
