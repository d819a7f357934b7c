//! A line of a dataset as it is compared with others.
//!
//! An example has a **prompt** (all turns before the last turn of the model),
//! an **answer** (that turn) and a **context** (system instruction, tools, and
//! every other member). Texts are compared in the form that
//! [`text::normalise`](crate::text::normalise) gives them; parts that are no
//! text, tools and other members as they are written, but for white space. Which
//! text stands in which part of which turn counts.
//!
//! This reads what it compares and no more: whether a line is what the service
//! wants is for the rules to say. A line that is written as `prep` writes most,
//! with texts that hold nothing to decode, is not even parsed.

use std::borrow::Cow;
use std::ops::Range;

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128, xxh3_128_with_seed};

use super::lines::{LINE_LIMIT, LineText, TooLong};
use crate::diag::{Finding, Position, S008, S019};
use crate::json::{Document, Kind, Value, column_of, compact, find_special};
use crate::source::chat::json_code;
use crate::text::normalise;

/// What an example is known by. The normalised prints are those of normalised
/// texts, the exact ones of texts byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Prints {
    /// Normalised, of prompt and context.
    pub(crate) prompt: u128,
    /// Normalised, of the answer; `None` if there is none.
    pub(crate) answer: Option<u128>,
    /// Normalised, of the context.
    pub(crate) context: u64,
    /// Exact, of prompt and context.
    pub(crate) exact_prompt: u64,
    /// Exact, of the answer.
    pub(crate) exact_answer: u64,
    /// The bytes of all texts of prompt and answer.
    pub(crate) text_bytes: u32,
}

/// Reads one line after another, in memory that is used again.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    document: Document,
    sides: Buffers,
}

#[derive(Debug, Default)]
struct Buffers {
    prompt: Side,
    answer: Side,
    context: Side,
    /// The system instruction that was read last, and its prints: most
    /// datasets have one for all examples.
    system: Option<(String, u64, u64)>,
    members: Vec<(String, Vec<u8>)>,
    /// The print of the prompt, whatever its context, and that of the answer.
    prints: (u128, Option<u128>),
    /// Where each turn before the answer ends, in the text and in the shape of
    /// the prompt, and whether it is one of the model.
    ends: Vec<(usize, usize, bool)>,
    /// Where the texts of a plain line are.
    texts: Vec<Range<usize>>,
}

/// Texts that follow each other.
#[derive(Debug, Default)]
struct Side {
    /// Normalised, a newline between two.
    text: String,
    /// What kind of text each one is, and how long.
    shape: Vec<u8>,
    exact: u64,
    bytes: usize,
    /// Its texts do not matter, but for their length.
    is_skipped: bool,
}

impl Side {
    fn clear(&mut self) {
        self.text.clear();
        self.shape.clear();
        self.exact = 0;
        self.bytes = 0;
    }

    fn mark(&mut self, tag: u8) {
        self.shape.push(tag);
        self.exact = self.exact.rotate_left(9) ^ u64::from(tag);
    }

    fn text(&mut self, text: &str) {
        if self.is_skipped {
            self.bytes += text.len();
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let start = self.text.len();
        normalise(text, &mut self.text);
        self.end(b't', start, text.as_bytes());
    }

    fn other(&mut self, bytes: &[u8]) {
        if self.is_skipped {
            self.bytes += bytes.len();
            return;
        }
        let start = self.text.len();
        self.text.push_str(&String::from_utf8_lossy(bytes));
        self.end(b'o', start, bytes);
    }

    fn end(&mut self, tag: u8, start: usize, exact: &[u8]) {
        self.mark(tag);
        let len = (self.text.len() - start) as u32;
        self.shape.extend_from_slice(&len.to_le_bytes());
        self.exact = xxh3_64_with_seed(exact, self.exact);
        self.bytes += exact.len();
    }

    fn print(&self) -> u128 {
        print(&self.text, &self.shape)
    }
}

impl Reader {
    /// Chooses whether answers are passed over from now on: there is no print
    /// of them then, which saves half of the work.
    pub(crate) fn skip_answers(&mut self, skips: bool) {
        self.sides.answer.is_skipped = skips;
    }

