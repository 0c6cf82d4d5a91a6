//! Nodes and edges: who may reach which, and what each answers.

use serde_json::Value;

use crate::domain::time::Timestamp;

use super::{
    Answer, Books, Call, Door, Meta, Node, Reply,
    address::token_of,
    estate::PAGE_USUAL,
    fields::shown,
    listing::{Listed, PAGED},
    parameters::Parameters,
    refusal::{
        Lasting, envelope, forbidden, invalid, missing_object, not_granted, unknown_path,
        unreadable_token,
    },
    tokens::{Subject, Token, check_proof},
    usage::Usage,
};

const NOT_AN_ADMIN: &str = "If posting to a page, requires both pages_read_engagement and \
    pages_manage_posts as an admin with sufficient administrative permission";

impl Meta {
    pub(super) fn graph(
        &mut self,
        call: &Call,
        path: &[&str],
        books: &mut Books,
        usage: &mut Option<Usage>,
    ) -> Reply {
        let [id, edge @ ..] = path else {
            return Err(unknown_path(""));
        };
        let token = self.authenticate(call)?;
        check_proof(call.parameters()["appsecret_proof"].as_str(), &token.text)?;
        let door = Door::of(call);
        if matches!(token.subject, Subject::Profile(_)) != (door == Door::Instagram) {
            return Err(unreadable_token());
        }
        let node = self.reached(call, &token, id)?;
        self.spend(call, &token, node, usage)?;
        let method = call.method.as_str();
        match (node, method, edge) {
            (_, "GET", []) => self.read(call, &token, node, books),
            (_, "POST", []) => self.change(call, &token, node, books),
            (_, "DELETE", []) => self.remove(call, &token, node, id, books),
            (Node::Person(_), "DELETE", ["permissions"]) => {
                Parameters::read(call, &[])?;
                self.withdraw(&token, None)
            }
            (Node::Person(_), "DELETE", ["permissions", scope]) => {
                Parameters::read(call, &[])?;
                self.withdraw(&token, Some(scope))
            }
            (_, "GET", [edge]) => self.list(call, &token, (node, edge), books),
            (_, "POST", [edge]) => self.create(call, &token, (node, edge), books),
            (_, method, _) => Err(missing_object(method, id)),
        }
    }

    pub(super) fn authenticate(&self, call: &Call) -> Result<Token, Answer> {
        let Some(text) = token_of(call) else {
            let message = "An access token is required to request this resource.";
            return Err(envelope(400, 104, None, message, Lasting::Permanent));
        };
        self.tokens.judge(&text, call.now).cloned()
    }

    /// Whose a node is.
    pub(super) fn holder(&self, node: Node) -> Subject {
        match node {
            Node::Person(person) => Subject::Person(person),
            Node::Business(business) => Subject::Person(self.estate.owner_of_business(business)),
            Node::Page(page) => Subject::Page(page),
            Node::Post(post) => Subject::Page(self.posts[post].page),
            Node::Photo(photo) => Subject::Page(self.photos[photo].page),
            Node::Video(video) => Subject::Page(self.videos[video].page),
            Node::Comment(comment) => self.comments[comment].author,
            Node::Profile(profile) => Subject::Profile(profile),
            Node::Container(container) => Subject::Profile(self.containers[container].profile),
            Node::Media(media) => Subject::Profile(self.media[media].profile),
        }
    }

    /// The node of that id, if it is there and the token reaches it.
    pub(super) fn reached(&self, call: &Call, token: &Token, id: &str) -> Result<Node, Answer> {
        let missing = || missing_object(call.method.as_str(), id);
        if id == "me" {
            return Ok(match token.subject {
                Subject::Person(person) => Node::Person(person),
                Subject::Page(page) => Node::Page(page),
                Subject::Profile(profile) => Node::Profile(profile),
            });
        }
        let node = *self.nodes.get(id).ok_or_else(missing)?;
        let door = Door::of(call);
        let is_named_so = match node {
            Node::Profile(profile) => self.estate.profiles[profile].id_at(door) == id,
            Node::Container(container) => self.containers[container].door == door,
            Node::Person(_)
            | Node::Business(_)
            | Node::Page(_)
            | Node::Post(_)
            | Node::Photo(_)
            | Node::Video(_)
            | Node::Comment(_)
            | Node::Media(_) => true,
        };
        match is_named_so && self.exists(node) && self.reaches(token.subject, self.holder(node)) {
            true => Ok(node),
            false => Err(missing()),
        }
    }

    fn exists(&self, node: Node) -> bool {
        match node {
            Node::Person(_)
            | Node::Business(_)
            | Node::Page(_)
            | Node::Profile(_)
            | Node::Container(_) => true,
            Node::Post(post) => !self.posts[post].deleted,
            Node::Photo(photo) => !self.photos[photo].deleted,
            Node::Video(video) => !self.videos[video].deleted,
            Node::Media(media) => !self.media[media].deleted,
            // It goes with what it stands below.
            Node::Comment(comment) => {
                let comment = &self.comments[comment];
                !comment.deleted && self.exists(comment.on)
            }
        }
    }

