//! Changes of a disc's bytes that stand for what happens to discs.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use images::eltorito::BootInfoTable;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::layout::BootLayout;

/// A change of a disc's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Edit {
    /// Keeps this much of the disc, from its beginning, as after an interrupted download.
    CutPercent(u8),
    /// Changes four bytes at this part of the disc, as after a medium error.
    FlipPercent(u8),
    /// Makes the checksum in the first boot image's boot-info table wrong.
    BootInfoChecksum,
}

impl Edit {
    /// Changes the disc.
    pub(super) fn apply(self, iso: &Path) -> io::Result<()> {
        let file = File::options().read(true).write(true).open(iso)?;
        let length = file.metadata()?.len();
        let part = |percent: u8| length / 100 * u64::from(percent);
        match self {
            Self::CutPercent(percent) => file.set_len(part(percent)),
            Self::FlipPercent(percent) => flip(&file, part(percent)),
            Self::BootInfoChecksum => {
                let layout = BootLayout::of_file(iso)?;
                let image = layout.images.first();
                let image = image.ok_or_else(|| io::Error::other("the disc has no boot image"))?;
                // The fourth field of the table.
                let field = BootInfoTable::START + 12;
                flip(&file, image.load_rba.byte_offset() + field)
            }
        }
    }
}

/// Inverts four bytes.
fn flip(file: &File, offset: u64) -> io::Result<()> {
    let mut bytes = [0; 4];
    file.read_exact_at(&mut bytes, offset)?;
    file.write_all_at(&bytes.map(|byte| !byte), offset)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn discs_are_cut_and_their_bytes_inverted() {
        let folder = tempfile::tempdir().unwrap();
        let iso = folder.path().join("disc.iso");
        fs::write(&iso, [0x11; 1000]).unwrap();
        Edit::CutPercent(95).apply(&iso).unwrap();
        Edit::FlipPercent(50).apply(&iso).unwrap();
        let bytes = fs::read(&iso).unwrap();
        assert_eq!(bytes.len(), 950);
        let inverted: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] != 0x11).collect();
        assert_eq!(inverted, [450, 451, 452, 453]);
        assert!(Edit::BootInfoChecksum.apply(&iso).is_err());
    }
}
