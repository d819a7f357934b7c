//! Times and durations as people read them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prep_data::example::models::Date;

const DAY: u64 = 24 * 60 * 60;

/// A time of day in UTC: `2026-11-28 10:00:03 UTC`.
pub(crate) fn utc(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let date = Date::from_days(i64::try_from(seconds / DAY).unwrap_or_default());
    let of_day = seconds % DAY;
    let (hours, minutes, seconds) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{date} {hours:02}:{minutes:02}:{seconds:02} UTC")
}

/// A duration by its two largest units: `45 s`, `31 min`, `2 h 9 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_easy_to_read() {
        let at = |seconds| utc(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(at(1_730_668_087), "2024-11-03 21:08:07 UTC");
        let of = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!(
            [of(0), of(59), of(60), of(3599), of(3600), of(7755)],
            ["0 s", "59 s", "1 min", "59 min", "1 h", "2 h 9 min"]
        );
    }
}
