//! Bytes that are not UTF-8.

use crate::diag::{Code, Level};
use crate::rules::{Check, RawLine, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E006",
        name: "not-utf-8",
        level: Level::Error,
        hint: "make the file again as UTF-8; `prep convert --encoding NAME` reads other encodings",
    },
    page: include_str!("not_utf_8.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Line(check),
};

fn check(line: &RawLine<'_>, report: &mut Report<'_>) {
    if line.utf8.is_some() || line.cut_from.is_some() {
        return;
    }
    let Err(error) = std::str::from_utf8(line.bytes) else {
        return;
    };
    let at = error.valid_up_to();
    let byte = line.bytes[at];
    let likely = match likely_encoding(line.bytes) {
        Some((encoding, character)) => {
            format!("; it is `{character}` in {encoding}")
        }
        None => String::new(),
    };
    report.at(at, format!("the byte 0x{byte:02x} is not UTF-8{likely}"));
}

/// The encoding in which the line most likely is, and what its first bad byte
/// would be there.
fn likely_encoding(line: &[u8]) -> Option<(&'static str, char)> {
    use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(line, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    let at = line.utf8_chunks().next()?.valid().len();
    let (decoded, had_errors) = encoding.decode_without_bom_handling(&line[at..]);
    let first = decoded.chars().next()?;
    (!had_errors && !first.is_control()).then_some((encoding.name(), first))
}
