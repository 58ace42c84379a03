//! The discs, and their findings.

use super::*;

/// A disc, and what must be found on it.
pub(super) type Case = (String, String, Vec<(Id, Severity)>);

/// For each disc: the preparation, the mastering command and the expected findings.
pub(super) fn cases() -> Vec<Case> {
    use Severity::{Error, Warning};
    let whole = format!("{X} {BIOS} {EFI} tree");
    let efi = format!("{X} -e uefi/boot.img -no-emul-boot tree");
    let active = format!(
        "{X} {BIOS} {EFI} -append_partition 2 0x0c fat.img tree; sfdisk -q --activate disc.iso 2"
    );
    let fat = "rm tree/uefi/boot.img; truncate -s 3M tree/uefi/boot.img; mkfs.fat tree/uefi/boot.img >/dev/null; mmd -i tree/uefi/boot.img ::/EFI ::/EFI/BOOT";
    let put = |file: &str, name: &str| format!("{fat}; mcopy -i tree/uefi/boot.img {file} {name}");
    let appended = format!(
        "mv tree/uefi/boot.img esp.img; {X} -append_partition 2 0xef esp.img -e --interval:appended_partition_2:all:: -no-emul-boot tree"
    );
    let esp_grub = format!(
        "{ESP_GRUB}; {}; mcopy -i tree/uefi/boot.img esp.cfg ::/EFI/BOOT/grub.cfg",
        put("esp.efi", "::/EFI/BOOT/BOOTX64.EFI")
    );
    let hybrid = format!("{X} -isohybrid-mbr {HYBRID_CODE} {BIOS} {EFI} tree");
    let bios_grub = format!(
        "{X} -b boot/grub/bios.img -no-emul-boot -boot-load-size 4 -boot-info-table {EFI} tree"
    );
    let case = |before: &str, master: &str, found: &[(Id, Severity)]| {
        (before.to_owned(), master.to_owned(), found.to_vec())
    };
    vec![
        case("", &whole, &[]),
        case(
            "",
            &format!("{X} -isohybrid-mbr {HYBRID_CODE} -isohybrid-gpt-basdat {BIOS} {EFI} tree"),
            &[],
        ),
        case(
            "rm tree/syslinux/ldlinux.c32",
            &whole,
            &[(Id::IsolinuxFiles, Error)],
        ),
        case(
            "rm tree/syslinux/libutil.c32",
            &whole,
            &[(Id::IsolinuxFiles, Error)],
        ),
        case(
            "rm tree/syslinux/syslinux.cfg",
            &whole,
            &[(Id::IsolinuxFiles, Error)],
        ),
        // Beside isolinux.bin, where it does not look.
        case(
            "mkdir -p tree/own/boot; mv tree/syslinux/* tree/own/boot/; rmdir tree/syslinux",
            &whole.replace("syslinux/", "own/boot/"),
            &[(Id::IsolinuxFiles, Error)],
        ),
        case(
            &format!("cp {MODULES}/../efi64/menu.c32 tree/syslinux/"),
            &whole,
            &[(Id::IsolinuxFiles, Error)],
        ),
        // What isolinux loads for itself, and a library, for UEFI; and a module that ends too early.
        case(
            &format!("cp {MODULES}/../efi64/ldlinux.e64 tree/syslinux/ldlinux.c32"),
            &whole,
            &[(Id::IsolinuxFiles, Error)],
        ),
        case(
            &format!("cp {MODULES}/../efi64/libutil.c32 tree/syslinux/"),
            &whole,
            &[(Id::IsolinuxFiles, Error)],
        ),
        case(
            "truncate -s 9000 tree/syslinux/menu.c32",
            &whole,
            &[(Id::IsolinuxFiles, Error)],
        ),
        // The entry for UEFI first: a BIOS looks at no other.
        case(
            "",
            &format!("{X} -e uefi/boot.img -no-emul-boot -eltorito-alt-boot {BIOS} tree"),
            &[(Id::CatalogBiosNotFirst, Error)],
        ),
        // 1984 is 07C0 in decimal.
        case(
            "printf '\\372\\364' >tree/os/own.bin; truncate -s 2K tree/os/own.bin",
            "genisoimage -quiet -R -J -V 'SOME DISC' -o disc.iso -b os/own.bin -c boot.cat -no-emul-boot -boot-load-size 4 -boot-load-seg 0x1984 -eltorito-alt-boot -e uefi/boot.img -no-emul-boot tree",
            &[(Id::EntryLoadSegment, Error)],
        ),
        // A floppy of 18 sectors per track in one of 36: its boot sector says `Boot error`.
        case(
            "mformat -C -i tree/os/f.img -f 1440 ::; truncate -s 2880K tree/os/f.img",
            &format!("{AS_FLOPPY} tree"),
            &[(Id::FloppySize, Error), (Id::CatalogNoEfi, Warning)],
        ),
        case(
            "mformat -C -i tree/os/f.img -f 2880 ::",
            &format!("{AS_FLOPPY} tree"),
            &[(Id::CatalogNoEfi, Warning)],
        ),
        // GRUB without its module normal: `file '/boot/grub/x86_64-efi/normal.mod' not found`, and `grub rescue>`.
        case(
            &format!(
                "{GRUB_ALONE}; {}",
                put("alone.efi", "::/EFI/BOOT/BOOTX64.EFI")
            ),
            &efi,
            &[(Id::EfiSecondStage, Error)],
        ),
        case(
            &format!(
                "{GRUB_ALONE}; {}; mkdir tree/boot/grub/x86_64-efi; cp /usr/lib/grub/x86_64-efi/*.mod tree/boot/grub/x86_64-efi/",
                put("alone.efi", "::/EFI/BOOT/BOOTX64.EFI")
            ),
            &efi,
            &[],
        ),
        // `no multiboot header found`.
        case(
            &format!(
                "{}; sed -i 's: linux.*: multiboot /os/kernel:' tree/boot/grub/grub.cfg",
                grub_cfg("SOME")
            ),
            &whole,
            &[(Id::KernelNoMultibootHeader, Error)],
        ),
        // As of another version: a name that nothing has. isolinux says `Undef symbol FAIL: sha512_krypt`.
        case(
            "sed -i s/sha512_crypt/sha512_krypt/ tree/syslinux/menu.c32",
            &whole,
            &[(Id::IsolinuxFiles, Error)],
        ),
        // The boot record names Joliet's descriptor, which is no catalog.
        case(
            "",
            &format!(
                "{whole}; printf '\\022\\0\\0\\0' | dd of=disc.iso bs=1 seek=34887 conv=notrunc status=none"
            ),
            &[(Id::CatalogHeaderId, Error)],
        ),
        case(
            "rm tree/os/kernel",
            &whole,
            &[(Id::ConfigMissingFile, Error)],
        ),
        // By its name isolinux takes it for a boot sector; LINUX says what it is.
        case(
            &format!(
                "{KERNEL_BIN}; sed -i 's:linux /os/kernel:kernel /os/kernel.bin:' tree/syslinux/syslinux.cfg"
            ),
            &whole,
            &[(Id::IsolinuxKernelName, Error)],
        ),
        case(
            &format!(
                "{KERNEL_BIN}; sed -i 's:/os/kernel:/os/kernel.bin:' tree/syslinux/syslinux.cfg"
            ),
            &whole,
            &[],
        ),
        case(
            "sed -i s/SOME/OTHER/ tree/syslinux/syslinux.cfg",
            &whole,
            &[(Id::ConfigWrongMedium, Error)],
        ),
        // A drive that is there only under UEFI and from a CD, which is all that this disc is for; and from a stick too.
        case(BY_DRIVE, &whole, &[]),
        case(BY_DRIVE, &hybrid, &[(Id::ConfigFixedDevice, Warning)]),
        case(
            &format!("{BY_DRIVE}; sed -i \"s/cd0/'hd0,msdos1'/\" tree/boot/grub/grub.cfg"),
            &whole,
            &[(Id::ConfigFixedDevice, Warning)],
        ),
        case(
            &format!("{BY_DRIVE}; sed -i 's:^set.*::; s: /os: (hd0)/os:' tree/boot/grub/grub.cfg"),
            &whole,
            &[(Id::ConfigFixedDevice, Warning)],
        ),
        // Searched for before it is used, and a file of another disk.
        case(
            &format!(
                "{BY_DRIVE}; sed -i '1asearch --set=root --file /os/kernel' tree/boot/grub/grub.cfg"
            ),
            &hybrid,
            &[],
        ),
        case(
            &format!("{BY_DRIVE}; sed -i 's: /os: (hd0,1)/boot:' tree/boot/grub/grub.cfg"),
            &hybrid,
            &[],
        ),
        // A space as Fedora writes it in grub.cfg.
        case(&grub_cfg("SOME"), &whole, &[]),
        case(
            &grub_cfg("OTHER"),
            &whole,
            &[(Id::ConfigWrongMedium, Error)],
        ),
        case(
            "sed -i 's/^ui.*/default live/' tree/syslinux/syslinux.cfg",
            &whole,
            &[(Id::ConfigMissingFile, Error)],
        ),
        // systemd-boot reads no ISO 9660.
        case(SYSTEMD_BOOT, &whole, &[(Id::ConfigMissingFile, Error)]),
        case(
            &format!(
                "{SYSTEMD_BOOT}; mmd -i tree/uefi/boot.img ::/os; mcopy -i tree/uefi/boot.img tree/os/kernel tree/os/initrd ::/os"
            ),
            &whole,
            &[],
        ),
        // A file system with code where a hard disk has its table.
        case(
            "truncate -s 1M tree/os/disk.img; mkfs.fat tree/os/disk.img >/dev/null; printf abcd | dd of=tree/os/disk.img bs=1 seek=446 conv=notrunc status=none",
            &format!("{X} -b os/disk.img -no-emul-boot -boot-load-size 1 tree; {AS_HARD_DISK}"),
            &[(Id::CatalogNoEfi, Warning)],
        ),
        case(UTF_16, &whole, &[(Id::ConfigEncoding, Error)]),
        // sfdisk writes an end of 255 heads and 63 sectors, wherever in a cylinder that is.
        case(
            HARD_DISK,
            &format!("{X} -b os/disk.img -c boot.cat -hard-disk-boot tree"),
            &[(Id::CatalogNoEfi, Warning), (Id::HardDiskGeometry, Warning)],
        ),
        // The UUID of the volume is the time at which it was last changed.
        case(BY_UUID, &whole, &[(Id::ConfigWrongMedium, Error)]),
        case(BY_UUID, &whole.replace("-o", DATED), &[]),
        // GRUB in a partition for UEFI searches for it, and stays in its partition where it finds none.
        // From a CD it reads the tree instead, and from a disk too where no GUID partition table leads into the partition.
        case(
            &esp_grub,
            &appended.replace("-e ", "-appended_part_as_gpt -e "),
            &[
                (Id::EfiSecondStage, Warning),
                (Id::ConfigWrongMedium, Warning),
            ],
        ),
        case(
            &esp_grub,
            &appended.replace("-o", DATED),
            &[(Id::EfiSecondStage, Error)],
        ),
        case(
            &format!("{esp_grub}; mkdir -p tree/EFI/BOOT; cp esp.cfg tree/EFI/BOOT/grub.cfg"),
            &appended.replace("-o", DATED),
            &[],
        ),
        case(
            &format!(
                "{ESP_GRUB}; {}; mkdir -p tree/EFI/BOOT; cp esp.cfg tree/EFI/BOOT/grub.cfg",
                put("esp.efi", "::/EFI/BOOT/BOOTX64.EFI")
            ),
            &appended
                .replace("-e ", "-appended_part_as_gpt -e ")
                .replace("-o", DATED),
            &[(Id::EfiSecondStage, Warning)],
        ),
        // mkisofs' own option for another entry says that it is for a BIOS.
        case(
            "",
            &format!(
                "genisoimage -quiet -R -J -V 'SOME DISC' -o disc.iso {BIOS} -eltorito-alt-boot -b uefi/boot.img -no-emul-boot tree"
            ),
            &[(Id::CatalogNoEfi, Warning)],
        ),
        case(
            "",
            &whole.replace("-boot-load-size 4", "-boot-load-size 2"),
            &[(Id::LoadSizeShort, Warning)],
        ),
        case(
            "",
            &whole.replace(" -boot-info-table", ""),
            &[(Id::BootInfoTable, Warning)],
        ),
        case(
            "truncate -s 2880K tree/syslinux/isolinux.bin",
            "genisoimage -quiet -R -J -V 'SOME DISC' -o disc.iso -b syslinux/isolinux.bin -c syslinux/boot.cat -eltorito-alt-boot -e uefi/boot.img -no-emul-boot tree",
            &[(Id::LoaderEmulation, Error)],
        ),
        case(
            "",
            &format!("{X} -isohybrid-mbr {HYBRID_CODE} --protective-msdos-label {BIOS} {EFI} tree"),
            &[(Id::HybridPointer, Error)],
        ),
        // Code of another loader, and code for an installed disk.
        case(
            "",
            &format!("{X} --grub2-mbr {GRUB_CODE} -partition_offset 16 {BIOS} {EFI} tree"),
            &[(Id::MbrWrongCode, Error)],
        ),
        case(
            "grub-mkimage -O i386-pc-eltorito -p /nowhere -c own.cfg -o tree/uefi/bios.img normal echo biosdisk",
            &format!(
                "{X} -isohybrid-mbr {HYBRID_CODE} -b uefi/bios.img -no-emul-boot -boot-load-size 4 -boot-info-table {EFI} tree"
            ),
            &[(Id::MbrWrongCode, Error)],
        ),
        case(
            "",
            &format!(
                "{hybrid}; dd if=/usr/lib/grub/i386-pc/boot.img of=disc.iso bs=440 count=1 conv=notrunc status=none"
            ),
            &[(Id::MbrWrongCode, Error)],
        ),
        case(
            "",
            &format!("{hybrid}; {MBR_BIN}"),
            &[(Id::MbrWrongCode, Error)],
        ),
        // The same before a partition whose boot sector says that it starts nothing, and before one with code.
        case(
            "truncate -s 1M fat.img; mkfs.fat fat.img >/dev/null",
            &format!("{active}; {MBR_BIN}"),
            &[(Id::MbrWrongCode, Error)],
        ),
        case(
            "truncate -s 1M fat.img; mkfs.fat fat.img >/dev/null; dd if=/dev/zero of=fat.img bs=1 seek=62 count=448 conv=notrunc status=none",
            &format!("{active}; {MBR_BIN}"),
            &[],
        ),
        case(
            ": >empty",
            &format!("{}; {efi}", put("empty", "::/EFI/BOOT/BOOTX64.EFI")),
            &[(Id::EfiLoaderProgram, Error)],
        ),
        case(
            "",
            &format!("{}; {efi}", put("grub.efi", "::/EFI/BOOT/BOOTAMD64.EFI")),
            &[(Id::EfiLoaderName, Error)],
        ),
        case(
            "",
            &format!("{}; {efi}", put("grub.efi", "::/EFI/BOOT/BOOTIA32.EFI")),
            &[(Id::EfiLoaderProgram, Error)],
        ),
        case(
            "truncate -s 200K tree/uefi/boot.img",
            &efi,
            &[(Id::EfiFatLongerThanImage, Error)],
        ),
        case(
            "truncate -s 2900K tree/uefi/boot.img",
            &efi,
            &[(Id::EfiFatLongerThanImage, Warning)],
        ),
        case(
            "mkfs.ext2 -q -F other.img 3M; cp other.img tree/uefi/apple.img",
            &format!("{X} -e uefi/apple.img -no-emul-boot tree"),
            &[(Id::EfiWrongImage, Error)],
        ),
        case(
            "",
            &format!("{X} {BIOS} tree"),
            &[(Id::CatalogNoEfi, Warning)],
        ),
        case(
            "grub-mkimage -O x86_64-efi -p /menu -o prompt.efi normal",
            &format!("{}; {efi}", put("prompt.efi", "::/EFI/BOOT/BOOTX64.EFI")),
            &[(Id::EfiSecondStage, Error)],
        ),
        case(
            &format!("cp {SHIM} shim.efi"),
            &format!("{}; {efi}", put("shim.efi", "::/EFI/BOOT/BOOTX64.EFI")),
            &[(Id::EfiSecondStage, Error)],
        ),
        // It does not start from a CD, whatever is beside it.
        case(
            SYSLINUX_EFI,
            &format!("{}; {efi}", put("sys.efi", "::/EFI/BOOT/BOOTX64.EFI")),
            &[(Id::EfiSecondStage, Error), (Id::EfiSyslinuxCd, Error)],
        ),
        case(
            SYSLINUX_EFI,
            &format!(
                "{}; mcopy -i tree/uefi/boot.img $next ::/; mcopy -i tree/uefi/boot.img tree/syslinux/syslinux.cfg ::/EFI/BOOT/; {efi}",
                put("sys.efi", "::/EFI/BOOT/BOOTX64.EFI")
            ),
            &[(Id::EfiSyslinuxCd, Error)],
        ),
        case(
            "grub-mkimage -O i386-pc-eltorito -p /nowhere -c own.cfg -o tree/uefi/bios.img normal echo biosdisk",
            &format!("{X} -b uefi/bios.img -no-emul-boot -boot-load-size 4 {EFI} tree"),
            &[(Id::BootInfoTable, Error)],
        ),
        // GRUB for a BIOS, whose core image is compressed: with all that it reads, and without.
        case(BIOS_GRUB, &bios_grub, &[]),
        case(
            &format!("{BIOS_GRUB}; rm tree/boot/grub/i386-pc/normal.mod"),
            &bios_grub,
            &[(Id::GrubFiles, Error)],
        ),
        case(
            &format!("{BIOS_GRUB}; mv tree/boot/grub/grub.cfg tree/boot/grub/GRUB.CFG"),
            &bios_grub,
            &[(Id::GrubFiles, Error)],
        ),
        // As grub-mkrescue makes a disc that shows GRUB's prompt.
        case(
            &format!("{BIOS_GRUB}; rm tree/boot/grub/grub.cfg; echo insmod normal >mods.cfg; {}", MKIMAGE.replace("-p /", "-c mods.cfg -p /")),
            &bios_grub,
            &[(Id::GrubFiles, Warning)],
        ),
        case(
            &format!("{BIOS_GRUB}; mv tree/boot/grub tree/boot/grub2"),
            &bios_grub.replace("grub/", "grub2/"),
            &[(Id::GrubFiles, Error)],
        ),
        case(
            &format!(
                "{BIOS_GRUB}; grub-mkimage -O i386-pc-eltorito -p '()/x' -c esp.cfg -o tree/boot/grub/bios.img biosdisk iso9660 normal search"
            )
            .replace("mkdir", "printf 'search --set=root --file /os/kernel\nset prefix=($root)/boot/grub\n' >esp.cfg; mkdir"),
            &bios_grub,
            &[],
        ),
        // A program that reads its own address, without a table and with one.
        case(
            READS_TABLE,
            &format!("{X} -b os/own.bin -no-emul-boot -boot-load-size 16 {EFI} tree"),
            &[(Id::BootInfoTable, Error)],
        ),
        case(
            READS_TABLE,
            &format!(
                "{X} -b os/own.bin -no-emul-boot -boot-load-size 16 -boot-info-table {EFI} tree"
            ),
            &[],
        ),
        // Drives that are not emulated; a smaller load size is no remedy.
        case(
            FLOPPY,
            &format!("{X} -b os/floppy.img -no-emul-boot -boot-load-size 4 {EFI} tree"),
            &[(Id::MissingEmulation, Error)],
        ),
        case(
            FLOPPY,
            &format!("{X} -b os/floppy.img -no-emul-boot {EFI} tree"),
            &[(Id::MissingEmulation, Error)],
        ),
        case(FLOPPY, &format!("{X} -b os/floppy.img {EFI} tree"), &[]),
        case(
            HARD_DISK,
            &format!("{X} -b os/disk.img -no-emul-boot -boot-load-size 4 {EFI} tree"),
            &[(Id::MissingEmulation, Warning)],
        ),
        // isolinux 4 reads the names of ISO 9660, whatever Rock Ridge and Joliet have.
        case(OLD_ISOLINUX, &whole, &[(Id::ConfigMissingFile, Error)]),
        case(
            &format!("{OLD_ISOLINUX}; sed -i s/the-kernel/the_kern/ tree/syslinux/syslinux.cfg"),
            &whole,
            &[],
        ),
        // EDK2 compares the names of UDF with their case.
        case(
            UDF_TREE,
            "genisoimage -quiet -udf -R -o disc.iso tree",
            &[(Id::NoBootRecord, Warning)],
        ),
        case(
            &format!("{UDF_TREE}; mv tree/EFI/BOOT/BOOTX64.EFI tree/EFI/BOOT/bootx64.efi"),
            "genisoimage -quiet -udf -R -o disc.iso tree",
            &[(Id::NoBootRecord, Error)],
        ),
        // Windows' discs: all is in UDF alone, and the EFI image has a loader of its own.
        case(
            "mkdir -p tree/efi/boot; cp grub.efi tree/efi/boot/bootx64.efi; printf x >>tree/efi/boot/bootx64.efi; rm -r tree/syslinux tree/os",
            "genisoimage -quiet -udf -hide efi -hide uefi -o disc.iso -e uefi/boot.img -no-emul-boot tree",
            &[],
        ),
        case(
            "mkdir outer",
            &format!("{whole}; mv disc.iso outer/image.iso; {X} outer"),
            &[(Id::IsoBurntAsFile, Error)],
        ),
    ]
}
