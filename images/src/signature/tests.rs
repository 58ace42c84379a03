//! Programs that are signed with throw-away keys, and what can be wrong with them. Nothing that is broken may count as proved.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::{
    forge::{self, Party},
    *,
};
use crate::{
    efi_program::EfiProgram,
    inspect::{Window, file::DiscBytes},
    units::ByteCount,
};

struct Cast {
    authority: Party,
    signer: Party,
}

static CAST: LazyLock<Cast> = LazyLock::new(|| {
    let authority = Party::authority("An authority", 1);
    let signer = authority.issues("A signer", 2, false);
    Cast { authority, signer }
});

fn plain() -> Vec<u8> {
    forge::program(&[(".text", &[0xC3; 700]), (".data", b"some data")])
}

fn signed_once() -> Vec<u8> {
    let program = plain();
    forge::signed(&program, &[signature_of(&program)])
}

fn signature_of(program: &[u8]) -> Vec<u8> {
    let certificates = [CAST.signer.der.as_slice(), &CAST.authority.der];
    CAST.signer
        .signature(&forge::hash_of(program), &certificates)
}

fn examined(program: &[u8]) -> SignedProgram {
    let disc = program.to_vec();
    let length = ByteCount::new(disc.len() as u64);
    let file = DiscBytes::new([(0, length)], length);
    let headers = EfiProgram::decode(&disc[..disc.len().min(crate::efi_program::HEADERS)]).unwrap();
    SignedProgram::read(
        &mut Window::new(&disc),
        &file,
        &headers,
        true,
        &mut Budget(1 << 30),
    )
}

/// The subjects of the certificates that are proved.
fn proved(program: &[u8]) -> Vec<String> {
    let program = examined(program);
    let chains = program.chains(&[]);
    let names = chains.iter().flatten().map(|it| it.subject.common_name());
    names.filter(|_| program.problem.is_none()).collect()
}

#[test]
fn a_signature_is_proved_up_to_its_authority() {
    let program = signed_once();
    assert_eq!(proved(&program), ["A signer", "An authority"]);
    let read = examined(&program);
    assert_eq!(
        read.digests.unwrap().sha256.to_vec(),
        forge::hash_of(&program)
    );
    // Nobody sells machines with this authority's certificate.
    assert!(
        Year::ALL
            .iter()
            .all(|year| !examined(&program).is_trusted_by(*year))
    );
    assert!(!examined(&plain()).is_signed);
}

#[test]
fn an_authority_that_only_calls_itself_one_is_not_trusted() {
    let false_one = Party::authority("Microsoft Corporation UEFI CA 2011", 3);
    let program = plain();
    let signature = false_one.signature(&forge::hash_of(&program), &[&false_one.der]);
    let program = forge::signed(&program, &[signature]);
    assert_eq!(proved(&program), ["Microsoft Corporation UEFI CA 2011"]);
    assert_eq!(examined(&program).authorities(), []);
}

#[test]
fn each_bit_of_a_program_counts_but_its_checksum() {
    let program = signed_once();
    let table =
        program.len() - forge::signed(&plain(), &[signature_of(&plain())]).len() + plain().len();
    for at in (0..table).step_by(7) {
        // The checksum is no part of what is signed, and here it lies anyway; the entry of the table leads elsewhere.
        let mut changed = program.clone();
        changed[at] ^= 0x10;
        let is_checksum = (64 + 24 + 64..64 + 24 + 68).contains(&at);
        let readable = EfiProgram::decode(&changed).is_some();
        assert!(
            !readable || proved(&changed).is_empty() != is_checksum,
            "byte {at}"
        );
    }
    let mut lies = program;
    lies[64 + 24 + 64] ^= 1;
    assert_eq!(proved(&lies).len(), 2);
}

#[test]
fn a_signature_with_another_bit_is_forged() {
    let signature = signature_of(&plain());
    let last = signature.len() - 1;
    for at in [last, last - 40, last - 127] {
        let mut other = signature.clone();
        other[at] ^= 1;
        let read = SignedData::decode(&other).unwrap();
        assert_eq!(read.prove(None), Err(Unproved::Forged));
        assert_eq!(proved(&forge::signed(&plain(), &[other])), [""; 0]);
    }
}

