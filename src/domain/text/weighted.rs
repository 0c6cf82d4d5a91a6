//! X's weighted count, as twitter-text 3 defines it
//! (<https://github.com/twitter/twitter-text/blob/master/config/v3.json>, read 2026-11-21).
//!
//! The text is normalised (NFC); a link counts 23, an emoji sequence 2, a code point of the ranges
//! below 1 and any other 2. Sequences that X does not know as one emoji yet count more there.

use unicode_normalization::UnicodeNormalization;

use super::links;

/// "transformedURLLength": 23.
const LINK: u32 = 23;
/// "defaultWeight": 200, of a "scale" of 100; an emoji has it whatever it is made of.
const WIDE: u32 = 2;

pub(super) fn length(text: &str) -> u32 {
    let text: String = text.nfc().collect();
    let mut total: u32 = 0;
    let mut plain_from = 0;
    for link in links::of_x(&text) {
        total = total.saturating_add(plain(&text[plain_from..link.start])).saturating_add(LINK);
        plain_from = link.end;
    }
    total.saturating_add(plain(&text[plain_from..]))
}

/// Whether what people see as one character is an emoji.
pub(super) fn is_emoji(cluster: &str) -> bool {
    let letters: Vec<char> = cluster.chars().collect();
    emoji(&letters).is_some() || picture(&letters).is_some()
}

fn plain(text: &str) -> u32 {
    let letters: Vec<char> = text.chars().collect();
    let mut rest = letters.as_slice();
    let mut total: u32 = 0;
    while let Some(&first) = rest.first() {
        let (used, weight) = match emoji(rest) {
            Some(letters) => (letters, WIDE),
            None => (1, weight(first)),
        };
        total = total.saturating_add(weight);
        rest = &rest[used..];
    }
    total
}

/// "ranges", each with "weight": 100.
fn weight(letter: char) -> u32 {
    match u32::from(letter) {
        0..=4351 | 8192..=8205 | 8208..=8223 | 8242..=8247 => 1,
        _ => WIDE,
    }
}

const JOINER: char = '\u{200d}';
const AS_EMOJI: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';
const END_OF_TAGS: char = '\u{e007f}';

/// How many code points at the start of `letters` are one emoji, where that differs from one each.
fn emoji(letters: &[char]) -> Option<usize> {
    match letters {
        ['0'..='9' | '#' | '*', AS_EMOJI, KEYCAP, ..] => Some(3),
        ['0'..='9' | '#' | '*', KEYCAP, ..] => Some(2),
        [first, second, ..] if is_regional(*first) && is_regional(*second) => Some(2),
        ['\u{1f3f4}', tags @ ..] if tags.first().is_some_and(is_tag) => {
            let length = tags.iter().take_while(|letter| is_tag(letter)).count();
            (tags.get(length) == Some(&END_OF_TAGS)).then_some(length + 2)
        }
        _ => joined(letters),
    }
}

/// `👩🏽‍🚀`: pictures, each perhaps with a skin tone or a variation selector, with joiners between.
fn joined(letters: &[char]) -> Option<usize> {
    let mut end = picture(letters)?;
    while letters.get(end) == Some(&JOINER) {
        match picture(&letters[end + 1..]) {
            Some(length) => end += 1 + length,
            None => break,
        }
    }
    Some(end).filter(|&end| end > 1)
}

fn picture(letters: &[char]) -> Option<usize> {
    letters.first().filter(|first| is_picture(**first))?;
    let mut end = 1;
    if letters.get(end) == Some(&AS_EMOJI) {
        end += 1;
    }
    if letters.get(end).is_some_and(|letter| ('\u{1f3fb}'..='\u{1f3ff}').contains(letter)) {
        end += 1;
    }
    Some(end)
}

fn is_regional(letter: char) -> bool {
    ('\u{1f1e6}'..='\u{1f1ff}').contains(&letter)
}

fn is_tag(letter: &char) -> bool {
    ('\u{e0020}'..='\u{e007e}').contains(letter)
}

/// The blocks that hold emoji. Wider than the emoji themselves, which is harmless: alone,
/// everything here counts 2 as it is; © and ® count 1 alone and 2 with their variation selector.
fn is_picture(letter: char) -> bool {
    matches!(letter, '©' | '®' | '‼' | '⁉' | '™' | 'ℹ' | 'Ⓜ' | '〰' | '〽' | '㊗' | '㊙'
        | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{25a0}'..='\u{27bf}'
        | '\u{2900}'..='\u{297f}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
        && !is_regional(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::conformance;

    #[test]
    fn text_counts_as_x_counts_it() {
        for (text, expected) in [
            ("", 0),
            ("Grüße", 5),
            ("e\u{301}", 1),
            ("日本", 4),
            ("“quoted” – …", 13),
            ("Hi https://example.com/a/long/path", 26),
            ("example.com and example.nosuchtop", 23 + 5 + 17),
            ("👨‍👩‍👧‍👦", 2),
            ("👩🏽‍🚀🇩🇪1️⃣🏴󠁧󠁢󠁥󠁮󠁧󠁿", 8),
            ("© ©️ ☺ ☺️", 1 + 1 + 2 + 1 + 2 + 1 + 2),
            ("🐱\u{200d}", 3),
        ] {
            assert_eq!(length(text), expected, "{text}");
        }
    }

    /// Cases whose published result we do not give, with the reason.
    const DIFFERENT: &[(&str, &str, &str)] = &[
        (
            "WeightedTweetsCounterTest",
            "Count a mix of single byte single word, and double word unicode characters",
            "version 2 of the rules, which counted each code point of an emoji",
        ),
        (
            "WeightedTweetsCounterTest",
            "Count unicode emoji chars outside the basic multilingual plane with skin tone modifiers",
            "version 2 of the rules, which counted each code point of an emoji",
        ),
    ];

    #[test]
    fn published_counts_are_ours() {
        let Some(cases) = conformance::cases("validate.yml") else { return };
        let mut agree = 0;
        for case in cases.iter().filter(|case| case.section.ends_with("CounterTest")) {
            let expected: u32 = case.expected.parse().unwrap();
            let known = DIFFERENT
                .iter()
                .any(|(section, name, _)| *section == case.section && *name == case.name);
            if known {
                assert_ne!(length(&case.text), expected, "no longer different: {}", case.name);
            } else {
                assert_eq!(length(&case.text), expected, "{}: {}", case.section, case.name);
                agree += 1;
            }
        }
        conformance::report(&format!("{agree} published counts agree, {} differ", DIFFERENT.len()));
        assert_eq!((agree, DIFFERENT.len()), (42, 2));
    }
}
