//! A certificate (X.509 version 3, RFC 5280) as far as a chain of signatures needs it. The bytes that are signed stay as they are.

use der::Tag;
use sha2::{Digest, Sha256};

use super::{
    hash::DigestKind,
    rsa::RsaKey,
    value::{Value, Values},
};

/// Characters of a name that are shown.
const SHOWN: usize = 100;

/// `id-at-commonName` and `id-at-organizationName` (RFC 5280 A.1), `id-ce-basicConstraints` (4.2.1.9).
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANIZATION: &[u8] = &[0x55, 4, 10];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 0x13];

/// A name in a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    whole: Vec<u8>,
}

impl Name {
    pub(super) fn of(value: Value<'_>) -> Option<Self> {
        let whole = value.with(Tag::Sequence)?.whole.to_vec();
        Some(Self { whole })
    }

    /// The common name, or the organization where there is none, without what a terminal would take for a command.
    #[must_use]
    pub fn common_name(&self) -> String {
        let part = |wanted: &[u8]| {
            let sets = Value::first_of(&self.whole)?.inside();
            let pairs = sets.flat_map(|set| set.inside());
            let found = pairs.filter_map(|pair| {
                let mut pair = pair.inside();
                let is_it = pair.next_of(Tag::ObjectIdentifier)?.content == wanted;
                pair.next().filter(|_| is_it)
            });
            // The most particular one stands last.
            found.last()
        };
        let value = part(COMMON_NAME).or_else(|| part(ORGANIZATION));
        value.map_or_else(|| "a certificate without a name".to_owned(), text)
    }
}

/// A string of a name: 16 bits a character in a BMPString, UTF-8 or ASCII elsewhere.
fn text(value: Value<'_>) -> String {
    let text = if value.tag == Tag::BmpString {
        let units = value.content.as_chunks::<2>().0.iter();
        let units: Vec<u16> = units.map(|&pair| u16::from_be_bytes(pair)).collect();
        String::from_utf16_lossy(&units)
    } else {
        String::from_utf8_lossy(value.content).into_owned()
    };
    let shown = text.chars().take(SHOWN);
    // Marks that turn text around are no controls, and as bad on a terminal.
    let is_plain = |it: char| {
        !it.is_control()
            && !matches!(it, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
    };
    shown
        .map(|it| if is_plain(it) { it } else { '?' })
        .collect()
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    whole: Vec<u8>,
    signed: Vec<u8>,
    /// Whom it is for.
    pub subject: Name,
    /// Who signed it.
    pub issuer: Name,
    pub(super) serial: Vec<u8>,
    key_info: Vec<u8>,
    key: Option<RsaKey>,
    is_authority: bool,
    /// How it is signed, with the digest of what is signed.
    signed_with: Option<(DigestKind, Vec<u8>)>,
    signature: Vec<u8>,
}

impl Certificate {
    /// Reads the certificate at the beginning of these bytes.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        Self::of(Value::first_of(bytes)?)
    }

    pub(super) fn of(value: Value<'_>) -> Option<Self> {
        let mut parts = value.with(Tag::Sequence)?.inside();
        let signed = parts.next_of(Tag::Sequence)?;
        let algorithm = parts.next_of(Tag::Sequence)?;
        let signature = parts.next_of(Tag::BitString)?.bits()?;
        let algorithm = algorithm.inside().next_of(Tag::ObjectIdentifier)?;
        let mut fields = signed.inside();
        // The version, which is left out where it is 1.
        fields.context(0);
        let serial = fields.next_of(Tag::Integer)?.content.to_vec();
        fields.next_of(Tag::Sequence)?;
        let issuer = Name::of(fields.next()?)?;
        fields.next_of(Tag::Sequence)?;
        let subject = Name::of(fields.next()?)?;
        let key = fields.next_of(Tag::Sequence)?;
        let kind = DigestKind::of_rsa_signature(algorithm.content);
        Some(Self {
            whole: value.whole.to_vec(),
            signed: signed.whole.to_vec(),
            subject,
            issuer,
            serial,
            key_info: key.whole.to_vec(),
            key: RsaKey::decode(key),
            is_authority: may_sign_certificates(fields).unwrap_or(false),
            signed_with: kind.map(|kind| (kind, kind.of_bytes(signed.whole))),
            signature: signature.to_vec(),
        })
    }

    /// Whether it is signed with the key of this certificate, which also names itself as the issuer.
    pub(super) fn is_signed_by(&self, issuer: &Self) -> bool {
        let signed_with = self.signed_with.as_ref();
        let verifies = |(kind, digest): &(DigestKind, Vec<u8>)| {
            issuer.verifies(*kind, digest, &self.signature)
        };
        self.issuer == issuer.subject && signed_with.is_some_and(verifies)
    }

    /// Whether its key made this signature of a digest.
    pub(super) fn verifies(&self, kind: DigestKind, digest: &[u8], signature: &[u8]) -> bool {
        let key = self.key.as_ref();
        key.is_some_and(|key| key.verifies(kind, digest, signature))
    }

    /// Whether its key is of a kind that is read.
    pub(super) const fn has_read_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whether other certificates may be signed with it.
    pub(super) const fn is_authority(&self) -> bool {
        self.is_authority
    }

    /// Whether the key is that of another certificate: an authority may have several certificates for one key.
    pub(super) fn has_key_of(&self, other: &Self) -> bool {
        self.key_info == other.key_info
    }

    /// The SHA-256 of its `SubjectPublicKeyInfo`.
    pub(super) fn key_digest(&self) -> [u8; 32] {
        Sha256::digest(&self.key_info).into()
    }

    /// The digest of the part that is signed, by which revocation lists name certificates.
    pub(super) fn signed_digest(&self, kind: DigestKind) -> Vec<u8> {
        kind.of_bytes(&self.signed)
    }

    /// Its bytes (DER).
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.whole
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.whole.len()
    }
}

/// Whether the extensions say that it is an authority's (RFC 5280 §4.2.1.9).
fn may_sign_certificates(mut fields: Values<'_>) -> Option<bool> {
    let extensions = fields.find(|field| field.is_context(3))?;
    let list = extensions.inside().next_of(Tag::Sequence)?;
    let constraints = list.inside().find_map(|extension| {
        let mut parts = extension.inside();
        let is_it = parts.next_of(Tag::ObjectIdentifier)?.content == BASIC_CONSTRAINTS;
        // Whether it is critical may stand between the two.
        let value = parts.find(|part| part.tag == Tag::OctetString)?;
        is_it.then_some(value)
    })?;
    let sequence = constraints.inside().next_of(Tag::Sequence)?;
    let flag = sequence.inside().next_of(Tag::Boolean)?;
    Some(flag.content == [0xFF])
}
