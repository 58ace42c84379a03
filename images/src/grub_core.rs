//! GRUB's core image (`include/grub/kernel.h`): the modules that a build of GRUB brings along, its first configuration, and where it looks for the rest.
//!
//! `grub-mkimage` writes it into the section `mods` of an EFI program. For a BIOS it follows GRUB's kernel, and both are compressed with LZMA
//! (`util/mkimage.c`, `grub-core/boot/i386/pc/startup_raw.S`).

use std::io::Read as _;

use lzma_rust2::LzmaReader;

use crate::bytes::{le32, le64};

/// The contents of a core image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrubCore {
    /// The configuration that it runs first.
    pub configuration: Option<String>,
    /// Whether it has a file system in memory, whose configuration is not read here.
    pub has_memory_disk: bool,
    /// Where it looks for `grub.cfg` and modules.
    pub prefix: Option<String>,
    /// Whether it looks in its own folder first, as Fedora's builds do (`grub-core/normal/main.c` there reads the variable `fw_path`).
    pub looks_beside_itself: bool,
    /// Whether it has the module with which it reads a configuration and shows a menu. Otherwise it loads this module from the prefix.
    pub has_normal: bool,
    /// Whether it has the module with which it reads ISO 9660.
    pub has_iso9660: bool,
}

/// The configuration that GRUB reads after the one in its core image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The file at this path.
    File(String),
    /// `grub.cfg` at the prefix that was built in.
    AtPrefix,
    /// It depends on what is only known when GRUB runs.
    Unknown,
}

/// The most modules that are read.
const MODULES: usize = 1_024;
/// The most bytes of a core image after decompression. GRUB loads it to 1 MiB and runs it below 16 MiB (`include/grub/offsets.h`).
const CORE_BYTES: u32 = 16 << 20;
/// The length of `cdboot.img` and `diskboot.img`, which precede the rest of GRUB's image for El Torito.
const BOOT_BYTES: usize = 2_048 + 512;
/// Where the decompressor has the compressed and the uncompressed length (`include/grub/offsets.h`: `GRUB_DECOMPRESSOR_I386_PC_…`).
const COMPRESSED: usize = 8;
const UNCOMPRESSED: usize = 12;
/// The longest decompressor (`GRUB_DECOMPRESSOR_I386_PC_MAX_DECOMPRESSOR_SIZE`).
const DECOMPRESSOR_BYTES: usize = 9 * 1_024;
/// `lc`, `lp` and `pb` of the stream, which has no header (`util/mkimage.c`: `compress_kernel_lzma`).
const LZMA: (u32, u32, u32) = (3, 0, 2);

const MAGIC: &[u8] = b"mimg";
/// Bytes of the header before the modules, with words of 4 bytes and of 8.
const HEADER_32: usize = 12;
const HEADER_64: usize = 24;

