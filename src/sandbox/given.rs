//! A JSON object read strictly: what is unknown, or of another type, is told by its path.

use serde_json::{Map, Value};

pub(crate) struct Given<'a> {
    path: String,
    object: &'a Map<String, Value>,
}

/// What is wrong, and where: `source_info.video_size`.
#[derive(Debug)]
pub(crate) struct Flaw {
    pub(crate) field: String,
    pub(crate) message: String,
}

impl Flaw {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Flaw {
        Flaw { field: field.into(), message: message.into() }
    }

    pub(crate) fn sentence(&self) -> String {
        match self.field.as_str() {
            "" => self.message.clone(),
            field => format!("{field}: {}", self.message),
        }
    }
}

impl<'a> Given<'a> {
    /// The whole body. `known` is every name that may be in it.
    pub(crate) fn of(value: &'a Value, known: &[&str]) -> Result<Given<'a>, Flaw> {
        Given::at(String::new(), value, known)
    }

    pub(crate) fn at(path: String, value: &'a Value, known: &[&str]) -> Result<Given<'a>, Flaw> {
        let Some(object) = value.as_object() else {
            return Err(Flaw::new(path, "must be an object"));
        };
        let given = Given { path, object };
        match object.keys().find(|name| !known.contains(&name.as_str())) {
            Some(unknown) => Err(given.flaw(unknown, "is not known")),
            None => Ok(given),
        }
    }

    pub(crate) fn flaw(&self, name: &str, message: &str) -> Flaw {
        Flaw::new(self.path_of(name), message)
    }

    pub(crate) fn path_of(&self, name: &str) -> String {
        match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }

    /// `None` where it is absent or null.
    pub(crate) fn value(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn read<T>(
        &self,
        name: &str,
        kind: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Flaw> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let found = read(value);
        found.map(Some).ok_or_else(|| self.flaw(name, &format!("must be {kind}")))
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, Flaw> {
        self.read(name, "a string", Value::as_str)
    }

    pub(crate) fn needed(&self, name: &str) -> Result<&'a str, Flaw> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| self.flaw(name, "is missing"))
    }

    /// A text of at most so many, counted as `count` counts. Absent is empty.
    pub(crate) fn short(
        &self,
        name: &str,
        most: usize,
        count: fn(&str) -> usize,
    ) -> Result<String, Flaw> {
        let text = self.text(name)?.unwrap_or_default();
        match count(text) > most {
            true => Err(self.flaw(name, &format!("has more than {most}"))),
            false => Ok(text.to_owned()),
        }
    }

    pub(crate) fn one_of(&self, name: &str, allowed: &[&str]) -> Result<Option<&'a str>, Flaw> {
        match self.text(name)? {
            Some(text) if !allowed.contains(&text) => {
                Err(self.flaw(name, &format!("must be one of {}", allowed.join(", "))))
            }
            found => Ok(found),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Flaw> {
        self.read(name, "true or false", Value::as_bool)
    }

    pub(crate) fn whole(&self, name: &str) -> Result<Option<u64>, Flaw> {
        self.read(name, "a whole number", Value::as_u64)
    }

    pub(crate) fn list(&self, name: &str) -> Result<Option<&'a [Value]>, Flaw> {
        self.read(name, "a list", |value| value.as_array().map(Vec::as_slice))
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<&'a str>>, Flaw> {
        self.read(name, "a list of strings", |value| {
            value.as_array()?.iter().map(Value::as_str).collect()
        })
    }

    pub(crate) fn object(&self, name: &str, known: &[&str]) -> Result<Option<Given<'a>>, Flaw> {
        match self.value(name) {
            Some(value) => Given::at(self.path_of(name), value, known).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn needed_object(&self, name: &str, known: &[&str]) -> Result<Given<'a>, Flaw> {
        self.object(name, known)?.ok_or_else(|| self.flaw(name, "is missing"))
    }
}

pub(crate) fn characters(text: &str) -> usize {
    text.chars().count()
}

pub(crate) fn utf16_units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_names_and_wrong_types_are_told_by_their_path() {
        let body = json!({ "post": { "title": 1, "colour": "red" }, "count": "2" });
        let given = Given::of(&body, &["post", "count"]).unwrap();
        let flaw = |flaw: Option<Flaw>| flaw.map(|flaw| flaw.sentence()).unwrap_or_default();
        let unknown = given.object("post", &["title"]).err();
        assert_eq!(flaw(unknown), "post.colour: is not known");
        let post = given.object("post", &["title", "colour"]).unwrap().unwrap();
        assert_eq!(flaw(post.text("title").err()), "post.title: must be a string");
        assert_eq!(flaw(given.whole("count").err()), "count: must be a whole number");
        assert_eq!(flaw(given.needed("other").err()), "other: is missing");
        let long = post.short("colour", 2, characters).err();
        assert_eq!(flaw(long), "post.colour: has more than 2");
    }
}
