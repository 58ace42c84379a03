//! A disc of which some bytes are changed, for QEMU: the changes alone, over the disc that stays as it is.
//!
//! Source: QEMU's docs/interop/qcow2.rst. Version 3, 16-bit reference counts. No backing file is named within: QEMU is given the disc as a node beside it,
//! and opens nothing that a file names.

use std::{collections::BTreeSet, fs::File, io, os::unix::fs::FileExt};

use images::{
    change::{Changed, Edits},
    inspect::{Source, Window},
};

/// A cluster, the least that is written, in bytes: QEMU's own choice.
const CLUSTER: u64 = 1 << CLUSTER_BITS;
const CLUSTER_BITS: u32 = 16;
/// Entries of a table of the second level, which is a cluster.
const ENTRIES: u64 = CLUSTER / 8;
/// Clusters that a block of reference counts counts.
const COUNTED: u64 = CLUSTER / 2;
/// An offset with no other reference to what stands there.
const COPIED: u64 = 1 << 63;
/// QEMU counts in sectors of 512 bytes, and takes a raw file for one that ends with a whole one.
const SECTOR: u64 = 512;

/// Writes an overlay over a disc into an empty file.
///
/// # Errors
/// The disc cannot be read, the file cannot be written, or more would be changed than one block of reference counts counts: 2 GiB.
pub(super) fn write(file: &File, disc: &dyn Source, edits: &Edits) -> io::Result<()> {
    let size = disc.length().get().next_multiple_of(SECTOR);
    let clusters: BTreeSet<u64> = edits
        .pieces()
        .flat_map(|(offset, bytes)| {
            let last = offset.saturating_add((bytes.len() as u64).saturating_sub(1));
            offset / CLUSTER..=last / CLUSTER
        })
        .filter(|cluster| cluster * CLUSTER < size)
        .collect();
    let second_level: BTreeSet<u64> = clusters.iter().map(|cluster| cluster / ENTRIES).collect();

    // Header, table of reference counts, their block, table of the first level, tables of the second, the clusters.
    let first_entries = size.div_ceil(CLUSTER * ENTRIES).max(1);
    let first_clusters = (first_entries * 8).div_ceil(CLUSTER);
    let first_at = 3;
    let second_at = first_at + first_clusters;
    let data_at = second_at + second_level.len() as u64;
    let used = data_at + clusters.len() as u64;
    if used > COUNTED {
        return Err(io::Error::other(
            "more than 2 GiB of the disc would be changed",
        ));
    }

    let mut header = Vec::with_capacity(112);
    let put32 = |header: &mut Vec<u8>, value: u32| header.extend(value.to_be_bytes());
    let put64 = |header: &mut Vec<u8>, value: u64| header.extend(value.to_be_bytes());
    header.extend(b"QFI\xFB");
    put32(&mut header, 3);
    // No backing file's name.
    put64(&mut header, 0);
    put32(&mut header, 0);
    put32(&mut header, CLUSTER_BITS);
    put64(&mut header, size);
    // No encryption.
    put32(&mut header, 0);
    put32(&mut header, to_u32(first_entries)?);
    put64(&mut header, first_at * CLUSTER);
    put64(&mut header, CLUSTER);
    put32(&mut header, 1);
    // No snapshots.
    put32(&mut header, 0);
    put64(&mut header, 0);
    // No features of any kind.
    header.extend([0; 24]);
    // 2^4 bits for each reference count.
    put32(&mut header, 4);
    put32(&mut header, 104);
    file.write_all_at(&header, 0)?;
    file.write_all_at(&(2 * CLUSTER).to_be_bytes(), CLUSTER)?;
    let counts = 1_u16
        .to_be_bytes()
        .repeat(usize::try_from(used).unwrap_or_default());
    file.write_all_at(&counts, 2 * CLUSTER)?;
    for (number, second) in (second_at..).zip(&second_level) {
        let entry = (number * CLUSTER) | COPIED;
        file.write_all_at(&entry.to_be_bytes(), first_at * CLUSTER + second * 8)?;
    }
    let changed = Changed::new(disc, edits);
    let mut window = Window::new(&changed);
    let mut content = vec![0; usize::try_from(CLUSTER).unwrap_or_default()];
    for (number, cluster) in (data_at..).zip(&clusters) {
        let entry = (number * CLUSTER) | COPIED;
        let table = second_level.range(..cluster / ENTRIES).count() as u64;
        let place = (second_at + table) * CLUSTER + cluster % ENTRIES * 8;
        file.write_all_at(&entry.to_be_bytes(), place)?;
        content.fill(0);
        window.read(cluster * CLUSTER, &mut content);
        if !window.unreadable().is_empty() {
            return Err(io::Error::other(
                "the bytes to change cannot be read from the disc",
            ));
        }
        file.write_all_at(&content, number * CLUSTER)?;
    }
    // Tables that end with zeros are there all the same.
    file.set_len(used * CLUSTER)
}

