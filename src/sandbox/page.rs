//! What was posted, as a reader would see it. Works without scripts; with them, it renews itself
//! without losing the reader's place.

use std::collections::{HashMap, HashSet};

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use crate::domain::time::Timestamp;

use super::{
    Platform,
    ledger::{LedgerEntry, LedgerMedia, Piece},
    world::World,
};

/// The page and its pictures come from here alone.
pub(crate) const POLICY: &str = "default-src 'none'; img-src 'self' data:; media-src 'self'; \
    connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'";

/// Posts shown per platform; the ledger has them all.
const SHOWN_MAX: usize = 60;

/// What the page needs, copied while the lock is held.
pub(crate) struct View {
    columns: Vec<Column>,
    faults: Value,
}

struct Column {
    platform: Platform,
    /// Oldest first.
    entries: Vec<LedgerEntry>,
    total: usize,
    counts: [u64; 4],
}

impl View {
    /// The platforms that somebody used; the busiest first.
    pub(crate) fn of(world: &World) -> View {
        let mut columns = Vec::new();
        for (name, platform) in Platform::NAMES {
            let all = world.books.ledger.entries().iter();
            let own = all.filter(|entry| entry.platform == platform);
            let total = own.clone().count();
            let mut entries: Vec<LedgerEntry> = own.rev().take(SHOWN_MAX).cloned().collect();
            entries.reverse();
            let Some(tally) = world.tallies.get(name) else { continue };
            let counts = [tally.accepted, tally.refused, tally.throttled, tally.struck];
            columns.push(Column { platform, entries, total, counts });
        }
        // Those alike keep the order of their names, so that nothing jumps.
        columns.sort_by_key(|column| std::cmp::Reverse(column.total));
        View { columns, faults: world.faults.to_json() }
    }
}

pub(crate) fn render(view: &View, now: Timestamp) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Fanfare sandbox" }
                link rel="icon" href=(ICON);
                noscript { meta http-equiv="refresh" content="2"; }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Fanfare sandbox" }
                    p { "Simulated platforms. Nothing here has left this machine." }
                }
                main id="live" {
                    @if view.columns.is_empty() {
                        section class="wide" { p class="empty" { (waiting()) } }
                    }
                    div class="columns" {
                        @for column in &view.columns { (section(column, now)) }
                    }
                    (faults(&view.faults))
                    @if !view.columns.is_empty() { (counts(&view.columns)) }
                }
                footer {
                    a href="/_sandbox/ledger" { "Ledger as JSON" } " · "
                    a href="/_sandbox/faults" { "Faults as JSON" }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// Before anybody connected anything.
fn waiting() -> String {
    let names = Platform::NAMES.map(|(_, platform)| title(platform));
    format!("Nobody has connected an account yet. Simulated here: {}.", names.join(", "))
}

fn title(platform: Platform) -> &'static str {
    match platform {
        Platform::Mastodon => "Mastodon",
        Platform::Gotosocial => "GoToSocial",
        Platform::Pleroma => "Pleroma",
        Platform::Bluesky => "Bluesky",
        Platform::Linkedin => "LinkedIn",
        Platform::Threads => "Threads",
        Platform::X => "X",
        Platform::Facebook => "Facebook",
        Platform::Instagram => "Instagram",
        Platform::Tiktok => "TikTok",
        Platform::Youtube => "YouTube",
        Platform::Googlebusiness => "Google Business Profile",
        Platform::Pinterest => "Pinterest",
        Platform::Snapchat => "Snapchat",
        Platform::Telegram => "Telegram",
        Platform::Discord => "Discord",
        Platform::Slack => "Slack",
        Platform::Webhook => "Webhooks",
        Platform::Whatsapp => "WhatsApp",
    }
}

fn section(column: &Column, now: Timestamp) -> Markup {
    let shown: HashSet<&str> = column.entries.iter().map(|entry| entry.id.as_str()).collect();
    let mut answers: HashMap<&str, Vec<&LedgerEntry>> = HashMap::new();
    let mut roots = Vec::new();
    for entry in &column.entries {
        match entry.reply_to.as_deref().filter(|id| shown.contains(id)) {
            Some(parent) => answers.entry(parent).or_default().push(entry),
            None => roots.push(entry),
        }
    }
    html! {
        section class=(column.platform.name()) id=(column.platform.name()) {
            h2 { (title(column.platform)) " " span class="count" { (column.total) } }
            @if roots.is_empty() { p class="empty" { "Nothing posted yet." } }
            @for root in roots.into_iter().rev() {
                div class="thread" { (thread(root, &answers, now)) }
            }
        }
    }
}

