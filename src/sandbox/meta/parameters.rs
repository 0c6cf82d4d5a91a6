//! The parameters of a call, from query, form, JSON or multipart, read strictly.
//!
//! Stricter than Meta, which lets many unknown names pass: a misspelt name is what a client must
//! hear about.

use serde_json::Value;
use url::Url;

use crate::domain::time::Timestamp;

use super::{Answer, Call, refusal::invalid};

/// Understood everywhere. `pretty` and `debug` "are ignored" since 2026-10-27 (Graph API
/// changelog, read 2026-11-21).
const EVERYWHERE: [&str; 6] =
    ["access_token", "appsecret_proof", "fields", "locale", "pretty", "debug"];

pub(super) struct Parameters(Value);

impl Parameters {
    pub(super) fn read(call: &Call, known: &[&str]) -> Result<Parameters, Answer> {
        let found = call.parameters();
        let files = call.fields.iter().map(|field| field.name.as_str());
        let names = found.as_object().into_iter().flat_map(|object| object.keys());
        let mut names = names.map(String::as_str).chain(files);
        let is_unknown = |name: &&str| {
            let bare = name.split('[').next().unwrap_or(name);
            !known.contains(&bare) && !EVERYWHERE.contains(&bare)
        };
        match names.find(is_unknown) {
            Some(name) => Err(invalid(&format!("The parameter {name} is not known here"))),
            None => Ok(Parameters(found)),
        }
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Answer> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong_kind(name, "a string")),
        }
    }

    /// A text, where leaving it out and leaving it empty are the same.
    pub(super) fn words(&self, name: &str) -> Result<String, Answer> {
        Ok(self.text(name)?.unwrap_or_default().to_owned())
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Answer> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| invalid(&format!("The parameter {name} is required")))
    }

    /// JSON clients may write an id as a number.
    pub(super) fn id(&self, name: &str) -> Result<String, Answer> {
        let text = match self.value(name) {
            None => return Err(invalid(&format!("The parameter {name} is required"))),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return Err(wrong_kind(name, "a numeric ID")),
        };
        let plain = |byte: u8| byte.is_ascii_digit() || byte == b'_';
        match !text.is_empty() && text.bytes().all(plain) {
            true => Ok(text),
            false => Err(wrong_kind(name, "a numeric ID")),
        }
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Answer> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(value) => match value.as_str() {
                Some("true" | "1") => Ok(Some(true)),
                Some("false" | "0") => Ok(Some(false)),
                Some(_) | None => Err(wrong_kind(name, "a boolean")),
            },
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Answer> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        number.map(Some).ok_or_else(|| wrong_kind(name, "a whole number"))
    }

    /// JSON, or a string that holds JSON.
    pub(super) fn json(&self, name: &str) -> Result<Option<Value>, Answer> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => match serde_json::from_str(text) {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(wrong_kind(name, "JSON")),
            },
            Some(value) => Ok(Some(value.clone())),
        }
    }

    pub(super) fn object(&self, name: &str) -> Result<Option<Value>, Answer> {
        match self.json(name)? {
            Some(value) if !value.is_object() => Err(wrong_kind(name, "an object")),
            found => Ok(found),
        }
    }

    /// A list; or, from forms, `name[0]=…`, with each item as JSON in a string.
    pub(super) fn list(&self, name: &str) -> Result<Vec<Value>, Answer> {
        let items: Vec<Value> = match self.json(name)? {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(Value::Object(numbered)) => numbered.into_iter().map(|(_, item)| item).collect(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                return Err(wrong_kind(name, "an array"));
            }
        };
        let read = |item: Value| match &item {
            Value::String(text) => serde_json::from_str(text).unwrap_or(item),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => item,
        };
        Ok(items.into_iter().map(read).collect())
    }

    /// Texts as a list, or divided by commas.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, Answer> {
        if let Some(Value::String(text)) = self.value(name)
            && !text.trim_start().starts_with('[')
        {
            let texts = text.split(',').map(str::trim).filter(|text| !text.is_empty());
            return Ok(texts.map(str::to_owned).collect());
        }
        let text = |item: &Value| match item {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                Err(wrong_kind(name, "an array of strings"))
            }
        };
        self.list(name)?.iter().map(text).collect()
    }

    /// Seconds since 1970, or a date in words.
    pub(super) fn instant(&self, name: &str) -> Result<Option<Timestamp>, Answer> {
        if let Ok(seconds) = self.number(name) {
            return Ok(seconds.map(|seconds| Timestamp(seconds.saturating_mul(1_000))));
        }
        let instant = Timestamp::parse(self.required(name)?);
        instant.map(Some).ok_or_else(|| wrong_kind(name, "a date"))
    }

    /// One of the words that are allowed there.
    pub(super) fn choice(&self, name: &str, allowed: &[&str]) -> Result<Option<&str>, Answer> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        match allowed.contains(&text) {
            true => Ok(Some(text)),
            false => {
                let allowed = allowed.join(", ");
                Err(invalid(&format!("Param {name} must be one of {{{allowed}}} - got \"{text}\"")))
            }
        }
    }
}

fn wrong_kind(name: &str, kind: &str) -> Answer {
    invalid(&format!("Param {name} must be {kind}"))
}

/// An address that Meta's servers would fetch.
pub(super) fn is_address(text: &str) -> bool {
    let url = Url::parse(text);
    url.is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host())
}
