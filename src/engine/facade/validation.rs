//! The one validation: of a new post, of an edit, and of the dry run.

use std::collections::BTreeSet;

use crate::{
    connectors::{Draft, Finding, Site},
    domain::{
        account::{Account, Connection},
        media::MediaKind,
        platform::{FORMAT, Intake},
        post::{Content, Plan, VariantFor},
        problem::{Code, Problem},
        time::{LocalTime, Timestamp},
    },
    engine::{
        core::{Core, Halt, connector_named},
        facade::{Caller, Measure, NewPost, PlanRequest, TargetValidation, Validation},
        jobs,
    },
    net::guard,
    policy::{
        agenda::{self, PlanVerdict},
        fit::{self, Candidate},
        reach::{self, Fetch},
    },
    store::Read,
};

/// More would be a slip, and one commit has to hold them all.
const TARGETS_MAX: usize = 100;

/// What a plan comes to.
pub(super) struct Planned {
    pub(super) plan: Plan,
    /// `None` for a draft.
    pub(super) due: Option<Timestamp>,
}

pub(super) fn plan(request: &PlanRequest, now: Timestamp) -> Result<Planned, Problem> {
    let (at, local) = match request {
        PlanRequest::Draft => return Ok(Planned { plan: Plan::Draft, due: None }),
        PlanRequest::Now => return Ok(Planned { plan: Plan::Now, due: Some(now) }),
        PlanRequest::At(at) => (*at, None),
        PlanRequest::Local { wall, zone } => {
            let unreadable = |what: String| {
                Problem::new(
                    Code::PlanUnreadable,
                    format!("The plan cannot be read: {what}."),
                    "Give `local` with `wall` as `2026-11-21T09:00` and `zone` as `Europe/Berlin`, or \
                     `at` as `2026-11-21T09:00:00Z`.",
                )
                .at("plan")
            };
            let local =
                LocalTime::parse(wall, zone).map_err(|error| unreadable(error.to_string()))?;
            let at =
                local.instant().ok_or_else(|| unreadable("that time is before 1970".to_owned()))?;
            let chosen = crate::domain::post::ChosenTime { wall: wall.clone(), zone: zone.clone() };
            (at, Some(chosen))
        }
    };
    match agenda::accept_plan(at, now) {
        PlanVerdict::Accept(due) => Ok(Planned { plan: Plan::At { at, local }, due: Some(due) }),
        PlanVerdict::Past => Err(Problem::new(
            Code::PlanInThePast,
            format!("The planned time {at} has passed; it is {now}."),
            "Choose a later time, or plan it for `now`.",
        )
        .at("plan")),
        PlanVerdict::TooFarAhead => Err(Problem::new(
            Code::PlanUnreadable,
            format!("The planned time {at} is more than ten years ahead."),
            "Check the year, and that seconds were not given as milliseconds.",
        )
        .at("plan")),
    }
}

/// Everything that is wrong with a post, for every target.
pub(super) fn validate(
    core: &Core,
    caller: &Caller,
    post: &NewPost,
    now: Timestamp,
) -> Result<Validation, Halt> {
    let mut problems = Vec::new();
    let planned = plan(&post.plan, now);
    let due = match &planned {
        Ok(planned) => planned.due,
        Err(problem) => {
            problems.push(problem.clone());
            None
        }
    };
    problems.extend(fit::check_priority(post.priority));
    problems.extend(check_targets(post));
    problems.extend(check_variants(post));
    let mut targets = Vec::with_capacity(post.targets.len());
    for (at, &target) in post.targets.iter().take(TARGETS_MAX).enumerate() {
        let place = format!("targets[{at}]");
        let account = core.store.account(caller.organization, target)?;
        match account.filter(|_| caller.sees(target)) {
            Some(account) => {
                let mut found = fits(core, post, &account)?;
                found.errors.extend(check_connection(&account, &place));
                targets.push(found);
            }
            None => problems.push(
                Problem::new(
                    Code::UnknownAccount,
                    format!("There is no account {target}."),
                    "List the accounts to find its id.",
                )
                .at(place),
            ),
        }
    }
    Ok(Validation { problems, targets, due })
}

fn check_targets(post: &NewPost) -> Vec<Problem> {
    let mut problems = Vec::new();
    if post.targets.is_empty() && !matches!(post.plan, PlanRequest::Draft) {
        problems.push(
            Problem::new(
                Code::Invalid,
                "The post is planned, but for no account.",
                "Name at least one account in `targets`, or save it as a draft.",
            )
            .at("targets"),
        );
    }
    if post.targets.len() > TARGETS_MAX {
        let found = post.targets.len();
        problems.push(
            Problem::new(
                Code::Invalid,
                format!("The post has {found} targets; at most {TARGETS_MAX} are possible."),
                "Make several posts.",
            )
            .at("targets"),
        );
    }
    let mut seen = BTreeSet::new();
    for (at, target) in post.targets.iter().enumerate() {
        if !seen.insert(target) {
            problems.push(
                Problem::new(
                    Code::Invalid,
                    format!("The account {target} is named twice; it would be posted to twice."),
                    "Name each account once.",
                )
                .at(format!("targets[{at}]")),
            );
        }
    }
    problems
}

