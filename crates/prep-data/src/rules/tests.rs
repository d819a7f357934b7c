//! Every page against its rule, and the signs against the rules.

use std::collections::BTreeMap;

use super::*;
use crate::diag::Level;
use crate::example::models;

/// Checks a dataset in memory, the obvious way: one line after the other, one
/// prompt after the other.
pub(crate) fn check_all(
    text: &[u8],
    context: &Context,
    levels: &Levels,
    is_thorough: bool,
) -> Findings {
    let mut checker = if is_thorough {
        Checker::thorough(context, levels)
    } else {
        Checker::new(context, levels)
    };
    let mut findings = Findings::new(usize::MAX, true);
    let mut tally = Tally::default();
    for line in lines(text) {
        checker.line(&line, &mut findings, &mut tally);
    }
    for found in &mut findings.found {
        if let Some(position) = &mut found.position {
            position.line += 1;
        }
    }
    let mut dataset = Dataset::default();
    dataset.bytes = text.len() as u64;
    dataset.append(&mut tally, 1);
    let mut counter = dataset.answer_counter();
    tally.digests.iter().for_each(|digest| counter.add(digest));
    dataset.set_answers(counter);
    let mut prompts: BTreeMap<u128, Vec<Digest>> = BTreeMap::new();
    for digest in &tally.digests {
        prompts.entry(digest.prompt).or_default().push(*digest);
    }
    let whole = WholeChecker::new(context, levels, &dataset);
    let mut of_prompts = Findings::new(usize::MAX, false);
    for group in prompts.values() {
        whole.prompt(group, &mut of_prompts, &mut Vec::new());
    }
    of_prompts.sort();
    findings.append(&mut of_prompts, 0);
    let mut of_dataset = Findings::new(usize::MAX, false);
    whole.dataset(&mut of_dataset);
    findings.append(&mut of_dataset, 0);
    findings
}

/// The lines of a file.
pub(crate) fn lines(text: &[u8]) -> Vec<RawLine<'_>> {
    let mut lines = Vec::new();
    let unmarked = text.strip_prefix(b"\xef\xbb\xbf");
    let has_bom = unmarked.is_some();
    let text = unmarked.unwrap_or(text);
    let ended = text.strip_suffix(b"\n");
    if text.is_empty() {
        return lines;
    }
    let pieces: Vec<_> = ended.unwrap_or(text).split(|&byte| byte == b'\n').collect();
    for (n, bytes) in pieces.iter().enumerate() {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        lines.push(RawLine {
            bytes,
            utf8: std::str::from_utf8(bytes).ok(),
            number: n as u64,
            has_bom: has_bom && n == 0,
            is_unterminated: n + 1 == pieces.len() && ended.is_none(),
            cut_from: None,
            seen: None,
        });
    }
    lines
}

/// The context that the words behind a block ask for.
fn context_of(block: &Block, validation: Option<&Block>) -> Context {
    let model_name = block.setting("model").map(str::to_owned);
    let mut context = Context {
        method: match block.setting("method") {
            Some("preference") => Method::Preference,
            Some("sft") | None => Method::Sft,
            Some(other) => panic!("no method `{other}`"),
        },
        side: match block.setting("side") {
            Some("validation") => Side::Validation,
            Some("train") | None => Side::Train,
            Some(other) => panic!("no side `{other}`"),
        },
        model: model_name.as_deref().and_then(models::find),
        model_name,
        adapter_size: block.setting("adapter").map(|size| size.parse().unwrap()),
        location: block.setting("location").map(str::to_owned),
        today: block.setting("today").map(|date| date.parse().unwrap()),
        ..Context::default()
    };
    context.pairs = block
        .setting("preset")
        .map(|preset| pairs_of(block, preset));
    if let Some(validation) = validation {
        context.validation = Some(validation_of(&validation.text));
    }
    context
}

