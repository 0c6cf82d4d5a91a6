//! Pins: api/v5/#tag/pins, read 2026-11-21.

use serde_json::{Value, json};
use url::Url;

use crate::{
    domain::time::Timestamp,
    sandbox::{
        Platform,
        door::Holder,
        given::{Flaw, Given, characters},
        kept::Kept,
        ledger::{Card, Face, LedgerEntry},
        text,
    },
};

use super::{
    Answer, Books, Call, Pinterest, Reply, body, full, invalid, no_such_pin, page,
    signin::new_id,
    source::{self, Source},
};

const TITLE_CHARS_MAX: usize = 100;
const DESCRIPTION_CHARS_MAX: usize = 800;
const ALT_CHARS_MAX: usize = 500;
const LINK_CHARS_MAX: usize = 2_048;

const CREATED: [&str; 10] = [
    "board_id",
    "board_section_id",
    "title",
    "description",
    "alt_text",
    "link",
    "dominant_color",
    "note",
    "parent_pin_id",
    "media_source",
];

const CHANGED: [&str; 7] =
    ["alt_text", "board_id", "board_section_id", "carousel_slots", "description", "link", "title"];

pub(super) struct Pin {
    id: u64,
    pub(super) account: usize,
    pub(super) board: u64,
    section: Option<String>,
    words: Words,
    media: Vec<Kept>,
    created: Timestamp,
}

#[derive(Clone)]
struct Words {
    title: String,
    description: String,
    alt: String,
    link: Option<String>,
}

impl Words {
    fn read(given: &Given<'_>) -> Result<Words, Flaw> {
        let link = given.short("link", LINK_CHARS_MAX, characters)?;
        let web =
            |url: &str| Url::parse(url).is_ok_and(|url| ["http", "https"].contains(&url.scheme()));
        if !link.is_empty() && !web(&link) {
            return Err(given.flaw("link", "is no address on the web"));
        }
        Ok(Words {
            title: given.short("title", TITLE_CHARS_MAX, characters)?,
            description: given.short("description", DESCRIPTION_CHARS_MAX, characters)?,
            alt: given.short("alt_text", ALT_CHARS_MAX, characters)?,
            link: Some(link).filter(|link| !link.is_empty()),
        })
    }

    fn said(&self) -> String {
        match (self.title.as_str(), self.description.as_str()) {
            (title, "") => title.to_owned(),
            ("", description) => description.to_owned(),
            (title, description) => format!("{title}\n\n{description}"),
        }
    }

    fn face(&self, secret: bool) -> Face {
        let card = self.link.as_ref().map(|url| Card {
            url: url.clone(),
            title: "Visit site".to_owned(),
            description: String::new(),
        });
        let marks = if secret { vec!["secret board".to_owned()] } else { Vec::new() };
        Face { pieces: text::pieces(&self.said(), &[]), card, marks, ..Face::default() }
    }
}

