//! Scripts for the lane, and its invariants over random ones.

use proptest::{collection::vec, prelude::*};

use super::*;

const A: DeliveryId = DeliveryId(1);
const B: DeliveryId = DeliveryId(2);
const READ_BOTH: [Action; 2] = [Action::ReadHead, Action::ReadStageable];

/// Feeds `(now, event)` pairs to a fresh lane that has read nothing yet, and returns the actions.
fn actions(script: &[(u64, Event)]) -> Vec<Vec<Action>> {
    let mut lane = Lane::default();
    script.iter().map(|&(now, event)| lane.decide(event, Timestamp(now))).collect()
}

/// The actions of the last event of a script.
fn last(script: &[(u64, Event)]) -> Vec<Action> {
    actions(script).pop().unwrap()
}

fn ended(delivery: DeliveryId, end: End) -> Event {
    Event::Ended { delivery, end }
}

fn refreshed(outcome: RefreshOutcome) -> Event {
    Event::RefreshEnded { outcome }
}

/// A is being published, and nothing is near enough to be staged.
const PUBLISHING_A: [(u64, Event); 3] =
    [(0, Event::Woke), (0, Event::Head(Some(A))), (0, Event::Stageable(None))];

/// A is being staged, and nothing is ready.
const STAGING_A: [(u64, Event); 3] =
    [(0, Event::Woke), (0, Event::Head(None)), (0, Event::Stageable(Some(A)))];

fn after(start: &[(u64, Event)], then: &[(u64, Event)]) -> Vec<Vec<Action>> {
    actions(&[start, then].concat()).split_off(start.len())
}

#[test]
fn second_delivery_waits_for_the_first() {
    let script = [(1, Event::Woke), (2, ended(A, End::Settled)), (2, Event::Head(Some(B)))];
    let reading = vec![Action::ReadStageable];
    assert_eq!(
        after(&PUBLISHING_A, &script),
        [reading, vec![Action::ReadHead], vec![Action::Publish(B)]]
    );
}

#[test]
fn lane_publishes_and_stages_side_by_side() {
    let script = [(0, Event::Woke), (0, Event::Head(Some(A))), (0, Event::Stageable(Some(B)))];
    let expected = [READ_BOTH.to_vec(), vec![Action::Publish(A)], vec![Action::Stage(B)]];
    assert_eq!(actions(&script), expected);
}

#[test]
fn answer_that_nobody_asked_for_is_ignored() {
    assert_eq!(last(&[(0, Event::Head(Some(A)))]), READ_BOTH);
    assert_eq!(after(&PUBLISHING_A, &[(1, Event::Head(Some(B)))]), [vec![]]);
}

#[test]
fn wake_up_between_question_and_answer_asks_again() {
    let script = [(0, Event::Woke), (0, Event::Woke), (0, Event::Head(None))];
    assert_eq!(actions(&script), [READ_BOTH.to_vec(), vec![], vec![Action::ReadHead]]);
}

#[test]
fn resting_lane_begins_nothing_until_its_rest_is_over() {
    let until = Timestamp(60);
    let script = [
        (10, ended(A, End::Rest { until })),
        (20, Event::Head(Some(B))),
        (59, Event::Woke),
        (60, Event::Woke),
    ];
    let wake = vec![Action::WakeAt(until)];
    assert_eq!(after(&PUBLISHING_A, &script), [wake.clone(), vec![], wake, READ_BOTH.to_vec()]);
}

#[test]
fn rest_is_never_shortened() {
    let script = [
        (0, Event::Woke),
        (0, Event::Head(Some(A))),
        (0, Event::Stageable(Some(B))),
        (1, ended(A, End::Rest { until: Timestamp(90) })),
        (2, ended(B, End::Rest { until: Timestamp(30) })),
    ];
    assert_eq!(last(&script), [Action::WakeAt(Timestamp(90))]);
}

#[test]
fn only_reconnection_lets_a_revoked_lane_go_on_and_one_request_for_it_is_enough() {
    let script = [
        (1, ended(A, End::NeedsReconnection)),
        (2, Event::Woke),
        (3, Event::Resumed),
        (4, Event::Reconnected),
    ];
    let asked = vec![Action::AskToReconnect];
    assert_eq!(after(&PUBLISHING_A, &script), [asked, vec![], vec![], READ_BOTH.to_vec()]);
    let told = [(1, Event::Revoked), (2, ended(A, End::NeedsReconnection))];
    assert_eq!(after(&PUBLISHING_A, &told), [[]; 2]);
}

