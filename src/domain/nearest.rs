//! The name that somebody probably meant.

/// Below this, two names have no more in common than chance gives them.
const ALIKE_MIN: f64 = 0.75;

/// `None` when nothing known is near enough to be suggested.
pub fn nearest<'a>(meant: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let meant = meant.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&meant, &name.to_lowercase()), name))
        .filter(|(alike, _)| *alike >= ALIKE_MIN)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slip_of_the_finger_is_understood_and_nonsense_is_not() {
        let known = ["listen", "public_url", "posts_per_hour"];
        assert_eq!(nearest("listne", known), Some("listen"));
        assert_eq!(nearest("PublicUrl", known), Some("public_url"));
        assert_eq!(nearest("zebra", known), None);
    }
}
