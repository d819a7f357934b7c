//! TMX 1.4: translation memories.
//!
//! A `<tu>` is one record: the `<seg>` of the `<tuv>` in the source language
//! and that of the `<tuv>` in the target language, each exactly as it is
//! written. What is decided here, and why:
//!
//! - **Languages.** Without being told, a file whose first units name two
//!   languages is read from the header's `srclang` (or, if that is neither,
//!   from the language of the first `<tuv>`) to the other one. More than two
//!   are an error, since only the user knows. `xml:lang` counts before the
//!   older `lang`. How names match is in [`language`](super::xml::language).
//! - **A unit without one of the languages** is rejected (S026), never paired
//!   with something else.
//! - **Several `<tuv>` of one language** are alternative translations. The
//!   first is used, which is the one a translation tool offers, and a note
//!   (S040) says that there are more: pairing the source with each of them
//!   would teach the model that all are equally right.
//! - **An empty `<seg>`** is an empty cell, to be judged with all other
//!   sources' empty cells.
//! - **Inline tags** are placeholders or nothing, see
//!   [`inline`](super::xml::inline); `<bpt>`, `<ph>` and `<it>` are the same
//!   tag on both sides if they have the same `x`, an `<ept>` if its `<bpt>` is.
//!   Without `x`, `i` decides, and then their order.
//!
//! Only the two texts of a record are checked for entities. Malformed markup
//! anywhere in a unit rejects the unit (S032).
//!
//! Most units of most memories have one shape: properties and notes, then
//! `<tuv>`s with one `<seg>` of plain text. [`plain`] reads those at several
//! times the speed of a parser and declines everything else; a property test
//! holds it to the parser's answer.

mod plain;

use std::borrow::Cow;
use std::sync::Arc;

use memchr::memmem;
use quick_xml::events::{BytesStart, Event};

use super::blocks::{Block, Blocks, Piece};
use super::xml::broken::{self, Incomplete, TooLong, too_long};
use super::xml::ends::Ends;
use super::xml::inline::{self, Inline, Role, Side, Vocabulary};
use super::xml::language::{End, Named, Wanted};
use super::xml::markup::{Extent, Kind, Tag, Tags, extent};
use super::xml::pull::{Fault, Pull, unescape};
use super::xml::{LineCount, Margin, Places, prolog};
use super::{
    Batch, Choice, Columns, Data, Format, InlineTags, Item, Opened, Options, Record, Reject,
    Source, SourceError,
};
use crate::diag::{S001, S026, S031, S040};
use crate::io::Input;

const UNITS: &[&str] = &["tu"];

/// The longest namespace prefix that is worth a short cut, with its `<`.
const PREFIX_BYTES: usize = 64;

/// Whether a text is a TMX document.
pub(crate) fn is(head: &str) -> bool {
    prolog::is(head, "tmx")
}

/// Opens a translation memory.
pub(crate) fn open(input: Input, options: &Options) -> Result<Opened, SourceError> {
    let name = input.name().to_owned();
    let text = prolog::open(input, options, Format::Tmx, "tmx")?;
    let (languages, told) = Languages::choose(&text.head, text.is_whole, options)
        .map_err(|cause| unsettled(&name, cause))?;
    let blocks = Blocks::new(
        text.reader,
        Ends::new(UNITS),
        options.block_bytes,
        options.record_limit,
    );
    Ok(Opened {
        format: Format::Tmx,
        names: vec![name.clone()],
        columns: Some(Columns::pair()),
        decisions: text.decision.into_iter().chain(told).collect(),
        source: Box::new(Memory {
            name,
            blocks,
            languages,
            inline_tags: options.inline_tags,
            record_limit: options.record_limit,
            margin: Margin::default(),
            is_complete: false,
            is_done: false,
        }),
    })
}

/// An error of languages that only the user can choose.
fn unsettled(name: &str, cause: String) -> SourceError {
    SourceError::malformed(name, Format::Tmx, cause).choice(Choice::Languages)
}

/// The languages of a memory, and the two that are wanted.
#[derive(Debug)]
struct Languages {
    named: Named,
    /// `None` in a file that names no language at all.
    wanted: Option<Arc<[Wanted; 2]>>,
}

