//! Where the host's apt takes packages from: `sources.list(5)`.

use std::{fmt::Write, fs, path::Path};

/// One source of packages, as the host has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Source {
    uris: String,
    suites: Vec<String>,
    components: String,
    /// A path of keys, fingerprints, or a key itself in several lines.
    signed_by: Option<String>,
}

/// The sources of the file and of the folder.
pub(super) fn read(file: &Path, parts: &Path) -> Vec<Source> {
    let mut files = vec![file.to_owned()];
    let entries = fs::read_dir(parts).into_iter().flatten().flatten();
    let mut others: Vec<_> = entries.map(|entry| entry.path()).collect();
    others.sort();
    files.extend(others);
    let sources = files.iter().flat_map(|path| {
        let text = fs::read_to_string(path).unwrap_or_default();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("list") => one_line(&text),
            Some("sources") => deb822(&text),
            // apt reads no others.
            _ => Vec::new(),
        }
    });
    sources.collect()
}

/// Those of the sources that have a release of the distribution, one of `suites`, with other suites (`asked`), as a file of sources; empty
/// when there is none, or nothing is asked. Updates and security fixes are apart in most of them, and not every release has such.
pub(super) fn with_suites(sources: &[Source], suites: &[&str], asked: &[&str]) -> String {
    let aliases = ["oldstable", "stable", "testing", "unstable"];
    let is_release = |suite: &String| {
        suites.contains(&suite.as_str())
            || (!suites.is_empty() && aliases.contains(&suite.as_str()))
    };
    let mut text = String::new();
    let mut taken: Vec<&str> = Vec::new();
    for source in sources {
        if asked.is_empty()
            || !source.suites.iter().any(is_release)
            || taken.contains(&source.uris.as_str())
        {
            continue;
        }
        taken.push(&source.uris);
        // Writing to a String cannot fail. Of the indices only that of the packages: apt may be set up for others.
        let _ = write!(
            text,
            "Types: deb\nTargets: Packages\nURIs: {}\nSuites: {}\nComponents: {}\n",
            source.uris,
            asked.join(" "),
            source.components
        );
        if let Some(keys) = &source.signed_by {
            let _ = writeln!(text, "Signed-By: {keys}");
        }
        text.push('\n');
    }
    text
}

/// `deb [signed-by=PATH arch=…] URI SUITE COMPONENT…`
fn one_line(text: &str) -> Vec<Source> {
    let source = |line: &str| {
        let line = line.split('#').next().unwrap_or_default();
        let rest = line
            .trim()
            .strip_prefix("deb")?
            .strip_prefix([' ', '\t'])?
            .trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let keys = options
            .split_whitespace()
            .find_map(|option| option.strip_prefix("signed-by="));
        let mut words = rest.split_whitespace();
        Some(Source {
            uris: words.next()?.to_owned(),
            suites: vec![words.next()?.to_owned()],
            components: words.collect::<Vec<_>>().join(" "),
            signed_by: keys.map(ToOwned::to_owned),
        })
    };
    text.lines().filter_map(source).collect()
}

/// Paragraphs of `Field: value`, a value going on in lines that begin with a space.
fn deb822(text: &str) -> Vec<Source> {
    let without_comments: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let paragraphs = without_comments.split(|line| line.trim().is_empty());
    paragraphs.filter_map(paragraph).collect()
}

fn paragraph(lines: &[&str]) -> Option<Source> {
    let field = |name: &str| {
        let mut lines = lines.iter().skip_while(|line| {
            let is_field = line
                .split_once(':')
                .is_some_and(|(found, _)| found.eq_ignore_ascii_case(name));
            !is_field
        });
        let mut value = lines.next()?.split_once(':')?.1.trim().to_owned();
        for more in lines.take_while(|line| line.starts_with([' ', '\t'])) {
            value.push('\n');
            value.push_str(more);
        }
        Some(value)
    };
    let types = field("Types")?;
    let is_on = field("Enabled").is_none_or(|enabled| !matches!(&*enabled, "no" | "false" | "0"));
    let has_packages = types.split_whitespace().any(|word| word == "deb");
    (is_on && has_packages).then(|| {
        Some(Source {
            uris: field("URIs")?.trim().to_owned(),
            suites: field("Suites")?
                .split_whitespace()
                .map(ToOwned::to_owned)
                .collect(),
            components: field("Components").unwrap_or_default(),
            signed_by: field("Signed-By"),
        })
    })?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NEW: &str = "\
# A comment.
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/archive.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://other.example/
Suites: nodistro
Components: main
";

    /// All that are known are asked.
    fn both(sources: &[Source], suites: &[&str]) -> String {
        with_suites(sources, suites, suites)
    }

    #[test]
    fn one_suite_may_be_asked_alone() {
        let made = with_suites(&deb822(NEW), &["bookworm", "trixie"], &["trixie"]);
        assert!(made.contains("Suites: trixie\n"), "{made}");
        assert_eq!(with_suites(&deb822(NEW), &["bookworm"], &[]), "");
    }

    #[test]
    fn a_release_of_the_distribution_gets_other_suites_and_keeps_its_keys() {
        let made = both(&deb822(NEW), &["bookworm", "trixie"]);
        assert_eq!(
            made,
            "Types: deb\nTargets: Packages\nURIs: http://mirror.example/debian\nSuites: bookworm trixie\n\
             Components: main\nSigned-By: /usr/share/keyrings/archive.gpg\n\n"
        );
        assert_eq!(both(&deb822(NEW), &["noble"]), "");
        assert_eq!(both(&deb822(NEW), &[]), "");
    }

    #[test]
    fn the_one_line_form_says_the_same() {
        let old = "# deb http://off.example/debian bookworm main\n\
                   deb-src http://mirror.example/debian bookworm main\n\
                   deb [arch=amd64 signed-by=/usr/share/keyrings/archive.gpg] http://mirror.example/debian bookworm main\n\
                   deb http://mirror.example/debian stable main contrib # twice\n";
        let made = both(&one_line(old), &["bookworm", "trixie"]);
        assert_eq!(made, both(&deb822(NEW), &["bookworm", "trixie"]));
    }

    #[test]
    fn a_key_in_the_file_stays_whole() {
        let text = "Types: deb\nURIs: u\nSuites: sid\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\nComponents: main\n";
        let made = both(&deb822(text), &["sid"]);
        assert!(
            made.contains("Signed-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n"),
            "{made}"
        );
        assert!(made.contains("Components: main\n"), "{made}");
    }

    proptest! {
        #[test]
        fn no_file_panics(text in "(deb|Types: deb|URIs: u|Suites: sid|Signed-By:| x|\\[|\\]|#|:|\n| ){0,40}") {
            let _ = both(&deb822(&text), &["sid"]);
            let _ = both(&one_line(&text), &["sid"]);
        }
    }
}