/// The attributes that are signed have the digest of the content: without a look at that, any program could stand there.
#[test]
fn a_signature_with_another_program_in_it_is_forged() {
    let (program, other) = (plain(), forge::program(&[(".text", &[0x90; 700])]));
    let (hash, other_hash) = (forge::hash_of(&program), forge::hash_of(&other));
    let mut signature = signature_of(&program);
    let at = signature
        .windows(32)
        .position(|it| it == hash.as_slice())
        .unwrap();
    signature[at..at + 32].copy_from_slice(&other_hash);
    let read = examined(&forge::signed(&other, &[signature]));
    assert_eq!(read.problems().collect::<Vec<_>>(), [Unproved::Forged]);
}

#[test]
fn sections_are_hashed_by_their_place_and_not_by_their_number() {
    let mut program = plain();
    let headers = 64 + 24 + 240;
    let (one, other) = program[headers..headers + 80].split_at_mut(40);
    one.swap_with_slice(other);
    let digests = examined(&program).digests.unwrap();
    assert_eq!(digests.sha256.to_vec(), forge::hash_of(&program));
}

/// OpenSSL looks for an issuer by its name (`X509_check_issued`).
#[test]
fn a_certificate_with_the_key_and_another_name_is_not_the_issuer() {
    let namesake = Party::authority("The same key", 1);
    let program = plain();
    let certificates = [CAST.signer.der.as_slice(), &namesake.der];
    let signature = CAST
        .signer
        .signature(&forge::hash_of(&program), &certificates);
    assert_eq!(proved(&forge::signed(&program, &[signature])), ["A signer"]);
}

#[test]
fn a_signature_that_is_cut_is_none() {
    let signature = signature_of(&plain());
    for end in 0..signature.len() {
        assert!(
            SignedData::decode(&signature[..end]).is_err(),
            "{end} bytes"
        );
    }
    // What stands behind it is padding.
    let padded = [signature, vec![0; 7]].concat();
    assert!(SignedData::decode(&padded).is_ok());
}

#[test]
fn a_table_that_is_cut_or_too_long_proves_nothing() {
    let program = signed_once();
    // The file ends before the table does: firmware does not load that.
    let cut = &program[..program.len() - 8];
    assert!(examined(cut).problem.is_some());
    assert!(proved(cut).is_empty());
    let entry = 64 + 24 + 112 + 36;
    let mut shorter = program.clone();
    let size = u32::from_le_bytes(*shorter[entry..].first_chunk().unwrap()) - 8;
    shorter[entry..entry + 4].copy_from_slice(&size.to_le_bytes());
    assert!(proved(&shorter).is_empty());
    let mut beyond = program;
    beyond[entry..entry + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(proved(&beyond).is_empty());
}

#[test]
fn several_signatures_count_each_for_itself() {
    let other = Party::authority("Another", 4);
    let program = plain();
    let hash = forge::hash_of(&program);
    let good = signature_of(&program);
    let mut bad = good.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    let second = other.signature(&hash, &[&other.der]);
    let both = forge::signed(&program, &[bad.clone(), good.clone(), second]);
    assert_eq!(proved(&both), ["A signer", "An authority", "Another"]);
    // Without its signer's certificate, without any, and for another program.
    let alone = CAST.signer.signature(&hash, &[&CAST.authority.der]);
    let without = CAST.signer.signature(&hash, &[]);
    let elsewhere = CAST.signer.signature(&[7; 32], &[&CAST.signer.der]);
    for (signature, problem) in [
        (alone, Unproved::NoSigner),
        (without, Unproved::NoSigner),
        (elsewhere, Unproved::OtherBytes),
        (vec![0x30, 0x80, 0, 0], Unproved::Unreadable),
    ] {
        let read = examined(&forge::signed(&program, &[signature]));
        assert_eq!(read.problems().collect::<Vec<_>>(), [problem]);
        assert!(read.chains(&[]).is_empty());
    }
    let thousands = forge::signed(&program, &vec![bad; 500]);
    let read = examined(&thousands);
    assert_eq!((read.signature_count, read.signatures.len()), (500, 16));
    assert!(read.chains(&[]).is_empty());
    let too_long = examined(&forge::signed(&program, &vec![good; 2_000]));
    assert!(too_long.problem.is_some() && too_long.authorities().is_empty());
}

#[test]
fn only_authorities_sign_certificates() {
    let not_one = CAST.signer.issues("Signed by a signer", 5, false);
    let program = plain();
    let certificates = [
        not_one.der.as_slice(),
        &CAST.signer.der,
        &CAST.authority.der,
    ];
    let signature = not_one.signature(&forge::hash_of(&program), &certificates);
    assert_eq!(
        proved(&forge::signed(&program, &[signature])),
        ["Signed by a signer"]
    );
    let between = CAST.authority.issues("Between", 6, true);
    let leaf = between.issues("Leaf", 7, false);
    let certificates = [CAST.authority.der.as_slice(), &between.der, &leaf.der];
    let signature = leaf.signature(&forge::hash_of(&program), &certificates);
    let program = forge::signed(&program, &[signature]);
    assert_eq!(proved(&program), ["Leaf", "Between", "An authority"]);
}

/// The section `.vendor_cert` of a shim: who is trusted, and what is refused.
fn vendor_section(trusted: &[u8], refused: &[u8]) -> Vec<u8> {
    let lengths = [trusted.len(), refused.len(), 16, 16 + trusted.len()];
    let words = lengths.map(|word| u32::try_from(word).unwrap().to_le_bytes());
    [words.concat(), trusted.to_vec(), refused.to_vec()].concat()
}

/// An `EFI_SIGNATURE_LIST` with one entry (UEFI §32.4.1).
fn list(kind: &str, data: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = kind
        .split('-')
        .enumerate()
        .flat_map(|(part, digits)| {
            let bytes = (0..digits.len() / 2)
                .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap());
            let mut bytes: Vec<u8> = bytes.collect();
            if part < 3 {
                bytes.reverse();
            }
            bytes
        })
        .collect();
    let words = [28 + 16 + data.len(), 0, 16 + data.len()];
    let words = words.map(|word| u32::try_from(word).unwrap().to_le_bytes());
    [digits, words.concat(), vec![0x77; 16], data.to_vec()].concat()
}

