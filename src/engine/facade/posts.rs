//! Posts: made, read, changed, cancelled.

use std::collections::BTreeMap;

use crate::{
    domain::{
        delivery::{Delivery, State},
        event::{Event, EventKind},
        ids::{AccountId, DeliveryId, OrganizationId, PostId},
        organization::Actor,
        post::{Plan, Post, PostStage},
        problem::{Code, Problem},
        time::Timestamp,
    },
    engine::{
        Answer, Engine,
        core::Halt,
        facade::{
            Caller, Listing, NewPost, Once, Page, PlanRequest, PostEdit, PostView, Repeated,
            TargetValidation, Validation, pieces, remembered, validation,
        },
        journal::{self, Tale},
        transitions::{self, Change},
    },
    policy::{agenda, permission::Verb},
    store::{Read, View},
};

/// Makes ids beforehand, because a commit draws no random numbers.
struct Ids {
    now: Timestamp,
    post: PostId,
    deliveries: Vec<DeliveryId>,
}

impl Engine {
    /// Answers when the post, its deliveries and their timers are on disk. With `once`, a request
    /// that arrives again is answered with the post that it made the first time.
    pub async fn create_post(
        &self,
        caller: &Caller,
        post: NewPost,
        once: Option<Once>,
    ) -> Answer<(PostView, Repeated)> {
        caller.may(Verb::PostsCreate)?;
        if !matches!(post.plan, PlanRequest::Draft) {
            caller.may(Verb::PostsPlan)?;
        }
        self.refuse_when_stopping()?;
        let organization = caller.organization;
        if let Some(view) = self.made_before(caller, once.as_ref())? {
            return Ok((view, Repeated::Yes));
        }
        let now = self.core.now();
        let validation =
            validation::validate(&self.core, caller, &post, now).map_err(Problem::from)?;
        refuse_unless_draft(&post.plan, &validation)?;
        let planned = validation::plan(&post.plan, now)?;
        let ids = self.ids(now, post.targets.len());
        let platforms = platforms(&validation);
        let actor = caller.actor.clone();
        let due = planned.due;
        let made = self
            .core
            .commit_at_door("create post", move |view| {
                if let Some(made) = remembered::find(view, organization, once.as_ref())? {
                    return Ok(Err(made));
                }
                let made = write_new(view, organization, actor, post, planned, ids, &platforms)?;
                let id = made.post.id.to_string();
                remembered::note(view, organization, once.as_ref(), id, now)?;
                Ok(Ok(made))
            })
            .await?;
        match made {
            Ok(view) => {
                if let Some(due) = due {
                    self.planned(agenda::first_timer(due, now));
                }
                Ok((view, Repeated::No))
            }
            Err(made) => Ok((self.read_post(caller, parse(&made)?)?, Repeated::Yes)),
        }
    }

    fn made_before(&self, caller: &Caller, once: Option<&Once>) -> Answer<Option<PostView>> {
        let made =
            remembered::find(&self.core.store, caller.organization, once).map_err(Problem::from)?;
        made.map(|made| self.read_post(caller, parse(&made)?)).transpose()
    }

    fn ids(&self, now: Timestamp, targets: usize) -> Ids {
        let number = || self.core.entropy.number();
        Ids {
            now,
            post: PostId::new(now, number()),
            deliveries: (0..targets).map(|_| DeliveryId::new(now, number())).collect(),
        }
    }

    /// What would happen, without doing it.
    pub fn validate_post(&self, caller: &Caller, post: &NewPost) -> Answer<Validation> {
        caller.may(Verb::PostsValidate)?;
        validation::validate(&self.core, caller, post, self.core.now()).map_err(Problem::from)
    }

    pub fn posts(&self, caller: &Caller, page: &Page) -> Answer<Listing<PostView>> {
        caller.may(Verb::PostsList)?;
        let tenant = self.core.store.organization(caller.organization);
        let found = pieces::sifted(
            page,
            |before, limit| Ok(tenant.posts(before, limit)?),
            |post| post.id,
            |post| caller.sees_post(post),
        )?;
        let items = found
            .items
            .into_iter()
            .map(|post| self.with_deliveries(post))
            .collect::<Answer<Vec<_>>>()?;
        Ok(Listing { items, next: found.next })
    }

    pub fn post(&self, caller: &Caller, id: PostId) -> Answer<PostView> {
        caller.may(Verb::PostsShow)?;
        self.read_post(caller, id)
    }

    fn read_post(&self, caller: &Caller, id: PostId) -> Answer<PostView> {
        let post = self.core.store.organization(caller.organization).post(id)?;
        let post = post.filter(|post| caller.sees_post(post));
        self.with_deliveries(post.ok_or_else(|| missing(id))?)
    }

