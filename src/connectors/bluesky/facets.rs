//! Links, mentions and tags in a text. Bluesky's server never finds them itself: what has no facet
//! is plain text.
//!
//! Invariants: facets are in order, inside the text, never overlap, and begin and end between
//! characters; offsets count bytes of UTF-8, the end not included (`app.bsky.richtext.facet`).

use std::ops::Range;

use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation;

use super::Known;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facet {
    pub(super) bytes: Range<usize>,
    pub(super) feature: Feature,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Feature {
    Link { uri: String },
    Mention { did: String },
    Tag { tag: String },
}

impl Facet {
    pub(super) fn to_json(&self) -> Value {
        let feature = match &self.feature {
            Feature::Link { uri } => json!({ "$type": "app.bsky.richtext.facet#link", "uri": uri }),
            Feature::Mention { did } => {
                json!({ "$type": "app.bsky.richtext.facet#mention", "did": did })
            }
            Feature::Tag { tag } => json!({ "$type": "app.bsky.richtext.facet#tag", "tag": tag }),
        };
        json!({
            "index": { "byteStart": self.bytes.start, "byteEnd": self.bytes.end },
            "features": [feature],
        })
    }
}

/// Every facet of `text`. A mention of somebody who is not known stays plain text.
pub(super) fn find(text: &str, known: &Known) -> Vec<Facet> {
    let facet = |(bytes, piece)| {
        let feature = match piece {
            Piece::Link { uri } => Feature::Link { uri },
            Piece::Tag { tag } => Feature::Tag { tag },
            Piece::Mention { handle } => Feature::Mention { did: known.get(&handle)?.clone()? },
        };
        Some(Facet { bytes, feature })
    };
    pieces(text).into_iter().filter_map(facet).collect()
}

/// The handles that `text` mentions, in lower case.
pub(super) fn handles(text: &str) -> Vec<String> {
    let handle = |(_, piece)| match piece {
        Piece::Mention { handle } => Some(handle),
        Piece::Link { .. } | Piece::Tag { .. } => None,
    };
    pieces(text).into_iter().filter_map(handle).collect()
}

enum Piece {
    Link { uri: String },
    Mention { handle: String },
    Tag { tag: String },
}

/// One piece at most per word: a word is what stands between white space, without what opens it.
fn pieces(text: &str) -> Vec<(Range<usize>, Piece)> {
    let mut found = Vec::new();
    for word in text.split_whitespace() {
        let word = word.trim_start_matches(OPENING);
        // `split_whitespace` gives slices of `text`, so the distance is where the word begins.
        let start = word.as_ptr().addr() - text.as_ptr().addr();
        if let Some((length, piece)) = piece(word) {
            found.push((start..start + length, piece));
        }
    }
    found
}

const OPENING: &[char] = &['(', '[', '{', '<', '"', '\'', '“', '„', '‘', '«', '「', '（', '¿', '¡'];

/// What a word begins with, and how many bytes of it belong to that.
fn piece(word: &str) -> Option<(usize, Piece)> {
    if let Some(rest) = word.strip_prefix('@') {
        return mention(rest);
    }
    if let Some(rest) = word.strip_prefix(['#', '＃']) {
        let tag = tag(rest)?;
        let sign = word.len() - rest.len();
        return Some((sign + tag.len(), Piece::Tag { tag: tag.to_owned() }));
    }
    for scheme in ["https://", "http://"] {
        if word.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)) {
            let link = link(word);
            let piece = Piece::Link { uri: link.to_owned() };
            return (link.len() > scheme.len()).then_some((link.len(), piece));
        }
    }
    let link = is_bare_domain(word).then(|| link(word))?;
    Some((link.len(), Piece::Link { uri: format!("https://{link}") }))
}

/// `@handle`. Some top-level names never resolve (<https://atproto.com/specs/handle>, read
/// 2026-11-21).
fn mention(rest: &str) -> Option<(usize, Piece)> {
    let end = rest
        .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.' && letter != '-')
        .unwrap_or(rest.len());
    let handle = rest[..end].trim_end_matches(['.', '-']);
    // `@user@server` is somebody elsewhere.
    if !is_handle(handle) || rest[end..].starts_with('@') {
        return None;
    }
    Some((1 + handle.len(), Piece::Mention { handle: handle.to_ascii_lowercase() }))
}

