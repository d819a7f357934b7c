//! The page of a rule: its specification, in Markdown.
//!
//! A page begins with `# CODE name` and one sentence. Its fenced blocks are
//! examples, and a test holds every one of them:
//!
//! - `bad 1:61 2:5 /contents/1/parts/0/text`: the rule finds exactly these
//!   places, `line:column` (`file` stands for the file as a whole), and the
//!   first has this pointer, if one is given;
//! - `good`: no rule finds anything;
//! - `validation`: what the blocks after it are compared with.
//!
//! More words may follow: `method=preference`, `side=validation`,
//! `model=NAME`, `adapter=N`, `location=NAME`, `today=YYYY-MM-DD`; `preset=NAME`
//! turns the rules of pairs on, with `src=TAG` and `tgt=TAG` for the languages
//! and `glossary=TERM,TERM;…`;
//! `repeat=N` repeats the block N times, with `{n}` counting from 1; `{ab*3}`
//! stands for `ababab`; `bytes` makes a byte of every `<ff>`; `unterminated`
//! leaves out the last line end.

use crate::diag::Position;

/// A page, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<'a> {
    /// What stands behind `# `: the code and the name.
    pub title: &'a str,
    /// The first paragraph.
    pub summary: String,
    /// The examples, in order.
    pub blocks: Vec<Block>,
}

/// What an example shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockKind {
    /// What the rule finds, and where; `None` is the file as a whole.
    Bad {
        /// The places.
        places: Vec<Option<Position>>,
        /// The pointer of the first.
        pointer: Option<String>,
    },
    /// What no rule minds.
    Good,
    /// Validation examples.
    Validation,
}

/// An example on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it shows.
    pub kind: BlockKind,
    /// The words `name=value` behind it.
    pub settings: Vec<(String, String)>,
    /// The dataset.
    pub text: Vec<u8>,
}

impl<'a> Page<'a> {
    /// Reads a page.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn parse(page: &'a str) -> Result<Self, String> {
        let title = page.lines().next().and_then(|line| line.strip_prefix("# "));
        let title = title.ok_or("a page begins with `# CODE name`")?;
        let paragraph = page.lines().skip(1).skip_while(|line| line.is_empty());
        let paragraph: Vec<_> = paragraph.take_while(|line| !line.is_empty()).collect();
        let mut blocks = Vec::new();
        let mut lines = page.lines();
        while let Some(line) = lines.next() {
            let Some(info) = line.strip_prefix("```") else {
                continue;
            };
            let inside: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.extend(Block::parse(info, &inside)?);
        }
        Ok(Self {
            title,
            summary: paragraph.join(" "),
            blocks,
        })
    }
}

impl Block {
    /// Reads a block; `None` if it is no example.
    fn parse(info: &str, lines: &[&str]) -> Result<Option<Self>, String> {
        let mut words = info.split_whitespace();
        let mut kind = match words.next() {
            Some("bad") => BlockKind::Bad {
                places: Vec::new(),
                pointer: None,
            },
            Some("good") => BlockKind::Good,
            Some("validation") => BlockKind::Validation,
            _ => return Ok(None),
        };
        let mut settings = Vec::new();
        for word in words {
            match (&mut kind, word.split_once('=')) {
                (_, Some((name, value))) => settings.push((name.to_owned(), value.to_owned())),
                (BlockKind::Bad { pointer, .. }, None) if word.starts_with('/') => {
                    *pointer = Some(word.to_owned());
                }
                (BlockKind::Bad { places, .. }, None) if word == "file" => places.push(None),
                (BlockKind::Bad { places, .. }, None) if word.contains(':') => {
                    places.push(Some(position(word)?));
                }
                _ => settings.push((word.to_owned(), String::new())),
            }
        }
        if matches!(&kind, BlockKind::Bad { places, .. } if places.is_empty()) {
            return Err(format!("`{info}` names no place"));
        }
        let mut block = Self {
            kind,
            settings,
            text: Vec::new(),
        };
        block.fill(lines)?;
        Ok(Some(block))
    }

    fn fill(&mut self, lines: &[&str]) -> Result<(), String> {
        let repeat = self.setting("repeat").unwrap_or("1");
        let repeat: usize = repeat.parse().map_err(|_| format!("`{repeat}` times"))?;
        let mut text = String::new();
        for n in 1..=repeat {
            for line in lines {
                text += &with_repeats(&line.replace("{n}", &n.to_string()));
                text.push('\n');
            }
        }
        if self.setting("unterminated").is_some() {
            text.pop();
        }
        self.text = if self.setting("bytes").is_some() {
            with_bytes(&text)
        } else {
            text.into_bytes()
        };
        Ok(())
    }

    /// The value of a word behind the block.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        let mut settings = self.settings.iter();
        settings
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }
}

fn position(word: &str) -> Result<Position, String> {
    let numbers = word
        .split_once(':')
        .and_then(|(line, column)| Some((line.parse().ok()?, column.parse().ok()?)));
    let (line, column) = numbers.ok_or_else(|| format!("`{word}` is no place"))?;
    Ok(Position { line, column })
}

/// Writes out every `{ab*3}`.
fn with_repeats(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('{') {
        let inside = &rest[start + 1..];
        let repeat = inside.split_once('}').and_then(|(inside, after)| {
            let (text, times) = inside.rsplit_once('*')?;
            let is_innermost = !text.contains(['{', '"']);
            is_innermost.then_some((text.repeat(times.parse().ok()?), after))
        });
        out += &rest[..start];
        if let Some((text, after)) = repeat {
            out += &text;
            rest = after;
        } else {
            out.push('{');
            rest = inside;
        }
    }
    out + rest
}

/// Makes a byte of every `<ff>`.
fn with_bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let byte = match rest {
            [b'<', digits @ ..] if digits.get(2) == Some(&b'>') => {
                let digits = std::str::from_utf8(&digits[..2]).unwrap_or_default();
                u8::from_str_radix(digits, 16).ok()
            }
            _ => None,
        };
        out.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &rest[4..] } else { after };
    }
    out
}
