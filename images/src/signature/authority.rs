//! The authorities whose certificates machines are sold with.

use serde::{Deserialize, Serialize};

use super::certificate::Certificate;
use crate::bytes::hex;

/// By the keys of which year a machine trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Year {
    /// The certificates of 2011, which new machines no longer have.
    #[serde(rename = "2011")]
    Y2011,
    /// Those of 2023, which old machines have only after an update.
    #[serde(rename = "2023")]
    Y2023,
}

impl Year {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Y2011, Self::Y2023];

    /// Its number.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Y2011 => "2011",
            Self::Y2023 => "2023",
        }
    }
}

/// An authority of Microsoft's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Authority {
    /// For programs of others than Microsoft: shims.
    #[serde(rename = "microsoft-corporation-uefi-ca-2011")]
    MicrosoftCorporationUefiCa2011,
    /// Its successor.
    #[serde(rename = "microsoft-uefi-ca-2023")]
    MicrosoftUefiCa2023,
    /// For Windows.
    #[serde(rename = "microsoft-windows-production-pca-2011")]
    MicrosoftWindowsProductionPca2011,
    /// Its successor.
    #[serde(rename = "windows-uefi-ca-2023")]
    WindowsUefiCa2023,
}

/// Each with its name, its year, and the SHA-256 of its key (`SubjectPublicKeyInfo`): a certificate may be issued again with the same key, and firmware would take either.
/// The certificates that the keys were taken from come from the package virt-firmware 26.10 of PyPI (`virt/firmware/certs/microsoft.com`); Microsoft publishes them with "Windows
/// Secure Boot Key Creation and Management Guidance". To compute one: `openssl x509 -in FILE.pem -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum`.
const KNOWN: [(Authority, &str, Year, &str); 4] = [
    (
        Authority::MicrosoftCorporationUefiCa2011,
        "Microsoft Corporation UEFI CA 2011",
        Year::Y2011,
        "2c627ccbb690409550ad6e2d46a03eb10aa6d62d272a5dc3c86a8863ae19b2bb",
    ),
    (
        Authority::MicrosoftUefiCa2023,
        "Microsoft UEFI CA 2023",
        Year::Y2023,
        "f0f6d23f74457473749a72d5aa55b9efe491dd0bc3068905b019940abe8b5cc3",
    ),
    (
        Authority::MicrosoftWindowsProductionPca2011,
        "Microsoft Windows Production PCA 2011",
        Year::Y2011,
        "96fcf444012a77ea14f34f349c469c85e2749fce709e0bcdf2e5eab431cdccae",
    ),
    (
        Authority::WindowsUefiCa2023,
        "Windows UEFI CA 2023",
        Year::Y2023,
        "b45bbdd94c9bf231bb8d9dbf47f6dc917fe7ebea7ef95aeede218d7e9d395f9a",
    ),
];

impl Authority {
    /// The one whose key a certificate has. What the certificate calls itself proves nothing.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Option<Self> {
        let digest = hex(certificate.key_digest());
        let known = KNOWN.iter().find(|(_, _, _, key)| *key == digest);
        known.map(|(authority, ..)| *authority)
    }

    const fn known(self) -> &'static (Self, &'static str, Year, &'static str) {
        &KNOWN[self as usize]
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.known().1
    }

    /// With which certificates machines have it.
    #[must_use]
    pub const fn year(self) -> Year {
        self.known().2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_authority_has_its_row() {
        for (row, (authority, name, year, key)) in KNOWN.iter().enumerate() {
            assert_eq!(*authority as usize, row);
            assert_eq!((authority.name(), authority.year()), (*name, *year));
            assert!(name.ends_with(year.as_str()));
            assert_eq!(key.len(), 64);
        }
    }
}
