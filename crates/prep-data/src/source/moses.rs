//! Two text files whose lines correspond, as Moses and its successors keep
//! bitext.
//!
//! A line ends at `\n`, and one `\r` before it belongs to the end. Everything
//! else that some reader takes for a line end (U+2028, U+0085, a vertical tab,
//! a carriage return) is text, or the pairs after it would be shifted without
//! a sign. A `\r` that stays in the text is noted.
//!
//! Every line is a record, an empty one too: what an empty side means, the
//! composer decides. `line` is the line number in both files, and `raw` is the
//! two lines joined by a newline.
//!
//! Each side is cut into blocks on its own. A batch is a stretch of one block
//! of either side with the same number of lines, found by counting newlines
//! and without copying, so memory is bounded however much longer the lines of
//! one side are.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::blocks::{Block, Blocks, HEAD_BYTES, Lines, Piece, count_newlines};
use super::{
    Batch, Columns, Data, Format, Item, LineCounts, Opened, Options, Record, Reject, Source,
};
use super::{SourceError, text};
use crate::diag::{Code, Finding, Position, S001, S007, S008};
use crate::io::Input;

/// Opens two files whose lines correspond.
///
/// # Errors
///
/// When one cannot be read. That they do not line up shows at their end.
pub(crate) fn open(source: Input, target: Input, options: &Options) -> Result<Opened, SourceError> {
    let mut decisions = Vec::new();
    let source = Side::open(source, options, &mut decisions)?;
    let target = Side::open(target, options, &mut decisions)?;
    let names: Arc<[String; 2]> = Arc::new([source.name.clone(), target.name.clone()]);
    Ok(Opened {
        format: Format::Moses,
        names: names.to_vec(),
        columns: Some(Columns::pair()),
        decisions,
        source: Box::new(Moses {
            source,
            target,
            names,
            limit: options.record_limit.max(1),
            at_end: false,
        }),
    })
}

/// Tells the two languages of a pair of file names: names that are the same
/// but for one piece, which is a language tag (`corpus.en` and `corpus.es-419`,
/// `en.txt` and `es.txt`) or names the side (`train.src` and `train.tgt`).
pub(crate) fn pair_of_names<'a>(a: &'a str, b: &'a str) -> Option<(&'a str, &'a str)> {
    let (starts_a, starts_b) = (piece_starts(a), piece_starts(b));
    let (ends_a, ends_b) = (piece_ends(a), piece_ends(b));
    // The longest common ends first: what differs is then as short as can be,
    // and grows to the left while it is no tag (`ES` against `419`).
    let common = starts_a
        .iter()
        .zip(&starts_b)
        .take_while(|&(&m, &n)| a[..m] == b[..n])
        .count();
    (0..common).rev().find_map(|n| {
        let (start_a, start_b) = (starts_a[n], starts_b[n]);
        let ends = ends_a.iter().rev().zip(ends_b.iter().rev());
        let same = ends.take_while(|&(&m, &n)| m >= start_a && n >= start_b && a[m..] == b[n..]);
        let (&end_a, &end_b) = same.last()?;
        let (piece_a, piece_b) = (&a[start_a..end_a], &b[start_b..end_b]);
        are_sides(piece_a, piece_b).then_some((piece_a, piece_b))
    })
}

/// Where the pieces of a file name begin.
fn piece_starts(name: &str) -> Vec<usize> {
    let after_separators = name.match_indices(is_separator).map(|(at, _)| at + 1);
    std::iter::once(0).chain(after_separators).collect()
}

/// Where the pieces of a file name end.
fn piece_ends(name: &str) -> Vec<usize> {
    let separators = name.match_indices(is_separator).map(|(at, _)| at);
    separators.chain([name.len()]).collect()
}

fn is_separator(c: char) -> bool {
    matches!(c, '.' | '_' | '-')
}

/// Whether two pieces of file names name two sides of a pair.
fn are_sides(a: &str, b: &str) -> bool {
    const SIDES: [(&str, &str); 4] = [
        ("src", "tgt"),
        ("src", "trg"),
        ("source", "target"),
        ("src", "ref"),
    ];
    let is = |piece: &str, side: &str| piece.eq_ignore_ascii_case(side);
    let are_named = SIDES
        .iter()
        .any(|&(m, n)| (is(a, m) && is(b, n)) || (is(a, n) && is(b, m)));
    are_named || (!a.eq_ignore_ascii_case(b) && is_language(a) && is_language(b))
}

