//! Where a pin goes: a board, and perhaps a section of it, each by its id or its exact name.
//!
//! Names are looked up when the pin is published: a board may have been renamed since it was
//! planned.

use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::API;
use crate::{
    connectors::{Reply, Request, Site},
    domain::refusal::{Refusal, RefusalKind},
};

pub(super) const BOARD: &str = "board";
pub(super) const SECTION: &str = "board_section";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub(super) board: String,
    /// Empty: on the board itself.
    pub(super) section: String,
}

pub(super) enum Found {
    Here(String),
    /// Not on this page; the next is behind this bookmark.
    Further(String),
}

/// "Maximum: 250".
const PAGE: u32 = 250;

/// A person may have 2,000 boards (unconfirmed); more pages lead nowhere.
const PAGES_MAX: u32 = 20;

/// Ids of boards are as long as 549755885175; a shorter number is taken for a name, such as "2026".
const ID_DIGITS_MIN: usize = 10;

pub(super) fn is_id(text: &str) -> bool {
    let text = text.trim();
    text.len() >= ID_DIGITS_MIN && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn boards(bookmark: &str, site: &Site) -> Request {
    Request::get(site.url(API, &format!("/v5/boards?page_size={PAGE}{}", after(bookmark))))
}

pub(super) fn sections(board: &str, bookmark: &str, site: &Site) -> Request {
    let after = after(bookmark);
    Request::get(site.url(API, &format!("/v5/boards/{board}/sections?page_size={PAGE}{after}")))
}

fn after(bookmark: &str) -> String {
    if bookmark.is_empty() {
        return String::new();
    }
    let encoded: String = form_urlencoded::byte_serialize(bookmark.as_bytes()).collect();
    format!("&bookmark={encoded}")
}

/// The id of what has exactly this name. `kind`: what it is, for a person.
pub(super) fn named(name: &str, kind: &str, pages: u32, reply: &Reply) -> Result<Found, Refusal> {
    let name = name.trim();
    let items = reply.body["items"].as_array().ok_or_else(|| reply.unreadable("/items"))?;
    let found = items.iter().find(|item| item["name"].as_str().map(str::trim) == Some(name));
    if let Some(item) = found {
        let id = item["id"].as_str().ok_or_else(|| reply.unreadable("/items/0/id"))?;
        return Ok(Found::Here(id.to_owned()));
    }
    match bookmark(reply) {
        Some(bookmark) if pages < PAGES_MAX => Ok(Found::Further(bookmark)),
        Some(_) | None => {
            let words = format!("there is no {kind} `{name}`");
            Err(Refusal::new(RefusalKind::Rejected, format!("no_{kind}"), words))
        }
    }
}

/// "null: the end".
pub(super) fn bookmark(reply: &Reply) -> Option<String> {
    reply.body["bookmark"].as_str().filter(|bookmark| !bookmark.is_empty()).map(str::to_owned)
}