const SHA256: &str = "c1c41626-504c-4092-aca9-41f936934328";
const X509: &str = "a5c059a1-94e4-4aa7-87b5-ab155c2bf072";
const X509_SHA256: &str = "3bd2a492-96c0-4079-b420-fcf98ef103ed";

#[test]
fn a_shim_trusts_and_refuses_by_what_it_carries() {
    let refused = list(SHA256, &[9; 32]);
    let vendor = vendor_section(&CAST.authority.der, &refused);
    let program = forge::program(&[
        (".vendor_cert", &vendor),
        (".sbat", b"sbat,1,x\nshim,4,y\n"),
        (".data", &[0; 100]),
    ]);
    let read = examined(&program);
    assert_eq!(read.kind, ProgramKind::Shim);
    let shim = read.shim.unwrap();
    assert_eq!(shim.keys.certificates, [CAST.authority.certificate()]);
    assert_eq!(shim.keys.refused.programs, [[9; 32]]);
    assert_eq!(read.sbat.unwrap().generation("shim"), Some(4));
    // Signed by somebody whose certificate the vendor signed, without the vendor's.
    let hash = forge::hash_of(&plain());
    let signature = CAST.signer.signature(&hash, &[&CAST.signer.der]);
    let grub = examined(&forge::signed(&plain(), &[signature]));
    assert_eq!(grub.vendor(&shim), Some(&CAST.authority.certificate()));
    let other = Party::authority("Another", 4);
    let by_other = other.signature(&hash, &[&other.der]);
    assert_eq!(
        examined(&forge::signed(&plain(), &[by_other])).vendor(&shim),
        None
    );
}

