//! Blanks and their capacities.

use std::{fmt, str::FromStr};

use crate::units::{BlockCount, VirtualSectorCount};

/// Every medium with a name, and its capacity in 2048-byte blocks.
const NAMED: [(&str, u64); 14] = [
    ("cd-8cm", 94_500),
    ("cd-63", 283_500),
    ("cd-74", 333_000),
    ("cd-80", 360_000),
    ("cd-90", 405_000),
    ("cd-99", 445_500),
    ("dvd+r", 2_295_104),
    ("dvd-r", 2_298_496),
    ("dvd-r-dl", 4_171_712),
    ("dvd+r-dl", 4_173_824),
    ("bd-25", 12_219_392),
    ("bd-50", 24_438_784),
    ("bdxl-100", 48_878_592),
    ("bdxl-128", 62_500_864),
];

/// A blank of known capacity: by name (`cd-80`), or by its number of blocks (`344250b`), because real
/// blanks exceed the nominal figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Medium(BlockCount);

impl Medium {
    /// The names, smallest medium first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|&(name, _)| name)
    }

    /// How many blocks can be recorded on it.
    #[must_use]
    pub const fn capacity(self) -> BlockCount {
        self.0
    }

    /// A quarter of its bytes. In virtual sectors that is the same number as the capacity in blocks:
    /// a boot image of this length is where KB912666 strikes.
    #[must_use]
    pub const fn quarter(self) -> VirtualSectorCount {
        VirtualSectorCount::new(self.0.get())
    }
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMED.iter().find(|&&(_, blocks)| blocks == self.0.get()) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "{}b", self.0.get()),
        }
    }
}

/// A word that names no medium.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no medium is called {0:?}: use one of {names}, or a capacity in 2048-byte blocks such as 344250b", names = Medium::names().collect::<Vec<_>>().join(", "))]
pub struct UnknownMedium(String);

impl FromStr for Medium {
    type Err = UnknownMedium;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = NAMED
            .iter()
            .find(|&&(name, _)| name == text)
            .map(|&(_, blocks)| blocks);
        let counted = || {
            text.strip_suffix('b')?
                .parse()
                .ok()
                .filter(|&blocks| blocks > 0)
        };
        named
            .or_else(counted)
            .map(|blocks| Self(BlockCount::new(blocks)))
            .ok_or_else(|| UnknownMedium(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read_and_written() {
        let check = |text: &str, shown: &str, blocks| {
            let medium: Medium = text.parse().unwrap();
            assert_eq!(
                (medium.to_string().as_str(), medium.capacity().get()),
                (shown, blocks)
            );
        };
        check("cd-80", "cd-80", 360_000);
        check("344250b", "344250b", 344_250);
        check("360000b", "cd-80", 360_000);
        assert!("cd80".parse::<Medium>().is_err());
        assert!("0b".parse::<Medium>().is_err());
    }

    #[test]
    fn names_are_those_of_blanks_the_smallest_first() {
        let blanks: Vec<Medium> = Medium::names().map(|name| name.parse().unwrap()).collect();
        assert!(blanks.is_sorted_by(|one, next| one < next));
        // 75 blocks a second, and a Blu-ray disc's clusters of 32 blocks.
        let minutes = |minutes: u64| Medium(BlockCount::new(minutes * 60 * 75));
        let [smallest, .., largest] = blanks[..] else {
            panic!("{blanks:?}")
        };
        assert_eq!(smallest, minutes(21));
        assert!(largest.capacity().get().is_multiple_of(32));
        assert!(blanks.contains(&minutes(80)));
        let told = "cd80".parse::<Medium>().unwrap_err().to_string();
        assert!(told.contains("cd-8cm, cd-63, cd-74, cd-80"), "{told}");
    }
}
