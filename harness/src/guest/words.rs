//! What programs are known to say, as data: one TOML file a program, in the folder beside this file. A user's own files are read beside them.

use std::{
    ops::Range,
    path::Path,
    sync::{Arc, LazyLock, OnceLock},
    time::Duration,
};

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{GuestStage, GuestState, Need};
use crate::toml_file::{self, Location, SyntaxError};

/// The files that are part of the program, by their names.
const FILES: &[(&str, &str)] = &[
    ("alpine.toml", include_str!("words/alpine.toml")),
    ("anaconda.toml", include_str!("words/anaconda.toml")),
    ("archiso.toml", include_str!("words/archiso.toml")),
    ("casper.toml", include_str!("words/casper.toml")),
    (
        "debian-installer.toml",
        include_str!("words/debian-installer.toml"),
    ),
    ("dracut.toml", include_str!("words/dracut.toml")),
    ("elilo.toml", include_str!("words/elilo.toml")),
    (
        "freebsd-loader.toml",
        include_str!("words/freebsd-loader.toml"),
    ),
    ("freedos.toml", include_str!("words/freedos.toml")),
    ("getty.toml", include_str!("words/getty.toml")),
    ("grub-legacy.toml", include_str!("words/grub-legacy.toml")),
    ("grub.toml", include_str!("words/grub.toml")),
    ("haiku.toml", include_str!("words/haiku.toml")),
    (
        "initramfs-tools.toml",
        include_str!("words/initramfs-tools.toml"),
    ),
    ("ipxe.toml", include_str!("words/ipxe.toml")),
    ("isolinux.toml", include_str!("words/isolinux.toml")),
    ("limine.toml", include_str!("words/limine.toml")),
    ("linux.toml", include_str!("words/linux.toml")),
    ("live-boot.toml", include_str!("words/live-boot.toml")),
    ("memdisk.toml", include_str!("words/memdisk.toml")),
    (
        "memtest86plus.toml",
        include_str!("words/memtest86plus.toml"),
    ),
    ("mkfs-fat.toml", include_str!("words/mkfs-fat.toml")),
    ("netbsd.toml", include_str!("words/netbsd.toml")),
    ("openbsd.toml", include_str!("words/openbsd.toml")),
    ("ovmf.toml", include_str!("words/ovmf.toml")),
    ("reactos.toml", include_str!("words/reactos.toml")),
    ("refind.toml", include_str!("words/refind.toml")),
    ("seabios.toml", include_str!("words/seabios.toml")),
    ("shim.toml", include_str!("words/shim.toml")),
    ("systemd-boot.toml", include_str!("words/systemd-boot.toml")),
    ("systemd.toml", include_str!("words/systemd.toml")),
    ("ventoy.toml", include_str!("words/ventoy.toml")),
    ("windows.toml", include_str!("words/windows.toml")),
    ("xen.toml", include_str!("words/xen.toml")),
];

/// How long nothing may contradict a prompt, or a menu that shows no countdown.
const WAITING: Duration = Duration::from_secs(3);

/// One thing that a program is known to say.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) program: Arc<str>,
    /// What a guest that says it came to; `None` where it only shows how far it came.
    pub(super) state: Option<GuestState>,
    pub(super) stage: GuestStage,
    pub(super) pattern: Pattern,
    /// It counts only where it stands on the last line.
    pub(super) last: bool,
    /// The program can go on all the same, and what follows says that it did.
    pub(super) goes_on: bool,
    /// How long nothing may contradict it before it decides.
    pub(super) hold: Duration,
    /// It shows a countdown or a progress.
    pub(super) counts: bool,
    /// For so long a program that says it may be silent after it.
    pub(super) waits: Option<Duration>,
    /// Seen again and again, it is a guest that retries.
    pub(super) repeats: bool,
    pub(super) short_of: Option<Need>,
    /// How lines begin that stand above it and say why.
    pub(super) above: Option<String>,
    /// The stage without which it means nothing.
    pub(super) after: GuestStage,
    pub(super) means: String,
    /// The findings that can explain it, by their ids.
    pub(super) findings: Vec<String>,
}

