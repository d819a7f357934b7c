//! Requests, held to Google's published descriptions.
//!
//! The services parse JSON by protocol buffers' rules: a name that a message
//! does not have is refused, a field goes by its camel-case or its snake-case
//! name but not by both, 64-bit integers may be numbers or strings, `null` is
//! as good as absent. What is refused is told with the path of the field in
//! snake case, all of it at once. What is output only is dropped, as the
//! services drop it.
//!
//! The descriptions are those of a PyPI package, trimmed by
//! `schemas/trim.py`; a test compares them with the whole.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::{Refusal, Violation};

/// One of the described interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    V1,
    V1Beta1,
    Storage,
}

#[derive(Debug, Deserialize)]
struct Description {
    schemas: BTreeMap<String, Schema>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Schema {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    format: Option<String>,
    #[serde(rename = "enum", default)]
    values: Vec<String>,
    #[serde(default)]
    read_only: bool,
    #[serde(rename = "$ref", default)]
    reference: Option<String>,
    #[serde(default)]
    properties: Option<BTreeMap<String, Schema>>,
    #[serde(default)]
    items: Option<Box<Schema>>,
    #[serde(default)]
    additional_properties: Option<Box<Schema>>,
}

fn description(api: Api) -> &'static Description {
    static V1: LazyLock<Description> =
        LazyLock::new(|| embedded(include_str!("../schemas/aiplatform.v1.json")));
    static V1_BETA1: LazyLock<Description> =
        LazyLock::new(|| embedded(include_str!("../schemas/aiplatform.v1beta1.json")));
    static STORAGE: LazyLock<Description> =
        LazyLock::new(|| embedded(include_str!("../schemas/storage.v1.json")));
    match api {
        Api::V1 => &V1,
        Api::V1Beta1 => &V1_BETA1,
        Api::Storage => &STORAGE,
    }
}

fn embedded(text: &str) -> Description {
    serde_json::from_str(text).expect("the embedded description is read by a test")
}

/// Parses a body and holds it to a schema; the result has camel-case names and
/// no output-only fields. An empty body is an empty message.
pub(crate) fn message(api: Api, schema: &str, body: &[u8]) -> Result<Value, Refusal> {
    let value = if body.iter().all(u8::is_ascii_whitespace) {
        Value::Object(Map::new())
    } else {
        parse(body)?
    };
    let mut found = Vec::new();
    let out = check(api, schema, &value, "", &mut found);
    if found.is_empty() {
        return Ok(out.unwrap_or_else(|| Value::Object(Map::new())));
    }
    let told: Vec<_> = found
        .iter()
        .map(|violation| violation.description.as_str())
        .collect();
    Err(Refusal::invalid(told.join("\n")).with_violations(found))
}

/// Whether a value would be taken as a message: the reason if not.
pub(crate) fn refusal_of(api: Api, schema: &str, value: &Value, path: &str) -> Option<String> {
    let mut found = Vec::new();
    check(api, schema, value, path, &mut found);
    let first = found.into_iter().next()?;
    Some(first.description)
}

/// Parses JSON that gives no name twice in one object.
pub(crate) fn parse(body: &[u8]) -> Result<Value, Refusal> {
    let mut parser = serde_json::Deserializer::from_slice(body);
    Single::deserialize(&mut parser)
        .and_then(|value| parser.end().map(|()| value.0))
        .map_err(|error| Refusal::invalid(format!("Invalid JSON payload received. {error}")))
}

fn check(
    api: Api,
    schema: &str,
    value: &Value,
    path: &str,
    found: &mut Vec<Violation>,
) -> Option<Value> {
    let schema = description(api).schemas.get(schema);
    let schema = schema.expect("schemas are named by this crate and by the description");
    Checker { api, found }.value(schema, value, path)
}

struct Checker<'a> {
    api: Api,
    found: &'a mut Vec<Violation>,
}

