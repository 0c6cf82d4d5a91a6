//! What a video says about itself: youtube/v3/docs/videos, read 2026-11-21. Names that are not
//! known are refused, which Google does not promise: a misspelt one must not pass here unseen.

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::given::{Flaw, Given, characters},
};

use super::{Answer, invalid};

pub(super) const PARTS: [&str; 9] = [
    "snippet",
    "status",
    "recordingDetails",
    "localizations",
    "id",
    "contentDetails",
    "statistics",
    "processingDetails",
    "fileDetails",
];

const TITLE_CHARS_MAX: usize = 100;
const DESCRIPTION_BYTES_MAX: usize = 5_000;
const TAGS_CHARS_MAX: usize = 500;

/// Those that a video may be put into: videoCategories.list in most regions.
const CATEGORIES: [&str; 15] =
    ["1", "2", "10", "15", "17", "19", "20", "22", "23", "24", "25", "26", "27", "28", "29"];

#[derive(Clone, Default)]
pub(super) struct Snippet {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) tags: Vec<String>,
    pub(super) category: String,
    pub(super) language: Option<String>,
}

#[derive(Clone)]
pub(super) struct Status {
    pub(super) privacy: String,
    pub(super) publish_at: Option<Timestamp>,
    /// As they were sent.
    pub(super) rest: Value,
}

impl Default for Status {
    fn default() -> Status {
        Status { privacy: "public".to_owned(), publish_at: None, rest: json!({}) }
    }
}

impl Status {
    /// A planned video becomes public by itself.
    pub(super) fn privacy(&self, now: Timestamp) -> &str {
        match self.publish_at {
            Some(at) if at <= now => "public",
            Some(_) | None => &self.privacy,
        }
    }

    fn says(&self, name: &str) -> bool {
        self.rest[name] == true
    }

    pub(super) fn is_for_kids(&self) -> bool {
        self.says("selfDeclaredMadeForKids")
    }

    /// What viewers and the owner are told besides.
    pub(super) fn marks(&self, now: Timestamp) -> Vec<String> {
        let mut marks = Vec::new();
        match self.publish_at.filter(|at| *at > now) {
            Some(at) => marks.push(format!("goes public {}", at.rfc3339())),
            None if self.privacy(now) != "public" => marks.push(self.privacy.clone()),
            None => {}
        }
        if self.is_for_kids() {
            marks.push("made for kids".to_owned());
        }
        if self.says("containsSyntheticMedia") {
            marks.push("altered or synthetic content".to_owned());
        }
        marks
    }
}

/// The parts that a request writes; what else its body has would be lost without a word.
pub(super) fn whole<'a>(
    body: &'a Value,
    parts: &[&str],
    besides: &[&str],
) -> Result<Given<'a>, Answer> {
    let known: Vec<&str> = parts.iter().chain(besides).copied().collect();
    Given::of(body, &known).map_err(|flaw| invalid("invalidVideoMetadata", &flaw))
}

pub(super) fn snippet(whole: &Given<'_>) -> Result<Snippet, Answer> {
    let wrong = |flaw: Flaw| invalid("invalidVideoMetadata", &flaw);
    let names =
        ["title", "description", "tags", "categoryId", "defaultLanguage", "defaultAudioLanguage"];
    let given = whole.needed_object("snippet", &names).map_err(wrong)?;
    let unmarked = |text: &str| !text.contains(['<', '>']);
    let title = given.text("title").map_err(wrong)?.unwrap_or_default();
    if !(1..=TITLE_CHARS_MAX).contains(&characters(title)) || !unmarked(title) {
        let flaw = given.flaw("title", "is invalid or empty");
        return Err(invalid("invalidTitle", &flaw));
    }
    let description = given.text("description").map_err(wrong)?.unwrap_or_default();
    if description.len() > DESCRIPTION_BYTES_MAX || !unmarked(description) {
        let flaw = given.flaw("description", "is invalid");
        return Err(invalid("invalidDescription", &flaw));
    }
    let tags = given.texts("tags").map_err(wrong)?.unwrap_or_default();
    if tags_length(&tags) > TAGS_CHARS_MAX || tags.iter().any(|tag| !unmarked(tag)) {
        return Err(invalid("invalidTags", &given.flaw("tags", "are invalid")));
    }
    let category = given.text("categoryId").map_err(wrong)?.unwrap_or_default();
    if !category.is_empty() && !CATEGORIES.contains(&category) {
        return Err(invalid("invalidCategoryId", &given.flaw("categoryId", "is invalid")));
    }
    given.text("defaultAudioLanguage").map_err(wrong)?;
    Ok(Snippet {
        title: title.to_owned(),
        description: description.to_owned(),
        tags: tags.into_iter().map(str::to_owned).collect(),
        category: category.to_owned(),
        language: given.text("defaultLanguage").map_err(wrong)?.map(str::to_owned),
    })
}

/// "commas between items in the list count", and a tag with a space as if it were quoted
/// (youtube/v3/docs/videos, snippet.tags[], read 2026-11-21).
fn tags_length(tags: &[&str]) -> usize {
    let quoted = |tag: &str| if tag.contains(' ') { 2 } else { 0 };
    let own: usize = tags.iter().map(|tag| characters(tag) + quoted(tag)).sum();
    own + tags.len().saturating_sub(1)
}

pub(super) fn status(whole: &Given<'_>) -> Result<Status, Answer> {
    let read = || {
        let flags = [
            "embeddable",
            "publicStatsViewable",
            "selfDeclaredMadeForKids",
            "containsSyntheticMedia",
        ];
        let names = [&flags[..], &["privacyStatus", "publishAt", "license"]].concat();
        let given = whole.needed_object("status", &names)?;
        let mut rest = json!({});
        for name in flags {
            if let Some(flag) = given.flag(name)? {
                rest[name] = json!(flag);
            }
        }
        let license = given.one_of("license", &["youtube", "creativeCommon"])?;
        rest["license"] = json!(license.unwrap_or("youtube"));
        let privacy = given.one_of("privacyStatus", &["public", "unlisted", "private"])?;
        let privacy = privacy.unwrap_or("public").to_owned();
        Ok((privacy, given.text("publishAt")?, rest))
    };
    let (privacy, planned, rest) =
        read().map_err(|flaw: Flaw| invalid("invalidVideoMetadata", &flaw))?;
    let Some(planned) = planned else {
        return Ok(Status { privacy, publish_at: None, rest });
    };
    let unfit = |text: &str| invalid("invalidPublishAt", &Flaw::new("status.publishAt", text));
    let publish_at = Timestamp::parse(planned).ok_or_else(|| unfit("is no RFC 3339 time"))?;
    match privacy == "private" {
        true => Ok(Status { privacy, publish_at: Some(publish_at), rest }),
        false => Err(unfit("takes a private video")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_counted_with_their_commas_and_quotes() {
        for (tags, wanted) in [(vec![], 0), (vec!["ab"], 2), (vec!["ab", "c d"], 8)] {
            assert_eq!(tags_length(&tags), wanted);
        }
    }
}