/// Whether a piece of a file name looks like a language tag: two or three
/// letters, then perhaps a script and a region. What these letters spell more
/// often in a file name is none.
fn is_language(piece: &str) -> bool {
    const OTHERS: [&str; 16] = [
        "csv", "tsv", "txt", "tmx", "xlf", "po", "pot", "gz", "xz", "bz2", "zst", "dev", "all",
        "raw", "old", "new",
    ];
    let is_letters = |part: &str| part.bytes().all(|b| b.is_ascii_alphabetic());
    let mut parts = piece.split(['-', '_']);
    let language = parts.next().unwrap_or_default();
    let is_tag = (2..=3).contains(&language.len()) && is_letters(language);
    let are_subtags = parts.by_ref().take(2).all(|part| match part.len() {
        2 | 4 => is_letters(part),
        3 => part.bytes().all(|b| b.is_ascii_digit()),
        _ => false,
    });
    is_tag
        && are_subtags
        && parts.next().is_none()
        && !OTHERS.iter().any(|other| piece.eq_ignore_ascii_case(other))
}

/// Two files, read in step.
#[derive(Debug)]
struct Moses {
    source: Side,
    target: Side,
    names: Arc<[String; 2]>,
    limit: usize,
    at_end: bool,
}

impl Source for Moses {
    fn next_batch(&mut self) -> Result<Option<Box<dyn Batch>>, SourceError> {
        if self.at_end {
            return Ok(None);
        }
        let n_lines = self.source.fill()?.min(self.target.fill()?);
        if n_lines == 0 {
            self.at_end = true;
            return self.compare().map(|()| None);
        }
        Ok(Some(Box::new(Pairs {
            sides: [self.source.take(n_lines), self.target.take(n_lines)],
            names: Arc::clone(&self.names),
            n_lines,
            limit: self.limit,
        })))
    }
}

impl Moses {
    /// Compares the line counts at the end of the shorter side, for which the
    /// longer is read to its end.
    fn compare(&mut self) -> Result<(), SourceError> {
        let lines = LineCounts {
            src: self.source.count_all()?,
            tgt: self.target.count_all()?,
        };
        if lines.src == lines.tgt {
            return Ok(());
        }
        let [src, tgt] = (*self.names).clone();
        Err(SourceError::Unaligned { src, tgt, lines })
    }
}

/// One of the two files.
#[derive(Debug)]
struct Side {
    name: String,
    blocks: Blocks<Lines>,
    /// What was cut last and not given out yet.
    front: Option<(Stretch, u64)>,
    /// The lines given out.
    n_taken: u64,
}

impl Side {
    fn open(
        input: Input,
        options: &Options,
        decisions: &mut Vec<String>,
    ) -> Result<Self, SourceError> {
        let name = input.name().to_owned();
        let text = text::open(input, options.encoding).map_err(SourceError::read(&name))?;
        decisions.extend(
            text.decision
                .map(|decision| format!("`{name}`: {decision}")),
        );
        Ok(Self {
            name,
            blocks: Blocks::new(
                text.reader,
                Lines,
                options.block_bytes,
                options.record_limit,
            ),
            front: None,
            n_taken: 0,
        })
    }

    /// Has lines at hand, and returns how many; none at the end of the file.
    fn fill(&mut self) -> Result<u64, SourceError> {
        if self.front.is_none() {
            let piece = self.blocks.next().map_err(SourceError::read(&self.name))?;
            self.front = piece.map(Stretch::new);
        }
        Ok(self.front.as_ref().map_or(0, |&(_, n_lines)| n_lines))
    }

    /// Takes `n` lines of those at hand.
    fn take(&mut self, n: u64) -> Stretch {
        self.n_taken += n;
        let (mut stretch, n_lines) = self.front.take().expect("the caller has filled the front");
        if n == n_lines {
            return stretch;
        }
        let first = stretch.split_off_front(n);
        self.front = Some((stretch, n_lines - n));
        first
    }

