//! Near-duplicates: sketched while reading, found by bands, verified one by one.
//!
//! An example has one side or two, as it is compared by its prompt, its answer
//! or both. Two examples are near-duplicates if each side of one is as similar
//! to that of the other as the threshold says, and their contexts are equal: a
//! long system instruction, or the words of a template around every prompt,
//! must not make all examples alike.
//!
//! Kept in memory for each text: where it stands (24 bytes), its place in the
//! forests of what belongs together and of crowds (8), and its sketch (69, a
//! tenth of texts has two); sketches beyond a quarter of the memory limit go to
//! the disk. The keys of a band that are there twice are brought into order, so
//! that equal ones stand together. Where few share a key, or some of which most
//! have little else in common, they are compared: by sketches, which takes some ten nanoseconds, and if they leave it open, on the
//! texts, which are read again. Where many do, they and all that share another
//! such key with one of them are a [crowd](super::crowd), which is compared at
//! once; two of one crowd are not compared for another key again.
//!
//! Whether a pair is compared depends on the sketches of all texts only, unless
//! the two are known to belong together already. So what belongs together in
//! the end does not depend on the order of texts, on memory or on threads.

mod across;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use xxhash_rust::xxh3::xxh3_64;

use super::crowd;
use super::verdict::{Bits, Kind, Verdict};
use super::{By, DedupeError, Inputs, Keep, Means, Threshold};
use crate::io::Scratch;
use crate::pipeline::compared::{Prints, Reader};
use crate::pipeline::lines::LineText;
use crate::pipeline::ordered;
use crate::pipeline::partitions::{Packed, Partitions};
use crate::text::shingles::{jaccard, mix, set, shingles, shorter_len, suitable_len};
use crate::text::sketch::{Bands, ROWS, sketch};

/// The most texts that are compared one by one for the sake of a common key,
/// whatever they are. To read a text again and look for all that it is similar
/// to takes about as long as comparing it with so many.
const FEW: usize = 32;

/// The most texts that are compared one by one for the sake of a common key if
/// their sketches mostly tell them apart. Among millions of texts, some dozens
/// share a key by accident.
const SOME: usize = 512;

/// The most texts of a crowd that one thread compares alone.
const CROWD_OF_ONE: usize = 4096;

/// How texts are sketched and compared.
#[derive(Debug, Clone, Copy)]
pub(in crate::pipeline) struct Sketching {
    by: By,
    threshold: Threshold,
    bands: Bands,
    /// Texts are compared whatever their context.
    is_blind: bool,
    /// Other salts give other sketches, and so another chance to be found.
    salt: u64,
    /// That of the sketches for a second search, if one is to come.
    later_salt: Option<u64>,
}

/// The texts of a batch; lines count from its first.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct Batch {
    lines: Vec<TextAt>,
    /// For each sketch, which of the lines it is of.
    of: Vec<u32>,
    sketches: Vec<[u8; ROWS]>,
    /// Those for a second search.
    later: Vec<[u8; ROWS]>,
    shingles: Vec<u64>,
}

impl Batch {
    fn clear(&mut self) {
        self.lines.clear();
        self.of.clear();
        self.sketches.clear();
        self.later.clear();
    }
}

/// Where a text is.
#[derive(Debug, Clone, Copy)]
struct TextAt {
    place: u64,
    /// Where its line begins in its input, in bytes.
    start: u64,
    line_bytes: u32,
    text_bytes: u32,
}

impl Sketching {
    pub(in crate::pipeline) fn new(threshold: Threshold, by: By) -> Self {
        let n_sides = if by == By::Example { 2 } else { 1 };
        Self {
            by,
            threshold,
            bands: Bands::new(threshold.jaccard(), n_sides),
            is_blind: false,
            salt: 0,
            later_salt: None,
        }
    }

    /// Compares prompts, whatever their context. What one salt misses, another
    /// one finds.
    pub(in crate::pipeline) fn of_prompts(threshold: Threshold, salt: u64) -> Self {
        Self {
            is_blind: true,
            salt: mix(salt),
            ..Self::new(threshold, By::User)
        }
    }

    /// The same, with sketches of another salt for a second search: a text is cut
    /// into shingles once.
    pub(in crate::pipeline) fn and_later(self, salt: u64) -> Self {
        Self {
            later_salt: Some(mix(salt)),
            ..self
        }
    }

    /// Whether answers need not be read.
    pub(in crate::pipeline) fn skips_answers(&self) -> bool {
        self.by == By::User
    }