    fn with_deliveries(&self, post: Post) -> Answer<PostView> {
        let tenant = self.core.store.organization(post.organization);
        let mut deliveries = Vec::with_capacity(post.deliveries.len());
        for &id in &post.deliveries {
            deliveries.extend(tenant.delivery(id)?);
        }
        Ok(PostView { post, deliveries })
    }

    /// Changes what has not begun to go out. An edit that arrives twice says the same twice.
    pub async fn edit_post(&self, caller: &Caller, id: PostId, edit: PostEdit) -> Answer<PostView> {
        caller.may(Verb::PostsEdit)?;
        self.refuse_when_stopping()?;
        let organization = caller.organization;
        let before = self.read_post(caller, id)?;
        let now = self.core.now();
        let (draft, plan_given) = merged(&before.post, edit.clone());
        if !matches!(draft.plan, PlanRequest::Draft) || before.post.stage == PostStage::Planned {
            caller.may(Verb::PostsPlan)?;
        }
        let validation =
            validation::validate(&self.core, caller, &draft, now).map_err(Problem::from)?;
        // A plan that is left as it is may have come near meanwhile; only a new one is judged.
        let judged = Validation {
            problems: validation
                .problems
                .into_iter()
                .filter(|problem| plan_given || problem.place != "plan")
                .collect(),
            ..validation
        };
        refuse_unless_draft(&draft.plan, &judged)?;
        let planned = match validation::plan(&draft.plan, now) {
            Ok(planned) => planned,
            Err(_) if !plan_given => {
                validation::Planned { plan: before.post.plan.clone(), due: Some(now) }
            }
            Err(problem) => return Err(problem),
        };
        let revision = edit.revision.unwrap_or(before.post.revision);
        let ids = self.ids(now, draft.targets.len());
        let platforms = platforms(&judged);
        let (actor, due) = (caller.actor.clone(), planned.due);
        let view = self
            .core
            .commit_at_door("edit post", move |view| {
                let edited = Edited { revision, draft, planned, plan_given, ids, platforms, actor };
                write_edit(view, organization, id, edited)
            })
            .await?;
        if let Some(due) = due {
            self.planned(agenda::first_timer(due, now));
        }
        self.wake_targets(&view);
        Ok(view)
    }

    fn wake_targets(&self, view: &PostView) {
        for delivery in &view.deliveries {
            self.wake(delivery.organization, delivery.account);
        }
    }

    /// Cancels everything of it that has not gone out and is not just going out. Arriving twice it
    /// changes nothing the second time.
    pub async fn cancel_post(&self, caller: &Caller, id: PostId) -> Answer<PostView> {
        caller.may(Verb::PostsCancel)?;
        let (organization, actor, now) =
            (caller.organization, caller.actor.clone(), self.core.now());
        let planned = self.read_post(caller, id)?.post.stage == PostStage::Planned;
        if planned {
            caller.may(Verb::PostsPlan)?;
        }
        let view = self
            .core
            .commit_at_door("cancel post", move |view| {
                let mut post = view.post(organization, id)?.ok_or_else(|| missing(id))?;
                let mut deliveries = Vec::with_capacity(post.deliveries.len());
                for &delivery in &post.deliveries {
                    let Some(delivery) = view.delivery(organization, delivery)? else { continue };
                    deliveries.push(if transitions::can_cancel(&delivery) {
                        transitions::cancel(view, delivery, &actor, now)?
                    } else {
                        delivery
                    });
                }
                let all_live = deliveries
                    .iter()
                    .all(|delivery| matches!(delivery.state, State::Published { .. }));
                if all_live && !deliveries.is_empty() {
                    return Err(Problem::new(
                        Code::WrongState,
                        "The post is published; nothing of it is left to cancel.",
                        "Remove its deliveries to take it down.",
                    )
                    .into());
                }
                if post.stage != PostStage::Cancelled {
                    post.stage = PostStage::Cancelled;
                    post.revision += 1;
                    let kind = EventKind::PostCancelled;
                    let tale = Tale::of(organization, now, &actor, kind, "The post is cancelled.");
                    post.events.push(journal::tell(view, tale.about_post(id))?);
                    view.put_post(&post)?;
                }
                Ok(PostView { post, deliveries })
            })
            .await?;
        self.wake_targets(&view);
        Ok(view)
    }

    /// Oldest first: everything that happened to the post and its deliveries.
    pub fn timeline(&self, caller: &Caller, id: PostId) -> Answer<Vec<Event>> {
        caller.may(Verb::PostsTimeline)?;
        let view = self.post(caller, id)?;
        let deliveries = view.deliveries.iter().flat_map(|delivery| &delivery.events);
        let mut sequences: Vec<u64> = view.post.events.iter().chain(deliveries).copied().collect();
        sequences.sort_unstable();
        let tenant = self.core.store.organization(caller.organization);
        let mut events = Vec::with_capacity(sequences.len());
        for sequence in sequences {
            // What retention has removed is left out.
            events.extend(tenant.event(sequence)?);
        }
        Ok(events)
    }
}

