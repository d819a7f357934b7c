//! What the rules of a dataset say, and that batches do not matter to it.

use proptest::prelude::*;

use super::{Dataset, Digest, MOST_SYSTEMS, Tally};
use crate::rules::tests::{check_all, lines, validation_of};
use crate::rules::{Checker, Context, Findings, Levels, Method, WholeChecker};

fn example(system: Option<&str>, prompt: &str, answer: &str) -> String {
    let system = system.map_or_else(String::new, |system| {
        format!("\"systemInstruction\":{{\"parts\":[{{\"text\":\"{system}\"}}]}},")
    });
    format!(
        "{{{system}\"contents\":[{{\"role\":\"user\",\"parts\":[{{\"text\":\"{prompt}\"}}]}},\
         {{\"role\":\"model\",\"parts\":[{{\"text\":\"{answer}\"}}]}}]}}\n"
    )
}

/// What one rule says, as `LINE message` or `file message`.
fn told(findings: &Findings, code: &str) -> Vec<String> {
    let found = findings
        .found
        .iter()
        .filter(|found| found.rule.code.code == code);
    found
        .map(|found| match found.position {
            Some(position) => format!("{} {}", position.line, found.message),
            None => format!("file {}", found.message),
        })
        .collect()
}

#[track_caller]
fn check(text: &str, code: &str, expected: &[&str]) {
    let findings = check_all(
        text.as_bytes(),
        &Context::default(),
        &Levels::default(),
        false,
    );
    assert_eq!(told(&findings, code), expected);
}

#[test]
fn prompts_are_told_with_their_answers() {
    let text = [
        example(None, "Load", "Cargar"),
        example(None, "Load", "Carga"),
        example(None, "Load", "Cargar"),
        example(None, "Save", "Guardar"),
    ]
    .concat();
    check(&text, "D001", &["3 the example is also on line 1"]);
    check(
        &text,
        "D005",
        &["2 the prompt has another answer on line 1"],
    );
    let more = text + &example(None, "Load", "Subir");
    let expected = "2 the prompt has 3 different answers in 4 examples, the first on line 1";
    check(&more, "D005", &[expected]);
}

#[test]
fn what_has_no_turn_is_compared_as_it_is_written() {
    let text = "{\"x\":1}\n{\"y\":2}\n{\"contents\":[]}\n{\"x\":1}\n";
    check(text, "D001", &["4 the example is also on line 1"]);
    check(text, "D013", &[]);
}

#[test]
fn preferences_may_have_several_answers() {
    let pair = |bad: &str| {
        format!(
            "{{\"contents\":[{{\"role\":\"user\",\"parts\":[{{\"text\":\"Hi\"}}]}}],\"completions\":[\
             {{\"score\":1,\"completion\":{{\"role\":\"model\",\"parts\":[{{\"text\":\"Hello\"}}]}}}},\
             {{\"score\":0,\"completion\":{{\"role\":\"model\",\"parts\":[{{\"text\":\"{bad}\"}}]}}}}]}}\n"
        )
    };
    let text = pair("No") + &pair("Go away");
    let context = Context {
        method: Method::Preference,
        ..Context::default()
    };
    let findings = check_all(text.as_bytes(), &context, &Levels::default(), false);
    assert!(told(&findings, "D005").is_empty());
    assert!(told(&findings, "D001").is_empty());
}

#[test]
fn what_prompts_share_is_shown_up_to_whole_words() {
    let prompts = |of: fn(usize) -> String| -> String {
        (0..6)
            .map(|n| example(None, &of(n), &format!("answer {n}")))
            .collect()
    };
    check(
        &prompts(|n| format!("Say \\\"hello\\\" to a person\\nnumber {n}{n}7 now")),
        "D015",
        &[
            "file all 6 prompts begin with `Say \"hello\" to a person\nnumber`, which belongs into `systemInstruction`",
        ],
    );
    check(
        &prompts(|n| format!("Translate this: word{n}")),
        "D015",
        &[],
    );
    check(
        &prompts(|n| format!("将以下句子翻译成西班牙语并且保留原来的语气和标点：{n}")),
        "D015",
        &[
            "file all 6 prompts begin with `将以下句子翻译成西班牙语并且保留原来的语气和标点：`, which belongs into `systemInstruction`",
        ],
    );
    // The common end begins inside an escape and inside a word.
    check(
        &prompts(|n| {
            format!(
                "{n}{}n in the words of a child of ten",
                if n == 0 { "\\" } else { "" }
            )
        }),
        "D016",
        &[
            "file all 6 prompts end with `in the words of a child of ten`, which belongs into `systemInstruction`",
        ],
    );
}

