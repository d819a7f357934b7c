//! XLIFF 1.2 and 2.x: files on their way through translation.
//!
//! A `<trans-unit>` of 1.2 is one record, or one for each segment where it is
//! marked in `<seg-source>` and `<target>`; in 2.x each `<segment>` of a
//! `<unit>` is one. `<alt-trans>`, matches, glossaries and `<ignorable>` are
//! not read. What is decided here, and why:
//!
//! - **No target, or a blank one**, is untranslated (S024). So are the states
//!   in which the text still has to be written: `new`, `needs-translation` and
//!   `needs-l10n` of 1.2, `initial` of 2.x where it is written down. (It is the
//!   default there, but tools that never write a state fill in targets.)
//! - **Not reviewed** (S023) are `needs-review-translation` and
//!   `needs-review-l10n`, and a proposal of a machine or a memory (a
//!   `state-qualifier` of `fuzzy-match`, `mt-suggestion`, `tm-suggestion` or
//!   `leveraged-mt`) unless its state is `translated`, `signed-off` or `final`
//!   or it is `approved="yes"`. The states `needs-adaptation` and
//!   `needs-review-adaptation` are about sizes and pictures, by the standard's
//!   own words; such text is used.
//! - **`approved="no"`** is the default of 1.2 and says nothing.
//! - **`translate="no"`**, on the unit or on what it stands in, is rejected
//!   (S024): its target is a copy, and would teach the model to copy.
//! - **Languages** are those of the `<file>` (1.2) or of the root (2.x). Where
//!   a file holds several target languages, one has to be chosen; units of
//!   another one are rejected (S026). A file that names no target language is
//!   taken at the user's word.
//! - **Inline tags** are the same on both sides if they have the same `id`,
//!   see [`inline`](super::xml::inline). `<cp hex="1F"/>` is a character.
//!
//! The languages and `translate` of a unit stand outside of it. They are
//! gathered while the input is cut, so that a batch knows what it begins in.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use quick_xml::events::{BytesStart, Event};

use super::blocks::{Block, Blocks, Piece};
use super::xml::broken::{self, Incomplete, TooLong, too_long};
use super::xml::ends::Ends;
use super::xml::inline::{self, Inline, Role, Side, Vocabulary};
use super::xml::language::{End, Named, Wanted};
use super::xml::markup::{Extent, Kind, Tag, Tags, extent};
use super::xml::pull::{Fault, Pull};
use super::xml::{LineCount, Margin, Places, prolog};
use super::{
    Batch, Choice, Columns, Data, Format, InlineTags, Item, Opened, Options, Record, Reject,
    Source, SourceError,
};
use crate::diag::{S001, S023, S024, S026, S031};
use crate::io::Input;

const UNITS: &[&str] = &["trans-unit", "unit"];

/// What may be as long as a whole document, without being a unit.
const CONTAINERS: &[&str] = &["internal-file", "skeleton"];

/// Where the stream is cut.
const CUTS: &[&str] = &["trans-unit", "unit", "internal-file", "skeleton"];

/// Whether a text is an XLIFF document.
pub(crate) fn is(head: &str) -> bool {
    prolog::is(head, "xliff")
}