    /// The texts that are compared.
    fn sides<'r>(&self, reader: &'r Reader) -> [Option<&'r str>; 2] {
        match self.by {
            By::Example => [Some(reader.prompt()), Some(reader.answer())],
            By::User => [Some(reader.prompt()), None],
            By::Model => [Some(reader.answer()), None],
        }
    }

    fn context(&self, prints: &Prints) -> u64 {
        match self.by {
            By::Model => 0,
            By::Example | By::User if self.is_blind => 0,
            By::Example | By::User => prints.context,
        }
    }

    /// Sketches the example that was read last: `line` is its number, where it
    /// begins and how long it is.
    pub(in crate::pipeline) fn add(
        &self,
        reader: &Reader,
        prints: &Prints,
        line: (u64, u64, usize),
        batch: &mut Batch,
    ) {
        if self.by == By::Model && prints.answer.is_none() {
            return;
        }
        let of = batch.lines.len() as u32;
        batch.lines.push(TextAt {
            place: line.0,
            start: line.1,
            line_bytes: line.2 as u32,
            text_bytes: prints.text_bytes,
        });
        let context = self.context(prints);
        let sides = self.sides(reader);
        for lens in self.lens_of(sides) {
            let (mut rows, mut later) = ([0; ROWS], [0; ROWS]);
            for (side, (text, len)) in sides.into_iter().zip(lens).enumerate() {
                let Some(text) = text else { continue };
                batch.shingles.clear();
                shingles(text, len, &mut batch.shingles);
                let seed = context ^ mix((len as u64) << 8 | side as u64);
                let rows = &mut self.bands.sides_mut(&mut rows)[side];
                sketch(&batch.shingles, seed ^ self.salt, rows);
                if let Some(salt) = self.later_salt {
                    let rows = &mut self.bands.sides_mut(&mut later)[side];
                    sketch(&batch.shingles, seed ^ salt, rows);
                }
            }
            batch.of.push(of);
            batch.sketches.push(rows);
            batch.later.extend(self.later_salt.map(|_| later));
        }
    }

    /// The lengths of shingles of each sketch of a text. Each side may have to
    /// be known by two; one that is not there has the length 0.
    fn lens_of(&self, sides: [Option<&str>; 2]) -> impl Iterator<Item = [usize; 2]> + use<> {
        let lens = sides.map(|text| text.map_or([Some(0), None], |text| self.lens(text)));
        let [first, second] = lens.map(|lens| lens.into_iter().flatten());
        first.flat_map(move |one| second.clone().map(move |other| [one, other]))
    }

    /// The lengths of shingles by which a text must be known.
    fn lens(&self, text: &str) -> [Option<usize>; 2] {
        let n_chars = n_chars(text);
        let shorter = shorter_len(n_chars, self.threshold.jaccard());
        [Some(suitable_len(n_chars)), shorter]
    }
}

fn n_chars(text: &str) -> usize {
    text.chars().count()
}

/// All texts, in input order.
#[derive(Debug)]
pub(super) struct Texts {
    sketching: Sketching,
    at: Vec<TextAt>,
    /// For each sketch, which text it is of.
    of: Vec<u32>,
}

impl Texts {
    /// Reads the text at a place, or gives `false` if it is not there.
    fn read(
        &self,
        text: usize,
        inputs: &Inputs,
        reader: &mut Reader,
        line: &mut Vec<u8>,
    ) -> Result<Option<Prints>, DedupeError> {
        let at = self.at[text];
        line.resize(at.line_bytes as usize, 0);
        let (input, _) = inputs.line(at.place);
        inputs.inputs[input].read_at(at.start, line)?;
        reader.skip_answers(self.sketching.skips_answers());
        let text = match simdutf8::basic::from_utf8(line) {
            Ok(text) => LineText::Utf8(text),
            Err(_) => LineText::Bytes(line),
        };
        // A file that was changed meanwhile is noticed at the end.
        Ok(reader.read(Ok(text), false).ok())
    }

    /// The beginning of the text at a place, as it is compared.
    pub(super) fn excerpt(
        &self,
        place: u64,
        inputs: &Inputs,
        reader: &mut Reader,
    ) -> Result<String, DedupeError> {
        const MOST_CHARS: usize = 160;
        let text = self.at.binary_search_by_key(&place, |at| at.place);
        let mut line = Vec::new();
        if let Ok(text) = text {
            self.read(text, inputs, reader, &mut line)?;
        }
        let sides = self.sketching.sides(reader).into_iter().flatten();
        let text = sides.collect::<Vec<_>>().join(" → ").replace('\n', " ");
        Ok(match text.char_indices().nth(MOST_CHARS) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        })
    }
}

/// All texts and their sketches.
#[derive(Debug)]
pub(in crate::pipeline) struct Near {
    texts: Texts,
    sketches: Sketches,
    /// Those for a second search.
    later: Option<Sketches>,
}

/// Sketches, in the order in which texts were read.
#[derive(Debug)]
struct Sketches {
    held: Vec<[u8; ROWS]>,
    /// The first ones, if they do not fit.
    spilled: Option<Arc<Scratch>>,
    n_spilled: usize,
    most_held: usize,
    target: PathBuf,
}

impl Sketches {
    /// Makes room for sketches in `memory` bytes.
    fn new(memory: u64, means: &Means<'_>) -> Self {
        Self {
            held: Vec::new(),
            spilled: None,
            n_spilled: 0,
            most_held: (memory as usize / ROWS).max(1),
            target: means.target.into(),
        }
    }

    fn push(&mut self, sketch: &[u8; ROWS]) -> Result<(), DedupeError> {
        self.held.push(*sketch);
        if self.held.len() >= self.most_held {
            let scratch = match &mut self.spilled {
                Some(scratch) => scratch,
                none => none.insert(Arc::new(Scratch::beside(&self.target)?)),
            };
            scratch.append(self.held.as_flattened())?;
            self.n_spilled += self.held.len();
            self.held.clear();
            self.held.shrink_to(self.most_held);
        }
        Ok(())
    }

    fn get(&self, n: usize) -> Result<[u8; ROWS], DedupeError> {
        if let (Some(scratch), true) = (&self.spilled, n < self.n_spilled) {
            let mut sketch = [0; ROWS];
            scratch.read_at((n * ROWS) as u64, &mut sketch)?;
            return Ok(sketch);
        }
        Ok(self.held[n - self.n_spilled])
    }

