//! Text inputs as UTF-8: byte-order marks, UTF-16, legacy encodings.
//!
//! A UTF-8 input passes through untouched, invalid bytes included: they are a
//! finding of the record they stand in. Anything else is decoded on the way,
//! with U+FFFD where it cannot be, and the choice is told.

use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::io::Input;

/// How much of an input is looked at to tell its encoding.
const SNIFF_BYTES: usize = 256 << 10;

/// A text input from its first character.
pub(crate) struct Text {
    /// UTF-8, as far as the input is.
    pub(crate) reader: Box<dyn Read + Send>,
    /// The first characters, for telling formats and delimiters: at most
    /// [`SNIFF_BYTES`] bytes of UTF-8, cut anywhere.
    pub(crate) head: Vec<u8>,
    /// What was guessed, if anything was.
    pub(crate) decision: Option<String>,
    /// Whether `head` is the whole text.
    pub(crate) is_whole: bool,
}

/// Opens an input as text.
///
/// # Errors
///
/// When reading fails.
pub(crate) fn open(mut input: Input, encoding: Option<&'static Encoding>) -> io::Result<Text> {
    let sniffed = input.peek(SNIFF_BYTES)?;
    let (encoding, bom, decision) = choose(sniffed, encoding);
    let mut reader = input.into_reader();
    io::copy(&mut reader.by_ref().take(bom as u64), &mut io::sink())?;
    if encoding != UTF_8 {
        reader = Box::new(Decoded::new(reader, encoding));
    }
    let mut head = Vec::new();
    reader
        .by_ref()
        .take(SNIFF_BYTES as u64)
        .read_to_end(&mut head)?;
    let is_whole = head.len() < SNIFF_BYTES;
    let reader = Box::new(io::Cursor::new(head.clone()).chain(reader));
    Ok(Text {
        reader,
        head,
        decision,
        is_whole,
    })
}

/// The encoding of a text, the length of its byte-order mark, and what to say
/// about the choice.
fn choose(
    head: &[u8],
    asked: Option<&'static Encoding>,
) -> (&'static Encoding, usize, Option<String>) {
    let marked = Encoding::for_bom(head);
    if let Some(encoding) = asked {
        let bom = marked
            .filter(|(marked, _)| *marked == encoding)
            .map_or(0, |(_, len)| len);
        return (encoding, bom, None);
    }
    if let Some((encoding, bom)) = marked {
        let decision = format!("encoding {}, by its byte-order mark", encoding.name());
        return (encoding, bom, Some(decision));
    }
    let (encoding, reason) = guess(head);
    let decision = (encoding != UTF_8).then(|| format!("encoding {}, {reason}", encoding.name()));
    (encoding, 0, decision)
}

/// Guesses the encoding of a text without a byte-order mark.
fn guess(head: &[u8]) -> (&'static Encoding, &'static str) {
    if let Some(encoding) = unmarked_utf16(head) {
        return (encoding, "by the place of its zero bytes");
    }
    // An incomplete character at the end of what was looked at is no fault.
    let is_valid =
        std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true);
    if is_valid || has_more_utf8_than_not(head) {
        return (UTF_8, "");
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(head, head.len() < SNIFF_BYTES);
    (
        detector.guess(None, Utf8Detection::Deny),
        "as its bytes are not UTF-8",
    )
}

/// Whether a text with invalid bytes is UTF-8 that was damaged rather than
/// another encoding: it has well-formed sequences of several bytes, and more
/// of them than bytes that are not.
fn has_more_utf8_than_not(head: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in head.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += chunk.invalid().len();
    }
    good > bad
}

