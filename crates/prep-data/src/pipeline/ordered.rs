//! Parallel work whose results come out in input order.
//!
//! Every thread of the pool does the same: it takes the next item off the
//! input, works on it, and puts the result where results wait. Whoever holds
//! the result that is next in line hands it, and all that follow it, to
//! `emit`. So there is no reader thread and no writer thread that could be the
//! one everybody waits for: with one thread nothing is handed over at all, and
//! with two both are busy until the input ends.
//!
//! Results reach `emit` one at a time and in input order, which is what makes
//! an output the same byte for byte whatever the number of threads. Memory is
//! bounded: no thread takes an item more than a window ahead of the result
//! that is next in line.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard};

use rayon::ThreadPool;

/// How many items, for each thread, may be under way.
const WINDOW: u64 = 3;

/// Makes a pool of threads that [`for_each`] works on.
///
/// # Errors
///
/// When the system refuses to start them.
pub fn pool(threads: NonZeroUsize) -> Result<ThreadPool, rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.get())
        .thread_name(|n| format!("prep-{n}"))
        .build()
}

/// Takes items from `next`, gives each to `work` on any thread, and the
/// results to `emit` in the order of the items.
///
/// # Errors
///
/// The first error of `next` or `emit`; what was under way then is dropped.
pub fn for_each<I, R, E>(
    pool: &ThreadPool,
    next: impl FnMut() -> Result<Option<I>, E> + Send,
    work: impl Fn(I) -> R + Sync,
    emit: impl FnMut(R) -> Result<(), E> + Send,
) -> Result<(), E>
where
    I: Send,
    R: Send,
    E: Send,
{
    let run = Run {
        input: Mutex::new(Front { next, taken: 0 }),
        results: Mutex::new(Results {
            waiting: BTreeMap::new(),
            emitted: 0,
            is_emitting: false,
            n_held_up: 0,
            has_ended: false,
            error: None,
        }),
        moved: Condvar::new(),
        emit: Mutex::new(emit),
        window: WINDOW * pool.current_num_threads() as u64,
    };
    pool.broadcast(|_| run.work(&work));
    let results = run
        .results
        .into_inner()
        .expect("a panic would have ended the broadcast");
    results.error.map_or(Ok(()), Err)
}

/// The input, and how many items were taken off it.
struct Front<N> {
    next: N,
    taken: u64,
}

/// The results that wait for their turn.
struct Results<R, E> {
    waiting: BTreeMap<u64, R>,
    emitted: u64,
    is_emitting: bool,
    /// How many threads wait for `moved`: to signal it to nobody costs a call of
    /// the system, too.
    n_held_up: usize,
    has_ended: bool,
    error: Option<E>,
}

struct Run<N, R, E, M> {
    input: Mutex<Front<N>>,
    results: Mutex<Results<R, E>>,
    /// Signalled when a result was emitted or everything is over.
    moved: Condvar,
    emit: Mutex<M>,
    window: u64,
}

impl<I, N, R, E, M> Run<N, R, E, M>
where
    N: FnMut() -> Result<Option<I>, E>,
    M: FnMut(R) -> Result<(), E>,
{
    fn work(&self, work: &impl Fn(I) -> R) {
        // A thread that panics must not leave the others waiting for it.
        let end_on_panic = EndOnDrop(self);
        while let Some((n, item)) = self.take() {
            let result = work(item);
            self.give(n, result);
        }
        std::mem::forget(end_on_panic);
    }

    /// The next item and its number, or `None` when there are no more.
    fn take(&self) -> Option<(u64, I)> {
        let mut front = self.input.lock().expect("threads end together");
        let mut results = self.results();
        while !results.has_ended && front.taken >= results.emitted + self.window {
            results.n_held_up += 1;
            results = self.moved.wait(results).expect("threads end together");
            results.n_held_up -= 1;
        }
        if results.has_ended {
            return None;
        }
        drop(results);
        match (front.next)() {
            Ok(Some(item)) => {
                front.taken += 1;
                Some((front.taken - 1, item))
            }
            Ok(None) => {
                self.end(None);
                None
            }
            Err(error) => {
                self.end(Some(error));
                None
            }
        }
    }

    /// Puts a result in line, and emits what has come to the front.
    fn give(&self, n: u64, result: R) {
        let mut results = self.results();
        results.waiting.insert(n, result);
        while !results.is_emitting && results.error.is_none() {
            let emitted = results.emitted;
            let Some(result) = results.waiting.remove(&emitted) else {
                return;
            };
            results.is_emitting = true;
            drop(results);
            let outcome = (self.emit.lock().expect("threads end together"))(result);
            results = self.results();
            results.is_emitting = false;
            results.emitted += 1;
            if let Err(error) = outcome {
                results.has_ended = true;
                results.error.get_or_insert(error);
            }
            if results.n_held_up > 0 {
                self.moved.notify_all();
            }
        }
    }

    /// Lets every thread finish what it has and take nothing more.
    fn end(&self, error: Option<E>) {
        let mut results = self.results();
        results.has_ended = true;
        if results.error.is_none() {
            results.error = error;
        }
        self.moved.notify_all();
    }

    fn results(&self) -> MutexGuard<'_, Results<R, E>> {
        self.results.lock().expect("threads end together")
    }
}

