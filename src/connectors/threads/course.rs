//! From one step to the next: what an answer means for the course of a delivery.

use std::time::Duration;

use super::{
    Earned, Making, NAMELESS, Step, WEB, container,
    container::Status,
    listing::{self, Listing, Sought},
    refusal,
};
use crate::{
    connectors::{Job, JobMedia, Next, Reply},
    domain::{
        delivery::Live,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};

/// Until what was just published can be answered.
const PARENT_LAG: Duration = Duration::from_secs(5);
const PARENT_TRIES_MAX: u32 = 12;

/// Until a list shows what was just published.
const LIST_LAG: Duration = Duration::from_secs(20);
const LOOKS_MAX: u32 = 8;

impl Step {
    pub(super) fn after(self, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match self {
            Step::Quota => {
                container::room(job.parts.len(), reply)?;
                Ok(Next::Go(Step::after_item(Earned::default(), job)))
            }
            Step::Item { mut earned } => {
                earned.items.push(container::id(reply)?);
                Ok(Next::Go(Step::after_item(earned, job)))
            }
            Step::ItemReady { earned, ready, polls } => {
                Ok(match container::progress(reply, polls)? {
                    Status::Wait(wait) => {
                        Next::Wait(wait, Step::ItemReady { earned, ready, polls: polls + 1 })
                    }
                    Status::Ready | Status::Published => {
                        Next::Go(Step::after_ready_item(earned, ready + 1))
                    }
                })
            }
            Step::Container { earned, .. } => {
                let container = container::id(reply)?;
                Ok(Next::Go(Step::Ready { earned, container, polls: 0, tried: None }))
            }
            Step::Ready { earned, container, polls, tried } => {
                Ok(match container::progress(reply, polls)? {
                    Status::Wait(wait) => {
                        let polls = polls + 1;
                        Next::Wait(wait, Step::Ready { earned, container, polls, tried })
                    }
                    Status::Ready => Next::Go(Step::Publish { earned, container, polls }),
                    Status::Published => {
                        let since = tried.unwrap_or(job.due);
                        Next::Go(Step::Find { earned, container, since, looks: 0 })
                    }
                })
            }
            Step::Publish { mut earned, .. } => {
                earned.sent.push(container::id(reply)?);
                Ok(Step::after_post(earned, job))
            }
            Step::Find { earned, container, since, looks } => {
                Step::after_look(earned, container, since, looks, job, reply)
            }
            Step::Address { earned, addresses } => {
                let address = reply.body["permalink"].as_str().unwrap_or_default();
                Ok(Step::after_address(earned, addresses, address, job))
            }
        }
    }

    pub(super) fn after_refusal(self, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        let refusal = refusal::of_step(&self, reply);
        let is_absent = refusal::says_absent(reply);
        match self {
            // The limit is for Threads to keep. Only that it could not be read for now, or at all
            // with these tokens, is a reason to stop here.
            Step::Quota if refusal.kind == RefusalKind::Rejected => {
                Ok(Next::Go(Step::after_item(Earned::default(), job)))
            }
            // What was published a moment ago is not known everywhere yet.
            Step::Container { earned, tries }
                if is_absent && !earned.sent.is_empty() && tries < PARENT_TRIES_MAX =>
            {
                Ok(Next::Wait(PARENT_LAG, Step::Container { earned, tries: tries + 1 }))
            }
            Step::ItemReady { earned, ready, polls }
                if is_absent && polls < container::POLLS_MAX =>
            {
                let (wait, polls) = (container::wait(polls), polls + 1);
                Ok(Next::Wait(wait, Step::ItemReady { earned, ready, polls }))
            }
            Step::Ready { earned, container, polls, tried }
                if is_absent && polls < container::POLLS_MAX =>
            {
                let wait = container::wait(polls);
                Ok(Next::Wait(wait, Step::Ready { earned, container, polls: polls + 1, tried }))
            }
            // A definite no: it is not ready. A new container would not be either.
            Step::Publish { earned, container, polls }
                if refusal::says_early(reply) && polls < container::POLLS_MAX =>
            {
                let (wait, polls) = (container::wait(polls), polls + 1);
                let tried = Some(job.armed.unwrap_or(job.due));
                Ok(Next::Wait(wait, Step::Ready { earned, container, polls, tried }))
            }
            Step::Address { earned, addresses } if refusal.kind == RefusalKind::Rejected => {
                Ok(Step::after_address(earned, addresses, "", job))
            }
            Step::Quota
            | Step::Item { .. }
            | Step::ItemReady { .. }
            | Step::Container { .. }
            | Step::Ready { .. }
            | Step::Publish { .. }
            | Step::Find { .. }
            | Step::Address { .. } => Err(refusal),
        }
    }

    /// Every item is made before the first is waited for: Threads fetches them side by side.
    fn after_item(earned: Earned, job: &Job) -> Step {
        if earned.items.len() < items_before(job.parts.len(), job) {
            return Step::Item { earned };
        }
        let ready = items_before(earned.sent.len(), job);
        Step::after_ready_item(earned, ready)
    }

    fn after_ready_item(earned: Earned, ready: usize) -> Step {
        match ready < earned.items.len() {
            true => Step::ItemReady { earned, ready, polls: 0 },
            false => Step::Container { earned, tries: 0 },
        }
    }

    fn after_post(earned: Earned, job: &Job) -> Next<Step> {
        match earned.sent.len() < job.parts.len() {
            true => Next::Go(Step::Container { earned, tries: 0 }),
            false => Step::after_addresses(earned, Vec::new(), job),
        }
    }

    fn after_look(
        mut earned: Earned,
        container: String,
        since: Timestamp,
        looks: u32,
        job: &Job,
        reply: &Reply,
    ) -> Result<Next<Step>, Refusal> {
        let text = &job.parts[earned.sent.len()].text;
        let sought = Sought { text, sent: &earned.sent, since, taken: &job.taken };
        let reason = match listing::search(&sought, reply) {
            Listing::Found(id) => {
                earned.sent.push(id);
                return Ok(Step::after_post(earned, job));
            }
            Listing::Unknown(_) if looks < LOOKS_MAX => {
                let looks = looks + 1;
                return Ok(Next::Wait(LIST_LAG, Step::Find { earned, container, since, looks }));
            }
            Listing::Unknown(reason) => reason,
        };
        let earned = with_nameless(earned, &container);
        if earned.sent.len() == job.parts.len() {
            return Ok(Step::after_post(earned, job));
        }
        let words = format!(
            "part {} is published, but its answer was lost and its id is not to be found \
             ({reason}), so nothing can be written below it; look at Threads, and go on there",
            earned.sent.len()
        );
        Err(Refusal::new(RefusalKind::Rejected, "id_unknown", words))
    }

    fn after_address(
        earned: Earned,
        mut addresses: Vec<String>,
        address: &str,
        job: &Job,
    ) -> Next<Step> {
        let is_usable = address.starts_with("https://") || address.starts_with("http://");
        addresses.push(if is_usable { address.to_owned() } else { String::new() });
        Step::after_addresses(earned, addresses, job)
    }

    fn after_addresses(earned: Earned, mut addresses: Vec<String>, job: &Job) -> Next<Step> {
        while earned.sent.get(addresses.len()).is_some_and(|id| id.starts_with(NAMELESS)) {
            addresses.push(String::new());
        }
        match addresses.len() < earned.sent.len() {
            true => Next::Go(Step::Address { earned, addresses }),
            false => Next::Done(live(&earned.sent, &addresses, job)),
        }
    }

    /// Containers are kept for a day, so a thread that was held back half-way may find its last
    /// ones gone. They are made once more, and what is live stays. Before that nothing is done
    /// here: a delivery without a live part begins anew by itself.
    pub(super) fn again(self, refusal: &Refusal, job: &Job) -> Option<Step> {
        let is_lost = refusal.kind == RefusalKind::Media;
        let earned = match self {
            Step::Item { earned }
            | Step::ItemReady { earned, .. }
            | Step::Ready { earned, .. }
            | Step::Publish { earned, .. } => Some(earned).filter(|_| is_lost),
            // How a container of items that are gone is refused is not documented.
            Step::Container { earned, .. } => {
                let number = earned.sent.len();
                let has_items = job.parts[number].media.len() > 1;
                let is_refused = has_items && refusal.kind == RefusalKind::Rejected;
                Some(earned).filter(|_| is_lost || is_refused)
            }
            Step::Quota | Step::Find { .. } | Step::Address { .. } => None,
        };
        let mut earned = earned?;
        if earned.sent.is_empty() || earned.making == Making::Again {
            return None;
        }
        earned.making = Making::Again;
        earned.items.truncate(items_before(earned.sent.len(), job));
        Some(Step::after_item(earned, job))
    }
}

/// The files of a part that get a container of their own before anything is live. The children of
/// carousels need them. The single file of a later part does not, but its real container can only
/// be made below a live part: a file that Threads does not take is found out here, for two calls,
/// and not in the middle of a thread.
pub(super) fn items_of(part: usize, job: &Job) -> &[JobMedia] {
    let media = &job.parts[part].media;
    match (part, media.len()) {
        (0, 1) => &[],
        _ => media,
    }
}

pub(super) fn items_before(part: usize, job: &Job) -> usize {
    (0..part).map(|part| items_of(part, job).len()).sum()
}

pub(super) fn next_item<'a>(earned: &Earned, job: &'a Job) -> &'a JobMedia {
    let mut items = (0..job.parts.len()).flat_map(|part| items_of(part, job));
    items.nth(earned.items.len()).expect("an item step has an item left")
}

pub(super) fn with_nameless(mut earned: Earned, container: &str) -> Earned {
    earned.sent.push(format!("{NAMELESS}{container}"));
    earned
}

/// Where the address of a post is not known, that of the account is better than none.
pub(super) fn live(sent: &[String], addresses: &[String], job: &Job) -> Vec<Live> {
    let account = || job.site.url(WEB, &format!("/@{}", job.author.handle));
    let address = |number: usize| {
        addresses.get(number).filter(|url| !url.is_empty()).cloned().unwrap_or_else(account)
    };
    let live = |(number, id): (usize, &String)| Live { id: id.clone(), url: address(number) };
    sent.iter().enumerate().map(live).collect()
}
