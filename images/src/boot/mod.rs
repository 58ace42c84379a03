//! How a disc boots, in the words of a cell's id: the mode, then every deviation from the ordinary.
//!
//! `none,count=4`, `floppy-1440k`, `hard-disk,cylinders=255`, `efi,slot=17`, `bios+efi`. Deviations
//! stand in one fixed order, so that a disc has one name.

mod deviation;

use std::{fmt, str::FromStr};

use crate::{
    defect::id::Defect,
    eltorito::{MediaType, Platform},
    units::VirtualSectorCount,
};

pub use deviation::{BootInfo, Count, FatType, Hybrid, Loader, Loaders, Place};

/// The emulation of a BIOS boot entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Emulation {
    /// No emulation: the image is loaded and entered, the drive is the CD.
    None,
    /// A floppy of this many virtual sectors.
    Floppy(Floppy),
    /// A hard disk, drive 80h.
    HardDisk,
}

/// The floppies that El Torito knows (§2.2, boot media type).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Floppy {
    /// 5.25", 1,200 KiB: 80 cylinders, 2 heads, 15 sectors.
    K1200,
    /// 3.5", 1,440 KiB: 80 cylinders, 2 heads, 18 sectors.
    K1440,
    /// 3.5", 2,880 KiB: 80 cylinders, 2 heads, 36 sectors.
    K2880,
}

impl Floppy {
    /// Every floppy.
    pub const ALL: [Self; 3] = [Self::K1200, Self::K1440, Self::K2880];

    /// Its length.
    #[must_use]
    pub const fn length(self) -> VirtualSectorCount {
        VirtualSectorCount::new(match self {
            Self::K1200 => 2_400,
            Self::K1440 => 2_880,
            Self::K2880 => 5_760,
        })
    }

    /// How many sectors each of its tracks has.
    #[must_use]
    pub const fn sectors_per_track(self) -> u16 {
        match self {
            Self::K1200 => 15,
            Self::K1440 => 18,
            Self::K2880 => 36,
        }
    }
}

impl fmt::Display for Floppy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} KiB", self.length().get() / 2)
    }
}

impl Emulation {
    /// The media type of an entry that boots this way.
    #[must_use]
    pub const fn media_type(self) -> MediaType {
        match self {
            Self::None => MediaType::NO_EMULATION,
            Self::Floppy(Floppy::K1200) => MediaType::FLOPPY_1200K,
            Self::Floppy(Floppy::K1440) => MediaType::FLOPPY_1440K,
            Self::Floppy(Floppy::K2880) => MediaType::FLOPPY_2880K,
            Self::HardDisk => MediaType::HARD_DISK,
        }
    }
}

/// Which boot images a disc carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// One image for the BIOS.
    Bios(Emulation),
    /// One EFI system partition.
    Efi,
    /// One for the BIOS, and an EFI system partition.
    BiosAndEfi(Emulation),
}

const MODES: [(&str, Mode); 11] = [
    ("none", Mode::Bios(Emulation::None)),
    ("floppy-1200k", Mode::Bios(Emulation::Floppy(Floppy::K1200))),
    ("floppy-1440k", Mode::Bios(Emulation::Floppy(Floppy::K1440))),
    ("floppy-2880k", Mode::Bios(Emulation::Floppy(Floppy::K2880))),
    ("hard-disk", Mode::Bios(Emulation::HardDisk)),
    ("efi", Mode::Efi),
    ("bios+efi", Mode::BiosAndEfi(Emulation::None)),
    (
        "floppy-1200k+efi",
        Mode::BiosAndEfi(Emulation::Floppy(Floppy::K1200)),
    ),
    (
        "floppy-1440k+efi",
        Mode::BiosAndEfi(Emulation::Floppy(Floppy::K1440)),
    ),
    (
        "floppy-2880k+efi",
        Mode::BiosAndEfi(Emulation::Floppy(Floppy::K2880)),
    ),
    ("hard-disk+efi", Mode::BiosAndEfi(Emulation::HardDisk)),
];

impl Mode {
    /// The words for every mode.
    pub fn names() -> impl Iterator<Item = &'static str> {
        MODES.iter().map(|&(name, _)| name)
    }

    /// The emulation of the BIOS entry, if there is one.
    #[must_use]
    pub const fn bios(self) -> Option<Emulation> {
        match self {
            Self::Bios(emulation) | Self::BiosAndEfi(emulation) => Some(emulation),
            Self::Efi => None,
        }
    }

    /// Whether there is an EFI system partition.
    #[must_use]
    pub const fn efi(self) -> bool {
        matches!(self, Self::Efi | Self::BiosAndEfi(_))
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = MODES
            .iter()
            .find(|(_, mode)| mode == self)
            .map_or("?", |&(name, _)| name);
        f.write_str(name)
    }
}

