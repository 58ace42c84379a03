//! Discs with a real kernel and a small system, by their names in ids.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use harness::{
    live::{Layout, LayoutError},
    spelling::unknown_word,
};

/// The separator between the name of a layout and that of a damage.
pub const DAMAGE: &str = ",damage=";

/// A disc with a real kernel and a small system.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    /// The file of its layout.
    pub file: PathBuf,
    /// Its layout.
    pub layout: Arc<Layout>,
    /// The name of its damage; nothing if it is healthy.
    pub damage: Option<String>,
}

/// A word that does not name a live disc.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// Its layout cannot be read.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Its layout has no such damage.
    #[error("{0}")]
    Damage(String),
}

impl Live {
    /// The disc that a word names, as `lorax` or `lorax,damage=no-grub-cfg`. The layouts are files in a folder.
    ///
    /// # Errors
    /// There is no such layout, it is invalid, or it has no such damage: with the nearest one that it has.
    pub fn read(folder: &Path, word: &str) -> Result<Self, LiveError> {
        let (name, damage) = match word.split_once(DAMAGE) {
            Some((name, damage)) => (name, Some(damage)),
            None => (word, None),
        };
        let file = folder.join(format!("{name}.toml"));
        let layout = Layout::read(&file)?;
        if let Some(damage) = damage
            && !layout.damage.contains_key(damage)
        {
            let known = layout.damage.keys().map(String::as_str);
            return Err(LiveError::Damage(unknown_word("damage", damage, known)));
        }
        Ok(Self {
            file,
            layout: Arc::new(layout),
            damage: damage.map(ToOwned::to_owned),
        })
    }

    /// The names of a layout's discs: the healthy one, and one for each damage.
    pub fn words(name: &str, layout: &Layout) -> Vec<String> {
        let damaged = layout.damage.keys();
        let damaged = damaged.map(|damage| format!("{name}{DAMAGE}{damage}"));
        std::iter::once(name.to_owned()).chain(damaged).collect()
    }
}
