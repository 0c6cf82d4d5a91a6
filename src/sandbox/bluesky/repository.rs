//! Records and blobs: com.atproto.repo, lexicons of August 2026.

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{Platform, ledger::LedgerEntry, shelf},
};

use super::{
    Answer, Bluesky, Books, Call, Reading, Reply, WRITES_DAY, WRITES_HOUR, cid,
    directory::BLOB_BYTES_MAX, error, input, invalid, parameter, required,
};

const POST: &str = "app.bsky.feed.post";
const SORTABLE: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";

pub(super) struct Record {
    pub(super) cid: String,
    pub(super) value: Value,
    pub(super) at: Timestamp,
}

pub(super) struct Blob {
    pub(super) mime: String,
    pub(super) size: usize,
    pub(super) shelf: u64,
}

/// Where a write goes.
struct Target {
    collection: String,
    rkey: String,
}

impl Bluesky {
    pub(super) fn upload_blob(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let declared = call.content_type();
        if declared.is_empty() {
            return Err(invalid("Request encoding (Content-Type) required but not provided"));
        }
        if call.body.len() > BLOB_BYTES_MAX {
            return Err(error(413, "PayloadTooLarge", "request entity too large"));
        }
        let sniffed = shelf::sniff(&call.body);
        let mime = match sniffed {
            "application/octet-stream" => declared.to_owned(),
            known => known.to_owned(),
        };
        let link = cid::of_blob(&call.body);
        let key = (account, link.clone());
        if !self.blobs.contains_key(&key) {
            let kept = books.shelf.keep(sniffed, vec![call.body.clone()]);
            let full = |shelf::Full| error(413, "PayloadTooLarge", "the sandbox is full");
            let blob = Blob { mime, size: call.body.len(), shelf: kept.map_err(full)? };
            self.blobs.insert(key.clone(), blob);
        }
        let blob = self.blobs.get(&key).map(|blob| blob.to_json(&link));
        Ok(Answer::json(200, &json!({ "blob": blob })))
    }

    pub(super) fn get_blob(&self, call: &Call) -> Reply {
        let account = self.repo(parameter(call, "did")?)?;
        let key = (account, parameter(call, "cid")?.to_owned());
        match self.blobs.get(&key) {
            Some(blob) => Ok(Answer::redirect(&format!("/_sandbox/media/{}", blob.shelf))),
            None => Err(error(400, "BlobNotFound", "Blob not found")),
        }
    }

    pub(super) fn create_record(
        &mut self,
        call: &Call,
        account: usize,
        books: &mut Books,
        seen: &mut Vec<Reading>,
    ) -> Reply {
        let body = input(call)?;
        let target = self.target(call, account, &body)?;
        self.spend_points(account, 3, call.now, seen)?;
        let (value, link) = self.checked(account, &target, &body)?;
        if self.record(account, &target.collection, &target.rkey).is_some() {
            // "createRecord twice with one rkey: the second is 500" (reference server, observed
            // 2026-11-21).
            return Err(error(500, "InternalServerError", "Internal Server Error"));
        }
        Ok(self.write(call, account, target, (value, link), books))
    }

    pub(super) fn put_record(
        &mut self,
        call: &Call,
        account: usize,
        books: &mut Books,
        seen: &mut Vec<Reading>,
    ) -> Reply {
        let body = input(call)?;
        required(&body, "rkey")?;
        let target = self.target(call, account, &body)?;
        self.spend_points(account, 2, call.now, seen)?;
        let (value, link) = self.checked(account, &target, &body)?;
        let known = self.record(account, &target.collection, &target.rkey);
        let known = known.map(|record| record.cid.clone());
        if let Some(wanted) = body.get("swapRecord")
            && wanted.as_str() != known.as_deref()
        {
            let text = format!("Record was at {}", known.as_deref().unwrap_or("null"));
            return Err(error(400, "InvalidSwap", &text));
        }
        if known.as_ref() == Some(&link) {
            let uri = self.uri(account, &target.collection, &target.rkey);
            let body = json!({ "uri": uri, "cid": link, "validationStatus": "valid" });
            return Ok(Answer::json(200, &body));
        }
        Ok(self.write(call, account, target, (value, link), books))
    }

    /// Deleting what is not there succeeds, too.
    pub(super) fn delete_record(
        &mut self,
        call: &Call,
        account: usize,
        books: &mut Books,
        seen: &mut Vec<Reading>,
    ) -> Reply {
        let body = input(call)?;
        required(&body, "rkey")?;
        let target = self.target(call, account, &body)?;
        self.spend_points(account, 1, call.now, seen)?;
        let uri = self.uri(account, &target.collection, &target.rkey);
        let key = (account, target.collection, target.rkey);
        match self.records.remove(&key) {
            None => Ok(Answer::json(200, &json!({}))),
            Some(_) => {
                books.ledger.mark_deleted(Platform::Bluesky, &uri, call.now);
                let body = json!({ "commit": self.commit(call.now, &uri) });
                Ok(Answer::json(200, &body))
            }
        }
    }

