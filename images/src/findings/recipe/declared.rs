//! Recipes, as rooms declare them.

use serde::{Deserialize, Serialize};

use crate::tool::Tool;

/// How a tool is called so that a finding never arises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The tool.
    pub tool: Tool,
    /// What must be on the disc.
    pub when: When,
    /// Commands of a shell, one a line, as a person types them. What stands in braces is filled in from the disc; `{call}` is the tool's whole call for it.
    pub(super) commands: &'static str,
    /// The options in them on which the finding depends; empty where it depends on none.
    pub matters: &'static str,
    /// Whether a test has run it.
    pub tried: bool,
}

/// What must be on a disc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Nothing in particular.
    Any,
    /// isolinux, with a configuration.
    Isolinux,
    /// isolinux or GRUB for a BIOS, of which there is boot code for a stick.
    BootCode,
    /// GRUB's configuration at `/boot/grub/grub.cfg`, with GRUB's modules or without any loader.
    Grub,
    /// No loader for UEFI.
    BiosAlone,
    /// A configuration that wants another label than the disc has.
    Label,
    /// One that wants another UUID.
    Uuid,
}

/// A recipe for one disc.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilledRecipe {
    /// The tool.
    pub tool: Tool,
    /// What to type. `tree` is the folder that the disc is mastered from, `disc.iso` the disc, `new.iso` the disc that comes out.
    pub commands: Vec<String>,
    /// The options in them on which the finding depends; empty where it depends on none.
    pub matters: String,
    /// Whether a test has run it.
    pub tried: bool,
}

impl FilledRecipe {
    /// Its tool, and in brackets the options that matter and that it was not tried.
    #[must_use]
    pub fn heading(&self) -> String {
        heading(self.tool, &self.matters, self.tried)
    }
}

fn heading(tool: Tool, matters: &str, tried: bool) -> String {
    let not_tried = if tried { "" } else { "not tried here" };
    let notes: Vec<&str> = [matters, not_tried]
        .into_iter()
        .filter(|note| !note.is_empty())
        .collect();
    if notes.is_empty() {
        tool.to_string()
    } else {
        format!("{tool} ({})", notes.join("; "))
    }
}

/// The whole call for a disc.
pub(super) const CALL: &str = "{call}";

/// What begins the options that must be left out.
pub(super) const LEFT_OUT: &str = "no ";

/// The same for a disc that is to be a stick too.
pub(super) const STICK: &str = "{stick}";

/// xorriso's whole call for the disc; the options in it on which the finding depends.
pub(in crate::findings) const fn xorriso(matters: &'static str) -> Recipe {
    commands(Tool::Xorriso, CALL, matters)
}

/// The same of genisoimage.
pub(in crate::findings) const fn genisoimage(matters: &'static str) -> Recipe {
    commands(Tool::Genisoimage, CALL, matters)
}

/// The same of grub-mkrescue.
pub(in crate::findings) const fn grub_mkrescue() -> Recipe {
    commands(Tool::GrubMkrescue, CALL, "").when(When::Grub)
}

/// The same of bsdtar, which writes one entry, for a BIOS.
pub(in crate::findings) const fn bsdtar(matters: &'static str) -> Recipe {
    commands(Tool::Bsdtar, CALL, matters).when(When::BiosAlone)
}

/// The same of pycdlib: lines of Python, in which `iso` is the disc with its files.
pub(in crate::findings) const fn pycdlib(matters: &'static str) -> Recipe {
    commands(Tool::Pycdlib, CALL, matters)
}

/// The same of oscdimg, which runs on Windows alone.
pub(in crate::findings) const fn oscdimg(matters: &'static str) -> Recipe {
    Recipe {
        tried: false,
        ..commands(Tool::Oscdimg, CALL, matters)
    }
}

/// The whole call for a disc that is to be a stick too.
pub(in crate::findings) const fn stick(tool: Tool, matters: &'static str) -> Recipe {
    commands(tool, STICK, matters).when(When::BootCode)
}

/// Commands of its own.
pub(in crate::findings) const fn commands(
    tool: Tool,
    commands: &'static str,
    matters: &'static str,
) -> Recipe {
    Recipe {
        tool,
        when: When::Any,
        commands,
        matters,
        tried: true,
    }
}

/// Of what no tool writes that is called right.
pub(in crate::findings) const ANY_TOOL: &[Recipe] = &[
    xorriso(""),
    genisoimage(""),
    bsdtar(""),
    pycdlib(""),
    oscdimg(""),
];

impl When {
    /// The same for people; empty where it is nothing.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Isolinux => "if the disc has isolinux with a configuration",
            Self::BootCode => "if the disc has isolinux or GRUB for a BIOS",
            Self::Grub => {
                "if the disc has /boot/grub/grub.cfg, and GRUB's modules or no loader at all"
            }
            Self::BiosAlone => "if the disc is for a BIOS only",
            Self::Label => "if the configuration names a label",
            Self::Uuid => "if the configuration names a UUID",
        }
    }
}

impl Recipe {
    /// Its tool, and in brackets the options that matter and that it was not tried.
    #[must_use]
    pub fn heading(&self) -> String {
        heading(self.tool, self.matters, self.tried)
    }

    /// Commands of its own, in which `{call}` and `{stick}` stand for the tool's whole call; `None` where that is all.
    #[must_use]
    pub fn own_commands(&self) -> Option<&'static str> {
        Some(self.commands).filter(|commands| ![CALL, STICK].contains(commands))
    }

    /// The same where this is on the disc.
    pub(in crate::findings) const fn when(self, when: When) -> Self {
        Self { when, ..self }
    }
}
