//! Laws, over texts made up of what is special somewhere.

use std::collections::HashMap;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::model::Kind;
use super::recipe::{ESCAPED, Part, Recipe};
use super::*;

/// SentencePiece as its paper has it: texts and a table of all pieces, every
/// pair tried before each merge.
struct Obvious {
    /// The rank of every ordinary piece by its text.
    ranks: HashMap<String, u32>,
    recipe: Recipe,
    /// The user-defined pieces by their first character, the longest first.
    specials: HashMap<char, Vec<(String, u32)>>,
}

static OBVIOUS: LazyLock<Obvious> = LazyLock::new(|| {
    let recipe = packed::embedded_recipe();
    let ranks = match &*tests::FROM_FILES {
        // Of the model itself, also what our recipe says no text comes to.
        Some(models) => {
            let pieces = model::pieces(&models[1]).unwrap();
            let normal = pieces.iter().filter(|piece| piece.kind == Kind::Normal);
            let mut normal: Vec<_> = normal.collect();
            normal.sort_by(|a, b| b.score.total_cmp(&a.score));
            let texts = normal.iter().map(|piece| piece.text.to_owned());
            texts.zip(0..).collect()
        }
        None => spelled_out(&recipe).into_iter().zip(0..).collect(),
    };
    let mut specials: HashMap<_, Vec<_>> = HashMap::new();
    for (text, id) in Tokenizer::gemma4().specials.pieces() {
        let text = text.replace(' ', "▁");
        let first = text.chars().next().unwrap();
        specials.entry(first).or_default().push((text, id));
    }
    for pieces in specials.values_mut() {
        pieces.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    }
    Obvious {
        ranks,
        recipe,
        specials,
    }
});

/// The texts of all pieces that can be made.
fn spelled_out(recipe: &Recipe) -> Vec<String> {
    let mut texts: Vec<String> = vec![String::new(); recipe.parts.len()];
    let mut waiting: Vec<_> = (0..recipe.parts.len()).collect();
    while !waiting.is_empty() {
        waiting.retain(|&symbol| {
            texts[symbol] = match recipe.parts[symbol] {
                Part::Char(' ') => ESCAPED.into(),
                Part::Char(c) => c.into(),
                Part::Pair(left, right) => {
                    let parts = [&texts[left as usize], &texts[right as usize]];
                    if parts.iter().any(|part| part.is_empty()) {
                        return true;
                    }
                    parts.into_iter().map(String::as_str).collect()
                }
                // Longer than any text it could be found in.
                Part::Never => format!("{symbol}").repeat(100),
            };
            false
        });
    }
    texts
}

impl Obvious {
    fn encode(&self, text: &str) -> Vec<u32> {
        let text = text.replace(' ', "▁");
        let mut symbols: Vec<(String, Option<u32>)> = Vec::new();
        let mut rest = text.as_str();
        while let Some(c) = rest.chars().next() {
            let pieces = self.specials.get(&c).map_or(&[][..], Vec::as_slice);
            let piece = pieces.iter().find(|(piece, _)| rest.starts_with(piece));
            let symbol = piece.map_or((c.into(), None), |(piece, id)| (piece.clone(), Some(*id)));
            rest = &rest[symbol.0.len()..];
            symbols.push(symbol);
        }
        loop {
            let pairs = symbols.windows(2).enumerate();
            let ranked = pairs.filter_map(|(at, pair)| match pair {
                [(left, None), (right, None)] => {
                    let rank = self.ranks.get(&format!("{left}{right}"))?;
                    Some((*rank, at))
                }
                _ => None,
            });
            let Some((_, at)) = ranked.min() else { break };
            let (right, _) = symbols.remove(at + 1);
            symbols[at].0 += &right;
        }
        let mut ids = Vec::new();
        for (text, special) in symbols {
            let bytes = self.recipe.parts.len();
            match (special, self.ranks.get(&text)) {
                (Some(id), _) => ids.push(id),
                (None, Some(rank)) => ids.push(self.recipe.ids[*rank as usize]),
                (None, None) => {
                    let of_byte = |byte: u8| self.recipe.ids[bytes + usize::from(byte)];
                    ids.extend(text.bytes().map(of_byte));
                }
            }
        }
        ids
    }
}