    /// Gives every sketch to `each`, in order.
    fn for_each(
        &self,
        mut each: impl FnMut(u32, &[u8; ROWS]) -> Result<(), DedupeError>,
    ) -> Result<(), DedupeError> {
        const AT_ONCE: usize = 1024;
        let mut buffer = vec![[0; ROWS]; AT_ONCE];
        for start in (0..self.n_spilled).step_by(AT_ONCE) {
            let n = AT_ONCE.min(self.n_spilled - start);
            if let Some(scratch) = &self.spilled {
                scratch.read_at((start * ROWS) as u64, buffer[..n].as_flattened_mut())?;
            }
            let of = (start as u32..).zip(&buffer[..n]);
            of.into_iter().try_for_each(|(n, sketch)| each(n, sketch))?;
        }
        let held = (self.n_spilled as u32..).zip(&self.held);
        held.into_iter().try_for_each(|(n, sketch)| each(n, sketch))
    }
}

/// The key of a band of a sketch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    key: u64,
    sketch: u32,
}

impl Packed for Key {
    const SIZE: usize = 12;

    fn prefix(&self) -> u64 {
        self.key
    }

    fn pack(&self, into: &mut [u8]) {
        into[..8].copy_from_slice(&self.key.to_le_bytes());
        into[8..].copy_from_slice(&self.sketch.to_le_bytes());
    }

    fn unpack(from: &[u8]) -> Self {
        let (mut key, mut sketch) = ([0; 8], [0; 4]);
        key.copy_from_slice(&from[..8]);
        sketch.copy_from_slice(&from[8..]);
        Self {
            key: u64::from_le_bytes(key),
            sketch: u32::from_le_bytes(sketch),
        }
    }
}

/// Which keys may be there twice: all that are, and a few that are not.
#[derive(Debug)]
struct Seen(Vec<[u64; 2]>);

impl Seen {
    /// Room for `n` keys in `memory` bytes.
    fn new(n: usize, memory: u64) -> Self {
        const BITS_PER_KEY: usize = 8;
        let most = usize::try_from(memory / 32).unwrap_or(usize::MAX);
        let words = (n * BITS_PER_KEY / 64).clamp(1, most.max(1));
        Self(vec![[0; 2]; words.next_power_of_two()])
    }

    /// The word and the bit of a key. What was seen once and what was seen
    /// twice stand side by side, as each look costs a wait for memory.
    fn place(&self, key: u64) -> (usize, u64) {
        ((key >> 6) as usize & (self.0.len() - 1), 1 << (key & 63))
    }

    fn add(&mut self, key: u64) {
        let (word, bit) = self.place(key);
        let [once, twice] = &mut self.0[word];
        *twice |= *once & bit;
        *once |= bit;
    }

    /// Whether a key may be there already; then it is there twice.
    fn has_met(&mut self, key: u64) -> bool {
        let (word, bit) = self.place(key);
        let [once, twice] = &mut self.0[word];
        *twice |= *once & bit;
        *once & bit != 0
    }

    fn is_twice(&self, key: u64) -> bool {
        let (word, bit) = self.place(key);
        self.0[word][1] & bit != 0
    }
}

impl Near {
    pub(in crate::pipeline) fn new(sketching: Sketching, means: &Means<'_>) -> Self {
        let later = sketching.later_salt;
        let memory = means.memory / if later.is_some() { 8 } else { 4 };
        Self {
            texts: Texts {
                sketching,
                at: Vec::new(),
                of: Vec::new(),
            },
            sketches: Sketches::new(memory, means),
            later: later.map(|_| Sketches::new(memory, means)),
        }
    }

    /// The same texts with the sketches for the second search, if there are any.
    pub(in crate::pipeline) fn into_later(self) -> Option<Self> {
        Some(Self {
            sketches: self.later?,
            later: None,
            texts: self.texts,
        })
    }

    /// Adds the texts of a batch whose first line is `line`, and empties it.
    pub(in crate::pipeline) fn push(
        &mut self,
        batch: &mut Batch,
        line: u64,
    ) -> Result<(), DedupeError> {
        let first = self.texts.at.len();
        let all = first + batch.lines.len();
        if u32::try_from(all.max(self.texts.of.len() + batch.of.len())).is_err() {
            return Err(DedupeError::TooManyTexts);
        }
        self.texts.at.extend(batch.lines.iter().map(|at| TextAt {
            place: at.place + line,
            ..*at
        }));
        let of = batch.of.iter().map(|of| first as u32 + of);
        self.texts.of.extend(of);
        for sketch in &batch.sketches {
            self.sketches.push(sketch)?;
        }
        if let Some(later) = &mut self.later {
            for sketch in &batch.later {
                later.push(sketch)?;
            }
        }
        batch.clear();
        Ok(())
    }

    /// Finds what belongs together among the texts that are not gone, and
    /// marks what goes for it.
    pub(super) fn find(
        self,
        inputs: &Inputs,
        gone: &mut Bits,
        keep: Keep,
        means: &Means<'_>,
    ) -> Result<(Merged, Texts), DedupeError> {
        let Self {
            texts, sketches, ..
        } = self;
        let search = Search::new(&texts, &sketches, inputs, gone);
        search.run(means)?;
        let merged = search.merge(keep, means)?;
        for (text, ..) in &merged.gone {
            gone.set(texts.at[*text as usize].place);
        }
        let merged = merged.placed(&texts);
        Ok((merged, texts))
    }

    /// Finds what belongs together among the texts that are not gone: pairs of
    /// lines, the first of what belongs together in each.
    pub(in crate::pipeline) fn parts(
        &self,
        inputs: &Inputs,
        gone: &Bits,
        means: &Means<'_>,
    ) -> Result<Vec<(u64, u64)>, DedupeError> {
        let search = Search::new(&self.texts, &self.sketches, inputs, gone);
        search.run(means)?;
        Ok(search.linked())
    }