/// How a disc boots: the mode and every deviation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Boot {
    /// Which images it carries.
    pub mode: Mode,
    /// `fat=12`: the EFI file system's FAT type; by size if absent.
    pub fat: Option<FatType>,
    /// `loaders=x64+aa64`: the loaders in the EFI system partition; `x64` if absent.
    pub loaders: Option<Loaders>,
    /// `count=4`: the sector count of the image under test.
    pub count: Option<Count>,
    /// `segment=1000` (hexadecimal): the BIOS entry's load segment.
    pub segment: Option<u16>,
    /// `cylinders=255`: the hard disk's cylinders.
    pub cylinders: Option<u16>,
    /// `heads=16`: the hard disk's heads.
    pub heads: Option<u16>,
    /// `sectors=63`: the hard disk's sectors per track.
    pub sectors: Option<u16>,
    /// `platform=FE` (hexadecimal): the platform of the entry under test's header.
    pub platform: Option<Platform>,
    /// `entries=32`: how many boot entries the catalog has.
    pub entries: Option<u16>,
    /// `slot=17`: the catalog slot of the EFI entry.
    pub slot: Option<u16>,
    /// `extensions=2`: how many extensions follow the last section entry, which selection criteria then select.
    pub extensions: Option<u16>,
    /// `place=end`: where the image under test stands.
    pub place: Option<Place>,
    /// `boot-info=isolinux`: the loader that the BIOS image passes for.
    pub boot_info: Option<BootInfo>,
    /// `hybrid=mbr`: the partition table in the system area, and code there that starts the BIOS image from a disk.
    pub hybrid: Option<Hybrid>,
    /// `defect=catalog-checksum`: what is wrong with the disc on purpose.
    pub defect: Option<Defect>,
}

impl Boot {
    /// The mode without any deviation.
    #[must_use]
    pub const fn plain(mode: Mode) -> Self {
        Self {
            mode,
            fat: None,
            loaders: None,
            count: None,
            segment: None,
            cylinders: None,
            heads: None,
            sectors: None,
            platform: None,
            entries: None,
            slot: None,
            extensions: None,
            place: None,
            boot_info: None,
            hybrid: None,
            defect: None,
        }
    }

    /// Whether the catalog has entries after the initial one.
    pub(crate) fn has_sections(&self) -> bool {
        matches!(self.mode, Mode::BiosAndEfi(_))
            || self.slot.is_some()
            || self.entries.is_some_and(|entries| entries > 1)
    }

    /// What a deviation asks of a mode that cannot have it.
    fn misfit(&self) -> Option<&'static str> {
        let hard_disk = self.mode.bios() == Some(Emulation::HardDisk);
        let geometry = self.cylinders.or(self.heads).or(self.sectors);
        if self.fat.is_some() && !self.mode.efi() {
            return Some("fat= describes an EFI system partition, and this mode has none");
        }
        if self.loaders.is_some() && !self.mode.efi() {
            return Some("loaders= needs an EFI system partition, and this mode has none");
        }
        if self.slot.is_some() && !self.mode.efi() {
            return Some("slot= places an EFI entry, and this mode has none");
        }
        if self.segment.is_some() && self.mode.bios().is_none() {
            return Some("segment= belongs to a BIOS entry, and this mode has none");
        }
        if geometry.is_some() && !hard_disk {
            return Some(
                "cylinders=, heads= and sectors= describe a hard disk, and this mode has none",
            );
        }
        if self.heads.is_some_and(|heads| heads == 0 || heads > 255) {
            return Some("heads= is 1 to 255");
        }
        if self
            .sectors
            .is_some_and(|sectors| sectors == 0 || sectors > 63)
        {
            return Some("sectors= is 1 to 63");
        }
        if self
            .cylinders
            .is_some_and(|cylinders| cylinders == 0 || cylinders > 1024)
        {
            return Some("cylinders= is 1 to 1024: INT 13h cannot address more");
        }
        if self.entries.is_some() && self.slot.is_some() {
            return Some(
                "entries= and slot= cannot be given together: slot= says how many entries come before",
            );
        }
        if self.entries == Some(0) {
            return Some("entries= is at least 1");
        }
        if self.mode.efi() && self.mode.bios().is_some() && self.entries == Some(1) {
            return Some("a disc for BIOS and EFI has at least 2 entries");
        }
        if self.extensions.is_some() && !self.has_sections() {
            return Some("extensions= follow a section entry, and this catalog has none");
        }
        if self.boot_info.is_some() && self.mode.bios() != Some(Emulation::None) {
            return Some(
                "boot-info= describes a no-emulation image for the BIOS, and this mode has none",
            );
        }
        if let Some(why) = self.hybrid_misfit() {
            return Some(why);
        }
        if self.slot.is_some_and(|slot| slot < 3) {
            return Some(
                "slot= is at least 3: the validation entry, the initial entry and a header come before it",
            );
        }
        None
    }

    fn hybrid_misfit(&self) -> Option<&'static str> {
        let hybrid = self.hybrid?;
        if !matches!(self.mode.bios(), None | Some(Emulation::None)) {
            return Some(
                "hybrid= starts a no-emulation image from a disk, and this mode emulates one",
            );
        }
        if hybrid == Hybrid::Gpt && !self.mode.efi() {
            return Some("hybrid=gpt has an EFI system partition, and this mode has none");
        }
        let to_the_end = self.place.is_some_and(|place| place != Place::Appended);
        if hybrid == Hybrid::Gpt && to_the_end {
            return Some("hybrid=gpt ends with the backup table, and place= puts the image there");
        }
        None
    }
}

