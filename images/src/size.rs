//! How long a boot image is to be, in words that name the edge it stands at.

use std::{fmt, str::FromStr};

use crate::{
    medium::Medium,
    units::{ByteCount, VIRTUAL_SECTORS_PER_BLOCK, VirtualSectorCount},
};

/// The length of a boot image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// `quarter`, `quarter-1s`, `quarter+1b`: a quarter of the medium, and that many more virtual sectors
    /// (`s`) or blocks (`b`).
    Quarter(Offset),
    /// `65535s`: that many virtual sectors.
    Sectors(VirtualSectorCount),
    /// `full`: as long as the medium leaves room for.
    Full,
    /// `1474560`: that many bytes, a whole number of virtual sectors.
    Bytes(ByteCount),
}

/// A distance from an edge, in the unit in which it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Offset {
    /// In 512-byte virtual sectors.
    Sectors(i32),
    /// In 2048-byte blocks.
    Blocks(i32),
}

/// A size that has no meaning here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// Not a size.
    #[error(
        "{0:?} is not a size: use quarter, quarter-1s (virtual sectors), quarter+1b (blocks), 65535s, full, or bytes"
    )]
    Unknown(String),
    /// A size relative to a medium, without a medium.
    #[error("the size {0} is relative to a medium, and the disc names none")]
    NeedsMedium(Size),
    /// A length that is no whole number of virtual sectors.
    #[error("{0} is not a whole number of 512-byte virtual sectors")]
    NotWholeSectors(ByteCount),
    /// A length below one virtual sector.
    #[error("the size {0} is less than one virtual sector on this medium")]
    Nothing(Size),
}

impl Size {
    /// The length on a medium, or `None` for [`Size::Full`], which only the layout knows.
    ///
    /// # Errors
    /// The size needs a medium, or is no whole positive number of virtual sectors.
    pub fn resolve(self, medium: Option<Medium>) -> Result<Option<VirtualSectorCount>, SizeError> {
        let length = match self {
            Self::Full if medium.is_none() => return Err(SizeError::NeedsMedium(self)),
            Self::Full => return Ok(None),
            Self::Sectors(sectors) => sectors,
            Self::Bytes(bytes) => bytes
                .virtual_sectors_exact()
                .ok_or(SizeError::NotWholeSectors(bytes))?,
            Self::Quarter(offset) => {
                let medium = medium.ok_or(SizeError::NeedsMedium(self))?;
                let sectors = match offset {
                    Offset::Sectors(sectors) => i64::from(sectors),
                    Offset::Blocks(blocks) => {
                        i64::from(blocks) * VIRTUAL_SECTORS_PER_BLOCK.cast_signed()
                    }
                };
                let length = medium.quarter().get().checked_add_signed(sectors);
                VirtualSectorCount::new(length.ok_or(SizeError::Nothing(self))?)
            }
        };
        if length == VirtualSectorCount::ZERO {
            return Err(SizeError::Nothing(self));
        }
        Ok(Some(length))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quarter(Offset::Sectors(0) | Offset::Blocks(0)) => f.write_str("quarter"),
            Self::Quarter(Offset::Sectors(sectors)) => write!(f, "quarter{sectors:+}s"),
            Self::Quarter(Offset::Blocks(blocks)) => write!(f, "quarter{blocks:+}b"),
            Self::Sectors(sectors) => write!(f, "{}s", sectors.get()),
            Self::Full => f.write_str("full"),
            Self::Bytes(bytes) => write!(f, "{}", bytes.get()),
        }
    }
}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || SizeError::Unknown(text.to_owned());
        if text == "full" {
            return Ok(Self::Full);
        }
        if let Some(offset) = text.strip_prefix("quarter") {
            if offset.is_empty() {
                return Ok(Self::Quarter(Offset::Sectors(0)));
            }
            if !offset.starts_with(['+', '-']) {
                return Err(unknown());
            }
            let number = |text: &str| text.parse().map_err(|_| unknown());
            return match (offset.strip_suffix('s'), offset.strip_suffix('b')) {
                // A quarter, and written as one.
                (_, Some(blocks)) if number(blocks)? == 0 => Ok(Self::Quarter(Offset::Sectors(0))),
                (Some(sectors), _) => Ok(Self::Quarter(Offset::Sectors(number(sectors)?))),
                (_, Some(blocks)) => Ok(Self::Quarter(Offset::Blocks(number(blocks)?))),
                _ => Err(unknown()),
            };
        }
        let digits = |text: &str| -> Result<u64, SizeError> {
            if text.bytes().all(|byte| byte.is_ascii_digit()) {
                text.parse().map_err(|_| unknown())
            } else {
                Err(unknown())
            }
        };
        match text.strip_suffix('s') {
            Some(sectors) => Ok(Self::Sectors(VirtualSectorCount::new(digits(sectors)?))),
            None => Ok(Self::Bytes(ByteCount::new(digits(text)?))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_written_and_resolved() {
        let cd_74: Medium = "cd-74".parse().unwrap();
        let check = |text: &str, sectors| {
            let size: Size = text.parse().unwrap();
            assert_eq!(size.to_string(), text);
            assert_eq!(
                size.resolve(Some(cd_74)),
                Ok(Some(VirtualSectorCount::new(sectors)))
            );
        };
        check("quarter", 333_000);
        check("quarter-1s", 332_999);
        check("quarter+1s", 333_001);
        check("quarter-1b", 332_996);
        check("quarter+1b", 333_004);
        let nothing_more: Size = "quarter+0b".parse().unwrap();
        assert_eq!(nothing_more, "quarter".parse().unwrap());
        check("65535s", 65_535);
        check("1474560", 2_880);
        for text in [
            "quarter1s",
            "quarter+",
            "quarter-1k",
            "",
            "s",
            "-5",
            "1e3",
            "+5s",
            "Full",
            "quarterß",
            "quarter-ß",
        ] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
        assert!("1000".parse::<Size>().unwrap().resolve(None).is_err());
        assert!("0s".parse::<Size>().unwrap().resolve(None).is_err());
        assert!("full".parse::<Size>().unwrap().resolve(None).is_err());
    }
}
