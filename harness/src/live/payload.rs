//! What every live disc carries: a kernel, an initial file system that looks for its medium, and the files of a system.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use images::cpio::{Archive, Entry};
use sha2::{Digest, Sha256};

use super::stock::Stock;
use crate::hash::sha256;

/// The name that stands for the payload's folder.
pub const PAYLOAD: &str = "payload";
/// The package with the only program of the initial file system.
pub const BUSYBOX: &str = "busybox-static";
/// The kernel in the payload's folder.
pub const KERNEL: &str = "vmlinuz";
/// The initial file system there.
pub const INITRD: &str = "initrd.gz";
/// The system's files there.
pub const STORE: &str = "store";
/// The list of the system's files with their checksums, in their folder. A disc with nothing but ISO 9660 can have such names.
const SUMS: &str = "sums";

/// What the kernel needs to reach a disc by every attachment, and to read it. A kernel that has one built in, or not at all, goes without.
const MODULES: [&str; 17] = [
    "ata_piix",
    "ata_generic",
    "ahci",
    "virtio_pci",
    "virtio_scsi",
    "virtio_blk",
    "xhci_pci",
    "ehci_pci",
    "uhci_hcd",
    "usb_storage",
    "uas",
    "sr_mod",
    "sd_mod",
    "isofs",
    "nls_utf8",
    "nls_ascii",
    "udf",
];

/// The system's files: as many, and each as long.
const FILES: u8 = 6;
const FILE_BYTES: usize = 160 << 10;

/// Makes the payload for a kernel in a folder. `init` is the script that the kernel starts.
///
/// # Errors
/// A package lacks what it should have, or the host failed.
pub fn make(stock: &Stock, kernel: &str, init: &[u8], folder: &Path) -> io::Result<()> {
    let unpacked = |name: &str| stock.package(name).map_err(io::Error::other);
    let root = unpacked(kernel)?;
    let image = only(&root.join("boot"), |name| name.starts_with("vmlinuz-"))?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join(KERNEL), fs::read(image)?)?;

    let modules = modules(&root)?;
    let mut archive = Archive::default();
    for name in [
        "bin",
        "dev",
        "etc",
        "lib",
        "lib/modules",
        "proc",
        "run",
        "sys",
        "medium",
    ] {
        archive.add(name, Entry::Folder);
    }
    // The kernel opens it before the script has mounted anything.
    archive.add("dev/console", Entry::Device(5, 1));
    let busybox = fs::read(unpacked(BUSYBOX)?.join("bin/busybox"))?;
    archive.add("bin/busybox", Entry::Program(&busybox));
    archive.add("bin/sh", Entry::Link("busybox"));
    archive.add("init", Entry::Program(init));
    let mut order = String::new();
    for (name, content) in &modules {
        archive.add(&format!("lib/modules/{name}.ko"), Entry::File(content));
        // Writing to a String cannot fail.
        let _ = writeln!(order, "{name}");
    }
    archive.add("lib/modules/order", Entry::File(order.as_bytes()));
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&archive.finish())?;
    fs::write(folder.join(INITRD), packed.finish()?)?;

    let store = folder.join(STORE);
    fs::create_dir_all(&store)?;
    let mut sums = String::new();
    for number in 0..FILES {
        let name = format!("part{number}.bin");
        let content = noise(number);
        let _ = writeln!(sums, "{}  {name}", sha256(&content));
        fs::write(store.join(name), content)?;
    }
    fs::write(store.join(SUMS), sums)
}

/// Bytes that no two places on a disc share: a digest of the file's number, of that, and so on.
fn noise(number: u8) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(FILE_BYTES);
    let mut digest = Sha256::digest([number]);
    while bytes.len() < FILE_BYTES {
        bytes.extend_from_slice(&digest);
        digest = Sha256::digest(digest);
    }
    bytes
}

/// The only file in a folder with such a name.
fn only(folder: &Path, is_it: impl Fn(&str) -> bool) -> io::Result<PathBuf> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_it(&entry.file_name().to_string_lossy()) {
            return Ok(entry.path());
        }
    }
    let what = format!("{} lacks a file that it should have", folder.display());
    Err(io::Error::other(what))
}

