//! The reader against `serde_json`, and against itself.

use proptest::prelude::*;
use serde_json::Value as Tree;

use super::{Document, Elements, ErrorKind, Kind, Piece, Value, compact};

/// Arbitrary trees. Numbers are integers or halves, which every reader of
/// decimals agrees about.
fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::from),
        any::<i64>().prop_map(Tree::from),
        any::<u64>().prop_map(Tree::from),
        any::<i32>().prop_map(|n| Tree::from(f64::from(n) / 2.0)),
        texts().prop_map(Tree::from),
    ];
    leaf.prop_recursive(6, 60, 20, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Tree::from),
            proptest::collection::btree_map(texts(), inner, 0..24)
                .prop_map(|entries| Tree::Object(entries.into_iter().collect())),
        ]
    })
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{0,2}",
        "(?s).{0,40}",
        r#"[\\"/\x00-\x1fa\u{e9}\u{1f600}]{0,40}"#,
    ]
}

/// The tree as text: compact, indented, or with everything escaped that may
/// be.
fn written(tree: &Tree, way: u8) -> String {
    match way {
        0 => tree.to_string(),
        1 => serde_json::to_string_pretty(tree).unwrap(),
        _ => escape_what_is_not_ascii(&tree.to_string()),
    }
}

fn escape_what_is_not_ascii(text: &str) -> String {
    let escape = |c: char| match c {
        c if c.is_ascii() => c.to_string(),
        c => {
            let mut units = [0; 2];
            c.encode_utf16(&mut units)
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect()
        }
    };
    text.chars().map(escape).collect()
}

fn tree(value: Value<'_, '_>) -> Tree {
    match value.kind() {
        Kind::Null => Tree::Null,
        Kind::Bool => Tree::from(value.as_bool().unwrap()),
        Kind::Number => serde_json::from_str(value.as_number().unwrap()).unwrap(),
        Kind::String => Tree::from(value.as_str().unwrap()),
        Kind::Array => value.items().map(tree).collect(),
        Kind::Object => value
            .entries()
            .map(|(key, value)| (key.text.into_owned(), tree(value)))
            .collect(),
    }
}

/// Refusals that `serde_json` does not share.
fn is_ours(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::DuplicateKey(_) | ErrorKind::NumberOutOfRange(_) | ErrorKind::TooDeep
    )
}

fn agrees_with_serde_json(text: &[u8]) -> Result<(), TestCaseError> {
    let theirs: Result<Tree, _> = serde_json::from_slice(text);
    let mut document = Document::new();
    match (document.parse(text), theirs) {
        (Ok(value), Ok(theirs)) => prop_assert_eq!(tree(value), theirs),
        (Ok(value), Err(error)) => prop_assert!(false, "only we accept {:?}: {}", value, error),
        (Err(error), theirs) => {
            prop_assert!(error.offset <= text.len());
            prop_assert!(!error.message().is_empty());
            prop_assert!(
                theirs.is_err() || is_ours(&error.kind),
                "only we refuse {:?}: {}",
                text,
                error
            );
        }
    }
    Ok(())
}

/// Every value is where it says, as it says, inside the value that holds it.
fn places_hold(value: Value<'_, '_>, text: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(value.raw(), &text[value.offset()..value.end()]);
    let alone: Tree = serde_json::from_str(value.raw()).unwrap();
    prop_assert_eq!(tree(value), alone);
    let mut at = value.offset() + 1;
    for part in value.items().chain(value.entries().map(|(_, value)| value)) {
        prop_assert!(at <= part.offset() && part.end() < value.end());
        at = part.end();
        places_hold(part, text)?;
    }
    for (key, part) in value.entries() {
        prop_assert!(text[key.offset..].starts_with('"'));
        prop_assert_eq!(value.get(&key.text).map(Value::offset), Some(part.offset()));
    }
    Ok(())
}

proptest! {
    #[test]
    fn values_are_those_of_serde_json(tree in trees(), way in 0..3u8) {
        let text = written(&tree, way);
        agrees_with_serde_json(text.as_bytes())?;
        let mut document = Document::new();
        places_hold(document.parse(text.as_bytes()).unwrap(), &text)?;
    }

    #[test]
    fn damaged_texts_are_refused_where_serde_json_refuses_them(
        tree in trees(),
        way in 0..3u8,
        place in any::<prop::sample::Index>(),
        byte in prop_oneof![any::<u8>(), prop::sample::select(br#"{}[]",:\ue0123.-tn "#.to_vec())],
        n_removed in 0..3usize,
        is_cut in any::<bool>(),
    ) {
        let mut text = written(&tree, way).into_bytes();
        let at = place.index(text.len());
        if is_cut {
            text.truncate(at);
        } else {
            text.splice(at..(at + n_removed).min(text.len()), [byte]);
        }
        agrees_with_serde_json(&text)?;
    }

    #[test]
    fn soups_are_read_as_serde_json_reads_them(
        text in r#"([\[\]{},:"\\ 0-9eE+.ntu\-]|true|null|"a":|"\\ud83d|\\ude00"|\[1|\{"b":){0,12}"#,
    ) {
        agrees_with_serde_json(text.as_bytes())?;
    }

    #[test]
    fn bytes_never_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        agrees_with_serde_json(&bytes)?;
    }

    #[test]
    fn compact_changes_nothing_but_the_writing(tree in trees(), way in 0..3u8) {
        let text = written(&tree, way);
        let mut document = Document::new();
        let mut once = Vec::new();
        compact(document.parse(text.as_bytes()).unwrap(), &mut once);
        prop_assert_eq!(std::str::from_utf8(&once).unwrap(), tree.to_string());
    }

    #[test]
    fn pieces_are_the_items_of_the_array_or_the_values_in_a_row(
        mut items in proptest::collection::vec(trees(), 0..6),
        way in 0..3u8,
        is_array in any::<bool>(),
    ) {
        items.insert(0, Tree::Null);
        let text = if is_array {
            written(&Tree::from(items.clone()), way)
        } else {
            items.iter().fold(String::new(), |text, item| text + &written(item, way) + "\n")
        };
        let mut elements = Elements::new();
        let mut document = Document::new();
        let mut found = Vec::new();
        for piece in elements.split(text.as_bytes()) {
            let Piece::Element(range) = piece else {
                return Err(TestCaseError::fail(format!("{piece:?}")));
            };
            found.push(tree(document.parse(&text.as_bytes()[range]).unwrap()));
        }
        prop_assert_eq!(found, items);
        prop_assert_eq!(elements.fault_at_end(), None);
    }

    #[test]
    fn a_document_forgets_the_text_before(
        before in r#"[\[{]{0,5}("a":\{?|\[|1|,|"b"){0,8}"#,
        tree in trees(),
    ) {
        let text = tree.to_string();
        let mut document = Document::new();
        let _ = document.parse(before.as_bytes());
        prop_assert_eq!(super::laws::tree(document.parse(text.as_bytes()).unwrap()), tree);
    }
}