    /// Reads a line that is not blank; `is_last` if the input ends with it.
    ///
    /// # Errors
    ///
    /// What is wrong with a line that is no example, at its column; its line
    /// is 0.
    pub(crate) fn read(
        &mut self,
        text: Result<LineText<'_>, TooLong<'_>>,
        is_last: bool,
    ) -> Result<Prints, Finding> {
        let text = text.map_err(|long| {
            let limit = LINE_LIMIT;
            let message = format!("the line has {} bytes, the limit is {limit}", long.bytes);
            Finding::new(&S008, Position::line(0), message)
        })?;
        if let LineText::Utf8(text) = text
            && let Some(prints) = self.sides.plain(text)
        {
            return Ok(prints);
        }
        let parsed = match text {
            LineText::Utf8(text) => self.document.parse_str(text),
            LineText::Bytes(bytes) => self.document.parse(bytes),
        };
        match parsed {
            Ok(value) => self.sides.read(value).map_err(|(at, message)| {
                let (_, column) = column_of(text.bytes(), at);
                Finding::new(&S019, Position { line: 0, column }, message)
            }),
            Err(error) => {
                let bytes = text.bytes();
                let code = json_code(&error, bytes, is_last);
                let (_, column) = column_of(bytes, error.offset);
                Err(Finding::new(
                    code,
                    Position { line: 0, column },
                    error.message(),
                ))
            }
        }
    }

    /// The normalised text of the prompt that was read last.
    pub(crate) fn prompt(&self) -> &str {
        &self.sides.prompt.text
    }

    /// The normalised text of the answer that was read last.
    pub(crate) fn answer(&self) -> &str {
        &self.sides.answer.text
    }

    /// The print of the prompt that was read last, whatever its context.
    pub(crate) fn prompt_alone(&self) -> u128 {
        self.sides.prints.0
    }

    /// The exact print of the prompt that was read last, whatever its context.
    pub(crate) fn exact_prompt_alone(&self) -> u64 {
        self.sides.prompt.exact
    }

    /// Gives a print of the conversation that was read last up to each turn of
    /// the model, the whole of it last. Two are equal if the turns up to there
    /// are, normalised.
    pub(crate) fn turns(&self, prints: &mut Vec<u128>) {
        let Buffers {
            prompt,
            ends,
            prints: (alone, answer),
            ..
        } = &self.sides;
        prints.clear();
        let (mut chain, mut text, mut shape) = (0, 0, 0);
        for &(text_end, shape_end, is_model) in ends {
            let turn = if ends.len() == 1 {
                *alone
            } else {
                let turn = &prompt.text[text..text_end];
                let turn = turn.strip_prefix('\n').filter(|_| text > 0).unwrap_or(turn);
                print(turn, &prompt.shape[shape..shape_end])
            };
            chain = after(chain, turn);
            (text, shape) = (text_end, shape_end);
            if is_model {
                prints.push(chain);
            }
        }
        prints.extend(answer.map(|answer| after(chain, answer)));
    }
}

/// The print of texts of some shape.
fn print(text: &str, shape: &[u8]) -> u128 {
    xxh3_128_with_seed(text.as_bytes(), xxh3_64_with_seed(shape, 0))
}

/// The print of what has one print and comes after what has another.
fn after(before: u128, print: u128) -> u128 {
    let mut both = [0; 32];
    both[..16].copy_from_slice(&before.to_le_bytes());
    both[16..].copy_from_slice(&print.to_le_bytes());
    xxh3_128(&both)
}

impl Buffers {
    fn clear(&mut self) {
        self.prompt.clear();
        self.answer.clear();
        self.context.clear();
        self.members.clear();
        self.ends.clear();
    }

