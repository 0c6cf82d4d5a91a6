//! Images made to fit a platform, on request: a new file each, and the old one stays as it is.

use crate::{
    domain::{
        event::EventKind,
        ids::{AccountId, MediaId, OrganizationId},
        media::{Media, MediaKind},
        problem::{Code, Problem},
        time::Timestamp,
    },
    engine::{
        Answer, Engine,
        core::{connector_named, unexpected},
        facade::{Caller, Once, Repeated, media::missing, remembered},
        journal::{self, Tale},
        pixels::{BYTES_MAX, Picture},
    },
    policy::{
        fit,
        mend::{self, Place, Shape, Try, Verdict, Work},
        permission::Verb,
    },
    store::{Kept, MediaFiles, Read},
};

/// What an image is to fit.
#[derive(Clone, Debug)]
pub struct FitRequest {
    /// Empty: that of the account.
    pub platform: String,
    /// As the option `format` of a post; empty: the usual shape of one.
    pub format: String,
    /// Its server may have limits of its own.
    pub account: Option<AccountId>,
    pub shape: Shape,
}

#[derive(Clone, Debug)]
pub struct Fitted {
    pub media: Media,
    pub change: Change,
    pub repeated: Repeated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It fits as it is, and says nothing but its pixels.
    None,
    /// A new file was made.
    Made,
}

/// A copy that is on the disk and has no record yet.
struct Copy {
    kept: Kept,
    mime: &'static str,
    size: (u32, u32),
}

impl Engine {
    /// Makes a copy that fits, without metadata; or answers with the file itself if nothing has to
    /// be done to it. With `once`, a repetition is answered with what was made the first time.
    pub async fn fit_media(
        &self,
        caller: &Caller,
        id: MediaId,
        request: &FitRequest,
        once: Option<Once>,
    ) -> Answer<Fitted> {
        caller.may(Verb::MediaFit)?;
        self.refuse_when_stopping()?;
        let organization = caller.organization;
        let store = &self.core.store;
        if let Some(made) = remembered::find(store, organization, once.as_ref())? {
            return made_before(store, organization, id, &made);
        }
        let media = store.media(organization, id)?.ok_or_else(|| missing(id))?;
        let place = self.place(organization, request)?;
        let copy = self.copy(media.clone(), place, request.shape).await?;
        let (now, actor) = (self.core.now(), caller.actor.clone());
        let (made, change) = match copy {
            Some(copy) => (self.record_of(copy, &media, now), Change::Made),
            None => (media, Change::None),
        };
        let fitted = self.core.commit_at_door("fit media", move |view| {
            if let Some(before) = remembered::find(view, organization, once.as_ref())? {
                return Ok(made_before(view, organization, id, &before)?);
            }
            remembered::note(view, organization, once.as_ref(), made.id.to_string(), now)?;
            if change == Change::Made {
                let text = format!(
                    "Made {} ({} bytes) that fits {}.",
                    made.mime, made.bytes, place.platform
                );
                let kind = EventKind::MediaUploaded;
                journal::tell(view, Tale::of(organization, now, &actor, kind, text))?;
                view.put_media(&made)?;
            }
            Ok(Fitted { media: made, change, repeated: Repeated::No })
        });
        fitted.await
    }