    /// The same, of which only pairs on different sides are sought; `sides` says
    /// on which one every line is.
    pub(in crate::pipeline) fn across(
        &self,
        sides: &[u8],
        inputs: &Inputs,
        gone: &Bits,
        means: &Means<'_>,
    ) -> Result<Vec<(u64, u64)>, DedupeError> {
        let search = Search {
            sides: Some(sides),
            ..Search::new(&self.texts, &self.sketches, inputs, gone)
        };
        if across::is_nothing(&search, sides, means)? {
            return Ok(Vec::new());
        }
        search.run(means)?;
        let side = |(one, other): &(u64, u64)| [one, other].map(|&line| sides[line as usize]);
        let mut linked = search.linked();
        linked.retain(|pair| side(pair)[0] != side(pair)[1]);
        Ok(linked)
    }
}

#[cfg(test)]
impl Near {
    /// What [`Near::across`] gives, by a search.
    pub(super) fn across_by_search(
        &self,
        sides: &[u8],
        inputs: &Inputs,
        gone: &Bits,
        means: &Means<'_>,
    ) -> Vec<(u64, u64)> {
        let search = Search {
            sides: Some(sides),
            ..Search::new(&self.texts, &self.sketches, inputs, gone)
        };
        search.run(means).expect("the inputs are in memory");
        let mut linked = search.linked();
        linked.retain(|(one, other)| sides[*one as usize] != sides[*other as usize]);
        linked
    }

    /// How often two texts are compared.
    pub(super) fn n_compared(&self, inputs: &Inputs, means: &Means<'_>) -> u64 {
        let gone = Bits::new(inputs.n_lines());
        let search = Search::new(&self.texts, &self.sketches, inputs, &gone);
        search.run(means).expect("the inputs are in memory");
        search.n_compared.into_inner()
    }
}

/// A search for texts that belong together.
pub(super) struct Search<'s> {
    forest: Forest,
    /// Sketches of one crowd.
    crowds: Forest,
    texts: &'s Texts,
    sketches: &'s Sketches,
    inputs: &'s Inputs,
    /// The side of every line, if only pairs on different sides are sought.
    sides: Option<&'s [u8]>,
    /// In how many rows the sketches of similar texts agree at least.
    fewest_equal: [usize; 2],
    /// Which sketches are of texts that are not gone.
    is_live: Bits,
    /// Two texts, the first one first, and how similar they were found to be.
    similar: Mutex<Vec<(u32, u32, f32)>>,
    /// How often two texts were compared.
    pub(super) n_compared: AtomicU64,
}

/// Which sketches are of texts that are not gone.
fn live(texts: &Texts, gone: &Bits) -> Bits {
    let mut live = Bits::new(texts.of.len() as u64);
    for (text, n) in texts.of.iter().zip(0..) {
        if !gone.has(texts.at[*text as usize].place) {
            live.set(n);
        }
    }
    live
}

impl<'s> Search<'s> {
    fn new(texts: &'s Texts, sketches: &'s Sketches, inputs: &'s Inputs, gone: &Bits) -> Self {
        let bands = texts.sketching.bands;
        Self {
            forest: Forest::new(texts.at.len()),
            crowds: Forest::new(texts.of.len()),
            texts,
            sketches,
            inputs,
            sides: None,
            fewest_equal: bands.fewest_equal(texts.sketching.threshold.jaccard()),
            is_live: live(texts, gone),
            similar: Mutex::default(),
            n_compared: AtomicU64::new(0),
        }
    }

    /// Links all that is similar.
    fn run(&self, means: &Means<'_>) -> Result<(), DedupeError> {
        let few = Mutex::new(Lists::new(means));
        let mut bands = 0..self.texts.sketching.bands.n;
        ordered::for_each(
            means.pool,
            || {
                means.check_stop()?;
                Ok(bands.next())
            },
            |band: usize| self.band(band, &few, means),
            |sorted: Result<(), DedupeError>| sorted,
        )?;
        self.link_crowds(means)?;
        let few = few.into_inner().expect("no band panics");
        self.link_few(&few, means)
    }
}

