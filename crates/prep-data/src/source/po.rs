//! gettext PO files.
//!
//! An entry gives one record, `msgid` and `msgstr`. An entry with plural forms
//! gives two: `msgid` with the form for one, and `msgid_plural` with the form
//! for many, as the header's `Plural-Forms` says which these are; where one
//! form says both (Chinese has no other), it gives one, the plural. Each counts
//! as read. The forms between (a dual, a paucal) have no English of their own
//! and are left out. The header entry is no record.
//!
//! An entry that cannot become a record counts as one reject, whatever it
//! holds: obsolete, fuzzy, without any translation, or malformed; of an entry
//! with only some forms translated, each pair stands for itself. `raw` is the
//! entry with its comments.
//!
//! Blank lines between entries may be missing: after a `msgstr`, an entry
//! begins at the next line that is a comment, `msgctxt` or `msgid`. Inside an
//! entry, as in gettext, they mean nothing. A malformed entry ends at the next
//! such line, or at the next blank one. Whatever the decoder makes of an
//! entry, [`Splitter`] alone says where it ends, so that cutting and decoding
//! agree.

mod plural;

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

use self::plural::Forms;
use super::blocks::{Blocks, Cutter, HEAD_BYTES, Piece, Want, count_newlines};
use super::{
    Batch, Columns, Data, Format, Item, Opened, Options, Record, Reject, Source, SourceError, text,
};
use crate::diag::{Code, Finding, Position, S001, S008, S023, S024, S025, S036};
use crate::io::Input;

/// How much of a file is looked at to find its header.
const HEADER_BYTES: usize = 64 << 10;

/// Opens a PO file.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) fn open(mut input: Input, options: &Options) -> Result<Opened, SourceError> {
    let name = input.name().to_owned();
    let failed = || SourceError::read(&name);
    let head = input.peek(HEADER_BYTES).map_err(failed())?;
    let mut decisions = Vec::new();
    let encoding = match options.encoding {
        Some(encoding) => Some(encoding),
        None => encoding_of_header(head, &mut decisions),
    };
    let text = text::open(input, encoding).map_err(failed())?;
    decisions.extend(text.decision);
    let forms =
        header(&text.head).and_then(|header| Forms::of_header(field(&header, "Plural-Forms")?));
    Ok(Opened {
        format: Format::Po,
        names: vec![name.clone()],
        columns: Some(Columns::pair()),
        decisions,
        source: Box::new(Po {
            name,
            blocks: Blocks::new(
                text.reader,
                Entries::default(),
                options.block_bytes,
                options.record_limit,
            ),
            forms,
            limit: options.record_limit.max(1),
        }),
    })
}

/// Whether a text begins like a PO file: after comments, with a keyword and a
/// string.
pub(crate) fn is(head: &str) -> bool {
    let lines = head.lines().map(|line| Line::new(line.as_bytes()));
    let mut statements = lines.filter(|line| !matches!(line.kind, Kind::Blank | Kind::Comment));
    statements.next().is_some_and(|line| {
        matches!(line.kind, Kind::Context | Kind::Id) && line.rest.trim_ascii().starts_with(b"\"")
    })
}

/// The encoding that the header names, unless a byte-order mark says better.
fn encoding_of_header(head: &[u8], decisions: &mut Vec<String>) -> Option<&'static Encoding> {
    if Encoding::for_bom(head).is_some() {
        return None;
    }
    let header = header(head)?;
    let (_, label) = field(&header, "Content-Type")?.split_once("charset=")?;
    let label = label.split(';').next()?.trim();
    // What can be read up to here is ASCII at least; `CHARSET` is what a
    // template has before someone fills it in.
    let encoding =
        Encoding::for_label(label.as_bytes()).filter(|encoding| encoding.is_ascii_compatible());
    match encoding {
        Some(encoding) if encoding != UTF_8 => {
            decisions.push(format!("encoding {}, by its header", encoding.name()));
        }
        None if label != "CHARSET" => {
            decisions.push(format!(
                "encoding `{label}` of its header not known, and not used"
            ));
        }
        _ => {}
    }
    encoding
}

/// The text of the header entry, if the file begins with one.
fn header(head: &[u8]) -> Option<String> {
    let raw = Split::new(head).next()?;
    let bytes = String::from_utf8_lossy(raw.bytes);
    let entry = Entry::parse(&bytes).ok()?;
    entry
        .is_header()
        .then(|| entry.forms.first().map(|form| form.text().into_owned()))?
}

/// A field of the header.
fn field<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A PO file, cut into batches.
#[derive(Debug)]
struct Po {
    name: String,
    blocks: Blocks<Entries>,
    forms: Option<Forms>,
    limit: usize,
}

impl Source for Po {
    fn next_batch(&mut self) -> Result<Option<Box<dyn Batch>>, SourceError> {
        let piece = self.blocks.next().map_err(SourceError::read(&self.name))?;
        Ok(piece.map(|piece| -> Box<dyn Batch> {
            Box::new(Stretch {
                piece,
                forms: self.forms,
                limit: self.limit,
            })
        }))
    }
}

/// What a line of a PO file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing but white space.
    Blank,
    /// A comment of any sort, or a `domain` line.
    Comment,
    /// `msgctxt`.
    Context,
    /// `msgid`.
    Id,
    /// `msgid_plural`.
    Plural,
    /// `msgstr`, also with an index.
    Str,
    /// A string that goes on from the line before.
    More,
    /// Anything else.
    Junk,
}

/// A line, as far as the entries it belongs to are concerned.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    kind: Kind,
    /// Whether it stands behind `#~`.
    is_obsolete: bool,
    /// What follows the keyword; the whole of any other line.
    rest: &'a [u8],
}

