//! What is played on the wide set: networks with uploads in pieces, chats, and programs.

use super::{
    File, Piece, Play, Role, kill_all,
    platforms::{SOON, piece, play, unseen, with},
};

const PHOTO: &[File] = &[File::Large(1)];
const PHOTOS: &[File] = &[File::Large(1), File::Large(2)];
const FILM: &[File] = &[File::Long];
const FILM_AND_PICTURE: &[File] = &[File::Long, File::Large(1)];
const DOCUMENT: &[File] = &[File::Document];

type Shown = &'static [(&'static str, &'static [File])];

const fn showing(seen: Shown, piece: Piece) -> Piece {
    Piece { seen, ..piece }
}

const TIKTOK: &[Role] = &[("tiktok", "tara")];
const PUBLIC: &[(&str, &str)] = &[("privacy", "public")];

const OF_TIKTOK: &[Play] = &[
    play("TikTok: a film", TIKTOK, &[with(PUBLIC, piece(SOON, &[("a film", FILM)]))]),
    // Its list never proves that something is not there.
    unseen("TikTok: photos", TIKTOK, &[with(PUBLIC, piece(SOON, &[("photos", PHOTOS)]))]),
];

const YOUTUBE: &[Role] = &[("youtube", "yuri")];
const WAVES: &[(&str, &str)] = &[("title", "Waves"), ("made_for_kids", "false")];

const OF_YOUTUBE: &[Play] = &[play(
    "YouTube: a film with a picture and a comment",
    YOUTUBE,
    &[showing(
        &[("Waves\n\na film", FILM), ("a comment", &[])],
        with(WAVES, piece(SOON, &[("a film", FILM_AND_PICTURE), ("a comment", &[])])),
    )],
)];

const GOOGLE: &[Role] = &[("googlebusiness", "gina")];
const EVENT: &[(&str, &str)] = &[
    ("format", "event"),
    ("event_title", "Tasting"),
    ("event_start", "2031-12-01T18:00"),
    ("event_end", "2031-12-01T20:00"),
];

/// Where a location has no posts, Google's answer proves nothing, so the first may be in doubt.
const OF_GOOGLE: &[Play] = &[unseen(
    "Google Business Profile: a text, a photo, an event",
    GOOGLE,
    &[
        piece(SOON, &[("a text", &[])]),
        piece(SOON + 1, &[("a photo", PHOTO)]),
        with(EVENT, piece(SOON + 2, &[("an event", &[])])),
    ],
)];

const PINTEREST: &[Role] = &[("pinterest", "pia")];
const BOARD: &[(&str, &str)] = &[("board", "Inspiration")];

const OF_PINTEREST: &[Play] = &[
    play("Pinterest: a photo", PINTEREST, &[with(BOARD, piece(SOON, &[("a photo", PHOTO)]))]),
    play("Pinterest: a carousel", PINTEREST, &[with(BOARD, piece(SOON, &[("swipe", PHOTOS)]))]),
    play("Pinterest: a film", PINTEREST, &[with(BOARD, piece(SOON, &[("a film", FILM)]))]),
];

const SNAPCHAT: &[Role] = &[("snapchat", "sam")];
const SPOTLIGHT: &[(&str, &str)] = &[("format", "spotlight")];

const OF_SNAPCHAT: &[Play] = &[
    unseen("Snapchat: a story of a photo", SNAPCHAT, &[piece(SOON, &[("", PHOTO)])]),
    unseen("Snapchat: a story of a film", SNAPCHAT, &[piece(SOON, &[("", FILM)])]),
    unseen("Snapchat: a spotlight", SNAPCHAT, &[with(SPOTLIGHT, piece(SOON, &[("a film", FILM)]))]),
];

const TELEGRAM: &[Role] = &[("telegram", "@kiosk")];

const OF_TELEGRAM: &[Play] = &[
    unseen(
        "Telegram: a thread, an album",
        TELEGRAM,
        &[piece(SOON, &[("one", &[]), ("two", PHOTO)]), piece(SOON + 1, &[("photos", PHOTOS)])],
    ),
    unseen("Telegram: a document", TELEGRAM, &[piece(SOON, &[("pages", DOCUMENT)])]),
];

const DISCORD_BOT: &[Role] = &[("discord/bot", "222222222222222222")];
const DISCORD_HOOK: &[Role] = &[("discord/webhook", "")];

const OF_DISCORD: &[Play] = &[
    play(
        "Discord by a bot: a thread, photos",
        DISCORD_BOT,
        &[piece(SOON, &[("one", &[]), ("two", PHOTO)]), piece(SOON + 1, &[("photos", PHOTOS)])],
    ),
    unseen(
        "Discord by a webhook: parts, photos",
        DISCORD_HOOK,
        &[piece(SOON, &[("one", &[]), ("two", PHOTO)]), piece(SOON + 1, &[("photos", PHOTOS)])],
    ),
];

const WHATSAPP: &[Role] = &[("whatsapp", "106540352242922")];
const TWO: &[(&str, &str)] = &[("recipients", "+4915112345678\n+4915112345679")];

const OF_WHATSAPP: &[Play] = &[unseen(
    "WhatsApp: a photo for two",
    WHATSAPP,
    &[showing(
        &[("a photo", PHOTO), ("a photo", PHOTO)],
        with(TWO, piece(SOON, &[("a photo", PHOTO)])),
    )],
)];

/// The receiver knows a repetition by its key.
const OF_WEBHOOKS: &[Play] = &[play(
    "webhook: parts, a photo",
    &[("webhook", "shop")],
    &[piece(SOON, &[("one", &[]), ("two", &[])]), piece(SOON + 1, &[("a photo", PHOTO)])],
)];

const TITLED: &[(&str, &str)] =
    &[("title", "Waves"), ("categories", "news"), ("tags", "sea"), ("featured", "true")];

const OF_SITES: &[Play] = &[
    play(
        "WordPress: an article with files, another of the same title",
        &[("wordpress", "willa")],
        &[
            showing(
                &[("Waves\n\nan article", PHOTOS)],
                with(TITLED, piece(SOON, &[("an article", PHOTOS)])),
            ),
            showing(
                &[("Waves\n\nanother", &[])],
                with(&[("title", "Waves")], piece(SOON + 1, &[("another", &[])])),
            ),
        ],
    ),
    unseen(
        "Pixelfed: photos and a comment of one's own",
        &[("pixelfed", "robin")],
        &[piece(SOON, &[("photos", PHOTOS), ("and more", PHOTO)])],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn articles_and_pictures_get_out_once_wherever_the_process_dies() {
    kill_all(OF_SITES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn films_get_out_once_wherever_the_process_dies() {
    kill_all(OF_TIKTOK).await;
    kill_all(OF_YOUTUBE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pins_places_and_snaps_get_out_once_wherever_the_process_dies() {
    kill_all(OF_GOOGLE).await;
    kill_all(OF_PINTEREST).await;
    kill_all(OF_SNAPCHAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_get_nothing_twice_wherever_the_process_dies() {
    kill_all(OF_TELEGRAM).await;
    kill_all(OF_DISCORD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_and_programs_get_nothing_twice_wherever_the_process_dies() {
    kill_all(OF_WHATSAPP).await;
    kill_all(OF_WEBHOOKS).await;
}
