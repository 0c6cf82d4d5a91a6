//! Reading text the way platforms do: links, graphemes, and how much attention it got.

use std::{ops::Range, time::Duration};

use unicode_segmentation::UnicodeSegmentation;

use super::ledger::Piece;

/// Byte ranges of `http://` and `https://` links, in order.
pub(crate) fn http_links(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(offset) = text[from..].find("http") {
        let start = from + offset;
        let rest = &text[start..];
        let scheme = ["https://", "http://"].into_iter().find(|scheme| rest.starts_with(scheme));
        let glued = text[..start].ends_with(|c: char| c.is_alphanumeric() || c == '@');
        let Some(scheme) = scheme.filter(|_| !glued) else {
            from = start + "http".len();
            continue;
        };
        let length = rest.find(ends_a_link).unwrap_or(rest.len());
        let length = without_trailing_marks(&rest[..length]);
        if length > scheme.len() {
            found.push(start..start + length);
        }
        from = start + length.max(scheme.len());
    }
    found
}

fn ends_a_link(c: char) -> bool {
    // The marks that set a direction of writing are no part of a link either.
    let directs = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let closes = matches!(c, '<' | '>' | '"' | '…' | '「' | '」' | '。' | '、' | '，');
    c.is_whitespace() || directs || closes
}

/// A link does not end in punctuation, nor in a closing bracket that it did not open.
pub(crate) fn without_trailing_marks(link: &str) -> usize {
    let mut kept = link;
    loop {
        let Some(last) = kept.chars().next_back() else {
            return 0;
        };
        let opened =
            |open: char, close: char| kept.matches(open).count() >= kept.matches(close).count();
        let keep = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '[' | '{' | '(' => false,
            ')' => opened('(', ')'),
            ']' => opened('[', ']'),
            '}' => opened('{', '}'),
            _ => true,
        };
        if keep {
            return kept.len();
        }
        kept = &kept[..kept.len() - last.len_utf8()];
    }
}

pub(crate) fn graphemes(text: &str) -> usize {
    text.graphemes(true).count()
}

/// Text cut at byte ranges that lead somewhere. Ranges must be in order and within the text.
pub(crate) fn pieces(text: &str, links: &[(Range<usize>, String)]) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut from = 0;
    for (range, url) in links {
        if range.start > from {
            found.push(Piece::Plain(text[from..range.start].to_owned()));
        }
        found.push(Piece::Link { shown: text[range.clone()].to_owned(), url: url.clone() });
        from = range.end;
    }
    if from < text.len() {
        found.push(Piece::Plain(text[from..].to_owned()));
    }
    found
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Numbers that grow with a post's age, so that charts have something to show.
pub(crate) struct Attention {
    pub(crate) likes: u64,
    pub(crate) reposts: u64,
    pub(crate) replies: u64,
    pub(crate) views: u64,
}

/// The same for the same id and age; `seed` makes posts differ.
pub(crate) fn attention(seed: u64, age: Duration) -> Attention {
    let minutes = age.as_secs() / 60;
    let liveliness = 1 + seed % 7;
    // Interest fades: half of what a post will ever get comes in its first four hours.
    let views = 400 * liveliness * minutes / (minutes + 240);
    Attention { likes: views / 20, reposts: views / 90, replies: views / 150, views }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_end_before_punctuation_and_unopened_brackets() {
        let text = "see (https://e.com/a_(b)), http://f.org. xhttp://no https:// ok";
        let found: Vec<&str> = http_links(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["https://e.com/a_(b)", "http://f.org"]);
    }

    #[test]
    fn pieces_put_together_are_the_text() {
        let text = "a https://e.com b";
        let found = pieces(text, &[(2..15, "u".to_owned())]);
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn attention_only_grows() {
        let views = |minutes: u64| attention(3, Duration::from_secs(60 * minutes)).views;
        assert!(views(0) == 0 && views(60) < views(600) && views(600) <= views(60_000));
    }
}
