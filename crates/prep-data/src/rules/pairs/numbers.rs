//! The numbers of a text that are written in digits, with every way to read
//! each.
//!
//! `1,234` is one thousand two hundred and thirty-four in English and one and a
//! bit in Spanish; `5:30 p.m.` is `17:30`; `1990s` is `años 90`. A number has
//! all its readings, and two numbers are the same if they share one. Digits in
//! addresses and placeholders are no numbers.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

/// A number in digits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// What it may be. Times of day are minutes after [`TIME`].
    pub(super) readings: Vec<f64>,
}

impl Number {
    /// Whether both may be the same.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.readings
            .iter()
            .any(|reading| other.readings.contains(reading))
    }
}

/// Beyond all numbers that are counted with: times of day begin here.
const TIME: f64 = 1e17;
/// So do identifiers of so many digits that a number does not hold them.
const IDENTIFIER: f64 = 1e18;

/// The numbers of a text, in order, those in the stretches left out.
pub(super) fn numbers(text: &str, skip: &[Range<usize>]) -> Vec<Number> {
    let mut numbers = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(is_digit) {
        let start = at + start;
        if let Some(skipped) = skip.iter().find(|skipped| skipped.contains(&start)) {
            at = skipped.end;
            continue;
        }
        at = read(text, start, &mut numbers);
    }
    numbers
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '０'..='９')
}

/// The digits from a place on, in ASCII, and where they end.
fn digits(text: &str, start: usize) -> (String, usize) {
    let mut found = String::new();
    let mut end = start;
    for c in text[start..].chars().take_while(|c| is_digit(*c)) {
        found.push(match c {
            '０'..='９' => char::from(b'0' + (u32::from(c) - u32::from('０')) as u8),
            c => c,
        });
        end += c.len_utf8();
    }
    (found, end)
}

/// Reads what begins at a digit, and says where it ends.
fn read(text: &str, start: usize, numbers: &mut Vec<Number>) -> usize {
    let (first, mut end) = digits(text, start);
    let mut groups = vec![(first, start..end)];
    let mut separators = Vec::new();
    loop {
        let mut rest = text[end..].chars();
        let Some(separator) = rest.next().filter(|c| is_separator(*c)) else {
            break;
        };
        let next = end + separator.len_utf8();
        let (group, group_end) = digits(text, next);
        let is_spaced = separator == ' ';
        // A space separates thousands only: `1 234`.
        let is_thousands = group.len() == 3 && groups[0].0.len() <= 3;
        if group.is_empty() || is_spaced && !is_thousands {
            break;
        }
        groups.push((group, next..group_end));
        separators.push(separator);
        end = group_end;
    }
    let before = numbers.len();
    let texts: Vec<&str> = groups.iter().map(|(digits, _)| digits.as_str()).collect();
    match readings(&texts, &separators) {
        Some(readings) => numbers.push(Number {
            range: start..end,
            readings,
        }),
        // A version or a date: each part by itself.
        None => numbers.extend(groups.iter().map(|(digits, range)| Number {
            range: range.clone(),
            readings: vec![value(digits)],
        })),
    }
    if numbers.len() == before + 1 {
        add_what_precedes(text, start, numbers);
    }
    if numbers.len() == before + 1
        && let Some(number) = numbers.last_mut()
    {
        end = with_what_follows(text, end, number);
    }
    end
}

fn is_separator(c: char) -> bool {
    matches!(
        c,
        '.' | ',' | '\'' | '’' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '，' | '．'
    )
}

fn value(digits: &str) -> f64 {
    if digits.len() > 15 {
        return IDENTIFIER + (xxh3_64(digits.as_bytes()) >> 12) as f64 * 256.0;
    }
    digits.parse().unwrap_or_default()
}

