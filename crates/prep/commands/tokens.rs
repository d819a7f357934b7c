//! `prep tokens`: how many tokens a dataset has.

use std::io::{self, Write};

use prep_data::example::models;
use prep_data::pipeline::Sum;
use prep_data::rules::TokenCount;
use prep_data::text::tokens::{AS_OF, Estimate};
use serde_json::{Value, json};

use crate::Answer;
use crate::args::{Shared, TextOrJson, TokensArgs};
use crate::counting::{
    Basis, CountedFile, Vocabulary, by_role, count_files, own_tokenizer, summary,
};
use crate::failure::{Failure, plain};
use crate::settings::Settings;
use crate::target::write_summary;
use crate::ui::{self, Align, Table};

/// Runs the command.
pub(crate) fn run(args: &TokensArgs, shared: &Shared) -> Result<Answer, Failure> {
    let settings = Settings::read(shared)?;
    let model = args.vocabulary.model.as_deref();
    let model = model.or(settings.validate.model.as_deref());
    let own = own_tokenizer(&args.vocabulary, &settings)?;
    let vocabulary = Vocabulary::choose(model, own.as_ref());
    let files = count_files(&args.files, &[vocabulary.measure], shared)?;
    let report = Report {
        model,
        vocabulary,
        files,
    };
    if !shared.quiet {
        let mut out = anstream::AutoStream::auto(std::io::stdout().lock());
        match args.format {
            TextOrJson::Text => report.write(&mut out)?,
            TextOrJson::Json => {
                let text = serde_json::to_string_pretty(&report.to_json()).map_err(plain)?;
                writeln!(out, "{text}")?;
            }
        }
        out.flush()?;
        report.tell_left_out();
    }
    if let Some(path) = &shared.summary {
        let mut summary = summary("tokens", &report.files);
        summary["tokens"] = report.to_json();
        write_summary(path, &summary)?;
    }
    Ok(Answer::Yes)
}

struct Report<'r> {
    model: Option<&'r str>,
    vocabulary: Vocabulary<'r>,
    files: Vec<CountedFile>,
}

impl CountedFile {
    /// The tokens by the one measure.
    fn sum(&self) -> Sum {
        self.counted.sums.first().copied().unwrap_or_default()
    }
}

impl Report<'_> {
    fn total(&self) -> Sum {
        let mut total = Sum::default();
        for file in &self.files {
            let sum = file.sum();
            total.tokens += sum.tokens;
            total.billed += sum.billed;
        }
        total
    }

    fn is_estimate(&self) -> bool {
        self.vocabulary.basis == Basis::Estimate
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let total = self.total().tokens;
        // Who says nothing in any file has no column.
        let roles: Vec<_> = ROLES.iter().filter(|role| (role.1)(&total) > 0).collect();
        let mut head = vec![("FILE", Align::Left)];
        head.extend(["EXAMPLES", "TOKENS"].map(|name| (name, Align::Right)));
        head.extend(roles.iter().map(|role| (role.0, Align::Right)));
        head.extend(["LONGEST", "ON LINE"].map(|name| (name, Align::Right)));
        let mut table = Table::new(head);
        let tokens = |n: u64| match self.is_estimate() {
            true => format!("~{}", ui::count(n)),
            false => ui::count(n),
        };
        let mut row = |name: &str, examples: u64, sum: &Sum, is_file: bool| {
            let mut row = vec![name.to_owned(), ui::count(examples)];
            row.push(tokens(sum.tokens.total()));
            row.extend(roles.iter().map(|role| tokens((role.1)(&sum.tokens))));
            row.extend(match sum.longest.filter(|_| is_file) {
                Some(longest) => [tokens(longest.tokens), ui::count(longest.line)],
                None if is_file => ["-".into(), "-".into()],
                None => [String::new(), String::new()],
            });
            table.row(row);
        };
        for file in &self.files {
            row(&file.name, file.counted.examples, &file.sum(), true);
        }
        if self.files.len() > 1 {
            let examples = self.files.iter().map(|file| file.counted.examples).sum();
            row("total", examples, &self.total(), false);
        }
        table.write(out)?;
        writeln!(out, "{}", ui::visible(&self.basis()))
    }

    /// How the count is to be taken, in one line.
    fn basis(&self) -> String {
        let name = &self.vocabulary.name;
        let model = self.model.unwrap_or_default();
        match self.vocabulary.basis {
            Basis::Listed => format!(
                "counted with {name}, as Google's SDK counts for `{model}` (known on {AS_OF})"
            ),
            Basis::Assumed => format!(
                "counted with {name}, the newest vocabulary known on {AS_OF}; that `{model}` has it is an assumption"
            ),
            Basis::Newest => format!(
                "counted with {name}, the newest vocabulary known on {AS_OF}; `--model` chooses that of a model"
            ),
            Basis::Named => format!("counted with {name}"),
            Basis::Estimate => {
                let estimate = estimate(self.total().tokens.total());
                format!(
                    "an estimate, as the vocabulary of `{model}` is not known: most likely {} to {} tokens; `--tokenizer` names a vocabulary",
                    ui::count(estimate.low as u64),
                    ui::count(estimate.high as u64)
                )
            }
        }
    }

    fn tell_left_out(&self) {
        self.files.iter().for_each(CountedFile::tell_left_out);
        let Some(model) = self.model.and_then(models::find) else {
            return;
        };
        let limit = model.limits.example_tokens;
        for file in &self.files {
            let Some(longest) = file.sum().longest else {
                continue;
            };
            if longest.tokens > limit {
                let place = format!("{}:{}", file.name, longest.line);
                let (tokens, limit) = (ui::count(longest.tokens), ui::count(limit));
                ui::remark(
                    "warning",
                    &format!(
                        "{place} has {tokens} tokens, the limit of `{}` is {limit}; `prep validate` names every example above it",
                        model.name
                    ),
                );
            }
        }
    }

    fn to_json(&self) -> Value {
        let total = self.total();
        let file = |file: &CountedFile| {
            let sum = file.sum();
            let mut value = file.to_json();
            value["total"] = json!(sum.tokens.total());
            value["by_role"] = by_role(&sum.tokens);
            value["max"] = json!(sum.longest.map_or(0, |longest| longest.tokens));
            value["max_line"] = json!(sum.longest.map(|longest| longest.line));
            value
        };
        let mut report = json!({
            "schema": 1,
            "model": self.model,
            "tokenizer": self.vocabulary.name,
            "basis": self.vocabulary.basis.as_str(),
            "total": total.tokens.total(),
            "by_role": by_role(&total.tokens),
            "billed_per_epoch": total.billed,
            "files": self.files.iter().map(file).collect::<Vec<_>>(),
        });
        if self.is_estimate() {
            let estimate = estimate(total.tokens.total());
            report["estimate"] = json!({"low": estimate.low, "high": estimate.high});
        }
        report
    }
}

/// The tokens of one who says something.
type OfRole = fn(&TokenCount) -> u64;

/// The columns of who says something.
const ROLES: &[(&str, OfRole)] = &[
    ("SYSTEM", |tokens| tokens.system),
    ("TOOLS", |tokens| tokens.tools),
    ("USER", |tokens| tokens.user),
    ("MODEL", |tokens| tokens.model),
    ("COMPLETIONS", |tokens| tokens.completions),
];

/// The bounds of a sum of estimates.
pub(super) fn estimate(likely: u64) -> Estimate {
    Estimate::around(usize::try_from(likely).unwrap_or(usize::MAX))
}
