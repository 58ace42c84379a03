//! What a writer came to: the document `conformance/1`, and its badge.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, Item, Level, VERSION};

/// The name of the format, `conformance/1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Schema {
    /// The first one.
    #[default]
    #[serde(rename = "conformance/1")]
    Conformance1,
}

/// The results of a writer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The format.
    pub schema: Schema,
    /// The version of the kit.
    pub kit: u32,
    /// The writer's name.
    pub tool: String,
    /// Its version; `null` if it does not print one.
    pub version: Option<String>,
    /// Whether the discs were also booted, or only judged by their bytes.
    pub booted: bool,
    /// The discs that every writer must make.
    pub required: Score,
    /// The others.
    pub optional: Score,
    /// The discs, in the order of the kit.
    pub discs: Vec<Judged>,
}

/// How many discs are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// This many are right,
    pub passed: usize,
    /// of so many.
    pub of: usize,
}

/// The result of one disc.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// Its name in the kit.
    pub id: String,
    /// Whether every writer must make it.
    pub level: Level,
    /// Its id, as for `cargo xtask image`.
    pub disc: String,
    /// Its result.
    pub result: Result,
    /// For `fail`, the faults: in its bytes, or of a boot.
    pub faults: Vec<Fault>,
    /// For `refused` and `not-offered`, the reason; for `fail` of a tool that wrote nothing, its message.
    pub words: Vec<String>,
    /// Why it is in the kit.
    pub reason: String,
    /// The source.
    pub source: String,
}

/// The result of a disc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Result {
    /// It is right.
    Pass,
    /// It is wrong, or there is none although the tool did not refuse.
    Fail,
    /// The tool's description does not cover it.
    NotOffered,
    /// The tool ended with an error.
    Refused,
}

impl fmt::Display for Result {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotOffered => "not offered",
            Self::Refused => "refused",
        })
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.passed, self.of)
    }
}

impl Judged {
    /// A disc of the kit before anything is known of it.
    #[must_use]
    pub fn new(item: &Item, disc: &str, result: Result) -> Self {
        Self {
            id: item.id.0.0.clone(),
            level: item.level,
            disc: disc.to_owned(),
            result,
            faults: Vec::new(),
            words: Vec::new(),
            reason: item.reason.clone(),
            source: item.source.clone(),
        }
    }

    /// Notes something that is wrong with it.
    pub fn add(&mut self, fault: Fault) {
        self.result = Result::Fail;
        self.faults.push(fault);
    }

    /// Why it did not pass, a sentence each.
    pub fn why(&self) -> impl Iterator<Item = &str> {
        let faults = self.faults.iter().map(|fault| fault.sentence.as_str());
        faults.chain(self.words.iter().map(String::as_str))
    }
}

impl Report {
    /// Counts what the discs came to.
    #[must_use]
    pub fn new(tool: &str, version: Option<String>, booted: bool, discs: Vec<Judged>) -> Self {
        let score = |level| {
            let of = discs.iter().filter(|disc| disc.level == level);
            Score {
                passed: of
                    .clone()
                    .filter(|disc| disc.result == Result::Pass)
                    .count(),
                of: of.count(),
            }
        };
        Self {
            schema: Schema::default(),
            kit: VERSION,
            tool: tool.to_owned(),
            version,
            booted,
            required: score(Level::Required),
            optional: score(Level::Optional),
            discs,
        }
    }

    /// Whether every required disc is right.
    #[must_use]
    pub const fn conforms(&self) -> bool {
        self.required.passed == self.required.of
    }

    /// The score, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!("{} required, {} optional", self.required, self.optional)
    }

    /// The score as a picture, an SVG for a page about the tool.
    #[must_use]
    pub fn badge(&self) -> String {
        let how = if self.booted { "" } else { ", by bytes" };
        let left = escaped(&format!("El Torito kit {}: {}", self.kit, self.tool));
        let right = escaped(&format!("{}{how}", self.required));
        let colour = if self.conforms() {
            "#2a7d2a"
        } else {
            "#b03030"
        };
        // 7 units hold a character of the font; what does not fit is squeezed.
        let width = |text: &str| 7 * text.chars().count() + 12;
        let (first, second) = (width(&left), width(&right));
        let all = first + second;
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{all}" height="20" role="img" aria-label="{left}: {right}">
<title>{left}: {right}</title>
<rect width="{first}" height="20" fill="#444"/>
<rect x="{first}" width="{second}" height="20" fill="{colour}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="6" y="14" textLength="{}" lengthAdjust="spacingAndGlyphs">{left}</text>
<text x="{}" y="14" textLength="{}" lengthAdjust="spacingAndGlyphs">{right}</text>
</g>
</svg>
"##,
            first.saturating_sub(12),
            first + 6,
            second.saturating_sub(12),
        )
    }
}

/// Text as it may stand in XML.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The JSON Schema of reports, as it is kept in the repository.
#[must_use]
pub fn report_schema() -> String {
    let schema = schemars::schema_for!(Report);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badge_is_text_and_no_markup_of_a_tool() {
        let report = Report::new("<script>&\"'\u{1}", None, false, Vec::new());
        let badge = report.badge();
        assert!(
            badge.contains("kit 1: &lt;script&gt;&amp;&quot;&apos;\u{fffd}"),
            "{badge}"
        );
        assert!(badge.contains("0 of 0, by bytes"), "{badge}");
        assert!(!badge.contains("<script"), "{badge}");
    }
}
