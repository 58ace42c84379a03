//! EFI programs (PE/COFF, UEFI §2.1.1) as they stand on a disc: for which machine, whether whole, and which of the known ones. Any bytes may stand there.

use object::{
    LittleEndian as LE, pe,
    read::pe::{ImageNtHeaders, optional_header_magic},
};

/// Bytes at the beginning of a program in which all of its headers must stand.
pub const HEADERS: usize = 16 * 1024;
/// Sections that are kept at most.
const SECTIONS: usize = 96;

/// Bytes of a symbol (PE/COFF, "COFF Symbol Table").
const SYMBOL_BYTES: u64 = 18;

/// Applications, drivers and ROMs of EFI, by their subsystem (UEFI §2.1.1).
const EFI_SUBSYSTEMS: std::ops::RangeInclusive<u16> = 10..=13;
/// The drivers among them, for boot time and for run time. OVMF does not start one as a boot option.
const DRIVERS: std::ops::RangeInclusive<u16> = 11..=12;

/// The processor that a program is made for, as the number in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Machine(pub u16);

const AMD64: u16 = 0x8664;
const I386: u16 = 0x014C;
const ARM64: u16 = 0xAA64;
/// 32-bit Arm: the specification's number (Thumb), and two that are in use for the same.
const ARM: [u16; 3] = [0x01C2, 0x01C4, 0x01C0];
const ITANIUM: u16 = 0x0200;

/// What each name of a loader for removable media stands for (UEFI §3.5.1.1, and the additions for RISC-V and LoongArch).
const NAMES: [(&str, Machine); 9] = [
    ("BOOTX64.EFI", Machine(AMD64)),
    ("BOOTIA32.EFI", Machine(I386)),
    ("BOOTAA64.EFI", Machine(ARM64)),
    ("BOOTARM.EFI", Machine(ARM[0])),
    ("BOOTIA64.EFI", Machine(ITANIUM)),
    ("BOOTRISCV32.EFI", Machine(0x5032)),
    ("BOOTRISCV64.EFI", Machine(0x5064)),
    ("BOOTLOONGARCH32.EFI", Machine(0x6232)),
    ("BOOTLOONGARCH64.EFI", Machine(0x6264)),
];

impl Machine {
    /// x86-64.
    pub const X64: Self = Self(AMD64);
    /// 32-bit x86.
    pub const IA32: Self = Self(I386);

    /// The machine for which firmware looks for this name in `\EFI\BOOT`; `None` for a name that no firmware looks for.
    #[must_use]
    pub fn of_loader(name: &str) -> Option<Self> {
        let known = NAMES.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        known.map(|(_, machine)| *machine)
    }

    /// The name under which firmware of this machine looks for a loader.
    #[must_use]
    pub fn loader(self) -> Option<&'static str> {
        let known = NAMES.iter().find(|(_, machine)| machine.runs(self));
        known.map(|(name, _)| *name)
    }

    /// Whether firmware of this machine runs programs of another number.
    #[must_use]
    pub fn runs(self, program: Self) -> bool {
        let is_arm = |machine: Self| ARM.contains(&machine.0);
        self == program || (is_arm(self) && is_arm(program))
    }

    /// Whether its programs have the optional header of 64-bit ones.
    #[must_use]
    pub fn is_64_bit(self) -> bool {
        matches!(self.0, AMD64 | ARM64 | ITANIUM | 0x5064 | 0x6264)
    }

    /// Its name, for people.
    #[must_use]
    pub fn name(self) -> String {
        let name = match self.0 {
            AMD64 => "x86-64",
            I386 => "32-bit x86",
            ARM64 => "64-bit Arm",
            other if ARM.contains(&other) => "32-bit Arm",
            ITANIUM => "Itanium",
            0x5032 => "32-bit RISC-V",
            0x5064 => "64-bit RISC-V",
            0x6232 => "32-bit LoongArch",
            0x6264 => "64-bit LoongArch",
            other => return format!("machine {other:04X}"),
        };
        name.to_owned()
    }
}

/// A section of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name, up to eight characters.
    pub name: String,
    /// Where its bytes begin in the file.
    pub offset: u64,
    /// How many there are.
    pub length: u64,
}

/// A program's headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EfiProgram {
    /// What runs it.
    pub machine: Machine,
    /// Whether its subsystem is one of EFI's: a program for Windows is not.
    pub is_efi: bool,
    /// Whether it is a driver of EFI, not an application.
    pub is_driver: bool,
    /// Whether its optional header is that of a 64-bit program (PE32+).
    pub is_pe32_plus: bool,
    /// Its sections.
    pub sections: Vec<Section>,
    /// Where its string table begins, which has the names of more than eight characters: behind the symbols.
    pub strings: Option<u64>,
}

