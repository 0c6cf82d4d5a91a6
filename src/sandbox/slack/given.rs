//! Arguments as a method takes them: in the query, as a form, and by some as JSON. Outside of JSON,
//! lists and objects are JSON in strings.

use serde_json::{Map, Value};

use super::{Answer, Call, no, wrong};

pub(super) struct Given(Map<String, Value>);

const SERIALIZED: [&str; 4] = ["attachments", "blocks", "files", "metadata"];

impl Given {
    pub(super) fn of(found: Map<String, Value>) -> Given {
        Given(found)
    }

    pub(super) fn read(call: &Call, takes_json: bool) -> Result<Given, Answer> {
        let is_json = call.content_type().starts_with("application/json");
        if is_json && !call.body.is_empty() && !matches!(call.json(), Some(Value::Object(_))) {
            return Err(no("invalid_json"));
        }
        if is_json && !takes_json {
            // Passed over, as if nothing had been sent.
            let query = call.query.iter().map(|(name, value)| (name.clone(), value.clone().into()));
            return Given::parsed(query.collect());
        }
        let Value::Object(found) = call.parameters() else { return Err(no("invalid_form_data")) };
        Given::parsed(found)
    }

    fn parsed(mut found: Map<String, Value>) -> Result<Given, Answer> {
        found.remove("token");
        for name in SERIALIZED {
            let Some(Value::String(text)) = found.get(name) else { continue };
            let Ok(value) = serde_json::from_str(text) else {
                let code = match name {
                    "blocks" => "invalid_blocks_format",
                    "metadata" => "invalid_metadata_format",
                    _ => "invalid_arguments",
                };
                return Err(wrong(code, &format!("[ERROR] {name} is not JSON")));
            };
            found.insert(name.to_owned(), value);
        }
        Ok(Given(found))
    }

    /// Slack would pass over what it does not know; here it is a mistake.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Answer> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(unknown) => {
                let flaw = format!("[ERROR] the sandbox does not know the argument {unknown}");
                Err(wrong("invalid_arg_name", &flaw))
            }
            None => Ok(()),
        }
    }

    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<&str, Answer> {
        match self.value(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(self.flaw(name, "must be a string")),
            None => Ok(""),
        }
    }

    /// A text that has to be there.
    pub(super) fn needed(&self, name: &str) -> Result<&str, Answer> {
        match self.text(name)? {
            "" => {
                Err(wrong("invalid_arguments", &format!("[ERROR] missing required field: {name}")))
            }
            text => Ok(text),
        }
    }

    pub(super) fn whole(&self, name: &str) -> Result<Option<u64>, Answer> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        number.map(Some).ok_or_else(|| self.flaw(name, "must be a number"))
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Answer> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if matches!(text.as_str(), "true" | "1") => Ok(Some(true)),
            Some(Value::String(text)) if matches!(text.as_str(), "false" | "0") => Ok(Some(false)),
            Some(_) => Err(self.flaw(name, "must be a boolean")),
        }
    }

    fn flaw(&self, name: &str, words: &str) -> Answer {
        wrong("invalid_arguments", &format!("[ERROR] {name} {words}"))
    }
}
