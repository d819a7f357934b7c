//! The dated table of base models: what each can be tuned with, and until
//! when. It is data (`models.json`), and `prep models` prints it with its
//! date: tables age faster than programs.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A day of the Gregorian calendar, written `2026-09-25`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The day that is so many days after 1970-01-01.
    #[must_use]
    pub fn from_days(days: i64) -> Self {
        // Howard Hinnant, "chrono-compatible low-level date algorithms",
        // civil_from_days.
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year: u16::try_from(year).unwrap_or(u16::MAX),
            month: month as u8,
            day: day as u8,
        }
    }

    /// How many days after 1970-01-01 the day is.
    #[must_use]
    pub fn days(self) -> i64 {
        // As above, days_from_civil.
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let shifted_month = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("`{text}` is no date; write it like 2026-09-25");
        let numbers: Vec<_> = text.split('-').map(str::parse::<u16>).collect();
        let [Ok(year), Ok(month @ 1..=12), Ok(day @ 1..=31)] = numbers[..] else {
            return Err(error());
        };
        let date = Self {
            year,
            month: month as u8,
            day: day as u8,
        };
        // The 31st of a short month would be another day.
        let is_real = Self::from_days(date.days()) == date;
        is_real.then_some(date).ok_or_else(error)
    }
}

impl TryFrom<String> for Date {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

/// What is known of the base models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The day on which the documentation was read.
    pub as_of: Date,
    /// The models, the one to choose first.
    pub models: Vec<Model>,
}

/// What is known of one base model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its name in requests.
    pub name: String,
    /// Whether it can be tuned with supervised examples.
    pub sft: bool,
    /// Whether it can be tuned with preferences.
    pub preference: bool,
    /// The locations of its tuning jobs; none if they are not stated.
    pub locations: Vec<String>,
    /// Where tuned models are served; none if they are not stated.
    pub serving: Vec<String>,
    /// The adapter sizes it takes.
    pub adapter_sizes: Vec<u32>,
    /// The day before which it does not retire, or on which it did.
    pub retires: Option<Date>,
    /// What it takes.
    pub limits: Limits,
    /// Something to know about it: a phrase.
    pub note: Option<String>,
}

/// What tuning with a model takes, at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Tokens of one example, prompt and answer together.
    pub example_tokens: u64,
    /// Bytes of a file.
    pub file_bytes: u64,
    /// Examples of a training file that has text only.
    pub text_examples: u64,
    /// Examples of a training file that has media.
    pub multimodal_examples: u64,
    /// Examples of a validation file.
    pub validation_examples: u64,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    serde_json::from_str(include_str!("models.json")).expect("the table is tested")
});

/// The table.
#[must_use]
pub fn table() -> &'static Table {
    &TABLE
}

/// Finds a model by its name, with or without the path in front of it.
#[must_use]
pub fn find(name: &str) -> Option<&'static Model> {
    let name = name.rsplit('/').next().unwrap_or(name);
    table().models.iter().find(|model| model.name == name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn models_are_found_by_name_and_path() {
        let model = find("publishers/google/models/gemini-3.1-flash-lite").unwrap();
        assert_eq!(model.limits.example_tokens, 131_072);
        assert!(find("gemini-9").is_none());
    }

    #[test]
    fn dates_are_days() {
        let days = |text: &str| text.parse().map(Date::days).ok();
        assert_eq!(days("1970-01-01"), Some(0));
        assert_eq!(days("2026-10-20"), Some(20_746));
        assert_eq!(days("2024-02-29"), Some(19_782));
        assert_eq!(days("2026-02-29"), None);
        assert_eq!(days("2026-13-01"), None);
        assert_eq!(days("26/10/20"), None);
    }

    proptest! {
        #[test]
        fn a_day_is_its_date(days in 0..60_000_i64) {
            let date = Date::from_days(days);
            prop_assert_eq!(date.days(), days);
            prop_assert_eq!(date.to_string().parse::<Date>(), Ok(date));
        }
    }
}
