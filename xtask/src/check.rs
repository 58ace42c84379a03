//! Format, lints, documentation, dependencies, circles, the schema, generated tables and the snapshots: everything that can be checked without booting.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;
use harness::{dialogue, guest, live};
use regex::{Captures, Regex};
use scenarios::{
    conformance,
    conformance::Kit,
    digests, editor, file, files, master,
    matrix::{Folder, Matrix},
    snapshots,
};

use crate::repository::workspace;
use crate::{
    circles,
    steps::{self, Step},
    supply, tables, workflows,
};
use cli::{options::Format, place::cargo, stop::Stop};

#[derive(Debug, Args)]
#[command(after_help = crate::examples::CHECK.help())]
pub(crate) struct Check {
    /// Regenerate the JSON Schemas instead of comparing them.
    #[arg(long)]
    pub(crate) update_schema: bool,
    /// Regenerate the tables in docs and scenarios/README.md instead of comparing them. They are made from the scenarios, the accepted snapshots,
    /// docs/firmware.json and the known messages.
    #[arg(long)]
    pub(crate) update_docs: bool,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

/// Runs the verb.
pub(crate) fn run(options: &Check) -> anyhow::Result<ExitCode> {
    if options.update_schema {
        for (name, text) in schemas() {
            files::write(&schema_file(name), text.as_bytes())?;
        }
    }
    if options.update_docs {
        let matrix = Matrix::shipped(workspace()).map_err(|error| Stop::scenarios(&error))?;
        files::write(&digests_file(), digests::of(&matrix).as_bytes())?;
        for (file, text) in
            golden_discs().map_err(|(_, what)| Stop::usage(what, "conformance/kit.toml"))?
        {
            files::write(&file, text.as_bytes())?;
        }
        tables::update(workspace(), &matrix)
            .map_err(|what| Stop::usage(what, "cargo xtask boot-matrix --set all"))?;
    }
    let steps = [
        Step::command("format", &mut in_workspace(&["fmt", "--all", "--check"])),
        Step::command(
            "clippy",
            &mut in_workspace(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--quiet",
                "--",
                "-D",
                "warnings",
            ]),
        ),
        Step::command(
            "documentation",
            in_workspace(&[
                "doc",
                "--workspace",
                "--no-deps",
                "--document-private-items",
                "--quiet",
            ])
            .env("RUSTDOCFLAGS", "-D warnings"),
        ),
        Step::run("dependencies", dependencies),
        Step::run("packages for the registry", packages),
        Step::run("circles", no_circles),
        Step::run("workflows", workflows::lint),
        Step::run("schema", schema),
        Step::run("reproducible discs", reproducible_discs),
        Step::run("golden discs", kept_golden_discs),
        Step::run("generated tables", generated_tables),
        Step::run("unreferenced snapshots", unreferenced_snapshots),
        Step::run("plain words", plain_words),
    ];
    Ok(ExitCode::from(
        steps::summary("check/1", &steps, options.format).context("cannot write")?,
    ))
}

fn in_workspace(arguments: &[&str]) -> std::process::Command {
    let mut command = cargo();
    command.current_dir(workspace()).args(arguments);
    command
}

/// What the program needs, the last one first: each package as the registry would have it, with the others in the place of those that are not there yet.
const PACKAGES: [(&str, &str); 5] = [
    ("boot-matrix-images", "images"),
    ("boot-matrix-harness", "harness"),
    ("boot-matrix-scenarios", "scenarios"),
    ("boot-matrix-cli", "cli/verbs"),
    ("boot-matrix", "cli"),
];

