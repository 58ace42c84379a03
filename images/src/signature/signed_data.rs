//! A signature: PKCS #7 signed data (RFC 2315 §9) about a program (Authenticode 1.0, `SpcIndirectDataContent`).

use der::Tag;

use super::{
    certificate::{Certificate, Name},
    hash::{DigestKind, Digests},
    value::{Value, Values},
};

/// Certificates of a signature that are looked at.
const CERTIFICATES: usize = 16;
/// Certificates that may follow one another from the signer's on.
const CHAIN: usize = 8;

/// `signedData`, `SPC_INDIRECT_DATA_OBJID`, `contentType` and `messageDigest`.
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
const INDIRECT_DATA: &[u8] = &[0x2B, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 4];
const MESSAGE_DIGEST: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 4];

/// Why a signature proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unproved {
    /// It is not PKCS #7 signed data about a program.
    Unreadable,
    /// Its digest is of a kind that is not read, such as SHA-1.
    Digest,
    /// Its signer's key is of a kind that is not read, such as an elliptic curve's.
    Key,
    /// Another program was signed: this one's bytes are not those.
    OtherBytes,
    /// The certificate of its signer is not in it.
    NoSigner,
    /// It was not made with the key of its signer.
    Forged,
    /// The program was not read whole, so its hash is not known.
    NotHashed,
}

impl Unproved {
    /// Whether firmware may read what is not read here: then nothing is known of what it does.
    #[must_use]
    pub const fn is_not_read(self) -> bool {
        matches!(self, Self::Digest | Self::Key | Self::NoSigner)
    }
}

impl std::fmt::Display for Unproved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "it cannot be read",
            Self::Digest => "its digest is of a kind that is not read here, such as SHA-1",
            Self::Key => {
                "its signer's key is of a kind that is not read here: not RSA of at most 4,096 bits"
            }
            Self::OtherBytes => "the program's bytes are not those that were signed",
            Self::NoSigner => "its signer's certificate is missing",
            Self::Forged => "it was not made with its signer's key",
            Self::NotHashed => "the program was not read whole",
        })
    }
}

/// A signature of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedData {
    certificates: Vec<Certificate>,
    /// What is signed: the content, and the part of it that is hashed.
    content: Vec<u8>,
    /// The program's digest in it.
    kind: DigestKind,
    digest: Vec<u8>,
    /// The signer: who issued its certificate, and its number there.
    issuer: Name,
    serial: Vec<u8>,
    signer_kind: DigestKind,
    /// The attributes that are signed in the content's place.
    attributes: Option<Vec<u8>>,
    signature: Vec<u8>,
}

impl SignedData {
    /// Reads a signature; what stands behind it is padding.
    ///
    /// # Errors
    /// It cannot be read, or its digest is of a kind that is not.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unproved> {
        let mut parts = parts(bytes).ok_or(Unproved::Unreadable)?;
        let (kind, digest) = parts.program.take().ok_or(Unproved::Unreadable)?;
        let known = |identifier| DigestKind::of(identifier).ok_or(Unproved::Digest);
        Ok(Self {
            certificates: parts.certificates,
            content: parts.content.to_vec(),
            kind: known(kind)?,
            digest: digest.to_vec(),
            issuer: parts.issuer,
            serial: parts.serial.to_vec(),
            signer_kind: known(parts.signer_kind)?,
            attributes: parts.attributes.map(<[u8]>::to_vec),
            signature: parts.signature.to_vec(),
        })
    }

    /// How the program's digest is computed.
    #[must_use]
    pub const fn kind(&self) -> DigestKind {
        self.kind
    }

    /// The certificate of its signer.
    #[must_use]
    pub fn signer(&self) -> Option<&Certificate> {
        let mut certificates = self.certificates.iter();
        certificates.find(|it| it.serial == self.serial && it.issuer == self.issuer)
    }

    /// The certificates in it.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Who issued the signer's certificate, as the signature says.
    #[must_use]
    pub const fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// Proves that it is about the program with these digests, and was made with its signer's key.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub fn prove(&self, program: Option<&Digests>) -> Result<&Certificate, Unproved> {
        let signer = self.signer().ok_or(Unproved::NoSigner)?;
        if !signer.has_read_key() {
            return Err(Unproved::Key);
        }
        if !self.is_made_by(signer) {
            return Err(Unproved::Forged);
        }
        let program = program.and_then(|digests| digests.get(self.kind));
        match program {
            None => Err(Unproved::NotHashed),
            Some(digest) if digest == self.digest => Ok(signer),
            Some(_) => Err(Unproved::OtherBytes),
        }
    }

    fn is_made_by(&self, signer: &Certificate) -> bool {
        let content = self.signer_kind.of_bytes(&self.content);
        let Some(attributes) = &self.attributes else {
            return signer.verifies(self.signer_kind, &content, &self.signature);
        };
        let mut all = Values::of(attributes);
        let digest = all.find_map(|attribute| {
            let mut parts = attribute.inside();
            let is_it = parts.next_of(Tag::ObjectIdentifier)?.content == MESSAGE_DIGEST;
            let value = parts
                .next_of(Tag::Set)?
                .inside()
                .next_of(Tag::OctetString)?;
            is_it.then_some(value.content)
        });
        if digest != Some(content.as_slice()) {
            return false;
        }
        // They are signed as a set, and stand here as `[0]` (RFC 2315 §9.3).
        let signed = as_set(attributes);
        let digest = self.signer_kind.of_bytes(&signed);
        signer.verifies(self.signer_kind, &digest, &self.signature)
    }

    /// The certificates from the signer's on, each signed by the next one, as far as they are here or among these others. The signer's must be proved first.
    pub fn chain<'s>(
        &'s self,
        signer: &'s Certificate,
        others: &'s [Certificate],
    ) -> Vec<&'s Certificate> {
        let mut chain = vec![signer];
        while let Some(last) = chain.last().copied()
            && chain.len() < CHAIN
        {
            let here = self.certificates.iter().chain(others);
            let issuer = here
                .filter(|it| it.is_authority() && !chain.contains(it))
                .find(|it| last.is_signed_by(it));
            let Some(issuer) = issuer else {
                break;
            };
            chain.push(issuer);
        }
        chain
    }
}

