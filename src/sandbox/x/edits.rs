//! Edits: a post with `edit_options.previous_post_id` is a new version of that one, under an id of
//! its own. docs.x.com, edit posts, read 2026-07-02.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{domain::time::Timestamp, sandbox::Platform};

use super::{
    Answer, Books, Call, X,
    draft::Draft,
    not_permitted,
    posts::{Post, entry},
};

const EDITS_MAX: usize = 5;
/// What `editable_until` tells; a page still says 30 minutes.
const WINDOW: Duration = Duration::from_secs(60 * 60);

impl X {
    /// All versions of a post, oldest first.
    pub(super) fn versions(&self, id: u64, post: &Post) -> Vec<u64> {
        self.chains.get(&post.first).cloned().unwrap_or_else(|| vec![id])
    }

    /// The pages give no wording for these refusals.
    pub(super) fn editable(
        &self,
        previous: u64,
        account: usize,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<(), Answer> {
        let post = self.posts.get(&previous).filter(|post| !post.deleted);
        let post = post.filter(|post| post.account == account).ok_or_else(not_permitted)?;
        let versions = self.versions(previous, post);
        let fits = self.is_eligible(post)
            && versions.last() == Some(&previous)
            && versions.len() <= EDITS_MAX
            && self.ends_at(post) > now
            && draft.poll.is_none()
            && draft.community.is_none();
        if fits { Ok(()) } else { Err(not_permitted()) }
    }

    /// Not polls, replies to others, reposts and posts in communities.
    fn is_eligible(&self, post: &Post) -> bool {
        let answered = post.reply_to.and_then(|id| self.posts.get(&id));
        self.is_premium(post.account)
            && post.poll.is_none()
            && post.retweets.is_none()
            && post.community.is_none()
            && answered.is_none_or(|other| other.account == post.account)
    }

    fn ends_at(&self, post: &Post) -> Timestamp {
        self.posts.get(&post.first).map_or(post.at, |first| first.at).after(WINDOW)
    }

    pub(super) fn edit_controls(&self, id: u64, post: &Post) -> Value {
        let made = self.versions(id, post).len() - 1;
        json!({
            "edits_remaining": EDITS_MAX.saturating_sub(made),
            "is_edit_eligible": self.is_eligible(post),
            "editable_until": self.ends_at(post).rfc3339(),
        })
    }

    /// The new version takes the place of the one before, in lists and in the ledger.
    pub(super) fn supersede(
        &mut self,
        call: &Call,
        previous: u64,
        id: u64,
        draft: Draft,
        books: &mut Books,
    ) {
        let Some(old) = self.posts.get(&previous) else { return };
        let (first, account) = (old.first, old.account);
        let known = previous.to_string();
        let made = entry(call, self.people.get(account), id, draft.text, draft.face);
        books.ledger.mark_edited(Platform::X, &known, &made.text, made.face);
        books.ledger.replace_media(Platform::X, &known, self.shown_media(&draft.media));
        books.ledger.also_known_as(Platform::X, &known, &id.to_string());
        self.chains.entry(first).or_insert_with(|| vec![first]).push(id);
        self.timelines.entry(account).or_default().retain(|other| *other != previous);
    }
}
