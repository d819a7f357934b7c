//! `prep explain`: the page of a rule.

use std::io::Write;

use prep_data::diag::{Code, Level, MIX_CODES, SOURCE_CODES};
use prep_data::rules::{self, RULES, Safety};

use crate::Answer;
use crate::args::ExplainArgs;
use crate::failure::Failure;

/// Runs the command.
pub(crate) fn run(args: &ExplainArgs) -> Result<Answer, Failure> {
    let mut out = std::io::stdout().lock();
    if args.codes.is_empty() {
        write!(out, "{}", listed())?;
        return Ok(Answer::Yes);
    }
    for (n, code) in args.codes.iter().enumerate() {
        if n > 0 {
            writeln!(out)?;
        }
        write!(out, "{}", page(code)?)?;
    }
    Ok(Answer::Yes)
}

/// The page of a code.
fn page(name: &str) -> Result<String, Failure> {
    if let Some(rule) = rules::find(name) {
        return Ok(rule.page.to_owned());
    }
    let is_it = |code: &&&Code| {
        code.code.eq_ignore_ascii_case(name) || code.name.eq_ignore_ascii_case(name)
    };
    if let Some(code) = SOURCE_CODES.iter().find(is_it) {
        return Ok(page_of_source(code));
    }
    if let Some(code) = MIX_CODES.iter().find(is_it) {
        return Ok(page_of_mix(code));
    }
    let known = RULES
        .iter()
        .map(|rule| rule.code)
        .chain(SOURCE_CODES.iter().chain(MIX_CODES).copied());
    let known: Vec<_> = known.flat_map(|code| [code.code, code.name]).collect();
    let failure = Failure::new(format!("no rule is called `{name}`"));
    Err(match prep_data::text::nearest::nearest(name, known) {
        Some(nearest) => failure.hint(format!("the nearest is `{nearest}`")),
        None => failure.hint("`prep explain` alone lists them all"),
    })
}

/// What is known of a code of mixtures, as a page.
fn page_of_mix(code: &Code) -> String {
    format!(
        "# {} {}\n\n`prep mix` counts so an example that it did not draw: its source has more than its weight\n\
         says. It stays where it is, and does not stand in the rejects.\n\n## What to do\n\n{}.\n",
        code.code,
        code.name,
        capitalised(code.hint)
    )
}

/// What is known of a code of sources, as a page.
fn page_of_source(code: &Code) -> String {
    let kept = if code.level == Level::Error {
        "`prep convert` says this of a record that cannot become an example. The record stands in the\n\
         rejects file with its place and its text."
    } else {
        "`prep convert` says this of a record that it keeps."
    };
    format!(
        "# {} {}\n\n{kept}\n\n## What to do\n\n{}.\n",
        code.code,
        code.name,
        capitalised(code.hint)
    )
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// Every code with its name, level and fix.
fn listed() -> String {
    let mut list = String::new();
    for code in SOURCE_CODES {
        list += &row(code, "");
    }
    let rows = RULES
        .iter()
        .map(|rule| (rule.code, rule.fix.map_or("", Safety::as_str)));
    let mut rows: Vec<_> = rows
        .chain(MIX_CODES.iter().map(|code| (*code, "")))
        .collect();
    rows.sort_by_key(|(code, _)| code.code);
    for (code, fix) in rows {
        list += &row(code, fix);
    }
    list
}

fn row(code: &Code, fix: &str) -> String {
    let fix = if fix.is_empty() {
        String::new()
    } else {
        format!("{fix} fix")
    };
    let line = format!(
        "{}  {:7}  {:32}  {fix}",
        code.code,
        code.level.to_string(),
        code.name
    );
    format!("{}\n", line.trim_end())
}
