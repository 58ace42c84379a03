//! What a table and a firmware are in Markdown.

/// A table of Markdown.
pub(crate) fn markdown_table(head: &[String], rows: &[Vec<String>]) -> String {
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    let rows: String = rows.iter().map(|cells| row(cells)).collect();
    format!("{}{rule}{rows}", row(head))
}

/// A firmware as it writes itself.
pub(super) fn firmware_name(family: &str) -> &str {
    match family {
        "seabios" => "SeaBIOS",
        "ovmf" => "OVMF",
        other => other,
    }
}
