//! Declarations of functions, from JSON Schema to what Gemini reads.
//!
//! Gemini takes a subset of OpenAPI's schema whose types are in upper case.
//! Keywords outside of it are left out, and named in a note.

use super::calls;
use super::draft::{Draft, Fault};
use crate::diag::S028;
use crate::example::write;
use crate::json::{Key, Kind, Value, compact};

/// Adds the declarations of an array of tools; `at` is where notes point to.
pub(super) fn add<'a>(tools: Value<'_, '_>, at: usize, draft: &mut Draft<'a>) -> Result<(), Fault> {
    if tools.is_null() {
        return Ok(());
    }
    if tools.kind() != Kind::Array {
        let message = format!(
            "expected an array of tools, found {}",
            tools.kind().as_str()
        );
        return Err(Fault::new(&S028, at, message));
    }
    if tools.items().next().is_none() {
        return Ok(());
    }
    if draft.example.tools.is_some() {
        return Err(Fault::new(
            &S028,
            at,
            "the tools are given twice, as `tools` and as `functions`",
        ));
    }
    let mut writer = Writer {
        out: b"[{\"functionDeclarations\":[".to_vec(),
        left_out: Vec::new(),
    };
    for (n, tool) in tools.items().enumerate() {
        if n > 0 {
            writer.out.push(b',');
        }
        let function = tool.get("function").filter(|value| !value.is_null());
        let function = function.unwrap_or(tool);
        writer
            .function(function)
            .map_err(|message| Fault::new(&S028, at, message))?;
    }
    writer.out.extend_from_slice(b"]}]");
    for name in &writer.left_out {
        draft.leave_out_name(name, at);
    }
    draft.example.tools = Some(calls::into_text(writer.out).into());
    Ok(())
}

struct Writer {
    out: Vec<u8>,
    left_out: Vec<String>,
}

impl Writer {
    fn function(&mut self, function: Value<'_, '_>) -> Result<(), &'static str> {
        let name = function
            .get("name")
            .filter(|name| name.kind() == Kind::String);
        let name = name.ok_or("a tool is no function with a name")?;
        self.out.extend_from_slice(b"{\"name\":");
        compact(name, &mut self.out);
        for (key, value) in there(function) {
            match &*key.text {
                "name" | "type" => {}
                "description" => self.member("description", value),
                // An object without properties is refused by the service; a
                // function without parameters has no such member.
                "parameters" if has_no_parameters(value) => {}
                "parameters" => {
                    self.out.extend_from_slice(b",\"parameters\":");
                    self.schema(value);
                }
                _ => self.leave_out(&key.text),
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    fn member(&mut self, name: &str, value: Value<'_, '_>) {
        self.key(name);
        compact(value, &mut self.out);
    }

    /// Writes a comma, if something is before, and a key.
    fn key(&mut self, name: &str) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        write::string(name, &mut self.out);
        self.out.push(b':');
    }

    fn schema(&mut self, schema: Value<'_, '_>) {
        self.out.push(b'{');
        for (key, value) in there(schema) {
            match (&*key.text, value.kind()) {
                ("type", _) => self.types(value),
                (name @ "properties", Kind::Object) => self.properties(name, value),
                (name @ "items", Kind::Object) => {
                    self.key(name);
                    self.schema(value);
                }
                (name @ "anyOf", Kind::Array) => self.any_of(name, value),
                ("enum", _) if value.items().any(|item| item.kind() != Kind::String) => {
                    self.leave_out("enum");
                }
                (
                    name @ ("format" | "title" | "description" | "nullable" | "enum" | "required"
                    | "minItems" | "maxItems" | "minimum" | "maximum" | "minLength"
                    | "maxLength" | "pattern" | "example" | "propertyOrdering" | "default"),
                    _,
                ) => self.member(name, value),
                (name, _) => self.leave_out(name),
            }
        }
        self.out.push(b'}');
    }

    fn properties(&mut self, name: &str, properties: Value<'_, '_>) {
        self.key(name);
        self.out.push(b'{');
        for (key, schema) in there(properties) {
            self.key(&key.text);
            self.schema(schema);
        }
        self.out.push(b'}');
    }

    fn any_of(&mut self, name: &str, schemas: Value<'_, '_>) {
        self.key(name);
        self.out.push(b'[');
        for (n, schema) in schemas.items().enumerate() {
            if n > 0 {
                self.out.push(b',');
            }
            self.schema(schema);
        }
        self.out.push(b']');
    }

    /// Writes a type, or a list of which one may be `null`.
    fn types(&mut self, types: Value<'_, '_>) {
        let names = || types.items().filter_map(Value::as_str);
        let mut real = names().filter(|name| name != "null");
        match (types.as_str(), real.next(), real.next()) {
            (Some(name), ..) | (None, Some(name), None) => {
                self.key("type");
                write::string(&name.to_uppercase(), &mut self.out);
                if names().any(|name| name == "null") {
                    self.key("nullable");
                    self.out.extend_from_slice(b"true");
                }
            }
            _ => self.leave_out("type"),
        }
    }

    fn leave_out(&mut self, name: &str) {
        const MOST: usize = 16;
        if self.left_out.len() < MOST && !self.left_out.iter().any(|known| known == name) {
            self.left_out.push(name.into());
        }
    }
}

/// The members that are there. What was kept as a table, where every object
/// has the keys of all others, has null for those that it has not.
fn there<'d, 'a>(object: Value<'d, 'a>) -> impl Iterator<Item = (Key<'a>, Value<'d, 'a>)> {
    object.entries().filter(|(_, value)| !value.is_null())
}

fn has_no_parameters(schema: Value<'_, '_>) -> bool {
    match there(schema).find(|(key, _)| key.text == "properties") {
        Some((_, properties)) => there(properties).next().is_none(),
        None => there(schema).all(|(key, _)| key.text == "type"),
    }
}
