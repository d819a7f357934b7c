//! Faults that are put into good pairs are found, and good pairs are let pass.

use proptest::prelude::*;

use super::*;

/// The context of a dataset from English to Spanish, too small to learn from.
fn context(preset: Preset) -> PairContext {
    let wanted = Wanted {
        source_tag: Some("en".into()),
        target_tag: Some("es-419".into()),
        source_prefix: None,
    };
    PairContext {
        preset,
        learnt: Survey::default().finish(&wanted),
        glossary: None,
    }
}

/// The codes of what is found in a pair, whatever its level in the preset.
fn found(source: &str, target: &str, context: &PairContext) -> Vec<&'static str> {
    let mut levels = Levels::default();
    levels.set("P", Level::Warn).unwrap();
    let pair = Pair::new(source, target, &context.learnt);
    let rules = active(&levels);
    let found = rules
        .iter()
        .filter(|rule| rule.ask(&pair, context).is_some());
    found.map(|rule| rule.rule().code.code).collect()
}

/// Good pairs with a number, a placeholder, a tag and an address each, in any
/// order of their parts.
fn good() -> impl Strategy<Value = (String, String, u32)> {
    let parts = Just([0, 1, 2, 3]).prop_shuffle();
    (parts, 13..9000_u32, "[a-z]{3,9}").prop_map(|(order, n, name)| {
        let number = n.to_string();
        let source = [
            format!("you have {number} coins"),
            format!("the name is {{{name}}}"),
            "press <b>the button</b>".to_owned(),
            format!("see https://{name}.org/help"),
        ];
        let target = [
            format!("tienes {number} monedas"),
            format!("el nombre es {{{name}}}"),
            "presiona <b>el botón</b>".to_owned(),
            format!("véase https://{name}.org/help"),
        ];
        let join = |parts: &[String]| order.map(|n| parts[n].clone()).join(", ") + ".";
        (join(&source), join(&target), n)
    })
}

proptest! {
    #[test]
    fn a_good_pair_is_let_pass((source, target, _) in good()) {
        for preset in Preset::ALL {
            prop_assert_eq!(found(&source, &target, &context(preset)), Vec::<&str>::new(), "{} | {}", source, target);
        }
    }

    #[test]
    fn damage_is_found_by_the_rule_that_minds_it((source, target, n) in good(), by in 1..500_u32) {
        let context = context(Preset::Ui);
        let damages = [
            ("P004", target.replace(&n.to_string(), &(n + by).to_string())),
            ("P005", target.replace('{', "{x")),
            ("P005", target.replace("</b>", "")),
            ("P005", target.replace("<b>", "<i>")),
            ("P006", target.replace(".org", ".com")),
            ("P001", "…".to_owned()),
            ("P002", source.clone()),
            ("P003", target.repeat(6).replace("nombre", "apellido")),
            ("P007", format!("¿{}?", target.trim_end_matches('.'))),
            ("P007", format!("{target} Hola!")),
            ("P008", format!("({target}")),
            ("P010", target.replace("monedas", "monеdas")),
            ("P011", target.replace("monedas", &"monedas de oro ".repeat(8))),
            ("P012", target.replace("tienes", "tenéis")),
            ("P013", target.replace("tienes", "tienes, usted,")),
        ];
        for (code, damaged) in damages {
            let codes = found(&source, &damaged, &context);
            prop_assert!(codes.contains(&code), "{code}: {codes:?} in {damaged}");
        }
    }

    /// No text makes a rule panic, and what it says is of the text.
    #[test]
    fn what_is_said_stands_in_the_text(source in text(), target in text()) {
        for preset in Preset::ALL {
            let mut context = context(preset);
            context.glossary = Some(Glossary::parse("a,b\nmana,maná,magia\n").unwrap());
            context.learnt.target_script = Some(script::Script::Latin);
            let mut levels = Levels::default();
            levels.set("P", Level::Warn).unwrap();
            let pair = Pair::new(&source, &target, &context.learnt);
            for rule in active(&levels) {
                if let Some(said) = rule.ask(&pair, &context) {
                    let text = match said.side {
                        PairSide::Source => pair.source,
                        PairSide::Target => pair.target,
                    };
                    prop_assert!(said.range.end <= text.len().max(1), "{said:?} {source:?} {target:?}");
                    prop_assert!(!said.message.is_empty());
                }
            }
        }
    }
}

/// Any text, with much of what rules look at.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            "{",
            "}",
            "{{",
            "}}",
            "%",
            "%s",
            "%(",
            "<",
            "</b>",
            ">",
            "[[",
            "]",
            "[/b]",
            "\\n",
            "$",
            "${",
            "(",
            ")",
            "«",
            "»",
            "“",
            "„",
            "\"",
            "¿",
            "?",
            "¡",
            "!",
            "...",
            "12",
            "1,234.5",
            "5:30 p.m.",
            "2019–20",
            "8点半",
            "万",
            "http://",
            "www.",
            "a@b.co",
            "mana",
            "magia",
            " ",
            "\n",
            "İ",
            "ß",
            "３",
            "no no no no no no no ",
            "os",
            "XIV",
            "{n, plural, one {# {x}} other {}}",
            "点",
            ".",
            ":",
            "-",
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

#[test]
fn an_answer_is_not_compared_with_its_question() {
    let mut survey = Survey::default();
    for n in 0..20 {
        survey.add(
            &format!("Where is the order that I placed with you {n} days ago?"),
            "It left our warehouse this morning, and it should be with you on Monday.",
        );
    }
    let context = PairContext {
        preset: Preset::Chat,
        learnt: survey.finish(&Wanted::default()),
        glossary: None,
    };
    assert_eq!(context.learnt.relation, learn::Relation::Answer);
    let asked = "Where is my order 4711? I wrote to help@example.org.";
    assert_eq!(
        found(asked, "Dear {{name}}, it is on its way.", &context),
        Vec::<&str>::new()
    );
    assert_eq!(found(asked, asked, &context), ["P002"]);
}

#[test]
fn every_level_is_of_a_rule() {
    for preset in Preset::ALL {
        for (code, _) in preset.levels() {
            assert!(RULES.iter().any(|rule| rule.code.code == code), "{code}");
        }
    }
    let is_off =
        |rule: &&&Rule| matches!(rule.check, Check::Pair(_)) && rule.code.level != Level::Allow;
    assert_eq!(RULES.iter().find(is_off).map(|rule| rule.code.code), None);
}