/// A post and what answers it, depth first. Threads are shown as one line, not as stairs, so that
/// a long one still fits a phone; a loop keeps a long thread from deepening the stack.
fn thread(
    root: &LedgerEntry,
    answers: &HashMap<&str, Vec<&LedgerEntry>>,
    now: Timestamp,
) -> Markup {
    let mut ahead = vec![root];
    let mut posts = Vec::new();
    while let Some(entry) = ahead.pop() {
        posts.push(post(entry, now));
        if let Some(next) = answers.get(entry.id.as_str()) {
            ahead.extend(next.iter().rev());
        }
    }
    html! { @for post in posts { (post) } }
}

fn post(entry: &LedgerEntry, now: Timestamp) -> Markup {
    let initial: String = entry.handle.chars().take(1).flat_map(char::to_uppercase).collect();
    let said_already = |mark: &&String| kind(entry) == Some(mark.as_str());
    let marks: Vec<&String> = entry.face.marks.iter().filter(|it| !said_already(it)).collect();
    html! {
        article class=(class(entry)) id={ "post-" (entry.sequence) } {
            div class="face" aria-hidden="true" { (initial) }
            div class="body" {
                (byline(entry, now))
                @if !marks.is_empty() {
                    p class="marks" { @for mark in marks { span class="mark" { (mark) } } }
                }
                @if let Some(warning) = &entry.face.warning {
                    p class="warning" { "⚠ " (warning) }
                }
                @if !entry.text.is_empty() { p class="text" { (pieces(&entry.face.pieces)) } }
                (files(&entry.media))
                @if let Some(card) = &entry.face.card {
                    a class="card" href=(safe(&card.url)) rel="noreferrer" {
                        strong { (card.title) } span { (card.description) } small { (card.url) }
                    }
                }
                @if !entry.face.poll.is_empty() {
                    ul class="poll" aria-label="Poll" {
                        @for option in &entry.face.poll { li { (option) } }
                    }
                }
                p class="id" title=(entry.id) { "#" (entry.sequence) " · " (short(&entry.id)) }
            }
        }
    }
}

fn class(entry: &LedgerEntry) -> String {
    let mut class = String::from("post");
    if entry.deleted_at.is_some() {
        class.push_str(" deleted");
    }
    if entry.reply_to.is_some() {
        class.push_str(" reply");
    }
    if let Some(kind @ ("carousel" | "comment" | "reel" | "story")) = kind(entry) {
        class.push(' ');
        class.push_str(kind);
    }
    class
}

fn byline(entry: &LedgerEntry, now: Timestamp) -> Markup {
    html! {
        p class="by" {
            strong { "@" (entry.handle) } " "
            time datetime=(entry.at) title=(entry.at) { (ago(entry.at, now)) }
            @if entry.face.edited { " · edited" }
            @if let Some(kind) = kind(entry) { span class="mark kind" { (kind) } }
            @if entry.deleted_at.is_some() { span class="mark gone" { "deleted" } }
        }
    }
}

/// What it is, where it is more than a text with or without a file.
fn kind(entry: &LedgerEntry) -> Option<&'static str> {
    if entry.face.label.is_some() {
        return entry.face.label;
    }
    let has_document = entry.media.iter().any(|media| media.kind == "document");
    match (entry.reply_to.is_some(), entry.face.poll.is_empty(), has_document) {
        // There is no other answer on LinkedIn.
        (true, _, _) if entry.platform == Platform::Linkedin => Some("comment"),
        (true, _, _) => Some("reply"),
        (false, false, _) => Some("poll"),
        (false, true, true) => Some("document"),
        (false, true, false) => None,
    }
}

/// Several lie side by side in a strip of their own, so that the page never gets wider.
fn files(media: &[LedgerMedia]) -> Markup {
    let several = media.len() > 1;
    let named = format!("{} files, side by side", media.len());
    html! {
        @if several {
            div class="media strip" role="group" aria-label=(named) tabindex="0" {
                @for (at, one) in media.iter().enumerate() {
                    (figure(one, Some(format!("{} of {}", at + 1, media.len()))))
                }
            }
        } @else if let Some(one) = media.first() {
            div class="media" { (figure(one, None)) }
        }
    }
}

