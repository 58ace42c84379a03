//! The readers of files that people and other programs write.

use std::{
    fmt::Display,
    path::Path,
    str::FromStr,
    sync::{Arc, LazyLock},
};

use harness::{
    dialogue::Dialogue,
    firmware::{FirmwareKind, FirmwareName},
    guest::Vocabulary,
    readers::followed,
};
use images::{boot::Boot, size::Size};
use scenarios::{
    baseline::Baseline,
    filter::Filter,
    id::{CellId, DiscId},
    master::Masters,
    matrix,
    results::Results,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{screens::is_one_that_words_tell, target::Target};

/// Cells of a scenario that are looked at: a few lines may say thousands.
const CELLS: usize = 32;

pub(super) const SCENARIO: Target = Target {
    name: "scenario",
    what: "scenario files: errors are reported with their place; the ids of valid cells are read back alike",
    read: |input| {
        static MASTERS: LazyLock<Arc<Masters>> = LazyLock::new(Arc::default);
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        let (path, snapshots) = (Path::new("a.toml"), Path::new("snapshots"));
        let Ok(scenarios) = matrix::read_text(path, text, snapshots, &MASTERS) else {
            return;
        };
        for scenario in scenarios {
            drop(scenario.check());
            for cell in scenario.cells().take(CELLS) {
                assert_eq!(cell.id.as_str().parse().as_ref(), Ok(&cell.id));
                let found = scenario.cell(&cell.id).map(|found| found.id);
                assert_eq!(found.as_ref(), Some(&cell.id));
            }
        }
    },
    longest: 1_024,
    words: SCENARIO_WORDS,
};

pub(super) const MASTER: Target = Target {
    name: "master",
    what: "mastering tools' files: each valid one has one name",
    read: |input| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        if let Ok(masters) = Masters::parse(Path::new("a.toml"), text) {
            assert_eq!(masters.tools().count(), 1);
        }
    },
    longest: 1_024,
    words: MASTER_WORDS,
};

pub(super) const DIALOGUE: Target = Target {
    name: "dialogue",
    what: "dialogues: each valid one has steps and an end",
    read: |input| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        if let Ok(dialogue) = Dialogue::parse(Path::new("a.toml"), text) {
            assert!(!dialogue.steps().is_empty());
            let patience = std::time::Duration::from_secs(10);
            assert!(dialogue.longest(patience) >= std::time::Duration::ZERO);
        }
    },
    longest: 512,
    words: &[
        b"[[step]]\n",
        b"expect = \"\"\n",
        b"send = \"\"\n",
        b"press = \"ctrl-c\"\n",
        b"keys = \"\"\n",
        b"within_s = ",
        b"confirm = ",
        b"type = ",
        b"ret",
        b"\\r",
        b"\\x1b",
        b"(?i)",
    ],
};

/// Behind a zero byte stands what a guest then sends.
pub(super) const VOCABULARY: Target = Target {
    name: "vocabulary",
    what: "files of words: what is read is known beside the others, and tells a guest by its words as they do",
    read: |input| {
        let mut parts = input.splitn(2, |byte| *byte == 0);
        let (file, sent) = (parts.next(), parts.next().unwrap_or_default());
        let Some(text) = file.and_then(|file| std::str::from_utf8(file).ok()) else {
            return;
        };
        let builtin = Vocabulary::builtin();
        let count = |words: &Vocabulary| -> usize {
            words.programs().iter().map(|(_, count)| *count).sum()
        };
        let Ok(words) = builtin.with_file(Path::new("a.toml"), text) else {
            return;
        };
        assert!(count(&words) >= count(&builtin));
        if let Some(guest) = followed(Arc::new(words), FirmwareKind::Bios, 80, sent.chunks(64)) {
            is_one_that_words_tell(&guest);
        }
    },
    longest: 512,
    words: &[
        b"program = \"a\"\n",
        b"[[words]]\n",
        b"state = \"gave-up\"\n",
        b"state = \"needs\"\n",
        b"short-of = \"memory\"\n",
        b"stage = \"loader\"\n",
        b"after = \"kernel\"\n",
        b"seen = \"a 1\"\n",
        b"pattern = '^a'\n",
        b"last = true\n",
        b"counts = true\n",
        b"repeats = true\n",
        b"hold-ms = 0\n",
        b"example = 'a'\n",
        b"not = ['b']\n",
        b"(?s:.*)",
        b"\\b",
        b"{1000}",
        b"\0a",
    ],
};

