//! Repairs of the rules of functions.

use crate::rules::tests::{repaired, twice};
use crate::rules::{Method, Safety};

fn check(from: &str, to: &str, safety: Safety) {
    let line = |turns: &str| {
        format!(
            r#"{{"contents":[{{"role":"user","parts":[{{"text":"Cold?"}}]}},{turns}],"tools":[{{"functionDeclarations":[{{"name":"cold"}}]}}]}}"#
        )
    };
    let (fixed, codes) = repaired(&line(from), Method::Sft, safety);
    assert_eq!(fixed, line(to));
    assert!(codes.is_empty(), "{codes:?}");
    twice(&fixed, Method::Sft, safety);
}

#[test]
fn arguments_become_an_object() {
    check(
        r#"{"role":"model","parts":[{"functionCall":{"name":"cold","args":"{\n \"where\": \"here \\\"now\\\"\"}"}}]}"#,
        r#"{"role":"model","parts":[{"functionCall":{"name":"cold","args":{"where":"here \"now\""}}}]}"#,
        Safety::Unsafe,
    );
}

#[test]
fn a_response_becomes_an_object() {
    check(
        r#"{"role":"model","parts":[{"functionCall":{"name":"cold"}}]},{"role":"tool","parts":[{"functionResponse":{"name":"cold","response":"yes"}}]},{"role":"model","parts":[{"text":"Yes."}]}"#,
        r#"{"role":"model","parts":[{"functionCall":{"name":"cold"}}]},{"role":"user","parts":[{"functionResponse":{"name":"cold","response":{"result":"yes"}}}]},{"role":"model","parts":[{"text":"Yes."}]}"#,
        Safety::Unsafe,
    );
}

#[test]
fn responses_in_turns_of_their_own_become_parts() {
    check(
        r#"{"role":"model","parts":[{"functionCall":{"name":"cold"}},{"functionCall":{"name":"cold"}}]},{"role":"user","parts":[{"functionResponse":{"name":"cold","response":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"cold","response":{}}}]},{"role":"model","parts":[{"text":"Yes."}]}"#,
        r#"{"role":"model","parts":[{"functionCall":{"name":"cold"}},{"functionCall":{"name":"cold"}}]},{"role":"user","parts":[{"functionResponse":{"name":"cold","response":{}}},{"functionResponse":{"name":"cold","response":{}}}]},{"role":"model","parts":[{"text":"Yes."}]}"#,
        Safety::Safe,
    );
}

#[test]
fn types_are_put_into_upper_case() {
    let line = |object: &str, string: &str| {
        format!(
            r#"{{"contents":[{{"role":"user","parts":[{{"text":"Cold?"}}]}},{{"role":"model","parts":[{{"text":"Yes."}}]}}],"tools":[{{"functionDeclarations":[{{"name":"cold","parameters":{{"type":"{object}","properties":{{"type":{{"type":"{string}"}}}}}}}}]}}]}}"#
        )
    };
    let (fixed, codes) = repaired(&line("object", "String"), Method::Sft, Safety::Safe);
    assert_eq!(fixed, line("OBJECT", "STRING"));
    assert!(codes.is_empty(), "{codes:?}");
    let odd = line("OBJECT", "text");
    let (fixed, codes) = repaired(&odd, Method::Sft, Safety::Unsafe);
    assert_eq!((fixed, codes), (odd, vec!["E036"]));
}
