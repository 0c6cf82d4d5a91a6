//! Reads the published cases of twitter-text, where they are beside this checkout. For tests only.

use std::fs;

pub(super) struct Case {
    pub(super) section: String,
    pub(super) name: String,
    pub(super) text: String,
    /// As written: a number, or a list in square brackets.
    pub(super) expected: String,
}

/// `None`, and a sentence in the test's output, where the file is missing.
pub(super) fn cases(file: &str) -> Option<Vec<Case>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/specs/twitter-text/conformance");
    match fs::read_to_string(format!("{folder}/{file}")) {
        Ok(yaml) => Some(read(&yaml)),
        Err(_) => {
            report("skipped: the conformance data of twitter-text is not beside this checkout");
            None
        }
    }
}

#[expect(clippy::print_stdout, reason = "how much was checked belongs in the test's output")]
pub(super) fn report(sentence: &str) {
    println!("{sentence}");
}

/// Reads the one shape that these files have; a text is a quoted line of its own.
fn read(yaml: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let (mut section, mut name, mut text) = (String::new(), String::new(), String::new());
    for line in yaml.lines() {
        let trimmed = line.trim();
        if line.starts_with("  ") && !line.starts_with("   ") && trimmed.ends_with(':') {
            section = trimmed.trim_end_matches(':').to_owned();
        } else if let Some(quoted) = trimmed.strip_prefix("- description: ") {
            name = unquoted(quoted);
        } else if let Some(quoted) = trimmed.strip_prefix("text: ") {
            text = unquoted(quoted);
        } else if let Some(expected) = ["weightedLength: ", "expected: ["]
            .iter()
            .find(|start| trimmed.starts_with(**start))
            .map(|start| trimmed[start.trim_end_matches('[').len()..].to_owned())
        {
            let (section, name, text) = (section.clone(), name.clone(), text.clone());
            cases.push(Case { section, name, text, expected });
        }
    }
    cases
}

fn unquoted(quoted: &str) -> String {
    let inside = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let mut text = String::new();
    let mut letters = inside.unwrap_or(quoted).chars();
    while let Some(letter) = letters.next() {
        let escape = if letter == '\\' { letters.next() } else { None };
        let digits = match escape {
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        text.push(match escape {
            None => letter,
            Some('n') => '\n',
            Some('u' | 'U') => {
                let code: String = letters.by_ref().take(digits).collect();
                char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap()
            }
            Some(other) => other,
        });
    }
    text
}
