//! Stand-ins for types of other crates that are not there yet.

use std::fmt;
use std::str::FromStr;

macro_rules! open {
    ($name:ident) => {
        #[derive(Clone, Debug, PartialEq, Eq)]
        /// A stand-in.
        pub struct $name(String);
        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                if text.is_empty() {
                    Err(format!("{text:?} is nothing"))
                } else {
                    Ok(Self(text.to_owned()))
                }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}
open!(Medium);
open!(Boot);
open!(Size);

/// A stand-in.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Expectation {
    /// a
    pub kind: harness::outcome::OutcomeKind,
    /// b
    pub code: Option<String>,
    /// c
    pub stage: Option<harness::outcome::Stage>,
    /// d
    pub because: String,
}

/// A stand-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// a
    AsExpected,
    /// b
    Mismatch,
    /// c
    Skipped,
    /// d
    Infra,
    /// e
    Observed,
}

/// A stand-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Differs {
    /// a
    Outcome,
    /// b
    Snapshot,
    /// c
    New,
}

macro_rules! shown {
    ($($name:ident)*) => { $(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&format!("{self:?}").to_lowercase())
            }
        }
    )* };
}
shown!(Verdict Differs);