impl Languages {
    /// Chooses by the options and the beginning of the file, and says how.
    fn choose(
        head: &[u8],
        is_whole: bool,
        options: &Options,
    ) -> Result<(Self, Vec<String>), String> {
        let mut named = Named::default();
        let mut header = None;
        for tag in Tags::new(head)
            .filter(|tag| tag.kind != Kind::Close && (is_whole || tag.end < head.len()))
        {
            if tag.name == b"header" {
                header = tag.attribute("srclang");
            } else if let Some(name) = language(&tag) {
                named.add(name);
            }
        }
        let [source, target] = [&options.src_lang, &options.tgt_lang].map(Option::as_deref);
        if named.names().is_empty() && (is_whole || source.is_none() || target.is_none()) {
            if is_whole {
                return Ok((
                    Self {
                        named,
                        wanted: None,
                    },
                    Vec::new(),
                ));
            }
            return Err(format!(
                "no `<tuv>` in its first {} KiB names a language",
                head.len() >> 10
            ));
        }
        let (wanted, told) = match (source, target) {
            (Some(source), Some(target)) => {
                let wanted = [
                    Wanted::new(End::Source, source, &named)?,
                    Wanted::new(End::Target, target, &named)?,
                ];
                (wanted, None)
            }
            (Some(source), None) => {
                let source = Wanted::new(End::Source, source, &named)?;
                let (target, why) = other(&named, source.name(), None)?;
                let told = format!("target language `{target}`, {why}");
                (
                    [source, Wanted::new(End::Target, &target, &named)?],
                    Some(told),
                )
            }
            (None, Some(target)) => {
                let target = Wanted::new(End::Target, target, &named)?;
                let (source, why) = other(&named, target.name(), header)?;
                let told = format!("source language `{source}`, {why}");
                (
                    [Wanted::new(End::Source, &source, &named)?, target],
                    Some(told),
                )
            }
            (None, None) => {
                let [source, target, told] = two(&named, header)?;
                let wanted = [
                    Wanted::new(End::Source, &source, &named)?,
                    Wanted::new(End::Target, &target, &named)?,
                ];
                (wanted, Some(told))
            }
        };
        if wanted[0].is_found() && wanted[1].is(wanted[0].name()) {
            return Err(format!(
                "both sides are `{}`; its languages are {}",
                wanted[0].name(),
                named.list()
            ));
        }
        if is_whole {
            check_found(&wanted, &named)?;
        }
        let asked = wanted.iter().filter_map(Wanted::decision);
        let told = asked.chain(told).collect();
        let wanted = Some(Arc::new(wanted));
        Ok((Self { named, wanted }, told))
    }

    /// Takes note of the languages of a block.
    fn see(&mut self, block: &[u8]) -> Result<(), String> {
        if !self.has_news(block) {
            return Ok(());
        }
        for name in Tags::new(block).filter_map(|tag| language(&tag)) {
            if self.named.add(name)
                && let Some(wanted) = &mut self.wanted
            {
                for wanted in Arc::make_mut(wanted) {
                    wanted.see(name)?;
                }
            }
        }
        Ok(())
    }

    /// Whether a block may name a language that is not known yet.
    ///
    /// Every block is asked, on the one thread that reads, so this looks for
    /// `tuv` alone and takes what is hidden in comments for tags.
    fn has_news(&self, block: &[u8]) -> bool {
        // Nearly every `<tuv>` has the language of the one before last.
        let mut last = ["", ""];
        for at in memmem::find_iter(block, b"tuv") {
            if !matches!(block[..at].last(), Some(b'<' | b':')) {
                continue;
            }
            // Looking back without end would take forever on hostile input.
            let near = at.saturating_sub(PREFIX_BYTES);
            let Some(open) = memchr::memrchr(b'<', &block[near..at]) else {
                return true;
            };
            let tag = Tags::new(&block[near + open..]).next();
            let Some(name) = tag.and_then(|tag| language(&tag)) else {
                continue;
            };
            if name == last[0] || name == last[1] {
                continue;
            }
            last = [last[1], name];
            if !self.named.knows(name) {
                return true;
            }
        }
        false
    }

    /// Checks at the end of the input that it had what was wanted.
    fn finish(&self) -> Result<(), String> {
        match &self.wanted {
            Some(wanted) if !self.named.names().is_empty() => check_found(wanted, &self.named),
            _ => Ok(()),
        }
    }
}

fn check_found(wanted: &[Wanted; 2], named: &Named) -> Result<(), String> {
    wanted
        .iter()
        .find(|wanted| !wanted.is_found())
        .map_or(Ok(()), |wanted| Err(wanted.missing(named)))
}

/// The language of a tag, if it is a `<tuv>` that names one.
fn language<'a>(tag: &Tag<'a>) -> Option<&'a str> {
    if tag.name != b"tuv" || tag.kind == Kind::Close {
        return None;
    }
    let name = tag.attribute("xml:lang").or_else(|| tag.attribute("lang"));
    name.filter(|name| !name.is_empty())
}

/// Chooses both languages, and says how.
fn two(named: &Named, header: Option<&str>) -> Result<[String; 3], String> {
    let [first, second] = named.names() else {
        return Err(not_two(named));
    };
    let by_header = header.and_then(|header| {
        let of_header =
            |end, asked: &str| Wanted::new(end, asked, named).ok().filter(Wanted::is_found);
        of_header(End::Source, header).map(|wanted| wanted.name().to_owned())
    });
    let (source, why) = match by_header {
        Some(source) => (source, "the header's `srclang`"),
        None => (first.clone(), "the first that it names"),
    };
    let target = if source == *first { second } else { first };
    let told = format!(
        "source language `{source}`, {why}; target language `{target}`, the only other one"
    );
    Ok([source, target.clone(), told])
}

