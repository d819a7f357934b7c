//! Numbers in words: English, Spanish and Chinese, cardinal and ordinal, months,
//! Roman numerals and the words for groups of things.
//!
//! Only asked when a number in digits has no partner in digits, so it may be
//! slow and generous: each word counts by itself, and a run of words counts as
//! the number they make together.

use super::words;

/// What a word adds to the number that is being said.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Is added: `twenty`, `doscientos`.
    Plain,
    /// Multiplies what was said since the last greater one: `hundred`, `mil`.
    Times,
}

use Kind::{Plain, Times};

/// Words of English and Spanish. Plurals and feminines have their own lines, as
/// have the short forms that stand before a noun.
const WORDS: &[(&str, f64, Kind)] = &[
    ("zero", 0.0, Plain),
    ("one", 1.0, Plain),
    ("two", 2.0, Plain),
    ("three", 3.0, Plain),
    ("four", 4.0, Plain),
    ("five", 5.0, Plain),
    ("six", 6.0, Plain),
    ("seven", 7.0, Plain),
    ("eight", 8.0, Plain),
    ("nine", 9.0, Plain),
    ("ten", 10.0, Plain),
    ("eleven", 11.0, Plain),
    ("twelve", 12.0, Plain),
    ("thirteen", 13.0, Plain),
    ("fourteen", 14.0, Plain),
    ("fifteen", 15.0, Plain),
    ("sixteen", 16.0, Plain),
    ("seventeen", 17.0, Plain),
    ("eighteen", 18.0, Plain),
    ("nineteen", 19.0, Plain),
    ("twenty", 20.0, Plain),
    ("thirty", 30.0, Plain),
    ("forty", 40.0, Plain),
    ("fifty", 50.0, Plain),
    ("sixty", 60.0, Plain),
    ("seventy", 70.0, Plain),
    ("eighty", 80.0, Plain),
    ("ninety", 90.0, Plain),
    ("hundred", 100.0, Times),
    ("hundreds", 100.0, Times),
    ("thousand", 1e3, Times),
    ("thousands", 1e3, Times),
    ("million", 1e6, Times),
    ("millions", 1e6, Times),
    ("billion", 1e9, Times),
    ("billions", 1e9, Times),
    ("trillion", 1e12, Times),
    ("a", 1.0, Plain),
    ("an", 1.0, Plain),
    ("first", 1.0, Plain),
    ("second", 2.0, Plain),
    ("third", 3.0, Plain),
    ("fourth", 4.0, Plain),
    ("fifth", 5.0, Plain),
    ("sixth", 6.0, Plain),
    ("seventh", 7.0, Plain),
    ("eighth", 8.0, Plain),
    ("ninth", 9.0, Plain),
    ("tenth", 10.0, Plain),
    ("eleventh", 11.0, Plain),
    ("twelfth", 12.0, Plain),
    ("thirteenth", 13.0, Plain),
    ("fourteenth", 14.0, Plain),
    ("fifteenth", 15.0, Plain),
    ("sixteenth", 16.0, Plain),
    ("seventeenth", 17.0, Plain),
    ("eighteenth", 18.0, Plain),
    ("nineteenth", 19.0, Plain),
    ("twentieth", 20.0, Plain),
    ("thirtieth", 30.0, Plain),
    ("fortieth", 40.0, Plain),
    ("fiftieth", 50.0, Plain),
    ("hundredth", 100.0, Times),
    ("dozen", 12.0, Times),
    ("dozens", 12.0, Times),
    ("half", 0.5, Plain),
    ("both", 2.0, Plain),
    ("pair", 2.0, Plain),
    ("couple", 2.0, Plain),
    ("twice", 2.0, Plain),
    ("once", 1.0, Plain),
    ("double", 2.0, Plain),
    ("single", 1.0, Plain),
    ("triple", 3.0, Plain),
    ("quarter", 15.0, Plain),
    ("noon", 12.0, Plain),
    ("midnight", 12.0, Plain),
    ("twenties", 20.0, Plain),
    ("thirties", 30.0, Plain),
    ("forties", 40.0, Plain),
    ("fifties", 50.0, Plain),
    ("sixties", 60.0, Plain),
    ("seventies", 70.0, Plain),
    ("eighties", 80.0, Plain),
    ("nineties", 90.0, Plain),
    ("cero", 0.0, Plain),
    ("un", 1.0, Plain),
    ("uno", 1.0, Plain),
    ("una", 1.0, Plain),
    ("dos", 2.0, Plain),
    ("tres", 3.0, Plain),
    ("cuatro", 4.0, Plain),
    ("cinco", 5.0, Plain),
    ("seis", 6.0, Plain),
    ("siete", 7.0, Plain),
    ("ocho", 8.0, Plain),
    ("nueve", 9.0, Plain),
    ("diez", 10.0, Plain),
    ("once", 11.0, Plain),
    ("doce", 12.0, Plain),
    ("trece", 13.0, Plain),
    ("catorce", 14.0, Plain),
    ("quince", 15.0, Plain),
    ("dieciséis", 16.0, Plain),
    ("diecisiete", 17.0, Plain),
    ("dieciocho", 18.0, Plain),
    ("diecinueve", 19.0, Plain),
    ("veinte", 20.0, Plain),
    ("veintiún", 21.0, Plain),
    ("veintiuno", 21.0, Plain),
    ("veintiuna", 21.0, Plain),
    ("veintidós", 22.0, Plain),
    ("veintitrés", 23.0, Plain),
    ("veinticuatro", 24.0, Plain),
    ("veinticinco", 25.0, Plain),
    ("veintiséis", 26.0, Plain),
    ("veintisiete", 27.0, Plain),
    ("veintiocho", 28.0, Plain),
    ("veintinueve", 29.0, Plain),
    ("treinta", 30.0, Plain),
    ("cuarenta", 40.0, Plain),
    ("cincuenta", 50.0, Plain),
    ("sesenta", 60.0, Plain),
    ("setenta", 70.0, Plain),
    ("ochenta", 80.0, Plain),
    ("noventa", 90.0, Plain),
    ("cien", 100.0, Plain),
    ("ciento", 100.0, Plain),
    ("cientos", 100.0, Plain),
    ("doscientos", 200.0, Plain),
    ("doscientas", 200.0, Plain),
    ("trescientos", 300.0, Plain),
    ("trescientas", 300.0, Plain),
    ("cuatrocientos", 400.0, Plain),
    ("cuatrocientas", 400.0, Plain),
    ("quinientos", 500.0, Plain),
    ("quinientas", 500.0, Plain),
    ("seiscientos", 600.0, Plain),
    ("seiscientas", 600.0, Plain),
    ("setecientos", 700.0, Plain),
    ("setecientas", 700.0, Plain),
    ("ochocientos", 800.0, Plain),
    ("ochocientas", 800.0, Plain),
    ("novecientos", 900.0, Plain),
    ("novecientas", 900.0, Plain),
    ("mil", 1e3, Times),
    ("miles", 1e3, Times),
    ("millón", 1e6, Times),
    ("millones", 1e6, Times),
    ("billón", 1e12, Times),
    ("billones", 1e12, Times),
    ("primer", 1.0, Plain),
    ("primero", 1.0, Plain),
    ("primera", 1.0, Plain),
    ("segundo", 2.0, Plain),
    ("segunda", 2.0, Plain),
    ("tercer", 3.0, Plain),
    ("tercero", 3.0, Plain),
    ("tercera", 3.0, Plain),
    ("cuarto", 4.0, Plain),
    ("cuarta", 4.0, Plain),
    ("quinto", 5.0, Plain),
    ("quinta", 5.0, Plain),
    ("sexto", 6.0, Plain),
    ("sexta", 6.0, Plain),
    ("séptimo", 7.0, Plain),
    ("séptima", 7.0, Plain),
    ("octavo", 8.0, Plain),
    ("octava", 8.0, Plain),
    ("noveno", 9.0, Plain),
    ("novena", 9.0, Plain),
    ("décimo", 10.0, Plain),
    ("décima", 10.0, Plain),
    ("undécimo", 11.0, Plain),
    ("duodécimo", 12.0, Plain),
    ("vigésimo", 20.0, Plain),
    ("vigésima", 20.0, Plain),
    ("par", 2.0, Plain),
    ("ambos", 2.0, Plain),
    ("ambas", 2.0, Plain),
    ("doble", 2.0, Plain),
    ("triple", 3.0, Plain),
    ("decena", 10.0, Times),
    ("decenas", 10.0, Times),
    ("docena", 12.0, Times),
    ("docenas", 12.0, Times),
    ("quincena", 15.0, Plain),
    ("veintena", 20.0, Plain),
    ("centenar", 100.0, Times),
    ("centenares", 100.0, Times),
    ("millar", 1e3, Times),
    ("millares", 1e3, Times),
    ("medio", 0.5, Plain),
    ("media", 0.5, Plain),
    ("media", 30.0, Plain),
    ("cuarto", 15.0, Plain),
    ("mediodía", 12.0, Plain),
    ("medianoche", 12.0, Plain),
    ("january", 1.0, Plain),
    ("february", 2.0, Plain),
    ("march", 3.0, Plain),
    ("april", 4.0, Plain),
    ("may", 5.0, Plain),
    ("june", 6.0, Plain),
    ("july", 7.0, Plain),
    ("august", 8.0, Plain),
    ("september", 9.0, Plain),
    ("october", 10.0, Plain),
    ("november", 11.0, Plain),
    ("december", 12.0, Plain),
    ("enero", 1.0, Plain),
    ("febrero", 2.0, Plain),
    ("marzo", 3.0, Plain),
    ("abril", 4.0, Plain),
    ("mayo", 5.0, Plain),
    ("junio", 6.0, Plain),
    ("julio", 7.0, Plain),
    ("agosto", 8.0, Plain),
    ("septiembre", 9.0, Plain),
    ("octubre", 10.0, Plain),
    ("noviembre", 11.0, Plain),
    ("diciembre", 12.0, Plain),
];

