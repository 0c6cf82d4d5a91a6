//! WhatsApp Business. No feed: the same message goes to each of a list of people who agreed to get
//! it, by the Cloud API.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages>,
//! `/reference/media` and `/support/error-codes`, v26.0, as of 2026-10.
//!
//! Nothing tells whether somebody was sent a message: there is no key, and no list with recipients
//! or texts. So each sending is kept by its recipient, nobody who is known to have it gets it
//! again, and one whose outcome is unknown is a person's to decide. What becomes of a message after
//! it was taken is told by Meta's webhooks alone.

mod check;
mod errand;
mod message;
mod refusal;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    connectors::{
        Connector, Draft, Finding, Job, Next, Paste, Progress, Reply, Request, Sighting, Site,
        Task, meta,
    },
    domain::{
        delivery::Live,
        platform::{
            ApiVersion, Endpoint, Format, Kind, Limits, Login, Pace, PaceCounts, PaceScope, Pasted,
            Profile, TextLimit, TextUnit, Wanted, Window,
        },
        problem::Problem,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};

pub use self::{
    errand::Errand,
    message::{Message, Refused},
};

pub struct WhatsApp;

/// - `Upload? → Send* → done`, one `Send` for each recipient;
/// - `Send → Report`, if somebody was refused: there it fails, with the names of those;
/// - `Report → (Upload → )Send`, if a person asks for another attempt: to those alone;
/// - `Send → Upload`, once, if the file was lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Upload { progress: Sending },
    Send { progress: Sending },
    Report { progress: Sending, due: Timestamp },
}

/// By recipients and not by their place in the list, which may be changed between two attempts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sending {
    /// The file as Meta knows it; empty without one.
    file: String,
    /// How often it was uploaded.
    uploads: u32,
    sent: Vec<Message>,
    refused: Vec<Refused>,
}

const GRAPH: &str = "graph";

/// A file that is lost twice is one that Meta cannot use.
const UPLOADS_MAX: u32 = 2;

impl Connector for WhatsApp {
    const PROFILE: Profile = Profile {
        platform: "whatsapp",
        name: "WhatsApp",
        logins: &[Login::Pasted(Pasted {
            name: "",
            identifier: Wanted::Required("the id of the phone number, as WhatsApp Manager has it"),
            secret: Wanted::Required("the token of a system user"),
        })],
        endpoints: &[Endpoint { name: GRAPH, default: Some("https://graph.facebook.com") }],
        version: Some(VERSION),
        limits: LIMITS,
        kinds: &[Kind::Text, Kind::Link, Kind::Image, Kind::Video, Kind::Document, Kind::Template],
        formats: &[Format {
            name: message::TEMPLATE,
            limits: OF_TEMPLATES,
            kinds: &[Kind::Template, Kind::Image],
        }],
        options: message::OPTIONS,
        // "80 messages per second" for a number (messaging-limits, 2026-10).
        paces: &[Pace {
            name: "messages",
            scope: PaceScope::Account,
            counts: PaceCounts::Requests,
            calls_max: 4_800,
            window: Window::Rolling(Duration::from_secs(60)),
        }],
        access: "A number of your own business needs no review; templates are approved one by one \
                 and cost money for each person who gets one.",
        guide: include_str!("../guides/whatsapp.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(job: &Job) -> Step {
        Step::with_file(Sending::default(), job)
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Upload { .. } => message::upload(job),
            Step::Send { progress } => {
                message::send(progress.next(job).unwrap_or_default(), &progress.file, job)
            }
            Step::Report { .. } => errand::number(&job.author.remote_id, &job.site),
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match step {
            Step::Upload { mut progress } => {
                if !meta::is_success(reply) {
                    return Err(refusal::of_upload(reply));
                }
                progress.file = reply.text("/id")?;
                progress.uploads += 1;
                Ok(Next::Go(Step::Send { progress }))
            }
            Step::Send { progress } => progress.after(job, reply),
            Step::Report { progress, due } => {
                let refusal = (!meta::is_success(reply)).then(|| refusal::of_reply(reply));
                match refusal {
                    // Nothing could be sent now.
                    Some(refusal) if refusal.kind == RefusalKind::Revoked => Err(refusal),
                    Some(refusal) if job.due > due => Err(refusal),
                    // A new time is a new decision: a person wants another attempt.
                    None if job.due > due => Ok(Step::again(progress, job)),
                    Some(_) | None => Err(progress.report(job)),
                }
            }
        }
    }

    fn probe(_step: &Step, _job: &Job) -> Option<Request> {
        None
    }

    fn recognise(_step: Step, _job: &Job, _reply: &Reply) -> Sighting<Step> {
        Sighting::Unsure("WhatsApp lists no messages with their recipients".to_owned())
    }

    /// Nobody's message answers another's.
    fn vouched(step: Step, job: &Job) -> Option<Next<Step>> {
        let Step::Send { mut progress } = step else { return None };
        let to = progress.next(job)?.to_owned();
        progress.sent.push(Message { to, id: String::new(), held: String::new() });
        Some(progress.on(job))
    }

    fn sought(step: &Step, job: &Job) -> Option<String> {
        let Step::Send { progress } = step else { return None };
        progress.next(job).map(|to| format!("the message to {to}"))
    }

    /// A message for each recipient.
    fn pieces(job: &Job) -> usize {
        message::recipients(job).len().max(1)
    }

    fn live(step: &Step, _job: &Job) -> Vec<Live> {
        let (Step::Upload { progress } | Step::Send { progress } | Step::Report { progress, .. }) =
            step;
        progress.live()
    }

    fn check(draft: &Draft) -> Vec<Finding> {
        check::check(draft)
    }

    fn paste(pasted: Paste) -> Result<Paste, Problem> {
        errand::paste(pasted)
    }

    fn errand(task: &Task, _site: &Site) -> Option<Errand> {
        errand::begin(task)
    }

    fn errand_request(errand: &Errand, site: &Site) -> Request {
        errand::request(errand, site)
    }

    fn errand_accept(
        errand: Errand,
        _site: &Site,
        reply: &Reply,
    ) -> Result<Progress<Errand>, Refusal> {
        errand::accept(errand, reply)
    }
}

/// As for Facebook, of the same changelog (2026-10). A dead version is no error: the oldest living
/// one answers instead.
const VERSION: ApiVersion = ApiVersion {
    default: "v26.0",
    ends: &[
        ("v21.0", "2027-01-21"),
        ("v22.0", "2027-05-20"),
        ("v23.0", "2027-10-08"),
        ("v24.0", "2028-02-18"),
        ("v25.0", "2028-07-29"),
    ],
    alarm_days: 90,
};

/// "Image: 5 MB, video: 16 MB, document: 100 MB"; a text has 4,096 characters (reference/media,
/// 2026-10).
const LIMITS: Limits = Limits {
    text: TextLimit { max: 4_096, unit: TextUnit::Chars },
    media_max: Some(1),
    images_max: 1,
    image_bytes_max: 5_000_000,
    image_formats: &["image/jpeg", "image/png"],
    videos_max: 1,
    video_bytes_max: 16_000_000,
    video_formats: &["video/mp4", "video/3gpp"],
    documents_max: 1,
    document_bytes_max: 100_000_000,
    document_formats: &[
        "application/pdf",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ],
    // Nobody is shown a description; one that other platforms show does no harm.
    alt_chars_max: 10_000,
    ..Limits::NONE
};

/// The text is the template's; an image stands at its head.
const OF_TEMPLATES: Limits = Limits {
    text: TextLimit { max: 0, unit: TextUnit::Chars },
    videos_max: 0,
    video_bytes_max: 0,
    video_formats: &[],
    documents_max: 0,
    document_bytes_max: 0,
    document_formats: &[],
    ..LIMITS
};

impl Step {
    fn with_file(progress: Sending, job: &Job) -> Step {
        match job.parts[0].media.is_empty() {
            true => Step::Send { progress },
            false => Step::Upload { progress },
        }
    }

