//! A film's bytes, chunk after chunk: doc/content-posting-api-media-transfer-guide, read
//! 2026-11-21. The page does not say whether its megabytes are decimal: what is accepted here is
//! right either way.

use axum::body::Bytes;

use crate::{
    domain::time::Timestamp,
    sandbox::given::{Flaw, Given},
};

use super::{
    Answer, Books, Call, Reply, Tiktok,
    status::{Kind, Stage, Task},
};

const MEGABYTE: u64 = 1_000_000;
const CHUNK_BYTES_MIN: u64 = 5 * 1024 * 1024;
const CHUNK_BYTES_MAX: u64 = 64 * MEGABYTE;
const LAST_BYTES_MAX: u64 = 128 * MEGABYTE;
const CHUNKS_MAX: u64 = 1_000;
const FILM_BYTES_MAX: u64 = 4_000 * MEGABYTE;
/// "valid for one hour" (the same page).
const ADDRESS_LIFE: std::time::Duration = std::time::Duration::from_secs(60 * 60);

/// How the client announced that it would send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) size: u64,
    chunk: u64,
    count: u64,
}

impl Plan {
    /// How long the chunk that begins there must be; the last one takes the remainder as well.
    fn length_at(self, start: u64) -> u64 {
        match start / self.chunk + 1 >= self.count {
            true => self.size - start,
            false => self.chunk,
        }
    }
}

pub(super) fn plan(source: &Given<'_>) -> Result<Plan, Flaw> {
    let number = |name: &str| {
        let found = source.whole(name)?.filter(|number| *number > 0);
        found.ok_or_else(|| source.flaw(name, "must be a number above zero"))
    };
    let plan = Plan {
        size: number("video_size")?,
        chunk: number("chunk_size")?,
        count: number("total_chunk_count")?,
    };
    if plan.size > FILM_BYTES_MAX {
        return Err(source.flaw("video_size", "is more than 4 GB"));
    }
    if plan.chunk > plan.size || plan.chunk > CHUNK_BYTES_MAX {
        return Err(source.flaw("chunk_size", "is more than the video, or than 64 MB"));
    }
    if plan.chunk < CHUNK_BYTES_MIN && plan.chunk != plan.size {
        return Err(source.flaw("chunk_size", "is less than 5 MB"));
    }
    if plan.count != plan.size / plan.chunk || plan.count > CHUNKS_MAX {
        let text = "must be the video's size divided by the chunk's, rounded down, up to 1000";
        return Err(source.flaw("total_chunk_count", text));
    }
    if plan.count == 1 && plan.size > CHUNK_BYTES_MAX {
        return Err(source.flaw("total_chunk_count", "must be several above 64 MB"));
    }
    if plan.size - (plan.count - 1) * plan.chunk > LAST_BYTES_MAX {
        return Err(source.flaw("chunk_size", "leaves more than 128 MB for the last chunk"));
    }
    Ok(plan)
}

/// `bytes 0-9/10` as first, last and total.
fn range(call: &Call) -> Option<(u64, u64, u64)> {
    let (range, total) = call.header("content-range")?.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?, total.parse().ok()?))
}

/// Whether these bytes would complete the film, and so post it.
pub(super) fn is_last(call: &Call) -> bool {
    range(call).is_some_and(|(_, last, total)| last.saturating_add(1) == total)
}

impl Tiktok {
    pub(super) fn piece(&mut self, call: &Call, books: &mut Books) -> Reply {
        let publish_id = call.query("upload_id").and_then(|id| self.uploads.get(id));
        let publish_id = publish_id.cloned().ok_or_else(|| bare(404))?;
        let task = self.tasks.get_mut(&publish_id).ok_or_else(|| bare(404))?;
        match take(task, call)? {
            Taken::More(answer) => Ok(answer),
            Taken::All { chunks, answer } => {
                let task = self.tasks.remove(&publish_id).ok_or_else(|| bare(404))?;
                let files = Ok(vec![chunks]);
                let stage = self.work(call, task.account, Kind::Film, &task.post, files, books);
                self.tasks.insert(publish_id, Task { stage: stage?, ..task });
                Ok(answer)
            }
        }
    }
}

