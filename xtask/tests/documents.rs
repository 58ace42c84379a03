//! The documentation: its commands run, what it shows is what they say, and its TOML is what the schemas want.
//!
//! A block `sh` is one script, a block `console` has its commands behind `$` and what they say below. They run in the order of the
//! page, in a folder of the page's own, where `cargo xtask` is the program under test. Behind the language stands what else holds:
//!
//! - `not-run="…"`: why nothing is run; then the arguments of `cargo xtask` are only parsed;
//! - `exit=1`: the exit code of its last command, if it is not 0;
//! - `file=tool.toml`: the block becomes that file of the folder;
//! - `schema=master`: the schema that a block `toml` keeps to;
//! - `reproducer`: a test of its own runs it (`found.rs`).
//!
//! In what is shown, `…` stands for anything, as a line too, and figures with a decimal point are not compared.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

#[expect(dead_code, reason = "shared with tests that read JSON that way")]
mod common;
#[path = "common/rescue.rs"]
mod rescue;
#[path = "common/schema.rs"]
mod schema;
#[path = "common/shell.rs"]
mod shell;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use common::xtask;
use regex::Regex;
use rescue::rescue_disc;
use schema::violations;
use serde_json::Value;
use shell::shell;
use tempfile::TempDir;

/// Stands for anything in what a page shows.
const ANYTHING: &str = "…";

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A fenced block of a page.
#[derive(Debug, PartialEq, Eq)]
struct Block<'a> {
    /// The line of its fence, from 1.
    line: usize,
    language: &'a str,
    /// What stands behind the language: names with their values, which may be empty.
    marks: Vec<(String, String)>,
    text: String,
}

impl Block<'_> {
    fn mark(&self, name: &str) -> Option<&str> {
        let mark = self.marks.iter().find(|(key, _)| key == name);
        mark.map(|(_, value)| value.as_str())
    }

    fn exit_code(&self) -> i32 {
        self.mark("exit").map_or(0, |code| code.parse().unwrap())
    }
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(fence) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        let (language, marks) = fence.split_once(' ').unwrap_or((fence, ""));
        let mark = |word: String| match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (word, String::new()),
        };
        let text = lines.by_ref().map(|(_, line)| line);
        let text = text.take_while(|line| !line.trim_start().starts_with("```"));
        blocks.push(Block {
            line: number + 1,
            language,
            marks: shell_words::split(marks)
                .unwrap()
                .into_iter()
                .map(mark)
                .collect(),
            text: text.map(|line| format!("{line}\n")).collect(),
        });
    }
    blocks
}

/// A command of a block `console`, and what is shown of what it says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    command: String,
    says: Vec<String>,
}

fn session(text: &str) -> Vec<Shown> {
    let mut session: Vec<Shown> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("$ "), session.last_mut()) {
            (Some(command), _) => session.push(Shown {
                command: command.to_owned(),
                says: Vec::new(),
            }),
            (None, Some(shown)) if shown.command.ends_with('\\') => {
                shown.command += &format!("\n{line}");
            }
            (None, Some(shown)) => shown.says.push(line.to_owned()),
            (None, None) => panic!("a session begins with a command, not with {line:?}"),
        }
    }
    session
}

/// A line with what differs from run to run and from host to host taken out.
fn stable(line: &str) -> String {
    let figures = Regex::new(r"\d+\.\d[\w.+~-]*").unwrap();
    let line = figures.replace_all(line, "#");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first of some lines that does not come, in their order.
fn missing<'s>(says: &'s [String], said: &str) -> Option<&'s str> {
    let said: Vec<String> = said.lines().map(stable).collect();
    let mut rest = said.iter();
    let mut shown = says.iter().filter(|line| {
        let line = line.trim();
        !line.is_empty() && line != ANYTHING
    });
    let comes = |line: &String| {
        let parts: Vec<String> = stable(line).split(ANYTHING).map(regex::escape).collect();
        let pattern = Regex::new(&format!("^{}$", parts.join(".*"))).unwrap();
        rest.any(|line| pattern.is_match(line))
    };
    let comes = std::cell::RefCell::new(comes);
    shown
        .find(|line| !comes.borrow_mut()(line))
        .map(String::as_str)
}

