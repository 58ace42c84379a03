//! The recipes: how tools are called so that a finding never arises.

use std::path::Path;

use images::finding::{Example, Recipe, examples};
use scenarios::matrix::Matrix;

/// A recipe: its tool, what in the call matters, and commands of its own.
pub(super) fn line(recipe: &Recipe) -> String {
    let mut notes = Vec::new();
    if !recipe.matters.is_empty() {
        notes.push(match recipe.matters.strip_prefix("no ") {
            Some(left_out) => format!("no `{left_out}`"),
            None => format!("`{}`", recipe.matters.replace(' ', "`, `")),
        });
    }
    if !recipe.when.as_str().is_empty() {
        notes.push(recipe.when.as_str().to_owned());
    }
    if !recipe.tried {
        notes.push("not tried here".to_owned());
    }
    let mut line = format!("- {}", recipe.tool);
    if !notes.is_empty() {
        line += &format!(": {}", notes.join("; "));
    }
    line.push('\n');
    if let Some(commands) = recipe.own_commands() {
        let commands = commands.replace('\n', "\n  ");
        line += &format!("\n  ```text\n  {commands}\n  ```\n\n");
    }
    line
}

/// The calls of each tool for discs of the usual kinds.
pub(super) fn calls(_: &Path, _: &Matrix) -> Result<String, String> {
    let example = |example: &Example| {
        let calls: String = example
            .calls
            .iter()
            .map(|call| {
                let commands = call.commands.join("\n  ");
                format!(
                    "- {}:\n\n  ```text\n  {commands}\n  ```\n\n",
                    call.heading()
                )
            })
            .collect();
        format!("For {}:\n\n{calls}", example.disc)
    };
    Ok(examples().iter().map(example).collect())
}