/// A variant for nobody is a slip that would silently publish something else.
fn check_variants(post: &NewPost) -> Vec<Problem> {
    let mut problems = Vec::new();
    for variant in post.variants.keys() {
        match variant {
            VariantFor::Platform(platform) => problems.extend(
                connector_named(platform)
                    .err()
                    .map(|problem| problem.at(format!("variants.{platform}"))),
            ),
            VariantFor::Account(account) if !post.targets.contains(account) => problems.push(
                Problem::new(
                    Code::UnknownAccount,
                    format!("There is a variant for {account}, which is not a target."),
                    "Add it to `targets`, or leave the variant out.",
                )
                .at(format!("variants.{account}")),
            ),
            VariantFor::Account(_) => (),
        }
    }
    problems
}

fn check_connection(account: &Account, place: &str) -> Option<Problem> {
    match &account.connection {
        Connection::Connected | Connection::NeedsAttention { .. } => None,
        // What is planned now may well be after the reconnection; it is held if not.
        Connection::NeedsReconnection { .. } => None,
        Connection::Disconnected { .. } => Some(
            Problem::new(
                Code::AccountNotConnected,
                format!("The account {} is disconnected.", account.identity.handle),
                "Connect it again, or leave it out.",
            )
            .at(place),
        ),
    }
}

fn fits(core: &Core, post: &NewPost, account: &Account) -> Result<TargetValidation, Halt> {
    fits_content(core, content_for(post, account), account)
}

/// What is wrong with `content` for one account.
pub(super) fn fits_content(
    core: &Core,
    content: &Content,
    account: &Account,
) -> Result<TargetValidation, Halt> {
    let connector = connector_named(&account.platform).map_err(Halt::from)?;
    let media = jobs::media_of(&core.store, account.organization, content)?;
    let profile = connector.profile();
    let mut errors = fit::check_options(&content.options, profile, &crate::engine::platforms());
    // An unknown format is complained of among the options.
    let format = content.options.get(FORMAT).map_or("", String::as_str);
    let (limits, kinds) = profile.format(format).unwrap_or((&profile.limits, profile.kinds));
    let limits = fit::limits_of(*limits, &account.identity.limits);
    let platform = profile.name;
    let findings = fit::check(&Candidate { platform, limits, kinds, content, media: &media });
    errors.extend(findings.errors);
    let kinds = media.values().map(|media| media.kind);
    let site = core.account_site(connector, account);
    errors.extend(can_fetch(platform, &site, &core.public_url, limits.intake, kinds));
    let mut warnings = findings.warnings;
    let parts = jobs::parts(content, &media, |_| String::new());
    let draft = Draft { parts: &parts, options: &content.options, author: &account.identity };
    for finding in connector.check(&draft) {
        match finding {
            Finding::Error(problem) => errors.push(problem),
            Finding::Warning(problem) => warnings.push(problem),
        }
    }
    let measures = findings
        .measures
        .iter()
        .map(|measure| Measure { part: measure.part, used: measure.used, max: measure.max })
        .collect();
    Ok(TargetValidation {
        account: account.id,
        platform: account.platform.clone(),
        errors,
        warnings,
        measures,
    })
}

/// Whether the platform can fetch the files from us, where it takes them no other way.
fn can_fetch(
    platform: &str,
    site: &Site,
    public_url: &str,
    intake: Intake,
    files: impl Iterator<Item = MediaKind>,
) -> Option<Problem> {
    let endpoints: Vec<&str> = site.endpoints.values().map(String::as_str).collect();
    let is_public = guard::is_public;
    let fetch = Fetch { platform, intake, public_url, endpoints: &endpoints, is_public };
    reach::check(&fetch, files).map(|problem| problem.at("content"))
}

fn content_for<'a>(post: &'a NewPost, account: &Account) -> &'a Content {
    post.variants
        .get(&VariantFor::Account(account.id))
        .or_else(|| post.variants.get(&VariantFor::Platform(account.platform.clone())))
        .unwrap_or(&post.content)
}

/// One problem that carries all of them. `None`: it may be published.
pub(super) fn verdict(validation: &Validation) -> Option<Problem> {
    let mut details = validation.problems.clone();
    for target in &validation.targets {
        for error in &target.errors {
            let sentence = format!("{} ({}, {})", error.sentence, target.platform, target.account);
            details.push(Problem { sentence, ..error.clone() });
        }
    }
    if details.len() == 1 {
        return details.pop();
    }
    let first = details.first()?;
    let mut problem = Problem::new(
        Code::Invalid,
        format!("{} things are wrong with this post; the first: {}", details.len(), first.sentence),
        "Mend what `errors` names; nothing was saved.",
    );
    problem.details = details;
    Some(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platform_that_fetches_needs_a_public_address_unless_it_is_at_home_itself() {
        let ask = |endpoint: &str, public_url: &str| {
            let endpoints = [("api".to_owned(), endpoint.to_owned())].into_iter().collect();
            let site = Site { endpoints, ..Site::default() };
            let files = [MediaKind::Image].into_iter();
            can_fetch("Testagram", &site, public_url, Intake::ImagesByUrl, files)
        };
        let outside = "https://graph.testagram.com";
        assert_eq!(ask(outside, "https://posts.example.org"), None);
        assert_eq!(ask("http://127.0.0.1:7701", "http://127.0.0.1:7700"), None);
        for private in ["https://100.64.0.1", "https://[fd00::1]", "http://127.0.0.1:7700"] {
            let problem = ask(outside, private).unwrap();
            assert!(problem.sentence.contains(private), "{}", problem.sentence);
            assert_eq!(problem.place, "content");
        }
    }
}
