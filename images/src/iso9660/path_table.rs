/// One directory in a path table (ECMA-119 §9.4).
pub(super) struct PathTableRecord<'a> {
    /// The directory's name; one zero byte for the root.
    pub(super) identifier: &'a [u8],
    /// LBA of the directory.
    pub(super) extent: u32,
    /// Number of the parent's record, from 1.
    pub(super) parent: u16,
}

/// Both path tables: with little-endian numbers (type L) and with big-endian ones (type M).
pub(super) fn encode(records: &[PathTableRecord<'_>]) -> (Vec<u8>, Vec<u8>) {
    let mut little = Vec::new();
    let mut big = Vec::new();
    for record in records {
        let length = u8::try_from(record.identifier.len()).unwrap_or(u8::MAX);
        little.extend_from_slice(&[length, 0]);
        little.extend_from_slice(&record.extent.to_le_bytes());
        little.extend_from_slice(&record.parent.to_le_bytes());
        big.extend_from_slice(&[length, 0]);
        big.extend_from_slice(&record.extent.to_be_bytes());
        big.extend_from_slice(&record.parent.to_be_bytes());
        for table in [&mut little, &mut big] {
            table.extend_from_slice(record.identifier);
            if record.identifier.len() % 2 == 1 {
                table.push(0);
            }
        }
    }
    (little, big)
}
