//! Lists in pieces: a limit, and an opaque cursor for the next piece.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::problem::Code,
    engine::facade::{Listing, Page},
};

use super::refused::Refused;

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 200;

/// Which piece of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageAsked {
    /// How many items at most: 1 to 200; 50 unless said otherwise.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub(crate) limit: Option<usize>,
    /// The `next` of the piece before.
    pub(crate) cursor: Option<String>,
}

impl PageAsked {
    pub(crate) fn page(self) -> Result<Page, Refused> {
        page(self.limit, self.cursor)
    }
}

pub(crate) fn page(limit: Option<usize>, cursor: Option<String>) -> Result<Page, Refused> {
    Ok(Page { after: cursor, limit: checked(limit)? })
}

pub(crate) fn checked(limit: Option<usize>) -> Result<usize, Refused> {
    match limit.unwrap_or(LIMIT_DEFAULT) {
        limit @ 1..=LIMIT_MAX => Ok(limit),
        limit => {
            let sentence = format!("`limit` is {limit}; it may be 1 to {LIMIT_MAX}.");
            let remedy = "Ask for the rest with `cursor`.";
            Err(Refused::new(Code::Invalid, sentence, remedy).at("query.limit"))
        }
    }
}

/// A piece of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Piece<T> {
    pub(crate) items: Vec<T>,
    /// The cursor of the next piece; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

impl<T> Piece<T> {
    pub(crate) fn of<R>(listing: Listing<R>, view: impl Fn(R) -> T) -> Piece<T> {
        Piece { items: listing.items.into_iter().map(view).collect(), next: listing.next }
    }
}