    fn spend_points(
        &mut self,
        account: usize,
        points: u64,
        now: Timestamp,
        seen: &mut Vec<Reading>,
    ) -> Result<(), Answer> {
        self.spend(account, &WRITES_HOUR, points, now, seen)?;
        self.spend(account, &WRITES_DAY, points, now, seen)
    }

    fn target(&mut self, call: &Call, account: usize, body: &Value) -> Result<Target, Answer> {
        if self.find(required(body, "repo")?) != Some(account) {
            return Err(error(401, "AuthenticationRequired", "Authentication Required"));
        }
        let collection = required(body, "collection")?.to_owned();
        if collection.split('.').count() < 3 {
            return Err(invalid("Input/collection must be a valid nsid"));
        }
        let rkey = match body["rkey"].as_str() {
            None if body["rkey"].is_null() => self.next_tid(call.now),
            Some(rkey) if is_record_key(rkey) => rkey.to_owned(),
            Some(_) | None => return Err(invalid("Input/rkey must be a valid Record Key")),
        };
        if collection == POST && !is_tid(&rkey) {
            return Err(invalid("Invalid record key: app.bsky.feed.post needs a tid"));
        }
        Ok(Target { collection, rkey })
    }

    /// The record with its type, and its CID.
    fn checked(
        &self,
        account: usize,
        target: &Target,
        body: &Value,
    ) -> Result<(Value, String), Answer> {
        let mut value = body["record"].clone();
        let object =
            value.as_object_mut().ok_or_else(|| invalid("Input/record must be an object"))?;
        let kind = object.entry("$type").or_insert_with(|| json!(target.collection));
        if *kind != json!(target.collection) {
            let text = format!("Invalid $type: expected {}, got {kind}", target.collection);
            return Err(invalid(&text));
        }
        if target.collection == POST {
            self.check_post(account, &value)?;
        }
        let link = cid::of_record(&value)
            .ok_or_else(|| invalid("Record holds what the data model does not know"))?;
        Ok((value, link))
    }

    fn write(
        &mut self,
        call: &Call,
        account: usize,
        target: Target,
        (value, link): (Value, String),
        books: &mut Books,
    ) -> Answer {
        let uri = self.uri(account, &target.collection, &target.rkey);
        let Target { collection, rkey } = target;
        if collection == POST {
            let replaces = self.record(account, &collection, &rkey).is_some();
            self.note(call, account, (&uri, &rkey), &value, replaces, books);
        }
        let record = Record { cid: link.clone(), value, at: call.now };
        self.records.insert((account, collection, rkey), record);
        let commit = self.commit(call.now, &link);
        let body = json!({ "uri": uri, "cid": link, "commit": commit,
            "validationStatus": "valid" });
        Answer::json(200, &body)
    }

