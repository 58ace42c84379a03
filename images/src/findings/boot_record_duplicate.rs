//! `boot-record-duplicate`: there are two boot records.

use super::{recipe::declared::ANY_TOOL, room::Room};
use crate::{
    defect::{BEHIND_BOOT_RECORD, Injection, Patient},
    eltorito::BOOT_RECORD_LBA,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
};

const ID: FindingId = FindingId::BootRecordDuplicate;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["ovmf"],
    explanation: "The volume descriptor set contains more than one El Torito boot record.",
    consequence: "OVMF hangs silently if such a disc is in a CD drive.",
    remedy: "Keep one boot record, and put every boot image into its catalog as a section entry.",
    recipes: ANY_TOOL,
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let set = &reading.descriptors.main;
    let records = &set.boot_records;
    let Some((second, _)) = records.get(1) else {
        return Vec::new();
    };
    let all: Vec<String> = records
        .iter()
        .map(|(lba, _)| lba.get().to_string())
        .collect();
    let message = format!("there are boot records at LBA {}", all.join(" and "));
    // Those that do not count become boot records of no system, which no firmware starts.
    let counts = set.boot_record().map(|(lba, _)| lba);
    let others = records.iter().filter(|(lba, _)| Some(*lba) != counts);
    let finding = Finding::new(ID, Place::block(*second), message);
    let finding = others.fold(finding, |finding, (lba, _)| {
        finding.fixed_by(Place::within(*lba, 7).offset, &[0; 23])
    });
    vec![finding]
}

fn inject(disc: &mut Patient<'_>) {
    let copy: [u8; 2048] = disc.bytes.array_at(BOOT_RECORD_LBA.byte_offset());
    disc.bytes.write_at(BEHIND_BOOT_RECORD.byte_offset(), &copy);
}
