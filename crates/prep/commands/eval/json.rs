//! For programs: everything as one JSON object, numbers with all their digits.

use prep_eval::compare::{Comparison, Resampled};
use prep_eval::{Details, Score};
use serde_json::{Map, Value, json};

use super::read::last_text;
use super::rules::Rate;
use super::{Gate, Measured, Report, Scored, Slice, Verdict, View};
use crate::args::{ScoreName, Test};

/// The report. At the top stands the file, or the first of several; what is
/// compared with a base stands before it.
pub(super) fn report(report: &Report<'_>) -> Value {
    let Some(main) = report.main() else {
        return Value::Null;
    };
    let mut whole = Map::new();
    whole.insert("schema".into(), json!(1));
    if let Value::Object(file) = file(main) {
        whole.extend(file);
    }
    if let ([base, tuned], false) = (&report.files[..], report.comparisons.is_empty()) {
        let pairs = tuned.measured.iter().zip(&report.comparisons);
        let metrics: Vec<_> = pairs
            .zip(report.verdicts())
            .map(|((measured, comparison), verdict)| compared(measured.name, comparison, verdict))
            .collect();
        let resampling = &report.args.resampling;
        whole.insert(
            "compare".into(),
            json!({
                "base": base.system.name,
                "tuned": tuned.system.name,
                "test": match resampling.test {
                    Test::Bootstrap => "bootstrap",
                    Test::Randomization => "randomization",
                },
                "seed": resampling.seed,
                "metrics": metrics,
            }),
        );
    }
    if report.files.len() > 1 {
        let files = report.files.iter().map(file);
        whole.insert("files".into(), files.collect());
    }
    if !report.views.is_empty() {
        let shown = report.views.iter().map(view);
        whole.insert("shown".into(), shown.collect());
    }
    if !report.remotes.is_empty() {
        let told = report.remotes.iter();
        let told = told.map(|remote| remote.json(report.files[remote.file].system.name));
        whole.insert("remote".into(), told.collect());
    }
    if let Some(judged) = &report.judged {
        whole.insert("judge".into(), judged.json());
    }
    if !report.gates.is_empty() {
        whole.insert("gates".into(), report.gates.iter().map(gate).collect());
    }
    Value::Object(whole)
}

/// What `--summary` tells.
pub(super) fn summary(report: &Report<'_>) -> Value {
    let inputs = report.files.iter().map(|file| {
        json!({
            "path": file.system.name,
            "segments": file.system.predictions.len(),
        })
    });
    let count = |of: &dyn Fn(&Scored<'_>) -> usize| report.files.iter().map(of).sum::<usize>();
    let n_read = count(&|file| file.system.predictions.len());
    json!({
        "schema": 1,
        "command": "eval",
        "ledger": {
            "read": n_read,
            "scored": n_read,
            "without_prediction": count(&|file| file.silent().count()),
        },
        "inputs": inputs.collect::<Vec<_>>(),
        "metrics": report.main().map(|file| metrics(&file.measured)),
        "gates": report.gates.iter().map(gate).collect::<Vec<_>>(),
    })
}

fn file(file: &Scored<'_>) -> Value {
    let slices = file.slices.iter().map(|slice| of_slice(file, slice));
    let mut told = json!({
        "file": file.system.name,
        "n": file.system.predictions.len(),
        "metrics": metrics(&file.measured),
        "outcomes": file.outcomes(),
        "without_prediction": file.silent().count(),
        "slices": slices.collect::<Vec<_>>(),
    });
    if file.system.is_rehearsed() {
        told["rehearsal"] = true.into();
    }
    if !file.rates.is_empty() {
        told["rules"] = file.rates.iter().map(rate).collect();
    }
    told
}

fn rate(rate: &Rate) -> Value {
    let rule = rate.rule.rule();
    let failed = rate.failed.iter();
    let failed = failed.map(|(line, message)| json!({"line": line, "message": message}));
    json!({
        "code": rule.code.code,
        "name": rule.code.name,
        "level": rate.rule.level.word(),
        "passed": rate.passed(),
        "n": rate.n,
        "failed": failed.collect::<Vec<_>>(),
    })
}

fn metrics(measured: &[Measured]) -> Vec<Value> {
    let metrics = measured.iter().map(|measured| {
        let mut metric = scored(measured.name, &measured.score);
        if let Some(resampled) = measured.resampled {
            metric["confidence"] = confidence(resampled);
        }
        metric
    });
    metrics.collect()
}

fn of_slice(file: &Scored<'_>, slice: &Slice) -> Value {
    let metrics = file.measured.iter().map(|measured| {
        let score = measured.segments.score_of(slice.segments.iter().copied());
        scored(measured.name, &score)
    });
    json!({
        "by": slice.by,
        "value": slice.value,
        "n": slice.segments.len(),
        "metrics": metrics.collect::<Vec<_>>(),
    })
}

fn scored(name: ScoreName, score: &Score) -> Value {
    let mut metric = json!({
        "metric": name.as_str(),
        "name": score.name,
        "score": score.value,
        "signature": score.signature.to_string(),
    });
    match &score.details {
        Details::Bleu {
            precisions,
            correct,
            totals,
            brevity_penalty,
            hypothesis_length,
            reference_length,
        } => {
            metric["precisions"] = json!(precisions);
            metric["correct"] = json!(correct);
            metric["totals"] = json!(totals);
            metric["brevity_penalty"] = json!(brevity_penalty);
            metric["hypothesis_length"] = json!(hypothesis_length);
            metric["reference_length"] = json!(reference_length);
        }
        Details::Ter {
            n_edits,
            reference_length,
        } => {
            metric["edits"] = json!(n_edits);
            metric["reference_length"] = json!(reference_length);
        }
        Details::None => {}
    }
    metric
}

fn confidence(resampled: Resampled) -> Value {
    json!({"mean": resampled.mean, "margin": resampled.margin})
}

fn compared(name: ScoreName, comparison: &Comparison, verdict: Verdict) -> Value {
    json!({
        "metric": name.as_str(),
        "name": comparison.name,
        "base": comparison.base.score,
        "tuned": comparison.tuned.score,
        "difference": comparison.difference,
        "p_value": comparison.p_value,
        "ci": comparison.ci.map(|(low, high)| [low, high]),
        "signature": comparison.signature.to_string(),
        "base_confidence": comparison.base.resampled.map(confidence),
        "tuned_confidence": comparison.tuned.resampled.map(confidence),
        "verdict": verdict.as_str(),
    })
}

fn view(view: &View<'_>) -> Value {
    let segments = view.shown.iter().map(|shown| {
        let sides = view.files.iter().zip(&shown.sides);
        let sides = sides.map(|(file, (prediction, score))| {
            json!({
                "file": file,
                "prediction": prediction.text,
                "finishReason": prediction.finish_reason(),
                "score": score,
            })
        });
        json!({
            "line": shown.line,
            "input": shown.input.map(last_text),
            "reference": shown.reference,
            "predictions": sides.collect::<Vec<_>>(),
        })
    });
    json!({
        "name": view.ranking.name,
        "signature": view.ranking.signature.to_string(),
        "segments": segments.collect::<Vec<_>>(),
    })
}

fn gate(gate: &Gate) -> Value {
    json!({
        "file": gate.file,
        "metric": gate.metric.as_str(),
        "score": gate.score.value,
        "signature": gate.score.signature.to_string(),
        "threshold": gate.threshold,
        "met": gate.is_met,
    })
}