impl<'a> Line<'a> {
    fn new(line: &'a [u8]) -> Self {
        let content = line.trim_ascii_start();
        if let Some(rest) = content.strip_prefix(b"#~") {
            let rest = rest.trim_ascii_start();
            let (kind, rest) = Self::statement(rest);
            // What else is commented out is a comment.
            let is_statement = !matches!(kind, Kind::Blank | Kind::Junk);
            return Self {
                kind: if is_statement { kind } else { Kind::Comment },
                is_obsolete: true,
                rest,
            };
        }
        let (kind, rest) = Self::statement(content);
        Self {
            kind,
            is_obsolete: false,
            rest,
        }
    }

    fn statement(content: &[u8]) -> (Kind, &[u8]) {
        let length = content
            .iter()
            .take_while(|&&byte| byte.is_ascii_alphabetic() || byte == b'_')
            .count();
        let (word, rest) = content.split_at(length);
        let kind = match word {
            b"msgctxt" => Kind::Context,
            b"msgid" => Kind::Id,
            b"msgid_plural" => Kind::Plural,
            b"msgstr" => Kind::Str,
            b"domain" => Kind::Comment,
            b"" => match content.first() {
                None => Kind::Blank,
                Some(b'#') => Kind::Comment,
                Some(b'"') => Kind::More,
                Some(_) => Kind::Junk,
            },
            _ => Kind::Junk,
        };
        (kind, rest)
    }
}

/// Where a line stands to the entries around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Inside an entry.
    None,
    /// It begins an entry: one ends before it.
    Before,
    /// An entry ends with it.
    After,
}

/// Finds the ends of entries, line by line.
#[derive(Debug, Default, Clone, Copy)]
struct Splitter {
    has_context: bool,
    has_id: bool,
    has_str: bool,
    has_junk: bool,
}

impl Splitter {
    /// Whether the entry has anything but comments.
    fn has_statement(self) -> bool {
        self.has_context || self.has_id || self.has_str || self.has_junk
    }

    fn step(&mut self, kind: Kind) -> Cut {
        let is_before = match kind {
            // After a `msgid` too, where gettext would let a comment stand: if
            // the `msgstr` is missing, the `fuzzy` of the next entry must not
            // be taken for a comment on this one.
            Kind::Comment => self.has_statement(),
            Kind::Context => self.has_statement(),
            Kind::Id => self.has_id || self.has_str || (self.has_junk && !self.has_context),
            _ => false,
        };
        if is_before {
            *self = Self::default();
        }
        match kind {
            Kind::Blank if self.has_str || self.has_junk => {
                *self = Self::default();
                return Cut::After;
            }
            Kind::Blank | Kind::Comment => {}
            Kind::Context => self.has_context = true,
            Kind::Id => self.has_id = true,
            Kind::Str => self.has_str = true,
            Kind::More if self.has_statement() => {}
            Kind::Plural | Kind::More | Kind::Junk => {
                self.has_junk |= kind != Kind::Plural || !self.has_id;
            }
        }
        if is_before { Cut::Before } else { Cut::None }
    }
}

/// Knows where entries end in a stream.
///
/// A line shows what it is only with its first letters, and an end before them
/// may be in a chunk that is gone. Such an end is passed over: the block then
/// holds one entry more, which the decoder finds.
#[derive(Debug, Default)]
struct Entries {
    splitter: Splitter,
    /// The first bytes of a line that began in a chunk before.
    begun: Vec<u8>,
    /// Whether there is such a line.
    is_begun: bool,
}

impl Entries {
    /// Longer than any keyword with `#~` before it.
    const KEPT: usize = 64;

    fn keep(&mut self, part: &[u8]) {
        let part = if self.begun.is_empty() {
            part.trim_ascii_start()
        } else {
            part
        };
        let room = Self::KEPT - self.begun.len();
        self.begun.extend_from_slice(&part[..part.len().min(room)]);
        self.is_begun = true;
    }

    /// Takes a line up to its newline, and returns whether an entry ends
    /// before it or after it.
    fn step(&mut self, part: &[u8]) -> Cut {
        if !self.is_begun {
            return self.splitter.step(Line::new(part).kind);
        }
        self.keep(part);
        let cut = self.splitter.step(Line::new(&self.begun).kind);
        self.begun.clear();
        self.is_begun = false;
        if cut == Cut::Before { Cut::None } else { cut }
    }
}

impl Cutter for Entries {
    fn scan(&mut self, chunk: &[u8], want: Want) -> Option<usize> {
        let (mut at, mut found) = (0, None);
        while let Some(newline) = memchr::memchr(b'\n', &chunk[at..]) {
            let next = at + newline + 1;
            let end = match self.step(&chunk[at..next - 1]) {
                Cut::None => None,
                Cut::Before => Some(at),
                Cut::After => Some(next),
            };
            if end.is_some() && want == Want::First {
                self.splitter = Splitter::default();
                return end;
            }
            found = end.or(found);
            at = next;
        }
        if at < chunk.len() {
            self.keep(&chunk[at..]);
        }
        found
    }
}

/// An entry as it stands in the file.
#[derive(Debug)]
struct Raw<'a> {
    /// From the line after the entry before to the end of its own last line.
    bytes: &'a [u8],
    /// Its first line, from 0.
    line: u64,
}

/// The entries of a stretch of text; what follows the last one, comments that
/// belong to nothing, is none.
struct Split<'a> {
    text: &'a [u8],
    splitter: Splitter,
    start: usize,
    start_line: u64,
    at: usize,
    line: u64,
}