/// A stretch of text that is special somewhere, or nowhere.
fn stretch() -> impl Strategy<Value = String> {
    let some = prop::sample::select(vec![
        " ",
        "  ",
        "▁",
        "▁▁",
        "\n",
        "\n\n",
        "\t",
        "\r\n",
        ">",
        "> </",
        ">▁</",
        "</",
        "<",
        "<b>",
        "</td>",
        "<start_of_turn>",
        "<unused45>",
        "<|tool_call>",
        "[multimodal]",
        "a",
        "aaaa",
        "the",
        " The",
        "ing",
        "ción",
        "1",
        "42",
        ",",
        ".",
        "...",
        "'s",
        "’",
        "你好",
        "，",
        "です",
        "ж",
        "👍",
        "🏽",
        "\u{200d}",
        "\u{301}",
        "\0",
        "\u{10ffff}",
        "_",
        "==",
        " 世",
    ]);
    let recipe = &OBVIOUS.recipe;
    let pieces: Vec<&'static str> = OBVIOUS.ranks.keys().map(String::as_str).collect();
    // In an order that does not depend on the hash map.
    let mut by_rank = vec![""; recipe.parts.len()];
    for piece in pieces {
        by_rank[OBVIOUS.ranks[piece] as usize] = piece;
    }
    prop_oneof![
        4 => some.prop_map(str::to_owned),
        4 => prop::sample::select(by_rank).prop_map(|piece| piece.replace(ESCAPED, " ")),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z]{1,80}",
        1 => "[ -~]{1,40}",
        1 => "\\p{Han}{1,30}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(stretch(), 0..16).prop_map(|stretches| stretches.concat())
}

fn encode(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    tokenizer.encode(text, &mut ids);
    ids
}

#[test]
fn a_text_is_cut_as_the_obvious_way_cuts_it() {
    // One counter for all, so that words are met again.
    let counter = std::cell::RefCell::new(Tokenizer::gemma4().counter());
    let law = |text: String| {
        let expected = OBVIOUS.encode(&text);
        prop_assert_eq!(&encode(Tokenizer::gemma4(), &text), &expected);
        let mut counter = counter.borrow_mut();
        prop_assert_eq!(counter.count(&text), expected.len());
        prop_assert_eq!(counter.count(&text), expected.len());
        prop_assert!(expected.len() <= text.len());
        Ok(())
    };
    let mut runner = proptest::test_runner::TestRunner::default();
    runner.run(&text(), law).unwrap();
}

#[test]
fn every_piece_that_can_be_made_is_one_token() {
    let mut counter = Tokenizer::gemma3().counter();
    let mut n_never = 0;
    for (text, rank) in spelled_out(&OBVIOUS.recipe).iter().zip(0_u32..) {
        if OBVIOUS.recipe.parts[rank as usize] == Part::Never {
            n_never += 1;
            continue;
        }
        let ids = encode(Tokenizer::gemma3(), &text.replace(ESCAPED, " "));
        assert_eq!(ids, [OBVIOUS.recipe.ids[rank as usize]], "{text}");
        assert_eq!(counter.count(text), 1, "{text}");
    }
    // These four SentencePiece does not make either.
    assert_eq!(n_never, 4);
    for tokenizer in [Tokenizer::gemma3(), Tokenizer::gemma4()] {
        for (text, id) in tokenizer.specials.pieces() {
            assert_eq!(encode(tokenizer, text), [id], "{text}");
        }
    }
}

#[test]
fn a_long_word_takes_no_longer_than_many_short_ones() {
    // Quadratic work on these would take minutes, and the test would be seen
    // to hang; the lengths are those of sentencepiece.
    let mut counter = Tokenizer::gemma4().counter();
    assert_eq!(counter.count(&"a".repeat(1 << 20)), LONG_A);
    let word: String = ('a'..='z').cycle().take(1 << 20).collect();
    assert_eq!(counter.count(&word), LONG_ALPHABET);
}

/// What `sentencepiece` 0.2.3 gives for a million letters.
const LONG_A: usize = 131_072;
const LONG_ALPHABET: usize = 120_990;

mod merging {
    use super::super::merge::{Merger, Merges};
    use super::*;

    proptest! {
        /// Short and long words are merged by different code; here all merges
        /// are likely, so that both have much to do.
        #[test]
        fn a_queue_finds_the_pairs_that_looking_finds(
            symbols in prop::collection::vec(0_u32..4, 49..120),
            pairs in prop::collection::btree_map((0_u32..40, 0_u32..40), 4_u32..40, 1..120),
        ) {
            let mut merges = Merges::with_capacity(pairs.len());
            let mut taken = std::collections::BTreeSet::new();
            for ((left, right), result) in &pairs {
                if taken.insert(*result) {
                    merges.insert(*left, *right, *result);
                }
            }
            let mut obvious = symbols.clone();
            loop {
                let results = obvious.windows(2).map(|pair| merges.get(pair[0], pair[1]));
                let best = results.zip(0..).min();
                match best {
                    Some((result, at)) if result != super::super::merge::NONE => {
                        obvious[at] = result;
                        obvious.remove(at + 1);
                    }
                    _ => break,
                }
            }
            let mut merger = Merger::default();
            merger.symbols.extend(&symbols);
            prop_assert_eq!(merger.merge(&merges), &obvious);
        }
    }
}