    fn reaches(&self, who: Subject, whose: Subject) -> bool {
        match (who, whose) {
            (Subject::Person(person), Subject::Page(page)) => {
                self.estate.pages[page].owner == person
            }
            (Subject::Person(person), Subject::Profile(profile)) => {
                self.estate.owner_of_profile(profile) == Some(person)
            }
            (Subject::Page(page), Subject::Profile(profile)) => {
                self.estate.pages[page].profile == Some(profile)
            }
            (who, whose) => who == whose,
        }
    }

    /// All of the scopes, or the refusal of the reading edges.
    pub(super) fn need(&self, token: &Token, scopes: &[&str]) -> Result<(), Answer> {
        match scopes.iter().find(|scope| !self.tokens.carries(token, scope)) {
            Some(missing) => Err(not_granted(missing)),
            None => Ok(()),
        }
    }

    /// Facebook's and Instagram's own names for the same right.
    pub(super) fn need_on_instagram(
        &self,
        call: &Call,
        token: &Token,
        right: &str,
    ) -> Result<(), Answer> {
        let prefix = match Door::of(call) {
            Door::Facebook => "instagram",
            Door::Instagram => "instagram_business",
        };
        let (basic, right) = (format!("{prefix}_basic"), format!("{prefix}_{right}"));
        self.need(token, &[basic.as_str(), right.as_str()])
    }

    /// Only a page's own token posts there, with the scopes and the task for it.
    pub(super) fn may_post(&self, token: &Token, page: usize) -> Result<(), Answer> {
        let scopes = ["pages_manage_posts", "pages_read_engagement"];
        let is_own = token.subject == Subject::Page(page);
        let is_allowed = scopes.iter().all(|scope| self.tokens.carries(token, scope));
        let is_creator = self.estate.pages[page].tasks.contains(&"CREATE_CONTENT");
        match is_own && is_allowed && is_creator {
            true => Ok(()),
            false => Err(forbidden(NOT_AN_ADMIN)),
        }
    }

    fn read(&mut self, call: &Call, token: &Token, node: Node, books: &mut Books) -> Reply {
        Parameters::read(call, &[])?;
        let engagement = ["pages_read_engagement"];
        let (body, kind, usual): (Value, &str, &str) = match node {
            Node::Person(person) => (self.person_json(call, person), "User", "id,name"),
            Node::Business(business) => (self.business_json(business), "Business", "id,name"),
            Node::Page(page) => {
                self.need(token, &["pages_show_list"])?;
                let body = self.page_json(call, token, page, &mut books.chance);
                (body, "Page", PAGE_USUAL)
            }
            Node::Post(post) => {
                self.need(token, &engagement)?;
                (self.post_json(call, post), "PagePost", "id,created_time,message")
            }
            Node::Photo(photo) => {
                self.need(token, &engagement)?;
                (self.photo_json(call, photo), "Photo", "id,created_time,name")
            }
            Node::Video(video) => {
                self.need(token, &engagement)?;
                (self.video_json(call, video), "Video", "id,description,updated_time")
            }
            Node::Comment(comment) => {
                return self.read_comment(call, token, comment);
            }
            Node::Profile(profile) => {
                self.need_on_instagram(call, token, "basic")?;
                (self.profile_json(call, Door::of(call), profile), "IGUser", "id")
            }
            Node::Container(container) => {
                self.need_on_instagram(call, token, "basic")?;
                (self.container_json(container, call.now), "IGContainer", "id")
            }
            Node::Media(media) => {
                self.need_on_instagram(call, token, "basic")?;
                (self.media_json(call, media), "IGMedia", "id")
            }
        };
        Ok(Answer::json(200, &shown(call, &body, kind, usual)?))
    }

    fn change(&mut self, call: &Call, token: &Token, node: Node, books: &mut Books) -> Reply {
        match node {
            Node::Post(post) => self.edit_post(call, token, post, books),
            Node::Video(video) => self.edit_video(call, token, video, books),
            Node::Comment(comment) => self.edit_comment(call, token, comment, books),
            Node::Media(media) => self.edit_media(call, token, media),
            Node::Person(_)
            | Node::Business(_)
            | Node::Page(_)
            | Node::Photo(_)
            | Node::Profile(_)
            | Node::Container(_) => Err(invalid("This object cannot be changed here")),
        }
    }

    fn remove(
        &mut self,
        call: &Call,
        token: &Token,
        node: Node,
        id: &str,
        books: &mut Books,
    ) -> Reply {
        Parameters::read(call, &[])?;
        match node {
            Node::Post(post) => {
                self.may_post(token, self.posts[post].page)?;
                self.delete_post(call, post, books);
            }
            Node::Photo(photo) => {
                self.may_post(token, self.photos[photo].page)?;
                self.delete_photo(call, photo, books);
            }
            Node::Video(video) => {
                self.may_post(token, self.videos[video].page)?;
                self.delete_video(call, video, books);
            }
            Node::Comment(comment) => self.delete_comment(call, token, comment, books)?,
            Node::Media(media) => return self.delete_media(call, token, media, books),
            Node::Person(_)
            | Node::Business(_)
            | Node::Page(_)
            | Node::Profile(_)
            | Node::Container(_) => return Err(missing_object("delete", id)),
        }
        Ok(Answer::json(200, &serde_json::json!({ "success": true })))
    }

