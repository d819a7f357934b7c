//! How fast requests are sent, learnt from the service.
//!
//! Quotas of shared capacity are not known beforehand. A bucket of permits is
//! filled at a rate that is halved when the service says that it is too much
//! and that grows again, a little with every answer.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Clock;

/// A rate that adapts.
#[derive(Debug)]
pub struct Limiter {
    clock: Clock,
    bucket: Mutex<Bucket>,
}

/// Requests in a second, below which the rate does not fall: one in ten
/// seconds.
const LEAST_RATE: f64 = 0.1;
/// Answers to requests that were under way when the rate was halved say
/// nothing about the new one.
const DEAF: Duration = Duration::from_secs(2);

#[derive(Debug)]
struct Bucket {
    /// Requests in a second.
    rate: f64,
    most: f64,
    permits: f64,
    filled: Instant,
    halved: Option<Instant>,
}

impl Bucket {
    /// Takes a permit, or tells how long to wait for one.
    fn take(&mut self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        // What is not used within a second is lost: no bursts after a pause.
        let most = self.rate.max(1.0);
        self.permits = (self.permits + passed * self.rate).min(most);
        // Each takes its place in line, so that nobody waits for ever.
        self.permits -= 1.0;
        Duration::from_secs_f64((-self.permits).max(0.0) / self.rate)
    }

    fn halve(&mut self, now: Instant) {
        let is_deaf = self
            .halved
            .is_some_and(|halved| now.saturating_duration_since(halved) < DEAF);
        if !is_deaf {
            self.rate = (self.rate / 2.0).max(LEAST_RATE);
            self.permits = self.permits.min(0.0);
            self.halved = Some(now);
        }
    }

    /// One more request in a second for each second of answers.
    fn grow(&mut self) {
        self.rate = (self.rate + 1.0 / self.rate.max(1.0)).min(self.most);
    }
}

impl Limiter {
    /// Makes one that begins with, and never goes beyond, so many requests in
    /// a second.
    #[must_use]
    pub fn new(most: f64, clock: Clock) -> Self {
        let most = most.max(LEAST_RATE);
        let bucket = Bucket {
            rate: most,
            most,
            permits: 1.0,
            filled: clock.now(),
            halved: None,
        };
        Self {
            clock,
            bucket: Mutex::new(bucket),
        }
    }

    /// Takes a permit, and tells how long to wait until it holds. Whoever does
    /// not wait for it has taken it all the same.
    #[must_use]
    pub fn permit(&self) -> Duration {
        self.bucket().take(self.clock.now())
    }

    /// Takes note that the service said it is too much.
    pub fn too_much(&self) {
        self.bucket().halve(self.clock.now());
    }

    /// Takes note of an answer.
    pub fn answered(&self) {
        self.bucket().grow();
    }

    /// The rate now, in requests a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.bucket().rate
    }

    fn bucket(&self) -> std::sync::MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(rate: f64) -> (Bucket, Instant) {
        let now = Instant::now();
        let bucket = Bucket {
            rate,
            most: rate,
            permits: 1.0,
            filled: now,
            halved: None,
        };
        (bucket, now)
    }

    #[test]
    fn no_second_has_more_permits_than_the_rate() {
        let (mut bucket, start) = bucket(5.0);
        let waits: Vec<_> = (0..11).map(|_| bucket.take(start).as_millis()).collect();
        assert_eq!(
            waits,
            [0, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000]
        );
        // A long pause earns no more than a second.
        let later = start + Duration::from_secs(60);
        let free = (0..10).filter(|_| bucket.take(later).is_zero()).count();
        assert_eq!(free, 5);
    }

    #[test]
    fn the_rate_is_halved_once_and_grows_back() {
        let (mut bucket, start) = bucket(8.0);
        bucket.halve(start);
        bucket.halve(start + Duration::from_millis(300));
        assert_eq!(bucket.rate, 4.0);
        bucket.halve(start + Duration::from_secs(3));
        assert_eq!(bucket.rate, 2.0);
        for _ in 0..4 {
            bucket.grow();
        }
        assert!((3.0..4.0).contains(&bucket.rate), "{}", bucket.rate);
        for _ in 0..1000 {
            bucket.grow();
        }
        assert_eq!(bucket.rate, 8.0);
        for n in 0..100 {
            bucket.halve(start + Duration::from_secs(10 * n + 10));
        }
        assert_eq!(bucket.rate, LEAST_RATE);
    }
}
