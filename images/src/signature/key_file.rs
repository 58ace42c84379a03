//! Files that name keys and programs for a machine's `db` and `dbx`, in the forms in which they are passed around.

use super::{certificate::Certificate, signature_list::SignatureList};
use crate::inspect::inspect_program;

/// A file that names no key and no program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is no certificate (PEM or DER), no EFI signature list, no list of SHA-256 in hexadecimal, and no EFI program that could be hashed"
)]
pub struct NoKeys;

/// The beginning of a certificate as text (RFC 7468 §5).
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

impl SignatureList {
    /// What a file names: certificates (PEM, several too, or DER), an EFI signature list or a signed update of one, lines of SHA-256, or a program, which stands for its hash.
    ///
    /// # Errors
    /// It is none of these.
    pub fn of_file(bytes: &[u8]) -> Result<Self, NoKeys> {
        if let Ok(list) = Self::decode(bytes)
            && list.len() > list.others
        {
            return Ok(list);
        }
        if let Some(certificate) = Certificate::decode(bytes)
            && certificate.length() == bytes.len()
        {
            return Ok(Self {
                certificates: vec![certificate],
                ..Self::default()
            });
        }
        let text = std::str::from_utf8(bytes).ok();
        if let Some(list) = text.and_then(of_text) {
            return Ok(list);
        }
        let program = inspect_program(&bytes.to_vec()).and_then(|program| digest(&program.sha256?));
        let programs = vec![program.ok_or(NoKeys)?];
        Ok(Self {
            programs,
            ..Self::default()
        })
    }
}

fn of_text(text: &str) -> Option<SignatureList> {
    let mut list = SignatureList::default();
    let mut rest = text;
    while let Some((_, from)) = rest.split_once(BEGIN) {
        let (body, behind) = from.split_once(END)?;
        let whole = format!("{BEGIN}{body}{END}\n");
        let (_, der) = der::pem::decode_vec(whole.as_bytes()).ok()?;
        list.certificates.push(Certificate::decode(&der)?);
        rest = behind;
    }
    if list.certificates.is_empty() {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        list.programs = lines.map(digest).collect::<Option<_>>()?;
        list.programs.sort_unstable();
    }
    (!list.is_empty()).then_some(list)
}

/// A SHA-256 in hexadecimal, whatever follows it, as `sha256sum` writes lines.
fn digest(line: &str) -> Option<[u8; 32]> {
    let digits = line.split_whitespace().next()?;
    let mut digest = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::forge;

    #[test]
    fn every_form_of_a_key_names_the_same() {
        let party = forge::Party::authority("a test", 1);
        let der = party.der.clone();
        let list = SignatureList::of_file(&der).unwrap();
        assert_eq!(list.certificates, [party.certificate()]);
        let pem = der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, &der).unwrap();
        let two = format!("Subject: a test\n{pem}\n{pem}");
        let read = SignatureList::of_file(two.as_bytes()).unwrap();
        assert_eq!(read.certificates.len(), 2);
        assert_eq!(SignatureList::of_file(&list.encode()), Ok(list));
    }

    #[test]
    fn a_program_stands_for_its_hash() {
        let program = forge::program(&[(".text", &[0xC3; 100])]);
        let list = SignatureList::of_file(&program).unwrap();
        assert_eq!(list.programs[0].to_vec(), forge::hash_of(&program));
        let line = format!("{}  a.efi\n", crate::bytes::hex(list.programs[0]));
        assert_eq!(SignatureList::of_file(line.as_bytes()), Ok(list.clone()));
        assert_eq!(SignatureList::of_file(&list.encode()), Ok(list));
        for bytes in [&b""[..], b"-----BEGIN CERTIFICATE-----", b"abc", &[0; 100]] {
            assert_eq!(SignatureList::of_file(bytes), Err(NoKeys));
        }
    }
}
