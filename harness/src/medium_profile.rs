//! Media that are slow, cannot be read in places, come late or go away.

use std::{fmt, str::FromStr, time::Duration};

use images::{
    inspect::{Source, Window},
    units::{BlockCount, Lba},
};
use serde::{Deserialize, Serialize};

use crate::{attachment::Attachment, layout::BootLayout};

/// A fault of the medium itself, whatever its content. As text: `slow`, `slow=50` (KiB in a second), `bad-block=catalog`, `bad-block=image`,
/// `bad-block=1234`, `bad-block=1234+8` (a block of 2048 bytes, and how many), `late`, `late=3` (seconds), `ejected`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MediumProfile {
    /// No more than so many KiB can be read in a second, and no request costs less than a block of 2048 bytes.
    Slow(u32),
    /// Reading these blocks fails.
    BadBlock(Place),
    /// The medium comes so many seconds after power-on.
    Late(u16),
    /// The medium goes when the firmware has handed over.
    Ejected,
}

/// Blocks that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The first block of the boot catalog.
    Catalog,
    /// The first block of each boot image.
    Image,
    /// These blocks.
    Blocks {
        /// The first.
        first: u32,
        /// How many.
        count: u16,
    },
}

/// KiB in a second: a virtual CD over a management controller's slow line.
const SLOW: u32 = 50;
/// Seconds, which a drive needs for a disc that was just put in.
const LATE: u16 = 3;
/// More bad blocks than this are a rule each for the emulator, at every read.
const MOST_BLOCKS: u16 = 64;

/// A text that is no medium profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid medium profile {0:?}: use slow, slow=KIB-PER-SECOND, bad-block=catalog, bad-block=image, bad-block=LBA, bad-block=LBA+COUNT (at most {MOST_BLOCKS}), late, late=SECONDS, or ejected"
)]
pub struct UnknownMediumProfile(pub String);

impl FromStr for MediumProfile {
    type Err = UnknownMediumProfile;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (word, value) = match text.split_once('=') {
            Some((word, value)) => (word, Some(value)),
            None => (text, None),
        };
        let read = || {
            Some(match (word, value) {
                ("slow", None) => Self::Slow(SLOW),
                ("slow", Some(rate)) => Self::Slow(positive(rate)?),
                ("late", None) => Self::Late(LATE),
                ("late", Some(seconds)) => Self::Late(positive(seconds)?.try_into().ok()?),
                ("ejected", None) => Self::Ejected,
                ("bad-block", Some(place)) => Self::BadBlock(Place::read(place)?),
                _ => return None,
            })
        };
        read().ok_or_else(|| UnknownMediumProfile(text.to_owned()))
    }
}

fn positive(text: &str) -> Option<u32> {
    text.parse().ok().filter(|&number| number > 0)
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "catalog" => Self::Catalog,
            "image" => Self::Image,
            _ => {
                let (first, count) = text.split_once('+').unwrap_or((text, "1"));
                let count = u16::try_from(positive(count)?).ok()?;
                Self::Blocks {
                    first: first.parse().ok()?,
                    count: (count <= MOST_BLOCKS).then_some(count)?,
                }
            }
        })
    }
}

impl TryFrom<String> for MediumProfile {
    type Error = UnknownMediumProfile;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MediumProfile> for String {
    fn from(profile: MediumProfile) -> Self {
        profile.to_string()
    }
}

impl fmt::Display for MediumProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Slow(rate) => write!(f, "slow={rate}"),
            Self::BadBlock(Place::Catalog) => f.write_str("bad-block=catalog"),
            Self::BadBlock(Place::Image) => f.write_str("bad-block=image"),
            Self::BadBlock(Place::Blocks { first, count: 1 }) => write!(f, "bad-block={first}"),
            Self::BadBlock(Place::Blocks { first, count }) => {
                write!(f, "bad-block={first}+{count}")
            }
            Self::Late(seconds) => write!(f, "late={seconds}"),
            Self::Ejected => f.write_str("ejected"),
        }
    }
}

impl MediumProfile {
    /// The fault as a clause for people: "the medium is slow: …".
    #[must_use]
    pub fn told(self) -> String {
        match self {
            Self::Slow(rate) => format!("the medium is slow: {rate} KiB per second"),
            Self::BadBlock(Place::Catalog) => {
                "the first block of the boot catalog cannot be read".to_owned()
            }
            Self::BadBlock(Place::Image) => {
                "the first block of each boot image cannot be read".to_owned()
            }
            Self::BadBlock(Place::Blocks { first, count: 1 }) => {
                format!("block {first} cannot be read")
            }
            Self::BadBlock(Place::Blocks { first, count }) => {
                let last = u64::from(first) + u64::from(count) - 1;
                format!("blocks {first} to {last} cannot be read")
            }
            Self::Late(seconds) => format!("the medium is inserted {seconds} s after power-on"),
            Self::Ejected => "the medium is ejected when the firmware has handed over".to_owned(),
        }
    }

