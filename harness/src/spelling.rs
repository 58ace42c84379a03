//! What to say to a word that is unknown.

use crate::{attachment, firmware::synonyms};

/// How much less like an unknown word than the nearest one another may be, to be named as well.
const AS_NEAR: f64 = 0.15;

/// The words nearest to one that is unknown, nearest first; none when none is near.
#[must_use]
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let likeness = |word: &str| {
        let means = |synonyms: &[(&str, &str)]| synonyms.contains(&(unknown, word));
        if means(&attachment::SYNONYMS) || means(&synonyms::SYNONYMS) {
            return 1.0;
        }
        let alike = strsim::normalized_damerau_levenshtein(unknown, word);
        // A letter or two are in anything.
        let within = |part: &str, whole: &str| part.len() > 2 && whole.contains(part);
        if within(unknown, word) || within(word, unknown) {
            alike.max(0.75)
        } else {
            alike
        }
    };
    let mut near: Vec<_> = known
        .into_iter()
        .map(|word| (likeness(word), word))
        .filter(|&(likeness, _)| likeness >= 0.5)
        .collect();
    // Of words that are as near, the plainer one comes first.
    let plainness = |word: &str| (word.len(), word.to_owned());
    near.sort_by(|a, b| {
        b.0.total_cmp(&a.0)
            .then(plainness(a.1).cmp(&plainness(b.1)))
    });
    near.dedup_by_key(|&mut (_, word)| word);
    let nearest = near.first().map_or(0.0, |&(likeness, _)| likeness);
    near.retain(|&(likeness, _)| nearest - likeness <= AS_NEAR);
    near.into_iter().take(3).map(|(_, word)| word).collect()
}

/// So many words are still read when all of them are named.
const FEW: usize = 40;

/// `no <noun> is called "<unknown>"`, and the nearest of the known words, or all of them when they are few.
#[must_use]
pub fn unknown_word<'a>(
    noun: &str,
    unknown: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> String {
    let known: Vec<_> = known.into_iter().collect();
    let near = nearest(unknown, known.iter().copied());
    if !near.is_empty() {
        format!(
            "no {noun} is called {unknown:?}; did you mean {}?",
            near.join(" or ")
        )
    } else if known.len() <= FEW {
        format!(
            "no {noun} is called {unknown:?}: use one of {}",
            known.join(", ")
        )
    } else {
        format!("no {noun} is called {unknown:?}")
    }
}
