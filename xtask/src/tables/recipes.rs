//! The recipes: how tools are called so that a finding never arises.

use std::path::Path;

use images::finding::{Example, Recipe, examples};
use scenarios::matrix::Matrix;

/// The recipes of a finding: the tools, what in their calls matters, and commands of their own; tools of which the same is said share a line.
pub(super) fn list(recipes: &[Recipe]) -> String {
    let mut lines: Vec<(Vec<&str>, String)> = Vec::new();
    for recipe in recipes {
        let text = what(recipe);
        let tool = recipe.tool.as_str();
        match lines.iter_mut().find(|(_, other)| *other == text) {
            Some((tools, _)) if !tools.contains(&tool) => tools.push(tool),
            Some(_) => {}
            None => lines.push((vec![tool], text)),
        }
    }
    let line = |(tools, text): &(Vec<&str>, String)| format!("- {}: {text}\n", tools.join(", "));
    lines.iter().map(line).collect()
}

/// What is said of a recipe.
fn what(recipe: &Recipe) -> String {
    let matters = match recipe.matters.strip_prefix("no ") {
        _ if recipe.matters.is_empty() => String::new(),
        Some(left_out) => match left_out.split_once(' ') {
            Some((option, place)) => format!(", without `{option}` {place}"),
            None => format!(", without `{left_out}`"),
        },
        None => format!(", with `{}`", recipe.matters.replace(' ', "`, `")),
    };
    let mut text = match recipe.own_commands() {
        Some(_) => "these commands".to_owned(),
        None => format!("[the full command](#recipes){matters}"),
    };
    if !recipe.when.as_str().is_empty() {
        text += &format!(", {}", recipe.when.as_str());
    }
    if !recipe.tried {
        text += " (not tried here)";
    }
    if let Some(commands) = recipe.own_commands() {
        let commands = commands.replace('\n', "\n  ");
        text += &format!("\n\n  ```\n  {commands}\n  ```\n");
    }
    text
}

/// The calls of each tool for discs of the usual kinds.
pub(super) fn calls(_: &Path, _: &Matrix) -> Result<String, String> {
    let example = |example: &Example| {
        let calls: String = example
            .calls
            .iter()
            .map(|call| {
                let commands = call.commands.join("\n  ");
                format!("- {}:\n\n  ```\n  {commands}\n  ```\n\n", call.heading())
            })
            .collect();
        format!("For {}:\n\n{calls}", example.disc)
    };
    Ok(examples().iter().map(example).collect())
}
