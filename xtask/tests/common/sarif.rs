//! The schema of SARIF 2.1.0, as OASIS has it.

use std::fs;

use serde_json::Value;

/// The schema.
pub(crate) fn schema() -> Value {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../schemas/sarif-2.1.0.schema.json"
    );
    let schema = fs::read_to_string(file).expect("the schema");
    // Its pattern for a language has a bracket too many, and is no regular expression for that.
    let schema = schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
    serde_json::from_str(&schema).expect("JSON")
}
