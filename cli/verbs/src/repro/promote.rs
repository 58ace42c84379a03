//! Makes a distilled disc a scenario: the failure is a regression test from then on.

use std::{
    fmt::Display,
    path::{Path, PathBuf},
};

use harness::{
    attachment::Attachment,
    diagnosis::{Cause, Diagnosis},
    guest::Starts,
    outcome::OutcomeKind,
};
use scenarios::{files, results::Results, words::Name};
use toml::{Table, Value};

use super::distil::Reproducer;
use crate::{
    boot_matrix,
    options::{BootMatrix, FirmwareWord, Repro},
    place::{absolute, workspace_for},
    stop::Stop,
};

/// The folder of scenarios that comes with boot-matrix.
///
/// # Errors
/// The program is installed.
fn shipped() -> Result<PathBuf, Stop> {
    Ok(workspace_for("scenarios that come with boot-matrix")?.join("scenarios/data"))
}

/// What there is now.
pub(super) struct Promoted {
    /// The scenario.
    pub(super) scenario: PathBuf,
    /// The disc as text.
    pub(super) disc: PathBuf,
}

/// Refuses a name that is taken, before minutes of work.
pub(super) fn check(options: &Repro) -> Result<(), Stop> {
    let Some(name) = &options.promote else {
        return Ok(());
    };
    if let Some(named) = FirmwareWord::names(&options.firmware)
        .into_iter()
        .find(|name| name.build.is_some())
    {
        // A scenario names firmware, and not builds of it: it holds for all of them.
        let what =
            format!("--promote makes a scenario for every build, but --firmware names {named}");
        return Err(Stop::usage(what, format!("--firmware {}", named.id)));
    }
    let files = paths(options, name)?;
    match [&files.scenario, &files.disc]
        .into_iter()
        .find(|file| file.exists())
    {
        None => Ok(()),
        Some(file) => Err(Stop::usage(
            format!("{} already exists", file.display()),
            "another name with --promote, or remove that one first",
        )),
    }
}

/// Writes the scenario and its disc, boots it, and accepts its snapshots.
pub(super) fn promote(
    options: &Repro,
    name: &Name,
    reproducer: &Reproducer,
    out: &Path,
) -> anyhow::Result<Promoted> {
    let files = paths(options, name)?;
    files::write(
        &files.disc,
        reproducer.distillation.distilled.to_toml().as_bytes(),
    )?;
    let text = declaration(name, reproducer, options.expect.as_deref());
    files::write(&files.scenario, text.as_bytes())?;
    let accepted = accept(options, name, out)?;
    if accepted.exit_code() == 0 {
        return Ok(files);
    }
    Err(Stop::host(
        format!(
            "{} was written, but its boots differ from its declaration: see {}",
            files.scenario.display(),
            Results::file(&out.join("promoted")).display()
        ),
        format!("cargo xtask boot-matrix '{}/*' --set all", name.0),
    )
    .into())
}

fn paths(options: &Repro, name: &Name) -> Result<Promoted, Stop> {
    let folder = match &options.scenarios {
        Some(folder) => absolute(folder),
        None => shipped()?,
    };
    Ok(Promoted {
        scenario: folder.join(format!("{}.toml", name.0)),
        disc: folder.join(format!("{}.disc", name.0)),
    })
}

fn accept(options: &Repro, name: &Name, out: &Path) -> anyhow::Result<Results> {
    let whole = BootMatrix::whole(options.tooling.clone());
    boot_matrix::boot(&BootMatrix {
        filters: vec![format!("{}/*", name.0)],
        scenarios: options
            .scenarios
            .iter()
            .map(|folder| absolute(folder))
            .collect(),
        accept: true,
        out: Some(out.join("promoted")),
        ..whole
    })
}

/// The scenario file.
fn declaration(name: &Name, reproducer: &Reproducer, expect: Option<&str>) -> String {
    let diagnoses = &reproducer.diagnosis;
    let mut scenario = Table::new();
    scenario.insert("name".into(), name.0.clone().into());
    scenario.insert("summary".into(), summary(diagnoses).into());
    let path = Table::from_iter([("path".to_owned(), Value::from(format!("{}.disc", name.0)))]);
    scenario.insert("iso".into(), path.into());
    let mut firmware: Vec<&str> = Vec::new();
    let mut attach: Vec<&str> = Vec::new();
    for diagnosis in diagnoses {
        add(&mut firmware, &diagnosis.firmware);
        for attachment in &diagnosis.attachments {
            add(&mut attach, attachment.as_str());
        }
    }
    scenario.insert("firmware".into(), words(&firmware));
    scenario.insert("attach".into(), words(&attach));
    if let Some(pattern) = expect {
        let texts = firmware
            .iter()
            .map(|firmware| ((*firmware).to_owned(), Value::from(pattern)));
        scenario.insert("expect-text".into(), Table::from_iter(texts).into());
    }
    let either = |firmware: &str, attachment: Attachment| {
        let mut cells = reproducer.either.iter();
        cells.any(|cell| cell.id.firmware() == firmware && cell.attachment == attachment)
    };
    let rules: Vec<Table> = diagnoses
        .iter()
        .flat_map(|diagnosis| rules(diagnosis, |at| either(&diagnosis.firmware, at)))
        .collect();
    scenario.insert("expect".into(), rules.into());
    Table::from_iter([("scenario".to_owned(), Value::from(vec![scenario]))]).to_string()
}

