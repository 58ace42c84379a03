//! Recipes: how a tool is called so that a finding never arises.
//!
//! A right disc is mastered by one call for all that is on it: its loaders decide the options, not what was wrong. So most recipes name a tool and the options
//! that the finding depends on, and the call is put together from what the disc tells ([`Ingredients`]). A test runs every recipe that is called tried, on the tree
//! of a disc that has the finding (`tests/tests/recipes/`).

mod calls;
pub(super) mod declared;
mod ingredients;
mod parts;

pub use self::declared::{FilledRecipe, Recipe, When};
use self::{
    declared::{
        CALL, LEFT_OUT, STICK, bsdtar, genisoimage, grub_mkrescue, oscdimg, pycdlib, xorriso,
    },
    ingredients::Ingredients,
};
use crate::{
    finding::{Finding, Severity},
    inspect::Reading,
    tool::Tool,
};

impl When {
    fn holds(self, disc: &Ingredients) -> bool {
        match self {
            Self::Any => true,
            Self::Isolinux => disc.is_isolinux() && disc.has_isolinux_configuration,
            Self::BootCode => disc.is_isolinux() || disc.is_grub(),
            Self::Grub => disc.is_for_mkrescue && !disc.is_isolinux(),
            Self::BiosAlone => disc.efi.is_none(),
            Self::Label => disc.wants_label,
            Self::Uuid => disc.wanted_uuid.is_some(),
        }
    }
}

impl Recipe {
    /// The recipe for a disc; `None` where it does not fit it.
    fn fill(&self, disc: &Ingredients, finding: &Finding) -> Option<FilledRecipe> {
        if !self.when.holds(disc) {
            return None;
        }
        let mut commands = Vec::new();
        for line in self.commands.lines() {
            match line {
                CALL => commands.extend(calls::call(self.tool, disc, disc.is_stick)?),
                STICK => commands.extend(calls::call(self.tool, disc, true)?),
                line => commands.push(calls::filled(line, disc, finding)?),
            }
        }
        Some(FilledRecipe {
            tool: self.tool,
            matters: self.matters_in(&commands),
            commands,
            tried: self.tried,
        })
    }

    /// The options that matter and that this disc needs. What must be left out matters on every disc.
    fn matters_in(&self, commands: &[String]) -> String {
        let is_there = |option: &&str| {
            commands
                .iter()
                .any(|command| match option.starts_with('-') {
                    true => command.split(' ').any(|word| word == *option),
                    false => command.contains(option),
                })
        };
        match self.matters.starts_with(LEFT_OUT) {
            true => self.matters.to_owned(),
            false => {
                let options: Vec<&str> = self.matters.split(' ').filter(is_there).collect();
                options.join(" ")
            }
        }
    }
}

/// Gives each finding the recipes that fit the disc, those of the tools that made it first.
pub(crate) fn choose(reading: &mut Reading<'_, '_>) {
    // What is no more than worth knowing may still be unwelcome; but what does no harm on this disc is left alone.
    let has_recipe = |finding: &Finding| {
        let is_unwelcome = finding.is_to_fix() || finding.id.severity() == Severity::Info;
        is_unwelcome && !finding.id.recipes().is_empty()
    };
    if !reading.found.iter().any(has_recipe) {
        return;
    }
    let volume = reading.inspection.volume.as_ref();
    let mastered_by = volume.map_or(&[][..], |volume| &volume.mastered_by);
    let disc = Ingredients::of(reading);
    for finding in reading.found.iter_mut().filter(|it| has_recipe(it)) {
        let recipes = finding.id.recipes().iter();
        let mut recipes: Vec<_> = recipes
            .filter_map(|recipe| recipe.fill(&disc, finding))
            .collect();
        let rank = |tool: Tool| {
            let tool = match tool {
                Tool::Genisoimage if mastered_by.contains(&Tool::Mkisofs) => Tool::Mkisofs,
                tool => tool,
            };
            let place = mastered_by.iter().position(|it| *it == tool);
            place.unwrap_or(mastered_by.len())
        };
        recipes.sort_by_key(|recipe| rank(recipe.tool));
        finding.recipes = recipes;
    }
}

/// A disc of a usual kind, and how tools are called for it.
#[derive(Clone, Debug)]
pub struct Example {
    /// What is on the disc.
    pub disc: &'static str,
    /// The calls.
    pub calls: Vec<FilledRecipe>,
}

