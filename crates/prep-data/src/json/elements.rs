//! Where the elements of one big text end, without parsing them.
//!
//! A file may be one array of values, or values that follow each other,
//! pretty-printed or not. To cut it into batches on one thread it is enough to
//! know strings from brackets; whether an element is JSON is for whoever
//! parses it. [`Elements::scan`] finds the cuts in chunks of any size, and
//! [`Elements::split`] then takes a batch apart, on any thread:
//!
//! ```
//! use prep_data::json::{Elements, Piece, Want};
//!
//! let mut elements = Elements::new();
//! let mut before = elements.at_cut();
//! assert_eq!(elements.scan(b"[{\"a\": 1}, {\"a\": 2}, {\"a\"", Want::Last), Some(19));
//!
//! let batch = b"[{\"a\": 1}, {\"a\": 2}";
//! let pieces: Vec<Piece> = before.split(batch).collect();
//! assert_eq!(pieces, [Piece::Element(1..9), Piece::Element(11..19)]);
//! before = elements.at_cut();
//! # let _ = before;
//! ```
//!
//! Damage stays where it is as far as brackets tell: an element ends where its
//! brackets are balanced, whatever their kind. One that is never closed takes
//! the rest of the input, and it is for the caller to limit its length. What
//! can begin no element, such as `}` or a word, is an element up to the next
//! separator, so that no byte but whitespace and commas is lost.

use std::fmt;
use std::ops::Range;

/// Which of the elements that end in a chunk is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// The first; the scan stops behind it.
    First,
    /// The last; the scan goes on to the end of the chunk.
    Last,
}

/// What a batch of elements consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// An element, as a range of bytes of the batch. In an input cut by
    /// [`Elements::scan`] only the very last one can be unfinished.
    Element(Range<usize>),
    /// Something is wrong between the elements, at this byte of the batch. No
    /// element is lost by it.
    Fault(Fault, usize),
}

/// What can be wrong between the elements of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Two elements have no comma between them.
    MissingComma,
    /// A comma has no element before it.
    StrayComma,
    /// A comma stands before the end of the array.
    TrailingComma,
    /// Something follows the array.
    AfterArray,
    /// The input ends before the array does.
    Unclosed,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MissingComma => "expected `,` or `]` after an element, found another element",
            Self::StrayComma => "expected an element, found `,`",
            Self::TrailingComma => "expected an element after `,`, found `]`",
            Self::AfterArray => "expected nothing after the array, found more",
            Self::Unclosed => "expected `]` after the last element, found the end of the input",
        })
    }
}

/// A scan for the ends of the elements of one input.
///
/// The elements are those of the array, if the input begins with `[`, else the
/// values that follow each other. A byte-order mark is not expected.
#[derive(Debug, Clone, Default)]
pub struct Elements {
    shape: Shape,
    due: Due,
    within: Within,
    /// How many brackets of the element are open.
    depth: usize,
    /// The last byte was a backslash in a string, and it counts.
    is_escaped: bool,
    shape_at_cut: Shape,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Shape {
    /// Nothing but whitespace so far.
    #[default]
    Unknown,
    Array,
    Values,
    /// After the end of an array.
    Closed,
}

/// What may come next in an array.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Due {
    /// An element or the end.
    #[default]
    First,
    /// An element.
    Element,
    /// A comma or the end.
    Comma,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Between,
    /// A number, a literal or what can begin no element.
    Word,
    String,
    Brackets,
}

enum Event {
    Begin(usize),
    End(usize),
    Fault(Fault, usize),
}

impl Elements {
    /// Begins with an input of which nothing has been seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on in the next chunk and gives the place in it behind the first or
    /// last element that ends there.
    ///
    /// For [`Want::First`] the scan then stands at that place, and the rest of
    /// the chunk is to be given again; for [`Want::Last`], or if there is
    /// none, it stands at the end of the chunk. The place is 0 if the chunk
    /// begins with the byte that ends a number. A number or literal at the end
    /// of the input has no such byte: what is behind the last cut is always to
    /// be looked at.
    pub fn scan(&mut self, chunk: &[u8], want: Want) -> Option<usize> {
        let mut at = 0;
        let mut last = None;
        while let Some(event) = self.next_event(chunk, &mut at) {
            let Event::End(end) = event else {
                continue;
            };
            self.shape_at_cut = self.shape;
            last = Some(end);
            if want == Want::First {
                break;
            }
        }
        last
    }

    /// The state in which the input is behind the place that [`Elements::scan`]
    /// gave last, or at its beginning: what [`Elements::split`] begins with.
    pub fn at_cut(&self) -> Self {
        let shape = self.shape_at_cut;
        Self {
            shape,
            due: if shape == Shape::Unknown {
                Due::First
            } else {
                Due::Comma
            },
            shape_at_cut: shape,
            ..Self::default()
        }
    }

