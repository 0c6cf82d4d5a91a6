//! How long a text is, as each platform counts, and where its links are.
//!
//! Where a count here differs from the platform's own in a rare case, the platform's decides: it
//! refuses what is too long, and says so.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::domain::platform::TextUnit;

#[cfg(test)]
mod conformance;
mod links;
mod little;
mod tags;
mod weighted;

/// The length of `text` in `unit`.
pub fn length(text: &str, unit: TextUnit) -> u32 {
    match unit {
        TextUnit::Graphemes => graphemes(text),
        TextUnit::Mastodon { url } => mastodon(text, url),
        TextUnit::Weighted => weighted::length(text),
        TextUnit::Chars => count(text.chars().count()),
        TextUnit::Utf16 => count(text.encode_utf16().count()),
        TextUnit::EmojiBytes => emoji_bytes(text),
        TextUnit::LittleText => count(little::escaped(text).chars().count()),
    }
}

/// The text as LinkedIn wants it: see [`TextUnit::LittleText`].
pub fn little(text: &str) -> String {
    little::escaped(text)
}

/// How many hashtags there are.
pub fn hashtags(text: &str) -> usize {
    tags::hashtags(text)
}

/// How many mentions there are.
pub fn mentions(text: &str) -> usize {
    tags::mentions(text)
}

/// The `http` and `https` URLs in `text`, in order, as ranges of bytes.
pub fn links(text: &str) -> Vec<Range<usize>> {
    links::with_scheme(text)
}

/// Everything that X turns into a link of its own, bare hosts such as `example.com` included.
pub fn links_of_x(text: &str) -> Vec<Range<usize>> {
    links::of_x(text)
}

fn graphemes(text: &str) -> u32 {
    if text.is_ascii() {
        // Of these, only a carriage return and its line feed are one (Unicode annex 29, GB3).
        // Finding that out letter by letter is a tenth of what planning a post costs.
        return count(text.len() - text.matches("\r\n").count());
    }
    count(text.graphemes(true).count())
}

/// "All links are counted as 23 characters", "only the username part of mentions is counted"
/// (docs.joinmastodon.org/user/posting, read 2026-11-20).
fn mastodon(text: &str, url: u32) -> u32 {
    let mut total = 0;
    let mut plain_from = 0;
    for link in links(text) {
        total += graphemes(&without_servers(&text[plain_from..link.start])) + url;
        plain_from = link.end;
    }
    total + graphemes(&without_servers(&text[plain_from..]))
}

/// `@user@server` becomes `@user`.
fn without_servers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let before = kept.chars().last().filter(|_| at == 0).or(rest[..at].chars().last());
        kept.push_str(&rest[..=at]);
        rest = &rest[at + 1..];
        if before.is_some_and(|last| is_word(last) || last == '/' || last == '=') {
            continue;
        }
        let user = prefix(rest, |letter| letter.is_ascii_alphanumeric() || "_.-".contains(letter));
        let user = user.trim_end_matches(['.', '-']);
        kept.push_str(user);
        rest = &rest[user.len()..];
        let Some(server) = rest.strip_prefix('@').filter(|_| !user.is_empty()) else { continue };
        let server = prefix(server, |letter| is_word(letter) || letter == '.' || letter == '-');
        let server = server.trim_end_matches(['.', '-']);
        if !server.is_empty() {
            rest = &rest[1 + server.len()..];
        }
    }
    kept.push_str(rest);
    kept
}

/// "Emojis are counted as the number of UTF-8 bytes" (developers.facebook.com/docs/threads, as of
/// 2026-10).
fn emoji_bytes(text: &str) -> u32 {
    let length = |cluster: &str| match weighted::is_emoji(cluster) {
        true => cluster.len(),
        false => cluster.chars().count(),
    };
    count(text.graphemes(true).map(length).sum())
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn prefix(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    let end = text.find(|letter| !belongs(letter)).unwrap_or(text.len());
    &text[..end]
}

/// A text that is too long for the number is too long for every platform.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASTODON: TextUnit = TextUnit::Mastodon { url: 23 };

    #[test]
    fn what_people_see_as_one_character_counts_once() {
        for (text, expected) in [("", 0), ("abc", 3), ("e\u{301}", 1), ("👨‍👩‍👧‍👦", 1), ("🇩🇪🇫🇷", 2)]
        {
            assert_eq!(length(text, TextUnit::Graphemes), expected, "{text}");
            assert_eq!(length(text, MASTODON), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn ascii_counts_as_the_general_rule_counts_it(text in "[ -~\t\r\n]{0,40}") {
            let general = text.graphemes(true).count();
            proptest::prop_assert_eq!(usize::try_from(graphemes(&text)), Ok(general));
        }
    }

    #[test]
    fn mastodon_counts_a_url_alike_whatever_its_length() {
        for url in ["http://a.b", "https://example.com/a/very/long/path/indeed?with=a&query#end"] {
            assert_eq!(length(&format!("See {url}."), MASTODON), 4 + 23 + 1, "{url}");
        }
        assert_eq!(length("see example.com", MASTODON), 15);
    }

    #[test]
    fn mastodon_leaves_out_the_server_of_a_mention() {
        for (text, counted) in [
            ("@ada", "@ada"),
            ("@ada@example.social", "@ada"),
            ("hi @ada@example.social, hi @bo@b.example.", "hi @ada, hi @bo."),
            ("mail ada@example.org", "mail ada@example.org"),
            ("@ @@ @ada@", "@ @@ @ada@"),
            ("(@ada@a.example)@bo", "(@ada)@bo"),
        ] {
            assert_eq!(length(text, MASTODON), graphemes(counted), "{text}");
        }
    }
}
