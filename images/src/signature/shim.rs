//! What shim carries: the certificate of whoever built it, programs and certificates that it refuses, and the SBAT levels that it can set (shim, `cert.S`, `sbat.c` and
//! `generate_sbat_var_defs`).

use super::{certificate::Certificate, sbat::SbatLevel, signature_list::SignatureList};
use crate::bytes::le32;

/// Bytes of a section that are read.
pub(crate) const SECTION_BYTES: usize = 1 << 20;

/// The section `.vendor_cert`: four numbers, the lengths and places of two lists, and these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VendorKeys {
    /// Whom it trusts beside the firmware's keys: one certificate, or a list.
    pub certificates: Vec<Certificate>,
    /// Bytes of these.
    pub trusted_bytes: u32,
    /// What it refuses.
    pub refused: SignatureList,
    /// Bytes of that.
    pub refused_bytes: u32,
}

impl VendorKeys {
    /// Reads the section; `None` where its lengths contradict each other.
    #[must_use]
    pub fn decode(section: &[u8]) -> Option<Self> {
        let (trusted_bytes, refused_bytes) = (le32(section, 0), le32(section, 4));
        let part = |place: usize, length: u32| {
            let start = usize::try_from(le32(section, place)).ok()?;
            let end = start.checked_add(usize::try_from(length).ok()?)?;
            section.get(start..end)
        };
        let trusted = part(8, trusted_bytes)?;
        let refused = part(12, refused_bytes)?;
        // shim with a list of several has a signature list in the certificate's place (`VENDOR_DB_FILE`).
        let certificates = match Certificate::decode(trusted) {
            Some(certificate) => vec![certificate],
            None => {
                SignatureList::decode(trusted).map_or_else(|_| Vec::new(), |list| list.certificates)
            }
        };
        Some(Self {
            certificates,
            trusted_bytes,
            refused: SignatureList::decode(refused).unwrap_or_default(),
            refused_bytes,
        })
    }
}

/// What is read of a shim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shim {
    /// Whom it trusts and refuses.
    pub keys: VendorKeys,
    /// The program that it starts, such as `grubx64.efi`.
    pub starts: Option<String>,
    /// The SBAT level that it sets by itself.
    pub sets: Option<SbatLevel>,
    /// The newest one that it can set, where it is told to.
    pub newest: Option<SbatLevel>,
}

impl Shim {
    /// The levels in the section `.sbatlevel`: a version, where each begins counted from behind it, and two texts that end with zero.
    #[must_use]
    pub fn levels(section: &[u8]) -> Option<(SbatLevel, SbatLevel)> {
        let level = |place: usize| {
            let start = usize::try_from(le32(section, place)).ok()?.checked_add(4)?;
            SbatLevel::decode(section.get(start..)?)
        };
        if le32(section, 0) != 0 {
            return None;
        }
        Some((level(4)?, level(8)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_stand_where_the_section_says() {
        // Debian's shim 16.1-2~deb12u1 (`objcopy -O binary --only-section=.sbatlevel`).
        let section = b"\0\0\0\0\x08\0\0\0\x29\0\0\0sbat,1,2025021800\nshim,4\ngrub,5\n\0\
            sbat,1,2025051000\nshim,4\ngrub,5\ngrub.proxmox,2\n\0";
        let (sets, newest) = Shim::levels(section).unwrap();
        assert_eq!(sets.date.as_deref(), Some("2025021800"));
        assert_eq!(newest.date.as_deref(), Some("2025051000"));
        assert_eq!(newest.least.len(), 4);
        assert_eq!(Shim::levels(&section[..40]), None);
        assert_eq!(Shim::levels(b"\x01\0\0\0"), None);
    }

    #[test]
    fn a_section_without_keys_trusts_nobody() {
        let keys = VendorKeys::decode(&[0; 16]).unwrap();
        assert!(keys.certificates.is_empty() && keys.refused.is_empty());
        assert_eq!(VendorKeys::decode(&[0xFF; 16]), None);
        assert_eq!(
            VendorKeys::decode(&[5, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0]),
            None
        );
    }
}
