//! The tools that master discs and work on them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A tool that masters discs, or that works on a disc or on what goes onto it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// xorriso, by itself or as mkisofs.
    Xorriso,
    /// GRUB's script, which has xorriso master the disc.
    GrubMkrescue,
    /// genisoimage of cdrkit.
    Genisoimage,
    /// mkisofs of schilytools.
    Mkisofs,
    /// isohybrid of syslinux, which makes a disk of a disc that exists.
    Isohybrid,
    /// libarchive, by bsdtar.
    Bsdtar,
    /// pycdlib, a library for Python.
    Pycdlib,
    /// Microsoft's oscdimg, which calls itself CDIMAGE.
    Oscdimg,
    /// Microsoft's IMAPI.
    Imapi,
    /// ImgBurn.
    Imgburn,
    /// UltraISO.
    Ultraiso,
    /// The reference master of boot-matrix.
    BootMatrix,
    /// implantisomd5 of isomd5sum.
    Implantisomd5,
    /// dd.
    Dd,
}

impl Tool {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Xorriso => "xorriso",
            Self::GrubMkrescue => "grub-mkrescue",
            Self::Genisoimage => "genisoimage",
            Self::Mkisofs => "mkisofs",
            Self::Isohybrid => "isohybrid",
            Self::Bsdtar => "bsdtar",
            Self::Pycdlib => "pycdlib",
            Self::Oscdimg => "oscdimg",
            Self::Imapi => "imapi",
            Self::Imgburn => "imgburn",
            Self::Ultraiso => "ultraiso",
            Self::BootMatrix => "boot-matrix",
            Self::Implantisomd5 => "implantisomd5",
            Self::Dd => "dd",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_called_the_same_in_json() {
        for tool in [
            Tool::Xorriso,
            Tool::GrubMkrescue,
            Tool::Genisoimage,
            Tool::Mkisofs,
            Tool::Isohybrid,
            Tool::Bsdtar,
            Tool::Pycdlib,
            Tool::Oscdimg,
            Tool::Imapi,
            Tool::Imgburn,
            Tool::Ultraiso,
            Tool::BootMatrix,
            Tool::Implantisomd5,
            Tool::Dd,
        ] {
            assert_eq!(serde_json::to_string(&tool).unwrap(), format!("\"{tool}\""));
        }
    }
}