    /// Reads a line of the common shape, whose system instruction, if it has
    /// one, is the one that was read last; `None` for any other.
    fn plain(&mut self, line: &str) -> Option<Prints> {
        const SYSTEM: &str = "\"systemInstruction\":";
        const CONTENTS: &str = "\"contents\":[";
        const USER: &str = "{\"role\":\"user\",\"parts\":[{\"text\":\"";
        const MODEL: &str = "{\"role\":\"model\",\"parts\":[{\"text\":\"";
        const AFTER_TEXT: &str = "\"}]}";
        let mut rest = line.strip_prefix('{')?;
        let has_system = match (rest.strip_prefix(SYSTEM), &self.system) {
            (None, _) => false,
            (Some(after), Some((known, ..))) => {
                rest = after.strip_prefix(known.as_str())?.strip_prefix(',')?;
                true
            }
            (Some(_), None) => return None,
        };
        rest = rest.strip_prefix(CONTENTS)?;
        self.texts.clear();
        loop {
            for before in [USER, MODEL] {
                let text = rest.strip_prefix(before)?;
                let len = find_special(text.as_bytes(), 0)?;
                let start = line.len() - text.len();
                self.texts.push(start..start + len);
                rest = text.get(len..)?.strip_prefix(AFTER_TEXT)?;
                if before == USER {
                    rest = rest.strip_prefix(',')?;
                }
            }
            match rest.strip_prefix(',') {
                Some(after) => rest = after,
                None if rest == "]}" => break,
                None => return None,
            }
        }
        self.clear();
        if let (true, Some((_, print, exact))) = (has_system, &self.system) {
            self.context.shape.extend_from_slice(&print.to_le_bytes());
            self.context.exact ^= exact;
        }
        let (answer, before) = self.texts.split_last()?;
        for (n, text) in before.iter().enumerate() {
            let is_model = n % 2 == 1;
            self.prompt.mark(if is_model { b'm' } else { b'u' });
            self.prompt.text(&line[text.clone()]);
            let (text, shape) = (self.prompt.text.len(), self.prompt.shape.len());
            self.ends.push((text, shape, is_model));
        }
        self.answer.mark(b'm');
        self.answer.text(&line[answer.clone()]);
        Some(self.prints(true))
    }

    fn read(&mut self, example: Value<'_, '_>) -> Result<Prints, (usize, String)> {
        self.clear();
        let mut contents = None;
        for (key, value) in example.entries() {
            match &*key.text {
                "contents" => contents = Some(value),
                "systemInstruction" | "system_instruction" => self.system(value),
                _ => {
                    let mut json = Vec::new();
                    compact(value, &mut json);
                    self.members.push((key.text.into_owned(), json));
                }
            }
        }
        let Some(contents) = contents.filter(|turns| turns.items().next().is_some()) else {
            let message = "expected an object with turns under the key `contents`";
            return Err((example.offset(), message.into()));
        };
        // Whatever order they were written in.
        self.members.sort();
        for (name, json) in &self.members {
            self.context.other(name.as_bytes());
            self.context.other(json);
        }
        let has_answer = self.turns(contents)?;
        Ok(self.prints(has_answer))
    }

    fn prints(&mut self, has_answer: bool) -> Prints {
        let context = self.context.print() as u64;
        let alone = self.prompt.print();
        let has_answer = has_answer && !self.answer.is_skipped;
        let answer = has_answer.then(|| self.answer.print());
        self.prints = (alone, answer);
        let text_bytes = self.prompt.bytes + self.answer.bytes;
        Prints {
            prompt: after(alone, context.into()),
            answer,
            context,
            exact_prompt: self.prompt.exact ^ self.context.exact.rotate_left(32),
            exact_answer: self.answer.exact,
            text_bytes: u32::try_from(text_bytes).unwrap_or(u32::MAX),
        }
    }

