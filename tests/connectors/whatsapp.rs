//! WhatsApp: the same message to each of several people, of whom some may be refused.

use std::time::Duration;

use fanfare::{
    connectors::{
        AnyConnector, Auth, Body, Draft, Finding, Job, Method, Next, Outcome, Paste, Repeat, Reply,
        Request, Sighting, Task, find,
    },
    domain::{
        account::Identity,
        delivery::Live,
        media::MediaKind,
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
        secret::Secret,
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Prepares, Row, check_rows, job, json_of, media, part, path_of, play, reply,
    run_errand, site,
};

pub(crate) const FAKE: Fake = Fake {
    platform: "whatsapp",
    site: &[("graph", "https://graph.facebook.com")],
    author,
    answer,
    prepares: Prepares::Ahead,
    specialities: templates,
    golden: include_str!("golden/whatsapp.json"),
};

fn author() -> Identity {
    Identity { remote_id: "106".to_owned(), ..Identity::default() }
}

fn answer(memory: &mut Memory, request: &Request) -> Reply {
    assert_eq!(request.auth, Auth::Access);
    match (request.method, path_of(request).as_str()) {
        (Method::Post, "/v26.0/106/media") => {
            assert!(matches!(request.body, Body::Multipart { .. }));
            memory.uploads += 1;
            reply(200, json!({ "id": format!("90{}", memory.uploads) }))
        }
        (Method::Post, "/v26.0/106/messages") => {
            assert_eq!(request.repeat, Repeat::Duplicates);
            let message = json_of(request).clone();
            let to = message["to"].as_str().unwrap().to_owned();
            let is_new = memory.posts.iter().all(|sent| sent["to"] != to.as_str());
            assert!(is_new, "{to} has it already");
            memory.posts.push(message);
            reply(200, accepted(&to))
        }
        _ => panic!("no answer for {request:?}"),
    }
}

fn accepted(to: &str) -> Value {
    json!({
        "messaging_product": "whatsapp",
        "contacts": [{ "input": to, "wa_id": to.trim_start_matches('+') }],
        "messages": [{ "id": format!("wamid.{to}"), "message_status": "accepted" }],
    })
}

fn connector() -> &'static dyn AnyConnector {
    find("whatsapp").unwrap()
}

const ONE: &str = "+4915112345678";
const TWO: &str = "+4915112345679";
const THREE: &str = "+33612345678";

fn with(options: &[(&str, &str)], job: Job) -> Job {
    let mut job = job;
    for (name, value) in options {
        job.options.insert((*name).to_owned(), (*value).to_owned());
    }
    job
}

fn to_three() -> Job {
    let all = format!("{ONE}\n{TWO}\n{THREE}");
    with(&[("recipients", &all)], job(connector(), &FAKE, vec![part("Hello", Vec::new())]))
}

fn templates() -> Vec<Job> {
    let named = [("format", "template"), ("template", "autumn_sale"), ("language", "en_US")];
    let image = media(1, MediaKind::Image, "image/jpeg");
    let parameters = [("template_parameters", "Ada\n20 %")];
    vec![
        with(&named, job(connector(), &FAKE, vec![part("", Vec::new())])),
        with(&parameters, with(&named, job(connector(), &FAKE, vec![part("", vec![image])]))),
    ]
}

fn begun() -> Value {
    sending("", &[], &[])
}

fn sending(file: &str, sent: &[&str], refused: &[&str]) -> Value {
    json!({ "Send": { "progress": {
        "file": file,
        "uploads": u32::from(!file.is_empty()),
        "sent": sent.iter().map(|to| json!({ "to": to, "id": format!("wamid.{to}") }))
            .collect::<Vec<_>>(),
        "refused": refused.iter().map(|to| json!({ "to": to, "words": "No. (131026)" }))
            .collect::<Vec<_>>(),
    } } })
}

fn error(code: i64) -> Value {
    let data = json!({ "messaging_product": "whatsapp", "details": "It is so." });
    json!({ "error": { "message": format!("(#{code}) No"), "code": code, "error_data": data } })
}

