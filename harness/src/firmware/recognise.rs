//! What a file is, by its content: a ROM of SeaBIOS, or OVMF's firmware volumes.

use std::{ops::Range, sync::LazyLock};

use regex::bytes::Regex;

use super::FirmwareId;

/// More than any flash of a PC that is known. A file beyond it is not read.
pub(super) const LARGEST: u64 = 64 << 20;

/// ROMs fill whole units of this many bytes.
const ROM_UNIT: usize = 64 << 10;
/// Where the processor begins, counted from a ROM's end, and what stands there: a far jump.
const RESET_VECTOR: usize = 16;
const FAR_JUMP: u8 = 0xEA;

/// A firmware in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recognised {
    /// A ROM of SeaBIOS, of this version.
    Seabios(String),
    /// OVMF.
    Ovmf {
        /// What it may be. The program that a processor begins with has 32 bits also where all that follows has 64, and the rest
        /// is compressed.
        may_be: &'static [FirmwareId],
        /// Where the code stands in the file: after the variable store, in a file that has both.
        code: Range<usize>,
        /// Where the variable store stands, if there is one.
        variables: Option<Range<usize>>,
    },
}

/// What a file holds, or why that is no firmware that a disc can be booted with.
pub(super) fn recognise(file: &[u8]) -> Result<Recognised, String> {
    if let Some(version) = seabios_version(file).filter(|_| is_rom(file)) {
        return Ok(Recognised::Seabios(version));
    }
    let volumes: Vec<Volume> = volumes(file).collect();
    let Some(first) = volumes.first() else {
        return Err(
            "is neither a ROM of SeaBIOS nor OVMF: it has no version of SeaBIOS and no firmware volume (_FVH) in it"
                .to_owned(),
        );
    };
    let machine = volumes
        .iter()
        .find_map(|volume| security_core(file.get(volume.files.clone())?));
    let may_be: &[FirmwareId] = match machine {
        Some(MACHINE_X64) => &[FirmwareId::Ovmf, FirmwareId::OvmfSecureBoot],
        Some(MACHINE_I386) => &[
            FirmwareId::Ovmf,
            FirmwareId::OvmfIa32,
            FirmwareId::OvmfSecureBoot,
        ],
        Some(other) => {
            return Err(format!(
                "is UEFI firmware for another processor (PE machine {other:04X}h): x86-64 is 8664h, 32-bit x86 is 014Ch"
            ));
        }
        None if first.is_variables => {
            return Err(
                "is a variable store, not firmware: pass it with --variables, in addition to the file with the code".to_owned(),
            );
        }
        None => {
            return Err(
                "has firmware volumes, but none with the code that a processor begins with"
                    .to_owned(),
            );
        }
    };
    let end = first.range.end;
    let (code, variables) = match first.is_variables {
        true => (end..file.len(), Some(first.range.clone())),
        false => (0..file.len(), None),
    };
    Ok(Recognised::Ovmf {
        may_be,
        code,
        variables,
    })
}

/// Whether a file is a store of UEFI variables.
pub(super) fn is_variable_store(file: &[u8]) -> bool {
    volumes(file)
        .next()
        .is_some_and(|volume| volume.is_variables && volume.range.start == 0)
}

/// SeaBIOS' own version: the string `VERSION` of `src/version.c`, which `scripts/buildversion.py` makes from the git tag
/// (`rel-1.16.2-0-gea1b7a073390-prebuilt.qemu.org`) or from `.version` (`1.16.2-debian-1.16.2-1`, `Arch Linux 1.16.3-1-1`).
///
/// The linker may pad the byte before it with a NUL or with an instruction (90h in Debian 13's ROM), so any byte that no
/// text has will do.
pub(super) fn seabios_version(rom: &[u8]) -> Option<String> {
    static VERSION: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let version = r"(?-u)[^ -~]((?:rel-|[A-Za-z]+ ){0,3}[0-9]+\.[0-9]+\.[0-9]+[-+.~:_0-9A-Za-z]{0,80})\x00";
        Regex::new(version).ok()
    });
    let version = VERSION.as_ref()?.captures(rom)?.get(1)?;
    Some(String::from_utf8_lossy(version.as_bytes()).into_owned())
}

fn is_rom(file: &[u8]) -> bool {
    const NAME: &[u8] = b"SeaBIOS";
    let vector = file
        .len()
        .checked_sub(RESET_VECTOR)
        .and_then(|at| file.get(at));
    file.len().is_multiple_of(ROM_UNIT)
        && vector == Some(&FAR_JUMP)
        && file.windows(NAME.len()).any(|window| window == NAME)
}

