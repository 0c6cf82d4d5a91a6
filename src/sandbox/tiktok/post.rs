//! What is to be posted: doc/content-posting-api-reference-direct-post, read 2026-11-21. Names that
//! are not known are refused, which TikTok does not say it does: a misspelt one must not pass here
//! unseen.

use serde_json::{Value, json};
use url::Url;

use crate::sandbox::{
    door::Holder,
    given::{Flaw, Given, utf16_units},
    kept::{fetched, is_neighbour},
    meter::Room,
};

use super::{
    Answer, Books, Call, POSTS, Reply, Tiktok, body, fine, invalid, refusal,
    status::{Kind, Stage, Task},
    upload,
};

/// Whom a post is for.
pub(super) const AUDIENCES: [&str; 4] =
    ["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY"];

const CAPTION_UNITS_MAX: usize = 2_200;
/// "up to 10 minutes" (doc/content-posting-api-media-transfer-guide, read 2026-11-21).
pub(super) const SECONDS_MAX: u64 = 600;

const VIDEO: [&str; 9] = [
    "title",
    "privacy_level",
    "disable_duet",
    "disable_comment",
    "disable_stitch",
    "video_cover_timestamp_ms",
    "brand_content_toggle",
    "brand_organic_toggle",
    "is_aigc",
];

/// What both kinds of posts have.
pub(super) struct Post {
    pub(super) text: String,
    pub(super) audience: String,
    pub(super) marks: Vec<String>,
}

impl Tiktok {
    pub(super) fn creator_info(&self, call: &Call, account: usize) -> Reply {
        // This one says so with 200: doc/content-posting-api-reference-query-creator-info.
        self.may_post(account, 200)?;
        let handle = self.door.handle(account);
        let closed = self.is_private(account);
        Ok(fine(&json!({
            "creator_avatar_url": format!("{}/avatar/{handle}.webp", call.base),
            "creator_username": handle, "creator_nickname": handle,
            "privacy_level_options": self.audiences(account),
            "comment_disabled": false, "duet_disabled": closed, "stitch_disabled": closed,
            "max_video_post_duration_sec": SECONDS_MAX,
        })))
    }

