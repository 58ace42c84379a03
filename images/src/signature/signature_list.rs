//! Signature databases: `EFI_SIGNATURE_LIST` after `EFI_SIGNATURE_LIST` (UEFI §32.4.1), bare or as a signed update of a variable (§8.2.2).

use super::certificate::Certificate;
use crate::bytes::{le16, le32};

/// Entries that are kept. Microsoft's list of 2025 has some hundreds.
const ENTRIES: usize = 20_000;
/// Certificates that are kept.
const CERTIFICATES: usize = 64;
/// Bytes before a list's entries.
const HEADER: usize = 28;
/// Bytes of an entry's owner.
const OWNER: usize = 16;
/// Bytes of `EFI_TIME`.
const TIME: usize = 16;

/// `EFI_CERT_SHA256_GUID`, `EFI_CERT_X509_GUID` and the three of `EFI_CERT_X509_SHA…_GUID`.
const SHA256: [u8; 16] = *b"\x26\x16\xc4\xc1\x4c\x50\x92\x40\xac\xa9\x41\xf9\x36\x93\x43\x28";
const X509: [u8; 16] = *b"\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a\x87\xb5\xab\x15\x5c\x2b\xf0\x72";
const X509_SHA256: [u8; 16] = *b"\x92\xa4\xd2\x3b\xc0\x96\x79\x40\xb4\x20\xfc\xf9\x8e\xf1\x03\xed";
const X509_SHA384: [u8; 16] = *b"\x6e\x87\x76\x70\xc2\x80\xe6\x4e\xaa\xd2\x28\xb3\x49\xa6\x86\x5b";
const X509_SHA512: [u8; 16] = *b"\x63\xbf\x6d\x44\x02\x25\xda\x4c\xbc\xfa\x24\x65\xd2\xb0\xfe\x9d";

/// A file that is no signature list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureListError {
    /// It does not begin as one.
    #[error("it holds no EFI signature list, with or without the header of a signed update")]
    NoList,
    /// A list ends behind the file, or its lengths contradict each other.
    #[error("the list at byte {0} is cut, or its lengths contradict each other")]
    Broken(usize),
}

/// What lists name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignatureList {
    /// Programs, by their SHA-256; sorted.
    pub programs: Vec<[u8; 32]>,
    /// Certificates.
    pub certificates: Vec<Certificate>,
    /// Certificates by the digest of their signed part.
    pub certificate_digests: Vec<Vec<u8>>,
    /// Entries of kinds that are not compared.
    pub others: usize,
}

impl SignatureList {
    /// Reads all lists of a file.
    ///
    /// # Errors
    /// It is no signature list, or a broken one.
    pub fn decode(bytes: &[u8]) -> Result<Self, SignatureListError> {
        // An EFI variable, as Linux shows it, has four bytes of attributes before its value.
        let starts = [Some(0), update_payload(bytes), Some(4)];
        let begins = |start: &usize| bytes.get(*start..).and_then(known_kind).is_some();
        let start = starts.into_iter().flatten().find(begins);
        let start = start.ok_or(SignatureListError::NoList)?;
        let mut lists = Self::default();
        let mut at = start;
        while at < bytes.len() {
            let size = lists.add(&bytes[at..]);
            at += size.ok_or(SignatureListError::Broken(at))?;
        }
        lists.programs.sort_unstable();
        lists.programs.dedup();
        Ok(lists)
    }

    /// Adds the list at the beginning, and says how long it is.
    fn add(&mut self, bytes: &[u8]) -> Option<usize> {
        let length = |at| usize::try_from(le32(bytes, at)).ok();
        let (whole, header, size) = (length(16)?, length(20)?, length(24)?);
        let list = bytes.get(..whole)?;
        let entries = list.get(HEADER.checked_add(header)?..)?;
        if size <= OWNER || entries.len() % size != 0 {
            return None;
        }
        let kind = list.first_chunk()?;
        for entry in entries.chunks_exact(size) {
            let data = entry.get(OWNER..)?;
            if self.len() >= ENTRIES {
                self.others += 1;
                continue;
            }
            match *kind {
                SHA256 => match data.try_into() {
                    Ok(digest) => self.programs.push(digest),
                    Err(_) => return None,
                },
                X509 => match Certificate::decode(data) {
                    Some(certificate) if self.certificates.len() < CERTIFICATES => {
                        self.certificates.push(certificate);
                    }
                    _ => self.others += 1,
                },
                // The time behind the digest is that from which on signatures do not count any more: none was seen that is not zero.
                X509_SHA256 | X509_SHA384 | X509_SHA512 => {
                    let digest = data.get(..data.len().checked_sub(TIME)?)?;
                    self.certificate_digests.push(digest.to_vec());
                }
                _ => self.others += 1,
            }
        }
        Some(whole)
    }

