//! Stories and spotlights: Public-Profile-API, stories and spotlights, read 2026-11-21.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        Platform,
        given::{Flaw, Given, characters},
        kept::Kept,
        ledger::{Face, LedgerEntry},
        text,
    },
};

use super::{
    Books, Call, Reply, Snapchat, body, fine, invalid, media::Kind, not_found, signin::new_id,
};

const DESCRIPTION_CHARS_MAX: usize = 160;
const MODERATION: Duration = Duration::from_secs(20);
const LIVES: [&str; 4] = ["ONE_DAY", "TWO_DAYS", "THREE_DAYS", "ONE_WEEK"];

pub(super) struct Spotlight {
    account: usize,
    at: Timestamp,
    rejected: bool,
}

/// What the ledger is told of a post.
struct Said {
    id: String,
    url: String,
    text: String,
    label: &'static str,
    marks: Vec<String>,
}

impl Snapchat {
    /// Its id is never told.
    pub(super) fn story(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let sent = body(call)?;
        let (media, life) = story(&sent).map_err(|flaw| invalid(&flaw))?;
        let kept = self.postable(call, account, &media, &[Kind::Film, Kind::Image])?;
        self.use_up(&media);
        let said = Said {
            id: new_id(&mut books.chance, call.now),
            url: format!("{}/add/{}", call.base, self.door.handle(account)),
            text: String::new(),
            label: "story",
            marks: vec![life.replace('_', " ").to_lowercase()],
        };
        self.record(call, account, said, &kept, books);
        Ok(fine(json!({})))
    }

    pub(super) fn spotlight(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let sent = body(call)?;
        let (media, text) = spotlight(&sent).map_err(|flaw| invalid(&flaw))?;
        let kept = self.postable(call, account, &media, &[Kind::Film])?;
        self.use_up(&media);
        let id = new_id(&mut books.chance, call.now);
        let rejected = text.to_lowercase().contains("reject");
        self.spotlights.insert(id.clone(), Spotlight { account, at: call.now, rejected });
        // What is rejected no reader ever sees.
        if !rejected {
            let url = format!("{}/spotlight/{id}", call.base);
            let said = Said { id: id.clone(), url, text, label: "spotlight", marks: Vec::new() };
            self.record(call, account, said, &kept, books);
        }
        Ok(fine(json!({ "spotlight_id": id })))
    }

    pub(super) fn spotlight_status(&self, call: &Call, account: usize, id: &str) -> Reply {
        let found = self.spotlights.get(id).filter(|found| found.account == account);
        let found = found.ok_or_else(not_found)?;
        let status = match (found.at.elapsed(call.now) < MODERATION, found.rejected) {
            (true, _) => "SUBMITTED",
            (false, true) => "REJECTED",
            (false, false) => "LIVE",
        };
        Ok(fine(json!({ "spotlight": { "id": id, "status": status } })))
    }

    fn record(&self, call: &Call, account: usize, said: Said, kept: &Kept, books: &mut Books) {
        let person = self.door.people.get(account);
        let face = Face {
            pieces: text::pieces(&said.text, &[]),
            label: Some(said.label),
            marks: said.marks,
            ..Face::default()
        };
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Snapchat,
            account: person.id.clone(),
            handle: person.handle.clone(),
            id: said.id,
            url: said.url,
            text: said.text,
            media: vec![kept.for_ledger("")],
            reply_to: None,
            idempotency_key: None,
            deleted_at: None,
            face,
        });
    }
}

fn story(sent: &Value) -> Result<(String, String), Flaw> {
    let given = Given::of(sent, &["media_id", "customized_ttl"])?;
    let life = match given.object("customized_ttl", &["ttl"])? {
        Some(life) => {
            let ttl = life.one_of("ttl", &LIVES)?;
            ttl.ok_or_else(|| life.flaw("ttl", "is missing"))?
        }
        None => "ONE_DAY",
    };
    Ok((given.needed("media_id")?.to_owned(), life.to_owned()))
}

fn spotlight(sent: &Value) -> Result<(String, String), Flaw> {
    let given = Given::of(sent, &["media_id", "locale", "description", "skip_save_to_profile"])?;
    given.flag("skip_save_to_profile")?;
    let locale = given.needed("locale")?.as_bytes();
    let fits = match locale {
        [language @ .., b'_', first, second] => {
            (2..=3).contains(&language.len())
                && language.iter().all(u8::is_ascii_lowercase)
                && first.is_ascii_uppercase()
                && second.is_ascii_uppercase()
        }
        _ => false,
    };
    if !fits {
        return Err(given.flaw("locale", "must look like en_US"));
    }
    let text = given.short("description", DESCRIPTION_CHARS_MAX, characters)?;
    Ok((given.needed("media_id")?.to_owned(), text))
}
