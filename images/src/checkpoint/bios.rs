//! The option ROM: a BIOS runs it when all devices are set up, before it chooses what to boot (SeaBIOS `post.c: maininit`; rombios `rombios.c: post`).

use iced_x86::code_asm::*;

use super::fw_cfg;
use crate::probe::AssembleError;

/// A ROM's length is counted in these.
const UNIT: usize = 512;
/// Where a ROM's length stands, in units.
const LENGTH: usize = 2;
/// Where SeaBIOS enters a ROM (`optionroms.c: OPTION_ROM_INITVECTOR`).
const ENTRY: usize = 3;
/// Where a ROM says where its expansion header is (Plug and Play BIOS specification 1.0A, §3.1).
const HEADER_AT: usize = 0x1A;
const HEADER: usize = 0x20;
const HEADER_BYTES: usize = 0x20;
const HEADER_CHECKSUM: usize = HEADER + 9;
/// The code, behind the header.
const CODE: usize = HEADER + HEADER_BYTES;
/// The bytes that stay: the instruction that erases the rest, and those after it.
const LEAVING: usize = 8;

/// A Plug and Play option ROM. It offers nothing to boot from, and before it returns it gives its memory back and erases itself, so that the machine goes on
/// as one that never had it.
///
/// # Errors
/// [`AssembleError`]: a mistake in the program.
pub fn option_rom() -> Result<Vec<u8>, AssembleError> {
    let code = code(code(0)?.len())?;
    let units = units(code.len())?;
    let mut rom = vec![0; usize::from(units) * UNIT];
    rom[..2].copy_from_slice(&[0x55, 0xAA]);
    rom[LENGTH] = units;
    // A short jump over the headers; its distance counts from the next instruction.
    rom[ENTRY..ENTRY + 2].copy_from_slice(&[0xEB, (CODE - ENTRY - 2) as u8]);
    rom[HEADER_AT] = HEADER as u8;
    // Signature, revision, length in units of 16 bytes. Everything else is absent: no device, no name, no vector.
    rom[HEADER..HEADER + 6].copy_from_slice(b"$PnP\x01\x02");
    rom[HEADER_CHECKSUM] = complement(&rom[HEADER..HEADER + HEADER_BYTES]);
    rom[CODE..CODE + code.len()].copy_from_slice(&code);
    let last = rom.len() - 1;
    rom[last] = complement(&rom);
    Ok(rom)
}

/// How long a ROM with so many bytes of code is: its last byte is the checksum.
fn units(code: usize) -> Result<u8, AssembleError> {
    let bytes = (CODE + code + 1).next_multiple_of(UNIT);
    u8::try_from(bytes / UNIT).map_err(|_| AssembleError::TooLarge {
        part: "the checkpoint ROM",
        bytes,
        max: usize::from(u8::MAX) * UNIT,
    })
}

/// The code, which has so many bytes.
fn code(bytes: usize) -> Result<Vec<u8>, AssembleError> {
    let erased = (CODE + bytes).saturating_sub(LEAVING);
    let mut a = CodeAssembler::new(16)?;
    a.pushad()?;
    fw_cfg::wait_for_host(&mut a)?;
    // SeaBIOS keeps as much of a ROM as the ROM says when it returns (`optionroms.c: init_optionrom`): nothing. rombios looks for the signature of a
    // Plug and Play header again.
    a.push(es)?;
    a.push(cs)?;
    a.pop(es)?;
    a.xor(ax, ax)?;
    a.xor(di, di)?;
    a.mov(cx, erased as u32)?;
    a.cld()?;
    a.rep().stosb()?;
    a.pop(es)?;
    a.popad()?;
    a.xor(ax, ax)?;
    a.retf()?;
    Ok(a.assemble(CODE as u64)?)
}

/// What makes the sum of all bytes zero.
fn complement(bytes: &[u8]) -> u8 {
    bytes
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte))
        .wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_the_code_there_is_room_for_the_checksum() {
        let lengths = [0, 447, 448, 959, 960, 130_495].map(|code| units(code).unwrap());
        assert_eq!(lengths, [1, 1, 2, 2, 3, 255]);
        // More than that no byte can say.
        let error = units(130_496).unwrap_err();
        assert!(error.to_string().contains("131072"), "{error}");
        assert!(error.to_string().contains("130560"), "{error}");
    }

    #[test]
    fn the_rom_is_what_a_bios_looks_for() {
        let rom = option_rom().unwrap();
        assert_eq!(&rom[..2], &[0x55, 0xAA]);
        assert_eq!(usize::from(rom[2]) * 512, rom.len());
        let sum = |bytes: &[u8]| bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        assert_eq!(sum(&rom), 0, "the whole ROM");
        let header = usize::from(u16::from_le_bytes([rom[0x1A], rom[0x1B]]));
        assert_eq!(&rom[header..header + 4], b"$PnP");
        assert_eq!(
            sum(&rom[header..header + usize::from(rom[header + 5]) * 16]),
            0,
            "the header"
        );
        // What it does not erase: rep stosb; pop es; popad; xor ax, ax; retf.
        let code = code(code(0).unwrap().len()).unwrap();
        assert_eq!(
            code[code.len() - LEAVING..],
            [0xF3, 0xAA, 0x07, 0x66, 0x61, 0x31, 0xC0, 0xCB]
        );
        // No boot vectors: it must never become something to boot from.
        assert_eq!(&rom[header + 0x16..header + 0x1C], &[0; 6]);
    }
}
