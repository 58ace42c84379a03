//! A UEFI variable store as EDK2 keeps it in flash (`MdeModulePkg/Include/Guid/VariableFormat.h`, the authenticated format), with the keys of a machine in it.

use images::signature::{MachineKeys, SignatureList};

/// Bytes of a variable's header, before its name.
const HEADER: usize = 60;
/// Bytes of `VARIABLE_STORE_HEADER`.
const STORE_HEADER: usize = 28;
/// `gEfiAuthenticatedVariableGuid`, with which an authenticated store begins.
const AUTHENTICATED: [u8; 16] =
    *b"\x78\x2c\xf3\xaa\x7b\x94\x9a\x43\xa1\x80\x2e\x14\x4e\xc3\x77\x92";
/// `EFI_GLOBAL_VARIABLE`: of PK and KEK.
const GLOBAL: [u8; 16] = *b"\x61\xdf\xe4\x8b\xca\x93\xd2\x11\xaa\x0d\x00\xe0\x98\x03\x2b\x8c";
/// `EFI_IMAGE_SECURITY_DATABASE_GUID`: of db and dbx.
const SECURITY: [u8; 16] = *b"\xcb\xb2\x19\xd7\x3a\x3d\x96\x45\xa3\xbc\xda\xd0\x0e\x67\x65\x6f";
/// In flash, for boot and run time, and only changed by who signs the change with a time (UEFI §8.2).
const ATTRIBUTES: u32 = 0x27;
/// `VARIABLE_DATA`, and the state of a variable that is whole (`VAR_ADDED`).
const START: u16 = 0x55AA;
const ADDED: u8 = 0x3F;
/// Variables are aligned so.
const ALIGNMENT: usize = 4;
/// 1 January 2020 as `EFI_TIME`: a signed change must be younger.
const TIME: [u8; 16] = [0xE4, 0x07, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A store that keys cannot be written into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoStore {
    /// It has another format.
    #[error("it is not a store of authenticated UEFI variables")]
    Format,
    /// The keys are longer than it.
    #[error("the keys need {needed} bytes, and it has {room}")]
    Full {
        /// Bytes of the variables.
        needed: usize,
        /// Bytes that there are.
        room: usize,
    },
}

/// The store with these keys and no other variable. What stands behind its variables, which firmware uses while it writes, stays.
///
/// The owner's keys (PK, KEK) are the certificates of `db`, or a number that belongs to nobody where it has none: firmware only looks at whether there is an owner.
///
/// # Errors
/// It is no such store, or it has no room.
pub fn enrol(template: &[u8], keys: &MachineKeys) -> Result<Vec<u8>, NoStore> {
    let (from, to) = variables_of(template).ok_or(NoStore::Format)?;
    let mut written = Vec::new();
    if let Some(db) = &keys.db {
        let owner = SignatureList {
            certificates: db.certificates.iter().take(1).cloned().collect(),
            programs: match db.certificates.first() {
                Some(_) => Vec::new(),
                None => vec![[0; 32]],
            },
            ..SignatureList::default()
        };
        let owner = owner.encode();
        add(&mut written, "PK", GLOBAL, &owner);
        add(&mut written, "KEK", GLOBAL, &owner);
        let db = db.encode();
        // A variable without a value is none.
        if !db.is_empty() {
            add(&mut written, "db", SECURITY, &db);
        }
    }
    let dbx = keys.dbx.encode();
    if !dbx.is_empty() {
        add(&mut written, "dbx", SECURITY, &dbx);
    }
    let room = to - from;
    if written.len() > room {
        let needed = written.len();
        return Err(NoStore::Full { needed, room });
    }
    let mut store = template.to_vec();
    // Erased flash is ones.
    store[from..to].fill(0xFF);
    store[from..from + written.len()].copy_from_slice(&written);
    Ok(store)
}

/// The keys in a store; `None` where it has another format. Without a key of an owner (PK) the machine is in setup mode.
#[must_use]
pub fn keys_in(store: &[u8]) -> Option<MachineKeys> {
    let (mut at, to) = variables_of(store)?;
    let mut keys = MachineKeys::default();
    let mut has_owner = false;
    let mut db = SignatureList::default();
    while let Some(header) = store.get(at..(at + HEADER).min(to)) {
        let number = |at: usize| -> Option<usize> {
            let bytes: [u8; 4] = header.get(at..at + 4)?.try_into().ok()?;
            usize::try_from(u32::from_le_bytes(bytes)).ok()
        };
        if !header.starts_with(&START.to_le_bytes()) {
            break;
        }
        let (name_length, length) = (number(36)?, number(40)?);
        let name = at + HEADER;
        let value = name.checked_add(name_length)?;
        let end = value.checked_add(length).filter(|end| *end <= to)?;
        let is_whole = header.get(2) == Some(&ADDED);
        let owner = header.get(44..60)?;
        let name: String = store[name..value]
            .chunks_exact(2)
            .map(|pair| char::from(pair[0]))
            .take_while(|letter| *letter != '\0')
            .collect();
        let list = || SignatureList::decode(&store[value..end]).unwrap_or_default();
        match name.as_str() {
            "PK" if is_whole && owner == GLOBAL => has_owner = true,
            "db" if is_whole && owner == SECURITY => db = list(),
            "dbx" if is_whole && owner == SECURITY => keys.dbx = list(),
            _ => {}
        }
        at = end.next_multiple_of(ALIGNMENT);
    }
    keys.db = has_owner.then_some(db);
    Some(keys)
}

/// Where the variables stand: behind the header of the firmware volume and that of the store.
fn variables_of(file: &[u8]) -> Option<(usize, usize)> {
    let number = |at: usize| -> Option<[u8; 4]> { file.get(at..at + 4)?.try_into().ok() };
    (number(40)? == *b"_FVH").then_some(())?;
    let header = usize::from(u16::from_le_bytes(file.get(48..50)?.try_into().ok()?));
    (file.get(header..header + 16)? == AUTHENTICATED).then_some(())?;
    let length = usize::try_from(u32::from_le_bytes(number(header + 16)?)).ok()?;
    let end = header
        .checked_add(length)
        .filter(|end| *end <= file.len())?;
    let from = header + STORE_HEADER;
    (from <= end).then_some((from, end))
}

/// Appends a variable.
fn add(to: &mut Vec<u8>, name: &str, owner: [u8; 16], value: &[u8]) {
    let name: Vec<u8> = name
        .encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect();
    // No list of keys is that long.
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    let start = to.len();
    to.extend(START.to_le_bytes());
    to.extend([ADDED, 0]);
    to.extend(ATTRIBUTES.to_le_bytes());
    // The count of changes, of the older way to sign them.
    to.extend([0; 8]);
    to.extend(TIME);
    // The number of a key, of that way too.
    to.extend([0; 4]);
    to.extend(length(&name));
    to.extend(length(value));
    to.extend(owner);
    debug_assert_eq!(to.len() - start, HEADER);
    to.extend(&name);
    to.extend(value);
    to.resize(to.len().next_multiple_of(ALIGNMENT), 0xFF);
}

#[cfg(test)]
mod tests {
    use std::fs;

    use images::signature::Authority;

    use super::*;
    use crate::{
        emulator::EmulatorId,
        firmware::{FirmwareId, discover, select},
    };

    /// The host's own store with enrolled keys, which another tool has written.
    fn template() -> Vec<u8> {
        let found = discover(&EmulatorId::Qemu.locate(None).unwrap());
        let firmware = select(&found, FirmwareId::OvmfSecureBoot).unwrap();
        fs::read(firmware.image.variables().unwrap()).unwrap()
    }

    #[test]
    fn what_another_tool_enrolled_is_read() {
        let keys = keys_in(&template()).unwrap();
        let db = keys.db.unwrap();
        let known: Vec<Authority> = db.certificates.iter().filter_map(Authority::of).collect();
        assert!(
            known.contains(&Authority::MicrosoftCorporationUefiCa2011),
            "{known:?}"
        );
    }

    #[test]
    fn what_is_enrolled_is_read_again_and_nothing_else_is() {
        let template = template();
        let theirs = keys_in(&template).unwrap();
        let db = theirs.db.clone().unwrap();
        let ours = MachineKeys {
            db: Some(SignatureList {
                certificates: db.certificates[..1].to_vec(),
                programs: vec![[7; 32]],
                ..SignatureList::default()
            }),
            dbx: SignatureList {
                programs: vec![[1; 32], [2; 32]],
                ..SignatureList::default()
            },
        };
        let store = enrol(&template, &ours).unwrap();
        assert_eq!(store.len(), template.len());
        assert_eq!(keys_in(&store), Some(ours));
        let setup = enrol(&template, &MachineKeys::default()).unwrap();
        assert_eq!(keys_in(&setup), Some(MachineKeys::default()));
    }

    #[test]
    fn what_is_no_store_and_what_does_not_fit_is_refused() {
        assert_eq!(
            enrol(&[0; 100], &MachineKeys::default()),
            Err(NoStore::Format)
        );
        assert_eq!(keys_in(b""), None);
        let template = template();
        let many = MachineKeys {
            db: Some(SignatureList::default()),
            dbx: SignatureList {
                programs: (0_u32..20_000)
                    .map(|number| {
                        let mut digest = [0; 32];
                        digest[..4].copy_from_slice(&number.to_be_bytes());
                        digest
                    })
                    .collect(),
                ..SignatureList::default()
            },
        };
        assert!(matches!(enrol(&template, &many), Err(NoStore::Full { .. })));
    }
}
