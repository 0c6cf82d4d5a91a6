//! Where the request came from that is being answered.
//!
//! It goes with the task and not through every verb, so that no event of an act can forget it: the
//! API says it once at its door, and whatever is committed from there on carries it.

use std::net::IpAddr;

tokio::task_local! {
    static ORIGIN: Option<IpAddr>;
}

/// Whatever `work` commits comes from there.
pub async fn coming_from<W: Future>(origin: Option<IpAddr>, work: W) -> W::Output {
    ORIGIN.scope(origin, work).await
}

/// `None` for what Fanfare does by itself, and for what comes by no network.
pub(super) fn current() -> Option<IpAddr> {
    ORIGIN.try_with(|origin| *origin).unwrap_or_default()
}
