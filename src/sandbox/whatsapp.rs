//! WhatsApp's Cloud API: messages of a business, each to one recipient.
//!
//! Cloud API v26.0 as of 2026-11-21, and facebook/openapi, business-messaging-api v23.0, of
//! 2025-11-21. Unconfirmed: the HTTP status of each refusal, on which nobody should decide; the
//! subcodes of 190 here; how large a burst to one recipient may be.
//!
//! A token is any that begins as Meta's do, and belongs to the number that it is first used for.
//! A recipient ending in `0000` is not on WhatsApp, one ending in `0024` has not written for a day,
//! and of one ending in `0011` a template is held back.
//!
//! Invariant: a message that was accepted is one entry of the ledger; what is refused is none.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use serde_json::{Value, json};

use crate::domain::time::Timestamp;

use super::{
    faults::Operation,
    given::Flaw,
    grants::{Grants, Worth},
    kept::Kept,
    meter::{Meter, Room, Rule},
    people::People,
    shelf,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

mod message;
#[cfg(test)]
mod tests;

type Reply = Result<Answer, Answer>;

const VERSIONS: [&str; 6] = ["v21.0", "v22.0", "v23.0", "v24.0", "v25.0", "v26.0"];
const PRODUCT: &str = "whatsapp";
const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);
const MEDIA_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// 80 messages a second of a number, as of 2026-11-21.
const THROUGHPUT: Rule = Rule::new("messages", 80, 1);
/// One message in six seconds to one recipient; the burst of 45 is unconfirmed.
const PAIR: Rule = Rule::new("pair", 45, 45 * 6);

const FIELDS: [&str; 8] = [
    "id",
    "display_phone_number",
    "verified_name",
    "quality_rating",
    "code_verification_status",
    "name_status",
    "throughput",
    "whatsapp_business_manager_messaging_limit",
];
const USUAL_FIELDS: &str =
    "verified_name,code_verification_status,display_phone_number,quality_rating";

/// What a media type is sent as, and how many bytes it may have, as of 2026-11-21.
const TYPES: [(&str, &str, usize); 11] = [
    ("image/jpeg", "image", 5 << 20),
    ("image/png", "image", 5 << 20),
    ("video/mp4", "video", 16 << 20),
    ("video/3gpp", "video", 16 << 20),
    ("text/plain", "document", 100 << 20),
    ("application/pdf", "document", 100 << 20),
    ("application/msword", "document", 100 << 20),
    ("application/vnd.ms-excel", "document", 100 << 20),
    ("application/vnd.ms-powerpoint", "document", 100 << 20),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "document",
        100 << 20,
    ),
    (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "document",
        100 << 20,
    ),
];

pub(crate) struct Whatsapp {
    people: People,
    grants: Grants,
    media: HashMap<String, Media>,
    /// Recipients by number, for the limit of each pair.
    pairs: BTreeMap<(usize, String), usize>,
    meter: Meter,
    /// When each of those ending in `0024` wrote last.
    writers: HashMap<String, Timestamp>,
}

struct Media {
    account: usize,
    until: Timestamp,
    kind: &'static str,
    kept: Kept,
}

impl Whatsapp {
    pub(crate) fn new(meter: Meter) -> Whatsapp {
        Whatsapp {
            people: People::default(),
            grants: Grants::default(),
            media: HashMap::new(),
            pairs: BTreeMap::new(),
            meter,
            writers: HashMap::new(),
        }
    }

    /// A recipient writes, and may be answered freely for a day.
    pub(crate) fn wrote(&mut self, number: &str, now: Timestamp) {
        self.writers.insert(number.to_owned(), now);
    }

    fn route(&mut self, call: &Call, books: &mut Books) -> Reply {
        let (method, segments) = call.route();
        let [version, phone, rest @ ..] = segments.as_slice() else {
            return Err(unknown_path(call));
        };
        if !VERSIONS.contains(version) {
            return Err(unknown_path(call));
        }
        let account = self.holder(call, method, phone)?;
        match (method, rest) {
            ("GET", []) => self.number(call, account),
            ("POST", ["media"]) => self.upload(call, account, books),
            ("POST", ["messages"]) => self.send(call, account, books),
            _ => Err(unknown_path(call)),
        }
    }

