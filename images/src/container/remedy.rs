use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use super::{Container, format::Format, part::Part};

/// How to come to an ISO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// A command for the shell, of a tool that Debian has.
    Command(String),
    /// What to do where no tool can.
    Advice(String),
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Command(text) | Self::Advice(text)) = self;
        f.write_str(text)
    }
}

impl Container {
    /// How to come to an ISO.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        let (format, file) = (self.format, &*self.path);
        let input = quoted(file);
        let sectors = self.sectors.as_deref().unwrap_or(file);
        if file.exists() && !sectors.exists() {
            let sectors = quoted(sectors);
            return Remedy::Advice(format!(
                "the data is in {sectors}, which is missing: put it into the same folder as this file"
            ));
        }
        let sectors = quoted(sectors);
        let iso = quoted(&iso_of(file));
        let beside = |extension: &str| {
            let path = file.with_extension(extension);
            (path != file && path.exists()).then(|| quoted(&path))
        };
        let command = match format {
            Format::RawMode1 | Format::RawMode2 | Format::Raw2336 | Format::Raw2448 => {
                // Who has a description beside the sectors knows better than who guesses.
                if let Some(cue) = beside("cue") {
                    bchunk(&input, &cue, file)
                } else if beside("mds").is_some() {
                    format!("mdf2iso {input} {iso}")
                } else if beside("ccd").is_some() {
                    format!("ccd2iso {input} {iso}")
                } else {
                    format!("iat {input} {iso}")
                }
            }
            Format::Cue => bchunk(&sectors, &input, file),
            Format::Nero => format!("nrg2iso {input} {iso}"),
            Format::Alcohol => format!("mdf2iso {sectors} {iso}"),
            Format::CloneCd => format!("ccd2iso {sectors} {iso}"),
            Format::DiscJuggler => format!("iat {input} {iso}"),
            // From standard input: the tools refuse a name whose ending they do not know.
            Format::Gzip => format!("gzip -dc < {input} > {iso}"),
            Format::Xz => format!("xz -dc < {input} > {iso}"),
            Format::Bzip2 => format!("bzip2 -dc < {input} > {iso}"),
            Format::Zstd => format!("zstd -dc < {input} > {iso}"),
            Format::Lz4 => format!("lz4 -dc < {input} > {iso}"),
            Format::Zip => format!("unzip {input}"),
            Format::SevenZip => format!("7z x {input}"),
            Format::Rar => format!("unar {input}"),
            Format::Tar => format!("tar -xf {input}"),
            Format::Dmg => format!("dmg2img {input} {iso}"),
            Format::Qcow2 => qemu_img("qcow2", &input, &iso),
            Format::Vmdk => qemu_img("vmdk", &input, &iso),
            Format::Vhd => qemu_img("vpc", &input, &iso),
            Format::Vhdx => qemu_img("vhdx", &input, &iso),
            Format::Vdi => qemu_img("vdi", &input, &iso),
            Format::Daa => format!("daa2iso {input} {iso}"),
            Format::ByteSwapped => format!("dd if={input} of={iso} conv=swab"),
            Format::Behind => {
                // The first byte has the number 1.
                let first = self.shift.unwrap_or_default().saturating_add(1);
                format!("tail -c +{first} {input} > {iso}")
            }
            Format::Part => joined(file, &iso),
            Format::Cso
            | Format::Isz
            | Format::Jigdo
            | Format::Zeros
            | Format::TextTransfer
            | Format::Beheaded
            | Format::Wim
            | Format::Squashfs
            | Format::UdfOnly
            | Format::GptDisk
            | Format::MbrDisk
            | Format::CutDisk
            | Format::Kernel
            | Format::FatImage
            | Format::Elf
            | Format::Torrent
            | Format::Html
            | Format::Xml
            | Format::Text => return Remedy::Advice(advice(format, &input, &iso)),
        };
        Remedy::Command(command)
    }
}

fn qemu_img(format: &str, input: &str, iso: &str) -> String {
    format!("qemu-img convert -f {format} -O raw {input} {iso}")
}

/// All parts, which the shell puts in order.
fn joined(file: &Path, iso: &str) -> String {
    let Some(part) = Part::of(file) else {
        return format!("cat {} > {iso}", quoted(file));
    };
    let whole = file.with_extension("");
    let whole = match whole.extension() {
        Some(_) if !whole.exists() => quoted(&whole),
        _ => iso.to_owned(),
    };
    let parts = "?".repeat(part.counter.len());
    format!("cat {}{parts} > {whole}", quoted(&part.start))
}

/// It numbers what it writes: the first track becomes `BASE01.iso`.
fn bchunk(bin: &str, cue: &str, file: &Path) -> String {
    format!("bchunk {bin} {cue} {}", quoted(&file.with_extension("")))
}

fn advice(format: Format, input: &str, iso: &str) -> String {
    match format {
        Format::Cso => {
            format!("decompress it with maxcso, which Debian does not have: maxcso --decompress {input} -o {iso}")
        }
        Format::Wim | Format::Squashfs => "ask for the disc that it came from".to_owned(),
        Format::Isz => {
            format!("unpack it with UltraISO, or with isz-tool, which Debian does not have: isz-tool isz2iso {input} {iso}")
        }
        Format::Jigdo => {
            "jigdo-lite with the address of the .jigdo file that belongs to it fetches the disc".to_owned()
        }
        Format::Zeros | Format::Beheaded | Format::CutDisk => {
            "download the disc again, and compare its checksum".to_owned()
        }
        Format::TextTransfer => {
            "download the disc again in binary mode, and compare its checksum".to_owned()
        }
        Format::UdfOnly => {
            "master it again with ISO 9660 in addition to UDF, as `genisoimage -udf` does, and as on Windows' own discs".to_owned()
        }
        Format::GptDisk | Format::MbrDisk | Format::FatImage => {
            format!("write it to a stick: dd if={input} of=/dev/sdX bs=4M conv=fsync")
        }
        Format::Torrent => "open it with a BitTorrent client, which fetches the disc".to_owned(),
        Format::Html | Format::Xml | Format::Text => {
            format!("look at it (head -c 500 {input}), and download the disc again")
        }
        _ => "ask for the disc itself".to_owned(),
    }
}

/// The ISO's name: without the ending that says what the file is, and never that of a file that exists.
fn iso_of(file: &Path) -> PathBuf {
    let is_iso = |path: &Path| {
        path.extension()
            .is_some_and(|it| it.eq_ignore_ascii_case("iso"))
    };
    let stem = file.with_extension("");
    let stem = if is_iso(&stem) {
        stem.with_extension("")
    } else {
        stem
    };
    let named = |ending: &str| {
        let mut name: OsString = stem.clone().into();
        name.push(ending);
        PathBuf::from(name)
    };
    let iso = named(".iso");
    if is_iso(file) || iso.exists() {
        named("-converted.iso")
    } else {
        iso
    }
}

/// A path as one word of a command that is no option.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_option = text.starts_with('-');
    let text = if is_option {
        format!("./{text}")
    } else {
        text.into_owned()
    };
    shell_words::quote(&text).into_owned()
}