/// The arguments of every `cargo xtask` in a script, without what stands behind `#`.
fn calls(script: &str) -> Vec<Vec<String>> {
    let script = script.replace("\\\n", " ");
    let mut calls = Vec::new();
    for line in script.lines() {
        let line = line.strip_prefix("$ ").unwrap_or(line);
        let line = line.split(" # ").next().unwrap_or(line);
        if !line.contains("cargo xtask") {
            continue;
        }
        let words = shell_words::split(line).unwrap();
        for command in words.split(|word| ["&&", "||", "|", ">>"].contains(&&**word)) {
            if let [cargo, verb, arguments @ ..] = command
                && (cargo.as_str(), verb.as_str()) == ("cargo", "xtask")
            {
                calls.push(arguments.to_vec());
            }
        }
    }
    calls
}

/// Why arguments cannot be parsed. Asked for its help, the program parses what stands before.
fn not_parsed(arguments: &[String]) -> Option<String> {
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    arguments.push("--help");
    let said = xtask(&arguments);
    (said.code != 0).then_some(said.stderr)
}

/// The files that pages speak of, and what they are made of: the real discs of two packages.
const CUSTOMER: (&str, &str) = ("customer.iso", "/usr/lib/memtest86+/memtest86+x64.iso");
const DEBIAN: (&str, &str) = ("debian.iso", rescue::GRUB);
/// Other programs that commands need.
const PROGRAMS: [&str; 2] = ["genisoimage", "xorriso"];

/// A page, and the folder in which its commands run.
struct Page<'a> {
    name: &'a str,
    folder: TempDir,
    /// Words of commands that cannot be run here.
    lacking: BTreeSet<&'a str>,
}

