//! Debian's signed chain, and programs that other tools sign: what is read of them is what those tools say.

use std::{fs, path::Path, process::Command};

use images::{
    finding::{FindingId as Id, Severity},
    inspect::{DiscFile, Options, ProgramReading, TrustedBy, Window, inspect, inspect_program},
    signature::{MachineKeys, SignatureList},
};

use super::{SHIM, read, run};

const GRUB: &str = "/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed";

/// A disc with these files below `\EFI\BOOT` of its EFI image; `None` where something for it is missing.
fn disc(folder: &Path, copies: &str) -> Option<images::inspect::Inspection> {
    let script = format!(
        "rm -rf tree disc.iso; mkdir -p tree
         truncate -s 8M tree/efi.img
         mkfs.fat tree/efi.img >/dev/null
         mmd -i tree/efi.img ::/EFI ::/EFI/BOOT
         {copies}
         xorriso -as mkisofs -quiet -R -V X -o disc.iso -e efi.img -no-emul-boot tree"
    );
    run(folder, &script).then(|| read(&folder.join("disc.iso"), false))
}

fn copy(file: &str, name: &str) -> String {
    format!("mcopy -i tree/efi.img {file} ::/EFI/BOOT/{name}\n")
}

fn secure(inspection: &images::inspect::Inspection) -> Vec<(Id, Severity)> {
    let findings = inspection.findings.iter();
    let secure = findings.filter(|it| it.id.as_str().starts_with("secure-boot"));
    secure.map(|it| (it.id, it.severity)).collect()
}

/// What stands behind a word in the lines of a command, where it can be run.
fn said(command: &str, arguments: &[&str], word: &str) -> Option<Vec<String>> {
    let output = Command::new(command).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter_map(|line| line.split_once(word));
    Some(lines.map(|(_, rest)| rest.trim().to_owned()).collect())
}

#[test]
fn debians_chain_is_trusted_and_loses_it_with_a_bit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let whole = copy(SHIM, "BOOTX64.EFI") + &copy(GRUB, "grubx64.efi");
    let Some(inspection) = disc(folder, &whole) else {
        println!("shim-signed, grub-efi-amd64-signed, mtools or xorriso is not here");
        return;
    };
    let [shim, grub] = inspection.secure_boot.programs.as_slice() else {
        panic!("{:?}", inspection.secure_boot);
    };
    assert_ne!(shim.trusted_by, TrustedBy::Neither, "{shim:?}");
    assert_eq!(grub.trusted_by, shim.trusted_by);
    assert_eq!(grub.through.as_ref(), Some(&shim.path));
    let carried = shim.shim.as_ref().unwrap();
    assert_eq!(carried.vendor, ["Debian Secure Boot CA"]);
    assert_eq!(carried.starts.as_deref(), Some("grubx64.efi"));
    assert_eq!(secure(&inspection), []);
    // A bit of GRUB's code, and an unsigned GRUB in its place.
    let bit = |file: &str, name: &str| {
        format!(
            "cp {file} {name}; printf '\\125' | dd of={name} bs=1 seek=70000 conv=notrunc status=none\n"
        )
    };
    let broken =
        bit(GRUB, "bit.efi") + &copy(SHIM, "BOOTX64.EFI") + &copy("bit.efi", "grubx64.efi");
    let broken = disc(folder, &broken).unwrap();
    assert_eq!(
        secure(&broken),
        [(Id::SecureBootUnsigned, Severity::Warning)]
    );
    let broken =
        bit(SHIM, "bit.efi") + &copy("bit.efi", "BOOTX64.EFI") + &copy(GRUB, "grubx64.efi");
    let broken = disc(folder, &broken).unwrap();
    let programs = &broken.secure_boot.programs;
    assert!(
        programs
            .iter()
            .all(|it| it.trusted_by == TrustedBy::Neither),
        "{programs:?}"
    );
}

