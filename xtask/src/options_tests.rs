//! A message that names an option must name one that the verb has which prints it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use clap::Command;
use regex::Regex;

use cli::program;

use crate::{Here, NAME, repository::workspace};

/// Whose messages the files below a folder of the workspace are: all of these verbs print them. The first that fits counts.
const PRINTED_BY: &[(&str, &[&str])] = &[
    ("cli/verbs/src/repro/", &["repro"]),
    ("cli/verbs/src/iso.rs", &["repro", "boot-matrix"]),
    ("cli/verbs/src/setup/", &["repro", "boot-matrix"]),
    (
        "cli/verbs/src/boot_matrix/builds.rs",
        &["repro", "boot-matrix"],
    ),
    (
        "cli/verbs/src/boot_matrix/checkpoints.rs",
        &["repro", "boot-matrix"],
    ),
    ("cli/verbs/src/boot_matrix/", &["boot-matrix"]),
    ("cli/verbs/src/inspect/", &["inspect"]),
    ("cli/verbs/src/image.rs", &["image"]),
    ("cli/verbs/src/conformance.rs", &["conformance"]),
    ("cli/verbs/src/merge.rs", &["merge"]),
    ("cli/verbs/src/listen.rs", &["listen"]),
    ("scenarios/src/selection.rs", &["repro", "boot-matrix"]),
];

/// File, verb and option, where a message is right although the verb has no such option.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    // Of other programs.
    ("cli/verbs/src/image.rs", "image", "sparse"),
    (
        "cli/verbs/src/boot_matrix/review.rs",
        "boot-matrix",
        "locked",
    ),
    // Only about masters and filters, which repro does not have.
    ("cli/verbs/src/setup/need.rs", "repro", "master"),
    ("scenarios/src/selection.rs", "repro", "set"),
];

/// Each verb with the long options that it or a verb below it has.
fn options_of(verb: &str) -> BTreeSet<String> {
    fn add(command: &Command, options: &mut BTreeSet<String>) {
        let long = command.get_arguments().filter_map(clap::Arg::get_long);
        options.extend(long.map(ToOwned::to_owned));
        for below in command.get_subcommands() {
            add(below, options);
        }
    }
    let all = program::command::<Here>(NAME);
    let mut options = BTreeSet::from(["help".to_owned()]);
    let command = all.find_subcommand(verb);
    add(
        command.unwrap_or_else(|| panic!("no verb {verb}")),
        &mut options,
    );
    options
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.to_string_lossy().ends_with("tests.rs")
        {
            files.push(path);
        }
    }
}

/// The text in a file's string literals that are sentences: with a space in them, and no part of its comments and tests.
fn sentences(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let literal = Regex::new(r#""(?s:[^"\\]|\\.)*""#).expect("a pattern");
    let literals = literal
        .find_iter(&code)
        .map(|found| found.as_str().to_owned());
    literals.filter(|text| text.contains(' ')).collect()
}

#[test]
fn an_option_that_a_message_names_is_one_of_its_verb() {
    let option = Regex::new(r"(?:^|[^\w-])--([a-z][a-z-]*)").expect("a pattern");
    let command = Regex::new(r"cargo xtask ([a-z][a-z-]+)|(boot-matrix) $").expect("a pattern");
    let verbs: BTreeSet<String> = program::command::<Here>(NAME)
        .get_subcommands()
        .map(|verb| verb.get_name().to_owned())
        .collect();
    let mut files = Vec::new();
    for folder in ["cli/verbs/src", "scenarios/src"] {
        sources(&workspace().join(folder), &mut files);
    }
    let (mut wrong, mut named) = (Vec::new(), 0);
    for file in files {
        let place = file.strip_prefix(workspace()).unwrap_or(&file);
        let place = place.to_string_lossy();
        let Some((_, printed_by)) = PRINTED_BY.iter().find(|(of, _)| place.starts_with(of)) else {
            continue;
        };
        for sentence in sentences(&fs::read_to_string(&file).expect("a source")) {
            for found in option.captures_iter(&sentence) {
                let name = &found[1];
                // A whole command in a sentence has its own verb, up to its end.
                let before = &sentence[..found.get(1).map_or(0, |name| name.start() - "--".len())];
                let before = before.rsplit(';').next().unwrap_or_default();
                let before = before.rsplit(", and then").next().unwrap_or_default();
                let whole = command.captures_iter(before).last();
                let whole = whole.and_then(|whole| whole.get(1).or(whole.get(2)));
                let whole = whole.map(|verb| verb.as_str().to_owned());
                let of: Vec<String> = match whole.filter(|verb| verbs.contains(verb)) {
                    Some(verb) => vec![verb],
                    None => printed_by.iter().map(ToString::to_string).collect(),
                };
                named += 1;
                for verb in of {
                    let is_known = EXCEPTIONS.contains(&(&place, &verb, name));
                    if !options_of(&verb).contains(name) && !is_known {
                        wrong.push(format!("{place}: {verb} has no --{name}: {sentence}"));
                    }
                }
            }
        }
    }
    assert!(named > 20, "only {named} options were found in messages");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
