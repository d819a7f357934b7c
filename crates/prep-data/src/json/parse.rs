//! From a text to a tape of values.
//!
//! UTF-8 is checked once for the whole text; after that only ASCII bytes are
//! compared and every slice falls between characters. Open arrays and objects
//! are kept on a stack of our own, so depth costs memory and not the thread's
//! stack. Errors come in the order of the text, except that UTF-8 goes first.

use std::borrow::Cow;
use std::collections::HashSet;

use super::error::{Error, ErrorKind, found};
use super::string::{escape, find_special, short_escape};
use super::value::{Node, Tag, Value};

/// How deep arrays and objects may be nested.
pub const DEPTH_LIMIT: usize = 128;

/// The place for one parsed text after another.
#[derive(Debug, Default)]
pub struct Document {
    nodes: Vec<Node>,
    open: Vec<Open>,
}

impl Document {
    /// Makes a place without memory; parsing takes what it needs and keeps it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Parses a text that is one JSON value with whitespace around it.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with the text.
    pub fn parse<'d, 'a>(&'d mut self, text: &'a [u8]) -> Result<Value<'d, 'a>, Error> {
        self.parse_str(checked_utf8(text)?)
    }

    /// Parses a text that is known to be UTF-8, as [`Document::parse`] does.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with the text.
    pub fn parse_str<'d, 'a>(&'d mut self, text: &'a str) -> Result<Value<'d, 'a>, Error> {
        if u32::try_from(text.len()).is_err() {
            return Err(ErrorKind::TooLong(text.len()).at(0));
        }
        self.nodes.clear();
        self.open.clear();
        let mut parser = Parser {
            text,
            bytes: text.as_bytes(),
            at: 0,
            nodes: &mut self.nodes,
            open: &mut self.open,
            crowded: Vec::new(),
        };
        parser.document()?;
        Ok(Value {
            nodes: &self.nodes,
            at: 0,
            text,
        })
    }
}

fn checked_utf8(text: &[u8]) -> Result<&str, Error> {
    simdutf8::basic::from_utf8(text).map_err(|_| {
        let n_valid = text
            .utf8_chunks()
            .next()
            .map_or(0, |chunk| chunk.valid().len());
        let byte = text.get(n_valid).copied().unwrap_or_default();
        ErrorKind::InvalidUtf8(byte).at(n_valid)
    })
}

/// An array or object whose end has not been reached.
#[derive(Debug)]
struct Open {
    /// Its place on the tape.
    node: usize,
    is_object: bool,
    /// Items or keys so far.
    n_parts: usize,
}

/// Objects with more keys than this have them in a set. Below it, comparing
/// them one by one is faster than hashing.
const FEW_KEYS: usize = 16;

/// The keys of an open object that has many.
struct Crowded<'a> {
    node: usize,
    names: HashSet<Cow<'a, str>>,
}

struct Parser<'p, 'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    nodes: &'p mut Vec<Node>,
    open: &'p mut Vec<Open>,
    crowded: Vec<Crowded<'a>>,
}

