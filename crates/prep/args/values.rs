//! Flag values that are more than a word.

use std::path::PathBuf;
use std::str::FromStr;

/// A size in bytes: `64M`, `1G`, `4096`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("`{text}` is no size; write it like 512M or 2G");
        let plain = text
            .trim()
            .trim_end_matches(['B', 'b'])
            .trim_end_matches(['i', 'I']);
        let digits = plain.trim_end_matches(char::is_alphabetic);
        let shift = match plain[digits.len()..].to_ascii_uppercase().as_str() {
            "" => 0,
            "K" => 10,
            "M" => 20,
            "G" => 30,
            "T" => 40,
            _ => return Err(error()),
        };
        let number: u64 = digits.trim().parse().map_err(|_| error())?;
        number
            .checked_mul(1 << shift)
            .filter(|&bytes| bytes > 0)
            .map(Self)
            .ok_or_else(error)
    }
}

/// A line of a file, written `FILE:LINE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinePlace {
    pub(crate) file: PathBuf,
    pub(crate) line: u64,
}

impl FromStr for LinePlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("`{text}` is no place; write it like train.jsonl:812");
        let (file, line) = text.rsplit_once(':').ok_or_else(error)?;
        let line = line
            .parse()
            .ok()
            .filter(|&line| line > 0)
            .ok_or_else(error)?;
        Ok(Self {
            file: file.into(),
            line,
        })
    }
}

/// Reads a delimiter: one ASCII character, or `tab`.
pub(crate) fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "tab" | "\\t" => Ok(b'\t'),
        _ => match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
            _ => Err(format!(
                "`{text}` cannot be a delimiter; write one character, or `tab`"
            )),
        },
    }
}

/// Reads the name of a text encoding, as the WHATWG lists them.
pub(crate) fn encoding(text: &str) -> Result<&'static encoding_rs::Encoding, String> {
    encoding_rs::Encoding::for_label(text.as_bytes()).ok_or_else(|| {
        format!(
            "`{text}` is no known encoding; utf-8, utf-16le, windows-1252, gbk, shift_jis are some"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let size = |text: &str| text.parse::<Size>().map(|size| size.0).ok();
        assert_eq!(size("4096"), Some(4096));
        assert_eq!(size("64M"), Some(64 << 20));
        assert_eq!(size("2 GiB"), Some(2 << 30));
        assert_eq!(size("0"), None);
        assert_eq!(size("1X"), None);
        assert_eq!(size("99999999T"), None);
    }

    #[test]
    fn a_place_is_a_file_and_a_line() {
        let place = |text: &str| text.parse::<LinePlace>().ok();
        let expected = LinePlace {
            file: "a:b.jsonl".into(),
            line: 7,
        };
        assert_eq!(place("a:b.jsonl:7"), Some(expected));
        assert_eq!(place("train.jsonl"), None);
        assert_eq!(place("train.jsonl:0"), None);
    }
}
