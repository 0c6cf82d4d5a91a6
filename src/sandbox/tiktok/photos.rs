//! Photos, which TikTok only takes by their addresses:
//! doc/content-posting-api-reference-photo-post, read 2026-11-21.

use serde_json::json;

use crate::sandbox::{
    door::Holder,
    given::{Flaw, Given, utf16_units},
    kept::fetched,
};

use super::{
    Answer, Books, Call, Reply, Tiktok, body, fine, invalid,
    post::{Post, marks, new_id, verified},
    status::{Kind, Task},
};

const TITLE_UNITS_MAX: usize = 90;
const DESCRIPTION_UNITS_MAX: usize = 4_000;
const PHOTOS_MAX: usize = 35;

const POST: [&str; 7] = [
    "title",
    "description",
    "privacy_level",
    "disable_comment",
    "auto_add_music",
    "brand_content_toggle",
    "brand_organic_toggle",
];

impl Tiktok {
    pub(super) fn photos(&mut self, call: &Call, holder: Holder, books: &mut Books) -> Reply {
        let body = body(call)?;
        let refuse = |flaw: Flaw| invalid(&flaw);
        let whole = Given::of(&body, &["post_info", "source_info", "post_mode", "media_type"]);
        let whole = whole.map_err(refuse)?;
        let photo = whole.one_of("media_type", &["PHOTO"]).map_err(refuse)?;
        // Drafts in the inbox are not played here.
        let direct = whole.one_of("post_mode", &["DIRECT_POST"]).map_err(refuse)?;
        if photo.and(direct).is_none() {
            return Err(invalid(&whole.flaw("media_type, post_mode", "are needed")));
        }
        let given = whole.needed_object("post_info", &POST).map_err(refuse)?;
        let post = self.album(&given, holder)?;
        let urls = addresses(&whole).map_err(refuse)?;
        verified(call, &urls)?;
        self.count_post(call, holder.account)?;
        let publish_id = new_id("p_pub_url~v2-1", call, books);
        let files = urls.iter().map(|url| fetched(call, url).map(|bytes| vec![bytes]));
        let files = files.collect::<Result<Vec<_>, String>>().map_err(|_| "photo_pull_failed");
        let stage = self.work(call, holder.account, Kind::Photos, &post, files, books)?;
        let kind = Kind::Photos;
        let task = Task { account: holder.account, kind, post, began: call.now, stage };
        self.begin(publish_id.clone(), task);
        Ok(fine(&json!({ "publish_id": publish_id })))
    }

    fn album(&self, given: &Given<'_>, holder: Holder) -> Result<Post, Answer> {
        let read = || {
            let title = given.short("title", TITLE_UNITS_MAX, utf16_units)?;
            let description = given.short("description", DESCRIPTION_UNITS_MAX, utf16_units)?;
            given.flag("disable_comment")?;
            given.flag("auto_add_music")?;
            let text = match (title.as_str(), description.as_str()) {
                ("", _) => description,
                (_, "") => title,
                _ => format!("{title}\n\n{description}"),
            };
            Ok((text, marks(given)?))
        };
        let (text, marks) = read().map_err(|flaw: Flaw| invalid(&flaw))?;
        let audience = self.audience(given, holder)?;
        Ok(Post { text, audience, marks })
    }
}

fn addresses<'a>(whole: &Given<'a>) -> Result<Vec<&'a str>, Flaw> {
    let names = ["source", "photo_cover_index", "photo_images"];
    let source = whole.needed_object("source_info", &names)?;
    if source.one_of("source", &["PULL_FROM_URL"])?.is_none() {
        return Err(source.flaw("source", "is missing"));
    }
    let urls = source.texts("photo_images")?.unwrap_or_default();
    if urls.is_empty() || urls.len() > PHOTOS_MAX {
        return Err(source.flaw("photo_images", "must be 1 to 35"));
    }
    match source.whole("photo_cover_index")? {
        Some(cover) if cover < urls.len() as u64 => Ok(urls),
        Some(_) | None => Err(source.flaw("photo_cover_index", "must be one of the photos")),
    }
}