impl<'a> Split<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            splitter: Splitter::default(),
            start: 0,
            start_line: 0,
            at: 0,
            line: 0,
        }
    }

    /// Ends the entry before a place, which is the beginning of a line.
    fn end(&mut self, at: usize, line: u64) -> Raw<'a> {
        let raw = Raw {
            bytes: &self.text[self.start..at],
            line: self.start_line,
        };
        (self.start, self.start_line) = (at, line);
        raw
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Raw<'a>> {
        while self.at < self.text.len() {
            let (at, line) = (self.at, self.line);
            let newline = memchr::memchr(b'\n', &self.text[at..]);
            let end = newline.map_or(self.text.len(), |newline| at + newline);
            let next = newline.map_or(end, |_| end + 1);
            (self.at, self.line) = (next, line + 1);
            match self.splitter.step(Line::new(&self.text[at..end]).kind) {
                Cut::None => {}
                Cut::Before => return Some(self.end(at, line)),
                Cut::After => return Some(self.end(next, line + 1)),
            }
        }
        let has_more = std::mem::take(&mut self.splitter).has_statement();
        has_more.then(|| self.end(self.text.len(), self.line))
    }
}

/// A batch: whole entries, or one that is too long.
#[derive(Debug)]
struct Stretch {
    piece: Piece,
    forms: Option<Forms>,
    limit: usize,
}

impl Batch for Stretch {
    fn decode(self: Box<Self>, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        match &self.piece {
            Piece::TooLong {
                head,
                bytes,
                newlines,
            } => {
                each(too_long(head, *bytes, 0, self.limit));
                *newlines
            }
            Piece::Records(block) => {
                for raw in Split::new(block) {
                    self.decode_entry(&raw, each);
                }
                count_newlines(block) + u64::from(block.last().is_some_and(|&byte| byte != b'\n'))
            }
        }
    }
}

impl Stretch {
    fn decode_entry(&self, raw: &Raw<'_>, each: &mut dyn FnMut(Item<'_>)) {
        let length = raw.bytes.strip_suffix(b"\n").unwrap_or(raw.bytes).len();
        if length > self.limit {
            return each(too_long(raw.bytes, length as u64, raw.line, self.limit));
        }
        let (bytes, n_blank) = without_blank_lines(raw.bytes);
        let line = raw.line + n_blank;
        let entry = match utf8(bytes).and_then(Entry::parse) {
            Ok(entry) if entry.is_header() => return,
            Ok(entry) => entry,
            Err(fault) => return each(fault.into_item(line, bytes)),
        };
        if let Some(fault) = entry.unusable() {
            return each(fault.into_item(line, bytes));
        }
        for (source, target) in entry.pairs(self.forms).into_iter().flatten() {
            let (source, target_text) = (source.text(), target.text());
            if target_text.is_empty() {
                each(target.untranslated().into_item(line, bytes));
                continue;
            }
            each(Item::Record(Record::new(
                line,
                bytes,
                Data::Row(&[source, target_text]),
            )));
        }
    }
}

fn too_long(head: &[u8], bytes: u64, line: u64, limit: usize) -> Item<'_> {
    let message = format!("the entry is {bytes} bytes long, the limit is {limit}");
    Item::Reject(Reject {
        line,
        finding: Finding::new(&S008, Position::line(line), message),
        raw: &head[..head.len().min(limit).min(HEAD_BYTES)],
    })
}

/// An entry less the blank lines around it, and how many were before it.
fn without_blank_lines(entry: &[u8]) -> (&[u8], u64) {
    let entry = entry.trim_ascii_end();
    let n_space = entry.len() - entry.trim_ascii_start().len();
    let start = memchr::memrchr(b'\n', &entry[..n_space]).map_or(0, |newline| newline + 1);
    (&entry[start..], count_newlines(&entry[..start]))
}

fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    simdutf8::compat::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let last = valid.rsplit('\n').next().unwrap_or_default();
        Fault {
            code: &S001,
            position: Position {
                line: count_newlines(valid.as_bytes()),
                column: last.chars().count() as u64 + 1,
            },
            message: format!("the byte 0x{:02x} is not UTF-8", bytes[error.valid_up_to()]),
        }
    })
}

/// Why an entry is no record; the position is within the entry.
#[derive(Debug)]
struct Fault {
    code: &'static Code,
    position: Position,
    message: String,
}

impl Fault {
    fn syntax(position: Position, message: impl Into<String>) -> Self {
        Self {
            code: &S036,
            position,
            message: message.into(),
        }
    }

    /// The reject of the entry that begins at a line of the batch.
    fn into_item(self, line: u64, raw: &[u8]) -> Item<'_> {
        let position = Position {
            line: self.position.line + line,
            ..self.position
        };
        let finding = Finding::new(self.code, position, self.message);
        Item::Reject(Reject { line, finding, raw })
    }
}

/// An entry.
#[derive(Debug, Default)]
struct Entry<'a> {
    context: Option<Message<'a>>,
    id: Option<Message<'a>>,
    plural: Option<Message<'a>>,
    /// The translation, or all its forms.
    forms: Vec<Message<'a>>,
    /// Where its `fuzzy` flag is.
    fuzzy: Option<Position>,
    /// Where it begins to be obsolete. It is then not looked at further.
    obsolete: Option<Position>,
}

/// Which text of an entry a string belongs to.
#[derive(Debug, Clone, Copy)]
enum Part {
    Context,
    Id,
    Plural,
    Form,
}

