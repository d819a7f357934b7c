//! The parts of a text that a program fills in or reads: placeholders, tags and
//! escapes.
//!
//! Known are `printf` (`%s`, `%1$d`, `%(name)s`), braces (`{}`, `{name}`,
//! `{{name}}`, `${name}`, `#{name}`, `%{name}`), the tags and variables of Ren'Py
//! (`{w=.5}`, `{/i}`, `[player.name!t]`), the arguments of ICU
//! MessageFormat with their arms, `%NAME%`, `$NAME`, `[[name]]`, `[b]…[/b]`,
//! XML and HTML tags, and the escapes `\n` and `\t` written out. What is
//! ordinary text in many languages (`50% de`, `a < b`, `[laughs]`, `{no way}`) is
//! none.

use std::ops::Range;

/// A placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placeholder {
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// What it is, with what may change in a translation left out.
    pub(super) key: String,
}

/// The placeholders of a text, in order.
pub(super) fn placeholders(text: &str) -> Vec<Placeholder> {
    let mut found = Vec::new();
    read(text, 0..text.len(), &mut found);
    found
}

fn read(text: &str, within: Range<usize>, found: &mut Vec<Placeholder>) {
    let bytes = text.as_bytes();
    let mut at = within.start;
    while let Some(n) = bytes[at..within.end]
        .iter()
        .position(|byte| matches!(byte, b'{' | b'%' | b'<' | b'[' | b'\\' | b'$'))
    {
        let start = at + n;
        let rest = &text[start..within.end];
        let before = text[within.start..start].chars().next_back();
        let read = match bytes[start] {
            b'{' => brace(rest, start, before, found),
            b'%' => percent(rest, before),
            b'<' => tag(rest),
            b'[' => bracket(rest, text),
            b'$' => dollar(rest),
            _ => escape(rest, before),
        };
        at = match read {
            Some((length, key)) => {
                let range = start..start + length;
                found.push(Placeholder { range, key });
                start + length
            }
            None => start + 1,
        };
    }
}

/// How long a placeholder is at the most: beyond it braces hold text.
const MOST_BYTES: usize = 60;

type Read = Option<(usize, String)>;

/// Reads what begins with a brace. The placeholders in the arms of a message
/// are found on the way, each once: languages have different arms.
fn brace(rest: &str, start: usize, before: Option<char>, found: &mut Vec<Placeholder>) -> Read {
    let sigil = match before {
        Some(c @ ('#' | '@')) => c.to_string(),
        _ => String::new(),
    };
    if let Some(inside) = rest.strip_prefix("{{") {
        let inside = &inside[..inside.find("}}").filter(|&n| n <= MOST_BYTES)?];
        return Some((
            inside.len() + 4,
            format!("{sigil}{{{{{}}}}}", inside.trim()),
        ));
    }
    let inside = &rest[1..matching(rest)?];
    let length = inside.len() + 2;
    if let Some((name, kind, arms)) = message(inside) {
        let mut of_arms = Vec::new();
        read_arms(arms, start + 1 + inside.len() - arms.len(), &mut of_arms);
        for placeholder in of_arms {
            if !found.iter().any(|known| known.key == placeholder.key) {
                found.push(placeholder);
            }
        }
        return Some((length, format!("{{{name}, {kind}}}")));
    }
    if let Some(name) = set(inside) {
        return Some((length, format!("{{{name}=}}")));
    }
    let is_name = |c: char| c.is_alphanumeric() || "_.:!-[]/$'%,".contains(c);
    let tight = inside.replace(", ", ",");
    let is_placeholder = inside.len() <= MOST_BYTES && tight.chars().all(is_name);
    is_placeholder.then(|| (length, format!("{sigil}{{{tight}}}")))
}

/// The name of a tag of Ren'Py that sets something: `{color=#0080c0}`, `{w=.5}`.
fn set(inside: &str) -> Option<&str> {
    let (name, value) = inside.split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_value = !value.is_empty() && !value.contains(char::is_whitespace);
    (is_name && is_value).then_some(name)
}