    /// To those who were refused. Files are kept for 30 days only, so it is uploaded anew.
    /// To what is held nothing is sent: it would be a second message. Whoever asks takes it so.
    fn again(progress: Sending, job: &Job) -> Next<Step> {
        let released = |sent: Message| Message { held: String::new(), ..sent };
        let sent = progress.sent.into_iter().map(released).collect();
        let progress = Sending { sent, ..Sending::default() };
        match progress.next(job) {
            Some(_) => Next::Go(Step::with_file(progress, job)),
            None => Next::Done(progress.live()),
        }
    }
}

impl Sending {
    /// The first who neither has it nor was refused.
    fn next<'a>(&self, job: &'a Job) -> Option<&'a str> {
        message::recipients(job).into_iter().find(|recipient| {
            !self.sent.iter().any(|sent| sent.to == *recipient)
                && !self.refused.iter().any(|refused| refused.to == *recipient)
        })
    }

    fn after(mut self, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        let to = self.next(job).unwrap_or_default().to_owned();
        if meta::is_success(reply) {
            let held = message::held(&reply.body).to_owned();
            self.sent.push(Message { to, id: reply.text("/messages/0/id")?, held });
            return Ok(self.on(job));
        }
        let refusal = refusal::of_reply(reply);
        if refusal::is_about_the_recipient(reply) {
            let words = format!("{} ({})", refusal.words, refusal.code);
            self.refused.push(Refused { to, words });
            return Ok(self.on(job));
        }
        // While nobody has it, the engine begins anew by itself.
        let is_lost = refusal.kind == RefusalKind::Media && !self.sent.is_empty();
        if is_lost && self.uploads < UPLOADS_MAX {
            return Ok(Next::Go(Step::Upload { progress: self }));
        }
        let (sent, all) = (self.sent.len(), message::recipients(job).len());
        let words = format!("to {to}, when {sent} of {all} had it: {}", refusal.words);
        Err(Refusal { words, ..refusal })
    }

    fn on(self, job: &Job) -> Next<Step> {
        let is_clear = self.refused.is_empty() && self.sent.iter().all(|sent| sent.held.is_empty());
        match (self.next(job), is_clear) {
            (Some(_), _) => Next::Go(Step::Send { progress: self }),
            (None, true) => Next::Done(self.live()),
            (None, false) => Next::Go(Step::Report { progress: self, due: job.due }),
        }
    }

    /// What Meta holds back is not there yet.
    fn live(&self) -> Vec<Live> {
        let there = self.sent.iter().filter(|sent| sent.held.is_empty());
        there.map(Message::live).collect()
    }

    fn report(&self, job: &Job) -> Refusal {
        let held: Vec<&Message> = self.sent.iter().filter(|sent| !sent.held.is_empty()).collect();
        let (sent, all) = (self.sent.len() - held.len(), message::recipients(job).len());
        let mut words = format!("{sent} of {all} have it.");
        if !self.refused.is_empty() {
            let each = self.refused.iter().map(|it| format!("{}: {}", it.to, it.words));
            words += &format!(" Not sent to {}", each.collect::<Vec<_>>().join("; "));
        }
        if !held.is_empty() {
            let each = held.iter().map(|it| format!("{} ({})", it.to, it.held));
            words += &format!(
                " Taken and held back by Meta, which does not say for how long, and not sent again \
                 by a retry: {}",
                each.collect::<Vec<_>>().join("; ")
            );
        }
        Refusal::new(RefusalKind::Rejected, refusal::SOME_REFUSED, words)
    }
}
