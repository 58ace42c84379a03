//! What `firmware` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use scenarios::words::{self, FirmwareName};

use super::Format;
use crate::examples;

#[derive(Debug, Args)]
#[command(after_help = examples::FIRMWARE.help())]
pub struct Firmware {
    #[command(subcommand)]
    pub verb: FirmwareVerb,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true)]
    pub format: Format,
}

#[derive(Debug, Subcommand)]
pub enum FirmwareVerb {
    /// List the builds of firmware, and the QEMU that ran each.
    #[command(after_help = examples::FIRMWARE_LIST.help())]
    List,
    /// Fetch the builds that other releases of this distribution package, with the host's package manager. Nothing is installed.
    #[command(after_help = examples::FIRMWARE_FETCH.help())]
    Fetch {
        /// Also fetch a newer QEMU, for --qemu. It is unpacked in a folder of its own.
        #[arg(long)]
        qemu: bool,
    },
    /// Add a copy of a firmware file (a SeaBIOS ROM or OVMF), or a copy of the host's OVMF with other Secure Boot keys.
    #[command(after_help = examples::FIRMWARE_ADD.help())]
    Add {
        /// The file: a ROM, OVMF's code, or code and variables in one file. Omit it with --db, --dbx or --setup-mode, which change the keys of the host's
        /// ovmf-secure-boot.
        #[arg(value_name = "FILE", required_unless_present_any = ["db", "dbx", "setup_mode"])]
        file: Option<PathBuf>,
        /// Trust this certificate (PEM or DER), program or EFI signature list. Repeat the option for more.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "setup_mode"], requires = "name")]
        db: Vec<PathBuf>,
        /// Refuse this certificate, program or EFI signature list. Repeat the option for more.
        #[arg(long, value_name = "FILE", conflicts_with = "file", requires = "name")]
        dbx: Vec<PathBuf>,
        /// Make a machine without keys (in setup mode), which starts everything.
        #[arg(long, conflicts_with = "file", requires = "name")]
        setup_mode: bool,
        /// The variable store for the firmware, for example with enrolled Secure Boot keys.
        #[arg(long, value_name = "FILE")]
        variables: Option<PathBuf>,
        /// The build's id and version. Required for OVMF, because only a SeaBIOS image contains its version.
        #[arg(long = "as", value_name = "ID@VERSION", value_parser = words::read::<FirmwareName>)]
        name: Option<FirmwareName>,
    },
    /// Remove a build that was fetched or added.
    #[command(after_help = examples::FIRMWARE_REMOVE.help())]
    Remove {
        /// The build's name, as in cargo xtask firmware list.
        #[arg(value_name = "ID@VERSION", value_parser = words::read::<FirmwareName>)]
        name: FirmwareName,
    },
}
