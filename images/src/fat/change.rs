//! Changes in place: what to write so that a file has another name, or the file system fewer sectors.

use std::ops::ControlFlow;

use super::{
    BiosParameterBlock, FatVolume,
    directory::{Entry, Extent, REMOVED},
};
use crate::{
    boot::FatType,
    bytes::{le16, padded},
    change::Writes,
    inspect::Window,
    units::ByteCount,
};

impl FatVolume {
    /// Gives a file in a folder (`\EFI\BOOT`) another name. `None` where there is no such file, where the name is taken, or
    /// where it has more than eight and three characters: those need entries that may not be there.
    ///
    /// Its long name goes: the short one is its name then.
    pub(crate) fn renamed(
        self,
        disc: &mut Window<'_>,
        folder: &str,
        from: &str,
        to: &str,
    ) -> Option<Writes> {
        let short = short_name(to)?;
        let mut directory = self.root();
        for name in folder.split('\\').filter(|name| !name.is_empty()) {
            let entries = self.entries(disc, directory);
            let is_it = |entry: &&Entry| entry.directory && entry.is_called(name);
            directory = Extent::Chain(entries.iter().find(is_it)?.cluster);
        }
        let entries = self.entries(disc, directory);
        if entries.iter().any(|entry| entry.is_called(to)) {
            return None;
        }
        let is_it = |entry: &&Entry| !entry.directory && entry.is_called(from);
        let entry = entries.iter().find(is_it)?;
        let parts = entry.parts.iter().map(|&part| (part, vec![REMOVED]));
        Some(parts.chain([(entry.offset, short.to_vec())]).collect())
    }

    /// Cuts the file system to the sectors that these bytes hold. `None` where something in it stands behind them, or
    /// where so few clusters ask for another width of its table.
    pub(crate) fn shortened(self, disc: &mut Window<'_>, length: ByteCount) -> Option<Writes> {
        let sector: [u8; 512] = disc.array(self.start)?;
        let total = length.get().checked_div(self.parameters.sector.get())?;
        let (at, field) = match le16(&sector, 0x13) {
            0 => (0x20, u32::try_from(total).ok()?.to_le_bytes().to_vec()),
            _ => (0x13, u16::try_from(total).ok()?.to_le_bytes().to_vec()),
        };
        let mut shorter = sector;
        shorter
            .get_mut(at..at + field.len())?
            .copy_from_slice(&field);
        let parameters = BiosParameterBlock::decode(&shorter)?;
        let is_same = parameters.fat == self.parameters.fat && parameters.wrong_width().is_none();
        if !is_same || !self.stands_before(disc, parameters.end()?) {
            return None;
        }
        let mut writes = vec![(self.start + at as u64, field.clone())];
        if parameters.fat == FatType::Fat32 {
            // Microsoft's specification, §3.3 and §5: BPB_FSInfo, BPB_BkBootSec; how many clusters are free is not known then.
            let sector_at = |number: u16| {
                let bytes = u64::from(number).checked_mul(parameters.sector.get());
                bytes.and_then(|bytes| self.start.checked_add(bytes))
            };
            let information = sector_at(le16(&sector, 0x30))?;
            if disc.array(information.checked_add(484)?) == Some(*b"rrAa") {
                writes.push((information + 488, vec![0xFF; 8]));
            }
            let backup = sector_at(le16(&sector, 0x32))?;
            if backup != self.start && disc.array(backup) == Some(sector) {
                writes.push((backup + at as u64, field));
            }
        }
        Some(writes)
    }

    /// Whether everything in the file system stands before a byte of it.
    fn stands_before(self, disc: &mut Window<'_>, end: u64) -> bool {
        let end = self.start.saturating_add(end);
        self.walk(disc, &mut |_, runs| {
            let is_before = |run: &(u64, ByteCount)| run.0.saturating_add(run.1.get()) <= end;
            if runs.iter().all(is_before) {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })
    }
}

/// A name of eight and three characters as a directory has it.
fn short_name(name: &str) -> Option<[u8; 11]> {
    let (base, extension) = name.split_once('.')?;
    let fits = (1..=8).contains(&base.len()) && extension.len() <= 3;
    let mut short = padded(base, b' ');
    short[8..].copy_from_slice(&padded::<3>(extension, b' '));
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (fits && is_plain(base) && is_plain(extension)).then_some(short)
}

#[cfg(test)]
mod tests {
    use std::{io::Write, process::Command};

    use super::*;
    use crate::{
        boot_image::{Identity, efi_system_partition},
        probe::DiscHash,
        sparse::SparseBytes,
        units::VirtualSectorCount,
    };

    fn partition(fat: FatType, sectors: u64) -> SparseBytes {
        let identity = Identity {
            disc: DiscHash::of_id("fat/-/-/-/-"),
            slot: 1,
        };
        let length = VirtualSectorCount::new(sectors);
        let image = efi_system_partition(identity, length, Some(fat));
        image.unwrap().bytes
    }

