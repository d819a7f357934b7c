//! What numbers are shown as: number formats, and the dates among them.
//!
//! A date is a number whose cell has the format of one, counted in days from
//! 1900 or 1904. It is written as ISO 8601; other numbers are written as they
//! are stored, without their format.

use std::borrow::Cow;

use calamine::{ExcelDateTime, ExcelDateTimeType};
use quick_xml::events::{BytesStart, Event};

use super::xml::{attribute, in_words, xml_reader};

/// The number format of each cell style.
#[derive(Debug, Default)]
pub(super) struct Styles {
    formats: Vec<NumberFormat>,
    is_1904: bool,
}

impl Styles {
    /// Reads the part that lists the styles; no text lists none.
    pub(super) fn read(text: &str, is_1904: bool) -> Result<Self, String> {
        let mut xml = xml_reader(text);
        let mut custom = Vec::new();
        let mut formats = Vec::new();
        let mut is_cell_style = false;
        loop {
            match xml.read_event().map_err(in_words)? {
                Event::Start(tag) => match tag.local_name().as_ref() {
                    "numFmt" => {
                        let code = attribute(&tag, "formatCode")?;
                        let format = code.map(|code| NumberFormat::of_code(&code));
                        custom.extend(format_id(&tag)?.zip(format));
                    }
                    "cellXfs" => is_cell_style = true,
                    "xf" if is_cell_style => {
                        let id = format_id(&tag)?.unwrap_or(0);
                        let found = custom.iter().find(|(custom, _)| *custom == id);
                        let format = found.map(|(_, format)| *format);
                        formats.push(format.unwrap_or_else(|| NumberFormat::built_in(id)));
                    }
                    _ => {}
                },
                Event::End(tag) if tag.local_name().as_ref() == "cellXfs" => is_cell_style = false,
                Event::Eof => return Ok(Self { formats, is_1904 }),
                _ => {}
            }
        }
    }

    /// Writes a number as what it is shown as, if that is a date, or else in
    /// the shortest form that reads as the same number.
    pub(super) fn number_text<'a>(&self, value: Cow<'a, str>, style: usize) -> Cow<'a, str> {
        let Ok(number) = value.trim().parse::<f64>() else {
            return value;
        };
        let format = self.formats.get(style).copied().unwrap_or_default();
        if let Some(date) = date_text(number, format, self.is_1904) {
            return date.into();
        }
        let digits = value.strip_prefix('-').unwrap_or(&value);
        let is_integer = digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_integer && !digits.starts_with('0') || value == "0" || !number.is_finite() {
            return value;
        }
        if number == 0.0 {
            return "0".into();
        }
        match number.abs() {
            1e-7..1e21 => number.to_string().into(),
            _ => format!("{number:E}").into(),
        }
    }
}

fn format_id(tag: &BytesStart<'_>) -> Result<Option<u32>, String> {
    Ok(attribute(tag, "numFmtId")?.and_then(|id| id.parse().ok()))
}

/// What a cell's number format makes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum NumberFormat {
    #[default]
    Number,
    Date,
    Time,
    DateTime,
    Duration,
}

impl NumberFormat {
    /// One of the formats that have a number and no code (ECMA-376 18.8.30).
    fn built_in(id: u32) -> Self {
        match id {
            14..=17 | 27..=31 | 36 | 50..=58 => Self::Date,
            18..=21 | 32..=35 | 45 | 47 => Self::Time,
            22 => Self::DateTime,
            46 => Self::Duration,
            _ => Self::Number,
        }
    }

    /// A format by its code, of which the first section counts.
    fn of_code(code: &str) -> Self {
        let (mut has_date, mut has_time, mut has_month) = (false, false, false);
        let mut characters = code.chars();
        while let Some(character) = characters.next() {
            match character.to_ascii_lowercase() {
                '\\' | '_' | '*' => drop(characters.next()),
                '"' => drop(characters.by_ref().find(|&c| c == '"')),
                '[' => {
                    let inside: String = characters.by_ref().take_while(|&c| c != ']').collect();
                    let mut inside = inside.chars().map(|c| c.to_ascii_lowercase());
                    let unit = inside.next();
                    if matches!(unit, Some('h' | 'm' | 's')) && inside.all(|c| Some(c) == unit) {
                        return Self::Duration;
                    }
                }
                ';' => break,
                'd' | 'y' => has_date = true,
                'h' | 's' => has_time = true,
                'm' => has_month = true,
                // `General`, and the exponent of `0.00E+00`.
                _ => {}
            }
        }
        match (has_date, has_time) {
            (true, true) => Self::DateTime,
            (true, false) => Self::Date,
            (false, true) => Self::Time,
            // A lone `m` is a month, beside `h` or `s` it is minutes.
            (false, false) if has_month => Self::Date,
            (false, false) => Self::Number,
        }
    }
}

/// Writes a serial number as an ISO 8601 date, time or both, if it is in the
/// range that has dates. What the format does not show is written where it is
/// not zero.
fn date_text(serial: f64, format: NumberFormat, is_1904: bool) -> Option<String> {
    const DAY_AFTER_9999: f64 = 2_958_466.0;
    if format == NumberFormat::Number || !(0.0..DAY_AFTER_9999).contains(&serial) {
        return None;
    }
    if format == NumberFormat::Duration {
        let millis = (serial * 86_400_000.0).round() as u64;
        let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
        let (seconds, rest) = (millis / 1000 % 60, millis % 1000);
        let text = format!("{hours}:{minutes:02}:{seconds:02}.{rest:03}");
        return Some(text.trim_end_matches('0').trim_end_matches('.').to_owned());
    }
    let date = ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, is_1904);
    let (year, month, day, hour, minute, second, milli) = date.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    let mut time = format!("{hour:02}:{minute:02}:{second:02}");
    if milli > 0 {
        time.push_str(&format!(".{milli:03}"));
    }
    Some(match format {
        NumberFormat::Date if time == "00:00:00" => date,
        NumberFormat::Time if serial < 1.0 => time,
        _ => format!("{date}T{time}"),
    })
}