impl EfiProgram {
    /// The program whose file begins so: its first [`HEADERS`] bytes, or all of it. `None` where it is not one.
    #[must_use]
    pub fn decode(head: &[u8]) -> Option<Self> {
        match optional_header_magic(head).ok()? {
            pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC => Self::of::<pe::ImageNtHeaders64>(head),
            pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC => Self::of::<pe::ImageNtHeaders32>(head),
            _ => None,
        }
    }

    fn of<H: ImageNtHeaders>(head: &[u8]) -> Option<Self> {
        use object::read::pe::ImageOptionalHeader;
        let dos = pe::ImageDosHeader::parse(head).ok()?;
        let mut offset = dos.nt_headers_offset().into();
        let (headers, _) = H::parse(head, &mut offset).ok()?;
        let sections = headers.sections(head, offset).ok()?;
        let section = |section: &pe::ImageSectionHeader| Section {
            name: crate::bytes::printable(section.raw_name()),
            offset: section.pointer_to_raw_data.get(LE).into(),
            length: section.size_of_raw_data.get(LE).into(),
        };
        let subsystem = headers.optional_header().subsystem();
        let symbols = u64::from(headers.file_header().pointer_to_symbol_table.get(LE));
        let count = u64::from(headers.file_header().number_of_symbols.get(LE));
        Some(Self {
            machine: Machine(headers.file_header().machine.get(LE).0),
            is_efi: EFI_SUBSYSTEMS.contains(&subsystem.0),
            is_driver: DRIVERS.contains(&subsystem.0),
            is_pe32_plus: headers.is_type_64(),
            sections: sections.iter().take(SECTIONS).map(section).collect(),
            strings: (symbols > 0).then(|| symbols + count * SYMBOL_BYTES),
        })
    }

    /// How long its file must be: to the end of its last section that has bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        let sections = self.sections.iter().filter(|section| section.length > 0);
        let ends = sections.map(|section| section.offset.saturating_add(section.length));
        ends.max().unwrap_or(0)
    }

    /// A section by its name.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// A section of a program that is here as a whole, by its name, which may be a long one: then the header has the number of a place in the string table (PE/COFF,
    /// "Section Table").
    #[must_use]
    pub fn section_of<'p>(&self, program: &'p [u8], name: &str) -> Option<&'p [u8]> {
        let at = |from: u64| program.get(usize::try_from(from).ok()?..);
        let is_it = |section: &&Section| {
            let number = section.name.strip_prefix('/');
            let number = number.and_then(|it| it.parse::<u64>().ok());
            let place = number.and_then(|it| self.strings?.checked_add(it));
            let long = place
                .and_then(at)
                .and_then(|rest| rest.split(|&byte| byte == 0).next());
            section.name == name || long == Some(name.as_bytes())
        };
        let section = self.sections.iter().find(is_it)?;
        at(section.offset)?.get(..usize::try_from(section.length).ok()?)
    }

    /// The modules of GRUB's core image, where it is one.
    #[must_use]
    pub fn grub_modules(&self) -> Option<&Section> {
        self.section("mods")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn our_own_program_is_read() {
        let program =
            crate::portable_executable::portable_executable(&[0; 16], 4_096, &[0xC3; 600]).unwrap();
        let read = EfiProgram::decode(&program).unwrap();
        assert_eq!(read.machine, Machine::X64);
        assert!(read.is_efi);
        assert!(read.length() <= program.len() as u64, "{read:?}");
        assert!(read.length() > 512, "{read:?}");
        assert_eq!(EfiProgram::decode(&program[..60]), None);
        assert_eq!(EfiProgram::decode(b""), None);
    }

    #[test]
    fn each_name_has_a_machine_and_each_machine_a_name() {
        for (name, machine) in NAMES {
            assert_eq!(Machine::of_loader(&name.to_lowercase()), Some(machine));
            assert_eq!(machine.loader(), Some(name));
        }
        assert_eq!(Machine::of_loader("BOOTX32.EFI"), None);
        assert_eq!(Machine(ARM[1]).loader(), Some("BOOTARM.EFI"));
        assert!(!Machine::X64.runs(Machine::IA32));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..4_096)) {
            let _ = EfiProgram::decode(&bytes);
        }
    }
}
