//! The report for programs.

use std::collections::BTreeMap;

use prep_data::diag::Level;
use prep_data::pipeline::stats::{EXACT, Frequent, Histogram, SCRIPTS_OF, Stats};
use prep_data::rules::Speaker;
use prep_data::text::language::Language;
use serde_json::{Map, Value, json};

use super::{Dataset, Report};
use crate::counting::by_role;

/// How many bars a histogram has.
const BARS: u64 = 40;

impl Report<'_> {
    /// The report as JSON.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "schema": 1,
            "model": self.model(),
            "tokenizer": self.vocabulary.name,
            "basis": self.vocabulary.basis.as_str(),
            "exact_below": EXACT,
            "datasets": self.datasets.iter().map(|set| self.dataset(set)).collect::<Vec<_>>(),
        })
    }

    fn dataset(&self, set: &Dataset) -> Value {
        let stats = &set.stats;
        let histograms = &stats.histograms;
        let common = &stats.frequent;
        let mut value = json!({
            "side": set.side,
            "files": files(stats),
            "examples": stats.examples,
            "blank_lines": stats.blank,
            "not_examples": stats.not_examples,
            "preference_examples": stats.with_completions,
            "tokens": {
                "total": stats.tokens.total(),
                "by_role": by_role(&stats.tokens),
                "billed_per_epoch": stats.billed,
                "media": stats.tokens.media,
                "longest": stats.longest.map(|(file, longest)| json!({
                    "file": stats.files[file].name,
                    "line": longest.line,
                    "tokens": longest.tokens,
                })),
            },
            "spread": {
                "turns": spread(&histograms.turns),
                "tokens": spread(&histograms.tokens),
                "system_tokens": spread(&histograms.system_tokens),
                "tools_tokens": spread(&histograms.tools_tokens),
                "user_tokens": spread(&histograms.user_tokens),
                "model_tokens": spread(&histograms.model_tokens),
                "system_characters": spread(&histograms.system_chars),
                "user_characters": spread(&histograms.user_chars),
                "model_characters": spread(&histograms.model_chars),
                "prompt_characters": spread(&histograms.prompt_chars),
                "answer_characters": spread(&histograms.answer_chars),
                "length_ratio": ratio(&stats.ratios),
            },
            "histograms": {
                "tokens": bars(&histograms.tokens),
                "prompt_characters": bars(&histograms.prompt_chars),
                "answer_characters": bars(&histograms.answer_chars),
            },
            "languages": {
                "sampled": stats.languages.sampled,
                "prompts": languages(&stats.languages.prompts),
                "answers": languages(&stats.languages.answers),
                "pairs": stats.languages.pairs.iter().map(|((from, to), n)| json!({
                    "prompt": from.code(), "answer": to.code(), "examples": n,
                })).collect::<Vec<_>>(),
            },
            "scripts": scripts(stats),
            "system_instructions": self.frequent(set, &common.systems),
            "answers": self.frequent(set, &common.answers),
            "prompt_openings": self.frequent(set, &common.prompt_openings),
            "answer_openings": self.frequent(set, &common.answer_openings),
            "duplicates": {
                "exact": stats.duplicates.exact,
                "normalised": stats.duplicates.normalised,
                "clusters": stats.duplicates.clusters,
                "conflicting_prompts": stats.duplicates.conflicting_prompts,
            },
            "limit": {
                "tokens": self.limit,
                "dropped": stats.dropped(),
            },
            "findings": findings(set),
        });
        if set.side == "train" {
            let costs = self.costs.iter().map(|cost| {
                json!({
                    "model": cost.model,
                    "price_per_million": cost.price.training,
                    "as_of": cost.price.as_of.map(|date| date.to_string()),
                    "per_epoch": cost.cost.as_f64(),
                })
            });
            value["cost"] = costs.collect();
        }
        value
    }

    fn frequent(&self, set: &Dataset, frequent: &Frequent) -> Value {
        let most = frequent.most.iter().take(self.most).map(|often| {
            let (file, line) = set.stats.line_of(often.first);
            json!({
                "examples": often.examples,
                "text": often.text,
                "first": {"file": file.name, "line": line},
            })
        });
        json!({
            "examples": frequent.examples,
            "different": frequent.different,
            "most_common": most.collect::<Vec<_>>(),
        })
    }
}

fn files(stats: &Stats) -> Value {
    let file = |file: &prep_data::pipeline::stats::FileStats| {
        let first = file.first_not_example.as_ref().map(|first| {
            json!({
                "line": first.line,
                "column": first.why.column,
                "message": first.why.reason,
            })
        });
        json!({
            "file": file.name,
            "lines": file.checked.lines,
            "examples": file.checked.examples,
            "valid": file.checked.valid,
            "invalid": file.checked.invalid,
            "bytes": file.bytes,
            "blake3": file.blake3,
            "first_not_example": first,
        })
    };
    stats.files.iter().map(file).collect()
}

fn spread(histogram: &Histogram) -> Value {
    let summary = histogram.summary();
    if summary.n == 0 {
        return Value::Null;
    }
    json!({
        "examples": summary.n,
        "min": summary.min,
        "p5": summary.p5,
        "median": summary.median,
        "mean": summary.mean,
        "p95": summary.p95,
        "p99": summary.p99,
        "max": summary.max,
    })
}

/// The spread of a ratio that was counted in thousandths.
fn ratio(histogram: &Histogram) -> Value {
    let mut value = spread(histogram);
    if let Value::Object(members) = &mut value {
        for (name, number) in members {
            if let (true, Some(thousandths)) = (name != "examples", number.as_f64()) {
                *number = json!(thousandths / 1000.0);
            }
        }
    }
    value
}

fn bars(histogram: &Histogram) -> Value {
    let bars = histogram.bars(BARS);
    json!({"width": bars.width, "counts": bars.counts, "above": bars.above})
}

fn languages(counts: &[(Option<Language>, u64)]) -> Value {
    let language = |(language, n): &(Option<Language>, u64)| {
        json!({
            "language": language.map(Language::code),
            "name": language.map(Language::name),
            "examples": n,
        })
    };
    counts.iter().map(language).collect()
}

fn scripts(stats: &Stats) -> Value {
    let mut value = Map::new();
    for (scripts, speaker) in stats.scripts.iter().zip(SCRIPTS_OF) {
        let name = match speaker {
            Speaker::User => "user",
            Speaker::Model => "model",
            Speaker::System => "system",
        };
        let letters: Map<_, _> = scripts
            .by_letters()
            .into_iter()
            .map(|(name, letters)| (name.to_owned(), json!(letters)))
            .collect();
        value.insert(name.into(), letters.into());
    }
    value.into()
}

fn findings(set: &Dataset) -> Value {
    let by_rule: BTreeMap<_, _> = set
        .counts()
        .into_iter()
        .map(|count| (count.rule.code.code, count.count))
        .collect();
    json!({
        "errors": set.n_of(Level::Error),
        "warnings": set.n_of(Level::Warn),
        "by_rule": by_rule,
    })
}
