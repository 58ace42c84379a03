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
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true)]
    pub format: Format,
}

#[derive(Debug, Subcommand)]
pub enum FirmwareVerb {
    /// Say which builds there are, and which QEMU.
    #[command(after_help = examples::FIRMWARE_LIST.help())]
    List,
    /// Fetch those of other releases of this distribution, as packages, by this host's package manager. Nothing is installed.
    #[command(after_help = examples::FIRMWARE_FETCH.help())]
    Fetch {
        /// A newer QEMU too, unpacked beside the host's, for --qemu.
        #[arg(long)]
        qemu: bool,
    },
    /// Keep a copy of a firmware that is in a file: a ROM of SeaBIOS, or OVMF; or the host's with other keys for Secure Boot.
    #[command(after_help = examples::FIRMWARE_ADD.help())]
    Add {
        /// The ROM, OVMF's code, or both code and variables in one. Not with --db, --dbx or --setup-mode, which change the keys of the host's ovmf-secure-boot.
        #[arg(value_name = "FILE", required_unless_present_any = ["db", "dbx", "setup_mode"])]
        file: Option<PathBuf>,
        /// A certificate (PEM or DER), a program or an EFI signature list that the machine trusts. Repeat it for more.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "setup_mode"], requires = "name")]
        db: Vec<PathBuf>,
        /// The same, for what the machine refuses.
        #[arg(long, value_name = "FILE", conflicts_with = "file", requires = "name")]
        dbx: Vec<PathBuf>,
        /// The machine has no owner and no keys, and starts everything.
        #[arg(long, conflicts_with = "file", requires = "name")]
        setup_mode: bool,
        /// The variable store that goes with it, as with enrolled keys for Secure Boot.
        #[arg(long, value_name = "FILE")]
        variables: Option<PathBuf>,
        /// Its id and version. Required for OVMF: only SeaBIOS's image contains its version.
        #[arg(long = "as", value_name = "ID@VERSION", value_parser = words::read::<FirmwareName>)]
        name: Option<FirmwareName>,
    },
    /// Remove one that was fetched or added.
    #[command(after_help = examples::FIRMWARE_REMOVE.help())]
    Remove {
        /// Its name, as the list has it.
        #[arg(value_name = "ID@VERSION", value_parser = words::read::<FirmwareName>)]
        name: FirmwareName,
    },
}