/// The numbers that a text says in words.
pub(super) fn said(text: &str) -> Vec<f64> {
    let mut values = Vec::new();
    let mut run = Run::default();
    let mut last_end = 0;
    for (at, word) in words(text) {
        if !text[last_end..at].trim().is_empty() {
            run.end(&mut values);
        }
        last_end = at + word.len();
        if let Some(roman) = roman(word) {
            values.push(roman);
        }
        let lower = word.to_lowercase();
        for piece in lower.split(['-', '\'', '’']) {
            let mut known = WORDS
                .iter()
                .filter(|(known, ..)| *known == piece)
                .peekable();
            let Some(first) = known.peek().map(|first| **first) else {
                if !matches!(piece, "y" | "and" | "de") {
                    run.end(&mut values);
                }
                continue;
            };
            values.extend(known.map(|known| known.1));
            run.add(first.1, first.2);
        }
    }
    run.end(&mut values);
    chinese(text, &mut values);
    for c in text.chars() {
        let value = match c {
            '½' => 0.5,
            '¼' => 0.25,
            '¾' => 0.75,
            '①'..='⑳' => f64::from(u32::from(c) - u32::from('①') + 1),
            'Ⅰ'..='Ⅻ' => f64::from(u32::from(c) - u32::from('Ⅰ') + 1),
            _ => continue,
        };
        values.push(value);
    }
    values
}