impl GrubCore {
    /// The core image in the section `mods` of an EFI program for 64 bits; `None` if it does not begin like one.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(MAGIC) || bytes.len() < HEADER_64 {
            return None;
        }
        let at = usize::try_from(le64(bytes, 8)).ok()?;
        let end = usize::try_from(le64(bytes, 16)).ok()?;
        Self::of_modules(bytes, at, end)
    }

    /// The core image in a whole file of GRUB's for El Torito (`grub-mkimage -O i386-pc-eltorito`); `None` if it cannot be decompressed.
    #[must_use]
    pub fn of_boot_image(image: &[u8]) -> Option<Self> {
        let rest = image.get(BOOT_BYTES..)?;
        let compressed = usize::try_from(le32(rest.get(..16)?, COMPRESSED)).ok()?;
        let uncompressed = le32(rest.get(..16)?, UNCOMPRESSED);
        let decompressor = rest.len().checked_sub(compressed)?;
        if !(UNCOMPRESSED..=DECOMPRESSOR_BYTES).contains(&decompressor) || uncompressed > CORE_BYTES
        {
            return None;
        }
        let stream = rest.get(decompressor..)?;
        let (lc, lp, pb) = LZMA;
        let size = u64::from(uncompressed);
        let dictionary = uncompressed.next_power_of_two();
        let mut reader = LzmaReader::new(stream, size, lc, lp, pb, dictionary, None).ok()?;
        let mut core = Vec::new();
        reader.read_to_end(&mut core).ok()?;
        // GRUB's kernel, which comes first, compares with the same four bytes.
        memchr::memmem::find_iter(&core, MAGIC).find_map(|at| {
            let bytes = core.get(at..)?;
            let header = bytes.get(..HEADER_32)?;
            let first = usize::try_from(le32(header, 4)).ok()?;
            let end = usize::try_from(le32(header, 8)).ok()?;
            let is_header = first == HEADER_32 && (HEADER_32..=bytes.len()).contains(&end);
            is_header.then(|| Self::of_modules(bytes, first, end))?
        })
    }

    /// The modules between two places behind the header that `bytes` begins with.
    fn of_modules(bytes: &[u8], mut at: usize, end: usize) -> Option<Self> {
        const MEMORY_DISK: u32 = 1;
        const CONFIGURATION: u32 = 2;
        const PREFIX: u32 = 3;
        let end = end.min(bytes.len());
        // The name is in the module's own section `.modname`, and in those of modules that need it, which never come without it.
        let has = |module: &[u8]| memchr::memmem::find(bytes, module).is_some();
        let mut core = Self {
            looks_beside_itself: memchr::memmem::find(bytes, b"fw_path").is_some(),
            has_normal: has(b"\0normal\0"),
            has_iso9660: has(b"\0iso9660\0"),
            ..Self::default()
        };
        for _ in 0..MODULES {
            let Some(module) = bytes.get(at..end).filter(|rest| rest.len() >= 8) else {
                break;
            };
            let (kind, size) = (le32(module, 0), le32(module, 4));
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            let content = module.get(8..size.min(module.len())).unwrap_or_default();
            let text = || {
                let text = content.split(|&byte| byte == 0).next().unwrap_or_default();
                String::from_utf8_lossy(text).into_owned()
            };
            match kind {
                MEMORY_DISK => core.has_memory_disk = true,
                CONFIGURATION => core.configuration = Some(text()),
                PREFIX => core.prefix = Some(text()),
                _ => {}
            }
            if size < 8 {
                break;
            }
            at = at.checked_add(size)?;
        }
        Some(core)
    }

    /// The folder in which it looks for modules after its own configuration has run, if that is on the device that it was started from.
    #[must_use]
    pub fn folder(&self) -> Option<String> {
        let configuration = self.configuration.as_deref().unwrap_or_default();
        let set = configuration.lines().rev().find_map(|line| {
            let assignment = line.trim().strip_prefix("set ")?;
            Some(without_device(assignment.trim().strip_prefix("prefix=")?))
        });
        let folder = set.or_else(|| self.prefix_on_its_device())?;
        let folder = folder.trim_end_matches('/');
        (folder.starts_with('/') && !folder.contains('$')).then(|| folder.to_owned())
    }

    /// The prefix that was built in, if that is on the device that it was started from: another one begins with a device, such as `(hd0,1)`.
    #[must_use]
    pub fn prefix_on_its_device(&self) -> Option<String> {
        let prefix = self.prefix.as_deref()?;
        let prefix = prefix.strip_prefix("()").unwrap_or(prefix);
        let prefix = prefix.trim_end_matches('/');
        prefix.starts_with('/').then(|| prefix.to_owned())
    }

    /// Whether the prefix is on the drive that it was started from, and not on the partition: `()` is the drive alone (`grub-core/kern/main.c`).
    #[must_use]
    pub fn prefix_is_on_drive(&self) -> bool {
        let prefix = self.prefix.as_deref();
        prefix.is_some_and(|prefix| prefix.starts_with("()"))
    }

    /// The drive, or the partition, that was built in before the prefix, as `hd0,msdos1`.
    #[must_use]
    pub fn prefix_device(&self) -> Option<&str> {
        let (device, path) = self.prefix.as_deref()?.strip_prefix('(')?.split_once(')')?;
        (!device.is_empty() && path.starts_with('/')).then_some(device)
    }

    /// The configuration that it reads after its own one, such as `configfile ($root)/boot/grub/grub.cfg`.
    #[must_use]
    pub fn next(&self) -> Next {
        let mut prefix = None;
        let mut wanted = None;
        let mut is_preparation = true;
        for line in self.configuration.as_deref().unwrap_or_default().lines() {
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                // Conditional commands are not judged.
                (Some("menuentry" | "if" | "for" | "while" | "until"), _) => return Next::Unknown,
                (Some("set"), Some(assignment)) => {
                    if let Some(value) = assignment.strip_prefix("prefix=") {
                        prefix = Some(without_device(value));
                    }
                }
                (Some("configfile" | "source" | "normal"), Some(path)) => {
                    wanted.get_or_insert_with(|| {
                        let path = match (&prefix, path.strip_prefix("$prefix")) {
                            (Some(prefix), Some(rest)) => format!("{prefix}{rest}"),
                            _ => without_device(path),
                        };
                        path.trim_matches(['"', '\'']).to_owned()
                    });
                }
                (Some(command), _) => is_preparation &= prepares(command),
                (None, _) => {}
            }
        }
        // After its last line, GRUB continues with the configuration at the prefix.
        let at_prefix =
            || prefix.map(|prefix| format!("{}/grub.cfg", prefix.trim_end_matches('/')));
        match wanted.or_else(at_prefix) {
            Some(path) if path.starts_with('/') && !path.contains('$') => Next::File(path),
            None if is_preparation => Next::AtPrefix,
            _ => Next::Unknown,
        }
    }
}

