//! Columns of a table that are conversations.

use super::*;
use crate::source::parquet;

fn fixture() -> Vec<u8> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/parquet/chat.parquet"
    );
    std::fs::read(path).unwrap()
}

#[test]
fn rows_are_read_like_lines() {
    let input = Input::from_bytes("chat.parquet", fixture()).unwrap();
    let opened = parquet::open(input, &Options::default()).unwrap();
    assert_eq!(opened.columns, None);
    assert_eq!(opened.decisions, ["by its column `messages`"]);
    let seen = contract::read_all(opened).unwrap();
    let written: Vec<_> = seen.iter().map(written).collect();
    let expected = [
        r#"{"systemInstruction":{"parts":[{"text":"Translate to Spanish."}]},"contents":[{"role":"user","parts":[{"text":"The sea was calm."}]},{"role":"model","parts":[{"text":"El mar estaba en calma."}]}]}"#,
        r#"{"contents":[{"role":"user","parts":[{"text":"What does «tormenta» mean, and is there one in Cádiz?"}]},{"role":"model","parts":[{"functionCall":{"name":"lookup","args":{"word":"tormenta"}}},{"functionCall":{"name":"weather","args":{"city":"Cádiz"}}}]},{"role":"user","parts":[{"functionResponse":{"name":"lookup","response":{"result":"a storm"}}},{"functionResponse":{"name":"weather","response":{"sky":"clear"}}}]},{"role":"model","parts":[{"text":"It means “storm”; in Cádiz the sky is clear."}]}],"tools":[{"functionDeclarations":[{"name":"weather","description":"The weather of a city.","parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING","description":"A city."}},"required":["city"]}},{"name":"lookup","parameters":{"type":"OBJECT","properties":{"word":{"type":"STRING"}},"required":["word"]}}]}]}"#,
        "S021@3:2",
        "note S027@4:2",
        &line(&["She said:\n\"Wait.\"", "Dijo:\n—Espera."]),
    ];
    assert_eq!(written, expected);
    contract::holds(&fixture(), &parquet::open, &Options::default());
}

#[test]
fn rows_stay_rows_when_columns_are_named() {
    let options = Options {
        json_as_table: true,
        ..Options::default()
    };
    let seen = contract::read(&fixture(), &parquet::open, &options).unwrap();
    let messages =
        r#"[{"role":"user","content":"Hello?","name":null,"tool_calls":null,"tool_call_id":null}]"#;
    assert_eq!(seen[2], Seen::row(3, &["", messages, ""]));
}

/// Names of columns, those of text with a `"` before them.
fn of_columns(columns: &str) -> Option<String> {
    let names: Vec<_> = columns
        .split(' ')
        .map(|name| name.replace('"', ""))
        .collect();
    let is_text = |name: &str| {
        columns
            .split(' ')
            .any(|column| column == format!("\"{name}"))
    };
    let (format, decision) = super::of_columns(&names, is_text)?;
    Some(format!("{format}, {decision}"))
}

#[test]
fn columns_tell_conversations_from_texts() {
    let check = |columns, expected: Option<&str>| {
        assert_eq!(of_columns(columns).as_deref(), expected, "{columns}");
    };
    check(
        "\"prompt messages",
        Some("openai, by its column `messages`"),
    );
    check(
        "\"id conversations",
        Some("sharegpt, by its column `conversations`"),
    );
    check("contents", Some("gemini, by its column `contents`"));
    check(
        "prompt completion",
        Some("prompt-completion, by its columns `prompt` and `completion`"),
    );
    check(
        "\"instruction \"input \"output",
        Some("alpaca, by its columns `instruction` and `output`"),
    );
    check("\"prompt \"completion", None);
    check("\"source \"target", None);
    check("\"request \"response", None);
    check("\"text", None);
}
