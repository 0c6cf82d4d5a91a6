//! Films before they are pins: api/v5/#operation/media/create, and the bucket that takes their
//! bytes, read 2026-11-21.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{given::Given, kept::Kept, meta::film},
};

use super::{Answer, Books, Call, Pinterest, Reply, body, full, invalid, refusal, signin::new_id};

const PROCESSING: Duration = Duration::from_secs(10);
const SECONDS: std::ops::RangeInclusive<f64> = 4.0..=900.0;

pub(super) struct Media {
    pub(super) account: usize,
    pub(super) key: String,
    /// In the order in which they were told.
    parameters: Vec<(&'static str, String)>,
    stage: Stage,
}

/// `Registered → Sent`, which ends at `ready_at` by itself.
enum Stage {
    Registered,
    Sent { ready_at: Timestamp, film: Option<Kept> },
}

impl Media {
    fn status(&self, now: Timestamp) -> &'static str {
        match &self.stage {
            Stage::Registered => "registered",
            Stage::Sent { ready_at, .. } if *ready_at > now => "processing",
            Stage::Sent { film: Some(_), .. } => "succeeded",
            Stage::Sent { film: None, .. } => "failed",
        }
    }

    fn film(&self, now: Timestamp) -> Option<&Kept> {
        match &self.stage {
            Stage::Sent { ready_at, film } if *ready_at <= now => film.as_ref(),
            Stage::Registered | Stage::Sent { .. } => None,
        }
    }
}

/// Which registered film an upload is for.
pub(super) fn key(call: &Call) -> Option<String> {
    let field = call.fields.iter().find(|field| field.name == "key")?;
    Some(String::from_utf8_lossy(&field.bytes).into_owned())
}

impl Pinterest {
    pub(super) fn register(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let sent = body(call)?;
        let kind = Given::of(&sent, &["media_type"]).and_then(|given| {
            let kind = given.one_of("media_type", &["video"])?;
            kind.ok_or_else(|| given.flaw("media_type", "is missing"))
        });
        kind.map_err(|flaw| invalid(&flaw))?;
        let id = new_id(&mut books.chance, call.now);
        let key = format!("uploads/11/aa/22/3:video:{}:{id}", self.door.people.get(account).id);
        let parameters = vec![
            ("x-amz-date", "20261121T000000Z".to_owned()),
            ("x-amz-signature", books.chance.base32(64)),
            ("x-amz-security-token", books.chance.word(80)),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("key", key.clone()),
            ("policy", STANDARD.encode(books.chance.word(60))),
            ("x-amz-credential", format!("ASIA{}/us-east-1/s3/aws4_request", books.chance.word(8))),
            ("Content-Type", "multipart/form-data".to_owned()),
        ];
        let mut told = json!({});
        for (name, value) in &parameters {
            told[*name] = json!(value);
        }
        self.media.insert(id, Media { account, key, parameters, stage: Stage::Registered });
        let answer = json!({ "media_id": id.to_string(), "media_type": "video",
            "upload_url": format!("{}/media-upload/", call.base), "upload_parameters": told });
        Ok(Answer::json(201, &answer))
    }

    /// The bucket: every parameter as it was told, and the file behind them all.
    pub(super) fn receive(&mut self, call: &Call, books: &mut Books) -> Reply {
        if call.header("authorization").is_some() {
            let text = "Only one auth mechanism allowed";
            return Err(bucket(400, "InvalidArgument", text));
        }
        let key = key(call).ok_or_else(|| bucket(400, "InvalidArgument", "key is missing"))?;
        let media = self.media.values_mut().find(|media| media.key == key);
        let media = media.ok_or_else(|| bucket(403, "AccessDenied", "Access Denied"))?;
        let Some((file, fields)) = call.fields.split_last() else {
            return Err(bucket(400, "InvalidArgument", "the form is empty"));
        };
        if file.name != "file" || file.bytes.is_empty() {
            let text = "POST requires exactly one file upload per request, as its last field.";
            return Err(bucket(400, "InvalidArgument", text));
        }
        let sent = |name: &str| {
            let field = fields.iter().find(|field| field.name == name);
            field.map(|field| String::from_utf8_lossy(&field.bytes).into_owned())
        };
        let told = media.parameters.iter().all(|(name, value)| sent(name).as_ref() == Some(value));
        if !told || fields.len() != media.parameters.len() {
            return Err(bucket(403, "AccessDenied", "Invalid according to Policy"));
        }
        let chunks = vec![file.bytes.clone()];
        let film = match film::is_film_of(&chunks, &SECONDS) {
            true => Some(Kept::keep(books, chunks).map_err(full)?),
            false => None,
        };
        let before = std::mem::replace(
            &mut media.stage,
            Stage::Sent { ready_at: call.now.after(PROCESSING), film },
        );
        if let Stage::Sent { film: Some(replaced), .. } = before {
            books.shelf.drop(replaced.shelf);
        }
        Ok(Answer::new(204, "application/xml", ""))
    }

    pub(super) fn media_status(&self, call: &Call, account: usize, id: &str) -> Reply {
        let media = id.parse::<u64>().ok().and_then(|id| self.media.get(&id));
        let media = media.filter(|media| media.account == account);
        let media = media.ok_or_else(|| refusal(404, 2_426, "Media upload not found."))?;
        let status: Value = json!({ "media_id": id, "media_type": "video",
            "status": media.status(call.now) });
        Ok(Answer::json(200, &status))
    }

    /// A film that may become a pin.
    pub(super) fn film(&self, call: &Call, account: usize, id: u64) -> Result<&Kept, Answer> {
        let media = self.media.get(&id).filter(|media| media.account == account);
        let media = media.ok_or_else(|| refusal(404, 2_426, "Media upload not found."))?;
        media.film(call.now).ok_or_else(|| {
            let status = media.status(call.now);
            refusal(400, 1, &format!("Invalid request: the media is {status}, not succeeded"))
        })
    }
}

/// As S3 says it.
fn bucket(status: u16, code: &str, message: &str) -> Answer {
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    Answer::new(status, "application/xml", body)
}
