//! What a benchmark amounts to: for people a description of the machine and two tables, for programs JSON.

use std::io::{self, Write};

use harness::firmware::FirmwareId;
use serde::{Serialize, Serializer};
use serde_json::json;

use super::timing::{Spread, ms, number, show};
use cli::{host::Host, options::Format};

/// Everything that was measured.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) host: Host,
    pub(super) times: Vec<Time>,
    pub(super) rows: Vec<Row>,
}

/// How long something took.
#[derive(Clone, Debug)]
pub(super) struct Time {
    /// What.
    pub(super) what: String,
    pub(super) spread: Spread,
    /// By which ratios find it, if they do.
    pub(super) key: Option<Key>,
}

/// By which a time is found again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) side: Side,
    /// The attachment; empty where times of a side do not differ in it.
    pub(super) group: String,
    pub(super) kind: Kind,
}

/// Whose time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Seabios,
    Ovmf,
    OvmfIa32,
    Aavmf,
    /// Another firmware, which starts from power-on alone.
    Other(FirmwareId),
}

/// How the machine started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bare,
    Warm,
    Cold,
}

/// A figure, with what it should be.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    what: String,
    value: f64,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    aim: Option<Aim>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reached: Option<bool>,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Aim {
    AtMost(f64),
    AtLeast(f64),
}

impl Row {
    pub(super) fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            what: what.into(),
            value,
            unit,
            aim: None,
            reached: None,
        }
    }

    pub(super) fn aim(self, aim: Aim) -> Self {
        let reached = match aim {
            Aim::AtMost(bound) => self.value <= bound,
            Aim::AtLeast(bound) => self.value >= bound,
        };
        Self {
            aim: Some(aim),
            reached: Some(reached),
            ..self
        }
    }

    fn in_the_table(&self) -> String {
        let aim = match self.aim {
            None => String::new(),
            Some(Aim::AtMost(bound)) => format!("≤ {bound}{}", self.unit),
            Some(Aim::AtLeast(bound)) => format!("≥ {bound}{}", self.unit),
        };
        let reached = match self.reached {
            None => "",
            Some(true) => "yes",
            Some(false) => "**no**",
        };
        let Self { what, unit, .. } = self;
        format!(
            "| {what} | {}{unit} | {aim} | {reached} |",
            number(self.value)
        )
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let spread = &self.spread;
        json!({
            "what": self.what,
            "median_ms": ms(spread.median),
            "least_ms": ms(spread.least),
            "most_ms": ms(spread.most),
            "runs": spread.runs,
        })
        .serialize(serializer)
    }
}

impl Report {
    pub(super) fn print(&self, out: &mut impl Write, format: Format) -> io::Result<()> {
        if format == Format::Json {
            let json = json!({
                "schema": "bench/1",
                "host": self.host,
                "times": self.times,
                "rows": self.rows,
            });
            serde_json::to_writer_pretty(&mut *out, &json)?;
            return writeln!(out);
        }
        let [hardware, software] = self.host.describe();
        writeln!(out, "{hardware}; {software}.\n")?;
        writeln!(
            out,
            "| what was timed | median | shortest to longest | runs |"
        )?;
        writeln!(out, "|---|---|---|---|")?;
        for Time { what, spread, .. } in &self.times {
            let [median, least, most] = [spread.median, spread.least, spread.most].map(show);
            let range = match spread.runs {
                1 => String::new(),
                _ => format!("{least} to {most}"),
            };
            writeln!(out, "| {what} | {median} | {range} | {} |", spread.runs)?;
        }
        writeln!(
            out,
            "\n| measured | figure | aim | reached |\n|---|---|---|---|"
        )?;
        for row in &self.rows {
            writeln!(out, "{}", row.in_the_table())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_whether_its_aim_is_reached() {
        let of = |value, aim| Row::new("a cell", value, "×").aim(aim).in_the_table();
        assert_eq!(
            of(2.5, Aim::AtMost(2.5)),
            "| a cell | 2.50× | ≤ 2.5× | yes |"
        );
        assert_eq!(
            of(2.51, Aim::AtMost(2.5)),
            "| a cell | 2.51× | ≤ 2.5× | **no** |"
        );
        assert_eq!(
            of(10.0, Aim::AtLeast(6.0)),
            "| a cell | 10.0× | ≥ 6× | yes |"
        );
        assert_eq!(
            of(1.0, Aim::AtLeast(1.7)),
            "| a cell | 1.00× | ≥ 1.7× | **no** |"
        );
        let plain = Row::new("a disc", 152.0, " KiB").in_the_table();
        assert_eq!(plain, "| a disc | 152 KiB |  |  |");
    }
}