#[test]
fn two_deliveries_that_need_a_refresh_cause_one() {
    let script = [
        (0, Event::Woke),
        (0, Event::Head(Some(A))),
        (0, Event::Stageable(Some(B))),
        (1, ended(A, End::NeedsRefresh)),
        (2, ended(B, End::NeedsRefresh)),
        (3, refreshed(RefreshOutcome::Fresh)),
    ];
    let expected = [vec![Action::Refresh], vec![], READ_BOTH.to_vec()];
    assert_eq!(actions(&script).split_off(3), expected);
}

#[test]
fn unreachable_token_endpoint_is_a_rest_and_no_revocation() {
    let again_at = Timestamp(70);
    let script = [
        (1, ended(A, End::NeedsRefresh)),
        (2, refreshed(RefreshOutcome::Unreachable { again_at })),
        (70, Event::Woke),
    ];
    let expected = [vec![Action::Refresh], vec![Action::WakeAt(again_at)], READ_BOTH.to_vec()];
    assert_eq!(after(&PUBLISHING_A, &script), expected);
}

#[test]
fn refusal_of_an_old_refresh_token_does_not_revoke_the_new_one() {
    let script = [
        (1, ended(A, End::NeedsRefresh)),
        (2, Event::Reconnected),
        (3, refreshed(RefreshOutcome::Revoked)),
    ];
    assert_eq!(after(&PUBLISHING_A, &script), [vec![Action::Refresh], vec![], READ_BOTH.to_vec()]);
}

#[test]
fn delivery_that_comes_due_while_staging_holds_the_lane() {
    let script = [(5, Event::Due(A)), (6, Event::Woke), (7, ended(A, End::Settled))];
    let actions = after(&STAGING_A, &script);
    // Nothing is read for the publishing slot before A has parked.
    assert_eq!(actions[..2], [vec![Action::ReadStageable], vec![]]);
    assert_eq!(actions[2], [Action::ReadHead]);
}

#[test]
fn delivery_that_comes_due_behind_another_does_not_overtake_it() {
    let script = [(5, Event::Woke), (6, Event::Due(A)), (7, Event::Head(Some(B)))];
    assert_eq!(
        after(&STAGING_A, &script),
        [vec![Action::ReadHead], vec![], vec![Action::Publish(B)]]
    );
}

#[test]
fn head_that_is_being_staged_takes_the_publishing_slot_as_it_is() {
    let mut lane = Lane::default();
    for (now, event) in [&STAGING_A[..], &[(5, Event::Woke), (6, Event::Head(Some(A)))]].concat() {
        lane.decide(event, Timestamp(now));
    }
    assert_eq!((lane.inspect().publishing, lane.inspect().staging), (Some(A), None));
}

#[test]
fn crash_rests_the_lane_for_a_moment() {
    let expected = [vec![Action::WakeAt(Timestamp(5_001))], READ_BOTH.to_vec()];
    let script = [(1, ended(A, End::Crashed)), (5_001, Event::Woke)];
    assert_eq!(after(&PUBLISHING_A, &script), expected);
}

#[test]
fn stale_ending_is_ignored() {
    let script = [(1, ended(B, End::NeedsReconnection)), (2, Event::Due(B))];
    assert_eq!(after(&PUBLISHING_A, &script), [[]; 2]);
}

fn delivery() -> impl Strategy<Value = DeliveryId> {
    (1..5_u128).prop_map(DeliveryId)
}

fn event() -> impl Strategy<Value = Event> {
    let until = || (0..3_000_u64).prop_map(Timestamp);
    let end = prop_oneof![
        4 => Just(End::Settled),
        1 => until().prop_map(|until| End::Rest { until }),
        1 => Just(End::NeedsRefresh),
        1 => Just(End::NeedsReconnection),
        1 => Just(End::Crashed),
    ];
    let outcome = prop_oneof![
        Just(RefreshOutcome::Fresh),
        Just(RefreshOutcome::Revoked),
        until().prop_map(|again_at| RefreshOutcome::Unreachable { again_at }),
    ];
    let found = || proptest::option::weighted(0.8, delivery());
    prop_oneof![
        3 => Just(Event::Woke),
        6 => found().prop_map(Event::Head),
        6 => found().prop_map(Event::Stageable),
        8 => (delivery(), end).prop_map(|(delivery, end)| Event::Ended { delivery, end }),
        2 => delivery().prop_map(Event::Due),
        1 => Just(Event::Paused),
        1 => Just(Event::Resumed),
        1 => Just(Event::Revoked),
        1 => Just(Event::Reconnected),
        1 => Just(Event::RefreshStarted),
        2 => outcome.prop_map(|outcome| Event::RefreshEnded { outcome }),
    ]
}