impl Pinterest {
    pub(super) fn make_pin(&mut self, call: &Call, holder: Holder, books: &mut Books) -> Reply {
        let sent = body(call)?;
        let refuse = |flaw: Flaw| invalid(&flaw);
        let given = Given::of(&sent, &CREATED).map_err(refuse)?;
        let words = Words::read(&given).map_err(refuse)?;
        for name in ["dominant_color", "note", "parent_pin_id"] {
            given.text(name).map_err(refuse)?;
        }
        let board = self.board(holder, given.needed("board_id").map_err(refuse)?)?;
        let section = given.text("board_section_id").map_err(refuse)?;
        if let Some(section) = section {
            self.section(board, section)?;
        }
        let media = match source::read(call, &given).map_err(refuse)? {
            Source::Film(id) => vec![self.film(call, holder.account, id)?.clone()],
            Source::Images(images) => {
                let kept = images.into_iter().map(|bytes| Kept::keep(books, vec![bytes]));
                kept.collect::<Result<Vec<Kept>, _>>().map_err(full)?
            }
        };
        let pin = Pin {
            id: new_id(&mut books.chance, call.now),
            account: holder.account,
            board,
            section: section.map(str::to_owned),
            words,
            media,
            created: call.now,
        };
        let person = self.door.people.get(pin.account);
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Pinterest,
            account: person.id.clone(),
            handle: person.handle.clone(),
            id: pin.id.to_string(),
            url: format!("{}/pin/{}/", call.base, pin.id),
            text: pin.words.said(),
            media: pin.media.iter().map(|kept| kept.for_ledger(&pin.words.alt)).collect(),
            reply_to: None,
            idempotency_key: None,
            deleted_at: None,
            face: pin.words.face(self.is_secret(board)),
        });
        let shown = self.shown_pin(call, &pin);
        self.pins.push(pin);
        Ok(Answer::json(201, &shown))
    }

    fn is_secret(&self, board: u64) -> bool {
        self.boards.iter().any(|it| it.id == board && it.is_secret())
    }

    fn shown_pin(&self, call: &Call, pin: &Pin) -> Value {
        let images: Vec<Value> = pin.media.iter().map(|kept| image(call, kept)).collect();
        let film = pin.media.first().is_some_and(|kept| kept.mime.starts_with("video/"));
        let (kind, media) = match images.as_slice() {
            _ if film => ("VIDEO", json!({ "media_type": "video", "images": images[0] })),
            [single] => ("REGULAR", json!({ "media_type": "image", "images": single })),
            several => {
                let items: Vec<Value> = several
                    .iter()
                    .map(|it| json!({ "images": it, "item_type": "image" }))
                    .collect();
                ("CAROUSEL", json!({ "media_type": "multiple_images", "items": items }))
            }
        };
        json!({
            "id": pin.id.to_string(), "created_at": pin.created.rfc3339(),
            "link": pin.words.link, "title": pin.words.title,
            "description": pin.words.description, "alt_text": pin.words.alt,
            "board_id": pin.board.to_string(), "board_section_id": pin.section,
            "board_owner": { "username": self.door.handle(pin.account) }, "media": media,
            "creative_type": kind, "is_owner": true, "is_standard": true,
            "has_been_promoted": false, "parent_pin_id": null, "dominant_color": "#6E7874",
        })
    }

    /// Newest first.
    pub(super) fn list_pins(&self, call: &Call, account: usize, board: Option<u64>) -> Reply {
        let own =
            self.pins.iter().rev().filter(|pin| {
                pin.account == account && board.is_none_or(|board| pin.board == board)
            });
        page(call, own.map(|pin| self.shown_pin(call, pin)).collect())
    }

    fn own_pin(&self, account: usize, id: &str) -> Result<usize, Answer> {
        let mut pins = self.pins.iter();
        let found = pins.position(|pin| pin.id.to_string() == id && pin.account == account);
        found.ok_or_else(no_such_pin)
    }

    pub(super) fn pin(&self, call: &Call, account: usize, id: &str) -> Reply {
        let found = self.own_pin(account, id)?;
        Ok(Answer::json(200, &self.shown_pin(call, &self.pins[found])))
    }

    pub(super) fn change_pin(
        &mut self,
        call: &Call,
        holder: Holder,
        id: &str,
        books: &mut Books,
    ) -> Reply {
        let found = self.own_pin(holder.account, id)?;
        let sent = body(call)?;
        let refuse = |flaw: Flaw| invalid(&flaw);
        let given = Given::of(&sent, &CHANGED).map_err(refuse)?;
        let read = Words::read(&given).map_err(refuse)?;
        let board = given.text("board_id").map_err(refuse)?;
        let board = board.map(|board| self.board(holder, board)).transpose()?;
        let section = given.text("board_section_id").map_err(refuse)?;
        let home = board.unwrap_or(self.pins[found].board);
        if let Some(section) = section {
            self.section(home, section)?;
        }
        let secret = self.is_secret(home);
        let pin = &mut self.pins[found];
        // What is absent stays.
        let Words { title, description, alt, link } = read;
        for (name, place, text) in [
            ("title", &mut pin.words.title, title),
            ("description", &mut pin.words.description, description),
            ("alt_text", &mut pin.words.alt, alt),
        ] {
            if sent.get(name).is_some() {
                *place = text;
            }
        }
        if sent.get("link").is_some() {
            pin.words.link = link;
        }
        if board.is_some() || section.is_some() {
            (pin.board, pin.section) = (home, section.map(str::to_owned));
        }
        let (said, face) = (pin.words.said(), pin.words.face(secret));
        books.ledger.mark_edited(Platform::Pinterest, id, &said, face);
        self.pin(call, holder.account, id)
    }

    pub(super) fn delete_pin(
        &mut self,
        call: &Call,
        account: usize,
        id: &str,
        books: &mut Books,
    ) -> Reply {
        let found = self.own_pin(account, id)?;
        self.pins.remove(found);
        books.ledger.mark_deleted(Platform::Pinterest, id, call.now);
        Ok(Answer::new(204, "application/json", ""))
    }
}

fn image(call: &Call, kept: &Kept) -> Value {
    let (width, height) = kept.size.unwrap_or_default();
    json!({ "1200x": { "url": kept.address(call), "width": width, "height": height } })
}
