//! WordPress: a site that takes one article, and shows it by its slug.

use fanfare::{
    connectors::Draft,
    connectors::{
        AnyConnector, Auth, Body, Finding, Job, Method, Next, Outcome, Paste, Repeat, Reply,
        Request, Sighting, Task, find,
    },
    domain::{
        account::Identity, delivery::Live, media::MediaKind, platform::PaceScope,
        refusal::RefusalKind, secret::Secret,
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, Prepares, Row, check_rows, job, json_of, media, part, path_of, play, query_of,
    reply, run_errand, site, takes,
};

pub(crate) const FAKE: Fake = Fake {
    platform: "wordpress",
    site: &[("server", "https://example.org/blog")],
    author: || Identity { remote_id: "7".into(), handle: "ada".into(), ..Identity::default() },
    answer,
    prepares: Prepares::Ahead,
    specialities,
    golden: include_str!("golden/wordpress.json"),
};

fn answer(memory: &mut Memory, request: &Request) -> Reply {
    assert_eq!(request.auth, Auth::AccessAs("Basic"));
    match (request.method, path_of(request).trim_start_matches("/blog/wp-json/wp/v2")) {
        (Method::Get, "/categories") => reply(200, json!([{ "id": 4, "slug": "local-news" }])),
        (Method::Get, "/tags") => {
            reply(200, json!([{ "id": 11, "slug": "sea" }, { "id": 12, "slug": "harbour" }]))
        }
        (Method::Post, "/media") => {
            memory.uploads += 1;
            let url = format!("https://example.org/f/{}", memory.uploads);
            reply(201, json!({ "id": 1_000 + memory.uploads, "source_url": url }))
        }
        (Method::Post, "/posts") => {
            let mut post = json_of(request).clone();
            post["id"] = json!(40 + memory.posts.len());
            post["link"] = json!(format!("https://example.org/{}/", text(&post["slug"])));
            memory.posts.push(post.clone());
            reply(201, post)
        }
        (Method::Get, "/posts") => {
            let slug = query_of(request, "slug").unwrap();
            let is_asked = |post: &&Value| slug.split(',').any(|slug| post["slug"] == slug);
            reply(200, memory.posts.iter().filter(is_asked).cloned().collect())
        }
        other => panic!("{other:?}"),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn connector() -> &'static dyn AnyConnector {
    find("wordpress").unwrap()
}

fn plain(text: &str) -> Job {
    job(connector(), &FAKE, vec![part(text, Vec::new())])
}

fn with(mut job: Job, options: &[(&str, &str)]) -> Job {
    for (name, value) in options {
        job.options.insert((*name).to_owned(), (*value).to_owned());
    }
    job
}

fn specialities() -> Vec<Job> {
    let film = media(2, MediaKind::Video, "video/mp4");
    let pdf = media(3, MediaKind::Document, "application/pdf");
    let image = media(1, MediaKind::Image, "image/jpeg");
    let full = job(connector(), &FAKE, vec![part("One\n\nTwo", vec![image, film, pdf])]);
    let options = [
        ("categories", "local-news"),
        ("tags", "sea\nharbour"),
        ("featured", "true"),
        ("excerpt", "Short"),
        ("slug", "At dawn!"),
    ];
    vec![with(full, &options), with(plain("<p>x</p>"), &[("formatting", "html")])]
}

fn sent(job: &Job) -> Vec<Request> {
    play(connector(), &FAKE, job).sent
}

#[test]
fn a_text_becomes_paragraphs_with_links_and_nothing_else() {
    let said = "5 < 6 & \"so\",\nsee https://e.com/a?b=1&c=2.\n\nEnd";
    let requests = sent(&plain(said));
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    let article = json_of(request);
    assert_eq!(
        article["content"],
        "<p>5 &lt; 6 &amp; &quot;so&quot;,<br />\nsee <a href=\"https://e.com/a?b=1&amp;c=2\">\
         https://e.com/a?b=1&amp;c=2</a>.</p>\n<p>End</p>"
    );
    assert_eq!((&article["status"], &article["title"]), (&json!("publish"), &json!("Dawn")));
    assert!(matches!(request.repeat, Repeat::Probed { .. }));
    let html = with(plain("<b>x</b> & y"), &[("formatting", "html")]);
    assert_eq!(json_of(&sent(&html)[0])["content"], "<b>x</b> & y");
}

#[test]
fn files_stand_below_the_text_and_the_first_may_be_the_articles_picture() {
    let requests = sent(&specialities()[0]);
    let article = json_of(requests.last().unwrap());
    let content = text(&article["content"]);
    let (above, below) = content.split_once("\n<!-- files -->\n").unwrap();
    assert_eq!(above, "<p>One</p>\n<p>Two</p>");
    assert!(
        !below.contains("/f/1")
            && below.contains("<video controls src=\"https://example.org/f/2\"")
    );
    assert!(below.contains("<a href=\"https://example.org/f/3\">"), "{below}");
    assert_eq!(article["featured_media"], 1_001);
    assert_eq!((&article["categories"], &article["tags"]), (&json!([4]), &json!([11, 12])));
    assert_eq!(article["excerpt"], "Short");
    let Body::Multipart { fields, files } = &requests[2].body else { panic!("{requests:?}") };
    assert_eq!(fields, &[("alt_text".to_owned(), "What picture 1 shows".to_owned())]);
    assert_eq!(files[0].file_name, format!("{}.jpeg", specialities()[0].parts[0].media[0].id));
}

#[test]
fn an_address_is_the_deliverys_own_and_the_same_every_time() {
    let slug = |job: &Job| text(&json_of(sent(job).last().unwrap())["slug"]).to_owned();
    let first = slug(&plain("x"));
    let key = first.strip_prefix("dawn-").unwrap();
    assert!(key.len() == 17 && key.starts_with('f') && first == slug(&plain("another text")));
    assert_eq!(slug(&specialities()[0]), format!("at-dawn-{key}"));
    assert_eq!(slug(&with(plain("x"), &[("title", "日の出")])), key);
    let mut other = plain("x");
    other.delivery.0 += 1;
    assert_ne!(slug(&other), first);
    let long = slug(&with(plain("x"), &[("title", &"word ".repeat(60))]));
    assert!(long.len() <= 98, "{long}");
}

#[test]
fn a_category_that_the_site_does_not_have_is_named_and_nothing_is_published() {
    let job = with(plain("x"), &[("categories", "local-news\nsport")]);
    let step = connector().begin(&job);
    let request = connector().request(&step, &job).unwrap();
    assert_eq!(query_of(&request, "slug").as_deref(), Some("local-news,sport"));
    let found = reply(200, json!([{ "id": 4, "slug": "local-news" }]));
    let refused = connector().accept(&step, &job, &found).unwrap().unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Rejected);
    assert_eq!(refused.words, "the site has no category called sport");
}

#[test]
fn a_look_finds_the_address_in_whatever_state() {
    let job = plain("x");
    let step = connector().begin(&job);
    let look = |answer: Reply| connector().recognise(&step, &job, &answer).unwrap();
    let request = connector().probe(&step, &job).unwrap().unwrap();
    assert_eq!(query_of(&request, "status").unwrap(), "any,trash");
    assert!(query_of(&request, "slug").unwrap().ends_with("__trashed"));
    assert_eq!(look(reply(200, json!([]))), Sighting::Absent);
    let post = |status: &str| {
        let link = "https://example.org/x/";
        reply(200, json!([{ "id": 9, "link": link, "status": status }]))
    };
    let live = Live { id: "9".into(), url: "https://example.org/x/".into() };
    assert_eq!(look(post("publish")), Sighting::Found(Next::Done(vec![live])));
    // It is there, and no reader sees it: a person decides, and nothing is sent again.
    let Sighting::Unsure(words) = look(post("pending")) else { panic!("it is told as published") };
    assert!(words.contains("`pending`"), "{words}");
    assert!(matches!(look(post("trash")), Sighting::Unsure(_)));
    for unread in [reply(200, json!({})), reply(200, json!([{}])), reply(503, Value::Null)] {
        assert!(matches!(look(unread), Sighting::Unsure(_)));
    }
}

#[test]
fn article_that_is_kept_back_is_asked_for_by_its_number_and_never_sent_again() {
    let job = plain("x");
    let answer =
        |status: &str| json!({ "id": 9, "link": "https://example.org/x/", "status": status });
    let accept = |step: &Value, said: Reply| connector().accept(step, &job, &said).unwrap();
    let taken = accept(&connector().begin(&job), reply(201, answer("in-review")));
    let Ok(Next::Wait(_, mut kept)) = taken else { panic!("{taken:?}") };
    assert!(connector().is_undecided(&kept));
    assert_eq!(connector().live(&kept, &job).unwrap().len(), 1);
    let request = connector().request(&kept, &job).unwrap();
    assert!(request.method == Method::Get && path_of(&request).ends_with("/posts/9"));
    assert!(matches!(accept(&kept, reply(200, answer("publish"))), Ok(Next::Done(_))));
    let refused = loop {
        match accept(&kept, reply(200, answer("in-review"))) {
            Ok(Next::Wait(_, next)) => kept = next,
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refused.kind, RefusalKind::Rejected);
    assert!(refused.words.contains("`in-review`"), "{}", refused.words);
}

#[test]
fn refusals_are_read_by_their_code() {
    use RefusalKind::{Media, Rejected, Revoked, Throttled, Unavailable, Unreadable};
    let scope = PaceScope::Account;
    let said = |status: u16, code: &str, kind| {
        let body = json!({ "code": code, "message": "No.", "data": { "status": status } });
        Row { status, header: None, body, kind }
    };
    let bare = |status, kind| Row { status, header: None, body: Value::Null, kind };
    let rows = vec![
        said(401, "incorrect_password", Revoked),
        said(401, "invalid_username", Revoked),
        said(401, "application_passwords_disabled", Revoked),
        said(401, "rest_not_logged_in", Revoked),
        said(401, "rest_cannot_create", Revoked),
        said(403, "rest_cannot_publish", Revoked),
        said(403, "rest_forbidden", Revoked),
        said(400, "rest_invalid_param", Rejected),
        said(400, "empty_content", Rejected),
        said(404, "rest_no_route", Rejected),
        said(500, "db_insert_error", Unavailable),
        bare(401, Revoked),
        // A firewall's word is not WordPress's.
        bare(403, Rejected),
        bare(404, Rejected),
        bare(429, Throttled { until: None, scope }),
        bare(502, Unavailable),
        bare(503, Unavailable),
    ];
    let job = plain("x");
    check_rows(connector(), &job, &connector().begin(&job), rows);
    let image = media(1, MediaKind::Image, "image/jpeg");
    let job = crate::fake::job(connector(), &FAKE, vec![part("x", vec![image])]);
    let rows = vec![
        said(400, "rest_upload_file_too_big", Media),
        said(500, "rest_upload_sideload_error", Media),
        said(500, "rest_upload_unknown_error", Media),
        said(400, "rest_cannot_create", Revoked),
        bare(413, Media),
        bare(403, Media),
        bare(201, Unreadable),
    ];
    check_rows(connector(), &job, &connector().begin(&job), rows);
}

#[test]
fn what_wordpress_cannot_show_is_said_while_it_is_planned() {
    let findings = |text: &str, options: &[(&str, &str)]| {
        let job = with(plain(text), options);
        let draft = Draft { parts: &job.parts, options: &job.options, author: &job.author };
        let places = connector().check(&draft).into_iter().map(|found| match found {
            Finding::Error(problem) => problem.place,
            Finding::Warning(problem) => panic!("{problem:?}"),
        });
        places.collect::<Vec<_>>()
    };
    assert!(findings("x", &[]).is_empty());
    assert_eq!(findings("x", &[("title", " ")]), ["content.options.title"]);
    assert_eq!(findings("x", &[("featured", "true")]), ["content.options.featured"]);
    assert_eq!(findings("a <!-- files --> b", &[]), ["content.parts[0].text"]);
    assert!(!takes(connector(), "formatting", "markdown"));
}

fn paste(identifier: &str, secret: &str) -> Result<Paste, String> {
    let (login, identifier) = (String::new(), identifier.to_owned());
    let pasted = Paste { login, identifier, secret: Secret::new(secret) };
    connector().paste(pasted).map_err(|problem| problem.place)
}

#[test]
fn an_application_password_is_taken_with_its_spaces_and_no_other() {
    let taken = paste(" ada ", "abcd EFGH 1234 ijkl MNOP 5678").unwrap();
    assert_eq!(taken.identifier, "ada");
    assert_eq!(taken.secret.expose(), "YWRhOmFiY2RFRkdIMTIzNGlqa2xNTk9QNTY3OA==");
    assert_eq!(paste("ada", "hunter2").unwrap_err(), "password");
    assert_eq!(paste("a:b", "abcdEFGH1234ijklMNOP5678").unwrap_err(), "identifier");
}

#[test]
fn somebody_is_known_with_their_site_and_has_to_be_allowed_to_publish() {
    let run = |may: bool| {
        let task = Task::SignIn { identifier: "ada".to_owned() };
        run_errand(connector(), &task, site(&FAKE), |request| match path_of(request).as_str() {
            "/blog/wp-json/wp/v2/users/me" => reply(
                200,
                json!({ "id": 7, "slug": "ada", "name": "Ada", "capabilities": {
                    "publish_posts": may, "upload_files": true } }),
            ),
            "/blog/wp-json/" => {
                reply(200, json!({ "name": "The Harbour", "home": "https://example.org" }))
            }
            path => panic!("{path}"),
        })
    };
    let Ok(Outcome::Admitted(who)) = run(true).outcome else { panic!("nobody") };
    assert_eq!((who.remote_id.as_str(), who.handle.as_str()), ("7", "ada"));
    assert_eq!((who.name.as_str(), who.url.as_str()), ("Ada (The Harbour)", "https://example.org"));
    let refused = run(false).outcome.unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Rejected);
    assert!(refused.words.contains("author"), "{refused:?}");
}

#[test]
fn an_article_is_taken_down_and_gone_is_gone() {
    let live = Live { id: "12/html".to_owned(), url: String::new() };
    let task = Task::Remove { live: vec![live] };
    let gone = json!({ "code": "rest_already_trashed", "message": "Gone." });
    let unknown = json!({ "code": "rest_post_invalid_id", "message": "Unknown." });
    for (status, body) in [(200, json!({})), (410, gone), (404, unknown)] {
        let ran = run_errand(connector(), &task, site(&FAKE), |_| reply(status, body.clone()));
        assert_eq!(ran.outcome, Ok(Outcome::Finished));
        assert_eq!(path_of(&ran.sent[0]), "/blog/wp-json/wp/v2/posts/12");
        assert_eq!(ran.sent[0].method, Method::Delete);
    }
    let ran = run_errand(connector(), &task, site(&FAKE), |_| reply(404, Value::Null));
    assert_eq!(ran.outcome.unwrap_err().kind, RefusalKind::Rejected);
}

#[test]
fn a_changed_text_leaves_the_files() {
    let before = "<p>old</p>\n<!-- files -->\n<figure>f</figure>";
    for (id, wanted) in [
        ("12", "<p>a &amp; b</p>\n<!-- files -->\n<figure>f</figure>"),
        ("12/html", "a & b\n<!-- files -->\n<figure>f</figure>"),
    ] {
        let live = vec![Live { id: id.to_owned(), url: "https://example.org/x/".to_owned() }];
        let task = Task::Edit { live: live.clone(), index: 0, text: "a & b".to_owned() };
        let ran = run_errand(connector(), &task, site(&FAKE), |request| match request.method {
            Method::Get => reply(200, json!({ "content": { "raw": before } })),
            _ => reply(200, json!({ "id": 12 })),
        });
        assert_eq!(ran.outcome, Ok(Outcome::Edited(live)));
        assert_eq!(*json_of(&ran.sent[1]), json!({ "content": wanted }));
    }
}
