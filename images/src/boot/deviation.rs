//! The words that deviations take.

use std::fmt;

/// The width of a FAT's entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FatType {
    /// Below 4,085 clusters.
    Fat12,
    /// Below 65,525 clusters.
    Fat16,
    /// Above.
    Fat32,
}

/// A program that UEFI firmware of one architecture loads from removable media (UEFI §3.5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loader {
    /// `x64`: x86-64.
    X64,
    /// `ia32`: 32-bit x86.
    Ia32,
    /// `aa64`: 64-bit Arm.
    Aa64,
}

/// The loaders in an EFI system partition, in the order of [`Loader::ALL`]: `x64+aa64`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Loaders(Vec<Loader>);

impl Loader {
    /// Every loader.
    pub const ALL: [Self; 3] = [Self::X64, Self::Ia32, Self::Aa64];

    /// Where firmware looks for it.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::X64 => "/EFI/BOOT/BOOTX64.EFI",
            Self::Ia32 => "/EFI/BOOT/BOOTIA32.EFI",
            Self::Aa64 => "/EFI/BOOT/BOOTAA64.EFI",
        }
    }

    /// The one with this file name.
    #[must_use]
    pub fn of_file(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|loader| loader.path().rsplit('/').next() == Some(name))
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::X64 => "x64",
            Self::Ia32 => "ia32",
            Self::Aa64 => "aa64",
        }
    }
}

impl Loaders {
    /// The default loaders of an EFI system partition.
    #[must_use]
    pub fn ordinary() -> Self {
        Self(vec![Loader::X64])
    }

    /// The loaders; at least one.
    #[must_use]
    pub fn as_slice(&self) -> &[Loader] {
        &self.0
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let known = |word: &str| Loader::ALL.into_iter().find(|it| it.as_str() == word);
        let loaders: Vec<Loader> = text.split('+').map(known).collect::<Option<_>>()?;
        let in_order = loaders.windows(2).all(|pair| pair[0] < pair[1]);
        // The default has one spelling: the word is left out.
        (in_order && loaders != [Loader::X64]).then_some(Self(loaders))
    }
}

impl fmt::Display for Loaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.0.iter().map(|loader| loader.as_str()).collect();
        f.write_str(&words.join("+"))
    }
}

/// A sector count as it is written in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Count {
    /// This number, whatever the image.
    Given(u16),
    /// `full`: the image's length; a disc whose image has more than 65,535 virtual sectors cannot be made.
    Full,
    /// `wrapped`: the image's length modulo 65,536, as tools write that store it in 16 bits unchecked.
    Wrapped,
}

/// Where the image under test stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// `end`: its last block is the medium's last.
    End,
    /// `last-block`: its first block is the medium's last.
    LastBlock,
    /// `past-end`: its last block is one past the medium's last, so it is not on the disc.
    PastEnd,
    /// `appended`: behind the volume, as xorriso's `-append_partition` does: the volume's size ends before it.
    Appended,
}

/// The loader that a no-emulation image passes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BootInfo {
    /// `isolinux`: it carries isolinux's name and a boot-info table, as `mkisofs -boot-info-table` writes it.
    Isolinux,
}

/// Which partition table makes the disc a disk too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hybrid {
    /// `mbr`: a master boot record.
    Mbr,
    /// `gpt`: a GUID partition table behind a protective master boot record.
    Gpt,
}

impl FatType {
    pub(super) fn read(text: &str) -> Option<Self> {
        [Self::Fat12, Self::Fat16, Self::Fat32]
            .into_iter()
            .find(|fat| fat.to_string() == text)
    }
}

impl fmt::Display for FatType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fat12 => "12",
            Self::Fat16 => "16",
            Self::Fat32 => "32",
        })
    }
}

impl Count {
    pub(super) fn read(text: &str) -> Option<Self> {
        match text {
            "full" => Some(Self::Full),
            "wrapped" => Some(Self::Wrapped),
            _ => text.parse().ok().map(Self::Given),
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(count) => write!(f, "{count}"),
            Self::Full => f.write_str("full"),
            Self::Wrapped => f.write_str("wrapped"),
        }
    }
}

const PLACES: [(&str, Place); 4] = [
    ("end", Place::End),
    ("last-block", Place::LastBlock),
    ("past-end", Place::PastEnd),
    ("appended", Place::Appended),
];

impl Place {
    /// The words for every place.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PLACES.iter().map(|&(name, _)| name)
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        PLACES
            .iter()
            .find(|&&(name, _)| name == text)
            .map(|&(_, place)| place)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = PLACES
            .iter()
            .find(|(_, place)| place == self)
            .map_or("?", |&(name, _)| name);
        f.write_str(name)
    }
}

impl BootInfo {
    pub(super) fn read(text: &str) -> Option<Self> {
        (text == Self::Isolinux.as_str()).then_some(Self::Isolinux)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Isolinux => "isolinux",
        }
    }
}

impl fmt::Display for BootInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Hybrid {
    pub(super) fn read(text: &str) -> Option<Self> {
        [Self::Mbr, Self::Gpt]
            .into_iter()
            .find(|hybrid| hybrid.as_str() == text)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Mbr => "mbr",
            Self::Gpt => "gpt",
        }
    }
}

impl fmt::Display for Hybrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
