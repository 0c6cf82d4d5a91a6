//! Publishing a container, reposting, deleting, and how much of the quota is used.

use serde_json::{Value, json};

use crate::sandbox::{
    Platform,
    ledger::{Face, LedgerEntry},
    text::{http_links, pieces},
};

use super::{
    Answer, Books, Call, Caller, DELETES, EPOCH, ID_BITS, POSTS, REPLIES, Reply, Room, Rule,
    Threads,
    containers::{Fate, Status},
    invalid, missing,
    nodes::{Nature, Post},
    parameters::{Kind, Role, text},
    refusal,
};

impl Threads {
    pub(super) fn publish(&mut self, call: &Call, caller: Caller, books: &mut Books) -> Reply {
        let given = call.parameters();
        let id = text(&given, "creation_id");
        let id = id.ok_or_else(|| invalid("The parameter creation_id is required."))?;
        let names = given.as_object().into_iter().flat_map(|object| object.keys());
        let known = |name: &&String| ["creation_id", "access_token"].contains(&name.as_str());
        if let Some(unknown) = names.into_iter().find(|name| !known(name)) {
            return Err(invalid(&format!("Unknown parameter {unknown}")));
        }
        let id = id.parse().map_err(|_| not_there())?;
        self.publish_container(call, caller, id, books)
    }

    /// No page says how a second publication of a container is refused, nor one that failed or is
    /// too old. All are taken for what is not there to be published: nothing is, and its status
    /// tells the rest.
    pub(super) fn publish_container(
        &mut self,
        call: &Call,
        caller: Caller,
        creation: u64,
        books: &mut Books,
    ) -> Reply {
        let container = self.containers.get(&creation);
        let container = container.filter(|container| container.account == caller.account);
        let container = container.ok_or_else(not_there)?;
        let finished = container.status(call.now) == Status::Finished;
        if !finished || container.wanted.role == Role::Item {
            return Err(not_there());
        }
        let answers = container.wanted.reply_to;
        if let Some(parent) = answers.filter(|parent| self.live(*parent, call.now).is_none()) {
            return Err(missing(&parent.to_string()));
        }
        let rule = if answers.is_some() { &REPLIES } else { &POSTS };
        if self.meter.spend(caller.account, rule, 1, call.now).room == Room::Exceeded {
            return Err(quota_used());
        }
        let id = books.chance.snowflake(call.now, EPOCH, ID_BITS);
        let shortcode = books.chance.word(11);
        let Some(container) = self.containers.get_mut(&creation) else {
            return Err(not_there());
        };
        container.fate = Fate::Published;
        let wanted = &container.wanted;
        let face = Face {
            pieces: linked(&wanted.text),
            warning: wanted.spoiler.then(|| "Spoiler".to_owned()),
            card: wanted.card.clone(),
            poll: wanted.poll.clone(),
            marks: wanted.marks.clone(),
            ..Face::default()
        };
        let post = Post {
            account: caller.account,
            nature: Nature::of(wanted.kind),
            text: wanted.text.clone(),
            media: container.media.clone(),
            alt: wanted.alt.clone(),
            poll: wanted.poll.clone(),
            link: wanted.card.as_ref().map(|card| card.url.clone()),
            topic: wanted.topic.clone(),
            audience: wanted.audience.clone(),
            reply_to: answers,
            quotes: wanted.quotes,
            shortcode,
            at: call.now,
            ends_at: wanted.ghost.then(|| call.now.after(POSTS.window)),
            deleted: false,
        };
        Ok(self.place(call, id, post, face, books))
    }

