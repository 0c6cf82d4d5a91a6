//! Whether the options of a post can be honoured, by the rules in a platform's profile.

use std::collections::BTreeMap;

use crate::domain::{
    nearest::nearest,
    platform::{FORMAT, Loss, OptionRule, OptionValue, Profile},
    problem::{Code, Problem},
};

/// What is wrong with `options` for `profile`. `all`: every platform there is, because an option of
/// another one may be left out where that misleads nobody, and a misspelt one is of none.
pub fn check(
    options: &BTreeMap<String, String>,
    profile: &Profile,
    all: &[&'static Profile],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, value) in options {
        let found = match (name.as_str(), profile.option(name)) {
            (FORMAT, _) => check_format(value, profile),
            (_, Some(rule)) => wrong_value(rule, value).map(|wrong| {
                let sentence = format!("The option `{name}` {wrong}.");
                Problem::new(Code::UnknownOption, sentence, "Change it, or leave it out.")
            }),
            (_, None) => check_foreign(name, value, profile, all),
        };
        problems.extend(found.map(|problem| problem.at(format!("content.options.{name}"))));
    }
    problems
}

fn check_format(value: &str, profile: &Profile) -> Option<Problem> {
    if profile.format(value).is_some() {
        return None;
    }
    let known: Vec<&str> = profile.formats.iter().map(|format| format.name).collect();
    let (platform, remedy) = (profile.name, "Use another one, by a variant for this platform.");
    let sentence = match known.is_empty() {
        true => format!("{platform} has no format `{value}`: it has only one."),
        false => format!("{platform} has no format `{value}`; it knows {}.", known.join(", ")),
    };
    Some(Problem::new(Code::UnknownOption, sentence, remedy))
}

fn check_foreign(
    name: &str,
    value: &str,
    profile: &Profile,
    all: &[&'static Profile],
) -> Option<Problem> {
    let mut rules = all.iter().filter_map(|profile| profile.option(name)).peekable();
    if rules.peek().is_none() {
        let names = all.iter().flat_map(|profile| profile.options).map(|rule| rule.name);
        let remedy = match nearest(name, names) {
            Some(meant) => format!("Did you mean `{meant}`? `fanfare platforms --json` lists all."),
            None => "`fanfare platforms --json` lists what each platform knows.".to_owned(),
        };
        let sentence = format!("No platform has an option `{name}`.");
        return Some(Problem::new(Code::UnknownOption, sentence, remedy));
    }
    let misleads = |rule: &OptionRule| match rule.loss {
        Loss::Harmless => false,
        Loss::Misleads { except } => !except.contains(&value),
    };
    rules.any(misleads).then(|| {
        let platform = profile.name;
        let sentence = format!(
            "{platform} has no option `{name}`, and without it something else would be published."
        );
        let remedy = "Leave it out for this platform by a variant, or leave the platform out.";
        Problem::new(Code::UnknownOption, sentence, remedy)
    })
}

/// `None`: it can be honoured. Otherwise what is wrong, to come after the option's name.
fn wrong_value(rule: &OptionRule, value: &str) -> Option<String> {
    let chars = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    match rule.value {
        OptionValue::OneOf(known) => (!known.contains(&value))
            .then(|| format!("is `{value}`; it can be {}", known.join(", "))),
        OptionValue::Flag => (value != "true" && value != "false")
            .then(|| format!("is `{value}`; it can be true or false")),
        OptionValue::Text { chars_max } => (chars(value) > chars_max)
            .then(|| format!("has {} characters; at most {chars_max} are allowed", chars(value))),
        OptionValue::Number { min, max } => {
            let fits = value.parse::<u64>().is_ok_and(|number| (min..=max).contains(&number));
            (!fits).then(|| format!("is `{value}`; it can be a whole number from {min} to {max}"))
        }
        OptionValue::Url => {
            let rest = value.strip_prefix("https://").or(value.strip_prefix("http://"));
            let fits = rest.is_some_and(|rest| !rest.is_empty())
                && !value.contains(|letter: char| letter.is_whitespace() || letter.is_control());
            (!fits).then(|| format!("is `{value}`; it has to be an http or https address"))
        }
        OptionValue::Lines { items_min, items_max, chars_max } => {
            let items: Vec<&str> = value.lines().collect();
            let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
            if !(items_min..=items_max).contains(&count) {
                return Some(format!("has {count} lines; it needs {items_min} to {items_max}"));
            }
            let wrong =
                items.iter().find(|item| item.trim().is_empty() || chars(item) > chars_max)?;
            Some(format!(
                "has the line `{wrong}` with {} characters; a line has 1 to {chars_max}",
                chars(wrong)
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(value: OptionValue, given: &str) -> bool {
        let rule = OptionRule { name: "n", value, loss: Loss::Harmless, about: "" };
        wrong_value(&rule, given).is_some()
    }

    #[test]
    fn value_fits_its_rule_or_is_told_what_would() {
        let lines = OptionValue::Lines { items_min: 2, items_max: 3, chars_max: 4 };
        for (value, good, bad) in [
            (OptionValue::OneOf(&["a", "b"]), vec!["a", "b"], vec!["c", "", "A"]),
            (OptionValue::Flag, vec!["true", "false"], vec!["yes", ""]),
            (OptionValue::Text { chars_max: 3 }, vec!["", "äöü"], vec!["four"]),
            (OptionValue::Number { min: 5, max: 10 }, vec!["5", "10"], vec!["4", "11", "x", "-1"]),
            (
                OptionValue::Url,
                vec!["https://a.b", "http://x"],
                vec!["a.b", "https://", "http://a b"],
            ),
            (lines, vec!["a\nb", "a\nb\nfour"], vec!["a", "a\n\nb", "a\nfiver", "a\nb\nc\nd"]),
        ] {
            for given in good {
                assert!(!wrong(value, given), "{value:?} {given:?}");
            }
            for given in bad {
                assert!(wrong(value, given), "{value:?} {given:?}");
            }
        }
    }
}