    /// The lists as a variable's value: each certificate has one of its own, since they differ in length. What is not compared is not written.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for certificate in &self.certificates {
            write_list(&mut bytes, X509, &[certificate.bytes()]);
        }
        let programs: Vec<&[u8]> = self.programs.iter().map(<[u8; 32]>::as_slice).collect();
        write_list(&mut bytes, SHA256, &programs);
        let mut digests = self.certificate_digests.clone();
        for digest in &mut digests {
            // No time: it never counts.
            digest.extend([0; TIME]);
        }
        for (kind, length) in [(X509_SHA256, 32), (X509_SHA384, 48), (X509_SHA512, 64)] {
            let of_kind = digests.iter().filter(|it| it.len() == length + TIME);
            let of_kind: Vec<&[u8]> = of_kind.map(Vec::as_slice).collect();
            write_list(&mut bytes, kind, &of_kind);
        }
        bytes
    }

    /// Takes what another one names.
    pub fn extend(&mut self, other: Self) {
        self.programs.extend(other.programs);
        self.programs.sort_unstable();
        self.programs.dedup();
        self.certificates.extend(other.certificates);
        self.certificate_digests.extend(other.certificate_digests);
        self.others += other.others;
    }

    /// How many entries it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.programs.len() + self.certificates.len() + self.certificate_digests.len() + self.others
    }

    /// Whether it names nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a program stands in it.
    #[must_use]
    pub fn has_program(&self, digest: &[u8; 32]) -> bool {
        self.programs.binary_search(digest).is_ok()
    }

    /// Whether a certificate stands in it, or is signed by one that does.
    #[must_use]
    pub fn has_certificate(&self, certificate: &Certificate) -> bool {
        use super::hash::DigestKind;
        let mut named = self.certificates.iter();
        let is_named = named.any(|it| certificate.has_key_of(it) || certificate.is_signed_by(it));
        let mut digests = self.certificate_digests.iter();
        is_named
            || digests.any(|digest| {
                let kind = match digest.len() {
                    32 => DigestKind::Sha256,
                    48 => DigestKind::Sha384,
                    64 => DigestKind::Sha512,
                    _ => return false,
                };
                certificate.signed_digest(kind) == *digest
            })
    }
}

/// Writes an `EFI_SIGNATURE_LIST` with entries of one length, without an owner; none where there is no entry.
fn write_list(to: &mut Vec<u8>, kind: [u8; 16], entries: &[&[u8]]) {
    let Some(first) = entries.first() else {
        return;
    };
    let entry = OWNER + first.len();
    let whole = HEADER + entry * entries.len();
    to.extend(kind);
    for number in [whole, 0, entry] {
        // No file that was read is that long.
        to.extend(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
    }
    for data in entries {
        to.extend([0; OWNER]);
        to.extend(*data);
    }
}

/// Where the payload of `EFI_VARIABLE_AUTHENTICATION_2` begins: behind its time and its `WIN_CERTIFICATE_UEFI_GUID`.
fn update_payload(bytes: &[u8]) -> Option<usize> {
    const EFI_GUID: u16 = 0x0EF1;
    let length = usize::try_from(le32(bytes, TIME)).ok()?;
    (le16(bytes, TIME + 6) == EFI_GUID).then(|| TIME.checked_add(length))?
}

/// Whether a list begins here: of a kind that the specification names, and as long as its entries.
fn known_kind(bytes: &[u8]) -> Option<()> {
    let kind: &[u8; 16] = bytes.first_chunk()?;
    let known = [SHA256, X509, X509_SHA256, X509_SHA384, X509_SHA512];
    known.contains(kind).then_some(())
}