mod models {
    use super::*;

    fn field(number: u8, wire: u8, value: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | wire];
        if wire == 2 {
            field.push(u8::try_from(value.len()).unwrap());
        }
        field.extend(value);
        field
    }

    fn piece(text: &str, score: f32, kind: u8) -> Vec<u8> {
        let message = [
            field(1, 2, text.as_bytes()),
            field(2, 5, &score.to_le_bytes()),
            field(3, 0, &[kind]),
        ];
        field(1, 2, &message.concat())
    }

    /// A model of a few pieces; `trainer` and `normalizer` as they are.
    fn model(pieces: &[(&str, f32, u8)], trainer: &[u8], normalizer: &[u8]) -> Vec<u8> {
        let mut bytes = piece("<unk>", 0.0, 2);
        for byte in 0..=u8::MAX {
            bytes.extend(piece(&format!("<0x{byte:02X}>"), 0.0, 6));
        }
        for (text, score, kind) in pieces {
            bytes.extend(piece(text, *score, *kind));
        }
        bytes.extend(field(2, 2, trainer));
        bytes.extend(field(3, 2, normalizer));
        bytes
    }

    /// BPE with byte fallback; no prefix, no trimming.
    const TRAINER: &[u8] = &[3 << 3, 2, 0x98, 2, 1];
    const NORMALIZER: &[u8] = &[3 << 3, 0, 4 << 3, 0];

    fn read(bytes: &[u8]) -> Result<Tokenizer, ModelError> {
        Tokenizer::from_model("mine", bytes)
    }

    const AB: &[(&str, f32, u8)] = &[
        ("ab", -1.0, 1),
        ("bab", -2.0, 1),
        ("a", -3.0, 1),
        ("b", -4.0, 1),
        ("▁", -5.0, 1),
        ("<x>", 0.0, 4),
    ];

    #[test]
    fn a_model_of_ones_own_is_used() {
        let tokenizer = read(&model(AB, TRAINER, NORMALIZER)).unwrap();
        // `bab` stays `b` and `ab`, as `b` and `a` do not merge, and then it is
        // made of `b` and `ab`.
        assert_eq!(
            encode(&tokenizer, "abbab a<x><x"),
            [257, 258, 261, 259, 262, 61, 121]
        );
        assert_eq!(tokenizer.counter().count("abbab a<x><x"), 7);
    }

    #[test]
    fn a_file_that_is_no_model_is_refused() {
        for bytes in [&b""[..], b"{}", b"\x0a\xff", b"PK\x03\x04", &[0xff; 30]] {
            let error = read(bytes).unwrap_err();
            assert!(matches!(error, ModelError::Malformed { .. }), "{error}");
        }
        let error = read(b"\x0a\x03\x0a\x05ab").unwrap_err();
        assert_eq!(
            error.to_string(),
            "not a SentencePiece model: a field longer than the file at byte 4"
        );
    }

    #[test]
    fn a_model_that_would_be_counted_wrongly_is_refused() {
        let check = |bytes: Vec<u8>, expected: &str| {
            assert_eq!(read(&bytes).unwrap_err().to_string(), expected);
        };
        let refused = |what| format!("the model has {what}, which is not supported");
        check(
            model(AB, &[3 << 3, 1, 0x98, 2, 1], NORMALIZER),
            &refused("no byte-pair merges (it is not a BPE model)"),
        );
        check(
            model(AB, &[3 << 3, 2], NORMALIZER),
            &refused("no byte fallback"),
        );
        check(
            model(AB, TRAINER, &[4 << 3, 0]),
            &refused("a space put before each text"),
        );
        check(
            model(AB, TRAINER, &[2 << 3 | 2, 1, b'x', 3 << 3, 0, 4 << 3, 0]),
            &refused("a normalisation table"),
        );
        check(
            model(&[("a", 0.0, 1), ("b", 0.0, 1)], TRAINER, NORMALIZER),
            &refused("pieces with equal scores"),
        );
        check(
            model(&[("a", 0.0, 1), ("ac", -1.0, 1)], TRAINER, NORMALIZER),
            &refused("a piece with a character that is no piece"),
        );
        check(
            model(&[("a", 0.0, 1), ("a", -1.0, 1)], TRAINER, NORMALIZER),
            "the piece `a` stands in the vocabulary twice",
        );
    }

    proptest! {
        #[test]
        fn a_damaged_model_does_not_panic(at in 0_usize..5000, byte: u8, end in 0_usize..6000) {
            let mut bytes = model(AB, TRAINER, NORMALIZER);
            let n = bytes.len();
            bytes[at % n] = byte;
            bytes.truncate(end.min(n));
            if let Ok(tokenizer) = read(&bytes) {
                prop_assert!(tokenizer.counter().count("abbab <x>") <= 9);
            }
        }
    }
}