/// A set with these bytes in it.
fn as_set(content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let first = length.iter().position(|&byte| byte != 0);
    let length = length
        .get(first.unwrap_or(length.len() - 1)..)
        .unwrap_or_default();
    let mut set = vec![0x31];
    if content.len() >= 0x80 {
        set.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
    }
    set.extend(length);
    set.extend(content);
    set
}

/// The parts of a signature as they stand.
struct Parts<'b> {
    certificates: Vec<Certificate>,
    content: &'b [u8],
    /// How the program's digest is computed, and the digest.
    program: Option<(&'b [u8], &'b [u8])>,
    issuer: Name,
    serial: &'b [u8],
    signer_kind: &'b [u8],
    attributes: Option<&'b [u8]>,
    signature: &'b [u8],
}

fn parts(bytes: &[u8]) -> Option<Parts<'_>> {
    let mut info = Value::first_of(bytes)?.with(Tag::Sequence)?.inside();
    if info.next_of(Tag::ObjectIdentifier)?.content != SIGNED_DATA {
        return None;
    }
    let data = info.context(0)?.inside().next_of(Tag::Sequence)?;
    let mut fields = data.inside();
    fields.next_of(Tag::Integer)?;
    fields.next_of(Tag::Set)?;
    let mut content = fields.next_of(Tag::Sequence)?.inside();
    if content.next_of(Tag::ObjectIdentifier)?.content != INDIRECT_DATA {
        return None;
    }
    let content = content.context(0)?.inside().next_of(Tag::Sequence)?;
    let certificates = fields.context(0).map_or_else(Vec::new, |set| {
        let certificates = set.inside().take(CERTIFICATES);
        certificates.filter_map(Certificate::of).collect()
    });
    // Revocation lists, which firmware does not look at.
    fields.context(1);
    let mut signers = fields.next_of(Tag::Set)?.inside();
    let mut signer = signers.next_of(Tag::Sequence)?.inside();
    // One signer, as Authenticode wants it.
    if !signers.is_at_end() {
        return None;
    }
    signer.next_of(Tag::Integer)?;
    let mut name = signer.next_of(Tag::Sequence)?.inside();
    let issuer = Name::of(name.next()?)?;
    let serial = name.next_of(Tag::Integer)?.content;
    let signer_kind = identifier(signer.next_of(Tag::Sequence)?)?;
    let attributes = signer.context(0).map(|attributes| attributes.content);
    signer.next_of(Tag::Sequence)?;
    let signature = signer.next_of(Tag::OctetString)?.content;
    Some(Parts {
        certificates,
        content: content.content,
        program: program(content),
        issuer,
        serial,
        signer_kind,
        attributes,
        signature,
    })
}

/// The program's digest: what it is about, and then the digest with how it is computed.
fn program(content: Value<'_>) -> Option<(&[u8], &[u8])> {
    let mut parts = content.inside();
    parts.next_of(Tag::Sequence)?;
    let mut info = parts.next_of(Tag::Sequence)?.inside();
    let kind = identifier(info.next_of(Tag::Sequence)?)?;
    Some((kind, info.next_of(Tag::OctetString)?.content))
}

/// The identifier of an algorithm.
fn identifier(algorithm: Value<'_>) -> Option<&[u8]> {
    let identifier = algorithm.inside().next_of(Tag::ObjectIdentifier)?;
    Some(identifier.content)
}
