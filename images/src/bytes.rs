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
