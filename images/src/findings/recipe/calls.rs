//! The calls by which tools master a disc, put together from what is on it.

use super::{
    ingredients::Ingredients,
    parts::{BiosPart, EfiPart, Image},
};
use crate::{
    boot::Floppy,
    eltorito::MediaType,
    finding::Finding,
    inspect::floppy,
    tool::Tool,
    units::{ByteCount, VirtualSectorCount},
};

/// Debian's places of the boot code for sticks.
const ISOHDPFX: &str = "/usr/lib/ISOLINUX/isohdpfx.bin";
const BOOT_HYBRID: &str = "/usr/lib/grub/i386-pc/boot_hybrid.img";
/// The longest image whose length a catalog can say.
const COUNTED: VirtualSectorCount = VirtualSectorCount::new(0xFFFF);
/// Where an image goes that is on the disc and in no tree.
const BIOS_IN_TREE: &str = "boot/bios.img";
const EFI_IN_TREE: &str = "boot/efi.img";
/// Where one goes that comes behind the volume.
const EFI_FILE: &str = "efi.img";

/// The commands that master a disc with a tool: what must be made first, and the call; `None` where this tool cannot, or nothing on the disc boots.
pub(super) fn call(tool: Tool, disc: &Ingredients, stick: bool) -> Option<Vec<String>> {
    if disc.bios.is_none() && disc.efi.is_none() && tool != Tool::GrubMkrescue {
        return None;
    }
    let efi_is_behind = tool == Tool::Xorriso && is_appended(disc);
    let mut commands = match tool {
        // It makes all images itself.
        Tool::GrubMkrescue => Vec::new(),
        _ => preparations(disc, efi_is_behind),
    };
    let has_boot_code = disc.is_isolinux() || disc.is_grub();
    match tool {
        // What these make is no stick.
        Tool::Bsdtar | Tool::Pycdlib | Tool::Oscdimg if stick && has_boot_code => return None,
        // These are no commands of a shell that has the others.
        Tool::Pycdlib | Tool::Oscdimg if !commands.is_empty() => return None,
        _ => {}
    }
    match tool {
        Tool::Xorriso => {
            let mut words = words(&["xorriso", "-as", "mkisofs"]);
            words.extend(mkisofs(tool, disc, stick)?);
            commands.push(line(&words));
        }
        Tool::Genisoimage => {
            let longest = disc.efi.as_ref().map_or(VirtualSectorCount::ZERO, length);
            // It cuts the count to 16 bits without a word.
            if longest > COUNTED {
                return None;
            }
            let mut words = words(&["genisoimage"]);
            words.extend(mkisofs(tool, disc, stick)?);
            commands.push(line(&words));
            if stick && disc.is_isolinux() {
                commands.push("isohybrid new.iso".to_owned());
            }
        }
        Tool::GrubMkrescue => {
            let mut words = words(&["grub-mkrescue", "-o", "new.iso", "tree"]);
            if !disc.label.is_empty() {
                words.extend(["--", "-volid", &disc.label].map(str::to_owned));
            }
            commands.push(line(&words));
        }
        Tool::Bsdtar => commands.push(bsdtar(disc)?),
        Tool::Pycdlib => commands.extend(pycdlib(disc)?),
        Tool::Oscdimg => commands.push(oscdimg(disc)?),
        _ => return None,
    }
    Some(commands)
}

/// A command with what stands in braces filled in; `None` where the disc does not say it.
pub(super) fn filled(line: &str, disc: &Ingredients, finding: &Finding) -> Option<String> {
    let mut rest = line;
    let mut text = String::new();
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, behind) = behind.split_once('}')?;
        text.push_str(before);
        text.push_str(&value(name, disc, finding)?);
        rest = behind;
    }
    text.push_str(rest);
    Some(text)
}

