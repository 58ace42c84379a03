//! What is known of each finding: how bad, who trips, why, and how to mend it with which tool's option.

use super::{
    FindingId as Id, Record,
    Severity::{self, Error, Info, Warning},
};

macro_rules! either {
    () => {
        None
    };
    ($milder:ident) => {
        Some(Severity::$milder)
    };
}

macro_rules! catalogue {
    ($($variant:ident: $severity:ident $(or $milder:ident)?, $trips:expr, $explanation:literal, $consequence:literal, $remedy:literal $(, $tool:literal => $fix:literal)* ;)*) => {
        pub(super) const fn record(id: Id) -> &'static Record {
            match id {
                $(Id::$variant => &Record {
                    severity: $severity,
                    milder: either!($($milder)?),
                    trips: &$trips,
                    explanation: $explanation,
                    consequence: $consequence,
                    remedy: $remedy,
                    fixes: &[$(($tool, $fix)),*],
                }),*
            }
        }
    };
}

catalogue! {
    NoBootRecord: Error, ["seabios", "ovmf"],
        "The volume descriptor set holds no El Torito boot record.",
        "SeaBIOS stops with code 0004 and OVMF reports Not Found.",
        "Master the disc with a boot image.",
        "xorriso" => "xorriso -as mkisofs -b boot.img -no-emul-boot -boot-load-size 4 -o disc.iso tree",
        "genisoimage" => "genisoimage -b boot.img -c boot.cat -no-emul-boot -boot-load-size 4 -o disc.iso tree",
        "bsdtar" => "bsdtar -cf disc.iso --format=iso9660 --options='boot=boot.img,boot-catalog=boot.cat,boot-type=no-emulation' -C tree .",
        "pycdlib" => "iso.add_eltorito('/BOOT.IMG;1', bootcatfile='/BOOT.CAT;1')",
        "oscdimg" => "oscdimg -betfsboot.com tree disc.iso";
    BootRecordMisplaced: Error, ["seabios"],
        "The boot record does not stand at LBA 17, where El Torito puts it.",
        "SeaBIOS reads LBA 17 alone and stops with code 0004; OVMF walks all descriptors and boots.",
        "Let the boot record follow the primary volume descriptor directly, before any supplementary one.";
    BootRecordDuplicate: Error, ["ovmf"],
        "The descriptor set holds more than one El Torito boot record.",
        "OVMF hangs without a word when such a disc is in a CD drive.",
        "Keep one boot record, and put every boot image into its catalog as a section entry.",
        "xorriso" => "-eltorito-alt-boot between the images, in one call",
        "genisoimage" => "-eltorito-alt-boot between the images, in one call",
        "oscdimg" => "-bootdata:2#p0,e,betfsboot.com#pEF,e,befisys.bin",
        "pycdlib" => "call add_eltorito once for each image, on one object";
    BootRecordIdPadding: Error, ["seabios"],
        "The boot record's version is not 1, or its identifier EL TORITO SPECIFICATION is not followed by zeros.",
        "SeaBIOS compares the zero behind the identifier, and the version, and stops with code 0005; OVMF boots.",
        "Pad the boot system identifier with zeros, not with spaces as the other identifiers of ISO 9660 are, and write version 1.";
    CatalogOutOfRange: Error, ["seabios", "ovmf"],
        "The boot record points to a catalog that is not on the disc.",
        "SeaBIOS stops with code 0007, and OVMF finds nothing.",
        "Fetch the image again if it was cut short; else write the boot record after the catalog has its address.",
        "xorriso" => "when changing an image: -boot_image any replay, or -boot_image any keep with an unchanged layout";
    CatalogHeaderId: Error, ["seabios", "ovmf"],
        "The catalog's first entry does not begin with 01.",
        "SeaBIOS stops with code 0008 and OVMF reports Not Found.",
        "Point the boot record to the catalog, and begin the catalog with a validation entry.";
    CatalogKey: Error, ["seabios", "ovmf"],
        "The validation entry does not end with the key bytes 55 AA.",
        "SeaBIOS stops with code 000a and OVMF reports Not Found.",
        "Write 55 at byte 1Eh of the validation entry, and AA at 1Fh.";
    CatalogChecksum: Error, ["ovmf", "u-boot"],
        "The sixteen little-endian words of the validation entry do not sum to 0.",
        "OVMF reports Not Found and U-Boot refuses; SeaBIOS does not look.",
        "Compute the checksum last, after the platform and the id string stand in the entry; if it was right once, any byte of the entry may be damaged.";
    CatalogPlatform: Warning, ["firmware"],
        "A platform id is none of 00 (x86), 01 (PowerPC), 02 (Mac) and EF (UEFI).",
        "What becomes of it depends on the firmware: SeaBIOS refuses it in the validation entry with code 0009, OVMF ignores platforms.",
        "Write EF for UEFI (FE is a frequent slip) and 00 for a BIOS.",
        "xorriso" => "-boot_image any platform_id=0xef, or -e instead of -b under -as mkisofs",
        "mkisofs" => "-eltorito-platform efi",
        "pycdlib" => "add_eltorito(…, platform_id=0xef) or efi=True",
        "oscdimg" => "pEF in the entry of -bootdata";
    CatalogEfiOnly: Info, ["seabios"],
        "The validation entry is for UEFI, and no entry is for x86.",
        "SeaBIOS stops with code 0009, which is by design on a disc for UEFI alone.",
        "Nothing need be done; for a BIOS too, begin the catalog with an x86 entry and put the EFI entry into a section.",
        "xorriso" => "-b bios.img -no-emul-boot -boot-load-size 4 -eltorito-alt-boot -e efi.img -no-emul-boot",
        "genisoimage" => "-b bios.img -no-emul-boot -boot-load-size 4 -eltorito-alt-boot -e efi.img -no-emul-boot",
        "grub-mkrescue" => "install the modules of i386-pc beside those of x86_64-efi";
    CatalogNoEfi: Warning, ["ovmf"],
        "The disc holds an EFI loader or an EFI system partition, but its catalog has no entry for UEFI.",
        "A firmware that goes by the catalog never sees it; once El Torito is found, partition tables are not tried.",
        "Put a FAT image with the loader on the disc and name it in an entry of platform EF.",
        "xorriso" => "-eltorito-alt-boot -e efi.img -no-emul-boot",
        "genisoimage" => "-eltorito-alt-boot -e efi.img -no-emul-boot",
        "bsdtar" => "it writes one x86 entry alone: master discs for UEFI with another tool",
        "pycdlib" => "a second add_eltorito('/EFI.IMG;1', efi=True)",
        "oscdimg" => "-bootdata:2#p0,e,betfsboot.com#pEF,e,befisys.bin",
        "grub-mkrescue" => "install the modules of x86_64-efi, and mtools";
    CatalogSectionHeaderMissing: Warning, ["tools"],
        "Entries follow the initial one without a section header (90 or 91) before them.",
        "Strict readers stop after the initial entry; OVMF accepts it.",
        "Write a section header with the platform and the number of entries before them.",
        "genisoimage" => "cdrkit without the patches of distributions writes no header: use xorriso -as mkisofs with the same options";
    CatalogSectionChain: Warning, ["tools"],
        "The section headers do not agree with what follows them: the last one must be 91, those before it 90, and each must count its entries.",
        "Strict readers miss entries or read past the catalog; OVMF accepts it.",
        "Write 91 into the last header and 90 into the others, and count the entries of each.";
    CatalogEfiTooDeep: Error, ["ovmf", "usb"],
        "The first EFI entry stands behind slot 15.",
        "OVMF scans as many slots as one block has: 16 on a USB stick or virtio disk, so that the disc boots from a CD drive alone.",
        "Put the EFI entry's section before other sections.",
        "xorriso" => "name the EFI image directly after the first -eltorito-alt-boot",
        "genisoimage" => "name the EFI image directly after the first -eltorito-alt-boot";
    EntryNotBootable: Error, ["seabios", "ovmf"],
        "The boot indicator of the initial entry, or of the only entry for UEFI, is not 88.",
        "SeaBIOS stops with code 000b, and OVMF makes no drive of it.",
        "Mark the entry as bootable.",
        "xorriso" => "leave -no-boot away",
        "genisoimage" => "leave -no-boot away",
        "pycdlib" => "add_eltorito(…, bootable=True)";
    EntryMediaType: Error, ["seabios"],
        "The media type is none of 0 (no emulation), 1 to 3 (floppies) and 4 (hard disk), or reserved bits are set.",
        "SeaBIOS takes every value from 4 on for a hard disk; OVMF masks the upper bits and takes 5 to F to the end of the volume.",
        "Write 0 for no emulation, or the number of the drive that the image is.",
        "xorriso" => "-no-emul-boot, -hard-disk-boot, or neither for a floppy",
        "genisoimage" => "-no-emul-boot, -hard-disk-boot, or neither for a floppy",
        "bsdtar" => "boot-type=no-emulation, fd or hd",
        "pycdlib" => "media_name='noemul', 'floppy' or 'hdemul'";
    EntryLoadSegment: Error, ["seabios"],
        "The image is loaded at a segment at which it cannot run.",
        "7C00 instead of 07C0 loads it at address 7C000h; a loader that is linked for 0:7C00 then jumps into nothing.",
        "Write segment 0, which means 07C0.",
        "genisoimage" => "leave -boot-load-seg away, or -boot-load-seg 0x07C0",
        "bsdtar" => "leave boot-load-seg away",
        "pycdlib" => "add_eltorito(…, boot_load_seg=0)",
        "oscdimg" => "leave -t away, or t07C0 in the entry of -bootdata";
    CountZero: Error, ["seabios", "virtualbox"],
        "The sector count of a BIOS entry is 0: nothing is loaded.",
        "SeaBIOS jumps into empty memory and hangs; VirtualBox stops with code 12.",
        "Give the number of 512-byte sectors that the boot sector needs to be loaded, commonly 4.",
        "xorriso" => "-boot-load-size 4",
        "genisoimage" => "-boot-load-size 4",
        "bsdtar" => "boot-load-size=4",
        "pycdlib" => "add_eltorito(…, boot_load_size=4)";
    CountTooLarge: Error, ["seabios", "virtualbox"],
        "The sector count of a BIOS entry is larger than there is memory below the BIOS for.",
        "SeaBIOS overwrites itself and resets or hangs from 1,824 sectors on; VirtualBox stops with code 12 above 1,024.",
        "Load the first sectors only, commonly 4, and let the loader read the rest itself.",
        "xorriso" => "-boot-load-size 4",
        "genisoimage" => "-boot-load-size 4",
        "bsdtar" => "boot-load-size=4",
        "pycdlib" => "add_eltorito(…, boot_load_size=4)";
    CountWrapped: Error, ["ovmf", "firmware"],
        "The sector count is the image's length modulo 65,536.",
        "The firmware sees a small part of an image of 32 MiB or more; OVMF hides it while four times the count suffices.",
        "For an EFI image above 65,535 sectors write 0, which reaches to the end of the medium; for a BIOS load fewer sectors.",
        "xorriso" => "1.5.4 writes 0 by itself for EFI images; give no -boot-load-size",
        "genisoimage" => "an EFI image below 32 MiB, or xorriso: genisoimage cuts the count to 16 bits without a word",
        "pycdlib" => "add_eltorito(…, boot_load_size=0)";
    CountUnit: Error, ["firmware"],
        "The sector count of an EFI entry is in 2048-byte blocks: a quarter of the image's length in 512-byte sectors.",
        "OVMF, which takes the count in blocks itself, boots it; a firmware that keeps to the specification sees a quarter of the file system.",
        "Count 512-byte sectors: the image's bytes divided by 512.",
        "xorriso" => "-boot-load-size full, or none at all",
        "pycdlib" => "add_eltorito(…, boot_load_size=length // 512)";
    CountEfiShort: Error, ["ovmf", "firmware"],
        "The sector count of an EFI entry covers a small part of its file system.",
        "OVMF mounts the file system, cannot reach the loader, and reports Not Found.",
        "Give the image's whole length; a load size of 4 belongs to the BIOS entry.",
        "xorriso" => "-boot-load-size 4 before -eltorito-alt-boot only, none behind it",
        "genisoimage" => "-boot-load-size 4 before -eltorito-alt-boot only, none behind it",
        "pycdlib" => "add_eltorito(…, boot_load_size=length // 512)";
    ImageOutOfRange: Error, ["seabios", "ovmf"],
        "A boot image begins or ends behind the end of the disc.",
        "SeaBIOS stops with code 000c where it loads from there, OVMF finds no file system; an image of which only the tail is missing may still start.",
        "Fetch the image again if it was cut short; else master the disc again, on a medium that holds it.";
    ImageOversized4x: Error, ["tools"],
        "A boot image takes exactly four times the length that it says it has: it was counted in 512-byte sectors and written in 2048-byte ones (KB912666).",
        "It boots where the extra bytes trail the image, wastes the disc, and cannot be mastered above a quarter of the medium.",
        "Master the disc again with a tool that keeps the two units apart; on Windows XP, with Imapi.exe from KB912666.";
    ImageExceedsQuarter: Info, ["tools"],
        "The boot image is longer than a quarter of the medium.",
        "A defective IMAPI of Windows XP (KB912666) cannot master it, because it writes four times as much.",
        "Nothing need be done with other tools.";
    PartitionPastEnd: Info, ["ovmf"],
        "OVMF takes the sector count of an EFI entry in 2048-byte blocks, and the partition so computed ends behind the last recorded block.",
        "OVMF exposes blocks that cannot be read, which does no harm while nothing reads them.",
        "Nothing need be done.";
    FloppySize: Error, ["tools", "seabios"],
        "The image of a floppy is not as long as the floppy: 1,200, 1,440 or 2,880 KiB.",
        "Tools refuse it, and the tail of a short image reads whatever follows on the disc.",
        "Pad the image to its floppy's size, or give the media type that fits.",
        "xorriso" => "truncate -s 1440K floppy.img first; -no-emul-boot for an image that is no floppy",
        "genisoimage" => "truncate -s 1440K floppy.img first; -no-emul-boot for an image that is no floppy",
        "bsdtar" => "boot-type=fd pads by itself";
    EfiAsFloppy: Warning, ["firmware"],
        "An EFI system partition stands in an entry with floppy or hard-disk emulation.",
        "OVMF boots it; others skip entries with an emulation, as the UEFI specification lets them.",
        "Use no emulation for EFI entries.",
        "xorriso" => "-e efi.img -no-emul-boot",
        "genisoimage" => "-e efi.img -no-emul-boot",
        "pycdlib" => "media_name='noemul'",
        "oscdimg" => "e in the entry of -bootdata";
    HardDiskPartitionSlot: Error, ["seabios", "tools"],
        "The hard-disk image does not have exactly one partition, in slot 0 of its table.",
        "SeaBIOS takes the drive's geometry from slot 0 alone: with none there, every read fails.",
        "Make one partition, as number 1.";
    HardDiskSystemType: Warning, ["firmware"],
        "The entry's system type is not the type byte of the image's partition.",
        "A strict firmware refuses it; SeaBIOS does not look.",
        "Copy the type byte of the partition into the entry.",
        "pycdlib" => "it copies the type from the image: add the image after it is partitioned";
    HardDiskCylinders: Warning, ["bochs"],
        "The hard-disk image has more than 255 cylinders, or more than cylinders, heads and sectors can address.",
        "The BIOS of Bochs computes the geometry wrongly above 255 cylinders, and INT 13h addresses 1,024.",
        "Use more heads and sectors, 255 and 63 at the most, or a smaller image.";
    MbrSignature: Warning, ["tools"],
        "The hard-disk image's first sector does not end with 55 AA.",
        "SeaBIOS boots it; tools refuse it.",
        "Write a master boot record into the image.";
    BootInfoTable: Error or Warning, ["isolinux"],
        "isolinux has no boot-info table, or a boot image has one that is wrong.",
        "isolinux stops with Image checksum error, sorry. Other loaders, such as GRUB's, do not look; but the image is not as it was mastered, and damaged code may do anything.",
        "Fetch the image again if it was damaged; else let the mastering tool write the table, and change the image no more afterwards.",
        "xorriso" => "-boot-info-table",
        "genisoimage" => "-boot-info-table",
        "bsdtar" => "boot-info-table",
        "pycdlib" => "add_eltorito(…, boot_info_table=True)";
    EfiNoLoader: Error, ["ovmf"],
        "No EFI entry's image is a FAT file system with \\EFI\\BOOT\\BOOT*.EFI.",
        "OVMF reports Not Found.",
        "Make the image a FAT file system and put the loader into it, as \\EFI\\BOOT\\BOOTX64.EFI for x86-64.",
        "mtools" => "mformat -C -i efi.img -f 2880 :: && mmd -i efi.img ::/EFI ::/EFI/BOOT && mcopy -i efi.img BOOTX64.EFI ::/EFI/BOOT",
        "grub-mkrescue" => "makes the image by itself, given mtools and the modules of x86_64-efi";
    EfiOpenEndOutsideVolume: Error, ["ovmf"],
        "An EFI entry of count 0 or 1 reaches to the end of the volume, and the volume ends before the image does.",
        "OVMF computes no or too few blocks: Not Found.",
        "Put the image inside the volume, keep it below 32 MiB so that a count can say its length, or enlarge the volume.",
        "xorriso" => "-e /boot/efi.img with the image in the tree, instead of -e --interval:appended_partition_2:all::, when it is larger than 32 MiB";
    VolumeSize: Error or Info, ["ovmf", "tools"],
        "The volume's size in the primary descriptor disagrees with the disc's length.",
        "Files at the end are missing where the volume claims more than there is; data behind the volume is out of reach of an EFI entry that ends with it.",
        "Fetch the image again if it was cut short; else write the size when the disc is complete.";
    MultisessionStale: Error, ["firmware"],
        "Only an earlier session has a boot record.",
        "Firmware that knows sessions finds nothing to boot in the last one; firmware that does not boots the old one.",
        "Carry the boot record over when a session is added.",
        "xorriso" => "-boot_image any keep (do not discard) when adding a session, or -boot_image any replay",
        "genisoimage" => "repeat -b, -c and the other boot options with -M and -C";
    HybridMbr: Error or Warning, ["usb"],
        "Partitions of the MBR overlap or end behind the disc.",
        "UEFI rejects such a table as a whole, and finds no partition on a USB stick; OVMF boots it all the same where the catalog leads to an EFI loader, because it looks for El Torito first.",
        "Give the entry that covers the whole disc type 00, and keep the others apart and on the disc.",
        "xorriso" => "-isohybrid-gpt-basdat, or -append_partition 2 0xef efi.img with --protective-msdos-label",
        "isohybrid" => "isohybrid --uefi makes them overlap: let xorriso make the hybrid";
    HybridGpt: Warning, ["usb"],
        "The GPT does not keep to its specification: MBR not protective, a checksum wrong, the backup missing, or partitions outside the disc.",
        "Some firmware refuses it on a USB stick, or repairs it.",
        "Write primary and backup GPT for the disc's final length, behind a protective MBR.",
        "xorriso" => "-appended_part_as_gpt, without -isohybrid-gpt-basdat",
        "grub-mkrescue" => "writes a right one by itself";
    NotIso: Error, ["seabios", "ovmf"],
        "There is no ISO 9660 volume.",
        "Nothing boots it as a CD.",
        "If it should be a disc, fetch it again: it is damaged, encrypted or another file. Of the image of a hard disk or a stick, master a disc.";
}