impl fmt::Display for Boot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mode)?;
        if let Some(fat) = self.fat {
            write!(f, ",fat={fat}")?;
        }
        if let Some(loaders) = &self.loaders {
            write!(f, ",loaders={loaders}")?;
        }
        if let Some(count) = self.count {
            write!(f, ",count={count}")?;
        }
        if let Some(segment) = self.segment {
            write!(f, ",segment={segment:04X}")?;
        }
        let numbers = [
            ("cylinders", self.cylinders),
            ("heads", self.heads),
            ("sectors", self.sectors),
        ];
        for (key, value) in numbers {
            if let Some(value) = value {
                write!(f, ",{key}={value}")?;
            }
        }
        if let Some(platform) = self.platform {
            write!(f, ",platform={:02X}", platform.0)?;
        }
        let numbers = [
            ("entries", self.entries),
            ("slot", self.slot),
            ("extensions", self.extensions),
        ];
        for (key, value) in numbers {
            if let Some(value) = value {
                write!(f, ",{key}={value}")?;
            }
        }
        if let Some(place) = self.place {
            write!(f, ",place={place}")?;
        }
        if let Some(boot_info) = self.boot_info {
            write!(f, ",boot-info={boot_info}")?;
        }
        if let Some(hybrid) = self.hybrid {
            write!(f, ",hybrid={hybrid}")?;
        }
        if let Some(defect) = self.defect {
            write!(f, ",defect={defect}")?;
        }
        Ok(())
    }
}

/// A description of how a disc boots that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid boot mode {text:?}: {why}")]
pub struct BootError {
    text: String,
    why: String,
}

impl FromStr for Boot {
    type Err = BootError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |why: String| BootError {
            text: text.to_owned(),
            why,
        };
        let mut words = text.split(',');
        let mode = words.next().unwrap_or_default();
        let mode = MODES
            .iter()
            .find(|&&(name, _)| name == mode)
            .map(|&(_, mode)| mode)
            .ok_or_else(|| {
                let names: Vec<_> = Mode::names().collect();
                error(format!(
                    "{mode:?} is not a mode; use one of {}",
                    names.join(", ")
                ))
            })?;
        let mut boot = Self::plain(mode);
        for word in words {
            let (key, value) = word
                .split_once('=')
                .ok_or_else(|| error(format!("{word:?} is not a deviation: write key=value")))?;
            boot.deviate(key, value).map_err(error)?;
        }
        if let Some(why) = boot.misfit() {
            return Err(error(why.to_owned()));
        }
        if boot.to_string() != text {
            return Err(error(format!(
                "write it as {:?}, so that a disc has one name",
                boot.to_string()
            )));
        }
        Ok(boot)
    }
}

impl Boot {
    /// The deviations' keys, in the order in which they stand.
    pub const KEYS: [&str; 15] = [
        "fat",
        "loaders",
        "count",
        "segment",
        "cylinders",
        "heads",
        "sectors",
        "platform",
        "entries",
        "slot",
        "extensions",
        "place",
        "boot-info",
        "hybrid",
        "defect",
    ];