    /// Reads the turns, and tells whether there is an answer.
    fn turns(&mut self, contents: Value<'_, '_>) -> Result<bool, (usize, String)> {
        let is_model =
            |turn: Value<'_, '_>| turn.get("role").is_some_and(|role| role.is_str("model"));
        let answer = contents
            .items()
            .zip(0..)
            .filter_map(|(turn, n)| is_model(turn).then_some(n))
            .last();
        for (turn, n) in contents.items().zip(0..) {
            let Some(parts) = turn
                .get("parts")
                .filter(|parts| parts.kind() == Kind::Array)
            else {
                let message = format!("turn {} has no `parts`", n + 1);
                return Err((turn.offset(), message));
            };
            let side = if Some(n) == answer {
                &mut self.answer
            } else {
                &mut self.prompt
            };
            match turn.get("role").and_then(Value::as_str).as_deref() {
                Some("user") => side.mark(b'u'),
                Some("model") => side.mark(b'm'),
                Some(other) => side.other(other.as_bytes()),
                None => side.mark(b'-'),
            }
            parts.items().for_each(|part| one_part(part, side));
            if Some(n) != answer {
                let (text, shape) = (side.text.len(), side.shape.len());
                self.ends.push((text, shape, is_model(turn)));
            }
        }
        Ok(answer.is_some())
    }

