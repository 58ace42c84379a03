//! Discs that real tools make of real loaders, right and wrong in the ways in which users' discs are: each has its finding, and nothing else that is worse
//! than worth knowing. A tool or loader that is not installed leaves its discs out, and the test says so.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

mod cases;
mod entries;
mod fixes;
mod loaders;
mod signatures;

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use images::{
    finding::{FindingId as Id, Severity},
    inspect::{DiscFile, Inspection, Options, Window, inspect},
};

use cases::cases;

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

/// A tree with isolinux in an unusual place, an EFI image of GRUB's, and a kernel that has the signature of a boot sector alone.
fn tree(folder: &Path) -> bool {
    let made = run(
        folder,
        &format!(
            "mkdir -p tree/syslinux tree/os tree/uefi
             cp {ISOLINUX} {MODULES}/ldlinux.c32 {MODULES}/libutil.c32 {MODULES}/menu.c32 tree/syslinux/
             printf 'ui menu.c32\\nlabel one\\n linux /os/kernel\\n append initrd=/os/initrd root=live:CDLABEL=SOME\\\\x20DISC\\n' >tree/syslinux/syslinux.cfg
             head -c 70000 /dev/zero | tr '\\0' k >tree/os/kernel
             printf '\\125\\252' | dd of=tree/os/kernel bs=1 seek=510 conv=notrunc status=none
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

#[test]
fn each_disc_has_its_finding_and_no_other() {
    let mut wrong = Vec::new();
    let mut made = BTreeSet::new();
    let all = [cases(), entries::entries(), loaders::loaders()];
    let all = all.into_iter().flatten();
    for (before, master, expected) in all {
        let folder = tempfile::tempdir().unwrap();
        if !tree(folder.path()) {
            println!("isolinux, GRUB or mtools is not here");
            return;
        }
        if !run(folder.path(), &format!("{before}\n{master}")) {
            // Only shim is not installed by the set-up.
            if std::env::var_os("CI").is_some() && !before.contains(SHIM) {
                wrong.push(format!("{before} ; {master}\n  was not made"));
            }
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

/// With the label that one configuration wants, the others would not find the disc.
#[test]
fn a_label_that_another_configuration_names_stays() {
    let folder = tempfile::tempdir().unwrap();
    if !tree(folder.path()) {
        println!("isolinux, GRUB or mtools is not here");
        return;
    }
    let found = |label: &str| {
        let script = format!("{}; {X} {BIOS} {EFI} tree", grub_cfg(label));
        assert!(run(folder.path(), &script));
        let inspection = read(&folder.path().join("disc.iso"), false);
        let mut findings = inspection.findings.into_iter();
        findings.find(|it| it.id == Id::ConfigWrongMedium)
    };
    assert_eq!(found("SOME"), None);
    let finding = found("OTHER").unwrap();
    assert!(
        finding.fix.contains("correct this configuration"),
        "{}",
        finding.fix
    );
}
