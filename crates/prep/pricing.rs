//! What a tuning job costs: exact amounts, and whose price it is.

use std::fmt;
use std::str::FromStr;

use prep_data::example::models::{self, Date, Model};

use crate::settings::PriceSettings;
use crate::ui;

/// An amount of US dollars, exact to a millionth of a millionth.
///
/// Prices have at most six digits behind the point and are for a million
/// tokens, so a cost is a whole number of these, and comparing two costs is
/// not a matter of rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dollars(u128);

const UNITS: u128 = 1_000_000_000_000;
/// How many digits behind the point are read.
const DIGITS: usize = 6;

impl Dollars {
    /// What so many tokens cost in so many passes, at a price for a million.
    pub(crate) fn of_training(tokens: u64, epochs: u32, price: f64) -> Self {
        let millionths = (price * 1e6).round() as u128;
        let passes = u128::from(tokens) * u128::from(epochs);
        Self(passes.saturating_mul(millionths))
    }

    /// The amount as a number of dollars.
    pub(crate) fn as_f64(self) -> f64 {
        self.0 as f64 / UNITS as f64
    }
}

#[cfg(feature = "cloud")]
impl std::ops::Add for Dollars {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Dollars {
    /// Writes it to the cent; what is less than half of one, but something, as
    /// less than a cent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CENT: u128 = UNITS / 100;
        let cents = (self.0 + CENT / 2) / CENT;
        if cents == 0 && self.0 > 0 {
            return f.pad("<$0.01");
        }
        let whole = u64::try_from(cents / 100).unwrap_or(u64::MAX);
        f.pad(&format!("${}.{:02}", ui::count(whole), cents % 100))
    }
}

impl FromStr for Dollars {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("`{text}` is no amount of dollars; write it like 20 or 12.50");
        let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(rest) || rest.len() > DIGITS {
            return Err(error());
        }
        let millionths: u64 = format!("{whole}{rest:0<DIGITS$}")
            .parse()
            .map_err(|_| error())?;
        Ok(Self(u128::from(millionths) * (UNITS / 1_000_000)))
    }
}

/// What a million tokens of training cost, and how that is known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Price {
    /// In US dollars.
    pub(crate) training: f64,
    /// The day of the evidence.
    pub(crate) as_of: Option<Date>,
    /// A phrase.
    pub(crate) evidence: String,
}

/// The price of a model: the project's own, else that of the dated table.
pub(crate) fn price_of(name: &str, settings: &PriceSettings) -> Option<Price> {
    let model = models::find(name);
    if let Some(own) = settings.of(name, model) {
        return Some(Price {
            training: own.training,
            as_of: own.as_of,
            evidence: own
                .evidence
                .clone()
                .unwrap_or_else(|| "the settings of the project".into()),
        });
    }
    let prices = model?.prices.as_ref()?;
    Some(Price {
        training: prices.training?,
        as_of: prices.as_of,
        evidence: prices.evidence.clone(),
    })
}

impl PriceSettings {
    /// The project's own price of a model, which may be written in another way
    /// than it is asked for.
    fn of(&self, name: &str, model: Option<&Model>) -> Option<&crate::settings::OwnPrice> {
        let is_it = |own: &str| own == name || model.is_some() && models::find(own) == model;
        let exact = self.0.get(name);
        exact.or_else(|| {
            let mut prices = self.0.iter();
            prices.find(|(own, _)| is_it(own)).map(|(_, price)| price)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_exact_and_shown_to_the_cent() {
        let cost = |tokens, epochs, price| Dollars::of_training(tokens, epochs, price).to_string();
        // A bill that was reported.
        assert_eq!(cost(28_256_133, 1, 1.5), "$42.38");
        assert_eq!(cost(0, 3, 10.0), "$0.00");
        assert_eq!(cost(1, 1, 10.0), "<$0.01");
        assert_eq!(cost(500, 1, 10.0), "$0.01");
        assert_eq!(cost(u64::MAX, 1, 0.000_001), "$18,446,744.07");
        assert_eq!(cost(10_000_000_000, 40, 25.0), "$10,000,000.00");
        let tenths = Dollars::of_training(100_000, 3, 1.0);
        assert_eq!(Ok(tenths), "0.3".parse());
        assert!(tenths > "0.299999".parse().unwrap());
        assert!((tenths.as_f64() - 0.3).abs() < 1e-15);
    }

    #[test]
    fn amounts_are_parsed() {
        let shown = |text: &str| text.parse::<Dollars>().ok().map(|cost| cost.to_string());
        assert_eq!(shown("20").as_deref(), Some("$20.00"));
        assert_eq!(shown("12.5").as_deref(), Some("$12.50"));
        assert_eq!(shown("0").as_deref(), Some("$0.00"));
        for bad in ["", ".", "-1", "$5", "1e3", "1.", ".5", "1.2345678", "1,000"] {
            assert_eq!(shown(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_price_of_the_project_goes_before_the_table() {
        let none = PriceSettings::default();
        let listed = price_of("gemini-3.5-flash", &none).unwrap();
        assert_eq!(
            (listed.training, listed.as_of),
            (10.0, "2026-09-24".parse().ok())
        );
        assert_eq!(price_of("gemini-3.5-flash-lite", &none), None);
        assert_eq!(price_of("gemini-9", &none), None);
        let own = |name: &str| {
            let price = crate::settings::OwnPrice {
                training: 7.0,
                as_of: None,
                evidence: None,
            };
            PriceSettings([(name.to_owned(), price)].into())
        };
        let training = |name, settings| price_of(name, &settings).map(|price| price.training);
        let path = "publishers/google/models/gemini-3.5-flash";
        assert_eq!(training("gemini-3.5-flash", own(path)), Some(7.0));
        assert_eq!(training(path, own("gemini-3.5-flash")), Some(7.0));
        assert_eq!(training("gemini-9", own("gemini-9")), Some(7.0));
        assert_eq!(training("gemini-9", own("gemini-8")), None);
        assert_eq!(training("gemini-2.5-pro", own("gemini-8")), Some(25.0));
    }
}
