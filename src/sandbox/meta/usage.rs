//! Rate limits, and the headers that tell how much of them is used.

use std::time::Duration;

use serde_json::json;

use crate::{
    domain::time::Timestamp,
    sandbox::meter::{Reading, Room, Rule},
};

use super::{
    Answer, Call, Door, Meta, Node,
    address::token_of,
    refusal::{Lasting, envelope},
    tokens::{Subject, Token},
};

/// "200 × users" an hour for user tokens; "4,800 × engaged users / 24 h" for pages, "4,800 ×
/// impressions / 24 h" for Instagram (rate limits, read 2026-11-21): here with one of each.
const USER: Rule = Rule::new("user", 200, 60 * 60);
const PAGES: Rule = Rule::new("pages", 4_800, 24 * 60 * 60);
const INSTAGRAM: Rule = Rule::new("instagram", 4_800, 24 * 60 * 60);

/// How much of whose limit is used, for the headers.
pub(super) struct Usage {
    /// As the header of business use cases calls it; user tokens have none.
    business: Option<(&'static str, String)>,
    reading: Reading,
}

impl Meta {
    /// Takes one call from the limit of whoever makes it.
    pub(super) fn spend(
        &mut self,
        call: &Call,
        token: &Token,
        node: Node,
        usage: &mut Option<Usage>,
    ) -> Result<(), Answer> {
        let (who, rule, business) = match (token.subject, self.holder(node)) {
            (Subject::Person(person), _) => (person, &USER, None),
            (_, Subject::Profile(profile)) => {
                let id = self.estate.profiles[profile].id_at(Door::of(call)).to_owned();
                (profile, &INSTAGRAM, Some(("instagram", id)))
            }
            (Subject::Page(page) | Subject::Profile(page), _) => {
                (page, &PAGES, Some(("pages", self.estate.pages[page].id.clone())))
            }
        };
        let reading = self.meter.spend(who, rule, 1, call.now);
        let limited = too_many(business.as_ref().map(|(kind, _)| *kind));
        *usage = Some(Usage { business, reading });
        match reading.room {
            Room::Left => Ok(()),
            Room::Exceeded => Err(limited),
        }
    }

    pub(super) fn throttled_for(&self, call: &Call, retry_after: Option<Duration>) -> Answer {
        let token = token_of(call).and_then(|token| self.tokens.get(&token));
        let holder = self.addressed(call).map(|node| self.holder(node));
        let business = match (token.map(|token| token.subject), holder) {
            (Some(Subject::Person(_)) | None, _) => None,
            (Some(Subject::Profile(profile)), _) | (_, Some(Subject::Profile(profile))) => {
                let id = self.estate.profiles[profile].id_at(Door::of(call));
                Some(("instagram", id.to_owned()))
            }
            (Some(Subject::Page(page)), _) => Some(("pages", self.estate.pages[page].id.clone())),
        };
        let window = retry_after.unwrap_or(USER.window);
        let reset = call.now.after(window);
        let reading = Reading { limit: 1, remaining: 0, reset, window, room: Room::Exceeded };
        let answer = too_many(business.as_ref().map(|(kind, _)| *kind));
        dressed(answer, &Usage { business, reading }, call.now)
    }
}

/// By business use case; without one, the limit of a user.
fn too_many(business: Option<&str>) -> Answer {
    let lasting = Lasting::Transient;
    match business {
        None => envelope(403, 4, None, "(#4) Application request limit reached", lasting),
        Some(kind) => {
            let code = if kind == "pages" { 80_001 } else { 80_002 };
            let message = format!("(#{code}) There have been too many calls to this account.");
            envelope(400, code, Some(2_446_079), &message, lasting)
        }
    }
}

/// Never with a Retry-After: Meta sends none, and says minutes.
pub(super) fn dressed(answer: Answer, usage: &Usage, now: Timestamp) -> Answer {
    let reading = usage.reading;
    let used = reading.limit.saturating_sub(reading.remaining) * 100 / reading.limit.max(1);
    let wait = match reading.room {
        Room::Left => 0,
        Room::Exceeded => reading.reset.remaining(now).as_secs().div_ceil(60),
    };
    let app = json!({ "call_count": used, "total_time": used / 2, "total_cputime": used / 2 });
    let answer = answer.with("x-app-usage", app.to_string());
    let Some((kind, id)) = &usage.business else {
        return answer;
    };
    let business = json!({ id: [{ "type": kind, "call_count": used, "total_cputime": used / 2,
        "total_time": used / 2, "estimated_time_to_regain_access": wait }] });
    answer.with("x-business-use-case-usage", business.to_string())
}