/// The words for powers of ten that a text has: `10 a 20 mil` is of thousands.
pub(super) fn multipliers(text: &str) -> Vec<f64> {
    let mut multipliers: Vec<f64> = words(text)
        .filter_map(|(_, word)| {
            let lower = word.to_lowercase();
            let known = WORDS
                .iter()
                .find(|(known, _, kind)| matches!(kind, Times) && *known == lower);
            known.map(|known| known.1)
        })
        .collect();
    for c in text.chars() {
        multipliers.extend(match c {
            '千' => Some(1e3),
            '万' | '萬' => Some(1e4),
            '亿' | '億' => Some(1e8),
            _ => None,
        });
    }
    multipliers
}

/// A number that is being said.
#[derive(Debug, Default)]
struct Run {
    total: f64,
    current: f64,
    n_words: usize,
}

impl Run {
    fn add(&mut self, value: f64, kind: Kind) {
        self.n_words += 1;
        match kind {
            Plain => self.current += value,
            Times if value >= 1000.0 => {
                self.total += self.current.max(1.0) * value;
                self.current = 0.0;
            }
            Times => self.current = self.current.max(1.0) * value,
        }
    }

    fn end(&mut self, values: &mut Vec<f64>) {
        let run = std::mem::take(self);
        if run.n_words > 1 {
            values.push(run.total + run.current);
        }
    }
}