fn script() -> impl Strategy<Value = Vec<(u64, Event)>> {
    vec((0..100_u64, event()), 0..120).prop_map(|steps| {
        let mut now = 0;
        steps
            .into_iter()
            .map(|(wait, event)| {
                now += wait;
                (now, event)
            })
            .collect()
    })
}

fn begun(action: &Action) -> Option<DeliveryId> {
    match action {
        Action::Publish(delivery) | Action::Stage(delivery) => Some(*delivery),
        Action::ReadHead
        | Action::ReadStageable
        | Action::WakeAt(_)
        | Action::Refresh
        | Action::AskToReconnect => None,
    }
}

proptest! {
    #[test]
    fn one_is_published_and_one_staged_at_most_and_never_the_same(script in script()) {
        let mut lane = Lane::default();
        let mut running: Vec<DeliveryId> = Vec::new();
        for (now, event) in script {
            let before = lane.inspect();
            if let Event::Ended { delivery, .. } = event {
                running.retain(|&other| other != delivery);
            }
            for action in lane.decide(event, Timestamp(now)) {
                if matches!(action, Action::Publish(_)) {
                    prop_assert!(before.publishing.is_none());
                }
                if matches!(action, Action::Stage(_)) {
                    prop_assert!(before.staging.is_none());
                }
                running.extend(begun(&action));
            }
            let Stage { publishing, staging, .. } = lane.inspect();
            prop_assert!(publishing.is_none() || publishing != staging);
            let slots = [publishing, staging];
            let mut slots: Vec<DeliveryId> = slots.into_iter().flatten().collect();
            slots.sort();
            running.sort();
            prop_assert_eq!(&slots, &running);
        }
    }

    #[test]
    fn nothing_begins_while_something_stands_in_the_way(script in script()) {
        let mut lane = Lane::default();
        for (now, event) in script {
            let actions = lane.decide(event, Timestamp(now));
            let stage = lane.inspect();
            let in_the_way = stage.flow == Flow::Paused
                || stage.access == Access::Revoked
                || stage.refresh != Refresh::Idle
                || stage.resting_until.is_some();
            let begins = actions.iter().any(|action| {
                begun(action).is_some()
                    || matches!(action, Action::ReadHead | Action::ReadStageable)
            });
            prop_assert!(!(in_the_way && begins), "{stage:?} {actions:?}");
        }
    }

    #[test]
    fn delivery_in_no_slot_changes_nothing(script in script(), stray in delivery()) {
        let mut lane = Lane::default();
        for (now, event) in script {
            let now = Timestamp(now);
            lane.decide(event, now);
            let before = lane.inspect();
            if ![before.publishing, before.staging].contains(&Some(stray)) {
                for event in [ended(stray, End::NeedsRefresh), Event::Due(stray)] {
                    prop_assert_eq!(lane.decide(event, now), []);
                    prop_assert_eq!(lane.inspect(), before);
                }
            }
        }
    }

    #[test]
    fn one_refresh_is_in_flight_at_most(script in script()) {
        let mut lane = Lane::default();
        let mut in_flight = 0;
        for (now, event) in script {
            if event == Event::RefreshStarted {
                in_flight = 1;
            }
            if matches!(event, Event::RefreshEnded { .. }) {
                in_flight = 0;
            }
            let actions = lane.decide(event, Timestamp(now));
            in_flight += actions.iter().filter(|action| **action == Action::Refresh).count();
            prop_assert!(in_flight <= 1);
        }
    }

    #[test]
    fn no_wake_up_is_lost(script in script()) {
        let mut lane = Lane::default();
        let mut now = Timestamp(0);
        for (at, event) in script {
            now = Timestamp(at);
            lane.decide(event, now);
        }
        let late = now.after(Duration::from_secs(3_600));
        let fresh = refreshed(RefreshOutcome::Fresh);
        for event in [Event::Resumed, Event::Reconnected, fresh] {
            lane.decide(event, now);
        }
        for delivery in [lane.inspect().publishing, lane.inspect().staging].into_iter().flatten() {
            lane.decide(ended(delivery, End::Settled), now);
        }
        // Every question is answered, here by a store in which nothing was ready yet.
        for _ in 0..2 {
            lane.decide(Event::Head(None), now);
            lane.decide(Event::Stageable(None), now);
        }
        let actions = lane.decide(Event::Woke, late);
        prop_assert!(actions.contains(&Action::ReadHead), "{lane:?}");
        prop_assert!(actions.contains(&Action::ReadStageable), "{lane:?}");
    }
}
