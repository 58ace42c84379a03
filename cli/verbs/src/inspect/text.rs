//! For people: what is on the disc as a table, then what is wrong with it.

use std::{
    io::{self, Write},
    path::Path,
};

use anstyle::Style;
use images::{
    finding::{FilledRecipe, Finding, Severity},
    inspect::{
        BootReading, Comparison, ComparisonResult, EntryReading, Inspection, PartitionsReading,
    },
};

use crate::{
    columns::table,
    terminal::{BAD, CAUTION, FAINT, GOOD, Terminal},
};

/// Writes the report.
pub(super) fn write(
    out: &mut Terminal<impl Write>,
    iso: &Path,
    inspection: &Inspection,
) -> io::Result<()> {
    write_disc(out, iso, inspection)?;
    let mut findings = inspection.findings.iter();
    if findings.any(|finding| finding.severity > Severity::Info) {
        writeln!(out, "\n{NOT_YOURS}")?;
    }
    let mut calls = Vec::new();
    for finding in &inspection.findings {
        write_finding(out, finding, &mut calls)?;
    }
    writeln!(out)?;
    let gravest = inspection.findings.iter().map(|finding| finding.severity);
    out.paint(
        gravest.max().map_or(GOOD, style),
        summary(&inspection.findings),
    )?;
    writeln!(out)
}

/// What those can do who did not make the disc, before what its maker can do.
const NOT_YOURS: &str = "If you did not make this disc: download it again and compare its checksum, write it again as an image, or ask its maker.\n\
                         What its maker can do stands with each finding. In the commands, tree is the folder that the disc is mastered from, disc.iso this disc, and new.iso\n\
                         what comes out; to get a folder from a disc: xorriso -osirrox on -indev disc.iso -extract / tree && chmod -R u+w tree";

/// How a severity looks.
const fn style(severity: Severity) -> Style {
    match severity {
        Severity::Error => BAD,
        Severity::Warning => CAUTION,
        Severity::Info => FAINT,
    }
}

/// Writes what is on the disc.
pub(crate) fn write_disc(
    out: &mut impl Write,
    iso: &Path,
    inspection: &Inspection,
) -> io::Result<()> {
    let blocks = inspection.size.blocks_rounded_up();
    writeln!(out, "{}: {}, {blocks}", iso.display(), inspection.size)?;
    if let Some(volume) = &inspection.volume {
        let tree = inspection.tree.as_ref().map_or_else(String::new, |tree| {
            let cut = if tree.complete {
                ""
            } else {
                ", not all of it read"
            };
            format!(
                ", {} files in {} directories{cut}",
                tree.files, tree.directories
            )
        });
        writeln!(out, "volume   {:?}, {}{tree}", volume.id, volume.blocks)?;
        let tools: Vec<&str> = volume
            .mastered_by
            .iter()
            .map(|tool| tool.as_str())
            .collect();
        let own_words = [&volume.preparer, &volume.application];
        let own_words = own_words.into_iter().filter(|words| !words.is_empty());
        let words: Vec<&str> = own_words.map(String::as_str).collect();
        match (tools.is_empty(), words.is_empty()) {
            (true, true) => {}
            (true, false) => writeln!(out, "made by  {}", words.join("; "))?,
            (false, _) => writeln!(out, "made by  {}: {}", tools.join(", "), words.join("; "))?,
        }
    }
    for session in &inspection.sessions {
        let catalog = match session.catalog {
            Some(lba) => format!("boot catalog at LBA {}", lba.get()),
            None => "no boot record".to_owned(),
        };
        writeln!(
            out,
            "session  from LBA {}, {}, {catalog}",
            session.start.get(),
            session.blocks
        )?;
    }
    for record in &inspection.boot_records {
        writeln!(
            out,
            "boot     record at LBA {}, catalog at LBA {}",
            record.lba.get(),
            record.catalog.get()
        )?;
    }
    write_catalog(out, inspection)?;
    write_partitions(out, &inspection.partitions)?;
    super::programs::write(out, &inspection.secure_boot)?;
    if let Some(comparison) = &inspection.boot_image {
        writeln!(out, "\n{}", compared(comparison))?;
    }
    for offset in &inspection.unreadable {
        writeln!(out, "\nthe medium cannot be read at byte {offset}")?;
    }
    Ok(())
}

