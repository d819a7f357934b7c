//! The embedded descriptions are Google's, less the words.

use std::path::Path;

use serde_json::{Map, Value};

/// A schema without its words, by a way of its own.
fn trimmed(schema: &Value, prefix: &str) -> Value {
    let mut out = Map::new();
    for (name, value) in schema.as_object().unwrap() {
        match (name.as_str(), value) {
            ("type" | "format" | "enum" | "readOnly", _) => {
                out.insert(name.clone(), value.clone());
            }
            ("$ref", Value::String(full)) => {
                let short = full.strip_prefix(prefix).unwrap_or(full);
                out.insert(name.clone(), short.into());
            }
            ("items" | "additionalProperties", _) => {
                out.insert(name.clone(), trimmed(value, prefix));
            }
            ("properties", Value::Object(fields)) => {
                let fields = fields
                    .iter()
                    .map(|(name, field)| (name.clone(), trimmed(field, prefix)));
                out.insert(name.clone(), Value::Object(fields.collect()));
            }
            _ => {}
        }
    }
    Value::Object(out)
}

#[test]
#[expect(clippy::print_stderr, reason = "what is skipped is said aloud")]
fn the_descriptions_are_those_that_google_publishes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = root.join("../../../shared/data/google-api");
    if !shared.exists() {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI needs ../shared/data/google-api"
        );
        eprintln!("SKIPPED: there is no ../shared/data/google-api");
        return;
    }
    for api in ["aiplatform.v1", "storage.v1"] {
        let read = |path: std::path::PathBuf| -> Value {
            serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
        };
        let ours = read(root.join(format!("schemas/{api}.json")));
        let whole = read(shared.join(format!("{api}.json")));
        let prefix = ours["prefix"].as_str().unwrap();
        assert_eq!(ours["revision"], whole["revision"]);
        for (name, schema) in ours["schemas"].as_object().unwrap() {
            let full = format!("{prefix}{name}");
            let theirs = whole["schemas"]
                .get(&full)
                .unwrap_or(&whole["schemas"][name]);
            assert_eq!(*schema, trimmed(theirs, prefix), "{api} {name}");
        }
    }
}