/// Chooses the language of one side when the other one is given.
fn other(
    named: &Named,
    given: &str,
    header: Option<&str>,
) -> Result<(String, &'static str), String> {
    let others: Vec<_> = named.names().iter().filter(|name| *name != given).collect();
    if let [other] = others[..] {
        return Ok((other.clone(), "the only other one"));
    }
    let by_header =
        header.and_then(|header| others.iter().find(|name| name.eq_ignore_ascii_case(header)));
    match by_header {
        Some(name) => Ok(((*name).clone(), "the header's `srclang`")),
        None => Err(not_two(named)),
    }
}

fn not_two(named: &Named) -> String {
    let n = named.names().len();
    let languages = if n == 1 { "language" } else { "languages" };
    format!("it names {n} {languages}: {}", named.list())
}

/// A translation memory.
#[derive(Debug)]
struct Memory {
    name: String,
    blocks: Blocks<Ends>,
    languages: Languages,
    inline_tags: InlineTags,
    record_limit: usize,
    margin: Margin,
    /// Whether the root element was seen to end, or what is missing reported.
    is_complete: bool,
    is_done: bool,
}

impl Source for Memory {
    fn next_batch(&mut self) -> Result<Option<Box<dyn Batch>>, SourceError> {
        if self.is_done {
            return Ok(None);
        }
        let piece = self.blocks.next().map_err(SourceError::read(&self.name))?;
        let is_ended = self.blocks.cutter().take_last().is_some();
        Ok(match piece {
            Some(Piece::Records(block)) => {
                self.languages
                    .see(&block)
                    .map_err(|cause| unsettled(&self.name, cause))?;
                let margin = self.margin;
                self.margin.pass(&block);
                // Only what follows the last unit of the file is not a unit.
                self.is_complete = !broken::ends_with(&block, UNITS);
                Some(Box::new(Units {
                    block,
                    margin,
                    wanted: self.languages.wanted.clone(),
                    inline_tags: self.inline_tags,
                    record_limit: self.record_limit,
                }))
            }
            Some(Piece::TooLong { head, newlines, .. }) => {
                self.margin.reset();
                // Otherwise the input ended inside it, which is told with it.
                self.is_complete = !is_ended;
                Some(Box::new(TooLong {
                    head,
                    newlines,
                    limit: self.record_limit,
                    units: UNITS,
                }))
            }
            None => {
                self.is_done = true;
                self.languages
                    .finish()
                    .map_err(|cause| unsettled(&self.name, cause))?;
                let incomplete = Incomplete {
                    margin: self.margin,
                    root: "tmx",
                };
                (!self.is_complete).then(|| Box::new(incomplete) as Box<dyn Batch>)
            }
        })
    }
}

/// Whole units.
#[derive(Debug)]
struct Units {
    block: Block,
    margin: Margin,
    wanted: Option<Arc<[Wanted; 2]>>,
    inline_tags: InlineTags,
    record_limit: usize,
}

impl Batch for Units {
    fn decode(self: Box<Self>, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        let bytes = &self.block[..];
        let text = simdutf8::basic::from_utf8(bytes).ok();
        let wanted = self.wanted.as_deref();
        let mut lines = LineCount::new(bytes);
        let mut places = Places::new(bytes, self.margin);
        let mut tags = Tags::new(bytes);
        // Where the unit before ended.
        let mut done = 0;
        while let Some(tag) = tags.next() {
            if tag.name != b"tu" {
                continue;
            }
            if tag.kind == Kind::Close {
                let start = done
                    + bytes[done..]
                        .iter()
                        .take_while(|byte| byte.is_ascii_whitespace())
                        .count();
                let finding =
                    places.finding(Fault::markup(tag.start, "`</tu>` closes no `<tu>`"), 0);
                each(Item::Reject(Reject {
                    line: lines.line(start),
                    finding,
                    raw: &bytes[start..tag.end],
                }));
                done = tag.end;
                continue;
            }
            if let (Some(text), Some(wanted)) = (text, wanted)
                && let Some(unit) = plain::unit(text, tag.start, wanted)
                && unit.end - done <= self.record_limit
            {
                done = unit.end;
                tags.skip_to(done);
                each(Item::Record(Record::new(
                    lines.line(tag.start),
                    &bytes[tag.start..done],
                    Data::Row(&unit.texts),
                )));
                continue;
            }
            let line = lines.line(tag.start);
            let extent = extent(&mut tags, &tag, UNITS, &[]);
            let before = std::mem::replace(&mut done, extent.end(bytes.len()));
            if done - before > self.record_limit {
                let line = LineCount::new(&bytes[..before]).total();
                each(too_long(
                    &bytes[before..done],
                    line,
                    self.record_limit,
                    UNITS,
                ));
                continue;
            }
            let raw = &bytes[tag.start..done];
            let unit = match extent {
                Extent::Whole(_) => self.unit(raw),
                Extent::Unclosed(_) => Err(Fault::markup(0, "the `<tu>` is not closed")),
                Extent::Truncated => Err(Fault::new(&S031, 0, "the file ends inside this `<tu>`")),
            };
            match unit {
                Ok(unit) => {
                    let data = Data::Row(&unit.texts.map(Cow::Owned));
                    each(Item::Record(Record::new(line, raw, data)));
                    for fault in unit.notes {
                        each(Item::Note(places.finding(fault, tag.start)));
                    }
                }
                Err(fault) => {
                    let finding = places.finding(fault, tag.start);
                    each(Item::Reject(Reject { line, finding, raw }));
                }
            }
            if extent == Extent::Truncated {
                return lines.total();
            }
        }
        let rest = &bytes[done..];
        if !rest.is_empty()
            && !Tags::new(rest).any(|tag| tag.kind == Kind::Close && tag.name == b"tmx")
        {
            let position = places.position(bytes.len());
            each(Item::Note(broken::incomplete(position, "tmx")));
        }
        lines.total()
    }
}

