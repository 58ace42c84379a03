use crate::{bytes::padded, units::Lba};

/// Where the boot record must stand (El Torito §2.0, figure 7).
pub const BOOT_RECORD_LBA: Lba = Lba::new(17);

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
