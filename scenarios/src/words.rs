//! The terms of scenario files and the command line, and the messages for unknown ones.

use std::{borrow::Cow, fmt, marker::PhantomData};

use harness::{
    attachment::Attachment,
    guest::{GuestStage, GuestState},
    observation,
    outcome::{OutcomeKind, Stage},
    verdict::ExpectedDamage,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use crate::id::{ABSENT, EDITED, base_and_edit, check_part};

mod attachment_name;

pub use self::attachment_name::AttachmentName;
pub use harness::{
    firmware::{FirmwareId as Firmware, FirmwareName},
    spelling::{nearest, unknown_word},
};
pub use images::{boot::Boot, medium::Medium, size::Size};
use images::{
    boot::{Mode, Place},
    defect::Defect,
    reference::Imapi,
};

/// A set of terms with one meaning each.
pub trait Vocabulary: Sized {
    /// The kind of thing that a term names, as in "no attachment is called …".
    const NOUN: &'static str;

    /// Every term, or for an open set the terms that come closest to a list.
    fn words() -> Vec<String>;

    /// Whether [`Vocabulary::words`] is complete.
    const CLOSED: bool;

    /// A regular expression for other terms, if there is one.
    fn pattern() -> Option<String> {
        None
    }

    /// The meaning of a term.
    ///
    /// # Errors
    /// It is unknown: with a sentence that explains why.
    fn parse(word: &str) -> Result<Self, String>;
}

/// Reads a term of a vocabulary.
///
/// # Errors
/// The term is unknown: with the nearest ones.
pub fn read<V: Vocabulary>(word: &str) -> Result<V, String> {
    V::parse(word)
}

/// A term of a vocabulary, in a scenario file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word<V>(pub V);

/// A term of a vocabulary or `-`, in a scenario file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrAbsent<V>(pub Option<V>);

struct Reader<T>(PhantomData<T>);

impl<V: Vocabulary> de::Visitor<'_> for Reader<Word<V>> {
    type Value = Word<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "text that names the {}", V::NOUN)
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Self::Value, E> {
        V::parse(word).map(Word).map_err(E::custom)
    }
}

impl<V: Vocabulary> de::Visitor<'_> for Reader<OrAbsent<V>> {
    type Value = OrAbsent<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "text that names the {}, or \"-\"", V::NOUN)
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Self::Value, E> {
        if word == ABSENT {
            return Ok(OrAbsent(None));
        }
        V::parse(word)
            .map(|value| OrAbsent(Some(value)))
            .map_err(E::custom)
    }
}

impl<'de, V: Vocabulary> Deserialize<'de> for Word<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Reader(PhantomData::<Self>))
    }
}

impl<'de, V: Vocabulary> Deserialize<'de> for OrAbsent<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Reader(PhantomData::<Self>))
    }
}

fn schema<V: Vocabulary>(extra: Option<&str>) -> Schema {
    let mut words = V::words();
    if let Some(pattern) = V::pattern() {
        return json_schema!({
            "type": "string", "description": V::NOUN, "anyOf": [{ "enum": words }, { "pattern": pattern }],
        });
    }
    if !V::CLOSED {
        return json_schema!({ "type": "string", "description": V::NOUN, "examples": words });
    }
    words.extend(extra.map(ToOwned::to_owned));
    json_schema!({ "type": "string", "description": V::NOUN, "enum": words })
}

impl<V: Vocabulary> JsonSchema for Word<V> {
    fn schema_name() -> Cow<'static, str> {
        V::NOUN.replace(' ', "-").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema::<V>(None)
    }
}

impl<V: Vocabulary> JsonSchema for OrAbsent<V> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}-or-absent", V::NOUN.replace(' ', "-")).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema::<V>(Some(ABSENT))
    }
}

