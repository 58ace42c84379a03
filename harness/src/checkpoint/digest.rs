//! Digests: what a checkpoint depends on, and what it is.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::unix::{ffi::OsStrExt, fs::FileExt},
    path::Path,
};

use images::bytes::hex;
use rustix::{
    fs::{SeekFrom, seek},
    io::Errno,
};
use sha2::{Digest, Sha256};

use super::saved::{program, source};
use crate::{
    firmware::FirmwareImage,
    hash::sha256_of,
    machine::spec::Channels,
    platform::{Platform, PlatformError},
};

/// To be raised when a checkpoint is made in another way, so that older ones are not found.
const FORMAT: &[u8] = b"2";
/// Enough of the digest to tell checkpoints apart, and short enough to read.
const KEY_CHARACTERS: usize = 32;

const PAGE: usize = 4096;

/// The name of a platform's checkpoint: a digest of QEMU, its ROMs, the firmware, the program and the whole command line.
pub(super) fn of_platform(platform: &Platform) -> Result<String, PlatformError> {
    // The folder and the disc are not the platform.
    let machine = source(platform, Path::new("/"), "disc")?;
    let variables = match &platform.firmware.image {
        FirmwareImage::Flash {
            variables: Some(template),
            ..
        } => sha256_of(template).map_err(|source| PlatformError::Path {
            path: template.display().to_string(),
            source,
        })?,
        _ => String::new(),
    };
    let program = program(platform.firmware.id).unwrap_or_default();
    let mut hasher = Sha256::new();
    let mut add = |part: &[u8]| {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    add(FORMAT);
    add(platform.emulator.sha256.as_bytes());
    add(platform.emulator.roms_sha256.as_bytes());
    add(platform.firmware.sha256.as_bytes());
    add(variables.as_bytes());
    add(&program);
    let argv: Vec<OsString> = machine.argv(Channels::Terminal);
    for word in argv {
        add(word.as_bytes());
    }
    let digest = hex(hasher.finalize());
    Ok(digest.chars().take(KEY_CHARACTERS).collect())
}

/// A checksum of a file's content. Holes and zeros are the same, and neither is read where the file system tells of holes.
pub(super) fn of_content(path: &Path) -> io::Result<u32> {
    let file = File::open(path)?;
    let mut checksum = crc32fast::Hasher::new();
    let mut buffer = vec![0; 64 * PAGE];
    let mut at = 0;
    loop {
        let start = match seek(&file, SeekFrom::Data(at)) {
            Ok(start) => start / PAGE as u64 * PAGE as u64,
            // Only a hole is left.
            Err(Errno::NXIO) => break,
            Err(error) => return Err(error.into()),
        };
        let end = seek(&file, SeekFrom::Hole(start))?;
        at = start.max(at);
        while at < end {
            let count = read_at(&file, &mut buffer, at)?;
            if count == 0 {
                return Ok(checksum.finalize());
            }
            for (page, content) in buffer[..count].chunks(PAGE).enumerate() {
                if content.iter().any(|byte| *byte != 0) {
                    checksum.update(&(at + (page * PAGE) as u64).to_le_bytes());
                    checksum.update(content);
                }
            }
            at += count as u64;
        }
    }
    Ok(checksum.finalize())
}

/// Reads as much as there is.
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_checksum_sees_every_byte_and_no_difference_between_holes_and_zeros() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memory");
        let file = File::create(&path).unwrap();
        file.set_len(3 << 20).unwrap();
        file.write_all_at(b"content", (1 << 20) + 5).unwrap();
        file.write_all_at(b"more", (3 << 20) - 4).unwrap();
        let sparse = of_content(&path).unwrap();

        let mut bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes).unwrap();
        assert_eq!(of_content(&path).unwrap(), sparse, "zeros for holes");

        for at in [0, (1 << 20) + 5, (2 << 20) - 1, (3 << 20) - 1] {
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert_ne!(of_content(&path).unwrap(), sparse, "byte {at}");
            bytes[at] ^= 1;
        }
        // The same content elsewhere is not the same.
        bytes.rotate_right(PAGE);
        fs::write(&path, &bytes).unwrap();
        assert_ne!(of_content(&path).unwrap(), sparse);
    }
}
