use std::io::Write;

use fatfs::{
    Date, DateTime, FileSystem, FormatVolumeOptions, FsOptions, TimeProvider, format_volume,
};

use super::ImageError;
use crate::{
    boot::FatType,
    sparse::SparseBytes,
    units::{ByteCount, VirtualSectorCount},
};

/// How a FAT volume in a boot image is to be.
pub(super) struct FatVolume<'a> {
    /// Where it starts in the image.
    pub(super) start: VirtualSectorCount,
    /// Its length.
    pub(super) length: VirtualSectorCount,
    /// Its FAT type; by size if absent.
    pub(super) fat: Option<FatType>,
    /// What a floppy's format fixes.
    pub(super) floppy: Option<FloppyFormat>,
    /// Sectors per track and heads, for the BPB.
    pub(super) track: (u16, u16),
    /// Paths such as `/EFI/BOOT/BOOTX64.EFI`, with their contents; the first file's content begins at the first free cluster
    /// behind the directories.
    pub(super) files: &'a [(&'a str, &'a [u8])],
}

/// The BPB fields that a floppy's size fixes (Microsoft FAT specification §3.1; the formats of PC DOS).
pub(super) struct FloppyFormat {
    pub(super) media: u8,
    pub(super) sectors_per_cluster: u8,
    pub(super) root_entries: u16,
}

/// What stands where in the volume, counted from the start of the image.
pub(super) struct FatLayout {
    /// The first sector of the data area.
    pub(super) data: VirtualSectorCount,
    /// The first sector that no structure or file occupies.
    pub(super) free: VirtualSectorCount,
    /// Which FAT type it became.
    pub(super) fat: FatType,
}

/// The same time on every day.
#[derive(Debug)]
struct FixedTime;

const NOON: DateTime = DateTime {
    date: Date {
        year: 2000,
        month: 1,
        day: 1,
    },
    time: fatfs::Time {
        hour: 12,
        min: 0,
        sec: 0,
        millis: 0,
    },
};

impl TimeProvider for FixedTime {
    fn get_current_date(&self) -> Date {
        NOON.date
    }

    fn get_current_date_time(&self) -> DateTime {
        NOON
    }
}

/// A FAT file system over a whole image, with these files in it: paths such as `/EFI/BOOT/BOOTX64.EFI`, and contents. A
/// directory holds as many as fit into one cluster.
///
/// # Errors
/// The length holds no FAT, or the files do not fit.
pub fn fat_image(
    length: VirtualSectorCount,
    files: &[(&str, &[u8])],
) -> Result<SparseBytes, ImageError> {
    let mut image = SparseBytes::zeroed(length.bytes().get());
    FatVolume {
        start: VirtualSectorCount::ZERO,
        length,
        fat: None,
        floppy: None,
        track: (32, 64),
        files,
    }
    .write(&mut image)?;
    Ok(image)
}

