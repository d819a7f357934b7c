//! What a judge said of predictions, added up.
//!
//! A model that scores gives 1 to 5 on each dimension; the mean has a bootstrap
//! interval. A model that compares sees each pair twice, the base first and the
//! tuned model first, as judges prefer a place: a segment is won only where both
//! orders say the same, and how often they do is the agreement.

use prep_eval::compare::{self, Mean};
use serde_json::{Value, json};

use super::PLAYED;
use crate::ui;

/// How many resamples an interval is of.
const SAMPLES: usize = compare::BOOTSTRAP_SAMPLES;

/// In which order the two predictions of a segment were shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "cloud"), expect(dead_code, reason = "nobody judges"))]
pub(super) enum Order {
    BaseFirst,
    TunedFirst,
}

/// What is said on one dimension.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Given {
    /// 1 to 5; of a comparison 1 if the tuned model is better, -1 if the base
    /// is, 0 if neither.
    pub(super) value: i8,
    pub(super) reason: String,
}

/// One answer of the judge.
#[derive(Debug, Clone)]
pub(super) struct Judgement {
    /// From 1.
    pub(super) line: usize,
    /// Which file, by its place; of a comparison the tuned one.
    pub(super) file: usize,
    pub(super) order: Option<Order>,
    /// For each dimension; `None` if there is no valid answer.
    pub(super) given: Option<Vec<Given>>,
}

/// All that was judged.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) model: String,
    /// Whether it was played in a rehearsal.
    pub(super) is_played: bool,
    pub(super) dimensions: Vec<String>,
    /// The files that were scored, by their names; of a comparison one name.
    pub(super) files: Vec<String>,
    pub(super) is_comparison: bool,
    pub(super) seed: u64,
    /// By file and line; of a comparison both orders follow each other.
    pub(super) judgements: Vec<Judgement>,
    /// Segments that were not shown to the judge, as a prediction is missing.
    pub(super) not_judged: usize,
    /// Segments whose predictions are the same: neither is better.
    pub(super) same: usize,
    /// Judgements that were there from earlier runs.
    pub(super) kept: u64,
    pub(super) prompt_tokens: u64,
    pub(super) answer_tokens: u64,
}

/// A dimension of one file.
struct Scored {
    counts: [usize; 5],
    mean: Option<Mean>,
}

/// A dimension of a comparison.
#[derive(Debug, PartialEq)]
struct Compared {
    tuned: usize,
    base: usize,
    undecided: usize,
    /// The share of segments that the tuned model wins, half of the undecided
    /// included.
    rate: Option<Mean>,
    /// The share of segments of which both orders say the same.
    agreement: Option<f64>,
}

impl Judged {
    /// How many judgements are missing.
    pub(super) fn failed(&self) -> usize {
        let missing = self.judgements.iter();
        missing
            .filter(|judgement| judgement.given.is_none())
            .count()
    }

    fn scored(&self, file: usize, dimension: usize) -> Scored {
        let of_file = self.judgements.iter().filter(|one| one.file == file);
        let values = of_file.filter_map(|one| Some(one.given.as_ref()?[dimension].value));
        let mut counts = [0; 5];
        let mut scores = Vec::new();
        for value in values {
            if let Some(count) = usize::try_from(value - 1)
                .ok()
                .and_then(|n| counts.get_mut(n))
            {
                *count += 1;
                scores.push(f64::from(value));
            }
        }
        Scored {
            counts,
            mean: compare::mean(&scores, SAMPLES, self.seed),
        }
    }

