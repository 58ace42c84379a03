//! Which tools made a disc, by the traces that they leave on it.

use super::{Window, bios_program::SectorCode, reading::Inspection};
use crate::{
    boot_configuration::{Eyes, FileSystem, Found, Volumes},
    tool::Tool,
};

/// What tools write into the primary volume descriptor, as the preparer or the application, unless they are given other words. Seen on discs of xorriso
/// 1.5.4, genisoimage 1.1.11, libarchive 3.6.2, pycdlib 1.12; of schilytools, oscdimg 2.56 (`CDIMAGE 2.56 (01/01/2005 TM)`), ImgBurn 2.5 and UltraISO 9.6
/// as others print them.
const WORDS: [(&str, Tool); 9] = [
    ("XORRISO-", Tool::Xorriso),
    ("GENISOIMAGE ", Tool::Genisoimage),
    ("MKISOFS ", Tool::Mkisofs),
    ("LIBARCHIVE ", Tool::Bsdtar),
    ("PYCDLIB ", Tool::Pycdlib),
    ("CDIMAGE ", Tool::Oscdimg),
    ("IMGBURN ", Tool::Imgburn),
    ("ULTRAISO ", Tool::Ultraiso),
    ("BOOT-MATRIX ", Tool::BootMatrix),
];

/// Where grub-mkrescue puts the image for UEFI, as others do too.
const IMAGE_OF_MKRESCUE: &str = "/efi.img";
/// Where it puts the modules of GRUB's platforms that have such an image.
const MODULES_OF_MKRESCUE: [&str; 3] = [
    "/boot/grub/x86_64-efi",
    "/boot/grub/i386-efi",
    "/boot/grub/arm64-efi",
];

/// The tools that left their traces on a disc, the one that laid it out first; empty where none did. What a person can overwrite is no proof: it decides which
/// recipes are shown first, and nothing else.
pub(super) fn mastered_by(
    disc: &mut Window<'_>,
    inspection: &Inspection,
    sector: SectorCode,
) -> Vec<Tool> {
    let Some(volume) = &inspection.volume else {
        return Vec::new();
    };
    // People who make Windows' discs again give xorriso the words of oscdimg as the application, and seldom as the preparer.
    let Some(tool) = known(&volume.preparer).or_else(|| known(&volume.application)) else {
        return Vec::new();
    };
    let mut by_script = || {
        let mut images = inspection.entries().map(|(_, boot)| boot.path.as_deref());
        let mut volumes = Volumes::new(disc, inspection);
        let mut folders = MODULES_OF_MKRESCUE.iter();
        images.any(|path| path == Some(IMAGE_OF_MKRESCUE))
            && folders.any(|folder| {
                let found = volumes.find(FileSystem::Tree, folder, Eyes::Grub);
                matches!(found, Found::Directory)
            })
    };
    match tool {
        Tool::Xorriso if by_script() => vec![Tool::GrubMkrescue, tool],
        // xorriso and pycdlib write isohybrid's code themselves.
        Tool::Genisoimage | Tool::Mkisofs if matches!(sector, SectorCode::Isohdpfx(_)) => {
            vec![tool, Tool::Isohybrid]
        }
        _ => vec![tool],
    }
}

fn known(words: &str) -> Option<Tool> {
    let words = words.to_ascii_uppercase();
    let mut all = WORDS.iter().filter(|(begin, _)| words.starts_with(begin));
    let imapi = || words.contains("IMAPI").then_some(Tool::Imapi);
    all.next().map(|(_, tool)| *tool).or_else(imapi)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_known_by_their_words() {
        let check = |words: &str, tool| assert_eq!(known(words), tool, "{words}");
        check(
            "XORRISO-1.5.4 2021.01.30.150001, LIBISOBURN-1.5.4, LIBISOFS-1.5.4, LIBBURN-1.5.4",
            Some(Tool::Xorriso),
        );
        check(
            "GENISOIMAGE ISO 9660/HFS FILESYSTEM CREATOR (C) 1993 E.YOUNGDALE (C) 1997-2006 J.PEARSON/J.SCHILLING (C) 2006-2007 CDRKIT TEAM",
            Some(Tool::Genisoimage),
        );
        check(
            "MKISOFS ISO9660/HFS/UDF FILESYSTEM BUILDER & CDRECORD CD/DVD/BluRay CREATOR (C) 1993 E.YOUNGDALE (C) 1997 J.PEARSON/J.SCHILLING",
            Some(Tool::Mkisofs),
        );
        check("LIBARCHIVE 3.6.2", Some(Tool::Bsdtar));
        check(
            "PyCdlib (C) 2015-2020 Chris Lalancette",
            Some(Tool::Pycdlib),
        );
        check("CDIMAGE 2.56 (01/01/2005 TM)", Some(Tool::Oscdimg));
        check(
            "IMGBURN V2.5.8.0 - THE ULTIMATE IMAGE BURNER!",
            Some(Tool::Imgburn),
        );
        check("BOOT-MATRIX REFERENCE MASTER", Some(Tool::BootMatrix));
        check("IPXE BUILD SYSTEM", None);
        check("", None);
    }
}
