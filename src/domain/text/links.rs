//! Finds links in a text.
//!
//! Two readings, because platforms differ: a URL with its scheme, whatever its host; and X's, which
//! also takes bare hosts (`example.com`) but only under a top level domain that it knows.
//! X's follows twitter-text 3 (<https://github.com/twitter/twitter-text>, read 2026-11-21).

use std::{collections::HashSet, ops::Range, sync::LazyLock};

/// Top level domains: all two-letter ones, and the most used others. X's own list is longer and
/// grows. A domain that is missing here counts as plain text, which can only differ for rare
/// domains, and X would still accept or refuse a text by its own count.
static TOP_LEVEL: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("tlds.txt").split_whitespace().collect());

static TOP_LEVEL_LETTERS_MAX: LazyLock<usize> =
    LazyLock::new(|| TOP_LEVEL.iter().map(|name| name.chars().count()).max().unwrap_or_default());

/// "`MAX_TCO_SLUG_LENGTH = 40`"; a longer one is not a link.
const SLUG_LETTERS_MAX: usize = 40;
/// A host's label, in its ASCII form.
const LABEL_BYTES_MAX: usize = 63;

/// Every `http://…` and `https://…`, without the punctuation that ends the sentence around it.
pub(super) fn with_scheme(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some((start, host)) = next_scheme(text, from) {
        let run = text[host..].find(ends_any_url).map_or(text.len(), |end| host + end);
        let end = host + balanced(&text[host..run]).len();
        from = run.max(host);
        if text[host..end].starts_with(|first| is_host(first) || first == '[') {
            found.push(start..end);
        }
    }
    found
}

/// Where the next scheme starts and where the host behind it starts.
fn next_scheme(text: &str, from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        at += text[at..].find(['h', 'H'])?;
        let before = text[..at].chars().last();
        match scheme(&text[at..]) {
            Some(length) if before.is_none_or(may_precede) => return Some((at, at + length)),
            _ => at += 1,
        }
    }
}

fn scheme(text: &str) -> Option<usize> {
    let starts = |scheme: &&str| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    ["https://", "http://"].iter().find(|scheme| starts(scheme)).map(|scheme| scheme.len())
}

fn ends_any_url(letter: char) -> bool {
    letter.is_whitespace() || letter.is_control() || "<>\"「」".contains(letter)
}

/// Cuts trailing punctuation, and a closing bracket that was opened before the URL.
fn balanced(url: &str) -> &str {
    let mut url = url;
    while let Some(last) = url.chars().last() {
        let loose = match last {
            ')' => url.matches(')').count() > url.matches('(').count(),
            ']' => url.matches(']').count() > url.matches('[').count(),
            _ => ".,;:!?'*&|~@$%…。、！？".contains(last),
        };
        if !loose {
            break;
        }
        url = &url[..url.len() - last.len_utf8()];
    }
    url
}

/// Everything that X turns into a link of its own.
pub(super) fn of_x(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut before = None;
    while let Some(first) = text[at..].chars().next() {
        let free = before.is_none_or(may_precede);
        let link = match scheme(&text[at..]).filter(|_| free) {
            Some(length) => with_known_host(text, at, at + length),
            None if free && is_ascii_host(first) => bare(text, at, before),
            None => Link::None { next: at + first.len_utf8() },
        };
        at = match link {
            Link::None { next } => next,
            Link::Found { end, start } => {
                found.push(start..end);
                end
            }
        };
        before = text[..at].chars().last();
    }
    found
}

enum Link {
    Found { start: usize, end: usize },
    None { next: usize },
}

fn with_known_host(text: &str, start: usize, host: usize) -> Link {
    let Some(length) = host_length(&text[host..], is_host) else {
        return Link::None { next: host };
    };
    let name = &text[host..host + length];
    let end = host + length + tail_length(&text[host + length..]);
    if !has_short_labels(name) {
        return Link::None { next: end };
    }
    if !name.eq_ignore_ascii_case("t.co") {
        return Link::Found { start, end };
    }
    // X's own short links hold nothing but a slug and a query.
    let Some(path) = text[host + length..end].strip_prefix('/') else {
        return Link::Found { start, end };
    };
    let slug = super::prefix(path, |letter| letter.is_ascii_alphanumeric()).len();
    let slug_end = host + length + 1 + slug;
    match slug {
        0 => Link::Found { start, end },
        1..=SLUG_LETTERS_MAX => {
            Link::Found { start, end: slug_end + query_length(&text[slug_end..]) }
        }
        _ => Link::None { next: end },
    }
}

