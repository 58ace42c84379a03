use super::*;
use crate::{
    emulator::EmulatorId,
    firmware::{discover, select},
};

fn installed(id: FirmwareId) -> Firmware {
    select(&discover(&EmulatorId::Qemu.locate(None).unwrap()), id)
        .unwrap()
        .clone()
}

fn name(text: &str) -> FirmwareName {
    text.parse().unwrap()
}

#[test]
fn what_is_added_is_listed_until_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::in_folder(folder.path().join("firmware"));
    assert!(store.list().unwrap().is_empty());

    let seabios = installed(FirmwareId::Seabios);
    let record = store.add(seabios.image.code(), None, None, &[]).unwrap();
    assert_eq!(record.version, seabios.version);
    let ovmf = installed(FirmwareId::Ovmf);
    let template = ovmf.variables_template.clone().unwrap();
    // In one file, as -bios takes it.
    let whole = folder.path().join("OVMF.fd");
    let parts = [
        fs::read(&template).unwrap(),
        fs::read(ovmf.image.code()).unwrap(),
    ];
    fs::write(&whole, parts.concat()).unwrap();
    store
        .add(&whole, None, Some(&name("ovmf@own")), &[])
        .unwrap();
    let secure = installed(FirmwareId::OvmfSecureBoot);
    let keys = secure.variables_template.clone().unwrap();
    store
        .add(
            secure.image.code(),
            Some(&keys),
            Some(&name("ovmf-secure-boot@own")),
            &[],
        )
        .unwrap();

    let kept = store.list().unwrap();
    let firmware: Vec<Firmware> = kept.into_iter().map(|kept| kept.build.unwrap().1).collect();
    let names: Vec<String> = firmware.iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [&record.name.to_string(), "ovmf@own", "ovmf-secure-boot@own"]
    );
    let hashes: Vec<&str> = firmware.iter().map(|firmware| &*firmware.sha256).collect();
    assert_eq!(hashes, [&*seabios.sha256, &*ovmf.sha256, &*secure.sha256]);
    assert!(matches!(
        &firmware[2].image,
        FirmwareImage::Flash {
            variables: Some(_),
            needs_smm: true,
            ..
        }
    ));
    // The same files as the system's, and so no builds of their own.
    let grid = grid(store.folder(), &EmulatorId::Qemu.locate(None).unwrap());
    assert!(
        grid.iter()
            .all(|firmware| firmware.build.as_deref() != Some("own")),
        "{grid:?}"
    );
    assert!(grid.iter().all(|firmware| firmware.build.is_some()));

    assert!(matches!(
        store.add(&whole, None, Some(&name("ovmf@own")), &[]),
        Err(StoreError::Taken(_))
    ));
    store.remove(&name("ovmf@own")).unwrap();
    assert_eq!(store.list().unwrap().len(), 2);
    let message = store.remove(&name("ovmf@own")).unwrap_err().to_string();
    assert!(message.contains("there are seabios@"), "{message}");
    assert!(store.remove(&name("seabios")).is_err());
}

/// Debian's firmware of 32 bits hangs without system management mode, and is built with Secure Boot only.
#[test]
fn firmware_of_32_bits_that_comes_with_variables_gets_system_management_mode() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::in_folder(folder.path());
    let ia32 = installed(FirmwareId::OvmfIa32);
    let (code, variables) = (ia32.image.code(), ia32.variables_template.as_deref());
    let add = |variables, as_name| store.add(code, variables, Some(&name(as_name)), &[]);
    add(variables, "ovmf-ia32@1-with").unwrap();
    add(None, "ovmf-ia32@2-without").unwrap();
    let kept = store.list().unwrap();
    let images: Vec<FirmwareImage> = kept
        .into_iter()
        .map(|kept| kept.build.unwrap().1.image)
        .collect();
    assert!(matches!(
        images[..],
        [
            FirmwareImage::Flash {
                variables: Some(_),
                needs_smm: true,
                ..
            },
            FirmwareImage::Flash {
                variables: None,
                needs_smm: false,
                ..
            }
        ]
    ));
}

#[test]
fn what_is_no_firmware_is_refused_with_a_sentence_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::in_folder(folder.path().join("firmware"));
    let code = installed(FirmwareId::Ovmf);
    let keys = code.variables_template.clone().unwrap();
    let rom = installed(FirmwareId::Seabios);
    let check = |file: &Path, variables: Option<&Path>, as_name: Option<&str>, expected: &str| {
        let as_name = as_name.map(name);
        let error = store
            .add(file, variables, as_name.as_ref(), &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    };
    let code = code.image.code();
    check(
        Path::new("/etc/passwd"),
        None,
        None,
        "neither a ROM of SeaBIOS nor OVMF",
    );
    check(Path::new("/nonexistent"), None, None, "No such file");
    check(Path::new("/dev/zero"), None, None, "is no file");
    check(folder.path(), None, None, "is no file");
    check(&keys, None, None, "--variables");
    check(code, None, None, "--as ovmf@");
    check(code, None, Some("seabios@1"), ", and not seabios");
    check(code, None, Some("ovmf-secure-boot@1"), "--variables");
    check(
        code,
        Some(code),
        Some("ovmf@1"),
        "is not a store of UEFI variables",
    );
    check(rom.image.code(), Some(&keys), None, "has no variables");
    let long = folder.path().join("long");
    fs::File::create(&long)
        .unwrap()
        .set_len(LARGEST + 1)
        .unwrap();
    check(&long, None, None, "longer than any");
    assert!(store.list().unwrap().is_empty());
}

#[test]
fn what_is_damaged_is_told_and_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::in_folder(folder.path());
    let rom = installed(FirmwareId::Seabios);
    let mut changed = fs::read(rom.image.code()).unwrap();
    changed[0] ^= 1;
    let file = folder.path().join("rom");
    fs::write(&file, &changed).unwrap();
    let own = name("seabios@own");
    store.add(&file, None, Some(&own), &[]).unwrap();
    let qemu = EmulatorId::Qemu.locate(None).unwrap();
    let in_grid = || {
        grid(folder.path(), &qemu)
            .iter()
            .any(|firmware| firmware.name() == own)
    };
    assert!(in_grid());

    let kept = folder.path().join("seabios@own");
    let damage = |file: &str, content: &[u8], expected: &str| {
        let path = kept.join(file);
        let good = fs::read(&path).unwrap();
        fs::write(&path, content).unwrap();
        let listed = store.list().unwrap();
        let said = listed[0].build.as_ref().unwrap_err();
        assert!(
            said.contains(expected) && said.contains("remove seabios@own"),
            "{said}"
        );
        assert!(!in_grid());
        fs::write(&path, good).unwrap();
    };
    damage(RECORD, b"", "damaged");
    damage(RECORD, b"{}", "damaged");
    damage(ROM, &changed[1..], "not as it was kept");
    let record = fs::read_to_string(kept.join(RECORD)).unwrap();
    damage(
        RECORD,
        record.replace("@own", "@other").as_bytes(),
        "another build",
    );
    // A record cannot lead out of its folder.
    damage(RECORD, record.replace(ROM, "../rom").as_bytes(), "rom: ");
    assert!(in_grid());

    // Whatever was left by somebody who was killed is no build, and goes away.
    fs::create_dir(folder.path().join(".ovmf@2025.02")).unwrap();
    assert_eq!(store.list().unwrap().len(), 1);
    store.remove(&own).unwrap();
    assert!(!folder.path().join(".ovmf@2025.02").exists());
}
