//! Telegram's HTML and MarkdownV2, as far as it refuses a text for what is wrong in it. What is
//! complained of here, Telegram certainly refuses; it may refuse more.
//!
//! <https://core.telegram.org/bots/api#formatting-options>, as of 2026-06.

/// "Only the tags mentioned above are currently supported".
const TAGS: &[&str] = &[
    "a",
    "b",
    "blockquote",
    "code",
    "del",
    "em",
    "i",
    "ins",
    "pre",
    "s",
    "span",
    "strike",
    "strong",
    "tg-emoji",
    "tg-spoiler",
    "u",
];

/// What Telegram would complain of, as a sentence.
pub(super) fn fault_of_html(text: &str) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let inside = &rest[start + 1..];
        let Some(end) = inside.find('>') else {
            return Some("A `<` opens a tag that does not end; a bare one is `&lt;`.".to_owned());
        };
        let tag = &inside[..end];
        let (closes, tag) = match tag.strip_prefix('/') {
            Some(tag) => (true, tag),
            None => (false, tag),
        };
        let name = tag.split([' ', '\n', '\t']).next().unwrap_or_default();
        let known = TAGS.iter().find(|known| name.eq_ignore_ascii_case(known));
        let Some(known) = known else {
            return Some(format!("Telegram's HTML has no tag `{name}`; a bare `<` is `&lt;`."));
        };
        match (closes, open.last()) {
            (false, _) => open.push(known),
            (true, Some(last)) if last == known => drop(open.pop()),
            (true, _) => return Some(format!("`</{known}>` closes a tag that is not open there.")),
        }
        rest = &inside[end + 1..];
    }
    open.last().map(|tag| format!("The tag `<{tag}>` is not closed."))
}

/// "Must be escaped with the preceding character `\`", everywhere outside of code and addresses.
/// `>` and `|` are left out, because they mean something in some places.
const RESERVED: &str = "#+-={}.!";

pub(super) fn fault_of_markdown(text: &str) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if letter == '\\' {
            rest = rest.get(1..).unwrap_or_default();
            rest = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
            continue;
        }
        if letter == '`' {
            let fence = if rest.starts_with("```") { "```" } else { "`" };
            let Some(end) = unescaped(&rest[fence.len()..], fence) else {
                return Some(format!("`{fence}` opens code that does not end."));
            };
            rest = &rest[fence.len() + end + fence.len()..];
            continue;
        }
        if let Some(target) = rest.strip_prefix("](") {
            let Some(end) = unescaped(target, ")") else {
                return Some("The address of a link does not end with `)`.".to_owned());
            };
            rest = &target[end + 1..];
            continue;
        }
        // `![…](tg://emoji?id=…)` is an emoji of one's own.
        if RESERVED.contains(letter) && !rest.starts_with("![") {
            return Some(format!("MarkdownV2 wants `{letter}` written as `\\{letter}`."));
        }
        let mark = ["__", "||", "_", "*", "~"].into_iter().find(|mark| rest.starts_with(mark));
        let Some(mark) = mark else {
            rest = &rest[letter.len_utf8()..];
            continue;
        };
        match open.iter().position(|it| *it == mark) {
            Some(place) => drop(open.remove(place)),
            None => open.push(mark),
        }
        rest = &rest[mark.len()..];
    }
    open.last().map(|mark| format!("`{mark}` is opened and not closed; a bare one is escaped."))
}

/// Where `wanted` begins, the first time that no `\` stands before it.
fn unescaped(text: &str, wanted: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text[from..].find([wanted.chars().next()?, '\\']) {
        let at = from + found;
        if text[at..].starts_with('\\') {
            let skipped = text[at + 1..].chars().next().map_or(0, char::len_utf8);
            from = at + 1 + skipped;
        } else if text[at..].starts_with(wanted) {
            return Some(at);
        } else {
            from = at + 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn html_that_telegram_takes_has_no_fault() {
        for text in [
            "plain & simple > that",
            "<b>bold <i>and more</i></b> <a href=\"https://example.com?a=b&c\">link</a>",
            "<blockquote expandable>long</blockquote><span class=\"tg-spoiler\">x</span>",
            "1 &lt; 2",
        ] {
            assert_eq!(fault_of_html(text), None, "{text}");
        }
        for (text, words) in [
            ("1 < 2", "does not end"),
            ("<p>text</p>", "no tag `p`"),
            ("<b>bold", "`<b>` is not closed"),
            ("<b><i>x</b></i>", "`</b>` closes"),
            ("x</u>", "`</u>` closes"),
        ] {
            let fault = fault_of_html(text).unwrap();
            assert!(fault.contains(words), "{text}: {fault}");
        }
    }

    #[test]
    fn markdown_that_telegram_takes_has_no_fault() {
        for text in [
            "plain text",
            "*bold _italic_* __under__ ||hidden|| ~gone~",
            r"an end\. 1 \+ 1 \= 2\!",
            "[a link](https://example.com/a-b.c?d=e#f)",
            "`a.b-c` and ```\nx = y + z!\n```",
            "![👍](tg://emoji?id=5368324170671202286)",
            "_italic __and under___",
            ">a quotation",
        ] {
            assert_eq!(fault_of_markdown(text), None, "{text}");
        }
        for (text, words) in [
            ("The end.", r"`.` written as `\.`"),
            ("well-known", r"`\-`"),
            ("*bold", "`*` is opened"),
            ("snake_case", "`_` is opened"),
            ("`code", "code that does not end"),
            ("[a](https://b", "does not end with `)`"),
        ] {
            let fault = fault_of_markdown(text).unwrap();
            assert!(fault.contains(words), "{text}: {fault}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[<>/a-b`*_|~\\\\\\[\\]()!. é🦋]{0,40}") {
            fault_of_html(&text);
            fault_of_markdown(&text);
        }
    }
}