impl Search<'_> {
    /// Finds the sketches that share a key of one band: few go to `few`, many
    /// become a crowd.
    fn band(&self, band: usize, few: &Mutex<Lists>, means: &Means<'_>) -> Result<(), DedupeError> {
        let memory = means.memory / 4 / means.pool.current_num_threads() as u64;
        // Hardly a key is there twice, and only those must be brought into
        // order.
        let n = self.texts.of.len();
        let mut seen = Seen::new(n, memory / 2);
        let is_held = (n * size_of::<Key>()) as u64 <= memory / 2;
        let mut held = Vec::with_capacity(if is_held { n } else { 0 });
        self.keys(band, |key| {
            seen.add(key.key);
            if is_held {
                held.push(key);
            }
            Ok(())
        })?;
        let mut keys = Partitions::new(memory / 2, means.target);
        if is_held {
            held.retain(|key| seen.is_twice(key.key));
            held.sort_unstable();
        } else {
            self.keys(band, |key| {
                if seen.is_twice(key.key) {
                    keys.push(&key)?;
                }
                Ok(())
            })?;
        }
        drop(seen);
        let mut held = held.into_iter();
        let mut sorted = keys.into_sorted();
        let mut lists = Vec::new();
        let mut same: Vec<Key> = Vec::new();
        loop {
            let next = match held.next() {
                Some(key) => Some(key),
                None => sorted.next()?,
            };
            if same.first().map(|key| key.key) != next.map(|key| key.key) {
                if same.len() > 1 && !self.is_crowd(&same)? {
                    lists.push(same.len() as u32);
                    lists.extend(same.iter().map(|key| key.sketch));
                } else if let Some((first, rest)) = same.split_first() {
                    let rest = rest.iter();
                    rest.for_each(|key| self.crowds.unite(first.sketch, key.sketch));
                }
                same.clear();
            }
            if lists.len() >= Lists::AT_ONCE || next.is_none() {
                means.check_stop()?;
                few.lock().expect("no band panics").push(&lists)?;
                lists.clear();
            }
            match next {
                Some(key) => same.push(key),
                None => return Ok(()),
            }
        }
    }

    /// Whether sketches that share a key are too many, or leave too much open, to
    /// be compared one by one.
    fn is_crowd(&self, same: &[Key]) -> Result<bool, DedupeError> {
        const SAMPLE: usize = 8;
        if same.len() <= FEW || same.len() > SOME {
            return Ok(same.len() > SOME);
        }
        let sketches = same
            .iter()
            .map(|key| self.sketches.get(key.sketch as usize));
        let mut sketches = sketches.collect::<Result<Vec<_>, _>>()?;
        // Whatever order the texts are in.
        sketches.sort_by_cached_key(|sketch| xxh3_64(sketch));
        let sample = &sketches[..SAMPLE];
        let pairs = sample
            .iter()
            .flat_map(|one| sketches[SAMPLE..].iter().map(move |other| (one, other)));
        let is_open = |pair: &(&_, &_)| self.may_be_similar(pair.0, pair.1);
        let n_open = pairs.filter(is_open).count();
        Ok(2 * n_open > SAMPLE * (sketches.len() - SAMPLE))
    }

    /// Links what is similar in crowds.
    fn link_crowds(&self, means: &Means<'_>) -> Result<(), DedupeError> {
        let mut members: Vec<(u32, u32)> = Vec::new();
        for n in 0..self.texts.of.len() as u32 {
            let root = self.crowds.root(n);
            if root != n {
                members.push((root, n));
            }
        }
        members.sort_unstable();
        let crowds: Vec<&[(u32, u32)]> = members.chunk_by(|a, b| a.0 == b.0).collect();
        let sketches = |crowd: &[(u32, u32)]| {
            let mut sketches = vec![crowd[0].0];
            sketches.extend(crowd.iter().map(|(_, n)| *n));
            sketches
        };
        let is_large = |crowd: &&&[(u32, u32)]| crowd.len() >= CROWD_OF_ONE;
        let memory = means.memory / 4;
        for crowd in crowds.iter().filter(is_large) {
            crowd::link(self, &sketches(crowd), Some(means.pool), memory, means)?;
        }
        let memory = memory / means.pool.current_num_threads() as u64;
        // Most are done with sooner than they are handed over.
        const AT_ONCE: usize = 16;
        let small: Vec<_> = crowds.iter().filter(|crowd| !is_large(crowd)).collect();
        let mut small = small.chunks(AT_ONCE);
        ordered::for_each(
            means.pool,
            || {
                means.check_stop()?;
                Ok(small.next())
            },
            |crowds: &[&&[(u32, u32)]]| {
                crowds
                    .iter()
                    .try_for_each(|crowd| crowd::link(self, &sketches(crowd), None, memory, means))
            },
            |linked: Result<(), DedupeError>| linked,
        )
    }

    /// Links what is similar among the sketches of each list.
    fn link_few(&self, few: &Lists, means: &Means<'_>) -> Result<(), DedupeError> {
        let pairs = Mutex::new(Vec::new());
        let mut at = 0;
        ordered::for_each(
            means.pool,
            || {
                means.check_stop()?;
                few.next(&mut at)
            },
            |lists: Vec<u32>| {
                let spare = pairs.lock().expect("no holder of a pair panics").pop();
                let mut pair: Pair = spare.unwrap_or_default();
                let mut rest = &lists[..];
                while let Some((&n, after)) = rest.split_first() {
                    let (list, after) = after.split_at(n as usize);
                    self.link_all(list, &mut pair)?;
                    rest = after;
                }
                let mut similar = self.similar.lock().expect("no holder panics");
                similar.append(&mut pair.similar);
                drop(similar);
                let n_compared = std::mem::take(&mut pair.n_compared);
                self.n_compared.fetch_add(n_compared, Ordering::Relaxed);
                pairs.lock().expect("no holder of a pair panics").push(pair);
                Ok(())
            },
            |linked: Result<(), DedupeError>| linked,
        )
    }

    /// Gives the keys of a band, of all texts that are not gone.
    fn keys(
        &self,
        band: usize,
        mut each: impl FnMut(Key) -> Result<(), DedupeError>,
    ) -> Result<(), DedupeError> {
        let bands = self.texts.sketching.bands;
        self.sketches.for_each(|n, sketch| {
            if !self.is_live.has(u64::from(n)) {
                return Ok(());
            }
            let key = bands.key(sketch, band);
            each(Key { key, sketch: n })
        })
    }

    /// Links what is similar among some sketches.
    fn link_all(&self, list: &[u32], pair: &mut Pair) -> Result<(), DedupeError> {
        // Nearly all have little else in common, and to see that in their sketches
        // takes less time than to look up anything about them.
        let mut members = std::mem::take(&mut pair.members);
        members.clear();
        for (&n, part) in list.iter().zip(0..) {
            let sketch = self.sketches.get(n as usize)?;
            members.push(Listed { n, sketch, part });
        }
        for first in 0..members.len() {
            for second in first + 1..members.len() {
                let [one, other] = [first, second].map(|at| &members[at]);
                if one.part == other.part {
                    continue;
                }
                pair.n_compared += 1;
                if self.may_be_similar(&one.sketch, &other.sketch)
                    && self.link(one.n, other.n, pair)?
                {
                    let (part, joined) = (one.part, other.part);
                    let joining = members.iter_mut().filter(|member| member.part == joined);
                    joining.for_each(|member| member.part = part);
                }
            }
        }
        pair.members = members;
        Ok(())
    }

    /// Links the texts of two sketches if they are similar, and tells whether they
    /// are known to belong together now.
    fn link(&self, one: u32, other: u32, pair: &mut Pair) -> Result<bool, DedupeError> {
        let (text, other_text) = (self.text_of(one), self.text_of(other));
        if self.are_together(text, other_text) {
            return Ok(true);
        }
        // A crowd was compared already.
        let is_done = self.crowds.root(one) == self.crowds.root(other);
        let is_same_side = || self.sides.is_some() && self.side(text) == self.side(other_text);
        if is_done || is_same_side() {
            return Ok(false);
        }
        let similarity = self.similarity(text, other_text, pair)?;
        let is_similar = similarity >= self.threshold();
        if is_similar {
            let (first, second) = (text.min(other_text), text.max(other_text));
            pair.similar.push((first, second, similarity as f32));
            self.unite(text, other_text);
        }
        Ok(is_similar)
    }

    /// The side of a text, if sides matter.
    fn side(&self, text: u32) -> Option<u8> {
        let place = self.texts.at[text as usize].place;
        self.sides.map(|sides| sides[place as usize])
    }

    /// Pairs of lines, the first of what belongs together in each.
    fn linked(&self) -> Vec<(u64, u64)> {
        let place = |text: u32| self.texts.at[text as usize].place;
        let texts = 0..self.texts.at.len() as u32;
        let roots = texts.map(|text| (self.forest.root(text), text));
        let linked = roots.filter(|(root, text)| root != text);
        linked
            .map(|(root, text)| (place(root), place(text)))
            .collect()
    }

    /// How similar near-duplicates are.
    pub(super) fn threshold(&self) -> f64 {
        self.texts.sketching.threshold.jaccard()
    }

    /// Whether two sketches leave open that their texts are similar.
    fn may_be_similar(&self, one: &[u8; ROWS], other: &[u8; ROWS]) -> bool {
        let bands = self.texts.sketching.bands;
        bands.may_be_similar(one, other, self.fewest_equal)
    }

    /// The text that a sketch is of.
    pub(super) fn text_of(&self, sketch: u32) -> u32 {
        self.texts.of[sketch as usize]
    }

    pub(super) fn sketch(&self, sketch: u32) -> Result<[u8; ROWS], DedupeError> {
        self.sketches.get(sketch as usize)
    }

    /// Whether two texts are known to belong together.
    pub(super) fn are_together(&self, one: u32, other: u32) -> bool {
        self.forest.root(one) == self.forest.root(other)
    }

    pub(super) fn unite(&self, one: u32, other: u32) {
        self.forest.unite(one, other);
    }

    /// Reads the text of a sketch again, as sets of the shingles that the sketch
    /// is of.
    pub(super) fn shingled(&self, sketch: u32, into: &mut Shingled) -> Result<(), DedupeError> {
        let text = self.text_of(sketch);
        let before = self.texts.of[..sketch as usize].iter().rev();
        let nth = before.take_while(|&&of| of == text).count();
        let sketching = &self.texts.sketching;
        let Shingled { reader, line, .. } = into;
        let prints = self.texts.read(text as usize, self.inputs, reader, line)?;
        into.context = prints.map(|prints| sketching.context(&prints));
        let sides = sketching.sides(reader);
        let lens = sketching.lens_of(sides).nth(nth);
        // A file that was changed meanwhile is noticed at the end.
        into.lens = lens.unwrap_or_default();
        for (side, text) in sides.into_iter().enumerate() {
            let (text, set) = (text.unwrap_or_default(), &mut into.sets[side]);
            into.n_chars[side] = n_chars(text);
            set.clear();
            if into.lens[side] > 0 {
                shingles(text, into.lens[side], set);
            }
            if side > 0 {
                // Apart from those of the other side.
                set.iter_mut().for_each(|shingle| *shingle = mix(!*shingle));
            }
            set.sort_unstable();
            set.dedup();
        }
        Ok(())
    }

    /// The similarity of two texts: that of the less similar side.
    fn similarity(&self, one: u32, other: u32, pair: &mut Pair) -> Result<f64, DedupeError> {
        let mut take = |text| {
            let mut read = pair.take(text);
            if read.text != Some(text) {
                self.read(text, &mut read, &mut pair.reader)?;
            }
            Ok::<_, DedupeError>(read)
        };
        let (mut one, mut other) = (take(one)?, take(other)?);
        let mut least = 1.0_f64;
        if one.context == other.context {
            for (one, other) in one.sides.iter_mut().zip(&mut other.sides) {
                let len = suitable_len(one.n_chars.min(other.n_chars));
                least = least.min(jaccard(one.set(len), other.set(len)));
            }
        } else {
            least = 0.0;
        }
        pair.keep(one);
        pair.keep(other);
        Ok(least)
    }

    fn read(&self, text: u32, read: &mut Read, reader: &mut Reader) -> Result<(), DedupeError> {
        let texts = self.texts;
        let prints = texts.read(text as usize, self.inputs, reader, &mut read.line)?;
        read.text = Some(text);
        read.context = prints.map(|prints| texts.sketching.context(&prints));
        let sides = texts.sketching.sides(reader);
        for (side, text) in read.sides.iter_mut().zip(sides) {
            side.text.clear();
            side.text.push_str(text.unwrap_or_default());
            side.n_chars = n_chars(&side.text);
            side.len = 0;
        }
        Ok(())
    }

    /// Chooses what is kept of each part, and measures the rest against it.
    fn merge(&self, keep: Keep, means: &Means<'_>) -> Result<MergedTexts, DedupeError> {
        let mut members: Vec<(u32, u32)> = Vec::new();
        for text in 0..self.texts.at.len() as u32 {
            let root = self.forest.root(text);
            if root != text {
                members.push((root, text));
            }
        }
        members.sort_unstable();
        // Most have two texts that were compared already.
        const AT_ONCE: usize = 256;
        let parts: Vec<&[(u32, u32)]> = members.chunk_by(|a, b| a.0 == b.0).collect();
        let mut parts = parts.chunks(AT_ONCE);
        let mut similar = self.similar.lock().expect("no holder panics");
        similar.sort_unstable_by_key(|(one, other, _)| (*one, *other));
        let known = |one: u32, other: u32| {
            let pair = (one.min(other), one.max(other));
            let found = similar.binary_search_by_key(&pair, |(one, other, _)| (*one, *other));
            found.ok().map(|at| similar[at].2)
        };
        let mut gone = Vec::new();
        ordered::for_each(
            means.pool,
            || Ok::<_, DedupeError>(parts.next()),
            |parts: &[&[(u32, u32)]]| {
                let (mut pair, mut gone) = (Pair::default(), Vec::new());
                for part in parts {
                    let mut texts = vec![part[0].0];
                    texts.extend(part.iter().map(|(_, text)| *text));
                    let kept = self.kept(&texts, keep);
                    for text in texts.into_iter().filter(|&text| text != kept) {
                        let similarity = match known(kept, text) {
                            Some(similarity) => similarity,
                            None => self.similarity(kept, text, &mut pair)? as f32,
                        };
                        gone.push((text, kept, similarity));
                    }
                }
                Ok(gone)
            },
            |parts: Result<Vec<_>, DedupeError>| {
                means.check_stop()?;
                gone.extend(parts?);
                Ok(())
            },
        )?;
        gone.sort_unstable_by_key(|(text, ..)| *text);
        Ok(MergedTexts { gone })
    }

    fn kept(&self, texts: &[u32], keep: Keep) -> u32 {
        let at = |text: &&u32| self.texts.at[**text as usize];
        let kept = match keep {
            Keep::First => texts.iter().min(),
            Keep::Last => texts.iter().max(),
            Keep::Longest => texts
                .iter()
                .max_by_key(|text| (at(text).text_bytes, std::cmp::Reverse(**text))),
        };
        kept.copied().unwrap_or_default()
    }
}