    /// Keeps what readers see from now on, and tells its id.
    fn place(&mut self, call: &Call, id: u64, post: Post, face: Face, books: &mut Books) -> Answer {
        let person = self.people.get(post.account);
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Threads,
            account: person.id.clone(),
            handle: person.handle.clone(),
            id: id.to_string(),
            url: format!("{}/@{}/post/{}", call.base, person.handle, post.shortcode),
            text: post.text.clone(),
            media: post.media.clone(),
            reply_to: post.reply_to.map(|id| id.to_string()),
            idempotency_key: None,
            deleted_at: None,
            face,
        });
        self.shortcodes.insert(post.shortcode.clone(), id);
        self.timelines.entry(post.account).or_default().push(id);
        self.posts.insert(id, post);
        Answer::json(200, &json!({ "id": id.to_string() }))
    }

    pub(super) fn repost(
        &mut self,
        call: &Call,
        caller: Caller,
        of: &str,
        books: &mut Books,
    ) -> Reply {
        let number = of.parse().unwrap_or_default();
        if self.live(number, call.now).is_none() {
            return Err(missing(of));
        }
        if self.meter.spend(caller.account, &POSTS, 1, call.now).room == Room::Exceeded {
            return Err(quota_used());
        }
        let id = books.chance.snowflake(call.now, EPOCH, ID_BITS);
        let post = Post::repost(caller.account, number, books.chance.word(11), call.now);
        let face = Face { marks: vec![format!("reposts {of}")], ..Face::default() };
        Ok(self.place(call, id, post, face, books))
    }

    pub(super) fn delete(
        &mut self,
        call: &Call,
        caller: Caller,
        id: &str,
        books: &mut Books,
    ) -> Reply {
        let number = id.parse().unwrap_or_default();
        let own = self.live(number, call.now).is_some_and(|post| post.account == caller.account);
        if !own {
            return Err(missing(id));
        }
        if self.meter.spend(caller.account, &DELETES, 1, call.now).room == Room::Exceeded {
            return Err(quota_used());
        }
        if let Some(post) = self.posts.get_mut(&number) {
            post.deleted = true;
        }
        books.ledger.mark_deleted(Platform::Threads, id, call.now);
        Ok(Answer::json(200, &json!({ "success": true, "deleted_id": id })))
    }

    pub(super) fn quota(&mut self, call: &Call, caller: Caller) -> Reply {
        let mut used = |rule: &Rule| {
            // Asking costs nothing, and opens the window that it tells about.
            let reading = self.meter.spend(caller.account, rule, 0, call.now);
            (
                json!(reading.limit - reading.remaining),
                json!({ "quota_total": reading.limit, "quota_duration": rule.window.as_secs() }),
            )
        };
        let kinds = [("", &POSTS), ("reply_", &REPLIES), ("delete_", &DELETES)];
        let asked = call.query("fields").unwrap_or("quota_usage,config");
        let mut row = json!({});
        for field in asked.split(',') {
            let found =
                kinds.iter().find_map(|(prefix, rule)| match field.strip_prefix(prefix)? {
                    "quota_usage" => Some(used(rule).0),
                    "config" => Some(used(rule).1),
                    _ => None,
                });
            let found: Value = found.ok_or_else(|| super::nodes::no_field(field))?;
            row[field] = found;
        }
        Ok(Answer::json(200, &json!({ "data": [row] })))
    }
}

fn linked(text: &str) -> Vec<crate::sandbox::ledger::Piece> {
    let links = http_links(text).into_iter();
    let links: Vec<_> = links.map(|range| (range.clone(), text[range].to_owned())).collect();
    pieces(text, &links)
}

impl Nature {
    fn of(kind: Kind) -> Nature {
        match kind {
            Kind::Text => Nature::Text,
            Kind::Image => Nature::Image,
            Kind::Video => Nature::Video,
            Kind::Carousel => Nature::Carousel,
        }
    }
}

/// Also for a container that is not ready.
pub(super) fn not_there() -> Answer {
    refusal(400, 24, Some(4_279_009), "The requested resource does not exist")
}

/// No page gives the number; 9 is what Instagram says of its quota.
fn quota_used() -> Answer {
    let text = "(#9) The maximum number of posts for this period has been reached";
    refusal(403, 9, None, text)
}