    fn system(&mut self, system: Value<'_, '_>) {
        let raw = system.raw();
        if let Some((known, print, exact)) = &self.system
            && known == raw
        {
            self.context.shape.extend_from_slice(&print.to_le_bytes());
            self.context.exact ^= exact;
            return;
        }
        let mut side = Side::default();
        match (system.as_str(), system.get("parts")) {
            (Some(text), _) => side.text(&text),
            (None, Some(parts)) => parts.items().for_each(|part| one_part(part, &mut side)),
            (None, None) => {
                let mut json = Vec::new();
                compact(system, &mut json);
                side.other(&json);
            }
        }
        let (print, exact) = (side.print() as u64, side.exact);
        self.context.shape.extend_from_slice(&print.to_le_bytes());
        self.context.exact ^= exact;
        self.system = Some((raw.to_owned(), print, exact));
    }
}

/// Reads a part: a text, or anything else as it is written.
fn one_part(part: Value<'_, '_>, side: &mut Side) {
    let mut entries = part.entries();
    let text: Option<Cow<'_, str>> = match (entries.next(), entries.next()) {
        (Some((key, value)), None) if key.text == "text" => value.as_str(),
        _ => None,
    };
    match text {
        Some(text) => side.text(&text),
        None => {
            let mut json = Vec::new();
            compact(part, &mut json);
            side.other(&json);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(line: &str) -> Result<Prints, String> {
        let prints = Reader::default().read(Ok(LineText::Utf8(line)), true);
        prints.map_err(|finding| {
            let (code, column) = (finding.code.code, finding.position.column);
            format!("{code} {column} {}", finding.message)
        })
    }

    fn example(system: &str, user: &str, model: &str) -> String {
        let text = |text: &str| serde_json::json!({"parts": [{"text": text}]});
        let turn =
            |role: &str, text: &str| serde_json::json!({"role": role, "parts": [{"text": text}]});
        let mut example =
            serde_json::json!({"contents": [turn("user", user), turn("model", model)]});
        if !system.is_empty() {
            example["systemInstruction"] = text(system);
        }
        example.to_string()
    }

    #[test]
    fn each_side_has_prints_of_its_own() {
        let of = |system, user, model| read(&example(system, user, model)).unwrap();
        let one = of("S", "Hello", "Hola");
        assert_eq!(of("S", "Hello", "Hola"), one);
        let looks_different = of("s ", "“hello”".trim_matches(['“', '”']), "HOLA");
        assert_eq!(
            (looks_different.prompt, looks_different.answer),
            (one.prompt, one.answer)
        );
        assert_ne!(looks_different.exact_prompt, one.exact_prompt);
        assert_ne!(looks_different.exact_answer, one.exact_answer);
        let other_answer = of("S", "Hello", "Buenas");
        assert_eq!(
            (other_answer.prompt, other_answer.exact_prompt),
            (one.prompt, one.exact_prompt)
        );
        assert_ne!(other_answer.answer, one.answer);
        let other_system = of("T", "Hello", "Hola");
        assert_ne!(other_system.prompt, one.prompt);
        assert_eq!(other_system.answer, one.answer);
        assert_ne!(of("", "Hello", "Hola").prompt, one.prompt);
        assert_eq!(one.text_bytes, 9);
    }

    #[test]
    fn a_conversation_is_known_by_its_beginnings() {
        let turns = |turns: &[&str]| {
            let turn = |(n, text): (usize, &&str)| {
                let role = ["user", "model"][n % 2];
                serde_json::json!({"role": role, "parts": [{"text": text}]})
            };
            let turns: Vec<_> = turns.iter().enumerate().map(turn).collect();
            let line = serde_json::json!({"contents": turns}).to_string();
            let mut reader = Reader::default();
            reader.read(Ok(LineText::Utf8(&line)), true).unwrap();
            let mut prints = Vec::new();
            reader.turns(&mut prints);
            prints
        };
        let whole = turns(&["Hi", "Hello", "Why?", "So.", "Ah", "Yes"]);
        assert_eq!(whole.len(), 3);
        assert_eq!(turns(&["hi", "HELLO"]), whole[..1]);
        assert_eq!(turns(&["Hi", "Hello", "Why?", "So."]), whole[..2]);
        assert_ne!(turns(&["Hi", "Hello", "Why", "So."])[1], whole[1]);
        assert_eq!(turns(&["", "", "", ""])[..1], turns(&["", ""]));
    }

    fn lines() -> impl Strategy<Value = Vec<String>> {
        let text = prop_oneof![
            4 => "[a-zé你 “]{0,20}",
            1 => Just("a \"quote\"\n".to_owned()),
            1 => Just("\\".to_owned()),
        ];
        let turns = proptest::collection::vec(text, 0..6);
        let system = prop_oneof![Just(""), Just("Be brief."), Just("Be \"long\".")];
        let changed = prop_oneof![
            6 => Just(("", "")),
            1 => Just((",{", ", {")),
            1 => Just(("\"user\"", "\"model\"")),
            1 => Just(("}]}", "}],\"a\":1}")),
            1 => Just(("{\"contents", "{\"labels\":{},\"contents")),
            1 => Just(("]}", "]")),
        ];
        let line = (turns, system, changed).prop_map(|(turns, system, (from, to))| {
            let turn = |(n, text): (usize, &String)| {
                let parts = serde_json::json!([{"text": text}]).to_string();
                let role = ["user", "model"][n % 2];
                format!("{{\"role\":\"{role}\",\"parts\":{parts}}}")
            };
            let turns: Vec<_> = turns.iter().enumerate().map(turn).collect();
            let system = match system {
                "" => String::new(),
                system => {
                    let parts = serde_json::json!([{"text": system}]).to_string();
                    format!("\"systemInstruction\":{{\"parts\":{parts}}},")
                }
            };
            let line = format!("{{{system}\"contents\":[{}]}}", turns.join(","));
            line.replacen(from, to, usize::from(!from.is_empty()))
        });
        proptest::collection::vec(line, 1..4)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn a_plain_line_is_read_as_any_other(lines in lines()) {
            let (mut quick, mut parsing) = (Reader::default(), Reader::default());
            for line in lines {
                let read = quick.read(Ok(LineText::Utf8(&line)), true);
                // What may not be UTF-8 is parsed.
                let expected = parsing.read(Ok(LineText::Bytes(line.as_bytes())), true);
                prop_assert_eq!(read.as_ref().ok(), expected.as_ref().ok(), "{}", line);
                if read.is_err() {
                    continue;
                }
                prop_assert_eq!((quick.prompt(), quick.answer()), (parsing.prompt(), parsing.answer()));
                prop_assert_eq!(quick.prompt_alone(), parsing.prompt_alone());
                prop_assert_eq!(quick.exact_prompt_alone(), parsing.exact_prompt_alone());
                let (mut turns, mut expected) = (Vec::new(), Vec::new());
                quick.turns(&mut turns);
                parsing.turns(&mut expected);
                prop_assert_eq!(turns, expected);
            }
        }
    }

    #[test]
    fn an_answer_that_is_skipped_counts_by_its_length_only() {
        let turns = |answer: &str| {
            format!(
                r#"{{"contents":[{{"role":"user","parts":[{{"text":"Hi"}}]}},{{"role":"model","parts":[{answer}]}}]}}"#
            )
        };
        let mut skipping = Reader::default();
        skipping.skip_answers(true);
        for line in [
            turns(r#"{"text":"Hola"}"#),
            turns(r#"{"text":"a\nb"},{"x":1}"#),
        ] {
            let whole = read(&line).unwrap();
            let prints = skipping.read(Ok(LineText::Utf8(&line)), true).unwrap();
            let expected = Prints {
                answer: None,
                exact_answer: prints.exact_answer,
                ..whole
            };
            assert_eq!((prints, skipping.prompt()), (expected, "hi"));
        }
    }

    #[test]
    fn most_lines_are_plain() {
        let line = r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"text":"Hola"}]}]}"#;
        let with_system =
            line.replacen('{', r#"{"systemInstruction":{"parts":[{"text":"S"}]},"#, 1);
        let mut reader = Reader::default();
        assert!(reader.sides.plain(line).is_some());
        assert!(reader.sides.plain(&with_system).is_none());
        reader.read(Ok(LineText::Utf8(&with_system)), true).unwrap();
        assert!(reader.sides.plain(&with_system).is_some());
    }

