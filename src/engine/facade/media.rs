//! Uploaded files: received, looked at, deleted when nothing needs them.

use imagesize::ImageSize;

use crate::{
    domain::{
        event::EventKind,
        ids::MediaId,
        media::{Media, MediaKind},
        organization::Scope,
        post::{Content, PostStage},
        problem::{Code, Problem},
    },
    engine::{
        Answer, Engine,
        core::{Halt, unexpected},
        facade::{Caller, Listing, Once, Page, listing, remembered},
        journal::{self, Tale},
    },
    store::{Incoming, Read},
};

/// Enough of a file to know what it is and how large its picture is.
const HEAD_BYTES: usize = 256 * 1024;

/// A file that is being received; gone if it is dropped without [`Engine::upload`].
#[derive(Debug)]
pub struct Upload {
    incoming: Incoming,
    head: Vec<u8>,
    bytes_max: u64,
}

impl Upload {
    /// Refuses what goes beyond the limit, and a full disk.
    pub async fn write(&mut self, bytes: &[u8]) -> Answer<()> {
        let total = self.incoming.bytes() + bytes.len() as u64;
        if total > self.bytes_max {
            return Err(Problem::new(
                Code::TooLarge,
                format!("The file is larger than {} bytes.", self.bytes_max),
                "Upload a smaller file, or raise `limits.upload_mib` in the settings.",
            )
            .at("file"));
        }
        let room = HEAD_BYTES.saturating_sub(self.head.len());
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        // A write to the page cache; the sync at the end is handed off.
        self.incoming.write(bytes)?;
        Ok(())
    }
}

impl Engine {
    pub async fn begin_upload(&self, caller: &Caller) -> Answer<Upload> {
        caller.may(Scope::Draft)?;
        self.refuse_when_stopping()?;
        let incoming = self.core.store.media_files().receive()?;
        Ok(Upload { incoming, head: Vec::new(), bytes_max: self.core.upload_bytes_max })
    }

    pub fn upload_bytes_max(&self) -> u64 {
        self.core.upload_bytes_max
    }

    /// Keeps a received file. Its type is read from its content; a name or a header is not
    /// believed. With `once`, a repetition is answered with what was kept the first time.
    pub async fn upload(
        &self,
        caller: &Caller,
        name: &str,
        upload: Upload,
        once: Option<Once>,
    ) -> Answer<Media> {
        caller.may(Scope::Draft)?;
        let Upload { incoming, head, .. } = upload;
        let (kind, mime) = recognise(&head)?;
        let size = imagesize::blob_size(&head).ok().and_then(dimensions);
        let kept = tokio::task::spawn_blocking(move || incoming.keep())
            .await
            .map_err(|error| unexpected(&error.to_string()))??;
        let (organization, actor, now) =
            (caller.organization, caller.actor.clone(), self.core.now());
        let media = Media {
            id: MediaId::new(now, self.core.entropy.number()),
            organization,
            kind,
            mime,
            bytes: kept.bytes,
            size,
            length: None,
            codec: String::new(),
            sha256: kept.sha256,
            name: name.chars().filter(|letter| !letter.is_control()).take(200).collect(),
            created: now,
        };
        self.core
            .commit_at_door("upload", move |view| {
                if let Some(made) = remembered::find(view, organization, once.as_ref())? {
                    let known = made.parse::<MediaId>().ok();
                    let known = known.map(|id| view.media(organization, id)).transpose()?;
                    return known.flatten().ok_or_else(|| {
                        Problem::new(
                            Code::NotFound,
                            "This upload was kept before, and deleted since.",
                            "Upload it again with a new Idempotency-Key.",
                        )
                        .into()
                    });
                }
                let text = format!("Uploaded {} ({} bytes).", media.mime, media.bytes);
                let kind = EventKind::MediaUploaded;
                journal::tell(view, Tale::of(organization, now, &actor, kind, text))?;
                remembered::note(view, organization, once.as_ref(), media.id.to_string(), now)?;
                view.put_media(&media)?;
                Ok(media)
            })
            .await
    }

    pub fn media_list(&self, caller: &Caller, page: &Page) -> Answer<Listing<Media>> {
        caller.may(Scope::Read)?;
        let tenant = self.core.store.organization(caller.organization);
        let limit = page.limit();
        let found = tenant.media_list(page.after_id()?, limit + 1)?;
        Ok(listing(found, limit, |media| media.id.to_string()))
    }

