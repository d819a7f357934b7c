//! The page of `prep stats --html` in a browser: it shows without an error, its
//! filter works, and text of a dataset stays text.
//!
//! It needs `chromedriver` and Chromium: Debian's `chromium` and
//! `chromium-driver`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod run;

use run::browser::Browser;
use run::{Place, skip};
use serde_json::{Value, json};

const HOSTILE: &[&str] = &[
    "<script>window.hostile = 1</script>",
    "</script><script>window.hostile = 2</script>",
    "<img src=x onerror=\"window.hostile = 3\">",
    "'\"><svg onload=window.hostile=4>",
    "<!--<script>",
    "turned \u{202e}around\u{202c} here",
    "שלום לכולם, מה שלומכם היום",
];

fn example(user: &str, model: &str) -> String {
    let turn = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
    let example = json!({
        "systemInstruction": {"parts": [{"text": HOSTILE[1]}]},
        "contents": [turn("user", user), turn("model", model)],
    });
    format!("{example}\n")
}

/// A dataset with every hostile text as prompt, as answer, as system
/// instruction, twice, and nearly so; and plenty of others.
fn dataset() -> String {
    let mut lines = String::new();
    for text in HOSTILE {
        lines += &example(text, &format!("{text} as the answer"));
        lines += &example(text, &format!("{text} as the answer"));
        lines += &example(
            &format!("{text} and the same again, with a longer tail"),
            text,
        );
        lines += &example(
            &format!("{text} and the same again, with a longer tale"),
            text,
        );
    }
    for n in 0..60 {
        lines += &example(
            &format!("What is {n} and {n}?"),
            &format!("It is {}.", 2 * n),
        );
    }
    lines + "{\"</script>\":\"<b>no example</b>\"}\n"
}

/// A page in a browser, or `None` where there is no browser.
fn page(width: u32) -> Option<(Place, Browser)> {
    let Some(browser) = Browser::start(width, 900) else {
        skip("the report is not looked at: there is no `chromedriver`");
        return None;
    };
    let place = Place::with("<b>hostile<b>.jsonl", dataset());
    let metrics = r#"{"schema":1,"job":"<b>job</b>","series":[{"name":"</title><script>","points":[{"step":1,"value":2},{"step":2,"value":1.5}]}]}"#;
    place.write("metrics.json", metrics);
    let arguments = [
        "stats",
        "<b>hostile<b>.jsonl",
        "--html",
        "report.html",
        "--metrics",
        "metrics.json",
    ];
    let run = place.prep(&arguments);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    browser.open(&place.path("report.html"), "");
    Some((place, browser))
}

/// The examples that are listed, and the count that is told.
fn listed(browser: &Browser) -> (u64, String) {
    let told = browser.run(
        "return [document.querySelectorAll('#example-list article').length, \
         document.getElementById('count').textContent]",
    );
    (
        told[0].as_u64().unwrap(),
        told[1].as_str().unwrap().to_owned(),
    )
}

#[test]
fn text_of_a_dataset_stays_text() {
    let Some((_place, browser)) = page(1400) else {
        return;
    };
    assert_eq!(browser.console(), Vec::<String>::new());
    assert_eq!(browser.run("return window.hostile ?? null"), Value::Null);
    let strays =
        "return document.querySelectorAll('main img, main script, main b, main [onload]').length";
    assert_eq!(browser.run(strays), 0);
    assert_eq!(
        browser.run("return performance.getEntriesByType('resource').length"),
        0
    );
    let text = browser.run("return document.body.innerText");
    let text = text.as_str().unwrap();
    assert!(text.contains("<script>window.hostile = 1</script>"));
    assert!(text.contains("<b>hostile<b>.jsonl"));
    assert!(text.contains("turned ⟦U+202E⟧around⟦U+202C⟧ here"));
    assert!(!text.contains('\u{202e}'));
    let shown =
        "return [...document.querySelectorAll('#example-list p.data')].map((p) => p.textContent)";
    let shown = browser.run(shown);
    let shown: Vec<_> = shown
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for text in HOSTILE.iter().take(5) {
        assert!(shown.contains(text), "{text}: {shown:?}");
    }
    // The policy is what stops what escaping might not: nothing inline runs.
    browser.run(
        "const script = document.createElement('script'); script.textContent = 'window.hostile = 5'; \
         document.body.append(script)",
    );
    assert_eq!(browser.run("return window.hostile ?? null"), Value::Null);
    let refused = browser.console();
    assert!(
        refused
            .iter()
            .any(|line| line.contains("Content Security Policy")),
        "{refused:?}"
    );
}