    /// The number of lines of the whole file, which is read to its end.
    fn count_all(&mut self) -> Result<u64, SourceError> {
        let mut n_lines = self.n_taken;
        while self.fill()? > 0 {
            n_lines += self.front.take().map_or(0, |(_, n_lines)| n_lines);
        }
        Ok(n_lines)
    }
}

/// Consecutive lines of one side.
enum Stretch {
    /// Whole lines; the last may lack its newline at the end of the file.
    Lines {
        block: Arc<Block>,
        live: Range<usize>,
    },
    /// One line that is longer than the limit.
    TooLong { head: Vec<u8>, bytes: u64 },
}

impl fmt::Debug for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lines { live, .. } => write!(f, "Lines({} bytes)", live.len()),
            Self::TooLong { bytes, .. } => write!(f, "TooLong({bytes} bytes)"),
        }
    }
}

impl Stretch {
    /// What a file gave, with the number of its lines.
    fn new(piece: Piece) -> (Self, u64) {
        match piece {
            Piece::Records(block) => {
                let n_lines = count_newlines(&block) + u64::from(block.last() != Some(&b'\n'));
                let live = 0..block.len();
                let block = Arc::new(block);
                (Self::Lines { block, live }, n_lines)
            }
            Piece::TooLong {
                head,
                bytes,
                newlines,
            } => {
                let bytes = bytes - newlines;
                (Self::TooLong { head, bytes }, 1)
            }
        }
    }

    /// Splits off the first `n` lines, of more.
    fn split_off_front(&mut self, n: u64) -> Self {
        let Self::Lines { block, live } = self else {
            unreachable!("a line that is too long stands alone");
        };
        let middle = live.start + end_of_line(&block[live.clone()], n);
        let front = live.start..middle;
        live.start = middle;
        Self::Lines {
            block: Arc::clone(block),
            live: front,
        }
    }
}

/// The offset after the `n`-th newline, of at least so many. Whole pages are
/// counted first, several times faster than newlines are found one by one.
fn end_of_line(bytes: &[u8], n: u64) -> usize {
    const PAGE: usize = 4096;
    let (mut at, mut left) = (0, n);
    for page in bytes.chunks(PAGE) {
        let newlines = count_newlines(page);
        if newlines >= left {
            break;
        }
        left -= newlines;
        at += page.len();
    }
    let nth = usize::try_from(left - 1)
        .ok()
        .and_then(|nth| memchr::memchr_iter(b'\n', &bytes[at..]).nth(nth));
    nth.map_or(bytes.len(), |newline| at + newline + 1)
}

/// As many lines of one side as of the other.
#[derive(Debug)]
struct Pairs {
    sides: [Stretch; 2],
    names: Arc<[String; 2]>,
    n_lines: u64,
    limit: usize,
}

impl Batch for Pairs {
    fn decode(self: Box<Self>, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        let mut source = Walk::new(&self.sides[0], self.limit);
        let mut target = Walk::new(&self.sides[1], self.limit);
        let mut raw = Vec::new();
        for line in 0..self.n_lines {
            let (source, target) = (source.next(), target.next());
            raw.clear();
            raw.extend_from_slice(source.raw);
            raw.push(b'\n');
            raw.extend_from_slice(target.raw);
            let (source, target) = match (source.text, target.text) {
                (Ok(source), Ok(target)) => (source, target),
                (Err(fault), _) => {
                    each(self.reject(&fault, 0, line, &raw));
                    continue;
                }
                (_, Err(fault)) => {
                    each(self.reject(&fault, 1, line, &raw));
                    continue;
                }
            };
            for (text, name) in [source, target].iter().zip(&*self.names) {
                if let Some(at) = text.return_at {
                    let place = position(line, text.text.as_bytes(), at);
                    let message =
                        format!("`{name}` has a carriage return inside the line, kept as text");
                    each(Item::Note(Finding::new(&S007, place, message)));
                }
            }
            let cells = [source, target].map(|side| Cow::Borrowed(side.text));
            each(Item::Record(Record::new(line, &raw, Data::Row(&cells))));
        }
        self.n_lines
    }
}