fn to_u32(entries: u64) -> io::Result<u32> {
    u32::try_from(entries).map_err(|_| io::Error::other("a disc of this length has no overlay"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use images::sparse::SparseBytes;
    use proptest::prelude::*;

    use super::*;

    /// What qemu-img reads of an overlay over a raw file.
    fn read_back(disc: &[u8], edits: &Edits) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        std::fs::write(path("disc.iso"), disc).unwrap();
        let overlay = File::create(path("overlay.qcow2")).unwrap();
        write(&overlay, &disc.to_vec(), edits).unwrap();
        let node = serde_json::json!({
            "driver": "qcow2", "file": { "driver": "file", "filename": path("overlay.qcow2") },
            "backing": { "driver": "raw", "file": { "driver": "file", "filename": path("disc.iso") } },
        });
        let check = Command::new("qemu-img")
            .arg("check")
            .arg(path("overlay.qcow2"))
            .output()
            .unwrap();
        assert!(
            check.status.success(),
            "{}",
            String::from_utf8_lossy(&check.stdout)
        );
        let output = Command::new("qemu-img")
            .args(["convert", "-O", "raw", &format!("json:{node}")])
            .arg(path("out.raw"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        std::fs::read(path("out.raw")).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// The judge is QEMU's own reader.
        #[test]
        fn qemu_reads_the_disc_with_the_changes(
            length in 1_usize..400_000,
            edits in prop::collection::vec((0_u64..420_000, prop::collection::vec(1_u8.., 1..3000)), 0..6),
        ) {
            let disc: Vec<u8> = (0..length).map(|at| u8::try_from(at / 7 % 251).unwrap()).collect();
            let mut wanted = Edits::default();
            for (offset, bytes) in &edits {
                wanted.write(*offset, bytes);
            }
            let seen = read_back(&disc, &wanted);
            let changed = Changed::new(&disc, &wanted);
            let mut expected = vec![0; length];
            Window::new(&changed).read(0, &mut expected);
            prop_assert_eq!(seen.len(), length.next_multiple_of(512));
            prop_assert!(seen[..length] == expected);
        }
    }

    #[test]
    fn a_disc_of_sixty_gigabytes_costs_what_is_changed() {
        let disc = SparseBytes::zeroed(60 << 30);
        let mut edits = Edits::default();
        for at in [0, 17 * 2048, 30 << 30, (60 << 30) - 1] {
            edits.write(at, b"x");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("overlay.qcow2");
        write(&File::create(&path).unwrap(), &disc, &edits).unwrap();
        assert!(path.metadata().unwrap().len() < 1 << 20);
        let check = Command::new("qemu-img")
            .arg("check")
            .arg(&path)
            .output()
            .unwrap();
        assert!(
            check.status.success(),
            "{}",
            String::from_utf8_lossy(&check.stdout)
        );
    }
}
