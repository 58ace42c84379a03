//! The programs that stop a machine after its power-on self-test, where a checkpoint of it can be taken.
//!
//! Each says [`READY`] on the debug port, or on the serial line where there is no such port, and then looks, for ever, at the first byte of
//! the file [`WAKE_FILE`] of QEMU's firmware configuration device (QEMU, `docs/specs/fw_cfg.rst`), which belongs to the host's side of a machine and
//! not to its state: as long as it is [`WAIT`] the program waits. A machine that is restored with [`GO`] there goes on at once, with no message that could be lost.
//!
//! Whatever the firmware has learned of the medium must be learned anew, because it will be another one. The UEFI application takes the drivers off
//! every block device before it waits, and puts them back after. The option ROM need not do this. By then, SeaBIOS has read only the volume's name of a CD, for its
//! boot menu (`boot.c: boot_add_cd`); it reads the disc again when it boots from it (`cdrom.c: cdrom_boot`). rombios has read nothing. A disc that is attached as a
//! disk has no checkpoint under SeaBIOS, which asks a disk for its length in the self-test and keeps it (`virtio-blk.c: init_virtio_blk`,
//! `blockcmd.c: scsi_drive_setup`).

mod bios;
mod fw_cfg;
mod portable;
mod uefi;
mod wake;

pub use self::{
    bios::option_rom,
    wake::{GO, READY, WAIT, WAKE_FILE},
};
use crate::{boot::Loader, probe::AssembleError};

/// The UEFI application for the processor that runs such a loader. It returns `EFI_NOT_FOUND`, as if there were nothing to run, and the firmware goes on as always.
///
/// # Errors
/// [`AssembleError`]: a mistake in the program.
pub fn application(loader: Loader) -> Result<Vec<u8>, AssembleError> {
    match loader {
        Loader::X64 => uefi::application(),
        Loader::Ia32 | Loader::Aa64 => portable::application(loader),
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::bytes::hex;
    use crate::efi_program::{EfiProgram, Machine};

    #[test]
    fn qemu_takes_each_application_for_a_kernel_and_firmware_for_a_program() {
        for loader in Loader::ALL {
            let file = application(loader).unwrap();
            assert_eq!(&file[..2], b"MZ");
            assert!(file.len() >= 5 * 512, "four setup sectors and the first");
            // A Linux kernel would carry `HdrS` here, and be started by another protocol.
            assert_ne!(&file[0x202..0x206], b"HdrS");
            let read = EfiProgram::decode(&file).unwrap();
            let name = loader.path().rsplit('/').next().unwrap();
            assert_eq!(Loader::of_file(name), Some(loader));
            assert_eq!(Some(read.machine), Machine::of_loader(name));
            assert!(read.is_efi);
        }
        assert_eq!(Loader::of_file("GRUBX64.EFI"), None);
    }

    #[test]
    fn the_programs_are_the_bytes_that_they_were() {
        // A checkpoint is known by these bytes, too. Where they change, boot from one on every firmware before the new digests are put here.
        let digest =
            |program: Result<Vec<u8>, AssembleError>| hex(Sha256::digest(program.unwrap()));
        for (program, expected) in [
            (
                application(Loader::X64),
                "427f25d344c0b554d355e758c57b300bf3f1685bff3750438a4033e0719db7e1",
            ),
            (
                application(Loader::Ia32),
                "38e9c3b3e8dd4ea2a1f5f9df42a44eefa5442d31e68c68f6d28774fbae95f455",
            ),
            (
                application(Loader::Aa64),
                "3766f51ebbfd6656ea5a4275172930d37ffe455709b8a324664424d43849435d",
            ),
            (
                option_rom(),
                "52e84f6a353d5b3e263c36209d59e906ac5c223b759b32e0d3d743dcbed219dc",
            ),
        ] {
            assert_eq!(digest(program), expected);
        }
    }
}
