//! The rules of a scenario: expected results and exclusions, and the cells that they apply to.

use harness::toml_file::Location;
use toml::Spanned;

use crate::{
    cell::{Expectation, Rule},
    file::{ColdDecl, ExcludeDecl, ExpectDecl, Patterns, Selector},
    filter::glob,
    id::CellId,
    read_error::ScenarioError,
    reading::Reader,
    version::Version,
};

/// The cells that a rule applies to.
#[derive(Clone, Debug)]
pub(crate) struct When {
    /// The place of the rule.
    pub(crate) at: Location,
    /// The parts of ids that it names, with a condition for each.
    pub(crate) parts: Vec<Part>,
}

/// A rule's condition for one part of the ids.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// `medium`, `boot`, `size`, `master`, `firmware` or `attachment`.
    pub(crate) axis: &'static str,
    /// Its place.
    pub(crate) at: Location,
    /// One of these must match.
    pub(crate) patterns: Patterns,
}

impl When {
    fn new(at: Location, selector: Selector, reader: &Reader<'_>) -> Self {
        let parts = [
            ("medium", selector.medium),
            ("boot", selector.boot),
            ("size", selector.size),
            ("master", selector.master),
            ("firmware", selector.firmware),
            ("attachment", selector.attach),
        ];
        let part = |(axis, patterns): (_, Option<Spanned<Patterns>>)| {
            let patterns = patterns?;
            Some(Part {
                axis,
                at: reader.at(&patterns),
                patterns: patterns.into_inner(),
            })
        };
        Self {
            at,
            parts: parts.into_iter().filter_map(part).collect(),
        }
    }

    /// Whether a cell matches.
    pub(crate) fn matches(&self, id: &CellId) -> bool {
        let disc = id.disc();
        self.parts.iter().all(|part| {
            let word = match part.axis {
                "medium" => disc.medium(),
                "boot" => disc.boot(),
                "size" => disc.size(),
                "master" => disc.master(),
                "firmware" => id.firmware(),
                _ => id.attachment(),
            };
            let mut patterns = part.patterns.as_slice().iter();
            patterns.any(|pattern| glob(pattern, word))
        })
    }
}

/// The cells that are left out.
pub(crate) fn read_exclude(rule: Spanned<ExcludeDecl>, reader: &Reader<'_>) -> When {
    When::new(reader.at(&rule), rule.into_inner().when, reader)
}

/// The cells whose machines start from power-on, and why.
pub(crate) fn read_cold(
    rule: Spanned<ColdDecl>,
    reader: &Reader<'_>,
) -> Result<(When, String), ScenarioError> {
    let at = reader.at(&rule);
    let rule = rule.into_inner();
    let because = reason(rule.because, reader)?;
    Ok((When::new(at, rule.when, reader), because))
}

/// A reason, which must not be empty.
fn reason(because: Spanned<String>, reader: &Reader<'_>) -> Result<String, ScenarioError> {
    if because.get_ref().trim().is_empty() {
        return Err(reader.wrong(
            reader.at(&because),
            "because is empty: say which section, which source file, or what would disprove it",
        ));
    }
    Ok(because.into_inner())
}

/// The expected results, and their cells.
pub(crate) fn read_expect(
    rule: Spanned<ExpectDecl>,
    reader: &Reader<'_>,
) -> Result<(When, Rule), ScenarioError> {
    let at = reader.at(&rule);
    let rule = rule.into_inner();
    let because = reason(rule.because, reader)?;
    let version = |text: Spanned<String>| {
        Version::find(text.get_ref()).ok_or_else(|| {
            reader.wrong(
                reader.at(&text),
                format!(
                    "since = {:?} is not a version: write it with numbers, such as \"2025.02\"",
                    text.get_ref()
                ),
            )
        })
    };
    let since = rule.since.map(version).transpose()?;
    let words = |text: Spanned<String>| match regex::Regex::new(text.get_ref()) {
        Ok(_) => Ok(text.into_inner()),
        Err(error) => Err(reader.wrong(
            reader.at(&text),
            format!("words is not a valid regular expression: {error}"),
        )),
    };
    let words = rule.words.map(words).transpose()?;
    let facts = rule.facts.into_iter();
    let expectation = Expectation {
        outcome: rule.outcome.0,
        or: rule.or.map(|word| word.0),
        code: rule.code,
        stage: rule.stage.map(|stage| stage.0),
        guest: rule.guest.map(|state| state.0),
        guest_stage: rule.guest_stage.map(|stage| stage.0),
        slot: rule.slot,
        damage: rule.damage.map_or_else(Default::default, |word| word.0),
        facts: facts
            .map(|(fact, value)| (fact.0.as_str().to_owned(), value))
            .collect(),
        words,
        because,
    };
    let when = When::new(at.clone(), rule.when, reader);
    let rule = Rule {
        at,
        since,
        expectation,
    };
    Ok((when, rule))
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
