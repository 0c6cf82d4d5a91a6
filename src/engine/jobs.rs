//! Builds what a connector works from: the post as it is for one account, with what is known of its
//! media.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    connectors::{AnyConnector, Job, JobMedia, JobPart, Site},
    domain::{
        account::Account,
        delivery::Delivery,
        ids::{MediaId, OrganizationId},
        media::Media,
        platform::FORMAT,
        post::{Content, Post},
    },
    engine::core::Halt,
    policy::fit,
    store::Read,
};

/// Everything that is read to publish one delivery.
pub(super) struct Prepared {
    pub(super) job: Job,
    pub(super) media: BTreeMap<MediaId, Media>,
    /// A file that the post names is gone; it must not go out without it.
    pub(super) missing: Option<MediaId>,
}

/// `url`: where a platform may fetch a file.
pub(super) fn build(
    read: &impl Read,
    connector: &dyn AnyConnector,
    site: Site,
    delivery: &Delivery,
    post: &Post,
    account: &Account,
    url: impl Fn(&Media) -> String,
) -> Result<Prepared, Halt> {
    let content = post.content_for(account.id, &account.platform);
    let media = media_of(read, account.organization, content)?;
    let mut named = content.parts.iter().flat_map(|part| &part.media);
    let missing = named.find(|named| !media.contains_key(&named.media)).map(|named| named.media);
    let profile = connector.profile();
    let format = content.options.get(FORMAT).map_or("", String::as_str);
    let limits = profile.format(format).map_or(profile.limits, |(limits, _)| *limits);
    let limits = fit::limits_of(limits, &account.identity.limits);
    let job = Job {
        delivery: delivery.id,
        due: delivery.due,
        site,
        author: account.identity.clone(),
        limits,
        parts: parts(content, &media, url),
        options: content.options.clone(),
        armed: delivery.armed.as_ref().map(|armed| armed.since),
        taken: taken(read, delivery)?,
    };
    Ok(Prepared { job, media, missing })
}

/// A platform may list what was made a little before with a later time, and what it took long ago
/// is told of only when it is live.
const TAKEN_SINCE: Duration = Duration::from_secs(10 * 60);

/// Of this many events at most what they tell of is read.
const EVENTS_MAX: u64 = 20_000;
const EVENTS_PIECE: u64 = 500;

/// Only where it matters: when it is to be found out what became of this delivery.
fn taken(read: &impl Read, delivery: &Delivery) -> Result<BTreeSet<String>, Halt> {
    let mut taken = BTreeSet::new();
    if delivery.armed.is_none() && delivery.live.is_empty() {
        return Ok(taken);
    }
    let since = delivery.armed.as_ref().map_or(delivery.due, |armed| armed.since);
    let since = since.before(TAKEN_SINCE);
    let organization = delivery.organization;
    let mut others = BTreeSet::new();
    let mut upto = read.last_sequence(organization)?;
    let last = upto.saturating_sub(EVENTS_MAX);
    while upto > last {
        let after = upto.saturating_sub(EVENTS_PIECE).max(last);
        let piece = usize::try_from(upto - after).unwrap_or(usize::MAX);
        let events = read.events_after(organization, after, piece)?;
        others.extend(
            events
                .iter()
                .filter(|event| event.account == Some(delivery.account))
                .filter_map(|event| event.delivery),
        );
        if events.first().is_none_or(|first| first.at < since) {
            break;
        }
        upto = after;
    }
    others.remove(&delivery.id);
    for other in others {
        let other = read.delivery(organization, other)?;
        let live = other.into_iter().flat_map(|other| other.live);
        taken.extend(live.map(|live| live.id).filter(|id| !id.is_empty()));
    }
    Ok(taken)
}

pub(super) fn media_of(
    read: &impl Read,
    organization: OrganizationId,
    content: &Content,
) -> Result<BTreeMap<MediaId, Media>, Halt> {
    let mut found = BTreeMap::new();
    for attachment in content.parts.iter().flat_map(|part| &part.media) {
        if let Some(media) = read.media(organization, attachment.media)? {
            found.insert(attachment.media, media);
        }
    }
    Ok(found)
}

/// Media that is gone is left out; [`Prepared::missing`] says so. `url`: where a platform may fetch
/// a file.
pub(super) fn parts(
    content: &Content,
    media: &BTreeMap<MediaId, Media>,
    url: impl Fn(&Media) -> String,
) -> Vec<JobPart> {
    let part = |part: &crate::domain::post::Part| JobPart {
        text: part.text.clone(),
        media: part
            .media
            .iter()
            .filter_map(|attachment| {
                let media = media.get(&attachment.media)?;
                Some(JobMedia {
                    id: media.id,
                    kind: media.kind,
                    mime: media.mime.clone(),
                    bytes: media.bytes,
                    size: media.size,
                    length: media.length,
                    name: media.name.clone(),
                    url: url(media),
                    alt: attachment.alt.clone(),
                })
            })
            .collect(),
    };
    content.parts.iter().map(part).collect()
}
