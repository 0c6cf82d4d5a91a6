//! Text as Mastodon counts it and as it renders it.

use crate::sandbox::{
    ledger::Piece,
    text::{escaped, graphemes, http_links, pieces},
};

/// "characters_reserved_per_url" of methods/instance, read 2026-07-02.
pub(crate) const URL_CHARS: usize = 23;

/// How many characters of the display part of a link are shown before an ellipsis.
const SHOWN_CHARS: usize = 30;

/// Grapheme clusters; a link counts 23 whatever its length, `@user@domain` counts as `@user`.
pub(super) fn counted(text: &str) -> usize {
    let mut plain = String::with_capacity(text.len());
    let mut from = 0;
    let links = http_links(text);
    for link in &links {
        plain.push_str(&text[from..link.start]);
        // A separator keeps what surrounds a link from joining into one cluster.
        plain.push(' ');
        from = link.end;
    }
    plain.push_str(&text[from..]);
    graphemes(&without_domains(&plain)) + links.len() * (URL_CHARS - 1)
}

fn without_domains(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let mention = word
            .strip_prefix('@')
            .and_then(|rest| rest.split_once('@'))
            .filter(|(user, _)| !user.is_empty() && user.chars().all(is_name));
        match mention {
            None => kept.push_str(word),
            Some((user, rest)) => {
                let of_domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
                kept.push('@');
                kept.push_str(user);
                kept.push_str(rest.trim_start_matches(of_domain));
            }
        }
    }
    kept
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

pub(super) fn face(text: &str) -> Vec<Piece> {
    let links = http_links(text).into_iter();
    let links: Vec<_> = links.map(|range| (range.clone(), text[range].to_owned())).collect();
    pieces(text, &links)
}

/// Paragraphs, line breaks, links with their invisible halves, and hashtags, as servers store them.
pub(super) fn html(text: &str, base: &str) -> String {
    let mut body = String::with_capacity(text.len() + 32);
    for piece in face(text) {
        match piece {
            Piece::Plain(plain) => body.push_str(&with_tags(&escaped(&plain), base)),
            Piece::Link { url, .. } => body.push_str(&anchor(&url)),
        }
    }
    let body = body.replace("\r\n", "\n").replace("\n\n", "</p><p>");
    format!("<p>{}</p>", body.replace('\n', "<br />"))
}

fn anchor(url: &str) -> String {
    let shown_from = url.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = url.split_at(shown_from);
    let cut = rest.char_indices().nth(SHOWN_CHARS).map(|(at, _)| at);
    let (shown, hidden) = rest.split_at(cut.unwrap_or(rest.len()));
    let class = if hidden.is_empty() { "" } else { "ellipsis" };
    format!(
        "<a href=\"{}\" target=\"_blank\" rel=\"nofollow noopener\" translate=\"no\">\
         <span class=\"invisible\">{}</span><span class=\"{class}\">{}</span>\
         <span class=\"invisible\">{}</span></a>",
        escaped(url).replace('"', "&quot;"),
        scheme,
        escaped(shown),
        escaped(hidden),
    )
}

fn with_tags(escaped: &str, base: &str) -> String {
    let mut made = String::with_capacity(escaped.len());
    let mut from = 0;
    for (at, _) in escaped.match_indices('#') {
        // `&#39;` is an entity, and `a#b` is no tag.
        let glued = escaped[..at].ends_with(|c: char| is_name(c) || c == '&' || c == '/');
        let rest = &escaped[at + 1..];
        let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let tag = &rest[..length];
        if at < from || glued || tag.is_empty() || tag.chars().all(char::is_numeric) {
            continue;
        }
        made.push_str(&escaped[from..at]);
        let low = tag.to_lowercase();
        made.push_str(&format!(
            "<a href=\"{base}/tags/{low}\" class=\"mention hashtag\" rel=\"tag\">\
             #<span>{tag}</span></a>"
        ));
        from = at + 1 + length;
    }
    made.push_str(&escaped[from..]);
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_count_23_and_mentions_without_their_domain() {
        let long = format!("see https://example.com/{}", "x".repeat(200));
        assert_eq!(counted(&long), 4 + 23);
        assert_eq!(counted("@alice@example.social, hi"), "@alice, hi".len());
        assert_eq!(counted("👩‍👩‍👧e\u{301}"), 2);
    }

    #[test]
    fn html_without_its_tags_is_the_text() {
        let text = "a <b> & #Rust https://example.com/a/very/long/path/that/is/cut?x=1&y=2";
        let html = html(text, "http://h");
        let mut bare = String::new();
        let mut inside = false;
        for c in html.chars() {
            match c {
                '<' => inside = true,
                '>' => inside = false,
                _ if !inside => bare.push(c),
                _ => {}
            }
        }
        let bare = bare.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        assert_eq!(bare, text);
        assert!(html.contains("class=\"mention hashtag\""));
    }
}
