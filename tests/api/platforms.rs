//! What the API tells of the platforms of this build.

use crate::world::World;

#[tokio::test]
async fn platforms_name_the_redirect_of_this_instance() {
    let world = World::new().await;
    let platforms = world.get("/platforms").await.json["items"].clone();
    let platform = |name: &str| {
        let mut all = platforms.as_array().unwrap().iter();
        all.find(|one| one["platform"] == name).unwrap_or_else(|| panic!("no {name}"))
    };
    let callback = format!("{}/oauth/mastodon/callback", world.base);
    assert_eq!(platform("mastodon")["callback_url"], callback);
    assert_eq!(platform("bluesky").get("callback_url"), None);
    for one in platforms.as_array().unwrap() {
        for option in one["options"].as_array().unwrap() {
            assert!(option["kind"].is_string() && option["about"].is_string(), "{option}");
        }
        assert!(!one["logins"].as_array().unwrap().is_empty(), "{one}");
    }
}