impl Checker<'_> {
    fn value(&mut self, schema: &Schema, value: &Value, path: &str) -> Option<Value> {
        if value.is_null() {
            return None;
        }
        if let Some(name) = &schema.reference {
            let schema = &description(self.api).schemas[name];
            return self.value(schema, value, path);
        }
        let kind = schema.kind.as_deref().unwrap_or("any");
        match (kind, schema.format.as_deref()) {
            ("any", _) => Some(value.clone()),
            ("object", _) => self.object(schema, value, path),
            ("array", _) => self.array(schema, value, path),
            ("boolean", _) => match value {
                Value::Bool(_) => Some(value.clone()),
                _ => self.mistyped(path, "TYPE_BOOL", value),
            },
            ("integer", _) => self.integer(value, path, "TYPE_INT32", |n| {
                i32::try_from(n).ok().map(Value::from)
            }),
            ("number", format) => self.number(value, path, format),
            ("string", Some("int64")) => self.integer(value, path, "TYPE_INT64", |n| {
                Some(Value::from(n.to_string()))
            }),
            ("string", Some("uint64")) => self.integer(value, path, "TYPE_UINT64", |n| {
                u64::try_from(n).ok().map(|n| Value::from(n.to_string()))
            }),
            _ => self.string(schema, value, path),
        }
    }

    fn object(&mut self, schema: &Schema, value: &Value, path: &str) -> Option<Value> {
        let Value::Object(given) = value else {
            return self.mistyped(path, "type.googleapis.com/message", value);
        };
        let mut out = Map::new();
        if let Some(of_all) = &schema.additional_properties {
            for (name, value) in given {
                let path = format!("{path}[{name:?}]");
                match self.value(of_all, value, &path) {
                    Some(value) => drop(out.insert(name.clone(), value)),
                    None if value.is_null() && of_all.kind.as_deref() != Some("any") => {
                        self.mistyped(&path, "TYPE_STRING", value);
                    }
                    None => {}
                }
            }
            return Some(Value::Object(out));
        }
        let Some(properties) = &schema.properties else {
            return Some(value.clone());
        };
        for (name, value) in given {
            let known = properties
                .get_key_value(name)
                .or_else(|| properties.iter().find(|(known, _)| snake(known) == *name));
            let Some((known, property)) = known else {
                let at = if path.is_empty() {
                    String::new()
                } else {
                    format!(" at '{path}'")
                };
                self.found.push(Violation {
                    field: path.to_owned(),
                    description: format!(
                        "Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field."
                    ),
                });
                continue;
            };
            if known != name && given.contains_key(known) {
                self.found.push(Violation {
                    field: joined(path, known),
                    description: format!(
                        "Invalid value at '{}' (oneof), the field is given as \"{known}\" and as \"{name}\"",
                        joined(path, known)
                    ),
                });
                continue;
            }
            if let Some(value) = self.value(property, value, &joined(path, known))
                && !property.read_only
            {
                out.insert(known.clone(), value);
            }
        }
        Some(Value::Object(out))
    }

    fn array(&mut self, schema: &Schema, value: &Value, path: &str) -> Option<Value> {
        let (Value::Array(given), Some(item)) = (value, &schema.items) else {
            return self.mistyped(path, "a list", value);
        };
        let mut out = Vec::with_capacity(given.len());
        for (n, value) in given.iter().enumerate() {
            let path = format!("{path}[{n}]");
            if value.is_null() {
                self.mistyped(&path, "an element", value);
            }
            out.extend(self.value(item, value, &path));
        }
        Some(Value::Array(out))
    }

    fn integer(
        &mut self,
        value: &Value,
        path: &str,
        kind: &str,
        fit: impl Fn(i64) -> Option<Value>,
    ) -> Option<Value> {
        let n = match value {
            Value::Number(n) => n.as_i64().or_else(|| whole(n.as_f64()?)),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        match n.and_then(fit) {
            Some(value) => Some(value),
            None => self.mistyped(path, kind, value),
        }
    }

    fn number(&mut self, value: &Value, path: &str, format: Option<&str>) -> Option<Value> {
        let number = match value {
            Value::Number(n) => Some(n.clone()),
            Value::String(text) => text.parse::<f64>().ok().and_then(Number::from_f64),
            _ => None,
        };
        match number {
            Some(number) => Some(Value::Number(number)),
            None if format == Some("float") => self.mistyped(path, "TYPE_FLOAT", value),
            None => self.mistyped(path, "TYPE_DOUBLE", value),
        }
    }

    fn string(&mut self, schema: &Schema, value: &Value, path: &str) -> Option<Value> {
        let Value::String(text) = value else {
            let kind = match (schema.values.is_empty(), schema.format.as_deref()) {
                (false, _) => "TYPE_ENUM",
                (true, Some("byte")) => "TYPE_BYTES",
                (true, _) => "TYPE_STRING",
            };
            return self.mistyped(path, kind, value);
        };
        if !schema.values.is_empty() && !schema.values.contains(text) {
            return self.mistyped(path, "TYPE_ENUM", value);
        }
        let is_well_formed = match schema.format.as_deref() {
            Some("byte") => {
                BASE64_STANDARD.decode(text).is_ok()
                    || BASE64_STANDARD_NO_PAD.decode(text).is_ok()
                    || BASE64_URL_SAFE_NO_PAD
                        .decode(text.trim_end_matches('='))
                        .is_ok()
            }
            Some("google-datetime" | "date-time") => is_time(text),
            Some("google-duration") => text
                .strip_suffix('s')
                .is_some_and(|seconds| seconds.parse::<f64>().is_ok_and(f64::is_finite)),
            _ => true,
        };
        if is_well_formed {
            Some(value.clone())
        } else {
            let format = schema.format.as_deref().unwrap_or_default();
            self.mistyped(path, format, value)
        }
    }

    fn mistyped(&mut self, path: &str, kind: &str, value: &Value) -> Option<Value> {
        self.found.push(Violation {
            field: path.to_owned(),
            description: format!("Invalid value at '{path}' ({kind}), {value}"),
        });
        None
    }
}

