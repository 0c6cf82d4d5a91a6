//! Prints the API's description.

use crate::api;

use super::{Failure, output};

pub(super) fn run() -> Result<(), Failure> {
    output::json(&api::openapi())
}