impl<'a> Parser<'_, 'a> {
    fn document(&mut self) -> Result<(), Error> {
        self.value("a value")?;
        while let Some(open) = self.open.last() {
            match (open.is_object, open.n_parts) {
                (false, 0) => self.first_item()?,
                (false, _) => self.next_item()?,
                (true, 0) => self.first_entry()?,
                (true, _) => self.next_entry()?,
            }
        }
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(ErrorKind::TrailingData(found(self.text, self.at)).at(self.at)),
        }
    }

    fn first_item(&mut self) -> Result<(), Error> {
        if self.peek() == Some(b']') {
            return self.close();
        }
        self.item("a value or `]` after `[`")
    }

    fn next_item(&mut self) -> Result<(), Error> {
        match self.peek() {
            Some(b',') => self.at += 1,
            Some(b']') => return self.close(),
            _ => return Err(self.unexpected("`,` or `]` after a value")),
        }
        self.item("a value after `,`")
    }

    fn item(&mut self, expected: &'static str) -> Result<(), Error> {
        self.count_part();
        self.value(expected)
    }

    fn first_entry(&mut self) -> Result<(), Error> {
        if self.peek() == Some(b'}') {
            return self.close();
        }
        self.entry("a key in double quotes or `}` after `{`")
    }

    fn next_entry(&mut self) -> Result<(), Error> {
        match self.peek() {
            Some(b',') => self.at += 1,
            Some(b'}') => return self.close(),
            _ => return Err(self.unexpected("`,` or `}` after a value")),
        }
        self.entry("a key in double quotes after `,`")
    }

    fn entry(&mut self, expected: &'static str) -> Result<(), Error> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected(expected));
        }
        let key = self.nodes.len();
        self.string()?;
        self.refuse_duplicate(key)?;
        self.count_part();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("`:` after a key"));
        }
        self.at += 1;
        self.value("a value after `:`")
    }

    fn count_part(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.n_parts += 1;
        }
    }

    /// Reads a string, number or literal to its end, or opens an array or
    /// object.
    fn value(&mut self, expected: &'static str) -> Result<(), Error> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.open(Tag::Object),
            Some(b'[') => self.open(Tag::Array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Tag::True, expected),
            Some(b'f') => self.literal("false", Tag::False, expected),
            Some(b'n') => self.literal("null", Tag::Null, expected),
            _ => Err(self.no_value(expected)),
        }
    }

    fn open(&mut self, tag: Tag) -> Result<(), Error> {
        if self.open.len() == DEPTH_LIMIT {
            return Err(ErrorKind::TooDeep.at(self.at));
        }
        self.open.push(Open {
            node: self.nodes.len(),
            is_object: tag == Tag::Object,
            n_parts: 0,
        });
        self.push(tag, self.at, self.at + 1);
        self.at += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        self.at += 1;
        let next = self.nodes.len() as u32;
        if let Some(open) = self.open.pop() {
            let node = &mut self.nodes[open.node];
            node.end = self.at as u32;
            node.next = next;
            self.crowded.pop_if(|crowded| crowded.node == open.node);
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), Error> {
        let start = self.at;
        let mut tag = Tag::Plain;
        self.at += 1;
        loop {
            let Some(special) = find_special(self.bytes, self.at) else {
                let expected = "`\"` at the end of a string";
                return Err(ErrorKind::Truncated(expected).at(self.bytes.len()));
            };
            match self.bytes[special] {
                b'"' => {
                    self.at = special + 1;
                    self.push(tag, start, self.at);
                    return Ok(());
                }
                b'\\' => {
                    tag = Tag::Escaped;
                    self.at = special + self.escape(special)?;
                }
                control => return Err(ErrorKind::ControlCharacter(control).at(special)),
            }
        }
    }

    /// Checks the escape at a place and gives its length.
    #[inline]
    fn escape(&self, at: usize) -> Result<usize, Error> {
        if self
            .bytes
            .get(at + 1)
            .copied()
            .and_then(short_escape)
            .is_some()
        {
            return Ok(2);
        }
        match escape(&self.text[at..]) {
            Ok((_, n_bytes)) => Ok(n_bytes),
            Err((kind, n)) => Err(kind.at(at + n)),
        }
    }

    /// Refuses the key at a place on the tape if its object has it already.
    fn refuse_duplicate(&mut self, key: usize) -> Result<(), Error> {
        let Some(&Open { node, n_parts, .. }) = self.open.last() else {
            return Ok(());
        };
        let is_new = if n_parts < FEW_KEYS {
            self.keys_of(node, key)
                .all(|earlier| !self.is_same(earlier, key))
        } else {
            self.join_crowd(node, key)
        };
        if is_new {
            return Ok(());
        }
        let name = self.name(key).into_owned();
        Err(ErrorKind::DuplicateKey(name).at(self.nodes[key].start as usize))
    }

    /// Adds a key to the set of its object's keys; tells whether it is new.
    fn join_crowd(&mut self, node: usize, key: usize) -> bool {
        if self
            .crowded
            .last()
            .is_none_or(|crowded| crowded.node != node)
        {
            let names = self.keys_of(node, key).map(|key| self.name(key)).collect();
            self.crowded.push(Crowded { node, names });
        }
        let name = self.name(key);
        self.crowded
            .last_mut()
            .is_some_and(|crowded| crowded.names.insert(name))
    }

    /// The keys of an object before a place on the tape.
    fn keys_of(&self, object: usize, before: usize) -> impl Iterator<Item = usize> {
        let mut at = object + 1;
        std::iter::from_fn(move || {
            let key = at;
            if key >= before {
                return None;
            }
            at = self.nodes[key + 1].next as usize;
            Some(key)
        })
    }

    fn is_same(&self, one: usize, other: usize) -> bool {
        if self.nodes[one].tag == Tag::Plain && self.nodes[other].tag == Tag::Plain {
            return self.string_at(one).inside().as_bytes()
                == self.string_at(other).inside().as_bytes();
        }
        self.name(one) == self.name(other)
    }

    fn name(&self, key: usize) -> Cow<'a, str> {
        self.string_at(key).as_str().unwrap_or_default()
    }

    fn string_at(&self, at: usize) -> Value<'_, 'a> {
        Value {
            nodes: self.nodes,
            at,
            text: self.text,
        }
    }

    fn number(&mut self) -> Result<(), Error> {
        let start = self.at;
        if self.bytes[self.at] == b'-' {
            self.at += 1;
        }
        match self.bytes.get(self.at) {
            Some(b'0') => {
                self.at += 1;
                if self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
                    return Err(self.unexpected("no digit after a leading zero"));
                }
            }
            Some(b'I' | b'i' | b'N' | b'n') => return Err(self.no_value("a digit after `-`")),
            _ => self.digits("a digit after `-`")?,
        }
        let n_whole = self.at - start;
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits("a digit after `.`")?;
        }
        let has_exponent = matches!(self.bytes.get(self.at), Some(b'e' | b'E'));
        if has_exponent {
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("a digit in the exponent")?;
        }
        if has_exponent || n_whole > MAX_10_EXP {
            self.refuse_infinite(start)?;
        }
        self.push(Tag::Number, start, self.at);
        Ok(())
    }

    fn digits(&mut self, expected: &'static str) -> Result<(), Error> {
        let rest = &self.bytes[self.at..];
        let n_digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if n_digits == 0 {
            return Err(self.unexpected(expected));
        }
        self.at += n_digits;
        Ok(())
    }

    fn refuse_infinite(&self, start: usize) -> Result<(), Error> {
        let number = &self.text[start..self.at];
        match number.parse::<f64>() {
            Ok(parsed) if parsed.is_finite() => Ok(()),
            _ => Err(ErrorKind::NumberOutOfRange(number.to_owned()).at(start)),
        }
    }

    fn literal(&mut self, word: &str, tag: Tag, expected: &'static str) -> Result<(), Error> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.no_value(expected));
        }
        self.push(tag, self.at, self.at + word.len());
        self.at += word.len();
        Ok(())
    }

    fn push(&mut self, tag: Tag, start: usize, end: usize) {
        self.nodes.push(Node {
            start: start as u32,
            end: end as u32,
            next: self.nodes.len() as u32 + 1,
            tag,
        });
    }

    /// Skips whitespace and gives the byte after it.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        while let Some(&byte) = self.bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    #[cold]
    fn unexpected(&self, expected: &'static str) -> Error {
        if self.at >= self.bytes.len() {
            return ErrorKind::Truncated(expected).at(self.bytes.len());
        }
        let found = found(self.text, self.at);
        ErrorKind::Syntax(format!("expected {expected}, found {found}")).at(self.at)
    }

    /// Says why what stands here is no value: a name that other languages have
    /// for one, the beginning of a literal at the end of the text, or anything.
    #[cold]
    fn no_value(&self, expected: &'static str) -> Error {
        const NOT_FINITE: [&str; 6] = ["nan", "infinity", "inf", "-nan", "-infinity", "-inf"];
        let start = match self.at.checked_sub(1) {
            Some(before) if self.bytes[before] == b'-' => before,
            _ => self.at,
        };
        let word = self.word(start);
        if NOT_FINITE
            .iter()
            .any(|name| name.eq_ignore_ascii_case(word))
        {
            return ErrorKind::NotFinite(word.to_owned()).at(start);
        }
        let is_at_end = start + word.len() == self.bytes.len();
        for (literal, rest) in LITERALS {
            if is_at_end && !word.is_empty() && literal.starts_with(word) {
                return ErrorKind::Truncated(rest).at(self.bytes.len());
            }
            if literal.eq_ignore_ascii_case(word) {
                let reason = format!("expected `{literal}` in lower case, found `{word}`");
                return ErrorKind::Syntax(reason).at(start);
            }
        }
        self.unexpected(expected)
    }

    /// The letters at a place, after a sign if there is one.
    fn word(&self, start: usize) -> &'a str {
        let rest = &self.text[start..];
        let n_sign = usize::from(rest.starts_with('-'));
        let n_letters = rest
            .bytes()
            .skip(n_sign)
            .take_while(u8::is_ascii_alphabetic)
            .count();
        &rest[..n_sign + n_letters]
    }
}

