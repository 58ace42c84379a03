//! The list of firmware families. Nothing that a family is made of knows it.

use super::{
    FirmwareId, aavmf::Aavmf, family::Family, ovmf::Ovmf, rombios::Rombios, seabios::Seabios,
    u_boot::UBoot,
};

impl FirmwareId {
    /// How machines with it are made and watched.
    pub(crate) const fn family(self) -> &'static dyn Family {
        match self {
            Self::Seabios => &Seabios::Pc,
            Self::Ovmf => &Ovmf::X64,
            Self::OvmfIa32 => &Ovmf::Ia32,
            Self::OvmfSecureBoot => &Ovmf::SecureBoot,
            Self::Rombios => &Rombios,
            Self::Aavmf => &Aavmf,
            Self::UBootArm64 => &UBoot::Arm64,
            Self::UBootX8664 => &UBoot::X64,
            Self::SeabiosMicrovm => &Seabios::Microvm,
        }
    }
}

/// One of each vocabulary: who listens to a machine of which nothing is known has to know them all.
pub(crate) const VOCABULARIES: &[&dyn Family] = &[&Seabios::Pc, &Ovmf::X64, &Rombios, &UBoot::X64];
