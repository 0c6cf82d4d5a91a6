//! Who is who: the PLC directory's documents, server and repository descriptions, profiles.

use serde_json::{Value, json};

use crate::sandbox::{Platform, text::attention};

use super::{Answer, Bluesky, Books, Call, Reply, error, invalid, parameter, session::host_did};

/// "blobUploadLimit 5242880" (describeServer of the reference server, observed 2026-11-21).
pub(super) const BLOB_BYTES_MAX: usize = 5_242_880;

impl Bluesky {
    pub(super) fn did_document(&self, call: &Call, did: &str) -> Reply {
        let account = self.people.by_id(did);
        let account = account.ok_or_else(|| {
            Answer::json(404, &json!({ "message": format!("DID not registered: {did}") }))
        })?;
        Ok(Answer::json(200, &self.document(call, account)))
    }

    pub(super) fn document(&self, call: &Call, account: usize) -> Value {
        let person = self.people.get(account);
        json!({
            "@context": ["https://www.w3.org/ns/did/v1",
                "https://w3id.org/security/multikey/v1"],
            "id": person.id, "alsoKnownAs": [format!("at://{}", person.handle)],
            "verificationMethod": [{
                "id": format!("{}#atproto", person.id), "type": "Multikey",
                "controller": person.id,
                "publicKeyMultibase": "zQ3shQo6TF2moaqMTrUZEM1jeuYRQXeHEx4evX9751y2qPqRA",
            }],
            "service": [{
                "id": "#atproto_pds", "type": "AtprotoPersonalDataServer",
                "serviceEndpoint": call.base,
            }],
        })
    }

    pub(super) fn describe_server(&self, call: &Call) -> Answer {
        let body = json!({
            "did": host_did(call), "availableUserDomains": [".test"],
            "inviteCodeRequired": false, "phoneVerificationRequired": false,
            "blobUploadLimit": BLOB_BYTES_MAX, "links": {}, "contact": {},
        });
        Answer::json(200, &body)
    }

    pub(super) fn describe_repo(&self, call: &Call) -> Reply {
        let account = self.repo(parameter(call, "repo")?)?;
        let person = self.people.get(account);
        let body = json!({
            "handle": person.handle, "did": person.id, "didDoc": self.document(call, account),
            "collections": ["app.bsky.feed.post"], "handleIsCorrect": true,
        });
        Ok(Answer::json(200, &body))
    }

    /// The repository that a read names; nobody needs to be signed in for it.
    pub(super) fn repo(&self, name: &str) -> Result<usize, Answer> {
        let text = format!("Could not find repo: {name}");
        self.find(name).ok_or_else(|| error(400, "RepoNotFound", &text))
    }

    fn author(&self, account: usize) -> Value {
        let person = self.people.get(account);
        json!({ "did": person.id, "handle": person.handle, "displayName": person.handle,
            "labels": [], "createdAt": person.joined.rfc3339() })
    }

    pub(super) fn profile(&self, call: &Call) -> Reply {
        let account = self.find(parameter(call, "actor")?);
        let account = account.ok_or_else(|| invalid("Profile not found"))?;
        let mut body = self.author(account);
        let joined = self.people.get(account).joined;
        body["followersCount"] = json!(attention(account as u64, joined.elapsed(call.now)).likes);
        body["followsCount"] = json!(0);
        body["postsCount"] = json!(self.collection(account, "app.bsky.feed.post").count());
        Ok(Answer::json(200, &body))
    }

    /// Those that exist, of up to 25 asked for.
    pub(super) fn posts(&self, call: &Call) -> Answer {
        let asked = call.query.iter().filter(|(key, _)| key == "uris");
        let posts: Vec<Value> = asked
            .take(25)
            .filter_map(|(_, uri)| {
                let (account, record) = self.at_uri(uri)?;
                let seed = uri.bytes().map(u64::from).sum();
                let crowd = attention(seed, record.at.elapsed(call.now));
                Some(json!({
                    "uri": uri, "cid": record.cid, "author": self.author(account),
                    "record": record.value, "indexedAt": record.at.rfc3339(), "labels": [],
                    "likeCount": crowd.likes, "repostCount": crowd.reposts,
                    "replyCount": crowd.replies, "quoteCount": 0, "bookmarkCount": 0,
                }))
            })
            .collect();
        Answer::json(200, &json!({ "posts": posts }))
    }

    pub(super) fn permalink(&self, name: &str, rkey: &str, books: &Books) -> Reply {
        let did = self.find(name).map(|account| &self.people.get(account).id);
        let uri = did.map(|did| format!("at://{did}/app.bsky.feed.post/{rkey}"));
        let entry = uri.and_then(|uri| books.ledger.find(Platform::Bluesky, &uri));
        match entry {
            Some(entry) => Ok(Answer::redirect(&format!("/#post-{}", entry.sequence))),
            None => Err(error(404, "NotFound", "Post not found")),
        }
    }
}
