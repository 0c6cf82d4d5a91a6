//! Boards: api/v5/#tag/boards, read 2026-11-21.

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        door::Holder,
        given::{Flaw, Given, characters},
    },
};

use super::{Answer, Books, Call, Pinterest, Reply, body, invalid, page, refusal, signin::new_id};

const PRIVACIES: [&str; 3] = ["PUBLIC", "PROTECTED", "SECRET"];
/// "Board name must be at most 50 characters" in the product; the description has no number.
const NAME_CHARS_MAX: usize = 50;

pub(super) struct Board {
    pub(super) id: u64,
    pub(super) account: usize,
    name: String,
    description: String,
    privacy: String,
    created: Timestamp,
    pub(super) sections: Vec<(u64, &'static str)>,
}

impl Board {
    pub(super) fn is_secret(&self) -> bool {
        self.privacy == "SECRET"
    }
}

impl Pinterest {
    /// Nobody starts with nothing.
    pub(super) fn furnish(&mut self, account: usize, now: Timestamp, books: &mut Books) {
        if self.boards.iter().any(|board| board.account == account) {
            return;
        }
        for (name, privacy) in [("Inspiration", "PUBLIC"), ("Surprises", "SECRET")] {
            let sections = match privacy {
                "PUBLIC" => vec![(new_id(&mut books.chance, now), "Kitchens")],
                _ => Vec::new(),
            };
            self.boards.push(Board {
                id: new_id(&mut books.chance, now),
                account,
                name: name.to_owned(),
                description: String::new(),
                privacy: privacy.to_owned(),
                created: now,
                sections,
            });
        }
    }

    fn shown(&self, board: &Board) -> Value {
        let pins = self.pins.iter().filter(|pin| pin.board == board.id).count();
        json!({
            "id": board.id.to_string(), "name": board.name, "description": board.description,
            "privacy": board.privacy, "created_at": board.created.rfc3339(), "pin_count": pins,
            "owner": { "username": self.door.handle(board.account) }, "is_ads_only": false,
            "follower_count": 0, "collaborator_count": 0,
        })
    }

    pub(super) fn list_boards(&self, call: &Call, holder: Holder) -> Reply {
        let wanted = call.query("privacy").unwrap_or("ALL");
        if wanted != "ALL" && !PRIVACIES.contains(&wanted) {
            return Err(invalid(&Flaw::new("privacy", "is not valid")));
        }
        let own = self.boards.iter().filter(|board| {
            let allowed = !board.is_secret() || self.door.may(holder.grant, "boards:read_secret");
            let asked = wanted == "ALL" || wanted == board.privacy;
            board.account == holder.account && allowed && asked
        });
        page(call, own.map(|board| self.shown(board)).collect())
    }

    /// An own board that these scopes may see.
    pub(super) fn board(&self, holder: Holder, id: &str) -> Result<u64, Answer> {
        let mut boards = self.boards.iter();
        let found = boards.find(|it| it.id.to_string() == id && it.account == holder.account);
        let found = found.ok_or_else(|| refusal(404, 40, "Board not found."))?;
        match found.is_secret() && !self.door.may(holder.grant, "boards:read_secret") {
            true => Err(refusal(404, 40, "Board not found.")),
            false => Ok(found.id),
        }
    }

    pub(super) fn section(&self, board: u64, id: &str) -> Result<(), Answer> {
        let boards = self.boards.iter().filter(|it| it.id == board);
        let mut sections = boards.flat_map(|board| &board.sections);
        match sections.any(|(section, _)| section.to_string() == id) {
            true => Ok(()),
            false => Err(refusal(404, 2_031, "Board section not found.")),
        }
    }

    pub(super) fn sections(&self, holder: Holder, id: &str) -> Reply {
        let id = self.board(holder, id)?;
        let boards = self.boards.iter().filter(|board| board.id == id);
        let items: Vec<Value> = boards
            .flat_map(|board| &board.sections)
            .map(|(id, name)| json!({ "id": id.to_string(), "name": name }))
            .collect();
        Ok(Answer::json(200, &json!({ "items": items, "bookmark": null })))
    }

    pub(super) fn make_board(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let sent = body(call)?;
        let read = || {
            let given = Given::of(&sent, &["name", "description", "privacy"])?;
            given.needed("name")?;
            let name = given.short("name", NAME_CHARS_MAX, characters)?;
            let description = given.text("description")?.unwrap_or_default();
            Ok((name, description, given.one_of("privacy", &PRIVACIES)?.unwrap_or("PUBLIC")))
        };
        let (name, description, privacy) = read().map_err(|flaw: Flaw| invalid(&flaw))?;
        let mut own = self.boards.iter().filter(|board| board.account == account);
        if own.any(|board| board.name.eq_ignore_ascii_case(&name)) {
            return Err(refusal(409, 58, "You already have a board with this name."));
        }
        let board = Board {
            id: new_id(&mut books.chance, call.now),
            account,
            name,
            description: description.to_owned(),
            privacy: privacy.to_owned(),
            created: call.now,
            sections: Vec::new(),
        };
        let shown = self.shown(&board);
        self.boards.push(board);
        Ok(Answer::json(201, &shown))
    }
}