/// A text as the sets of shingles that one of its sketches is of.
#[derive(Debug, Default)]
pub(super) struct Shingled {
    reader: Reader,
    line: Vec<u8>,
    pub(super) context: Option<u64>,
    pub(super) n_chars: [usize; 2],
    /// The lengths of the shingles; 0 if there is no such side.
    pub(super) lens: [usize; 2],
    /// Those of each side, sorted, none on both sides.
    pub(super) sets: [Vec<u64>; 2],
}

/// Lists of sketches, each after its length. What does not fit is on the disk.
#[derive(Debug)]
struct Lists {
    held: Vec<u32>,
    most_held: usize,
    spilled: Option<Scratch>,
    /// Where each stretch of whole lists begins, in numbers, and its length.
    stretches: Vec<(u64, usize)>,
    n_spilled: u64,
    target: PathBuf,
}

impl Lists {
    /// How many numbers are handed over at a time.
    const AT_ONCE: usize = 4096;

    fn new(means: &Means<'_>) -> Self {
        Self {
            held: Vec::new(),
            most_held: (means.memory / 16) as usize / size_of::<u32>(),
            spilled: None,
            stretches: Vec::new(),
            n_spilled: 0,
            target: means.target.into(),
        }
    }

    /// Adds some whole lists.
    fn push(&mut self, lists: &[u32]) -> Result<(), DedupeError> {
        if lists.is_empty() {
            return Ok(());
        }
        if self.held.len() + lists.len() > self.most_held && !self.held.is_empty() {
            let scratch = match &mut self.spilled {
                Some(scratch) => scratch,
                none => none.insert(Scratch::beside(&self.target)?),
            };
            let bytes = self.held.iter().flat_map(|number| number.to_le_bytes());
            scratch.append(&bytes.collect::<Vec<_>>())?;
            self.n_spilled += self.held.len() as u64;
            self.held.clear();
        }
        let at = self.n_spilled + self.held.len() as u64;
        self.stretches.push((at, lists.len()));
        self.held.extend_from_slice(lists);
        Ok(())
    }