    fn note(
        &self,
        call: &Call,
        account: usize,
        (uri, rkey): (&str, &str),
        value: &Value,
        replaces: bool,
        books: &mut Books,
    ) {
        let text = value["text"].as_str().unwrap_or_default();
        let face = self.post_face(value);
        if replaces {
            books.ledger.mark_edited(Platform::Bluesky, uri, text, face);
            return;
        }
        let person = self.people.get(account);
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Bluesky,
            account: person.id.clone(),
            handle: person.handle.clone(),
            id: uri.to_owned(),
            url: format!("{}/profile/{}/post/{rkey}", call.base, person.id),
            text: text.to_owned(),
            media: self.post_media(account, value),
            reply_to: value["reply"]["parent"]["uri"].as_str().map(str::to_owned),
            idempotency_key: Some(rkey.to_owned()),
            deleted_at: None,
            face,
        });
    }

    /// A commit's name and revision; the repository's tree itself is not simulated.
    fn commit(&mut self, now: Timestamp, about: &str) -> Value {
        let rev = self.next_tid(now);
        let link = cid::of_record(&json!({ "rev": rev, "data": about }));
        json!({ "cid": link, "rev": rev })
    }

    pub(super) fn get_record(&self, call: &Call) -> Reply {
        let repo = parameter(call, "repo")?;
        let collection = parameter(call, "collection")?;
        let rkey = parameter(call, "rkey")?;
        let account = self.repo(repo)?;
        let uri = self.uri(account, collection, rkey);
        let wanted = call.query("cid");
        let found = self.record(account, collection, rkey);
        let found = found.filter(|record| wanted.is_none_or(|cid| cid == record.cid));
        match found {
            Some(record) => Ok(Answer::json(200, &listed(&uri, record))),
            None => {
                let text = format!("Could not locate record: {uri}");
                Err(error(400, "RecordNotFound", &text))
            }
        }
    }

    /// Newest first by record key, or oldest first with `reverse`.
    pub(super) fn list_records(&self, call: &Call) -> Reply {
        let account = self.repo(parameter(call, "repo")?)?;
        let collection = parameter(call, "collection")?;
        let limit = match call.query("limit").map(str::parse::<usize>) {
            None => 50,
            Some(Ok(limit @ 1..=100)) => limit,
            Some(_) => return Err(invalid("Error: Params/limit can not be greater than 100")),
        };
        let oldest_first = call.query("reverse") == Some("true");
        let cursor = call.query("cursor");
        let beyond = |rkey: &str| match (cursor, oldest_first) {
            (None, _) => true,
            (Some(cursor), true) => rkey > cursor,
            (Some(cursor), false) => rkey < cursor,
        };
        let all = self.collection(account, collection);
        let all = all.filter(|(rkey, _)| beyond(rkey));
        let chosen: Vec<(&str, &Record)> = match oldest_first {
            true => all.take(limit).collect(),
            false => all.rev().take(limit).collect(),
        };
        let records: Vec<Value> = chosen
            .iter()
            .map(|(rkey, record)| listed(&self.uri(account, collection, rkey), record))
            .collect();
        let mut body = json!({ "records": records });
        if let Some((rkey, _)) = chosen.last().filter(|_| chosen.len() == limit) {
            body["cursor"] = json!(rkey);
        }
        Ok(Answer::json(200, &body))
    }

    /// Records of a collection by their keys, in order.
    pub(super) fn collection<'a>(
        &'a self,
        account: usize,
        collection: &str,
    ) -> impl DoubleEndedIterator<Item = (&'a str, &'a Record)> + use<'a> {
        let first = (account, collection.to_owned(), String::new());
        // The character after the full stop of record keys' alphabet: beyond every key.
        let last = (account, collection.to_owned(), String::from("\u{7f}"));
        let within = self.records.range(first..last);
        within.map(|((_, _, rkey), record)| (rkey.as_str(), record))
    }

    pub(super) fn record(&self, account: usize, collection: &str, rkey: &str) -> Option<&Record> {
        let key = (account, collection.to_owned(), rkey.to_owned());
        self.records.get(&key)
    }

    pub(super) fn at_uri(&self, uri: &str) -> Option<(usize, &Record)> {
        let mut parts = uri.strip_prefix("at://")?.split('/');
        let account = self.find(parts.next()?)?;
        let record = self.record(account, parts.next()?, parts.next()?)?;
        Some((account, record))
    }

    fn uri(&self, account: usize, collection: &str, rkey: &str) -> String {
        format!("at://{}/{collection}/{rkey}", self.people.get(account).id)
    }

    /// 53 bits of microseconds and 10 of clock id, in sortable base32; grows with every call.
    fn next_tid(&mut self, now: Timestamp) -> String {
        let timed = now.0.saturating_mul(1_000) << 10;
        self.last_tid = timed.max(self.last_tid + 1);
        (0..13)
            .rev()
            .map(|digit| char::from(SORTABLE[((self.last_tid >> (5 * digit)) & 31) as usize]))
            .collect()
    }
}

impl Blob {
    pub(super) fn to_json(&self, link: &str) -> Value {
        json!({ "$type": "blob", "ref": { "$link": link }, "mimeType": self.mime,
            "size": self.size })
    }

    /// For the ledger, whose types are the sniffer's.
    pub(super) fn known_mime(&self) -> &'static str {
        let known =
            ["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "video/mp4"];
        let found = known.into_iter().find(|mime| *mime == self.mime);
        found.unwrap_or("application/octet-stream")
    }
}

fn listed(uri: &str, record: &Record) -> Value {
    json!({ "uri": uri, "cid": record.cid, "value": record.value })
}

/// atproto.com/specs/tid, read 2026-07-02.
fn is_tid(text: &str) -> bool {
    let first = text.bytes().next();
    text.len() == 13
        && text.bytes().all(|b| SORTABLE.contains(&b))
        && first.is_some_and(|b| SORTABLE[..16].contains(&b))
}

/// atproto.com/specs/record-key, read 2026-07-02.
fn is_record_key(text: &str) -> bool {
    (1..=512).contains(&text.len())
        && ![".", ".."].contains(&text)
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_~.:-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::meter::{Limits, Meter};

    #[test]
    fn tids_are_valid_and_grow_while_the_clock_stands_still() {
        let mut bluesky = Bluesky::new(Meter::new(Limits::Off));
        let now = Timestamp(1_795_000_000_000);
        let (first, second) = (bluesky.next_tid(now), bluesky.next_tid(now));
        assert!(is_tid(&first) && is_tid(&second) && first < second);
        assert!(!is_tid("zzzzzzzzzzzzz") && !is_tid("3jzfcijpj2z2") && !is_tid("3jzfcijpj2z2A"));
    }
}