/// What was asked of whom, until the end; `answer` by recipient.
fn run(job: &Job, mut step: Value, mut answer: impl FnMut(&Request) -> Reply) -> Ended {
    let mut asked = Vec::new();
    for _ in 0..20 {
        let request = connector().request(&step, job).unwrap();
        asked.push(match request.body {
            Body::Json(ref body) => body["to"].as_str().unwrap().to_owned(),
            _ => path_of(&request),
        });
        match connector().accept(&step, job, &answer(&request)).unwrap() {
            Ok(Next::Go(next) | Next::Wait(_, next)) => step = next,
            Ok(Next::Done(live)) => return Ended { asked, step, live: Ok(live) },
            Err(refusal) => return Ended { asked, step, live: Err(refusal) },
        }
    }
    panic!("it does not end: {asked:?}");
}

struct Ended {
    asked: Vec<String>,
    step: Value,
    live: Result<Vec<Live>, Refusal>,
}

fn except<'a>(refused: &'a [(&'a str, i64)]) -> impl FnMut(&Request) -> Reply + 'a {
    move |request| {
        let Body::Json(body) = &request.body else { return reply(200, json!({ "id": "106" })) };
        let to = body["to"].as_str().unwrap();
        match refused.iter().find(|(name, _)| *name == to) {
            Some((_, code)) => reply(400, error(*code)),
            None => reply(200, accepted(to)),
        }
    }
}

#[test]
fn everybody_gets_it_once_and_each_message_is_kept() {
    let job = to_three();
    assert_eq!(connector().pieces(&job), 3);
    let played = play(connector(), &FAKE, &job);
    assert_eq!(
        json_of(&played.sent[0]),
        &json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": ONE,
            "type": "text", "text": { "body": "Hello", "preview_url": true },
            "biz_opaque_callback_data": job.delivery.to_string(),
        })
    );
    let live: Vec<_> =
        played.live.iter().map(|live| (live.id.as_str(), live.url.as_str())).collect();
    assert_eq!(live[0], ("wamid.+4915112345678", "https://wa.me/4915112345678"));
    assert_eq!(live.len(), 3);
    let twice = format!("{ONE}\n\n {ONE} \n{TWO}");
    assert_eq!(connector().pieces(&with(&[("recipients", &twice)], to_three())), 2);
}

#[test]
fn a_file_goes_up_once_and_is_named_to_everybody() {
    let cases = [
        (MediaKind::Image, "image/png", "image"),
        (MediaKind::Video, "video/mp4", "video"),
        (MediaKind::Document, "application/pdf", "document"),
    ];
    for (kind, mime, name) in cases {
        let job = job(connector(), &FAKE, vec![part("Look", vec![media(1, kind, mime)])]);
        let sent = play(connector(), &FAKE, &job).sent;
        let Body::Multipart { fields, files } = &sent[0].body else { panic!("{:?}", sent[0]) };
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(fields, &[field("messaging_product", "whatsapp"), field("type", mime)]);
        assert_eq!(files[0].field, "file");
        assert_eq!(sent[0].repeat, Repeat::Harmless);
        assert_eq!(sent.len(), 3);
        for request in &sent[1..] {
            let body = json_of(request);
            assert_eq!(body["type"], name);
            let mut content = json!({ "id": "901", "caption": "Look" });
            if kind == MediaKind::Document {
                content["filename"] = json!("file-1");
            }
            assert_eq!(body[name], content);
        }
    }
}

#[test]
fn a_template_has_its_parameters_in_order_and_its_image_at_the_head() {
    let jobs = templates();
    let plain = play(connector(), &FAKE, &jobs[0]).sent;
    let language = json!({ "policy": "deterministic", "code": "en_US" });
    let named = json!({ "name": "autumn_sale", "language": language });
    assert_eq!((&json_of(&plain[0])["template"], plain.len()), (&named, 2));
    let full = play(connector(), &FAKE, &jobs[1]).sent;
    let body = json_of(&full[1]);
    let text = |text: &str| json!({ "type": "text", "text": text });
    assert_eq!(body["type"], "template");
    assert_eq!(
        body["template"]["components"],
        json!([
            { "type": "header", "parameters": [{ "type": "image", "image": { "id": "901" } }] },
            { "type": "body", "parameters": [text("Ada"), text("20 %")] },
        ])
    );
}

