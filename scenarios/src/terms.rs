//! How the cells of a run are judged, and where their machines start from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the cells of a run are compared with, in addition to the scenarios' declarations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accepted {
    /// The snapshots of the scenarios.
    #[default]
    Snapshots,
    /// The baseline in this folder, which takes precedence over the scenarios' declarations.
    Baseline(PathBuf),
    /// Nothing.
    Nothing,
}

/// Where the machines of a run start from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Starts {
    /// From checkpoints, where possible. A cell that is not as expected is tried again from power-on, and only that result counts.
    #[default]
    Warm,
    /// From power-on.
    Cold,
    /// Each cell both ways: the observations must be equal.
    Both,
}
