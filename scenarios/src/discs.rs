//! The discs that a scenario declares.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use harness::{live::LayoutError, toml_file::Location};
use toml::Spanned;

use crate::{
    file::IsoDecl,
    id::{ABSENT, check_part},
    live::{Live, LiveError},
    read_error::ScenarioError,
    reading::{Reader, Source},
    words::{Boot, Master, Medium, OrAbsent, Size, Word},
};

#[derive(Clone, Debug)]
pub(crate) enum Discs {
    Mastered(Axes),
    Iso {
        path: PathBuf,
        package: Option<String>,
        name: String,
    },
    /// By the name of each in ids.
    Live(Vec<(String, Live)>),
}

#[derive(Clone, Debug)]
pub(crate) struct Axes {
    pub(crate) media: Vec<Option<Medium>>,
    pub(crate) boot: Vec<Boot>,
    pub(crate) size: Vec<Option<Size>>,
    pub(crate) master: Vec<Master>,
}

pub(crate) fn or_absent<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| ABSENT.to_owned(), ToString::to_string)
}

/// Reads the axes of a scenario.
pub(crate) struct Declared<'a> {
    pub(crate) reader: &'a Reader<'a>,
    /// The scenario, for a missing axis.
    pub(crate) at: &'a Location,
}

impl Declared<'_> {
    pub(crate) fn required<T: ToString>(
        &self,
        name: &str,
        words: Vec<Spanned<Word<T>>>,
    ) -> Result<Vec<T>, ScenarioError> {
        if words.is_empty() {
            let what = format!("{name} is missing or empty: name at least one");
            return Err(self.reader.wrong(self.at.clone(), what));
        }
        self.distinct(name, words, |word| word.0, ToString::to_string)
    }

    pub(crate) fn optional<T: ToString>(
        &self,
        name: &str,
        words: Option<Vec<Spanned<OrAbsent<T>>>>,
    ) -> Result<Vec<Option<T>>, ScenarioError> {
        match words {
            None => Ok(vec![None]),
            Some(words) if words.is_empty() => {
                let what = format!("{name} is empty: name at least one, or \"-\"");
                Err(self.reader.wrong(self.at.clone(), what))
            }
            Some(words) => self.distinct(
                name,
                words,
                |word| word.0,
                |value| or_absent(value.as_ref()),
            ),
        }
    }

    /// Two spellings of one word would create two cells with one id.
    fn distinct<W, T>(
        &self,
        name: &str,
        words: Vec<Spanned<W>>,
        value: impl Fn(W) -> T,
        text: impl Fn(&T) -> String,
    ) -> Result<Vec<T>, ScenarioError> {
        let mut seen = BTreeSet::new();
        let mut values = Vec::new();
        for word in words {
            let at = self.reader.at(&word);
            let value = value(word.into_inner());
            let text = text(&value);
            if let Err(error) = check_part(&text) {
                return Err(self.reader.wrong(at, format!("{name}: {error}")));
            }
            if let Some(twice) = seen.replace(text) {
                return Err(self.reader.wrong(at, format!("{name} has {twice} twice")));
            }
            values.push(value);
        }
        Ok(values)
    }
}

pub(crate) fn read_live(
    words: &[Spanned<String>],
    source: &Source<'_>,
    axes: &Declared<'_>,
) -> Result<Vec<(String, Live)>, ScenarioError> {
    let beside = source.path.parent().unwrap_or(Path::new(""));
    let folders = [beside.join("live"), beside.join("../live")];
    let folder = folders.iter().find(|folder| folder.is_dir());
    let mut discs: Vec<(String, Live)> = Vec::new();
    for spanned in words {
        let word = spanned.get_ref();
        let wrong = |what: String| axes.reader.wrong(axes.reader.at(spanned), what);
        check_part(word).map_err(|error| wrong(error.to_string()))?;
        if discs.iter().any(|(known, _)| known == word) {
            return Err(wrong(format!("live has {word} twice")));
        }
        let folder = folder.ok_or_else(|| {
            wrong(format!(
                "no folder {} contains layouts",
                folders[0].display()
            ))
        })?;
        let live = Live::read(folder, word).map_err(|error| match error {
            LiveError::Layout(LayoutError::Syntax(error)) => {
                axes.reader.wrong(error.at, error.message)
            }
            error => wrong(error.to_string()),
        })?;
        discs.push((word.clone(), live));
    }
    if discs.is_empty() {
        let what = "live is empty: name at least one layout".to_owned();
        return Err(axes.reader.wrong(axes.at.clone(), what));
    }
    Ok(discs)
}

pub(crate) fn read_iso(iso: IsoDecl, source: &Source<'_>) -> Result<Discs, String> {
    let path = source
        .path
        .parent()
        .unwrap_or(Path::new(""))
        .join(&iso.path);
    let stem = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    check_part(stem).map_err(|error| format!("the name of the iso {}: {error}", path.display()))?;
    Ok(Discs::Iso {
        name: stem.to_owned(),
        path,
        package: iso.package,
    })
}
