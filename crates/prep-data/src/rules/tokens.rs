//! How many tokens an example has, as the service counts and bills them.
//!
//! Each text is counted by itself and the counts are added up. A text is
//! `parts[].text`, the name of a function call or response and, all the way
//! down, every key and every string of its arguments; numbers, booleans and
//! null count nothing. Of a tool the names and descriptions of its functions
//! count, and of a schema its `format`, `description`, `enum`, `required`,
//! `example`, the keys of its properties and the schemas in it. Roles, turns
//! and the beginning of the whole cost nothing. That is how Google's own SDK
//! counts locally, and on the one job whose bill could be compared the sums
//! were equal. Media have tokens too; they cannot be counted here.

use super::example::{Example, is_named, member};
use crate::example::Role;
use crate::json::{Kind, Value};
use crate::text::tokens::Counter;

/// The tokens of an example, by who says them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenCount {
    /// The system instruction's.
    pub system: u64,
    /// The tools', all that is declared of them.
    pub tools: u64,
    /// The turns' before the model's: users' and function responses.
    pub user: u64,
    /// The model turns'.
    pub model: u64,
    /// The completions', of an example of preferences.
    pub completions: u64,
    /// Those of the longest completion.
    pub longest_completion: u64,
    /// How many media there are, whose tokens are not counted.
    pub media: u64,
}

impl TokenCount {
    /// All tokens, each once.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.prompt() + self.model + self.completions
    }

    /// Those that the limit of an example is about: the prompt and its answer,
    /// or the longest of its completions.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.prompt() + self.model + self.longest_completion
    }

    /// Those that one pass of training bills: with completions, the prompt
    /// counts for each of the two.
    #[must_use]
    pub fn billed(&self) -> u64 {
        if self.completions == 0 {
            self.total()
        } else {
            2 * (self.prompt() + self.model) + self.completions
        }
    }

    fn prompt(&self) -> u64 {
        self.system + self.tools + self.user
    }
}

impl std::ops::AddAssign for TokenCount {
    /// Adds counts up; the longest completion is then the longest of all.
    fn add_assign(&mut self, other: Self) {
        self.system += other.system;
        self.tools += other.tools;
        self.user += other.user;
        self.model += other.model;
        self.completions += other.completions;
        self.longest_completion = self.longest_completion.max(other.longest_completion);
        self.media += other.media;
    }
}

/// Counts the tokens of an example.
///
/// What is not as the service wants it counts as far as it can be understood.
/// The cost is that of counting the texts, some hundred megabytes a second on
/// prose, and none of them is copied unless it has escapes. No example has more
/// tokens than its line has bytes.
#[must_use]
pub fn count(example: &Example<'_, '_>, counter: &mut Counter<'_>) -> TokenCount {
    count_by(example, |text| counter.count(text))
}

/// Counts the tokens of an example, those of each text by `of_text`.
pub(super) fn count_by(
    example: &Example<'_, '_>,
    of_text: impl FnMut(&str) -> usize,
) -> TokenCount {
    let mut count = TokenCount::default();
    let mut walk = Walk {
        of_text,
        n: 0,
        media: 0,
    };
    if let Some(system) = example.system {
        walk.content(system);
        count.system = walk.take();
    }
    for turn in &example.turns {
        walk.content(turn.value);
        match turn.role {
            Some(Role::Model) => count.model += walk.take(),
            _ => count.user += walk.take(),
        }
    }
    for completion in example.completions.into_iter().flat_map(Value::items) {
        if let Some(content) = member(completion, "completion") {
            walk.content(content);
        }
        let n = walk.take();
        count.completions += n;
        count.longest_completion = count.longest_completion.max(n);
    }
    for tool in example.tools.into_iter().flat_map(Value::items) {
        let functions = member(tool, "functionDeclarations");
        for function in functions.into_iter().flat_map(Value::items) {
            walk.function(function);
        }
    }
    count.tools = walk.take();
    count.media = walk.media;
    count
}

struct Walk<F> {
    of_text: F,
    n: u64,
    media: u64,
}

impl<F: FnMut(&str) -> usize> Walk<F> {
    /// What was counted since the last time.
    fn take(&mut self) -> u64 {
        std::mem::take(&mut self.n)
    }