/// What pair rules go by in a block.
fn pairs_of(block: &Block, preset: &str) -> PairContext {
    let mut survey = Survey::default();
    let mut document = reader::Document::new();
    for line in lines(&block.text) {
        pairs::pair_of_line(line.bytes, &mut document, |prompt, answer| {
            survey.add(prompt, answer);
        });
    }
    let setting = |name| block.setting(name).map(str::to_owned);
    let glossary = block
        .setting("glossary")
        .map(|terms| terms.replace(';', "\n"));
    PairContext {
        preset: preset.parse().unwrap(),
        learnt: survey.finish(&Wanted {
            source_tag: setting("src"),
            target_tag: setting("tgt"),
            source_prefix: None,
        }),
        glossary: glossary.map(|terms| Glossary::parse(&terms).unwrap()),
    }
}

/// The validation examples of a file.
pub(crate) fn validation_of(text: &[u8]) -> Validation {
    let context = Context {
        side: Side::Validation,
        ..Context::default()
    };
    let levels = Levels::default();
    let mut checker = Checker::new(&context, &levels);
    let mut tally = Tally::default();
    for line in lines(text) {
        checker.line(&line, &mut Findings::new(0, false), &mut tally);
    }
    Dataset::default().append(&mut tally, 1);
    let mut validation = Validation::new("validation.jsonl");
    validation.add(&tally);
    validation
}

/// What a rule found: places with messages.
fn found_by<'f>(findings: &'f Findings, rule: &Rule) -> Vec<&'f Found> {
    let is_it = |found: &&Found| std::ptr::eq(found.rule, rule);
    findings.found.iter().filter(is_it).collect()
}

