//! What something was measured on. A figure means nothing without it.

use std::fs;

use scenarios::toolbox::Toolbox;
use serde::Serialize;

/// The machine.
#[derive(Clone, Debug, Serialize)]
pub struct Hardware {
    pub cpu: String,
    pub cpus: usize,
    pub memory_mib: Option<u64>,
    pub kernel: String,
}

/// The machine, and what ran on it.
#[derive(Clone, Debug, Serialize)]
pub struct Host {
    #[serde(flatten)]
    pub hardware: Hardware,
    pub qemu: String,
    pub accelerator: String,
    /// Each firmware's name and version.
    pub firmware: Vec<(String, String)>,
}

impl Hardware {
    pub fn this() -> Self {
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
        }
    }

    /// In one line.
    pub fn describe(&self) -> String {
        let processors = match self.cpus {
            1 => "1 processor".to_owned(),
            cpus => format!("{cpus} processors"),
        };
        let memory = self.memory_mib.map_or_else(String::new, |mib| {
            format!(", {:.0} GiB of memory", mib as f64 / 1024.0)
        });
        format!("{}, {processors}{memory}, {}", self.cpu, self.kernel)
    }
}

impl Host {
    pub fn this(toolbox: &Toolbox) -> Self {
        Self {
            hardware: Hardware::this(),
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
    pub fn describe(&self) -> [String; 2] {
        [self.hardware.describe(), self.programs()]
    }

    /// What ran on it, in one line.
    pub fn programs(&self) -> String {
        let version = |id: &str| {
            let known = self.firmware.iter().find(|(known, _)| known == id);
            known.map_or("unknown", |(_, version)| version)
        };
        format!(
            "QEMU {} ({}), SeaBIOS {}, OVMF {}",
            self.qemu,
            self.accelerator,
            version("seabios"),
            version("ovmf")
        )
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