    pub fn media(&self, caller: &Caller, id: MediaId) -> Answer<Media> {
        caller.may(Scope::Read)?;
        let found = self.core.store.organization(caller.organization).media(id)?;
        found.ok_or_else(|| missing(id))
    }

    /// Refused while a post that is not settled needs it. The file itself goes when no record of
    /// any organization names it any more.
    pub async fn delete_media(&self, caller: &Caller, id: MediaId) -> Answer<()> {
        caller.may(Scope::Draft)?;
        let organization = caller.organization;
        // All posts are looked through here, where nobody waits for it; the commit looks only at
        // what is newer than the file. An edit in between is noticed when the post is to go out.
        let media = self.core.store.media(organization, id)?.ok_or_else(|| missing(id))?;
        if let Some(post) = used_by(&self.core.store, &media, Posts::All).map_err(Problem::from)? {
            return Err(in_use(post));
        }
        self.core
            .commit_at_door("delete media", move |view| {
                let media = view.media(organization, id)?.ok_or_else(|| missing(id))?;
                if let Some(post) = used_by(view, &media, Posts::NewerThanTheFile)? {
                    return Err(in_use(post).into());
                }
                view.delete(&crate::store::Key::Media(organization, id))?;
                Ok(())
            })
            .await
    }
}

fn in_use(post: crate::domain::ids::PostId) -> Problem {
    Problem::new(
        Code::WrongState,
        format!("The file is used by the post {post}."),
        "Cancel or edit that post first.",
    )
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Posts {
    /// An older one may have been edited to use the file.
    All,
    NewerThanTheFile,
}

/// A post that may still be published with it.
fn used_by(
    read: &impl Read,
    media: &Media,
    which: Posts,
) -> Result<Option<crate::domain::ids::PostId>, Halt> {
    let uses = |content: &Content| {
        content.parts.iter().any(|part| part.media.iter().any(|found| found.media == media.id))
    };
    let mut before = None;
    loop {
        let posts = read.posts(media.organization, before, POSTS_AT_ONCE)?;
        for post in &posts {
            let named = uses(&post.content) || post.variants.values().any(uses);
            if which == Posts::NewerThanTheFile && post.created < media.created {
                return Ok(None);
            }
            if named && post.stage != PostStage::Cancelled && !is_over(read, post)? {
                return Ok(Some(post.id));
            }
        }
        before = posts.last().map(|post| post.id);
        if posts.len() < POSTS_AT_ONCE {
            return Ok(None);
        }
    }
}

const POSTS_AT_ONCE: usize = 500;

fn is_over(read: &impl Read, post: &crate::domain::post::Post) -> Result<bool, Halt> {
    if post.stage == PostStage::Draft {
        return Ok(false);
    }
    for &id in &post.deliveries {
        let delivery = read.delivery(post.organization, id)?;
        let over = delivery.is_none_or(|delivery| {
            matches!(
                delivery.state,
                crate::domain::delivery::State::Published { .. }
                    | crate::domain::delivery::State::Cancelled { .. }
            )
        });
        if !over {
            return Ok(false);
        }
    }
    Ok(true)
}

fn dimensions(size: ImageSize) -> Option<(u32, u32)> {
    Some((u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?))
}

fn recognise(head: &[u8]) -> Answer<(MediaKind, String)> {
    let found = infer::get(head).map(|kind| kind.mime_type());
    let kind = match found {
        Some("image/gif") => Some(MediaKind::Gif),
        Some(mime) if mime.starts_with("image/") => Some(MediaKind::Image),
        Some(mime) if mime.starts_with("video/") => Some(MediaKind::Video),
        Some(_) | None => None,
    };
    match (kind, found) {
        (Some(kind), Some(mime)) => Ok((kind, mime.to_owned())),
        (_, found) => Err(Problem::new(
            Code::MediaFormat,
            format!(
                "The file is no image and no video that we know; by its content it is {}.",
                found.unwrap_or("of no known type")
            ),
            "Upload a PNG, JPEG, WebP, GIF, MP4, MOV or WebM file.",
        )
        .at("file")),
    }
}

fn missing(id: MediaId) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("There is no media {id}."),
        "List the media to find its id.",
    )
}