/// UTF-16 without a mark: nearly every second byte of Western text is zero.
fn unmarked_utf16(head: &[u8]) -> Option<&'static Encoding> {
    let looked_at = &head[..head.len().min(4096)];
    let pairs = looked_at.len() / 2;
    if pairs < 4 {
        return None;
    }
    let zeros = |offset: usize| {
        looked_at
            .iter()
            .skip(offset)
            .step_by(2)
            .filter(|&&byte| byte == 0)
            .count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    if odd * 10 > pairs * 4 && even * 20 < pairs {
        Some(UTF_16LE)
    } else if even * 10 > pairs * 4 && odd * 20 < pairs {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// A reader that gives UTF-8 for another encoding.
struct Decoded {
    inner: Box<dyn Read + Send>,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_done: usize,
    text: Vec<u8>,
    text_done: usize,
    at_end: bool,
}

impl Decoded {
    fn new(inner: Box<dyn Read + Send>, encoding: &'static Encoding) -> Self {
        Self {
            inner,
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: Vec::new(),
            raw_done: 0,
            text: Vec::new(),
            text_done: 0,
            at_end: false,
        }
    }

    /// Decodes more until there is text or the input has ended.
    fn advance(&mut self) -> io::Result<()> {
        const RAW_BYTES: usize = 1 << 16;
        self.text.clear();
        self.text_done = 0;
        while self.text.is_empty() && !(self.at_end && self.raw_done == self.raw.len()) {
            if self.raw_done == self.raw.len() {
                self.raw.clear();
                self.raw_done = 0;
                let n = self
                    .inner
                    .by_ref()
                    .take(RAW_BYTES as u64)
                    .read_to_end(&mut self.raw)?;
                self.at_end = n < RAW_BYTES;
            }
            self.text.resize(3 * RAW_BYTES + 16, 0);
            let (result, read, written, _) = self.decoder.decode_to_utf8(
                &self.raw[self.raw_done..],
                &mut self.text,
                self.at_end,
            );
            self.raw_done += read;
            self.text.truncate(written);
            if self.at_end && result == CoderResult::InputEmpty {
                break;
            }
        }
        Ok(())
    }
}

impl Read for Decoded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.text_done == self.text.len() {
            self.advance()?;
        }
        let n = into.len().min(self.text.len() - self.text_done);
        into[..n].copy_from_slice(&self.text[self.text_done..self.text_done + n]);
        self.text_done += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str, decision: Option<&str>) {
        let input = Input::from_bytes("x", bytes.to_vec()).unwrap();
        let mut text = open(input, None).unwrap();
        let mut all = Vec::new();
        text.reader.read_to_end(&mut all).unwrap();
        assert_eq!(String::from_utf8_lossy(&all), expected);
        assert_eq!(text.decision.as_deref(), decision);
    }

    fn utf16(text: &str, bom: bool, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let bom = bom.then_some(0xfeff);
        bom.into_iter()
            .chain(text.encode_utf16())
            .flat_map(to_bytes)
            .collect()
    }

    #[test]
    fn encodings_are_told_apart() {
        let text = "niño,boy\nmañana,tomorrow\n";
        check(text.as_bytes(), text, None);
        check(
            b"\xef\xbb\xbfa,b",
            "a,b",
            Some("encoding UTF-8, by its byte-order mark"),
        );
        let le = "encoding UTF-16LE, by its byte-order mark";
        let be = "encoding UTF-16BE, by its byte-order mark";
        check(&utf16(text, true, u16::to_le_bytes), text, Some(le));
        check(&utf16(text, true, u16::to_be_bytes), text, Some(be));
        let unmarked = "encoding UTF-16LE, by the place of its zero bytes";
        check(&utf16(text, false, u16::to_le_bytes), text, Some(unmarked));
        let latin1: Vec<u8> = text.chars().map(|c| c as u8).collect();
        check(
            &latin1,
            text,
            Some("encoding windows-1252, as its bytes are not UTF-8"),
        );
    }

    #[test]
    fn damaged_utf8_stays_utf8() {
        check(
            b"ni\xc3\xb1o ma\xc3\xb1ana caf\xe9\n",
            "niño mañana caf\u{fffd}\n",
            None,
        );
    }

    #[test]
    fn a_long_text_is_decoded_whole() {
        let text = "año nuevo, vida nueva\n".repeat(20_000);
        check(
            &utf16(&text, true, u16::to_le_bytes),
            &text,
            Some("encoding UTF-16LE, by its byte-order mark"),
        );
    }
}