fn whole(n: f64) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a whole number below 2^53 is itself"
    )]
    (n.fract() == 0.0 && n.abs() < 9e15).then_some(n as i64)
}

fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 20
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && matches!(bytes[10], b'T' | b't')
        && bytes[13] == b':'
        && bytes[16] == b':'
        && bytes[..4].iter().all(u8::is_ascii_digit)
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        snake(name)
    } else {
        format!("{path}.{}", snake(name))
    }
}

/// Spells a name as the service's own files do.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

/// A JSON value in which no object gives a name twice.
struct Single(Value);

impl<'de> Deserialize<'de> for Single {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SingleVisitor)
    }
}

struct SingleVisitor;

impl<'de> Visitor<'de> for SingleVisitor {
    type Value = Single;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Single, E> {
        Ok(Single(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Single, E> {
        Ok(Single(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Single, E> {
        Ok(Single(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Single, E> {
        Ok(Single(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Single, E> {
        Ok(Single(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Single, E> {
        Ok(Single(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Single, E> {
        Ok(Single(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Single, A::Error> {
        let mut out = Vec::new();
        while let Some(Single(item)) = items.next_element()? {
            out.push(item);
        }
        Ok(Single(out.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Single, A::Error> {
        let mut out = Map::new();
        while let Some((name, Single(value))) = entries.next_entry::<String, Single>()? {
            if out.contains_key(&name) {
                return Err(serde::de::Error::custom(format!(
                    "Repeated object key {name:?}."
                )));
            }
            out.insert(name, value);
        }
        Ok(Single(Value::Object(out)))
    }
}

#[cfg(test)]
mod tests;
