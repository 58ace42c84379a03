//! Copies of discs: holes stay holes, and if the file system supports it, no data is copied.

use std::{
    fs::File,
    io,
    os::unix::fs::{FileExt, MetadataExt},
};

use rustix::{
    fs::{ioctl_ficlone, seek},
    io::Errno,
};

/// Read and written at once.
const PIECE: usize = 1 << 20;
/// The unit of [`MetadataExt::blocks`].
const UNIT: u64 = 512;

/// Gives an empty file another one's content without copying it. Returns whether the file system supports it.
pub fn share(from: &File, to: &File) -> bool {
    ioctl_ficlone(to, from).is_ok()
}

/// The bytes that a copy of a file takes.
///
/// # Errors
/// The host does not report it.
pub fn size(from: &File, length: u64) -> io::Result<u64> {
    let metadata = from.metadata()?;
    if metadata.is_file() {
        Ok((metadata.blocks() * UNIT).min(length))
    } else {
        // A device has no known holes.
        Ok(length)
    }
}

/// Copies this many bytes to the same places in an empty file, except holes.
///
/// # Errors
/// One cannot be read, or the other cannot be written.
pub fn copy(from: &File, length: u64, to: &File) -> io::Result<()> {
    to.set_len(length)?;
    let (mut buffer, zeros) = (vec![0; PIECE], vec![0; PIECE]);
    let mut at = 0;
    while at < length {
        let (start, end) = match data(from, at, length)? {
            Some(data) => data,
            None => break,
        };
        at = start;
        while at < end {
            let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(PIECE);
            let piece = buffer.get_mut(..wanted).unwrap_or_default();
            from.read_exact_at(piece, at)?;
            // The standard library compares slices, at the same speed in every build.
            if zeros.get(..wanted) != Some(&*piece) {
                to.write_all_at(piece, at)?;
            }
            at += wanted as u64;
        }
    }
    Ok(())
}

/// The next bytes outside a hole: where they begin and end.
fn data(from: &File, at: u64, length: u64) -> io::Result<Option<(u64, u64)>> {
    let start = match seek(from, rustix::fs::SeekFrom::Data(at)) {
        Ok(start) => start,
        // Only a hole is left.
        Err(Errno::NXIO) => return Ok(None),
        // Devices have none.
        Err(Errno::INVAL | Errno::NOTSUP) => return Ok(Some((at, length))),
        Err(error) => return Err(error.into()),
    };
    let end = seek(from, rustix::fs::SeekFrom::Hole(start))?;
    Ok((start < length).then_some((start, end.min(length))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_stay_holes() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name| {
            let path = folder.path().join(name);
            File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(path)
                .unwrap()
        };
        let (from, to) = (file("from"), file("to"));
        let length = (40 << 30) + 700;
        from.set_len(length).unwrap();
        for (at, text) in [(0, "first"), (33 << 30, "middle"), (length - 4, "last")] {
            from.write_all_at(text.as_bytes(), at).unwrap();
        }
        copy(&from, length, &to).unwrap();
        assert_eq!(to.metadata().unwrap().len(), length);
        assert!(size(&to, length).unwrap() <= size(&from, length).unwrap());
        assert!(size(&to, length).unwrap() < 1 << 20);
        for (at, text) in [(0, "first"), (33 << 30, "middle"), (length - 4, "last")] {
            let mut seen = vec![0; text.len()];
            to.read_exact_at(&mut seen, at).unwrap();
            assert_eq!(seen, text.as_bytes());
        }
    }
}