    /// The number, if the token is one that may speak for it.
    fn holder(&mut self, call: &Call, method: &str, phone: &str) -> Result<usize, Answer> {
        let token = token(call).ok_or_else(|| {
            refusal(401, 0, "An access token is required to request this resource.", "")
        })?;
        let is_id = phone.len() >= 8 && phone.bytes().all(|byte| byte.is_ascii_digit());
        if !is_id {
            return Err(missing(method, phone));
        }
        match self.grants.judge(token, call.now) {
            Worth::Live { account: Some(account), .. } => {
                match self.people.get(account).id == phone {
                    true => Ok(account),
                    false => Err(missing(method, phone)),
                }
            }
            Worth::Unknown if token.starts_with("EAA") && token.len() > 20 => {
                let account = self.people.welcome(phone, call.now, || phone.to_owned());
                let grant = self.grants.open(Some(account), "system user", Vec::new());
                self.grants.issue_access(grant, token, None);
                Ok(account)
            }
            Worth::Unknown | Worth::Live { account: None, .. } => {
                Err(refusal(401, 190, "Invalid OAuth access token - Cannot parse access token", ""))
            }
            Worth::Expired => Err(ended(463, "Session has expired")),
            Worth::Revoked => Err(ended(458, "The user has not authorized application")),
        }
    }

    fn number(&self, call: &Call, account: usize) -> Reply {
        let phone = &self.people.get(account).id;
        let all = json!({
            "id": phone, "display_phone_number": display(phone), "verified_name": "Harbour Bakery",
            "quality_rating": "GREEN", "code_verification_status": "VERIFIED",
            "name_status": "APPROVED", "throughput": { "level": "STANDARD" },
            "whatsapp_business_manager_messaging_limit": "TIER_250",
        });
        let mut found = json!({ "id": phone });
        for field in call.query("fields").unwrap_or(USUAL_FIELDS).split(',') {
            if !FIELDS.contains(&field) {
                let words = format!(
                    "(#100) Tried accessing nonexisting field ({field}) on node type \
                     (WhatsAppBusinessPhoneNumber)"
                );
                return Err(refusal(400, 100, &words, ""));
            }
            found[field] = all[field].clone();
        }
        Ok(Answer::json(200, &found))
    }

    fn upload(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let known = ["messaging_product", "type", "file"];
        let unknown = call.fields.iter().find(|field| !known.contains(&field.name.as_str()));
        if let Some(unknown) = unknown {
            return Err(parameter(&format!("Unexpected key \"{}\" on param", unknown.name)));
        }
        let form = call.parameters();
        if form["messaging_product"] != PRODUCT {
            return Err(parameter("The parameter messaging_product is required."));
        }
        let file = call.file("file").filter(|file| file.file_name.is_some());
        let file = file.ok_or_else(|| parameter("The parameter file is required."))?;
        let told = form["type"].as_str().unwrap_or_default();
        let taken = TYPES.iter().find(|(mime, _, _)| *mime == told);
        let Some((mime, kind, most)) = taken else {
            return Err(parameter(&format!("Param file must be a file of a known type: {told}")));
        };
        let found = shelf::sniff(&file.bytes);
        // A text says nothing of itself, and the old documents of offices share their first bytes.
        let is_as_told = match *mime {
            "text/plain" => std::str::from_utf8(&file.bytes).is_ok(),
            mime if mime.starts_with("application/") && mime != "application/pdf" => {
                found.starts_with("application/")
            }
            mime => found == mime,
        };
        if !is_as_told {
            let details = format!("The file is {found} and not {mime}");
            return Err(refusal(400, 131_053, "(#131053) Media upload error", &details));
        }
        if file.bytes.is_empty() || file.bytes.len() > *most {
            let details = format!("The file has {} bytes of {most}", file.bytes.len());
            return Err(refusal(400, 131_053, "(#131053) Media upload error", &details));
        }
        let kept = Kept::keep(books, vec![file.bytes.clone()]);
        let kept = kept.map_err(|_| refusal(500, 131_000, "the sandbox is full", ""))?;
        let id = books.chance.snowflake(call.now, 1_600_000_000_000, 12).to_string();
        let until = call.now.after(MEDIA_LIFE);
        self.media.insert(id.clone(), Media { account, until, kind, kept });
        Ok(Answer::json(200, &json!({ "id": id })))
    }

