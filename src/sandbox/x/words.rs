//! Text as X counts and stores it: weighted length, and every link wrapped in t.co.
//!
//! By twitter-text configuration version 3. Links without a scheme are recognised for the commonest
//! top-level domains, not for all that X knows.

use std::ops::Range;

use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

use crate::sandbox::{
    ledger::Piece,
    text::{escaped, http_links, without_trailing_marks},
};

pub(super) const WEIGHT_MAX: usize = 280;
pub(super) const PREMIUM_WEIGHT_MAX: usize = 25_000;
const URL_WEIGHT: usize = 23;

/// Of the domains that need no path to be a link.
const GENERIC: [&str; 30] = [
    "com", "net", "org", "info", "biz", "edu", "gov", "mil", "int", "io", "co", "tv", "dev", "app",
    "blog", "shop", "site", "online", "store", "tech", "xyz", "social", "news", "media", "live",
    "page", "cloud", "agency", "studio", "world",
];

/// Of those that do, when only one label stands before them.
const COUNTRIES: [&str; 40] = [
    "ac", "ai", "at", "au", "be", "br", "ca", "cc", "ch", "cl", "cn", "cz", "de", "dk", "es", "eu",
    "fi", "fr", "gr", "hu", "ie", "in", "it", "jp", "kr", "ly", "me", "mx", "nl", "no", "nz", "pl",
    "pt", "ru", "se", "sg", "to", "tr", "uk", "us",
];

/// A link in a text, and where it leads.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Link {
    pub(super) range: Range<usize>,
    pub(super) expanded: String,
}

pub(super) fn links(text: &str) -> Vec<Link> {
    let mut found: Vec<Link> = Vec::new();
    let mut from = 0;
    let whole = |range: Range<usize>| Link { expanded: text[range.clone()].to_owned(), range };
    for range in http_links(text) {
        bare_links(text, from..range.start, &mut found);
        from = range.end;
        // In the form that names are looked up in, a label has at most 63 letters.
        let url = Url::parse(&text[range.clone()]);
        let host = url.ok().and_then(|url| url.host_str().map(str::to_owned));
        let is_name =
            |host: String| host.contains('.') && host.split('.').all(|label| label.len() <= 63);
        if host.is_some_and(is_name) {
            found.push(whole(range));
        }
    }
    bare_links(text, from..text.len(), &mut found);
    found
}

fn bare_links(text: &str, within: Range<usize>, found: &mut Vec<Link>) {
    let mut at = within.start;
    for word in text[within].split_inclusive(char::is_whitespace) {
        let start = at;
        at += word.len();
        let word = word.trim_end();
        let lead = word.len() - word.trim_start_matches(['(', '"', '\'', '[']).len();
        let candidate = &word[lead..];
        let candidate = &candidate[..without_trailing_marks(candidate)];
        if is_bare_link(candidate) {
            let range = start + lead..start + lead + candidate.len();
            found.push(Link { range, expanded: format!("http://{candidate}") });
        }
    }
}

fn is_bare_link(text: &str) -> bool {
    let host_end = text.find(['/', '?', '#']).unwrap_or(text.len());
    let (host, path) = text.split_at(host_end);
    let labels: Vec<&str> = host.split('.').collect();
    let is_label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some((last, before)) = labels.split_last() else {
        return false;
    };
    let last = last.to_ascii_lowercase();
    let enough = before.len() > 1 || path.starts_with('/');
    !before.is_empty()
        && labels.iter().all(is_label)
        && (GENERIC.contains(&last.as_str()) || (COUNTRIES.contains(&last.as_str()) && enough))
}

/// Weighted length in characters: 280 is the limit.
pub(super) fn weight(text: &str) -> usize {
    let text: String = text.nfc().collect();
    let links = links(&text);
    let mut hundredths = links.len() * URL_WEIGHT * 100;
    let mut from = 0;
    for link in &links {
        hundredths += plain_weight(&text[from..link.range.start]);
        from = link.range.end;
    }
    (hundredths + plain_weight(&text[from..])) / 100
}

fn plain_weight(text: &str) -> usize {
    text.graphemes(true)
        .map(|cluster| match is_emoji(cluster) {
            true => 200,
            false => cluster.chars().map(char_weight).sum(),
        })
        .sum()
}

fn char_weight(c: char) -> usize {
    match u32::from(c) {
        0..=4_351 | 8_192..=8_205 | 8_208..=8_223 | 8_242..=8_247 => 100,
        _ => 200,
    }
}

/// Pictures count once, however many code points they are made of.
fn is_emoji(cluster: &str) -> bool {
    let pictures = [0x2300..=0x23FF, 0x2600..=0x27BF, 0x1_F000..=0x1_FAFF];
    let picture = |c: char| pictures.iter().any(|range| range.contains(&u32::from(c)));
    cluster.chars().any(picture) || cluster.contains(['\u{20E3}', '\u{FE0F}'])
}

