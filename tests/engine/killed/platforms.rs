//! What is played: every kind of post that takes more than one step, for every platform.
//!
//! A platform's processing frees the lane, so what it processes has a play to itself: within it,
//! the order is that of the parts. What it takes at once also has to keep the order of its posts.

use super::{Ending, File, Piece, Play, Role, kill_all};

const PICTURE: &[File] = &[File::Picture(1)];
const PICTURES: &[File] = &[File::Picture(1), File::Picture(2)];
const MIXED: &[File] = &[File::Picture(1), File::Film];
const FILM: &[File] = &[File::Film];
const DOCUMENT: &[File] = &[File::Document];

const STORY: &[(&str, &str)] = &[("format", "story")];
const REEL: &[(&str, &str)] = &[("format", "reel")];
const ARTICLE: &[(&str, &str)] =
    &[("link", "https://example.com/an-article"), ("link_title", "An article")];
const POLL: &[(&str, &str)] = &[("poll", "yes\nno")];

/// Time enough to do ahead what can be done ahead, and to be killed in the middle of it.
pub(super) const SOON: u64 = 30;

pub(super) const fn piece(at: u64, parts: &'static [(&'static str, &'static [File])]) -> Piece {
    Piece { at, parts, options: &[], seen: &[] }
}

pub(super) const fn with(options: &'static [(&'static str, &'static str)], piece: Piece) -> Piece {
    Piece { options, ..piece }
}

/// Nothing there can be looked up.
pub(super) const fn unseen(
    name: &'static str,
    accounts: &'static [Role],
    posts: &'static [Piece],
) -> Play {
    Play { name, accounts, posts, ending: Ending::PublishedOrInDoubt }
}

pub(super) const fn play(
    name: &'static str,
    accounts: &'static [Role],
    posts: &'static [Piece],
) -> Play {
    Play { name, accounts, posts, ending: Ending::Published }
}

const EVERYBODY: &[Play] = &[play(
    "texts, a thread and a picture everywhere",
    &[("bluesky", "alice.test"), ("mastodon", "alice"), ("gotosocial", "bob"), ("x", "carol")],
    &[
        piece(12, &[("first", &[])]),
        piece(13, &[("one", &[]), ("two", &[]), ("three", &[])]),
        piece(30, &[("last", &[])]),
        piece(31, &[("a picture", PICTURE)]),
    ],
)];

const FACEBOOK: &[Role] = &[("facebook", "alice")];

const OF_FACEBOOK: &[Play] = &[
    play(
        "Facebook: photos with a comment, a text, a story of a photo",
        FACEBOOK,
        &[
            piece(SOON, &[("photos", PICTURES), ("a comment", &[])]),
            piece(SOON + 1, &[("a text", &[])]),
            with(STORY, piece(SOON + 2, &[("", PICTURE)])),
        ],
    ),
    play(
        "Facebook: a film with a comment",
        FACEBOOK,
        &[piece(SOON, &[("a film", FILM), ("a comment", &[])])],
    ),
    play(
        "Facebook: a reel with a comment",
        FACEBOOK,
        &[with(REEL, piece(SOON, &[("a reel", FILM), ("a comment", &[])]))],
    ),
    play("Facebook: a story of a film", FACEBOOK, &[with(STORY, piece(SOON, &[("", FILM)]))]),
];

const INSTAGRAM: &[Role] = &[("instagram/instagram", "alice.bakery")];
const BY_FACEBOOK: &[Role] = &[("instagram/facebook", "alice")];

const OF_INSTAGRAM: &[Play] = &[
    play(
        "Instagram: an image with a comment",
        INSTAGRAM,
        &[piece(SOON, &[("an image", PICTURE), ("a comment", &[])])],
    ),
    play("Instagram: a reel", INSTAGRAM, &[with(REEL, piece(SOON, &[("a reel", FILM)]))]),
    play(
        "Instagram: a carousel with a comment",
        INSTAGRAM,
        &[piece(SOON, &[("a carousel", MIXED), ("a comment", &[])])],
    ),
    play(
        "Instagram: a story of an image",
        INSTAGRAM,
        &[with(STORY, piece(SOON, &[("", PICTURE)]))],
    ),
    play("Instagram: a story of a film", INSTAGRAM, &[with(STORY, piece(SOON, &[("", FILM)]))]),
    play(
        "Instagram by Facebook: a reel with a comment",
        BY_FACEBOOK,
        &[with(REEL, piece(SOON, &[("a reel", FILM), ("a comment", &[])]))],
    ),
    play(
        "Instagram by Facebook: a carousel",
        BY_FACEBOOK,
        &[piece(SOON, &[("a carousel", PICTURES)])],
    ),
    play(
        "Instagram by Facebook: a story of a film",
        BY_FACEBOOK,
        &[with(STORY, piece(SOON, &[("", FILM)]))],
    ),
];

const THREADS: &[Role] = &[("threads", "alice")];