macro_rules! listed {
    ($name:ty, $noun:literal) => {
        impl Vocabulary for $name {
            const NOUN: &'static str = $noun;
            const CLOSED: bool = true;

            fn words() -> Vec<String> {
                Self::ALL.iter().map(ToString::to_string).collect()
            }

            fn parse(word: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().find(|known| known.as_str() == word);
                let known = || Self::ALL.iter().map(|known| known.as_str());
                found
                    .cloned()
                    .ok_or_else(|| unknown_word(Self::NOUN, word, known()))
            }
        }
    };
}

listed!(Attachment, "attachment");

listed!(Firmware, "firmware");
listed!(OutcomeKind, "outcome");
listed!(Stage, "stage");
listed!(GuestState, "guest state");
listed!(GuestStage, "guest stage");
listed!(ExpectedDamage, "damage");
listed!(Set, "set");

impl Vocabulary for FirmwareName {
    const NOUN: &'static str = Firmware::NOUN;
    const CLOSED: bool = false;

    fn words() -> Vec<String> {
        Firmware::words()
    }

    fn parse(word: &str) -> Result<Self, String> {
        match word.split_once('@') {
            None => Firmware::parse(word).map(Self::from),
            Some((id, build)) => {
                Self::of_build(Firmware::parse(id)?, build).map_err(|error| error.to_string())
            }
        }
    }
}

macro_rules! open {
    ($name:ty, $noun:literal, $words:expr, $near:expr) => {
        impl Vocabulary for $name {
            const NOUN: &'static str = $noun;
            const CLOSED: bool = false;

            fn words() -> Vec<String> {
                $words.into_iter().map(|word| word.to_string()).collect()
            }

            fn parse(word: &str) -> Result<Self, String> {
                word.parse().map_err(|error| {
                    let near: Vec<String> = $near(word);
                    if near.is_empty() {
                        format!("{error}")
                    } else {
                        format!("{error}; did you mean {}?", near.join(" or "))
                    }
                })
            }
        }
    };
}

open!(Medium, "medium", Medium::names(), near_media);
open!(Boot, "boot mode", Mode::names(), near_boots);
open!(
    Size,
    "size",
    ["quarter", "quarter-1s", "quarter+1b", "65535s", "full"],
    near_sizes
);

fn near_media(word: &str) -> Vec<String> {
    let near = nearest(word, Medium::names());
    near.into_iter().map(ToOwned::to_owned).collect()
}

/// Sizes with one mistake corrected: a misspelt name of an edge, or a distance without its unit.
fn near_sizes(word: &str) -> Vec<String> {
    let edge = word.find(['+', '-']).unwrap_or(word.len());
    let (edge, distance) = word.split_at(edge);
    let edges = nearest(edge, ["quarter", "full"]);
    let sizes = edges
        .iter()
        .flat_map(|edge| ["", "s", "b"].map(|unit| format!("{edge}{distance}{unit}")));
    sizes.filter(|size| size.parse::<Size>().is_ok()).collect()
}

/// The text with the nearest words in place of the first unknown one: only if that is its only mistake, because
/// otherwise the suggestion would be just as wrong.
fn near_boots(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split(',').collect();
    let found = words.iter().enumerate().find_map(|(at, word)| {
        let (before, unknown, after, known) = vocabulary_of(at, word);
        (!known.is_empty() && !known.contains(&unknown)).then(|| {
            let with = move |word: &str| format!("{before}{word}{after}");
            (at, unknown, known, with)
        })
    });
    let Some((at, unknown, known, with)) = found else {
        return Vec::new();
    };
    let corrected = |word: &str| {
        let mut words: Vec<String> = words.iter().copied().map(ToOwned::to_owned).collect();
        words[at] = with(word);
        words.join(",")
    };
    let fits = |word: &&str| corrected(word).parse::<Boot>().is_ok();
    let near = nearest(unknown, known.into_iter().filter(fits));
    near.into_iter().map(corrected).collect()
}

