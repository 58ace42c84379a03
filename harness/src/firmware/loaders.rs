//! The programs that UEFI firmware looks for on removable media.

/// The loaders that removable media have, by architecture (UEFI §3.5.1.1, table 3.2).
pub(crate) const LOADERS: [&str; 8] = [
    "BOOTIA32.EFI",
    "BOOTX64.EFI",
    "BOOTIA64.EFI",
    "BOOTARM.EFI",
    "BOOTAA64.EFI",
    "BOOTRISCV32.EFI",
    "BOOTRISCV64.EFI",
    "BOOTLOONGARCH64.EFI",
];