/// The modules and what they depend on, in the order in which they can be loaded: names and contents.
fn modules(root: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = BTreeMap::new();
    find_modules(&root.join("lib/modules"), &mut files)?;
    let mut loaded = Vec::new();
    for name in MODULES {
        load(name, &files, &mut loaded)?;
    }
    Ok(loaded)
}

fn find_modules(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let path = entry.path();
        if kind.is_dir() {
            find_modules(&path, files)?;
        } else if let Some(name) = entry.file_name().to_string_lossy().strip_suffix(".ko") {
            files.insert(canonical(name), path);
        }
    }
    Ok(())
}

/// A module's name as the kernel has it: a file's may have dashes.
fn canonical(name: &str) -> String {
    name.replace('-', "_")
}

fn load(
    name: &str,
    files: &BTreeMap<String, PathBuf>,
    loaded: &mut Vec<(String, Vec<u8>)>,
) -> io::Result<()> {
    let name = canonical(name);
    let Some(path) = files.get(&name) else {
        return Ok(());
    };
    if loaded.iter().any(|(known, _)| *known == name) {
        return Ok(());
    }
    let content = fs::read(path)?;
    for other in depends(&content) {
        load(&other, files, loaded)?;
    }
    loaded.push((name, content));
    Ok(())
}

/// What a module says that it depends on. Its section `.modinfo` is a list of texts `key=value` that zeros end.
fn depends(module: &[u8]) -> Vec<String> {
    const KEY: &[u8] = b"\0depends=";
    let Some(at) = module.windows(KEY.len()).position(|bytes| bytes == KEY) else {
        return Vec::new();
    };
    let value = module.get(at + KEY.len()..).unwrap_or_default();
    let value = value.split(|&byte| byte == 0).next().unwrap_or_default();
    let value = String::from_utf8_lossy(value);
    let names = value.split(',').filter(|name| !name.is_empty());
    names.map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_come_after_what_they_depend_on() {
        let folder = tempfile::tempdir().unwrap();
        let kernel = folder.path().join("lib/modules/6.1/kernel/drivers");
        fs::create_dir_all(&kernel).unwrap();
        for (name, depends) in [
            ("sr_mod", "cdrom,scsi_mod"),
            ("scsi_mod", "scsi-common"),
            ("scsi-common", ""),
            ("cdrom", ""),
            ("other", ""),
        ] {
            let content = format!("\x7fELF\0license=GPL\0depends={depends}\0name={name}\0");
            fs::write(kernel.join(format!("{name}.ko")), content).unwrap();
        }
        let modules = modules(folder.path()).unwrap();
        let names: Vec<&str> = modules.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["cdrom", "scsi_common", "scsi_mod", "sr_mod"]);
    }

    #[test]
    fn a_payload_has_a_kernel_its_file_system_and_checksums() {
        let folder = tempfile::tempdir().unwrap();
        let stock = Stock::in_folder(folder.path().join("stock"));
        let kernel = stock.folder().join("linux-image-x");
        fs::create_dir_all(kernel.join("boot")).unwrap();
        fs::create_dir_all(kernel.join("lib/modules/1")).unwrap();
        fs::write(kernel.join("boot/vmlinuz-1"), b"a kernel").unwrap();
        let to = folder.path().join("payload");
        let error = make(&stock, "linux-image-x", b"", &to).unwrap_err();
        assert_eq!(error.to_string(), "package busybox-static was not fetched");
        let busybox = stock.folder().join(BUSYBOX).join("bin");
        fs::create_dir_all(&busybox).unwrap();
        fs::write(busybox.join("busybox"), b"a program").unwrap();
        make(&stock, "linux-image-x", b"#!/bin/sh\n", &to).unwrap();
        assert_eq!(fs::read(to.join(KERNEL)).unwrap(), b"a kernel");
        let sums = fs::read_to_string(to.join(STORE).join(SUMS)).unwrap();
        assert_eq!(sums.lines().count(), usize::from(FILES));
        let packed = fs::read(to.join(INITRD)).unwrap();
        let mut archive = Vec::new();
        io::copy(&mut flate2::read::GzDecoder::new(&packed[..]), &mut archive).unwrap();
        assert!(archive.starts_with(b"070701"));
    }
}