/// A number with no exponent and at most this many digits is finite.
const MAX_10_EXP: usize = f64::MAX_10_EXP as usize;

const LITERALS: [(&str, &str); 3] = [
    ("true", "the rest of `true`"),
    ("false", "the rest of `false`"),
    ("null", "the rest of `null`"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses a text that is wrong and says so as `offset: message`.
    fn check(text: impl AsRef<[u8]>, expected: &str) {
        let error = Document::new().parse(text.as_ref()).unwrap_err();
        assert_eq!(format!("{}: {error}", error.offset), expected);
    }

    #[test]
    fn a_reason_names_what_was_expected_and_what_was_found() {
        check("", "0: expected a value, found the end of the text");
        check(" \n", "2: expected a value, found the end of the text");
        check("[1 2]", "3: expected `,` or `]` after a value, found `2`");
        check("[1,]", "3: expected a value after `,`, found `]`");
        check("[,1]", "1: expected a value or `]` after `[`, found `,`");
        check(
            r#"{"a":1 "b":2}"#,
            "7: expected `,` or `}` after a value, found `\"`",
        );
        check(r#"{"a" 1}"#, "5: expected `:` after a key, found `1`");
        check(r#"{"a":}"#, "5: expected a value after `:`, found `}`");
        check(
            r#"{"a":1,}"#,
            "7: expected a key in double quotes after `,`, found `}`",
        );
        check(
            "{'a':1}",
            "1: expected a key in double quotes or `}` after `{`, found `'`",
        );
        check(
            "{role: 1}",
            "1: expected a key in double quotes or `}` after `{`, found `role`",
        );
        check("\u{feff}{}", "0: expected a value, found a byte-order mark");
        check("[1}", "2: expected `,` or `]` after a value, found `}`");
        check(
            "[01]",
            "2: expected no digit after a leading zero, found `1`",
        );
        check("[1.]", "3: expected a digit after `.`, found `]`");
        check("[-]", "2: expected a digit after `-`, found `]`");
        check("[1e+]", "4: expected a digit in the exponent, found `]`");
        check("[+1]", "1: expected a value or `]` after `[`, found `+`");
        check(
            "[None]",
            "1: expected a value or `]` after `[`, found `None`",
        );
        check("[True]", "1: expected `true` in lower case, found `True`");
        check("[nul]", "1: expected a value or `]` after `[`, found `nul`");
        check("{} {}", "3: expected nothing after the value, found `{`");
        check("1 // one", "2: expected nothing after the value, found `/`");
    }

    #[test]
    fn a_text_that_ends_too_early_says_what_was_missing() {
        check(
            "[",
            "1: expected a value or `]` after `[`, found the end of the text",
        );
        check(
            "[1",
            "2: expected `,` or `]` after a value, found the end of the text",
        );
        check(
            r#"{"a"#,
            "3: expected `\"` at the end of a string, found the end of the text",
        );
        check(
            r#"["a\"#,
            "4: expected an escape after `\\`, found the end of the text",
        );
        check(
            r#"["\u00"#,
            "6: expected 4 hexadecimal digits after `\\u`, found the end of the text",
        );
        check(
            "tru",
            "3: expected the rest of `true`, found the end of the text",
        );
        check(
            "-",
            "1: expected a digit after `-`, found the end of the text",
        );
        check(
            "[1.",
            "3: expected a digit after `.`, found the end of the text",
        );
    }

    #[test]
    fn a_string_says_what_is_wrong_inside_it() {
        check(
            "[\"a\nb\"]",
            "3: expected `\\n` in a string, found a line break",
        );
        check(
            "[\"a\u{0}b\"]",
            "3: expected `\\u0000` in a string, found U+0000",
        );
        check(
            r#"["\x41"]"#,
            "3: expected one of `\"\\/bfnrtu` after `\\` in a string, found `x41`",
        );
        check(
            r#"["\u12G4"]"#,
            "6: expected 4 hexadecimal digits after `\\u`, found `G4`",
        );
        check(
            r#"["a\ud83d"]"#,
            "3: expected both halves of a surrogate pair, found only `\\ud83d`",
        );
        check(
            r#"["\ude00\ud83d"]"#,
            "2: expected both halves of a surrogate pair, found only `\\ude00`",
        );
        check(
            r#"["\ud83d\u0041"]"#,
            "2: expected both halves of a surrogate pair, found only `\\ud83d`",
        );
        check(b"[\"\xff\"]", "2: expected UTF-8, found the byte 0xff");
        check(b"[\"\xe2\x82", "2: expected UTF-8, found the byte 0xe2");
    }

    #[test]
    fn numbers_that_no_double_holds_are_refused() {
        check(
            "[1e999]",
            "1: expected a number within ±1.8e308, found `1e999`",
        );
        check(
            "-1E+400",
            "0: expected a number within ±1.8e308, found `-1E+400`",
        );
        check(
            "[NaN]",
            "1: expected a finite number or `null`, found `NaN`, which JSON cannot hold",
        );
        check(
            "[-Infinity]",
            "1: expected a finite number or `null`, found `-Infinity`, which JSON cannot hold",
        );
        check(
            "nan",
            "0: expected a finite number or `null`, found `nan`, which JSON cannot hold",
        );
        let long = "1".repeat(400);
        let error = Document::new().parse(long.as_bytes()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NumberOutOfRange(long));
        for fine in ["0e999", "1e-999", "1.7976931348623157e308"] {
            assert_eq!(
                Document::new().parse(fine.as_bytes()).unwrap().as_number(),
                Some(fine)
            );
        }
    }

    #[test]
    fn a_key_may_stand_once_however_it_is_written() {
        check(
            r#"{"a":1,"b":{"a":1},"a":2}"#,
            "19: expected each key once, found `a` again",
        );
        check(
            r#"{"a":1,"\u0061":2}"#,
            "7: expected each key once, found `a` again",
        );
        let many = |n: usize| {
            (0..n)
                .map(|n| format!(r#""k{n}":{{"k1":[]}},"#))
                .collect::<String>()
        };
        for n in [1, 15, 16, 17, 18, 100] {
            let text = format!(r#"{{{}"last":1}}"#, many(n));
            assert_eq!(
                Document::new()
                    .parse(text.as_bytes())
                    .unwrap()
                    .entries()
                    .count(),
                n + 1
            );
            let text = format!(r#"{{{}"\u006b0":1}}"#, many(n));
            let offset = text.rfind(r#""\u"#).unwrap();
            check(
                &text,
                &format!("{offset}: expected each key once, found `k0` again"),
            );
        }
    }

    #[test]
    fn depth_ends_at_its_limit() {
        let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(
            Document::new()
                .parse(nested(DEPTH_LIMIT).as_bytes())
                .is_ok()
        );
        for n in [DEPTH_LIMIT + 1, 100_000] {
            let error = Document::new().parse(nested(n).as_bytes()).unwrap_err();
            assert_eq!(
                (error.kind, error.offset),
                (ErrorKind::TooDeep, DEPTH_LIMIT)
            );
        }
    }

    #[test]
    fn values_know_their_places_and_outlive_the_tape() {
        let text = " {\"a\": [1.10, true, null], \"b\\n\": \"é\"} ".to_owned();
        let (name, number) = {
            let mut document = Document::new();
            let value = document.parse(text.as_bytes()).unwrap();
            assert_eq!((value.offset(), value.end()), (1, text.len() - 1));
            let a = value.get("a").unwrap();
            assert_eq!((a.raw(), a.offset()), ("[1.10, true, null]", 7));
            let items: Vec<_> = a.items().map(|item| (item.kind(), item.offset())).collect();
            assert_eq!(
                items,
                [
                    (super::super::Kind::Number, 8),
                    (super::super::Kind::Bool, 14),
                    (super::super::Kind::Null, 20)
                ]
            );
            let (key, b) = value.entries().nth(1).unwrap();
            assert_eq!((&*key.text, key.offset, b.raw()), ("b\n", 27, "\"é\""));
            assert!(value.get("c").is_none() && b.get("a").is_none() && b.items().next().is_none());
            (
                b.as_str().unwrap(),
                a.items().next().unwrap().as_number().unwrap(),
            )
        };
        assert!(matches!(name, Cow::Borrowed("é")));
        assert_eq!(number, "1.10");
    }
}