#[test]
fn examples_can_be_searched() {
    let Some((_place, browser)) = page(1000) else {
        return;
    };
    let (articles, all) = listed(&browser);
    assert_eq!((articles, &*all), (20, "89 examples"));
    browser.run("document.getElementById('more').click()");
    assert_eq!(listed(&browser).0, 40);
    // From the keyboard: `/` leads to the search.
    browser.type_into("body", "/");
    let focused = "return document.activeElement.id";
    assert_eq!(browser.run(focused), "search");
    browser.type_into("#search", "ONERROR");
    let (articles, count) = listed(&browser);
    assert_eq!((articles, &*count), (4, "4 of 89 examples"));
    let marked = "return [...document.querySelectorAll('#example-list mark')].every((mark) => mark.textContent === 'onerror')";
    assert_eq!(browser.run(marked), true);
    assert_eq!(
        browser.run("return document.getElementById('count').getAttribute('aria-live')"),
        "polite"
    );
    browser.run("document.querySelector('[name=clear]').click()");
    assert_eq!(listed(&browser).1, "89 examples");
    // By rule: from the finding, and by the choice.
    browser.run("document.querySelector('button[data-code=D001]').click()");
    let (_, count) = listed(&browser);
    assert_eq!(
        browser.run("return document.getElementById('code').value"),
        "D001"
    );
    assert!(count.ends_with(" of 89 examples"), "{count}");
    browser.run("document.querySelector('[name=clear]').click()");
    let by_language = "const choice = document.getElementById('language'); choice.value = 'Hebrew'; \
         choice.dispatchEvent(new Event('input', {bubbles: true}))";
    browser.run(by_language);
    let (articles, count) = listed(&browser);
    assert!(
        articles >= 4 && count.ends_with(" of 89 examples"),
        "{count}"
    );
    // A point of the scatter leads to its example.
    browser.run("document.querySelector('.scatter a').dispatchEvent(new MouseEvent('click', {bubbles: true}))");
    let point = "const id = document.querySelector('.scatter a').getAttribute('href').slice(1); \
         location.hash = id; return id";
    let id = browser.run(point);
    let shown = "return [...document.querySelectorAll('#example-list h3')].map((h) => h.id)";
    let mut ids = browser.run(shown);
    for _ in 0..50 {
        if ids == json!([id]) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
        ids = browser.run(shown);
    }
    assert_eq!(ids, json!([id]));
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn the_page_is_for_everybody() {
    let Some((_place, browser)) = page(360) else {
        return;
    };
    // Nothing but tables, which scroll by themselves, is wider than a phone.
    let wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.run(wide), 0);
    let unnamed = "return [...document.querySelectorAll('svg[role=img], figure, section, form, nav')] \
         .filter((element) => { \
           const by = element.getAttribute('aria-labelledby'); \
           const name = element.getAttribute('aria-label') || \
             (by && document.getElementById(by)?.textContent); \
           return !name; \
         }).map((element) => element.outerHTML.slice(0, 80))";
    assert_eq!(browser.run(unnamed), json!([]));
    let tables = "return [...document.querySelectorAll('table')].filter((table) => \
         !table.caption || [...table.querySelectorAll('th')].some((th) => !th.scope)).length";
    assert_eq!(browser.run(tables), 0);
    let ids = "const ids = [...document.querySelectorAll('[id]')].map((element) => element.id); \
         return ids.length - new Set(ids).size";
    assert_eq!(browser.run(ids), 0);
    let headings = "const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map((h) => Number(h.tagName[1])); \
         return levels.filter((level, n) => n > 0 && level > levels[n - 1] + 1).length";
    assert_eq!(browser.run(headings), 0);
    // Text keeps its contrast in both themes.
    for theme in ["light", "dark"] {
        let contrast = "document.documentElement.dataset.theme = '@'; \
             const parse = (color) => color.match(/[0-9.]+/g).slice(0, 3).map(Number); \
             const light = (color) => parse(color).map((c) => c / 255) \
               .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) \
               .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0); \
             const ground = light(getComputedStyle(document.body).backgroundColor); \
             const of = (selector) => { \
               const ink = light(getComputedStyle(document.querySelector(selector)).color); \
               return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05); \
             }; \
             return ['h1', '.quiet', 'figcaption', 'summary', 'th', '.who'].map(of)"
            .replace('@', theme);
        for ratio in browser.run(&contrast).as_array().unwrap() {
            assert!(ratio.as_f64().unwrap() >= 4.5, "{theme}: {ratio}");
        }
    }
    browser.run(
        "delete document.documentElement.dataset.theme; document.getElementById('theme').click()",
    );
    let theme = browser.run("return document.documentElement.dataset.theme");
    assert!(theme == "dark" || theme == "light");
    assert_eq!(browser.console(), Vec::<String>::new());
}

