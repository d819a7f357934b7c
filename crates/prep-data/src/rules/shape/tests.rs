//! Repairs of the rules of shape, and what becomes of them when one fault
//! hides another.

use crate::rules::tests::{repaired, twice};
use crate::rules::{Method, Safety};

/// Repairs a line as far as `safety` goes; what is left is told by code.
fn check(line: &str, safety: Safety, expected: &str, left: &[&str]) {
    let (fixed, codes) = repaired(line, Method::Sft, safety);
    assert_eq!(fixed, expected, "{line}");
    assert_eq!(codes, left, "{line}");
    twice(&fixed, Method::Sft, safety);
}

fn turns(turns: &str) -> String {
    format!("{{\"contents\":[{turns}]}}")
}

const HI: &str = r#"{"role":"user","parts":[{"text":"Hi"}]}"#;
const HELLO: &str = r#"{"role":"model","parts":[{"text":"Hello"}]}"#;

#[test]
fn keys_are_put_into_camel_case() {
    check(
        r#"{"system_instruction":{"parts":[{"text":"Be kind."}]},"contents":[{"role":"user","parts":[{"file_data":{"mime_type":"image/png","file_uri":"gs://b/a.png"}}]},{"role":"model","parts":[{"text":"A cat."}]}]}"#,
        Safety::Safe,
        r#"{"systemInstruction":{"parts":[{"text":"Be kind."}]},"contents":[{"role":"user","parts":[{"fileData":{"mimeType":"image/png","fileUri":"gs://b/a.png"}}]},{"role":"model","parts":[{"text":"A cat."}]}]}"#,
        &[],
    );
}

#[test]
fn words_for_roles_are_put_right() {
    let line = turns(
        r#"{"role":"human","parts":[{"text":"Hi"}]},{"role":"GPT","parts":[{"text":"Hello"}]}"#,
    );
    check(&line, Safety::Safe, &turns(&format!("{HI},{HELLO}")), &[]);
    let odd = turns(&format!(
        r#"{HI},{{"role":"narrator","parts":[{{"text":"Hello"}}]}}"#
    ));
    check(&odd, Safety::Unsafe, &odd, &["E017"]);
}