impl FatVolume<'_> {
    /// Formats the volume and writes its files.
    pub(super) fn write(&self, image: &mut SparseBytes) -> Result<FatLayout, ImageError> {
        let (start, end) = (
            self.start.bytes().get(),
            self.start.plus(self.length).bytes().get(),
        );
        let (fat, used) = self
            .fill(image, start, end)
            .map_err(|error| ImageError::FileSystem {
                fat: self.fat,
                length: self.length.bytes(),
                why: error.to_string(),
            })?;
        if let Some(wanted) = self.fat
            && wanted != fat
        {
            return Err(ImageError::FileSystem {
                fat: self.fat,
                length: self.length.bytes(),
                why: format!("with so many clusters it is FAT{fat}"),
            });
        }
        // The library has no option for it: a volume in a partition counts the sectors before it (BPB 1Ch).
        if let Some(hidden) = self.start.to_u32() {
            image.write_at(start + 0x1C, &hidden.to_le_bytes());
        }
        let bpb: [u8; 0x28] = image.array_at(start);
        let data = self.start.plus(data_start(&bpb));
        // A FAT32 root directory stands among the clusters too.
        let directories = self.directories().len() as u64 + u64::from(fat == FatType::Fat32);
        let cluster = u64::from(bpb[0x0D]) * 512;
        for directory in 0..directories {
            mend_directory(
                image,
                data.bytes().get() + directory * cluster,
                cluster,
                fat,
            );
        }
        Ok(FatLayout {
            data,
            free: data.plus(used),
            fat,
        })
    }

    /// The directories that the files' paths make, each after those that it lies in.
    fn directories(&self) -> Vec<&str> {
        let mut directories = Vec::new();
        for (path, _) in self.files {
            let path = path.trim_start_matches('/');
            for (end, _) in path.match_indices('/') {
                let directory = &path[..end];
                if !directories.contains(&directory) {
                    directories.push(directory);
                }
            }
        }
        directories
    }

    fn fill(
        &self,
        image: &mut SparseBytes,
        start: u64,
        end: u64,
    ) -> std::io::Result<(FatType, VirtualSectorCount)> {
        let total = self
            .length
            .to_u32()
            .ok_or_else(|| std::io::Error::other("more than 2^32 sectors"))?;
        let mut options = FormatVolumeOptions::new()
            .total_sectors(total)
            .volume_id(0x0912_6660)
            .volume_label(*b"BOOTMATRIX ")
            .sectors_per_track(self.track.0)
            .heads(self.track.1);
        if let Some(fat) = self.fat {
            options = options.fat_type(match fat {
                FatType::Fat12 => fatfs::FatType::Fat12,
                FatType::Fat16 => fatfs::FatType::Fat16,
                FatType::Fat32 => fatfs::FatType::Fat32,
            });
        }
        if let Some(sectors) = self.fat.and_then(|fat| cluster_sectors(fat, total)) {
            options = options.bytes_per_cluster(sectors * 512);
        }
        if let Some(floppy) = &self.floppy {
            options = options
                .media(floppy.media)
                .bytes_per_cluster(u32::from(floppy.sectors_per_cluster) * 512)
                .max_root_dir_entries(floppy.root_entries)
                .drive_num(0);
        }
        format_volume(image.cursor_over(start, end), options)?;
        let volume = FileSystem::new(
            image.cursor_over(start, end),
            FsOptions::new().time_provider(&FixedTime),
        )?;
        // Directories first, so that they all stand before the files, each in a cluster of its own.
        for directory in self.directories() {
            volume.root_dir().create_dir(directory)?;
        }
        for (path, content) in self.files {
            let path = path.trim_start_matches('/');
            volume.root_dir().create_file(path)?.write_all(content)?;
        }
        let stats = volume.stats()?;
        let fat = match volume.fat_type() {
            fatfs::FatType::Fat12 => FatType::Fat12,
            fatfs::FatType::Fat16 => FatType::Fat16,
            fatfs::FatType::Fat32 => FatType::Fat32,
        };
        volume.unmount()?;
        // The library allocates the lowest free cluster, so what is used stands at the front.
        let clusters = u64::from(stats.total_clusters() - stats.free_clusters());
        let used = ByteCount::new(clusters * u64::from(stats.cluster_size()));
        Ok((fat, used.virtual_sectors_rounded_up()))
    }
}