    fn deviate(&mut self, key: &str, value: &str) -> Result<(), String> {
        fn put<T>(field: &mut Option<T>, value: Option<T>, form: &str) -> Result<(), String> {
            let value = value.ok_or_else(|| format!("write {form}"))?;
            match field.replace(value) {
                None => Ok(()),
                Some(_) => Err(format!("{form} is given twice")),
            }
        }
        let hex16 = || u16::from_str_radix(value, 16).ok();
        let hex8 = || u8::from_str_radix(value, 16).ok().map(Platform);
        match key {
            "fat" => put(
                &mut self.fat,
                FatType::read(value),
                "fat=12, fat=16 or fat=32",
            ),
            "loaders" => put(
                &mut self.loaders,
                Loaders::read(value),
                "loaders=ia32, or several of x64, ia32 and aa64 in this order, with + between",
            ),
            "count" => put(
                &mut self.count,
                Count::read(value),
                "count=N (0 to 65535), count=full or count=wrapped",
            ),
            "segment" => put(
                &mut self.segment,
                hex16(),
                "segment=07C0, four hexadecimal digits",
            ),
            "cylinders" => put(
                &mut self.cylinders,
                value.parse().ok(),
                "cylinders=N (1 to 1024)",
            ),
            "heads" => put(&mut self.heads, value.parse().ok(), "heads=N (1 to 255)"),
            "sectors" => put(&mut self.sectors, value.parse().ok(), "sectors=N (1 to 63)"),
            "platform" => put(
                &mut self.platform,
                hex8(),
                "platform=EF, two hexadecimal digits",
            ),
            "entries" => put(
                &mut self.entries,
                value.parse().ok(),
                "entries=N (1 to 65535)",
            ),
            "slot" => put(&mut self.slot, value.parse().ok(), "slot=N (3 to 65535)"),
            "extensions" => put(
                &mut self.extensions,
                value.parse().ok(),
                "extensions=N (0 to 65535)",
            ),
            "place" => put(
                &mut self.place,
                Place::read(value),
                "place=end, place=last-block, place=past-end or place=appended",
            ),
            "boot-info" => put(
                &mut self.boot_info,
                BootInfo::read(value),
                "boot-info=isolinux",
            ),
            "hybrid" => put(
                &mut self.hybrid,
                Hybrid::read(value),
                "hybrid=mbr or hybrid=gpt",
            ),
            "defect" => {
                let known = Defect::names().collect::<Vec<_>>().join(", ");
                put(
                    &mut self.defect,
                    value.parse().ok(),
                    &format!("defect= and one of {known}"),
                )
            }
            _ => Err(format!(
                "{key:?} is not a deviation; use one of {}",
                Self::KEYS.join(", ")
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disc_has_one_name() {
        for text in [
            "none",
            "none,count=1824",
            "none,count=full,segment=07C0",
            "floppy-1440k",
            "hard-disk,cylinders=255",
            "hard-disk,cylinders=4,heads=16,sectors=63",
            "efi,fat=32,count=0",
            "efi,slot=17",
            "efi,loaders=ia32",
            "bios+efi,loaders=x64+ia32+aa64,count=4",
            "bios+efi,entries=62",
            "bios+efi,extensions=2",
            "floppy-1440k+efi",
            "efi,count=0,place=appended",
            "none,boot-info=isolinux",
            "bios+efi,place=appended,hybrid=gpt",
            "efi,hybrid=mbr,defect=hybrid-mbr",
            "none,defect=catalog-checksum",
            "none,platform=EF",
        ] {
            assert_eq!(text.parse::<Boot>().unwrap().to_string(), text);
        }
        for place in Place::names() {
            let text = format!("none,place={place}");
            assert_eq!(text.parse::<Boot>().unwrap().to_string(), text);
        }
        assert_eq!(Place::names().count(), 4);
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_reason() {
        let check = |text: &str, why: &str| {
            let error = text.parse::<Boot>().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        };
        check("flopy-1440k", "use one of none, floppy-1200k");
        check("none,count=65536", "0 to 65535");
        check("none,fat=12", "this mode has none");
        check("none,loaders=ia32", "this mode has none");
        check("efi,loaders=x64", "in this order");
        check("efi,loaders=aa64+x64", "in this order");
        check("efi,segment=1000", "this mode has none");
        check("none,count=4,count=4", "given twice");
        check("none,segment=7c0", "write it as \"none,segment=07C0\"");
        check(
            "none,segment=1000,count=4",
            "write it as \"none,count=4,segment=1000\"",
        );
        check("hard-disk,cylinders=1025", "1 to 1024");
        check("efi,boot-info=isolinux", "this mode has none");
        check("floppy-1440k,hybrid=mbr", "this mode emulates one");
        check("none,hybrid=gpt", "this mode has none");
        check("efi,place=end,hybrid=gpt", "ends with the backup table");
        check("none,hybrid=apm", "hybrid=mbr or hybrid=gpt");
        check("none,colour=red", "use one of fat, loaders, count");
        check("none,", "write key=value");
    }
}
