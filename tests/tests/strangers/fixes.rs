//! What mends a finding: it makes the disc that the right command makes, byte for byte, or one of which tools complain no more.

use std::{fs, ops::Range, path::Path, process::Command};

use images::{
    finding::FindingId as Id,
    inspect::{DiscFile, Options},
    mend::{Mended, mend},
};

use super::{
    BIOS, BY_DRIVE, BY_UUID, DATED, EFI, GRUB_CODE, HARD_DISK, HYBRID_CODE, KERNEL_BIN, UTF_16, X,
    read, run, tree,
};

/// A disc in which one finding is mended, and its bytes.
fn mended(iso: &Path, id: Id, code: Option<&[u8]>) -> (Mended, Vec<u8>) {
    let disc = DiscFile::open(iso).unwrap();
    let options = Options {
        boot_code: code,
        ..Options::default()
    };
    let mended = mend(&disc, &options, |_, finding| finding.id == id).unwrap();
    let mut bytes = fs::read(iso).unwrap();
    mended.edits.apply(0, &mut bytes);
    (mended, bytes)
}

/// Writes where the last sector of a disk's first partition is said in cylinders, heads and sectors.
const END: &str = "dd of=tree/os/disk.img bs=1 seek=451 conv=notrunc status=none";
/// A bound of the bytes that are compared.
const ALL: Range<usize> = 0..usize::MAX;