/// A pattern that is compiled when it is first asked for: most of them never are.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    fn new(text: String) -> Self {
        Self {
            text,
            compiled: OnceLock::new(),
        }
    }

    fn compile(&self) -> Result<Regex, regex::Error> {
        RegexBuilder::new(&self.text).multi_line(true).build()
    }

    /// Where it matches, from the first place to the last.
    pub(super) fn places(&self, text: &str) -> Vec<Range<usize>> {
        let compiled = self.compiled.get_or_init(|| self.compile().ok());
        let found = compiled.iter().flat_map(|pattern| pattern.find_iter(text));
        found.map(|found| found.range()).collect()
    }
}

/// Everything that programs are known to say.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    pub(super) known: Vec<Known>,
    /// Which of them are in a text at all: one pass instead of one for each.
    pub(super) set: RegexSet,
}

/// A file of words that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VocabularyError {
    /// It is not TOML, or not as a file of words is.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// One of its entries means nothing.
    #[error("{at}: {what}")]
    Entry {
        /// Where.
        at: Location,
        /// What is wrong.
        what: String,
    },
    /// All the patterns together are too much.
    #[error("the patterns of all files of words are too large together: {0}")]
    TooLarge(String),
}

/// The known messages of one program.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(title = "Known words")]
#[serde(deny_unknown_fields)]
struct FileDecl {
    /// The program's name, as reports print it.
    program: String,
    /// Its messages, the more specific ones first.
    #[schemars(with = "Vec<WordsDecl>")]
    words: Vec<Spanned<WordsDecl>>,
}

/// One message of the program.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WordsDecl {
    /// The state of a program that prints it: any state except `silent`; `runs` if no later output is visible. Absent: the message only shows how far it came.
    #[schemars(with = "Option<GuestState>")]
    #[serde(default)]
    state: Option<Spanned<GuestState>>,
    /// The stage of a program that prints it.
    stage: GuestStage,
    /// A regular expression for the message; `^` and `$` are the ends of a line.
    #[schemars(with = "String")]
    pattern: Spanned<String>,
    /// Whether it counts only on the last line, like a prompt.
    #[serde(default)]
    last: bool,
    /// Whether a program that prints it can continue; with `state`. It decides nothing if other text follows.
    #[serde(default)]
    goes_on: bool,
    /// For how many milliseconds nothing may contradict it before it decides. Absent: 3000 for `prompt` and `menu`, else 0.
    #[serde(default)]
    hold_ms: Option<u64>,
    /// Whether it shows a countdown or progress.
    #[serde(default)]
    counts: bool,
    /// For how many milliseconds a program may be silent after this message. Absent: as long as any program.
    #[serde(default)]
    waits_ms: Option<u64>,
    /// Whether a program that prints it three times counts as retrying.
    #[serde(default)]
    repeats: bool,
    /// What the machine lacks; only with `state = "needs"`, and required there.
    #[serde(default)]
    short_of: Option<Need>,
    /// The beginnings of lines that may come a few lines earlier and explain the message; they are reported with it.
    #[serde(default)]
    above: Option<String>,
    /// The stage that must be reached before the message counts.
    #[serde(default)]
    after: GuestStage,
    /// What it means, in sentences for people.
    #[serde(default)]
    means: String,
    /// The findings that can explain it, by their ids.
    #[serde(default)]
    findings: Vec<String>,
    /// The package and version that were seen to print it. This or `source` is required.
    #[serde(default)]
    seen: String,
    /// The line of source that prints it.
    #[serde(default)]
    source: String,
    /// A text that the pattern must match.
    #[serde(default)]
    example: Option<String>,
    /// Texts that it must not match.
    #[serde(default)]
    not: Vec<String>,
}

/// The JSON Schema of files of words, as it is kept in the repository.
#[must_use]
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(FileDecl);
    // A schema is plain JSON: it has no map with keys that are not strings.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

impl Vocabulary {
    /// What is known without any file of a user's.
    #[must_use]
    pub fn builtin() -> Arc<Self> {
        static BUILTIN: LazyLock<Arc<Vocabulary>> = LazyLock::new(|| {
            let known = FILES
                .iter()
                .filter_map(|(name, text)| read(Path::new(name), text, Checks::Form).ok())
                .flatten();
            // A test reads each file by itself; that all of them fit together it shows as well.
            Arc::new(Vocabulary::of(known.collect()).unwrap_or_else(|_| Vocabulary::empty()))
        });
        Arc::clone(&BUILTIN)
    }

