//! Discs that real tools make of real loaders, right and wrong in the ways in which users' discs are: each has its finding, and nothing else that is worse
//! than worth knowing. A tool or loader that is not installed leaves its discs out, and the test says so.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

mod fixes;
mod signatures;

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use images::{
    finding::{FindingId as Id, Severity},
    inspect::{DiscFile, Inspection, Options, Window, inspect},
};

const ISOLINUX: &str = "/usr/lib/ISOLINUX/isolinux.bin";
const MODULES: &str = "/usr/lib/syslinux/modules/bios";
const HYBRID_CODE: &str = "/usr/lib/ISOLINUX/isohdpfx.bin";
const GRUB_CODE: &str = "/usr/lib/grub/i386-pc/boot_hybrid.img";
const MBR_BIN: &str =
    "dd if=/usr/lib/syslinux/mbr/mbr.bin of=disc.iso bs=440 count=1 conv=notrunc status=none";
/// A file with the header of a Linux kernel of 62,960 bytes.
const KERNEL_BIN: &str = "printf '\\001' >head; printf 'k\\017\\000\\000' >size; cp tree/os/kernel tree/os/kernel.bin
    for part in head:497 size:500; do dd if=${part%:*} of=tree/os/kernel.bin bs=1 seek=${part#*:} conv=notrunc status=none; done
    printf HdrS | dd of=tree/os/kernel.bin bs=1 seek=514 conv=notrunc status=none";
const BY_UUID: &str =
    "sed -i 's:root=.*:root=live\\:UUID=2001-02-03-04-05-06-07:' tree/syslinux/syslinux.cfg";
/// The option that gives a volume this UUID, before another.
const DATED: &str = "--modification-date=2001020304050607 -o";
/// GRUB that looks beside itself for its configuration, which goes on with the one in the tree.
const ESP_GRUB: &str = "mkdir -p tree/boot/grub; printf 'echo hello\\nsleep 100\\n' >tree/boot/grub/grub.cfg
    printf 'search --fs-uuid --set=root 2001-02-03-04-05-06-07\\nset prefix=($root)/boot/grub\\nconfigfile ($root)/boot/grub/grub.cfg\\n' >esp.cfg
    grub-mkimage -O x86_64-efi -p /EFI/BOOT -o esp.efi normal search search_fs_uuid configfile iso9660 fat";
/// An entry of systemd-boot's for the kernel in the tree.
const SYSTEMD_BOOT: &str = "printf 'title One\\nlinux /os/kernel\\ninitrd /os/initrd\\n' >one.conf
    mmd -i tree/uefi/boot.img ::/loader ::/loader/entries; mcopy -i tree/uefi/boot.img one.conf ::/loader/entries/";
/// Gives the initial entry the media type of a hard disk.
const AS_HARD_DISK: &str = "catalog=$(od -An -tu4 -j34887 -N4 disc.iso)
    printf '\\004' | dd of=disc.iso bs=1 seek=$((catalog * 2048 + 33)) conv=notrunc status=none";
const UTF_16: &str = "iconv -f utf-8 -t utf-16 tree/syslinux/syslinux.cfg >other.cfg; cp other.cfg tree/syslinux/syslinux.cfg";
const HARD_DISK: &str = "truncate -s 16M tree/os/disk.img; printf 'label: dos\\n63,,06,*\\n' | sfdisk -q tree/os/disk.img
    mkfs.fat -F16 -h 63 -g 16/63 -s 4 --offset 63 tree/os/disk.img >/dev/null 2>&1";
/// An isolinux that says that it is one of before Rock Ridge, and a kernel with a name that ISO 9660 has no letters for.
const OLD_ISOLINUX: &str = "sed -i 's/ISOLINUX 6/ISOLINUX 4/g' tree/syslinux/isolinux.bin; mv tree/os/kernel tree/os/the-kernel
    printf 'default one\\nlabel one\\n linux /os/the-kernel\\n append initrd=/os/initrd\\n' >tree/syslinux/syslinux.cfg";
/// A tree with a loader for UEFI alone, as UDF has it.
const UDF_TREE: &str = "mkdir -p tree/EFI/BOOT; cp grub.efi tree/EFI/BOOT/BOOTX64.EFI; rm -r tree/syslinux tree/os tree/uefi";
/// GRUB's kernel is on a drive that has a name.
const BY_DRIVE: &str = "mkdir -p tree/boot/grub; printf 'set root=cd0\\nmenuentry One {\\n linux /os/kernel\\n}\\n' >tree/boot/grub/grub.cfg";
const FLOPPY: &str = "mkfs.fat -C tree/os/floppy.img 1440 >/dev/null";
/// A loader that begins with CLI and reads the address of its image from the boot-info table.
const READS_TABLE: &str =
    "printf '\\372\\146\\241\\014\\174' >tree/os/own.bin; truncate -s 8K tree/os/own.bin";
const SHIM: &str = "/usr/lib/shim/shimx64.efi.signed";

/// SYSLINUX for UEFI in the place of GRUB (Debian package `syslinux-efi`).
const SYSLINUX_EFI: &str = "cp /usr/lib/SYSLINUX.EFI/efi64/syslinux.efi sys.efi; next=/usr/lib/syslinux/modules/efi64/ldlinux.e64";

/// A disc that starts from a floppy.
const AS_FLOPPY: &str =
    "genisoimage -quiet -R -J -V 'SOME DISC' -o disc.iso -b os/f.img -c boot.cat";
/// GRUB that brings along file systems alone, and its configuration.
const GRUB_ALONE: &str = "grub-mkimage -O x86_64-efi -p /boot/grub -o alone.efi iso9660 fat; mkdir -p tree/boot/grub; echo 'menuentry x { linux /os/kernel }' >tree/boot/grub/grub.cfg";

/// GRUB for a BIOS that has the drivers alone, with its modules and its configuration in the tree.
const BIOS_GRUB: &str =
    "mkdir -p tree/boot/grub/i386-pc; cp /usr/lib/grub/i386-pc/*.mod tree/boot/grub/i386-pc/
    echo 'menuentry x { linux /os/kernel }' >tree/boot/grub/grub.cfg
    grub-mkimage -O i386-pc-eltorito -p /boot/grub -o tree/boot/grub/bios.img biosdisk iso9660";
const MKIMAGE: &str =
    "grub-mkimage -O i386-pc-eltorito -p /boot/grub -o tree/boot/grub/bios.img biosdisk iso9660";

/// A command of a shell in a folder; false where it fails or what it needs is missing.
fn run(folder: &Path, script: &str) -> bool {
    let done = Command::new("sh")
        .args(["-ec", script])
        .current_dir(folder)
        .output();
    let Ok(output) = done else { return false };
    if !output.status.success() {
        println!(
            "not here: {script}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    output.status.success()
}

fn read(iso: &Path, verify: bool) -> Inspection {
    let disc = DiscFile::open(iso).unwrap();
    let options = Options {
        verify,
        ..Options::default()
    };
    inspect(&mut Window::new(&disc), &options).unwrap()
}

/// A tree with isolinux in an unusual place, an EFI image of GRUB's, and a kernel that is none.
fn tree(folder: &Path) -> bool {
    let made = run(
        folder,
        &format!(
            "mkdir -p tree/syslinux tree/os tree/uefi
             cp {ISOLINUX} {MODULES}/ldlinux.c32 {MODULES}/libutil.c32 {MODULES}/menu.c32 tree/syslinux/
             printf 'ui menu.c32\\nlabel one\\n linux /os/kernel\\n append initrd=/os/initrd root=live:CDLABEL=SOME\\\\x20DISC\\n' >tree/syslinux/syslinux.cfg
             head -c 70000 /dev/zero | tr '\\0' k >tree/os/kernel
             head -c 50000 /dev/zero | tr '\\0' i >tree/os/initrd
             printf 'echo hello\\nsleep 100\\n' >own.cfg
             grub-mkimage -O x86_64-efi -p /nowhere -c own.cfg -o grub.efi normal echo sleep
             truncate -s 3M tree/uefi/boot.img
             mkfs.fat -n SMALL tree/uefi/boot.img >/dev/null
             mmd -i tree/uefi/boot.img ::/EFI ::/EFI/BOOT
             mcopy -i tree/uefi/boot.img grub.efi ::/EFI/BOOT/BOOTX64.EFI"
        ),
    );
    made && Path::new(HYBRID_CODE).exists()
}

const BIOS: &str = "-b syslinux/isolinux.bin -c syslinux/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table";
const EFI: &str = "-eltorito-alt-boot -e uefi/boot.img -no-emul-boot";
const X: &str = "xorriso -as mkisofs -quiet -R -J -V 'SOME DISC' -o disc.iso";

/// A configuration of GRUB's in the tree, whose kernel wants a label with a space in it.
fn grub_cfg(label: &str) -> String {
    format!(
        "mkdir -p tree/boot/grub; printf 'menuentry One {{\\n linux /os/kernel root=live:CDLABEL={label}\\\\x20DISC\\n initrd /os/initrd\\n}}\\n' >tree/boot/grub/grub.cfg"
    )
}

/// A disc, and what must be found on it.
type Case = (String, String, Vec<(Id, Severity)>);

/// What is done before the disc is mastered, how it is mastered, and what must be found.
fn cases() -> Vec<Case> {
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
            &format!("{BIOS_GRUB}; rm tree/boot/grub/grub.cfg; echo insmod normal >mods.cfg; {}", MKIMAGE.replace("-p", "-c mods.cfg -p")),
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

#[test]
fn each_disc_has_its_finding_and_no_other() {
    let mut wrong = Vec::new();
    let mut made = BTreeSet::new();
    for (before, master, expected) in cases() {
        let folder = tempfile::tempdir().unwrap();
        if !tree(folder.path()) {
            println!("isolinux, GRUB or mtools is not here");
            return;
        }
        if !run(folder.path(), &format!("{before}\n{master}")) {
            continue;
        }
        let inspection = read(&folder.path().join("disc.iso"), false);
        let findings = inspection.findings.iter();
        let found: Vec<(Id, Severity)> = findings
            .filter(|finding| finding.severity > Severity::Info)
            .map(|finding| (finding.id, finding.severity))
            .collect();
        made.extend(expected.iter().map(|(id, _)| *id));
        if found != expected {
            wrong.push(format!(
                "{before} ; {master}\n  expected {expected:?}\n  found {:#?}",
                inspection.findings
            ));
        }
    }
    println!("{made:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_implanted_checksum_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let iso = folder.path().join("disc.iso");
    if !tree(folder.path())
        || !run(
            folder.path(),
            &format!("{X} {BIOS} tree; implantisomd5 disc.iso"),
        )
    {
        return;
    }
    assert!(!read(&iso, true).found(Id::MediaChecksum));
    let mut bytes = fs::read(&iso).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&iso, bytes).unwrap();
    assert!(read(&iso, true).found(Id::MediaChecksum));
    assert!(!read(&iso, false).found(Id::MediaChecksum));
}
