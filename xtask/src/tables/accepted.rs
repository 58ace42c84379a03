//! What was accepted of a cell: the part of its snapshot that the tables show.

use std::fs;

use scenarios::cell::Cell;

/// What happens to a disc, in a few words, as its accepted snapshot says: `boots`, `boots, damaged`, `0009` in
/// backticks, `resets or hangs`.
pub(super) fn outcome(cell: &Cell) -> Result<String, String> {
    let path = cell.snapshot.display();
    let text = fs::read_to_string(&cell.snapshot)
        .map_err(|error| format!("{}: nothing was accepted, {path}: {error}", cell.id))?;
    words(&text).ok_or_else(|| format!("{path} has no outcome"))
}

/// What stands behind a word in the snapshot; `None` where the word is not there.
pub(super) fn value(cell: &Cell, key: &str) -> Option<String> {
    let text = fs::read_to_string(&cell.snapshot).ok()?;
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))?;
    Some(value.to_owned())
}

fn words(snapshot: &str) -> Option<String> {
    let value = |key: &str| {
        let mut lines = snapshot.lines();
        lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
    };
    let outcome = value("outcome")?;
    if let Some(code) = value("code") {
        return Some(format!("`{code}`"));
    }
    // "12 ok", or "8 of 12 ok".
    let damaged = value("checks").is_some_and(|checks| checks.contains(" of "));
    if outcome == "booted" && damaged {
        return Some("boots, damaged".to_owned());
    }
    let outcomes: Vec<&str> = outcome.split(" or ").map(verb).collect();
    Some(outcomes.join(" or "))
}

fn verb(outcome: &str) -> &str {
    match outcome {
        "booted" => "boots",
        "handed-over" => "handed over",
        "hung" => "hangs",
        "reset" => "resets",
        "not-mastered" => "not mastered",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_become_words() {
        for (snapshot, expected) in [
            ("outcome: booted\nchecks: 12 ok\n", "boots"),
            ("outcome: booted\nchecks: 8 of 12 ok\n", "boots, damaged"),
            ("outcome: refused\ncode: Not Found\n", "`Not Found`"),
            ("outcome: reset or hung\n", "resets or hangs"),
            ("outcome: not-mastered\nwords:\n  code: 1\n", "not mastered"),
        ] {
            assert_eq!(words(snapshot).as_deref(), Some(expected));
        }
        assert_eq!(words("stage: ended\n"), None);
    }
}
