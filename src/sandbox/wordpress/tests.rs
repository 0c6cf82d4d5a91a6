//! What the simulated WordPress accepts, refuses and records, asked over the wire.

use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use crate::sandbox::trial::{Trial, png, read, start};

const POSTS: &str = "/wordpress/wp-json/wp/v2/posts";
const PASSWORD: &str = "abcd EFGH 1234 ijkl MNOP 5678";

async fn ask(trial: &Trial, name: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request = trial.request(method, path, "").basic_auth(name, Some(PASSWORD));
    let request = if body.is_null() { request } else { request.json(&body) };
    read(request.send().await.unwrap()).await
}

fn article(slug: &str) -> Value {
    json!({ "status": "publish", "title": "Dawn", "slug": slug, "content": "<p>a &amp; b</p>" })
}

#[tokio::test]
async fn each_request_is_an_article_and_a_second_one_gets_another_address() {
    let trial = start().await;
    let (status, first) = ask(&trial, "ada", Method::POST, POSTS, article("dawn")).await;
    let (_, second) = ask(&trial, "ada", Method::POST, POSTS, article("dawn")).await;
    assert_eq!((status, &first["slug"], &second["slug"]), (201, &json!("dawn"), &json!("dawn-2")));
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].text.as_str()), (2, "Dawn\n\na & b"));
    let path = format!("{POSTS}?slug=dawn&status=publish,draft&context=edit");
    let (_, found) = ask(&trial, "ada", Method::GET, &path, Value::Null).await;
    assert_eq!(found.as_array().unwrap().len(), 1);
    let gone = format!("{POSTS}/1");
    assert_eq!(ask(&trial, "ada", Method::DELETE, &gone, Value::Null).await.0, 200);
    assert_eq!(ask(&trial, "ada", Method::DELETE, &gone, Value::Null).await.0, 410);
    let (_, found) = ask(&trial, "ada", Method::GET, &path, Value::Null).await;
    assert_eq!(found, json!([]));
}

#[tokio::test]
async fn what_wordpress_would_refuse_is_refused_and_leaves_nothing() {
    let trial = start().await;
    let wrong = |field: &str, value: Value| {
        let mut body = article("dawn");
        body[field] = value;
        body
    };
    for (name, body, status, code) in [
        ("contributor", article("dawn"), 403, "rest_cannot_publish"),
        ("ada", wrong("status", json!("live")), 400, "rest_invalid_param"),
        ("ada", wrong("categories", json!([99])), 400, "rest_invalid_param"),
        ("ada", wrong("featured_media", json!(5)), 400, "rest_invalid_featured_media"),
    ] {
        let (found, said) = ask(&trial, name, Method::POST, POSTS, body).await;
        assert_eq!((found, &said["code"]), (status, &json!(code)));
    }
    let request = trial.request(Method::POST, POSTS, "").json(&article("dawn"));
    assert_eq!(read(request.send().await.unwrap()).await.0, 401);
    let short = trial.request(Method::GET, POSTS, "").basic_auth("ada", Some("short"));
    assert_eq!(read(short.send().await.unwrap()).await.1["code"], "incorrect_password");
    assert!(trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn a_file_is_told_by_its_content_and_shown_where_the_text_names_it() {
    let trial = start().await;
    let send = |bytes: Vec<u8>, name: &'static str| {
        let form = Form::new()
            .text("alt_text", "a thing")
            .part("file", Part::bytes(bytes).file_name(name));
        let path = "/wordpress/wp-json/wp/v2/media";
        let request = trial.request(Method::POST, path, "").basic_auth("ada", Some(PASSWORD));
        async { read(request.multipart(form).send().await.unwrap()).await }
    };
    let (status, made) = send(png(), "a.png").await;
    assert_eq!((status, &made["alt_text"]), (201, &json!("a thing")));
    assert_eq!(send(b"<?php".to_vec(), "a.png").await.0, 500);
    let mut body = article("dawn");
    let url = made["source_url"].as_str().unwrap();
    body["content"] =
        json!(format!("<p>x</p>\n<!-- files -->\n<figure><img src=\"{url}\"/></figure>"));
    ask(&trial, "ada", Method::POST, POSTS, body).await;
    let entry = &trial.sandbox.ledger()[0];
    assert_eq!((entry.text.as_str(), entry.media[0].alt.as_str()), ("Dawn\n\nx", "a thing"));
}