const UNRESOLVABLE: &[&str] =
    &["alt", "arpa", "example", "internal", "invalid", "local", "localhost", "onion"];

/// At least two labels of 1 to 63 letters, digits and hyphens, 253 in all; the last does not begin
/// with a digit (<https://atproto.com/specs/handle>, read 2026-11-21).
pub(super) fn is_handle(text: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    is_domain(text)
        && !last.starts_with(|first: char| first.is_ascii_digit())
        && !UNRESOLVABLE.contains(&last.as_str())
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label)
}

/// "maxLength 640, maxGraphemes 64". Too long a tag stays plain text rather than becoming another.
fn tag(rest: &str) -> Option<&str> {
    let end = rest.find(|letter: char| INVISIBLE.contains(&letter) || letter == '#');
    let tag = rest[..end.unwrap_or(rest.len())].trim_end_matches(is_punctuation);
    let is_number = tag.chars().all(|letter| letter.is_numeric());
    // The variation selector makes a keycap of the sign in front of it.
    let is_keycap = tag.starts_with('\u{fe0f}') || tag.starts_with('\u{20e3}');
    let fits = tag.len() <= 640 && tag.graphemes(true).count() <= 64;
    (!tag.is_empty() && !is_number && !is_keycap && fits).then_some(tag)
}

const INVISIBLE: &[char] = &['\u{ad}', '\u{2060}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{20e2}'];

fn is_punctuation(letter: char) -> bool {
    letter.is_ascii_punctuation() || CLOSING.contains(&letter)
}

const CLOSING: &[char] = &[
    '”', '’', '»', '…', '–', '—', '、', '。', '，', '！', '？', '；', '：', '」', '』', '）', '】',
];

/// A link ends before what closes the sentence or the brackets around it.
fn link(word: &str) -> &str {
    let stops = |letter: char| matches!(letter, '<' | '>' | '"') || CLOSING.contains(&letter);
    let mut link = &word[..word.find(stops).unwrap_or(word.len())];
    loop {
        let last = link.chars().next_back();
        let is_stray = match last {
            Some('.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*') => true,
            Some(')') => opens_fewer(link, '(', ')'),
            Some(']') => opens_fewer(link, '[', ']'),
            Some('}') => opens_fewer(link, '{', '}'),
            _ => false,
        };
        if !is_stray {
            return link;
        }
        link = &link[..link.len() - 1];
    }
}

/// More are closed than opened: the last one closes a bracket that stands before the link.
fn opens_fewer(link: &str, opening: char, closing: char) -> bool {
    link.matches(opening).count() < link.matches(closing).count()
}

/// A host without a scheme: only where its end is a well-known one, so that `main.rs`, `e.g.` and
/// `v1.0` stay words, or where it begins with `www.`.
fn is_bare_domain(word: &str) -> bool {
    let end = word
        .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.' && letter != '-')
        .unwrap_or(word.len());
    let host = word[..end].trim_end_matches(['.', '-']).to_ascii_lowercase();
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_known = WELL_KNOWN.contains(&last) || (host.starts_with("www.") && last.len() >= 2);
    let begins_well = host.starts_with(|first: char| first.is_ascii_alphanumeric());
    let is_numeric = last.bytes().all(|byte| byte.is_ascii_digit());
    // `name@example.com` is an address, and `example.com_` is neither.
    let goes_on_badly = word[end..].starts_with(['@', '_', '&', '=', '+']);
    is_domain(&host) && is_known && begins_well && !is_numeric && !goes_on_badly
}