/// What groups of digits may mean together; `None` if they are no one number.
fn readings(groups: &[&str], separators: &[char]) -> Option<Vec<f64>> {
    let whole = |groups: &[&str]| value(&groups.concat());
    let is_grouped = |groups: &[&str]| {
        (1..=3).contains(&groups[0].len()) && groups[1..].iter().all(|group| group.len() == 3)
    };
    let with_decimals = |groups: &[&str], decimals: &str| {
        format!("{}.{decimals}", groups.concat())
            .parse()
            .unwrap_or_default()
    };
    let (last, before) = groups.split_last()?;
    match separators {
        [] => Some(vec![value(groups[0])]),
        [separator] => {
            let mut readings = Vec::new();
            if is_grouped(groups) {
                readings.push(whole(groups));
            }
            if !matches!(separator, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}') {
                readings.push(with_decimals(before, last));
                let (hours, minutes) = (value(groups[0]), value(last));
                if last.len() == 2 && hours < 24.0 && minutes < 60.0 {
                    readings.extend(times(hours, minutes));
                }
            }
            (!readings.is_empty()).then_some(readings)
        }
        [firsts @ .., end] => {
            let is_one_kind = firsts.iter().all(|separator| separator == &firsts[0]);
            if is_one_kind && end == &firsts[0] {
                return is_grouped(groups).then(|| vec![whole(groups)]);
            }
            let is_decimal = is_one_kind && is_grouped(before) && matches!(end, '.' | ',');
            is_decimal.then(|| vec![with_decimals(before, last)])
        }
    }
}

/// A time of day, and the same on a clock of twelve hours: `2:30` may be
/// `14:30`.
fn times(hours: f64, minutes: f64) -> Vec<f64> {
    let time = |hours: f64| TIME + (hours * 60.0 + minutes) * 256.0;
    match hours {
        0.0 => vec![time(0.0), time(12.0), time(24.0)],
        _ if hours <= 12.0 => vec![time(hours), time(hours + 12.0), time(hours % 12.0)],
        _ => vec![time(hours)],
    }
}

/// The hour of a time of day on a clock of twelve hours: `las dos y media`.
pub(super) fn hour_of(reading: f64) -> Option<f64> {
    let is_time = (TIME..IDENTIFIER).contains(&reading);
    is_time.then(|| match ((reading - TIME) / 256.0 / 60.0).floor() % 12.0 {
        0.0 => 12.0,
        hour => hour,
    })
}

/// Adds readings of the last number that what stands before it gives: a year
/// (`2019–20`) or a point (`.08`).
fn add_what_precedes(text: &str, start: usize, numbers: &mut [Number]) {
    let (last, before) = match numbers {
        [.., before, last] => (last, Some(before)),
        [last] => (last, None),
        [] => return,
    };
    let head = &text[..start];
    let value = last.readings[0];
    if let Some(before) = before
        && (1000.0..3000.0).contains(&before.readings[0])
        && value < 100.0
        && matches!(&text[before.range.end..start], "-" | "–" | "/" | "‐" | "‑")
    {
        last.readings
            .push(value + (before.readings[0] / 100.0).floor() * 100.0);
    }
    if let Some(rest) = head.strip_suffix('.')
        && rest.chars().next_back().is_none_or(char::is_whitespace)
    {
        let decimals = &text[last.range.clone()];
        last.readings.extend(format!("0.{decimals}").parse::<f64>());
    }
}

