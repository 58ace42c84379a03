//! Limine's programs: the second stage in its boot image for CDs, its third stage (`limine-bios.sys`) and its program for UEFI.
//!
//! Each has the paths of the files that it looks for as text, so that they need not be known for each release. Source: Limine 4 to 8, `stage1/cd/bootsect.asm`,
//! `decompressor/main.c`, `common/entry.s2.c`, `common/lib/config.c`. The programs of 4, 7, 8 and 10 were looked at.

use std::io::Read as _;

use flate2::bufread::GzDecoder;
use memchr::memmem;

/// The beginning of Limine's boot sector for CDs: a jump over the boot-info table.
const BOOT_SECTOR: &[u8] = &[0xEB, 0x58, 0x90];
const GZIP: &[u8] = &[0x1F, 0x8B, 0x08];
/// Places in an image where a compressed stage may begin.
const STREAMS: usize = 8;
/// The second stage is loaded to F000h, and the decompressor runs at 70000h.
const STAGE_BYTES: u64 = 0x7_0000 - 0xF000;
const OF_SECOND_STAGE: &[u8] = b"Stage 3 file not found!";
/// The same words in all releases since 4, in the third stage and in the program for UEFI.
const OF_PROGRAM: &[u8] = b"config: Malformed config file";
/// Before the build's id of 20 bytes: the header of an ELF note and its owner.
const BUILD_NOTE: &[u8] = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0";
/// Names that are looked for in a program, and paths that are kept.
const PATHS: usize = 64;
/// A longer path is none.
const PATH_BYTES: usize = 64;

/// The names of the third stage, since 5 and before.
pub(crate) const THIRD_STAGES: [&str; 2] = ["limine-bios.sys", "limine.sys"];
/// The configuration of version 8 and later.
pub(crate) const CONF: &str = "limine.conf";
/// That of version 7 and older, which 8 reads too.
pub(crate) const CFG: &str = "limine.cfg";
/// The folders in which one release or another looks, in the order of those before 10.3.
pub(crate) const FOLDERS: [&str; 6] = [
    "",
    "/limine",
    "/boot",
    "/boot/limine",
    "/EFI/BOOT",
    "/EFI/limine",
];
/// A boot image, a third stage or a program for UEFI is shorter.
pub(crate) const PROGRAM_BYTES: usize = 1 << 20;
pub(crate) const IMAGE_BYTES: usize = 64 << 10;

/// The second stage, in the boot image for CDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecondStage {
    /// Where it looks for the third stage.
    pub(crate) paths: Paths,
    /// The id of the build, which the third stage must have too.
    build: Option<[u8; 20]>,
    length: usize,
}

impl SecondStage {
    /// That of a boot image; `None` if the image is not Limine's, or not whole.
    pub(crate) fn of_boot_image(image: &[u8]) -> Option<Self> {
        if !image.starts_with(BOOT_SECTOR) {
            return None;
        }
        let streams = memmem::find_iter(image, GZIP).take(STREAMS);
        streams
            .filter_map(|at| {
                let mut stage = Vec::new();
                let stream = GzDecoder::new(image.get(at..)?);
                stream.take(STAGE_BYTES).read_to_end(&mut stage).ok()?;
                Self::of(&stage)
            })
            .next()
    }

    fn of(stage: &[u8]) -> Option<Self> {
        memmem::find(stage, OF_SECOND_STAGE)?;
        let paths = Paths::of(stage, &THIRD_STAGES);
        let build = memmem::find(stage, BUILD_NOTE).and_then(|at| {
            let id = stage.get(at + BUILD_NOTE.len()..)?;
            id.first_chunk::<20>().copied()
        });
        (!paths.is_empty()).then_some(Self {
            paths,
            build,
            length: stage.len(),
        })
    }

    /// Whether it certainly refuses a third stage. That file begins with the second stage, and has the id of its build again behind that.
    pub(crate) fn refuses(&self, third: &[u8]) -> bool {
        let behind = third.get(self.length..).unwrap_or_default();
        self.build
            .is_some_and(|id| memmem::find(behind, &id).is_none())
    }
}

/// The program that reads the configuration: the third stage, or the program for UEFI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) version: (u32, u32),
    /// Where it looks for a configuration.
    pub(crate) configurations: Paths,
    /// Whether it looks for one beside itself first.
    pub(crate) beside_itself: bool,
    /// Whether the machine may have one for it, as a text of SMBIOS.
    pub(crate) asks_machine: bool,
}