/// For a word of a boot mode: the text before the part that must be a known word, that part, the text after it, and the
/// known words; none if it may be any number.
fn vocabulary_of(at: usize, word: &str) -> (String, &str, String, Vec<&'static str>) {
    let nothing = String::new;
    match word.split_once('=') {
        _ if at == 0 => (nothing(), word, nothing(), Mode::names().collect()),
        None => (nothing(), word, nothing(), Vec::new()),
        Some(("place", value)) => ("place=".into(), value, nothing(), Place::names().collect()),
        Some(("defect", value)) => (
            "defect=".into(),
            value,
            nothing(),
            Defect::names().collect(),
        ),
        Some((key, value)) => (nothing(), key, format!("={value}"), Boot::KEYS.to_vec()),
    }
}

/// A set of cells that run together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Set {
    /// The default.
    #[default]
    Default,
    /// Every mastering tool.
    Masters,
    /// Every defect.
    Defects,
    /// Every build of every firmware.
    Grid,
    /// Real kernels and systems in the layouts of distributions.
    Live,
    /// Every editor of discs.
    Editors,
    /// Signed loaders, on machines with every set of keys.
    SecureBoot,
    /// Every other firmware.
    Firmware,
}

impl Set {
    /// Every set.
    pub const ALL: &[Self] = &[
        Self::Default,
        Self::Masters,
        Self::Defects,
        Self::Grid,
        Self::Live,
        Self::Editors,
        Self::SecureBoot,
        Self::Firmware,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Masters => "masters",
            Self::Defects => "defects",
            Self::Grid => "grid",
            Self::Live => "live",
            Self::SecureBoot => "secure-boot",
            Self::Editors => "editors",
            Self::Firmware => "firmware",
        }
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A mastering tool, by its name in ids. [`crate::master::Masters`] knows whether it exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Master(String);

impl Master {
    /// The built-in masters.
    pub const BUILT_IN: &[&str] = &[
        "reference",
        Imapi::Tail.name(),
        Imapi::Spread.name(),
        Imapi::Hotfix.name(),
    ];

    /// Whether a scenario that compares tools, and names none, includes this one: every tool, and the reference.
    pub(crate) fn compares(name: &str) -> bool {
        name == "reference" || !Self::BUILT_IN.contains(&name)
    }

    /// Its IMAPI, or that of the edited discs, if there is one.
    #[must_use]
    pub fn imapi(&self) -> Option<Imapi> {
        let (base, _) = base_and_edit(&self.0);
        Imapi::ALL.into_iter().find(|imapi| imapi.name() == base)
    }

    /// The master, and an editor that edits its disc.
    #[must_use]
    pub fn edited_by(&self, editor: &str) -> Self {
        Self(format!("{self}{EDITED}{editor}"))
    }

    /// The master of the disc before it is edited.
    #[must_use]
    pub fn base(&self) -> Self {
        Self::new(base_and_edit(&self.0).0)
    }

    /// The editor of its disc, if it is edited.
    #[must_use]
    pub fn edit(&self) -> Option<&str> {
        base_and_edit(&self.0).1
    }

    /// The master with that name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Master {
    fn default() -> Self {
        Self::new("reference")
    }
}

impl fmt::Display for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Vocabulary for Master {
    const NOUN: &'static str = "master";
    const CLOSED: bool = false;

    fn words() -> Vec<String> {
        Self::BUILT_IN.iter().map(ToString::to_string).collect()
    }

    fn parse(word: &str) -> Result<Self, String> {
        Name::parse(word).map(|name| Self(name.0))
    }
}

/// A fact that the firmware reports to a probe, by its name in expectations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact(&'static str);

impl Fact {
    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl Vocabulary for Fact {
    const NOUN: &'static str = "fact";
    const CLOSED: bool = true;

    fn words() -> Vec<String> {
        observation::fact_names().map(ToOwned::to_owned).collect()
    }

    fn parse(word: &str) -> Result<Self, String> {
        let found = observation::fact_names().find(|&known| known == word);
        found
            .map(Self)
            .ok_or_else(|| unknown_word(Self::NOUN, word, observation::fact_names()))
    }
}

/// A name that its author may choose, such as a scenario's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub String);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Vocabulary for Name {
    const NOUN: &'static str = "name";
    const CLOSED: bool = false;