/// A text as it is stored: escaped, with short links, and the entities that explain them.
pub(super) struct Stored {
    pub(super) text: String,
    pub(super) urls: Vec<Value>,
    pub(super) pieces: Vec<Piece>,
}

/// `shorts` gives the end of each short link; `tails` are the links of attachments, which are
/// appended.
pub(super) fn stored(
    text: &str,
    tails: &[(String, String)],
    mut short: impl FnMut() -> String,
) -> Stored {
    let mut made = Stored { text: String::new(), urls: Vec::new(), pieces: Vec::new() };
    let mut from = 0;
    for link in links(text) {
        made.plain(&text[from..link.range.start]);
        let shown = made.link(&link.expanded, &short(), None);
        made.pieces.push(Piece::Link { shown, url: link.expanded });
        from = link.range.end;
    }
    made.plain(&text[from..]);
    for (at, (url, media_key)) in tails.iter().enumerate() {
        // All attachments of a post share one short link.
        if at == 0 {
            if !made.text.is_empty() {
                made.text.push(' ');
            }
            made.link(url, &short(), Some(media_key));
        } else if let Some(first) = made.urls.last().cloned() {
            let mut again = first;
            again["media_key"] = json!(media_key);
            made.urls.push(again);
        }
    }
    made
}

impl Stored {
    fn plain(&mut self, text: &str) {
        if !text.is_empty() {
            self.text.push_str(&escaped(text));
            self.pieces.push(Piece::Plain(text.to_owned()));
        }
    }

    /// Appends a short link and gives what is shown for it. Positions are in code points.
    fn link(&mut self, expanded: &str, short: &str, media_key: Option<&String>) -> String {
        let url = format!("https://t.co/{short}");
        let start = self.text.chars().count();
        let shown = displayed(expanded);
        let mut entity = json!({
            "start": start, "end": start + url.len(), "url": url, "expanded_url": expanded,
            "display_url": shown,
        });
        if let Some(media_key) = media_key {
            entity["media_key"] = json!(media_key);
        }
        self.urls.push(entity);
        self.text.push_str(&url);
        shown
    }
}

/// A long post's beginning, as those see it who ask for the text alone: cut between two words.
pub(super) fn beginning(stored: &str) -> String {
    let end = stored.char_indices().nth(WEIGHT_MAX - 1).map_or(stored.len(), |(at, _)| at);
    let cut = stored[..end].rfind(char::is_whitespace).unwrap_or(end);
    format!("{}…", &stored[..cut])
}

/// Names of shares and coins: a dollar sign before a letter, not within a word.
pub(super) fn cashtags(text: &str) -> usize {
    let mut before = ' ';
    let mut found = 0;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let named = letters.peek().is_some_and(char::is_ascii_alphabetic);
        found += usize::from(letter == '$' && named && !before.is_alphanumeric());
        before = letter;
    }
    found
}

fn displayed(url: &str) -> String {
    const SHOWN_CHARS: usize = 26;
    let bare = url.split("://").nth(1).unwrap_or(url);
    let bare = bare.strip_prefix("www.").unwrap_or(bare);
    match bare.char_indices().nth(SHOWN_CHARS) {
        Some((cut, _)) => format!("{}…", &bare[..cut]),
        None => bare.trim_end_matches('/').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_follow_the_published_examples() {
        for (text, wanted) in [
            ("This is a test", 14),
            ("のののの", 8),
            ("🤖🤖🤖", 6),
            ("👨‍👩‍👧‍👦", 2),
            ("👍🏽", 2),
            ("🇩🇪", 2),
            ("caf\u{65}\u{301}", 4),
            ("http://test.com", 23),
            ("a https://example.com/very/long/path/indeed b", 27),
            ("example.com and example.de", 23 + 4 + 1 + 10),
            ("example.de/path", 23),
            ("e.g. i.e. v1.2 hello.world", 15 + 23),
        ] {
            assert_eq!(weight(text), wanted, "{text}");
        }
    }

    #[test]
    fn cashtags_begin_words_and_prices_are_none() {
        for (text, wanted) in [("$A, ($B) and $c", 3), ("$5 US$x $ $$D", 1), ("no", 0)] {
            assert_eq!(cashtags(text), wanted, "{text}");
        }
    }

    #[test]
    fn stored_text_is_escaped_and_its_entities_point_at_the_short_links() {
        let tails = [("https://x.com/a/status/1/photo/1".to_owned(), "3_1".to_owned())];
        let made = stored("a < ü https://e.com/x", &tails, || "abcdefghij".to_owned());
        assert_eq!(made.text, "a &lt; ü https://t.co/abcdefghij https://t.co/abcdefghij");
        let chars: Vec<char> = made.text.chars().collect();
        let start = made.urls[0]["start"].as_u64().unwrap() as usize;
        let end = made.urls[0]["end"].as_u64().unwrap() as usize;
        let shown: String = chars[start..end].iter().collect();
        assert_eq!(shown, "https://t.co/abcdefghij");
        assert_eq!(made.urls[1]["media_key"], "3_1");
    }
}
