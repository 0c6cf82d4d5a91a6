//! Signing in, choosing an organization, giving access back, taking down, changing.

use super::*;

/// The tests that run errands.
pub(crate) const ERRANDS: &[fn()] = &[
    a_member_is_told_by_openid,
    organizations_are_listed_page_by_page_and_those_without_a_right_say_why,
    many_organizations_do_not_make_too_many_requests,
    nobody_without_an_organization_is_asked_further,
    access_of_a_member_is_given_back_and_one_that_is_shared_is_not,
    a_post_is_taken_down_with_what_is_below_it,
    the_text_of_a_post_is_changed_and_a_comment_is_not,
];

fn site(login: &str) -> Site {
    Site { login: login.to_owned(), version: "202609".to_owned(), ..crate::fake::site(&FAKE) }
}

fn run(task: &Task, login: &str, answer: impl FnMut(&Request) -> Reply) -> Ran {
    run_errand(connector(), task, site(login), answer)
}

#[test]
fn each_kind_of_account_has_an_app_of_its_own() {
    let logins: Vec<_> = connector()
        .profile()
        .logins
        .iter()
        .map(|login| match login {
            Login::OAuth(oauth) => (oauth.name, oauth.app),
            Login::Pasted(_) => panic!("LinkedIn has no app passwords"),
        })
        .collect();
    assert_eq!(logins, [("member", "linkedin"), ("organization", "linkedin_organization")]);
}

#[test]
fn a_member_is_told_by_openid() {
    let body = json!({ "sub": "782bbtaQ", "name": "Ada L", "picture": "https://media.example/1" });
    let ran = run(&Task::Identify, "member", |_| reply(200, body.clone()));
    assert_eq!(ran.sent[0].url, "https://api.linkedin.com/v2/userinfo");
    assert_eq!(ran.sent[0].headers, []);
    let Ok(Outcome::Identified(identity)) = ran.outcome else { panic!("{:?}", ran.outcome) };
    assert_eq!((identity.remote_id.as_str(), identity.handle.as_str()), (PERSON, "Ada L"));
    assert_eq!(identity.picture, "https://media.example/1");
    assert_eq!(identity.traits["kind"], "member");
    let ran = run(&Task::Identify, "member", |_| reply(200, json!({ "name": "Ada" })));
    assert_eq!(ran.outcome.unwrap_err().kind, RefusalKind::Unreadable);
}

/// `organization` and `role` of one element.
fn role(number: u32, role: &str) -> Value {
    let organization = format!("urn:li:organization:{number}");
    json!({ "organization": organization, "role": role, "state": "APPROVED" })
}

fn targets(ran: Ran) -> Vec<Target> {
    let Ok(Outcome::Discovered { targets, scopes: None }) = ran.outcome else {
        panic!("{:?}", ran.outcome)
    };
    ran.found.into_iter().chain(targets).collect()
}

#[test]
fn organizations_are_listed_page_by_page_and_those_without_a_right_say_why() {
    let mut roles = vec![role(1, "ANALYST"), role(2, "CONTENT_ADMINISTRATOR")];
    // Two roles of one organization, on two pages.
    roles.extend(vec![role(3, "LEAD_GEN_FORMS_MANAGER"); 98]);
    let second = [
        role(3, "ADMINISTRATOR"),
        json!({
            "organizationTarget": "urn:li:organization:4",
            "role": "DIRECT_SPONSORED_CONTENT_POSTER",
        }),
        json!({
            "organization": "urn:li:organization:5", "role": "ADMINISTRATOR",
            "state": "REQUESTED",
        }),
    ];
    let ran = run(&Task::Discover, "organization", |request| {
        assert!(request.headers.contains(&("linkedin-version", "202609".to_owned())));
        match (path_of(request).as_str(), query_of(request, "start").as_deref()) {
            ("/rest/organizationAcls", Some("0")) => reply(200, listed(&roles)),
            ("/rest/organizationAcls", Some("100")) => reply(200, listed(&second)),
            ("/rest/organizations/4", _) => reply(403, json!({ "message": "Not yours" })),
            (path, _) => {
                let number = path.strip_prefix("/rest/organizations/").unwrap();
                let name = format!("Page {number}");
                let vanity = (number != "2").then(|| format!("page-{number}"));
                reply(200, json!({ "localizedName": name, "vanityName": vanity }))
            }
        }
    });
    assert_eq!(
        ran.sent[0].url,
        "https://api.linkedin.com/rest/organizationAcls?q=roleAssignee&state=APPROVED&start=0\
         &count=100"
    );
    let targets = targets(ran);
    let seen: Vec<_> = targets
        .iter()
        .map(|target| {
            let Identity { remote_id, name, url, .. } = &target.identity;
            let obstacle = target.obstacle.as_deref().unwrap_or("none");
            (remote_id.as_str(), name.as_str(), url.as_str(), obstacle)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("urn:li:organization:2", "Page 2", "https://www.linkedin.com/company/2/", "none"),
            ("urn:li:organization:3", "Page 3", "https://www.linkedin.com/company/page-3/", "none"),
            (
                "urn:li:organization:4",
                "Organization 4",
                "https://www.linkedin.com/company/4/",
                "LinkedIn shows the app nothing of this page (Not yours)."
            ),
            (
                "urn:li:organization:1",
                "Page 1",
                "https://www.linkedin.com/company/page-1/",
                "Your role on this page (ANALYST) may not post; an administrator of the page can \
                 make you a content administrator."
            ),
        ]
    );
    assert!(targets.iter().all(|target| target.identity.traits["kind"] == "organization"));
    assert!(targets.iter().all(|target| target.access.is_none()));
}