#[test]
fn roles_are_filled_in_where_one_is_left() {
    let line = turns(r#"{"parts":[{"text":"Hi"}]},{"role":"","parts":[{"text":"Hello"}]}"#);
    check(&line, Safety::Safe, &line, &["E018", "E018"]);
    check(&line, Safety::Unsafe, &turns(&format!("{HI},{HELLO}")), &[]);
    let null = turns(&format!(
        r#"{HI},{{"role":null,"parts":[{{"text":"Hello"}}]}}"#
    ));
    check(&null, Safety::Unsafe, &turns(&format!("{HI},{HELLO}")), &[]);
    let unclear = turns(&format!(r#"{HI},{{"parts":[{{"text":"Hello"}}]}},{HELLO}"#));
    check(&unclear, Safety::Unsafe, &unclear, &["E018"]);
}

#[test]
fn a_last_user_turn_goes() {
    let line = turns(&format!("{HI},{HELLO},{HI}"));
    check(&line, Safety::Safe, &line, &["E020"]);
    check(&line, Safety::Unsafe, &turns(&format!("{HI},{HELLO}")), &[]);
    let alone = turns(HI);
    check(&alone, Safety::Unsafe, &alone, &["E020"]);
}

#[test]
fn turns_of_one_speaker_become_one() {
    let merged = r#"{"role":"user","parts":[{"text":"Hi"},{"text":"Hi"},{"text":"Hi"}]}"#;
    check(
        &turns(&format!("{HI}, {HI},{HI},{HELLO}")),
        Safety::Safe,
        &turns(&format!("{merged},{HELLO}")),
        &[],
    );
    // One of them by another word.
    let human = HI.replace("user", "human");
    check(
        &turns(&format!("{human},{HI},{HELLO}")),
        Safety::Safe,
        &turns(&format!(
            r#"{{"role":"user","parts":[{{"text":"Hi"}},{{"text":"Hi"}}]}},{HELLO}"#
        )),
        &[],
    );
    // Something else that would get lost.
    let odd = turns(&format!(
        r#"{HI},{{"weight":1,"role":"user","parts":[{{"text":"Hi"}}]}},{HELLO}"#
    ));
    check(&odd, Safety::Unsafe, &odd, &["E013", "E022"]);
}

#[test]
fn instructions_move_out_of_the_turns() {
    let system = r#"{"role":"system","parts":[{"text":"Be kind."}]}"#;
    let developer = r#"{"role":"developer","parts":[{"text":"Be brief."}]}"#;
    check(
        &turns(&format!("{system},{developer},{HI},{HELLO}")),
        Safety::Safe,
        &format!(
            r#"{{"systemInstruction":{{"parts":[{{"text":"Be kind."}},{{"text":"Be brief."}}]}},"contents":[{HI},{HELLO}]}}"#
        ),
        &[],
    );
    let late = turns(&format!("{HI},{system},{HELLO}"));
    check(&late, Safety::Unsafe, &late, &["E027"]);
    let only = turns(system);
    check(&only, Safety::Unsafe, &only, &["E027"]);
    let both = format!(
        r#"{{"systemInstruction":{{"parts":[{{"text":"Be calm."}}]}},"contents":[{system},{HI},{HELLO}]}}"#
    );
    check(&both, Safety::Unsafe, &both, &["E027"]);
}

#[test]
fn a_system_instruction_is_a_plain_content() {
    let contents = format!(r#""contents":[{HI},{HELLO}]"#);
    let right =
        format!(r#"{{"systemInstruction":{{"parts":[{{"text":"Be kind."}}]}},{contents}}}"#);
    for system in [
        r#""Be kind.""#,
        r#"{"role":"system","parts":[{"text":"Be kind."}]}"#,
        r#"{"parts":[{"text":"Be kind."}],"role":"system"}"#,
        r#"{"role":null,"parts":[{"text":"Be kind."}]}"#,
    ] {
        let line = format!(r#"{{"systemInstruction":{system},{contents}}}"#);
        check(&line, Safety::Safe, &right, &[]);
    }
}

#[test]
fn null_goes_with_its_key() {
    check(
        r#"{"systemInstruction":null,"tools":null,"contents":[{"role":"user","parts":[{"text":"Hi","fileData":null}]},{"role":"model","parts":[{"text":"Hello"}]}],"generationConfig":null}"#,
        Safety::Safe,
        &turns(&format!("{HI},{HELLO}")),
        &[],
    );
}

#[test]
fn thoughts_and_settings_go_when_asked() {
    let line = format!(
        r#"{{"contents":[{HI},{{"role":"model","parts":[{{"thought":true,"text":"Hm."}},{{"text":"Hello","thoughtSignature":"CpAB","thought":false}}]}}],"generationConfig":{{"temperature":0,"topK":1}},"labels":{{"a":"b"}}}}"#
    );
    check(
        &line,
        Safety::Unsafe,
        &format!(r#"{{"contents":[{HI},{HELLO}],"generationConfig":{{}}}}"#),
        &[],
    );
}

#[test]
fn an_empty_answer_goes_with_its_prompt_if_others_are_left() {
    let empty = r#"{"role":"model","parts":[{"text":" "}]}"#;
    let two = turns(&format!("{HI},{HELLO}"));
    for line in [
        turns(&format!("{HI},{empty},{HI},{HELLO}")),
        turns(&format!("{HI},{HELLO},{HI},{empty}")),
        turns(&format!("{HI},{empty},{HI},{HELLO},{HI},{empty}")),
    ] {
        check(&line, Safety::Unsafe, &two, &[]);
    }
    let alone = turns(&format!("{HI},{empty}"));
    check(&alone, Safety::Unsafe, &alone, &["E012"]);
    let all = turns(&format!("{HI},{empty},{HI},{empty}"));
    check(&all, Safety::Unsafe, &alone, &["E012"]);
}

#[test]
fn a_misspelt_key_is_told_once() {
    let codes = |line: &str| repaired(line, Method::Sft, Safety::Safe).1;
    for line in [
        r#"{"content":[{"role":"user","parts":[{"text":"Hi"}]}]}"#,
        &turns(&format!(
            r#"{{"rol":"user","parts":[{{"text":"Hi"}}]}},{HELLO}"#
        )),
        &turns(&format!(
            r#"{{"role":"user","part":[{{"text":"Hi"}}]}},{HELLO}"#
        )),
        &turns(&format!(
            r#"{{"role":"user","parts":[{{"txt":"Hi"}}]}},{HELLO}"#
        )),
    ] {
        assert_eq!(codes(line), ["E013"], "{line}");
    }
    for line in [
        r#"{"messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function"}],"model":null}"#,
        r#"{"instruction":"a","input":"","output":"b","id":1}"#,
    ] {
        assert_eq!(codes(line), ["E048"], "{line}");
    }
}