/// A firmware volume (UEFI Platform Initialization specification, volume 3, `EFI_FIRMWARE_VOLUME_HEADER`).
struct Volume {
    /// Where it stands.
    range: Range<usize>,
    /// Where its files stand.
    files: Range<usize>,
    /// Whether it holds variables in place of files.
    is_variables: bool,
}

/// The signature of a volume, and where it stands in its header.
const SIGNATURE: &[u8] = b"_FVH";
const SIGNATURE_AT: usize = 40;
/// `gEfiSystemNvDataFvGuid`, FFF12B8D-7696-4C8B-A985-2747075B4F50, as it is stored.
const VARIABLES: [u8; 16] = [
    0x8D, 0x2B, 0xF1, 0xFF, 0x96, 0x76, 0x8B, 0x4C, 0xA9, 0x85, 0x27, 0x47, 0x07, 0x5B, 0x4F, 0x50,
];

/// The volumes in a file, in order, those that are not whole left out.
fn volumes(file: &[u8]) -> impl Iterator<Item = Volume> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = file.get(from..)?;
            let found = rest
                .windows(SIGNATURE.len())
                .position(|window| window == SIGNATURE)?;
            let signature = from + found;
            from = signature + 1;
            let volume = signature
                .checked_sub(SIGNATURE_AT)
                .and_then(|start| volume_at(file, start));
            if let Some(volume) = volume {
                from = volume.range.end;
                return Some(volume);
            }
        }
    })
}

fn volume_at(file: &[u8], start: usize) -> Option<Volume> {
    let header = file.get(start..)?;
    let length = usize::try_from(number(header, 32, 8)?).ok()?;
    let end = start.checked_add(length).filter(|&end| end <= file.len())?;
    let header_length = usize::try_from(number(header, 48, 2)?).ok()?;
    let files = start.checked_add(header_length)?..end;
    (header_length > SIGNATURE_AT && files.start < files.end).then(|| Volume {
        range: start..end,
        is_variables: header.get(16..32) == Some(&VARIABLES),
        files,
    })
}

/// The lengths of the headers of a file and of a section, and what they are aligned to.
const FILE_HEADER: usize = 24;
const FILE_ALIGNMENT: usize = 8;
const SECTION_HEADER: usize = 4;
const SECTION_ALIGNMENT: usize = 4;
/// `EFI_FV_FILETYPE_SECURITY_CORE`.
const SECURITY_CORE: u64 = 3;
/// `EFI_SECTION_PE32` and `EFI_SECTION_TE`.
const SECTION_PE: u64 = 0x10;
const SECTION_TE: u64 = 0x12;
const MACHINE_X64: u64 = 0x8664;
const MACHINE_I386: u64 = 0x014C;

/// The machine type of the program that a processor begins with, which is never compressed.
fn security_core(files: &[u8]) -> Option<u64> {
    let mut at = 0_usize;
    loop {
        let file = files.get(at..)?;
        let length = usize::try_from(number(file, 20, 3)?).ok()?;
        let content = file.get(FILE_HEADER..length)?;
        if number(file, 18, 1)? == SECURITY_CORE {
            return machine(content);
        }
        at = at
            .checked_add(length)?
            .checked_next_multiple_of(FILE_ALIGNMENT)?;
    }
}

/// The machine type of the first program among some sections.
fn machine(sections: &[u8]) -> Option<u64> {
    let mut at = 0_usize;
    loop {
        let section = sections.get(at..)?;
        let length = usize::try_from(number(section, 0, 3)?).ok()?;
        let content = section.get(SECTION_HEADER..length)?;
        match number(section, 3, 1)? {
            SECTION_TE if content.starts_with(b"VZ") => return number(content, 2, 2),
            SECTION_PE => {
                let header = usize::try_from(number(content, 0x3C, 4)?).ok()?;
                let header = content.get(header..)?;
                return header
                    .starts_with(b"PE\0\0")
                    .then(|| number(header, 4, 2))?;
            }
            _ => {
                at = at
                    .checked_add(length)?
                    .checked_next_multiple_of(SECTION_ALIGNMENT)?
            }
        }
    }
}

