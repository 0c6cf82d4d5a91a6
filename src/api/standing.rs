//! Where a delivery stands, as a person is told: why, since when, until when, and what comes next.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{
    delivery::{Delivery, Hold, State as DeliveryState, Why},
    refusal::{Refusal, RefusalKind},
    time::Timestamp,
};

/// What a state means for a person.
pub(super) struct Standing {
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) why: Option<&'static str>,
    pub(super) reason: Option<String>,
    pub(super) refusal: Option<RefusalView>,
    pub(super) next: String,
}

impl Standing {
    fn saying(next: impl Into<String>) -> Standing {
        let next = next.into();
        Standing { since: None, until: None, why: None, reason: None, refusal: None, next }
    }

    pub(super) fn of(delivery: &Delivery, now: Timestamp) -> Standing {
        match &delivery.state {
            DeliveryState::Planned if delivery.due <= now => Standing::saying("Goes out next."),
            DeliveryState::Planned => Standing::saying(format!("Goes out at {}.", delivery.due)),
            DeliveryState::Staging => Standing::saying(format!(
                "Media is being prepared; it goes out at {}.",
                delivery.due
            )),
            DeliveryState::Ready => Standing::saying(format!(
                "Goes out as soon as its account's pace and pauses allow: GET \
                 /api/v1/accounts/{}/health says until when it rests.",
                delivery.account
            )),
            DeliveryState::Running => Standing::saying("Is being published."),
            DeliveryState::Waiting { until, why } => Standing::waiting(*until, why),
            DeliveryState::InDoubt { since, doubt } => Standing {
                since: Some(*since),
                reason: Some(doubt.evidence.clone()),
                ..Standing::saying(format!(
                    "Needs your decision: look at the account, then POST \
                     /api/v1/deliveries/{}/resolve with \"live\", \"not_live\" or \"abandon\".",
                    delivery.id
                ))
            },
            DeliveryState::Published { .. } if delivery.live.is_empty() => {
                Standing::saying("Nothing: it was published, and taken down since.")
            }
            DeliveryState::Published { .. } => Standing::saying("Done."),
            DeliveryState::Failed { at, refusal } if refusal.is_settled() => Standing {
                since: Some(*at),
                reason: Some(refusal.words.clone()),
                refusal: Some(RefusalView::from(refusal)),
                ..Standing::saying(
                    "Nothing: a person has settled it. Plan what is still to be said as a new post.",
                )
            },
            DeliveryState::Failed { at, refusal } => Standing {
                since: Some(*at),
                reason: Some(sentence(refusal)),
                refusal: Some(RefusalView::from(refusal)),
                ..Standing::saying("Nothing more, unless you retry it.")
            },
            DeliveryState::Held { since, why } => Standing::held(*since, *why),
            DeliveryState::Cancelled { at } => {
                Standing { since: Some(*at), ..Standing::saying("Nothing: it was cancelled.") }
            }
        }
    }

    fn waiting(until: Timestamp, why: &Why) -> Standing {
        let (name, reason, refusal) = match why {
            Why::Processing | Why::Between => {
                ("processing", "The platform is still processing its media.", None)
            }
            Why::Limit => ("limit", "A limit of the platform, or our own pace, is reached.", None),
            Why::Backoff { refusal } => {
                ("backoff", "The last attempt failed in a way that may pass.", Some(refusal))
            }
            Why::Probe { .. } => {
                ("probe", "A request was not answered; Fanfare looks whether it took effect.", None)
            }
        };
        Standing {
            until: Some(until),
            why: Some(name),
            reason: Some(reason.to_owned()),
            refusal: refusal.map(RefusalView::from),
            ..Standing::saying(match why {
                Why::Backoff { .. } => format!("Will be tried again at {until}."),
                Why::Processing | Why::Between | Why::Limit | Why::Probe { .. } => {
                    format!("Goes on at {until}.")
                }
            })
        }
    }

    fn held(since: Timestamp, why: Hold) -> Standing {
        let (reason, next) = match why {
            Hold::Reconnection => (
                "Its account has to be connected again.",
                "Goes out once its account is connected again.",
            ),
            Hold::Missed => (
                "Its time passed by more than the organization's grace.",
                "Needs your decision: retry it to send it now, or cancel it.",
            ),
            Hold::Crashes => (
                "The process died each time that it was being published.",
                "Needs your decision: look at the log and the account, then retry or cancel it.",
            ),
            Hold::Disconnected => (
                "Its account was disconnected.",
                "Needs your decision: cancel it, and plan it for another account.",
            ),
            Hold::Unreadable => (
                "Its progress was stored by another version and cannot be read.",
                "Needs your decision: look at the account, then retry or cancel it.",
            ),
        };
        Standing {
            since: Some(since),
            why: Some(why.name()),
            reason: Some(reason.to_owned()),
            ..Standing::saying(next)
        }
    }
}

impl From<&Refusal> for RefusalView {
    fn from(refusal: &Refusal) -> RefusalView {
        RefusalView {
            kind: refusal.kind.name(),
            code: refusal.code.clone(),
            sentence: sentence(refusal),
            platform_words: refusal.words.clone(),
        }
    }
}

fn sentence(refusal: &Refusal) -> String {
    match refusal.kind {
        RefusalKind::Unavailable => {
            "The platform could not be reached, or did not work.".to_owned()
        }
        RefusalKind::Throttled { until: Some(until), .. } => {
            format!("The platform takes no more calls before {until}.")
        }
        RefusalKind::Throttled { until: None, .. } => {
            "The platform takes no more calls for now.".to_owned()
        }
        RefusalKind::Unauthorized => "The platform did not accept the access token.".to_owned(),
        RefusalKind::Revoked => "The platform has withdrawn our access.".to_owned(),
        RefusalKind::Rejected => "The platform does not accept this post as it is.".to_owned(),
        RefusalKind::Duplicate => "The platform says that it already has this post.".to_owned(),
        RefusalKind::Media => "The platform lost or did not understand a file.".to_owned(),
        RefusalKind::Unreadable => "The platform's answer was not what it documents.".to_owned(),
    }
}

/// Why the platform said no.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refusal)]
pub(crate) struct RefusalView {
    /// `unavailable`, `throttled`, `unauthorized`, `revoked`, `rejected`, `duplicate`, `media` or
    /// `unreadable`.
    #[schema(value_type = String, example = "rejected")]
    kind: &'static str,
    /// The platform's own code, where it has one.
    #[serde(skip_serializing_if = "String::is_empty")]
    code: String,
    /// What it means here.
    sentence: String,
    /// The platform's own words, with secrets taken out.
    #[serde(skip_serializing_if = "String::is_empty")]
    platform_words: String,
}