    fn text(&mut self, text: &str) {
        self.n += (self.of_text)(text) as u64;
    }

    fn text_of(&mut self, value: Option<Value<'_, '_>>) {
        if let Some(text) = value.and_then(Value::as_str) {
            self.text(&text);
        }
    }

    fn content(&mut self, content: Value<'_, '_>) {
        let parts = member(content, "parts");
        for part in parts.into_iter().flat_map(Value::items) {
            for (key, value) in part.entries() {
                let is = |name| is_named(&key.text, name);
                if is("text") {
                    self.text_of(Some(value));
                } else if is("functionCall") {
                    self.call(value, "args");
                } else if is("functionResponse") {
                    self.call(value, "response");
                } else if is("fileData") || is("inlineData") {
                    self.media += 1;
                }
            }
        }
    }

    /// A call or a response: its name, and what is in it.
    fn call(&mut self, call: Value<'_, '_>, inside: &str) {
        self.text_of(member(call, "name"));
        if let Some(inside) = member(call, inside).filter(|inside| inside.kind() == Kind::Object) {
            self.anything(inside);
        }
    }

    /// Every key and every string, all the way down. The reader refuses values
    /// that are too deep to walk.
    fn anything(&mut self, value: Value<'_, '_>) {
        match value.kind() {
            Kind::String => self.text_of(Some(value)),
            Kind::Array => value.items().for_each(|item| self.anything(item)),
            Kind::Object => {
                for (key, value) in value.entries() {
                    self.text(&key.text);
                    self.anything(value);
                }
            }
            Kind::Null | Kind::Bool | Kind::Number => {}
        }
    }

    fn function(&mut self, function: Value<'_, '_>) {
        self.text_of(member(function, "name"));
        self.text_of(member(function, "description"));
        for schema in ["parameters", "response"] {
            if let Some(schema) = member(function, schema) {
                self.schema(schema);
            }
        }
    }

    fn schema(&mut self, schema: Value<'_, '_>) {
        self.text_of(member(schema, "format"));
        self.text_of(member(schema, "description"));
        for list in ["enum", "required"] {
            let list = member(schema, list);
            for text in list.into_iter().flat_map(Value::items) {
                self.text_of(Some(text));
            }
        }
        if let Some(items) = member(schema, "items") {
            self.schema(items);
        }
        let properties = member(schema, "properties");
        for (key, property) in properties.into_iter().flat_map(Value::entries) {
            self.text(&key.text);
            self.schema(property);
        }
        if let Some(example) = member(schema, "example") {
            self.anything(example);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;
    use crate::rules::Signs;
    use crate::text::tokens::Tokenizer;

    fn counted(line: &str) -> TokenCount {
        let mut document = Document::new();
        let root = document.parse(line.as_bytes()).unwrap();
        let example = Example::of(root, Signs::NONE);
        count(&example, &mut Tokenizer::gemma4().counter())
    }

    /// The sum over texts, each counted by itself.
    fn sum(texts: &[&str]) -> u64 {
        let mut counter = Tokenizer::gemma4().counter();
        texts.iter().map(|text| counter.count(text) as u64).sum()
    }

    #[test]
    fn texts_cost_what_google_says() {
        let line = |text: &str| {
            format!(r#"{{"contents":[{{"role":"user","parts":[{{"text":"{text}"}}]}}]}}"#)
        };
        assert_eq!(counted(&line("What is your name?")).total(), 5);
        assert_eq!(
            counted(&line("What's the highest mountain in Africa?")).total(),
            9
        );
    }

    /// What Google's SDK counts, as `fixtures/tokens/record_examples.py`
    /// recorded it.
    #[test]
    fn counts_are_those_of_the_sdk() {
        let fixture = include_str!("../../../../fixtures/tokens/examples.jsonl");
        let mut n_examples = 0;
        for line in fixture.lines() {
            let mut document = Document::new();
            let root = document.parse(line.as_bytes()).unwrap();
            let line = root.get("example").unwrap();
            let example = Example::of(line, Signs::NONE);
            for tokenizer in [Tokenizer::gemma3(), Tokenizer::gemma4()] {
                let count = count(&example, &mut tokenizer.counter());
                let counted = [
                    ("system", count.system),
                    ("tools", count.tools),
                    ("user", count.user),
                    ("model", count.model),
                ];
                for (name, n) in counted {
                    let counts = root
                        .get("counts")
                        .and_then(|counts| counts.get(name))
                        .unwrap();
                    let expected = counts
                        .get(tokenizer.name())
                        .and_then(Value::as_number)
                        .unwrap();
                    assert_eq!(n.to_string(), expected, "{name} of {}", line.raw());
                }
            }
            n_examples += 1;
        }
        assert!(n_examples >= 7);
    }

    #[test]
    fn everything_is_counted_for_who_says_it() {
        let count = counted(
            r#"{"system_instruction":{"role":"system","parts":[{"text":"Be brief."},{"text":"Be kind."}]},
                "contents":[{"role":"user","parts":[{"text":"One"},{"fileData":{"mimeType":"image/png","fileUri":"gs://b/a.png"}}]},
                            {"role":"model","parts":[{"text":"two three"}]}]}"#,
        );
        assert_eq!(count.system, sum(&["Be brief.", "Be kind."]));
        assert_eq!(
            (count.user, count.model),
            (sum(&["One"]), sum(&["two three"]))
        );
        assert_eq!((count.media, count.tools), (1, 0));
        assert_eq!(count.total(), count.length());
        assert_eq!(count.billed(), count.total());
    }

    #[test]
    fn calls_count_keys_and_strings() {
        let count = counted(
            r#"{"contents":[
                {"role":"model","parts":[{"functionCall":{"name":"get_weather","args":{"city":"Quito","days":[1,"two",{"deep":null}],"metric":true}}}]},
                {"role":"user","parts":[{"function_response":{"name":"get_weather","response":{"sky":"clear","degrees":21}}}]},
                {"role":"user","parts":[{"functionCall":{"name":"odd","args":"a string is no object"}}]}]}"#,
        );
        assert_eq!(
            count.model,
            sum(&[
                "get_weather",
                "city",
                "Quito",
                "days",
                "two",
                "deep",
                "metric"
            ])
        );
        assert_eq!(
            count.user,
            sum(&["get_weather", "sky", "clear", "degrees", "odd"])
        );
    }