const WELL_KNOWN: &[&str] = &[
    "app", "art", "biz", "blog", "ca", "ch", "club", "cn", "co", "com", "cz", "de", "dev", "dk",
    "edu", "es", "eu", "fi", "fr", "gov", "hu", "ie", "info", "int", "io", "jp", "kr", "lu",
    "museum", "mx", "net", "news", "nl", "nz", "online", "org", "pt", "se", "shop", "site", "sk",
    "social", "store", "tv", "ua", "uk", "us", "wiki", "xyz", "za",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What each facet covers, and what it says.
    fn found(text: &str) -> Vec<(String, String)> {
        let known = handles(text).into_iter();
        let known: Known = known
            .map(|handle| {
                let did = (!handle.contains("nobody")).then(|| format!("did:plc:{handle}"));
                (handle, did)
            })
            .collect();
        let facets = find(text, &known).into_iter();
        facets
            .map(|facet| {
                let said = match facet.feature {
                    Feature::Link { uri } => uri,
                    Feature::Mention { did } => did,
                    Feature::Tag { tag } => format!("#{tag}"),
                };
                (text[facet.bytes].to_owned(), said)
            })
            .collect()
    }

    fn check(text: &str, expected: &[(&str, &str)]) {
        let expected: Vec<(String, String)> =
            expected.iter().map(|&(seen, said)| (seen.to_owned(), said.to_owned())).collect();
        assert_eq!(found(text), expected, "{text}");
    }

    #[test]
    fn links_end_where_the_sentence_does() {
        check("see https://e.com.", &[("https://e.com", "https://e.com")]);
        check("(https://e.com/a)", &[("https://e.com/a", "https://e.com/a")]);
        check("https://e.com/a_(b)", &[("https://e.com/a_(b)", "https://e.com/a_(b)")]);
        check("(https://e.com/a_(b))", &[("https://e.com/a_(b)", "https://e.com/a_(b)")]);
        check("[(e.com/a_(b)?c)].", &[("e.com/a_(b)?c", "https://e.com/a_(b)?c")]);
        check(
            "https://e.com/a?b=c&d#e!",
            &[("https://e.com/a?b=c&d#e", "https://e.com/a?b=c&d#e")],
        );
        check("\"HTTPS://E.com\"", &[("HTTPS://E.com", "HTTPS://E.com")]);
        check("見て https://e.com/あ。次", &[("https://e.com/あ", "https://e.com/あ")]);
        check("https:// and http://", &[]);
    }

    #[test]
    fn bare_domains_are_links_and_file_names_are_not() {
        check("on example.com/a, now", &[("example.com/a", "https://example.com/a")]);
        check("www.b.example.", &[("www.b.example", "https://www.b.example")]);
        check(
            "Sub.Example.ORG:8080/x",
            &[("Sub.Example.ORG:8080/x", "https://Sub.Example.ORG:8080/x")],
        );
        check("main.rs e.g. i.e v1.0 1.5 Node.js me@example.com end.Start ... .com a..com", &[]);
    }

    #[test]
    fn mentions_need_a_name_that_somebody_has() {
        check("Hi @Alice.bsky.social!", &[("@Alice.bsky.social", "did:plc:alice.bsky.social")]);
        check("(@a.test)", &[("@a.test", "did:plc:a.test")]);
        check("@nobody.example.com @alice @user@server.com a@b.com @x.local @1.2", &[]);
    }

    #[test]
    fn tags_are_words_and_not_numbers() {
        check(
            "#Rust, #größe! (#ok) ＃日本",
            &[("#Rust", "#Rust"), ("#größe", "#größe"), ("#ok", "#ok"), ("＃日本", "#日本")],
        );
        check("#1 #2026 # ## #️⃣ a#b #...", &[]);
        let long = format!("#{}", "a".repeat(65));
        check(&long, &[]);
    }

    #[test]
    fn offsets_count_bytes() {
        let facets = find("🦋é #tag", &Known::new());
        assert_eq!(facets[0].bytes, 7..11);
    }

    proptest! {
        #[test]
        fn facets_are_in_order_and_between_characters(
            text in prop_oneof![
                "\\PC*",
                "([ \\n(@#.,)/:a-z0-9é🦋＃。]|https://|www\\.|@a\\.test|\\.com){0,40}",
            ],
        ) {
            let known = handles(&text).into_iter().map(|handle| (handle, Some("did".to_owned())));
            let mut end = 0;
            for facet in find(&text, &known.collect()) {
                prop_assert!(end <= facet.bytes.start && facet.bytes.start < facet.bytes.end);
                prop_assert!(text.get(facet.bytes.clone()).is_some());
                end = facet.bytes.end;
            }
        }
    }
}
