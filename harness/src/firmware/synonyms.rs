//! What else firmware is called.

/// What users say, and the firmware that they mean.
pub(crate) const SYNONYMS: [(&str, &str); 3] =
    [("uefi", "ovmf"), ("efi", "ovmf"), ("legacy", "seabios")];