const OF_THREADS: &[Play] = &[
    play("Threads: an image", THREADS, &[piece(SOON, &[("an image", PICTURE)])]),
    play("Threads: a film", THREADS, &[piece(SOON, &[("a film", FILM)])]),
    play("Threads: a carousel", THREADS, &[piece(SOON, &[("a carousel", MIXED)])]),
    play("Threads: a poll", THREADS, &[with(POLL, piece(SOON, &[("a poll", &[])]))]),
    play(
        "Threads: a thread with an image",
        THREADS,
        &[piece(SOON, &[("one", &[]), ("two", PICTURE), ("three", &[])])],
    ),
];

const ORGANIZATION: &[Role] = &[("linkedin/organization", "alice")];
const MEMBER: &[Role] = &[("linkedin/member", "alice")];

const OF_ORGANIZATIONS: &[Play] = &[
    play(
        "LinkedIn organization: a text with a comment, a text",
        ORGANIZATION,
        &[
            piece(SOON, &[("a text", &[]), ("a comment", &[])]),
            piece(SOON + 1, &[("another", &[])]),
        ],
    ),
    play(
        "LinkedIn organization: an image with a comment",
        ORGANIZATION,
        &[piece(SOON, &[("an image", PICTURE), ("a comment", &[])])],
    ),
    play("LinkedIn organization: images", ORGANIZATION, &[piece(SOON, &[("images", PICTURES)])]),
    play(
        "LinkedIn organization: an article with a picture",
        ORGANIZATION,
        &[with(ARTICLE, piece(SOON, &[("an article", PICTURE)]))],
    ),
    play("LinkedIn organization: a film", ORGANIZATION, &[piece(SOON, &[("a film", FILM)])]),
    play(
        "LinkedIn organization: a document",
        ORGANIZATION,
        &[piece(SOON, &[("a document", DOCUMENT)])],
    ),
];

const OF_MEMBERS: &[Play] = &[
    unseen(
        "LinkedIn member: two texts",
        MEMBER,
        &[piece(SOON, &[("a text", &[])]), piece(SOON + 1, &[("another", &[])])],
    ),
    unseen("LinkedIn member: an image", MEMBER, &[piece(SOON, &[("an image", PICTURE)])]),
    unseen("LinkedIn member: images", MEMBER, &[piece(SOON, &[("images", PICTURES)])]),
    unseen("LinkedIn member: a film", MEMBER, &[piece(SOON, &[("a film", FILM)])]),
    unseen("LinkedIn member: a document", MEMBER, &[piece(SOON, &[("a document", DOCUMENT)])]),
];

const X: &[Role] = &[("x", "carol")];

const OF_X: &[Play] = &[
    play(
        "X: a thread with an image",
        X,
        &[piece(SOON, &[("one", &[]), ("two", PICTURE), ("three", &[])])],
    ),
    play(
        "X: a poll, a text",
        X,
        &[with(POLL, piece(SOON, &[("a poll", &[])])), piece(SOON + 1, &[("a text", &[])])],
    ),
    play("X: images", X, &[piece(SOON, &[("images", PICTURES)])]),
    play("X: a film", X, &[piece(SOON, &[("a film", FILM)])]),
];

const SLACK: &[Role] = &[("slack/bot", "C0123456789")];
const SLACK_WEBHOOK: &[Role] = &[("slack/webhook", "#news")];
const BUTTONS: &[(&str, &str)] = &[("buttons", "Read | https://example.com")];

const OF_SLACK: &[Play] = &[
    play(
        "Slack: a thread, a text with buttons",
        SLACK,
        &[
            piece(SOON, &[("one", &[]), ("two", &[]), ("three", &[])]),
            with(BUTTONS, piece(SOON + 1, &[("a text", &[])])),
        ],
    ),
    play(
        "Slack: images with an answer of a film",
        SLACK,
        &[piece(SOON, &[("images", PICTURES), ("a film", FILM)])],
    ),
];

const OF_SLACK_WEBHOOKS: &[Play] = &[unseen(
    "Slack webhook: two texts",
    SLACK_WEBHOOK,
    &[piece(SOON, &[("a text", &[])]), piece(SOON + 1, &[("another", &[])])],
)];

#[tokio::test(flavor = "multi_thread")]
async fn every_post_goes_out_once_and_in_order_wherever_the_process_dies() {
    kill_all(EVERYBODY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facebook_pages_get_everything_once_wherever_the_process_dies() {
    kill_all(OF_FACEBOOK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instagram_gets_everything_once_wherever_the_process_dies() {
    kill_all(OF_INSTAGRAM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_gets_everything_once_wherever_the_process_dies() {
    kill_all(OF_THREADS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn linkedin_organizations_get_everything_once_wherever_the_process_dies() {
    kill_all(OF_ORGANIZATIONS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn linkedin_members_get_nothing_twice_and_are_asked_wherever_the_process_dies() {
    kill_all(OF_MEMBERS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x_gets_everything_once_wherever_the_process_dies() {
    kill_all(OF_X).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_gets_everything_once_wherever_the_process_dies() {
    kill_all(OF_SLACK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_of_slack_get_nothing_twice_and_are_asked_wherever_the_process_dies() {
    kill_all(OF_SLACK_WEBHOOKS).await;
}