struct EndOnDrop<'a, I, N, R, E, M>(&'a Run<N, R, E, M>)
where
    N: FnMut() -> Result<Option<I>, E>,
    M: FnMut(R) -> Result<(), E>;

impl<I, N, R, E, M> Drop for EndOnDrop<'_, I, N, R, E, M>
where
    N: FnMut() -> Result<Option<I>, E>,
    M: FnMut(R) -> Result<(), E>,
{
    fn drop(&mut self) {
        self.0.end(None);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn run(threads: usize, n: u64) -> Vec<u64> {
        let pool = pool(NonZeroUsize::new(threads).unwrap()).unwrap();
        let (mut given, mut seen) = (0, Vec::new());
        let next = || {
            given += 1;
            Ok::<_, ()>((given <= n).then_some(given))
        };
        let work = |item: u64| {
            if item.is_multiple_of(7) {
                std::thread::sleep(std::time::Duration::from_micros(300));
            }
            item * 2
        };
        for_each(&pool, next, work, |result| {
            seen.push(result);
            Ok(())
        })
        .unwrap();
        seen
    }

    #[test]
    fn results_come_in_input_order() {
        let expected: Vec<_> = (1..=500).map(|n| n * 2).collect();
        for threads in [1, 2, 3, 8] {
            assert_eq!(run(threads, 500), expected, "with {threads} threads");
        }
        assert!(run(4, 0).is_empty());
    }

    #[test]
    fn no_thread_runs_far_ahead() {
        let pool = pool(NonZeroUsize::new(4).unwrap()).unwrap();
        let (under_way, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut n = 0;
        let next = || {
            n += 1;
            most.fetch_max(
                under_way.fetch_add(1, Ordering::SeqCst) + 1,
                Ordering::SeqCst,
            );
            Ok::<_, ()>((n <= 300).then_some(n))
        };
        let work = |n: u32| {
            if n == 1 {
                std::thread::sleep(std::time::Duration::from_millis(30));
            }
        };
        for_each(&pool, next, work, |()| {
            under_way.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        })
        .unwrap();
        assert!(most.into_inner() <= 4 * 3 + 1);
    }

    #[test]
    fn the_first_error_ends_it() {
        let pool = pool(NonZeroUsize::new(3).unwrap()).unwrap();
        let mut n = 0;
        let next = || {
            n += 1;
            Ok(Some(n))
        };
        let emit = |n: u32| if n < 40 { Ok(()) } else { Err(n) };
        assert_eq!(for_each(&pool, next, |n| n, emit), Err(40));
        let broken = || Err::<Option<u32>, _>("broken");
        assert_eq!(for_each(&pool, broken, |n| n, |_| Ok(())), Err("broken"));
    }

    #[test]
    #[should_panic(expected = "a worker panics")]
    fn a_panic_ends_it() {
        let pool = pool(NonZeroUsize::new(3).unwrap()).unwrap();
        let mut n = 0;
        let next = || {
            n += 1;
            Ok::<_, ()>(Some(n))
        };
        let work = |n: u32| assert!(n != 20, "a worker panics");
        for_each(&pool, next, work, |()| Ok(())).unwrap();
    }
}
