//! Where in a JSON text a reader had arrived, as a path such as `content.parts[1].text`.
//!
//! serde tells a mistake's line and column only; this walks the text again up to there. It runs
//! only when a request is refused.

/// The last member that was begun, and what it is a member of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) path: String,
    pub(crate) around: String,
}

enum Frame {
    Object { key: String, awaits_key: bool },
    Array { index: usize },
}

/// Lines and columns count from 1, as serde counts them; a column of 0 is the line's beginning.
pub(crate) fn offset(text: &[u8], line: usize, column: usize) -> usize {
    let begins = |wanted: usize| {
        let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        ends.map(|(at, _)| at + 1).nth(wanted - 1).unwrap_or(text.len())
    };
    let start = if line <= 1 { 0 } else { begins(line - 1) };
    (start + column).min(text.len())
}

/// `text` is well-formed up to `offset`, or serde would have said something else.
pub(crate) fn reached(text: &[u8], offset: usize) -> Reached {
    let mut frames: Vec<Frame> = Vec::new();
    let mut closed = None;
    let mut at = 0;
    while at < offset {
        let byte = text[at];
        at += 1;
        if !byte.is_ascii_whitespace() {
            closed = None;
        }
        match byte {
            b'{' => frames.push(Frame::Object { key: String::new(), awaits_key: true }),
            b'[' => frames.push(Frame::Array { index: 0 }),
            b'}' | b']' => closed = frames.pop(),
            b'"' => {
                let end = string_end(text, at);
                if let Some(Frame::Object { key, awaits_key: true }) = frames.last_mut() {
                    *key = String::from_utf8_lossy(&text[at..end]).into_owned();
                }
                at = end + 1;
            }
            b':' => set_awaits_key(&mut frames, Awaits::Value),
            b',' => set_awaits_key(&mut frames, Awaits::Key),
            _ => {}
        }
    }
    // A missing field is noticed at the brace that closes its object.
    if let Some(frame @ Frame::Object { .. }) = closed {
        frames.push(frame);
    }
    let around = frames.split_last().map_or(String::new(), |(_, around)| print(around));
    Reached { path: print(&frames), around }
}

#[derive(PartialEq)]
enum Awaits {
    Key,
    Value,
}

fn set_awaits_key(frames: &mut [Frame], awaits: Awaits) {
    match frames.last_mut() {
        Some(Frame::Object { awaits_key, .. }) => *awaits_key = awaits == Awaits::Key,
        Some(Frame::Array { index }) if awaits == Awaits::Key => *index += 1,
        Some(Frame::Array { .. }) | None => {}
    }
}

/// The index of the closing quote, or the end of the text.
fn string_end(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && text[at] != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    at.min(text.len())
}

fn print(frames: &[Frame]) -> String {
    let mut path = String::new();
    for frame in frames {
        match frame {
            Frame::Object { key, .. } if key.is_empty() => {}
            Frame::Object { key, .. } if path.is_empty() => path.push_str(key),
            Frame::Object { key, .. } => path.push_str(&format!(".{key}")),
            Frame::Array { index } => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_that_of_the_last_member_begun() {
        let text = br#"{"a": [1, {"b": "x}", "c": 2}], "d": {}}"#;
        for (until, path, around) in [
            (r#"{"a""#, "a", ""),
            (r#"{"a": [1"#, "a[0]", "a"),
            (r#"{"a": [1, {"b": "x}""#, "a[1].b", "a[1]"),
            (r#"{"a": [1, {"b": "x}", "c": 2}"#, "a[1].c", "a[1]"),
            (r#"{"a": [1, {"b": "x}", "c": 2}], "d""#, "d", ""),
            ("", "", ""),
        ] {
            let found = reached(text, until.len());
            assert_eq!((found.path.as_str(), found.around.as_str()), (path, around), "{until}");
        }
    }

    #[test]
    fn offset_counts_lines_and_never_leaves_the_text() {
        assert_eq!(offset(b"ab\ncd\nef", 1, 2), 2);
        assert_eq!(offset(b"ab\ncd\nef", 3, 1), 7);
        assert_eq!(offset(b"ab", 9, 9), 2);
    }
}
