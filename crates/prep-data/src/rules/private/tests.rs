//! Secrets that must be found, those that are none, and that nothing shows
//! them.

use proptest::prelude::*;

use crate::diag::Level;
use crate::example::{Content, Example, Role, write};
use crate::json::{loosely_unescape, unescape};
use crate::rules::tests::check_all;
use crate::rules::{Context, Found, Levels, masked};

fn found(answer: &str) -> Vec<Found> {
    let mut line = Vec::new();
    let contents = [(Role::User, "Tell me."), (Role::Model, answer)];
    let contents = contents.map(|(role, text)| Content::text(role, text.to_owned()));
    let example = Example {
        contents: contents.into(),
        ..Example::default()
    };
    write::line(&example, &mut line);
    let findings = check_all(&line, &Context::default(), &Levels::default(), false);
    let is_ours = |found: &Found| ("E060".."E080").contains(&found.rule.code.code);
    findings.found.into_iter().filter(is_ours).collect()
}

/// Checks that a secret is found by this rule alone, and shown by nothing.
#[track_caller]
fn check(code: &str, secret: &str) {
    for text in [
        format!("It is {secret}, I think."),
        secret.to_owned(),
        format!("它是“{secret}”。"),
        format!("é\"\n\t{secret}\n{secret} &amp; \u{200b}{secret}"),
    ] {
        let found = found(&text);
        assert!(
            found.iter().any(|found| found.rule.code.code == code),
            "{text}: {found:?}"
        );
        let is_other =
            |found: &&Found| found.rule.code.code >= "E073" && found.rule.code.code != code;
        assert!(
            !found.iter().any(|found| is_other(&found)),
            "{text}: {found:?}"
        );
        let middle: String = secret.chars().skip(secret.len() / 2).take(5).collect();
        for found in found {
            let shown = format!("{found:?}");
            assert!(!shown.contains(&middle), "{middle} of {text}: {shown}");
            let window = &found.window;
            assert!(
                window.at + window.length <= window.text.chars().count(),
                "{window:?}"
            );
        }
    }
}

#[test]
fn secrets_are_found_and_not_shown() {
    let body = "q7Z3mX2k9PlW6tB4vR8nJ5cY1dH0sGfEaU2w";
    for prefix in [
        "ghp_", "gho_", "npm_", "hf_", "sk-ant-", "sk_live_", "glpat-", "xoxb-", "shpat_",
    ] {
        check("E073", &format!("{prefix}{body}"));
    }
    check("E073", &format!("AIza{}", &body[..35]));
    check("E073", &format!("AKIA{}", body[..16].to_uppercase()));
    check("E073", &format!("sk-proj-{body}T3BlbkFJ{body}"));
    check(
        "E073",
        &format!("hooks.slack.com/services/T0{body}/B0{body}"),
    );
    check(
        "E073",
        &format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"),
    );
    for address in [
        "jane.roe@acme-mail.com",
        "J_Roe+x@mail.acme.co.uk",
        "jane@acme.museum",
    ] {
        check("E074", address);
    }
    for number in [
        "+34 612 84 93 07",
        "+1 (212) 736-5084",
        "+442087436912",
        "(212) 736-5084",
        "212.736.5084",
        "138 2764 9051",
        "612 84 93 07",
    ] {
        check("E075", number);
    }
    for number in [
        "4111 1111 1111 1111",
        "5555-5555-5555-4444",
        "378282246310005",
        "6011000990139424",
        "3530111333300000",
    ] {
        check("E076", number);
    }
    for number in [
        "DE89 3704 0044 0532 0130 00",
        "GB82 WEST 1234 5698 7654 32",
        "ES9121000418450200051332",
        "NL91ABNA0417164300",
        "NO9386011117947",
    ] {
        check("E077", number);
    }
}

#[test]
fn what_is_nobodys_is_left_alone() {
    for text in [
        "jane@example.com, jane@mail.example.org, a@b.test, git@github.com:a/b.git, no-reply@acme.com",
        "@jane, a @ b, icon@2x.png, npm i pkg@1.2.3, your.name@yourcompany.com, user@host",
        "AKIAIOSFODNN7EXAMPLE sk-xxxxxxxxxxxxxxxxxxxxxxxx hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx task-force-of-the-north",
        "1984-1990, 2024-01-31 12:30, 31.12.2019 23.59, 3.14159265, 1,234,567.89, 12 345 678, 100 200 300 400",
        "ISBN 978-3-16-148410-0, v1.2.3.4.5.6.7, 192.168.100.200, 555-0142, (555) 123-4567, 800-736-5084, 123-456-7890",
        "order 4111111111111112, 1111 1111 1111 1117, id_4111111111111111, 0.4111111111111111",
        "DE88 3704 0044 0532 0130 00, ES00 0000, NL91 ABNA, RFC 2606",
        "Gene positions 1500-3500 and 20,000–30,000; 612 345 678 inhabitants; $250 000 - 300 000",
    ] {
        let minded: Vec<_> = found(text).into_iter().map(|found| found.message).collect();
        assert!(minded.is_empty(), "{text}: {minded:?}");
    }
}