    fn compared(&self, dimension: usize) -> Compared {
        let mut compared = Compared {
            tuned: 0,
            base: 0,
            // What is the same needs no judge.
            undecided: self.same,
            rate: None,
            agreement: None,
        };
        let mut shares = vec![0.5; self.same];
        let (mut n_pairs, mut n_agreed) = (0_usize, 0_usize);
        for pair in self.judgements.chunks_exact(2) {
            let [Some(one), Some(other)] = [&pair[0].given, &pair[1].given] else {
                continue;
            };
            let (one, other) = (one[dimension].value, other[dimension].value);
            n_pairs += 1;
            n_agreed += usize::from(one == other);
            let (count, share) = match (one, other) {
                (1, 1) => (&mut compared.tuned, 1.0),
                (-1, -1) => (&mut compared.base, 0.0),
                _ => (&mut compared.undecided, 0.5),
            };
            *count += 1;
            shares.push(share);
        }
        compared.rate = compare::mean(&shares, SAMPLES, self.seed);
        compared.agreement = (n_pairs > 0).then(|| n_agreed as f64 / n_pairs as f64);
        compared
    }

    /// What the table is of, in a sentence.
    pub(super) fn heading(&self) -> String {
        match self.is_comparison {
            true => format!(
                "compared by {} in both orders: won where both say the same; wins and interval in percent",
                self.model
            ),
            false => format!(
                "judged by {} from 1 to 5: mean and 95 % interval",
                self.model
            ),
        }
    }