/// The arms of a message are texts with placeholders of their own.
fn read_arms(arms: &str, start: usize, found: &mut Vec<Placeholder>) {
    let mut at = 0;
    while let Some(n) = arms[at..].find('{') {
        let open = at + n;
        let Some(length) = matching(&arms[open..]) else {
            return;
        };
        let mut of_arm = Vec::new();
        let inside = &arms[open + 1..open + length];
        read(inside, 0..inside.len(), &mut of_arm);
        for mut placeholder in of_arm {
            placeholder.range.start += start + open + 1;
            placeholder.range.end += start + open + 1;
            if !found.iter().any(|known| known.key == placeholder.key) {
                found.push(placeholder);
            }
        }
        at = open + length + 1;
    }
}

/// Where the brace is that closes the first one.
fn matching(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Name, kind and arms of an argument of MessageFormat that chooses.
fn message(inside: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = inside.split_once(',')?;
    let (kind, arms) = rest.split_once(',')?;
    let kind = kind.trim();
    matches!(kind, "plural" | "select" | "selectordinal").then_some((name.trim(), kind, arms))
}

/// `%s`, `%1$d`, `%.2f`, `%(name)s`, `%{name}` and `%NAME%`; not `50% de` or `%%`.
fn percent(rest: &str, before: Option<char>) -> Read {
    let after = &rest[1..];
    if let Some(inside) = after.strip_prefix('(') {
        let inside = &inside[..inside.find(')').filter(|&n| n <= MOST_BYTES)?];
        let kind = after[inside.len() + 2..]
            .chars()
            .next()
            .filter(char::is_ascii_alphabetic)?;
        return Some((inside.len() + 4, format!("%({inside}){kind}")));
    }
    if let Some(inside) = after.strip_prefix('{') {
        let inside = &inside[..inside.find('}').filter(|&n| n <= MOST_BYTES)?];
        return Some((inside.len() + 3, format!("%{{{inside}}}")));
    }
    let is_upper = |c: char| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit();
    let name = after.len() - after.trim_start_matches(is_upper).len();
    if name >= 2 && after[name..].starts_with('%') {
        return Some((name + 2, format!("%{}%", &after[..name])));
    }
    if before.is_some_and(|c| c.is_ascii_digit() || c == '%') {
        return None;
    }
    let is_width =
        |c: char| c.is_ascii_digit() || matches!(c, '$' | '.' | '-' | '+' | '#' | '*' | '\'');
    let width = after.len() - after.trim_start_matches(is_width).len();
    let kinds = after[width..].trim_start_matches(['l', 'h', 'z', 'q']);
    let kind = kinds
        .chars()
        .next()
        .filter(|c| "sdiufgxXcC@".contains(*c))?;
    let length = rest.len() - kinds.len() + kind.len_utf8();
    Some((length, rest[..length].to_owned()))
}

/// `<b>`, `</b>`, `<br/>`, `<a href="…">`: by name. Of what a program numbers
/// (`<x id="1"/>`), by number, too.
fn tag(rest: &str) -> Read {
    let end = rest.find('>')?;
    let inside = &rest[1..end];
    if inside.contains(['<', '\n'])
        || inside.contains('@')
        || inside.contains("://") && !inside.contains('=')
    {
        return None;
    }
    let name = inside.trim_start_matches('/');
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.');
    let (name, attributes) = name.split_at(name.find(|c| !is_name(c)).unwrap_or(name.len()));
    let is_tag = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && (attributes.is_empty() || attributes.starts_with([' ', '/', '=', '\t']));
    if !is_tag {
        return None;
    }
    let slash = if inside.starts_with('/') { "/" } else { "" };
    let id = attributes
        .split_once("id=\"")
        .and_then(|(_, id)| id.split_once('"'));
    let id = id.map_or(String::new(), |(id, _)| format!(" id=\"{id}\""));
    Some((end + 1, format!("<{slash}{name}{id}>")))
}

/// `[[name]]`, `[PLAYER_NAME]`, `[player.name]`, `[tag=…]`, and `[b]` where `[/b]` follows; not
/// `[laughs]`.
fn bracket(rest: &str, text: &str) -> Read {
    if let Some(inside) = rest.strip_prefix("[[") {
        let inside = &inside[..inside.find("]]").filter(|&n| n <= MOST_BYTES)?];
        return Some((inside.len() + 4, format!("[[{inside}]]")));
    }
    let inside = &rest[1..rest.find(']').filter(|&n| n <= MOST_BYTES)?];
    let name = inside.trim_start_matches('/');
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let (name, value) = name.split_at(name.find(|c| !is_name(c)).unwrap_or(name.len()));
    if name.is_empty() {
        return None;
    }
    let length = inside.len() + 2;
    let is_constant = value.is_empty()
        && name.contains('_')
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit());
    if is_constant {
        return Some((length, format!("[{inside}]")));
    }
    if is_variable(inside) {
        return Some((length, format!("[{inside}]")));
    }
    let is_closing = inside.starts_with('/') && value.is_empty();
    let is_opening =
        (value.is_empty() || value.starts_with('=')) && text.contains(&format!("[/{name}]"));
    let slash = if is_closing { "/" } else { "" };
    (is_closing || is_opening).then(|| (length, format!("[{slash}{name}]")))
}

