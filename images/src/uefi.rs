//! What the guest programs use of the UEFI specification 2.10, for 64-bit firmware: offsets, codes, GUIDs.

/// §4.3 `EFI_SYSTEM_TABLE`.
pub(crate) mod system_table {
    pub(crate) const BOOT_SERVICES: u32 = 0x60;
}

/// §4.4 `EFI_BOOT_SERVICES`; the services themselves are in §7.3.
pub(crate) mod boot_services {
    pub(crate) const FREE_POOL: u32 = 0x48;
    pub(crate) const UNINSTALL_PROTOCOL_INTERFACE: u32 = 0x90;
    pub(crate) const HANDLE_PROTOCOL: u32 = 0x98;
    pub(crate) const CONNECT_CONTROLLER: u32 = 0x108;
    pub(crate) const DISCONNECT_CONTROLLER: u32 = 0x110;
    pub(crate) const LOCATE_HANDLE_BUFFER: u32 = 0x138;
    pub(crate) const LOCATE_PROTOCOL: u32 = 0x140;
}

/// §9.1 `EFI_LOADED_IMAGE_PROTOCOL`.
pub(crate) mod loaded_image {
    pub(crate) const DEVICE_HANDLE: u32 = 0x18;
}

/// §10.2, §10.3 `EFI_DEVICE_PATH_PROTOCOL` and the nodes of a device path.
pub(crate) mod device_path {
    pub(crate) const TYPE: u32 = 0;
    pub(crate) const SUBTYPE: u32 = 1;
    pub(crate) const LENGTH: u32 = 2;
    pub(crate) const HEADER_BYTES: u32 = 4;
    pub(crate) const TYPE_MEDIA: u32 = 4;
    pub(crate) const TYPE_END: u32 = 0x7F;

    /// §10.3.5.1 Hard drive.
    pub(crate) const HARD_DRIVE: u32 = 1;
    pub(crate) const HARD_DRIVE_PARTITION: u32 = 4;
    pub(crate) const HARD_DRIVE_START: u32 = 8;
    pub(crate) const HARD_DRIVE_BLOCKS: u32 = 16;
    pub(crate) const HARD_DRIVE_SIGNATURE_TYPE: u32 = 41;

    /// §10.3.5.2 CD-ROM.
    pub(crate) const CDROM: u32 = 2;
    pub(crate) const CDROM_ENTRY: u32 = 4;
    pub(crate) const CDROM_START: u32 = 8;
    pub(crate) const CDROM_BLOCKS: u32 = 16;

    /// §10.3.5.4 File path.
    pub(crate) const FILE_PATH: u32 = 4;
}

/// §10.6.2 `EFI_DEVICE_PATH_TO_TEXT_PROTOCOL`.
pub(crate) mod device_path_to_text {
    pub(crate) const CONVERT_DEVICE_PATH: u32 = 8;
}

/// §13.4 `EFI_SIMPLE_FILE_SYSTEM_PROTOCOL`.
pub(crate) mod simple_file_system {
    pub(crate) const OPEN_VOLUME: u32 = 8;
}

/// §13.5 `EFI_FILE_PROTOCOL`.
pub(crate) mod file {
    pub(crate) const OPEN: u32 = 0x08;
    pub(crate) const READ: u32 = 0x20;
    pub(crate) const MODE_READ: u32 = 1;
}

/// §13.9 `EFI_BLOCK_IO_PROTOCOL` and `EFI_BLOCK_IO_MEDIA`.
pub(crate) mod block_io {
    pub(crate) const MEDIA: u32 = 0x08;
    pub(crate) const READ_BLOCKS: u32 = 0x18;

    pub(crate) const MEDIA_ID: u32 = 0;
    pub(crate) const REMOVABLE: u32 = 4;
    pub(crate) const PRESENT: u32 = 5;
    pub(crate) const LOGICAL_PARTITION: u32 = 6;
    pub(crate) const READ_ONLY: u32 = 7;
    pub(crate) const BLOCK_SIZE: u32 = 0x0C;
    pub(crate) const LAST_BLOCK: u32 = 0x18;
}

/// Appendix D: the low bytes of status codes.
pub(crate) mod status {
    pub(crate) const OUT_OF_RESOURCES: u32 = 9;
    pub(crate) const NOT_FOUND: u32 = 14;
}

/// §7.3.15 `EFI_LOCATE_SEARCH_TYPE`.
pub(crate) const BY_PROTOCOL: u32 = 2;

/// A GUID as it stands in memory: three little-endian fields, then eight bytes.
pub(crate) const fn guid(a: u32, b: u16, c: u16, d: [u8; 8]) -> [u8; 16] {
    let (a, b, c) = (a.to_le_bytes(), b.to_le_bytes(), c.to_le_bytes());
    [
        a[0], a[1], a[2], a[3], b[0], b[1], c[0], c[1], d[0], d[1], d[2], d[3], d[4], d[5], d[6],
        d[7],
    ]
}

/// §9.1
pub(crate) const LOADED_IMAGE: [u8; 16] = guid(
    0x5B1B_31A1,
    0x9562,
    0x11D2,
    [0x8E, 0x3F, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B],
);
/// §9.2: the whole path, of device and file.
pub(crate) const LOADED_IMAGE_DEVICE_PATH: [u8; 16] = guid(
    0xBC62_157E,
    0x3E33,
    0x4FEC,
    [0x99, 0x20, 0x2D, 0x3B, 0x36, 0xD7, 0x50, 0xDF],
);
/// §10.6.2
pub(crate) const DEVICE_PATH_TO_TEXT: [u8; 16] = guid(
    0x8B84_3E20,
    0x8132,
    0x4852,
    [0x90, 0xCC, 0x55, 0x1A, 0x4E, 0x4A, 0x7F, 0x1C],
);
/// §13.4
pub(crate) const SIMPLE_FILE_SYSTEM: [u8; 16] = guid(
    0x964E_5B22,
    0x6459,
    0x11D2,
    [0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B],
);
/// §13.9
pub(crate) const BLOCK_IO: [u8; 16] = guid(
    0x964E_5B21,
    0x6459,
    0x11D2,
    [0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B],
);

#[cfg(test)]
mod tests {
    #[test]
    fn a_guid_stands_in_memory_as_the_specification_says() {
        // UEFI 2.10, appendix A: 5B1B31A1-9562-11D2-8E3F-00A0C969723B, the first three fields little-endian.
        assert_eq!(
            super::LOADED_IMAGE,
            [
                0xA1, 0x31, 0x1B, 0x5B, 0x62, 0x95, 0xD2, 0x11, 0x8E, 0x3F, 0x00, 0xA0, 0xC9, 0x69,
                0x72, 0x3B
            ]
        );
    }
}