    fn words() -> Vec<String> {
        Vec::new()
    }

    fn parse(word: &str) -> Result<Self, String> {
        check_part(word).map_err(|error| error.to_string())?;
        if word.contains(['*', '?', '@']) || word == ABSENT {
            return Err(format!("{word:?} cannot be a name"));
        }
        Ok(Self(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_is_answered_with_the_nearest() {
        let error = read::<Attachment>("achi").unwrap_err();
        assert_eq!(
            error,
            "no attachment is called \"achi\"; did you mean ahci?"
        );
        let error = read::<Attachment>("sata").unwrap_err();
        assert!(error.ends_with("; did you mean ahci?"), "{error}");
        let error = read::<Set>("xyzzy").unwrap_err();
        assert_eq!(
            error,
            "no set is called \"xyzzy\": use one of default, masters, defects, grid, live, editors, secure-boot, firmware"
        );
        assert_eq!(
            nearest("usb", Attachment::ALL.iter().map(|a| a.as_str())),
            ["usb-cd", "usb-disk", "usb-cd-ehci"]
        );
        let drive: AttachmentName = read("usb-cd-ehci+slow=20").unwrap();
        assert_eq!(drive.to_string(), "usb-cd-ehci+slow=20");
        assert!(
            read::<AttachmentName>("usb-cd+fast")
                .unwrap_err()
                .contains("slow=KIB")
        );
    }

    #[test]
    fn a_firmware_may_be_named_with_its_build() {
        let name = |word| read::<FirmwareName>(word).map(|name| name.to_string());
        assert_eq!(name("seabios@1.17.0").as_deref(), Ok("seabios@1.17.0"));
        assert_eq!(name("ovmf").as_deref(), Ok("ovmf"));
        let error = name("seabis@1.17.0").unwrap_err();
        assert!(error.contains("did you mean seabios?"), "{error}");
        assert!(name("ovmf@").unwrap_err().contains("cannot name a build"));
    }

    #[test]
    fn what_is_named_is_near_and_valid_in_its_place() {
        fn check<V: Vocabulary>(unknown: &str, hint: Option<&str>) {
            let error = read::<V>(unknown).err().unwrap();
            assert_eq!(
                error
                    .split_once("; did you mean ")
                    .map(|(_, hint)| hint.trim_end_matches('?')),
                hint,
                "{error}"
            );
        }
        check::<Boot>("nnoe,count=4", Some("none,count=4"));
        check::<Boot>("hard-dsk", Some("hard-disk"));
        check::<Boot>("none,cuont=4", Some("none,count=4"));
        check::<Boot>(
            "none,count=4,defect=mbr-signatur",
            Some("none,count=4,defect=mbr-signature"),
        );
        check::<Boot>("efi,place=ends", Some("efi,place=end"));
        // Any replacement of the unknown word would be just as wrong.
        check::<Boot>("none,cylinder=4", None);
        check::<Boot>("nnoe,cylinders=4", None);
        check::<Boot>("none,count=4,cuont=8", None);
        // No word is wrong here, and the sentence names the mistake.
        check::<Boot>("efi,segment=1000", None);
        check::<Boot>("none,segment=7c0", None);
        check::<Boot>("none,count=many", None);
        check::<Boot>("none,", None);
        check::<Boot>("", None);
        check::<Size>("quater", Some("quarter"));
        check::<Size>("quater-1s", Some("quarter-1s"));
        check::<Size>("quarter+5", Some("quarter+5s or quarter+5b"));
        check::<Size>("quarter-1k", None);
        check::<Size>("half", None);
        check::<Medium>("cd80", Some("cd-80"));
        check::<Medium>("floppy", None);
    }
}
