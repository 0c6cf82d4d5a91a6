//! Hashtags and mentions in a text, as most networks find them.

/// How many `#tags` there are.
pub(super) fn hashtags(text: &str) -> usize {
    starts(text, '#').filter(|&(before, rest)| tag(before, rest).is_some()).count()
}

/// How many `@mentions` there are.
pub(super) fn mentions(text: &str) -> usize {
    let is_mention = |&(before, rest): &(Option<char>, &str)| {
        let name = rest[1..].chars().next();
        !before.is_some_and(belongs) && name.is_some_and(|letter| letter.is_alphanumeric())
    };
    starts(text, '@').filter(is_mention).count()
}

/// The tag's name, where `text` begins with its `#`: a word with a letter in it, after no word.
pub(super) fn tag(before: Option<char>, text: &str) -> Option<&str> {
    let rest = text.strip_prefix('#')?;
    let end = rest.find(|letter: char| !super::is_word(letter)).unwrap_or(rest.len());
    let name = &rest[..end];
    let is_tag = name.chars().any(char::is_alphabetic) && !before.is_some_and(belongs);
    is_tag.then_some(name)
}

/// Whether a letter in front makes a sign a part of something else, such as an address.
fn belongs(before: char) -> bool {
    super::is_word(before) || "/#@&=?.-".contains(before)
}

/// The text from each `sign` on, and the letter before it.
fn starts(text: &str, sign: char) -> impl Iterator<Item = (Option<char>, &str)> {
    text.match_indices(sign).map(move |(at, _)| (text[..at].chars().last(), &text[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_mentions_are_words_of_their_own() {
        for (text, tags, people) in [
            ("", 0, 0),
            ("#a #b,#c", 3, 0),
            ("#1 issue#2 https://e.org/x#y", 0, 0),
            ("#möwe_3 @ada (@bo) me@example.org", 1, 2),
            ("## @ @@x", 0, 0),
        ] {
            assert_eq!((hashtags(text), mentions(text)), (tags, people), "{text}");
        }
    }
}
