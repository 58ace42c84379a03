//! Why a command could not do what it was asked, and the exit code for it.

use std::fmt;

use serde_json::json;

/// Wrong usage, or input that cannot be read.
const USAGE: u8 = 2;
/// Something that is needed is missing, or the host failed.
pub(crate) const HOST: u8 = 3;

/// A command that ends without results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) code: u8,
    message: String,
    remedy: String,
}

impl Stop {
    /// Wrong usage, or input that cannot be read.
    pub(crate) fn usage(message: impl fmt::Display, remedy: impl fmt::Display) -> Self {
        Self {
            code: USAGE,
            message: message.to_string(),
            remedy: remedy.to_string(),
        }
    }

    /// Something that is needed is missing, or the host failed.
    pub(crate) fn host(message: impl fmt::Display, remedy: impl fmt::Display) -> Self {
        Self {
            code: HOST,
            message: message.to_string(),
            remedy: remedy.to_string(),
        }
    }

    /// The stop that an error carries; for any other error, a failure of the host.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        error
            .downcast_ref()
            .cloned()
            .unwrap_or_else(|| Self::host(format!("{error:#}"), ""))
    }

    /// The `error/1` document.
    pub(crate) fn to_json(&self) -> String {
        json!({ "schema": "error/1", "message": self.message, "remedy": self.remedy }).to_string()
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message.trim_start_matches("error: "))?;
        if !self.remedy.is_empty() {
            write!(f, "\n  try: {}", self.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for Stop {}
