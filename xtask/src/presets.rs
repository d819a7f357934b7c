//! How well the presets do: the rules over the labelled sets of
//! `fixtures/pairs`, told in `docs/presets.md`.
//!
//! A set is a table of source, target, the codes that must be found, and how the
//! line was made. A line that begins with `##` begins a section, which is learnt
//! from by itself, with the languages it names. Precision and recall are of
//! findings, at whatever level; what is dropped is what `prep filter` drops.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result, bail};
use prep_data::diag::Level;
use prep_data::rules::{Levels, Pair, PairContext, Preset, Survey, Wanted, pairs};

use crate::root;

/// A line of a labelled set.
struct Labelled {
    line: usize,
    source: String,
    target: String,
    codes: BTreeSet<String>,
}

/// Lines that are learnt from together.
struct Section {
    wanted: Wanted,
    lines: Vec<Labelled>,
}

/// How often a rule was right and wrong.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    right: usize,
    wrong: usize,
    missed: usize,
}

/// What a preset did to a set.
#[derive(Debug, Default)]
struct Score {
    by_code: BTreeMap<String, Counts>,
    good: usize,
    good_dropped: usize,
    bad: usize,
    bad_dropped: usize,
    bad_told: usize,
}

/// Writes the page.
pub(crate) fn page() -> Result<String> {
    let mut page = String::from(
        "# How well the presets do\n\n\
         The sets of `fixtures/pairs` hold real lines, good ones and such with one fault put in. Each preset\n\
         was run over its own set (`cargo xtask generate` does it again). Precision: of what a rule found, how\n\
         much is labelled so. Recall: of what is labelled so, how much it found.\n\n\
         Do not read more into the figures than there is: the sets are small, the faults were put in on\n\
         purpose and are plain ones, and the limits were settled with these lines in view. What the presets\n\
         do to whole corpora, of which nobody chose the lines, `tests/filter.rs` holds: of good ones they\n\
         drop 2 % at the most.\n\n\
         | preset | good lines | dropped | bad lines | told | dropped |\n| --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    let mut scores = Vec::new();
    for preset in Preset::ALL {
        let score = score(preset)?;
        writeln!(
            page,
            "| `{preset}` | {} | {} | {} | {} | {} |",
            score.good, score.good_dropped, score.bad, score.bad_told, score.bad_dropped
        )?;
        scores.push((preset, score));
    }
    page.push_str(
        "\n*Told* are bad lines of which at least one labelled fault was found, *dropped* those that\n\
         `prep filter` leaves out: it drops errors and keeps warnings.\n",
    );
    for (preset, score) in &scores {
        writeln!(
            page,
            "\n## {preset}\n\n| rule | level | labelled | found | precision | recall |\n\
             | --- | --- | ---: | ---: | ---: | ---: |"
        )?;
        let levels = levels(*preset);
        for rule in pairs::active(&levels) {
            let code = rule.rule().code;
            let counts = score.by_code.get(code.code).copied().unwrap_or_default();
            let Counts {
                right,
                wrong,
                missed,
            } = counts;
            writeln!(
                page,
                "| {} {} | {} | {} | {} | {} | {} |",
                code.code,
                code.name,
                rule.level,
                right + missed,
                right + wrong,
                percent(right, right + wrong),
                percent(right, right + missed)
            )?;
        }
    }
    Ok(page)
}

fn percent(part: usize, whole: usize) -> String {
    match whole {
        0 => "–".into(),
        whole => format!("{:.0} %", 100.0 * part as f64 / whole as f64),
    }
}

fn levels(preset: Preset) -> Levels {
    let mut levels = Levels::default();
    levels.set_filter(Some(preset));
    levels
}

fn score(preset: Preset) -> Result<Score> {
    let mut score = Score::default();
    let active = pairs::active(&levels(preset));
    for section in sections(preset)? {
        let mut survey = Survey::default();
        for line in &section.lines {
            survey.add(&line.source, &line.target);
        }
        let context = PairContext {
            preset,
            learnt: survey.finish(&section.wanted),
            glossary: None,
        };
        for line in &section.lines {
            let pair = Pair::new(&line.source, &line.target, &context.learnt);
            let mut found = BTreeSet::new();
            let mut is_dropped = false;
            for rule in &active {
                if let Some(said) = rule.ask(&pair, &context) {
                    let code = rule.rule().code.code;
                    found.insert(code.to_owned());
                    is_dropped |= rule.level == Level::Error;
                    if std::env::var_os("PRESETS_WRONG").is_some() && !line.codes.contains(code) {
                        eprintln!("{preset}.tsv:{}: {code} {}", line.line, said.message);
                    }
                }
            }
            if std::env::var_os("PRESETS_WRONG").is_some() {
                for code in line.codes.difference(&found) {
                    eprintln!("{preset}.tsv:{}: missed {code}", line.line);
                }
            }
            score.add(line, &found, is_dropped);
        }
    }
    Ok(score)
}

impl Score {
    fn add(&mut self, line: &Labelled, found: &BTreeSet<String>, is_dropped: bool) {
        if line.codes.is_empty() {
            self.good += 1;
            self.good_dropped += usize::from(is_dropped);
        } else {
            self.bad += 1;
            self.bad_dropped += usize::from(is_dropped);
            self.bad_told += usize::from(!line.codes.is_disjoint(found));
        }
        for code in line.codes.union(found) {
            let counts = self.by_code.entry(code.clone()).or_default();
            match (line.codes.contains(code), found.contains(code)) {
                (true, true) => counts.right += 1,
                (false, _) => counts.wrong += 1,
                (true, false) => counts.missed += 1,
            }
        }
    }
}

fn sections(preset: Preset) -> Result<Vec<Section>> {
    let path = root().join(format!("fixtures/pairs/{preset}.tsv"));
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut sections: Vec<Section> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(settings) = line.strip_prefix("## ") {
            let setting = |name: &str| {
                let mut settings = settings.split(' ').filter_map(|word| word.split_once('='));
                settings
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| value.to_owned())
            };
            sections.push(Section {
                wanted: Wanted {
                    source_tag: setting("src"),
                    target_tag: setting("tgt"),
                    source_prefix: None,
                },
                lines: Vec::new(),
            });
        } else if !line.starts_with("# ") {
            let [source, target, codes, _] = line.split('\t').collect::<Vec<_>>()[..] else {
                bail!("`{}`:{number} has no four columns", path.display());
            };
            let section = sections.last_mut().context("a set begins with a section")?;
            section.lines.push(Labelled {
                line: number,
                source: source.to_owned(),
                target: target.to_owned(),
                codes: codes.split_whitespace().map(str::to_owned).collect(),
            });
        }
    }
    Ok(sections)
}
