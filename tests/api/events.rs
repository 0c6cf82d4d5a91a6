//! What happened, as a list and as a stream.

use futures_util::StreamExt;
use reqwest::RequestBuilder;
use serde_json::Value;

use crate::world::{World, told};

/// Reads a stream until `count` events have come: their ids, and their data.
async fn read(request: RequestBuilder, count: usize) -> Vec<(u64, Value)> {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut pieces = answer.bytes_stream();
    let mut text = String::new();
    while text.matches("\n\n").count() < count {
        text.push_str(str::from_utf8(&pieces.next().await.unwrap().unwrap()).unwrap());
    }
    let field = |event: &str, name: &str| {
        let line = event.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().to_owned()
    };
    let event = |event: &str| {
        let data = serde_json::from_str(&field(event, "data:")).unwrap();
        (field(event, "id:").parse().unwrap(), data)
    };
    text.split("\n\n").filter(|text| !text.is_empty()).map(event).collect()
}

#[tokio::test]
async fn a_stream_that_is_taken_up_again_misses_nothing() {
    let world = World::new().await;
    let account = world.connect("ada").await;
    let listed = world.request("GET", "/api/v1/events").header("accept", "application/json");
    let listed = told(listed).await;
    let before = listed.json["items"].as_array().unwrap().len() as u64;
    let everything = read(world.request("GET", "/api/v1/events?after=0"), 2).await;
    assert_eq!((everything[0].0, everything[1].0), (1, 2));
    let last = before.to_string();
    let stream = world.request("GET", "/api/v1/events").header("last-event-id", last);
    let reading = tokio::spawn(read(stream, 1));
    let made = world.post("/posts", &world.post_in_an_hour(&account, "Live.")).await;
    let live = reading.await.unwrap();
    assert_eq!(live[0].0, before + 1);
    assert_eq!(
        (&live[0].1["kind"], &live[0].1["post"]),
        (&"post.created".into(), &made.json["id"])
    );
    let after = read(world.request("GET", &format!("/api/v1/events?after={before}")), 1).await;
    assert_eq!(after[0], live[0]);
}

#[tokio::test]
async fn a_list_of_events_goes_on_where_it_ended() {
    let world = World::new().await;
    world.connect("ada").await;
    let json = |path: &str| told(world.request("GET", path).header("accept", "application/json"));
    let first = json("/api/v1/events?limit=1").await;
    assert_eq!(first.json["items"][0]["sequence"], 1);
    let next = first.text("/next");
    let second = json(&format!("/api/v1/events?limit=1&cursor={next}")).await;
    assert_eq!(second.json["items"][0]["sequence"], 2);
}

#[tokio::test]
async fn streams_end_when_the_server_is_about_to_stop() {
    let world = World::new().await;
    let answer = world.request("GET", "/api/v1/events").send().await.unwrap();
    world.stopping.send_replace(true);
    assert_eq!(answer.text().await.unwrap(), "");
}