    fn empty() -> Self {
        Self {
            known: Vec::new(),
            set: RegexSet::empty(),
        }
    }

    /// The same and what stands in a file: words that a user adds.
    ///
    /// # Errors
    /// The file is not as it must be: with the line and column.
    pub fn with_file(&self, path: &Path, text: &str) -> Result<Self, VocabularyError> {
        let added = read(path, text, Checks::Everything)?;
        Self::of(self.known.iter().cloned().chain(added).collect())
    }

    fn of(known: Vec<Known>) -> Result<Self, VocabularyError> {
        let patterns = known.iter().map(|known| known.pattern.text.as_str());
        let set = RegexSetBuilder::new(patterns)
            .multi_line(true)
            .size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| VocabularyError::TooLarge(error.to_string()))?;
        Ok(Self { known, set })
    }

    /// The programs whose words are known, and how many of each.
    #[must_use]
    pub fn programs(&self) -> Vec<(&str, usize)> {
        let mut programs: Vec<(&str, usize)> = Vec::new();
        for known in &self.known {
            match programs
                .iter_mut()
                .find(|(name, _)| *name == &*known.program)
            {
                Some((_, count)) => *count += 1,
                None => programs.push((&known.program, 1)),
            }
        }
        programs
    }
}

/// The most memory that the patterns of all files may take together when they are compiled.
const SIZE_LIMIT: usize = 64 << 20;

fn read(path: &Path, text: &str, checks: Checks) -> Result<Vec<Known>, VocabularyError> {
    let file: FileDecl = toml_file::read(path, text)?;
    let program: Arc<str> = file.program.into();
    let at = |span: std::ops::Range<usize>| Location::of(path, text, Some(span));
    let entry = |decl: Spanned<WordsDecl>| {
        let whole = decl.span();
        let decl = decl.into_inner();
        let wrong = |span, what: String| VocabularyError::Entry { at: at(span), what };
        let state = decl.state.as_ref().map(|state| *state.get_ref());
        if let (Some(GuestState::Silent), Some(place)) = (state, &decl.state) {
            let what = "silent is what no words say: leave state out".to_owned();
            return Err(wrong(place.span(), what));
        }
        if decl.seen.is_empty() && decl.source.is_empty() {
            let what =
                "say what was seen to print it (seen), or the line of source that does (source)";
            return Err(wrong(whole, what.to_owned()));
        }
        let is_short = match decl.short_of {
            Some(Need::Key) => state.is_none(),
            short_of => short_of.is_some() == (state == Some(GuestState::Needs)),
        };
        if !is_short {
            let what = "short-of goes with state = \"needs\", and says what is lacking; \"key\" goes with no state, since a program that waits for one goes on without it";
            return Err(wrong(whole, what.to_owned()));
        }
        let pattern = Pattern::new(decl.pattern.get_ref().clone());
        if checks == Checks::Everything {
            let place = decl.pattern.span();
            check(&pattern, &decl).map_err(|what| wrong(place, what))?;
        }
        let hold = match (decl.hold_ms, state) {
            (Some(hold), _) => Duration::from_millis(hold),
            (None, Some(GuestState::Prompt | GuestState::Menu)) => WAITING,
            (None, _) => Duration::ZERO,
        };
        Ok(Known {
            program: Arc::clone(&program),
            state,
            stage: decl.stage,
            pattern,
            last: decl.last,
            goes_on: decl.goes_on,
            hold,
            counts: decl.counts,
            waits: decl.waits_ms.map(Duration::from_millis),
            repeats: decl.repeats,
            short_of: decl.short_of,
            above: decl.above,
            after: decl.after,
            means: decl.means,
            findings: decl.findings,
        })
    };
    file.words.into_iter().map(entry).collect()
}

/// Whether a pattern can be used, and matches what it must and nothing that it must not.
fn check(pattern: &Pattern, decl: &WordsDecl) -> Result<(), String> {
    let pattern = pattern.compile().map_err(|error| in_a_line(&error))?;
    if pattern.is_match("") {
        return Err("the pattern matches nothing at all".to_owned());
    }
    if let Some(example) = &decl.example
        && !pattern.is_match(example)
    {
        return Err(format!(
            "the pattern does not match its example {example:?}"
        ));
    }
    match decl.not.iter().find(|other| pattern.is_match(other)) {
        Some(other) => Err(format!("the pattern matches what it must not: {other:?}")),
        None => Ok(()),
    }
}