/// The sectors of a cluster that make a volume of so many sectors the FAT type that was asked for: the number of
/// clusters decides it (Microsoft FAT specification §3.5). `None` leaves it to the library.
fn cluster_sectors(fat: FatType, total: u32) -> Option<u32> {
    const SIZES: [u32; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
    match fat {
        FatType::Fat12 => SIZES.into_iter().find(|size| total / size < 4_085),
        FatType::Fat16 => SIZES.into_iter().find(|size| total / size < 65_525),
        // The FATs themselves take about a hundredth of a small volume.
        FatType::Fat32 if total / 8 > 66_600 => None,
        FatType::Fat32 => [4, 2]
            .into_iter()
            .find(|size| total / size > 66_600)
            .or(Some(1)),
    }
}

/// Mends what the library writes otherwise than the Microsoft FAT specification §6.5 says, in a directory of one
/// cluster. It writes long names even for `.` and `..`, which then do not stand first and second: all long names go that
/// say no more than the short ones. And on FAT32 a `..` that leads to the root must name cluster 0, not the root's.
fn mend_directory(image: &mut SparseBytes, start: u64, cluster: u64, fat: FatType) {
    const PARENT: &[u8] = b"..         ";
    const FAT32_ROOT: [u8; 2] = [2, 0];
    let entries: Vec<[u8; ENTRY as usize]> = (start..start + cluster)
        .step_by(ENTRY as usize)
        .map(|at| image.array_at(at))
        .collect();
    let mut kept = Vec::with_capacity(entries.len());
    // The parts of a long name stand before the short one, the last part first.
    let mut long = Vec::new();
    for entry in &entries {
        if entry[ATTRIBUTES] == LONG_NAME {
            long.push(*entry);
            continue;
        }
        if long_name(&long) != short_name(entry) {
            kept.append(&mut long);
        }
        long.clear();
        kept.push(*entry);
    }
    for entry in &mut kept {
        if fat == FatType::Fat32 && entry[..11] == *PARENT && entry[26..28] == FAT32_ROOT {
            entry[26..28].fill(0);
        }
    }
    kept.resize(entries.len(), [0; ENTRY as usize]);
    image.write_at(start, &kept.concat());
}

const ENTRY: u64 = 32;
const ATTRIBUTES: usize = 11;
const LONG_NAME: u8 = 0x0F;

/// The name that the parts of a long name make, the last part first.
fn long_name(parts: &[[u8; ENTRY as usize]]) -> String {
    let characters = parts.iter().rev().flat_map(|part| {
        [&part[1..11], &part[14..26], &part[28..32]]
            .concat()
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect::<Vec<_>>()
    });
    // Zero ends it, where it does not fill its last part.
    let characters: Vec<u16> = characters.take_while(|&character| character != 0).collect();
    String::from_utf16_lossy(&characters)
}

/// The name of a directory entry, with its dot.
fn short_name(entry: &[u8; ENTRY as usize]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    let (name, extension) = (text(&entry[..8]), text(&entry[8..11]));
    match &*extension {
        "" => name,
        _ => format!("{name}.{extension}"),
    }
}

/// The first sector of the data area, from the start of the volume (Microsoft FAT specification §3.5).
fn data_start(bpb: &[u8; 0x28]) -> VirtualSectorCount {
    let word = |at: usize| u64::from(u16::from_le_bytes([bpb[at], bpb[at + 1]]));
    let reserved = word(0x0E);
    let fats = u64::from(bpb[0x10]);
    let root = (word(0x11) * 32).div_ceil(512);
    let per_fat = match word(0x16) {
        0 => u64::from(u32::from_le_bytes([
            bpb[0x24], bpb[0x25], bpb[0x26], bpb[0x27],
        ])),
        sectors => sectors,
    };
    VirtualSectorCount::new(reserved + fats * per_fat + root)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(fat: FatType, sectors: u64) -> Result<FatType, ImageError> {
        let length = VirtualSectorCount::new(sectors);
        let volume = FatVolume {
            start: VirtualSectorCount::ZERO,
            length,
            fat: Some(fat),
            floppy: None,
            track: (32, 64),
            files: &[],
        };
        volume
            .write(&mut SparseBytes::zeroed(length.bytes().get()))
            .map(|layout| layout.fat)
    }

    #[test]
    fn a_fat_type_is_what_was_asked_for_or_refused() {
        // The least and the most clusters of each type (Microsoft FAT specification §3.5).
        for (fat, sectors) in [
            (FatType::Fat12, 100),
            (FatType::Fat12, 500_000),
            (FatType::Fat16, 4_300),
            (FatType::Fat16, 8_000_000),
            (FatType::Fat32, 70_000),
            (FatType::Fat32, 540_000),
            (FatType::Fat32, 90_000_000),
        ] {
            assert_eq!(format(fat, sectors).unwrap(), fat, "{fat} in {sectors}");
        }
        for (fat, sectors) in [
            (FatType::Fat12, 900_000),
            (FatType::Fat16, 4_000),
            (FatType::Fat16, 9_000_000),
            (FatType::Fat32, 65_000),
        ] {
            assert!(format(fat, sectors).is_err(), "{fat} in {sectors}");
        }
    }

    /// The names in a directory of one cluster, and the first cluster of each.
    fn names(image: &SparseBytes, start: u64, cluster: u64) -> Vec<(String, u16)> {
        let entries = (start..start + cluster).step_by(32);
        let entries = entries.map(|at| image.array_at::<32>(at));
        entries
            .take_while(|entry| entry[0] != 0)
            .map(|entry| {
                let name = String::from_utf8_lossy(&entry[..11]).into_owned();
                (name, u16::from_le_bytes([entry[26], entry[27]]))
            })
            .collect()
    }

    #[test]
    fn directories_begin_with_themselves_and_have_no_long_names() {
        for (fat, sectors) in [
            (FatType::Fat12, 2_880),
            (FatType::Fat16, 20_000),
            (FatType::Fat32, 70_000),
        ] {
            let start = VirtualSectorCount::new(63);
            let length = VirtualSectorCount::new(sectors);
            let mut image = SparseBytes::zeroed(start.plus(length).bytes().get());
            let volume = FatVolume {
                start,
                length,
                fat: Some(fat),
                floppy: None,
                track: (32, 64),
                files: &[("/EFI/BOOT/BOOTX64.EFI", b"a loader")],
            };
            let layout = volume.write(&mut image).unwrap();
            let cluster = u64::from(image.array_at::<1>(start.bytes().get() + 0x0D)[0]) * 512;
            let directory = |index: u64| {
                let at = layout.data.bytes().get() + index * cluster;
                names(&image, at, cluster)
            };
            let list = |names: [(&str, u16); 3]| names.map(|(name, at)| (name.to_owned(), at));
            // On FAT32 the root directory is the first cluster; `..` names it by 0 all the same (§6.5).
            let first = u16::from(fat == FatType::Fat32);
            let (efi, boot) = (2 + first, 3 + first);
            assert_eq!(
                directory(first.into()),
                list([
                    (".          ", efi),
                    ("..         ", 0),
                    ("BOOT       ", boot)
                ]),
                "{fat}"
            );
            assert_eq!(
                directory(u64::from(first) + 1),
                list([
                    (".          ", boot),
                    ("..         ", efi),
                    ("BOOTX64 EFI", boot + 1)
                ]),
                "{fat}"
            );
            if fat == FatType::Fat32 {
                let root = directory(0);
                let names: Vec<&str> = root.iter().map(|(name, _)| &**name).collect();
                assert_eq!(names, ["BOOTMATRIX ", "EFI        "]);
            }
            let loader = layout.data.bytes().get() + (u64::from(first) + 2) * cluster;
            assert_eq!(&image.array_at(loader), b"a loader", "{fat}");
            assert!(layout.free.bytes().get() > loader, "{fat}");
        }
    }

    #[test]
    fn a_name_that_is_not_short_keeps_its_long_one() {
        let length = VirtualSectorCount::new(5_760);
        let mut image = SparseBytes::zeroed(length.bytes().get());
        let volume = FatVolume {
            start: VirtualSectorCount::ZERO,
            length,
            fat: None,
            floppy: None,
            track: (32, 64),
            files: &[
                ("/EFI/BOOT/BOOTX64.EFI", b"a loader"),
                ("/loader/entries/system.conf", b"an entry"),
                ("/EFI/Linux/system.efi", b"a kernel"),
            ],
        };
        volume.write(&mut image).unwrap();
        let bytes = image.slice(0, image.len());
        let mut file = tempfile::tempfile().unwrap();
        bytes.write_to(&file).unwrap();
        let read = FileSystem::new(&mut file, FsOptions::new()).unwrap();
        let names = |path: &str| -> Vec<String> {
            let directory = read.root_dir().open_dir(path).unwrap();
            directory
                .iter()
                .map(|entry| entry.unwrap().file_name())
                .collect()
        };
        assert_eq!(names("EFI"), [".", "..", "BOOT", "Linux"]);
        assert_eq!(names("loader"), [".", "..", "entries"]);
        assert_eq!(names("loader/entries"), [".", "..", "system.conf"]);
        assert_eq!(names("EFI/Linux"), [".", "..", "system.efi"]);
    }
}
