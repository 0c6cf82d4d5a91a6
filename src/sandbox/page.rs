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

/// A page of platforms that nobody uses would be a long one.
const SHOWN_ONCE_USED: [Platform; 6] = [
    Platform::Gotosocial,
    Platform::Tiktok,
    Platform::Youtube,
    Platform::Googlebusiness,
    Platform::Pinterest,
    Platform::Snapchat,
];

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
    pub(crate) fn of(world: &World) -> View {
        let mut columns = Vec::new();
        for (name, platform) in Platform::NAMES {
            let all = world.books.ledger.entries().iter();
            let own = all.filter(|entry| entry.platform == platform);
            let total = own.clone().count();
            let mut entries: Vec<LedgerEntry> = own.rev().take(SHOWN_MAX).cloned().collect();
            entries.reverse();
            let tally = world.tallies.get(name);
            if SHOWN_ONCE_USED.contains(&platform) && tally.is_none() {
                continue;
            }
            let counts = tally.map_or([0; 4], |tally| {
                [tally.accepted, tally.refused, tally.throttled, tally.struck]
            });
            columns.push(Column { platform, entries, total, counts });
        }
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
                    div class="columns" {
                        @for column in &view.columns { (section(column, now)) }
                    }
                    (faults(&view.faults))
                    (counts(&view.columns))
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

fn title(platform: Platform) -> &'static str {
    match platform {
        Platform::Mastodon => "Mastodon",
        Platform::Gotosocial => "GoToSocial",
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
    let deleted = entry.deleted_at.is_some();
    let class = match (deleted, entry.reply_to.is_some()) {
        (true, _) => "post deleted",
        (false, true) => "post reply",
        (false, false) => "post",
    };
    let initial: String = entry.handle.chars().take(1).flat_map(char::to_uppercase).collect();
    html! {
        article class=(class) id={ "post-" (entry.sequence) } {
            div class="face" aria-hidden="true" { (initial) }
            div class="body" {
                p class="by" {
                    strong { "@" (entry.handle) } " "
                    time datetime=(entry.at) title=(entry.at) { (ago(entry.at, now)) }
                    @if entry.face.edited { " · edited" }
                    @if let Some(label) = entry.face.label { span class="mark" { (label) } }
                    @else if entry.reply_to.is_some() { span class="mark" { "reply" } }
                    @if deleted { span class="mark gone" { "deleted" } }
                }
                @if !entry.face.marks.is_empty() {
                    p class="marks" {
                        @for mark in &entry.face.marks { span class="mark" { (mark) } }
                    }
                }
                @if let Some(warning) = &entry.face.warning {
                    p class="warning" { "⚠ " (warning) }
                }
                @if !entry.text.is_empty() { p class="text" { (pieces(&entry.face.pieces)) } }
                @if !entry.media.is_empty() {
                    div class={ "media of-" (entry.media.len().min(4)) } {
                        @for media in &entry.media { (figure(media)) }
                    }
                }
                @if let Some(card) = &entry.face.card {
                    a class="card" href=(safe(&card.url)) rel="noreferrer" {
                        strong { (card.title) } span { (card.description) } small { (card.url) }
                    }
                }
                @if !entry.face.poll.is_empty() {
                    ul class="poll" { @for option in &entry.face.poll { li { (option) } } }
                }
                p class="id" title=(entry.id) { "#" (entry.sequence) " · " (short(&entry.id)) }
            }
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

fn figure(media: &LedgerMedia) -> Markup {
    let source = format!("/_sandbox/media/{}", media.shelf);
    html! {
        figure {
            @match media.kind {
                "video" => video src=(source) controls preload="metadata" {},
                "audio" => audio src=(source) controls preload="none" {},
                "document" => a class="card" href=(source) download="" { "Document" },
                _ => img src=(source) alt=(media.alt) loading="lazy";
            }
            figcaption {
                @if media.alt.is_empty() { em { "no alt text" } }
                @else { b { "ALT" } " " (media.alt) }
            }
        }
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

/// Renews the posts when they changed, but not under a film that plays. Without it, the browser
/// reloads the page.
const SCRIPT: &str = "
setInterval(async () => {
  const plays = [...document.querySelectorAll('video, audio')].some((media) => !media.paused);
  if (document.hidden || plays) return;
  try {
    const page = new DOMParser().parseFromString(await (await fetch('/')).text(), 'text/html');
    const fresh = page.getElementById('live'), live = document.getElementById('live');
    if (fresh && fresh.innerHTML !== live.innerHTML) live.innerHTML = fresh.innerHTML;
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
.by time, .by { color: var(--soft); } .by strong { color: var(--ink); overflow-wrap: anywhere; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; } a { color: var(--link); }
.mark { margin-left: .4rem; padding: 0 .45rem; border: 1px solid var(--line); font-size: .8rem;
  border-radius: 99px; } .gone { color: var(--bad); border-color: currentColor; }
.marks .mark { margin: 0 .4rem 0 0; overflow-wrap: anywhere; }
.deleted .text, .deleted .media, .deleted .card { opacity: .5; text-decoration: line-through; }
.warning { color: var(--bad); } .id { color: var(--soft); font-size: .75rem;
  overflow-wrap: anywhere; }
.media { display: grid; gap: .4rem; margin: .3rem 0 .5rem; } figure { margin: 0; min-width: 0; }
.of-2, .of-3, .of-4 { grid-template-columns: 1fr 1fr; }
img, video { display: block; width: 100%; max-height: 16rem; object-fit: cover; border-radius: 8px;
  background: var(--ground); } audio { width: 100%; }
figcaption { font-size: .8rem; color: var(--soft); overflow-wrap: anywhere; }
.card { display: grid; padding: .6rem .8rem; border: 1px solid var(--line); border-radius: 8px;
  text-decoration: none; color: inherit; margin-bottom: .4rem; overflow-wrap: anywhere; }
.card span, .card small { color: var(--soft); }
.poll { list-style: none; padding: 0; margin: 0 0 .4rem; } .poll li { border: 1px solid
  var(--line); border-radius: 6px; padding: .2rem .6rem; margin-bottom: .25rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem 1rem; white-space: nowrap; }
th { color: var(--soft); font-weight: 500; } tbody tr { border-top: 1px solid var(--line); }
";