/// A draft may be unfinished, but not name what does not exist.
fn refuse_unless_draft(plan: &PlanRequest, validation: &Validation) -> Answer<()> {
    let problem = match plan {
        PlanRequest::Draft => {
            validation::verdict(&Validation { targets: Vec::new(), ..validation.clone() })
        }
        PlanRequest::Now | PlanRequest::At(_) | PlanRequest::Local { .. } => {
            validation::verdict(validation)
        }
    };
    problem.map_or(Ok(()), Err)
}

fn write_new(
    view: &mut View,
    organization: OrganizationId,
    actor: Actor,
    new: NewPost,
    planned: validation::Planned,
    ids: Ids,
    platforms: &Platforms,
) -> Result<PostView, Halt> {
    let Ids { now, post: id, deliveries } = ids;
    let stage = match planned.due {
        Some(_) => PostStage::Planned,
        None => PostStage::Draft,
    };
    let text = match planned.due {
        Some(due) if new.targets.len() == 1 => format!("Planned for {due}, to one account."),
        Some(due) => format!("Planned for {due}, to {} accounts.", new.targets.len()),
        None => "Saved as a draft.".to_owned(),
    };
    let tale = Tale::of(organization, now, &actor, EventKind::PostCreated, text);
    let event = journal::tell(view, tale.about_post(id))?;
    let mut post = Post {
        id,
        organization,
        content: new.content,
        variants: new.variants,
        targets: new.targets,
        plan: planned.plan,
        priority: new.priority,
        stage,
        created: now,
        author: actor,
        deliveries: Vec::new(),
        events: vec![event],
        revision: 1,
    };
    let mut made = Vec::new();
    if let Some(due) = planned.due {
        for (&account, delivery) in post.targets.iter().zip(deliveries) {
            let platform = platform_of(platforms, account)?;
            let delivery = new_delivery(&post, delivery, account, platform, due, now);
            transitions::place(view, None, &delivery)?;
            post.deliveries.push(delivery.id);
            made.push(delivery);
        }
    }
    view.put_new_post(&post);
    Ok(PostView { post, deliveries: made })
}

/// Read while validating. It still holds in the commit: an account never changes its platform and
/// is never deleted.
type Platforms = BTreeMap<AccountId, String>;

fn platforms(validation: &Validation) -> Platforms {
    let pair = |target: &TargetValidation| (target.account, target.platform.clone());
    validation.targets.iter().map(pair).collect()
}

fn platform_of(platforms: &Platforms, account: AccountId) -> Result<String, Halt> {
    match platforms.get(&account) {
        Some(platform) => Ok(platform.clone()),
        None => Err(Problem::new(
            Code::UnknownAccount,
            format!("There is no account {account}."),
            "List the accounts to find its id.",
        )
        .at("targets")
        .into()),
    }
}

fn new_delivery(
    post: &Post,
    id: DeliveryId,
    account: AccountId,
    platform: String,
    due: Timestamp,
    now: Timestamp,
) -> Delivery {
    Delivery {
        id,
        organization: post.organization,
        post: post.id,
        account,
        platform,
        due,
        priority: post.priority,
        state: State::Planned,
        attempt: 0,
        epoch: 0,
        failures: 0,
        crashes: 0,
        charged: false,
        step: Vec::new(),
        armed: None,
        timer: Some(agenda::first_timer(due, now)),
        live: Vec::new(),
        events: Vec::new(),
        created: now,
    }
}

/// The post as it would be, and whether the edit says when it goes out.
fn merged(post: &Post, edit: PostEdit) -> (NewPost, bool) {
    let plan_given = edit.plan.is_some();
    let plan = edit.plan.unwrap_or(match &post.plan {
        Plan::Draft => PlanRequest::Draft,
        Plan::Now => PlanRequest::At(post.created),
        Plan::At { at, .. } => PlanRequest::At(*at),
    });
    let new = NewPost {
        content: edit.content.unwrap_or_else(|| post.content.clone()),
        variants: edit.variants.unwrap_or_else(|| post.variants.clone()),
        targets: edit.targets.unwrap_or_else(|| post.targets.clone()),
        plan,
        priority: edit.priority.unwrap_or(post.priority),
    };
    (new, plan_given)
}

struct Edited {
    revision: u32,
    draft: NewPost,
    planned: validation::Planned,
    plan_given: bool,
    ids: Ids,
    platforms: Platforms,
    actor: Actor,
}