impl Tiktok {
    /// The server failed while these bytes came: half of them had been written down. No page says
    /// what TikTok does then; what it has, it tells.
    pub(super) fn keep_half(&mut self, call: &Call) {
        let publish_id = call.query("upload_id").and_then(|id| self.uploads.get(id));
        let task = publish_id.and_then(|id| self.tasks.get_mut(id));
        let Some(Stage::Sending { plan, token, chunks }) = task.map(|task| &mut task.stage) else {
            return;
        };
        let received: u64 = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        let fits = call.query("upload_token") == Some(token)
            && call.body.len() as u64 == plan.length_at(received)
            && range(call).is_some_and(|(first, _, _)| first == received);
        if fits && call.body.len() > 1 {
            chunks.push(call.body.slice(..call.body.len() / 2));
        }
    }
}

enum Taken {
    More(Answer),
    All { chunks: Vec<Bytes>, answer: Answer },
}

fn take(task: &mut Task, call: &Call) -> Result<Taken, Answer> {
    let expired = |began: Timestamp| began.elapsed(call.now) >= ADDRESS_LIFE;
    let Stage::Sending { plan, token, chunks } = &mut task.stage else {
        return Err(match &task.stage {
            // The last bytes again: they have arrived.
            Stage::Working { bytes, .. } => progress(416, *bytes, *bytes),
            Stage::Sending { .. } | Stage::Cancelled => bare(404),
        });
    };
    if call.query("upload_token") != Some(token) {
        return Err(bare(404));
    }
    if expired(task.began) {
        return Err(bare(403));
    }
    if !["video/mp4", "video/quicktime", "video/webm"].contains(&call.content_type()) {
        return Err(bare(400));
    }
    let (first, last, total) = range(call).ok_or_else(|| bare(400))?;
    let length = call.body.len() as u64;
    if total != plan.size || last < first || last - first + 1 != length {
        return Err(bare(400));
    }
    let received: u64 = chunks.iter().map(|chunk| chunk.len() as u64).sum();
    if first != received {
        return Err(progress(416, received, plan.size));
    }
    if length != plan.length_at(first) {
        return Err(bare(400));
    }
    chunks.push(call.body.clone());
    match received + length == plan.size {
        true => Ok(Taken::All {
            chunks: std::mem::take(chunks),
            answer: progress(201, plan.size, plan.size),
        }),
        false => Ok(Taken::More(progress(206, received + length, plan.size))),
    }
}

fn bare(status: u16) -> Answer {
    Answer::new(status, "text/plain", "")
}

/// "bytes 0-{UPLOADED_BYTES}/{TOTAL_BYTE_LENGTH}" (the same page).
fn progress(status: u16, received: u64, total: u64) -> Answer {
    bare(status).with("content-range", format!("bytes 0-{received}/{total}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn chunks_are_planned_as_the_transfer_guide_says() {
        for (size, chunk, count, fits) in [
            (50_000_123_u64, 10_000_000_u64, 5_u64, true),
            (4_194_304, 4_194_304, 1, true),
            (64_000_000, 64_000_000, 1, true),
            (127_000_000, 64_000_000, 1, false),
            (50_000_123, 10_000_000, 6, false),
            (50_000_123, 4_000_000, 12, false),
            (4_194_304, 2_097_152, 2, false),
            (4_194_304, 10_000_000, 1, false),
            (4_000_000_001, 64_000_000, 62, false),
            (200_000_000, 65_000_000, 3, false),
            (0, 1, 1, false),
        ] {
            let body = json!({ "video_size": size, "chunk_size": chunk,
                "total_chunk_count": count });
            let names = ["video_size", "chunk_size", "total_chunk_count"];
            let found = plan(&Given::of(&body, &names).unwrap());
            assert_eq!(found.is_ok(), fits, "{size} {chunk} {count}: {found:?}");
        }
    }

    #[test]
    fn the_last_chunk_takes_the_remainder() {
        let plan = Plan { size: 50_000_123, chunk: 10_000_000, count: 5 };
        assert_eq!(plan.length_at(30_000_000), 10_000_000);
        assert_eq!(plan.length_at(40_000_000), 10_000_123);
    }
}