pub(super) const RESULTS: Target = Target {
    name: "results",
    what: "results and baselines: each is written as JSON that is read back alike",
    read: |input| {
        if let Some(results) = round_trip::<Results>(input) {
            let _ = results.exit_code();
        }
        round_trip::<Baseline>(input);
    },
    longest: 2_048,
    words: &[
        b"\"schema\":\"results/1\"",
        b"\"cells\":[",
        b"\"verdict\":\"pass\"",
        b"\"id\":\"a/-/none/-/reference/seabios/ide\"",
        b"\"observation\":",
        b"\"outcome\":",
        b"\"totals\":",
        b"\"tools\":",
        b"\"kind\":\"booted\"",
        b"null",
        b"1e308",
    ],
};

pub(super) const IDS: Target = Target {
    name: "ids",
    what: "ids of discs and cells; boots, sizes and builds: each is written as a text that is read back alike",
    read: |input| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        same_again::<CellId>(text);
        same_again::<DiscId>(text);
        same_again::<Boot>(text);
        same_again::<Size>(text);
        same_again::<FirmwareName>(text);
        if let Some((filter, id)) = text.split_once('\n') {
            let matches = Filter::new(filter).matches(id);
            assert!(matches || filter != "*");
        }
    },
    longest: 256,
    words: &[
        b"a/-/none/-/reference/seabios/ide",
        b"bios+efi",
        b"hard-disk",
        b"floppy-1440k",
        b",count=",
        b",hybrid=gpt",
        b",defect=catalog-checksum",
        b",place=end-1",
        b",segment=0x7c0",
        b",entries=",
        b"quarter+1",
        b"MiB",
        b"full-1",
        b"ovmf@2022.11",
        b"*/",
        b"?",
    ],
};

fn same_again<T: FromStr + Display + PartialEq + std::fmt::Debug>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        let written = read.to_string();
        assert_eq!(written.parse().ok().as_ref(), Some(&read), "{written:?}");
    }
}

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    input: &[u8],
) -> Option<T> {
    let read: T = serde_json::from_slice(input).ok()?;
    let written = serde_json::to_vec(&read);
    let again = written.and_then(|bytes| serde_json::from_slice::<T>(&bytes));
    match again {
        Ok(again) => assert_eq!(again, read),
        Err(error) => panic!("{read:?}: {error}"),
    }
    Some(read)
}

const SCENARIO_WORDS: &[&[u8]] = &[
    b"[[scenario]]\n",
    b"name = \"a\"\n",
    b"why = \"\"\n",
    b"media = [\"cd-74\"]\n",
    b"boot = [\"none\"]\n",
    b"size = [\"full\"]\n",
    b"firmware = [\"seabios\"]\n",
    b"attach = [\"ide\"]\n",
    b"set = \"nightly\"\n",
    b"[[scenario.expect]]\n",
    b"[[scenario.exclude]]\n",
    b"[[scenario.cold]]\n",
    b"outcome = \"booted\"\n",
    b"or = \"hung\"\n",
    b"stage = ",
    b"since = \"1.0\"\n",
    b"slot = 1\n",
    b"facts = {}\n",
    b"damage = []\n",
    b"observe = true\n",
    b"master = [\"reference\"]\n",
    b"ovmf",
    b"*",
];

const MASTER_WORDS: &[&[u8]] = &[
    b"name = \"a\"\n",
    b"summary = \"\"\n",
    b"package = \"a\"\n",
    b"programs = []\n",
    b"version = \"\"\n",
    b"[[command]]\n",
    b"modes = [\"none\"]\n",
    b"command = \"a {iso}\"\n",
    b"{boot_image}",
    b"{boot_file}",
    b"{efi_image}",
    b"{tree}",
    b"{here}",
    b"{if ",
    b"hybrid = \"mbr\"\n",
    b"[[limit]]\n",
    b"boot = ",
    b"size = ",
    b"[env]\n",
    b"timeout_s = ",
    b"'",
    b"\\\"",
];