    /// The advice for a disc that fails because of it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Slow(_) => {
                "Allow more time with --timeout. If the system on the disc gave up, let it wait longer (rootdelay=, rd.retry=), or let it read less."
            }
            Self::BadBlock(_) => {
                "Burn the disc again on another medium, and compare it with the file."
            }
            Self::Late(_) => {
                "Switch the machine on after the medium is inserted. If you make the loader or the system, let it try again after some seconds."
            }
            Self::Ejected => {
                "Leave the medium in the drive. A system that copies itself to memory first (toram, copytoram) no longer needs it."
            }
        }
    }

    /// Whether a medium can do that where it hangs there so.
    ///
    /// # Errors
    /// It cannot: why.
    pub fn check(self, attachment: Attachment) -> Result<(), &'static str> {
        let moves = matches!(self, Self::Late(_) | Self::Ejected);
        match attachment.wiring().removal {
            None if moves => {
                Err("this emulated drive has no removable medium, so late and ejected do not work")
            }
            _ => Ok(()),
        }
    }

    /// Whether there is on this disc what cannot be read.
    ///
    /// # Errors
    /// There is not: a sentence.
    pub fn check_disc(self, disc: &dyn Source) -> Result<(), String> {
        let Self::BadBlock(place) = self else {
            return Ok(());
        };
        let blocks = self.bad_blocks(&BootLayout::of(&mut Window::new(disc)));
        let has = disc.length().blocks_rounded_up().get();
        match (place, blocks.last()) {
            (Place::Catalog, None) => Err("the disc has no boot catalog".to_owned()),
            (Place::Image, None) => Err("the disc has no boot image".to_owned()),
            (_, Some(last)) if last.get() >= has => Err(format!(
                "block {} is past the end of the disc, which has {has} blocks",
                last.get()
            )),
            _ => Ok(()),
        }
    }

    /// By how much longer a machine with such a medium is watched.
    pub(crate) fn stretch(self, patience: Duration) -> Duration {
        match self {
            Self::Slow(_) => patience * 3,
            Self::BadBlock(_) => patience * 2,
            Self::Late(seconds) => patience + Duration::from_secs(seconds.into()),
            Self::Ejected => patience,
        }
    }

    /// The blocks that cannot be read, on a disc with this layout.
    pub(crate) fn bad_blocks(self, layout: &BootLayout) -> Vec<Lba> {
        let Self::BadBlock(place) = self else {
            return Vec::new();
        };
        match place {
            Place::Catalog => layout.catalog.into_iter().collect(),
            Place::Image => layout.images.iter().map(|image| image.load_rba).collect(),
            Place::Blocks { first, count } => {
                let block =
                    |number: u16| Lba::new(first.into()).plus(BlockCount::new(number.into()));
                (0..count).map(block).collect()
            }
        }
    }
}

/// A medium as an emulator makes it: what stands between the drive and the disc's bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Medium {
    /// Its fault.
    pub profile: Option<MediumProfile>,
    /// The blocks that cannot be read.
    pub bad_blocks: Vec<Lba>,
}

impl Medium {
    /// The medium of a disc with this layout.
    pub(crate) fn of(profile: Option<MediumProfile>, layout: &BootLayout) -> Self {
        Self {
            profile,
            bad_blocks: profile.map_or_else(Vec::new, |profile| profile.bad_blocks(layout)),
        }
    }

    /// Whether the medium comes or goes while the machine runs.
    pub(crate) const fn moves_it(&self) -> bool {
        matches!(
            self.profile,
            Some(MediumProfile::Late(_) | MediumProfile::Ejected)
        )
    }

    /// Whether the drive is empty at power-on.
    pub(crate) const fn is_absent_at_first(&self) -> bool {
        matches!(self.profile, Some(MediumProfile::Late(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_and_written() {
        for (text, whole) in [
            ("slow", "slow=50"),
            ("slow=1200", "slow=1200"),
            ("bad-block=catalog", "bad-block=catalog"),
            ("bad-block=image", "bad-block=image"),
            ("bad-block=0", "bad-block=0"),
            ("bad-block=17+1", "bad-block=17"),
            ("bad-block=17+64", "bad-block=17+64"),
            ("late", "late=3"),
            ("late=20", "late=20"),
            ("ejected", "ejected"),
        ] {
            let profile: MediumProfile = text.parse().unwrap();
            assert_eq!(profile.to_string(), whole);
            assert_eq!(whole.parse(), Ok(profile));
        }
        for text in [
            "",
            "fast",
            "slow=",
            "slow=0",
            "slow=-1",
            "late=0",
            "late=99999",
            "bad-block",
            "bad-block=",
            "bad-block=1+0",
            "bad-block=1+65",
            "bad-block=x",
            "ejected=1",
            "slow=1=2",
        ] {
            assert!(text.parse::<MediumProfile>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_is_there_for_good_neither_comes_nor_goes() {
        let late = MediumProfile::Late(1);
        assert!(late.check(Attachment::VirtioBlk).is_err());
        assert_eq!(late.check(Attachment::Ahci), Ok(()));
        assert_eq!(MediumProfile::Slow(1).check(Attachment::VirtioBlk), Ok(()));
    }
}
