//! Secure Boot, as far as a disc shows it: who signed an EFI program, whether its bytes are those that were signed, and which certificates of a firmware trust it.
//!
//! Nothing here is trusted that is not proved: a program counts as trusted by a certificate when its hash is the signed one, and each signature up to that certificate verifies.
//! Dates do not count, because firmware does not look at them (EDK2, `CryptPkcs7VerifyCommon.c`: `X509_V_FLAG_NO_CHECK_TIME`).
//!
//! Sources: Windows Authenticode Portable Executable Signature Format 1.0, RFC 2315 (PKCS #7), RFC 5280 (certificates), RFC 8017 (PKCS #1), UEFI §32.4 (signature
//! databases), shim's `SBAT.md`, EDK2's `DxeImageVerificationLib.c`.

mod authority;
mod certificate;
mod certificate_table;
mod hash;
mod key_file;
mod machine_keys;
mod program;
mod revocations;
mod rsa;
mod sbat;
mod shim;
mod signature_list;
mod signed_data;
mod value;

#[cfg(test)]
pub(crate) mod forge;
#[cfg(test)]
mod tests;

pub use self::{
    authority::{Authority, Year},
    certificate::{Certificate, Name},
    certificate_table::{CertificateTable, TableProblem},
    hash::{DigestKind, Digests, HashedParts},
    key_file::NoKeys,
    machine_keys::MachineKeys,
    program::ProgramKind,
    revocations::{RevocationList, Revocations, SbatLevelSource},
    sbat::{Sbat, SbatEntry, SbatLevel},
    shim::{Shim, VendorKeys},
    signature_list::{SignatureList, SignatureListError},
    signed_data::{SignedData, Unproved},
};

pub(crate) use self::{
    machine_keys::Answer,
    program::{Budget, SignedProgram},
};
