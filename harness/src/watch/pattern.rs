//! The text that a user waits for.

use super::Watch;
use crate::{case::Success, dialogue::Dialogue, outcome::Outcome, rules, screen};

/// A text to wait for is looked for in the new output and this much before it.
const PATTERN_OVERLAP: usize = 4096;

impl Watch<'_> {
    /// Adds which text did not come, and what came instead.
    pub(super) fn with_pattern(&self, mut outcome: Outcome) -> Outcome {
        if let Success::Text(pattern) = &self.case.success
            && self.facts.entered
            && self.facts.pattern.is_none()
        {
            let instead = self.what_came(&self.screen);
            outcome.detail = format!(
                "{}; the expected text {:?} did not come; {instead}",
                outcome.detail,
                pattern.as_str()
            );
        }
        outcome
    }

    /// Looks for it in what is new.
    pub(super) fn find_pattern(&mut self) {
        let Success::Text(pattern) = &self.case.success else {
            return;
        };
        if !self.may_have_begun() {
            return;
        }
        let typed = self.case.dialogue.as_ref().map(Dialogue::typed);
        let typed = typed.unwrap_or_default();
        let says = |text: &str, is_full: &dyn Fn(usize) -> bool| {
            let text = rules::without_echoes(text, &typed, is_full);
            pattern.is_match(text.as_bytes())
        };
        // The serial line has no edge, but for that of the screen whose mirror it is.
        let (_, columns) = screen::terminal_size(self.case.platform.firmware.id.kind());
        let mirrored = |length| length == usize::from(columns.get());
        let output = self.output();
        let new = crate::text::from_line_before(output, self.searched, PATTERN_OVERLAP);
        let place = if says(new, &mirrored) {
            Some("serial line")
        } else if says(&self.screen, &rules::is_full_row) {
            Some("screen")
        } else {
            None
        };
        self.searched = output.len();
        self.facts.pattern = self.facts.pattern.or(place);
    }
}