impl Units {
    /// Parses a unit.
    fn unit(&self, raw: &[u8]) -> Result<Unit, Fault> {
        let unit = std::str::from_utf8(raw)
            .map_err(|error| Fault::new(&S001, error.valid_up_to(), "the bytes are not UTF-8"))?;
        parse(unit, self.wanted.as_deref(), self.inline_tags)
    }
}

/// A unit as the parser reads it.
#[derive(Debug, PartialEq, Eq)]
struct Unit {
    texts: [String; 2],
    /// What to tell about it.
    notes: Vec<Fault>,
}

/// Parses one whole `<tu>`.
fn parse(unit: &str, wanted: Option<&[Wanted; 2]>, tags: InlineTags) -> Result<Unit, Fault> {
    let mut reading = Reading {
        pull: Pull::new(unit),
        wanted,
        sides: [None, None],
        named: Named::default(),
        notes: Vec::new(),
    };
    reading.unit()?;
    let [source, target] = reading.sides;
    match (source, target, wanted) {
        (Some(source), Some(target), _) => Ok(Unit {
            texts: inline::pair(source, target, tags),
            notes: reading.notes,
        }),
        (source, _, Some(wanted)) => {
            let missing = wanted[usize::from(source.is_some())].name();
            let list = reading.named.list();
            Err(Fault::new(
                &S026,
                0,
                format!("the unit has no text in `{missing}`; its languages: {list}"),
            ))
        }
        (.., None) => Err(Fault::new(&S026, 0, "the unit names no language")),
    }
}

/// A unit while it is parsed.
struct Reading<'a, 'w> {
    pull: Pull<'a>,
    wanted: Option<&'w [Wanted; 2]>,
    sides: [Option<Side>; 2],
    named: Named,
    notes: Vec<Fault>,
}

impl Reading<'_, '_> {
    fn unit(&mut self) -> Result<(), Fault> {
        if !matches!(self.pull.next()?, Event::Start(_)) {
            return Ok(());
        }
        loop {
            match self.pull.next()? {
                Event::Start(tag) if tag.local_name().as_ref() == "tuv" => self.variant(&tag)?,
                Event::Start(_) => self.pull.skip_element()?,
                Event::End(_) => return Ok(()),
                _ => {}
            }
        }
    }

    /// Reads a `<tuv>`.
    fn variant(&mut self, tag: &BytesStart<'_>) -> Result<(), Fault> {
        let start = self.pull.start();
        let name = match self.pull.attribute(tag, "xml:lang")? {
            Some(name) => Some(name),
            None => self.pull.attribute(tag, "lang")?,
        };
        let name = name.unwrap_or_default();
        if !name.is_empty() {
            self.named.add(&name);
        }
        let is_wanted = |wanted: &[Wanted; 2]| wanted.iter().position(|wanted| wanted.is(&name));
        let Some(n) = self.wanted.and_then(is_wanted) else {
            return self.pull.skip_element();
        };
        if self.sides[n].is_some() {
            let message = format!("the unit has another text in `{name}`; the first is used");
            self.notes.push(Fault::new(&S040, start, message));
            return self.pull.skip_element();
        }
        let mut side = None;
        loop {
            match self.pull.next()? {
                Event::Start(tag) if tag.local_name().as_ref() == "seg" => {
                    only(&side, self.pull.start())?;
                    side = Some(Side::read(&mut self.pull, VOCABULARY)?);
                }
                Event::Empty(tag) if tag.local_name().as_ref() == "seg" => {
                    only(&side, self.pull.start())?;
                    side = Some(Side::default());
                }
                Event::Start(_) => self.pull.skip_element()?,
                Event::End(_) => break,
                _ => {}
            }
        }
        if side.is_none() {
            return Err(Fault::markup(
                start,
                format!("the `<tuv>` in `{name}` has no `<seg>`"),
            ));
        }
        self.sides[n] = side;
        Ok(())
    }
}

fn only(side: &Option<Side>, at: usize) -> Result<(), Fault> {
    match side {
        None => Ok(()),
        Some(_) => Err(Fault::markup(at, "the `<tuv>` has a second `<seg>`")),
    }
}

