//! Pages that a person looks at: one file each, which needs no network.
//!
//! A page is a [`shell`] around parts: [`table`], [`chart`], [`compared`] texts,
//! examples that can be searched. Everything that is put into one goes
//! through [`markup!`], which escapes whatever is not [`Html`] already, so that
//! text of a dataset stays text. A browser is told to run and to apply nothing
//! but the script and the style that were compiled in: their checksums are in
//! the page's policy.
//!
//! There is no `style` attribute anywhere, as the policy forbids it; sizes that
//! depend on data are attributes of SVG.

pub(crate) mod chart;
pub(crate) mod compared;
pub(crate) mod flow;
pub(crate) mod table;

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prep_data::text::signs::is_invisible;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::ui;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// Markup, with all text in it escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Html(String);

impl Html {
    /// Nothing.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Takes what [`markup!`] has put together.
    pub(crate) fn made(markup: String) -> Self {
        Self(markup)
    }

    /// Adds markup behind.
    pub(crate) fn push(&mut self, other: &Self) {
        self.0.push_str(&other.0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The page, once it is whole.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(parts: I) -> Self {
        let mut all = Self::new();
        parts.into_iter().for_each(|part| all.push(&part));
        all
    }
}

/// What can stand in markup: markup as it is, text escaped, counts with
/// separators.
pub(crate) trait Show {
    /// How it is written in a page, be it between tags or in a quoted
    /// attribute.
    fn show(&self) -> Cow<'_, str>;
}

impl Show for Html {
    fn show(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

impl Show for str {
    fn show(&self) -> Cow<'_, str> {
        escaped(self)
    }
}

impl Show for String {
    fn show(&self) -> Cow<'_, str> {
        escaped(self)
    }
}

impl Show for u64 {
    fn show(&self) -> Cow<'_, str> {
        ui::count(*self).into()
    }
}

impl Show for usize {
    fn show(&self) -> Cow<'_, str> {
        ui::count(*self as u64).into()
    }
}

impl<T: Show + ?Sized> Show for &T {
    fn show(&self) -> Cow<'_, str> {
        (*self).show()
    }
}

/// Puts markup together: `markup!("<p>{}</p>", text)`. Every `{}` is escaped
/// unless it is [`Html`].
macro_rules! markup {
    ($format:literal $(, $part:expr)* $(,)?) => {
        $crate::report::html::Html::made(format!(
            $format
            $(, $crate::report::html::Show::show(&$part))*
        ))
    };
}
pub(crate) use markup;

/// A text in which nothing is markup, and in which what is invisible or would
/// turn the direction of the text around can be seen: `⟦U+202E⟧`.
fn escaped(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| !matches!(c, '&' | '<' | '>' | '"' | '\'') && !is_hidden(c);
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if is_hidden(c) => safe.push_str(&code_point(c)),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Whether a character is shown by its code point. Joiners are part of words
/// and of emoji.
fn is_hidden(c: char) -> bool {
    let is_break = matches!(c, '\n' | '\t');
    let is_joiner = matches!(c, '\u{200c}' | '\u{200d}' | '\u{34f}');
    (c.is_control() && !is_break) || (is_invisible(c) && !is_joiner)
}

fn code_point(c: char) -> String {
    format!("⟦U+{:04X}⟧", u32::from(c))
}

/// A text with what is hidden shown, for JSON.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match is_hidden(c) {
            true => shown.push_str(&code_point(c)),
            false => shown.push(c),
        }
    }
    shown
}

/// Data for the script of the page, as a block that is no script.
fn data_block(data: &Value) -> Html {
    let json = data.to_string().replace('<', "\\u003c");
    Html::made(format!(
        "<script type=\"application/json\" id=\"data\">{json}</script>\n"
    ))
}

/// A part of a page under a heading, with the name that the navigation has for
/// it.
#[derive(Debug)]
pub(crate) struct Section {
    /// What links call it.
    pub(crate) id: &'static str,
    /// In the navigation.
    pub(crate) name: &'static str,
    /// Its heading.
    pub(crate) heading: Html,
    /// What is in it.
    pub(crate) body: Html,
}

impl Section {
    fn to_html(&self) -> Html {
        let Self {
            id, heading, body, ..
        } = self;
        markup!(
            "<section id=\"{0}\" aria-labelledby=\"{0}-heading\">\n<h2 id=\"{0}-heading\">{1}</h2>\n{2}</section>\n",
            *id,
            heading,
            body
        )
    }
}