#[test]
fn a_list_refuses_by_hash_and_by_certificate() {
    let program = examined(&signed_once());
    let hash = forge::hash_of(&plain());
    let time = [0; 16];
    let by_digest = [
        CAST.authority
            .certificate()
            .signed_digest(DigestKind::Sha256),
        time.to_vec(),
    ]
    .concat();
    let lists = [
        list(SHA256, &hash),
        list(X509, &CAST.authority.der),
        list(X509, &CAST.signer.der),
        list(X509_SHA256, &by_digest),
    ];
    for bytes in &lists {
        let read = SignatureList::decode(bytes).unwrap();
        assert!(program.refused_by(&read, &[]).is_some(), "{read:?}");
        assert_eq!(
            examined(&plain()).refused_by(&read, &[]).is_some(),
            !read.programs.is_empty()
        );
        // As a signed update: a time, and a signature's header (UEFI §8.2.2).
        let guid = &list("4aafd29d-68df-49ee-8aa9-347d375665a7", &[])[..16];
        let header = [
            &[0; 16][..],
            &[29, 0, 0, 0, 0, 2, 0xF1, 0x0E],
            guid,
            b"12345",
        ]
        .concat();
        let update = [&header, bytes.as_slice()].concat();
        assert_eq!(SignatureList::decode(&update).as_ref(), Ok(&read));
        assert!(SignatureList::decode(&bytes[..bytes.len() - 1]).is_err());
    }
    let innocent = SignatureList::decode(
        &[
            list(SHA256, &[1; 32]),
            list(X509, &Party::authority("Another", 4).der),
        ]
        .concat(),
    );
    assert_eq!(program.refused_by(&innocent.unwrap(), &[]), None);
    assert_eq!(
        SignatureList::decode(b"no list at all, only text"),
        Err(SignatureListError::NoList)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever is changed in the certificates: nothing is proved that reaches further than before.
    #[test]
    fn changed_signatures_prove_no_more(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut signature = signature_of(&plain());
        for (at, byte) in changes {
            let at = at.index(signature.len());
            signature[at] = byte;
        }
        let names = proved(&forge::signed(&plain(), &[signature]));
        prop_assert!(names.len() <= 2, "{names:?}");
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = SignedData::decode(&bytes);
        let _ = Certificate::decode(&bytes);
        let _ = SignatureList::decode(&bytes);
        let _ = VendorKeys::decode(&bytes);
        let _ = Shim::levels(&bytes);
        let _ = Sbat::decode(&bytes);
        let _ = CertificateTable::decode(&bytes);
        let _ = HashedParts::decode(&bytes, 600);
    }
}

fn list_of(parties: &[&Party]) -> SignatureList {
    SignatureList {
        certificates: parties.iter().map(|party| party.certificate()).collect(),
        ..SignatureList::default()
    }
}

fn starts(keys: &MachineKeys, program: &[u8]) -> bool {
    matches!(keys.judge(&examined(program)), Answer::Starts(_))
}

/// What OVMF does with each of these: the set `secure-boot` boots them.
#[test]
fn a_machine_goes_by_its_lists() {
    let stranger = Party::authority("A stranger", 9);
    let (signed, plain) = (signed_once(), plain());
    let hash = SignatureList::of_file(&plain).unwrap();
    let keys = |db: SignatureList, dbx: SignatureList| MachineKeys { db: Some(db), dbx };
    let none = SignatureList::default;
    for (db, dbx, signed_starts, plain_starts) in [
        (list_of(&[&CAST.authority]), none(), true, false),
        (list_of(&[&CAST.signer]), none(), true, false),
        (list_of(&[&stranger]), none(), false, false),
        (none(), none(), false, false),
        (hash.clone(), none(), true, true),
        (list_of(&[&CAST.authority]), hash.clone(), false, false),
        (
            list_of(&[&CAST.authority]),
            list_of(&[&CAST.signer]),
            false,
            false,
        ),
        (
            list_of(&[&CAST.authority]),
            list_of(&[&stranger]),
            true,
            false,
        ),
        (hash.clone(), list_of(&[&CAST.authority]), false, true),
    ] {
        let keys = keys(db, dbx);
        assert_eq!(starts(&keys, &signed), signed_starts, "{keys:?}");
        assert_eq!(starts(&keys, &plain), plain_starts, "{keys:?}");
    }
    let setup_mode = MachineKeys::default();
    assert!(starts(&setup_mode, &signed) && starts(&setup_mode, &plain));
}

#[test]
fn a_machine_refuses_what_is_broken() {
    let keys = MachineKeys {
        db: Some(list_of(&[&CAST.authority])),
        dbx: SignatureList::default(),
    };
    let mut changed = signed_once();
    let last_of_text = changed.len() / 3;
    changed[last_of_text] ^= 1;
    assert!(!starts(&keys, &changed));
    let signed = signed_once();
    let cut = &signed[..signed.len() - 16];
    assert!(!starts(&keys, cut));
    // Without an owner nothing is verified, and a table behind the end is still no program.
    assert!(!starts(&MachineKeys::default(), cut));
}