#[test]
fn who_is_refused_stops_nobody_else_and_is_named_in_the_end() {
    let job = to_three();
    let ended = run(&job, begun(), except(&[(ONE, 131_047), (THREE, 131_026)]));
    assert_eq!(ended.asked, [ONE, TWO, THREE, "/v26.0/106"]);
    let refusal = ended.live.unwrap_err();
    assert_eq!((refusal.kind, refusal.code.as_str()), (RefusalKind::Rejected, "some_refused"));
    for word in ["1 of 3", ONE, "131047", THREE, "131026", "It is so."] {
        assert!(refusal.words.contains(word), "{word}: {}", refusal.words);
    }
    assert!(!refusal.words.contains(TWO));
    let live = connector().live(&ended.step, &job).unwrap();
    assert_eq!(live.len(), 1);
    assert_eq!(live[0].id, format!("wamid.{TWO}"));
    assert_eq!(connector().request(&ended.step, &job).unwrap().repeat, Repeat::Harmless);
}

#[test]
fn another_attempt_goes_to_those_alone_who_were_refused() {
    let mut job = to_three();
    let failed = run(&job, begun(), except(&[(ONE, 131_047), (THREE, 131_026)])).step;
    // The process died in the end: the same again, and nobody is sent anything.
    let same = run(&job, failed.clone(), except(&[]));
    assert_eq!((same.asked.as_slice(), same.live.is_err()), (&["/v26.0/106".to_owned()][..], true));

    job.due = NOW.after(Duration::from_secs(600));
    let again = run(&job, failed.clone(), except(&[(THREE, 131_026)]));
    assert_eq!(again.asked, ["/v26.0/106", ONE, THREE, "/v26.0/106"]);
    assert!(again.live.unwrap_err().words.contains("2 of 3"));

    job.due = NOW.after(Duration::from_secs(900));
    let third = run(&job, again.step, except(&[]));
    assert_eq!(third.asked, ["/v26.0/106", THREE]);
    let ids: Vec<_> = third.live.unwrap().into_iter().map(|live| live.id).collect();
    assert_eq!(ids, [TWO, ONE, THREE].map(|to| format!("wamid.{to}")));

    // While Meta is away nothing is decided, and those names are not lost.
    let away = run(&job, failed, |_| reply(503, Value::Null)).live.unwrap_err();
    assert_eq!(away.kind, RefusalKind::Unavailable);
}

#[test]
fn a_list_that_was_changed_meanwhile_sends_nothing_twice() {
    let job = with(&[("recipients", &format!("{THREE}\n{TWO}\n{ONE}"))], to_three());
    let ended = run(&job, sending("", &[ONE], &[]), except(&[]));
    assert_eq!(ended.asked, [THREE, TWO]);
    assert_eq!(ended.live.unwrap().len(), 3);
}

#[test]
fn what_is_wrong_with_the_message_stops_it_where_it_is() {
    let job = to_three();
    let ended = run(&job, begun(), except(&[(TWO, 132_001)]));
    let refusal = ended.live.unwrap_err();
    assert_eq!((refusal.kind, refusal.code.as_str()), (RefusalKind::Rejected, "132001"));
    assert!(refusal.words.contains(TWO) && refusal.words.contains("1 of 3"), "{}", refusal.words);
    let again = run(&job, ended.step, except(&[]));
    assert_eq!(again.asked, [TWO, THREE]);
}

