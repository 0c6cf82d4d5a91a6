//! What Telegram makes of a text: HTML as core.telegram.org/bots/api#html-style has it (read
//! 2026-11-21), or entities given beside it.

use serde_json::{Value, json};

/// What readers see, and where it is marked, in UTF-16 code units.
#[derive(Debug, Default)]
pub(super) struct Marked {
    pub(super) text: String,
    pub(super) entities: Vec<Value>,
}

impl Marked {
    pub(super) fn units(&self) -> usize {
        self.text.encode_utf16().count()
    }
}

const TAGS: [(&str, &str); 15] = [
    ("a", "text_link"),
    ("b", "bold"),
    ("blockquote", "blockquote"),
    ("code", "code"),
    ("del", "strikethrough"),
    ("em", "italic"),
    ("i", "italic"),
    ("ins", "underline"),
    ("pre", "pre"),
    ("s", "strikethrough"),
    ("strike", "strikethrough"),
    ("strong", "bold"),
    ("tg-emoji", "custom_emoji"),
    ("tg-spoiler", "spoiler"),
    ("u", "underline"),
];

struct Open<'a> {
    tag: &'a str,
    kind: &'static str,
    offset: usize,
    url: Option<String>,
}

/// The error is the end of Telegram's sentence.
pub(super) fn html(source: &str) -> Result<Marked, String> {
    let mut found = Marked::default();
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut at = 0;
    while let Some(next) = source[at..].chars().next() {
        let rest = &source[at..];
        match next {
            '<' => {
                let length = rest.find('>').ok_or_else(|| unclosed(at))?;
                let inside = &rest[1..length];
                match inside.strip_prefix('/') {
                    Some(name) => found.close(name.trim(), &mut open, at)?,
                    None => open.push(opened(inside, found.units(), at)?),
                }
                at += length + 1;
            }
            '&' => {
                let (character, length) = reference(rest).unwrap_or(('&', 1));
                found.text.push(character);
                at += length;
            }
            _ => {
                found.text.push(next);
                at += next.len_utf8();
            }
        }
    }
    match open.pop() {
        Some(left) => {
            Err(format!("Can't find end tag corresponding to start tag \"{}\"", left.tag))
        }
        None => Ok(found),
    }
}

fn unclosed(at: usize) -> String {
    format!("Unclosed start tag at byte offset {at}")
}

fn opened(inside: &str, offset: usize, at: usize) -> Result<Open<'_>, String> {
    let (tag, rest) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
    let spoiler = tag == "span" && rest.trim() == "class=\"tg-spoiler\"";
    let known = TAGS.iter().find(|(name, _)| *name == tag).map(|(_, kind)| *kind);
    let kind = known
        .or(spoiler.then_some("spoiler"))
        .ok_or_else(|| format!("Unsupported start tag \"{tag}\" at byte offset {at}"))?;
    let url = rest.trim().strip_prefix("href=\"").and_then(|rest| rest.strip_suffix('"'));
    let url = url.map(plain);
    Ok(Open { tag, kind, offset, url })
}

/// An attribute's value, without references.
fn plain(value: &str) -> String {
    let mut found = String::new();
    let mut rest = value;
    while let Some(next) = rest.chars().next() {
        let (character, length) = match next {
            '&' => reference(rest).unwrap_or(('&', 1)),
            _ => (next, next.len_utf8()),
        };
        found.push(character);
        rest = &rest[length..];
    }
    found
}

/// "The API currently supports only the following named HTML entities: &lt;, &gt;, &amp; and
/// &quot;", and "all numerical HTML entities".
fn reference(rest: &str) -> Option<(char, usize)> {
    let end = rest.find(';')?;
    let character = match &rest[1..end] {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        number => {
            let number = number.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((character, end + 1))
}

impl Marked {
    fn close(&mut self, name: &str, open: &mut Vec<Open<'_>>, at: usize) -> Result<(), String> {
        let Some(opened) = open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {at}"));
        };
        if opened.tag != name {
            let wanted = opened.tag;
            return Err(format!(
                "Unmatched end tag at byte offset {at}, expected \"</{wanted}>\", found \
                 \"</{name}>\""
            ));
        }
        let length = self.units() - opened.offset;
        // A link without an address is only its words.
        let is_link = opened.kind == "text_link";
        if length > 0 && (!is_link || opened.url.is_some()) {
            let mut entity =
                json!({ "type": opened.kind, "offset": opened.offset, "length": length });
            if let (true, Some(url)) = (is_link, opened.url) {
                entity["url"] = json!(url);
            }
            self.entities.push(entity);
        }
        Ok(())
    }
}

/// A text with entities of its own.
pub(super) fn given(text: &str, entities: &Value) -> Result<Marked, String> {
    let found = Marked { text: text.to_owned(), entities: Vec::new() };
    let most = found.units() as u64;
    let list = entities.as_array().ok_or("entities must be a list")?;
    for entity in list {
        let number = |name: &str| entity[name].as_u64();
        let (Some(offset), Some(length)) = (number("offset"), number("length")) else {
            return Err("an entity needs an offset and a length".to_owned());
        };
        if entity["type"].as_str().is_none() || offset + length > most {
            return Err("an entity is outside of the text".to_owned());
        }
    }
    Ok(Marked { entities: list.clone(), ..found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_entities_counted_in_utf_16() {
        let found =
            html("😀 <b>1 &lt; <i>2</i></b> <a href=\"https://e.com/?a&amp;b\">x</a>").unwrap();
        assert_eq!(found.text, "😀 1 < 2 x");
        assert_eq!(
            Value::Array(found.entities),
            json!([
                { "type": "italic", "offset": 7, "length": 1 },
                { "type": "bold", "offset": 3, "length": 5 },
                { "type": "text_link", "offset": 9, "length": 1, "url": "https://e.com/?a&b" },
            ])
        );
    }

    #[test]
    fn what_is_not_closed_or_not_known_is_refused() {
        for (source, wanted) in [
            ("a < b", "Unclosed start tag at byte offset 2"),
            ("<h1>x</h1>", "Unsupported start tag \"h1\" at byte offset 0"),
            ("<b>x", "Can't find end tag corresponding to start tag \"b\""),
            ("<b>x</i>", "Unmatched end tag at byte offset 4"),
            ("x</b>", "Unexpected end tag at byte offset 1"),
        ] {
            let error = html(source).unwrap_err();
            assert!(error.starts_with(wanted), "{error}");
        }
    }

    #[test]
    fn entities_stay_within_their_text() {
        let bold = |length: u64| json!([{ "type": "bold", "offset": 1, "length": length }]);
        assert_eq!(given("abc", &bold(2)).unwrap().entities.len(), 1);
        assert!(given("abc", &bold(3)).is_err());
        assert!(given("abc", &json!({})).is_err());
    }
}