#[test]
fn one_signature_of_two_is_trusted_by_one_year_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // sbattach removes them by their number, the second one first.
    for (number, left, finding) in [
        (
            2,
            TrustedBy::Only2011,
            (Id::SecureBoot2011Only, Severity::Info),
        ),
        (
            1,
            TrustedBy::Only2023,
            (Id::SecureBoot2023Only, Severity::Warning),
        ),
    ] {
        let script = format!("cp {SHIM} one.efi; sbattach --signum {number} --remove one.efi");
        let program = run(folder, &script).then(|| fs::read(folder.join("one.efi")).unwrap());
        let Some(program) = program else {
            println!("shim-signed or sbsigntool is not here");
            return;
        };
        if inspect_program(&fs::read(SHIM).unwrap())
            .unwrap()
            .trusted_by
            != TrustedBy::Both
        {
            println!("this shim does not have both signatures");
            return;
        }
        assert_eq!(inspect_program(&program).unwrap().trusted_by, left);
        let Some(inspection) = disc(
            folder,
            &(copy("one.efi", "BOOTX64.EFI") + &copy(GRUB, "grubx64.efi")),
        ) else {
            return;
        };
        assert_eq!(secure(&inspection), [finding]);
    }
}

/// Keys and a certificate that OpenSSL makes, and programs that other tools sign with them.
#[test]
fn what_other_tools_sign_is_proved() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let script = "openssl req -new -x509 -newkey rsa:2048 -nodes -subj '/CN=Throw away' -keyout key.pem -out cert.pem -days 1 2>/dev/null
                  grub-mkimage -O x86_64-efi -p /nowhere -o plain.efi normal";
    if !run(folder, script) {
        println!("OpenSSL or GRUB is not here");
        return;
    }
    let signers = [
        "osslsigncode sign -h sha256 -certs cert.pem -key key.pem -in plain.efi -out signed.efi >/dev/null",
        "osslsigncode sign -h sha384 -certs cert.pem -key key.pem -in plain.efi -out signed.efi >/dev/null",
        "sbsign --key key.pem --cert cert.pem --output signed.efi plain.efi 2>/dev/null",
    ];
    for signer in signers {
        if !run(folder, &format!("rm -f signed.efi; {signer}")) {
            continue;
        }
        let signed = folder.join("signed.efi");
        let read: ProgramReading = inspect_program(&fs::read(&signed).unwrap()).unwrap();
        assert_eq!(read.signatures.len(), 1, "{signer}");
        assert_eq!(
            read.signatures[0].chain,
            ["Throw away"],
            "{signer}: {read:?}"
        );
        assert_eq!(
            (read.trusted_by, &read.problem),
            (TrustedBy::Neither, &None)
        );
        // osslsigncode's own calculation, of the kind that it signed with.
        let verify = ["verify", "-in", signed.to_str().unwrap()];
        if let Some(digests) = said("osslsigncode", &verify, "Calculated message digest")
            && signer.contains("sha256")
        {
            let ours = read.sha256.as_deref().unwrap().to_uppercase();
            assert!(
                digests.iter().any(|it| it.ends_with(&ours)),
                "{digests:?}: {ours}"
            );
        }
    }
}

/// OVMF 2022.11 starts a program with a SHA-1 signature and refuses one with an elliptic curve's, and other builds may differ.
#[test]
fn what_is_not_read_of_a_signature_is_not_predicted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    if !run(
        folder,
        "grub-mkimage -O x86_64-efi -p /nowhere -o plain.efi normal",
    ) {
        println!("GRUB is not here");
        return;
    }
    for (key, digest, starts) in [
        ("rsa:2048", "sha256", Some(true)),
        ("rsa:2048", "sha1", None),
        ("ec -pkeyopt ec_paramgen_curve:P-256", "sha256", None),
    ] {
        let script = format!(
            "rm -f signed.efi
             openssl req -new -x509 -newkey {key} -nodes -subj '/CN=Throw away' -keyout key.pem -out cert.pem -days 1 2>/dev/null
             osslsigncode sign -h {digest} -certs cert.pem -key key.pem -in plain.efi -out signed.efi >/dev/null"
        );
        if !run(folder, &script) || disc(folder, &copy("signed.efi", "BOOTX64.EFI")).is_none() {
            println!("OpenSSL, osslsigncode, mtools or xorriso is not here");
            return;
        }
        let db = SignatureList::of_file(&fs::read(folder.join("cert.pem")).unwrap()).unwrap();
        let keys = MachineKeys {
            db: Some(db),
            dbx: SignatureList::default(),
        };
        let options = Options {
            machine: Some(&keys),
            ..Options::default()
        };
        let disc = DiscFile::open(&folder.join("disc.iso")).unwrap();
        let inspection = inspect(&mut Window::new(&disc), &options).unwrap();
        let programs = &inspection.secure_boot.programs;
        let told: Vec<_> = programs
            .iter()
            .map(|it| it.on_machine.as_ref().unwrap().starts)
            .collect();
        assert_eq!(told, [starts], "{key} {digest}");
    }
}