fn value(name: &str, disc: &Ingredients, finding: &Finding) -> Option<String> {
    let efi = || match &disc.efi {
        Some(EfiPart::Whole {
            image: Image::File(path),
            ..
        }) => Some(path),
        _ => None,
    };
    match name {
        "label" => Some(word(&disc.label)).filter(|_| !disc.label.is_empty()),
        "uuid" => disc.wanted_uuid.as_ref().map(|uuid| uuid.replace('-', "")),
        "folder" => Some(quoted(disc.folder())),
        "file" => Some(word(&format!("/{}", disc.largest_file.as_ref()?))),
        "sector" => Some((finding.offset / 512).to_string()),
        "efi" => efi().map(|path| quoted(path)),
        "second" => disc.second_stage.as_deref().map(word),
        _ => None,
    }
}

/// A line of words.
fn line(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|it| word(it)).collect();
    words.join(" ")
}

/// A word as a shell takes it, in quotes only where it must be.
fn word(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_./:,+@%=-".contains(letter);
    match text.chars().all(is_plain) && !text.starts_with('=') && !text.is_empty() {
        true => text.to_owned(),
        false => shell_words::quote(text).into_owned(),
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// A path below the folder that the disc is mastered from.
fn in_tree(path: &str) -> String {
    match path {
        "" => "tree".to_owned(),
        path => format!("tree/{path}"),
    }
}

fn quoted(path: &str) -> String {
    word(&in_tree(path))
}

/// The directory of a file in the tree.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether the image for UEFI is a partition behind the volume whose length the catalog can say. An open end would be taken to the end of the volume.
fn is_appended(disc: &Ingredients) -> bool {
    matches!(
        &disc.efi,
        Some(EfiPart::Whole { image: Image::Blocks { in_partition: true, .. }, length }) if *length <= COUNTED
    )
}

fn length(efi: &EfiPart) -> VirtualSectorCount {
    match efi {
        EfiPart::Whole { length, .. } | EfiPart::Misnamed { length, .. } => *length,
        EfiPart::ToMake { mib, .. } => {
            ByteCount::new(mib.saturating_mul(1 << 20)).virtual_sectors_rounded_up()
        }
    }
}

/// What must be done before the disc is mastered.
fn preparations(disc: &Ingredients, efi_is_behind: bool) -> Vec<String> {
    let mut commands = Vec::new();
    if let Some(bios) = &disc.bios {
        commands.extend(taken_out(&bios.image, &in_tree(BIOS_IN_TREE)));
        let path = bios_path(bios);
        let is_short = |floppy: &Floppy| floppy.length() != bios.length;
        if floppy(bios.media).is_some_and(|floppy| is_short(&floppy))
            && let Some(kib) = floppy_for(bios.length)
        {
            commands.push(format!("truncate -s {kib}K {}", quoted(path)));
        }
        if let Some(bytes) = bios.padded {
            commands.push(format!("truncate -s {} {}", bytes.get(), quoted(path)));
        }
    }
    match &disc.efi {
        None => {}
        Some(EfiPart::Whole { image, .. }) => {
            let to = match efi_is_behind {
                true => EFI_FILE.to_owned(),
                false => in_tree(EFI_IN_TREE),
            };
            commands.extend(taken_out(image, &to));
        }
        Some(EfiPart::Misnamed {
            path,
            folders,
            from,
            to,
            ..
        }) => {
            let path = quoted(path);
            let from = word(&format!("::{from}"));
            if !folders.is_empty() {
                commands.push(format!("mmd -i {path} {}", folders.join(" ")));
            }
            commands.push(format!("mmove -i {path} {from} ::/EFI/BOOT/{to}"));
        }
        Some(EfiPart::ToMake {
            path,
            from,
            loader,
            mib,
        }) => {
            let folder = quoted(folder_of(path));
            let path = quoted(path);
            commands.push(format!("mkdir -p {folder}"));
            commands.push(format!("rm -f {path}"));
            commands.push(format!("truncate -s {mib}M {path}"));
            commands.push(format!("mkfs.fat {path}"));
            match from {
                Some(from) => {
                    commands.push(format!("mcopy -s -i {path} {} ::", quoted(from)));
                }
                None => {
                    let loader = word(loader);
                    commands.push(format!("mmd -i {path} ::/EFI ::/EFI/BOOT"));
                    commands.push(format!("mcopy -i {path} {loader} ::/EFI/BOOT/"));
                }
            }
        }
    }
    commands
}

/// The floppy for an image of some length, in KiB.
fn floppy_for(length: VirtualSectorCount) -> Option<u64> {
    let mut all = [Floppy::K1200, Floppy::K1440, Floppy::K2880].into_iter();
    let fits = all.find(|floppy| floppy.length() >= length)?;
    Some(fits.length().bytes().get() / 1_024)
}

/// What copies an image that is no file from the disc.
fn taken_out(image: &Image, to: &str) -> Vec<String> {
    let Image::Blocks { start, blocks, .. } = image else {
        return Vec::new();
    };
    let copy = format!(
        "dd if=disc.iso of={to} bs=2048 skip={} count={}",
        start.get(),
        blocks.get()
    );
    match folder_of(to) {
        "" => vec![copy],
        folder => vec![format!("mkdir -p {folder}"), copy],
    }
}

fn bios_path(bios: &BiosPart) -> &str {
    match &bios.image {
        Image::File(path) => path,
        Image::Blocks { .. } => BIOS_IN_TREE,
    }
}

fn efi_path(efi: &EfiPart) -> &str {
    match efi {
        EfiPart::Whole {
            image: Image::Blocks { .. },
            ..
        } => EFI_IN_TREE,
        EfiPart::Whole {
            image: Image::File(path),
            ..
        }
        | EfiPart::Misnamed { path, .. }
        | EfiPart::ToMake { path, .. } => path,
    }
}

/// The path of the catalog.
fn catalog(disc: &Ingredients) -> String {
    disc.catalog.clone().unwrap_or_else(|| {
        let bios = disc.bios.as_ref().map(bios_path);
        let image = bios.or_else(|| disc.efi.as_ref().map(efi_path));
        match folder_of(image.unwrap_or_default()) {
            "" => "boot.cat".to_owned(),
            folder => format!("{folder}/boot.cat"),
        }
    })
}

/// The options of mkisofs, by whichever of its successors.
fn mkisofs(tool: Tool, disc: &Ingredients, stick: bool) -> Option<Vec<String>> {
    let mut options = words(&["-R"]);
    let mut add = |more: &[&str]| options.extend(words(more));
    if disc.has_joliet {
        add(&["-J"]);
    }
    if disc.has_udf && tool == Tool::Genisoimage {
        add(&["-udf"]);
    }
    if !disc.label.is_empty() {
        add(&["-V", &disc.label]);
    }
    add(&["-c", &catalog(disc)]);
    let for_stick = stick && disc.bios.is_some();
    if let Some(bios) = &disc.bios {
        add(&["-b", bios_path(bios)]);
        match bios.media {
            MediaType::NO_EMULATION => {
                let load = bios.load.get().to_string();
                add(&["-no-emul-boot", "-boot-load-size", &load]);
                if bios.has_table {
                    add(&["-boot-info-table"]);
                }
            }
            MediaType::HARD_DISK => add(&["-hard-disk-boot"]),
            _ => {}
        }
    }
    let grub = for_stick && disc.is_grub();
    if grub && tool == Tool::Xorriso {
        add(&["--grub2-boot-info"]);
    }
    let appended = tool == Tool::Xorriso && is_appended(disc);
    if let Some(efi) = &disc.efi {
        if appended {
            add(&["-append_partition", "2", "0xef", EFI_FILE]);
        }
        if disc.bios.is_some() {
            add(&["-eltorito-alt-boot"]);
        }
        let image = match appended {
            true => "--interval:appended_partition_2:all::",
            false => efi_path(efi),
        };
        add(&["-e", image, "-no-emul-boot"]);
    }
    match tool {
        Tool::Xorriso if for_stick && disc.is_isolinux() => {
            add(&["-isohybrid-mbr", ISOHDPFX]);
            if disc.efi.is_some() && !appended {
                add(&["-isohybrid-gpt-basdat"]);
            }
        }
        Tool::Xorriso if grub => add(&["--grub2-mbr", BOOT_HYBRID, "--protective-msdos-label"]),
        // Of GRUB's code it has none.
        _ if grub => return None,
        _ => {}
    }
    add(&["-o", "new.iso", "tree"]);
    Some(options)
}

/// Of several `--options` bsdtar takes the last.
fn bsdtar(disc: &Ingredients) -> Option<String> {
    let bios = disc.bios.as_ref().filter(|_| disc.efi.is_none())?;
    let (path, catalog) = (bios_path(bios), catalog(disc));
    let mut options = Vec::new();
    if !disc.label.is_empty() {
        options.push(format!("volume-id={}", disc.label));
    }
    options.push(format!("boot={path}"));
    options.push(format!("boot-catalog={catalog}"));
    options.push(match bios.media {
        MediaType::NO_EMULATION => {
            format!("boot-type=no-emulation,boot-load-size={}", bios.load.get())
        }
        MediaType::HARD_DISK => "boot-type=hard-disk".to_owned(),
        _ => "boot-type=fd".to_owned(),
    });
    if bios.has_table && bios.media == MediaType::NO_EMULATION {
        options.push("boot-info-table".to_owned());
    }
    // Commas separate its options, and it has no way to quote one.
    if [path, &catalog, &disc.label]
        .iter()
        .any(|it| it.contains([',', '=']))
    {
        return None;
    }
    let options = options.join(",");
    let call = [
        "bsdtar",
        "-c",
        "-f",
        "new.iso",
        "--format=iso9660",
        "--options",
        &options,
        "-C",
        "tree",
        ".",
    ];
    Some(line(&words(&call)))
}

/// Lines of Python: `iso` is the disc, to which the files were added, without the catalog.
fn pycdlib(disc: &Ingredients) -> Option<Vec<String>> {
    let catalog = catalog(disc);
    let first = disc.bios.as_ref().map(bios_path);
    let paths = [first, disc.efi.as_ref().map(efi_path), Some(&catalog)];
    // A path stands in quotes there.
    if paths.iter().flatten().any(|it| it.contains(['\'', '\\'])) {
        return None;
    }
    let catalog = format!("bootcatfile='/{catalog};1'");
    let mut lines = Vec::new();
    if let Some(bios) = &disc.bios {
        let table = match bios.has_table {
            true => ", boot_info_table=True",
            false => "",
        };
        let media = match bios.media {
            MediaType::NO_EMULATION => format!(
                "media_name='noemul', boot_load_size={}{table}",
                bios.load.get()
            ),
            MediaType::HARD_DISK => "media_name='hdemul'".to_owned(),
            _ => "media_name='floppy'".to_owned(),
        };
        let path = bios_path(bios);
        lines.push(format!("iso.add_eltorito('/{path};1', {catalog}, {media})"));
    }
    if let Some(efi) = &disc.efi {
        // Left to itself it writes the image's length, which need not go into the field.
        let open = match length(efi) > COUNTED {
            true => ", boot_load_size=0",
            false => "",
        };
        let path = efi_path(efi);
        lines.push(format!(
            "iso.add_eltorito('/{path};1', {catalog}, platform_id=0xEF, efi=True{open})"
        ));
    }
    Some(lines)
}

/// On Windows: it writes no boot-info table. `p` is the platform, `e` means no emulation, `b` names the image.
fn oscdimg(disc: &Ingredients) -> Option<String> {
    if disc.bios.as_ref().is_some_and(|bios| bios.has_table) {
        return None;
    }
    let path = |path: &str| format!("tree\\{}", path.replace('/', "\\"));
    let entry = |platform: &str, emulation: &str, image: &str| {
        format!("#p{platform}{emulation},b{}", path(image))
    };
    let bios = disc.bios.iter().map(|bios| {
        let emulation = match bios.media {
            MediaType::NO_EMULATION => ",e",
            _ => "",
        };
        entry("0", emulation, bios_path(bios))
    });
    let efi = disc.efi.iter().map(|efi| entry("EF", ",e", efi_path(efi)));
    let entries: Vec<String> = bios.chain(efi).collect();
    let label = match disc.label.as_str() {
        "" => String::new(),
        label => format!(" \"-l{label}\""),
    };
    // In a word in quotes these still mean something.
    let special = ['"', '%'];
    let is_word = !disc.label.contains(special) && !entries.concat().contains(special);
    is_word.then(|| {
        format!(
            "oscdimg -m -o{label} \"-bootdata:{}{}\" tree new.iso",
            entries.len(),
            entries.concat()
        )
    })
}
