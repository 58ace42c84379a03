//! Discs whose boot image is something else than a loader for CDs, and loaders that lack what they start.

use super::{cases::Case, *};

const GRUB_FOR: &str =
    "mkdir -p tree/boot/grub; echo 'menuentry x { linux /os/kernel }' >tree/boot/grub/grub.cfg
    grub-mkimage -p /boot/grub -o tree/os/boot.img iso9660 normal linux";
/// GRUB for UEFI in the place of the loader, its configuration in the tree, and the configuration in the image too.
const GRUB_FOR_EFI: &str = "rm -r tree/syslinux; mkdir -p tree/boot/grub; echo 'menuentry x { linux /os/kernel }' >tree/boot/grub/grub.cfg
    grub-mkimage -O x86_64-efi -p /boot/grub -o own.efi";
const GRUB_IN_IMAGE: &str = "mcopy -o -i tree/uefi/boot.img own.efi ::/EFI/BOOT/BOOTX64.EFI";
const CONFIGURATION_TOO: &str = "mmd -i tree/uefi/boot.img ::/boot ::/boot/grub; mcopy -i tree/uefi/boot.img tree/boot/grub/grub.cfg ::/boot/grub/";
/// memdisk in the place of the kernel.
const MEMDISK: &str = "cp /usr/lib/syslinux/memdisk tree/os/kernel";
/// A folder's ISO in the place of the initial file system.
const INNER: &str =
    "mkdir inner; cp tree/os/kernel inner/; xorriso -as mkisofs -quiet -o tree/os/initrd inner";
/// The words of Windows' boot code, which is not on this machine.
const ETFSBOOT: &str = "printf '\\372CDBOOT: Couldn%st find BOOTMGR' \"'\" >tree/os/boot.img; truncate -s 4K tree/os/boot.img";

