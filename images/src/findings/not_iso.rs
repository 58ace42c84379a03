//! `not-iso`: not an ISO 9660 disc.

use super::room::Room;
use crate::{
    boot::{Boot, Hybrid},
    defect::{BEHIND_BOOT_RECORD, Injection, Lack, PRIMARY, Patient, emulates_a_drive, need},
    eltorito::BOOT_RECORD_LBA,
    finding::{Finding, FindingId, Place, Severity},
    inspect::{Reading, is_wiped},
    size::Size,
};

const ID: FindingId = FindingId::NotIso;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "bochs", "ovmf"],
    explanation: "There is no ISO 9660 volume.",
    consequence: "No firmware boots it as a CD.",
    remedy: "If it should be a disc, download it again: it is damaged, encrypted or another file. If it is the image of a hard disk or a stick, master a disc from it.",
    check,
    defect: Some(Injection {
        express,
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    if !reading.descriptors.main.all.is_empty() {
        return Vec::new();
    }
    let disc = &mut *reading.disc;
    if is_wiped(disc) {
        let at = PRIMARY.byte_offset().saturating_add(1);
        let what = format!(
            "the signature CD001 at byte {at} is overwritten with zeros, but the next descriptor still has its own: this is what wipefs does"
        );
        let mut finding = Finding::new(ID, Place { offset: at }, what).fixed_by(at, b"CD001");
        finding.fix = format!(
            "Write the five characters back (printf CD001 | dd of=DISC bs=1 seek={at} conv=notrunc), or write the disc to the stick again."
        );
        return vec![finding];
    }
    let signature: Option<[u8; 5]> = disc.array(PRIMARY.byte_offset().saturating_add(1));
    let boot_sector = disc.array::<2>(510) == Some([0x55, 0xAA]);
    let what = match signature {
        None => format!("the file ends before LBA 16, after {}", disc.length()),
        Some([b'B', b'E', b'A', b'0', b'1'] | [b'N', b'S', b'R', b'0', b'2' | b'3']) => {
            "at LBA 16, UDF begins without ISO 9660, which El Torito requires".to_owned()
        }
        Some(_) if boot_sector => {
            "there is no CD001 at LBA 16, and the first sector ends with 55 AA: this is the image of a disk".to_owned()
        }
        Some(_) => "there is no CD001 at LBA 16".to_owned(),
    };
    vec![Finding::new(ID, Place::block(PRIMARY), what)]
}

fn express(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(
        !emulates_a_drive(boot),
        "an image that a disk can hold (none, efi, bios+efi)",
    )?;
    boot.hybrid.get_or_insert(Hybrid::Mbr);
    Ok(())
}

fn inject(disc: &mut Patient<'_>) {
    for lba in [PRIMARY, BOOT_RECORD_LBA, BEHIND_BOOT_RECORD] {
        disc.bytes.write_at(lba.byte_offset(), &[0; 2048]);
    }
}