impl<'a> Page<'a> {
    fn new(name: &'a str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("target")).unwrap();
        let mut lacking = BTreeSet::new();
        for (file, source) in [CUSTOMER, DEBIAN] {
            if !Path::new(source).exists() {
                lacking.insert(file);
            }
        }
        if !lacking.contains(CUSTOMER.0) {
            spoiled(CUSTOMER.1, &folder.path().join(CUSTOMER.0));
        }
        if !lacking.contains(DEBIAN.0) {
            fs::write(folder.path().join(DEBIAN.0), rescue_disc(*b"-1")).unwrap();
        }
        let there = |program: &str| shell(&format!("command -v {program}"), folder.path()).0 == 0;
        lacking.extend(PROGRAMS.into_iter().filter(|program| !there(program)));
        Self {
            name,
            folder,
            lacking,
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// What is wrong with a block; nothing where it does what the page says.
    fn complaint(&self, block: &Block<'_>) -> Option<String> {
        if let Some(file) = block.mark("file") {
            fs::write(self.path(file), &block.text).unwrap();
        }
        match (block.language, block.mark("not-run")) {
            _ if block.mark("reproducer").is_some() => None,
            ("sh" | "console", Some("")) => Some("not-run gives no reason".to_owned()),
            ("sh" | "console", Some(why)) => {
                println!("{}:{}: not run: {why}", self.name, block.line);
                calls(&block.text).iter().find_map(|call| not_parsed(call))
            }
            ("sh", None) => self.contradiction(&block.text, block.exit_code(), &[]),
            ("console", None) => {
                let session = session(&block.text);
                let last = session.len().saturating_sub(1);
                let mut commands = session.iter().enumerate();
                commands.find_map(|(number, shown)| {
                    let code = if number == last { block.exit_code() } else { 0 };
                    self.contradiction(&shown.command, code, &shown.says)
                })
            }
            ("toml", _) => violation(block),
            ("text", _) => Some(
                "what a command says stands below it, in a block `console`; else give no language"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    fn contradiction(&self, script: &str, code: i32, says: &[String]) -> Option<String> {
        if let Some(word) = self.lacking.iter().find(|word| script.contains(**word)) {
            println!("{}: there is no {word} here: not run: {script}", self.name);
            return None;
        }
        let (is, said) = shell(script, self.folder.path());
        let what = if is == code {
            format!("does not say {:?}", missing(says, &said)?)
        } else {
            format!("exits with {is} and not with {code}")
        };
        let lines: Vec<&str> = said.lines().collect();
        let end = lines[lines.len().saturating_sub(40)..].join("\n");
        Some(format!("{script}\n  {what}; it says\n{end}"))
    }
}

/// A disc with a wrong checksum in the catalog's validation entry.
fn spoiled(disc: &str, copy: &Path) {
    fs::write(copy, fs::read(disc).unwrap()).unwrap();
    let file = fs::File::options()
        .read(true)
        .write(true)
        .open(copy)
        .unwrap();
    // El Torito §2.0: the catalog's block stands at byte 47h of block 17. §2.1: the checksum, at byte 1Ch of the catalog.
    let mut lba = [0; 4];
    file.read_exact_at(&mut lba, 17 * 2048 + 0x47).unwrap();
    let checksum = u64::from(u32::from_le_bytes(lba)) * 2048 + 0x1C;
    let mut byte = [0];
    file.read_exact_at(&mut byte, checksum).unwrap();
    file.write_all_at(&[byte[0].wrapping_add(1)], checksum)
        .unwrap();
}

/// What a block of TOML has that its schema does not want.
fn violation(block: &Block<'_>) -> Option<String> {
    let Some(name) = block.mark("schema") else {
        return Some(
            "which schema it keeps to is not said: schema=scenario, master, editor, live, dialogue or words"
                .to_owned(),
        );
    };
    let schema = workspace().join(format!("schemas/{name}.schema.json"));
    let schema: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    let value: Value = match toml::from_str(&block.text) {
        Ok(value) => value,
        Err(error) => return Some(error.to_string()),
    };
    let violations = violations(&schema, &[(name.to_owned(), value)]);
    (!violations.is_empty()).then_some(violations)
}

/// Whatever is wrong with a page.
fn complaints(name: &str, text: &str) -> Vec<String> {
    let page = Page::new(name);
    let complaint = |block: &Block<'_>| {
        let what = page.complaint(block)?;
        Some(format!("{name}:{}: {what}", block.line))
    };
    blocks(text).iter().filter_map(complaint).collect()
}

fn check(name: &str) {
    let text = fs::read_to_string(workspace().join(name)).unwrap();
    let complaints = complaints(name, &text);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

macro_rules! pages {
    ($($test:ident => $page:literal),* $(,)?) => {
        /// Every page; each has a test of its own, so that they run at once.
        const PAGES: &[&str] = &[$($page),*];

        $(#[test]
        fn $test() {
            check($page);
        })*
    };
}

pages! {
    readme => "README.md",
    contributing => "CONTRIBUTING.md",
    benchmarks => "docs/benchmarks.md",
    conformance => "docs/conformance.md",
    defects => "docs/findings.md",
    differences => "docs/differences.md",
    drives => "docs/drives.md",
    firmware => "docs/firmware.md",
    found => "docs/found.md",
    guests => "docs/guests.md",
    kb912666 => "docs/kb912666.md",
    mastering => "docs/mastering.md",
    protocol => "docs/protocol.md",
    real_hardware => "docs/real-hardware.md",
    repro => "docs/repro.md",
    report => "docs/report.md",
    running => "docs/running.md",
    scale => "docs/scale.md",
    secure_boot => "docs/secure-boot.md",
    trust => "docs/trust.md",
    examples => "examples/README.md",
    scenarios => "scenarios/README.md",
    schemas => "schemas/README.md",
    readers => "conformance/reader/README.md",
}

#[test]
fn no_page_is_left_out() {
    let mut pages: BTreeSet<String> = ["README.md", "CONTRIBUTING.md"].map(str::to_owned).into();
    for folder in [
        "docs",
        "examples",
        "scenarios",
        "schemas",
        "conformance/reader",
    ] {
        for entry in fs::read_dir(workspace().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                pages.insert(format!("{folder}/{name}"));
            }
        }
    }
    assert_eq!(pages, PAGES.iter().map(|&page| page.to_owned()).collect());
}

/// Links within the repository lead somewhere, to the headings of a page too.
#[test]
fn every_link_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)#\s:]*)(?:#([^)\s]+))?\)").unwrap();
    let anchor = Regex::new(r"[^\w\- ]").unwrap();
    let anchors = |text: &str| -> BTreeSet<String> {
        let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
        let headings = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
        headings
            .map(|heading| anchor.replace_all(&heading, "").replace(' ', "-"))
            .collect()
    };
    let mut astray = Vec::new();
    for page in PAGES.iter().chain(&["ARCHITECTURE.md", "CHANGELOG.md"]) {
        let path = workspace().join(page);
        let text = fs::read_to_string(&path).unwrap();
        for found in link.captures_iter(&text) {
            let file = &found[1];
            let target = if file.is_empty() {
                path.clone()
            } else {
                path.parent().unwrap().join(file)
            };
            let heading = found.get(2).map(|heading| heading.as_str());
            let leads = match heading {
                None => target.exists(),
                Some(heading) => {
                    fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(heading))
                }
            };
            if !leads {
                astray.push(format!("{page}: {}", &found[0]));
            }
        }
    }
    assert!(astray.is_empty(), "{astray:#?}");
}

#[test]
fn a_page_that_is_wrong_is_noticed() {
    let page = |fence: &str, text: &str| format!("# A page\n\n```{fence}\n{text}\n```\n");
    let wrong = |fence: &str, text: &str| complaints("a page", &page(fence, text)).join("\n");
    for (fence, text, complaint) in [
        ("sh", "echo one && test -e target", ""),
        ("sh", "false\ntrue", "exits with 1 and not with 0"),
        ("sh", "cargo xtask inspekt disc.iso", "exits with 2"),
        ("sh exit=2", "cargo xtask inspekt disc.iso", ""),
        (
            "sh not-run=\"it takes minutes\"",
            "cargo xtask boot-matrix --cold   # all",
            "",
        ),
        (
            "sh not-run=\"it takes minutes\"",
            "cargo xtask boot-matrix --colt",
            "'--colt'",
        ),
        (
            "sh not-run=\"no disc\"",
            "true && cargo xtask repro a.iso --attach idle",
            "idle",
        ),
        ("sh not-run", "true", "no reason"),
        (
            "console",
            "$ echo 1.5 s of 7\n2.25 s of 7\n$ echo two\ntwo",
            "",
        ),
        ("console", "$ echo one; echo; echo two\none\n…\nt…", ""),
        (
            "console",
            "$ echo one; echo two\ntwo\none",
            "does not say \"one\"",
        ),
        (
            "console",
            "$ echo 7 cells\n8 cells",
            "does not say \"8 cells\"",
        ),
        (
            "console exit=1",
            "$ cargo xtask inspect /dev/null\n…",
            "exits with 2",
        ),
        ("text", "7 cells", "a block `console`"),
        ("toml", "name = 1", "schema"),
        ("toml schema=dialogue", "[[step]]\nkey = \"ret\"", ""),
        (
            "toml schema=dialogue",
            "[[step]]\nky = \"ret\"",
            "'ky' was unexpected",
        ),
        ("", "anything", ""),
    ] {
        let said = wrong(fence, text);
        assert_eq!(
            said.is_empty(),
            complaint.is_empty(),
            "{fence}: {text}: {said}"
        );
        assert!(said.contains(complaint), "{fence}: {text}: {said}");
    }
}
