//! What is not a delivery: which number a token may send from. A message that was sent can neither
//! be changed nor taken back by a program.
//!
//! <https://developers.facebook.com/docs/whatsapp/business-management-api/manage-phone-numbers>, as
//! of 2026-10.

use serde::{Deserialize, Serialize};

use super::{GRAPH, refusal};
use crate::{
    connectors::{Outcome, Paste, Progress, Reply, Request, Site, Task, meta},
    domain::{
        account::Identity,
        problem::{Code, Problem},
        refusal::Refusal,
    },
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Number { id: String },
}

pub(super) fn paste(pasted: Paste) -> Result<Paste, Problem> {
    let id = &pasted.identifier;
    if id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(pasted);
    }
    let sentence = format!("`{id}` is not the id of a phone number, which has digits only.");
    let remedy = "Copy the phone number id from WhatsApp Manager; the number itself is another.";
    Err(Problem::new(Code::Invalid, sentence, remedy).at("identifier"))
}

pub(super) fn begin(task: &Task) -> Option<Errand> {
    match task {
        Task::SignIn { identifier } => Some(Errand::Number { id: identifier.clone() }),
        Task::Prepare { .. }
        | Task::Lengthen
        | Task::Identify
        | Task::Discover
        | Task::Refresh
        | Task::Revoke
        | Task::Remove { .. }
        | Task::Edit { .. } => None,
    }
}

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    let Errand::Number { id } = errand;
    number(id, site)
}

pub(super) fn number(id: &str, site: &Site) -> Request {
    const FIELDS: &str = "id,display_phone_number,verified_name";
    Request::get(site.url(GRAPH, &format!("/{{version}}/{id}?fields={FIELDS}")))
}

pub(super) fn accept(errand: Errand, reply: &Reply) -> Result<Progress<Errand>, Refusal> {
    let Errand::Number { id } = errand;
    if !meta::is_success(reply) {
        return Err(refusal::of_reply(reply));
    }
    // Other nodes have ids too; a number is what has one of these.
    let shown = reply.text("/display_phone_number")?;
    let digits: String = shown.chars().filter(char::is_ascii_digit).collect();
    let name = reply.body["verified_name"].as_str().unwrap_or_default();
    Ok(Progress::Done(Outcome::Admitted(Identity {
        remote_id: id,
        name: if name.is_empty() { shown.clone() } else { name.to_owned() },
        handle: shown,
        url: format!("https://wa.me/{digits}"),
        ..Identity::default()
    })))
}
