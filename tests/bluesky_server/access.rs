//! Signing in, and what follows when the server no longer takes our token.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use fanfare::{
    domain::{
        account::Connection,
        delivery::{Delivery, Hold, State},
        mortality::Mortality,
        problem::Code,
        secret::Secret,
    },
    store::{self, MasterKey, Owner, Store},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    server,
    world::{World, connect, published, thread},
};

/// What the reference server signs its tokens with, as `start.mjs` sets it.
const JWT_SECRET: &[u8] = b"jwt-secret";

const LONG_AGO: u64 = 1_700_000_000;

fn hmac(message: &[u8]) -> [u8; 32] {
    let padded = |with: u8| {
        let mut key = [with; 64];
        key.iter_mut().zip(JWT_SECRET).for_each(|(byte, secret)| *byte ^= secret);
        Sha256::new_with_prefix(key)
    };
    let inner = padded(0x36).chain_update(message).finalize();
    padded(0x5c).chain_update(inner).finalize().into()
}

/// The same token, but of a time that has passed.
fn expired(token: &str) -> String {
    let (head, rest) = token.split_once('.').unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(rest.split_once('.').unwrap().0).unwrap();
    let mut claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["iat"] = json!(LONG_AGO);
    claims["exp"] = json!(LONG_AGO + 60);
    let signed = format!("{head}.{}", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(hmac(signed.as_bytes()));
    format!("{signed}.{signature}")
}

impl World {
    /// The engine keeps a token that it takes for valid and that the server does not.
    async fn exchange_token(&mut self, change: fn(&str) -> String) {
        self.engine.stop(std::time::Duration::from_secs(5)).await;
        let key = MasterKey::from_bytes([7; 32]);
        let opened = Store::in_memory(self.home.memory.clone(), key, Mortality::default()).unwrap();
        let (organization, owner) = (self.account.organization, Owner::Account(self.account.id));
        let token = opened.store.secret(organization, &owner, "access").unwrap().unwrap();
        let token = Secret::new(change(token.expose()));
        let put = opened.store.commit("exchange token", move |view| {
            view.put_secret(organization, &owner, "access", &token)?;
            Ok::<_, store::Error>(())
        });
        put.await.unwrap();
        drop(opened);
        self.restart().await;
    }

    fn connection(&self) -> Connection {
        self.engine.account(&self.caller, self.account.id).unwrap().connection
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_app_password_is_said_to_be_wrong_and_connects_nothing() {
    let Some(server) = server::shared().await else { return };
    let member = server.register("password").await;
    let world = World::new(&server, &member).await;
    let (engine, caller) = (&world.engine, &world.caller);
    let wrong = "aaaa-bbbb-cccc-dddd";
    let problem = connect(engine, caller, &server.bob.handle, wrong, None).await.unwrap_err();
    assert_eq!(problem.code, Code::ServerRefused);
    assert!(problem.sentence.contains("Invalid identifier or password"), "{problem:?}");
    assert!(!format!("{problem:?}").contains(wrong));

    let nobody = "nobody-has-this.test";
    let problem = connect(engine, caller, nobody, wrong, None).await.unwrap_err();
    assert_eq!(problem.code, Code::ServerRefused);
    assert!(problem.sentence.contains("Unable to resolve handle"), "{problem:?}");
    let accounts = engine.accounts(caller, &Default::default()).unwrap().items;
    assert_eq!(accounts.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn account_is_found_by_did_and_however_its_handle_is_written() {
    let Some(server) = server::shared().await else { return };
    let member = server.register("spelling").await;
    let world = World::new(&server, &member).await;
    assert_eq!(world.account.identity.handle, "x-spelling.test");
    for identifier in ["@X-Spelling.Test", "at://x-spelling.test", &member.did] {
        let password = &member.app_password;
        let account = connect(&world.engine, &world.caller, identifier, password, None).await;
        assert_eq!(account.unwrap().id, world.account.id, "{identifier}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_token_is_renewed_and_the_post_goes_out_once() {
    let Some(server) = server::shared().await else { return };
    let member = server.register("expired").await;
    let mut world = World::new(&server, &member).await;
    world.exchange_token(expired).await;
    let delivery = world.publish(thread(&["one", "two"])).await;
    assert_eq!(delivery.failures, 0);
    assert_eq!(world.connection(), Connection::Connected);
    let texts = server.posts(&member.did).await;
    assert_eq!(texts.iter().map(|post| post.text()).collect::<Vec<_>>(), ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_that_expired_does_not_keep_a_post_from_being_removed() {
    let Some(server) = server::shared().await else { return };
    let member = server.register("takedown").await;
    let mut world = World::new(&server, &member).await;
    let delivery = world.publish(thread(&["one", "two"])).await;
    world.exchange_token(expired).await;
    world.engine.remove_delivery(&world.caller, delivery.id).await.unwrap();
    assert!(server.posts(&member.did).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn token_that_the_server_does_not_know_is_renewed() {
    let Some(server) = server::shared().await else { return };
    let member = server.register("garbled").await;
    let mut world = World::new(&server, &member).await;
    world.exchange_token(|token| format!("{token}x")).await;
    world.publish(thread(&["one"])).await;
    assert_eq!(server.posts(&member.did).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawn_app_password_holds_the_post_until_the_account_is_connected_again() {
    let Some(server) = server::shared().await else { return };
    let member = server.register("withdrawn").await;
    let mut world = World::new(&server, &member).await;
    let token = server.session(&member).await;
    let body = json!({ "name": "fanfare" });
    server.post("com.atproto.server.revokeAppPassword", Some(&token), body).await.unwrap();
    world.exchange_token(expired).await;

    let planned = world.plan(thread(&["one"])).await;
    let held =
        |delivery: &Delivery| matches!(delivery.state, State::Held { why: Hold::Reconnection, .. });
    world.until(planned.id, held).await;
    assert!(matches!(world.connection(), Connection::NeedsReconnection { .. }));
    assert!(server.posts(&member.did).await.is_empty());

    let password = server.app_password(&member, "fanfare again").await;
    let again = Some(world.account.id);
    connect(&world.engine, &world.caller, &member.handle, &password, again).await.unwrap();
    world.until(planned.id, published).await;
    assert_eq!(server.posts(&member.did).await.len(), 1);
}