/// What a page begins with.
#[derive(Debug)]
pub(crate) struct Masthead {
    /// In the tab of the browser.
    pub(crate) title: String,
    /// Above the headline: what the page is about.
    pub(crate) about: Html,
    /// One sentence that says it all.
    pub(crate) headline: String,
    /// What else is to be known at once.
    pub(crate) lead: Html,
}

/// Puts a page together.
pub(crate) fn shell(masthead: &Masthead, sections: &[Section], foot: &Html, data: &Value) -> Html {
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        checksum(STYLE),
        checksum(SCRIPT)
    );
    let links: Html = sections
        .iter()
        .map(|section| {
            markup!(
                "<li><a href=\"#{}\">{}</a></li>\n",
                section.id,
                section.name
            )
        })
        .collect();
    let body: Html = sections.iter().map(Section::to_html).collect();
    let head = markup!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"generator\" content=\"prep {}\">\n\
         <title>{}</title>\n<style>{}</style>\n</head>\n",
        policy,
        env!("CARGO_PKG_VERSION"),
        masthead.title,
        Html::made(STYLE.into()),
    );
    markup!(
        "{}<body>\n<a class=\"skip\" href=\"#main\">Skip to the report</a>\n\
         <nav aria-label=\"Sections\">\n<p class=\"brand\">prep</p>\n<ul>\n{}</ul>\n\
         <button type=\"button\" id=\"theme\" hidden>Dark</button>\n</nav>\n\
         <main id=\"main\">\n<header>\n<p class=\"about\">{}</p>\n<h1>{}</h1>\n{}</header>\n{}</main>\n\
         <footer>\n{}</footer>\n{}<script>{}</script>\n</body>\n</html>\n",
        head,
        links,
        masthead.about,
        masthead.headline,
        masthead.lead,
        body,
        foot,
        data_block(data),
        Html::made(SCRIPT.into()),
    )
}

/// A checksum as policies have it.
fn checksum(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// Text of a dataset, in its own direction.
pub(crate) fn data(text: &str) -> Html {
    markup!("<bdi>{}</bdi>", text)
}

/// A sentence in which what stands in backticks is code.
pub(crate) fn sentence(text: &str) -> Html {
    let parts = text.split('`').enumerate();
    parts
        .map(|(n, part)| match n % 2 {
            0 => markup!("{}", part),
            _ => markup!("<code>{}</code>", part),
        })
        .collect()
}

/// A paragraph of text of a dataset, in its own direction, with its line
/// breaks.
pub(crate) fn data_block_of(text: &str) -> Html {
    markup!("<p class=\"data\" dir=\"auto\">{}</p>\n", text)
}

/// What opens on request.
pub(crate) fn details(summary: &str, body: &Html) -> Html {
    markup!(
        "<details>\n<summary>{}</summary>\n{}</details>\n",
        summary,
        body
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HOSTILE: &str =
        "</script><script>alert(1)</script><img src=x onerror=alert(1)> \"'& \u{202e}\u{0}";

    #[test]
    fn text_is_never_markup() {
        let shown = markup!("<p title=\"{}\">{}</p>", HOSTILE, HOSTILE).into_string();
        assert_eq!(shown.matches('<').count(), 2);
        assert!(shown.contains("⟦U+202E⟧⟦U+0000⟧"), "{shown}");
        assert!(!shown.contains('\u{202e}'));
        assert!(shown.contains("&quot;&#39;&amp;"));
        assert_eq!(
            markup!("{}", "a\n\tپ\u{200c}").into_string(),
            "a\n\tپ\u{200c}"
        );
        assert_eq!(
            markup!("{} {}", 1234_u64, Html::made("<b>".into())).into_string(),
            "1,234 <b>"
        );
    }

    #[test]
    fn data_ends_no_script() {
        let block = data_block(&json!({"text": HOSTILE})).into_string();
        assert_eq!(block.matches('<').count(), 2);
        let json = block.split_once('>').unwrap().1;
        let json = json.rsplit_once("</script>").unwrap().0;
        let read: Value = serde_json::from_str(json).unwrap();
        assert_eq!(read["text"], HOSTILE);
    }

    #[test]
    fn a_page_allows_nothing_from_elsewhere() {
        let masthead = Masthead {
            title: HOSTILE.into(),
            about: Html::new(),
            headline: HOSTILE.into(),
            lead: Html::new(),
        };
        let page = shell(&masthead, &[], &Html::new(), &json!({})).into_string();
        assert!(page.contains("default-src &#39;none&#39;"));
        assert!(!page.contains("alert(1)<"), "hostile markup");
        for foreign in ["http:", "https:", "//cdn", "@import", "url("] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert!(!page.contains(" style="));
        assert_eq!(page.matches("<script").count(), 2);
    }
}
