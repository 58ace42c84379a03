//! `no-boot-record`: nothing El Torito in the descriptor set.

use super::Room;
use crate::{
    defect::{BEHIND_BOOT_RECORD, Injection, Patient},
    eltorito::BOOT_RECORD_LBA,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
};

const ID: FindingId = FindingId::NoBootRecord;

pub(super) const ROOM: Room = Room {
    id: "no-boot-record",
    severity: Severity::Error,
    milder: None,
    trips: &["seabios", "ovmf"],
    explanation: "The volume descriptor set holds no El Torito boot record.",
    consequence: "SeaBIOS stops with code 0004 and OVMF reports Not Found.",
    remedy: "Master the disc with a boot image.",
    recipes: &[
        (
            "xorriso",
            "xorriso -as mkisofs -b boot.img -no-emul-boot -boot-load-size 4 -o disc.iso tree",
        ),
        (
            "genisoimage",
            "genisoimage -b boot.img -c boot.cat -no-emul-boot -boot-load-size 4 -o disc.iso tree",
        ),
        (
            "bsdtar",
            "bsdtar -cf disc.iso --format=iso9660 --options='boot=boot.img,boot-catalog=boot.cat,boot-type=no-emulation' -C tree .",
        ),
        (
            "pycdlib",
            "iso.add_eltorito('/BOOT.IMG;1', bootcatfile='/BOOT.CAT;1')",
        ),
        ("oscdimg", "oscdimg -betfsboot.com tree disc.iso"),
    ],
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let set = &reading.descriptors.main;
    if set.all.is_empty() || set.boot_record().is_some() {
        return Vec::new();
    }
    vec![Finding::new(
        ID,
        Place::block(BOOT_RECORD_LBA),
        "no volume descriptor from LBA 16 to the terminator is an El Torito boot record".to_owned(),
    )]
}

/// The terminator takes its place.
fn inject(disc: &mut Patient<'_>) {
    let terminator: [u8; 2048] = disc.bytes.array_at(BEHIND_BOOT_RECORD.byte_offset());
    disc.bytes
        .write_at(BOOT_RECORD_LBA.byte_offset(), &terminator);
}
