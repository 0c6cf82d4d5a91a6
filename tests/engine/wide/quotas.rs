//! What TikTok gives only so often, and only to some: told, waited for, and never lost.

use fanfare::{
    domain::{
        account::Connection,
        delivery::{Delivery, State, Why},
    },
    engine::{Settings, facade::PlanRequest},
};

use super::{File, Options, Parts, content, files};
use crate::world::{World, settled, waiting};

const PHOTO: Parts = &[("A photo", &[File::Photo])];
const PUBLIC: Options = &[("privacy", "public")];

async fn post(world: &World, handle: &str) -> Delivery {
    let media = files(world).await;
    let account = world.connect("tiktok", handle).await;
    let content = content(PHOTO, PUBLIC, &account, &media);
    world.post(content, account.id, PlanRequest::Now, 5).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_is_used_up_is_waited_for_and_counts_as_no_failure() {
    for (handle, words) in [
        ("busy_alice", "the account has used up the posts that TikTok allows in a day"),
        ("capped_alice", "as many people as your developer app may have in a day"),
    ] {
        let world = World::new().await;
        let delivery = post(&world, handle).await;
        let delivery = world.until(delivery.id, waiting).await;
        let State::Waiting { until, why: Why::Limit } = delivery.state else {
            panic!("{delivery:?}")
        };
        let left = until.remaining(world.planet.clock.now()).as_secs();
        assert!((23 * 3_600..=25 * 3_600).contains(&left), "{handle}: {left}");
        assert_eq!(delivery.failures, 0);
        assert!(world.story(&delivery).contains(words), "{}", world.story(&delivery));
        assert!(world.planet.ledger().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_post_at_all_is_told_why() {
    let world = World::new().await;
    let delivery = post(&world, "banned_alice").await;
    let held = world.until(delivery.id, settled).await;
    assert!(matches!(held.state, State::Held { .. }), "{held:?}");
    let account = world.engine.account(&world.caller, held.account).unwrap();
    let Connection::NeedsReconnection { reason, .. } = account.connection else {
        panic!("{account:?}")
    };
    assert!(reason.contains("banned"), "{reason}");
}

/// Before TikTok's audit an app posts privately only; the words say what to do.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_was_not_audited_is_told_what_it_may() {
    fn unaudited(settings: &mut Settings) {
        if let Some(app) = settings.apps.get_mut("tiktok") {
            app.client_id = "fanfare-new".to_owned();
        }
    }
    let world = World::tuned(unaudited).await;
    let delivery = post(&world, "tara").await;
    let failed = world.until(delivery.id, settled).await;
    let State::Failed { refusal, .. } = &failed.state else { panic!("{failed:?}") };
    assert_eq!(refusal.code, "unaudited_client_can_only_post_to_private_accounts");
    assert!(refusal.words.contains("until TikTok has audited your developer app"), "{refusal:?}");
    assert!(world.planet.ledger().is_empty());
}