impl<'a> Entry<'a> {
    fn parse(text: &'a str) -> Result<Self, Fault> {
        let mut entry = Self::default();
        let mut part = None;
        for (number, line) in (0..).zip(text.lines()) {
            let parsed = Line::new(line.as_bytes());
            let offset = line.len() - parsed.rest.len();
            let place = Place { line, number };
            let is_statement = !matches!(parsed.kind, Kind::Blank | Kind::Comment);
            if parsed.is_obsolete && is_statement {
                if part.is_none() {
                    entry.obsolete = Some(place.position(0));
                    return Ok(entry);
                }
                return Err(Fault::syntax(
                    place.position(0),
                    "an obsolete line stands in an entry that is not",
                ));
            }
            match parsed.kind {
                Kind::Blank => {}
                Kind::Comment => entry.comment(place),
                Kind::Junk => return Err(junk(place)),
                Kind::More => {
                    let Some(part) = part else {
                        return Err(Fault::syntax(
                            place.position(0),
                            "a string stands outside an entry",
                        ));
                    };
                    entry.last(part).strings(place, offset)?;
                }
                kind => {
                    let offset = entry.index(kind, place, offset)?;
                    let begun = entry.begin(kind, place)?;
                    entry.last(begun).strings(place, offset)?;
                    part = Some(begun);
                }
            }
        }
        entry.check_complete(text)?;
        Ok(entry)
    }

    /// Looks for the flag that matters.
    fn comment(&mut self, place: Place<'_>) {
        let comment = place.line.trim_ascii_start();
        // Since gettext 0.22, `#=` may carry flags too.
        let flags = comment
            .strip_prefix("#,")
            .or_else(|| comment.strip_prefix("#="));
        let is_fuzzy = |flag: &str| flag.trim() == "fuzzy";
        if flags.is_some_and(|flags| flags.split(',').any(is_fuzzy)) {
            let at = place.line.find("fuzzy").unwrap_or(0);
            self.fuzzy = self.fuzzy.or(Some(place.position(at)));
        }
    }

    /// Reads the index of a `msgstr`, which counts up from 0, and returns the
    /// offset behind it.
    fn index(&self, kind: Kind, place: Place<'_>, offset: usize) -> Result<usize, Fault> {
        if kind != Kind::Str {
            return Ok(offset);
        }
        let rest = place.line[offset..].trim_ascii_start();
        let Some(inside) = rest.strip_prefix('[') else {
            return match (&self.plural, self.forms.is_empty()) {
                (_, false) => Err(Fault::syntax(place.position(0), "a second `msgstr`")),
                (Some(_), _) => Err(Fault::syntax(
                    place.position(0),
                    "`msgstr` of a plural without an index",
                )),
                (None, _) => Ok(offset),
            };
        };
        let bracket = place.position(place.line.len() - rest.len());
        let Some((index, after)) = inside.split_once(']') else {
            return Err(Fault::syntax(bracket, "the index of `msgstr` has no end"));
        };
        if self.plural.is_none() {
            return Err(Fault::syntax(
                bracket,
                "`msgstr` with an index, but no `msgid_plural`",
            ));
        }
        let expected = self.forms.len();
        if index.trim().parse() != Ok(expected) {
            return Err(Fault::syntax(
                bracket,
                format!("`msgstr[{index}]` where `msgstr[{expected}]` is due"),
            ));
        }
        Ok(place.line.len() - after.len())
    }

    /// Begins one of the texts.
    fn begin(&mut self, kind: Kind, place: Place<'_>) -> Result<Part, Fault> {
        let position = place.position(place.line.len() - place.line.trim_ascii_start().len());
        let message = Some(Message::new(position));
        let (slot, part, is_late) = match kind {
            Kind::Context => (&mut self.context, Part::Context, self.id.is_some()),
            Kind::Id => (&mut self.id, Part::Id, !self.forms.is_empty()),
            Kind::Plural => (
                &mut self.plural,
                Part::Plural,
                self.id.is_none() || !self.forms.is_empty(),
            ),
            _ if self.id.is_none() => {
                return Err(Fault::syntax(position, "`msgstr` without a `msgid`"));
            }
            _ => {
                self.forms.extend(message);
                return Ok(Part::Form);
            }
        };
        let word = place
            .line
            .split_ascii_whitespace()
            .next()
            .unwrap_or_default();
        let word = word.split('"').next().unwrap_or_default();
        if is_late {
            return Err(Fault::syntax(
                position,
                format!("`{word}` is out of its order"),
            ));
        }
        if slot.is_some() {
            return Err(Fault::syntax(position, format!("a second `{word}`")));
        }
        *slot = message;
        Ok(part)
    }

    /// The text that was begun last, of the given part.
    fn last(&mut self, part: Part) -> &mut Message<'a> {
        match part {
            Part::Context => self.context.as_mut(),
            Part::Id => self.id.as_mut(),
            Part::Plural => self.plural.as_mut(),
            Part::Form => self.forms.last_mut(),
        }
        .expect("a part is only named once it was begun")
    }

    fn check_complete(&self, text: &str) -> Result<(), Fault> {
        let messages = [&self.context, &self.id, &self.plural]
            .into_iter()
            .flatten();
        for message in messages.chain(&self.forms) {
            message.check_text()?;
        }
        if self.id.is_some() && !self.forms.is_empty() {
            return Ok(());
        }
        let missing = if self.id.is_none() { "msgid" } else { "msgstr" };
        let end = Position::line(count_newlines(text.as_bytes()));
        let first = [&self.id, &self.context].into_iter().flatten().next();
        let position = first.map_or(end, |message| message.position);
        Err(Fault::syntax(
            position,
            format!("the entry has no `{missing}`"),
        ))
    }

    /// The header: its `msgid` is empty, and no context tells it apart.
    fn is_header(&self) -> bool {
        self.context.is_none()
            && self.obsolete.is_none()
            && self.id.as_ref().is_some_and(Message::is_empty)
    }

    /// Why a well-formed entry is not to be learnt from as a whole.
    fn unusable(&self) -> Option<Fault> {
        if let Some(position) = self.obsolete {
            return Some(Fault {
                code: &S025,
                position,
                message: "the entry is obsolete".into(),
            });
        }
        if let Some(position) = self.fuzzy {
            return Some(Fault {
                code: &S023,
                position,
                message: "the translation is marked `fuzzy`".into(),
            });
        }
        let is_untranslated = self.forms.iter().all(Message::is_empty);
        self.forms
            .first()
            .filter(|_| is_untranslated)
            .map(Message::untranslated)
    }

    /// The pairs of source and target: one, or two of a plural.
    fn pairs(&self, forms: Option<Forms>) -> [Option<(&Message<'a>, &Message<'a>)>; 2] {
        let Some(plural) = &self.plural else {
            return [self.id.as_ref().zip(self.forms.first()), None];
        };
        let Forms { one, many } = Forms::among(forms, self.forms.len());
        let singular = self.id.as_ref().zip(self.forms.get(one));
        let plural = Some(plural).zip(self.forms.get(many));
        [singular.filter(|_| one != many), plural]
    }
}

