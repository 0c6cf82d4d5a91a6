//! LinkedIn's little text: what a post's commentary has to look like on the wire.
//!
//! "Little Text Format" (learn.microsoft.com, LinkedIn marketing, as of 2026-09-16): every
//! backslash is doubled, and 14 characters get one in front. One that is left out silently cuts the
//! published text off at that place.

/// Reserved, besides the backslash itself.
const RESERVED: &[char] = &['|', '{', '}', '@', '[', ']', '(', ')', '<', '>', '#', '*', '_', '~'];

/// The entities that a mention may name.
const MENTIONED: &[&str] = &["urn:li:organization:", "urn:li:person:"];

/// The text as LinkedIn wants it. A mention, `@[Name](urn:li:organization:1)`, stays one; a hashtag
/// becomes LinkedIn's own template for one, except inside an address; everything else means itself.
pub(super) fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 16);
    let mut rest = text;
    let links = super::links(text);
    let in_link = |rest: &str| links.iter().any(|link| link.contains(&(text.len() - rest.len())));
    let mut before = None;
    while let Some(letter) = rest.chars().next() {
        let used = if let Some(mention) = mention(rest) {
            let (name, urn) = (mention.name, mention.urn);
            written.push_str("@[");
            name.chars().for_each(|letter| push(&mut written, letter));
            written.push_str("](");
            written.push_str(urn);
            written.push(')');
            mention.length
        } else if let Some(tag) = super::tags::tag(before, rest).filter(|_| !in_link(rest)) {
            written.push_str("{hashtag|\\#|");
            tag.chars().for_each(|letter| push(&mut written, letter));
            written.push('}');
            1 + tag.len()
        } else {
            push(&mut written, letter);
            letter.len_utf8()
        };
        before = rest[..used].chars().last();
        rest = &rest[used..];
    }
    written
}

fn push(written: &mut String, letter: char) {
    if letter == '\\' || RESERVED.contains(&letter) {
        written.push('\\');
    }
    written.push(letter);
}

struct Mention<'a> {
    name: &'a str,
    urn: &'a str,
    /// In bytes, brackets included.
    length: usize,
}

fn mention(text: &str) -> Option<Mention<'_>> {
    let (name, after) = text.strip_prefix("@[")?.split_once("](")?;
    let (urn, _) = after.split_once(')')?;
    let id = MENTIONED.iter().find_map(|kind| urn.strip_prefix(kind))?;
    let is_id = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let fits = !name.is_empty() && !name.contains(['[', '\n']);
    (fits && !id.is_empty() && id.chars().all(is_id)).then(|| Mention {
        name,
        urn,
        length: "@[](".len() + name.len() + urn.len() + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_is_escaped_and_a_backslash_doubled() {
        assert_eq!(escaped("a_b (c) <d> ~e* |f| {g}"), r"a\_b \(c\) \<d\> \~e\* \|f\| \{g\}");
        assert_eq!(escaped(r"C:\x"), r"C:\\x");
        assert_eq!(escaped("mail me@example.org"), r"mail me\@example.org");
        assert_eq!(escaped("https://e.org/a_b#c"), r"https://e.org/a\_b\#c");
        assert_eq!(escaped("https://e.org/a,#b #c"), r"https://e.org/a,\#b {hashtag|\#|c}");
    }

    #[test]
    fn mention_of_somebody_stays_one_and_what_only_looks_like_it_does_not() {
        let mention = "Thanks @[Möwe (AG)](urn:li:organization:12)!";
        assert_eq!(escaped(mention), r"Thanks @[Möwe \(AG\)](urn:li:organization:12)!");
        assert_eq!(escaped("@[x](y)"), r"\@\[x\]\(y\)");
        assert_eq!(escaped("@[x](urn:li:person:)"), r"\@\[x\]\(urn:li:person:\)");
    }

    #[test]
    fn hashtag_becomes_the_template_and_a_number_does_not() {
        assert_eq!(escaped("#sailing, #r_n"), r"{hashtag|\#|sailing}, {hashtag|\#|r\_n}");
        assert_eq!(escaped("#1 of a#b"), r"\#1 of a\#b");
    }
}