/// A package that cannot be made, or lacks what the registry asks for.
fn packages() -> Result<(), (u8, String)> {
    for (name, _) in PACKAGES {
        let mut package = in_workspace(&[
            "package",
            "--offline",
            "--no-verify",
            "--allow-dirty",
            "--quiet",
        ]);
        package.args(["--package", name]);
        for (other, folder) in PACKAGES {
            let folder = workspace().join(folder);
            package.arg("--config");
            package.arg(format!("patch.crates-io.{other}.path={folder:?}"));
        }
        let output = package.output().map_err(|error| (3, error.to_string()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() || said.contains("manifest has no description") {
            return Err((1, format!("{name}: {said}")));
        }
    }
    Ok(())
}

/// No two files of a crate use one another.
fn no_circles() -> Result<(), (u8, String)> {
    let folders = PACKAGES.map(|(_, folder)| folder);
    let mut found = Vec::new();
    for folder in folders.iter().chain(&["tests", "xtask"]) {
        let source = workspace().join(folder).join("src");
        let library = source.join("lib.rs");
        let root = if library.exists() {
            library
        } else {
            source.join("main.rs")
        };
        found.extend(circles::of(&root).map_err(|error| (3, format!("{error:#}")))?);
    }
    if found.is_empty() {
        return Ok(());
    }
    let found = found
        .join("\n")
        .replace(&format!("{}/", workspace().display()), "");
    let what = "files use one another in a circle; move what ties them to a third file";
    Err((1, format!("{what}:\n{found}")))
}

/// The schemas that are kept, by the names of their files.
fn schemas() -> [(&'static str, String); 8] {
    [
        ("scenario.schema.json", file::json_schema()),
        ("master.schema.json", master::json_schema()),
        ("editor.schema.json", editor::json_schema()),
        ("dialogue.schema.json", dialogue::json_schema()),
        ("live.schema.json", live::json_schema()),
        ("words.schema.json", guest::json_schema()),
        ("kit.schema.json", conformance::kit_schema()),
        ("conformance.schema.json", conformance::report_schema()),
    ]
}

fn schema_file(name: &str) -> PathBuf {
    workspace().join("schemas").join(name)
}

fn schema() -> Result<(), (u8, String)> {
    let mut schemas = schemas().into_iter();
    schemas.try_for_each(|(name, text)| {
        kept(
            &schema_file(name),
            &text,
            "cargo xtask check --update-schema",
        )
    })
}

/// Holds a file against what is made now; `update` makes it so.
fn kept(file: &Path, made: &str, update: &str) -> Result<(), (u8, String)> {
    let what = match fs::read_to_string(file) {
        Ok(kept) if kept == made => return Ok(()),
        Ok(kept) => {
            let lines = kept.lines().zip(made.lines());
            let same = lines.take_while(|(kept, made)| kept == made).count();
            format!(":{} is not what is made now", same + 1)
        }
        Err(error) => format!(": {error}"),
    };
    Err((1, format!("{}{what}: {update}", file.display())))
}

fn digests_file() -> PathBuf {
    workspace().join(digests::FILE)
}

/// Each disc of our own masters is what it was, here and on every other machine.
pub(crate) fn reproducible_discs() -> Result<(), (u8, String)> {
    let matrix = Matrix::shipped(workspace()).map_err(|error| (2, error.to_string()))?;
    kept(
        &digests_file(),
        &digests::of(&matrix),
        "cargo xtask check --update-docs, if discs are meant to be others now",
    )
}

/// The files that readers are given: discs as text, and what is on them.
fn golden_discs() -> Result<Vec<(PathBuf, String)>, (u8, String)> {
    let kit =
        Kit::read(&conformance::shipped(workspace())).map_err(|error| (2, error.to_string()))?;
    let discs = conformance::golden_discs(&kit).map_err(|error| (2, error.to_string()))?;
    let folder = workspace().join("conformance").join("reader");
    let files = discs.into_iter().flat_map(|golden| {
        [
            (folder.join(format!("{}.disc", golden.id)), golden.disc),
            (folder.join(format!("{}.json", golden.id)), golden.json),
        ]
    });
    Ok(files.collect())
}

fn kept_golden_discs() -> Result<(), (u8, String)> {
    let mut discs = golden_discs()?.into_iter();
    discs.try_for_each(|(file, text)| kept(&file, &text, "cargo xtask check --update-docs"))
}

fn dependencies() -> Result<(), (u8, String)> {
    let wrong = supply::check().map_err(|error| (3, format!("{error:#}")))?;
    if wrong.is_empty() {
        return Ok(());
    }
    Err((1, wrong.join("\n")))
}

fn generated_tables() -> Result<(), (u8, String)> {
    let matrix = Matrix::shipped(workspace()).map_err(|error| (2, error.to_string()))?;
    tables::check(workspace(), &matrix).map_err(|what| (1, what))
}

fn unreferenced_snapshots() -> Result<(), (u8, String)> {
    let folder = Folder::shipped(workspace());
    let matrix = Matrix::shipped(workspace()).map_err(|error| (2, error.to_string()))?;
    let unreferenced =
        snapshots::unreferenced(&matrix, &folder).map_err(|error| (3, error.to_string()))?;
    if unreferenced.is_empty() {
        return Ok(());
    }
    let files: Vec<String> = unreferenced
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    Err((
        1,
        format!(
            "no cell has these snapshots; remove them:\n{}",
            files.join("\n")
        ),
    ))
}

/// Phrases that make a native reader stop, and what to write instead.
const PLAIN: [(&str, &str); 20] = [
    ("mend(s|ed|ing)?", "fix"),
    ("anew|once more", "again; regenerate, rebuild"),
    ("besides", "also, in addition"),
    ("(is|are|was|were|be) told", "report, print, show"),
    ("no ISOs?", "not an ISO"),
    ("has no name", "has no name set"),
    ("whoever", "users, anyone who"),
    ("(some|any)(body|one)('s)?", "users, another process"),
    ("nobody('s)?|no one", "no user, no process"),
    ("(held|holds?) .{0,40}?against", "compared with, compares"),
    ("(is|are|was|were) other than", "differs from"),
    ("(comes?|came) to (its|their|an) end", "finishes"),
    ("(do|does|did) the same", "behaves identically"),
    ("(goes|going|went|go) on", "continues"),
    ("as far as", "up to, where"),
    ("by design of", "intentionally"),
    ("of others", "third-party"),
    ("in (its|their) own words", "with its own message"),
    ("of one kind", "compatible"),
    ("elsewhere than", "on other systems, outside of"),
];

/// No page of the documentation has one of them.
fn plain_words() -> Result<(), (u8, String)> {
    let wrong = unplain_pages().map_err(|error| (3, format!("{error:#}")))?;
    if wrong.is_empty() {
        return Ok(());
    }
    Err((1, wrong.join("\n")))
}

fn unplain_pages() -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for folder in [".", "docs", "examples", "scenarios", "schemas"] {
        for entry in fs::read_dir(workspace().join(folder))? {
            let page = entry?.path();
            if page.extension().is_some_and(|extension| extension == "md") {
                let found = unplain(&fs::read_to_string(&page)?)?;
                wrong.extend(found.iter().map(|it| format!("{}:{it}", page.display())));
            }
        }
    }
    wrong.sort();
    Ok(wrong)
}

/// Each such phrase outside of code and of generated tables: its line, itself, and what to write.
fn unplain(page: &str) -> Result<Vec<String>, regex::Error> {
    let skipped = Regex::new(
        "(?s)(?m:^ *```).*?\n *```|<!-- generated: .*?<!-- end -->|`[^`]*`|\"[^\"\n]*\"",
    )?;
    let lines_alone = |found: &Captures<'_>| format!("`{}", found[0].replace(|c| c != '\n', ""));
    let prose = skipped.replace_all(page, lines_alone);
    let mut wrong = Vec::new();
    for (phrase, instead) in PLAIN {
        let phrase = phrase.replace(' ', r"[\s>]+");
        for found in Regex::new(&format!(r"(?i)\b(?:{phrase})\b"))?.find_iter(&prose) {
            let line = prose[..found.start()].matches('\n').count() + 1;
            wrong.push((
                line,
                format!("{line}: {:?}: write {instead}", found.as_str()),
            ));
        }
    }
    wrong.sort();
    Ok(wrong.into_iter().map(|(_, what)| what).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_plain() {
        assert_eq!(plain_words(), Ok(()));
    }

    #[test]
    fn no_files_use_one_another() {
        assert_eq!(no_circles(), Ok(()));
    }

    #[test]
    fn unplain_phrases_are_found_in_prose_alone() {
        let page = "Mends it.\n```sh\nmend anew\n```\n`mend` \"mend\" amends\n<!-- generated: x -->\nanew\n<!-- end -->\n> made once\n> more\n";
        let expected = [
            "1: \"Mends\": write fix",
            "9: \"once\\n> more\": write again; regenerate, rebuild",
        ];
        assert_eq!(unplain(page).unwrap(), expected);
    }

    #[test]
    fn golden_discs_are_what_is_made_now() {
        assert_eq!(kept_golden_discs(), Ok(()));
    }

    #[test]
    fn discs_are_the_same_bytes_on_every_machine() {
        assert_eq!(reproducible_discs(), Ok(()));
    }

    #[test]
    fn what_is_not_made_now_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kept.txt");
        let told = |made: &str| kept(&file, made, "update").unwrap_err().1;
        assert!(
            told("a\n").contains("kept.txt: No such file"),
            "{}",
            told("")
        );
        fs::write(&file, "a\nb\n").unwrap();
        assert!(told("a\nc\n").ends_with("kept.txt:2 is not what is made now: update"));
        assert!(told("a\n").ends_with("kept.txt:2 is not what is made now: update"));
        assert_eq!(kept(&file, "a\nb\n", "update"), Ok(()));
    }
}