/// A little-endian number of up to 8 bytes.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | u64::from(byte)),
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        emulator::EmulatorId,
        firmware::{discover, select},
    };

    #[test]
    fn a_rom_gives_its_version() {
        fn check(rom: &[u8], expect: Option<&str>) {
            assert_eq!(seabios_version(rom).as_deref(), expect);
        }
        check(
            b"xx\0SeaBIOS (version %s)\n\x001.16.2-debian-1.16.2-1\0xx",
            Some("1.16.2-debian-1.16.2-1"),
        );
        check(
            b"\0\0rel-1.16.2-0-gea1b7a073390-prebuilt.qemu.org\0",
            Some("rel-1.16.2-0-gea1b7a073390-prebuilt.qemu.org"),
        );
        // Debian 13's `seabios` 1.16.3-2: the compiler's own version stands before it, padded.
        check(
            b"gcc: (Debian 13.2.0-7) 13.2.0 binutils: (GNU Binutils for Debian) 2.41\0\x901.16.3-debian-1.16.3-2\0\0",
            Some("1.16.3-debian-1.16.3-2"),
        );
        check(
            b"\0rel-1.16.3-2-g1281e340ad1d-dirty-20240401_103522-host\0",
            Some("rel-1.16.3-2-g1281e340ad1d-dirty-20240401_103522-host"),
        );
        check(b"\nArch Linux 1.16.3-1-1\0", Some("Arch Linux 1.16.3-1-1"));
        check(b"\0pci dev %pP using legacy (0.9.5) virtio mode\0", None);
        check(b"\x002.0\0", None);
        check(b"1.16.2", None);
        check(b"", None);
    }

    /// The code and the template of variables of the firmware that is installed: what its packager calls them is the
    /// independent opinion.
    fn installed(id: FirmwareId) -> (Vec<u8>, Option<Vec<u8>>) {
        let found = discover(&EmulatorId::Qemu.locate(None).unwrap());
        let firmware = select(&found, id).unwrap();
        let template = firmware.variables_template.as_ref();
        (
            fs::read(firmware.image.code()).unwrap(),
            template.map(|template| fs::read(template).unwrap()),
        )
    }

    #[test]
    fn installed_firmware_is_recognised() {
        let (rom, _) = installed(FirmwareId::Seabios);
        assert!(matches!(recognise(&rom), Ok(Recognised::Seabios(_))));
        assert!(recognise(&rom[1..]).is_err(), "no whole ROM");

        let (code, variables) = installed(FirmwareId::Ovmf);
        let variables = variables.unwrap();
        let ranges = |file: &[u8]| match recognise(file) {
            Ok(Recognised::Ovmf {
                may_be,
                code,
                variables,
            }) => {
                assert!(may_be.contains(&FirmwareId::Ovmf));
                (code, variables)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(ranges(&code), (0..code.len(), None));
        let (middle, end) = (variables.len(), variables.len() + code.len());
        let whole = [&variables[..], &code].concat();
        assert_eq!(ranges(&whole), (middle..end, Some(0..middle)));

        assert!(is_variable_store(&variables) && !is_variable_store(&code));
        let refusal = recognise(&variables).unwrap_err();
        assert!(refusal.contains("--variables"), "{refusal}");
    }

    #[test]
    fn what_is_no_firmware_says_why() {
        for (file, why) in [
            (&b""[..], "neither"),
            (b"\x7FELF", "neither"),
            (&[0; 1 << 20], "neither"),
            (b"_FVH", "neither"),
        ] {
            assert!(recognise(file).unwrap_err().contains(why));
        }
        // A volume cut short is none; another processor's is named.
        let (mut code, _) = installed(FirmwareId::Ovmf);
        let half = &code[..code.len() / 2];
        assert!(recognise(half).is_err());
        let places: Vec<Range<usize>> = volumes(&code).map(|volume| volume.files).collect();
        let core = places.last().unwrap().clone();
        let was = security_core(&code[core.clone()]).unwrap();
        let was = u16::try_from(was).unwrap().to_le_bytes();
        let machines: Vec<usize> = core
            .clone()
            .filter(|&at| code[at..].starts_with(&was))
            .collect();
        // Whichever of those that look like it is the machine type.
        let refusals = machines.into_iter().filter_map(|at| {
            code[at..at + 2].copy_from_slice(&0xAA64_u16.to_le_bytes());
            let refusal = recognise(&code).err();
            code[at..at + 2].copy_from_slice(&was);
            refusal
        });
        assert!(refusals.collect::<String>().contains("AA64h"));
    }

    proptest! {
        #[test]
        fn no_file_panics(
            before in prop::collection::vec(any::<u8>(), 40),
            after in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let file = [&before[..], b"_FVH", &after].concat();
            let _ = recognise(&file);
            let _ = security_core(&after);
            let _ = machine(&after);
            let _ = seabios_version(&file);
        }
    }
}