    /// Takes a batch apart, the bytes from one cut to another or to the end of
    /// the input.
    pub fn split<'e>(&'e mut self, batch: &'e [u8]) -> Pieces<'e> {
        Pieces {
            elements: self,
            batch,
            at: 0,
            begun: None,
        }
    }

    /// Tells what is wrong with an input that ends here.
    pub fn fault_at_end(&self) -> Option<Fault> {
        (self.shape == Shape::Array).then_some(Fault::Unclosed)
    }

    /// Moves to the next event, to the byte behind it, or to the end of the
    /// chunk.
    fn next_event(&mut self, chunk: &[u8], at: &mut usize) -> Option<Event> {
        while *at < chunk.len() {
            let event = match self.within {
                Within::Between => self.between(chunk[*at], at),
                Within::Word => self.word(chunk, at),
                Within::String => self.string(chunk, at),
                Within::Brackets => self.brackets(chunk, at),
            };
            if event.is_some() {
                return event;
            }
        }
        None
    }

    fn between(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        let here = *at;
        if is_space(byte) {
            *at += 1;
            return None;
        }
        match self.shape {
            Shape::Unknown if byte == b'[' => {
                self.shape = Shape::Array;
                *at += 1;
                None
            }
            Shape::Unknown => {
                self.shape = Shape::Values;
                None
            }
            Shape::Closed => {
                self.shape = Shape::Values;
                Some(Event::Fault(Fault::AfterArray, here))
            }
            Shape::Array if byte == b',' => {
                *at += 1;
                let is_stray = self.due != Due::Comma;
                self.due = Due::Element;
                is_stray.then_some(Event::Fault(Fault::StrayComma, here))
            }
            Shape::Array if byte == b']' => {
                *at += 1;
                self.shape = Shape::Closed;
                (self.due == Due::Element).then_some(Event::Fault(Fault::TrailingComma, here))
            }
            Shape::Array if self.due == Due::Comma => {
                self.due = Due::Element;
                Some(Event::Fault(Fault::MissingComma, here))
            }
            Shape::Array | Shape::Values => {
                *at += 1;
                self.begin(byte);
                Some(Event::Begin(here))
            }
        }
    }

    fn begin(&mut self, byte: u8) {
        self.within = match byte {
            b'"' => Within::String,
            b'{' | b'[' => Within::Brackets,
            _ => Within::Word,
        };
        self.depth = usize::from(self.within == Within::Brackets);
    }

    fn end(&mut self, at: usize) -> Option<Event> {
        self.within = Within::Between;
        self.due = Due::Comma;
        Some(Event::End(at))
    }

    /// A word ends before whitespace, before what begins another element, and
    /// in an array before what separates elements.
    fn word(&mut self, chunk: &[u8], at: &mut usize) -> Option<Event> {
        let is_array = self.shape == Shape::Array;
        let ends = |byte: &u8| match byte {
            b'"' | b'{' | b'[' => true,
            b',' | b']' => is_array,
            byte => is_space(*byte),
        };
        let Some(n) = chunk[*at..].iter().position(ends) else {
            *at = chunk.len();
            return None;
        };
        *at += n;
        self.end(*at)
    }

    fn string(&mut self, chunk: &[u8], at: &mut usize) -> Option<Event> {
        if self.is_escaped {
            self.is_escaped = false;
            *at += 1;
        }
        while let Some(n) = memchr::memchr2(b'"', b'\\', &chunk[*at..]) {
            *at += n + 1;
            if chunk[*at - 1] == b'"' {
                return self.end_string(*at);
            }
            if *at == chunk.len() {
                self.is_escaped = true;
                return None;
            }
            *at += 1;
        }
        *at = chunk.len();
        None
    }

    fn end_string(&mut self, at: usize) -> Option<Event> {
        if self.depth == 0 {
            return self.end(at);
        }
        self.within = Within::Brackets;
        None
    }

