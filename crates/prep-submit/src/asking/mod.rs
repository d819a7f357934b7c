//! Asking many things of one kind at once, with the answers in the order of the
//! questions.
//!
//! A question is asked until it is answered, and an answer that is there is never
//! asked for again: it is in the [`Journal`] before it is given out. How many
//! requests are under way is bounded, how fast they are sent adapts
//! ([`Limiter`]), and questions are read as they are needed. What is asked, of
//! whom, and what an answer is, an [`Inquiry`] says.
//!
//! | what came | what is done |
//! | --- | --- |
//! | an answer, whatever it says | it is kept, and given out in its turn |
//! | 429 | the rate is halved, and the question asked again, for as long as [`Pace::patience`] |
//! | 404 before the first answer | asked again for a while, if [`Inquiry::may_be_new`]: an endpoint that has just been made is not everywhere at once |
//! | 408, 500 and above, a lost connection | asked again, up to [`Pace::attempts`] times |
//! | 400 and the like | the row has failed; it is not kept, and the next run asks it again |
//! | 401, 403, 404 | the run ends: the next question would fare no better |
//! | many rows in a row that failed | the run ends, too |

mod journal;
mod limiter;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Semaphore;

pub use self::journal::{Journal, JournalError, RequestId};
pub use self::limiter::Limiter;
use crate::client::Client;
use crate::error::CallError;
use crate::http::Request;

/// What the requests of a run have in common.
pub trait Inquiry {
    /// What is asked.
    type Question;
    /// What is answered, as the journal keeps it.
    type Answer: Clone + Serialize + DeserializeOwned;

    /// Gives the path that is asked. An answer is of a path and a body.
    fn path(&self) -> String;

    /// Gives the body of a request.
    fn body(&self, question: &Self::Question) -> Value;

    /// Makes the request that carries a body.
    fn request(&self, client: &Client, body: &Value) -> Request;

    /// Sends a request once, and reads its answer.
    fn attempt(
        &self,
        client: &Client,
        request: &Request,
    ) -> impl Future<Output = Result<Self::Answer, CallError>>;

    /// How fast it is asked, and how patiently.
    fn pace(&self) -> &Pace;

    /// Whether who is asked may be so new that it is not there yet.
    fn may_be_new(&self) -> bool {
        false
    }
}

/// How fast questions are asked, and how patiently.
#[derive(Debug, Clone)]
pub struct Pace {
    /// How many requests may be under way.
    pub concurrency: NonZeroUsize,
    /// The most requests a second.
    pub most_rate: f64,
    /// How long one answer may take; for one in pieces, the next piece.
    pub timeout: Duration,
    /// How often a question is asked when no answer comes.
    pub attempts: u32,
    /// For how long a question is asked when the service says that it is too
    /// much.
    pub patience: Duration,
    /// For how long who is asked may be missing before the first answer.
    pub settling: Duration,
    /// After how many failed rows in a row, none answered between them, the run
    /// ends.
    pub give_up_after: usize,
}

impl Default for Pace {
    /// Takes what is usual: 8 requests under way and 50 a second, 5 minutes for
    /// an answer, 5 attempts, 15 minutes of patience, 3 for an endpoint to
    /// settle; the end after 20 failures in a row.
    fn default() -> Self {
        Self {
            concurrency: NonZeroUsize::MIN.saturating_add(7),
            most_rate: 50.0,
            timeout: Duration::from_secs(5 * 60),
            attempts: 5,
            patience: Duration::from_secs(15 * 60),
            settling: Duration::from_secs(3 * 60),
            give_up_after: 20,
        }
    }
}

/// A question that is done with.
#[derive(Debug)]
pub struct Row<Q, A> {
    /// Which, from 0.
    pub index: u64,
    /// What was asked.
    pub question: Q,
    /// What came of it.
    pub result: Result<A, RowError>,
    /// The answer was there from an earlier run.
    pub was_kept: bool,
    /// How often it was asked in this run.
    pub attempts: u32,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RowError {
    /// The status of the answer, if there was one.
    pub http: Option<u16>,
    /// What the service or the connection said.
    pub message: String,
}

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Rows that were answered, in this run or before.
    pub answered: u64,
    /// Rows of those that were answered before.
    pub kept: u64,
    /// Rows that failed.
    pub failed: u64,
}