fn bare(text: &str, start: usize, before: Option<char>) -> Link {
    let run =
        super::prefix(&text[start..], |letter| is_ascii_host(letter) || ".-_".contains(letter));
    let Some(length) = host_length(&text[start..], is_ascii_host)
        .filter(|&length| has_short_labels(&text[start..start + length]))
        .filter(|_| !before.is_some_and(|letter| "-_./".contains(letter)))
    else {
        return Link::None { next: start + run.len() };
    };
    let end = start + length;
    Link::Found { start, end: end + tail_length(&text[end..]) }
}

/// The longest host at the start of `text` that ends in a known top level domain. An underscore may
/// stand inside a label, but not in the one before the top level.
fn host_length(text: &str, belongs: fn(char) -> bool) -> Option<usize> {
    let mut best = None;
    let mut label_start = 0;
    let mut before_is_name = false;
    loop {
        let rest = &text[label_start..];
        if before_is_name {
            best = top_level_length(rest).map(|length| label_start + length).or(best);
        }
        let label = super::prefix(rest, |letter| belongs(letter) || letter == '-' || letter == '_');
        let next = label_start + label.len();
        let is_label = label.starts_with(belongs) && label.ends_with(belongs);
        if !is_label || !text[next..].starts_with('.') {
            return best;
        }
        before_is_name = !label.contains('_');
        label_start = next + 1;
    }
}

/// The known top level domain that `text` starts with, if it ends where a host may end.
fn top_level_length(text: &str) -> Option<usize> {
    let may_end = |end: usize| {
        !text[end..].starts_with(|next: char| next.is_ascii_alphanumeric() || "@+-".contains(next))
    };
    let ascii = super::prefix(text, |letter| letter.is_ascii_alphanumeric() || letter == '-');
    let lower = ascii.to_ascii_lowercase();
    if lower.strip_prefix("xn--").is_some_and(|rest| !rest.is_empty()) {
        return Some(ascii.len());
    }
    if !ascii.is_empty() {
        let known = TOP_LEVEL.contains(lower.as_str()) && may_end(ascii.len());
        return known.then_some(ascii.len());
    }
    let ends = text.char_indices().take(*TOP_LEVEL_LETTERS_MAX).map(|(at, c)| at + c.len_utf8());
    ends.filter(|&end| TOP_LEVEL.contains(&text[..end]) && may_end(end)).last()
}

fn has_short_labels(host: &str) -> bool {
    match url::Host::parse(host) {
        Ok(url::Host::Domain(ascii)) => {
            ascii.split('.').all(|label| label.len() <= LABEL_BYTES_MAX)
        }
        Ok(_) | Err(_) => false,
    }
}

/// A port, a path and a query.
fn tail_length(text: &str) -> usize {
    let digits = match text.strip_prefix(':') {
        Some(port) => super::prefix(port, |letter| letter.is_ascii_digit()).len(),
        None => 0,
    };
    let port = if digits > 0 { 1 + digits } else { 0 };
    let path = port + path_length(&text[port..]);
    path + query_length(&text[path..])
}

fn path_length(text: &str) -> usize {
    if !text.starts_with('/') {
        return 0;
    }
    let mut end = 1;
    let mut at = 1;
    while let Some(letter) = text[at..].chars().next() {
        if letter == '(' {
            let Some(length) = group_length(&text[at..]) else { break };
            at += length;
            end = at;
        } else if is_path(letter) {
            at += letter.len_utf8();
            if may_end_path(letter) {
                end = at;
            }
        } else {
            break;
        }
    }
    end
}

/// A pair of brackets around a path's letters, with at most one more pair inside.
fn group_length(text: &str) -> Option<usize> {
    let mut depth = 0_u8;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' if depth < 2 => depth += 1,
            ')' if depth == 1 => return (at > 1).then_some(at + 1),
            ')' => depth -= 1,
            _ if is_path(letter) => {}
            _ => return None,
        }
    }
    None
}

