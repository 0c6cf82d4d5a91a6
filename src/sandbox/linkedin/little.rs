//! Little text: what a reader sees of a `commentary`. By "Little Text Format"
//! (learn.microsoft.com/linkedin/marketing), read 2026-11-21.
//!
//! Invariant: reading ends, without an error, at the first reserved character that is neither
//! escaped nor part of an element. That is what LinkedIn does, and what a careless client finds.

/// A backslash is the fifteenth, and stands before the others.
const RESERVED: [char; 14] = ['|', '{', '}', '@', '[', ']', '(', ')', '<', '>', '#', '*', '_', '~'];

const HASHTAG: &str = r"{hashtag|\#|";

pub(super) struct Seen {
    pub(super) text: String,
    /// How much of the source was read, in bytes: all of it, or up to the cut.
    pub(super) read: usize,
}

pub(super) fn seen(source: &str) -> Seen {
    let mut text = String::new();
    let mut at = 0;
    while let Some(letter) = source[at..].chars().next() {
        let rest = &source[at..];
        let element = match letter {
            '\\' => rest[1..].chars().next().map(|c| (c.to_string(), 1 + c.len_utf8())),
            '@' => mention(rest),
            '{' => template(rest),
            '#' => hashtag(rest),
            letter if RESERVED.contains(&letter) => None,
            letter => Some((letter.to_string(), letter.len_utf8())),
        };
        let Some((shown, length)) = element else { break };
        text.push_str(&shown);
        at += length;
    }
    Seen { text, read: at }
}

/// `@[Name](urn:li:organization:1)` is shown as the name.
fn mention(source: &str) -> Option<(String, usize)> {
    let (name, after) = until(source.strip_prefix("@[")?, ']')?;
    let (urn, after) = until(after.strip_prefix('(')?, ')')?;
    let id = urn.strip_prefix("urn:li:person:").or(urn.strip_prefix("urn:li:organization:"))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let holds = !id.is_empty() && id.chars().all(plain) && !name.is_empty();
    holds.then(|| (name, source.len() - after.len()))
}

/// `{hashtag|\#|word}` is shown as `#word`.
fn template(source: &str) -> Option<(String, usize)> {
    let (word, after) = until(source.strip_prefix(HASHTAG)?, '}')?;
    (!word.is_empty()).then(|| (format!("#{word}"), source.len() - after.len()))
}

/// `#word` as it is.
fn hashtag(source: &str) -> Option<(String, usize)> {
    let end = source[1..].find(|c: char| !c.is_alphanumeric()).unwrap_or(source.len() - 1);
    (end > 0).then(|| (source[..=end].to_owned(), end + 1))
}

/// What stands before the unescaped end, without its backslashes, and what comes after it.
fn until(source: &str, end: char) -> Option<(String, &str)> {
    let mut shown = String::new();
    let mut letters = source.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => shown.push(letters.next()?.1),
            letter if letter == end => return Some((shown, &source[at + end.len_utf8()..])),
            letter => shown.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_elements_are_shown_and_the_first_bare_character_cuts() {
        for (source, wanted, unread) in [
            ("plain text.", "plain text.", ""),
            (r"a \(b\) \\ \@c \#d", r"a (b) \ @c #d", ""),
            ("hi @[Works](urn:li:organization:1)!", "hi Works!", ""),
            (r"hi @[W \(x\)](urn:li:person:a-_1) b", "hi W (x) b", ""),
            (r"{hashtag|\#|news} more", "#news more", ""),
            ("see #news, ok", "see #news, ok", ""),
            ("C# is cut", "C", "# is cut"),
            ("a (b) c", "a ", "(b) c"),
            ("mail me@e.com", "mail me", "@e.com"),
            ("snake_case", "snake", "_case"),
            ("@[Nobody](somebody)", "", "@[Nobody](somebody)"),
            ("{other|x}", "", "{other|x}"),
            (r"ends in \", "ends in ", r"\"),
            ("ü 😀 <b>", "ü 😀 ", "<b>"),
        ] {
            let seen = seen(source);
            assert_eq!((seen.text.as_str(), &source[seen.read..]), (wanted, unread), "{source}");
        }
    }
}
