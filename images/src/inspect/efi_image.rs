//! The images of entries for UEFI: their file systems, and the programs in them.

use super::{
    Window,
    file::DiscBytes,
    reading::{BootReading, EntryReading, PartitionsReading},
};
use crate::{
    efi_program::{EfiProgram, HEADERS, Machine},
    fat::{FatFile, FatVolume},
    grub_core::GrubCore,
    units::{ByteCount, Lba, VirtualSector},
};

/// Programs that are looked at in an image.
const PROGRAMS: usize = 64;
/// Directories of an image in which programs are looked for.
const DIRECTORIES: usize = 64;
/// How deep these are.
const DEPTH: usize = 4;
/// Bytes of a program's file of which the places are known.
const PROGRAM_BYTES: u64 = 64 << 20;
/// Bytes of a section of GRUB's that are searched.
const MODULE_BYTES: usize = 16 << 20;
/// SYSLINUX's program for UEFI is shorter.
const SYSLINUX_BYTES: u64 = 512 << 10;
/// Bytes of a section of text that are read.
const TEXT_BYTES: usize = 4_096;

/// The image of an entry for UEFI.
#[derive(Debug)]
pub(crate) struct EfiImage<'r> {
    pub(crate) entry: &'r EntryReading,
    pub(crate) boot: &'r BootReading,
    /// Its file system, where it is a FAT.
    pub(crate) fat: Option<FatVolume>,
    /// How many bytes it has: its file's, its partition's, or those to the end of the disc.
    pub(crate) length: ByteCount,
    /// Whether that length is known, and not only where the disc ends.
    pub(crate) length_is_known: bool,
    /// The programs in it, those in `\EFI\BOOT` first.
    pub(crate) programs: Vec<Program>,
}

/// A file in an image that is called as a program.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The directory, as in `\EFI\BOOT`.
    pub(crate) folder: String,
    pub(crate) name: String,
    pub(crate) file: DiscBytes,
    /// What its headers say; `None` where it is no program.
    pub(crate) headers: Option<EfiProgram>,
}

impl Program {
    pub(crate) fn path(&self) -> String {
        format!("{}\\{}", self.folder, self.name)
    }

    /// Whether it stands where firmware looks for loaders on removable media.
    pub(crate) fn is_in_boot_folder(&self) -> bool {
        self.folder.eq_ignore_ascii_case("\\EFI\\BOOT")
    }

    /// For which machine firmware looks for it there.
    pub(crate) fn looked_for(&self) -> Option<Machine> {
        Machine::of_loader(&self.name).filter(|_| self.is_in_boot_folder())
    }

    /// Whether firmware that looks for it can run it.
    pub(crate) fn works(&self) -> bool {
        self.looked_for().is_some() && self.wrong().is_none()
    }

    /// What is wrong with the program itself.
    pub(crate) fn wrong(&self) -> Option<String> {
        let length = self.file.length;
        if length == ByteCount::ZERO {
            return Some("is empty".to_owned());
        }
        if !self.file.is_whole() {
            return Some(format!(
                "has {length} by its directory, but its chain of clusters ends before that: the FAT is damaged"
            ));
        }
        let Some(headers) = &self.headers else {
            return Some("is not an EFI program (it has no PE headers)".to_owned());
        };
        if let Some(machine) = self.looked_for().filter(|it| !it.runs(headers.machine)) {
            let other = headers.machine.loader();
            let other = other.map_or_else(String::new, |name| {
                format!("; the name of a loader for that is {name}")
            });
            return Some(format!(
                "is a program for {}, and its name says {}{other}",
                headers.machine.name(),
                machine.name()
            ));
        }
        if !headers.is_efi {
            return Some("is a program, but not for EFI".to_owned());
        }
        if self.looked_for().is_some() && headers.is_driver {
            return Some("is an EFI driver, and firmware starts only applications".to_owned());
        }
        if headers.machine.is_64_bit() && !headers.is_pe32_plus {
            return Some(format!(
                "is damaged: its optional header is not that of a program for {}",
                headers.machine.name()
            ));
        }
        let needed = ByteCount::new(headers.length());
        (needed > length).then(|| {
            format!(
                "is cut: its sections end at byte {}, and its file has {length}",
                needed.get()
            )
        })
    }

    /// A section's bytes, up to a bound.
    fn section(&self, disc: &mut Window<'_>, name: &str, most: usize) -> Option<Vec<u8>> {
        let section = self.headers.as_ref()?.section(name)?;
        let size = usize::try_from(section.length).unwrap_or(usize::MAX);
        Some(self.file.bytes(disc, section.offset, size.min(most)))
    }

    /// Whether it is shim, by what its SBAT section calls it.
    pub(crate) fn is_shim(&self, disc: &mut Window<'_>) -> bool {
        let sbat = self.section(disc, ".sbat", TEXT_BYTES).unwrap_or_default();
        sbat.split(|&byte| byte == b'\n')
            .any(|line| line.starts_with(b"shim,"))
    }

    /// Whether it is SYSLINUX for UEFI, by the words with which it names itself and its next stage.
    pub(crate) fn is_syslinux(&self, disc: &mut Window<'_>) -> bool {
        if self.file.length.get() > SYSLINUX_BYTES {
            return false;
        }
        let bytes = self.file.bytes(disc, 0, SYSLINUX_BYTES as usize);
        let has = |words: &[u8]| memchr::memmem::find(&bytes, words).is_some();
        has(b"(EFI; ") && has(b"ldlinux.e")
    }