/// Predictions that are hostile in every part that a page shows.
fn predictions(with: &str) -> String {
    let line = |n: usize, text: &str| {
        let turn = json!({"role": "user", "parts": [{"text": format!("{text} asked {n}")}]});
        json!({
            "input": {"contents": [turn]}, "reference": format!("{text} wanted"),
            "prediction": format!("{text} {with} {n}"), "finishReason": text, "domain": text,
        })
        .to_string()
            + "\n"
    };
    let lines = HOSTILE.iter().enumerate();
    lines.map(|(n, text)| line(n, text)).collect()
}

#[test]
fn the_page_of_eval_shows_text_as_text() {
    let place = Place::with("<b>base<b>.jsonl", predictions("was"));
    place.write("tuned.jsonl", predictions("wanted"));
    let compared = ["eval", "--compare", "<b>base<b>.jsonl", "tuned.jsonl"];
    let more = ["--by", "domain", "--preset", "web", "--samples", "50"];
    let run = place.prep(&[&compared[..], &more, &["--html", "report.html"]].concat());
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    let printed = place.prep(&[&compared[..], &more, &["--format", "html"]].concat());
    let written = String::from_utf8(place.read("report.html")).unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(
        written.starts_with(&printed),
        "the page is the same wherever it goes"
    );
    assert_eq!(printed.matches("<script").count(), 2);
    for part in [
        "<del>",
        "<ins>",
        "chrF2|nrefs:1|bs:50",
        "P004 numbers-differ",
        "by domain",
    ] {
        assert!(printed.contains(part), "{part}");
    }
    // What someone else wrote is not replaced.
    place.write("mine.html", "mine");
    let run = place.prep(&[&compared[..], &["--html", "mine.html"]].concat());
    assert_eq!(run.status.code(), Some(2));
    assert_eq!(place.read("mine.html"), b"mine");
    let one = place.prep(&["eval", "tuned.jsonl", "-m", "chrf", "--format", "html"]);
    let one = String::from_utf8(one.stdout).unwrap();
    assert!(
        one.contains("bs:1000|seed:12345") && one.contains(" ± "),
        "{one}"
    );

    let Some(browser) = Browser::start(360, 900) else {
        skip("the report of eval is not looked at: there is no `chromedriver`");
        return;
    };
    browser.open(&place.path("report.html"), "");
    assert_eq!(browser.console(), Vec::<String>::new());
    assert_eq!(browser.run("return window.hostile ?? null"), Value::Null);
    let strays =
        "return document.querySelectorAll('main img, main script, main b, main [onload]').length";
    assert_eq!(browser.run(strays), 0);
    let text = browser.run("return document.body.innerText");
    let text = text.as_str().unwrap();
    assert!(
        text.contains("<script>window.hostile = 1</script> asked 0"),
        "{text}"
    );
    assert!(text.contains("<b>base<b>.jsonl"));
    assert!(!text.contains('\u{202e}'));
    let wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.run(wide), 0);
    let headings = "const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map((h) => Number(h.tagName[1])); \
         return levels.filter((level, n) => n > 0 && level > levels[n - 1] + 1).length";
    assert_eq!(browser.run(headings), 0);
}
