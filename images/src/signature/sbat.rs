//! SBAT: generations of components, and the level below which they are revoked (shim, `SBAT.md`).

use serde::{Deserialize, Serialize};

/// Components that are kept of a program or a level.
const COMPONENTS: usize = 64;
/// Bytes that are read of a section or a level.
pub(crate) const TEXT_BYTES: usize = 16 * 1_024;

/// A component of a program and its generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SbatEntry {
    /// Its name, such as `grub` or `grub.debian`.
    pub component: String,
    /// Its generation: the number goes up when a hole is closed.
    pub generation: u32,
}

/// What a program's section `.sbat` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sbat(pub Vec<SbatEntry>);

impl Sbat {
    /// Reads the section: comma-separated values, of which the first two count. `None` where a line is none of that: shim refuses such a program.
    #[must_use]
    pub fn decode(section: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(before_zero(section));
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let entries: Option<Vec<SbatEntry>> = lines.take(COMPONENTS).map(entry).collect();
        entries.filter(|entries| !entries.is_empty()).map(Self)
    }

    /// The generation of a component.
    #[must_use]
    pub fn generation(&self, component: &str) -> Option<u32> {
        let mut entries = self.0.iter();
        let entry = entries.find(|entry| entry.component == component)?;
        Some(entry.generation)
    }

    /// The first component that is below a level: its name, its generation, and the least that is accepted.
    #[must_use]
    pub fn below<'s>(&'s self, level: &SbatLevel) -> Option<(&'s SbatEntry, u32)> {
        let mut entries = self.0.iter();
        entries.find_map(|entry| {
            let least = level.least(&entry.component)?;
            (entry.generation < least).then_some((entry, least))
        })
    }
}

fn entry(line: &str) -> Option<SbatEntry> {
    let mut fields = line.trim().split(',');
    let component = fields.next()?.trim();
    let generation = fields.next()?.trim().parse().ok()?;
    let component = crate::bytes::printable(component.as_bytes());
    (!component.is_empty()).then_some(SbatEntry {
        component,
        generation,
    })
}

fn before_zero(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|&byte| byte == 0);
    let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    text.get(..text.len().min(TEXT_BYTES)).unwrap_or_default()
}

/// The least generations that are accepted: shim's variable `SbatLevel`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SbatLevel {
    /// Its date, such as `2025051000`, where it has one.
    pub date: Option<String>,
    /// The components with their least generations.
    pub least: Vec<SbatEntry>,
}

impl SbatLevel {
    /// Reads a level: one line a component, the first one `sbat,1,DATE`. On a command line, spaces or semicolons may stand between them. `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let lines = text.split(|it: char| it.is_whitespace() || it == ';' || it == '\0');
        let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        let first = lines.first()?;
        let date = first.strip_prefix("sbat,1,").map(str::to_owned);
        if date
            .as_ref()
            .is_some_and(|it| it.is_empty() || !it.bytes().all(|it| it.is_ascii_digit()))
        {
            return None;
        }
        let least: Option<Vec<SbatEntry>> = lines.into_iter().take(COMPONENTS).map(entry).collect();
        Some(Self {
            date,
            least: least?,
        })
    }

    /// The same from the bytes of a section, a file or an EFI variable, whose attributes may stand before it.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let at_attributes = bytes.get(4..).filter(|rest| rest.starts_with(b"sbat,"));
        let text = std::str::from_utf8(before_zero(at_attributes.unwrap_or(bytes))).ok()?;
        Self::parse(text)
    }

    /// The least generation of a component that is accepted.
    fn least(&self, component: &str) -> Option<u32> {
        let mut entries = self.least.iter();
        let entry = entries.find(|entry| entry.component == component)?;
        Some(entry.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in Debian's shim 16.1-2~deb12u1 (`objcopy -O binary --only-section=.sbat`), with another address in its last line.
    const SHIM: &[u8] =
        b"sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n\
        shim,4,UEFI shim,shim,1,https://github.com/rhboot/shim\n\
        shim.debian,1,Debian,shim,16.1,https://example.org/shim\n";

    #[test]
    fn a_section_is_read_and_compared() {
        let sbat = Sbat::decode(SHIM).unwrap();
        assert_eq!(sbat.generation("shim"), Some(4));
        assert_eq!(sbat.generation("shim.debian"), Some(1));
        let level =
            SbatLevel::decode(b"sbat,1,2025051000\nshim,4\ngrub,5\ngrub.proxmox,2\n\0").unwrap();
        assert_eq!(level.date.as_deref(), Some("2025051000"));
        assert_eq!(sbat.below(&level), None);
        let level = SbatLevel::parse("sbat,1,2027010100 shim,5;grub,5").unwrap();
        let (entry, least) = sbat.below(&level).unwrap();
        assert_eq!(
            (entry.component.as_str(), entry.generation, least),
            ("shim", 4, 5)
        );
        // An EFI variable, as Linux shows it.
        let variable = SbatLevel::decode(b"\x06\0\0\0sbat,1,2021030218\n").unwrap();
        assert_eq!(variable.least.len(), 1);
        assert_eq!(SbatLevel::parse("shim,2").unwrap().date, None);
    }

    #[test]
    fn what_is_no_level_is_none() {
        for text in [
            "",
            "sbat",
            "sbat,1,x\n",
            "sbat,one,2021030218",
            "shim,-1",
            "shim,99999999999",
        ] {
            assert_eq!(SbatLevel::parse(text), None, "{text:?}");
        }
        assert_eq!(Sbat::decode(b""), None);
        assert_eq!(Sbat::decode(b"shim\n"), None);
    }
}
