//! RSA signatures of PKCS #1 version 1.5 (RFC 8017 §8.2.2): the only ones that firmware of Secure Boot is known to meet.

use num_bigint::BigUint;

use super::{
    hash::DigestKind,
    value::{Value, Values},
};

/// Bytes of a modulus that is used: 4,096 bits.
const MODULUS: usize = 512;
/// Bytes of an exponent: all that are in use fit into three.
const EXPONENT: usize = 4;

/// `rsaEncryption`, 1.2.840.113549.1.1.1.
const RSA_ENCRYPTION: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1];

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RsaKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl RsaKey {
    /// The key in a `SubjectPublicKeyInfo` (RFC 8017 A.1.1); `None` where it is of another kind or no sensible one.
    pub(super) fn decode(info: Value<'_>) -> Option<Self> {
        let mut parts = info.with(der::Tag::Sequence)?.inside();
        let algorithm = parts.next_of(der::Tag::Sequence)?;
        let key = parts.next_of(der::Tag::BitString)?.bits()?;
        if algorithm
            .inside()
            .next_of(der::Tag::ObjectIdentifier)?
            .content
            != RSA_ENCRYPTION
        {
            return None;
        }
        let mut numbers = Value::first_of(key)?.with(der::Tag::Sequence)?.inside();
        let modulus = positive(&mut numbers, MODULUS)?;
        let exponent = positive(&mut numbers, EXPONENT)?;
        // An even modulus is no product of two large primes.
        let is_odd = modulus.last().is_some_and(|last| last % 2 == 1);
        (is_odd && modulus.len() >= 64).then_some(Self { modulus, exponent })
    }

    /// Whether this is a signature of that digest.
    pub(super) fn verifies(&self, kind: DigestKind, digest: &[u8], signature: &[u8]) -> bool {
        if signature.len() != self.modulus.len() {
            return false;
        }
        let modulus = BigUint::from_bytes_be(&self.modulus);
        let number = BigUint::from_bytes_be(signature);
        if number >= modulus {
            return false;
        }
        let exponent = BigUint::from_bytes_be(&self.exponent);
        let opened = number.modpow(&exponent, &modulus).to_bytes_be();
        let Some(expected) = padded(kind, digest, self.modulus.len()) else {
            return false;
        };
        // The first byte is zero, and numbers have none of these.
        expected.get(1..) == Some(opened.as_slice())
    }
}

/// A positive number's bytes, without zeros before it.
fn positive(numbers: &mut Values<'_>, most: usize) -> Option<Vec<u8>> {
    let content = numbers.next_of(der::Tag::Integer)?.content;
    let bytes = content.strip_prefix(&[0]).unwrap_or(content);
    let is_positive = bytes.len() < content.len() || content.first()? & 0x80 == 0;
    (is_positive && !bytes.is_empty() && bytes.len() <= most).then(|| bytes.to_vec())
}

/// What a signature must open to (EMSA-PKCS1-v1_5, RFC 8017 §9.2).
pub(super) fn padded(kind: DigestKind, digest: &[u8], length: usize) -> Option<Vec<u8>> {
    let info = [kind.digest_info(), digest].concat();
    let padding = length.checked_sub(info.len() + 3).filter(|it| *it >= 8)?;
    let mut message = vec![0, 1];
    message.resize(padding + 2, 0xFF);
    message.push(0);
    message.extend(info);
    Some(message)
}
