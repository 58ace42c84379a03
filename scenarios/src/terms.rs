//! How the cells of a run are judged, and from where their machines start.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the cells of a run are compared with, besides what the scenarios declare.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accepted {
    /// The snapshots of the scenarios.
    #[default]
    Snapshots,
    /// The baseline in this folder, which outweighs what the scenarios declare.
    Baseline(PathBuf),
    /// Nothing.
    Nothing,
}

/// From where the machines of a run start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Starts {
    /// From checkpoints where there can be one. What is not as expected then is tried again from power-on, and only that counts.
    #[default]
    Warm,
    /// From power-on.
    Cold,
    /// Each cell both ways: what is seen must be the same.
    Both,
}