/// Whether brackets of Ren'Py hold a variable that no prose has: `player_name`,
/// `player.name`, `answer!t`.
fn is_variable(inside: &str) -> bool {
    let (name, conversion) = inside.split_once('!').unwrap_or((inside, "t"));
    let is_plain = |part: &str| {
        let mut bytes = part.bytes();
        bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let is_conversion =
        !conversion.is_empty() && conversion.bytes().all(|byte| b"tqulicr!".contains(&byte));
    let is_marked = name.contains(['_', '.']) || inside.contains('!');
    is_marked && is_conversion && name.split('.').all(is_plain)
}

/// `${name}` and `$NAME`; not `US$` or `$5`.
fn dollar(rest: &str) -> Read {
    if let Some(inside) = rest.strip_prefix("${") {
        let inside = &inside[..inside.find('}').filter(|&n| n <= MOST_BYTES)?];
        return Some((inside.len() + 3, format!("${{{inside}}}")));
    }
    let name = rest[1..].len()
        - rest[1..]
            .trim_start_matches(|c: char| c.is_ascii_uppercase() || c == '_')
            .len();
    (name >= 2).then(|| (name + 1, rest[..=name].to_owned()))
}

/// `\n` and `\t`, written out; not in `C:\new`.
fn escape(rest: &str, before: Option<char>) -> Read {
    let is_escape = rest.starts_with("\\n") || rest.starts_with("\\t") || rest.starts_with("\\r");
    (is_escape && before != Some(':')).then(|| (2, rest[..2].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        let found = placeholders(text);
        for placeholder in &found {
            assert!(
                text.get(placeholder.range.clone()).is_some(),
                "{placeholder:?}"
            );
        }
        found
            .into_iter()
            .map(|placeholder| placeholder.key)
            .collect()
    }

    #[test]
    fn placeholders_are_known() {
        for (text, expected) in [
            ("%s has %1$d of %.2f", &["%s", "%1$d", "%.2f"][..]),
            (
                "%(name)s, %{n} and %PLAYER%",
                &["%(name)s", "%{n}", "%PLAYER%"],
            ),
            (
                "{} {0} {name} {{ order }} ${x} #{y}",
                &["{}", "{0}", "{name}", "{{order}}", "${x}", "#{y}"],
            ),
            ("{n, number} {n,number}", &["{n,number}", "{n,number}"]),
            (
                "{count, plural, one {# file of {name}} other {# files of {name}}}",
                &["{name}", "{count, plural}"],
            ),
            (
                "<b>Hi</b><br/> <a href=\"x\">y</a>",
                &["<b>", "</b>", "<br>", "<a>", "</a>"],
            ),
            (
                "<x id=\"1\"/><g id=\"2\">",
                &["<x id=\"1\">", "<g id=\"2\">"],
            ),
            (
                "[[Link]] [b]x[/b] [PLAYER_NAME]",
                &["[[Link]]", "[b]", "[/b]", "[PLAYER_NAME]"],
            ),
            (
                "{w=.5}{a=https://example.org}No{/a}{size=+10}",
                &["{w=}", "{a=}", "{/a}", "{size=}"],
            ),
            (
                "[player.name] [pov_name!t] [answer!q!t]",
                &["[player.name]", "[pov_name!t]", "[answer!q!t]"],
            ),
            ("[no!] [sic.] [e.g.] [no way!] {x = y}", &[]),
            ("a\\nb $HOME", &["\\n", "$HOME"]),
            ("50% de descuento, 100% seguro, 5%", &[]),
            ("a < b and c > d, <me@x.org>, <3", &[]),
            ("[laughs] {no way!} [1] $5 US$", &[]),
            ("C:\\new", &[]),
            ("%", &[]),
            ("{", &[]),
            ("%%", &[]),
        ] {
            assert_eq!(keys(text), expected, "{text}");
        }
    }
}