fn write_catalog(out: &mut impl Write, inspection: &Inspection) -> io::Result<()> {
    let Some(catalog) = &inspection.catalog else {
        return Ok(());
    };
    let head = [
        "slot", "entry", "platform", "boots", "media", "segment", "count", "LBA", "blocks", "image",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(catalog.entries.iter().map(row));
    writeln!(out)?;
    table(out, &rows, &[0, 5, 6, 7, 8])
}

fn row(entry: &EntryReading) -> Vec<String> {
    let mut cells = vec![
        entry.slot.to_string(),
        entry.kind.as_str().to_owned(),
        entry.platform.to_string(),
    ];
    if let Some(boot) = &entry.boot {
        cells.extend([
            if boot.bootable { "yes" } else { "no" }.to_owned(),
            boot.media.to_string(),
            format!("{:04X}", boot.load_segment),
            boot.sector_count.get().to_string(),
            boot.load_rba.get().to_string(),
            boot.extent_blocks
                .map_or_else(String::new, |blocks| blocks.get().to_string()),
            image(boot),
        ]);
    }
    cells
}

/// What the image is: its file, its file system and loader, its length by its own account.
fn image(boot: &BootReading) -> String {
    let mut parts = Vec::new();
    parts.extend(boot.path.clone());
    parts.extend(boot.fat.map(|fat| format!("FAT{fat}")));
    parts.extend(
        boot.own_length
            .map(|length| format!("{} sectors", length.get())),
    );
    parts.extend(boot.loaders.iter().cloned());
    parts.join(", ")
}

fn write_partitions(out: &mut impl Write, partitions: &PartitionsReading) -> io::Result<()> {
    let head = ["table", "slot", "type", "first", "sectors", "name"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(partitions.mbr.iter().map(|partition| {
        vec![
            "MBR".to_owned(),
            partition.slot.to_string(),
            format!("{:02X}", partition.kind),
            partition.first.get().to_string(),
            partition.sectors.get().to_string(),
        ]
    }));
    let gpt = (0_usize..).zip(partitions.gpt.iter().flatten());
    rows.extend(gpt.map(|(slot, partition)| {
        let sectors = (partition.last.get() + 1).saturating_sub(partition.first.get());
        vec![
            "GPT".to_owned(),
            slot.to_string(),
            if partition.esp { "ESP" } else { "" }.to_owned(),
            partition.first.get().to_string(),
            sectors.to_string(),
            partition.name.clone(),
        ]
    }));
    if rows.len() == 1 {
        return Ok(());
    }
    writeln!(out)?;
    table(out, &rows, &[1, 3, 4])
}

fn compared(comparison: &Comparison) -> String {
    let how = match comparison.result {
        ComparisonResult::Equal => "is on the disc as it was mastered".to_owned(),
        ComparisonResult::EqualButBootInfoTable => {
            "is on the disc as it was mastered, with a boot-info table in bytes 8 to 63".to_owned()
        }
        ComparisonResult::EqualButPadded => {
            "is on the disc as it was mastered, followed by zeros".to_owned()
        }
        ComparisonResult::FourfoldTail => {
            "is on the disc, followed by three times its length of filler (KB912666)".to_owned()
        }
        ComparisonResult::FourfoldSpread => {
            "is on the disc with each sector in a block of its own (KB912666)".to_owned()
        }
        ComparisonResult::Differs { sector, byte } => format!(
            "differs from the image on the disc: sector {}, from byte {byte} on",
            sector.get()
        ),
    };
    format!(
        "the given boot image, {}, compared with slot {}: it {how}",
        comparison.original_bytes, comparison.slot
    )
}

fn write_finding<'f>(
    out: &mut Terminal<impl Write>,
    finding: &'f Finding,
    calls: &mut Vec<Told<'f>>,
) -> io::Result<()> {
    writeln!(out)?;
    out.paint(
        style(finding.severity),
        format_args!("{}: {}", finding.severity, finding.id),
    )?;
    writeln!(out, " (LBA {}, byte {})", finding.lba.get(), finding.offset)?;
    writeln!(out, "  {}", finding.message)?;
    if !finding.trips.is_empty() {
        let (what, who) = (finding.id.consequence(), finding.trips.join(", "));
        writeln!(out, "  {what} [{who}]")?;
    }
    // Nobody mends what is by design.
    if !finding.is_to_fix() {
        return Ok(());
    }
    writeln!(out, "  to fix it: {}", finding.fix)?;
    for line in recipe_lines(finding, calls) {
        writeln!(out, "    {line}")?;
    }
    Ok(())
}

/// A recipe that was printed, with the finding that it belongs to.
pub(crate) type Told<'f> = (&'f Finding, &'f FilledRecipe);

/// So many recipes of a finding are printed, those of the tools that made the disc first. JSON has all.
const RECIPES: usize = 2;

/// The recipes of a finding, each with its commands, unless these stand above with another finding.
pub(crate) fn recipe_lines<'f>(finding: &'f Finding, calls: &mut Vec<Told<'f>>) -> Vec<String> {
    let mut lines = Vec::new();
    for recipe in finding.recipes.iter().take(RECIPES) {
        let heading = recipe.heading();
        let above = calls
            .iter()
            .find(|(_, above)| above.commands == recipe.commands);
        match above {
            Some((other, _)) => {
                lines.push(format!("{heading}: the same commands as for {}", other.id));
            }
            None => {
                lines.push(format!("{heading}:"));
                let commands = recipe.commands.iter();
                lines.extend(commands.map(|command| format!("  {command}")));
                calls.push((finding, recipe));
            }
        }
    }
    lines
}

fn summary(findings: &[Finding]) -> String {
    let count = |severity| {
        let found = findings
            .iter()
            .filter(|finding| finding.severity == severity);
        found.count()
    };
    let plural = |count: usize, word: &str| {
        let ending = if count == 1 { "" } else { "s" };
        format!("{count} {word}{ending}")
    };
    format!(
        "{}, {}, {}",
        plural(count(Severity::Error), "error"),
        plural(count(Severity::Warning), "warning"),
        plural(count(Severity::Info), "note")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [
            vec!["a".to_owned(), "LBA".to_owned()],
            vec!["bcd".to_owned(), "7".to_owned()],
        ];
        let mut out = Vec::new();
        table(&mut out, &rows, &[1]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a    LBA\nbcd    7\n");
    }

    #[test]
    fn a_report_ends_with_its_sum() {
        assert_eq!(summary(&[]), "0 errors, 0 warnings, 0 notes");
    }
}
