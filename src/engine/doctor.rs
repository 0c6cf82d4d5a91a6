//! Looks through everything that is stored for rows that contradict each other.

use std::collections::BTreeSet;

use crate::{
    domain::{
        delivery::{Delivery, State},
        post::Post,
        problem::Problem,
    },
    engine::{
        Answer, Engine,
        core::Halt,
        transitions::{self, TIMER_DELIVERY},
    },
    store::{Key, Order, Read, Span, Table, View},
};

impl Engine {
    /// One sentence for each contradiction; empty when all is well. It is a commit that changes
    /// nothing, so that it sees everything as of one moment; everybody else waits meanwhile.
    pub async fn contradictions(&self) -> Answer<Vec<String>> {
        self.core.commit("look through everything", |view| look(view)).await.map_err(Problem::from)
    }
}

fn look(view: &View) -> Result<Vec<String>, Halt> {
    let mut found = Vec::new();
    let mut wanted = BTreeSet::new();
    for organization in view.organizations(None, usize::MAX)? {
        for delivery in view.deliveries(organization.id, None, usize::MAX)? {
            let id = delivery.id;
            wanted.extend(transitions::index_rows(&delivery).into_iter().flatten());
            let post = view.post(organization.id, delivery.post)?;
            let account = view.account(organization.id, delivery.account)?;
            if account.is_none() {
                found.push(format!("{id} goes to an account that there is not"));
            }
            found.extend(in_itself(&delivery).map(|wrong| format!("{id} {wrong}: {delivery:?}")));
            found.extend(with_post(&delivery, post.as_ref()).map(|wrong| format!("{id} {wrong}")));
        }
    }
    for row in index(view)? {
        if !wanted.remove(&row) {
            found.push(format!("{row:?} points to a record that says otherwise"));
        }
    }
    found.extend(wanted.into_iter().map(|row| format!("{row:?} is missing")));
    Ok(found)
}

fn index(view: &View) -> Result<Vec<Key>, Halt> {
    let mut rows = Vec::new();
    for table in [Table::Timers, Table::Lanes, Table::Attention] {
        let found = view.scan(&Span::table(table), Order::Ascending, usize::MAX)?;
        rows.extend(found.into_iter().map(|(key, _)| key));
    }
    rows.retain(|row| !matches!(row, Key::Timer(timer) if timer.kind != TIMER_DELIVERY));
    Ok(rows)
}

/// What would leave it where it stands for ever, or let it out by an old decision.
fn in_itself(delivery: &Delivery) -> Option<&'static str> {
    let Delivery { state, timer, armed, .. } = delivery;
    let idle = timer.is_none();
    let unsent = armed.is_none();
    let (well, wrong) = match state {
        State::Planned => (!idle, "is planned and nothing will wake it"),
        State::Waiting { until, .. } => {
            (*timer == Some(*until), "waits for a time at which nothing will wake it")
        }
        State::Staging => (unsent, "is only prepared, and a request may be on its way"),
        State::Ready | State::Running | State::Held { .. } => (idle, "has a timer, for nothing"),
        State::InDoubt { .. } => (idle && !unsent, "is in doubt about nothing, or has a timer"),
        State::Published { .. } | State::Failed { .. } | State::Cancelled { .. } => {
            (idle && unsent, "is settled, and has a timer or a request on its way")
        }
    };
    (!well).then_some(wrong)
}

fn with_post(delivery: &Delivery, post: Option<&Post>) -> Option<&'static str> {
    let Some(post) = post else { return Some("belongs to a post that there is not") };
    let listed = post.deliveries.contains(&delivery.id);
    // An edit may have taken its account away.
    if listed || matches!(delivery.state, State::Cancelled { .. }) {
        None
    } else {
        Some("is not listed by its post, and not cancelled")
    }
}
