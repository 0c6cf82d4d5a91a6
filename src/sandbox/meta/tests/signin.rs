//! Logins, tokens, permissions, discovery.

use super::*;

#[tokio::test]
async fn a_code_works_once_and_a_page_token_of_a_long_lived_user_token_does_not_expire() {
    let trial = start().await;
    let code_text = trial.allow("/facebook/v26.0/dialog/oauth", "app", ALL).await;
    let (status, short) = facebook_token(&trial, &code_text).await;
    assert_eq!((status, &short["expires_in"]), (200, &json!(5_400)));
    let (status, again) = facebook_token(&trial, &code_text).await;
    assert_eq!((status, code(&again)), (400, (100, 36_009)));

    let long = long_lived(&trial, ALL).await;
    let short = short["access_token"].as_str().unwrap();
    let page_token = |pages: &Value| pages["data"][0]["access_token"].as_str().unwrap().to_owned();
    let accounts = "/facebook/v26.0/me/accounts";
    let of_short = page_token(&trial.get(accounts, short).await.1);
    let of_long = page_token(&trial.get(accounts, &long).await.1);
    let asked = format!("/facebook/debug_token?input_token={of_long}");
    let (_, told) = trial.get(&asked, "app|sandbox-secret").await;
    assert_eq!(told["data"]["expires_at"], 0);
    assert_eq!((&told["data"]["type"], &told["data"]["is_valid"]), (&json!("PAGE"), &json!(true)));

    trial.advance(Duration::from_secs(5_400));
    for (token, wanted) in [(short, (190, 463)), (of_short.as_str(), (190, 463))] {
        let (status, body) = trial.get("/facebook/v26.0/me", token).await;
        assert_eq!((status, code(&body)), (400, wanted));
    }
    trial.advance(60 * DAY);
    assert_eq!(code(&trial.get(accounts, &long).await.1), (190, 463));
    assert_eq!(trial.get("/facebook/v26.0/me", &of_long).await.0, 200);
}