/// Adds what stands behind a number and changes its value, and says where the
/// number ends then: minutes, halves of the day, powers of ten, decades.
fn with_what_follows(text: &str, end: usize, number: &mut Number) -> usize {
    let first = number.readings[0];
    let mut end = end;
    if let Some(rest) = text[end..].strip_prefix([':', '：'])
        && first < 25.0
    {
        let start = text.len() - rest.len();
        let (minutes, after) = digits(text, start);
        if minutes.len() == 2 && value(&minutes) < 60.0 {
            number.readings = times(first, value(&minutes));
            if value(&minutes) == 0.0 {
                number.readings.push(first);
            }
            end = after;
            // Seconds.
            if let Some(rest) = text[end..].strip_prefix(':') {
                let (_, after) = digits(text, text.len() - rest.len());
                end = after;
            }
        }
    }
    if let Some(rest) = text[end..].strip_prefix(['点', '點'])
        && first < 25.0
    {
        // `8点半`, `7点30`.
        let start = text.len() - rest.len();
        let (minutes, _) = digits(text, start);
        let minutes = match rest.chars().next() {
            Some('半') => 30.0,
            Some('一') if rest.starts_with("一刻") => 15.0,
            Some('三') if rest.starts_with("三刻") => 45.0,
            _ if minutes.is_empty() => 0.0,
            _ => value(&minutes),
        };
        number.readings.extend(times(first, minutes));
    }
    let follows = text[end..].trim_start_matches([' ', '\u{a0}', '\u{202f}']);
    let word: String = follows
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '.' | ' ' | '\u{a0}'))
        .take(12)
        .filter(|c| !matches!(c, '.' | ' ' | '\u{a0}'))
        .flat_map(char::to_lowercase)
        .collect();
    if word.starts_with("am") || word.starts_with("pm") {
        let readings = number.readings.clone();
        for reading in readings {
            let minutes = if reading >= TIME {
                (reading - TIME) / 256.0
            } else {
                reading * 60.0
            };
            // Noon and midnight are twelve.
            for shifted in [minutes, minutes + 720.0, minutes - 720.0] {
                number
                    .readings
                    .extend([TIME + shifted * 256.0, shifted / 60.0]);
            }
        }
    }
    if let Some(times) = power(follows.trim_start_matches('+').trim_start()) {
        let readings = number.readings.clone();
        number.readings.extend(
            readings
                .iter()
                .map(|reading| (reading * times * 1e3).round() / 1e3),
        );
    }
    if text[end..].starts_with('s') && (1000.0..2100.0).contains(&first) && first % 10.0 == 0.0 {
        number.readings.push(first % 100.0);
    }
    number.range.end = end;
    end
}

/// The power of ten that a text begins with.
fn power(text: &str) -> Option<f64> {
    match text.chars().next()? {
        '万' | '萬' => return Some(1e4),
        '亿' | '億' => return Some(1e8),
        '千' => return Some(1e3),
        '百' => return Some(100.0),
        _ => {}
    }
    let word = text.split(|c: char| !c.is_alphabetic()).next()?;
    Some(match word.to_lowercase().as_str() {
        "k" | "thousand" => 1e3,
        "mil"
            if text
                .get(3..)
                .is_some_and(|rest| rest.trim_start().starts_with("millones")) =>
        {
            1e9
        }
        "mil" => 1e3,
        "m" | "million" | "millions" | "millón" | "millones" => 1e6,
        "billion" | "billions" | "bn" => 1e9,
        "trillion" | "billones" | "billón" => 1e12,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        let (one, other) = (numbers(one, &[]), numbers(other, &[]));
        one.len() == other.len()
            && one
                .iter()
                .zip(&other)
                .all(|(one, other)| one.is_like(other))
    }

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
        for (one, other) in [
            ("1,234.5 km", "1.234,5 km"),
            ("1,234 people", "1234 personas"),
            ("1,234,567", "1 234 567"),
            ("3.5 million", "3,5 millones"),
            ("1.5 million", "1 500 000"),
            ("20,000", "2万"),
            ("1 billion", "1000 millones"),
            ("5:30 p.m.", "17:30 h"),
            ("at 5 p.m.", "a las 17:00"),
            ("the 1st", "el 1.º"),
            ("the 1990s", "los años 90"),
            ("50%", "50 %"),
            ("１２３", "123"),
            ("7.30 am", "7:30"),
            ("2019–20", "2019-2020"),
            ("a rate of .08%", "0,08 %"),
            ("$300+ billion", "300 000 millones"),
            ("at 8:30", "8点半"),
            ("at 2:30", "14:30"),
            ("12:15 a.m.", "0:15"),
        ] {
            assert!(
                same(one, other),
                "{one}: {:?}, {other}: {:?}",
                numbers(one, &[]),
                numbers(other, &[])
            );
        }
        for (one, other) in [
            ("340", "304"),
            ("1,234", "1,235"),
            ("12345678901234567", "12345678901234568"),
            ("5:30", "5:31"),
            ("2 million", "2000"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
        assert_eq!(numbers("v1.2.3", &[]).len(), 3);
        assert!(numbers("see 12", std::slice::from_ref(&(3..6))).is_empty());
    }
}