/// Why a run ended before its questions did. What was answered is in the
/// journal.
#[derive(Debug, thiserror::Error)]
pub enum RunError<E> {
    /// Another question would fare no better.
    #[error("the service cannot be asked")]
    Call(#[source] CallError),
    /// Row after row failed.
    #[error("{n} requests in a row have failed")]
    GivenUp {
        /// How many.
        n: usize,
        /// Why the last did.
        source: RowError,
    },
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(JournalError),
    /// Whoever takes the rows failed.
    #[error("cannot take an answer")]
    Sink(#[source] E),
}

/// Asks all questions, and gives the rows to `sink` in their order. The n-th
/// question is the n-th of the journal, so a run goes on where an earlier one
/// with the same questions ended.
///
/// # Errors
///
/// When going on is no use, the journal or the sink fails, or the stop flag of
/// the client is raised. A call of the next run goes on from there.
pub async fn run<I: Inquiry, E>(
    client: &Client,
    inquiry: &I,
    questions: impl Iterator<Item = I::Question>,
    journal: Option<&Journal>,
    mut sink: impl FnMut(Row<I::Question, I::Answer>) -> Result<(), E>,
) -> Result<Summary, RunError<E>> {
    let pace = inquiry.pace();
    let asking = Asking {
        client,
        inquiry,
        journal,
        path: inquiry.path(),
        slots: Semaphore::new(pace.concurrency.get()),
        limiter: Limiter::new(pace.most_rate, client.clock().clone()),
        began: client.clock().now(),
        is_answered: AtomicBool::new(false),
        failures: AtomicUsize::new(0),
    };
    // A row that takes long holds up those behind it; more may be under way
    // or done than there are slots, so that the slots are never idle for it.
    let ahead = pace.concurrency.get().saturating_mul(8);
    let asked = (0..)
        .zip(questions)
        .map(|(index, question)| asking.row(index, question));
    let mut rows = std::pin::pin!(futures_util::stream::iter(asked).buffered(ahead));
    let mut summary = Summary::default();
    let ended = loop {
        let Some(row) = rows.next().await else {
            break Ok(());
        };
        let row = match row {
            Ok(row) => row,
            Err(End::Call(error)) => break Err(RunError::Call(error)),
            Err(End::Journal(error)) => break Err(RunError::Journal(error)),
            Err(End::GivenUp(n, source)) => break Err(RunError::GivenUp { n, source }),
        };
        match &row.result {
            Ok(_) => summary.answered += 1,
            Err(_) => summary.failed += 1,
        }
        summary.kept += u64::from(row.was_kept);
        if let Err(error) = sink(row) {
            break Err(RunError::Sink(error));
        }
    };
    let synced = journal.map_or(Ok(()), Journal::sync);
    ended?;
    synced.map_err(RunError::Journal)?;
    Ok(summary)
}

/// Why the whole run ends.
enum End {
    Call(CallError),
    Journal(JournalError),
    GivenUp(usize, RowError),
}

/// What all rows share.
struct Asking<'a, I> {
    client: &'a Client,
    inquiry: &'a I,
    journal: Option<&'a Journal>,
    path: String,
    slots: Semaphore,
    limiter: Limiter,
    began: Instant,
    is_answered: AtomicBool,
    /// Rows that failed since the last answer.
    failures: AtomicUsize,
}

impl<I: Inquiry> Asking<'_, I> {
    async fn row(
        &self,
        index: u64,
        question: I::Question,
    ) -> Result<Row<I::Question, I::Answer>, End> {
        let body = self.inquiry.body(&question);
        let id = RequestId::of(&self.path, &body);
        let kept = match self.journal {
            Some(journal) => journal.answer(index, &id).map_err(End::Journal)?,
            None => None,
        };
        let was_kept = kept.is_some();
        let (result, attempts) = match kept {
            Some(answer) => (Ok(answer), 0),
            None => self.ask(&body).await?,
        };
        match &result {
            Ok(_) if was_kept => {}
            Ok(answer) => {
                self.failures.store(0, Ordering::Relaxed);
                if let Some(journal) = self.journal {
                    journal.keep(index, &id, answer).map_err(End::Journal)?;
                }
            }
            Err(error) => {
                let n = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
                if n >= self.inquiry.pace().give_up_after {
                    return Err(End::GivenUp(n, error.clone()));
                }
            }
        }
        Ok(Row {
            index,
            question,
            result,
            was_kept,
            attempts,
        })
    }