    fn list(
        &mut self,
        call: &Call,
        token: &Token,
        (node, edge): (Node, &str),
        books: &mut Books,
    ) -> Reply {
        let own: &[&str] = match edge {
            "comments" => &["filter", "order"],
            "stories" => &["status"],
            _ => &[],
        };
        let parameters = Parameters::read(call, &[&PAGED, own].concat())?;
        let listed = match (node, edge) {
            (Node::Person(_), "permissions") => return self.permissions(token),
            (Node::Person(person), "accounts") => {
                self.need(token, &["pages_show_list"])?;
                let pages = self.accounts_of(person);
                self.pages(call, token, pages, books)
            }
            (Node::Person(person), "businesses") => {
                self.need(token, &["business_management"])?;
                let nodes = self.businesses_json(person).into_iter();
                let nodes = nodes.map(|node| (Timestamp(0), node)).collect();
                Listed { kind: "Business", usual: "id,name", nodes }
            }
            (Node::Business(business), "owned_pages" | "client_pages") => {
                self.need(token, &["business_management"])?;
                let pages = self.pages_of_business(business, edge);
                self.pages(call, token, pages, books)
            }
            (Node::Page(page), "feed" | "published_posts") => {
                self.need(token, &["pages_read_engagement"])?;
                self.posts_of(call, page)
            }
            (Node::Page(page), "videos" | "video_reels") => {
                self.need(token, &["pages_read_engagement"])?;
                self.videos_of(call, page, edge)
            }
            (Node::Page(page), "stories") => {
                self.need(token, &["pages_read_engagement"])?;
                self.stories_of(call, page, &parameters)?
            }
            (
                Node::Post(_) | Node::Photo(_) | Node::Video(_) | Node::Comment(_) | Node::Media(_),
                "comments" | "replies",
            ) => self.comments_on(call, token, (node, edge), &parameters)?,
            (Node::Profile(profile), "media" | "stories") => {
                self.need_on_instagram(call, token, "basic")?;
                self.media_of(call, profile, edge)
            }
            (Node::Profile(profile), "content_publishing_limit") => {
                self.need_on_instagram(call, token, "content_publish")?;
                return self.quota(call, profile, &parameters);
            }
            (Node::Media(media), "children") => {
                self.need_on_instagram(call, token, "basic")?;
                self.children_of(call, media)
            }
            _ => {
                let kind = kind_of(node);
                let text =
                    format!("Tried accessing nonexisting field ({edge}) on node type ({kind})");
                return Err(invalid(&text));
            }
        };
        listed.answer(call, &parameters, &token.text)
    }

    fn pages(
        &mut self,
        call: &Call,
        token: &Token,
        pages: Vec<usize>,
        books: &mut Books,
    ) -> Listed {
        let node = |page| (Timestamp(0), self.page_json(call, token, page, &mut books.chance));
        let usual = "access_token,category,category_list,id,name,tasks";
        Listed { kind: "Page", usual, nodes: pages.into_iter().map(node).collect() }
    }

    fn create(
        &mut self,
        call: &Call,
        token: &Token,
        (node, edge): (Node, &str),
        books: &mut Books,
    ) -> Reply {
        if let Node::Page(page) = node {
            self.may_post(token, page)?;
        }
        match (node, edge) {
            (Node::Page(page), "feed") => self.create_post(call, page, books),
            (Node::Page(page), "photos") => self.create_photo(call, page, books),
            (Node::Page(page), "photo_stories") => self.create_photo_story(call, page, books),
            (Node::Page(page), "videos") => self.create_video(call, page, books),
            (Node::Page(page), "video_reels" | "video_stories") => {
                self.create_in_phases(call, page, edge, books)
            }
            (
                Node::Post(_) | Node::Photo(_) | Node::Video(_) | Node::Comment(_) | Node::Media(_),
                "comments" | "replies",
            ) => self.create_comment(call, token, (node, edge), books),
            (Node::Profile(profile), "media") => {
                self.need_on_instagram(call, token, "content_publish")?;
                self.create_container(call, profile, books)
            }
            (Node::Profile(profile), "media_publish") => {
                self.need_on_instagram(call, token, "content_publish")?;
                self.publish_container(call, profile, books)
            }
            _ => Err(missing_object("post", edge)),
        }
    }
}

fn kind_of(node: Node) -> &'static str {
    match node {
        Node::Person(_) => "User",
        Node::Business(_) => "Business",
        Node::Page(_) => "Page",
        Node::Post(_) => "PagePost",
        Node::Photo(_) => "Photo",
        Node::Video(_) => "Video",
        Node::Comment(_) => "Comment",
        Node::Profile(_) => "IGUser",
        Node::Container(_) => "IGContainer",
        Node::Media(_) => "IGMedia",
    }
}
