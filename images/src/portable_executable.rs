//! A UEFI application as a file: PE32+ for x86-64 and AArch64, PE32 for 32-bit x86.
//!
//! The image has three sections. `.data` comes first, so that its distance from the code is known
//! when the code is assembled; the code is position-independent and `.reloc` holds one relocation
//! that does nothing, because there is firmware that refuses an image without any.

use object::{pe, write::pe as writer};

use crate::probe::AssembleError;

const SECTION_ALIGNMENT: u32 = 0x1000;
const FILE_ALIGNMENT: u32 = 0x200;
const DATA_DIRECTORIES: usize = 16;

/// What differs between processors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    machine: pe::Machine,
    is_64: bool,
}

impl Format {
    /// x86-64.
    pub(crate) const X64: Self = Self {
        machine: pe::IMAGE_FILE_MACHINE_AMD64,
        is_64: true,
    };
    /// 32-bit x86.
    pub(crate) const IA32: Self = Self {
        machine: pe::IMAGE_FILE_MACHINE_I386,
        is_64: false,
    };
    /// AArch64.
    pub(crate) const AARCH64: Self = Self {
        machine: pe::IMAGE_FILE_MACHINE_ARM64,
        is_64: true,
    };
}

/// [`of`] for x86-64.
pub(crate) fn portable_executable(
    data: &[u8],
    data_bytes: u32,
    code: &[u8],
) -> Result<Vec<u8>, AssembleError> {
    of(Format::X64, data, data_bytes, code)
}

/// The file for a program whose `.data` begins with `data`, is `data_bytes` long in memory (a multiple of 4096), and stands
/// right before the code.
pub(crate) fn of(
    format: Format,
    data: &[u8],
    data_bytes: u32,
    code: &[u8],
) -> Result<Vec<u8>, AssembleError> {
    let length = |bytes: &[u8]| {
        u32::try_from(bytes.len()).map_err(|_| AssembleError::TooLarge {
            part: "the UEFI application",
            bytes: bytes.len(),
            max: u32::MAX as usize,
        })
    };
    let mut bytes = Vec::new();
    let mut pe = writer::Writer::new(format.is_64, SECTION_ALIGNMENT, FILE_ALIGNMENT, &mut bytes);
    pe.reserve_dos_header_and_stub();
    pe.reserve_nt_headers(DATA_DIRECTORIES);
    pe.reserve_section_headers(3);
    let data_at = pe.reserve_data_section(data_bytes, length(data)?);
    let code_at = pe.reserve_text_section(length(code)?);
    pe.add_reloc(code_at.virtual_address, pe::IMAGE_REL_BASED_ABSOLUTE);
    pe.reserve_reloc_section();

    pe.write_dos_header_and_stub()?;
    pe.write_nt_headers(writer::NtHeaders {
        machine: format.machine,
        time_date_stamp: 0,
        characteristics: match format.is_64 {
            true => pe::IMAGE_FILE_EXECUTABLE_IMAGE | pe::IMAGE_FILE_LARGE_ADDRESS_AWARE,
            false => pe::IMAGE_FILE_EXECUTABLE_IMAGE | pe::IMAGE_FILE_32BIT_MACHINE,
        },
        major_linker_version: 0,
        minor_linker_version: 0,
        address_of_entry_point: code_at.virtual_address,
        image_base: 0,
        major_operating_system_version: 0,
        minor_operating_system_version: 0,
        major_image_version: 0,
        minor_image_version: 0,
        major_subsystem_version: 0,
        minor_subsystem_version: 0,
        subsystem: pe::IMAGE_SUBSYSTEM_EFI_APPLICATION,
        dll_characteristics: pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT
            | pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE,
        size_of_stack_reserve: 0,
        size_of_stack_commit: 0,
        size_of_heap_reserve: 0,
        size_of_heap_commit: 0,
    });
    pe.write_section_headers();
    pe.write_section(data_at.file_offset, data);
    pe.write_section(code_at.file_offset, code);
    pe.write_reloc_section();
    Ok(bytes)
}
