//! Text as Threads counts it: emoji by their UTF-8 bytes (docs/threads, posts, read 2026-11-21),
//! everything else by its characters.

use std::collections::BTreeSet;

use unicode_segmentation::UnicodeSegmentation;

use crate::sandbox::text::http_links;

pub(super) const LENGTH_MAX: usize = 500;
pub(super) const LINKS_MAX: usize = 5;

pub(super) fn length(text: &str) -> usize {
    text.graphemes(true)
        .map(|cluster| match is_emoji(cluster) {
            true => cluster.len(),
            false => cluster.chars().count(),
        })
        .sum()
}

/// Signs that may be drawn in colour are taken for emoji, which is the stricter reading.
fn is_emoji(cluster: &str) -> bool {
    let pictures = [0x2300..=0x23FF, 0x2600..=0x27BF, 0x2B00..=0x2BFF, 0x1_F000..=0x1_FAFF];
    let picture = |c: char| pictures.iter().any(|range| range.contains(&u32::from(c)));
    cluster.chars().any(picture) || cluster.contains(['\u{20E3}', '\u{FE0F}'])
}

/// The addresses of a post, each once.
pub(super) fn links<'a>(text: &'a str, attached: Option<&'a str>) -> BTreeSet<&'a str> {
    let in_text = http_links(text).into_iter().map(|range| &text[range]);
    in_text.chain(attached).collect()
}

/// Without a tag of its own, a post takes the first one of its text.
pub(super) fn first_tag(text: &str) -> Option<&str> {
    let marked = text.split_whitespace().filter_map(|word| word.strip_prefix('#'));
    let names = marked.map(|word| {
        let end = word.find(|c: char| !c.is_alphanumeric() && c != '_');
        &word[..end.unwrap_or(word.len())]
    });
    names.into_iter().find(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_count_their_bytes_and_letters_count_once() {
        for (text, wanted) in [
            ("This is a test", 14),
            ("über の", 6),
            ("🤖", 4),
            ("👍🏽", 8),
            ("👨‍👩‍👧‍👦", 25),
            ("🇩🇪", 8),
            ("❤️", 6),
            ("cafe\u{301}", 5),
        ] {
            assert_eq!(length(text), wanted, "{text}");
        }
    }

    #[test]
    fn links_count_once_and_the_first_tag_is_the_topic() {
        let found = links("https://a.de https://b.de https://a.de", Some("https://b.de"));
        assert_eq!(found.len(), 2);
        assert_eq!(first_tag("a # b #two, #three"), Some("two"));
        assert_eq!(first_tag("a#b"), None);
    }
}