#[test]
fn system_instructions_are_counted() {
    let text: String = (0..12)
        .map(|n| {
            example(
                Some(if n == 7 { "Be kind!" } else { "Be kind." }),
                &format!("Say {n}"),
                &format!("{n}"),
            )
        })
        .collect();
    let expected = "file there are 2 system instructions: `Be kind.` (×11, first on line 1), `Be kind!` (×1, first on line 8)";
    check(&text, "D017", &[expected]);
    let text = text + &example(None, "And now?", "Done");
    check(
        &text,
        "D018",
        &["13 1 of 13 examples have no system instruction; this is the first"],
    );
}

#[test]
fn a_text_far_from_the_others_is_told_at_its_line() {
    let usual = |n: usize| "It is so. ".repeat(20 + n % 30);
    let mut text: String = (0..120)
        .map(|n| example(None, &format!("Say {n}"), &usual(n)))
        .collect();
    check(&text, "D020", &[]);
    text += &example(None, "Say all", &"It is so. ".repeat(400));
    text += &example(None, "Say nothing", "It is so.");
    let expected = [
        "121 the answer has 4000 characters, the median is 340",
        "122 the answer has 9 characters, the median is 340",
    ];
    check(&text, "D020", &expected);
}

#[test]
fn cut_texts_pile_up() {
    let answer = |n: usize, length: usize| format!("{n:04}{}", "x".repeat(length - 4));
    let smooth: String = (0..200)
        .map(|n| example(None, &format!("Say {n}"), &answer(n, 200 + n)))
        .collect();
    check(&smooth, "D021", &[]);
    let cut: String = (200..205)
        .map(|n| example(None, &format!("Say {n}"), &answer(n, 255)))
        .collect();
    check(&(smooth.clone() + &cut), "D021", &[]);
    let more: String = (200..210)
        .map(|n| example(None, &format!("Say {n}"), &answer(n, 255)))
        .collect();
    let expected = "56 11 answers have exactly 255 characters, as if cut there; this is the first";
    check(&(smooth + &more), "D021", &[expected]);
    check(
        &cut,
        "D021",
        &["1 5 answers have exactly 255 characters, as if cut there; this is the first"],
    );
}

/// What is said of a training file beside a validation file.
fn leaks(train: &str, validation: &str) -> Vec<String> {
    let context = Context {
        validation: Some(validation_of(validation.as_bytes())),
        ..Context::default()
    };
    let findings = check_all(train.as_bytes(), &context, &Levels::default(), false);
    told(&findings, "D002")
}

#[test]
fn leakage_is_told_as_what_it_is() {
    let validation =
        example(None, "Load", "Cargar") + &example(Some("Be kind."), "«Come in»", "Pasa");
    let train = [
        example(None, "Load", "Cargar"),
        example(None, "Load", "Carga"),
        example(None, "load ", "Carga"),
        example(Some("Be kind."), "\\\"come  in\\\"", "Pasa"),
        example(None, "«Come in»", "Pasa"),
        example(None, "Loads", "Cargas"),
    ];
    let expected = [
        "1 the example is also in validation.jsonl:1",
        "2 the prompt is also in validation.jsonl:1, with another answer",
        "3 the prompt is also in validation.jsonl:1, but for case, spacing or typography",
        "4 the prompt is also in validation.jsonl:2, but for case, spacing or typography",
    ];
    assert_eq!(leaks(&train.concat(), &validation), expected);
}

#[test]
fn prompts_with_other_media_or_earlier_turns_are_others() {
    let picture = |name: &str| {
        let line = example(None, "Describe it.", "A picture.");
        let media = format!(
            "{{\"fileData\":{{\"mimeType\":\"image/png\",\"fileUri\":\"gs://b/{name}\"}}}},{{\"text\":\"Describe"
        );
        line.replacen("{\"text\":\"Describe", &media, 1)
    };
    assert!(leaks(&picture("a.png"), &picture("b.png")).is_empty());
    assert_eq!(leaks(&picture("a.png"), &picture("a.png")).len(), 1);
    let talk = |first: &str| {
        let turns = format!(
            "\"contents\":[{{\"role\":\"user\",\"parts\":[{{\"text\":\"Hi\"}}]}},\
             {{\"role\":\"model\",\"parts\":[{{\"text\":\"{first}\"}}]}},"
        );
        example(None, "And then?", "Nothing.").replacen("\"contents\":[", &turns, 1)
    };
    assert!(leaks(&talk("Hello"), &talk("Go away")).is_empty());
    assert_eq!(leaks(&talk("Hello"), &talk("hello")).len(), 1);
}

