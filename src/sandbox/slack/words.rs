//! Text as Slack reads it: "Replace the ampersand, less-than and greater-than; no other characters"
//! (messaging/formatting-message-text). What stands between `<` and `>` is a link or a mention.

use std::ops::Range;

use crate::sandbox::text;

pub(super) struct Shown {
    pub(super) text: String,
    pub(super) links: Vec<(Range<usize>, String)>,
}

/// What readers see.
pub(super) fn shown(sent: &str) -> Shown {
    let mut shown = Shown { text: String::new(), links: Vec::new() };
    let mut rest = sent;
    while let Some(start) = rest.find('<') {
        let Some(length) = rest[start..].find('>') else { break };
        shown.plain(&rest[..start]);
        shown.marked(&rest[start + 1..start + length]);
        rest = &rest[start + length + 1..];
    }
    shown.plain(rest);
    shown
}

impl Shown {
    fn plain(&mut self, sent: &str) {
        let from = self.text.len();
        self.text.push_str(&unescaped(sent));
        for range in text::http_links(&self.text[from..]) {
            let range = from + range.start..from + range.end;
            let url = self.text[range.clone()].to_owned();
            self.links.push((range, url));
        }
    }

    /// `https://…|label`, `@U…`, `#C…|name`, `!here`.
    fn marked(&mut self, sent: &str) {
        let (target, label) = sent.split_once('|').unwrap_or((sent, sent));
        let from = self.text.len();
        self.text.push_str(&unescaped(label));
        if target.starts_with("http") || target.starts_with("mailto:") {
            self.links.push((from..self.text.len(), unescaped(target)));
        }
    }
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