#[test]
fn no_window_of_the_line_shows_a_secret() {
    let text = "<br>&amp; jane.roe@acme-mail.com\u{200b}john.doe@acme-mail.com \u{8}DE89370400440532013000";
    let found = found(text);
    assert!(found.len() >= 6, "{found:?}");
    for found in found {
        let shown = format!("{} {:?}", found.message, found.window);
        for secret in ["ane.roe", "ohn.doe", "370400", "acme"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

/// One of each kind, and what of it must not be shown.
const SECRETS: [(&str, &str); 6] = [
    ("ghp_q7Z3mX2k9PlW6tB4vR8nJ5cY1dH0sGfEaU2w", "q7Z3"),
    ("jane.roe@acme-mail.com", "ane.roe"),
    ("+34 612 84 93 07", "84 93"),
    ("4111 1111 1111 1111", "1111 1111"),
    ("DE89 3704 0044 0532 0130 00", "0044"),
    (
        r"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END PRIVATE KEY-----",
        "MIIE",
    ),
];

/// Checks that a finding of this rule shows nothing of a secret, whether the
/// rules about secrets are on or off, and has its caret at this character.
#[track_caller]
fn check_window(line: &str, code: &str, kept: &str, at: char) {
    let mut without = Levels::default();
    for (rule, _) in super::FINDERS {
        without.set(rule.code.code, Level::Allow).unwrap();
    }
    for levels in [Levels::default(), without] {
        let findings = check_all(line.as_bytes(), &Context::default(), &levels, false);
        let mut found = findings.found.iter();
        let found = found.find(|found| found.rule.code.code == code);
        let window = &found.unwrap_or_else(|| panic!("{code} {line}")).window;
        assert!(!window.text.contains(kept), "{line}: {window:?}");
        assert_eq!(window.text.chars().nth(window.at), Some(at), "{window:?}");
    }
}

#[test]
fn no_window_shows_a_secret_whichever_rules_are_on() {
    for (secret, kept) in SECRETS {
        let begun = r#"{"contents":[{"role":"user","parts":[{"text":""#;
        let answer = r#"{"role":"model","parts":[{"text":"b"}]}]"#;
        let broken = format!(r#"{begun}It is:\n{secret}"}}]}} oops"#);
        check_window(&broken, "E001", kept, 'o');
        let sound = format!("{begun}{secret} \u{200b}\"}}]}},{answer}}}");
        check_window(&sound, "E064", kept, '\u{200b}');
        let elsewhere = format!(r#"{begun}a"}}]}},{answer},"note":"{secret}"}}"#);
        check_window(&elsewhere, "E013", kept, '"');
    }
}

#[test]
fn a_secret_is_masked_however_it_is_written() {
    let check = |line: &[u8], expected: &str| {
        assert_eq!(String::from_utf8_lossy(&masked(line)), expected);
    };
    check(br#"{"a":"b"}"#, r#"{"a":"b"}"#);
    check(
        br"ask\njane.roe\u0040acme-mail.com, please",
        r"ask\nj…@a…, please",
    );
    check(br"\u12 jane@acme-mail.com \", r"\u12 j…@a… \");
    check(
        b"\xff jane@acme-mail.com \xe4\xb8",
        "\u{fffd} j…@a… \u{fffd}",
    );
}

proptest! {
    #[test]
    fn what_is_decoded_loosely_is_what_is_decoded_strictly(
        text in "([a-zé你👍\"\\\\]|\u{0}|\u{1f}|\n|\t){0,20}",
    ) {
        let mut quoted = Vec::new();
        write::string(&text, &mut quoted);
        let inside = std::str::from_utf8(&quoted[1..quoted.len() - 1]).unwrap();
        let (decoded, places) = loosely_unescape(inside.as_bytes());
        prop_assert_eq!(&decoded, &text);
        prop_assert_eq!(unescape(inside), text);
        for at in decoded.char_indices().map(|(at, _)| at).chain([decoded.len()]) {
            let before = loosely_unescape(&inside.as_bytes()[..places[at]]).0;
            prop_assert_eq!(before, &decoded[..at]);
        }
    }
}