#[test]
fn a_file_that_is_lost_in_the_middle_goes_up_once_more() {
    let image = media(1, MediaKind::Image, "image/png");
    let mut job = to_three();
    job.parts = vec![part("Look", vec![image])];
    let lost = |uploads: u32| {
        let mut step = sending("901", &[ONE], &[]);
        step["Send"]["progress"]["uploads"] = json!(uploads);
        connector().accept(&step, &job, &reply(400, error(131_053))).unwrap()
    };
    let Ok(Next::Go(step)) = lost(1) else { panic!("it is not uploaded again") };
    assert_eq!(path_of(&connector().request(&step, &job).unwrap()), "/v26.0/106/media");
    assert_eq!(connector().live(&step, &job).unwrap().len(), 1);
    assert_eq!(lost(2).unwrap_err().kind, RefusalKind::Media);
    let first = connector().accept(&sending("901", &[], &[]), &job, &reply(400, error(131_053)));
    assert_eq!(first.unwrap().unwrap_err().kind, RefusalKind::Media, "the engine begins anew");
}

/// The table of error codes, complete but for those of one recipient.
#[test]
fn refusals_are_read_as_documented() {
    use RefusalKind::{Media, Rejected, Revoked, Throttled, Unavailable};
    let rest = |seconds| Throttled {
        until: Some(NOW.after(Duration::from_secs(seconds))),
        scope: PaceScope::Account,
    };
    let of_the_app =
        Throttled { until: Some(NOW.after(Duration::from_secs(3_600))), scope: PaceScope::App };
    let table: &[(&[i64], RefusalKind)] = &[
        (&[0, 190], Revoked),
        (&[3, 10, 200, 210, 299, 131_005], Revoked),
        (&[4], of_the_app),
        (&[80_007], rest(3_600)),
        (&[130_429], rest(60)),
        (&[131_056], rest(6)),
        (&[131_048], rest(86_400)),
        (&[368, 131_031, 131_037, 131_042, 131_045, 133_010], Revoked),
        (&[100, 131_008, 131_009, 131_051], Rejected),
        (&[131_052, 131_053], Media),
        (&[132_000, 132_001, 132_005, 132_007, 132_012, 132_015, 132_016, 132_018], Rejected),
        (&[1, 2, 131_000, 131_016, 131_057, 133_004], Unavailable),
    ];
    for (codes, kind) in table {
        let row = |code: &i64| Row { status: 400, header: None, body: error(*code), kind: *kind };
        check_rows(connector(), &to_three(), &begun(), codes.iter().map(row).collect());
    }
    let expired = json!({ "error": { "message": "Expired", "code": 190, "error_subcode": 463 } });
    let rows = vec![
        Row { status: 401, header: None, body: expired, kind: Revoked },
        Row { status: 200, header: None, body: error(131_016), kind: Unavailable },
    ];
    check_rows(connector(), &to_three(), &begun(), rows);
    let upload = json!({ "Upload": { "progress": {
        "file": "", "uploads": 0, "sent": [], "refused": [],
    } } });
    let mut job = to_three();
    job.parts = vec![part("Look", vec![media(1, MediaKind::Image, "image/png")])];
    let row = |code, kind| Row { status: 400, header: None, body: error(code), kind };
    let rows = vec![row(100, Media), row(131_053, Media), row(190, Revoked), row(131_005, Revoked)];
    check_rows(connector(), &job, &upload, rows);
}

#[test]
fn codes_of_one_recipient_go_on_with_the_next() {
    let job = to_three();
    let codes = [33, 131_021, 131_026, 131_030, 131_047, 131_049, 130_472, 131_050, 130_497];
    for code in codes {
        let next = connector().accept(&begun(), &job, &reply(400, error(code))).unwrap().unwrap();
        let Next::Go(step) = next else { panic!("{code}: {next:?}") };
        assert_eq!(json_of(&connector().request(&step, &job).unwrap())["to"], TWO, "{code}");
    }
}

#[test]
fn nothing_is_looked_for() {
    let job = to_three();
    assert_eq!(connector().probe(&begun(), &job).unwrap(), None);
    let seen = connector().recognise(&begun(), &job, &reply(200, json!([]))).unwrap();
    assert!(matches!(seen, Sighting::Unsure(_)));
}

