//! `fields=a,b{c,d}.limit(1)`: what of a node is shown. A field that the node does not have is
//! refused, as Meta does; one that is only empty is left out.

use serde_json::{Map, Value, json};

use super::{Answer, Call, refusal::invalid};

#[derive(Debug, PartialEq)]
pub(super) struct Field {
    name: String,
    inner: Vec<Field>,
}

/// Modifiers such as `.limit(0).summary(true)` are read and not needed: what they would shorten is
/// short here.
pub(super) fn parse(text: &str) -> Option<Vec<Field>> {
    let mut letters = text.chars().filter(|letter| !letter.is_whitespace()).peekable();
    let fields = list(&mut letters)?;
    letters.next().is_none().then_some(fields)
}

type Letters<I> = std::iter::Peekable<I>;

fn list<I: Iterator<Item = char>>(letters: &mut Letters<I>) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    loop {
        let name = word(letters);
        if name.is_empty() {
            return None;
        }
        while letters.next_if_eq(&'.').is_some() {
            let modifier = word(letters);
            letters.next_if_eq(&'(').filter(|_| !modifier.is_empty())?;
            while letters.next()? != ')' {}
        }
        let mut inner = Vec::new();
        if letters.next_if_eq(&'{').is_some() {
            inner = list(letters)?;
            letters.next_if_eq(&'}')?;
        }
        fields.push(Field { name, inner });
        if letters.next_if_eq(&',').is_none() {
            return Some(fields);
        }
    }
}

fn word<I: Iterator<Item = char>>(letters: &mut Letters<I>) -> String {
    let mut word = String::new();
    while let Some(letter) = letters.next_if(|letter| letter.is_alphanumeric() || *letter == '_') {
        word.push(letter);
    }
    word
}

/// The node as the call asked for it; `usual` is what is shown when it asks for nothing.
pub(super) fn shown(call: &Call, node: &Value, kind: &str, usual: &str) -> Result<Value, Answer> {
    select(node, kind, &asked(call, usual)?)
}

pub(super) fn asked(call: &Call, usual: &str) -> Result<Vec<Field>, Answer> {
    let parameters = call.parameters();
    let text = parameters["fields"].as_str().filter(|text| !text.is_empty()).unwrap_or(usual);
    parse(text).ok_or_else(|| {
        let at = text.chars().count();
        invalid(&format!("Syntax error \"Expected name.\" at character {at}: {text}"))
    })
}

pub(super) fn select(node: &Value, kind: &str, asked: &[Field]) -> Result<Value, Answer> {
    let mut found = Map::new();
    for field in asked {
        let Some(value) = node.get(&field.name) else {
            let name = &field.name;
            let text = format!("Tried accessing nonexisting field ({name}) on node type ({kind})");
            return Err(invalid(&text));
        };
        if !value.is_null() {
            found.insert(field.name.clone(), within(value, &field.name, &field.inner)?);
        }
    }
    if let Some(id) = node.get("id") {
        found.insert("id".to_owned(), id.clone());
    }
    Ok(Value::Object(found))
}

/// Edges and pictures wrap what they hold in `data`.
fn within(value: &Value, name: &str, asked: &[Field]) -> Result<Value, Answer> {
    if asked.is_empty() {
        return Ok(value.clone());
    }
    match value.get("data") {
        Some(Value::Array(items)) => {
            let items: Result<Vec<Value>, Answer> =
                items.iter().map(|item| select(item, name, asked)).collect();
            Ok(json!({ "data": items? }))
        }
        Some(data) => Ok(json!({ "data": select(data, name, asked)? })),
        None => select(value, name, asked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_nest_carry_modifiers_and_end_where_they_should() {
        let asked = parse("id,picture.type(large){url},a{b{c}},n.limit(0).summary(true)").unwrap();
        let names: Vec<&str> = asked.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["id", "picture", "a", "n"]);
        assert_eq!(asked[2].inner[0].inner[0].name, "c");
        for wrong in ["", "a,,b", "a{b", "a}", "a{}", "a.limit", "a b{"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_what_was_asked_for_is_shown() {
        let node = json!({ "id": "1", "name": "n", "empty": null,
            "picture": { "data": { "url": "u", "width": 1 } },
            "children": { "data": [{ "id": "2", "x": 1 }] } });
        let show = |text: &str| select(&node, "Page", &parse(text).unwrap()).ok();
        assert_eq!(
            show("empty,picture{url}").unwrap(),
            json!({ "id": "1", "picture": { "data": { "url": "u" } } })
        );
        assert_eq!(show("children{id}").unwrap()["children"]["data"][0], json!({ "id": "2" }));
        assert!(show("color").is_none() && show("children{color}").is_none());
    }
}