#[test]
fn many_organizations_do_not_make_too_many_requests() {
    let roles: Vec<Value> = (1..=80).map(|number| role(number, "ADMINISTRATOR")).collect();
    let ran = run(&Task::Discover, "organization", |request| match path_of(request).as_str() {
        "/rest/organizationAcls" => reply(200, listed(&roles)),
        path => reply(200, json!({ "localizedName": path })),
    });
    assert!(ran.sent.len() < 50, "{}", ran.sent.len());
    let names: Vec<String> = targets(ran).into_iter().map(|target| target.identity.name).collect();
    assert_eq!(names.len(), 80);
    assert_eq!((&*names[0], &*names[79]), ("/rest/organizations/1", "Organization 80"));
}

#[test]
fn nobody_without_an_organization_is_asked_further() {
    let ran = run(&Task::Discover, "organization", |_| reply(200, listed(&[])));
    assert_eq!(ran.sent.len(), 1);
    assert_eq!(targets(ran), []);
    for body in [json!({}), json!({ "elements": [{ "role": "ADMINISTRATOR" }] })] {
        let ran = run(&Task::Discover, "organization", |_| reply(200, body.clone()));
        assert_eq!(ran.outcome.unwrap_err().kind, RefusalKind::Unreadable, "{body}");
    }
}

#[test]
fn access_of_a_member_is_given_back_and_one_that_is_shared_is_not() {
    let revoked = run(&Task::Revoke, "member", |_| reply(200, Value::Null));
    assert_eq!(revoked.outcome, Ok(Outcome::Finished));
    assert_eq!(revoked.sent[0].url, "https://www.linkedin.com/oauth/v2/revoke");
    let secrets: Vec<_> =
        revoked.sent[0].fills.iter().map(|fill| (&*fill.place, fill.secret)).collect();
    let wanted = [
        ("client_id", SecretName::ClientId),
        ("client_secret", SecretName::ClientSecret),
        ("token", SecretName::Access),
    ];
    assert_eq!(secrets, wanted);
    assert_eq!(revoked.sent[0].auth, Auth::None);

    let shared = Site { login: "organization".to_owned(), ..Site::default() };
    assert_eq!(connector().errand(&Task::Revoke, &shared), None);
}

#[test]
fn a_post_is_taken_down_with_what_is_below_it() {
    let live = |id: &str| Live { id: id.to_owned(), url: "https://l".to_owned() };
    let task = Task::Remove { live: vec![live("urn:li:share:9"), live("66360")] };
    for (status, is_done) in [(204, true), (404, true), (403, false), (500, false)] {
        let ran = run(&task, "organization", |_| reply(status, Value::Null));
        assert_eq!(ran.sent.len(), 1);
        assert_eq!(ran.sent[0].method, Method::Delete);
        assert_eq!(ran.sent[0].url, "https://api.linkedin.com/rest/posts/urn%3Ali%3Ashare%3A9");
        assert_eq!(ran.outcome.is_ok(), is_done, "{status}");
    }
    assert_eq!(connector().errand(&Task::Remove { live: Vec::new() }, &Site::default()), None);
}

#[test]
fn the_text_of_a_post_is_changed_and_a_comment_is_not() {
    let live = || vec![Live { id: "urn:li:share:9".to_owned(), url: "https://l".to_owned() }];
    let task = |index| Task::Edit { live: live(), index, text: "New (text)".to_owned() };
    let ran = run(&task(0), "member", |_| reply(204, Value::Null));
    assert_eq!(ran.outcome, Ok(Outcome::Edited(live())));
    assert_eq!(ran.sent[0].url, "https://api.linkedin.com/rest/posts/urn%3Ali%3Ashare%3A9");
    assert!(ran.sent[0].headers.contains(&("x-restli-method", "PARTIAL_UPDATE".to_owned())));
    let wanted = json!({ "patch": { "$set": { "commentary": r"New \(text\)" } } });
    assert_eq!(json_of(&ran.sent[0]), &wanted);
    assert_eq!(connector().errand(&task(1), &Site::default()), None);
    let ran = run(&task(0), "member", |_| reply(404, Value::Null));
    assert_eq!(ran.outcome.unwrap_err().kind, RefusalKind::Rejected);
}