/// How much of a file of words is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checks {
    /// Its patterns too, and their examples: a file that a user wrote.
    Everything,
    /// What it takes to read it: a file that is part of the program, and that a test checks.
    Form,
}

/// The last line of the parser's words says what is wrong; those before it draw the pattern.
fn in_a_line(error: &regex::Error) -> String {
    let words = error.to_string();
    let last = words.lines().last().unwrap_or_default();
    format!(
        "the pattern is not a regular expression: {}",
        last.trim_start_matches("error: ")
    )
}

/// The examples of all files, with the name of the file, of words that tell a state.
#[cfg(test)]
pub(super) fn examples() -> Vec<(&'static str, GuestState, String)> {
    let of_file = |(name, text): &(&'static str, &str)| {
        let file: FileDecl = toml_file::read(Path::new(name), text).expect("a file of words");
        let name = *name;
        let words = file.words.into_iter().map(Spanned::into_inner);
        let example = move |decl: WordsDecl| {
            let state = *decl.state?.get_ref();
            Some((name, state, decl.example?))
        };
        words.filter_map(example).collect::<Vec<_>>()
    };
    FILES.iter().flat_map(of_file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_words_is_as_it_must_be() {
        for (name, text) in FILES {
            match read(Path::new(name), text, Checks::Everything) {
                Ok(known) => assert!(!known.is_empty(), "{name}"),
                Err(error) => panic!("{error}"),
            }
        }
        let all = FILES
            .iter()
            .flat_map(|(name, text)| read(Path::new(name), text, Checks::Form).unwrap());
        let builtin = Vocabulary::builtin();
        assert_eq!(builtin.known.len(), all.count());
        assert!(builtin.programs().len() >= 10, "{:?}", builtin.programs());
    }

    #[test]
    fn every_file_in_the_folder_is_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guest/words");
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".toml"))
            .collect();
        there.sort();
        let read: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(there, read);
    }

    fn refused(words: &str) -> String {
        let text = format!("program = \"mine\"\n[[words]]\n{words}");
        let error = Vocabulary::builtin()
            .with_file(Path::new("mine.toml"), &text)
            .expect_err("refused");
        error.to_string()
    }

    #[test]
    fn a_bad_file_of_words_is_refused_with_its_line_and_column() {
        let ok = "stage = \"loader\"\nseen = \"mine 1.0\"\n";
        assert_eq!(
            refused(&format!("{ok}state = \"gave-up\"\npattern = '(x'")),
            "mine.toml:6:11: the pattern is not a regular expression: unclosed group"
        );
        assert_eq!(
            refused("stage = \"loader\"\nstate = \"gave-up\"\npattern = 'x'"),
            "mine.toml:2:1: say what was seen to print it (seen), or the line of source that does (source)"
        );
        assert_eq!(
            refused(&format!("{ok}state = \"silent\"\npattern = 'x'")),
            "mine.toml:5:9: silent is what no words say: leave state out"
        );
        assert_eq!(
            refused(&format!("{ok}state = \"menu\"\npattern = 'x*'")),
            "mine.toml:6:11: the pattern matches nothing at all"
        );
        assert!(
            refused(&format!("{ok}state = \"meny\"\npattern = 'x'")).starts_with("mine.toml:5:9: "),
        );
        assert!(
            refused(&format!(
                "{ok}state = \"gave-up\"\npattern = 'x'\nexample = 'y'"
            ))
            .contains("does not match its example")
        );
    }

    #[test]
    fn a_user_s_words_are_known_beside_the_others() {
        let text = "program = \"mine\"\n[[words]]\nstate = \"system\"\nstage = \"system\"\n\
                    seen = \"mine 1.0\"\npattern = '^mine is ready$'";
        let builtin = Vocabulary::builtin();
        let added = builtin.with_file(Path::new("mine.toml"), text).unwrap();
        assert_eq!(added.known.len(), builtin.known.len() + 1);
        assert!(added.set.is_match("first\nmine is ready\nlast"));
    }
}