    fn brackets(&mut self, chunk: &[u8], at: &mut usize) -> Option<Event> {
        for &byte in &chunk[*at..] {
            *at += 1;
            match byte {
                b'"' => {
                    self.within = Within::String;
                    return None;
                }
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return self.end(*at);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// The pieces of a batch, in its order.
#[derive(Debug)]
pub struct Pieces<'e> {
    elements: &'e mut Elements,
    batch: &'e [u8],
    at: usize,
    begun: Option<usize>,
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        while let Some(event) = self.elements.next_event(self.batch, &mut self.at) {
            match event {
                Event::Begin(begin) => self.begun = Some(begin),
                Event::End(end) => {
                    let begin = self.begun.take().unwrap_or(0);
                    return Some(Piece::Element(begin..end));
                }
                Event::Fault(fault, at) => return Some(Piece::Fault(fault, at)),
            }
        }
        let begin = self.begun.take()?;
        Some(Piece::Element(begin..self.batch.len()))
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Takes a text apart, writing faults as `<what is wrong@place>`.
    fn check(text: &str, expected: &[&str]) {
        let mut elements = Elements::new();
        let mut pieces: Vec<String> = elements
            .split(text.as_bytes())
            .map(|piece| match piece {
                Piece::Element(range) => text[range].to_owned(),
                Piece::Fault(fault, at) => format!("<{fault:?}@{at}>"),
            })
            .collect();
        pieces.extend(elements.fault_at_end().map(|fault| format!("<{fault:?}>")));
        assert_eq!(pieces, expected, "{text}");
    }

    #[test]
    fn elements_are_those_of_the_array_or_the_values_in_a_row() {
        check("", &[]);
        check(" \n", &[]);
        check("[]", &[]);
        check(" [ ]\n", &[]);
        check(
            r#"[{"a":"]}\"["}, [1,2],"x,y", 1.5 ,null]"#,
            &[r#"{"a":"]}\"["}"#, "[1,2]", r#""x,y""#, "1.5", "null"],
        );
        check(
            "{\n \"a\": 1\n}\n{\"a\":2}{}",
            &["{\n \"a\": 1\n}", "{\"a\":2}", "{}"],
        );
        check("1 2\n\"a\"3", &["1", "2", "\"a\"", "3"]);
        check(r#"["\\",1]"#, &[r#""\\""#, "1"]);
    }

    #[test]
    fn faults_between_elements_lose_none_of_them() {
        check("[1 2]", &["1", "<MissingComma@3>", "2"]);
        check("[{}{}]", &["{}", "<MissingComma@3>", "{}"]);
        check(
            "[,1,,2,]",
            &[
                "<StrayComma@1>",
                "1",
                "<StrayComma@4>",
                "2",
                "<TrailingComma@7>",
            ],
        );
        check("[1] {}", &["1", "<AfterArray@4>", "{}"]);
        check("[1,2", &["1", "2", "<Unclosed>"]);
        check("[{\"a\":[1}, 2]", &["{\"a\":[1}, 2]", "<Unclosed>"]);
        check("{}} {}", &["{}", "}", "{}"]);
        check(
            "[tru\"a, b\",]]",
            &[
                "tru",
                "<MissingComma@4>",
                "\"a, b\"",
                "<TrailingComma@11>",
                "<AfterArray@12>",
                "]",
            ],
        );
    }

    #[test]
    fn a_batch_is_taken_apart_as_the_input_would_be() {
        let text = "[1, {\"a\": 2},\n \"three\", 4]  ";
        let mut elements = Elements::new();
        let mut state = elements.at_cut();
        let mut found = Vec::new();
        let mut begin = 0;
        for at in 0..text.len() {
            let Some(end) = elements.scan(&text.as_bytes()[at..=at], Want::Last) else {
                continue;
            };
            let batch = &text[begin..at + end];
            found.extend(state.split(batch.as_bytes()).map(|piece| match piece {
                Piece::Element(range) => &batch[range],
                Piece::Fault(..) => "fault",
            }));
            (begin, state) = (at + end, elements.at_cut());
        }
        assert_eq!(found, ["1", "{\"a\": 2}", "\"three\"", "4"]);
        assert_eq!(state.split(&text.as_bytes()[begin..]).next(), None);
        assert_eq!(state.fault_at_end(), None);
    }

    fn ends_by_first(text: &[u8], sizes: &[usize]) -> Vec<usize> {
        let (mut elements, mut ends) = (Elements::new(), Vec::new());
        for (begin, chunk) in chunks(text, sizes) {
            let mut at = 0;
            while let Some(end) = elements.scan(&chunk[at..], Want::First) {
                at += end;
                ends.push(begin + at);
            }
        }
        ends
    }

    fn chunks<'t>(text: &'t [u8], sizes: &[usize]) -> Vec<(usize, &'t [u8])> {
        let mut begin = 0;
        let mut chunks = Vec::new();
        for size in sizes.iter().chain(&[usize::MAX]) {
            let end = begin + (*size).min(text.len() - begin);
            chunks.push((begin, &text[begin..end]));
            begin = end;
        }
        chunks
    }

    proptest! {
        #[test]
        fn chunks_do_not_move_the_cuts(
            text in r#"\[?([\[\]{},:"\\ \n1an]|\{"a": ?"b\\"\}, ?){0,60}"#,
            sizes in proptest::collection::vec(0..9usize, 0..40),
        ) {
            let text = text.as_bytes();
            let ends = ends_by_first(text, &[]);
            prop_assert_eq!(&ends_by_first(text, &sizes), &ends);

            let mut elements = Elements::new();
            for (begin, chunk) in chunks(text, &sizes) {
                let last = elements.scan(chunk, Want::Last).map(|end| begin + end);
                if let Some(last) = last {
                    let among = begin..=begin + chunk.len();
                    prop_assert!(among.contains(&last) && ends.contains(&last));
                }
            }
            let mut whole = Elements::new();
            prop_assert_eq!(whole.scan(text, Want::Last), ends.last().copied());
        }
    }
}