fn add<'a>(words: &mut Vec<&'a str>, word: &'a str) {
    if !words.contains(&word) {
        words.push(word);
    }
}

fn words<T: Display>(words: &[T]) -> Value {
    words
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .into()
}

/// What is wrong, in a sentence: the cause of the first failure.
fn summary(diagnosis: &[Diagnosis]) -> String {
    let failure = diagnosis
        .iter()
        .find(|diagnosis| diagnosis.starts != Starts::Yes);
    match failure.or_else(|| diagnosis.first()) {
        None => "an existing disc, minimized to the sectors that were read".to_owned(),
        Some(diagnosis) => because(diagnosis),
    }
}

/// Why it had to happen: what an experiment proved, all of it; or what is likely; or else what was seen.
fn because(diagnosis: &Diagnosis) -> String {
    let proved: Vec<&Cause> = diagnosis.causes.iter().filter(|it| it.proved).collect();
    let sentences: Vec<&str> = proved.iter().map(|cause| &*cause.sentence).collect();
    match (&proved[..], diagnosis.causes.first()) {
        ([], None) => diagnosis.happened.clone(),
        ([], Some(likely)) => likely.sentence.clone(),
        ([cause, ..], _) => format!(
            "{} Proved: with {} fixed, {}.",
            sentences.join(" "),
            if proved.len() == 1 { "that" } else { "these" },
            cause.then
        ),
    }
}

/// What was seen, and apart from that what was seen where chance decides.
fn rules(diagnosis: &Diagnosis, either: impl Fn(Attachment) -> bool) -> Vec<Table> {
    let attachments = diagnosis.attachments.iter().copied();
    let (either, sure): (Vec<_>, Vec<_>) = attachments.partition(|&at| either(at));
    let rules = [
        rule(diagnosis, &sure, None),
        rule(diagnosis, &either, other(diagnosis.outcome.kind)),
    ];
    rules.into_iter().flatten().collect()
}

/// What chance does instead: code that overwrote the firmware resets the machine or hangs it.
fn other(kind: OutcomeKind) -> Option<OutcomeKind> {
    match kind {
        OutcomeKind::Reset => Some(OutcomeKind::Hung),
        OutcomeKind::Hung => Some(OutcomeKind::Reset),
        _ => None,
    }
}

fn rule(
    diagnosis: &Diagnosis,
    attachments: &[Attachment],
    or: Option<OutcomeKind>,
) -> Option<Table> {
    if attachments.is_empty() {
        return None;
    }
    let outcome = &diagnosis.outcome;
    let mut when = Table::new();
    when.insert("firmware".into(), diagnosis.firmware.clone().into());
    when.insert("attach".into(), words(attachments));
    let mut rule = Table::new();
    rule.insert("when".into(), when.into());
    rule.insert("outcome".into(), outcome.kind.as_str().into());
    if let Some(or) = or {
        rule.insert("or".into(), or.as_str().into());
    }
    if let Some(code) = &outcome.code {
        rule.insert("code".into(), code.clone().into());
    }
    rule.insert("because".into(), because(diagnosis).into());
    Some(rule)
}

#[cfg(test)]
mod tests {
    use harness::outcome::{Outcome, Stage};

    use super::*;

    #[test]
    fn either_is_declared_only_where_the_whole_disc_did_both() {
        let diagnosis = Diagnosis {
            firmware: "seabios".to_owned(),
            attachments: vec![Attachment::Ide, Attachment::Ahci],
            outcome: Outcome {
                kind: OutcomeKind::Reset,
                code: None,
                stage: Stage::ImageLoaded,
                gave_back: false,
                detail: String::new(),
            },
            guest: None,
            starts: Starts::No,
            happened: "SeaBIOS hands over to it: the machine reset itself.".to_owned(),
            reached: String::new(),
            causes: Vec::new(),
            on_sound_medium: String::new(),
            harmless: Vec::new(),
            untried: Vec::new(),
        };
        let or = |rule: &Table| rule.get("or").map(Value::to_string);
        let sure = rules(&diagnosis, |_| false);
        assert_eq!(sure.iter().map(or).collect::<Vec<_>>(), [None]);
        let some = rules(&diagnosis, |at| at == Attachment::Ahci);
        let hung = Some("\"hung\"".to_owned());
        assert_eq!(some.iter().map(or).collect::<Vec<_>>(), [None, hung]);
        assert_eq!(some[1]["when"]["attach"].to_string(), "[\"ahci\"]");
    }
}
