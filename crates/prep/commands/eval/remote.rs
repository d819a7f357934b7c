//! What Google's evaluation service said of predictions.
//!
//! A score is of a segment. What could not be asked (a line without a prediction)
//! and what failed has none: it is told, and left out of the mean, never counted
//! as 0. Of two files that are compared, segments count that have a score in
//! both.

use prep_eval::{Given, Segments};
use serde_json::{Value, json};

use super::PLAYED;
use crate::args::RemoteName;
use crate::failure::Failure;
use crate::ui;

/// What was said of one file by one version of a metric.
#[derive(Debug)]
pub(super) struct Remote {
    pub(super) name: RemoteName,
    /// The version, as the service names it.
    pub(super) version: &'static str,
    /// Whether it was played in a rehearsal.
    pub(super) is_played: bool,
    pub(super) wants_reference: bool,
    pub(super) lower_is_better: bool,
    /// The languages that the service was told: of sources, of targets.
    pub(super) languages: [Option<String>; 2],
    /// Which file, by its place.
    pub(super) file: usize,
    /// Of each line.
    pub(super) scores: Vec<Option<f64>>,
    /// The lines, from 1, that could not be asked, and what they lack.
    pub(super) lacking: Vec<(usize, &'static str)>,
    /// The lines, from 1, that have no score, and why.
    pub(super) failed: Vec<(usize, String)>,
    /// Scores that were there from earlier runs.
    pub(super) kept: u64,
}

impl Remote {
    /// The scores as rows that can be added up: those of `common` lines.
    pub(super) fn segments(&self, file: &str, common: &[bool]) -> Result<Segments, Failure> {
        let scores = self.scores.iter().zip(common);
        let scores = scores.map(|(score, is_common)| score.filter(|_| *is_common));
        let scores: Vec<_> = scores.collect();
        self.given().segments(&scores).map_err(|_| {
            let title = self.name.title();
            let cannot = format!("no segment of `{file}` has a score of {title} that counts");
            match (self.failed.first(), self.lacking.first()) {
                (Some((line, reason)), _) => {
                    Failure::because(cannot, format!("line {line}: {reason}"))
                }
                (None, Some((line, what))) => {
                    Failure::because(cannot, format!("line {line} has no {what}"))
                }
                (None, None) => Failure::new(cannot),
            }
        })
    }

    fn given(&self) -> Given {
        let [source, target] = &self.languages;
        let languages = [("src", source), ("tgt", target)].into_iter();
        let languages =
            languages.filter_map(|(name, language)| Some((name, name, language.clone()?)));
        let service = ("service", "svc", "vertex-ai".to_owned());
        Given {
            name: self.name.title().to_owned(),
            version: self.version.to_owned(),
            settings: languages.chain([service]).collect(),
            n_refs: usize::from(self.wants_reference),
            lower_is_better: self.lower_is_better,
        }
    }

    /// What must be known of the scores of a file.
    pub(super) fn notes(&self, file: &str) -> Vec<String> {
        let title = self.name.title();
        let mut notes = Vec::new();
        if self.is_played {
            notes.push(format!("{title} of {file}: {PLAYED}"));
        }
        if let Some((line, what)) = self.lacking.first() {
            let n = ui::of(self.lacking.len() as u64, "segment");
            notes.push(format!(
                "{title} of {file}: {n} not scored, and not in the mean; line {line} has no {what}"
            ));
        }
        if let Some((line, reason)) = self.failed.first() {
            let n = ui::of(self.failed.len() as u64, "segment");
            notes.push(format!(
                "{title} of {file}: {n} without a score, and not in the mean; line {line}: \
                 {reason}; the same command asks again"
            ));
        }
        notes
    }

    /// All of it for programs.
    pub(super) fn json(&self, file: &str) -> Value {
        let lacking = self.lacking.iter();
        let lacking = lacking.map(|(line, what)| json!({"line": line, "lacks": what}));
        let failed = self.failed.iter();
        let failed = failed.map(|(line, message)| json!({"line": line, "message": message}));
        let [source, target] = &self.languages;
        let mut told = json!({
            "metric": self.name.as_str(),
            "version": self.version,
            "lower_is_better": self.lower_is_better,
            "src_lang": source,
            "tgt_lang": target,
            "file": file,
            "scored": self.scores.iter().flatten().count(),
            "answered_before": self.kept,
            "not_asked": lacking.collect::<Vec<_>>(),
            "failed": failed.collect::<Vec<_>>(),
            "scores": self.scores,
        });
        if self.is_played {
            told["rehearsal"] = true.into();
        }
        told
    }
}

/// Which lines count: of files that are compared, those of which all have the
/// score.
pub(super) fn common(remotes: &[Remote], at: usize, is_comparison: bool) -> Vec<bool> {
    let own = &remotes[at];
    let others = remotes.iter();
    let others = others.filter(|other| is_comparison && other.name == own.name);
    let lines = own.scores.iter().enumerate();
    let is_common = lines.map(|(n, score)| {
        let mut others = others.clone();
        score.is_some() && others.all(|other| other.scores[n].is_some())
    });
    is_common.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(file: usize, scores: &[Option<f64>]) -> Remote {
        Remote {
            name: RemoteName::Metricx,
            version: "METRICX_24_SRC_REF",
            is_played: false,
            wants_reference: true,
            lower_is_better: true,
            languages: [Some("en".into()), None],
            file,
            scores: scores.to_vec(),
            lacking: Vec::new(),
            failed: Vec::new(),
            kept: 0,
        }
    }

    #[test]
    fn only_what_both_have_is_compared() {
        let remotes = [
            remote(0, &[Some(1.0), None, Some(3.0)]),
            remote(1, &[Some(2.0), Some(9.0), None]),
        ];
        let score = |at: usize, is_comparison| {
            let segments = remotes[at].segments("f", &common(&remotes, at, is_comparison));
            segments.unwrap().score()
        };
        assert_eq!((score(0, true).value, score(1, true).value), (1.0, 2.0));
        assert_eq!((score(0, false).value, score(1, false).value), (2.0, 5.5));
        assert_eq!(
            score(0, true).signature.to_string(),
            "nrefs:1|src:en|service:vertex-ai|version:METRICX_24_SRC_REF"
        );
    }

    #[test]
    fn what_has_no_score_is_told() {
        let mut of_file = remote(0, &[None, None, Some(1.0)]);
        assert!(of_file.notes("f").is_empty());
        of_file.lacking = vec![(1, "prediction")];
        of_file.failed = vec![(2, "no".into())];
        assert_eq!(
            of_file.notes("f"),
            [
                "MetricX of f: 1 segment not scored, and not in the mean; line 1 has no prediction",
                "MetricX of f: 1 segment without a score, and not in the mean; line 2: no; the same command asks again",
            ]
        );
        let told = of_file.json("f");
        assert_eq!(
            (&told["scored"], &told["scores"]),
            (&json!(1), &json!([null, null, 1.0]))
        );
        let nothing = [remote(0, &[None])];
        assert!(
            nothing[0]
                .segments("f", &common(&nothing, 0, false))
                .is_err()
        );
    }
}