    /// Gives the next whole lists after `at` stretches.
    fn next(&self, at: &mut usize) -> Result<Option<Vec<u32>>, DedupeError> {
        let Some(&(start, n)) = self.stretches.get(*at) else {
            return Ok(None);
        };
        *at += 1;
        if let (Some(scratch), true) = (&self.spilled, start < self.n_spilled) {
            let mut bytes = vec![0; n * size_of::<u32>()];
            scratch.read_at(start * size_of::<u32>() as u64, &mut bytes)?;
            let (numbers, _) = bytes.as_chunks();
            let numbers = numbers.iter().map(|bytes| u32::from_le_bytes(*bytes));
            return Ok(Some(numbers.collect()));
        }
        let start = (start - self.n_spilled) as usize;
        Ok(Some(self.held[start..start + n].to_vec()))
    }
}

/// Texts that are compared. Those that share a key are compared with each other,
/// so what was read is kept, as far as a few megabytes go: reading a text again
/// and cutting it into shingles takes thirty times as long as comparing it.
#[derive(Debug, Default)]
struct Pair {
    reader: Reader,
    read: HashMap<u32, Read>,
    bytes: usize,
    /// The list that is compared.
    members: Vec<Listed>,
    /// Those that were found to be similar since that was asked last.
    similar: Vec<(u32, u32, f32)>,
    /// How often two were compared since that was asked last.
    n_compared: u64,
}