/// The value of a Roman numeral in capitals; `I` alone is a pronoun.
fn roman(word: &str) -> Option<f64> {
    let word = word.trim_end_matches(['º', 'ª']);
    if word.is_empty() || word == "I" || !word.bytes().all(|byte| b"IVXLCDM".contains(&byte)) {
        return None;
    }
    let value = |byte| match byte {
        b'I' => 1,
        b'V' => 5,
        b'X' => 10,
        b'L' => 50,
        b'C' => 100,
        b'D' => 500,
        _ => 1000,
    };
    let (mut sum, mut last) = (0_i32, 0);
    for byte in word.bytes().rev() {
        let value = value(byte);
        sum += if value < last { -value } else { value };
        last = last.max(value);
    }
    Some(f64::from(sum))
}

/// Adds the numbers that are written in Chinese digits: each run as a number,
/// and as digits one by one (`二〇二〇`).
fn chinese(text: &str, values: &mut Vec<f64>) {
    let mut run = Vec::new();
    for c in text.chars().chain(['\0']) {
        if digit(c).is_some() || unit(c).is_some() {
            run.push(c);
        } else if !run.is_empty() {
            values.push(chinese_number(&run));
            let digits = run.iter().filter_map(|c| digit(*c));
            values.extend(digits.clone());
            values.push(digits.fold(0.0, |number, digit| number * 10.0 + digit));
            run.clear();
        }
    }
}

fn digit(c: char) -> Option<f64> {
    let digits = "零一二三四五六七八九";
    let at = digits.chars().position(|digit| digit == c);
    at.map(|at| at as f64).or(match c {
        '〇' => Some(0.0),
        '两' | '兩' => Some(2.0),
        '半' => Some(0.5),
        _ => None,
    })
}

fn unit(c: char) -> Option<f64> {
    Some(match c {
        '十' => 10.0,
        '百' => 100.0,
        '千' => 1e3,
        '万' | '萬' => 1e4,
        '亿' | '億' => 1e8,
        _ => return None,
    })
}

fn chinese_number(run: &[char]) -> f64 {
    let (mut total, mut section, mut last) = (0.0, 0.0, 0.0);
    for &c in run {
        match (digit(c), unit(c)) {
            (Some(digit), _) => last = digit,
            (_, Some(unit)) if unit >= 1e4 => {
                let sum: f64 = section + last;
                total += sum.max(1.0) * unit;
                (section, last) = (0.0, 0.0);
            }
            (_, Some(unit)) => {
                let times: f64 = last;
                section += times.max(1.0) * unit;
                last = 0.0;
            }
            _ => {}
        }
    }
    total + section + last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_known_in_words() {
        for (text, expected) in [
            ("twenty-three years", 23.0),
            ("two hundred and fifty", 250.0),
            ("three million, four", 3e6),
            ("treinta y cinco", 35.0),
            ("mil doscientos uno", 1201.0),
            ("dos mil veinte", 2020.0),
            ("el siglo XIX", 19.0),
            ("Luis XIV", 14.0),
            ("tres millones doscientas mil", 3_200_000.0),
            ("一百二十", 120.0),
            ("三千五百万", 35_000_000.0),
            ("二〇二〇年", 2020.0),
            ("十二个", 12.0),
            ("a dozen eggs", 12.0),
            ("3 de abril", 4.0),
            ("1½", 0.5),
        ] {
            assert!(said(text).contains(&expected), "{text}: {:?}", said(text));
        }
        assert!(said("I said nothing, old friend").is_empty());
        assert_eq!(multipliers("10 a 20 mil"), [1e3]);
    }
}
