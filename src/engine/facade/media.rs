//! Uploaded files: received, looked at, handed to platforms, deleted when nothing needs them.

use crate::{
    domain::{
        event::EventKind,
        ids::MediaId,
        media::Media,
        post::{Content, PostStage},
        problem::{Code, Problem},
    },
    engine::{
        Answer, Engine, addresses,
        core::{Halt, unexpected},
        facade::{Caller, Listing, Once, Page, listing, remembered},
        journal::{self, Tale},
        probe::{self, Found},
    },
    policy::permission::Verb,
    store::{Incoming, MediaFile, Read},
};

/// A file that is being received; gone if it is dropped without [`Engine::upload`].
#[derive(Debug)]
pub struct Upload {
    incoming: Incoming,
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
        // A write to the page cache; the sync at the end is handed off.
        self.incoming.write(bytes)?;
        Ok(())
    }
}

impl Engine {
    pub async fn begin_upload(&self, caller: &Caller) -> Answer<Upload> {
        caller.may(Verb::MediaUpload)?;
        self.refuse_when_stopping()?;
        let incoming = self.core.store.media_files().receive()?;
        Ok(Upload { incoming, bytes_max: self.core.upload_bytes_max })
    }

    pub fn upload_bytes_max(&self) -> u64 {
        self.core.upload_bytes_max
    }

    /// Keeps a received file. What it is, is read from its content; a name or a header is not
    /// believed. With `once`, a repetition is answered with what was kept the first time.
    pub async fn upload(
        &self,
        caller: &Caller,
        name: &str,
        upload: Upload,
        once: Option<Once>,
    ) -> Answer<Media> {
        caller.may(Verb::MediaUpload)?;
        let Upload { mut incoming, .. } = upload;
        let (found, kept) = blocking(move || {
            let found = probe::look(incoming.received())?;
            Ok((found, incoming.keep()?))
        })
        .await?;
        let Found { kind, mime, size, length, codec } = found;
        let (organization, actor, now) =
            (caller.organization, caller.actor.clone(), self.core.now());
        let media = Media {
            id: MediaId::new(now, self.core.entropy.number()),
            organization,
            kind,
            mime,
            bytes: kept.bytes,
            size,
            length,
            codec,
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
        caller.may(Verb::MediaList)?;
        let tenant = self.core.store.organization(caller.organization);
        let limit = page.limit();
        let found = tenant.media_list(page.after_id()?, limit + 1)?;
        Ok(listing(found, limit, |media| media.id.to_string()))
    }

    pub fn media(&self, caller: &Caller, id: MediaId) -> Answer<Media> {
        caller.may(Verb::MediaShow)?;
        let found = self.core.store.organization(caller.organization).media(id)?;
        found.ok_or_else(|| missing(id))
    }

    /// What is behind an address that a delivery gave to a platform. Whatever is wrong with the
    /// address, the answer is the same.
    pub async fn download(&self, token: &str, file_name: &str) -> Answer<Download> {
        let vault = self.core.store.vault();
        let pass = addresses::read(vault, token, self.core.now()).ok_or_else(no_such_file)?;
        let media = self.core.store.media(pass.organization, pass.media)?;
        let media = media.filter(|media| addresses::file_name(media) == file_name);
        let media = media.ok_or_else(no_such_file)?;
        let (files, sha256) = (self.core.store.media_files().clone(), media.sha256);
        let file = blocking(move || Ok(files.open(&sha256)?)).await?.ok_or_else(no_such_file)?;
        Ok(Download { mime: media.mime, sha256, file })
    }

    /// Refused while a post that is not settled needs it. The file itself goes when no record of
    /// any organization names it any more.
    pub async fn delete_media(&self, caller: &Caller, id: MediaId) -> Answer<()> {
        caller.may(Verb::MediaDelete)?;
        let (organization, actor, now) =
            (caller.organization, caller.actor.clone(), self.core.now());
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
                let text = format!("The file {id} ({}) was deleted.", media.mime);
                let kind = EventKind::MediaDeleted;
                journal::tell(view, Tale::of(organization, now, &actor, kind, text))?;
                Ok(())
            })
            .await
    }
}

/// A file that is being sent to whoever has its address.
#[derive(Debug)]
pub struct Download {
    pub mime: String,
    pub sha256: [u8; 32],
    file: MediaFile,
}

impl Download {
    pub fn bytes(&self) -> u64 {
        self.file.bytes()
    }

    /// Up to `length` bytes from `offset` on; fewer only at the end of the file.
    pub async fn read_at(mut self, offset: u64, length: usize) -> Answer<(Download, Vec<u8>)> {
        blocking(move || {
            let part = self.file.read_at(offset, length)?;
            Ok((self, part))
        })
        .await
    }
}

/// Off the threads that must not wait for a disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Answer<T> + Send + 'static,
) -> Answer<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| unexpected(&error.to_string()))?
}

fn no_such_file() -> Problem {
    Problem::new(
        Code::NotFound,
        "There is no such file, or its address has ended.",
        "Addresses of files are for platforms, and last some days. Publish the post again for new \
         ones.",
    )
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

pub(super) fn missing(id: MediaId) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("There is no media {id}."),
        "List the media to find its id.",
    )
}