fn found(options: &[(&str, &str)], text: &str, has_file: bool) -> Vec<(String, &'static str)> {
    let mut base = with(options, job(connector(), &FAKE, vec![part(text, Vec::new())]));
    if !options.iter().any(|(name, _)| *name == "recipients") {
        base.options.remove("recipients");
    }
    if has_file {
        base.parts[0].media.push(media(1, MediaKind::Image, "image/png"));
    }
    let draft = Draft { parts: &base.parts, options: &base.options, author: &base.author };
    let findings = connector().check(&draft);
    findings
        .into_iter()
        .map(|finding| match finding {
            Finding::Error(problem) => (problem.place, "error"),
            Finding::Warning(problem) => (problem.place, "warning"),
        })
        .collect()
}

#[test]
fn recipients_and_templates_are_checked_while_planning() {
    let template = [("format", "template"), ("template", "a_1"), ("language", "de")];
    let to = [("recipients", ONE)];
    let fine = [template.as_slice(), to.as_slice()].concat();
    assert_eq!(found(&fine, "", false), []);
    let session = ("content.options.format".to_owned(), "warning");
    assert_eq!(found(&to, "Hi", false), std::slice::from_ref(&session));
    let wrong = |place: &str| (format!("content.options.{place}"), "error");
    assert_eq!(found(&template, "", false), [wrong("recipients")]);
    for number in ["4915112345678", "+49 151 12345", "+0123456789", "+123", "+1234567890123456"] {
        let options = [("recipients", number)];
        assert_eq!(found(&options, "Hi", false)[0], wrong("recipients"), "{number}");
    }
    let twice = format!("{ONE}\n{ONE}");
    assert_eq!(found(&[("recipients", &twice)], "Hi", false)[0], wrong("recipients"));
    let unnamed = [("format", "template"), ("template", "Sale!"), ("recipients", ONE)];
    assert_eq!(found(&unnamed, "", false), [wrong("template"), wrong("language")]);
    let stray = [("template", "a"), ("template_parameters", "b"), ("recipients", ONE)];
    let expected = [wrong("template"), wrong("template_parameters"), session.clone()];
    assert_eq!(found(&stray, "Hi", false), expected);
    let long = "x".repeat(1_025);
    let expected = [("content.parts[0].text".to_owned(), "error"), session.clone()];
    assert_eq!(found(&to, &long, true), expected);
    assert_eq!(found(&to, &long, false), std::slice::from_ref(&session));
    assert_eq!(found(&to, &long[1..], true), [session]);
}

/// The tests that run errands.
pub(crate) const ERRANDS: &[fn()] = &[a_number_is_asked_for_with_what_was_pasted];

#[test]
fn a_number_is_asked_for_with_what_was_pasted() {
    let task = Task::SignIn { identifier: "106".to_owned() };
    let number = json!({
        "id": "106", "display_phone_number": "+1 555-012-3456", "verified_name": "Jasper's",
    });
    let ran = run_errand(connector(), &task, site(&FAKE), |_| reply(200, number.clone()));
    assert_eq!((path_of(&ran.sent[0]).as_str(), ran.sent[0].auth), ("/v26.0/106", Auth::Access));
    let Outcome::Admitted(who) = ran.outcome.unwrap() else { panic!("it is not admitted") };
    assert_eq!((who.remote_id.as_str(), who.name.as_str()), ("106", "Jasper's"));
    assert_eq!(who.url, "https://wa.me/15550123456");
    let refuse = |status, body: Value| {
        let ran = run_errand(connector(), &task, site(&FAKE), |_| reply(status, body.clone()));
        ran.outcome.unwrap_err().kind
    };
    assert_eq!(refuse(401, error(190)), RefusalKind::Revoked);
    assert_eq!(refuse(200, json!({ "id": "106" })), RefusalKind::Unreadable);
}

#[test]
fn an_id_of_a_number_is_not_the_number() {
    let paste = |identifier: &str| {
        connector().paste(Paste {
            login: String::new(),
            identifier: identifier.to_owned(),
            secret: Secret::new("EAA"),
        })
    };
    assert!(paste("106540352242922").is_ok());
    for wrong in ["+15550123456", "106/messages", "me"] {
        assert_eq!(paste(wrong).unwrap_err().place, "identifier");
    }
}
