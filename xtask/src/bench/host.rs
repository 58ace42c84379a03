//! What a benchmark ran on. A figure means nothing without it.

use std::fs;

use scenarios::run::Toolbox;
use serde::Serialize;

/// The machine, and what ran on it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Host {
    pub(super) cpu: String,
    pub(super) cpus: usize,
    pub(super) memory_mib: Option<u64>,
    pub(super) kernel: String,
    pub(super) qemu: String,
    pub(super) accelerator: String,
    /// Each firmware's name and version.
    pub(super) firmware: Vec<(String, String)>,
}

impl Host {
    pub(super) fn this(toolbox: &Toolbox) -> Self {
        let system = rustix::system::uname();
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let memory_kib = field(&read("/proc/meminfo"), "MemTotal")
            .and_then(|memory| memory.trim_end_matches("kB").trim().parse::<u64>().ok());
        Self {
            // On aarch64 the kernel names no model.
            cpu: field(&read("/proc/cpuinfo"), "model name")
                .unwrap_or_else(|| system.machine().to_string_lossy().into_owned()),
            cpus: std::thread::available_parallelism().map_or(1, Into::into),
            memory_mib: memory_kib.map(|kib| kib / 1024),
            kernel: format!(
                "{} {}",
                system.sysname().to_string_lossy(),
                system.release().to_string_lossy()
            ),
            qemu: toolbox.qemu.version.to_string(),
            accelerator: toolbox.accelerator.accelerator.to_string(),
            firmware: toolbox
                .firmware
                .iter()
                .map(|firmware| (firmware.id.to_string(), firmware.version.clone()))
                .collect(),
        }
    }

    /// In two lines: the hardware with its kernel, and the programs.
    pub(super) fn describe(&self) -> [String; 2] {
        let processors = match self.cpus {
            1 => "1 processor".to_owned(),
            cpus => format!("{cpus} processors"),
        };
        let memory = self.memory_mib.map_or_else(String::new, |mib| {
            format!(", {:.0} GiB of memory", mib as f64 / 1024.0)
        });
        let version = |id: &str| {
            let known = self.firmware.iter().find(|(known, _)| known == id);
            known.map_or("unknown", |(_, version)| version)
        };
        [
            format!("{}, {processors}{memory}, {}", self.cpu, self.kernel),
            format!(
                "QEMU {} ({}), SeaBIOS {}, OVMF {}",
                self.qemu,
                self.accelerator,
                version("seabios"),
                version("ovmf")
            ),
        ]
    }
}

/// A field of a file in `/proc`, where it stands first.
fn field(text: &str, name: &str) -> Option<String> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = fields.find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "model\t\t: 1\nmodel name\t: A: B\nMemTotal:  24 kB\n";
        assert_eq!(field(text, "model name").unwrap(), "A: B");
        assert_eq!(field(text, "MemTotal").unwrap(), "24 kB");
        assert_eq!(field(text, "Mem"), None);
    }
}
