//! Why there is no disc.

use crate::{
    boot::{Boot, Place},
    boot_image::ImageError,
    defect::Defect,
    medium::Medium,
    size::SizeError,
    units::{BlockCount, Lba, VirtualSectorCount},
};

/// A disc that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum NotMastered {
    /// The disc does not fit its medium.
    #[error("medium full: the disc needs {needed} ({needed_bytes}), and {medium} holds {capacity} ({capacity_bytes})",
        needed_bytes = needed.bytes(), capacity = medium.capacity(), capacity_bytes = medium.capacity().bytes())]
    MediumFull {
        /// What the disc needs.
        needed: BlockCount,
        /// The medium.
        medium: Medium,
    },
    /// KB912666: four times the image does not fit its medium.
    #[error("medium full: IMAPI writes the boot image of {image_bytes} as {written_bytes}, and with it the disc needs {needed} ({needed_bytes}) where the blank {medium} has {free} ({free_bytes}) available",
        image_bytes = image.bytes(), written_bytes = written.bytes(), needed_bytes = needed.bytes(), free = medium.capacity(), free_bytes = medium.capacity().bytes())]
    ImapiMediumFull {
        /// The image's length.
        image: VirtualSectorCount,
        /// What is written of it.
        written: VirtualSectorCount,
        /// What the disc needs.
        needed: BlockCount,
        /// The medium.
        medium: Medium,
    },
    /// `count=full` of an image that is longer than a sector count can say.
    #[error(
        "the boot image has {length}, and a sector count reaches 65535: use count=0, count=1 or count=wrapped"
    )]
    CountTooLarge {
        /// The image's length.
        length: VirtualSectorCount,
    },
    /// A placement relative to a medium, without a medium.
    #[error("place={place} is relative to a medium, and the disc names none")]
    PlaceNeedsMedium {
        /// The placement.
        place: Place,
    },
    /// A block address that the 32-bit fields of ISO 9660 and El Torito cannot hold.
    #[error("LBA {} does not fit the 32 bits that ISO 9660 and El Torito have for it", lba.get())]
    BeyondLba32 {
        /// The address.
        lba: Lba,
    },
    /// A defect that this disc cannot have.
    #[error("the defect {defect} needs {needs}, which {boot} has not")]
    Defect {
        /// The defect.
        defect: Defect,
        /// What it needs.
        needs: &'static str,
        /// The disc.
        boot: Boot,
    },
    /// More entries than the section headers' 16-bit counts and the slots' numbers reach.
    #[error("a catalog of {slots} slots is longer than slot numbers reach (65535)")]
    TooManyEntries {
        /// The slots that the catalog would have.
        slots: usize,
    },
    /// The size has no meaning here.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// The boot image cannot be.
    #[error(transparent)]
    Image(#[from] ImageError),
}
