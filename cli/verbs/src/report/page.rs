//! The page itself. `page.html` says what stands where, `page.css` how it looks, `page.js` what moves.

use std::time::{Duration, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use minijinja::{
    Environment, Error, Value, context, escape_formatter, syntax::SyntaxConfig, value::Serde,
};
use scenarios::report::{Details, Report};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{bytes::Dump, map::Map};

const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// So many failures are unfolded, of those that are alike one.
const UNFOLDED: usize = 20;

/// What is drawn for a cell.
#[derive(Debug, Default, Serialize)]
struct Drawing {
    map: Option<Map>,
    dumps: Vec<Dump>,
    /// The screenshot, as an address.
    picture: Option<String>,
}

impl Drawing {
    fn new(details: &Details) -> Self {
        let excerpts = details.disc.iter().flat_map(|disc| &disc.excerpts);
        let picture = details.screenshot.as_ref();
        Self {
            map: details
                .disc
                .as_ref()
                .map(|disc| Map::new(disc, &details.reads)),
            dumps: excerpts
                .map(|excerpt| Dump::new(excerpt, &details.findings))
                .collect(),
            picture: picture.map(|png| format!("data:image/png;base64,{}", STANDARD.encode(png))),
        }
    }
}

/// Makes the page.
///
/// # Errors
/// The template does not fit the model.
pub(super) fn render(report: &Report) -> Result<String, Error> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true);
    environment.set_syntax(syntax.build()?);
    // Whatever a guest or a tool said stays what it is: text, in the order in which it stands.
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() && text.chars().any(is_unseen) => {
            escape_formatter(out, state, &Value::from(seen(text)))
        }
        _ => escape_formatter(out, state, value),
    });
    environment.add_filter("date", date);
    environment.add_filter("seconds", |ms: f64| format!("{:.3}", ms / 1000.0));
    environment.add_filter("place", |x: f64| format!("{x:.1}"));
    environment.add_template("page.html", HTML)?;
    let drawings: Vec<Drawing> = report
        .cells
        .iter()
        .map(|cell| {
            cell.details
                .as_ref()
                .map_or_else(Drawing::default, Drawing::new)
        })
        .collect();
    let causes = report.causes.iter().filter_map(|it| it.squares.first());
    let first = causes.chain(report.failures.iter().filter_map(|it| it.cells.first()));
    let unfolded: Vec<usize> = first.take(UNFOLDED).copied().collect();
    environment.get_template("page.html")?.render(context! {
        report => Value::from(Serde(report)),
        drawings => Value::from(Serde(&drawings)),
        style => Value::from_safe_string(STYLE.to_owned()),
        script => Value::from_safe_string(SCRIPT.to_owned()),
        style_hash => hash(STYLE),
        script_hash => hash(SCRIPT),
        unfolded,
        version => env!("CARGO_PKG_VERSION"),
    })
}

/// By which a browser knows what belongs to the page: it runs nothing else.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// Characters that show nothing, or turn the text around them: control characters, and those that order or join others
/// (Unicode Standard Annex 9, and §23.2).
fn is_unseen(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{61c}' => true,
        _ => character.is_control(),
    }
}

/// The same, with the code points of such characters in their place.
fn seen(text: &str) -> String {
    let show = |character: char| match character {
        character if is_unseen(character) => format!("‹U+{:04X}›", u32::from(character)),
        character => character.to_string(),
    };
    text.chars().map(show).collect()
}

/// A time, as RFC 3339 has it.
fn date(ms: u64) -> String {
    let time = UNIX_EPOCH.checked_add(Duration::from_millis(ms));
    time.map(|time| humantime::format_rfc3339_seconds(time).to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use scenarios::report::Report;
    use serde_json::json;

    use super::*;

    fn page(results: &serde_json::Value) -> String {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("results.json"), results.to_string()).unwrap();
        render(&Report::read(folder.path()).unwrap()).unwrap()
    }

    #[test]
    fn every_verdict_and_a_comparison_are_on_the_page() {
        let verdicts = ["mismatch", "infra", "observed", "skipped", "as-expected"];
        let cells = verdicts.map(|verdict| {
            json!({
                "id": format!("{verdict}/-/none/-/-/seabios/ide"), "scenario": verdict, "medium": "-", "boot": "none", "size": "-", "master": "-",
                "firmware": "seabios", "attachment": "ide", "outcome": null, "expected": null, "verdict": verdict, "differs": [],
                "findings": [], "duration_ms": 0, "start": null, "evidence": "", "reason": ["a < b"]
            })
        });
        let difference = |what: &str| json!({ "what": what, "is": "4", "was": "8" });
        let text = page(&json!({
            "schema": "boot-matrix/1", "host": null, "accelerator": "tcg", "tools": null, "totals": null, "cells": cells,
            "comparison": {
                "against": "<b>ISO</b>", "only_here": ["x"], "only_there": [],
                "totals": { "same": 1, "structure_only": 0, "differ": 1, "only_here": 1, "only_there": 0, "without_evidence": 0 },
                "cells": [{ "id": "a", "other": "b", "boot": [difference("outcome")], "structure": [difference("count of slot 1")] }]
            }
        }));
        for verdict in verdicts {
            assert!(
                text.contains(&format!("class=\"square {verdict}\" href=\"#{verdict}")),
                "{verdict}"
            );
        }
        for part in [
            "&lt;b&gt;ISO",
            "count of slot 1",
            "a &lt; b",
            "Only here: 1",
            "5 cells",
        ] {
            assert!(text.contains(part), "{part}");
        }
    }

    #[test]
    fn what_turns_text_around_is_seen() {
        assert_eq!(seen("a\u{202e}b\u{7}\n"), "a‹U+202E›b‹U+0007›\n");
        assert_eq!(date(0), "1970-01-01T00:00:00Z");
    }
}