fn write_edit(
    view: &mut View,
    organization: OrganizationId,
    id: PostId,
    edited: Edited,
) -> Result<PostView, Halt> {
    let Edited { revision, draft, planned, plan_given, ids, platforms, actor } = edited;
    let now = ids.now;
    let mut post = view.post(organization, id)?.ok_or_else(|| missing(id))?;
    if post.revision != revision {
        return Err(Problem::new(
            Code::Conflict,
            format!("The post has changed: it is at revision {}.", post.revision),
            "Read it again and repeat your change on what it is now.",
        )
        .into());
    }
    if post.stage == PostStage::Cancelled {
        return Err(cancelled_already());
    }
    let mut known: BTreeMap<AccountId, Delivery> = BTreeMap::new();
    for &delivery in &post.deliveries {
        if let Some(delivery) = view.delivery(organization, delivery)? {
            refuse_if_begun(&delivery)?;
            known.insert(delivery.account, delivery);
        }
    }
    post.content = draft.content;
    post.variants = draft.variants;
    post.targets = draft.targets;
    post.priority = draft.priority;
    if plan_given {
        post.plan = planned.plan;
    }
    post.stage = if planned.due.is_some() { PostStage::Planned } else { PostStage::Draft };
    post.revision += 1;
    let text = match planned.due.filter(|_| plan_given) {
        Some(due) => format!("Edited; this is revision {}, planned for {due}.", post.revision),
        None => format!("Edited; this is revision {}.", post.revision),
    };
    let tale = Tale::of(organization, now, &actor, EventKind::PostEdited, text);
    post.events.push(journal::tell(view, tale.about_post(id))?);
    let mut deliveries = Vec::new();
    let mut fresh = ids.deliveries.into_iter();
    if let Some(due) = planned.due {
        for &account in &post.targets {
            let delivery = match known.remove(&account) {
                // Somebody does not want this one to go out; an edit is no change of mind.
                Some(before) if matches!(before.state, State::Cancelled { .. }) => before,
                Some(before) => replan(view, before, due, post.priority, plan_given, now)?,
                None => {
                    let Some(delivery) = fresh.next() else { continue };
                    let platform = platform_of(&platforms, account)?;
                    let delivery = new_delivery(&post, delivery, account, platform, due, now);
                    transitions::place(view, None, &delivery)?;
                    delivery
                }
            };
            deliveries.push(delivery);
        }
    }
    for (_, delivery) in known {
        if transitions::can_cancel(&delivery) {
            transitions::cancel(view, delivery, &actor, now)?;
        }
    }
    post.deliveries = deliveries.iter().map(|delivery| delivery.id).collect();
    view.put_post(&post)?;
    Ok(PostView { post, deliveries })
}

fn cancelled_already() -> Halt {
    Problem::new(
        Code::WrongState,
        "The post is cancelled; it cannot be edited.",
        "Make a new post.",
    )
    .into()
}

/// Nothing that was prepared for the old content is used for the new one.
fn replan(
    view: &mut View,
    before: Delivery,
    due: Timestamp,
    priority: u8,
    plan_given: bool,
    now: Timestamp,
) -> Result<Delivery, Halt> {
    let mut change = Change::of(before);
    let delivery = &mut change.after;
    if plan_given {
        delivery.due = due;
    }
    delivery.priority = priority;
    delivery.step = Vec::new();
    delivery.failures = 0;
    delivery.crashes = 0;
    delivery.charged = false;
    // Whoever is staging it holds an older attempt, and is turned away.
    delivery.attempt += 1;
    transitions::plan(delivery, now);
    change.write(view)
}

/// Edited is only what nobody can have seen and what is not on its way.
fn refuse_if_begun(delivery: &Delivery) -> Result<(), Halt> {
    let begun = match &delivery.state {
        State::Planned
        | State::Staging
        | State::Held { .. }
        | State::Cancelled { .. }
        | State::Failed { .. }
        | State::Waiting { .. }
        | State::Ready => delivery.armed.is_some() || !delivery.live.is_empty(),
        State::Running | State::InDoubt { .. } | State::Published { .. } => true,
    };
    if !begun {
        return Ok(());
    }
    Err(Problem::new(
        Code::WrongState,
        format!("The delivery {} is {} already.", delivery.id, delivery.state.name()),
        "Edit a post before its time; what is live can be removed and planned anew.",
    )
    .into())
}

fn parse(id: &str) -> Answer<PostId> {
    id.parse().map_err(|_| crate::engine::core::unexpected("a remembered id is none"))
}

pub(super) fn missing(id: PostId) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("There is no post {id}."),
        "List the posts to find its id.",
    )
}
