//! Discs with programs that are signed with throw-away keys: what is said of each, and that nothing of it counts as trusted.

use super::*;
use crate::{
    boot_image::fat_image,
    finding::Severity,
    signature::{
        RevocationList, Revocations, SbatLevel, SbatLevelSource, SignatureList,
        forge::{self, Party},
    },
};

const SHIM: &[u8] = b"sbat,1,x\nshim,4,y\n";
const GRUB: &[u8] = b"sbat,1,x\ngrub,3,y\n";
/// A shim sets the first level by itself.
const LEVELS: &[u8] = b"\0\0\0\0\x08\0\0\0\x29\0\0\0sbat,1,2025021800\nshim,4\ngrub,5\n\0sbat,1,2025051000\nshim,4\n\0";

fn vendor_section(certificate: &[u8]) -> Vec<u8> {
    let words = [certificate.len(), 0, 16, 16];
    let words = words.map(|word| u32::try_from(word).unwrap().to_le_bytes());
    [words.concat(), certificate.to_vec()].concat()
}

/// UTF-16, as shim has the name of what it starts.
fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn signed_by(party: &Party, program: &[u8]) -> Vec<u8> {
    let signature = party.signature(&forge::hash_of(program), &[&party.der]);
    forge::signed(program, &[signature])
}

/// A disc whose EFI image holds these files below `\EFI\BOOT`.
fn with(files: &[(&str, &[u8])]) -> SparseBytes {
    let mut disc = disc("efi");
    let record = disc.manifest.image(1).unwrap().clone();
    let paths: Vec<String> = files
        .iter()
        .map(|(name, _)| format!("/EFI/BOOT/{name}"))
        .collect();
    let files: Vec<(&str, &[u8])> = paths
        .iter()
        .map(String::as_str)
        .zip(files.iter().map(|it| it.1))
        .collect();
    let image = fat_image(record.length, &files).unwrap();
    disc.bytes.embed(record.load_rba.byte_offset(), &image);
    disc.bytes
}

fn secure(inspection: &Inspection) -> Vec<(Severity, &str, &str)> {
    let findings = inspection.findings.iter();
    let secure = findings.filter(|finding| finding.id.as_str().starts_with("secure-boot"));
    secure
        .map(|it| (it.severity, it.id.as_str(), it.message.as_str()))
        .collect()
}

fn read_with(bytes: &SparseBytes, revocations: &Revocations) -> Inspection {
    let options = Options {
        revocations: Some(revocations),
        ..Options::default()
    };
    inspect(&mut Window::new(bytes), &options).unwrap()
}

fn plain() -> Vec<u8> {
    forge::program(&[(".text", &[0xC3; 900])])
}

#[test]
fn a_program_without_a_signature_is_told_once() {
    let program = plain();
    let disc = with(&[("BOOTX64.EFI", &program), ("SHELL.EFI", &program)]);
    let inspection = read(&disc);
    let expected = "no signature: \\EFI\\BOOT\\BOOTX64.EFI, \\EFI\\BOOT\\SHELL.EFI";
    assert_eq!(
        secure(&inspection),
        [(Severity::Info, "secure-boot-unsigned", expected)]
    );
    let programs = &inspection.secure_boot.programs;
    assert!(
        programs
            .iter()
            .all(|it| it.trusted_by == TrustedBy::Neither && it.sha256.is_none())
    );
}

#[test]
fn a_signer_whom_nobody_knows_is_worth_knowing_and_a_broken_signature_is_a_fault() {
    let own = Party::authority("Our own key", 11);
    let good = signed_by(&own, &plain());
    let mut bad = good.clone();
    bad[600] ^= 1;
    let inspection = read(&with(&[("BOOTX64.EFI", &good), ("OTHER.EFI", &bad)]));
    let found = secure(&inspection);
    let told = |message: &str, severity: Severity| {
        let mut all = found.iter();
        let is_told = all.any(|it| it.0 == severity && it.2.starts_with(message));
        assert!(is_told, "{message}: {found:?}");
    };
    // The reference master has its own loader in the tree.
    assert_eq!(found.len(), 3, "{found:?}");
    told(
        "a signature that proves nothing, because the program's bytes are not those that were signed: \\EFI\\BOOT\\OTHER.EFI",
        Severity::Warning,
    );
    told(
        "signed by Our own key, which neither Microsoft",
        Severity::Info,
    );
    told("no signature: /EFI/BOOT/BOOTX64.EFI", Severity::Info);
    let programs = &inspection.secure_boot.programs;
    let expected = crate::bytes::hex(forge::hash_of(&plain()));
    assert_eq!(programs[0].sha256.as_deref(), Some(expected.as_str()));
    assert_eq!(programs[0].signatures[0].chain, ["Our own key"]);
    assert!(
        programs
            .iter()
            .all(|it| it.trusted_by == TrustedBy::Neither)
    );
}