/// As [`cases::cases`].
pub(super) fn loaders() -> Vec<Case> {
    use Severity::Error;
    let other = format!("{X} -b os/boot.img -no-emul-boot -boot-load-size 4 {EFI} tree");
    let windows = "genisoimage -quiet -V 'SOME DISC' -J -udf -b os/boot.img -no-emul-boot -boot-load-size 8 -eltorito-alt-boot -e uefi/boot.img -no-emul-boot -o disc.iso tree";
    let whole = format!("{X} {BIOS} {EFI} tree");
    let efi = format!("{X} -e uefi/boot.img -no-emul-boot tree");
    let append =
        |words: &str| format!("sed -i 's:append .*:append {words}:' tree/syslinux/syslinux.cfg");
    let case = |before: &str, master: &str, found: &[Id]| {
        let found = found.iter().map(|id| (*id, Error)).collect();
        (before.to_owned(), master.to_owned(), found)
    };
    let prefix = |prefix: &str| {
        format!(
            "{BIOS_GRUB}; rm -r tree/syslinux; grub-mkimage -O x86_64-efi -p '{prefix}' -o own.efi normal iso9660
             mcopy -o -i tree/uefi/boot.img own.efi ::/EFI/BOOT/BOOTX64.EFI"
        )
    };
    let modules = "rm -r tree/syslinux; mkdir -p tree/boot/grub/x86_64-efi; echo 'menuentry x { linux /os/kernel }' >tree/boot/grub/grub.cfg
        grub-mkimage -O x86_64-efi -p /boot/grub -o own.efi iso9660 fat; mcopy -o -i tree/uefi/boot.img own.efi ::/EFI/BOOT/BOOTX64.EFI";
    let bios_grub = format!(
        "{X} -b boot/grub/bios.img -no-emul-boot -boot-load-size 4 -boot-info-table {EFI} tree"
    );
    // A loader for a BIOS that is a program for UEFI too jumps over its header.
    let polyglot = "cp grub.efi tree/os/boot.img; printf '\\262\\340\\353\\376' | dd of=tree/os/boot.img bs=1 seek=2 conv=notrunc status=none";
    let none = [Id::ImageNoLoader];
    let mut cases: Vec<Case> = [
        "cp /usr/lib/syslinux/mbr/mbr.bin tree/os/boot.img",
        "cp /usr/lib/grub/i386-pc/boot.img tree/os/boot.img",
        "cp /usr/lib/ISOLINUX/isohdpfx.bin tree/os/boot.img",
        "cp grub.efi tree/os/boot.img",
        "cp /usr/lib/syslinux/memdisk tree/os/boot.img",
        "cp tree/syslinux/menu.c32 tree/os/boot.img",
        "gzip -c tree/syslinux/isolinux.bin >tree/os/boot.img",
        "yes text | head -c 9000 >tree/os/boot.img",
        "head -c 9000 /dev/zero >tree/os/boot.img",
        &format!("{GRUB_FOR} -O i386-pc"),
        &format!("{GRUB_FOR} -O i386-pc-pxe"),
    ]
    .into_iter()
    .map(|before| case(before, &other, &none))
    .collect();
    cases.extend([
        // Programs that may read the rest themselves.
        case("printf '\\372\\353\\376' >tree/os/boot.img; truncate -s 2K tree/os/boot.img", &other, &[]),
        case(&format!("{GRUB_FOR} -O i386-pc-eltorito"), &other.replace("-size 4", "-size 4 -boot-info-table"), &[]),
        case(polyglot, &other, &[]),
        case(ETFSBOOT, windows, &[Id::WindowsFiles]),
        case(&format!("{ETFSBOOT}; cp tree/os/kernel tree/bootmgr"), windows, &[]),
        case(&format!("{ETFSBOOT}; cp tree/os/kernel tree/BOOTMGR"), &other.replace("-size 4", "-size 8"), &[]),
        case(&format!("{MEMDISK}; {}", append("raw")), &whole, &[Id::MemdiskImage]),
        case(&format!("{MEMDISK}; {}", append("initrd=/os/initrd")), &whole, &[]),
        case(&format!("{INNER}; {MEMDISK}; {}", append("initrd=/os/initrd")), &whole, &[Id::MemdiskImage]),
        case(&format!("{INNER}; {MEMDISK}; {}", append("initrd=/os/initrd iso raw")), &whole, &[]),
        // One for sticks may start as a disk.
        case(
            &format!(
                "{INNER}; {MEMDISK}; {}; printf '\\125\\252' | dd of=tree/os/initrd bs=1 seek=510 conv=notrunc status=none",
                append("initrd=/os/initrd")
            ),
            &whole,
            &[],
        ),
        case("sed -i 's:ui .*:ui gfxboot bootlogo:' tree/syslinux/syslinux.cfg", &whole, &[Id::IsolinuxFiles]),
        case(&prefix("(hd0,msdos1)/boot/grub"), &efi, &[Id::EfiSecondStage]),
        case(&prefix("/boot/grub"), &efi, &[]),
        // EDK2 does not take a GUID partition table without a protective MBR, and goes on to El Torito: as a disk GRUB finds the tree too.
        case(&prefix("/boot/grub").replace("rm -r tree/syslinux; ", ""), &format!("{X} -isohybrid-mbr {HYBRID_CODE} {BIOS} {EFI} -isohybrid-gpt-basdat tree"), &[]),
        case(&format!("{}; cp /usr/lib/grub/i386-pc/*.mod tree/boot/grub/x86_64-efi/", modules), &efi, &[Id::EfiSecondStage]),
        case(&format!("{}; cp /usr/lib/grub/x86_64-efi/*.mod tree/boot/grub/x86_64-efi/", modules), &efi, &[]),
        case(&format!("{BIOS_GRUB}; rm -r tree/syslinux; cp /usr/lib/grub/x86_64-efi/normal.mod tree/boot/grub/i386-pc/"), &bios_grub, &[Id::GrubFiles]),
        case(&format!("{BIOS_GRUB}; rm -r tree/syslinux; printf 'menuentry x {{\\n linux /os/kernel\\n\\nmenuentry y {{\\n reboot\\n}}\\n' >tree/boot/grub/grub.cfg"), &bios_grub, &[Id::ConfigSyntax]),
        case(&format!("{BIOS_GRUB}; rm -r tree/syslinux; iconv -f utf-8 -t utf-16 tree/boot/grub/grub.cfg >other.cfg; cp other.cfg tree/boot/grub/grub.cfg"), &bios_grub, &[Id::ConfigEncoding]),
        // Without -eltorito-alt-boot, options of the BIOS image count for the EFI image too.
        case("", &efi.replace("-no-emul-boot", "-no-emul-boot -boot-info-table"), &[Id::EfiForeignFilesystem]),
        // GRUB reads nothing of ISO 9660 without the module.
        case(&format!("{GRUB_FOR_EFI} fat normal linux; {GRUB_IN_IMAGE}"), &efi, &[Id::EfiSecondStage]),
        case(&format!("{GRUB_FOR_EFI} iso9660 fat normal linux; {GRUB_IN_IMAGE}"), &efi, &[]),
        case(&format!("{GRUB_FOR_EFI} fat normal linux; {GRUB_IN_IMAGE}; {CONFIGURATION_TOO}"), &efi, &[Id::EfiSecondStage]),
        case(&format!("{GRUB_FOR_EFI} iso9660 fat normal linux; {GRUB_IN_IMAGE}; {CONFIGURATION_TOO}"), &efi, &[]),
        // A disk of the machine is meant.
        case(&prefix("(hd0,msdos1)/elsewhere"), &efi, &[]),
    ]);
    // As pycdlib is asked to: a table over whatever the image is.
    let with_table = other.replace("-size 4", "-size 4 -boot-info-table");
    cases.push(case(
        "yes text | head -c 9000 >tree/os/boot.img",
        &with_table,
        &none,
    ));
    let own =
        |code: &str| format!("printf '{code}' >tree/os/boot.img; truncate -s 2K tree/os/boot.img");
    let warning = |before: &str, master: &str, id: Id| {
        (
            before.to_owned(),
            master.to_owned(),
            vec![(id, Severity::Warning)],
        )
    };
    // cli; xor ax, ax; mov ds, ax; mov es, ax; …
    let falls_through = own("\\372\\061\\300\\216\\330\\216\\300\\216\\320\\353\\376");
    cases.push(warning(&falls_through, &with_table, Id::BootInfoTable));
    cases.push(case(&falls_through, &other, &[]));
    // cli; jmp 64.
    cases.push(case(&own("\\372\\353\\075"), &with_table, &[]));
    // An EFI partition beside the EFI entry, with a loader and without.
    let appended = format!(
        "{X} -isohybrid-mbr {HYBRID_CODE} {BIOS} -append_partition 2 0xef esp.img {EFI} tree"
    );
    cases.push(warning(
        "truncate -s 1M esp.img; mkfs.fat esp.img >/dev/null",
        &appended,
        Id::EfiNoLoader,
    ));
    cases.push(case("cp tree/uefi/boot.img esp.img", &appended, &[]));
    // Apple's driver descriptor is no boot code.
    let apple = format!(
        "{whole} && printf 'ER\\010\\000' | dd of=disc.iso conv=notrunc status=none; printf '\\125\\252' | dd of=disc.iso bs=1 seek=510 conv=notrunc status=none; printf '\\200\\000\\001\\000\\027\\000\\001\\000\\000\\000\\000\\000\\000\\010\\000\\000' | dd of=disc.iso bs=1 seek=446 conv=notrunc status=none"
    );
    cases.push(warning("", &apple, Id::MbrNoCode));
    cases
}
