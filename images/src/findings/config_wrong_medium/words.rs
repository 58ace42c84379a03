//! The words of a kernel's command line by which the initial file system finds its medium.

/// Changes, or an image with the system, may be on another medium.
const OTHER_MEDIA: [&str; 4] = ["persist", "overlay", "cow", "img_"];

/// The UUID of ISO 9660 on a kernel's command line: `root=UUID=`, `archisodevice=UUID=`, `/dev/disk/by-uuid/`. Those of other file systems have another
/// form, and may belong to another disk.
pub(super) fn wanted_uuid(line: &str) -> Option<String> {
    line.split_whitespace().find_map(|word| {
        let word = word.trim_matches(['"', '\'']);
        let (key, value) = word.split_once('=')?;
        if key == SEARCHED_UUID || OTHER_MEDIA.iter().any(|word| key.contains(word)) {
            return None;
        }
        let mut parts = value.split(['=', '/', ':']);
        parts.find(|part| is_iso_uuid(part)).map(str::to_owned)
    })
}

/// The file by which Arch Linux finds its medium, whatever the volume's UUID (archiso, `initcpio/hooks/archiso`).
pub(super) fn wanted_file(line: &str) -> Option<String> {
    line.split_whitespace().find_map(|word| {
        let (key, value) = word.trim_matches(['"', '\'']).split_once('=')?;
        let path = match key {
            SEARCHED_UUID => format!("/boot/{value}.uuid"),
            "archisosearchfilename" => value.to_owned(),
            _ => return None,
        };
        (path.starts_with('/') && !path.contains('$')).then_some(path)
    })
}

/// The folder in which casper and live-boot look for the system (`casper(7)`, `live-boot(7)`); `None` if the system may come from elsewhere.
pub(super) fn wanted_folder(line: &str) -> Option<String> {
    const ELSEWHERE: [&str; 10] = [
        "url=",
        "live-media=",
        "fetch=",
        "httpfs=",
        "ftpfs=",
        "netboot=",
        "nfsroot=",
        "iso-scan/filename=",
        "findiso=",
        "fromiso=",
    ];
    let words = || line.split_whitespace();
    if words().any(|word| ELSEWHERE.iter().any(|key| word.starts_with(key))) {
        return None;
    }
    let value = |key: &str| {
        let mut words = words();
        words.find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    };
    let (default, own) = match value("boot") {
        Some("casper") => ("casper", value("live-media-path")),
        Some("live") => ("live", value("live-media-path")),
        _ => return None,
    };
    let folder = own.unwrap_or(default).trim_matches('/');
    (!folder.is_empty() && !folder.contains('$')).then(|| format!("/{folder}"))
}

/// Not the volume's: it is part of a file's name.
const SEARCHED_UUID: &str = "archisosearchuuid";

/// As in `2024-01-02-03-04-05-00`.
pub(super) fn is_iso_uuid(text: &str) -> bool {
    let parts = text.split('-').map(str::len);
    let digits = text
        .bytes()
        .all(|byte| byte == b'-' || byte.is_ascii_digit());
    digits && parts.eq([4, 2, 2, 2, 2, 2, 2])
}

/// The label on a kernel's command line: any word whose key ends in `label`, or whose value begins with `LABEL=`, `CDLABEL=` or
/// `/dev/disk/by-label/`.
pub(super) fn wanted_label(line: &str) -> Option<String> {
    let label = line.split_whitespace().find_map(|word| {
        let word = word.trim_matches(['"', '\'']);
        let (key, value) = word.split_once('=')?;
        if OTHER_MEDIA.iter().any(|word| key.contains(word)) {
            return None;
        }
        if let Some((_, label)) = value.split_once("/dev/disk/by-label/") {
            return Some(label);
        }
        let named = value.split_once("LABEL=").filter(|(before, _)| {
            before.is_empty() || before.ends_with("CD") || before.ends_with(':')
        });
        if let Some((_, label)) = named {
            return Some(label);
        }
        let is_label = key.to_ascii_lowercase().ends_with("label") && !value.starts_with('/');
        is_label.then_some(value)
    })?;
    // After a colon comes a path on it (`hd:LABEL=FEDORA:/ks.cfg`).
    let label = label.split(':').next().unwrap_or(label);
    let label = label.replace("\\x20", " ").replace("\\040", " ");
    (!label.is_empty() && !label.contains('$')).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_names_its_medium() {
        for line in [
            "quiet archisolabel=A_B rw",
            "root=live:CDLABEL=A_B",
            "root=live:LABEL=A_B rd.live.image",
            "inst.stage2=hd:LABEL=A_B:/ks.cfg",
            "archisodevice=/dev/disk/by-label/A_B",
            "root=live:/dev/disk/by-label/A_B",
        ] {
            assert_eq!(wanted_label(line).as_deref(), Some("A_B"), "{line}");
        }
        assert_eq!(
            wanted_label("root=/dev/disk/by-label/A\\x20B").as_deref(),
            Some("A B")
        );
        let uuid = "2024-01-02-03-04-05-00";
        for line in [
            format!("root=live:UUID={uuid} rw"),
            format!("archisodevice=UUID={uuid}"),
            format!("inst.stage2=hd:UUID={uuid}:/ks.cfg"),
            format!("root=/dev/disk/by-uuid/{uuid}"),
        ] {
            assert_eq!(wanted_uuid(&line).as_deref(), Some(uuid), "{line}");
            assert_eq!(wanted_label(&line), None, "{line}");
        }
        let file = wanted_file(&format!("quiet archisosearchuuid={uuid}"));
        assert_eq!(file, Some(format!("/boot/{uuid}.uuid")));
        for (line, folder) in [
            ("quiet boot=casper ---", Some("/casper")),
            ("boot=live components", Some("/live")),
            (
                "boot=live live-media-path=/debian/live/",
                Some("/debian/live"),
            ),
            ("boot=live fetch=http://a/b.squashfs", None),
            ("boot=live findiso=/a.iso", None),
            ("boot=casper url=http://a/b.iso", None),
            ("root=/dev/sda1 boot=local", None),
        ] {
            assert_eq!(wanted_folder(line).as_deref(), folder, "{line}");
        }
        // Those of other file systems, and of media with changes or images.
        for line in [
            "root=UUID=0a3407de-014b-458b-b5c1-848e92a327a3".to_owned(),
            "resume=UUID=ABCD-1234".to_owned(),
            format!("cow_device=UUID={uuid}"),
            format!("img_dev=/dev/disk/by-uuid/{uuid}"),
            format!("date={uuid}0"),
            format!("archisosearchuuid={uuid}"),
        ] {
            assert_eq!(wanted_uuid(&line), None, "{line}");
        }
    }
}
