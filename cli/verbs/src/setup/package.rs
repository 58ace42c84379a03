//! Package managers, and what they call the packages that are needed.

use std::path::Path;

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manager {
    /// Its program.
    pub(crate) program: &'static str,
    /// How it is brought up to date before it installs, where it must be.
    pub(crate) refresh: Option<&'static [&'static str]>,
    /// How it installs: quietly, with no question, and nothing that is only recommended.
    pub(crate) install: &'static [&'static str],
    /// Which of a package's names is its own.
    column: usize,
}

/// The package managers, most likely first.
pub(crate) const MANAGERS: [Manager; 5] = [
    Manager {
        program: "apt-get",
        refresh: Some(&["apt-get", "update", "-qq"]),
        install: &["apt-get", "install", "-y", "-qq", "--no-install-recommends"],
        column: 0,
    },
    Manager {
        program: "dnf",
        refresh: None,
        install: &[
            "dnf",
            "install",
            "-y",
            "-q",
            "--setopt=install_weak_deps=False",
        ],
        column: 1,
    },
    Manager {
        program: "pacman",
        refresh: None,
        install: &["pacman", "-S", "--noconfirm", "--needed"],
        column: 2,
    },
    Manager {
        program: "zypper",
        refresh: None,
        install: &["zypper", "--non-interactive", "install", "--no-recommends"],
        column: 3,
    },
    Manager {
        program: "apk",
        refresh: None,
        install: &["apk", "add", "-q"],
        column: 4,
    },
];

/// By Debian's name: what apt, dnf, pacman, zypper and apk call a package; `-` where there is none.
const NAMES: [[&str; 5]; 35] = [
    [
        "qemu-system-x86",
        "qemu-system-x86-core",
        "qemu-system-x86",
        "qemu-x86",
        "qemu-system-x86_64",
    ],
    [
        "seabios",
        "seabios-bin",
        "seabios",
        "qemu-seabios",
        "seabios",
    ],
    ["ovmf", "edk2-ovmf", "edk2-ovmf", "qemu-ovmf-x86_64", "ovmf"],
    [
        "ovmf-ia32",
        "edk2-ovmf-ia32",
        "edk2-ovmf",
        "qemu-ovmf-ia32",
        "-",
    ],
    // Its ROMs are looked for at Debian's places.
    ["bochsbios", "-", "-", "-", "-"],
    ["u-boot-qemu", "-", "-", "-", "-"],
    [
        "qemu-efi-aarch64",
        "edk2-aarch64",
        "edk2-aarch64",
        "qemu-uefi-aarch64",
        "aavmf",
    ],
    [
        "qemu-system-arm",
        "qemu-system-aarch64-core",
        "qemu-system-aarch64",
        "qemu-arm",
        "qemu-system-aarch64",
    ],
    ["memtest86+", "-", "-", "-", "-"],
    ["grub-rescue-pc", "-", "-", "-", "-"],
    ["xorriso", "xorriso", "libisoburn", "xorriso", "xorriso"],
    ["mtools", "mtools", "mtools", "mtools", "mtools"],
    [
        "dosfstools",
        "dosfstools",
        "dosfstools",
        "dosfstools",
        "dosfstools",
    ],
    [
        "genisoimage",
        "genisoimage",
        "cdrtools",
        "mkisofs",
        "cdrkit",
    ],
    ["gdisk", "gdisk", "gptfdisk", "gptfdisk", "sgdisk"],
    ["fdisk", "util-linux", "util-linux", "util-linux", "sfdisk"],
    ["grub-common", "grub2-tools", "grub", "grub2", "grub"],
    [
        "syslinux-utils",
        "syslinux",
        "syslinux",
        "syslinux",
        "syslinux",
    ],
    // Of these the tests want files at Debian's places.
    ["isolinux", "-", "-", "-", "-"],
    ["syslinux-common", "-", "-", "-", "-"],
    ["syslinux-efi", "-", "-", "-", "-"],
    ["grub-pc-bin", "-", "-", "-", "-"],
    ["grub-efi-amd64-bin", "-", "-", "-", "-"],
    ["binutils", "binutils", "binutils", "binutils", "binutils"],
    ["isomd5sum", "isomd5sum", "-", "isomd5sum", "-"],
    [
        "libarchive-tools",
        "bsdtar",
        "libarchive",
        "bsdtar",
        "libarchive-tools",
    ],
    ["python3-pycdlib", "-", "-", "-", "-"],
    ["makefs", "-", "-", "-", "-"],
    ["slurm-client", "-", "-", "-", "-"],
    ["slurmctld", "-", "-", "-", "-"],
    ["slurmd", "-", "-", "-", "-"],
    ["munge", "-", "-", "-", "-"],
    [
        "python3-jsonschema",
        "python3-jsonschema",
        "python-jsonschema",
        "python3-jsonschema",
        "py3-jsonschema",
    ],
    ["chromium", "chromium", "chromium", "chromium", "chromium"],
    [
        "chromium-driver",
        "chromedriver",
        "chromium",
        "chromedriver",
        "chromium-chromedriver",
    ],
];

impl Manager {
    /// The manager of this system.
    pub(crate) fn find() -> Option<Self> {
        MANAGERS
            .into_iter()
            .find(|manager| on_path(manager.program))
    }

    /// What this manager calls a package of Debian's; nothing when it has none.
    pub(crate) fn name_of(&self, debian: &str) -> Option<String> {
        match NAMES.iter().find(|names| names[0] == debian) {
            Some(names) => Some(names[self.column])
                .filter(|&name| name != "-")
                .map(ToOwned::to_owned),
            // A user's own scenario may name any package.
            None => Some(debian.to_owned()),
        }
    }
}

/// Whether a program is found by its name.
pub fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps file-system tools where not every user looks.
    let system = ["/usr/sbin", "/sbin"].map(Into::into);
    std::env::split_paths(&path)
        .chain(system)
        .any(|folder| is_program(&folder.join(program)))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_go_by_their_own_names() {
        let [apt, dnf, pacman, ..] = MANAGERS;
        assert_eq!(apt.name_of("xorriso").as_deref(), Some("xorriso"));
        assert_eq!(pacman.name_of("xorriso").as_deref(), Some("libisoburn"));
        assert_eq!(dnf.name_of("grub-rescue-pc"), None);
        assert_eq!(
            dnf.name_of("somebodys-iso").as_deref(),
            Some("somebodys-iso")
        );
    }
}
