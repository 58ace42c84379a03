//! Discs of real loaders that real tools made wrong.

use std::{fs, path::Path};

use images::{finding::FindingId as Id, tool::Tool};

use crate::bench::{here_is, shell};

/// A disc that has a finding.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) finding: Id,
    /// The tool whose recipe is tried; all, where none is named.
    pub(crate) only: Option<Tool>,
    /// What is done with the tree, and how it is mastered into `disc.iso`.
    script: String,
    /// What is changed in the disc's bytes.
    edit: fn(&mut Disc),
}

impl Case {
    /// The same for one tool: another disc has the finding for the others.
    fn only(self, tool: Tool) -> Self {
        Self {
            only: Some(tool),
            ..self
        }
    }

    /// Makes the disc in a folder that has the tree.
    pub(crate) fn make(&self, folder: &Path) -> Result<(), String> {
        shell(folder, &self.script)?;
        let iso = folder.join("disc.iso");
        let mut disc = Disc(fs::read(&iso).map_err(|error| error.to_string())?);
        let before = disc.0.len();
        (self.edit)(&mut disc);
        if disc.0.len() == before {
            fs::write(&iso, disc.0).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

/// A disc whose bytes are changed.
struct Disc(Vec<u8>);

impl Disc {
    fn le32(&self, at: usize) -> u32 {
        let bytes: [u8; 4] = self.0[at..at + 4].try_into().unwrap();
        u32::from_le_bytes(bytes)
    }

    /// Where a slot of the catalog is.
    fn slot(&self, number: usize) -> usize {
        self.le32(17 * 2048 + 0x47) as usize * 2048 + number * 32
    }

    /// Where the image of a slot is.
    fn image(&self, slot: usize) -> usize {
        self.le32(self.slot(slot) + 8) as usize * 2048
    }
}

/// Builds what the trees are made of: isolinux and GRUB that say that they have started, each with an image for UEFI; in `parts`, programs and images for them.
pub(crate) fn tree(folder: &Path) -> Result<(), String> {
    for program in [
        "xorriso",
        "genisoimage",
        "grub-mkimage",
        "mkfs.fat",
        "mcopy",
        "isohybrid",
        "implantisomd5",
    ] {
        if !here_is(program) {
            return Err(format!("{program} is not here"));
        }
    }
    let parts = folder.join("parts");
    fs::create_dir(&parts).map_err(|error| error.to_string())?;
    fs::write(parts.join("own.bin"), own_loader()).map_err(|error| error.to_string())?;
    shell(
        folder,
        r#"
        mkdir -p isolinux/isolinux isolinux/boot isolinux/EFI/BOOT grub/boot/grub/i386-pc grub/EFI/BOOT
        config() { printf 'serial --unit=0 --speed=115200\nterminal_output serial console\necho RECIPE-%s\nsleep 1000\n' "$1"; }
        config BIOS >parts/bios.cfg
        config EFI >parts/efi.cfg
        modules="normal echo sleep serial terminal iso9660"
        grub-mkimage -d /usr/lib/grub/x86_64-efi -O x86_64-efi -p /nowhere -c parts/efi.cfg -o parts/grub.efi $modules
        grub-mkimage -d /usr/lib/grub/i386-pc -O i386-pc-eltorito -p /nowhere -c parts/bios.cfg -o grub/boot/grub/i386-pc/eltorito.img $modules biosdisk
        # grub-mkrescue brings loaders of its own, which read this.
        printf 'serial --unit=0 --speed=115200\nterminal_output serial console\nif [ "$grub_platform" = efi ]; then echo RECIPE-EFI; else echo RECIPE-BIOS; fi\nsleep 1000\n' >grub/boot/grub/grub.cfg
        cp /usr/lib/grub/i386-pc/normal.mod grub/boot/grub/i386-pc/
        truncate -s 3M parts/efi.img
        mkfs.fat parts/efi.img >/dev/null
        mmd -i parts/efi.img ::/EFI ::/EFI/BOOT
        mcopy -i parts/efi.img parts/grub.efi ::/EFI/BOOT/BOOTX64.EFI
        cp parts/efi.img isolinux/boot/efi.img
        cp parts/efi.img grub/boot/efi.img
        cp parts/grub.efi isolinux/EFI/BOOT/BOOTX64.EFI
        cp parts/grub.efi grub/EFI/BOOT/BOOTX64.EFI
        cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 isolinux/isolinux/
        printf 'SERIAL 0 115200\nPROMPT 1\nTIMEOUT 0\nSAY RECIPE-BIOS\nDEFAULT x\nLABEL x\n LOCALBOOT -1\n' >isolinux/isolinux/isolinux.cfg
        "#,
    )
}

/// A loader of two blocks, of which the first jumps to the second, and that one says by way of the BIOS that it has started.
fn own_loader() -> Vec<u8> {
    let mut bytes = vec![0; 2 * 2048];
    // jmp 0000:8400, where the second block lies when both are loaded to 7C00.
    bytes[..5].copy_from_slice(&[0xEA, 0x00, 0x84, 0x00, 0x00]);
    // xor ax, ax; mov ds, ax; mov si, 8440h; next: lodsb; test al, al; jz end; mov ah, 0Eh; mov bx, 7; int 10h; jmp next; end: sti; halt: hlt; jmp halt
    let code = [
        0x31, 0xC0, 0x8E, 0xD8, 0xBE, 0x40, 0x84, 0xAC, 0x84, 0xC0, 0x74, 0x09, 0xB4, 0x0E, 0xBB,
        0x07, 0x00, 0xCD, 0x10, 0xEB, 0xF2, 0xFB, 0xF4, 0xEB, 0xFD,
    ];
    bytes[2048..][..code.len()].copy_from_slice(&code);
    let text = b"RECIPE-BIOS\r\n";
    bytes[2048 + 0x40..][..text.len()].copy_from_slice(text);
    bytes
}

const X: &str = "xorriso -as mkisofs -quiet -R -V RECIPE -o disc.iso";
const G: &str = "genisoimage -quiet -R -V RECIPE -o disc.iso";
const BIOS: &str = "-b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table";
/// GRUB as an installed disk or floppy has it: its core image is in the sectors behind the first. A partition of it ends with a cylinder, so that its geometry is right.
const GRUB_DISK: &str = "grub-mkimage -d /usr/lib/grub/i386-pc -O i386-pc -p /nowhere -c parts/bios.cfg -o core.img normal echo sleep serial terminal biosdisk; cat /usr/lib/grub/i386-pc/boot.img core.img >tree/disk.img";
const GRUB: &str = "-b boot/grub/i386-pc/eltorito.img -c boot/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table";
const EFI: &str = "-eltorito-alt-boot -e boot/efi.img -no-emul-boot";
const ISOHDPFX: &str = "-isohybrid-mbr /usr/lib/ISOLINUX/isohdpfx.bin";
const HYBRID: &str = "--grub2-boot-info --grub2-mbr /usr/lib/grub/i386-pc/boot_hybrid.img";
const APPENDED: &str = "-append_partition 2 0xef parts/efi.img -eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot";

/// The tree is the one of isolinux.
const ISOLINUX_TREE: &str = "rm -r grub; mv isolinux tree";
/// The tree is the one of GRUB.
const GRUB_TREE: &str = "rm -r isolinux; mv grub tree";
/// The same for a BIOS alone, or for UEFI alone.
const ISOLINUX_ALONE: &str = "rm -r grub; mv isolinux tree; rm -r tree/EFI tree/boot";
const EFI_ALONE: &str = "rm -r grub isolinux/isolinux; mv isolinux tree";
const IMAGE_FROM: &str =
    "rm tree/boot/efi.img; truncate -s 3M tree/boot/efi.img; mkfs.fat tree/boot/efi.img >/dev/null";

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    let none: fn(&mut Disc) = |_| {};
    let edited = |name, finding, script: &str, edit| Case {
        name,
        finding,
        only: None,
        script: script.to_owned(),
        edit,
    };
    let case = |name, finding, script: &str| edited(name, finding, script, none);
    vec![
        case(
            "isolinux without a boot record",
            Id::NoBootRecord,
            &format!("{ISOLINUX_TREE}; {X} tree"),
        ),
        case(
            "isolinux alone without a boot record",
            Id::NoBootRecord,
            &format!("{ISOLINUX_ALONE}; {X} tree"),
        ),
        case(
            "a configuration of GRUB alone",
            Id::NoBootRecord,
            &format!(
                "{GRUB_TREE}; rm -r tree/EFI tree/boot/efi.img tree/boot/grub/i386-pc; {G} tree"
            ),
        ),
        case(
            "a loader for UEFI alone without a boot record",
            Id::NoBootRecord,
            &format!("{EFI_ALONE}; rm -r tree/boot; {X} tree"),
        ),
        edited(
            "isolinux and a catalog behind the end",
            Id::CatalogOutOfRange,
            &format!("{ISOLINUX_ALONE}; {X} {BIOS} tree"),
            |disc| disc.0[17 * 2048 + 0x4A] = 1,
        ),
        case(
            "isolinux without a table",
            Id::BootInfoTable,
            &format!("{ISOLINUX_ALONE}; {X} {} tree", BIOS.replace(" -boot-info-table", "")),
        ),
        case(
            "GRUB without a table",
            Id::BootInfoTable,
            &format!("{GRUB_TREE}; {X} {} tree", GRUB.replace(" -boot-info-table", "")),
        ),
        case(
            "isolinux with a small load size",
            Id::LoadSizeShort,
            &format!(
                "{ISOLINUX_ALONE}; {X} {} tree",
                BIOS.replace("-boot-load-size 4", "-boot-load-size 2")
            ),
        ),
        case(
            "isolinux as a floppy",
            Id::LoaderEmulation,
            &format!(
                "{ISOLINUX_ALONE}; truncate -s 1440K tree/isolinux/isolinux.bin; {G} -b isolinux/isolinux.bin -c isolinux/boot.cat tree"
            ),
        ),
        case(
            "a floppy without emulation",
            Id::MissingEmulation,
            &format!("rm -r isolinux grub; mkdir tree; {GRUB_DISK}; truncate -s 1440K tree/disk.img; {X} -b disk.img -no-emul-boot tree"),
        ),
        case(
            "a hard disk without emulation",
            Id::MissingEmulation,
            &format!("rm -r isolinux grub; mkdir tree; {GRUB_DISK}; truncate -s 16M tree/disk.img; printf 'label: dos\n2048,30082,06,*\n' | sfdisk -q tree/disk.img; {X} -b disk.img -no-emul-boot -boot-load-size 4 tree"),
        ),
        edited(
            "isolinux with the media type of a floppy",
            Id::LoaderEmulation,
            &format!("{ISOLINUX_ALONE}; {X} {BIOS} tree"),
            |disc| {
                let at = disc.slot(1) + 1;
                disc.0[at] = 2;
            },
        ),
        case(
            "a loader of two blocks of which one is loaded",
            Id::LoadSizeShort,
            &format!("rm -r isolinux grub; mkdir tree; cp parts/own.bin tree; {X} -b own.bin -no-emul-boot -boot-load-size 4 tree"),
        ),
        case(
            "isolinux without ldlinux.c32",
            Id::IsolinuxFiles,
            &format!("{ISOLINUX_TREE}; rm tree/isolinux/ldlinux.c32; {X} {BIOS} {EFI} tree"),
        ),
        case(
            "another label",
            Id::ConfigWrongMedium,
            &format!(
                "{ISOLINUX_TREE}; head -c 40000 /dev/zero | tr '\\0' k >tree/kernel; printf '\\125\\252' | dd of=tree/kernel bs=1 seek=510 conv=notrunc status=none
                sed -i 's:LOCALBOOT -1:KERNEL /kernel\\n APPEND root=live\\:LABEL=WANTED:' tree/isolinux/isolinux.cfg
                {X} {BIOS} {EFI} tree"
            ),
        ),
        case(
            "another UUID",
            Id::ConfigWrongMedium,
            &format!(
                "{ISOLINUX_TREE}; head -c 40000 /dev/zero | tr '\\0' k >tree/kernel; printf '\\125\\252' | dd of=tree/kernel bs=1 seek=510 conv=notrunc status=none
                sed -i 's:LOCALBOOT -1:KERNEL /kernel\\n APPEND root=live\\:UUID=2001-02-03-04-05-06-07:' tree/isolinux/isolinux.cfg
                {X} {BIOS} {EFI} tree"
            ),
        ),
        case(
            "isolinux hybrid without a pointer",
            Id::HybridPointer,
            &format!("{ISOLINUX_TREE}; {X} {ISOHDPFX} --protective-msdos-label {BIOS} {EFI} tree"),
        ),
        edited(
            "GRUB hybrid with a wrong pointer",
            Id::HybridPointer,
            &format!("{GRUB_TREE}; {X} {HYBRID} --protective-msdos-label {GRUB} {EFI} tree"),
            |disc| disc.0[0x1B0] ^= 4,
        ),
        case(
            "isolinux behind the boot code of GRUB",
            Id::MbrWrongCode,
            &format!("{ISOLINUX_TREE}; {X} --grub2-mbr /usr/lib/grub/i386-pc/boot_hybrid.img {BIOS} {EFI} tree"),
        ),
        case(
            "GRUB behind the boot code of isolinux",
            Id::MbrWrongCode,
            &format!("{GRUB_TREE}; {X} {ISOHDPFX} {GRUB} {EFI} tree"),
        ),
        case(
            "isolinux with a partition behind and no boot code",
            Id::MbrNoCode,
            &format!("{ISOLINUX_TREE}; rm tree/boot/efi.img; {X} {BIOS} {APPENDED} tree"),
        ),
        case(
            "GRUB with a partition behind and no boot code",
            Id::MbrNoCode,
            &format!("{GRUB_TREE}; rm tree/boot/efi.img; {X} {GRUB} {APPENDED} tree"),
        ),
        edited(
            "isolinux hybrid without an active partition",
            Id::MbrNoActive,
            &format!("{ISOLINUX_TREE}; {X} {ISOHDPFX} {BIOS} {EFI} tree"),
            |disc| disc.0[446] = 0,
        ),
        edited(
            "GRUB hybrid without an active partition",
            Id::MbrNoActive,
            &format!("{GRUB_TREE}; rm tree/boot/efi.img; {X} {HYBRID} {GRUB} {APPENDED} tree"),
            |disc| {
                for slot in 0..4 {
                    disc.0[446 + slot * 16] = 0;
                }
            },
        ),
        edited(
            "isolinux hybrid with partitions that overlap",
            Id::HybridMbr,
            &format!("{ISOLINUX_TREE}; {X} {ISOHDPFX} {BIOS} {EFI} tree"),
            overlap,
        ),
        edited(
            "GRUB hybrid with partitions that overlap",
            Id::HybridMbr,
            &format!("{GRUB_TREE}; rm tree/boot/efi.img; {X} {HYBRID} {GRUB} {APPENDED} tree"),
            overlap,
        ),
        case(
            "isolinux without boot code for a stick",
            Id::MbrAbsent,
            &format!("{ISOLINUX_TREE}; {X} {BIOS} {EFI} tree"),
        ),
        case(
            "GRUB without boot code for a stick",
            Id::MbrAbsent,
            &format!("{GRUB_TREE}; {X} {GRUB} {EFI} tree"),
        )
        .only(Tool::GrubMkrescue),
        edited(
            "GRUB with a GPT that nothing protects",
            Id::HybridGpt,
            &format!("{GRUB_TREE}; grub-mkrescue -o disc.iso tree 2>/dev/null"),
            |disc| disc.0[446 + 4] = 0x83,
        ),
        case(
            "isolinux and no entry for UEFI",
            Id::CatalogNoEfi,
            &format!("{ISOLINUX_TREE}; {X} {BIOS} tree"),
        ),
        case(
            "GRUB and no entry for UEFI",
            Id::CatalogNoEfi,
            &format!("{GRUB_TREE}; rm tree/boot/efi.img; {X} {GRUB} tree"),
        )
        .only(Tool::GrubMkrescue),
        case(
            "an entry for UEFI that names another image",
            Id::EfiWrongImage,
            &format!(
                "{EFI_ALONE}; rm -r tree/EFI; head -c 300000 /dev/zero | tr '\\0' x >tree/boot/apple.img
                {X} -e boot/apple.img -no-emul-boot tree"
            ),
        ),
        case(
            "an image for UEFI that is no FAT",
            Id::EfiForeignFilesystem,
            &format!(
                "{EFI_ALONE}; rm tree/boot/efi.img; truncate -s 3M tree/boot/efi.img
                printf 'H+\\0\\4' | dd of=tree/boot/efi.img bs=1 seek=1024 conv=notrunc status=none
                {X} -e boot/efi.img -no-emul-boot tree"
            ),
        ),
        case(
            "FAT32 with few clusters",
            Id::EfiFatClusters,
            &format!(
                "{EFI_ALONE}; rm tree/boot/efi.img; truncate -s 8M tree/boot/efi.img; mkfs.fat -F32 tree/boot/efi.img >/dev/null 2>&1
                {X} -e boot/efi.img -no-emul-boot tree"
            ),
        ),
        case(
            "an image for UEFI that is cut",
            Id::EfiFatLongerThanImage,
            &format!("{EFI_ALONE}; truncate -s 200K tree/boot/efi.img; {X} -e boot/efi.img -no-emul-boot tree"),
        ),
        case(
            "an image for UEFI that is cut, and no other loader",
            Id::EfiFatLongerThanImage,
            &format!(
                "{EFI_ALONE}; rm -r tree/EFI; truncate -s 200K tree/boot/efi.img; cp parts/grub.efi BOOTX64.EFI
                {X} -e boot/efi.img -no-emul-boot tree"
            ),
        ),
        case(
            "a loader of another name",
            Id::EfiLoaderName,
            &format!(
                "{EFI_ALONE}; mmove -i tree/boot/efi.img ::/EFI/BOOT/BOOTX64.EFI ::/EFI/BOOT/BOOTAMD64.EFI
                {X} -e boot/efi.img -no-emul-boot tree"
            ),
        ),
        case(
            "a loader in another folder",
            Id::EfiLoaderName,
            &format!(
                "{EFI_ALONE}; rm -r tree/EFI; {IMAGE_FROM}; mmd -i tree/boot/efi.img ::/GRUB; mcopy -i tree/boot/efi.img parts/grub.efi '::/GRUB/MY GRUB.EFI'
                {X} -e boot/efi.img -no-emul-boot tree"
            ),
        ),
        case(
            "an empty loader",
            Id::EfiLoaderProgram,
            &format!(
                "{EFI_ALONE}; {IMAGE_FROM}; mmd -i tree/boot/efi.img ::/EFI ::/EFI/BOOT; : >empty; mcopy -i tree/boot/efi.img empty ::/EFI/BOOT/BOOTX64.EFI
                {G} -e boot/efi.img -no-emul-boot tree"
            ),
        ),
        case(
            "shim without what it starts",
            Id::EfiSecondStage,
            &format!(
                "{EFI_ALONE}; rm -r tree/EFI; {IMAGE_FROM}; mmd -i tree/boot/efi.img ::/EFI ::/EFI/BOOT
                mcopy -i tree/boot/efi.img /usr/lib/shim/shimx64.efi.signed ::/EFI/BOOT/BOOTX64.EFI; cp parts/grub.efi grubx64.efi
                {X} -e boot/efi.img -no-emul-boot tree"
            ),
        ),
        case(
            "an image for UEFI without a loader",
            Id::EfiNoLoader,
            &format!("{EFI_ALONE}; {IMAGE_FROM}; {X} -e boot/efi.img -no-emul-boot tree"),
        ),
        case(
            "GRUB and an image for UEFI without a loader",
            Id::EfiNoLoader,
            &format!("{GRUB_TREE}; {IMAGE_FROM}; {X} {GRUB} {EFI} tree"),
        )
        .only(Tool::GrubMkrescue),
        case(
            "a partition for UEFI with an open end",
            Id::EfiOpenEndOutsideVolume,
            &format!(
                "{EFI_ALONE}; rm tree/boot/efi.img; truncate -s 40M parts/efi.img; mkfs.fat parts/efi.img >/dev/null
                mmd -i parts/efi.img ::/EFI ::/EFI/BOOT; mcopy -i parts/efi.img parts/grub.efi ::/EFI/BOOT/BOOTX64.EFI
                {X} {} tree",
                APPENDED.replace("-eltorito-alt-boot ", "")
            ),
        ),
        edited(
            "a short partition for UEFI with an open end",
            Id::EfiOpenEndOutsideVolume,
            &format!(
                "{EFI_ALONE}; rm tree/boot/efi.img; {X} {} tree",
                APPENDED.replace("-eltorito-alt-boot ", "")
            ),
            |disc| {
                let at = disc.slot(1) + 6;
                disc.0[at..at + 2].fill(0);
            },
        ),
        case(
            "an image for UEFI that is too long for genisoimage",
            Id::CountWrapped,
            &format!(
                "{EFI_ALONE}; {IMAGE_FROM}; rm tree/boot/efi.img; truncate -s 40M tree/boot/efi.img; mkfs.fat tree/boot/efi.img >/dev/null
                mmd -i tree/boot/efi.img ::/EFI ::/EFI/BOOT; mcopy -i tree/boot/efi.img parts/grub.efi ::/EFI/BOOT/BOOTX64.EFI
                {G} -e boot/efi.img -no-emul-boot tree"
            ),
        ),
        case(
            "a load size for the image for UEFI",
            Id::CountEfiShort,
            &format!("{EFI_ALONE}; {G} -e boot/efi.img -no-emul-boot -boot-load-size 4 tree"),
        ),
        edited(
            "an address that is off",
            Id::ImageNotAtStart,
            &format!("{ISOLINUX_TREE}; {X} {BIOS} {EFI} tree"),
            |disc| {
                let at = disc.slot(3) + 8;
                disc.0[at] = disc.0[at].wrapping_add(1);
            },
        ),
        edited(
            "an address that is off, for a BIOS alone",
            Id::ImageNotAtStart,
            &format!("{ISOLINUX_ALONE}; {X} {BIOS} tree"),
            |disc| {
                let at = disc.slot(1) + 8;
                disc.0[at] = disc.0[at].wrapping_add(1);
            },
        ),
        edited(
            "a count with its bytes swapped",
            Id::CountByteOrder,
            &format!("{ISOLINUX_TREE}; {X} {BIOS} {EFI} tree"),
            |disc| {
                let at = disc.slot(3) + 6;
                disc.0.swap(at, at + 1);
            },
        ),
        edited(
            "a count for a BIOS with its bytes swapped",
            Id::CountByteOrder,
            &format!("{ISOLINUX_ALONE}; {X} {BIOS} tree"),
            |disc| {
                let at = disc.slot(1) + 6;
                disc.0.swap(at, at + 1);
            },
        ),
        case(
            "an ISO that was burnt as a file",
            Id::IsoBurntAsFile,
            &format!(
                "{ISOLINUX_TREE}; {X} {BIOS} {EFI} tree; mkdir outer; mv disc.iso 'outer/my disc.iso'; {X} outer; rm -r outer"
            ),
        ),
        case(
            "an ISO in a partition",
            Id::IsoInPartition,
            &format!(
                "{ISOLINUX_TREE}; {X} {BIOS} {EFI} tree; mv disc.iso inner.iso; truncate -s 12M disc.iso
                printf 'label: dos\\n2048,,0c,*\\n' | sfdisk -q disc.iso
                dd if=inner.iso of=disc.iso bs=512 seek=2048 conv=notrunc status=none; rm inner.iso"
            ),
        ),
        edited(
            "a checksum that does not match",
            Id::MediaChecksum,
            &format!("{ISOLINUX_TREE}; {X} {BIOS} {EFI} tree; implantisomd5 disc.iso >/dev/null"),
            |disc| {
                let at = disc.image(3) + 2_900_000;
                disc.0[at] ^= 1;
            },
        ),
    ]
}

/// A partition for UEFI in the middle of the first one, of a type that counts.
fn overlap(disc: &mut Disc) {
    let slot = 446 + 2 * 16;
    let first = disc.le32(446 + 8) + 8;
    disc.0[446 + 4] = 0x17;
    disc.0[slot + 4] = 0xEF;
    disc.0[slot + 8..slot + 12].copy_from_slice(&first.to_le_bytes());
    disc.0[slot + 12..slot + 16].copy_from_slice(&64_u32.to_le_bytes());
}