/// Opens an XLIFF document.
pub(crate) fn open(input: Input, options: &Options) -> Result<Opened, SourceError> {
    let name = input.name().to_owned();
    let text = prolog::open(input, options, Format::Xliff, "xliff")?;
    let (languages, told) = Languages::choose(&text.head, text.is_whole, options)
        .map_err(|cause| unsettled(&name, cause))?;
    let blocks = Blocks::new(
        text.reader,
        Ends::new(CUTS),
        options.block_bytes,
        options.record_limit,
    );
    Ok(Opened {
        format: Format::Xliff,
        names: vec![name.clone()],
        columns: Some(Columns::pair()),
        decisions: text.decision.into_iter().chain(told).collect(),
        source: Box::new(Document {
            name,
            blocks,
            languages,
            surroundings: Surroundings::default(),
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
    SourceError::malformed(name, Format::Xliff, cause).choice(Choice::Languages)
}

/// The languages of a document by side, and those that are wanted.
#[derive(Debug)]
struct Languages {
    named: [Named; 2],
    /// `None` for a side of which the document names no language.
    wanted: Arc<[Option<Wanted>; 2]>,
}

impl Languages {
    /// Chooses by the options and the beginning of the document, and says how.
    fn choose(
        head: &[u8],
        is_whole: bool,
        options: &Options,
    ) -> Result<(Self, Vec<String>), String> {
        let mut named = [Named::default(), Named::default()];
        for tag in Tags::new(head).filter(|tag| is_whole || tag.end < head.len()) {
            for (named, name) in named.iter_mut().zip(languages(&tag)) {
                named.add(name.unwrap_or_default());
            }
        }
        let mut told = Vec::new();
        let mut wanted = [None, None];
        let asked = [&options.src_lang, &options.tgt_lang].map(Option::as_deref);
        for (n, end) in [End::Source, End::Target].into_iter().enumerate() {
            let (noun, named) = (end.noun(), &named[n]);
            wanted[n] = match (asked[n], named.names()) {
                (Some(asked), []) => {
                    told.push(format!(
                        "{noun} language `{asked}`, which the file does not name"
                    ));
                    Some(Wanted::new(end, asked, named)?)
                }
                (Some(asked), _) => {
                    let wanted = Wanted::new(end, asked, named)?;
                    if is_whole && !wanted.is_found() {
                        return Err(wanted.missing(named));
                    }
                    told.extend(wanted.decision());
                    Some(wanted)
                }
                (None, []) => None,
                (None, [one]) => {
                    told.push(format!(
                        "{noun} language `{one}`, the only one that the file names"
                    ));
                    Some(Wanted::new(end, one, named)?)
                }
                (None, several) => {
                    let (n, list) = (several.len(), named.list());
                    return Err(format!("it names {n} {noun} languages: {list}"));
                }
            };
        }
        let wanted = Arc::new(wanted);
        Ok((Self { named, wanted }, told))
    }

    /// Takes note of the languages of a tag.
    fn see(&mut self, tag: &Tag<'_>) -> Result<(), String> {
        for (n, name) in languages(tag).into_iter().enumerate() {
            if let Some(name) = name
                && self.named[n].add(name)
                && let Some(wanted) = &mut Arc::make_mut(&mut self.wanted)[n]
            {
                wanted.see(name)?;
            }
        }
        Ok(())
    }

    /// Checks at the end of the input that it had what was wanted.
    fn finish(&self) -> Result<(), String> {
        for (named, wanted) in self.named.iter().zip(self.wanted.iter()) {
            if let Some(wanted) = wanted
                && !wanted.is_found()
                && !named.names().is_empty()
            {
                return Err(wanted.missing(named));
            }
        }
        Ok(())
    }
}

/// The languages that a tag names for the units in it.
fn languages<'a>(tag: &Tag<'a>) -> [Option<&'a str>; 2] {
    match (tag.kind, tag.name) {
        (Kind::Open | Kind::Empty, b"xliff") => {
            [tag.attribute("srcLang"), tag.attribute("trgLang")]
        }
        (Kind::Open | Kind::Empty, b"file") => [
            tag.attribute("source-language"),
            tag.attribute("target-language"),
        ],
        _ => [None, None],
    }
}

/// What a unit inherits from the elements around it.
#[derive(Debug, Clone, Default)]
struct Surroundings {
    root: Scope,
    /// The `<file>` and the `<group>`s that are open, the innermost last.
    inner: Vec<Scope>,
}

/// What an element hands on to those in it.
#[derive(Debug, Clone, Default)]
struct Scope {
    languages: Arc<[Option<String>; 2]>,
    is_fixed: bool,
}

impl Surroundings {
    /// Passes a tag that is not inside a unit.
    fn pass(&mut self, tag: &Tag<'_>) {
        match (tag.kind, tag.name) {
            (Kind::Open, b"xliff") => {
                self.inner.clear();
                self.root = Scope::default().with(tag);
            }
            (Kind::Open, b"file") => {
                self.inner.clear();
                self.inner.push(self.root.with(tag));
            }
            (Kind::Open, b"group") => self.inner.push(self.scope().with(tag)),
            (Kind::Close, b"file" | b"group") => {
                self.inner.pop();
            }
            _ => {}
        }
    }

    fn scope(&self) -> &Scope {
        self.inner.last().unwrap_or(&self.root)
    }
}

impl Scope {
    /// The scope of an element in this one.
    fn with(&self, tag: &Tag<'_>) -> Self {
        let [source, target] = languages(tag);
        let languages = match (source, target) {
            (None, None) => Arc::clone(&self.languages),
            _ => {
                let inherited = [0, 1].map(|n| self.languages[n].clone());
                let [old_source, old_target] = inherited;
                let owned = |name: Option<&str>| name.map(str::to_owned);
                Arc::new([owned(source).or(old_source), owned(target).or(old_target)])
            }
        };
        let is_fixed = tag
            .attribute("translate")
            .map_or(self.is_fixed, |translate| translate == "no");
        Self {
            languages,
            is_fixed,
        }
    }
}

/// An XLIFF document.
#[derive(Debug)]
struct Document {
    name: String,
    blocks: Blocks<Ends>,
    languages: Languages,
    /// What is open at the beginning of the next block.
    surroundings: Surroundings,
    inline_tags: InlineTags,
    record_limit: usize,
    margin: Margin,
    /// Whether the root element was seen to end, or what is missing reported.
    is_complete: bool,
    is_done: bool,
}

impl Source for Document {
    fn next_batch(&mut self) -> Result<Option<Box<dyn Batch>>, SourceError> {
        if self.is_done {
            return Ok(None);
        }
        let piece = self.blocks.next().map_err(SourceError::read(&self.name))?;
        let ended = self.blocks.cutter().take_last();
        let batch: Option<Box<dyn Batch>> = match piece {
            Some(Piece::Records(block)) => {
                let before = self.surroundings.clone();
                self.skim(&block)?;
                let margin = self.margin;
                self.margin.pass(&block);
                self.is_complete = !broken::ends_with(&block, CUTS);
                Some(Box::new(Units {
                    block,
                    margin,
                    surroundings: before,
                    wanted: Arc::clone(&self.languages.wanted),
                    inline_tags: self.inline_tags,
                    record_limit: self.record_limit,
                }))
            }
            Some(Piece::TooLong { head, newlines, .. }) => {
                let has_unit = self.skim(&head)?;
                self.margin.reset();
                self.is_complete = ended.is_none();
                if !has_unit && ended.is_some_and(|ended| CONTAINERS.contains(&ended)) {
                    return Ok(Some(Box::new(Skipped { newlines })));
                }
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
                    root: "xliff",
                };
                (!self.is_complete).then(|| Box::new(incomplete) as Box<dyn Batch>)
            }
        };
        Ok(batch)
    }
}

impl Document {
    /// Gathers what the units after a block inherit, and returns whether a
    /// unit begins in it.
    fn skim(&mut self, block: &[u8]) -> Result<bool, SourceError> {
        let mut has_unit = false;
        let mut tags = Tags::new(block);
        while let Some(tag) = tags.next() {
            if is_unit(&tag) && tag.kind != Kind::Close {
                has_unit = true;
                extent(&mut tags, &tag, UNITS, CONTAINERS);
                continue;
            }
            self.surroundings.pass(&tag);
            self.languages
                .see(&tag)
                .map_err(|cause| unsettled(&self.name, cause))?;
        }
        Ok(has_unit)
    }
}

fn is_unit(tag: &Tag<'_>) -> bool {
    UNITS.iter().any(|unit| unit.as_bytes() == tag.name)
}

/// A long stretch without a unit in it.
#[derive(Debug)]
struct Skipped {
    newlines: u64,
}

impl Batch for Skipped {
    fn decode(self: Box<Self>, _: &mut dyn FnMut(Item<'_>)) -> u64 {
        self.newlines
    }
}

/// Whole units, and what stands between them.
#[derive(Debug)]
struct Units {
    block: Block,
    margin: Margin,
    surroundings: Surroundings,
    wanted: Arc<[Option<Wanted>; 2]>,
    inline_tags: InlineTags,
    record_limit: usize,
}

impl Batch for Units {
    fn decode(mut self: Box<Self>, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        let mut surroundings = std::mem::take(&mut self.surroundings);
        let bytes = &self.block[..];
        let mut lines = LineCount::new(bytes);
        let mut places = Places::new(bytes, self.margin);
        let mut tags = Tags::new(bytes);
        // Where the unit or container before ended.
        let mut done = 0;
        while let Some(tag) = tags.next() {
            if !is_unit(&tag) {
                surroundings.pass(&tag);
                if tag.kind == Kind::Close
                    && CONTAINERS.iter().any(|name| name.as_bytes() == tag.name)
                {
                    done = tag.end;
                }
                continue;
            }
            if tag.kind == Kind::Close {
                let start = done
                    + bytes[done..]
                        .iter()
                        .take_while(|byte| byte.is_ascii_whitespace())
                        .count();
                let name = String::from_utf8_lossy(tag.name);
                let fault = Fault::markup(tag.start, format!("`</{name}>` closes no `<{name}>`"));
                each(Item::Reject(Reject {
                    line: lines.line(start),
                    finding: places.finding(fault, 0),
                    raw: &bytes[start..tag.end],
                }));
                done = tag.end;
                continue;
            }
            let line = lines.line(tag.start);
            let extent = extent(&mut tags, &tag, UNITS, CONTAINERS);
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
            let name = String::from_utf8_lossy(tag.name);
            let unit = match extent {
                Extent::Whole(_) => self.unit(raw, surroundings.scope()),
                Extent::Unclosed(_) => {
                    Err(Fault::markup(0, format!("the `<{name}>` is not closed")))
                }
                Extent::Truncated => Err(Fault::new(
                    &S031,
                    0,
                    format!("the file ends inside this `<{name}>`"),
                )),
            };
            match unit {
                Ok(segments) => {
                    self.segments(segments, tag.start, raw, &mut lines, &mut places, each);
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
        if !broken::ends_with(bytes, CUTS)
            && !Tags::new(rest).any(|tag| tag.kind == Kind::Close && tag.name == b"xliff")
            && done < bytes.len()
        {
            let position = places.position(bytes.len());
            each(Item::Note(broken::incomplete(position, "xliff")));
        }
        lines.total()
    }
}

impl Units {
    /// Parses a unit.
    fn unit(&self, raw: &[u8], scope: &Scope) -> Result<Vec<Segment>, Fault> {
        let unit = std::str::from_utf8(raw)
            .map_err(|error| Fault::new(&S001, error.valid_up_to(), "the bytes are not UTF-8"))?;
        for (wanted, name) in self.wanted.iter().zip(scope.languages.iter()) {
            if let (Some(wanted), Some(name)) = (wanted, name)
                && !wanted.is(name)
            {
                let message = format!("the unit is in `{name}` and not in `{}`", wanted.name());
                return Err(Fault::new(&S026, 0, message));
            }
        }
        parse(unit, scope.is_fixed)
    }

    /// Gives out the segments of a unit that begins at `start`.
    fn segments(
        &self,
        segments: Vec<Segment>,
        start: usize,
        raw: &[u8],
        lines: &mut LineCount<'_>,
        places: &mut Places<'_>,
        each: &mut dyn FnMut(Item<'_>),
    ) {
        for segment in segments {
            let line = lines.line(start + segment.span.start);
            let raw = &raw[segment.span];
            match segment.sides {
                Ok([source, target]) => {
                    let texts = inline::pair(source, target, self.inline_tags).map(Cow::Owned);
                    let data = Data::Row(&texts);
                    each(Item::Record(Record::new(line, raw, data)));
                }
                Err(fault) => {
                    let finding = places.finding(fault, start);
                    each(Item::Reject(Reject { line, finding, raw }));
                }
            }
        }
    }
}

/// A segment as the parser reads it.
#[derive(Debug)]
struct Segment {
    /// The bytes of the unit that it is.
    span: Range<usize>,
    /// Its two sides, or why it is no translation.
    sides: Result<[Side; 2], Fault>,
}

/// Parses one whole unit; `is_fixed` says that its surroundings are not to be
/// translated.
fn parse(unit: &str, is_fixed: bool) -> Result<Vec<Segment>, Fault> {
    let mut pull = Pull::new(unit);
    let (Event::Start(tag) | Event::Empty(tag)) = pull.next()? else {
        return Err(Fault::markup(0, "the unit has no start tag"));
    };
    let is_fixed = pull
        .attribute(&tag, "translate")?
        .map_or(is_fixed, |translate| translate == "no");
    let is_old = tag.local_name().as_ref() == "trans-unit";
    let is_approved = pull.attribute(&tag, "approved")?.as_deref() == Some("yes");
    let is_empty = unit.len() == pull.end();
    let mut segments = match (is_old, is_empty) {
        (true, true) => return Err(Fault::markup(0, "the unit has no `<source>`")),
        (true, false) => {
            let texts = Texts::read(&mut pull)?;
            let state = texts.state.clone();
            texts.segments(0..unit.len(), &state.fault(is_approved))?
        }
        (false, true) => Vec::new(),
        (false, false) => new_segments(&mut pull)?,
    };
    if is_fixed {
        for segment in &mut segments {
            segment.sides = Err(Fault::new(
                &S024,
                segment.span.start,
                "the unit is marked `translate=\"no\"`",
            ));
        }
    }
    Ok(segments)
}

/// Reads the segments of a `<unit>` up to its end tag.
fn new_segments(pull: &mut Pull<'_>) -> Result<Vec<Segment>, Fault> {
    let mut segments = Vec::new();
    loop {
        match pull.next()? {
            Event::Start(tag) if tag.local_name().as_ref() == "segment" => {
                let at = pull.start();
                let is_initial = pull.attribute(&tag, "state")?.as_deref() == Some("initial");
                let texts = Texts::read(pull)?;
                let initial = || ("the segment's state is `initial`".to_owned(), &S024);
                segments.extend(texts.segments(at..pull.end(), &is_initial.then(initial))?);
            }
            Event::Start(_) => pull.skip_element()?,
            Event::End(_) => return Ok(segments),
            _ => {}
        }
    }
}

/// What is wrong with a target by its state.
type StateFault = Option<(String, &'static crate::diag::Code)>;

/// The state of a target in 1.2.
#[derive(Debug, Default, Clone)]
struct State {
    name: String,
    qualifier: String,
}

impl State {
    fn read(pull: &Pull<'_>, tag: &BytesStart<'_>) -> Result<Self, Fault> {
        let read = |name| {
            pull.attribute(tag, name)
                .map(|value| value.unwrap_or_default().into_owned())
        };
        Ok(Self {
            name: read("state")?,
            qualifier: read("state-qualifier")?,
        })
    }

    fn fault(&self, is_approved: bool) -> StateFault {
        let told = || format!("the target's state is `{}`", self.name);
        match &*self.name {
            "new" | "needs-translation" | "needs-l10n" => return Some((told(), &S024)),
            "needs-review-translation" | "needs-review-l10n" => return Some((told(), &S023)),
            "translated" | "signed-off" | "final" => return None,
            _ => {}
        }
        match &*self.qualifier {
            "fuzzy-match" | "mt-suggestion" | "tm-suggestion" | "leveraged-mt" if !is_approved => {
                let message = format!("the target is a proposal, `{}`", self.qualifier);
                Some((message, &S023))
            }
            _ => None,
        }
    }
}

/// The texts of a `<trans-unit>` or a `<segment>`.
#[derive(Debug, Default)]
struct Texts {
    source: Option<Side>,
    /// The source, segmented (1.2).
    marked: Option<Side>,
    target: Option<Side>,
    target_at: Option<usize>,
    state: State,
}

impl Texts {
    /// Reads up to the end tag of the element whose start tag was the last
    /// event.
    fn read(pull: &mut Pull<'_>) -> Result<Self, Fault> {
        let mut texts = Self::default();
        loop {
            match pull.next()? {
                Event::Start(tag) => texts.child(pull, &tag, false)?,
                Event::Empty(tag) => texts.child(pull, &tag, true)?,
                Event::End(_) => return Ok(texts),
                _ => {}
            }
        }
    }

    fn child(
        &mut self,
        pull: &mut Pull<'_>,
        tag: &BytesStart<'_>,
        is_empty: bool,
    ) -> Result<(), Fault> {
        let at = pull.start();
        let name = tag.local_name();
        let name = name.as_ref();
        if name == "target" {
            self.state = State::read(pull, tag)?;
            self.target_at = Some(at);
        }
        let place = match name {
            "source" => &mut self.source,
            "seg-source" => &mut self.marked,
            "target" => &mut self.target,
            _ if is_empty => return Ok(()),
            _ => return pull.skip_element(),
        };
        if place.is_some() {
            return Err(Fault::markup(
                at,
                format!("a second `<{name}>` stands in the same place"),
            ));
        }
        *place = Some(if is_empty {
            Side::default()
        } else {
            Side::read(pull, VOCABULARY)?
        });
        Ok(())
    }

    /// The segments of the element that stands in `span`; `fault` is what is
    /// wrong with a target by its state.
    fn segments(self, span: Range<usize>, fault: &StateFault) -> Result<Vec<Segment>, Fault> {
        let at = self.target_at.unwrap_or(span.start);
        let source = self
            .source
            .ok_or_else(|| Fault::markup(0, "the unit has no `<source>`"))?;
        let target = self.target.unwrap_or_default();
        let judged = |source: Side, target: Side| {
            let sides = if target.is_blank() {
                Err(Fault::new(&S024, at, "the unit has no translation"))
            } else if let Some((message, code)) = fault {
                Err(Fault::new(code, at, message.clone()))
            } else {
                Ok([source, target])
            };
            Segment {
                span: span.clone(),
                sides,
            }
        };
        let marked = self
            .marked
            .filter(|marked| !marked.segments().is_empty() && !target.segments().is_empty());
        let Some(marked) = marked else {
            return Ok(vec![judged(source, target)]);
        };
        let by_id: HashMap<_, _> = target
            .segments()
            .iter()
            .map(|segment| (&*segment.id, segment))
            .collect();
        let segments = marked.segments().iter().map(|segment| {
            let same = by_id.get(&*segment.id);
            judged(
                marked.part(segment),
                same.map(|same| target.part(same)).unwrap_or_default(),
            )
        });
        Ok(segments.collect())
    }
}

/// The inline elements of XLIFF, of all its versions.
const VOCABULARY: Vocabulary = Vocabulary {
    element: |name| match name {
        "bx" | "bpt" | "sc" => Inline::Tag(Role::Opens),
        "ex" | "ept" | "ec" => Inline::Tag(Role::Closes),
        "x" | "ph" | "it" => Inline::Tag(Role::Alone),
        "mrk" | "sm" | "em" | "sub" => Inline::Marker,
        "cp" => Inline::Character,
        _ => Inline::Span,
    },
    ids: |role| match role {
        Role::Closes => &["startRef", "id"],
        Role::Opens | Role::Alone => &["id"],
    },
    pair: Some("rid"),
    is_id_enough: true,
    has_segments: true,
};

#[cfg(test)]
mod tests {

    use proptest::prelude::*;

    use super::*;
    use crate::source::contract::{self, Seen};
    use crate::source::xml::check::{self, cause, shown};

    /// A document of 1.2 from English to Spanish with units from line 2 on.
    fn old(units: &str) -> String {
        format!(
            "<xliff version='1.2'><file source-language='en' target-language='es-ES' original='a'><body>\n{units}\n\
            </body></file></xliff>"
        )
    }

    /// A document of 2.0, the same way.
    fn new(units: &str) -> String {
        format!(
            "<xliff version='2.0' srcLang='en' trgLang='es-ES'><file id='f'>\n{units}\n</file></xliff>"
        )
    }

    fn unit(attributes: &str, source: &str, target: &str) -> String {
        format!(
            "<trans-unit id='1'{attributes}><source>{source}</source><target>{target}</target></trans-unit>"
        )
    }

    fn segment(source: &str, target: &str) -> String {
        format!("<segment><source>{source}</source><target>{target}</target></segment>")
    }

    fn check_with(text: &str, options: &Options, expected: &[&str]) {
        let seen = contract::read(text.as_bytes(), &open, options).unwrap();
        assert_eq!(shown(&seen), expected, "{text}");
        contract::holds(text.as_bytes(), &open, options);
    }

    fn check(text: &str, expected: &[&str]) {
        check_with(text, &Options::default(), expected);
    }

    #[test]
    fn units_and_segments_are_rows() {
        check(&old(&unit("", "boy", "niño")), &["2: boy | niño"]);
        let alternatives = "<trans-unit id='1'>\n<source>a</source><alt-trans><source>x</source><target>y</target></alt-trans>\
            <target>b</target><note>n</note></trans-unit>";
        check(&old(alternatives), &["2: a | b"]);
        let two = format!(
            "<unit id='1'><notes><note>n</note></notes>\n{}\n<ignorable><source> </source></ignorable>\n{}</unit>",
            segment("a ", " b"),
            segment("c", "d<![CDATA[</unit>&]]>")
        );
        check(&new(&two), &["3: a  |  b", "5: c | d</unit>&"]);
        check(&new("<unit id='1'/>"), &[]);
        check(&new("<unit id='1'></unit>"), &[]);
        let matches = format!(
            "<unit id='1'><m:matches><m:match><source>x</source><target>y</target></m:match></m:matches>{}</unit>",
            segment("a", "b")
        );
        check(&new(&matches), &["2: a | b"]);
        let prefixed = old(&unit("", "a", "b"))
            .replace("</", "</x:")
            .replace('<', "<x:")
            .replace("<x:/x:", "</x:");
        check(&prefixed, &["2: a | b"]);
    }

    #[test]
    fn marked_segments_are_rows_of_their_own() {
        let mrk = |id: &str, text: &str| format!("<mrk mtype='seg' mid='{id}'>{text}</mrk>");
        let unit = format!(
            "<trans-unit id='1'><source>A. B. C.</source><seg-source><g id='1'>{} {} {}</g></seg-source><target>{} {}</target></trans-unit>",
            mrk("1", "A<x id='2'/>."),
            mrk("2", "B."),
            mrk("3", "C."),
            mrk("2", "b."),
            mrk("1", "a<x id='2'/>."),
        );
        let at = unit.find("<target>").unwrap() + 1;
        check(
            &old(&unit),
            &["2: A{1}. | a{1}.", "2: B. | b.", &format!("2:{at} S024")],
        );
        let unmarked = "<trans-unit id='1'><source>A. B.</source><seg-source><mrk mtype='seg' mid='1'>A.</mrk></seg-source>\
            <target>a. <mrk mtype='x'>b.</mrk></target></trans-unit>";
        check(&old(unmarked), &["2: A. B. | a. b."]);
    }

    #[test]
    fn inline_tags_are_matched_by_id() {
        let check_both = |text: &str, kept: &str, stripped: &str| {
            check(text, &[kept]);
            let options = Options {
                inline_tags: InlineTags::Strip,
                ..Options::default()
            };
            check_with(text, &options, &[stripped]);
        };
        let spans = unit(
            "",
            "<g id='1'>a</g> <x id='2'/>",
            "<x id='2'/> <g id='1'>b</g><ph id='3'>%s</ph>",
        );
        check_both(
            &old(&spans),
            "2: {1}a{2} {3} | {3} {1}b{2}{4}",
            "2: a  |  b",
        );
        let ends = unit(
            "",
            "<bx id='1' rid='9'/>a<ex id='2' rid='9'/>",
            "<bpt id='1'>&lt;b&gt;</bpt>b<ept id='1'>&lt;/b&gt;</ept>",
        );
        check_both(&old(&ends), "2: {1}a{2} | {1}b{2}", "2: a | b");
        let pc = segment(
            "<pc id='1'>a</pc><ph id='2'/>",
            "<ph id='2'/><sc id='1'/>b<ec startRef='1'/>",
        );
        check_both(
            &new(&format!("<unit>{pc}</unit>")),
            "2: {1}a{2}{3} | {3}{1}b{2}",
            "2: a | b",
        );
        let cp = segment(
            "<mrk id='m' translate='no'>a</mrk><cp hex='001F'/>",
            "<sm id='m'/>b<em startRef='m'/>",
        );
        check_both(
            &new(&format!("<unit>{cp}</unit>")),
            "2: a\u{1f} | b",
            "2: a\u{1f} | b",
        );
        check(
            &new(&format!(
                "<unit>{}</unit>",
                segment("<cp hex='D800'/>", "b")
            )),
            &["2:24 S032"],
        );
    }

    fn check_state(attributes: &str, target: &str, expected: Option<&str>) {
        let unit = format!(
            "<trans-unit {attributes}><source>a</source><target {target}>b</target></trans-unit>"
        );
        let seen = contract::read(old(&unit).as_bytes(), &open, &Options::default()).unwrap();
        assert_eq!((seen.len(), seen[0].code()), (1, expected), "{unit}");
    }

    #[test]
    fn states_are_honoured() {
        for used in [
            "",
            "translated",
            "final",
            "signed-off",
            "needs-adaptation",
            "needs-review-adaptation",
            "x-ours",
        ] {
            check_state("approved='no'", &format!("state='{used}'"), None);
        }
        for untranslated in ["new", "needs-translation", "needs-l10n"] {
            check_state("", &format!("state='{untranslated}'"), Some("S024"));
        }
        for unreviewed in ["needs-review-translation", "needs-review-l10n"] {
            check_state(
                "approved='yes'",
                &format!("state='{unreviewed}'"),
                Some("S023"),
            );
        }
        check_state("", "state-qualifier='fuzzy-match'", Some("S023"));
        check_state(
            "",
            "state-qualifier='mt-suggestion' state='translated'",
            None,
        );
        check_state("approved='yes'", "state-qualifier='mt-suggestion'", None);
        check_state("", "state-qualifier='exact-match'", None);
        check_state("translate='no'", "", Some("S024"));
        check(&old(&unit("", "a", " \n")), &["2:38 S024"]);
        check(&old(&unit("", "a", "<x id='1'/>")), &["2: a | {1}"]);
        check(
            &old("<trans-unit><source>a</source></trans-unit>"),
            &["2:1 S024"],
        );
        check(
            &old("<trans-unit><source>a</source><target/></trans-unit>"),
            &["2:31 S024"],
        );
        let state = |state: &str| {
            new(&format!(
                "<unit><segment{state}><source>a</source><target>b</target></segment></unit>"
            ))
        };
        check(&state(" state='initial'"), &["2:50 S024"]);
        check(&state(" state='reviewed'"), &["2: a | b"]);
        check(&state(""), &["2: a | b"]);
    }

    #[test]
    fn what_surrounds_a_unit_counts() {
        let group =
            |attributes: &str, units: &str| format!("<group {attributes}>\n{units}</group>\n");
        let inner = group("translate='yes'", &unit("", "b", "c"));
        let fixed = group(
            "translate='no'",
            &format!("{}{inner}{}", unit("", "a", "x"), unit("", "d", "x")),
        );
        let text = old(&format!(
            "{}{fixed}{}",
            group("", &unit("", "o", "p")),
            unit("", "e", "f")
        ));
        check(
            &text,
            &["3: o | p", "5:1 S024", "6: b | c", "7:1 S024", "8: e | f"],
        );
        let two = "<xliff>\n<file source-language='en' target-language='es'><body>\n<trans-unit><source>a</source>\
            <target>b</target></trans-unit></body></file>\n<file source-language='en' target-language='fr'><body>\n\
            <trans-unit><source>c</source><target>d</target></trans-unit></body></file></xliff>";
        let asked = |target: &str| Options {
            tgt_lang: Some(target.into()),
            ..Options::default()
        };
        check_with(two, &asked("fr"), &["3:1 S026", "5: c | d"]);
        let error = contract::read(two.as_bytes(), &open, &Options::default())
            .map_err(cause)
            .unwrap_err();
        assert_eq!(error, "it names 2 target languages: `es`, `fr`");
        let error = contract::read(two.as_bytes(), &open, &asked("de"))
            .map_err(cause)
            .unwrap_err();
        let expected = "it has no text in `de`; the languages it names are `es`, `fr`";
        assert_eq!(error, expected);
        let opened = open(Input::from_bytes("x", two.into()).unwrap(), &asked("fr")).unwrap();
        assert_eq!(
            opened.decisions,
            ["source language `en`, the only one that the file names"]
        );
    }

    #[test]
    fn a_unit_that_cannot_be_read_is_rejected_alone() {
        let broken = |unit: &str, expected: &str| {
            let around = format!(
                "{}\n{unit}\n{}",
                self::unit("", "a", "b"),
                self::unit("", "c", "d")
            );
            check(&old(&around), &["2: a | b", expected, "4: c | d"]);
        };
        broken(&unit("", "a &foo;", "b"), "3:30 S032");
        broken("<trans-unit><source>a</trans-unit>", "3:22 S032");
        broken("<trans-unit><source>a</source>", "3:1 S032");
        broken("<trans-unit/>", "3:1 S032");
        broken("<source>a</source></trans-unit>", "3:19 S032");
        broken("<trans-unit><target>b</target></trans-unit>", "3:1 S032");
        broken(
            "<trans-unit><source>a</source><source>b</source></trans-unit>",
            "3:31 S032",
        );
    }

    #[test]
    fn a_file_that_is_cut_off_says_so() {
        let whole = old(&format!("{}\n{}", unit("", "a", "b"), unit("", "c", "d")));
        let check =
            |until: &str, expected: &[&str]| check(&whole[..whole.rfind(until).unwrap()], expected);
        check("d</target>", &["2: a | b", "3:1 S031"]);
        check("\n</body>", &["2: a | b", "3: c | d", "3:69 note S031"]);
        check("</xliff>", &["2: a | b", "3: c | d", "4:15 note S031"]);
    }

    #[test]
    fn a_long_skeleton_is_no_unit() {
        let skeleton = format!(
            "<skeleton>\n{}</skeleton>\n<unit>{}</unit>",
            "x".repeat(9000),
            segment("a", "b")
        );
        let long = format!(
            "<unit>{}</unit>\n<unit>{}</unit>",
            segment(&"x".repeat(9000), "b"),
            segment("c", "d")
        );
        let options = Options {
            record_limit: 5000,
            ..Options::default()
        };
        check_with(&new(&skeleton), &options, &["4: a | b"]);
        check_with(&new(&long), &options, &["2:1 S008", "3: c | d"]);
    }

    #[test]
    fn depth_is_no_danger() {
        let deep =
            |inner: &str| format!("{}{inner}{}", "<g>".repeat(100_000), "</g>".repeat(100_000));
        let text = old(&unit("", &deep("a"), &"<g>".repeat(100_000)));
        let seen = contract::read(text.as_bytes(), &open, &Options::default()).unwrap();
        assert_eq!(
            seen.iter().map(Seen::code).collect::<Vec<_>>(),
            [Some("S032")]
        );
        let text = old(&unit("", &deep("a"), &deep("b")));
        let seen = contract::read(text.as_bytes(), &open, &Options::default()).unwrap();
        assert_eq!(seen.iter().map(Seen::code).collect::<Vec<_>>(), [None]);
        let groups = format!("{}{}", "<group>".repeat(100_000), unit("", "a", "b"));
        let seen = contract::read(old(&groups).as_bytes(), &open, &Options::default()).unwrap();
        assert_eq!(seen.iter().map(Seen::code).collect::<Vec<_>>(), [None]);
    }

    #[test]
    fn entities_are_refused() {
        let text = "<!DOCTYPE xliff [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><xliff/>";
        let error = open(
            Input::from_bytes("x", text.into()).unwrap(),
            &Options::default(),
        )
        .map_err(cause);
        assert_eq!(
            error.unwrap_err(),
            "the document declares entities, which are refused (line 1)"
        );
        assert!(is("<?xml version='1.0'?><x:xliff>") && !is("<tmx>"));
    }

    #[test]
    fn the_fixtures_read_as_expected() {
        check::fixture("xliff/app-1.2.xliff", &open);
        check::fixture("xliff/app-2.0.xlf", &open);
    }

    /// Rows, S023 and S024 of a real file, as counted by another program.
    fn check_real(name: &str, expected: [usize; 3]) {
        let Some(bytes) = check::shared(&format!("xliff/{name}")) else {
            return;
        };
        let seen = contract::read(&bytes, &open, &Options::default()).unwrap();
        let count = |code| seen.iter().filter(|seen| seen.code() == code).count();
        assert_eq!(
            [None, Some("S023"), Some("S024")].map(count),
            expected,
            "{name}"
        );
        assert_eq!(seen.len(), expected.iter().sum::<usize>(), "{name}");
        contract::holds(
            &bytes[..bytes.len().min(20_000)],
            &open,
            &Options::default(),
        );
    }

    #[test]
    fn real_documents_are_read_whole() {
        check_real("mozilla-vpn.es_ES.xliff", [524, 0, 32]);
        check_real("symfony-validators.ar.xlf", [110, 0, 6]);
        check_real("symfony-validators.de.xlf", [116, 0, 0]);
        check_real("symfony-validators.es.xlf", [116, 0, 0]);
        check_real("symfony-validators.zh_CN.xlf", [101, 9, 6]);
        for (name, expected) in [
            ("allExtensions", [1, 0, 2]),
            ("almostEmpty", [0, 0, 0]),
            ("emptySkeletonWithHref", [1, 0, 0]),
            ("everything-core", [2, 0, 3]),
            ("nonEmptySkeletonWithoutHref", [1, 0, 0]),
            ("sample1", [1, 0, 0]),
            ("sourceOnly", [0, 0, 1]),
            ("testTranslateWithTarget", [3, 0, 3]),
            ("toJoin", [5, 0, 0]),
            ("toSegment", [1, 0, 3]),
            ("toSegmentAndOrder", [3, 0, 1]),
            ("typeSubTypeValues", [0, 0, 1]),
            ("withCDataSections", [1, 0, 0]),
            ("withCommentAnnotations", [0, 0, 1]),
            ("withGlossary", [2, 0, 0]),
            ("withMatches", [1, 0, 0]),
            ("withModulesAttributesInEc", [0, 0, 2]),
            ("withNotes", [1, 0, 0]),
            ("withNotes_complex", [2, 0, 0]),
            ("withReferences", [2, 0, 1]),
            ("withReorderedCodes", [9, 0, 0]),
            ("withTBXExtension", [0, 0, 1]),
            ("withValidation", [2, 0, 0]),
            ("withXmlLang", [1, 0, 0]),
            ("withXmlSpace", [1, 0, 0]),
        ] {
            check_real(&format!("oasis-2.1-valid/{name}.xlf"), expected);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn damage_is_told_alike_whatever_the_block_size(damage in check::damage()) {
            check::damaged("xliff/app-1.2.xliff", damage.clone(), &open);
            check::damaged("xliff/app-2.0.xlf", damage, &open);
        }
    }
}
