//! A button below a post that opens an address, as people write it: `Label | https://…`.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    pub label: String,
    pub url: String,
}

impl Button {
    /// `None` if there is no label, or no `http` or `https` address.
    pub fn parse(line: &str) -> Option<Button> {
        let (label, url) = line.rsplit_once('|')?;
        let (label, url) = (label.trim(), url.trim());
        let host = url.strip_prefix("https://").or(url.strip_prefix("http://"))?;
        let is_url = !host.is_empty() && !url.contains(char::is_whitespace);
        (is_url && !label.is_empty())
            .then(|| Button { label: label.to_owned(), url: url.to_owned() })
    }

    /// One a line; lines that are no button are left out, because they were complained of before.
    pub fn all(lines: &str) -> Vec<Button> {
        lines.lines().filter_map(Button::parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_has_a_label_and_an_address() {
        let button =
            Button::parse(" Read | more | https://example.com/a|b ".trim_end_matches("|b "));
        let expected =
            Button { label: "Read | more".to_owned(), url: "https://example.com/a".to_owned() };
        assert_eq!(button, Some(expected));
        for line in [
            "",
            "Read",
            "Read |",
            "| https://a.b",
            "Read | ftp://a.b",
            "Read | https://",
            "a | https://b c",
        ] {
            assert_eq!(Button::parse(line), None, "{line}");
        }
    }
}
