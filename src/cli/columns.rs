//! Fits sentences, and the Markdown of the guides, into a terminal of 80 columns. What must not be
//! broken, such as code and addresses, stays as it is.

const COLUMNS: usize = 80;

/// Words from line to line; all but the first begin below `hang` spaces.
pub(super) fn folded(text: &str, hang: usize) -> String {
    let mut lines = Vec::new();
    let mut line = " ".repeat(indent(text));
    let mut is_fresh = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !is_fresh && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push(std::mem::replace(&mut line, " ".repeat(hang)));
            is_fresh = true;
        }
        if !is_fresh {
            line.push(' ');
        }
        line.push_str(word);
        is_fresh = false;
    }
    lines.push(line);
    lines.join("\n")
}

/// Paragraphs and lists are set anew; a table that is too wide becomes a list of its rows.
pub(super) fn markdown(text: &str) -> String {
    let mut page = Page::default();
    let mut is_code = false;
    for line in text.lines() {
        let said = line.trim_start();
        if said.starts_with("```") {
            is_code = !is_code;
            page.keep(line);
        } else if is_code || said.is_empty() || said.starts_with('#') {
            page.keep(line);
        } else if said.starts_with('|') {
            page.row(said);
        } else if page.block.is_empty() && line.starts_with("    ") && hang(line) == indent(line) {
            page.keep(line);
        } else {
            page.prose(line);
        }
    }
    page.end();
    page.lines.join("\n")
}

/// Rows whose cells stand below each other; of the last one nothing is cut.
pub(super) fn table<const N: usize>(rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<_> = rows.collect();
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[derive(Default)]
struct Page {
    lines: Vec<String>,
    /// A paragraph or an item of a list, as one line.
    block: String,
    table: Vec<Vec<String>>,
    is_too_wide: bool,
}

impl Page {
    fn keep(&mut self, line: &str) {
        self.end();
        self.lines.push(line.to_owned());
    }

    fn prose(&mut self, line: &str) {
        if self.block.is_empty() || hang(line) > indent(line) {
            self.end();
            self.block = line.trim_end().to_owned();
        } else {
            self.block.push(' ');
            self.block.push_str(line.trim());
        }
    }

    fn row(&mut self, line: &str) {
        if self.table.is_empty() {
            self.end();
        }
        self.is_too_wide |= line.chars().count() > COLUMNS;
        let cells = line.trim_matches('|').split('|');
        self.table.push(cells.map(|cell| cell.trim().to_owned()).collect());
    }

    fn end(&mut self) {
        let block = std::mem::take(&mut self.block);
        if !block.is_empty() {
            self.lines.push(folded(&block, hang(&block)));
        }
        let table = std::mem::take(&mut self.table);
        match std::mem::take(&mut self.is_too_wide) {
            true => self.lines.extend(as_list(&table)),
            false => self.lines.extend(table.iter().map(|row| format!("| {} |", row.join(" | ")))),
        }
    }
}

/// The second row only divides the head from the rest.
fn as_list(table: &[Vec<String>]) -> Vec<String> {
    let Some((heads, rows)) = table.split_first() else { return Vec::new() };
    let mut lines = Vec::new();
    for row in rows.iter().skip(1) {
        let Some((first, rest)) = row.split_first() else { continue };
        let named = |(head, cell): (&String, &String)| match head.is_empty() {
            true => cell.clone(),
            false => format!("{head}: {cell}"),
        };
        let rest = heads.iter().skip(1).zip(rest).filter(|(_, cell)| !cell.is_empty());
        lines.push(folded(&format!("- {first}"), 2));
        lines.extend(rest.map(|pair| folded(&format!("  {}", named(pair)), 4)));
    }
    lines
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Where the lines after the first begin: below the text of an item, not below its mark.
fn hang(line: &str) -> usize {
    let said = line.trim_start();
    let digits = said.chars().take_while(char::is_ascii_digit).count();
    let mark = match (said.starts_with("- "), digits > 0 && said[digits..].starts_with(". ")) {
        (true, _) => 2,
        (false, true) => digits + 2,
        (false, false) => 0,
    };
    indent(line) + mark
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine;

    #[test]
    fn prose_is_set_anew_and_code_is_left_alone() {
        let code = "x".repeat(90);
        let text = format!(
            "1. A first\n   line.\n   - inside\n\n       kept   as is\n\n```\n{code}\n```\n{}",
            "word ".repeat(20)
        );
        let set = markdown(&text);
        assert!(set.starts_with("1. A first line.\n   - inside\n\n       kept   as is\n"), "{set}");
        assert!(set.contains(&code), "{set}");
        assert!(set.ends_with("word\nword word word word"), "{set}");
    }

    #[test]
    fn a_table_that_is_too_wide_is_told_row_by_row() {
        let table = format!("| a | b |\n|---|---|\n| one | {} |", "word ".repeat(20));
        let set = markdown(&table);
        assert!(set.starts_with("- one\n  b: word word"), "{set}");
        assert!(set.lines().all(|line| line.len() <= COLUMNS), "{set}");
        let narrow = "| a | b |\n| --- | --- |\n| one | two |";
        assert_eq!(markdown(narrow), narrow);
    }

    #[test]
    fn every_guide_fits_and_loses_no_word() {
        for profile in engine::platforms() {
            let set = markdown(profile.guide);
            let wide = set.lines().find(|line| line.chars().count() > COLUMNS);
            assert_eq!(wide, None, "{}", profile.platform);
            let letters = |text: &str| text.chars().filter(|it| it.is_alphabetic()).count();
            assert!(letters(&set) >= letters(profile.guide), "{}", profile.platform);
        }
    }
}
