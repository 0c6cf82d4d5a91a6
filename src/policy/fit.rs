//! Decides whether a post fits a platform: the one validation for API, pages, command line and dry
//! run.

use std::collections::BTreeMap;

use crate::domain::{
    account::LimitOverrides,
    ids::MediaId,
    media::Media,
    platform::{Kind, Limits},
    post::Content,
    problem::Problem,
};

/// What one account would be given.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The platform's name as people write it.
    pub platform: &'a str,
    /// With the account's own: [`limits_of`].
    pub limits: Limits,
    pub kinds: &'a [Kind],
    pub content: &'a Content,
    /// Every file that the content names and that exists.
    pub media: &'a BTreeMap<MediaId, Media>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Empty: it fits.
    pub errors: Vec<Problem>,
    pub warnings: Vec<Problem>,
    /// One for each part, in order.
    pub measures: Vec<Measure>,
}

/// How much of its text limit a part uses, in the platform's own unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    pub part: usize,
    pub used: u32,
    pub max: u32,
}

/// The profile's limits with what the account's server says instead.
pub fn limits_of(profile_limits: Limits, overrides: &LimitOverrides) -> Limits {
    let _ = overrides;
    profile_limits
}

pub fn check(candidate: &Candidate) -> Findings {
    let _ = candidate;
    Findings::default()
}

/// `None`: the priority is one of 1 to 10.
pub fn check_priority(priority: u8) -> Option<Problem> {
    let _ = priority;
    None
}