    /// Takes from what the number may send, and from what this recipient may be sent.
    fn meter(&mut self, account: usize, to: &str, now: Timestamp) -> Result<(), Answer> {
        let count = self.pairs.len();
        let pair = *self.pairs.entry((account, to.to_owned())).or_insert(count);
        if self.meter.spend(account, &THROUGHPUT, 1, now).room == Room::Exceeded {
            return Err(too_many());
        }
        match self.meter.spend(pair, &PAIR, 1, now).room {
            Room::Left => Ok(()),
            Room::Exceeded => Err(refusal(
                400,
                131_056,
                "(#131056) (Business Account, Consumer Account) pair rate limit hit",
                "Too many messages were sent to this recipient in a short time.",
            )),
        }
    }
}

impl Simulation for Whatsapp {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            ("POST", [.., "messages"]) => Some(Operation::Publish),
            ("POST", _) => Some(Operation::Upload),
            _ => Some(Operation::Read),
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        call.segments.get(1).cloned()
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        match self.route(call, books) {
            Ok(answer) | Err(answer) => answer,
        }
    }

    fn refused(&self, _operation: Operation, status: Option<u16>) -> Answer {
        match status {
            None | Some(400) => parameter("Refused by the sandbox"),
            Some(401) => ended(463, "Session has expired"),
            Some(403) => refusal(403, 131_005, "(#131005) Access denied", ""),
            Some(404) => missing("POST", "of the sandbox"),
            Some(429) => too_many(),
            Some(status) => refusal(status, 131_000, "(#131000) Something went wrong", ""),
        }
    }

    /// There is no `Retry-After`.
    fn throttled(&self, _call: &Call, _retry_after: Option<Duration>) -> Answer {
        too_many()
    }

    fn expire(&mut self, call: &Call) {
        if let Some(token) = token(call) {
            self.grants.expire(token, call.now);
        }
    }

    fn revoke(&mut self, call: &Call) {
        if let Some(grant) = token(call).and_then(|token| self.grants.behind(token)) {
            self.grants.revoke(grant);
        }
    }
}

fn token(call: &Call) -> Option<&str> {
    call.bearer().or_else(|| call.query("access_token")).filter(|token| !token.is_empty())
}

/// A made-up number, different for each id.
fn display(phone: &str) -> String {
    let last = &phone[phone.len().saturating_sub(7)..];
    format!("+1 555-{last}")
}

fn refusal(status: u16, code: u32, message: &str, details: &str) -> Answer {
    let mut error = json!({ "message": message, "type": "OAuthException", "code": code,
        "fbtrace_id": "AbCdEfGhIjKlMnOpQrStUvW" });
    if !details.is_empty() {
        error["error_data"] = json!({ "messaging_product": PRODUCT, "details": details });
    }
    Answer::json(status, &json!({ "error": error }))
}

fn ended(subcode: u32, words: &str) -> Answer {
    let message = format!("Error validating access token: {words}");
    let error = json!({ "message": message, "type": "OAuthException", "code": 190,
        "error_subcode": subcode, "fbtrace_id": "AbCdEfGhIjKlMnOpQrStUvW" });
    Answer::json(401, &json!({ "error": error }))
}

fn parameter(words: &str) -> Answer {
    refusal(400, 100, &format!("(#100) {words}"), words)
}

fn invalid(flaw: &Flaw) -> Answer {
    parameter(&flaw.sentence())
}

fn missing(method: &str, id: &str) -> Answer {
    let message = format!(
        "Unsupported {} request. Object with ID '{id}' does not exist, cannot be loaded due to \
         missing permissions, or does not support this operation",
        method.to_ascii_lowercase()
    );
    let error = json!({ "message": message, "type": "GraphMethodException", "code": 100,
        "error_subcode": 33, "fbtrace_id": "AbCdEfGhIjKlMnOpQrStUvW" });
    Answer::json(400, &json!({ "error": error }))
}

fn unknown_path(call: &Call) -> Answer {
    let path = call.segments.join("/");
    refusal(400, 2_500, &format!("Unknown path components: /{path}"), "")
}

fn too_many() -> Answer {
    let details = "Message failed to send because there were too many messages sent from this \
                   phone number in a short period of time";
    refusal(400, 130_429, "(#130429) Rate limit hit", details)
}

fn body(call: &Call) -> Result<Value, Answer> {
    let declared = call.content_type().starts_with("application/json");
    let body = call.json().filter(|_| declared);
    body.ok_or_else(|| parameter("The body must be JSON"))
}