impl Pair {
    /// Takes a text out, or room for it.
    fn take(&mut self, text: u32) -> Read {
        let read = self.read.remove(&text).unwrap_or_default();
        self.bytes -= read.bytes;
        read
    }

    /// Keeps a text for the next time it is compared.
    fn keep(&mut self, mut read: Read) {
        const MOST_BYTES: usize = 8 << 20;
        let Some(text) = read.text else { return };
        let sides = read.sides.iter();
        let of_side = |side: &Side| side.text.capacity() + 8 * side.set.capacity();
        read.bytes = size_of::<Read>() + read.line.capacity() + sides.map(of_side).sum::<usize>();
        if self.bytes + read.bytes > MOST_BYTES {
            self.read.clear();
            self.bytes = 0;
        }
        self.bytes += read.bytes;
        self.read.insert(text, read);
    }
}

/// A sketch of a list.
#[derive(Debug)]
struct Listed {
    n: u32,
    sketch: [u8; ROWS],
    /// Those of one part are known to belong together.
    part: u32,
}

#[derive(Debug, Default)]
struct Read {
    text: Option<u32>,
    /// What it took when it was kept.
    bytes: usize,
    line: Vec<u8>,
    context: Option<u64>,
    sides: [Side; 2],
}

#[derive(Debug, Default)]
struct Side {
    text: String,
    n_chars: usize,
    /// The length of the shingles that `set` holds; 0 if it holds none.
    len: usize,
    set: Vec<u64>,
}

impl Side {
    fn set(&mut self, len: usize) -> &[u64] {
        if self.len != len {
            set(&self.text, len, &mut self.set);
            self.len = len;
        }
        &self.set
    }
}

/// What belongs together: texts with one root. Threads share it.
#[derive(Debug)]
pub(in crate::pipeline) struct Forest(Vec<AtomicU32>);

impl Forest {
    pub(in crate::pipeline) fn new(n: usize) -> Self {
        Self((0..n as u32).map(AtomicU32::new).collect())
    }

    /// The text that stands for all that belong together with this one. A
    /// parent never comes after its child, so this ends whatever others do.
    pub(in crate::pipeline) fn root(&self, text: u32) -> u32 {
        let mut text = text;
        loop {
            let parent = self.0[text as usize].load(Ordering::Relaxed);
            if parent == text {
                return text;
            }
            let above = self.0[parent as usize].load(Ordering::Relaxed);
            // Shortens the way for the next one; whoever comes first is right.
            let way = &self.0[text as usize];
            let _lost_to_another =
                way.compare_exchange(parent, above, Ordering::Relaxed, Ordering::Relaxed);
            text = above;
        }
    }

    pub(in crate::pipeline) fn unite(&self, one: u32, other: u32) {
        let (mut one, mut other) = (one, other);
        loop {
            (one, other) = (self.root(one), self.root(other));
            if one == other {
                return;
            }
            let (first, second) = (one.min(other), one.max(other));
            let root = &self.0[second as usize];
            // Another thread may have put it below something meanwhile.
            if root
                .compare_exchange(second, first, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
            {
                return;
            }
        }
    }
}

/// Texts that go for another, in order: the text, the one kept, how similar
/// they are.
struct MergedTexts {
    gone: Vec<(u32, u32, f32)>,
}

impl MergedTexts {
    fn placed(self, texts: &Texts) -> Merged {
        let place = |text: u32| texts.at[text as usize].place;
        let gone = self.gone.into_iter();
        Merged(
            gone.map(|(text, kept, similarity)| (place(text), place(kept), similarity))
                .collect(),
        )
    }
}

/// Lines that go for another, in order.
#[derive(Debug, Default)]
pub(super) struct Merged(Vec<(u64, u64, f32)>);

impl Merged {
    /// What becomes of a duplicate if the line it goes for goes itself.
    pub(super) fn follow(&self, verdict: Verdict) -> Verdict {
        let found = self
            .0
            .binary_search_by_key(&verdict.other, |(place, ..)| *place);
        match found.map(|at| self.0[at]) {
            Ok((_, kept, similarity)) => Verdict {
                kind: Kind::Near,
                other: kept,
                similarity,
                ..verdict
            },
            Err(_) => verdict,
        }
    }

    pub(super) fn verdicts(&self) -> impl Iterator<Item = Verdict> {
        self.0.iter().map(|&(place, other, similarity)| Verdict {
            place,
            kind: Kind::Near,
            other,
            similarity,
        })
    }
}