impl Pairs {
    fn reject<'a>(&self, fault: &Fault<'_>, side: usize, line: u64, raw: &'a [u8]) -> Item<'a> {
        let name = &self.names[side];
        let (code, place, message): (&'static Code, _, _) = match fault {
            Fault::TooLong { bytes } => {
                let limit = self.limit;
                let message =
                    format!("the line in `{name}` is {bytes} bytes long, the limit is {limit}");
                (&S008, Position::line(line), message)
            }
            Fault::Utf8 { bytes, at } => {
                let message = format!("`{name}` is not UTF-8 at byte {} of the line", at + 1);
                (&S001, position(line, bytes, *at), message)
            }
        };
        let finding = Finding::new(code, place, message);
        Item::Reject(Reject { line, finding, raw })
    }
}

/// The place of a byte; what stands before it in the line is valid.
fn position(line: u64, bytes: &[u8], at: usize) -> Position {
    let column = String::from_utf8_lossy(&bytes[..at]).chars().count() as u64 + 1;
    Position { line, column }
}

/// One line of one side.
struct Line<'a> {
    /// Its bytes, or the first of them.
    raw: &'a [u8],
    text: Result<Text<'a>, Fault<'a>>,
}

#[derive(Clone, Copy)]
struct Text<'a> {
    text: &'a str,
    /// Where a carriage return stands inside.
    return_at: Option<usize>,
}

/// Why a line is no text.
enum Fault<'a> {
    TooLong { bytes: u64 },
    Utf8 { bytes: &'a [u8], at: usize },
}

/// Walks over the lines of a stretch.
///
/// Encoding and carriage returns are looked for once for the whole stretch,
/// and line by line only where there is something to find.
struct Walk<'a> {
    stretch: &'a Stretch,
    bytes: &'a [u8],
    /// The bytes as text, if all of them are.
    text: Option<&'a str>,
    has_returns: bool,
    newlines: memchr::Memchr<'a>,
    at: usize,
    limit: usize,
}

impl<'a> Walk<'a> {
    fn new(stretch: &'a Stretch, limit: usize) -> Self {
        let (bytes, text) = match stretch {
            Stretch::Lines { block, live } => {
                let bytes = &block[live.clone()];
                (bytes, simdutf8::basic::from_utf8(bytes).ok())
            }
            Stretch::TooLong { .. } => (&[][..], None),
        };
        Self {
            stretch,
            bytes,
            text,
            has_returns: memchr::memchr(b'\r', bytes).is_some(),
            newlines: memchr::memchr_iter(b'\n', bytes),
            at: 0,
            limit,
        }
    }