    #[test]
    fn tools_count_what_describes_them() {
        let count = counted(
            r#"{"contents":[],"tools":[{"functionDeclarations":[{"name":"find","description":"Looks for a town.",
                "parameters":{"type":"OBJECT","title":"no","required":["name"],"properties":{
                    "name":{"type":"STRING","description":"The name.","default":"no","example":"Cuenca"},
                    "kind":{"type":"STRING","format":"enum","enum":["large","small"]},
                    "near":{"type":"ARRAY","items":{"type":"STRING","description":"Another town."}}}},
                "response":{"type":"OBJECT","description":"What was found."}}]},{"googleSearch":{"no":"no"}}]}"#,
        );
        let texts = [
            "find",
            "Looks for a town.",
            "name",
            "name",
            "The name.",
            "Cuenca",
            "kind",
            "enum",
            "large",
            "small",
            "near",
            "Another town.",
            "What was found.",
        ];
        assert_eq!(count.tools, sum(&texts));
        assert_eq!(count.total(), count.tools);
    }

    #[test]
    fn preferences_bill_the_prompt_twice() {
        let count = counted(
            r#"{"contents":[{"role":"user","parts":[{"text":"What is my favourite fruit?"}]}],
                "completions":[{"score":1,"completion":{"role":"model","parts":[{"text":"You never told me."}]}},
                               {"score":0,"completion":{"role":"model","parts":[{"text":"Figs"}]}}]}"#,
        );
        let prompt = sum(&["What is my favourite fruit?"]);
        let (good, bad) = (sum(&["You never told me."]), sum(&["Figs"]));
        assert_eq!(count.user, prompt);
        assert_eq!(count.length(), prompt + good);
        assert_eq!(count.billed(), 2 * prompt + good + bad);
    }

    #[test]
    fn the_table_names_the_vocabularies_of_the_counter() {
        use crate::text::tokens::{Basis, for_model};
        for model in &crate::example::models::table().models {
            let listed = for_model(&model.name).filter(|choice| choice.basis == Basis::Listed);
            let name = listed.map(|choice| choice.tokenizer.name());
            assert_eq!(model.tokenizer.as_deref(), name, "{}", model.name);
        }
    }
}