/// The inline elements of TMX.
const VOCABULARY: Vocabulary = Vocabulary {
    element: |name| match name {
        "bpt" => Inline::Tag(Role::Opens),
        "ept" => Inline::Tag(Role::Closes),
        "ph" | "it" | "ut" => Inline::Tag(Role::Alone),
        "hi" | "sub" => Inline::Marker,
        _ => Inline::Span,
    },
    ids: |role| match role {
        Role::Alone => &["x"],
        Role::Opens | Role::Closes => &["x", "i"],
    },
    pair: Some("i"),
    is_id_enough: false,
    has_segments: false,
};

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;
    use crate::source::contract::{self, Seen};
    use crate::source::xml::check::{self, cause, shown};

    fn options(source: &str, target: &str) -> Options {
        let asked = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Options {
            src_lang: asked(source),
            tgt_lang: asked(target),
            ..Options::default()
        }
    }

    /// A memory from English, with units after its header.
    fn memory(units: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><tmx version=\"1.4\"><header srclang=\"en\"/><body>\n{units}\n</body></tmx>\n"
        )
    }

    fn tuv(language: &str, seg: &str) -> String {
        format!("<tuv xml:lang=\"{language}\"><seg>{seg}</seg></tuv>")
    }

    fn en_es(source: &str, target: &str) -> String {
        format!("<tu>{}{}</tu>", tuv("en", source), tuv("es", target))
    }

    fn read(text: &str, options: &Options) -> Result<Vec<String>, String> {
        let seen = contract::read(text.as_bytes(), &open, options).map_err(cause)?;
        contract::holds(text.as_bytes(), &open, options);
        Ok(shown(&seen))
    }

    fn check(units: &str, expected: &[&str]) {
        assert_eq!(
            read(&memory(units), &options("en", "es")).unwrap(),
            expected,
            "{units}"
        );
    }

    fn check_tags(units: &str, kept: &str, stripped: &str) {
        check(units, &[kept]);
        let options = Options {
            inline_tags: InlineTags::Strip,
            ..options("en", "es")
        };
        assert_eq!(read(&memory(units), &options).unwrap(), [stripped]);
    }

    #[test]
    fn units_are_rows() {
        check(&en_es("boy", "niño"), &["2: boy | niño"]);
        check(
            &format!("{}\n\n{}", en_es("a", "b"), en_es("c", "d")),
            &["2: a | b", "4: c | d"],
        );
        check("", &[]);
        let other_order = format!("<tu>{}{}</tu>", tuv("es", "b"), tuv("en", "a"));
        check(&other_order, &["2: a | b"]);
        let old = "<tu><tuv lang='EN'><seg>a</seg></tuv><tuv creationdate='x' lang='ES'><seg>b</seg></tuv></tu>";
        check(old, &["2: a | b"]);
        let full = "<tu tuid='1' srclang=\"en\">\n<note>n</note><prop type='t'>p > q</prop>\n\
            <tuv xml:lang='en'><prop type='t'>p</prop><seg>a</seg></tuv>\n<tuv xml:lang='fr'><seg>x</seg></tuv>\
            <tuv xml:lang='es'><seg>b</seg>\n</tuv>\n</tu >";
        check(full, &["2: a | b"]);
        let prefixed = "<t:tu><t:tuv xml:lang='en'><t:seg>a</t:seg></t:tuv><t:tuv xml:lang='es'><t:seg>b</t:seg></t:tuv></t:tu>";
        check(prefixed, &["2: a | b"]);
    }

    #[test]
    fn text_stays_as_it_is() {
        check(&en_es("  007\t", "NaN\u{a0}"), &["2:   007\t | NaN\u{a0}"]);
        check(&en_es("&amp;lt; &#233;", "&#x1F600;"), &["2: &lt; é | 😀"]);
        check(
            &en_es("<![CDATA[</tu> & <b>]]>!", "x<!-- </tu> -->y<?p </tu>?>"),
            &["2: </tu> & <b>! | xy"],
        );
        check(&en_es("a\r\nb\rc", "d&#13;e"), &["2: a\nb\nc | d\re"]);
        check(&en_es("", "b"), &["2:  | b"]);
        check(
            "<tu><tuv xml:lang='en'><seg/></tuv><tuv xml:lang='es'><seg>b</seg></tuv></tu>",
            &["2:  | b"],
        );
        check(&en_es("{1} a", "{1} b"), &["2: {1} a | {1} b"]);
    }

    #[test]
    fn inline_tags_become_placeholders_or_vanish() {
        let bold = en_es(
            "Click <bpt i='1' x='7'>&lt;b></bpt>here<ept i='1'>&lt;/b></ept>, <ph x='2'>%s</ph>",
            "<ph x='2'>%s</ph>: <bpt i='3' x='7'>&lt;b></bpt>aquí<ept i='3'>&lt;/b></ept>",
        );
        check_tags(
            &bold,
            "2: Click {1}here{2}, {3} | {3}: {1}aquí{2}",
            "2: Click here,  | : aquí",
        );
        check_tags(
            &en_es("a<ph/>b<ph/>", "<ph/>c<ph/>"),
            "2: a{1}b{2} | {1}c{2}",
            "2: ab | c",
        );
        check_tags(
            &en_es("a <hi>b <hi>c</hi></hi>", "<hi/>d"),
            "2: a b c | d",
            "2: a b c | d",
        );
        let sub = en_es(
            "a<ph x='1'>&lt;img alt='<sub>icon</sub>'></ph>",
            "<it pos='begin' x='9'>i</it>b",
        );
        check_tags(&sub, "2: a{1} | {2}b", "2: a | b");
        check_tags(
            &en_es("{1}<ph x='1'/>", "{3} <ph x='1'/><ut/>"),
            "2: {1}{2} | {3} {2}{4}",
            "2: {1} | {3} ",
        );
        check_tags(
            &en_es("<b>a</b><br/>", "<br/><b>c</b>"),
            "2: {1}a{2}{3} | {3}{1}c{2}",
            "2: a | c",
        );
    }

    #[test]
    fn a_unit_that_cannot_be_read_is_rejected_alone() {
        let around = |unit: &str| format!("{}\n{unit}\n{}", en_es("a", "b"), en_es("c", "d"));
        let check = |unit: &str, expected: &[&str]| {
            let all: Vec<_> = [&["2: a | b"], expected, &["4: c | d"]].concat();
            check(&around(unit), &all);
        };
        check(&en_es("é &foo;", "x"), &["3:31 S032"]);
        check(&en_es("a & b", "x"), &["3:31 S032"]);
        check("<tu><tuv xml:lang='en'><seg>a</tuv></tu>", &["3:30 S032"]);
        check("<tu><tuv xml:lang='en'><seg>a</seg>", &["3:1 S032"]);
        check(
            "<tu><tuv xml:lang='en><seg>a</seg></tuv></tu>",
            &["3:5 S032"],
        );
        check("<tuv></tu>", &["3:6 S032"]);
        check("<tu/>", &["3:1 S026"]);
        check(&format!("<tu>{}</tu>", tuv("en", "a")), &["3:1 S026"]);
        check(
            &format!("<tu>{}<tuv xml:lang='es'/></tu>", tuv("en", "a")),
            &["3:1 S026"],
        );
        check("<tu><tuv xml:lang='en'></tuv></tu>", &["3:5 S032"]);
        check(
            "<tu><tuv xml:lang='en'><seg>a</seg><seg>b</seg></tuv></tu>",
            &["3:36 S032"],
        );
        let two = format!(
            "<tu>{}{}{}</tu>",
            tuv("en", "e"),
            tuv("es", "f"),
            tuv("ES", "g")
        );
        check(&two, &["3: e | f", "3:79 note S040"]);
        let unread = "<tu><prop>&foo; & </prop><tuv xml:lang='en'><seg>e</seg></tuv><tuv xml:lang='es'><seg>f</seg></tuv></tu>";
        check(unread, &["3: e | f"]);
    }

    #[test]
    fn invalid_bytes_reject_their_unit() {
        let text = memory(&format!(
            "{}\n{}{}",
            en_es("a", "b"),
            en_es("ñandú", "é\u{1}"),
            en_es("e", "f")
        ));
        let bytes: Vec<u8> = text
            .bytes()
            .map(|byte| if byte == 1 { 0xff } else { byte })
            .collect();
        let options = options("en", "es");
        let seen = contract::read(&bytes, &open, &options).unwrap();
        assert_eq!(shown(&seen), ["2: a | b", "3:71 S001", "3: e | f"]);
        contract::holds(&bytes, &open, &options);
    }

    #[test]
    fn a_file_that_is_cut_off_says_so() {
        let whole = memory(&format!("{}\n{}", en_es("a", "b"), en_es("c", "d")));
        let check = |until: &str, expected: &[&str]| {
            let at = whole.rfind(until).unwrap();
            assert_eq!(read(&whole[..at], &options("en", "es")).unwrap(), expected);
        };
        check("<seg>d", &["2: a | b", "3:1 S031"]);
        check("</tu>\n</body>", &["2: a | b", "3:1 S031"]);
        check("\n</body>", &["2: a | b", "3: c | d", "3:84 note S031"]);
        check("</tmx>", &["2: a | b", "3: c | d", "4:8 note S031"]);
    }

    #[test]
    fn a_unit_over_the_limit_is_skipped() {
        let long = en_es(&"x".repeat(9000), "y");
        let text = memory(&format!("{}\n{long}\n{}", en_es("a", "b"), en_es("c", "d")));
        let options = Options {
            record_limit: 5000,
            ..options("en", "es")
        };
        assert_eq!(
            read(&text, &options).unwrap(),
            ["2: a | b", "3:1 S008", "4: c | d"]
        );
        let cut = &text[..text.find("y</seg>").unwrap()];
        assert_eq!(read(cut, &options).unwrap(), ["2: a | b", "3:1 S008"]);
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = "<b>".repeat(100_000);
        let closed = format!("{deep}x{}", "</b>".repeat(100_000));
        let text = memory(&format!("{}{}", en_es(&deep, "x"), en_es(&closed, "y")));
        let seen = contract::read(text.as_bytes(), &open, &options("en", "es")).unwrap();
        assert_eq!(seen.len(), 2);
        assert_eq!((seen[0].code(), seen[1].code()), (Some("S032"), None));
    }

    fn check_languages(text: &str, asked: [&str; 2], expected: Result<&[&str], &str>) {
        let options = options(asked[0], asked[1]);
        let opened = open(Input::from_bytes("x", text.into()).unwrap(), &options).map_err(cause);
        let found = opened.as_ref().map(|opened| {
            opened
                .decisions
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
        });
        let found = found.as_deref().map_err(|error| error.as_str());
        assert_eq!(found, expected, "{asked:?}");
    }

    #[test]
    fn languages_are_chosen_and_told() {
        let unit = |languages: &[&str]| -> String {
            let variants = languages.iter().map(|language| tuv(language, "x"));
            memory(&format!("<tu>{}</tu>", variants.collect::<String>()))
        };
        let two = unit(&["es-419", "EN"]);
        let by_header = "source language `EN`, the header's `srclang`; target language `es-419`, the only other one";
        check_languages(&two, ["", ""], Ok(&[by_header]));
        check_languages(
            &two,
            ["en", "es"],
            Ok(&["target language `es-419`, asked for as `es`"]),
        );
        check_languages(&two, ["es_419", "en"], Ok(&[]));
        check_languages(
            &two,
            ["", "es-419"],
            Ok(&["source language `EN`, the only other one"]),
        );
        check_languages(
            &two,
            ["en", ""],
            Ok(&["target language `es-419`, the only other one"]),
        );
        let missing = "it has no text in `fr`; the languages it names are `es-419`, `EN`";
        check_languages(&two, ["en", "fr"], Err(missing));
        check_languages(
            &two,
            ["en", "en"],
            Err("both sides are `EN`; its languages are `es-419`, `EN`"),
        );
        let de_fr = unit(&["de", "fr"]);
        let by_order = "source language `de`, the first that it names; target language `fr`, the only other one";
        check_languages(&de_fr, ["", ""], Ok(&[by_order]));
        let three = unit(&["en", "es-ES", "es-MX"]);
        let choose = "it names 3 languages: `en`, `es-ES`, `es-MX`";
        check_languages(&three, ["", ""], Err(choose));
        check_languages(&three, ["en", ""], Err(choose));
        check_languages(
            &three,
            ["", "es-MX"],
            Ok(&["source language `en`, the header's `srclang`"]),
        );
        let several = "`es` is more than one of its languages: `es-ES`, `es-MX`";
        check_languages(&three, ["en", "es"], Err(several));
        let one = "it names 1 language: `en`";
        check_languages(&unit(&["en"]), ["", ""], Err(one));
        check_languages(&memory(""), ["en", "es"], Ok(&[]));
    }

    #[test]
    fn languages_beyond_the_beginning_count_too() {
        let mut units = String::new();
        for n in 0..4000 {
            writeln!(units, "{}", en_es(&format!("{n}"), "x")).unwrap();
        }
        let with = |last: &str| {
            memory(&format!(
                "{units}<tu>{}{}</tu>",
                tuv("en", "a"),
                tuv(last, "b")
            ))
        };
        let read = |text: &str, target: &str| {
            let seen =
                contract::read(text.as_bytes(), &open, &options("en", target)).map_err(cause)?;
            Ok(seen
                .iter()
                .filter(|seen| matches!(seen, Seen::Row { .. }))
                .count())
        };
        assert_eq!(read(&with("fr"), "fr"), Ok(1));
        assert_eq!(read(&with("es-MX"), "es"), Ok(4000));
        let list = "the languages it names are `en`, `es`, `fr`";
        assert_eq!(
            read(&with("fr"), "de"),
            Err(format!("it has no text in `de`; {list}"))
        );
        let mexican = with("es-MX").replace("\"es\"", "\"es-ES\"");
        let several = "`es` is more than one of its languages: `es-ES`, `es-MX`";
        assert_eq!(read(&mexican, "es"), Err(several.into()));
    }

    fn check_refused(text: &[u8], expected: &str) {
        let input = Input::from_bytes("x", text.to_vec()).unwrap();
        assert_eq!(
            open(input, &Options::default()).map_err(cause).unwrap_err(),
            expected
        );
    }

    #[test]
    fn what_is_no_memory_is_refused() {
        let bomb = b"<?xml version='1.0'?>\n<!DOCTYPE tmx [\n<!ENTITY a 'b'>\n]>\n<tmx></tmx>";
        check_refused(
            bomb,
            "the document declares entities, which are refused (line 3)",
        );
        check_refused(
            b"<html></html>",
            "its root element is `<html>` and not `<tmx>`",
        );
        check_refused(b"", "it has no root element `<tmx>`");
        let encoding = "it declares the encoding `klingon`, which is not known";
        check_refused(b"<?xml version='1.0' encoding='klingon'?><tmx/>", encoding);
        assert!(is(
            "\u{feff}<?xml version='1.0'?><!-- a --><!DOCTYPE tmx SYSTEM 'tmx14.dtd'><tmx version='1.4'>"
        ));
        assert!(!is("<xliff>") && !is("a,b\n"));
    }

    #[test]
    fn the_declared_encoding_is_honoured() {
        let text = memory(&en_es("a", "niño")).replace("?>", " encoding='iso-8859-1'?>");
        let latin1: Vec<u8> = text.chars().map(|c| c as u8).collect();
        let opened = open(
            Input::from_bytes("x", latin1.clone()).unwrap(),
            &options("en", "es"),
        )
        .unwrap();
        assert_eq!(
            opened.decisions,
            ["encoding windows-1252, by the XML declaration"]
        );
        assert_eq!(shown(&contract::read_all(opened).unwrap()), ["2: a | niño"]);
        let utf16: Vec<u8> = [0xfeff]
            .into_iter()
            .chain(text.replace("iso-8859-1", "utf-16").encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let seen = contract::read(&utf16, &open, &options("en", "es")).unwrap();
        assert_eq!(shown(&seen), ["2: a | niño"]);
    }

    fn check_plain(unit: &str) -> Result<(), TestCaseError> {
        let mut named = Named::default();
        named.add("en");
        named.add("es");
        let wanted = [
            Wanted::new(End::Source, "en", &named).unwrap(),
            Wanted::new(End::Target, "es", &named).unwrap(),
        ];
        let mut tags = Tags::new(unit.as_bytes());
        let Some(start) = tags.next() else {
            return Ok(());
        };
        let whole = extent(&mut tags, &start, UNITS, &[]);
        if let Some(plain) = plain::unit(unit, start.start, &wanted) {
            prop_assert_eq!(Extent::Whole(plain.end), whole);
            let parsed = parse(
                &unit[start.start..plain.end],
                Some(&wanted),
                InlineTags::Keep,
            )
            .unwrap();
            prop_assert_eq!(plain.texts.map(Cow::into_owned), parsed.texts);
            prop_assert!(parsed.notes.is_empty());
        }
        Ok(())
    }

    #[test]
    fn the_common_shape_is_read_as_plain() {
        let named = ["en", "es"]
            .into_iter()
            .fold(Named::default(), |mut named, name| {
                named.add(name);
                named
            });
        let wanted = [
            Wanted::new(End::Source, "en", &named).unwrap(),
            Wanted::new(End::Target, "es", &named).unwrap(),
        ];
        let unit = "<tu tuid='1'>\n<prop type='a'>b</prop>\n<tuv xml:lang='en'><seg>x &amp; y</seg></tuv>\n\
            <tuv creationdate='d' xml:lang=\"es\"> <note>n</note><seg>z\r\n</seg> </tuv>\n</tu> rest";
        let plain = plain::unit(unit, 0, &wanted).unwrap();
        assert_eq!(
            (plain.texts, &unit[plain.end..]),
            ([Cow::from("x & y"), "z\n".into()], " rest")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damage_is_told_alike_whatever_the_block_size(damage in check::damage()) {
            check::damaged("tmx/inline.tmx", damage, &open);
        }
    }

    proptest! {
        #[test]
        fn plain_and_parser_agree(
            changes in prop::collection::vec((0_usize..220, 0_usize..4, prop::sample::select(vec![
                "", "<", ">", "/", "&", ";", "&amp;", "'", "\"", " ", "\n", "\r", "\u{c}", "é", "=", "tu", "<tu>", "</tu>",
                "<seg>", "</seg>", "<!--", "-->", "<![CDATA[", "]]>", "<?", "?>", "lang", "xml:lang='en'", ":", "x:",
                "<ph/>", "<prop>", "</prop>", "es",
            ])), 0..4),
        ) {
            let mut unit = "<tu tuid='1'>\n<prop type='a'>b</prop><tuv xml:lang='en'><seg>x &amp; y</seg></tuv>\n\
                <tuv creationdate='d' xml:lang=\"es\"> <note>n</note><seg>z \r\n</seg> </tuv>\n</tu>".to_owned();
            for (at, removed, new) in changes {
                let clip = |at: usize| (0..=at.min(unit.len())).rev().find(|&at| unit.is_char_boundary(at)).unwrap();
                let range = clip(at)..clip(at + removed);
                unit.replace_range(range, new);
            }
            check_plain(&unit)?;
        }
    }

    #[test]
    fn the_fixture_reads_as_expected() {
        check::fixture("tmx/inline.tmx", &open);
    }

    #[test]
    fn a_real_memory_is_read_whole() {
        let Some(bytes) = check::shared("tmx/tico19.en-es-419.tmx") else {
            return;
        };
        let seen = contract::read(&bytes, &open, &Options::default()).unwrap();
        let rows = seen
            .iter()
            .filter(|seen| matches!(seen, Seen::Row { .. }))
            .count();
        assert_eq!((rows, seen.len()), (3071, 3071));
        let first = [
            "about how long have these symptoms been going on?",
            "¿cuánto hace más o menos que tiene estos síntomas?",
        ];
        assert_eq!(seen[0], Seen::row(3, &first));
        contract::holds(&bytes[..60_000], &open, &Options::default());
    }
}