    /// The table, its header first.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        let percent = |share: f64| format!("{:.1}", share * 100.0);
        let names = self.dimensions.iter().enumerate();
        if self.is_comparison {
            let header = [
                "",
                "tuned better",
                "base better",
                "undecided",
                "tuned wins",
                "95 %",
                "orders agree",
            ];
            let mut rows = vec![header.map(str::to_owned).to_vec()];
            rows.extend(names.map(|(n, name)| {
                let compared = self.compared(n);
                let none = String::new;
                vec![
                    name.clone(),
                    compared.tuned.to_string(),
                    compared.base.to_string(),
                    compared.undecided.to_string(),
                    compared.rate.map_or_else(none, |rate| percent(rate.value)),
                    compared.rate.map_or_else(none, |rate| {
                        format!("[{}, {}]", percent(rate.low), percent(rate.high))
                    }),
                    compared.agreement.map_or_else(none, percent),
                ]
            }));
            return rows;
        }
        let mut header = vec![String::new()];
        header.extend(
            self.files
                .iter()
                .flat_map(|file| [file.clone(), "95 %".into()]),
        );
        let mut rows = vec![header];
        rows.extend(names.map(|(n, name)| {
            let mut row = vec![name.clone()];
            for file in 0..self.files.len() {
                match self.scored(file, n).mean {
                    Some(Mean { value, low, high }) => {
                        row.extend([format!("{value:.2}"), format!("[{low:.2}, {high:.2}]")]);
                    }
                    None => row.extend([String::new(), String::new()]),
                }
            }
            row
        }));
        rows
    }

    /// What else must be known.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.is_played {
            notes.push(PLAYED.to_owned());
        }
        let failed = self.failed() as u64;
        if failed > 0 {
            notes.push(format!(
                "{} without a valid answer; the same command asks again",
                ui::of(failed, "judgement")
            ));
        }
        if self.not_judged > 0 {
            notes.push(format!(
                "{} without a prediction not judged",
                ui::of(self.not_judged as u64, "segment")
            ));
        }
        if self.same > 0 {
            notes.push(format!(
                "{} with the same prediction twice: undecided, and not asked",
                ui::of(self.same as u64, "segment")
            ));
        }
        notes
    }

    /// All of it for programs.
    pub(super) fn json(&self) -> Value {
        let ci = |mean: Option<Mean>| mean.map(|mean| [mean.low, mean.high]);
        let names = || self.dimensions.iter().enumerate();
        let mut told = json!({
            "model": self.model,
            "seed": self.seed,
            "not_judged": self.not_judged,
            "failed": self.failed(),
            "answered_before": self.kept,
            "tokens": {"prompts": self.prompt_tokens, "answers": self.answer_tokens},
        });
        if self.is_played {
            told["rehearsal"] = true.into();
        }
        if self.is_comparison {
            let dimensions = names().map(|(n, name)| {
                let compared = self.compared(n);
                json!({
                    "name": name, "tuned": compared.tuned, "base": compared.base,
                    "undecided": compared.undecided,
                    "win_rate": compared.rate.map(|rate| rate.value),
                    "ci": ci(compared.rate), "agreement": compared.agreement,
                })
            });
            told["same"] = json!(self.same);
            told["compare"] = dimensions.collect();
        } else {
            let files = self.files.iter().enumerate().map(|(file, path)| {
                let dimensions = names().map(|(n, name)| {
                    let scored = self.scored(file, n);
                    json!({
                        "name": name, "mean": scored.mean.map(|mean| mean.value),
                        "ci": ci(scored.mean), "counts": scored.counts,
                    })
                });
                json!({"file": path, "dimensions": dimensions.collect::<Vec<_>>()})
            });
            told["files"] = files.collect();
        }
        let judgements = self.judgements.iter().map(|judgement| {
            let mut one = json!({"line": judgement.line});
            match judgement.order {
                Some(Order::BaseFirst) => one["order"] = json!("base first"),
                Some(Order::TunedFirst) => one["order"] = json!("tuned first"),
                None => one["file"] = json!(self.files[judgement.file]),
            }
            let given = judgement.given.as_ref();
            let answers = given.map(|given| {
                let answers = names().zip(given).map(|((_, name), given)| {
                    let value = match (self.is_comparison, given.value) {
                        (false, score) => json!({"score": score, "reason": given.reason}),
                        (true, 1) => json!({"better": "tuned", "reason": given.reason}),
                        (true, -1) => json!({"better": "base", "reason": given.reason}),
                        (true, _) => json!({"better": "tie", "reason": given.reason}),
                    };
                    (name.clone(), value)
                });
                Value::Object(answers.collect())
            });
            one["answers"] = json!(answers);
            one
        });
        told["judgements"] = judgements.collect();
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(is_comparison: bool, values: &[Option<i8>]) -> Judged {
        let judgements = values.iter().enumerate().map(|(n, value)| Judgement {
            line: n + 1,
            file: 0,
            order: None,
            given: value.map(|value| {
                let reason = "r".to_owned();
                vec![Given { value, reason }]
            }),
        });
        Judged {
            model: "m".into(),
            is_played: false,
            dimensions: vec!["tone".into()],
            files: vec!["f".into()],
            is_comparison,
            seed: 1,
            judgements: judgements.collect(),
            not_judged: 0,
            same: 0,
            kept: 0,
            prompt_tokens: 0,
            answer_tokens: 0,
        }
    }

    #[test]
    fn a_segment_is_won_where_both_orders_say_so() {
        let values = [1, 1, -1, -1, 1, -1, 0, 0, 0, 1].map(Some);
        let mut all = judged(true, &values);
        let compared = all.compared(0);
        assert_eq!(
            (compared.tuned, compared.base, compared.undecided),
            (1, 1, 3)
        );
        assert_eq!(compared.agreement, Some(0.6));
        assert_eq!(compared.rate.unwrap().value, 0.5);
        all.same = 5;
        assert_eq!(all.compared(0).undecided, 8);
        assert_eq!(
            all.compared(0).agreement,
            Some(0.6),
            "what is the same was not asked"
        );
        // Half of a pair says nothing.
        let half = judged(true, &[Some(1), None]);
        assert_eq!((half.compared(0).tuned, half.failed()), (0, 1));
        assert_eq!(half.compared(0).agreement, None);
    }

    #[test]
    fn scores_are_counted_and_averaged() {
        let all = judged(false, &[Some(5), Some(1), None, Some(5), Some(3)]);
        let scored = all.scored(0, 0);
        assert_eq!(scored.counts, [1, 0, 1, 0, 2]);
        let mean = scored.mean.unwrap();
        assert_eq!(mean.value, 3.5);
        assert!(mean.low >= 1.0 && mean.low < 3.5 && mean.high > 3.5 && mean.high <= 5.0);
        assert!(judged(false, &[None]).scored(0, 0).mean.is_none());
    }
}
