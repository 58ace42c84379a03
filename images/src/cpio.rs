//! The archive that a Linux kernel unpacks as its first root file system: cpio in the format "newc"
//! (Documentation/driver-api/early-userspace/buffer-format.rst).

/// An archive under construction.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A folder. It must come before what is in it.
    Folder,
    /// A file that anybody may read.
    File(&'a [u8]),
    /// A file that anybody may run.
    Program(&'a [u8]),
    /// A symbolic link to this path.
    Link(&'a str),
    /// A character device with this major and minor number.
    Device(u32, u32),
}

/// The name of the entry that ends an archive.
const TRAILER: &str = "TRAILER!!!";

impl Archive {
    /// Adds an entry. Its path is relative to the root, without a slash in front.
    pub fn add(&mut self, path: &str, entry: Entry<'_>) {
        let (mode, content, device) = match entry {
            Entry::Folder => (0o040_755, &[][..], (0, 0)),
            Entry::File(content) => (0o100_644, content, (0, 0)),
            Entry::Program(content) => (0o100_755, content, (0, 0)),
            Entry::Link(target) => (0o120_777, target.as_bytes(), (0, 0)),
            Entry::Device(major, minor) => (0o020_600, &[][..], (major, minor)),
        };
        self.entries += 1;
        self.write(path, self.entries, mode, content, device);
    }

    /// The archive, whole.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.write(TRAILER, 0, 0, &[], (0, 0));
        self.bytes
    }

    fn write(&mut self, path: &str, inode: u32, mode: u32, content: &[u8], device: (u32, u32)) {
        // A field has eight hexadecimal digits. What is longer than 4 GiB is no early root file system.
        let size = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let name = u32::try_from(path.len() + 1).unwrap_or(u32::MAX);
        let links = 1;
        // inode, mode, user, group, links, time, size, device of the file (2), device (2), length of the name, checksum.
        let fields = [
            inode, mode, 0, 0, links, 0, size, 0, 0, device.0, device.1, name, 0,
        ];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes
                .extend_from_slice(format!("{field:08X}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    /// Every header and every content begins at a multiple of four.
    fn pad(&mut self) {
        let length = self.bytes.len().next_multiple_of(4);
        self.bytes.resize(length, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::Write,
        os::unix::fs::PermissionsExt,
        process::{Command, Stdio},
    };

    use super::*;

    #[test]
    fn headers_and_contents_are_aligned_and_in_hexadecimal() {
        let mut archive = Archive::default();
        archive.add("a", Entry::File(b"hello"));
        let bytes = archive.finish();
        let header = "070701\
            00000001000081A4000000000000000000000001000000000000000500000000000000000000000000000000\
            0000000200000000a\0";
        assert_eq!(&bytes[..112], header.as_bytes());
        assert_eq!(&bytes[112..120], b"hello\0\0\0");
        assert_eq!(&bytes[120..126], b"070701");
        assert!(bytes.ends_with(b"TRAILER!!!\0\0\0\0"));
    }

    #[test]
    fn cpio_unpacks_it() {
        let mut archive = Archive::default();
        archive.add("bin", Entry::Folder);
        archive.add("bin/init", Entry::Program(b"#!/bin/sh\n"));
        archive.add("bin/sh", Entry::Link("init"));
        let folder = tempfile::tempdir().unwrap();
        let cpio = Command::new("cpio")
            .args(["--extract", "--quiet"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .spawn();
        let Ok(mut cpio) = cpio else {
            // An independent reader that not every host has.
            return;
        };
        cpio.stdin
            .take()
            .unwrap()
            .write_all(&archive.finish())
            .unwrap();
        assert!(cpio.wait().unwrap().success());
        let program = folder.path().join("bin/init");
        assert_eq!(fs::read(&program).unwrap(), b"#!/bin/sh\n");
        assert_eq!(
            program.metadata().unwrap().permissions().mode() & 0o777,
            0o755
        );
        assert_eq!(
            fs::read_link(folder.path().join("bin/sh"))
                .unwrap()
                .to_str(),
            Some("init")
        );
    }
}
