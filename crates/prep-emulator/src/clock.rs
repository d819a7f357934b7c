//! The time, as the emulator tells it.
//!
//! Jobs, tokens and upload sessions age by this clock. It is the system's,
//! plus whatever a test moved it forward by.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A clock that can be moved forward; clones move together.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead: Arc<AtomicU64>,
}

impl Clock {
    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.ahead.fetch_add(micros(by), Ordering::Relaxed);
    }

    /// Tells the time in microseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        let system = SystemTime::now().duration_since(UNIX_EPOCH);
        micros(system.unwrap_or_default()) + self.ahead.load(Ordering::Relaxed)
    }
}

/// Counts the microseconds of a duration.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The year, month and day of a day since 1970 (Hinnant's `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

/// Writes a time as RFC 3339 with microseconds, as Vertex AI does.
pub(crate) fn rfc3339(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z",
        micros % 1_000_000
    )
}

/// Writes a time as RFC 3339 with milliseconds, as Cloud Storage does.
pub(crate) fn rfc3339_millis(micros: u64) -> String {
    let text = rfc3339(micros);
    format!("{}Z", &text[..text.len() - 4])
}

/// Writes a time as digits only, as experiments are named.
pub(crate) fn digits(micros: u64) -> String {
    rfc3339(micros)
        .chars()
        .filter(char::is_ascii_digit)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_001, "2000-02-29T00:00:00.000001Z"),
            (1_730_668_087_734_198, "2024-11-03T21:08:07.734198Z"),
            (4_102_444_799_999_999, "2099-12-31T23:59:59.999999Z"),
        ];
        for (micros, text) in cases {
            assert_eq!(rfc3339(micros), text);
        }
        assert_eq!(
            rfc3339_millis(1_730_668_087_734_198),
            "2024-11-03T21:08:07.734Z"
        );
        assert_eq!(digits(1_730_668_087_734_198), "20241103210807734198");
    }
}