impl Program {
    /// What its file says; `None` if it is another program.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        memmem::find(bytes, OF_PROGRAM)?;
        let version = memmem::find_iter(bytes, b"Limine ").find_map(|at| {
            let rest = bytes.get(at + b"Limine ".len()..)?;
            let text = crate::bytes::printable(rest.get(..16)?);
            let digits = |number: &str| {
                let rest = number.trim_start_matches(|it: char| it.is_ascii_digit());
                number.strip_suffix(rest)?.parse().ok()
            };
            let mut numbers = text.splitn(3, '.').map(digits);
            Some((numbers.next()??, numbers.next()??))
        })?;
        let configurations = Paths::of(bytes, &[CONF, CFG]);
        (!configurations.is_empty()).then(|| Self {
            version,
            configurations,
            beside_itself: memmem::find(bytes, b"\0limine.conf\0").is_some(),
            asks_machine: memmem::find(bytes, b"limine:config:").is_some(),
        })
    }

    /// Whether the order in which it looks is known. 10.3 changed it.
    pub(crate) fn has_known_order(&self) -> bool {
        self.version < (10, 3)
    }
}

/// Where a program looks for files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Paths {
    /// The absolute paths in it, in the order of [`FOLDERS`].
    pub(crate) written: Vec<String>,
    /// The ends of these that begin with a slash and are not among them: a linker may store one text as the end of another.
    pub(crate) ends: Vec<String>,
}

impl Paths {
    /// Those that end with one of these names, of the first name first.
    fn of(program: &[u8], names: &[&str]) -> Self {
        let mut paths = Self::default();
        for name in names {
            let end_of_path = format!("/{name}\0");
            for at in memmem::find_iter(program, end_of_path.as_bytes()).take(PATHS) {
                let end = at + end_of_path.len() - 1;
                let text = program.get(end.saturating_sub(PATH_BYTES)..end);
                let text = text.unwrap_or_default();
                let before = text.iter().rposition(|byte| !matches!(byte, b'!'..=b'~'));
                let text = text.get(before.map_or(0, |at| at + 1)..);
                let text = crate::bytes::printable(text.unwrap_or_default());
                let ends = text.match_indices('/').filter_map(|(at, _)| text.get(at..));
                for end in ends {
                    let is_whole = end.len() == text.len();
                    let list = if is_whole {
                        &mut paths.written
                    } else {
                        &mut paths.ends
                    };
                    list.push(end.to_owned());
                }
            }
        }
        for list in [&mut paths.written, &mut paths.ends] {
            list.sort_by_key(|path| {
                let (folder, file) = path.rsplit_once('/').unwrap_or_default();
                let name = names.iter().position(|name| *name == file);
                let folder = FOLDERS.iter().position(|it| *it == folder);
                (name, folder.unwrap_or(FOLDERS.len()), path.clone())
            });
            list.dedup();
            list.truncate(PATHS);
        }
        let written = &paths.written;
        paths.ends.retain(|end| !written.contains(end));
        paths
    }

    /// Every path at which it may look.
    pub(crate) fn all(&self) -> impl Iterator<Item = &String> + Clone {
        self.written.iter().chain(&self.ends)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// Whether it looks for a file of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all()
            .any(|path| path.rsplit_once('/').is_some_and(|it| it.1 == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_that_end_with_a_name() {
        let found = |bytes: &[u8]| Paths::of(bytes, &[CONF, CFG]);
        let paths = found(b"\0/boot/limine.cfg\0/EFI/BOOT/limine.conf\0 /limine.conf\0");
        assert_eq!(
            paths.written,
            ["/limine.conf", "/EFI/BOOT/limine.conf", "/boot/limine.cfg"]
        );
        assert_eq!(paths.ends, ["/BOOT/limine.conf", "/limine.cfg"]);
        assert!(paths.has(CFG) && !paths.has("conf"));
        assert!(found(b"/limine.conf").is_empty());
        assert!(found(b"limine.conf\0").is_empty());
        assert_eq!(found(b"/limine.conf\0").written, ["/limine.conf"]);
    }

    #[test]
    fn a_program_says_its_version() {
        let of = |words: &[u8]| Program::of(words).map(|it| it.version);
        let whole = b"Limine boot\0Limine 10.4.0 (x86-64, UEFI)\0config: Malformed config file.\0/limine.conf\0";
        assert_eq!(of(whole), Some((10, 4)));
        assert_eq!(of(&whole[..whole.len() - 1]), None);
        assert_eq!(of(b"Limine 8.2.0 (x86-64, UEFI)\0/limine.conf\0"), None);
        assert_eq!(
            of(b"config: Malformed config file\0/limine.conf\0Limine 8."),
            None
        );
        assert_eq!(of(b""), None);
        let old = b"Limine 4.20231024.eol (x)\0config: Malformed config file\0/limine.cfg\0";
        assert_eq!(of(old), Some((4, 20_231_024)));
    }

    #[test]
    fn what_is_no_boot_image_of_limine_is_none() {
        assert_eq!(SecondStage::of_boot_image(b""), None);
        assert_eq!(SecondStage::of_boot_image(BOOT_SECTOR), None);
        let noise = [BOOT_SECTOR, GZIP, &[7; 64], GZIP].concat();
        assert_eq!(SecondStage::of_boot_image(&noise), None);
    }
}