#[test]
fn a_certificate_table_that_is_cut_is_a_fault() {
    let own = Party::authority("Our own key", 11);
    let whole = signed_by(&own, &plain());
    let inspection = read(&with(&[("BOOTX64.EFI", &whole[..whole.len() - 16])]));
    let found = secure(&inspection);
    let expected = "a signature that proves nothing, because its headers name bytes that are not in its file: \\EFI\\BOOT\\BOOTX64.EFI";
    assert_eq!(
        found[0],
        (Severity::Warning, "secure-boot-unsigned", expected)
    );
}

#[test]
fn what_a_shim_starts_is_seen_beside_it() {
    let vendor = Party::authority("A vendor", 12);
    let shim = |sbat: &[u8]| {
        let data = [wide("\\grubx64.efi"), vec![0; 90]].concat();
        let keys = vendor_section(&vendor.der);
        let sections: [(&str, &[u8]); 4] = [
            (".vendor_cert", &keys),
            (".sbat", sbat),
            (".sbatlevel", LEVELS),
            (".data", &data),
        ];
        forge::program(&sections)
    };
    let grub = |sbat: &[u8]| {
        signed_by(
            &vendor,
            &forge::program(&[(".text", &[7; 60]), (".sbat", sbat)]),
        )
    };
    let inspection = read(&with(&[
        ("BOOTX64.EFI", &shim(SHIM)),
        ("GRUBX64.EFI", &grub(GRUB)),
    ]));
    let programs = &inspection.secure_boot.programs;
    assert_eq!(
        programs[1].through.as_deref(),
        Some("\\EFI\\BOOT\\BOOTX64.EFI")
    );
    // Nobody trusts this shim.
    assert_eq!(programs[1].trusted_by, TrustedBy::Neither);
    let carried = programs[0].shim.as_ref().unwrap();
    assert_eq!(carried.vendor, ["A vendor"]);
    assert_eq!(carried.starts.as_deref(), Some("grubx64.efi"));
    assert_eq!(carried.sets_sbat_level.as_deref(), Some("2025021800"));
    let found = secure(&inspection);
    let level = found.iter().find(|it| it.1 == "secure-boot-sbat").unwrap();
    assert_eq!(level.0, Severity::Warning);
    assert!(level.2.contains("its grub has generation 3, and at least 5 is required by the level that \\EFI\\BOOT\\BOOTX64.EFI sets"), "{level:?}");
    // New enough, and without any.
    let fresh = read(&with(&[
        ("BOOTX64.EFI", &shim(SHIM)),
        ("GRUBX64.EFI", &grub(b"grub,5,y\n")),
    ]));
    assert!(!fresh.found(FindingId::SecureBootSbat));
    let none = read(&with(&[
        ("BOOTX64.EFI", &shim(SHIM)),
        ("GRUBX64.EFI", &grub(b"")),
    ]));
    assert!(none.found(FindingId::SecureBootSbat));
    // A level that the user gives is an error, one of a package a warning.
    for (is_given, severity) in [(true, Severity::Error), (false, Severity::Warning)] {
        let revocations = Revocations {
            list: None,
            level: Some(SbatLevelSource {
                level: SbatLevel::parse("sbat,1,2027010100 shim,5").unwrap(),
                source: "a test".to_owned(),
                is_given,
            }),
        };
        let disc = with(&[
            ("BOOTX64.EFI", &shim(SHIM)),
            ("GRUBX64.EFI", &grub(b"grub,5,y\n")),
        ]);
        let inspection = read_with(&disc, &revocations);
        let found = secure(&inspection);
        let told = found.iter().find(|it| it.1 == "secure-boot-sbat").unwrap();
        assert_eq!(told.0, severity);
        assert!(
            told.2
                .contains("its shim has generation 4, and at least 5 is required by a test")
        );
    }
}

#[test]
fn a_revocation_list_names_a_program() {
    let program = plain();
    let disc = with(&[("BOOTX64.EFI", &program)]);
    let mut list = SignatureList::default();
    list.programs
        .push(forge::hash_of(&program).try_into().unwrap());
    for (is_given, severity) in [(true, Severity::Error), (false, Severity::Warning)] {
        let revocations = Revocations {
            list: Some(RevocationList {
                list: list.clone(),
                source: "list.bin".to_owned(),
                is_given,
            }),
            level: None,
        };
        let inspection = read_with(&disc, &revocations);
        let found = secure(&inspection);
        let expected = "\\EFI\\BOOT\\BOOTX64.EFI: list.bin revokes its hash";
        assert_eq!(found[0], (severity, "secure-boot-revoked", expected));
        assert_eq!(
            inspection.secure_boot.programs[0].revoked.as_deref(),
            Some("its hash")
        );
    }
}