    fn place(&self, organization: OrganizationId, request: &FitRequest) -> Answer<Place<'static>> {
        let account = match request.account {
            Some(id) => {
                let found = self.core.store.account(organization, id)?;
                Some(found.ok_or_else(|| no_account(id))?)
            }
            None => None,
        };
        let platform = match (&account, request.platform.as_str()) {
            (Some(account), "") => account.platform.as_str(),
            (Some(account), named) if account.platform != named => {
                let sentence =
                    format!("The account is one of {}, not of {named}.", account.platform);
                let remedy = "Name the platform or the account; one is enough.";
                return Err(Problem::new(Code::Invalid, sentence, remedy).at("platform"));
            }
            (None, "") => {
                let sentence = "Neither a platform nor an account is named.";
                let remedy = "Say what the image is for: `platform` or `account`.";
                return Err(Problem::new(Code::Invalid, sentence, remedy).at("platform"));
            }
            (_, named) => named,
        };
        let profile = connector_named(platform)?.profile();
        let Some((limits, kinds)) = profile.format(&request.format) else {
            let known: Vec<&str> = profile.formats.iter().map(|format| format.name).collect();
            let (platform, format) = (profile.name, &request.format);
            let remedy = match known.is_empty() {
                true => "Leave it out.".to_owned(),
                false => format!("Leave it out, or use one of: {}.", known.join(", ")),
            };
            let sentence = format!("{platform} has no format `{format}`.");
            return Err(Problem::new(Code::UnknownOption, sentence, remedy).at("format"));
        };
        let limits = match &account {
            Some(account) => fit::limits_of(*limits, &account.identity.limits),
            None => *limits,
        };
        Ok(Place { platform: profile.name, limits, kinds })
    }

    /// `None`: nothing has to be done.
    async fn copy(
        &self,
        media: Media,
        place: Place<'static>,
        shape: Shape,
    ) -> Answer<Option<Copy>> {
        match media.kind {
            MediaKind::Image | MediaKind::Gif => (),
            kind @ (MediaKind::Video | MediaKind::Document) => {
                let sentence = format!("Only images are made to fit; this is a {}.", kind.name());
                let remedy = "Convert it before you upload it.";
                return Err(Problem::new(Code::MediaFormat, sentence, remedy));
            }
        }
        let permit = self.core.fitting.acquire().await;
        let files = self.core.store.media_files().clone();
        let worked = tokio::task::spawn_blocking(move || work(&files, &media, &place, shape)).await;
        drop(permit);
        worked.unwrap_or_else(|error| match error.is_panic() {
            // In a decoder, over a file that nobody expected.
            true => Err(Problem::new(
                Code::MediaFormat,
                "This image cannot be read.",
                "Look whether it opens on your device, and export and upload it again.",
            )),
            false => Err(unexpected(&error.to_string())),
        })
    }

    fn record_of(&self, copy: Copy, of: &Media, now: Timestamp) -> Media {
        let made = Media {
            id: MediaId::new(now, self.core.entropy.number()),
            organization: of.organization,
            kind: MediaKind::Image,
            mime: copy.mime.to_owned(),
            bytes: copy.kept.bytes,
            size: Some(copy.size),
            length: None,
            codec: String::new(),
            sha256: copy.kept.sha256,
            name: String::new(),
            created: now,
        };
        let stem = of.name.rsplit_once('.').map_or(of.name.as_str(), |(stem, _)| stem);
        let name = match stem {
            "" => String::new(),
            stem => format!("{stem}.{}", made.extension()),
        };
        Media { name, ..made }
    }
}

fn work(files: &MediaFiles, media: &Media, place: &Place, shape: Shape) -> Answer<Option<Copy>> {
    let gone = || unexpected(&format!("the file of {} is gone from the media folder", media.id));
    let mut file = files.open(&media.sha256)?.ok_or_else(gone)?;
    if file.bytes() > BYTES_MAX {
        let sentence =
            format!("This image has {} bytes; at most {BYTES_MAX} are opened here.", file.bytes());
        let remedy = "Make it smaller before you upload it.";
        return Err(Problem::new(Code::MediaTooLarge, sentence, remedy));
    }
    let bytes = file.read_at(0, usize::try_from(file.bytes()).unwrap_or(usize::MAX))?;
    let picture = Picture::open(bytes, media)?;
    let work = match mend::decide(&picture.facts(media), place, shape)? {
        Verdict::Fits => return Ok(None),
        Verdict::Change(work) => work,
    };
    let (bytes, attempt) = tried(picture, &work, place.platform)?;
    let mut incoming = files.receive()?;
    incoming.write(&bytes)?;
    let kept = incoming.keep()?;
    Ok(Some(Copy { kept, mime: attempt.format.mime(), size: attempt.placing.frame }))
}

/// Until the bytes are few enough.
fn tried(picture: Picture, work: &Work, platform: &str) -> Answer<(Vec<u8>, Try)> {
    let whole = picture.decode()?;
    let mut attempt = work.first();
    let mut placed = whole.placed(attempt.placing);
    loop {
        let bytes = placed.encode(&attempt)?;
        if bytes.len() as u64 <= work.bytes_max {
            return Ok((bytes, attempt));
        }
        let next = work.next(&attempt, bytes.len() as u64).ok_or_else(|| {
            let (found, max) = (bytes.len(), work.bytes_max);
            Problem::new(
                Code::MediaTooLarge,
                format!("At its smallest this image has {found} bytes; {platform} allows {max}."),
                "Use a simpler image.",
            )
        })?;
        if next.placing != attempt.placing {
            placed = whole.placed(next.placing);
        }
        attempt = next;
    }
}

/// What the same request made when it first arrived.
fn made_before(
    read: &impl Read,
    organization: OrganizationId,
    asked: MediaId,
    made: &str,
) -> Answer<Fitted> {
    let known = made.parse::<MediaId>().ok();
    let known = known.map(|id| read.media(organization, id)).transpose()?.flatten();
    let media = known.ok_or_else(|| {
        Problem::new(
            Code::NotFound,
            "This was made before, and deleted since.",
            "Ask for it again with a new Idempotency-Key.",
        )
    })?;
    let change = if media.id == asked { Change::None } else { Change::Made };
    Ok(Fitted { media, change, repeated: Repeated::Yes })
}

fn no_account(id: AccountId) -> Problem {
    let sentence = format!("There is no account {id}.");
    Problem::new(Code::UnknownAccount, sentence, "List the accounts to find its id.").at("account")
}
