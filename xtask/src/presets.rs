//! How well the presets do: the rules over the labelled sets of
//! `fixtures/pairs`, told in `docs/presets.md`.
//!
//! A set is a table of source, target, the codes that must be found, and how the
//! line was made. A line that begins with `##` begins a section, which is learnt
//! from by itself, with the languages it names. Precision and recall are of
//! findings, at whatever level; what is dropped is what `prep filter` drops.
//!
//! The tables of `fixtures/pairs/corpora` are good pairs of which nobody chose the
//! lines; of them it is told how many each preset drops.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result, bail};
use prep_data::diag::Level;
use prep_data::rules::pairs::{ActivePair, Said};
use prep_data::rules::{Levels, Pair, PairContext, Preset, Survey, Wanted, pairs};

use crate::root;

/// A line of a labelled set.
struct Labelled {
    line: usize,
    codes: BTreeSet<String>,
}

/// Lines that are learnt from together.
struct Section {
    wanted: Wanted,
    /// Sources and targets.
    pairs: Vec<(String, String)>,
    /// What is known of each.
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
    page.push_str(&corpora()?);
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

/// What the presets drop of good dialogue.
fn corpora() -> Result<String> {
    const CORPORA: [(&str, &str); 2] = [
        ("the_question", "The Question, a visual novel"),
        ("renpy_tutorial", "the tutorial of Ren'Py"),
    ];
    let mut page = String::from(
        "\nOf dialogue that somebody translated, whole as it was published (`fixtures/pairs/corpora`),\n\
         the presets that are made for it drop:\n\n| corpus | pairs |",
    );
    const MADE_FOR_IT: [Preset; 2] = [Preset::Novel, Preset::Chat];
    for preset in MADE_FOR_IT {
        write!(page, " `{preset}` drops | warns of |")?;
    }
    page.push_str("\n| --- | ---: | ---: | ---: | ---: | ---: |\n");
    for (file, name) in CORPORA {
        let pairs = corpus(file)?;
        write!(page, "| {name} | {} |", pairs.len())?;
        for preset in MADE_FOR_IT {
            let (mut n_dropped, mut n_warned) = (0, 0);
            judge(preset, &pairs, &Wanted::default(), |_, found| {
                let worst = found.iter().map(|(rule, _)| rule.level).max();
                n_dropped += usize::from(worst == Some(Level::Error));
                n_warned += usize::from(worst == Some(Level::Warn));
            });
            write!(page, " {n_dropped} | {n_warned} |")?;
        }
        page.push('\n');
    }
    Ok(page)
}

fn corpus(name: &str) -> Result<Vec<(String, String)>> {
    let path = root().join(format!("fixtures/pairs/corpora/{name}.tsv"));
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let lines = text.lines().filter(|line| !line.starts_with("# "));
    let pairs = lines.filter_map(|line| line.split_once('\t'));
    Ok(pairs
        .map(|(source, target)| (source.to_owned(), target.to_owned()))
        .collect())
}

/// Asks the rules of a preset about pairs that are learnt from together, and gives
/// what they say of each to `each`, with the pair's place.
fn judge(
    preset: Preset,
    pairs: &[(String, String)],
    wanted: &Wanted,
    mut each: impl FnMut(usize, &[(ActivePair, Said)]),
) {
    let active = pairs::active(&levels(preset));
    let mut survey = Survey::default();
    for (source, target) in pairs {
        survey.add(source, target);
    }
    let context = PairContext {
        preset,
        learnt: survey.finish(wanted),
        glossary: None,
    };
    for (n, (source, target)) in pairs.iter().enumerate() {
        let pair = Pair::new(source, target, &context.learnt);
        let said = active
            .iter()
            .filter_map(|rule| Some((*rule, rule.ask(&pair, &context)?)));
        each(n, &said.collect::<Vec<_>>());
    }
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
    let is_told = std::env::var_os("PRESETS_WRONG").is_some();
    for section in sections(preset)? {
        judge(preset, &section.pairs, &section.wanted, |n, said| {
            let line = &section.lines[n];
            let found: BTreeSet<String> = said
                .iter()
                .map(|(rule, _)| rule.rule().code.code.to_owned())
                .collect();
            let is_dropped = said.iter().any(|(rule, _)| rule.level == Level::Error);
            if is_told {
                for (rule, said) in said {
                    let code = rule.rule().code.code;
                    if !line.codes.contains(code) {
                        eprintln!("{preset}.tsv:{}: {code} {}", line.line, said.message);
                    }
                }
                for code in line.codes.difference(&found) {
                    eprintln!("{preset}.tsv:{}: missed {code}", line.line);
                }
            }
            score.add(line, &found, is_dropped);
        });
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
                pairs: Vec::new(),
                lines: Vec::new(),
            });
        } else if !line.starts_with("# ") {
            let [source, target, codes, _] = line.split('\t').collect::<Vec<_>>()[..] else {
                bail!("`{}`:{number} has no four columns", path.display());
            };
            let section = sections.last_mut().context("a set begins with a section")?;
            section.pairs.push((source.to_owned(), target.to_owned()));
            section.lines.push(Labelled {
                line: number,
                codes: codes.split_whitespace().map(str::to_owned).collect(),
            });
        }
    }
    Ok(sections)
}
