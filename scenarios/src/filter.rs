//! Choosing among ids.

/// Whether a pattern matches a whole text: `*` stands for any characters, including none and
/// slashes, `?` for exactly one.
#[must_use]
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where to continue if a later character does not match: after the last star, one character further.
    let mut retry = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(&c) if c == b'?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    p = star;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

/// A filter of ids: a part of the id, with a slash before its first word and after its last, or a pattern with `*` or
/// `?` for the whole id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(String);

impl Filter {
    /// The filter that a user wrote.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether an id matches.
    #[must_use]
    pub fn matches(&self, id: &str) -> bool {
        if self.0.contains(['*', '?']) {
            glob(&self.0, id)
        } else {
            format!("/{id}/").contains(&self.0)
        }
    }

    /// The text of the filter.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_crosses_slashes() {
        let id = "load-counts/-/none,count=1824/-/reference/seabios/ide";
        for (filter, expected) in [
            ("count=18", true),
            // Exact at an end with a slash.
            ("/none", true),
            ("/none/", false),
            ("*/none/*", false),
            ("/none,count=1824/", true),
            ("/none,count=182", true),
            ("/none,count=182/", false),
            ("/load-counts/", true),
            ("/load-count/", false),
            ("/ide/", true),
            ("/id/", false),
            ("seabios/ide", true),
            ("load-counts/*/ide", true),
            ("*,count=182?/*", true),
            ("load-counts/*", true),
            ("*/ahci", false),
            ("counts/*", false),
            ("?oad-counts/*", true),
            ("*", true),
            ("", true),
            ("*a*b*c*d", false),
        ] {
            assert_eq!(Filter::new(filter).matches(id), expected, "{filter}");
        }
        assert!(glob("", "") && glob("***", "") && !glob("?", ""));
    }
}
