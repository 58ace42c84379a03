//! Both-endian fields (ECMA-119 §7.2.3, §7.3.3), texts and numbers in bytes, and bytes as text.

/// Bytes as hexadecimal digits, in lower case: a digest, for example.
#[must_use]
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    use std::fmt::Write;
    bytes.as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_both_ways_and_read_where_they_are() {
        assert_eq!(both16(0x0102), [2, 1, 1, 2]);
        assert_eq!(both32(0x0102_0304), [4, 3, 2, 1, 1, 2, 3, 4]);
        let bytes = [0xFF, 8, 7, 6, 5, 4, 3, 2, 1];
        assert_eq!(le16(&bytes, 1), 0x0708);
        assert_eq!(le32(&bytes, 1), 0x0506_0708);
        assert_eq!(le64(&bytes, 1), 0x0102_0304_0506_0708);
        assert_eq!(
            (le16(&bytes, 8), le32(&bytes, 6), le64(&bytes, 2)),
            (0, 0, 0)
        );
        assert_eq!(le64(&bytes, 99), 0);
    }

    #[test]
    fn text_ends_before_its_padding_and_holds_no_command() {
        assert_eq!(padded::<4>("ab", b' '), *b"ab  ");
        assert_eq!(padded::<2>("abc", 0), *b"ab");
        assert_eq!(text(b" a b \0 \0"), " a b");
        assert_eq!(text(b"\0  "), "");
        assert_eq!(printable(b" ~\x7F\x1F\xE4"), " ~???");
    }
}