/// Checks a dataset in batches of so many lines, as threads would.
fn in_batches(text: &str, size: usize) -> Vec<String> {
    let (context, levels) = (Context::default(), Levels::default());
    let mut checker = Checker::new(&context, &levels);
    let mut findings = Findings::new(usize::MAX, false);
    let mut dataset = Dataset {
        bytes: text.len() as u64,
        ..Dataset::default()
    };
    let mut digests: Vec<Digest> = Vec::new();
    for (n, batch) in lines(text.as_bytes()).chunks(size).enumerate() {
        let mut tally = Tally::default();
        for (number, line) in (0..).zip(batch) {
            let line = crate::rules::RawLine { number, ..*line };
            checker.line(&line, &mut Findings::new(0, false), &mut tally);
        }
        dataset.append(&mut tally, (n * size) as u64 + 1);
        digests.append(&mut tally.digests);
    }
    let mut counter = dataset.answer_counter();
    digests.iter().for_each(|digest| counter.add(digest));
    dataset.set_answers(counter);
    let whole = WholeChecker::new(&context, &levels, &dataset);
    digests.sort_by_key(|digest| (digest.prompt, digest.line));
    for group in digests.chunk_by(|one, other| one.prompt == other.prompt) {
        whole.prompt(group, &mut findings, &mut Vec::new());
    }
    findings.sort();
    whole.dataset(&mut findings);
    let place = |found: &crate::rules::Found| found.position.map(|position| position.line);
    let told = findings.found.iter();
    told.map(|found| {
        format!(
            "{} {:?} {}",
            found.rule.code.code,
            place(found),
            found.message
        )
    })
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn batches_do_not_matter(
        rows in proptest::collection::vec((0..4_usize, 0..9_usize, 0..4_usize, any::<bool>()), 1..60),
        size in 1..20_usize,
    ) {
        let row = |(system, prompt, answer, is_cut): &(usize, usize, usize, bool)| {
            let system = ["Be kind.", "Be brief.", "Be kind!"].get(*system).copied();
            let answer = if *is_cut { format!("{answer}").repeat(255) } else { format!("Answer {answer}") };
            example(system, &format!("Please translate to Spanish: {prompt}"), &answer)
        };
        let text: String = rows.iter().map(row).collect();
        prop_assert_eq!(in_batches(&text, size), in_batches(&text, usize::MAX));
    }

    #[test]
    fn many_system_instructions_do_not_depend_on_batches(size in 1..3000_usize, n_distinct in 900..1100_usize) {
        let mut parts = Dataset::default();
        let mut whole = Dataset::default();
        let mut all = Tally::default();
        let texts: Vec<_> = (0..2500).map(|n| format!("persona {}", n % n_distinct)).collect();
        for (batch, first) in texts.chunks(size).zip((0..).step_by(size)) {
            let mut tally = Tally::default();
            for (n, text) in batch.iter().enumerate() {
                tally.systems.add(text, n as u64);
                all.systems.add(text, first + n as u64);
            }
            parts.append(&mut tally, first + 1);
        }
        whole.append(&mut all, 1);
        prop_assert_eq!(parts.systems(), whole.systems());
        prop_assert_eq!(whole.systems().is_some(), n_distinct <= MOST_SYSTEMS);
        prop_assert_eq!(&parts.systems.counts, &whole.systems.counts);
        let counted: u64 = whole.systems().unwrap_or_default().iter().map(|count| count.examples).sum();
        prop_assert!(counted == 2500 || n_distinct > MOST_SYSTEMS);
    }

    #[test]
    fn the_spread_is_that_of_the_sorted_lengths(lengths in proptest::collection::vec(1..5000_u32, 1..80)) {
        let mut counted = super::Lengths::default();
        lengths.iter().for_each(|length| counted.add(*length));
        let middle = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[(values.len() - 1) / 2]
        };
        let logs: Vec<f64> = lengths.iter().map(|length| f64::from(*length).ln()).collect();
        let median = middle(logs.clone());
        let mad = middle(logs.iter().map(|log| (log - median).abs()).collect());
        let spread = counted.spread();
        prop_assert_eq!(f64::from(spread.median), median.exp().round());
        prop_assert!((spread.mad - mad).abs() < 1e-12);
    }
}
