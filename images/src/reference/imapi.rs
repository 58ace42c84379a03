//! Windows XP's IMAPI, as KB912666 describes it: it counts a boot image in 512-byte virtual sectors, and writes so many
//! 2048-byte blocks.
//!
//! Documented is the factor of four, and that mastering fails when the image has more bytes than a quarter of what the blank has
//! available. What stands in the other three quarters is not, so there are two models.

use std::fmt;

use super::{
    MasteredDisc, NotMastered, assemble, entries::Plan, entries::four_times, express,
    layout::Layout, longest, resolve,
};
use crate::{
    boot::Boot,
    medium::Medium,
    probe::DiscHash,
    size::Size,
    sparse::SparseBytes,
    units::{BlockCount, VIRTUAL_SECTOR_BYTES, VIRTUAL_SECTORS_PER_BLOCK, VirtualSectorCount},
};

/// What an IMAPI of Windows XP does with a boot image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Imapi {
    /// The image, then three times as many bytes of filler. A model.
    Tail,
    /// Each virtual sector in a block of its own, the rest of which is filler. A model.
    Spread,
    /// The image, as long as it is: our reading of the hotfix.
    Hotfix,
}

impl Imapi {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Tail, Self::Spread, Self::Hotfix];

    /// Its name as a master.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tail => "imapi-xp-tail",
            Self::Spread => "imapi-xp-spread",
            Self::Hotfix => "imapi-xp-hotfix",
        }
    }

    /// Whether it makes such a disc at all: one boot image for a BIOS, and none of what another writer would have to be told.
    #[must_use]
    pub const fn can(self, boot: &Boot) -> bool {
        boot.mode.bios().is_some()
            && !boot.mode.efi()
            && boot.entries.is_none()
            && boot.platform.is_none()
            && boot.extensions.is_none()
            && boot.place.is_none()
            && boot.hybrid.is_none()
            && boot.boot_info.is_none()
            && boot.defect.is_none()
    }

    /// Masters a disc. Its words are those of [`super::master`]; [`Size::Full`] is the longest image that this writer finds
    /// room for.
    ///
    /// # Errors
    /// As [`super::master`]; above a quarter of the blank [`NotMastered::ImapiMediumFull`].
    pub fn master(
        self,
        disc_id: &str,
        medium: Option<Medium>,
        boot: &Boot,
        size: Option<Size>,
    ) -> Result<MasteredDisc, NotMastered> {
        if self == Self::Hotfix {
            return super::master(disc_id, medium, boot, size);
        }
        let disc = DiscHash::of_id(disc_id);
        let (asked, size) = express(boot, size)?;
        let length = resolve(size, medium, |medium| {
            let needed = |length| Ok(lay_out(disc, Some(medium), &asked, Some(length))?.1.end);
            // A virtual sector less is a block less.
            let less = |over: BlockCount| VirtualSectorCount::new(over.get());
            longest(medium, medium.quarter(), needed, less)
        })?;
        let (plan, layout) = lay_out(disc, medium, &asked, length)?;
        let image = plan
            .images
            .first()
            .map_or(VirtualSectorCount::ZERO, |image| image.length());
        if let Some(medium) = medium
            && layout.end > medium.capacity()
        {
            return Err(NotMastered::ImapiMediumFull {
                image,
                written: four_times(image),
                needed: layout.end,
                medium,
            });
        }
        let mut mastered = assemble(disc_id, disc, &asked, medium, &plan, &layout)?;
        if self == Self::Spread
            && let Some((image, lba)) = plan.images.first().zip(layout.images.first())
        {
            spread(&mut mastered.bytes, lba.byte_offset(), &image.bytes);
        }
        Ok(mastered)
    }
}

impl fmt::Display for Imapi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Lays a disc out whose image takes four times its length, as if its medium had no end.
fn lay_out(
    disc: DiscHash,
    medium: Option<Medium>,
    boot: &Boot,
    length: Option<VirtualSectorCount>,
) -> Result<(Plan, Layout), NotMastered> {
    let mut plan = Plan::new(disc, boot, length)?;
    for extent in &mut plan.extents {
        *extent = four_times(*extent);
    }
    let layout = Layout::unbounded(&plan, boot, medium)?;
    Ok((plan, layout))
}

/// Puts each virtual sector of an image that stands at `at` into a block of its own.
fn spread(disc: &mut SparseBytes, at: u64, image: &SparseBytes) {
    for (start, piece) in image.pieces() {
        disc.write_at(at + start, &vec![0; piece.len()]);
    }
    for (start, piece) in image.pieces() {
        let sectors = (start..).step_by(VIRTUAL_SECTOR_BYTES as usize);
        for (sector, bytes) in sectors.zip(piece.chunks(VIRTUAL_SECTOR_BYTES as usize)) {
            disc.write_at(at + sector * VIRTUAL_SECTORS_PER_BLOCK, bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master(imapi: Imapi, size: &str) -> Result<MasteredDisc, NotMastered> {
        let id = format!("kb/cd-8cm/none/{size}/{imapi}");
        imapi.master(
            &id,
            Some("cd-8cm".parse().unwrap()),
            &"none".parse().unwrap(),
            Some(size.parse().unwrap()),
        )
    }

    #[test]
    fn the_longest_image_that_it_masters_is_just_below_a_quarter() {
        let longest = master(Imapi::Tail, "full").unwrap().manifest.images[0].length;
        let below = 94_500 - longest.get();
        assert!((20..40).contains(&below), "{below} sectors below a quarter");
        let next = format!("{}s", longest.get() + 1);
        let error = master(Imapi::Tail, &next).unwrap_err().to_string();
        let image = (longest.get() + 1) * 512;
        let expected = format!(
            "medium full: IMAPI writes the boot image of {image} bytes as {} bytes, and with it the disc needs 94501 blocks",
            image * 4
        );
        assert!(error.starts_with(&expected), "{error}");
        assert!(master(Imapi::Hotfix, &next).is_ok());
    }

    #[test]
    fn the_models_differ_in_where_the_sectors_stand() {
        let sectors = |imapi, numbers: [u64; 4]| {
            let disc = master(imapi, "65536").unwrap();
            let at = disc.manifest.images[0].load_rba.byte_offset();
            let image = super::super::Contents::new(
                &disc.manifest.id,
                Some("cd-8cm".parse().unwrap()),
                &"none".parse().unwrap(),
                Some("65536".parse().unwrap()),
            )
            .unwrap();
            let image = &image.images()[0].bytes;
            numbers.map(|number| {
                let found: [u8; 512] = disc.bytes.array_at(at + number * 512);
                (0..128).find(|&sector| found == image.array_at(sector * 512) && found != [0; 512])
            })
        };
        assert_eq!(
            sectors(Imapi::Tail, [0, 1, 127, 128]),
            [Some(0), Some(1), Some(127), None]
        );
        assert_eq!(
            sectors(Imapi::Spread, [0, 1, 4, 508]),
            [Some(0), None, Some(1), Some(127)]
        );
    }
}