fn junk(place: Place<'_>) -> Fault {
    let content = place.line.trim_ascii_start();
    let word: String = content
        .chars()
        .take_while(|&c| c.is_ascii_alphanumeric() || c == '_')
        .take(40)
        .collect();
    let position = place.position(place.line.len() - content.len());
    let message = if word.is_empty() {
        "neither a keyword, a string nor a comment".into()
    } else {
        format!("unknown keyword `{word}`")
    };
    Fault::syntax(position, message)
}

/// A line with its number within the entry.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    line: &'a str,
    number: u64,
}

impl Place<'_> {
    /// The position of an offset in the line.
    fn position(self, offset: usize) -> Position {
        Position {
            line: self.number,
            column: self.line[..offset].chars().count() as u64 + 1,
        }
    }
}

/// One text of an entry, put together from its strings.
#[derive(Debug)]
struct Message<'a> {
    /// Where its keyword is.
    position: Position,
    /// Bytes and not characters: an escape may give half of one.
    bytes: Cow<'a, [u8]>,
}

impl<'a> Message<'a> {
    fn new(position: Position) -> Self {
        Self {
            position,
            bytes: Cow::Borrowed(&[]),
        }
    }

    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The text of an entry that was checked.
    fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    fn check_text(&self) -> Result<(), Fault> {
        simdutf8::basic::from_utf8(&self.bytes)
            .map(drop)
            .map_err(|_| {
                Fault::syntax(
                    self.position,
                    "the escapes of the text give bytes that are not UTF-8",
                )
            })
    }

    fn untranslated(&self) -> Fault {
        Fault {
            code: &S024,
            position: self.position,
            message: "the translation is empty".into(),
        }
    }

    /// Appends the strings of a line from an offset on.
    fn strings(&mut self, place: Place<'a>, offset: usize) -> Result<(), Fault> {
        let bytes = place.line.as_bytes();
        let mut at = offset;
        loop {
            at = bytes.len() - bytes[at..].trim_ascii_start().len();
            match bytes.get(at) {
                None => return Ok(()),
                Some(b'"') => at = self.string(place, at)?,
                Some(_) => {
                    return Err(Fault::syntax(place.position(at), "text outside the quotes"));
                }
            }
        }
    }

    /// Appends the string whose opening quote is at `open`, and returns the
    /// offset behind its closing one.
    fn string(&mut self, place: Place<'a>, open: usize) -> Result<usize, Fault> {
        let bytes = place.line.as_bytes();
        let mut at = open + 1;
        loop {
            let Some(n) = memchr::memchr2(b'"', b'\\', &bytes[at..]) else {
                return Err(Fault::syntax(
                    place.position(open),
                    "the string has no closing quote",
                ));
            };
            self.push(&bytes[at..at + n]);
            at += n + 1;
            if bytes[at - 1] == b'"' {
                return Ok(at);
            }
            let Some((byte, length)) = escape(&bytes[at..]) else {
                let c = place.line[at..].chars().next();
                let shown = c.map_or_else(|| "\\".into(), |c| format!("\\{c}"));
                return Err(Fault::syntax(
                    place.position(at - 1),
                    format!("unknown escape `{shown}`"),
                ));
            };
            self.bytes.to_mut().push(byte);
            at += length;
        }
    }

    /// Appends bytes, borrowed while they are the only ones.
    fn push(&mut self, bytes: &'a [u8]) {
        if self.bytes.is_empty() {
            self.bytes = Cow::Borrowed(bytes);
        } else if !bytes.is_empty() {
            self.bytes.to_mut().extend_from_slice(bytes);
        }
    }
}

/// Reads an escape behind its backslash: the byte, and how many bytes it took.
fn escape(rest: &[u8]) -> Option<(u8, usize)> {
    let simple = |byte| Some((byte, 1));
    match rest.first()? {
        b'n' => simple(b'\n'),
        b't' => simple(b'\t'),
        b'r' => simple(b'\r'),
        b'a' => simple(0x07),
        b'b' => simple(0x08),
        b'v' => simple(0x0b),
        b'f' => simple(0x0c),
        byte @ (b'"' | b'\\') => simple(*byte),
        b'x' => number(&rest[1..], 16, 2).map(|(byte, length)| (byte, length + 1)),
        b'0'..=b'7' => number(rest, 8, 3),
        _ => None,
    }
}