fn query_length(text: &str) -> usize {
    let Some(query) = text.strip_prefix('?') else { return 0 };
    let query = super::prefix(query, |letter| {
        letter.is_ascii_alphanumeric() || "!?*'@();:&=+$/%#[]-_.,~|".contains(letter)
    });
    let end = |letter: char| letter.is_ascii_alphanumeric() || "-_&=#/".contains(letter);
    query.rfind(end).map_or(0, |last| last + 2)
}

fn may_precede(letter: char) -> bool {
    !letter.is_ascii_alphanumeric() && !"@＠$#＃\u{fffe}\u{feff}\u{ffff}".contains(letter)
}

fn is_host(letter: char) -> bool {
    !letter.is_ascii_punctuation()
        && !letter.is_whitespace()
        && !letter.is_control()
        && !matches!(letter,
            '\u{180e}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{feff}' | '\u{ffff}')
}

/// Latin letters and digits: all that X takes in a host without a scheme.
fn is_ascii_host(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || is_accented(letter)
}

fn is_accented(letter: char) -> bool {
    matches!(letter, '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{24f}'
        | '\u{253}' | '\u{254}' | '\u{256}' | '\u{257}' | '\u{259}' | '\u{25b}' | '\u{263}'
        | '\u{268}' | '\u{26f}' | '\u{272}' | '\u{289}' | '\u{28b}' | '\u{2bb}'
        | '\u{300}'..='\u{36f}' | '\u{1e00}'..='\u{1eff}')
}

fn is_path(letter: char) -> bool {
    may_end_path(letter) || "!*';:,.$%[]–~@|&".contains(letter)
}

fn may_end_path(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || "+-=_#/".contains(letter)
        || matches!(letter, '\u{400}'..='\u{4ff}')
        || is_accented(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::conformance;

    fn check(found: impl Fn(&str) -> Vec<Range<usize>>, cases: &[(&str, &[&str])]) {
        for (text, expected) in cases {
            let links: Vec<_> = found(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(links, *expected, "{text}");
        }
    }

    #[test]
    fn a_link_with_scheme_ends_before_the_sentence_does() {
        check(
            with_scheme,
            &[
                ("see https://example.com/a, and", &["https://example.com/a"]),
                ("(https://example.com/a_(b))", &["https://example.com/a_(b)"]),
                ("HTTP://localhost:80/?q=1#x!", &["HTTP://localhost:80/?q=1#x"]),
                ("https://é.example/ü https://b.c", &["https://é.example/ü", "https://b.c"]),
                ("<https://a.b> \"https://c.d\"", &["https://a.b", "https://c.d"]),
                ("http:// https://) xhttps://a.b @https://a.b ftp://a.b hhttps h", &[]),
            ],
        );
    }

    #[test]
    fn a_link_on_x_needs_a_known_top_level_domain_and_no_scheme() {
        check(
            of_x,
            &[
                ("example.com foo.co.uk. it.so", &["example.com", "foo.co.uk", "it.so"]),
                ("これは。example.com/a中国語t.co/abc한국", &["example.com/a", "t.co/abc"]),
                ("example.invalidtop file.bz2 1.5 e.g. version2.0", &[]),
                ("name@example.com #example.com $TVI.CA a_b_.com", &[]),
                (
                    "http://a_b.c-d.com http://twitter.みんなです",
                    &["http://a_b.c-d.com", "http://twitter.みんな"],
                ),
                ("http://-a.com http://a_.com http://a_b.com http://xn--あ.com", &[]),
                (
                    "https://t.co/abc's http://x.com:80/a?b=1.",
                    &["https://t.co/abc", "http://x.com:80/a?b=1"],
                ),
            ],
        );
    }

    #[test]
    fn published_links_are_ours() {
        let Some(cases) = conformance::cases("extract.yml") else { return };
        let mut agree = 0;
        for case in cases.iter().filter(|case| case.section == "urls") {
            let expected: Vec<String> = serde_json::from_str(&case.expected).unwrap();
            let links: Vec<_> = of_x(&case.text).into_iter().map(|at| &case.text[at]).collect();
            assert_eq!(links, expected, "{}", case.name);
            agree += 1;
        }
        conformance::report(&format!("{agree} published texts have the same links"));
        assert_eq!(agree, 91);
    }

    #[test]
    fn long_text_without_links_is_read_in_one_pass() {
        for piece in ["あ.", "a-", "a.", "http://", "http://a.", "(", "www."] {
            assert!(of_x(&piece.repeat(20_000)).is_empty(), "{piece}");
        }
    }
}
