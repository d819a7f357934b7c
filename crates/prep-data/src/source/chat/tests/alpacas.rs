//! Alpaca and pairs, one case a line.

use super::*;

fn alpaca(input: &str, expected: &str) {
    super::check(Format::Alpaca, input, expected);
}

fn pair(input: &str, expected: &str) {
    super::check(Format::PromptCompletion, input, expected);
}

#[test]
fn instructions_and_inputs_are_one_turn() {
    alpaca(
        r#"{"instruction":"A","input":"B\n","output":"C"}"#,
        &line(&["A\n\nB\n", "C"]),
    );
    alpaca(
        r#"{"instruction":"A","input":"","output":"C"}"#,
        &line(&["A", "C"]),
    );
    alpaca(
        r#"{"instruction":"","input":"B","output":"C"}"#,
        &line(&["B", "C"]),
    );
    alpaca(
        r#"{"instruction":"A","context":"B","response":"C"}"#,
        &line(&["A\n\nB", "C"]),
    );
    alpaca(
        r#"{"instruction":"A","input":null,"output":"C","history":[["x","y"]]}"#,
        &line(&["x", "y", "A", "C"]),
    );
    alpaca(
        r#"{"instruction":"A","output":"C","system":"S",➤"id":7}"#,
        r#"note S027➤ {"systemInstruction":{"parts":[{"text":"S"}]},"contents":[{"role":"user","parts":[{"text":"A"}]},{"role":"model","parts":[{"text":"C"}]}]}"#,
    );
    alpaca(r#"{"instruction":➤" ","output":"C"}"#, "S009➤");
    alpaca(r#"{"instruction":"A","output":➤""}"#, "S009➤");
    alpaca(r#"{"instruction":"A","output":➤["C"]}"#, "S019➤");
    alpaca(r#"➤{"instruction":"A"}"#, "S019➤");
    alpaca(
        r#"{"instruction":"A","output":"C","history":[➤["x"]]}"#,
        "S019➤",
    );
}

#[test]
fn a_seed_task_has_one_instance() {
    alpaca(
        r#"{"instruction":"A","instances":[{"input":"B","output":"C"}]}"#,
        &line(&["A\n\nB", "C"]),
    );
    alpaca(
        r#"{"instruction":"A","instances":➤[{"output":"C"},{"output":"D"}]}"#,
        "S019➤",
    );
    alpaca(r#"{"instruction":"A","instances":➤[]}"#, "S019➤");
    alpaca(
        r#"➤{"instruction":"A","instances":[{"input":"B"}]}"#,
        "S009➤",
    );
}

#[test]
fn pairs_have_many_names() {
    for (prompt, answer) in [
        ("prompt", "completion"),
        ("prompt", "response"),
        ("input_text", "output_text"),
        ("text_input", "output"),
        ("question", "answer"),
        ("source", "target"),
        ("input", "output"),
        ("query", "reply"),
        ("原文", "译文"),
    ] {
        let input = format!(r#"{{"{answer}":"b ","{prompt}":" a\n"}}"#);
        pair(&input, &line(&[" a\n", "b "]));
        assert_eq!(detect(&input), Some(Format::PromptCompletion), "{input}");
    }
    pair(
        r#"{➤"source":"wiki","question":"a","answer":"b"}"#,
        &format!("note S027➤ {}", line(&["a", "b"])),
    );
    pair(
        r#"{"prompt":[{"role":"user","content":"a"}],"completion":[{"role":"assistant","content":"b"}]}"#,
        &line(&["a", "b"]),
    );
    pair(r#"➤{"text":"a"}"#, "S019➤");
    pair(r#"{"prompt":"a","completion":➤null}"#, "S009➤");
    pair(r#"➤{"query":"a","user":"b","answer":"c"}"#, "S019➤");
}