/// Reads up to `most` digits, at least one, of a number below 256.
fn number(rest: &[u8], radix: u32, most: usize) -> Option<(u8, usize)> {
    let length = rest
        .iter()
        .take(most)
        .take_while(|&&byte| char::from(byte).is_digit(radix))
        .count();
    let digits = std::str::from_utf8(&rest[..length]).ok()?;
    u8::from_str_radix(digits, radix)
        .ok()
        .map(|byte| (byte, length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::contract::{self, Seen, read};
    use super::*;
    use crate::source::moses::tests::shared;

    const HEADER: &str =
        "msgid \"\"\nmsgstr \"\"\n\"Content-Type: text/plain; charset=UTF-8\\n\"\n";

    /// Reads a file and shows a line for each item, after holding it to the
    /// contract: `line: source → target`, or `line: code at line:column`.
    fn check(po: impl AsRef<[u8]>, expected: &[&str]) {
        check_with(po, &Options::default(), expected);
    }

    fn check_with(po: impl AsRef<[u8]>, options: &Options, expected: &[&str]) {
        let po = po.as_ref();
        contract::holds(po, &open, options);
        let seen = read(po, &open, options).unwrap();
        let shown: Vec<_> = seen.iter().map(show).collect();
        assert_eq!(shown, expected, "{}", String::from_utf8_lossy(po));
    }

    fn show(seen: &Seen) -> String {
        match seen {
            Seen::Row { line, cells } => format!("{line}: {} → {}", cells[0], cells[1]),
            Seen::Reject { line, code, at, .. } => {
                format!("{line}: {code} at {}:{}", at.line, at.column)
            }
            other => format!("{other:?}"),
        }
    }

    fn raws(po: &[u8]) -> Vec<String> {
        let raw = |seen| match seen {
            Seen::Reject { raw, .. } => Some(String::from_utf8_lossy(&raw).into_owned()),
            _ => None,
        };
        read(po, &open, &Options::default())
            .unwrap()
            .into_iter()
            .filter_map(raw)
            .collect()
    }

    fn counts(po: &[u8]) -> [usize; 4] {
        let seen = read(po, &open, &Options::default()).unwrap();
        let rejected = |code| seen.iter().filter(|seen| seen.code() == Some(code)).count();
        let rows = seen
            .iter()
            .filter(|seen| matches!(seen, Seen::Row { .. }))
            .count();
        let counts = [rows, rejected("S023"), rejected("S024"), rejected("S025")];
        assert_eq!(counts.iter().sum::<usize>(), seen.len(), "nothing else");
        counts
    }

    #[test]
    fn an_entry_is_a_pair() {
        check("msgid \"Hello\"\nmsgstr \"Hola\"\n", &["1: Hello → Hola"]);
        check(
            "msgid \"Hello\"\r\nmsgstr \"Hola\"\r\n\r\n",
            &["1: Hello → Hola"],
        );
        check("\u{feff}msgid\"a\"\n  msgstr\t\"b\"", &["1: a → b"]);
        check(
            format!("{HEADER}\nmsgid \"a\"\nmsgstr \"b\"\n"),
            &["5: a → b"],
        );
        check(
            "# c\n\n\n#: x.c:1\nmsgctxt \"menu\"\nmsgid \"a\"\nmsgstr \"b\"\n",
            &["1: a → b"],
        );
        check("", &[]);
        check("# only\n#, fuzzy\n\n", &[]);
        check(HEADER, &[]);
        check("domain \"x\"\nmsgid \"a\"\n\nmsgstr \"b\"\n", &["1: a → b"]);
    }

    #[test]
    fn strings_are_joined_and_unescaped() {
        check(
            "msgid \"\"\n\"one \"\n\n\"two\"\nmsgstr \"uno \" \"dos\"\n",
            &["1: one two → uno dos"],
        );
        check(
            r#"msgid "\n\t\"\\\r\a\b\f\v|\0|\101\1012|\x41\x4g"
msgstr "\303\261\xc3\xb1ñ"
"#,
            &["1: \n\t\"\\\r\x07\x08\x0c\x0b|\0|AA2|A\x04g → ñññ"],
        );
        check("msgctxt \"c\"\nmsgid \"\"\nmsgstr \"b\"\n", &["1:  → b"]);
    }

    #[test]
    fn a_plural_gives_the_form_for_one_and_the_form_for_many() {
        let plural = "msgid \"a file\"\nmsgid_plural \"%d files\"\n";
        let check = |forms: &str, po: &str, expected: &[&str]| {
            let header = format!("msgid \"\"\nmsgstr \"Plural-Forms: {forms}\\n\"\n\n");
            check(header + plural + po, expected);
        };
        let two = "msgstr[0] \"un fichero\"\nmsgstr[1] \"%d ficheros\"\n";
        let pairs = ["4: a file → un fichero", "4: %d files → %d ficheros"];
        check("nplurals=2; plural=n != 1;", two, &pairs);
        check("no such thing", two, &pairs);
        check(
            "nplurals=1; plural=0;",
            "msgstr[0] \"%d 个文件\"\n",
            &["4: %d files → %d 个文件"],
        );
        let four = "msgstr[0] \"%d datotek\"\nmsgstr[1] \"datoteka\"\nmsgstr[2] \"dve\"\nmsgstr[3] \"tri\"\n";
        let slovenian =
            "nplurals=4; plural=(n%100==1 ? 1 : n%100==2 ? 2 : n%100==3 || n%100==4 ? 3 : 0);";
        check(
            slovenian,
            four,
            &["4: a file → datoteka", "4: %d files → %d datotek"],
        );
        check(
            "",
            "msgstr[0] \"x\"\nmsgstr[1] \"\"\n",
            &["4: a file → x", "4: S024 at 7:1"],
        );
        check("", "msgstr[0] \"\"\nmsgstr[1] \"\"\n", &["4: S024 at 6:1"]);
    }

    #[test]
    fn what_is_not_to_be_learnt_is_rejected() {
        check(
            "#: x\n#, c-format, fuzzy\nmsgid \"a\"\nmsgstr \"b\"\n",
            &["1: S023 at 2:14"],
        );
        check("#= fuzzy\nmsgid \"a\"\nmsgstr \"b\"\n", &["1: S023 at 1:4"]);
        check(
            "#, fuzzy-not\n#. fuzzy\n#| msgid \"old\"\nmsgid \"a\"\nmsgstr \"b\"\n",
            &["1: a → b"],
        );
        check("\nmsgid \"a\"\nmsgstr \"\"\n", &["2: S024 at 3:1"]);
        check(
            "#, fuzzy\n#~| msgid \"x\"\n#~ msgid \"a\"\n#~ msgstr \"\"\n#~ \"b\"\n",
            &["1: S025 at 3:1"],
        );
        check(
            "#~ msgid \"a\"\n#~ msgstr \"b\"\n#~ msgid \"c\"\n#~ msgstr \"d\"\n",
            &["1: S025 at 1:1", "3: S025 at 3:1"],
        );
        check(
            "#~ a stray line\nmsgid \"a\"\nmsgstr \"b\"\n#~ msgid \"c\"\n#~ msgstr \"d\"",
            &["1: a → b", "4: S025 at 4:1"],
        );
        check(
            "msgid \"ñ\"\nmsgstr \"x\"\n"
                .replace('x', "x\u{0}")
                .replace('\0', "\\n"),
            &["1: ñ → x\n"],
        );
    }

    #[test]
    fn a_reject_keeps_its_entry() {
        let po = b"msgid \"a\"\nmsgstr \"b\"\n\n\n# note\n#, fuzzy\nmsgid \"c\"\nmsgstr \"d\"\n\n# end\n";
        assert_eq!(raws(po), ["# note\n#, fuzzy\nmsgid \"c\"\nmsgstr \"d\""]);
    }

    #[test]
    fn reading_goes_on_after_a_fault() {
        let faults = [
            ("msgid \"a\nmsgstr \"b\"\n", "1: S036 at 1:7"),
            ("msgid \"a\"\nmsgstr \"ñ\\q\"\n", "1: S036 at 2:10"),
            ("msgid \"a\"\nmsgstr \"\\400\"\n", "1: S036 at 2:9"),
            ("msgid \"a\"\nmsgstr \"\\xzz\"\n", "1: S036 at 2:9"),
            ("msgid \"a\"\nmsgstr \"b\\\"\n", "1: S036 at 2:8"),
            ("msgid \"a\"\nmsgstr \"\\377\"\n", "1: S036 at 2:1"),
            ("msgid \"a\"\nmsgstr \"b\" c\n", "1: S036 at 2:12"),
            (
                "msgid \"a\"\nmsgstr \"b\"\nmsgsrt \"c\"\n",
                "1: S036 at 3:1",
            ),
            (
                "msgid \"a\"\nmsgstr \"b\"\nmsgstr \"c\"\n",
                "1: S036 at 3:1",
            ),
            (
                "msgid \"a\"\nmsgstr \"b\"\nmsgid_plural \"c\"\n",
                "1: S036 at 3:1",
            ),
            (
                "msgid \"a\"\nmsgid_plural \"b\"\nmsgstr \"c\"\n",
                "1: S036 at 3:1",
            ),
            (
                "msgid \"a\"\nmsgid_plural \"b\"\nmsgstr[1] \"c\"\n",
                "1: S036 at 3:7",
            ),
            (
                "msgid \"a\"\nmsgid_plural \"b\"\nmsgstr[0 \"c\"\n",
                "1: S036 at 3:7",
            ),
            ("msgid \"a\"\nmsgstr[0] \"c\"\n", "1: S036 at 2:7"),
            (
                "msgid \"a\"\nmsgid_plural \"b\"\nmsgid_plural \"b\"\nmsgstr[0] \"c\"\n",
                "1: S036 at 3:1",
            ),
            ("msgstr \"a\"\n", "1: S036 at 1:1"),
            ("msgid \"a\"\n", "1: S036 at 1:1"),
            ("msgctxt \"a\"\n\n", "1: S036 at 1:1"),
            ("\"a\"\n", "1: S036 at 1:1"),
            (" <html>\n", "1: S036 at 1:2"),
            (
                "msgid \"a\"\n#~ msgstr \"b\"\nmsgstr \"c\"\n",
                "1: S036 at 2:1",
            ),
        ];
        for (po, expected) in faults {
            let lines = po.lines().count();
            let after = |n: usize| format!("{n}: good → bueno");
            let (next, blank) = (after(lines + 1), after(lines + 2));
            check(po, &[expected]);
            check(
                format!("{po}\n# c\nmsgid \"good\"\nmsgstr \"bueno\""),
                &[expected, &blank],
            );
            if !po.starts_with("msgctxt") {
                check(
                    format!("{po}msgid \"good\"\nmsgstr \"bueno\"\n"),
                    &[expected, &next],
                );
            }
        }
    }

    #[test]
    fn a_flag_stays_with_its_entry() {
        let po = "msgid \"a\"\n\n#, fuzzy\nmsgid \"b\"\nmsgstr \"c\"\n";
        check(po, &["1: S036 at 1:1", "3: S023 at 3:4"]);
        check(
            "junk\n#, fuzzy\nmsgid \"b\"\nmsgstr \"c\"\n",
            &["1: S036 at 1:1", "2: S023 at 2:4"],
        );
    }

    #[test]
    fn invalid_utf8_is_found_where_it_is() {
        let po = [
            HEADER.as_bytes(),
            b"msgid \"\xc3\xb1\xff\"\nmsgstr \"b\"\n\nmsgid \"c\"\nmsgstr \"d\"\n",
        ]
        .concat();
        check(po, &["4: S001 at 4:9", "7: c → d"]);
    }

    #[test]
    fn the_header_names_the_encoding() {
        let po = |charset: &str| {
            let head = format!(
                "msgid \"\"\nmsgstr \"Content-Type: text/plain; charset={charset}\\n\"\n\n"
            );
            [head.as_bytes(), b"msgid \"a\"\nmsgstr \"\xb3\"\n"].concat()
        };
        let decisions = |charset: &str| {
            let input = Input::from_bytes("x", po(charset)).unwrap();
            open(input, &Options::default()).unwrap().decisions
        };
        check(po("ISO-8859-2"), &["4: a → ł"]);
        assert_eq!(
            decisions("ISO-8859-2"),
            ["encoding ISO-8859-2, by its header"]
        );
        check(po("UTF-8"), &["4: S001 at 5:9"]);
        assert_eq!(decisions("UTF-8"), [""; 0]);
        let [told, guessed] = &decisions("UTF-16")[..] else {
            panic!("both the label and the guess are told");
        };
        assert_eq!(
            told,
            "encoding `UTF-16` of its header not known, and not used"
        );
        assert_eq!(decisions("CHARSET"), std::slice::from_ref(guessed));
        let asked = Options {
            encoding: Some(encoding_rs::WINDOWS_1251),
            ..Options::default()
        };
        check_with(po("ISO-8859-2"), &asked, &["4: a → і"]);
    }

    #[test]
    fn an_entry_beyond_the_limit_is_skipped() {
        let options = Options {
            record_limit: 60,
            ..Options::default()
        };
        let long = "x".repeat(200);
        let po = format!(
            "msgid \"a\"\nmsgstr \"b\"\n\n# c\nmsgid \"{long}\"\nmsgstr \"\"\n\"{long}\"\n\nmsgid \"c\"\nmsgstr \"d\"\n"
        );
        check_with(&po, &options, &["1: a → b", "4: S008 at 4:1", "9: c → d"]);
    }

    #[test]
    fn po_is_told_by_its_first_statement() {
        for po in [
            HEADER,
            "# c\n\nmsgctxt \"a\"\nmsgid \"b\"",
            "#~ msgid \"x\"",
        ] {
            assert!(is(po), "{po}");
        }
        for other in [
            "",
            "# a heading\n\ntext",
            "msgid,msgstr\na,b",
            "msgid\tmsgstr",
            "{\"msgid\": \"a\"}",
        ] {
            assert!(!is(other), "{other}");
        }
    }

    #[test]
    fn fixtures_are_read() {
        let django = include_bytes!("../../../../fixtures/po/django.es.po");
        contract::holds(django, &open, &Options::default());
        assert_eq!(counts(django), [363, 0, 0, 0]);
        let seen = read(django, &open, &Options::default()).unwrap();
        assert!(seen.iter().any(|seen| show(seen).ends_with(
            "Ensure that there are no more than %(max)s digits in total. → \
             Asegúrese de que no haya más de %(max)s dígitos en total."
        )));
        let chinese = include_bytes!("../../../../fixtures/po/django-admin.zh_Hans.po");
        contract::holds(chinese, &open, &Options::default());
        assert_eq!(counts(chinese), [4, 0, 0, 0]);
    }

    /// Rows, fuzzy, untranslated and obsolete, as gettext and polib count
    /// them; an entry with two plural forms is two rows.
    #[test]
    fn real_files_give_what_gettext_counts() {
        let check = |name: &str, expected: [usize; 4]| {
            if let Some(po) = shared(&format!("parallel/po/{name}")) {
                assert_eq!(counts(&po), expected, "{name}");
                contract::holds(&po, &open, &Options::default());
            }
        };
        check("django-admin.zh_Hans.po", [198, 0, 0, 0]);
        check("django.es.po", [348 + 15, 0, 0, 0]);
        check("python-docs-es.faq.general.po", [91, 7, 0, 0]);
        check("python-docs-es.library.functions.po", [458, 0, 0, 2]);
        check("python-docs-es.library.stdtypes.po", [991, 103, 123, 8]);
        check("python-docs-es.tutorial.controlflow.po", [164, 0, 0, 1]);
    }

    /// A string as gettext writes it, broken into lines of `width` characters.
    fn quoted(text: &str, width: usize) -> String {
        let chars: Vec<char> = text.chars().collect();
        let parts = chars.chunks(width.max(1)).map(|part| {
            let escaped: String = part
                .iter()
                .map(|&c| match c {
                    '"' => "\\\"".into(),
                    '\\' => "\\\\".into(),
                    '\n' => "\\n".into(),
                    '\r' => "\\r".into(),
                    c => c.to_string(),
                })
                .collect();
            format!("\"{escaped}\"\n")
        });
        format!("\"\"\n{}", parts.collect::<String>())
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            pairs in prop::collection::vec(("(?s).{1,40}", "(?s).{1,40}"), 0..8),
            width in 1_usize..50,
            gap in "\n{0,3}",
            block_bytes in 1_usize..300,
        ) {
            let entry = |(source, target): &(String, String)| {
                format!("msgid {}msgstr {}{gap}", quoted(source, width), quoted(target, width))
            };
            let po: String = std::iter::once(HEADER.to_owned() + &gap).chain(pairs.iter().map(entry)).collect();
            let options = Options { block_bytes, ..Options::default() };
            let seen = read(po.as_bytes(), &open, &options).unwrap();
            let cells = seen.into_iter().map(|seen| match seen {
                Seen::Row { cells, .. } => (cells[0].clone(), cells[1].clone()),
                other => panic!("{other:?}"),
            });
            prop_assert_eq!(cells.collect::<Vec<_>>(), pairs);
        }

        #[test]
        fn any_lines_keep_the_contract(lines in prop::collection::vec(
            prop::sample::select(vec![
                "", " ", "# c", "#, fuzzy", "#~ msgid \"o\"", "#~ msgstr \"o\"", "#~ \"o\"", "#~ x", "msgctxt \"c\"",
                "msgid \"a\"", "msgid_plural \"b\"", "msgstr \"c\"", "msgstr[0] \"d\"", "msgstr[1] \"e\"", "\"f\"", "g",
                "msgid \"\"", "msgstr \"", "\u{1f}",
            ]), 0..30,
        )) {
            contract::holds(lines.join("\n").as_bytes(), &open, &Options::default());
        }
    }
}