    fn audiences(&self, account: usize) -> [&'static str; 3] {
        match self.is_private(account) {
            true => ["FOLLOWER_OF_CREATOR", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"],
            false => ["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"],
        }
    }

    fn may_post(&self, account: usize, status: u16) -> Result<(), Answer> {
        let refusals = [
            ("busy", "spam_risk_too_many_posts", "The daily post cap is reached"),
            ("banned", "spam_risk_user_banned_from_posting", "The user is banned from posting"),
            ("capped", "reached_active_user_cap", "The daily quota of active users is reached"),
        ];
        for (word, code, text) in refusals {
            if self.has(account, word) {
                return Err(refusal(status, code, text));
            }
        }
        Ok(())
    }

    /// Who may see it, as far as this account and this client may have that.
    pub(super) fn audience(&self, given: &Given<'_>, holder: Holder) -> Result<String, Answer> {
        let asked = given.one_of("privacy_level", &AUDIENCES).map_err(|flaw| invalid(&flaw))?;
        let asked = asked.ok_or_else(|| invalid(&given.flaw("privacy_level", "is missing")))?;
        if !self.audiences(holder.account).contains(&asked) {
            let text = "Privacy level must be one of the options of the creator info";
            return Err(refusal(403, "privacy_level_option_mismatch", text));
        }
        let audited = self.door.grants.client(holder.grant).contains("audited");
        let hidden = asked == "SELF_ONLY" && self.is_private(holder.account);
        if !audited && !hidden {
            let text = "Please review our integration guidelines";
            let code = "unaudited_client_can_only_post_to_private_accounts";
            return Err(refusal(403, code, text));
        }
        let branded = given.flag("brand_content_toggle").map_err(|flaw| invalid(&flaw))?;
        if branded == Some(true) && asked == "SELF_ONLY" {
            return Err(invalid(&given.flaw("brand_content_toggle", "cannot be private")));
        }
        Ok(asked.to_owned())
    }

    /// The last check before anything is begun.
    pub(super) fn count_post(&mut self, call: &Call, account: usize) -> Result<(), Answer> {
        self.may_post(account, 403)?;
        match self.meter.spend(account, &POSTS, 1, call.now).room {
            Room::Left => Ok(()),
            Room::Exceeded => {
                Err(refusal(403, "spam_risk_too_many_posts", "The daily post cap is reached"))
            }
        }
    }

    pub(super) fn video(&mut self, call: &Call, holder: Holder, books: &mut Books) -> Reply {
        let body = body(call)?;
        let post = self.film(&body, holder)?;
        let names = ["source", "video_url", "video_size", "chunk_size", "total_chunk_count"];
        let source = Given::of(&body, &["post_info", "source_info"])
            .and_then(|whole| whole.needed_object("source_info", &names))
            .map_err(|flaw| invalid(&flaw))?;
        let from = source.one_of("source", &["FILE_UPLOAD", "PULL_FROM_URL"]);
        match from.map_err(|flaw| invalid(&flaw))? {
            Some("FILE_UPLOAD") => self.file_upload(call, holder, post, &source, books),
            Some(_) => self.pull(call, holder, post, &source, books),
            None => Err(invalid(&source.flaw("source", "is missing"))),
        }
    }

    fn film(&self, body: &Value, holder: Holder) -> Result<Post, Answer> {
        let read = || {
            let whole = Given::of(body, &["post_info", "source_info"])?;
            let given = whole.needed_object("post_info", &VIDEO)?;
            let text = given.short("title", CAPTION_UNITS_MAX, utf16_units)?;
            given.whole("video_cover_timestamp_ms")?;
            for name in ["disable_duet", "disable_comment", "disable_stitch"] {
                given.flag(name)?;
            }
            let marks = marks(&given)?;
            Ok((given, text, marks))
        };
        let (given, text, marks) = read().map_err(|flaw| invalid(&flaw))?;
        let audience = self.audience(&given, holder)?;
        Ok(Post { text, audience, marks })
    }

    fn file_upload(
        &mut self,
        call: &Call,
        holder: Holder,
        post: Post,
        source: &Given<'_>,
        books: &mut Books,
    ) -> Reply {
        let plan = upload::plan(source).map_err(|flaw| invalid(&flaw))?;
        self.count_post(call, holder.account)?;
        let publish_id = new_id("v_pub_file~v2-1", call, books);
        let upload_id = books.chance.word(24);
        let token = books.chance.word(24);
        let url = format!("{}/video/?upload_id={upload_id}&upload_token={token}", call.base);
        self.uploads.insert(upload_id, publish_id.clone());
        let stage = Stage::Sending { plan, token, chunks: Vec::new() };
        let task = Task { account: holder.account, kind: Kind::Film, post, began: call.now, stage };
        self.begin(publish_id.clone(), task);
        Ok(fine(&json!({ "publish_id": publish_id, "upload_url": url })))
    }

    fn pull(
        &mut self,
        call: &Call,
        holder: Holder,
        post: Post,
        source: &Given<'_>,
        books: &mut Books,
    ) -> Reply {
        let url = source.needed("video_url").map_err(|flaw| invalid(&flaw))?;
        verified(call, &[url])?;
        self.count_post(call, holder.account)?;
        let publish_id = new_id("v_pub_url~v2-1", call, books);
        let files = fetched(call, url).map(|bytes| vec![vec![bytes]]);
        let files = files.map_err(|_| "video_pull_failed");
        let stage = self.work(call, holder.account, Kind::Film, &post, files, books)?;
        let task = Task { account: holder.account, kind: Kind::Film, post, began: call.now, stage };
        self.begin(publish_id.clone(), task);
        Ok(fine(&json!({ "publish_id": publish_id })))
    }

    pub(super) fn begin(&mut self, publish_id: String, task: Task) {
        self.order.push(publish_id.clone());
        self.tasks.insert(publish_id, task);
    }
}

/// What readers are told besides.
pub(super) fn marks(given: &Given<'_>) -> Result<Vec<String>, Flaw> {
    let mut marks = Vec::new();
    for (name, mark) in [
        ("brand_content_toggle", "paid partnership"),
        ("brand_organic_toggle", "promotional content"),
        ("is_aigc", "AI-generated"),
    ] {
        if given.flag(name)? == Some(true) {
            marks.push(mark.to_owned());
        }
    }
    Ok(marks)
}

pub(super) fn new_id(prefix: &str, call: &Call, books: &mut Books) -> String {
    format!("{prefix}.{}", books.chance.snowflake(call.now, 0, 20))
}

/// Whether the film is to be fetched, so that its init alone posts it.
pub(super) fn is_pulled(call: &Call) -> bool {
    call.json().is_some_and(|body| body["source_info"]["source"] == "PULL_FROM_URL")
}

pub(super) fn addresses(call: &Call) -> Vec<String> {
    let source = call.json().map(|body| body["source_info"].clone()).unwrap_or_default();
    let photos = source["photo_images"].as_array().cloned().unwrap_or_default();
    let urls = photos.into_iter().chain([source["video_url"].clone()]);
    urls.filter_map(|url| url.as_str().map(str::to_owned)).collect()
}

/// The sandbox's own neighbourhood counts as verified, whatever its scheme.
pub(super) fn is_verified(call: &Call, url: &str) -> bool {
    is_neighbour(call, url)
}

pub(super) fn verified(call: &Call, urls: &[&str]) -> Result<(), Answer> {
    for url in urls {
        if Url::parse(url).is_err() {
            return Err(refusal(400, "invalid_param", "The address is not a URL"));
        }
        if !is_verified(call, url) {
            let text = "Please review our URL ownership verification rules";
            return Err(refusal(403, "url_ownership_unverified", text));
        }
    }
    Ok(())
}
