//! Comments: of a page below its posts, of an Instagram account below its media.

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        Platform,
        ledger::Face,
        shelf,
        text::{http_links, pieces},
    },
};

use super::{
    Answer, Books, Call, Door, Meta, Node, Public, Reply,
    asset::{Asset, fetched},
    fields::shown,
    listing::Listed,
    new_id,
    parameters::Parameters,
    posts::Item,
    refusal::{Lasting, envelope, forbidden, invalid, refuse},
    stamp,
    tokens::{Subject, Token},
};

const CHARS_MAX: usize = 8_000;

pub(super) struct Comment {
    pub(super) author: Subject,
    pub(super) id: String,
    /// A post, a photo or video without one, or a medium.
    pub(super) on: Node,
    parent: Option<usize>,
    pub(super) text: String,
    asset: Option<Asset>,
    at: Timestamp,
    pub(super) deleted: bool,
}

impl Comment {
    fn platform(&self) -> Platform {
        match self.author {
            Subject::Profile(_) => Platform::Instagram,
            Subject::Page(_) | Subject::Person(_) => Platform::Facebook,
        }
    }
}

impl Meta {
    pub(super) fn create_comment(
        &mut self,
        call: &Call,
        token: &Token,
        (node, edge): (Node, &str),
        books: &mut Books,
    ) -> Reply {
        let author = self.may_comment(call, token, node, edge)?;
        let known: &[&str] = match author {
            Subject::Profile(_) => &["message"],
            Subject::Page(_) | Subject::Person(_) => {
                &["message", "attachment_url", "attachment_id"]
            }
        };
        let parameters = Parameters::read(call, known)?;
        let text = parameters.words("message")?;
        if text.chars().count() > CHARS_MAX {
            return Err(invalid("Param message is too long"));
        }
        let asset = self.comment_asset(call, author, &parameters, books)?;
        if text.trim().is_empty() && asset.is_none() {
            return Err(invalid("The parameter message is required"));
        }
        let (on, parent) = if let Node::Comment(parent) = node {
            (self.comments[parent].on, Some(parent))
        } else {
            (self.post_of(node), None)
        };
        let own = new_id(&mut books.chance, call.now);
        let id = if let Node::Post(post) = on {
            let post = self.posts[post].id.rsplit('_').next().unwrap_or_default();
            format!("{post}_{own}")
        } else {
            own
        };
        let number = self.comments.len();
        self.nodes.insert(id.clone(), Node::Comment(number));
        let (at, deleted) = (call.now, false);
        self.comments.push(Comment {
            author,
            id: id.clone(),
            on,
            parent,
            text,
            asset,
            at,
            deleted,
        });
        self.tell_of_comment(call, number, books);
        match parameters.has("fields") {
            // The comment is there all the same.
            true => {
                let text = "An error occurred while reading the comment that was created";
                Err(envelope(400, 20, Some(1_772_107), text, Lasting::Permanent))
            }
            false => Ok(Answer::json(200, &json!({ "id": id }))),
        }
    }

    /// In whose name.
    fn may_comment(
        &self,
        call: &Call,
        token: &Token,
        node: Node,
        edge: &str,
    ) -> Result<Subject, Answer> {
        let below = self.holder(node);
        if let Node::Media(media) = node
            && !self.takes_comments(media)
        {
            return Err(forbidden("Comments are turned off for this media"));
        }
        let answers = matches!(node, Node::Comment(_));
        match below {
            Subject::Profile(profile) => {
                self.need_on_instagram(call, token, "manage_comments")?;
                match (edge, answers) {
                    ("comments", false) | ("replies", true) => Ok(Subject::Profile(profile)),
                    _ => Err(invalid("Comments are answered at replies, media at comments")),
                }
            }
            Subject::Page(page) if edge == "comments" => {
                let is_own = token.subject == Subject::Page(page);
                match is_own && self.tokens.carries(token, "pages_manage_engagement") {
                    true => Ok(Subject::Page(page)),
                    false => Err(forbidden(
                        "Requires a page access token with the pages_manage_engagement permission",
                    )),
                }
            }
            Subject::Page(_) | Subject::Person(_) => Err(invalid("There are no replies here")),
        }
    }

