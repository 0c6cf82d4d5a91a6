//! Where the descriptions are silent or mistaken, each with a reason. One that no request needs any
//! more fails.

/// A call that the description leaves out.
pub(crate) struct Undescribed {
    pub(crate) platform: &'static str,
    /// As [`super::sent::Sent::is_of`] reads it.
    pub(crate) operation: &'static str,
    pub(crate) reason: &'static str,
}

/// A complaint that is the description's fault.
pub(crate) struct Mistaken {
    pub(crate) platform: &'static str,
    pub(crate) operation: &'static str,
    /// How it begins.
    pub(crate) complaint: &'static str,
    pub(crate) reason: &'static str,
}

const fn undescribed(
    platform: &'static str,
    operation: &'static str,
    reason: &'static str,
) -> Undescribed {
    Undescribed { platform, operation, reason }
}

const DID_DOCUMENT: &str = "Documents of DIDs are found as the DID methods say, not by a lexicon.";

const META_OAUTH: &str = "Meta describes nodes; OAuth and the inspection of tokens are not among \
                          them.";

/// LinkedIn publishes no description; what is here was written from some of its pages.
const NOT_TRANSCRIBED: &str = "LinkedIn has a page on it that was not transcribed.";

const NODE_INFO: &str = "NodeInfo is a protocol of its own, of many kinds of servers.";

const OAUTH: &str = "OAuth's endpoints appear among the security schemes only, not as paths.";

pub(crate) const UNDESCRIBED: &[Undescribed] = &[
    undescribed("bluesky", "GET plc.example/*", DID_DOCUMENT),
    undescribed("bluesky", "GET /.well-known/did.json", DID_DOCUMENT),
    undescribed("facebook", "GET graph.facebook.com/*/oauth/access_token", META_OAUTH),
    undescribed("facebook", "GET graph.facebook.com/*/debug_token", META_OAUTH),
    undescribed("instagram", "GET graph.facebook.com/*/oauth/access_token", META_OAUTH),
    undescribed(
        "instagram",
        "POST rupload.facebook.com/ig-api-upload/*/*",
        "The collection of uploads shows Facebook's reels only.",
    ),
    undescribed("linkedin", "GET /rest/organizations/*", NOT_TRANSCRIBED),
    undescribed("linkedin", "GET /rest/documents/*", NOT_TRANSCRIBED),
    undescribed("linkedin", "GET /rest/socialActions/*/comments", NOT_TRANSCRIBED),
    undescribed("linkedin", "POST /rest/socialActions/*/comments", NOT_TRANSCRIBED),
    undescribed("linkedin", "POST www.linkedin.com/oauth/v2/introspectToken", OAUTH),
    undescribed("linkedin", "POST www.linkedin.com/oauth/v2/revoke", OAUTH),
    undescribed(
        "linkedin",
        "PUT www.linkedin.com/dms-uploads/**",
        "LinkedIn names the address of an upload in its answer; nobody describes it.",
    ),
    undescribed(
        "tiktok",
        "PUT open-upload.tiktokapis.com/video",
        "TikTok names the address of an upload in its answer; a page shows the pieces in words.",
    ),
    undescribed(
        "slack",
        "POST files.slack.com/upload/**",
        "Slack names the address of an upload in its answer; nobody describes it.",
    ),
    undescribed(
        "slack",
        "POST hooks.slack.com/services/**",
        "Webhooks are no methods; a page shows what they take.",
    ),
    undescribed("mastodon", "GET /.well-known/nodeinfo", NODE_INFO),
    undescribed("mastodon", "GET /nodeinfo/*", NODE_INFO),
    undescribed(
        "pinterest",
        "POST uploads.example/**",
        "Pinterest names the address of an upload in its answer; it is a storage of another's.",
    ),
    undescribed("x", "POST /2/oauth2/revoke", OAUTH),
    undescribed("youtube", "POST oauth2.googleapis.com/revoke", OAUTH),
    undescribed(
        "youtube",
        "PUT www.googleapis.com/upload/youtube/v3/videos",
        "Google names the address of a session in its answer; only its opening is described.",
    ),
];

const fn mistaken(
    platform: &'static str,
    operation: &'static str,
    complaint: &'static str,
    reason: &'static str,
) -> Mistaken {
    Mistaken { platform, operation, complaint, reason }
}

const FILE_AS_TEXT: &str = "Files are called text, or left out, where an address is taken too.";

const TASKS: &str =
    "What a person may do on a page is told in lists of pages, not of a page alone.";

const CONTAINER: &str = "Containers are a kind of node that is not described; the pages on \
                         publishing name its fields.";

const PAGING: &str =
    "Rest.li's lists all take a start and a count; this one was transcribed without.";

const MESSAGES: &str = "POST /*/*/messages";

const OLD_NAME: &str =
    "It names the newer `post.fields` only; the pages show `tweet.fields` (read 2026-08-22).";
const CAPTION: &str = "The examples beside the schema have it.";

pub(crate) const MISTAKEN: &[Mistaken] = &[
    mistaken(
        "discord",
        "POST /api/v10/webhooks/*/*",
        "the body does not know `files[",
        "The parts that hold files are described for bots only; webhooks take the same.",
    ),
    mistaken("facebook", "GET /*/*/*", "there is no field `tasks`", TASKS),
    mistaken("facebook", "POST /*/*/photos", "there is no parameter `source`", FILE_AS_TEXT),
    mistaken("facebook", "POST /*/*/videos", "source is a file", FILE_AS_TEXT),
    mistaken("facebook", "POST /*/*/videos", "video_file_chunk is a file", FILE_AS_TEXT),
    mistaken("instagram", "GET /*/*/*", "there is no field `tasks`", TASKS),
    mistaken("instagram", "GET /*/*", "there is no field `status_code`", CONTAINER),
    mistaken("instagram", "GET /*/*", "there is no field `status`", CONTAINER),
    mistaken("linkedin", "GET /rest/organizationAcls", "there is no parameter `start`", PAGING),
    mistaken("linkedin", "GET /rest/organizationAcls", "there is no parameter `count`", PAGING),
    mistaken(
        "mastodon",
        "POST /api/v1/statuses",
        "the parameter Idempotency-Key is not object",
        "A header is text; the generator makes an object of every header.",
    ),
    mistaken(
        "whatsapp",
        MESSAGES,
        "the body does not know `biz_opaque_callback_data`",
        "The pages have it among the fields of every message, and of every webhook about one.",
    ),
    mistaken(
        "whatsapp",
        "POST /*/*/media",
        "the body does not know `type`",
        "The page on media requires it; the description was made from examples without it.",
    ),
    mistaken("whatsapp", MESSAGES, "the body.image does not know `caption`", CAPTION),
    mistaken("whatsapp", MESSAGES, "the body.video does not know `caption`", CAPTION),
    mistaken("whatsapp", MESSAGES, "the body.document does not know `caption`", CAPTION),
    mistaken("whatsapp", MESSAGES, "the body.document does not know `filename`", CAPTION),
    mistaken("x", "GET /2/users/*/tweets", "there is no parameter `tweet.fields`", OLD_NAME),
    mistaken("x", "GET /2/tweets/*", "there is no parameter `tweet.fields`", OLD_NAME),
];
