use crate::{
    bytes::{le32, padded},
    units::Lba,
};

/// Where the boot record must stand (El Torito §2.0, figure 7).
pub const BOOT_RECORD_LBA: Lba = Lba::new(17);

const IDENTIFIER: &[u8; 23] = b"EL TORITO SPECIFICATION";

/// A boot record as it stands on the disc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawBootRecord {
    /// The descriptor's version, which should be 1.
    pub version: u8,
    /// The byte behind the boot system identifier's 23 characters, which should be 0.
    pub padding: u8,
    /// The block of the boot catalog.
    pub catalog: Lba,
}

impl RawBootRecord {
    /// The El Torito boot record that a volume descriptor is; `None` when it is another descriptor, or another
    /// system's boot record.
    #[must_use]
    pub fn decode(descriptor: &[u8; 2048]) -> Option<Self> {
        let is_one = descriptor[0] == 0
            && descriptor[1..6] == *b"CD001"
            && descriptor[0x07..0x1E] == *IDENTIFIER;
        is_one.then(|| Self {
            version: descriptor[6],
            padding: descriptor[0x1E],
            catalog: Lba::new(le32(descriptor, 0x47).into()),
        })
    }
}

/// The Boot Record Volume Descriptor that points to a catalog (El Torito §2.0): 2048 bytes.
#[must_use]
pub fn boot_record(catalog: u32) -> [u8; 2048] {
    let mut bytes = [0; 2048];
    // Byte 0: the volume descriptor type of a boot record is 0.
    bytes[1..6].copy_from_slice(b"CD001");
    bytes[6] = 1;
    bytes[0x07..0x27].copy_from_slice(&padded::<32>("EL TORITO SPECIFICATION", 0));
    bytes[0x47..0x4B].copy_from_slice(&catalog.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_record_is_read_back_and_nothing_else_is_one() {
        let mut bytes = boot_record(0x0102_0304);
        let expected = RawBootRecord {
            version: 1,
            padding: 0,
            catalog: Lba::new(0x0102_0304),
        };
        assert_eq!(RawBootRecord::decode(&bytes), Some(expected));
        for at in [0, 1, 5, 7, 0x1D] {
            bytes[at] ^= 1;
            assert_eq!(RawBootRecord::decode(&bytes), None, "{at}");
            bytes[at] ^= 1;
        }
        // Neither the version nor what pads the identifier decides.
        (bytes[6], bytes[0x1E]) = (2, 3);
        let read = RawBootRecord::decode(&bytes).unwrap();
        assert_eq!((read.version, read.padding), (2, 3));
    }
}