    fn comment_asset(
        &self,
        call: &Call,
        author: Subject,
        parameters: &Parameters,
        books: &mut Books,
    ) -> Result<Option<Asset>, Answer> {
        if parameters.has("attachment_id") {
            let id = parameters.id("attachment_id")?;
            return match self.nodes.get(&id) {
                Some(Node::Photo(photo))
                    if Subject::Page(self.photos[*photo].page) == author
                        && !self.photos[*photo].deleted =>
                {
                    Ok(Some(self.photos[*photo].asset.clone()))
                }
                Some(_) | None => Err(invalid("attachment_id is no photo of this page")),
            };
        }
        let Some(url) = parameters.text("attachment_url")? else {
            return Ok(None);
        };
        let bytes = fetched(call, url).ok();
        let image = bytes.filter(|bytes| shelf::sniff(bytes).starts_with("image/"));
        match image {
            Some(bytes) => Asset::keep(books, vec![bytes]).map(Some),
            None => Err(refuse(100, 2_069_019, "(#100) attachment_url could not be read")),
        }
    }

    /// The post around a photo or a video, if there is one.
    fn post_of(&self, node: Node) -> Node {
        let post = match node {
            Node::Photo(photo) => self.photos[photo].post,
            Node::Video(video) => self.videos[video].post,
            Node::Person(_)
            | Node::Business(_)
            | Node::Page(_)
            | Node::Post(_)
            | Node::Comment(_)
            | Node::Profile(_)
            | Node::Container(_)
            | Node::Media(_) => None,
        };
        let only = |post: &usize| {
            // A photo among several has comments of its own.
            let attached = &self.posts[*post].attached;
            attached.len() == 1 || matches!(attached.first(), Some(Item::Video(_)))
        };
        post.filter(only).map_or(node, Node::Post)
    }

    fn tell_of_comment(&self, call: &Call, number: usize, books: &mut Books) {
        let comment = &self.comments[number];
        let answered = match (comment.parent, comment.on) {
            (Some(parent), _) => self.comments[parent].id.clone(),
            (None, Node::Post(post)) => self.posts[post].id.clone(),
            (None, Node::Photo(photo)) => {
                let photo = &self.photos[photo];
                photo.post.map_or(photo.id.clone(), |post| self.posts[post].id.clone())
            }
            (None, Node::Video(video)) => self.videos[video].id.clone(),
            (None, Node::Media(media)) => self.media[media].id.clone(),
            (None, _) => String::new(),
        };
        let account = self.estate.id(comment.author, Door::of(call)).to_owned();
        let public = Public {
            subject: comment.author,
            account,
            id: comment.id.clone(),
            url: format!("{}/{}", call.base, comment.id),
            text: comment.text.clone(),
            media: comment.asset.iter().map(|asset| asset.for_ledger("")).collect(),
            reply_to: Some(answered),
            label: Some("comment"),
            card: None,
        };
        self.record(call, books, public);
    }

    pub(super) fn is_in_a_comment(&self, photo: usize) -> bool {
        let shelf = self.photos[photo].asset.shelf;
        let shows = |asset: &Asset| asset.shelf == shelf;
        self.comments.iter().any(|comment| comment.asset.as_ref().is_some_and(shows))
    }

    fn comment_json(&self, call: &Call, number: usize) -> Value {
        let comment = &self.comments[number];
        let parent = comment.parent.map(|parent| &self.comments[parent].id);
        let is_answer = |it: &&Comment| it.parent == Some(number) && !it.deleted;
        let answers = self.comments.iter().filter(is_answer).count();
        let handle = self.estate.handle(comment.author);
        match comment.author {
            Subject::Profile(profile) => {
                let id = self.estate.profiles[profile].id_at(Door::of(call));
                let media = if let Node::Media(media) = comment.on {
                    Some(json!({ "id": self.media[media].id }))
                } else {
                    None
                };
                json!({ "id": comment.id, "text": comment.text, "timestamp": stamp(comment.at),
                    "username": handle, "from": { "id": id, "username": handle }, "like_count": 0,
                    "hidden": false, "parent_id": parent, "media": media, "user": { "id": id } })
            }
            Subject::Page(_) | Subject::Person(_) => {
                let id = self.estate.id(comment.author, Door::Facebook);
                let from = json!({ "id": id, "name": handle });
                let parent = parent.map(|id| json!({ "id": id }));
                json!({ "id": comment.id, "message": comment.text, "from": from,
                    "created_time": stamp(comment.at), "parent": parent, "like_count": 0,
                    "comment_count": answers, "can_remove": true, "is_hidden": false,
                    "permalink_url": format!("{}/{}", call.base, comment.id),
                    "attachment": null })
            }
        }
    }