/// The calls for discs of the usual kinds, for documentation.
#[must_use]
pub fn examples() -> Vec<Example> {
    let recipes = [
        xorriso(""),
        grub_mkrescue(),
        genisoimage(""),
        bsdtar(""),
        pycdlib(""),
        oscdimg(""),
    ];
    let discs = Ingredients::examples().into_iter();
    let example = |(name, disc): (&'static str, Ingredients)| Example {
        disc: name,
        calls: recipes
            .iter()
            .filter(|recipe| recipe.when.holds(&disc))
            .filter_map(|recipe| {
                Some(FilledRecipe {
                    tool: recipe.tool,
                    commands: calls::call(recipe.tool, &disc, disc.is_stick)?,
                    matters: String::new(),
                    tried: recipe.tried,
                })
            })
            .collect(),
    };
    discs.map(example).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bytes::padded,
        finding::FindingId,
        inspect::{Options, Window, inspect},
        reference::master,
        sparse::SparseBytes,
    };

    /// A disc for a BIOS and UEFI, with a checksum that is wrong, and with these words in its primary volume descriptor.
    fn disc(label: &str, preparer: &str, application: &str) -> SparseBytes {
        let words = "bios+efi,defect=catalog-checksum".parse().unwrap();
        let mut disc = master("recipes/-/-/-/reference", None, &words, None).unwrap();
        let at = |position: u64| 16 * 2048 + position - 1;
        disc.bytes.write_at(at(41), &padded::<32>(label, b' '));
        disc.bytes.write_at(at(447), &padded::<128>(preparer, b' '));
        disc.bytes
            .write_at(at(575), &padded::<128>(application, b' '));
        disc.bytes
    }

    fn recipes(disc: &SparseBytes) -> Vec<FilledRecipe> {
        let inspection = inspect(&mut Window::new(disc), &Options::default()).unwrap();
        let mut findings = inspection.findings.into_iter();
        let found = findings.find(|it| it.id == FindingId::CatalogChecksum);
        found.unwrap().recipes
    }

    fn tools(disc: &SparseBytes) -> Vec<Tool> {
        recipes(disc).iter().map(|recipe| recipe.tool).collect()
    }

    #[test]
    fn the_tool_that_made_the_disc_comes_first() {
        let others = [
            Tool::Xorriso,
            Tool::Genisoimage,
            Tool::Pycdlib,
            Tool::Oscdimg,
        ];
        assert_eq!(tools(&disc("A", "", "")), others);
        let by = |preparer, application| tools(&disc("A", preparer, application))[0];
        assert_eq!(by("", "GENISOIMAGE ISO 9660/HFS"), Tool::Genisoimage);
        assert_eq!(by("", "MKISOFS ISO9660"), Tool::Genisoimage);
        assert_eq!(
            by("", "PyCdlib (C) 2015-2020 Chris Lalancette"),
            Tool::Pycdlib
        );
        assert_eq!(by("", "CDIMAGE 2.56 (01/01/2005 TM)"), Tool::Oscdimg);
        // As people do who make such a disc again.
        assert_eq!(by("XORRISO-1.5.4", "CDIMAGE 2.56"), Tool::Xorriso);
    }

    #[test]
    fn names_on_a_disc_are_words_of_the_command_and_no_more() {
        for label in [
            "it's; rm -rf ~",
            "$(reboot)",
            "a b",
            "=ls",
            "-x",
            "`id`",
            "a\\",
        ] {
            for recipe in recipes(&disc(label, "", "")) {
                let command = recipe.commands.last().unwrap();
                if matches!(recipe.tool, Tool::Xorriso | Tool::Genisoimage) {
                    let words = shell_words::split(command).unwrap();
                    let at = words.iter().position(|word| word == "-V").unwrap();
                    assert_eq!(words[at + 1], label, "{command}");
                }
            }
        }
        // What is no ASCII is not known, and left out.
        let command = recipes(&disc("caf\u{e9}", "", ""))
            .remove(0)
            .commands
            .remove(0);
        assert!(!command.contains("-V"), "{command}");
    }

    #[test]
    fn what_matters_is_in_the_call_or_left_out_of_it() {
        for example in examples() {
            assert!(!example.calls.is_empty(), "{}", example.disc);
            for call in &example.calls {
                assert!(!call.commands.is_empty() && !call.commands.concat().contains('{'));
            }
        }
        let finding = Finding::new(
            FindingId::CountZero,
            crate::finding::Place { offset: 0 },
            String::new(),
        );
        let (_, isolinux) = Ingredients::examples().remove(0);
        let matters = |recipe: Recipe| recipe.fill(&isolinux, &finding).unwrap().matters;
        assert_eq!(matters(xorriso("-e -boot-load-size")), "-boot-load-size");
        assert_eq!(matters(xorriso("no -no-boot")), "no -no-boot");
        let heading = |recipe: Recipe| recipe.heading();
        assert_eq!(heading(xorriso("")), "xorriso");
        assert_eq!(heading(oscdimg("#pEF")), "oscdimg (#pEF; not tried here)");
    }

    #[test]
    fn a_recipe_fits_the_disc_or_is_left_out() {
        let fits = |name: &str| {
            let mut examples = examples().into_iter();
            let found = examples.find(|example| example.disc.starts_with(name));
            let calls = found.unwrap().calls.into_iter();
            calls.map(|call| call.tool).collect::<Vec<_>>()
        };
        // bsdtar writes no entry for UEFI, oscdimg no table, and grub-mkrescue knows GRUB alone.
        let alone = [
            Tool::Xorriso,
            Tool::Genisoimage,
            Tool::Bsdtar,
            Tool::Pycdlib,
        ];
        assert_eq!(fits("isolinux"), alone);
        assert_eq!(fits("GRUB"), [Tool::Xorriso, Tool::GrubMkrescue]);
        let windows = [
            Tool::Xorriso,
            Tool::Genisoimage,
            Tool::Pycdlib,
            Tool::Oscdimg,
        ];
        assert_eq!(fits("Windows"), windows);
    }
}
