//! Blocks, as far as they are known here: <https://docs.slack.dev/reference/block-kit>, 2026-08.

use serde_json::Value;

use super::words::shown;

const BLOCKS_MAX: usize = 50;

/// What readers see of them: the texts, and the labels of the buttons.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) text: String,
    pub(super) buttons: Vec<String>,
}

/// The code, and what is wrong.
pub(super) type Flaw = (&'static str, String);

pub(super) fn read(blocks: &Value) -> Result<Seen, Flaw> {
    let Some(blocks) = blocks.as_array() else {
        return Err(("invalid_blocks_format", "blocks must be a list".to_owned()));
    };
    if blocks.len() > BLOCKS_MAX {
        return Err(wrong("", "no more than 50 items allowed"));
    }
    let mut seen = Seen::default();
    for (index, block) in blocks.iter().enumerate() {
        let path = format!("/blocks/{index}");
        match block["type"].as_str() {
            Some("section") => section(block, &path, &mut seen)?,
            Some("actions") => actions(block, &path, &mut seen)?,
            Some("header") => text(&block["text"], &path, &["plain_text"], 150, &mut seen)?,
            Some("image") => image(block, &path)?,
            Some("context") => match block["elements"].as_array() {
                Some(elements) if (1..=10).contains(&elements.len()) => (),
                _ => return Err(wrong(&path, "elements must be 1 to 10")),
            },
            Some("divider") => (),
            Some(kind) => return Err(wrong(&path, &format!("unsupported type: {kind}"))),
            None => return Err(wrong(&path, "missing required field: type")),
        }
    }
    Ok(seen)
}

fn section(block: &Value, path: &str, seen: &mut Seen) -> Result<(), Flaw> {
    let fields = block["fields"].as_array();
    if fields.is_some_and(|fields| fields.len() > 10) {
        return Err(wrong(path, "no more than 10 fields"));
    }
    for field in fields.into_iter().flatten() {
        text(field, path, &["mrkdwn", "plain_text"], 2_000, seen)?;
    }
    match (block.get("text"), fields) {
        (None, Some(_)) => Ok(()),
        (words, _) => {
            text(words.unwrap_or(&Value::Null), path, &["mrkdwn", "plain_text"], 3_000, seen)
        }
    }
}

fn actions(block: &Value, path: &str, seen: &mut Seen) -> Result<(), Flaw> {
    let elements = block["elements"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !(1..=25).contains(&elements.len()) {
        return Err(wrong(path, "elements must be 1 to 25"));
    }
    for element in elements {
        if element["type"] != "button" {
            return Err(wrong(path, "unsupported element"));
        }
        let mut label = Seen::default();
        text(&element["text"], path, &["plain_text"], 75, &mut label)?;
        let url = element["url"].as_str().unwrap_or_default();
        let is_address = url.starts_with("https://") || url.starts_with("http://");
        if element.get("url").is_some() && (!is_address || url.chars().count() > 3_000) {
            return Err(wrong(path, "invalid url"));
        }
        seen.buttons.push(format!("{} ({url})", label.text));
    }
    Ok(())
}

fn image(block: &Value, path: &str) -> Result<(), Flaw> {
    let length = |name: &str| block[name].as_str().unwrap_or_default().chars().count();
    match (length("image_url"), length("alt_text")) {
        (1..=3_000, 1..=2_000) => Ok(()),
        _ => Err(wrong(path, "image_url and alt_text are needed")),
    }
}

fn text(
    value: &Value,
    path: &str,
    kinds: &[&str],
    most: usize,
    seen: &mut Seen,
) -> Result<(), Flaw> {
    if !value["type"].as_str().is_some_and(|kind| kinds.contains(&kind)) {
        return Err(wrong(path, "unsupported type of text"));
    }
    let words = value["text"].as_str().unwrap_or_default();
    match words.chars().count() {
        0 => return Err(wrong(path, "must be more than 0 characters")),
        length if length > most => {
            return Err(wrong(path, &format!("must be less than {} characters", most + 1)));
        }
        _ => (),
    }
    if !seen.text.is_empty() {
        seen.text.push('\n');
    }
    match value["type"] == "mrkdwn" {
        true => seen.text.push_str(&shown(words).text),
        false => seen.text.push_str(words),
    }
    Ok(())
}

fn wrong(path: &str, words: &str) -> Flaw {
    ("invalid_blocks", format!("[ERROR] {words} [json-pointer:{path}]"))
}