    fn usual(&self, number: usize) -> (&'static str, &'static str) {
        match self.comments[number].author {
            Subject::Profile(_) => ("IGComment", "id,text,timestamp"),
            Subject::Page(_) | Subject::Person(_) => ("Comment", "created_time,from,message,id"),
        }
    }

    fn may_read(&self, call: &Call, token: &Token, whose: Subject) -> Result<(), Answer> {
        match whose {
            Subject::Profile(_) => self.need_on_instagram(call, token, "manage_comments"),
            Subject::Page(_) | Subject::Person(_) => self.need(token, &["pages_read_engagement"]),
        }
    }

    pub(super) fn read_comment(&self, call: &Call, token: &Token, number: usize) -> Reply {
        self.may_read(call, token, self.comments[number].author)?;
        let (kind, usual) = self.usual(number);
        let body = self.comment_json(call, number);
        Ok(Answer::json(200, &shown(call, &body, kind, usual)?))
    }

    /// Oldest first, as Facebook's `chronological` has it; Instagram shows the newest first.
    pub(super) fn comments_on(
        &self,
        call: &Call,
        token: &Token,
        (node, edge): (Node, &str),
        asked: &Parameters,
    ) -> Result<Listed, Answer> {
        let whose = self.holder(node);
        self.may_read(call, token, whose)?;
        let filter = asked.choice("filter", &["stream", "toplevel"])?;
        let orders = ["chronological", "reverse_chronological"];
        let order = asked.choice("order", &orders)?;
        let on_instagram = matches!(whose, Subject::Profile(_));
        let place = self.post_of(node);
        let is_listed = |comment: &Comment| {
            let is_here = if let Node::Comment(parent) = node {
                comment.parent == Some(parent)
            } else {
                let is_top = comment.parent.is_none();
                comment.on == place && (is_top || filter == Some("stream"))
            };
            is_here && !comment.deleted
        };
        if edge == "replies" && !on_instagram {
            return Err(invalid("There are no replies here"));
        }
        let own = self.comments.iter().enumerate().filter(|(_, comment)| is_listed(comment));
        let mut nodes: Vec<(Timestamp, Value)> =
            own.map(|(number, it)| (it.at, self.comment_json(call, number))).collect();
        if on_instagram || order == Some("reverse_chronological") {
            nodes.reverse();
        }
        let (kind, usual) = match on_instagram {
            true => ("IGComment", "id,text,timestamp"),
            false => ("Comment", "created_time,from,message,id"),
        };
        Ok(Listed { kind, usual, nodes })
    }

    pub(super) fn edit_comment(
        &mut self,
        call: &Call,
        token: &Token,
        number: usize,
        books: &mut Books,
    ) -> Reply {
        self.may_comment(call, token, Node::Comment(number), "comments")?;
        let parameters = Parameters::read(call, &["message"])?;
        let text = parameters.required("message")?.to_owned();
        let links = http_links(&text).into_iter().map(|it| (it.clone(), text[it].to_owned()));
        let links: Vec<_> = links.collect();
        let comment = &mut self.comments[number];
        let label = Some("comment");
        let face = Face { pieces: pieces(&text, &links), label, ..Face::default() };
        books.ledger.mark_edited(Platform::Facebook, &comment.id, &text, face);
        comment.text = text;
        Ok(Answer::json(200, &json!({ "success": true })))
    }

    pub(super) fn delete_comment(
        &mut self,
        call: &Call,
        token: &Token,
        number: usize,
        books: &mut Books,
    ) -> Result<(), Answer> {
        let edge = match self.comments[number].author {
            Subject::Profile(_) => "replies",
            Subject::Page(_) | Subject::Person(_) => "comments",
        };
        self.may_comment(call, token, Node::Comment(number), edge)?;
        let comment = &mut self.comments[number];
        comment.deleted = true;
        books.ledger.mark_deleted(comment.platform(), &comment.id, call.now);
        Ok(())
    }
}
