//! Both-endian fields (ECMA-119 §7.2.3, §7.3.3), written as what they are.

/// A 16-bit number, little-endian and then big-endian.
#[must_use]
pub fn both16(value: u16) -> [u8; 4] {
    let [a, b] = value.to_le_bytes();
    [a, b, b, a]
}

/// A 32-bit number, little-endian and then big-endian.
#[must_use]
pub fn both32(value: u32) -> [u8; 8] {
    let [a, b, c, d] = value.to_le_bytes();
    [a, b, c, d, d, c, b, a]
}

/// Text in a field of `N` bytes, padded on the right.
#[must_use]
pub fn padded<const N: usize>(text: &str, padding: u8) -> [u8; N] {
    let mut field = [padding; N];
    for (to, from) in field.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    field
}

/// The text of a field that zeros or spaces pad, without what a terminal would take for a command.
#[must_use]
pub fn text(field: &[u8]) -> String {
    let end = field
        .iter()
        .rposition(|&byte| byte != 0 && byte != b' ')
        .map_or(0, |last| last + 1);
    printable(&field[..end])
}

/// Bytes as ASCII, others as `?`: a disc's names go to terminals and into JSON.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    let show = |&byte: &u8| match byte {
        b' '..=b'~' => char::from(byte),
        _ => '?',
    };
    bytes.iter().map(show).collect()
}

/// The little-endian 16-bit number at `at`; 0 where the bytes end.
pub(crate) fn le16(bytes: &[u8], at: usize) -> u16 {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |field| u16::from_le_bytes(*field))
}

/// The little-endian 32-bit number at `at`; 0 where the bytes end.
pub(crate) fn le32(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |field| u32::from_le_bytes(*field))
}

/// The little-endian 64-bit number at `at`; 0 where the bytes end.
pub(crate) fn le64(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |field| u64::from_le_bytes(*field))
}
