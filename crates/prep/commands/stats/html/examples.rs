//! Examples that can be searched: their data, and the form above them.

use std::collections::BTreeSet;

use prep_data::pipeline::stats::Shown;
use prep_data::rules::Speaker;
use prep_data::text::language::Language;
use serde_json::{Value, json};

use crate::commands::stats::{Dataset, Report};
use crate::report::html::{Html, Section, markup, visible};
use crate::ui;

impl Report<'_> {
    /// The number by which the page knows an example.
    fn number(&self, set: usize, place: u64) -> u64 {
        place * self.datasets.len() as u64 + set as u64
    }

    /// What links to an example call it.
    pub(super) fn anchor(&self, set: usize, place: u64) -> String {
        format!("example-{}", self.number(set, place))
    }

    /// The examples for the script of the page.
    pub(super) fn example_data(&self) -> Vec<Value> {
        let sets = self.datasets.iter().enumerate();
        sets.flat_map(|(n, set)| {
            let shown = set.stats.shown.iter();
            shown.map(move |shown| self.example(n, set, shown))
        })
        .collect()
    }

    fn example(&self, n: usize, set: &Dataset, shown: &Shown) -> Value {
        let texts: Vec<_> = shown
            .texts
            .iter()
            .map(|text| {
                let who = if shown.is_broken {
                    "line"
                } else {
                    who(text.speaker)
                };
                json!([who, visible(&text.text), text.is_cut])
            })
            .collect();
        json!({
            "id": self.number(n, shown.place),
            "place": visible(&set.place(shown.place)),
            "texts": texts,
            "codes": shown.codes,
            "languages": languages(shown),
            "tokens": (!shown.is_broken).then_some(shown.tokens),
            "more": shown.has_more,
        })
    }

    /// The section with the form; the script fills the list.
    pub(super) fn examples(&self) -> Section {
        let shown = || self.datasets.iter().flat_map(|set| &set.stats.shown);
        let codes: BTreeSet<_> = shown().flat_map(|shown| &shown.codes).copied().collect();
        let names: BTreeSet<_> = shown().flat_map(languages).flatten().collect();
        let option =
            |value: &str, name: &str| markup!("<option value=\"{}\">{}</option>\n", value, name);
        let codes: Html = codes
            .into_iter()
            .map(|code| {
                let name = prep_data::rules::find(code).map_or("", |rule| rule.code.name);
                option(code, &format!("{code} {name}"))
            })
            .collect();
        let names: Html = names.into_iter().map(|name| option(name, name)).collect();
        let all: u64 = self.datasets.iter().map(|set| set.stats.examples).sum();
        let n_shown = shown().count() as u64;
        let which = match n_shown < all {
            true => format!(
                "{} of {}: the first of each finding, and others at random. Press / to search.",
                ui::count(n_shown),
                ui::of(all, "example")
            ),
            false => "All of them. Press / to search.".to_owned(),
        };
        let body = markup!(
            "<p class=\"quiet\">{}</p>\n\
             <form id=\"filter\" role=\"search\" aria-label=\"Examples\">\n<div class=\"filter\">\n\
             <div><label for=\"search\">Text</label><input id=\"search\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\" dir=\"auto\"></div>\n\
             <div><label for=\"code\">Finding</label><select id=\"code\"><option value=\"\">any or none</option>\n{}</select></div>\n\
             <div><label for=\"language\">Language</label><select id=\"language\"><option value=\"\">any</option>\n{}</select></div>\n\
             </div>\n<p><output id=\"count\" aria-live=\"polite\"></output> \
             <button type=\"button\" class=\"inline\" name=\"clear\" hidden>Show all</button></p>\n</form>\n\
             <div id=\"example-list\"></div>\n<p><button type=\"button\" id=\"more\" hidden>Show more</button></p>\n\
             <noscript><p>The examples are shown by the page's script, which is switched off here.</p></noscript>\n",
            which,
            codes,
            names
        );
        Section {
            id: "examples",
            name: "Examples",
            heading: markup!("Examples"),
            body,
        }
    }
}

/// The languages of the prompt and the answer, as far as they are told.
fn languages(shown: &Shown) -> [Option<&'static str>; 2] {
    [shown.prompt_language, shown.answer_language].map(|told| told.map(Language::name))
}

/// Whose text it is, in a word.
pub(super) fn who(speaker: Speaker) -> &'static str {
    match speaker {
        Speaker::System => "system",
        Speaker::User => "user",
        Speaker::Model => "model",
    }
}