    /// The next line, of as many as there are.
    #[inline]
    fn next(&mut self) -> Line<'a> {
        let end = self.newlines.next().unwrap_or(self.bytes.len());
        let live = self.at..end;
        self.at = end + 1;
        match self.text {
            Some(text) if !self.has_returns && live.len() <= self.limit => Line {
                raw: &self.bytes[live.clone()],
                text: Ok(Text {
                    text: &text[live],
                    return_at: None,
                }),
            },
            _ => self.careful(live),
        }
    }

    /// A line that may be anything.
    #[cold]
    fn careful(&self, live: Range<usize>) -> Line<'a> {
        let (bytes, length) = match self.stretch {
            Stretch::Lines { .. } => (&self.bytes[live.clone()], live.len() as u64),
            Stretch::TooLong { head, bytes } => (&head[..], *bytes),
        };
        if length > self.limit as u64 {
            let kept = bytes.len().min(self.limit).min(HEAD_BYTES);
            return Line {
                raw: &bytes[..kept],
                text: Err(Fault::TooLong { bytes: length }),
            };
        }
        let is_terminated = live.end < self.bytes.len();
        let bytes = match bytes {
            [line @ .., b'\r'] if is_terminated => line,
            line => line,
        };
        let known = self
            .text
            .map(|text| &text[live.start..live.start + bytes.len()]);
        let text = match known.map_or_else(|| std::str::from_utf8(bytes), Ok) {
            Ok(text) => Ok(Text {
                text,
                return_at: memchr::memchr(b'\r', bytes),
            }),
            Err(error) => Err(Fault::Utf8 {
                bytes,
                at: error.valid_up_to(),
            }),
        };
        Line { raw: bytes, text }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::contract::{Seen, read_all};
    use super::*;

    /// A file of the data that is shared and not copied; `None`, loudly, where
    /// it is not at hand.
    #[expect(
        clippy::print_stderr,
        reason = "a test that is skipped must not look like one that passed"
    )]
    pub(crate) fn shared(path: &str) -> Option<Vec<u8>> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data")
            .join(path);
        let bytes = std::fs::read(&path);
        if bytes.is_err() {
            assert!(
                std::env::var_os("CI").is_none(),
                "`{}` is missing",
                path.display()
            );
            eprintln!("SKIPPED: `{}` is missing", path.display());
        }
        bytes.ok()
    }

    fn read(source: &[u8], target: &[u8], options: &Options) -> Result<Vec<Seen>, String> {
        let input = |name, bytes: &[u8]| Input::from_bytes(name, bytes.to_vec()).unwrap();
        let opened = open(input("x.de", source), input("x.en", target), options).unwrap();
        read_all(opened).map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            format!("{error}: {}", cause.unwrap_or_default())
        })
    }

    /// Reads two files at any block size with the same result.
    fn holds(source: &[u8], target: &[u8], options: &Options) -> Result<Vec<Seen>, String> {
        let whole = read(source, target, options);
        for block_bytes in [1, 2, 3, 7, 64, 1000] {
            let options = Options {
                block_bytes,
                ..options.clone()
            };
            assert_eq!(
                read(source, target, &options),
                whole,
                "with blocks of {block_bytes} bytes"
            );
        }
        whole
    }

    /// Shows a line for each item.
    fn check(source: impl AsRef<[u8]>, target: impl AsRef<[u8]>, expected: &[&str]) {
        check_with(source, target, &Options::default(), expected);
    }

    fn check_with(
        source: impl AsRef<[u8]>,
        target: impl AsRef<[u8]>,
        options: &Options,
        expected: &[&str],
    ) {
        let seen = holds(source.as_ref(), target.as_ref(), options).unwrap();
        let shown: Vec<_> = seen.iter().map(show).collect();
        assert_eq!(shown, expected);
    }

    fn show(seen: &Seen) -> String {
        match seen {
            Seen::Row { line, cells } => format!("{line}: {} → {}", cells[0], cells[1]),
            Seen::Reject {
                line,
                code,
                at,
                raw,
            } => {
                let raw = String::from_utf8_lossy(raw);
                format!("{line}: {code} at {}:{}: {raw}", at.line, at.column)
            }
            Seen::Note { code, at } => format!("{code} at {}:{}", at.line, at.column),
            Seen::Chat { .. } => unreachable!("a line is no conversation"),
        }
    }

    #[test]
    fn lines_are_pairs() {
        check("", "", &[]);
        check("a\nb\n", "c\nd\n", &["1: a → c", "2: b → d"]);
        check("a\nb", "c\nd\n", &["1: a → c", "2: b → d"]);
        check("a\r\nb\r\n", "c\nd\n", &["1: a → c", "2: b → d"]);
        check("\u{feff}a\n", "b\n", &["1: a → b"]);
        check("a\n\n\n", "\nb\n\n", &["1: a → ", "2:  → b", "3:  → "]);
        check(" a \t\n", "b\t\n", &["1:  a \t → b\t"]);
    }

    #[test]
    fn only_newlines_end_lines() {
        check(
            "a\u{2028}b\u{85}c\x0bd\x0ce\n",
            "f\n",
            &["1: a\u{2028}b\u{85}c\x0bd\x0ce → f"],
        );
        check("ña\rb\n", "c\n", &["S007 at 1:3", "1: ña\rb → c"]);
        check(
            "a\r\r\n",
            "b\r",
            &["S007 at 1:2", "S007 at 1:2", "1: a\r → b\r"],
        );
        check(
            "a\r\nb\n",
            "c\nd\re\n",
            &["1: a → c", "S007 at 2:2", "2: b → d\re"],
        );
    }

    #[test]
    fn invalid_utf8_rejects_its_pair() {
        // Named, or so few bytes are taken for another encoding.
        let utf8 = Options {
            encoding: Some(encoding_rs::UTF_8),
            ..Options::default()
        };
        check_with(
            b"a\n\xc3\xb1\xff\nb\r\n",
            "c\nd\ne\n",
            &utf8,
            &["1: a → c", "2: S001 at 2:2: ñ\u{fffd}\nd", "3: b → e"],
        );
        check_with(
            "a\nb\n",
            b"c\n\xe2\x82\n",
            &utf8,
            &["1: a → c", "2: S001 at 2:1: b\n\u{fffd}"],
        );
        check_with(
            b"caf\xc3\xa9 caf\xc3\xa9 \xff",
            b"\xff",
            &utf8,
            &["1: S001 at 1:11: café café \u{fffd}\n\u{fffd}"],
        );
    }

    #[test]
    fn the_message_names_the_file() {
        let input = |name, bytes: &[u8]| Input::from_bytes(name, bytes.to_vec()).unwrap();
        let source = input("x.de", "a\ré\n".repeat(3).as_bytes());
        let mut opened = open(
            source,
            input("x.en", b"\xc3\xa9\xff\n\xc3\xa9\n\xc3\xa9\n"),
            &Options::default(),
        )
        .unwrap();
        let mut messages = Vec::new();
        opened
            .source
            .next_batch()
            .unwrap()
            .unwrap()
            .decode(&mut |item| match item {
                Item::Reject(reject) => messages.push(reject.finding.message),
                Item::Note(finding) => messages.push(finding.message),
                Item::Record(_) => {}
            });
        let note = "`x.de` has a carriage return inside the line, kept as text";
        assert_eq!(
            messages,
            ["`x.en` is not UTF-8 at byte 3 of the line", note, note]
        );
        assert_eq!(opened.names, ["x.de", "x.en"]);
    }

    #[test]
    fn a_line_beyond_the_limit_leaves_the_others_aligned() {
        let options = Options {
            record_limit: 20,
            ..Options::default()
        };
        let (long, most) = ("x".repeat(500), "y".repeat(20));
        let expected = format!("2: S008 at 2:1: {}\nd", &long[..20]);
        let pair = format!("3: {most} → e");
        let lines = ["1: a → c", &expected, &pair];
        check_with(
            format!("a\n{long}\n{most}\n"),
            "c\nd\ne\n",
            &options,
            &lines,
        );
        check_with(format!("a\n{long}\n{most}"), "c\nd\ne", &options, &lines);
        let both = format!("2: S008 at 2:1: {0}\n{0}", &long[..20]);
        check_with(
            format!("a\n{long}\nb"),
            format!("c\n{long}\nd\n"),
            &options,
            &["1: a → c", &both, "3: b → d"],
        );
        let last = format!("1: S008 at 1:1: a\n{}", &long[..20]);
        check_with("a", &long, &options, &[&last]);
    }

    #[test]
    fn files_of_different_lengths_are_refused_with_exact_counts() {
        let check = |source: &str, target: &str, cause: &str| {
            let error =
                holds(source.as_bytes(), target.as_bytes(), &Options::default()).unwrap_err();
            assert_eq!(error, format!("`x.de` and `x.en` do not line up: {cause}"));
        };
        check("a\nb\n", "c\n", "2 lines against 1");
        check("a\nb", "c\nd\n\n", "2 lines against 3");
        check("", "c", "0 lines against 1");
        check(
            &"a\n".repeat(3000),
            &"longer\n".repeat(2998),
            "3000 lines against 2998",
        );
        check(
            &"a\n".repeat(3000),
            &"longer\n".repeat(5000),
            "3000 lines against 5000",
        );
    }

    #[test]
    fn what_was_refused_has_ended() {
        let input = |name, bytes: &[u8]| Input::from_bytes(name, bytes.to_vec()).unwrap();
        let mut source = open(input("a", b"x"), input("b", b""), &Options::default())
            .unwrap()
            .source;
        assert!(source.next_batch().is_err());
        assert!(source.next_batch().unwrap().is_none());
    }

    #[test]
    fn names_tell_the_languages() {
        let check = |a, b, expected| {
            assert_eq!(pair_of_names(a, b), expected, "{a} {b}");
            assert_eq!(
                pair_of_names(b, a),
                expected.map(|(a, b)| (b, a)),
                "{b} {a}"
            );
        };
        check("corpus.en", "corpus.es", Some(("en", "es")));
        check("corpus.en.txt", "corpus.es.txt", Some(("en", "es")));
        check("corpus.en", "corpus.es-419", Some(("en", "es-419")));
        check("corpus.es-ES", "corpus.es-419", Some(("es-ES", "es-419")));
        check(
            "a.zh_Hans_CN.txt",
            "a.zh_Hant_TW.txt",
            Some(("zh_Hans_CN", "zh_Hant_TW")),
        );
        check("en.txt", "es.txt", Some(("en", "es")));
        check("train.src", "train.tgt", Some(("src", "tgt")));
        check("source.txt", "target.txt", Some(("source", "target")));
        check(
            "tatoeba.spa-eng.eng",
            "tatoeba.spa-eng.spa",
            Some(("eng", "spa")),
        );
        check("dev_EN.txt", "dev_DE.txt", Some(("EN", "DE")));
        check("corpus.en", "corpus.en", None);
        check("corpus.en", "other.es", None);
        check("part-1.txt", "part-2.txt", None);
        check("train.txt", "test.txt", None);
        check("corpus.csv", "corpus.tsv", None);
        check("corpus.en", "corpus.es.txt", None);
        check("corpus", "corpus.en", None);
        check("", "", None);
    }

    #[test]
    fn real_files_are_aligned() {
        for (source, target) in [
            ("spa-eng.eng", "spa-eng.spa"),
            ("cmn-eng.eng", "cmn-eng.cmn"),
        ] {
            let file = |name| shared(&format!("parallel/moses/tatoeba.{name}"));
            let Some((source, target)) = file(source).zip(file(target)) else {
                continue;
            };
            let seen = holds(&source, &target, &Options::default()).unwrap();
            let lines = |bytes| {
                String::from_utf8(bytes)
                    .unwrap()
                    .lines()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            let rows = lines(source).into_iter().zip(lines(target));
            let rows = rows
                .zip(1..)
                .map(|((source, target), line)| Seen::row(line, &[&source, &target]));
            assert_eq!(seen, rows.collect::<Vec<_>>());
            assert_eq!(seen.len(), 1000);
        }
    }

    fn lines_of(text: &str) -> Vec<&str> {
        let mut lines: Vec<_> = text.split('\n').collect();
        if lines.last() == Some(&"") {
            lines.pop();
        }
        let n_ended = text.matches('\n').count();
        for line in &mut lines[..n_ended] {
            *line = line.strip_suffix('\r').unwrap_or(line);
        }
        lines
    }

    proptest! {
        #[test]
        fn pairs_are_the_lines_of_both(source in "[a-cñ\r\n\u{2028}]{0,60}", target in "[x-z\u{85}\n]{0,60}") {
            let (left, right) = (lines_of(&source), lines_of(&target));
            let seen = holds(source.as_bytes(), target.as_bytes(), &Options::default());
            if left.len() == right.len() {
                let rows = seen.unwrap().into_iter().filter(|seen| !matches!(seen, Seen::Note { .. }));
                let expected = left.iter().zip(right).zip(1..).map(|((a, b), line)| Seen::row(line, &[a, b]));
                prop_assert_eq!(rows.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
            } else {
                let cause = format!("{} lines against {}", left.len(), right.len());
                prop_assert_eq!(seen.unwrap_err(), format!("`x.de` and `x.en` do not line up: {cause}"));
            }
        }

        #[test]
        fn any_bytes_and_any_limit_give_the_same(
            source in prop::collection::vec(prop::sample::select(b"ab\n\n\r\xc3\xb1\xff".to_vec()), 0..80),
            record_limit in 1_usize..12,
        ) {
            let target = source.iter().rev().copied().collect::<Vec<_>>();
            // So that neither is taken for another encoding.
            let options = Options { encoding: Some(encoding_rs::UTF_8), record_limit, ..Options::default() };
            drop(holds(&source, &target, &options));
        }
    }

    #[test]
    fn the_nth_line_is_found_beyond_a_page() {
        let text = b"abc\n".repeat(5000);
        for n in [1, 2, 1023, 1024, 1025, 2048, 4999, 5000] {
            assert_eq!(end_of_line(&text, n), 4 * usize::try_from(n).unwrap());
        }
    }
}