/// Whether a command only prepares what follows: it starts nothing, and GRUB continues with the next line.
pub(crate) fn prepares(command: &str) -> bool {
    const COMMANDS: [&str; 9] = [
        "insmod", "set", "unset", "export", "search", "echo", "serial", "loadfont", "clear",
    ];
    command.starts_with('#')
        || command.starts_with("search.")
        || command.starts_with("terminal_")
        || COMMANDS.contains(&command)
}

fn without_device(path: &str) -> String {
    let path = path.trim_matches(['"', '\'']);
    match path.strip_prefix("($root)") {
        Some(rest) => rest.to_owned(),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_core_image_says_where_it_looks() {
        let mut bytes = b"mimg\0\0\0\0".to_vec();
        bytes.extend(24_u64.to_le_bytes());
        bytes.extend(100_u64.to_le_bytes());
        for (kind, text) in [(2_u32, &b"set timeout=1\n\0"[..]), (3, b"/a/b\0\0\0\0")] {
            bytes.extend(kind.to_le_bytes());
            bytes.extend(u32::try_from(text.len() + 8).unwrap().to_le_bytes());
            bytes.extend(text);
        }
        let core = GrubCore::decode(&bytes).unwrap();
        assert_eq!(core.prefix.as_deref(), Some("/a/b"));
        assert_eq!(core.configuration.as_deref(), Some("set timeout=1\n"));
        assert!(!core.has_memory_disk);
        assert_eq!(core.prefix_device(), None);
        assert_eq!(GrubCore::decode(&bytes[1..]), None);
        assert!(!core.looks_beside_itself);
        bytes.extend(b"fw_path\0");
        assert!(GrubCore::decode(&bytes).unwrap().looks_beside_itself);
    }

    #[test]
    fn after_its_own_configuration_it_reads_another() {
        let next = |prefix: &str, configuration: &str| {
            let core = GrubCore {
                prefix: Some(prefix.to_owned()),
                configuration: Some(configuration.to_owned()),
                ..GrubCore::default()
            };
            (core.next(), core.folder())
        };
        let file = |path: &str| Next::File(path.to_owned());
        let folder = |path: &str| Some(path.to_owned());
        let of_rescue_disc = "insmod part_gpt\n\n# a comment\nsearch --set=root --file /a\n";
        assert_eq!(
            next("()/boot/grub/", of_rescue_disc),
            (Next::AtPrefix, folder("/boot/grub"))
        );
        assert_eq!(
            next("(hd0)/x", "set prefix=($root)/a\nconfigfile $prefix/b"),
            (file("/a/b"), folder("/a"))
        );
        assert_eq!(
            next("/x", "set prefix=\"($root)/a/\""),
            (file("/a/grub.cfg"), folder("/a"))
        );
        assert_eq!(next("/x", "set prefix=$where"), (Next::Unknown, None));
        assert_eq!(next("(hd0,1)/x", "insmod a"), (Next::AtPrefix, None));
        for starts in ["linux /k\nboot", "if true; then", "sleep 100"] {
            assert_eq!(next("/x", starts), (Next::Unknown, folder("/x")));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..4_096)) {
            let mut mods = MAGIC.to_vec();
            mods.extend(&bytes);
            let _ = GrubCore::decode(&mods);
            let mut image = vec![0; BOOT_BYTES + UNCOMPRESSED + 4];
            let length = u32::try_from(bytes.len()).unwrap();
            image[BOOT_BYTES + COMPRESSED..][..4].copy_from_slice(&length.to_le_bytes());
            image[BOOT_BYTES + UNCOMPRESSED..][..4].copy_from_slice(&(length * 4).to_le_bytes());
            image.extend(&bytes);
            let _ = GrubCore::of_boot_image(&image);
        }
    }
}
