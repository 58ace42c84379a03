//! One boot of one cell.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use harness::{
    case::{Case, Success},
    checkpoint::Checkpoints,
    guest::Vocabulary,
    observation::Observation,
    platform::Platform,
    progress::Progress,
    run::Infra,
};
use images::{
    boot_configuration::BootConfigurations,
    change::Edits,
    inspect::{InspectError, Inspection, Options, Window, inspect},
    manifest::Manifest,
    map::DiscMap,
};

use crate::cell::Cell;

/// All that is known of a disc without booting it.
#[derive(Clone, Debug)]
pub struct ReadDisc {
    /// What is on it, and what is wrong with that.
    pub inspection: Inspection,
    /// What stands where on it.
    pub map: Arc<DiscMap>,
    /// What the boot loaders on it are told.
    pub configurations: Arc<BootConfigurations>,
}

impl ReadDisc {
    /// Reads a disc that somebody else made.
    ///
    /// # Errors
    /// As [`inspect()`].
    pub fn strangers(disc: &mut Window<'_>, options: &Options<'_>) -> Result<Self, InspectError> {
        let read = Self::ours(disc, options)?;
        Ok(Self {
            configurations: Arc::new(BootConfigurations::read(disc, &read.inspection)),
            ..read
        })
    }

    /// Reads a disc that was mastered here. No loader on it reads a configuration.
    ///
    /// # Errors
    /// As [`inspect()`].
    pub fn ours(disc: &mut Window<'_>, options: &Options<'_>) -> Result<Self, InspectError> {
        let inspection = inspect(disc, options)?;
        let map = Arc::new(DiscMap::read(disc, &inspection));
        Ok(Self {
            inspection,
            map,
            configurations: Arc::default(),
        })
    }
}

/// With what, from where and how long a cell is booted.
#[derive(Clone, Debug)]
pub struct How {
    /// The machine.
    pub platform: Platform,
    /// From where it starts; nothing: from power-on.
    pub checkpoints: Option<Checkpoints>,
    /// What shows that the disc started.
    pub success: Success,
    /// The words by which programs are known; nothing: those that are built in.
    pub words: Option<Arc<Vocabulary>>,
    /// How long it is watched at most, by the clock; nothing: as long as is usual.
    pub deadline: Option<Duration>,
    /// The folder for the evidence.
    pub evidence: PathBuf,
    /// The progress that is enough: the machine is then no longer watched.
    pub enough: Option<Progress>,
    /// What is changed of the disc for this boot alone.
    pub edits: Edits,
}

/// A cell that was booted.
#[derive(Debug)]
pub struct Boot {
    /// What was asked for.
    pub case: Case,
    /// What was seen, or why nothing could be.
    pub seen: Result<Observation, Infra>,
}

impl Boot {
    /// Boots a cell's disc, of which this was read before.
    #[must_use]
    pub fn of(
        cell: &Cell,
        iso: &Path,
        manifest: Option<Manifest>,
        read: &ReadDisc,
        how: How,
    ) -> Self {
        let case = Case {
            id: cell.id.to_string(),
            disc: iso.to_owned(),
            edits: how.edits,
            manifest,
            map: Some(Arc::clone(&read.map)),
            configurations: Arc::clone(&read.configurations),
            platform: how.platform,
            checkpoints: how.checkpoints,
            success: how.success,
            dialogue: cell.dialogue.clone(),
            words: how.words,
            patience: cell.deadline,
            deadline: how.deadline,
            enough: how.enough,
            evidence: how.evidence,
        };
        let seen = harness::run::run(&case);
        Self { case, seen }
    }
}
