//! Passing a post on, and taking that back: docs.x.com, reposts, read 2026-07-02.

use serde_json::json;

use crate::sandbox::ledger::{Face, Piece};

use super::{
    Answer, Books, Call, EPOCH, Reply, X, invalid, not_found,
    posts::{Post, entry},
};

impl X {
    /// Doing it again changes nothing.
    pub(super) fn retweet(
        &mut self,
        call: &Call,
        id: &str,
        account: usize,
        books: &mut Books,
    ) -> Reply {
        self.same_person(id, account)?;
        let body = call.json().unwrap_or_default();
        let alone = body.as_object().is_some_and(|object| object.len() == 1);
        let source = body["tweet_id"].as_str().and_then(|id| id.parse::<u64>().ok());
        let source = source.filter(|_| alone).ok_or_else(|| {
            let text = "$.tweet_id: is required, must be an id, and stands alone";
            invalid(text, &json!({ "tweet_id": [] }))
        })?;
        let post = self.posts.get(&source).filter(|post| !post.deleted).ok_or_else(not_found)?;
        // A retweet is passed on as what it passed on.
        let source = post.retweets.unwrap_or(source);
        let answer = json!({ "data": { "retweeted": true, "rest_id": source.to_string() } });
        let earlier = self.retweets.get(&(account, source)).and_then(|id| self.posts.get(id));
        if earlier.is_some_and(|post| !post.deleted) {
            return Ok(Answer::json(200, &answer));
        }
        let post = self.posts.get(&source).filter(|post| !post.deleted).ok_or_else(not_found)?;
        let author = &self.people.get(post.account).handle;
        let text = format!("RT @{author}: {}", post.text);
        let id = books.chance.snowflake(call.now, EPOCH, 22);
        let mut made = Post::new(account, text.clone(), id, call.now);
        made.retweets = Some(source);
        let face = Face {
            pieces: vec![Piece::Plain(text.clone())],
            marks: vec![format!("reposts {source}")],
            ..Face::default()
        };
        let person = self.people.get(account);
        books.ledger.record(entry(call, person, id, text, face));
        self.retweets.insert((account, source), id);
        self.timelines.entry(account).or_default().push(id);
        self.posts.insert(id, made);
        Ok(Answer::json(200, &answer))
    }

    /// Taking back what was never passed on succeeds as well.
    pub(super) fn unretweet(
        &mut self,
        call: &Call,
        id: &str,
        account: usize,
        source: &str,
        books: &mut Books,
    ) -> Reply {
        self.same_person(id, account)?;
        let source: u64 = source.parse().map_err(|_| not_found())?;
        if let Some(id) = self.retweets.remove(&(account, source)) {
            self.remove(id, call.now, books);
        }
        Ok(Answer::json(200, &json!({ "data": { "retweeted": false } })))
    }

    fn same_person(&self, id: &str, account: usize) -> Result<(), Answer> {
        let own = &self.people.get(account).id;
        match id == own {
            true => Ok(()),
            false => {
                let text = format!(
                    "The `id` query parameter value [{id}] must be the same as the authenticating \
                     user [{own}]"
                );
                Err(invalid(&text, &json!({ "id": [id] })))
            }
        }
    }
}