/// The last part of an id that is a path, as Bluesky's are: the rest is alike for an account.
fn short(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

fn pieces(pieces: &[Piece]) -> Markup {
    html! {
        @for piece in pieces {
            @match piece {
                Piece::Plain(text) => (text),
                Piece::Link { shown, url } => {
                    a href=(safe(url)) rel="noreferrer" { (shown) }
                }
            }
        }
    }
}

/// Whatever was posted, a link leads to the web or nowhere.
fn safe(url: &str) -> &str {
    match url.starts_with("https://") || url.starts_with("http://") {
        true => url,
        false => "#",
    }
}

fn figure(media: &LedgerMedia, place: Option<String>) -> Markup {
    let source = format!("/_sandbox/media/{}", media.shelf);
    let is_document = media.kind == "document";
    html! {
        figure {
            @match media.kind {
                "video" => video src=(source) controls preload="metadata" {},
                "audio" => audio src=(source) controls preload="none" {},
                "document" => a class="card document" href=(source) download="" {
                    strong { @if media.alt.is_empty() { "Document" } @else { (media.alt) } }
                    small { (media.mime) ", " (size(media.bytes)) }
                },
                _ => img src=(source) alt=(media.alt) loading="lazy";
            }
            @if !is_document {
                figcaption {
                    @if let Some(place) = place { span class="place" { (place) } " " }
                    @if media.alt.is_empty() { em { "no alt text" } }
                    @else { b { "ALT" } " " (media.alt) }
                }
            }
        }
    }
}

fn size(bytes: usize) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} bytes"),
        10_000..=9_999_999 => format!("{} KB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn ago(at: Timestamp, now: Timestamp) -> String {
    match at.elapsed(now).as_secs() {
        0..=1 => "now".to_owned(),
        seconds @ 2..=59 => format!("{seconds} s"),
        seconds @ 60..=3_599 => format!("{} min", seconds / 60),
        seconds @ 3_600..=86_399 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

fn faults(faults: &Value) -> Markup {
    let rows: Vec<&Value> = faults["faults"].as_array().into_iter().flatten().collect();
    let text = |value: &Value, other: &str| value.as_str().unwrap_or(other).to_owned();
    html! {
        section class="wide" {
            h2 { "Faults" }
            @if rows.is_empty() {
                p class="empty" { "None. " code { "POST /_sandbox/faults" } " injects one." }
            } @else {
                div class="scroll" { table {
                    thead { tr { th { "Kind" } th { "Platform" } th { "Account" } th { "Operation" }
                        th { "Passed" } th { "Fired" } } }
                    tbody { @for row in rows { tr {
                        td { (text(&row["kind"], "")) }
                        td { (text(&row["platform"], "any")) }
                        td { (text(&row["account"], "any")) }
                        td { (text(&row["operation"], "any")) }
                        td { (row["passed"]) " of " (row["after"]) }
                        td { (row["fired"]) " of " (row["times"]) }
                    } } }
                } }
            }
        }
    }
}

fn counts(columns: &[Column]) -> Markup {
    html! {
        section class="wide" {
            h2 { "Requests" }
            div class="scroll" { table {
                thead { tr { th { "Platform" } th { "Posts" } th { "Accepted" } th { "Refused" }
                    th { "Throttled" } th { "Struck by a fault" } } }
                tbody { @for column in columns { tr {
                    td { (title(column.platform)) }
                    td { (column.total) }
                    @for count in column.counts { td { (count) } }
                } } }
            } }
        }
    }
}

/// Renews the posts when they changed, but not under a film that plays or a finger on the keyboard;
/// what was leafed through stays where it is. Without it, the browser reloads the page.
const SCRIPT: &str = "
setInterval(async () => {
  const live = document.getElementById('live');
  const plays = [...live.querySelectorAll('video, audio')].some((media) => !media.paused);
  if (document.hidden || plays || live.contains(document.activeElement)) return;
  try {
    const page = new DOMParser().parseFromString(await (await fetch('/')).text(), 'text/html');
    const fresh = page.getElementById('live');
    if (!fresh || fresh.innerHTML === live.innerHTML) return;
    const strip = (id) => document.querySelector('#' + id + ' .strip');
    const leafed = [...live.querySelectorAll('.strip')].filter((one) => one.scrollLeft > 0)
      .map((one) => [one.closest('article').id, one.scrollLeft]);
    live.innerHTML = fresh.innerHTML;
    for (const [id, left] of leafed) if (strip(id)) strip(id).scrollLeft = left;
  } catch { /* The sandbox is away; the next round asks again. */ }
}, 2000);
";

const ICON: &str = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' \
    viewBox='0 0 16 16'><path fill='%231185fe' d='M2 6v4h2l7 4V2L4 6zm11-1v6c2-1 2-5 0-6z'/></svg>";

const STYLE: &str = "
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif;
  --ground: light-dark(#eceef2, #121419); --sheet: light-dark(#fff, #1c1f26);
  --line: light-dark(#dfe2e8, #30343d); --ink: light-dark(#1a1d23, #e7e9ee);
  --soft: light-dark(#5c6370, #9aa2b1); --link: light-dark(#1f55c4, #8ab4ff);
  --bad: light-dark(#a5261b, #ff9d92); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); }
header, main, footer { max-width: 90rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.25rem; } footer { padding-bottom: 2rem; }
h1 { font-size: 1.35rem; margin: 0; } header p { margin: 0 0 1rem; color: var(--soft); }
h2 { font-size: 1.05rem; margin: 0; padding: .7rem 1rem; border-bottom: 1px solid var(--line); }
.count { float: right; color: var(--soft); font-weight: 400; }
.columns { display: grid; gap: 1rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); }
section { background: var(--sheet); border: 1px solid var(--line); border-radius: 12px;
  overflow: hidden; border-top: 4px solid var(--brand, var(--line)); min-width: 0; }
.mastodon { --brand: #6364ff; } .bluesky { --brand: #1185fe; } .x { --brand: #6b7280; }
.linkedin { --brand: #0a66c2; } .threads { --brand: #444; }
.facebook { --brand: #0866ff; } .instagram { --brand: #d62976; }
.tiktok { --brand: #fe2c55; } .youtube { --brand: #f03; } .googlebusiness { --brand: #4285f4; }
.pinterest { --brand: #e60023; } .snapchat { --brand: #b8a900; }
.gotosocial { --brand: #df8958; } .wide { margin: 1rem 0; }
.empty { margin: 0; padding: 1rem; color: var(--soft); }
.thread { border-bottom: 1px solid var(--line); } .thread:last-child { border: 0; }
.post { display: grid; grid-template-columns: 2.4rem 1fr; gap: .7rem; padding: .8rem 1rem;
  position: relative; }
.post:has(+ .post)::after { content: ''; position: absolute; left: 2.15rem; top: 3.4rem;
  bottom: -.6rem; width: 2px; background: var(--line); }
.post:target { outline: 2px solid var(--link); outline-offset: -2px; }
.face { width: 2.4rem; height: 2.4rem; border-radius: 50%; display: grid; place-items: center;
  background: var(--brand); color: #fff; font-weight: 700; position: relative; }
.body { min-width: 0; } .body p { margin: 0 0 .35rem; }
.by { color: var(--soft); } .by time { white-space: nowrap; }
.by strong { color: var(--ink); overflow-wrap: anywhere; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; } a { color: var(--link); }
.kind { color: var(--ink); }
.mark { margin-left: .4rem; padding: 0 .45rem; border: 1px solid var(--line); font-size: .8rem;
  border-radius: 99px; white-space: nowrap; }
.gone { color: var(--bad); border-color: currentColor; }
.marks .mark { margin: 0 .4rem 0 0; overflow-wrap: anywhere; white-space: normal;
  border-radius: 8px; display: inline-block; }
.deleted .text, .deleted .media, .deleted .card { opacity: .5; text-decoration: line-through; }
.warning { color: var(--bad); } .id { color: var(--soft); font-size: .75rem;
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.media { display: grid; gap: .4rem; margin: .3rem 0 .5rem; } figure { margin: 0; min-width: 0; }
.strip { grid: auto / auto-flow 82%; overflow-x: auto; scroll-snap-type: x proximity;
  padding-bottom: .4rem; } .strip figure { scroll-snap-align: start; }
img, video { display: block; width: 100%; max-height: 13rem; object-fit: cover; border-radius: 8px;
  background: var(--ground); } audio { width: 100%; }
.strip img, .strip video { height: 10rem; }
.place { padding: 0 .35rem; border-radius: 4px; background: var(--ground); }
.story .media, .reel .media { max-width: 11rem; } .story img { max-width: 8rem; }
.story img, .story video, .reel img, .reel video { aspect-ratio: 9 / 16; max-height: none; }
.story .face { outline: 2px solid var(--brand); outline-offset: 2px; }
.comment { margin-left: 1.4rem; padding-top: .3rem; } .comment .face { scale: .8; }
.document::before { content: ''; grid-row: 1 / 3; width: 1.5rem; height: 1.9rem;
  margin-right: .7rem; border: 2px solid var(--brand); border-radius: 3px 10px 3px 3px; }
.document { grid-template-columns: auto 1fr; align-items: center; }
figcaption { font-size: .8rem; color: var(--soft); overflow-wrap: anywhere; }
.card { display: grid; padding: .6rem .8rem; border: 1px solid var(--line); border-radius: 8px;
  text-decoration: none; color: inherit; margin-bottom: .4rem; overflow-wrap: anywhere; }
.card span, .card small { color: var(--soft); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.poll { list-style: none; padding: 0; margin: 0 0 .4rem; } .poll li { border: 1px solid
  var(--line); border-radius: 6px; padding: .2rem .6rem; margin-bottom: .25rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem 1rem; white-space: nowrap; }
th { color: var(--soft); font-weight: 500; } tbody tr { border-top: 1px solid var(--line); }
";