    /// Asks until there is an answer, or none is to be had.
    async fn ask(&self, body: &Value) -> Result<(Result<I::Answer, RowError>, u32), End> {
        let slot = self.slots.acquire().await;
        let _slot = slot.expect("the slots are not closed");
        let pace = self.inquiry.pace();
        let request = self.inquiry.request(self.client, body);
        let clock = self.client.clock();
        let (mut attempts, mut failures) = (0, 0);
        let (mut bound, mut refused_since) = (Duration::from_secs(1), None);
        loop {
            let wait = self.limiter.permit();
            if !wait.is_zero() {
                self.client.sleep(wait).await.map_err(End::Call)?;
            }
            attempts += 1;
            let error = match self.inquiry.attempt(self.client, &request).await {
                Ok(answer) => {
                    self.is_answered.store(true, Ordering::Relaxed);
                    self.limiter.answered();
                    return Ok((Ok(answer), attempts));
                }
                Err(error) => error,
            };
            let is_over = match self.kind(&error) {
                Kind::TooMuch => {
                    self.limiter.too_much();
                    let since = *refused_since.get_or_insert(clock.now());
                    clock.now().saturating_duration_since(since) > pace.patience
                }
                Kind::Passing => {
                    failures += 1;
                    failures >= pace.attempts
                }
                Kind::Settling => false,
                Kind::OfRow => true,
                Kind::OfRun => return Err(End::Call(error)),
            };
            if is_over {
                return Ok((Err(row_error(&error)), attempts));
            }
            let retry_after = error.service().and_then(|error| error.retry_after);
            let wait = bound
                .mul_f64(fastrand::f64())
                .max(retry_after.unwrap_or_default());
            bound = (bound * 2).min(Duration::from_secs(60));
            self.client.sleep(wait).await.map_err(End::Call)?;
        }
    }

    fn kind(&self, error: &CallError) -> Kind {
        let is_settling = || {
            let now = self.client.clock().now();
            let passed = now.saturating_duration_since(self.began);
            self.inquiry.may_be_new()
                && !self.is_answered.load(Ordering::Relaxed)
                && passed < self.inquiry.pace().settling
        };
        match error {
            CallError::Transport { .. } | CallError::Unreadable { .. } => Kind::Passing,
            CallError::Stopped { .. } | CallError::Credentials(_) => Kind::OfRun,
            CallError::Service(error) => match error.http {
                404 if is_settling() => Kind::Settling,
                401 | 403 | 404 => Kind::OfRun,
                429 => Kind::TooMuch,
                408 | 499.. => Kind::Passing,
                _ => Kind::OfRow,
            },
        }
    }
}

/// What a failed attempt means.
enum Kind {
    /// The service says that it is too much.
    TooMuch,
    /// Another attempt may end otherwise.
    Passing,
    /// Who is asked may not be there yet.
    Settling,
    /// This question is refused.
    OfRow,
    /// Any question would be.
    OfRun,
}

fn row_error(error: &CallError) -> RowError {
    let said = error.service().map(|error| error.message.clone());
    RowError {
        http: error.http(),
        message: said
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| error.to_string()),
    }
}