#[tokio::test]
async fn scopes_can_be_refused_one_by_one_and_what_needs_them_is_refused() {
    let trial = start().await;
    let query = format!("client_id=app&redirect_uri={BACK}&state=s&scope={ALL}");
    let path = format!("/facebook/v26.0/dialog/oauth?{query}");
    let (_, page) = trial.get(&path, "").await;
    assert!(page.as_str().unwrap().contains(r#"name="refused[]" value="pages_manage_posts""#));
    let said = [("refused[]", "pages_manage_posts"), ("refused[]", "business_management")];
    let (code_text, fragment) = allow_as(&trial, &path, "alice", &said).await;
    assert_eq!(fragment, "_=_");
    let (_, body) = facebook_token(&trial, &code_text).await;
    let token = body["access_token"].as_str().unwrap();

    let (_, told) = trial.get("/facebook/v26.0/me/permissions", token).await;
    let declined: Vec<&Value> = told["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["status"] == "declined")
        .map(|row| &row["permission"])
        .collect();
    assert_eq!(declined, ["pages_manage_posts", "business_management"]);
    let (status, body) = trial.get("/facebook/v26.0/me/businesses", token).await;
    assert_eq!((status, code(&body)), (403, (10, 0)));
    let (_, pages) = trial.get("/facebook/v26.0/me/accounts", token).await;
    let page = &pages["data"][0];
    let path = format!("/facebook/v26.0/{}/feed", page["id"].as_str().unwrap());
    let token = page["access_token"].as_str().unwrap();
    let (status, body) = trial.post(&path, token, json!({ "message": "x" })).await;
    assert_eq!((status, code(&body)), (403, (200, 0)));
}

#[tokio::test]
async fn an_unknown_scope_or_a_refusal_gives_no_code() {
    let trial = start().await;
    let base = format!("/facebook/v26.0/dialog/oauth?client_id=app&redirect_uri={BACK}&scope=");
    assert_eq!(trial.get(&format!("{base}pages_fly"), "").await.0, 400);
    let path = format!("{base}pages_show_list");
    let form = [("handle", "alice"), ("decision", "deny")];
    let answer = trial.request(Method::POST, &path, "").form(&form).send().await.unwrap();
    assert!(answer.headers()["location"].to_str().unwrap().contains("error=access_denied"));
}

#[tokio::test]
async fn pages_are_listed_by_cursors_with_their_tasks_and_their_instagram_account() {
    let alice = Alice::start().await;
    let fields = "name,tasks,picture.type(large){url},instagram_business_account{id,username}";
    let mut path = format!("me/accounts?limit=2&fields={fields}");
    let mut names = Vec::new();
    loop {
        let (_, pages) = alice.trial.get(&format!("/facebook/v26.0/{path}"), &alice.user).await;
        for page in pages["data"].as_array().unwrap() {
            names.push(page["name"].as_str().unwrap().to_owned());
            let creates = page["tasks"].as_array().unwrap().contains(&json!("CREATE_CONTENT"));
            assert_eq!(creates, page["name"] != "alice-archive");
            let account = &page["instagram_business_account"]["username"];
            assert_eq!(account == "alice.bakery", page["name"] == "alice-bakery");
            assert!(page["picture"]["data"]["url"].as_str().unwrap().ends_with("/picture"));
        }
        if pages["paging"]["next"].is_null() {
            break;
        }
        let after = pages["paging"]["cursors"]["after"].as_str().unwrap();
        path = format!("me/accounts?limit=2&fields={fields}&after={after}");
    }
    assert_eq!(names, ["alice-bakery", "alice-books", "alice-archive"]);
    for wrong in ["limit=0", "after=x", "fields=color", "color=red", "fields=a,,b"] {
        let path = format!("/facebook/v26.0/me/accounts?{wrong}");
        assert_eq!(code(&alice.trial.get(&path, &alice.user).await.1), (100, 0), "{wrong}");
    }
}

#[tokio::test]
async fn a_business_has_pages_of_its_own_and_of_its_clients() {
    let alice = Alice::start().await;
    let (_, businesses) = alice.trial.get("/facebook/v26.0/me/businesses", &alice.user).await;
    let business = id(&businesses["data"][0]);
    for (edge, wanted) in [("owned_pages", "alice-books"), ("client_pages", "alice-archive")] {
        let path = format!("/facebook/v26.0/{business}/{edge}?fields=id,name,access_token,tasks");
        let (_, pages) = alice.trial.get(&path, &alice.user).await;
        assert_eq!(pages["data"][0]["name"], wanted);
        assert!(pages["data"][0]["access_token"].is_string());
    }
}

#[tokio::test]
async fn tokens_of_the_wrong_kind_are_refused() {
    let alice = Alice::start().await;
    let instagram = instagram_token(&alice.trial, ALL_OF_INSTAGRAM).await;
    let feed = format!("/facebook/v26.0/{}/feed", alice.page);
    let body = json!({ "message": "x" });
    for (path, token, wanted) in [
        (feed.as_str(), alice.user.as_str(), (403, (200, 0))),
        (&feed, &instagram, (400, (190, 0))),
        (&feed, "nonsense", (400, (190, 0))),
        (&feed, "", (400, (104, 0))),
        ("/instagram/v26.0/me/media", &alice.user, (400, (190, 0))),
        ("/facebook/v26.0/1/feed", &alice.token, (400, (100, 33))),
    ] {
        let (status, answer) = alice.trial.post(path, token, body.clone()).await;
        assert_eq!((status, code(&answer)), wanted, "{path} {answer}");
    }
    // Nor does one page's token post to another page, or one without the task.
    let (_, pages) = alice.trial.get("/facebook/v26.0/me/accounts", &alice.user).await;
    let books = format!("/facebook/v26.0/{}/feed", id(&pages["data"][1]));
    assert_eq!(code(&alice.trial.post(&books, &alice.token, body.clone()).await.1), (100, 33));
    let archive = format!("/facebook/v26.0/{}/feed", id(&pages["data"][2]));
    let token = pages["data"][2]["access_token"].as_str().unwrap();
    assert_eq!(code(&alice.trial.post(&archive, token, body).await.1), (200, 0));
    assert!(alice.trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn nobody_reaches_what_belongs_to_somebody_else() {
    let alice = Alice::start().await;
    let post = id(&alice.on_page("feed", json!({ "message": "x" })).await.1);
    let path =
        format!("/facebook/v26.0/dialog/oauth?client_id=app&redirect_uri={BACK}&scope={ALL}");
    let (code_text, _) = allow_as(&alice.trial, &path, "bob", &[]).await;
    let (_, body) = facebook_token(&alice.trial, &code_text).await;
    let bob = body["access_token"].as_str().unwrap();
    let (_, pages) = alice.trial.get("/facebook/v26.0/me/accounts?fields=name", bob).await;
    assert_eq!(pages["data"][0]["name"], "bob-bakery");
    for node in [&alice.page, &post, &alice.profile] {
        let (_, refused) = alice.trial.get(&format!("/facebook/v26.0/{node}"), bob).await;
        assert_eq!(code(&refused), (100, 33));
    }
}

#[tokio::test]
async fn permissions_are_withdrawn_one_by_one_and_all_together() {
    let alice = Alice::start().await;
    let withdraw = async |path: &str| {
        let path = format!("/facebook/v26.0/{path}");
        let request = alice.trial.request(Method::DELETE, &path, &alice.user);
        read(request.send().await.unwrap()).await
    };
    let (status, body) = withdraw("me/permissions/pages_manage_posts").await;
    assert_eq!((status, &body["success"]), (200, &json!(true)));
    assert_eq!(code(&alice.on_page("feed", json!({ "message": "x" })).await.1), (200, 0));
    assert_eq!(withdraw("me/permissions").await.0, 200);
    for token in [&alice.user, &alice.token] {
        assert_eq!(code(&alice.trial.get("/facebook/v26.0/me", token).await.1), (190, 458));
    }
    let asked = format!("/facebook/debug_token?input_token={}", alice.token);
    let (_, told) = alice.trial.get(&asked, "app|sandbox-secret").await;
    assert_eq!(told["data"]["is_valid"], false);
    assert_eq!(told["data"]["error"]["subcode"], 458);
}

#[tokio::test]
async fn the_proof_of_the_secret_must_be_right_where_it_is_given() {
    let alice = Alice::start().await;
    let (status, body) = alice.get("me?appsecret_proof=0000").await;
    assert_eq!((status, code(&body)), (400, (100, 0)));
}

#[tokio::test]
async fn instagrams_tokens_come_in_both_shapes_are_lengthened_and_refreshed_after_a_day() {
    let trial = start().await;
    let (_, bare) = instagram_code(&trial, ALL_OF_INSTAGRAM).await;
    assert!(bare["permissions"].is_string() && bare["user_id"].is_u64());
    let (_, wrapped) = instagram_code(&trial, ALL_OF_INSTAGRAM).await;
    assert!(wrapped["data"][0]["permissions"].is_array());
    let short = bare["access_token"].as_str().unwrap();
    let refresh = "/instagram/refresh_access_token?grant_type=ig_refresh_token";
    assert_eq!(code(&trial.get(refresh, short).await.1), (100, 0));

    let long = instagram_token(&trial, ALL_OF_INSTAGRAM).await;
    assert_eq!(code(&trial.get(refresh, &long).await.1), (100, 0), "too young");
    trial.advance(DAY);
    let (status, fresh) = trial.get(refresh, &long).await;
    assert_eq!((status, &fresh["expires_in"]), (200, &json!(5_183_944)));
    let fresh = fresh["access_token"].as_str().unwrap();
    for token in [long.as_str(), fresh] {
        let path = "/instagram/v26.0/me?fields=user_id,username,account_type";
        let (_, me) = trial.get(path, token).await;
        assert_eq!((&me["username"], &me["account_type"]), (&json!("alice"), &json!("Business")));
        assert_ne!(me["id"], me["user_id"]);
    }
    assert_eq!(code(&trial.get("/instagram/v26.0/me", short).await.1), (190, 463));
    trial.advance(59 * DAY + Duration::from_secs(14 * 60 * 60));
    assert_eq!(code(&trial.get(refresh, &long).await.1), (190, 463), "an expired one is lost");
    assert_eq!(trial.get(refresh, fresh).await.0, 200);
}

#[tokio::test]
async fn a_wrong_code_is_refused_in_the_words_of_each_login() {
    let trial = start().await;
    let form = [("client_id", "app"), ("client_secret", "wrong"), ("code", "x")];
    let (status, body) = trial.form("/instagram/oauth/access_token", &form).await;
    assert_eq!((status, &body["error_type"]), (400, &json!("OAuthException")));
    let (status, body) = trial.form("/facebook/v26.0/oauth/access_token", &form).await;
    assert_eq!((status, code(&body)), (400, (1, 0)));
    assert_eq!(code(&facebook_token(&trial, "x").await.1), (100, 36_009));
}