#[test]
fn every_page_says_what_its_rule_does() {
    let mut faults = Vec::new();
    let mut n_blocks = 0;
    for rule in RULES {
        let page = Page::parse(rule.page).unwrap_or_else(|error| panic!("{rule:?}: {error}"));
        assert_eq!(page.title, format!("{} {}", rule.code.code, rule.code.name));
        assert!(!page.summary.is_empty(), "{rule:?} has no first paragraph");
        assert!(
            rule.page.contains("\n## What to do\n"),
            "{rule:?} does not say what to do"
        );
        let mut validation = None;
        for block in &page.blocks {
            if block.kind == BlockKind::Validation {
                validation = Some(block);
                continue;
            }
            n_blocks += 1;
            if let Err(fault) = check_block(rule, block, validation) {
                let shown = String::from_utf8_lossy(&block.text);
                let shown: String = shown.chars().take(300).collect();
                faults.push(format!("{rule:?}: {fault}\n  in {shown}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(n_blocks >= RULES.len());
}

/// Checks an example of a page; the error says what is not as the page says.
fn check_block(
    rule: &'static Rule,
    block: &Block,
    validation: Option<&Block>,
) -> Result<(), String> {
    let mut levels = Levels::default();
    let level = rule.code.level.max(Level::Warn);
    let context = context_of(block, validation);
    if let Some(pairs) = &context.pairs {
        levels.set_pairs(pairs.preset);
    }
    levels.set(rule.code.code, level).unwrap();
    let findings = check_all(&block.text, &context, &levels, false);
    let told = |found: &Found| {
        let place = found
            .position
            .map_or("file".into(), |at| format!("{}:{}", at.line, at.column));
        format!(
            "{} {place} {} {}",
            found.rule.code.code, found.pointer, found.message
        )
    };
    match &block.kind {
        BlockKind::Validation => Ok(()),
        BlockKind::Good => {
            // Small datasets are minded by rules that are not asked here.
            let is_asked = |found: &&Found| {
                std::ptr::eq(found.rule, rule) || !matches!(found.rule.check, Check::Dataset(_))
            };
            let minded: Vec<_> = findings.found.iter().filter(is_asked).map(told).collect();
            if minded.is_empty() {
                Ok(())
            } else {
                Err(format!("{minded:?}"))
            }
        }
        BlockKind::Bad { places, pointer } => {
            let found = found_by(&findings, rule);
            let positions: Vec<_> = found.iter().map(|found| found.position).collect();
            let told: Vec<_> = found.iter().map(|found| told(found)).collect();
            if &positions != places {
                return Err(format!("found {told:?}"));
            }
            match pointer {
                Some(pointer) if found[0].pointer != *pointer => Err(format!("found {told:?}")),
                _ => Ok(()),
            }
        }
    }
}

#[test]
fn codes_and_names_are_unique_and_files_are_named_after_them() {
    let mut seen = std::collections::BTreeSet::new();
    for rule in RULES {
        assert!(seen.insert(rule.code.code), "{} twice", rule.code.code);
        assert!(seen.insert(rule.code.name), "{} twice", rule.code.name);
    }
}

/// Every line of every page, by itself.
pub(crate) fn lines_of_pages() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for rule in RULES {
        for block in Page::parse(rule.page).unwrap().blocks {
            all.extend(
                lines(&block.text)
                    .into_iter()
                    .take(3)
                    .map(|line| line.bytes.to_vec()),
            );
        }
    }
    all
}

/// Checks a line with and without the signs.
fn agree(line: &[u8]) {
    let context = Context::default();
    let levels = Levels::default();
    let by_signs = check_all(line, &context, &levels, false);
    let thorough = check_all(line, &context, &levels, true);
    let told = |findings: &Findings| -> Vec<String> {
        let found = findings.found.iter();
        found
            .map(|found| {
                format!(
                    "{} {:?} {}",
                    found.rule.code.code, found.position, found.message
                )
            })
            .collect()
    };
    assert_eq!(
        told(&by_signs),
        told(&thorough),
        "{}",
        String::from_utf8_lossy(line)
    );
}

#[test]
fn what_stands_first_in_a_text_is_no_less_a_sign() {
    let line = r#"{"contents":[{"role":"user","parts":[{"text":"PROMPT"}]},{"role":"model","parts":[{"text":"ANSWER"}]}]}"#;
    for text in ["Ã© tarde", "Ã¡", "@", "<b>", "ghp_", "\u{200b}a", "1234567"] {
        agree(line.replace("PROMPT", text).as_bytes());
        agree(line.replace("ANSWER", text).as_bytes());
    }
}

#[test]
fn what_shows_no_sign_no_rule_minds() {
    for line in lines_of_pages() {
        agree(&line);
    }
}

/// Repairs a line until nothing more can be repaired, and says which codes
/// are left.
pub(crate) fn repaired(line: &str, method: Method, safety: Safety) -> (String, Vec<&'static str>) {
    const MOST_ROUNDS: usize = 12;
    let context = Context {
        method,
        ..Context::default()
    };
    let mut line = line.as_bytes().to_vec();
    for _ in 0..MOST_ROUNDS {
        let findings = of_line(&line, &context);
        let is_meant = |found: &&Found| {
            found.rule.fix.is_some_and(|fix| fix <= safety) && !found.repair.is_empty()
        };
        let repairs: Vec<_> = findings
            .iter()
            .filter(is_meant)
            .map(|found| &found.repair[..])
            .collect();
        if repairs.is_empty() {
            let codes = findings.iter().map(|found| found.rule.code.code).collect();
            return (String::from_utf8(line).unwrap(), codes);
        }
        line = apply(&line, &repairs).0;
    }
    panic!("there is no end to it: {}", String::from_utf8_lossy(&line));
}

/// Asserts that what was repaired stays as it is.
pub(crate) fn twice(line: &str, method: Method, safety: Safety) {
    assert_eq!(repaired(line, method, safety).0, line);
}

/// What the rules of lines find in one.
fn of_line(line: &[u8], context: &Context) -> Vec<Found> {
    let levels = Levels::default();
    let findings = check_all(line, context, &levels, false);
    let is_of_line =
        |found: &Found| !matches!(found.rule.check, Check::Dataset(_) | Check::Prompt(_));
    let mut found: Vec<_> = findings.found.into_iter().filter(is_of_line).collect();
    found.sort_by_key(|found| report::index_of(found.rule));
    // A line by itself has no line end, and few examples.
    found.retain(|found| found.position.is_some());
    found
}

mod mutations;

mod laws {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of text that some rule minds, and some that none does.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            3 => "[a-zA-Z ,.]{0,12}",
            2 => "[ -~]{0,10}",
            1 => "(?s).{0,6}",
            1 => "[áéñ¿¡—«»…。，你好]{1,6}",
            1 => prop_oneof![
                Just("As an AI language model, I cannot help."), Just("Lo siento, no puedo"), Just("<b>x</b>"), Just("&amp;"),
                Just("me@example.org"), Just("+1 555 123 4567"), Just("4111 1111 1111 1111"), Just("DE89370400440532013000"),
                Just("AKIAIOSFODNN7EXAMPLE"), Just("Ã±"), Just("â€™"), Just("e\u{301}"), Just("\u{200b}"), Just("\u{fffd}"), Just("\u{7f}"),
                Just("\n"), Just("\t"), Just("```"), Just("抱歉，我无法"), Just("抱歉，我无法提供帮助"), Just("I’m sorry, but I can’t help with that"),
                Just("Here is the translation: "), Just("以下是翻译："), Just("作为一个AI"), Just("como modelo de lenguaje"), Just("<think>"), Just("[INST]"), Just("_x000D_"), Just("锟斤拷"),
                Just("Well. The old man went down to the river in the morning and nobody saw him. "), Just("ghp_q7Z3mX2k9PlW6tB4vR8nJ5cY1dH0sGfEaU2w"), Just("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiIsIm4iOjF9.q7Z3mX2k9PlW6tB4vR8nJ5cY"),
                Just("IRMÃ"), Just("…»"), Just("\u{202e}"), Just("שלום"), Just("\u{200d}"), Just("\u{85}"), Just("\u{0}"), Just("+34 612 84 93 07"), Just("138 2764 9051"), Just("2019年12月31"), Just("\u{a0}"),
            ].prop_map(str::to_owned),
        ];
        proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn signs_hide_nothing(prompt in text(), answer in text(), system in proptest::option::of(text()), is_echo: bool) {
            use crate::example::{Content, Example, Role, write};
            let answer = if is_echo { format!("{prompt}{answer}") } else { answer };
            let example = Example {
                system_instruction: system.into_iter().map(Into::into).collect(),
                contents: vec![Content::text(Role::User, prompt), Content::text(Role::Model, answer)],
                ..Example::default()
            };
            let mut line = Vec::new();
            write::line(&example, &mut line);
            agree(&line);
        }

        #[test]
        fn the_two_ways_know_examples_by_the_same_fingerprints(
            prompt in text(), answer in text(), system in proptest::option::of(text()),
        ) {
            use crate::example::{Content, Example, Role, write};
            let example = Example {
                system_instruction: system.into_iter().map(Into::into).collect(),
                contents: vec![Content::text(Role::User, prompt), Content::text(Role::Model, answer)],
                ..Example::default()
            };
            let mut line = Vec::new();
            write::line(&example, &mut line);
            let spaced = String::from_utf8(line.clone()).unwrap().replacen("{\"role\"", "{ \"role\" ", 1);
            let digest = |line: &[u8], is_thorough: bool| {
                let (context, levels) = (Context::default(), Levels::default());
                let mut checker = if is_thorough { Checker::thorough(&context, &levels) } else { Checker::new(&context, &levels) };
                let mut tally = Tally::default();
                checker.line(&lines(line)[0], &mut Findings::new(9, false), &mut tally);
                Digest { is_invalid: false, ..tally.digests[0] }
            };
            let plain = digest(&line, false);
            prop_assert_eq!(digest(&line, true), plain);
            prop_assert_eq!(digest(spaced.as_bytes(), false), plain);
        }
    }
}