    #[test]
    fn how_json_is_written_does_not_count() {
        let one = read(
            r#"{"systemInstruction":{"parts":[{"text":"S"}]},"contents":[{"role":"user","parts":[{"text":"é"}]},{"role":"model","parts":[{"functionCall":{"name":"f"}}]}],"tools":[],"labels":{}}"#,
        );
        let other = read(
            r#" { "labels": {}, "tools": [ ], "contents": [ {"parts": [{"text": "\u00e9"}], "role": "user"}, {"role": "model", "parts": [{"functionCall": {"name":"f"}}]}], "system_instruction": {"parts":[{"text":"S"}]} } "#,
        );
        assert_eq!(one, other);
        assert!(one.is_ok());
    }

    #[test]
    fn where_a_text_stands_counts() {
        let turns = |turns: &str| read(&format!(r#"{{"contents":[{turns}]}}"#)).unwrap();
        let one = turns(
            r#"{"role":"user","parts":[{"text":"a"},{"text":"b"}]},{"role":"model","parts":[{"text":"c"}]}"#,
        );
        let joined = turns(
            r#"{"role":"user","parts":[{"text":"a\nb"}]},{"role":"model","parts":[{"text":"c"}]}"#,
        );
        let apart = turns(
            r#"{"role":"user","parts":[{"text":"a"}]},{"role":"user","parts":[{"text":"b"}]},{"role":"model","parts":[{"text":"c"}]}"#,
        );
        let longer = turns(
            r#"{"role":"user","parts":[{"text":"a"},{"text":"b"}]},{"role":"model","parts":[{"text":"x"}]},{"role":"user","parts":[{"text":"y"}]},{"role":"model","parts":[{"text":"c"}]}"#,
        );
        for other in [joined, apart, longer] {
            assert_ne!(other.prompt, one.prompt);
            assert_eq!(other.answer, one.answer);
        }
        let unanswered = turns(r#"{"role":"user","parts":[{"text":"a"},{"text":"b"}]}"#);
        assert_eq!((unanswered.prompt, unanswered.answer), (one.prompt, None));
    }

    #[test]
    fn what_is_no_example_has_a_reason() {
        let check = |line: &str, expected: &str| assert_eq!(read(line), Err(expected.to_owned()));
        check(
            "{\"contents\":",
            "S031 13 expected a value after `:`, found the end of the text",
        );
        check("nothing", "S014 1 expected a value, found `nothing`");
        check(
            "[]",
            "S019 1 expected an object with turns under the key `contents`",
        );
        check(
            "{\"contents\":[]}",
            "S019 1 expected an object with turns under the key `contents`",
        );
        check("{\"contents\":[{}]}", "S019 14 turn 1 has no `parts`");
    }
}