    fn volume(bytes: &SparseBytes) -> FatVolume {
        FatVolume::at(&mut Window::new(bytes), 0).unwrap()
    }

    fn write(bytes: &mut SparseBytes, writes: Writes) {
        for (offset, piece) in writes {
            bytes.write_at(offset, &piece);
        }
    }

    /// fsck.fat, which not every host has, finds nothing to complain of.
    fn is_sound(bytes: &SparseBytes) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut content = vec![0; usize::try_from(bytes.len()).unwrap()];
        bytes.read_at(0, &mut content);
        file.write_all(&content).unwrap();
        // Debian keeps disk tools where not every user looks.
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
        let mut command = Command::new("env");
        command.arg(format!("PATH={path}")).args(["fsck.fat", "-n"]);
        let output = command.arg(file.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let is_there = output.status.code() != Some(127);
        let is_sound = output.status.success() && !said.contains("differences");
        assert!(!is_there || is_sound, "{said}");
    }

    fn names(mut bytes: SparseBytes) -> Vec<String> {
        let library = fatfs::FileSystem::new(bytes.cursor(), fatfs::FsOptions::new()).unwrap();
        let folder = library.root_dir().open_dir("EFI/BOOT").unwrap();
        let names = folder.iter().map(|entry| entry.unwrap().file_name());
        names.filter(|name| !name.starts_with('.')).collect()
    }

    #[test]
    fn a_file_with_another_name_is_the_same_file() {
        let renamed = |name: &str, to: &str| {
            let mut bytes = partition(FatType::Fat12, 2_880);
            {
                let options = fatfs::FsOptions::new();
                let library = fatfs::FileSystem::new(bytes.cursor(), options).unwrap();
                let folder = library.root_dir().open_dir("EFI/BOOT").unwrap();
                folder.rename("BOOTX64.EFI", &folder, name).unwrap();
                folder.create_file("TAKEN.EFI").unwrap();
            }
            let mut disc = Window::new(&bytes);
            let writes = volume(&bytes).renamed(&mut disc, "\\efi\\BOOT", name, to)?;
            write(&mut bytes, writes);
            is_sound(&bytes);
            let loaders = volume(&bytes).removable_media_loaders(&mut Window::new(&bytes));
            assert_eq!(loaders, [to], "of its long name nothing is left");
            Some(names(bytes))
        };
        let expected = Some(vec!["BOOTIA32.EFI".to_owned(), "TAKEN.EFI".to_owned()]);
        assert_eq!(renamed("BOOTX32.EFI", "BOOTIA32.EFI"), expected);
        assert_eq!(
            renamed("a loader of many letters.efi", "BOOTIA32.EFI"),
            expected
        );
        assert_eq!(renamed("BOOTX32.EFI", "BOOTRISCV64.EFI"), None);
        assert_eq!(renamed("BOOTX32.EFI", "TAKEN.EFI"), None);
    }

    #[test]
    fn a_file_system_is_cut_behind_what_is_in_it() {
        for (fat, sectors, shorter) in [
            (FatType::Fat12, 2_880, 1_440),
            (FatType::Fat16, 65_000, 40_000),
            (FatType::Fat32, 90_000, 70_000),
        ] {
            let mut bytes = partition(fat, sectors);
            let length = VirtualSectorCount::new(shorter).bytes();
            let mut disc = Window::new(&bytes);
            let writes = volume(&bytes).shortened(&mut disc, length).unwrap();
            write(&mut bytes, writes);
            bytes.set_len(length.get());
            let cut = volume(&bytes);
            assert_eq!(
                (cut.parameters.fat, cut.parameters.length().get()),
                (fat, shorter)
            );
            is_sound(&bytes);
        }
    }

    #[test]
    fn a_file_system_is_not_cut_through_a_file_or_to_another_width() {
        let length = |sectors| VirtualSectorCount::new(sectors).bytes();
        let mut bytes = partition(FatType::Fat12, 2_880);
        {
            let library = fatfs::FileSystem::new(bytes.cursor(), fatfs::FsOptions::new()).unwrap();
            let mut file = library.root_dir().create_file("large.img").unwrap();
            file.write_all(&vec![7; 1_000_000]).unwrap();
        }
        let shortened = |bytes: &SparseBytes, sectors| {
            volume(bytes).shortened(&mut Window::new(bytes), length(sectors))
        };
        assert_eq!(shortened(&bytes, 1_440), None);
        assert!(shortened(&bytes, 2_400).is_some());
        // FAT16 has 4,085 clusters and more, FAT32 65,525.
        assert_eq!(shortened(&partition(FatType::Fat16, 32_768), 4_000), None);
        assert_eq!(shortened(&partition(FatType::Fat32, 81_920), 60_000), None);
        assert_eq!(shortened(&bytes, 10), None);
    }
}
