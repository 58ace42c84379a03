//! Discs whose loaders start, and whose configuration leads nowhere.

use super::{cases::Case, *};

/// A kernel of Linux 6.1, as far as its header says.
const LINUX: &str = "printf '\\001' >head; printf 'k\\017\\000\\000' >size; printf '\\020\\000' >at; printf '6.1 (one)\\000' >version; printf HdrS >mark
    for part in head:497 size:500 mark:514 at:526 version:528; do dd if=${part%:*} of=tree/os/kernel bs=1 seek=${part#*:} conv=notrunc status=none; done";
/// Initial file systems with a module: in `new` for that kernel, and in `old` for another one.
const PACKED: &str = "mkdir -p old/lib/modules/5.10/fs new/lib/modules/6.1/fs; touch old/lib/modules/5.10/fs/isofs.ko new/lib/modules/6.1/fs/isofs.ko;";
const NO_CONFIGURATION: &str = "echo 'configfile /boot/grub/live.cfg' >tree/boot/grub/grub.cfg";
/// GRUB's program with the mark of systemd-boot.
const AS_SYSTEMD_BOOT: &str =
    "printf '#### LoaderInfo: systemd-boot 252 ####' >mark; objcopy --add-section .sdmagic=mark --change-section-vma .sdmagic=0x1000000 grub.efi sd.efi
    mcopy -o -i tree/uefi/boot.img sd.efi ::/EFI/BOOT/BOOTX64.EFI";

/// As [`cases::cases`].
pub(super) fn entries() -> Vec<Case> {
    use Severity::Error;
    let whole = format!("{X} {BIOS} {EFI} tree");
    let bios_grub = format!(
        "{X} -b boot/grub/bios.img -no-emul-boot -boot-load-size 4 -boot-info-table {EFI} tree"
    );
    let wants = |what: &str| format!("sed -i 's:root=.*:{what}:' tree/syslinux/syslinux.cfg");
    let searched = wants("archisosearchuuid=2001-02-03-04-05-06-07");
    let case = |before: &str, master: &str, found: &[Id]| {
        let found = found.iter().map(|id| (*id, Error)).collect();
        (before.to_owned(), master.to_owned(), found)
    };
    let kernel = [Id::KernelNotLinux];
    let initrd = [Id::InitrdUnreadable];
    vec![
        // Kernels: GRUB says `invalid magic number` or `premature end of file`.
        case(": >tree/os/kernel", &whole, &kernel),
        case("echo gone >tree/os/kernel", &whole, &kernel),
        // isolinux unpacks nothing, and GRUB does.
        case(
            "gzip -k tree/os/kernel; mv tree/os/kernel.gz tree/os/kernel",
            &whole,
            &kernel,
        ),
        case(
            "head -c 70000 /dev/zero >tree/os/kernel; printf 'ARM\\144' | dd of=tree/os/kernel bs=1 seek=56 conv=notrunc status=none",
            &whole,
            &kernel,
        ),
        case(
            &format!(
                "{BIOS_GRUB}; gzip -k tree/os/kernel; mv tree/os/kernel.gz tree/os/kernel; rm -r tree/syslinux"
            ),
            &bios_grub,
            &[],
        ),
        // Initial file systems: `Initramfs unpacking failed`, and a panic.
        case(
            &format!("{LINUX}; gzip </dev/null >tree/os/initrd"),
            &whole,
            &[],
        ),
        case(LINUX, &whole, &initrd),
        case(&format!("{LINUX}; : >tree/os/initrd"), &whole, &initrd),
        case(
            &format!("{LINUX}; cp tree/os/kernel tree/os/initrd"),
            &whole,
            &initrd,
        ),
        case(
            &format!("{LINUX}; {PACKED} tar -c -C new lib | gzip >tree/os/initrd"),
            &whole,
            &initrd,
        ),
        // Linux does not load the modules of another version.
        (
            format!("{LINUX}; {PACKED} bsdtar -c --format newc -C old lib | gzip >tree/os/initrd"),
            whole.clone(),
            vec![(Id::InitrdModules, Severity::Warning)],
        ),
        case(
            &format!(
                "{LINUX}; {PACKED} bsdtar -c --format newc -C old lib -C ../new lib | gzip >tree/os/initrd"
            ),
            &whole,
            &[],
        ),
        // GRUB puts a file of any content into an archive.
        case(
            &format!(
                "{LINUX}; {BIOS_GRUB}; rm -r tree/syslinux; echo 'menuentry x {{ linux /os/kernel; initrd newc:init:/os/initrd; }}' >tree/boot/grub/grub.cfg"
            ),
            &bios_grub,
            &[],
        ),
        case(
            &format!(
                "{LINUX}; {BIOS_GRUB}; rm -r tree/syslinux; echo 'menuentry x {{ linux /os/kernel; initrd /os/initrd; }}' >tree/boot/grub/grub.cfg"
            ),
            &bios_grub,
            &initrd,
        ),
        // Folders and files by which a system finds its medium.
        case(&wants("boot=casper"), &whole, &[Id::ConfigWrongMedium]),
        case(
            &format!(
                "{}; mkdir tree/casper; echo x >tree/casper/x",
                wants("boot=casper")
            ),
            &whole,
            &[],
        ),
        case(&searched, &whole, &[Id::ConfigWrongMedium]),
        case(
            &format!("{searched}; mkdir tree/boot; echo x >tree/boot/2001-02-03-04-05-06-07.uuid"),
            &whole,
            &[],
        ),
        case(
            "echo 'ontimeout install' >>tree/syslinux/syslinux.cfg",
            &whole,
            &[Id::ConfigMissingFile],
        ),
        case(
            "echo 'ontimeout one' >>tree/syslinux/syslinux.cfg",
            &whole,
            &[],
        ),
        // GRUB's configuration continues nowhere; and it does without.
        case(
            &format!("{BIOS_GRUB}; {NO_CONFIGURATION}"),
            &bios_grub,
            &[Id::ConfigMissingFile],
        ),
        case(
            &format!("{BIOS_GRUB}; {NO_CONFIGURATION}; echo sleep 9 >>tree/boot/grub/grub.cfg"),
            &bios_grub,
            &[],
        ),
        // grub-mkrescue's program for UEFI has a prefix on the whole drive: as a stick it starts too.
        case(
            BIOS_GRUB,
            "grub-mkrescue -o disc.iso tree -- -volid 'SOME DISC'",
            &[],
        ),
        case(AS_SYSTEMD_BOOT, &whole, &[Id::EfiSecondStage]),
        case(
            &format!(
                "{AS_SYSTEMD_BOOT}; mkdir -p tree/loader/entries; echo 'linux /os/kernel' >tree/loader/entries/a.conf"
            ),
            &whole,
            &[Id::EfiSecondStage],
        ),
    ]
}
