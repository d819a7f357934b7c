//! An answer that refuses to answer.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::{first_of, folded, head};
use crate::diag::{Code, Level};
use crate::rules::{Check, Example, Report, Rule, Signs};
use crate::text::openings::{self, Opening};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E070",
        name: "refusal",
        level: Level::Warn,
        hint: "write the answer, or drop the example",
    },
    page: include_str!("refusal.md"),
    fix: None,
    when: Signs::OPENING,
    check: Check::Example(check),
};

/// What a speaker says that cannot do something.
const CANNOT: &[&str] = &[
    "can't",
    "can’t",
    "cannot",
    "can not",
    "unable to",
    "not able to",
    "won't be able",
    "not comfortable",
    "must decline",
    "won't",
    "won’t",
    "no puedo",
    "no podré",
    "no me es posible",
    "no soy capaz",
    "no tengo permitido",
    "无法",
    "無法",
    "不能",
    "没办法",
    "沒辦法",
];

/// What a model cannot do; that a person cannot come is no refusal.
const DEEDS: &[&str] = &[
    "assist",
    "help you",
    "help with",
    "be of help",
    "fulfill",
    "fulfil",
    "comply",
    "provide",
    "generat",
    "creat",
    "engag",
    "translat",
    "answer",
    "support",
    "participat",
    "discuss",
    "complet",
    "produc",
    "respond",
    "continu",
    "write",
    "offer",
    "share",
    "process",
    "access",
    "do that",
    "with that",
    "ayudar",
    "asist",
    "cumpl",
    "proporcion",
    "gener",
    "crear",
    "traduc",
    "respond",
    "continu",
    "particip",
    "ofrec",
    "complacer",
    "complet",
    "proces",
    "escrib",
    "brindar",
    "acced",
    "hacer eso",
    "帮",
    "幫",
    "提供",
    "回答",
    "协助",
    "協助",
    "满足",
    "滿足",
    "完成",
    "生成",
    "翻译",
    "翻譯",
    "处理",
    "處理",
    "继续",
    "繼續",
    "参与",
    "支持",
    "执行",
    "执行",
    "回应",
    "回應",
];

/// Words that apologise or refuse, in the languages that prompts are often
/// translated from and into.
const APOLOGIES: &[&str] = &[
    "sorry",
    "apolog",
    "afraid",
    "unfortunately",
    "regret",
    "can't",
    "cannot",
    "unable",
    "couldn't",
    "could not",
    "can not",
    "not able",
    "won't",
    "lo siento",
    "lamento",
    "lamenta",
    "disculp",
    "perdón",
    "perdon",
    "me temo",
    "no puedo",
    "抱歉",
    "对不起",
    "對不起",
    "不好意思",
    "无法",
    "無法",
    "不能",
    "désolé",
    "excus",
    "entschuldig",
    "leid",
    "desculp",
    "scus",
    "spiac",
    "申し訳",
    "ごめん",
    "すみません",
    "죄송",
    "미안",
    "извин",
    "жаль",
];

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for (prompt, answer) in example.answers() {
        let Some(range) = refusal(&answer.text) else {
            continue;
        };
        let prompt = prompt
            .map(|prompt| folded(&prompt.text))
            .unwrap_or_default();
        // The prompt is what is said in another language or in other words.
        if first_of(&prompt, APOLOGIES).is_some() {
            continue;
        }
        let shown = &answer.text[range.clone()];
        report.text(answer, range, format!("the answer is a refusal: `{shown}`"));
    }
}

/// The beginning of an answer that is a refusal, up to what is refused.
fn refusal(answer: &str) -> Option<Range<usize>> {
    /// How far the parts are from each other, in bytes.
    const NEAR: usize = 90;
    const VERY_NEAR: usize = 32;
    let (opening, length) = openings::of(answer)?;
    let start = answer.len() - answer.trim_start().len();
    let from = match opening {
        Opening::Apology => length,
        Opening::Inability => start,
        Opening::LeadIn => return None,
    };
    static CANNOT_SEARCH: LazyLock<AhoCorasick> = LazyLock::new(|| search(CANNOT));
    static DEEDS_SEARCH: LazyLock<AhoCorasick> = LazyLock::new(|| search(DEEDS));
    let (cannot, _) = near(answer, from, NEAR, &CANNOT_SEARCH)?;
    // Without an apology, only what is said in a breath is a refusal.
    let distance = if opening == Opening::Apology {
        NEAR
    } else {
        VERY_NEAR
    };
    let (deed, end) = near(answer, cannot, distance, &DEEDS_SEARCH)?;
    // One sentence, or two: `I'm sorry. I can't help with that.`
    let between = &answer[cannot..deed];
    let is_one = !between.contains(['.', '?', '!', '\n', '。', '？', '！']);
    is_one.then_some(start..end)
}

/// The first of the words within a distance from a place: where it begins and
/// ends. The case of letters does not matter.
fn near(text: &str, from: usize, distance: usize, words: &AhoCorasick) -> Option<(usize, usize)> {
    let found = words.find(head(&text[from..], distance))?;
    Some((from + found.start(), from + found.end()))
}

fn search(words: &[&str]) -> AhoCorasick {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .build(words)
        .expect("the words are few and short")
}
