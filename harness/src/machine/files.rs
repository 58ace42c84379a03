//! The files that QEMU inherits, and those that it leaves.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rustix::fs::{MemfdFlags, OFlags, memfd_create};

use crate::{copy::copy as copy_sparsely, firmware::FirmwareImage};

/// More than a picture of any screen has.
const LONGEST: u64 = 64 << 20;

/// A file to be read; the error names it.
pub(super) fn open(path: &Path) -> io::Result<File> {
    File::open(path).map_err(|error| named(path, &error))
}

/// A copy of a small file in memory, which QEMU's user may open whosever the file is.
pub(super) fn copy(path: &Path) -> io::Result<File> {
    let content = fs::read(path).map_err(|error| named(path, &error))?;
    let mut file = in_memory()?;
    file.write_all(&content)?;
    Ok(file)
}

/// The firmware: read once where it is a BIOS, which QEMU opens by name, and as a device else.
pub(super) fn firmware(image: &FirmwareImage) -> io::Result<File> {
    match image {
        FirmwareImage::Bios(rom) => copy(rom),
        FirmwareImage::Flash { code, .. } => open(code),
    }
}

/// Memory for a guest: nothing in it.
pub(super) fn empty_memory(bytes: u64) -> io::Result<File> {
    let memory = in_memory()?;
    memory.set_len(bytes)?;
    Ok(memory)
}

/// Memory for a guest, as a checkpoint has it.
pub(super) fn memory_of(path: &Path) -> io::Result<File> {
    let from = open(path)?;
    let memory = in_memory()?;
    copy_sparsely(&from, from.metadata()?.len(), &memory)?;
    Ok(memory)
}

/// Writes a guest's memory to a file, holes as holes.
pub(super) fn keep_memory(memory: &File, path: &Path) -> io::Result<()> {
    let file = File::create(path).map_err(|error| named(path, &error))?;
    copy_sparsely(memory, memory.metadata()?.len(), &file)
}

fn in_memory() -> io::Result<File> {
    Ok(memfd_create("boot-matrix", MemfdFlags::CLOEXEC)?.into())
}

/// Opens a file that QEMU wrote. Its user may have put something else there: what is no regular file is no file.
///
/// # Errors
/// There is none, or it cannot be read.
pub(crate) fn open_left(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other(format!(
            "{} is no regular file: QEMU has not written it",
            path.display()
        )))
    }
}

/// Takes a file that QEMU wrote, as far as it is of a reasonable length.
pub(super) fn take_left(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_left(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    fs::remove_file(path)?;
    Ok(bytes)
}

/// The host's words, and which file they are about.
fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Seek, SeekFrom},
        os::unix::fs::FileExt,
    };

    use super::*;

    #[test]
    fn memory_goes_to_a_file_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memory");
        let memory = empty_memory(64 << 20).unwrap();
        for (at, text) in [(0, "first"), (33 << 20, "middle"), ((64 << 20) - 4, "last")] {
            memory.write_all_at(text.as_bytes(), at).unwrap();
        }
        keep_memory(&memory, &path).unwrap();
        let kept = fs::metadata(&path).unwrap();
        assert_eq!(kept.len(), 64 << 20);
        let used = std::os::unix::fs::MetadataExt::blocks(&kept) * 512;
        assert!(used < 1 << 20, "{used} bytes for three pages");
        let content = |mut file: File| {
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(0)).unwrap();
            file.read_to_end(&mut bytes).unwrap();
            bytes
        };
        let before = content(memory);
        assert!(before.starts_with(b"first") && before.ends_with(b"last"));
        assert!(content(memory_of(&path).unwrap()) == before);
    }

    #[test]
    fn a_link_that_qemu_left_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let (secret, left) = (
            folder.path().join("secret"),
            folder.path().join("screen.ppm"),
        );
        fs::write(&secret, "secret").unwrap();
        std::os::unix::fs::symlink(&secret, &left).unwrap();
        assert!(take_left(&left).is_err());
        let missing = open(Path::new("/no/such/disc.iso")).unwrap_err();
        assert!(missing.to_string().contains("/no/such/disc.iso"));
    }
}
