//! What is asked of a model, made of a line of a dataset.

use serde_json::{Map, Value, json};

/// A prompt, and the answer that was expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The turns, as the service takes them. The last is not of the model.
    pub contents: Value,
    /// The system instruction, without a role.
    pub system_instruction: Option<Value>,
    /// The tools that the model may call.
    pub tools: Option<Value>,
    /// How it may call them.
    pub tool_config: Option<Value>,
    /// The settings that the line itself has (`mediaResolution`, say).
    pub generation_config: Map<String, Value>,
    /// The text that was expected: that of the last model turn, its parts
    /// joined, or of the preferred completion.
    pub reference: Option<String>,
}

/// Why a line is no prompt: a phrase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPrompt {
    /// It is no JSON.
    #[error("the line is no JSON: {0}")]
    Json(String),
    /// It is no object.
    #[error("the line is no object")]
    NoObject,
    /// It has no turns.
    #[error("the line has no `contents`")]
    NoContents,
    /// All its turns are answers.
    #[error("the line has no turn before the answer")]
    NoQuestion,
    /// A member is there in both spellings.
    #[error("the line has `{0}` and `{1}`")]
    Twice(&'static str, &'static str),
}

impl Prompt {
    /// Makes a prompt of a text.
    #[must_use]
    pub fn of_text(text: &str, system_instruction: Option<&str>) -> Self {
        let instruction = system_instruction.map(|text| json!({"parts": [{"text": text}]}));
        Self {
            contents: json!([{"role": "user", "parts": [{"text": text}]}]),
            system_instruction: instruction,
            tools: None,
            tool_config: None,
            generation_config: Map::new(),
            reference: None,
        }
    }

    /// Makes a prompt of a line of a tuning dataset, supervised or preference,
    /// with members in camel case or snake case.
    ///
    /// Answers at its end are not sent: the newest models refuse a request that
    /// ends with one, and the others would go on from it.
    ///
    /// # Errors
    ///
    /// When there is nothing to ask.
    pub fn of_line(line: &str) -> Result<Self, NoPrompt> {
        let value: Value =
            serde_json::from_str(line).map_err(|error| NoPrompt::Json(error.to_string()))?;
        let Value::Object(mut line) = value else {
            return Err(NoPrompt::NoObject);
        };
        let Some(Value::Array(mut contents)) = line.remove("contents") else {
            return Err(NoPrompt::NoContents);
        };
        let is_answer = |turn: &Value| turn["role"] == "model";
        let mut reference = contents.last().filter(|turn| is_answer(turn)).map(text_of);
        while contents.pop_if(|turn| is_answer(turn)).is_some() {}
        if contents.is_empty() {
            return Err(NoPrompt::NoQuestion);
        }
        if let Some(preferred) = line.get("completions").and_then(preferred) {
            reference = Some(text_of(preferred));
        }
        let mut take = |camel: &'static str, snake: &'static str| {
            let (one, other) = (line.remove(camel), line.remove(snake));
            match (one, other) {
                (Some(_), Some(_)) => Err(NoPrompt::Twice(camel, snake)),
                (one, other) => Ok(one.or(other).filter(|value| !value.is_null())),
            }
        };
        let mut system_instruction = take("systemInstruction", "system_instruction")?;
        if let Some(Value::Object(instruction)) = &mut system_instruction {
            instruction.remove("role");
        }
        let tool_config = take("toolConfig", "tool_config")?;
        let generation_config = match take("generationConfig", "generation_config")? {
            Some(Value::Object(settings)) => settings,
            _ => Map::new(),
        };
        Ok(Self {
            contents: Value::Array(contents),
            system_instruction,
            tools: line.remove("tools").filter(|tools| !tools.is_null()),
            tool_config,
            generation_config,
            reference,
        })
    }

    /// The input as the output line of a prediction shows it.
    #[must_use]
    pub fn input(&self) -> Value {
        let mut input = Map::new();
        input.insert("contents".into(), self.contents.clone());
        let members = [
            ("systemInstruction", &self.system_instruction),
            ("tools", &self.tools),
            ("toolConfig", &self.tool_config),
        ];
        for (name, member) in members {
            if let Some(member) = member {
                input.insert(name.into(), member.clone());
            }
        }
        Value::Object(input)
    }
}

/// The completion with the highest score.
fn preferred(completions: &Value) -> Option<&Value> {
    let score = |completion: &Value| completion["score"].as_f64().unwrap_or(f64::MIN);
    let best = completions
        .as_array()?
        .iter()
        .max_by(|a, b| score(a).total_cmp(&score(b)))?;
    Some(&best["completion"])
}

/// The text of a turn, its parts joined; thoughts are no part of an answer.
pub(super) fn text_of(turn: &Value) -> String {
    let parts = turn["parts"].as_array().into_iter().flatten();
    let said = parts.filter(|part| part["thought"] != true);
    said.filter_map(|part| part["text"].as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answer_is_the_reference() {
        let line = r#"{"systemInstruction":{"role":"system","parts":[{"text":"Be kind."}]},"contents":[
            {"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"b"}]},
            {"role":"user","parts":[{"text":"c"}]},
            {"role":"model","parts":[{"text":"hm","thought":true},{"text":"d"},{"text":"e"}]}],"tools":null}"#;
        let prompt = Prompt::of_line(line).unwrap();
        assert_eq!(prompt.reference.as_deref(), Some("de"));
        assert_eq!(prompt.contents.as_array().unwrap().len(), 3);
        assert_eq!(
            prompt.input()["systemInstruction"],
            json!({"parts": [{"text": "Be kind."}]})
        );
        assert_eq!(prompt.tools, None);
    }

    #[test]
    fn a_prompt_without_an_answer_is_sent_whole() {
        let line = r#"{"contents":[{"role":"user","parts":[{"text":"a"}]}],"generation_config":{"mediaResolution":"MEDIA_RESOLUTION_LOW"}}"#;
        let prompt = Prompt::of_line(line).unwrap();
        assert_eq!(prompt.reference, None);
        assert_eq!(
            prompt.generation_config["mediaResolution"],
            "MEDIA_RESOLUTION_LOW"
        );
        let text = Prompt::of_text("a", None);
        assert_eq!(text.contents, prompt.contents);
    }

    #[test]
    fn the_preferred_completion_is_the_reference() {
        let line = r#"{"contents":[{"role":"user","parts":[{"text":"a"}]}],"completions":[
            {"score":0.0,"completion":{"role":"model","parts":[{"text":"no"}]}},
            {"score":1.0,"completion":{"role":"model","parts":[{"text":"yes"}]}}]}"#;
        assert_eq!(
            Prompt::of_line(line).unwrap().reference.as_deref(),
            Some("yes")
        );
    }

    #[test]
    fn what_asks_nothing_is_refused() {
        let refused = |line: &str| Prompt::of_line(line).unwrap_err();
        assert!(matches!(refused("{"), NoPrompt::Json(_)));
        assert_eq!(refused("[]"), NoPrompt::NoObject);
        assert_eq!(refused(r#"{"messages":[]}"#), NoPrompt::NoContents);
        assert_eq!(refused(r#"{"contents":[]}"#), NoPrompt::NoQuestion);
        assert_eq!(
            refused(r#"{"contents":[{"role":"model"}]}"#),
            NoPrompt::NoQuestion
        );
        assert!(matches!(
            refused(r#"{"contents":[{}],"systemInstruction":{},"system_instruction":{}}"#),
            NoPrompt::Twice(..)
        ));
    }
}
