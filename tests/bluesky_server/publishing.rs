//! What is published is what the server keeps.

use std::collections::BTreeMap;

use fanfare::domain::{post::Content, problem::Code};
use serde_json::{Value, json};

use crate::{
    server,
    world::{World, part, picture, thread},
};

/// What each facet covers in the stored text, and its one feature.
fn facets(record: &Value) -> Vec<(&str, Value)> {
    let text = record["text"].as_str().unwrap();
    let facets = record["facets"].as_array().unwrap().iter();
    facets
        .map(|facet| {
            let at = |edge: &str| usize::try_from(facet["index"][edge].as_u64().unwrap()).unwrap();
            let features = facet["features"].as_array().unwrap();
            assert_eq!(features.len(), 1);
            (&text[at("byteStart")..at("byteEnd")], features[0].clone())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn links_mentions_and_tags_are_facets_of_the_bytes_they_cover() {
    let Some(server) = server::shared().await else { return };
    let world = World::new(&server, &server.alice).await;
    let text = "Grüße 🦋 @bob.test, nicht @nobody.test: (https://example.com/a_(b)?c=d) und \
                example.org, #größe #日本 #1!";
    let delivery = world.publish(thread(&[text])).await;

    let posts = server.posts(&server.alice.did).await;
    let [post] = &posts[..] else { panic!("one post and not {posts:?}") };
    assert_eq!(post.text(), text);
    let link = |uri: &str| json!({ "$type": "app.bsky.richtext.facet#link", "uri": uri });
    let tag = |tag: &str| json!({ "$type": "app.bsky.richtext.facet#tag", "tag": tag });
    let bob = json!({ "$type": "app.bsky.richtext.facet#mention", "did": server.bob.did });
    let expected = [
        ("@bob.test", bob),
        ("https://example.com/a_(b)?c=d", link("https://example.com/a_(b)?c=d")),
        ("example.org", link("https://example.org")),
        ("#größe", tag("größe")),
        ("#日本", tag("日本")),
    ];
    assert_eq!(facets(&post.value), expected);
    assert_eq!(server.validation(&server.alice, post).await, "valid");

    assert_eq!(delivery.live.len(), 1);
    assert_eq!(delivery.live[0].id, post.uri);
    let url = format!("https://bsky.app/profile/{}/post/{}", server.alice.did, post.key());
    assert_eq!(delivery.live[0].url, url);
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_kept_with_their_descriptions_and_their_shape() {
    let Some(server) = server::shared().await else { return };
    let member = server.register("images").await;
    let world = World::new(&server, &member).await;
    let bytes = picture();
    let id = world.upload(&bytes).await;
    let attached = [(id, "Three pixels by two, of ä colour"), (id, "")];
    let parts = vec![part("Look", &attached)];
    let options = BTreeMap::from([("language".to_owned(), "de, en".to_owned())]);
    world.publish(Content { parts, options }).await;

    let posts = server.posts(&member.did).await;
    let [post] = &posts[..] else { panic!("one post and not {posts:?}") };
    assert_eq!(post.value["langs"], json!(["de", "en"]));
    assert_eq!(post.value["embed"]["$type"], "app.bsky.embed.images");
    let images = post.value["embed"]["images"].as_array().unwrap();
    assert_eq!(images.len(), 2);
    for (image, (_, alt)) in images.iter().zip(attached) {
        assert_eq!(image["alt"], alt);
        assert_eq!(image["aspectRatio"], json!({ "width": 3, "height": 2 }));
        assert_eq!(image["image"]["mimeType"], "image/png");
        assert_eq!(image["image"]["size"], bytes.len());
        let cid = image["image"]["ref"]["$link"].as_str().unwrap();
        assert_eq!(server.blob(&member.did, cid).await, bytes);
    }
    assert_eq!(server.validation(&member, post).await, "valid");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_part_of_a_thread_answers_the_one_before_it() {
    let Some(server) = server::shared().await else { return };
    let member = server.register("threads").await;
    let world = World::new(&server, &member).await;
    let delivery = world.publish(thread(&["one", "two", "three"])).await;

    let posts = server.posts(&member.did).await;
    let texts: Vec<&str> = posts.iter().map(|post| post.text()).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    assert_eq!(posts[0].value.get("reply"), None);
    for n in 1..3 {
        let parent = posts[n - 1].reference();
        let expected = json!({ "root": posts[0].reference(), "parent": parent });
        assert_eq!(posts[n].value["reply"], expected);
    }
    let created: Vec<&str> =
        posts.iter().map(|post| post.value["createdAt"].as_str().unwrap()).collect();
    assert!(created.is_sorted_by(|before, after| before < after), "{created:?}");
    let live: Vec<&str> = delivery.live.iter().map(|live| live.id.as_str()).collect();
    assert_eq!(live, posts.iter().map(|post| post.uri.as_str()).collect::<Vec<_>>());
    for post in &posts {
        assert_eq!(server.validation(&member, post).await, "valid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn removed_thread_is_gone_and_its_neighbours_stay() {
    let Some(server) = server::shared().await else { return };
    let member = server.register("removal").await;
    let world = World::new(&server, &member).await;
    world.publish(thread(&["before"])).await;
    let delivery = world.publish(thread(&["one", "two"])).await;
    world.publish(thread(&["after"])).await;
    assert_eq!(server.posts(&member.did).await.len(), 4);

    let removed = world.engine.remove_delivery(&world.caller, delivery.id).await.unwrap();
    assert!(removed.live.is_empty());
    let texts = |posts: &[server::Record]| {
        posts.iter().map(|post| post.text().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(texts(&server.posts(&member.did).await), ["before", "after"]);

    world.engine.remove_delivery(&world.caller, delivery.id).await.unwrap();
    assert_eq!(texts(&server.posts(&member.did).await), ["before", "after"]);
}

/// Graphemes of one, of several and of many code points, which both sides have to count alike.
const GRAPHEMES: &[&str] = &["a", "e\u{301}", "🇩🇪", "👩‍👩‍👧", "각", "ก็", "\r\n", "👍🏽", "1️⃣", "क्ष"];

fn graphemes(count: usize) -> String {
    // Ends with a letter, because white space at the end is not everybody's.
    (1..=count).map(|n| GRAPHEMES[(count - n) % GRAPHEMES.len()]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_graphemes_are_accepted_by_us_and_by_the_server() {
    let Some(server) = server::shared().await else { return };
    let member = server.register("full").await;
    let world = World::new(&server, &member).await;
    let text = graphemes(300);
    let found = world.engine.validate_post(&world.caller, &world.post(thread(&[&text]))).unwrap();
    assert_eq!((found.targets[0].measures[0].used, found.targets[0].measures[0].max), (300, 300));

    world.publish(thread(&[&text])).await;
    let posts = server.posts(&member.did).await;
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].text(), text);
    assert_eq!(server.validation(&member, &posts[0]).await, "valid");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_grapheme_more_is_refused_before_anything_is_sent_and_by_the_server_too() {
    let Some(server) = server::shared().await else { return };
    let member = server.register("overfull").await;
    let world = World::new(&server, &member).await;
    let text = graphemes(301);
    let sends = world.mortality.counts().1;
    let problem = world.try_plan(thread(&[&text])).await.unwrap_err();
    assert_eq!(problem.code, Code::TextTooLong);
    assert!(problem.sentence.contains("300") && problem.sentence.contains("301"), "{problem:?}");
    assert_eq!(world.mortality.counts().1, sends);
    assert!(server.posts(&member.did).await.is_empty());

    let token = server.session(&member).await;
    let record = json!({
        "$type": server::POSTS, "text": text, "createdAt": "2026-11-21T09:00:00.000Z",
    });
    let body = json!({ "repo": member.did, "collection": server::POSTS, "record": record });
    let refused = server.post("com.atproto.repo.createRecord", Some(&token), body).await;
    let refused = refused.unwrap_err();
    assert!(refused.contains("maximum 300, got 301"), "{refused}");
}