/// What is done before the disc is mastered, how it is mastered wrong and right, what is found, and which bytes the right one has too.
type Pair = (&'static str, String, String, Id, Range<usize>);

fn pairs() -> Vec<Pair> {
    let whole = format!("{X} {BIOS} {EFI} tree");
    let grub = "grub-mkimage -O i386-pc-eltorito -p /nowhere -c own.cfg -o tree/uefi/bios.img normal echo biosdisk";
    let with_grub = |options: &str| {
        format!("{X} -b uefi/bios.img -no-emul-boot -boot-load-size 4 {options} {EFI} tree")
    };
    let hybrid = format!("{X} -isohybrid-mbr {HYBRID_CODE}");
    let hard_disk = format!("{X} -b os/disk.img -c boot.cat -hard-disk-boot tree");
    let config = "tree/syslinux/syslinux.cfg";
    // Where the table has nothing yet tools write zeros, and that is no part of it.
    let reserved = "dd if=/dev/zero of=tree/syslinux/isolinux.bin bs=1 seek=24 count=40 conv=notrunc status=none";
    let emulated = format!("{X} -b syslinux/isolinux.bin -c syslinux/boot.cat");
    vec![
        (
            "",
            format!("{CLOCK}; {X} -e uefi/boot.img -no-emul-boot -eltorito-alt-boot {BIOS} tree"),
            format!("{CLOCK}; {whole}"),
            Id::CatalogBiosNotFirst,
            ALL,
        ),
        (
            KERNEL_BIN,
            format!("sed -i 's:linux  /:kernel /:' {config}; {CLOCK}; {whole}"),
            format!(
                "sed -i 's:linux /os/kernel:linux  /os/kernel.bin:' {config}; {CLOCK}; {whole}"
            ),
            Id::IsolinuxKernelName,
            ALL,
        ),
        (
            reserved,
            whole.replace(" -boot-info-table", ""),
            whole.clone(),
            Id::BootInfoTable,
            ALL,
        ),
        (
            grub,
            with_grub(""),
            with_grub("-boot-info-table"),
            Id::BootInfoTable,
            ALL,
        ),
        (
            "",
            whole.replace("-boot-load-size 4", "-boot-load-size 2"),
            whole.clone(),
            Id::LoadSizeShort,
            ALL,
        ),
        (
            "",
            format!("{hybrid} --protective-msdos-label {BIOS} {EFI} tree"),
            format!("{hybrid} {BIOS} {EFI} tree"),
            Id::HybridPointer,
            0..440,
        ),
        (
            grub,
            with_grub(&format!("-boot-info-table --grub2-mbr {GRUB_CODE}")),
            with_grub(&format!(
                "-boot-info-table --grub2-boot-info --grub2-mbr {GRUB_CODE}"
            )),
            Id::HybridPointer,
            ALL,
        ),
        (
            grub,
            with_grub(&format!(
                "-boot-info-table --grub2-boot-info --grub2-mbr {GRUB_CODE} -appended_part_as_gpt -append_partition 2 0xef tree/uefi/boot.img"
            )),
            with_grub(&format!(
                "-boot-info-table --grub2-boot-info --grub2-mbr {GRUB_CODE} -appended_part_as_gpt -append_partition 2 0xef tree/uefi/boot.img --mbr-force-bootable"
            )),
            Id::MbrNoActive,
            0..512,
        ),
        (
            "sed -i s/SOME/OTHER/ tree/syslinux/syslinux.cfg",
            whole.clone(),
            whole.replace("SOME DISC", "OTHER DISC"),
            Id::ConfigWrongMedium,
            ALL,
        ),
        // Joliet's label has sixteen characters.
        (
            "sed -i s/SOME/A_LABEL_THAT_IS_LONG/ tree/syslinux/syslinux.cfg",
            whole.clone(),
            whole.replace("SOME", "A_LABEL_THAT_IS_LONG"),
            Id::ConfigWrongMedium,
            ALL,
        ),
        // The volume begins again in the first partition.
        (
            "sed -i s/SOME/OTHER/ tree/syslinux/syslinux.cfg",
            format!("{hybrid} -partition_offset 16 {BIOS} {EFI} tree"),
            format!("{hybrid} -partition_offset 16 {BIOS} {EFI} tree")
                .replace("SOME DISC", "OTHER DISC"),
            Id::ConfigWrongMedium,
            ALL,
        ),
        // Spaces where the drive was named.
        (
            BY_DRIVE,
            format!("{CLOCK}; {hybrid} {BIOS} {EFI} tree"),
            format!(
                "sed -i 's/^set root=cd0/            /' tree/boot/grub/grub.cfg; {CLOCK}; {hybrid} {BIOS} {EFI} tree"
            ),
            Id::ConfigFixedDevice,
            ALL,
        ),
        // Half as many bytes, and line feeds.
        (
            UTF_16,
            format!("cp other.cfg {config}; {CLOCK}; {whole}"),
            format!(
                "iconv -f utf-16 -t utf-8 other.cfg >{config}; head -c $(($(stat -c %s other.cfg) - $(stat -c %s {config}))) /dev/zero | tr '\\0' '\\n' >>{config}; {CLOCK}; {whole}"
            ),
            Id::ConfigEncoding,
            ALL,
        ),
        // The last sector of cylinder 32, of 16 heads and 63 sectors.
        (
            HARD_DISK,
            format!("printf '\\012\\010\\002' | {END}; {CLOCK}; {hard_disk}"),
            format!("printf '\\017\\077\\040' | {END}; {CLOCK}; {hard_disk}"),
            Id::HardDiskGeometry,
            ALL,
        ),
        // The digits of the time at which the volume was last changed (ECMA-119 §8.4.27).
        (
            BY_UUID,
            whole.clone(),
            whole.replace("-o", DATED),
            Id::ConfigWrongMedium,
            16 * 2048 + 830..16 * 2048 + 846,
        ),
        (
            "truncate -s 2880K tree/syslinux/isolinux.bin",
            format!("{emulated} tree"),
            format!("{emulated} -no-emul-boot -boot-load-size 4 tree"),
            Id::LoaderEmulation,
            ALL,
        ),
    ]
}

/// A tool's clock stands still, so that only what it was told differs.
const CLOCK: &str =
    "export SOURCE_DATE_EPOCH=1700000000; find . -exec touch -h -d @1700000000 {} +";

#[test]
fn a_fix_makes_the_disc_that_the_right_command_makes() {
    let mut wrong = Vec::new();
    for (before, faulty, right, id, compared) in pairs() {
        let folder = tempfile::tempdir().unwrap();
        if !tree(folder.path()) {
            println!("isolinux, GRUB or mtools is not here");
            return;
        }
        let script =
            format!("{before}\n{CLOCK}\n{right}\nmv disc.iso right.iso\n{CLOCK}\n{faulty}");
        if !run(folder.path(), &script) {
            continue;
        }
        let (mended, bytes) = mended(&folder.path().join("disc.iso"), id, None);
        let right = fs::read(folder.path().join("right.iso")).unwrap();
        let range = compared.start..compared.end.min(right.len());
        let differs = range.clone().find(|&at| bytes.get(at) != right.get(at));
        if let Some(at) = differs {
            wrong.push(format!("{id}: byte {at}: {faulty}\n  {:#?}", mended.fixed));
        }
        if mended.inspection.found(id) {
            wrong.push(format!("{id} is still there: {faulty}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Code that a user names stands in the first sector as xorriso writes it, and GRUB's boot image is the one that it makes for a stick.
#[test]
fn boot_code_that_is_named_points_where_xorriso_lets_it_point() {
    let grub = "grub-mkimage -O i386-pc-eltorito -p /nowhere -c own.cfg -o tree/uefi/bios.img normal echo biosdisk";
    let with_grub = format!(
        "{X} -b uefi/bios.img -no-emul-boot -boot-load-size 4 -boot-info-table --grub2-mbr {GRUB_CODE}"
    );
    let appended = "-append_partition 2 0xef efi.img";
    let hybrid = format!("{X} -isohybrid-mbr {HYBRID_CODE}");
    let before = format!("{grub}; cp tree/uefi/boot.img efi.img");
    for (faulty, right, id, code, compared) in [
        (
            format!("{X} {BIOS} {EFI} tree"),
            format!("{X} -isohybrid-mbr {HYBRID_CODE} {BIOS} {EFI} tree"),
            Id::MbrAbsent,
            HYBRID_CODE,
            vec![0..440, 510..512],
        ),
        (
            format!("{X} {appended} {BIOS} {EFI} tree"),
            format!("{X} {appended} -isohybrid-mbr {HYBRID_CODE} {BIOS} {EFI} tree"),
            Id::MbrNoCode,
            HYBRID_CODE,
            vec![0..440, 446..447, 510..512],
        ),
        (
            format!("{X} --grub2-mbr {GRUB_CODE} -partition_offset 16 {BIOS} {EFI} tree"),
            format!("{hybrid} -partition_offset 16 {BIOS} {EFI} tree"),
            Id::MbrWrongCode,
            HYBRID_CODE,
            vec![0..440, 510..512],
        ),
        (
            with_grub.replace(&format!("--grub2-mbr {GRUB_CODE}"), "tree"),
            format!("{with_grub} --grub2-boot-info tree"),
            Id::MbrAbsent,
            GRUB_CODE,
            vec![0..440, 510..usize::MAX],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        if !tree(folder.path()) {
            println!("isolinux, GRUB or mtools is not here");
            return;
        }
        let script =
            format!("{before}\n{CLOCK}\n{right}\nmv disc.iso right.iso\n{CLOCK}\n{faulty}");
        let Ok(code) = fs::read(code) else { continue };
        if !run(folder.path(), &script) {
            continue;
        }
        let iso = folder.path().join("disc.iso");
        assert!(read(&iso, false).found(id), "{faulty}");
        // Without code there is nothing to write.
        assert!(fixed(&iso, id, None).is_empty(), "{faulty}");
        let (mended, bytes) = mended(&iso, id, Some(&code));
        assert!(!mended.inspection.found(id), "{faulty}");
        let errors = mended.inspection.errors().count();
        assert_eq!(errors, 0, "{:#?}", mended.inspection.findings);
        let right = fs::read(folder.path().join("right.iso")).unwrap();
        for range in compared {
            let mut range = range.start..range.end.min(right.len());
            let differs = range.find(|&at| bytes.get(at) != right.get(at));
            assert_eq!(differs, None, "{faulty}");
        }
        fs::write(&iso, bytes).unwrap();
        let report = said(
            folder.path(),
            "xorriso -indev disc.iso -report_system_area plain 2>&1",
        );
        let is_known = report.contains("isohybrid") || report.contains("grub2-mbr");
        assert!(is_known && report.contains("0x80"), "{report}");
    }
}

fn fixed(iso: &Path, id: Id, code: Option<&[u8]>) -> Vec<Id> {
    let (mended, _) = mended(iso, id, code);
    mended.fixed.iter().map(|finding| finding.id).collect()
}

/// What a shell prints in a folder, good or bad. Debian keeps disk tools where not every user looks.
fn said(folder: &Path, script: &str) -> String {
    let script = format!("export PATH=$PATH:/usr/sbin:/sbin\n{script}");
    let mut command = Command::new("sh");
    let output = command.args(["-c", &script]).current_dir(folder).output();
    String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
}

/// What sgdisk, sfdisk, mdir and fsck.fat say of discs that are damaged by a command, and mended.
#[test]
fn tools_find_nothing_wrong_with_what_was_mended() {
    let gpt = format!("{X} {BIOS} -appended_part_as_gpt -append_partition 2 0xef efi.img tree");
    let basdat =
        format!("{X} -isohybrid-mbr {HYBRID_CODE} -isohybrid-gpt-basdat {BIOS} {EFI} tree");
    let efi = format!("{X} -e uefi/boot.img -no-emul-boot tree");
    let fat = "rm tree/uefi/boot.img; truncate -s 3M tree/uefi/boot.img; mkfs.fat tree/uefi/boot.img >/dev/null; mmd -i tree/uefi/boot.img ::/EFI ::/EFI/BOOT";
    let named = |name: &str| {
        format!("{fat}; mcopy -i tree/uefi/boot.img grub.efi '::/EFI/BOOT/{name}'\n{efi}")
    };
    let poke = |bytes: &str, at: &str| {
        format!("printf '{bytes}' | dd of=disc.iso bs=1 seek={at} conv=notrunc status=none")
    };
    let last = "dd if=/dev/zero of=disc.iso bs=512 count=40 seek=$(($(stat -c %s disc.iso) / 512 - 40)) conv=notrunc status=none";
    let sgdisk = "sgdisk -v disc.iso >said 2>&1; grep -q 'No problems' said && ! grep -iq 'corrupt\\|invalid\\|damaged' said && echo sound";
    let sfdisk = "sfdisk -d -Y dos disc.iso | sed -n 's/.*type=//p' | tr '\n' ' ' | grep -q 'bootable ef 0' && echo sound";
    let fsck = "xorriso -indev disc.iso -osirrox on -extract /uefi/boot.img fat.img >/dev/null 2>&1; mdir -/ -b -i fat.img | grep -q BOOT/BOOTX64.EFI && fsck.fat -n fat.img >said && ! grep -q differences said && echo sound";
    // FAT32, whose boot sector stands twice, and which says how many of its clusters are free.
    let large = fat
        .replace("3M", "44M")
        .replace("mkfs.fat", "mkfs.fat -F32 -s1")
        + "; mcopy -i tree/uefi/boot.img grub.efi ::/EFI/BOOT/BOOTX64.EFI; truncate -s 40M tree/uefi/boot.img";
    // An entry of type 0F that begins with the disc.
    let overlap = poke("\\017\\0\\0\\0\\0\\0\\0\\0\\350\\003", "482");
    for (master, id, judge) in [
        (
            format!("{gpt}; {}", poke("\\021", "530")),
            Id::HybridGpt,
            sgdisk,
        ),
        (
            format!("{gpt}; {}", poke("\\021", "1100")),
            Id::HybridGpt,
            sgdisk,
        ),
        (format!("{gpt}; {last}"), Id::HybridGpt, sgdisk),
        (
            format!("{gpt}; truncate -s +1M disc.iso"),
            Id::HybridGpt,
            sgdisk,
        ),
        (
            format!("{gpt}; truncate -s +2K disc.iso"),
            Id::HybridGpt,
            sgdisk,
        ),
        (format!("{basdat}; {overlap}"), Id::HybridMbr, sfdisk),
        (named("BOOTAMD64.EFI"), Id::EfiLoaderName, fsck),
        (named("a loader of ours.efi"), Id::EfiLoaderName, fsck),
        (
            format!("truncate -s 2900K tree/uefi/boot.img\n{efi}"),
            Id::EfiFatLongerThanImage,
            fsck,
        ),
        (format!("{large}\n{efi}"), Id::EfiFatLongerThanImage, fsck),
    ] {
        let folder = tempfile::tempdir().unwrap();
        if !tree(folder.path()) {
            println!("isolinux, GRUB or mtools is not here");
            return;
        }
        let script = format!("cp tree/uefi/boot.img efi.img\n{master}");
        if !run(folder.path(), &script) {
            continue;
        }
        assert_eq!(said(folder.path(), judge), "", "{master}");
        let iso = folder.path().join("disc.iso");
        let (mended, bytes) = mended(&iso, id, None);
        let left = &mended.inspection.findings;
        assert!(!mended.inspection.found(id), "{master}: {left:#?}");
        fs::write(&iso, bytes).unwrap();
        assert_eq!(said(folder.path(), judge), "sound\n", "{master}");
    }
}

/// Where the disc does not hold what is needed, or where something else would be lost, nothing is written.
#[test]
fn what_cannot_be_mended_is_left_alone() {
    let whole = format!("{X} {BIOS} {EFI} tree");
    let efi = format!("{X} -e uefi/boot.img -no-emul-boot tree");
    let gpt = format!("{X} {BIOS} -appended_part_as_gpt -append_partition 2 0xef efi.img tree");
    let configuration = "tree/syslinux/syslinux.cfg";
    let long = "A-LABEL-THAT-IS-LONGER-THAN-A-VOLUME";
    let moved = "mdel -i tree/uefi/boot.img ::/EFI/BOOT/BOOTX64.EFI; mcopy -i tree/uefi/boot.img grub.efi ::/OTHER.EFI";
    for (before, master, id) in [
        (
            format!(
                "sed -i s/SOME/OTHER/ {configuration}; printf 'label two\\n linux /os/kernel\\n append root=live:CDLABEL=THIRD\\n' >>{configuration}"
            ),
            whole.clone(),
            Id::ConfigWrongMedium,
        ),
        (
            format!(
                "printf 'label two\\n linux /os/kernel\\n append root=live:CDLABEL=THIRD\\ndefault two\\n' >>{configuration}"
            ),
            whole.clone(),
            Id::ConfigWrongMedium,
        ),
        (
            format!("sed -i s/=SOME.*/={long}/ {configuration}"),
            whole.clone(),
            Id::ConfigWrongMedium,
        ),
        (
            format!("sed -i s/SOME/OTHER/ {configuration}"),
            whole.replace("xorriso -as mkisofs", "genisoimage -udf"),
            Id::ConfigWrongMedium,
        ),
        (moved.to_owned(), efi.clone(), Id::EfiLoaderName),
        (
            "truncate -s 200K tree/uefi/boot.img".to_owned(),
            efi,
            Id::EfiFatLongerThanImage,
        ),
        (
            String::new(),
            format!(
                "{gpt}; truncate -s +1M disc.iso; printf x >>disc.iso; truncate -s +511 disc.iso"
            ),
            Id::HybridGpt,
        ),
        (
            "cp tree/uefi/boot.img efi.img".to_owned(),
            format!("{gpt}; truncate -s -2M disc.iso"),
            Id::HybridGpt,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        if !tree(folder.path()) {
            println!("isolinux, GRUB or mtools is not here");
            return;
        }
        let script = format!("cp tree/uefi/boot.img efi.img\n{before}\n{master}");
        if !run(folder.path(), &script) {
            continue;
        }
        let iso = folder.path().join("disc.iso");
        assert!(read(&iso, false).found(id), "{before}; {master}");
        assert_eq!(fixed(&iso, id, None), [], "{before}; {master}");
    }
}