    /// Whether it is systemd-boot, by the section in which it names itself.
    pub(crate) fn is_systemd_boot(&self, disc: &mut Window<'_>) -> bool {
        let name = self
            .section(disc, ".sdmagic", TEXT_BYTES)
            .unwrap_or_default();
        name.starts_with(b"#### LoaderInfo: systemd-boot")
    }

    /// The command line that a unified kernel image brings along, where it is one (UAPI.5).
    pub(crate) fn kernel_command_line(&self, disc: &mut Window<'_>) -> Option<String> {
        self.headers.as_ref()?.section(".linux")?;
        let bytes = self.section(disc, ".cmdline", TEXT_BYTES)?;
        let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        Some(String::from_utf8_lossy(text).into_owned())
    }

    /// What GRUB's core image brings along, where it is one.
    pub(crate) fn grub(&self, disc: &mut Window<'_>) -> Option<GrubCore> {
        GrubCore::decode(&self.section(disc, "mods", MODULE_BYTES)?)
    }

    /// The file beside it that shim starts, by the name that stands in it.
    pub(crate) fn second_stage_of_shim(&self, disc: &mut Window<'_>) -> Option<String> {
        let data = self.section(disc, ".data", 1 << 20)?;
        // UTF-16; a path begins with one backslash, or with two.
        let name: Vec<u8> = "grub".bytes().flat_map(|byte| [byte, 0]).collect();
        let starts = memchr::memmem::find_iter(&data, &name);
        let names = starts.filter_map(|at| {
            let is_path = data.get(at.checked_sub(2)?..at)? == [b'\\', 0];
            let units = data.get(at..)?.as_chunks::<2>().0.iter();
            let units = units.map(|&pair| u16::from_le_bytes(pair));
            let name: Vec<u16> = units.take_while(|&unit| unit != 0).take(64).collect();
            let name = String::from_utf16(&name).ok()?;
            (is_path && name.ends_with(".efi")).then_some(name)
        });
        names.into_iter().next()
    }
}

impl<'r> EfiImage<'r> {
    pub(super) fn read(
        disc: &mut Window<'_>,
        (entry, boot): (&'r EntryReading, &'r BootReading),
        partitions: &PartitionsReading,
    ) -> Self {
        let start = boot.load_rba.byte_offset();
        let fat = boot.extent_blocks.and_then(|_| FatVolume::at(disc, start));
        let known = boot
            .file_bytes
            .or_else(|| partition_at(partitions, boot.load_rba));
        let to_end = ByteCount::new(disc.length().get().saturating_sub(start));
        Self {
            entry,
            boot,
            fat,
            length: known.unwrap_or(to_end),
            length_is_known: known.is_some(),
            programs: fat.map_or_else(Vec::new, |fat| programs(disc, fat)),
        }
    }

    /// Whether some firmware starts a loader in it.
    pub(crate) fn works(&self) -> bool {
        let fat = self
            .fat
            .is_some_and(|fat| fat.parameters.wrong_width().is_none());
        fat && self.programs.iter().any(Program::works)
    }

    /// The programs in `\EFI\BOOT`.
    pub(crate) fn in_boot_folder(&self) -> impl Iterator<Item = &Program> {
        self.programs.iter().filter(|it| it.is_in_boot_folder())
    }
}

/// The length of the partition that starts at a block.
fn partition_at(partitions: &PartitionsReading, lba: Lba) -> Option<ByteCount> {
    let start = VirtualSector::new(lba.get().saturating_mul(4));
    let gpt = partitions.gpt.iter().flatten();
    let gpt = gpt.filter(|it| it.first == start).map(|it| {
        let sectors = it
            .last
            .get()
            .saturating_sub(it.first.get())
            .saturating_add(1);
        ByteCount::new(sectors.saturating_mul(512))
    });
    let mbr = partitions.mbr.iter().filter(|it| it.first == start);
    gpt.chain(mbr.map(|it| it.sectors.bytes())).max()
}

/// The programs of a file system: those of `\EFI\BOOT` first, then others.
pub(crate) fn programs(disc: &mut Window<'_>, fat: FatVolume) -> Vec<Program> {
    let mut programs = Vec::new();
    let mut folders = vec![(String::new(), None, 0)];
    let mut next = 0;
    while let Some((folder, cluster, depth)) = folders.get(next).cloned() {
        next += 1;
        for file in fat.list(disc, cluster) {
            if file.directory {
                if folders.len() < DIRECTORIES && depth < DEPTH {
                    let path = format!("{folder}\\{}", file.name);
                    folders.push((path, Some(file.cluster), depth + 1));
                }
            } else if file.name.to_ascii_lowercase().ends_with(".efi") && programs.len() < PROGRAMS
            {
                programs.push(program(disc, fat, &folder, file));
            }
        }
    }
    programs.sort_by_key(|program: &Program| !program.is_in_boot_folder());
    programs
}

fn program(disc: &mut Window<'_>, fat: FatVolume, folder: &str, file: FatFile) -> Program {
    let most = ByteCount::new(file.length.get().min(PROGRAM_BYTES));
    let runs = fat.file_runs(disc, file.cluster, most);
    let bytes = DiscBytes::new(runs, file.length);
    let headers = EfiProgram::decode(&bytes.bytes(disc, 0, HEADERS));
    Program {
        folder: folder.to_owned(),
        name: file.name,
        file: bytes,
        headers,
    }
}
