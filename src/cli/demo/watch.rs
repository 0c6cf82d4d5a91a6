//! Watches deliveries until all have ended, and tells each change in a line.

use std::{
    collections::BTreeMap,
    io::{IsTerminal, stderr},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::{
    cli::{Failure, output},
    clock::Clock,
    domain::time::Timestamp,
    sandbox::Sandbox,
};

use super::robot::{Robot, text};

/// How often it looks, in real time.
const GLANCE: Duration = Duration::from_millis(50);

/// Real time; whatever has not ended by then never will.
const PATIENCE: Duration = Duration::from_secs(240);

/// Where progress is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Aloud,
    Silent,
}

/// Who a delivery is for and what it is, as the script knows.
pub(super) struct Caption {
    pub(super) handle: &'static str,
    pub(super) label: &'static str,
    /// The text of the first part, by which the ledger is searched.
    pub(super) text: String,
}

pub(super) struct Watch<'a> {
    pub(super) robot: &'a Robot,
    pub(super) sandbox: &'a Sandbox,
    pub(super) clock: &'a Clock,
    pub(super) start: Timestamp,
    pub(super) captions: &'a BTreeMap<String, Caption>,
    pub(super) voice: Voice,
}

impl Watch<'_> {
    /// The deliveries once nothing more happens to them.
    pub(super) async fn until_all_have_ended(&self) -> Result<Vec<Value>, Failure> {
        let stopwatch = self.clock.stopwatch();
        let bar = self.bar();
        let mut told: BTreeMap<String, String> = BTreeMap::new();
        loop {
            let deliveries = self.deliveries().await?;
            for delivery in &deliveries {
                let (id, state) = (text(delivery, "/id"), text(delivery, "/state"));
                if told.get(&id) != Some(&state) {
                    let before = told.insert(id, state.clone());
                    self.tell(&bar, before.as_deref(), delivery)?;
                }
                if state == "in_doubt" {
                    self.decide(delivery).await?;
                }
            }
            let ended = deliveries.iter().filter(|delivery| has_ended(delivery)).count();
            bar.set_position(ended as u64);
            if ended == deliveries.len() || stopwatch.elapsed() > PATIENCE {
                bar.finish_and_clear();
                return Ok(deliveries);
            }
            self.clock.sleep(GLANCE * speed(self.clock)).await;
        }
    }

    async fn deliveries(&self) -> Result<Vec<Value>, Failure> {
        let listed = self.robot.get("/deliveries?limit=200").await?;
        let mut deliveries = listed["items"].as_array().cloned().unwrap_or_default();
        deliveries.sort_by_key(|delivery| text(delivery, "/due"));
        Ok(deliveries)
    }

    fn bar(&self) -> ProgressBar {
        let shown = self.voice == Voice::Aloud && stderr().is_terminal();
        if !shown {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("  {bar:40} {pos} of {len} deliveries have ended");
        let bar = ProgressBar::new(self.captions.len() as u64);
        style.map_or(bar.clone(), |style| bar.with_style(style))
    }

    fn tell(
        &self,
        bar: &ProgressBar,
        before: Option<&str>,
        delivery: &Value,
    ) -> Result<(), Failure> {
        if self.voice == Voice::Silent {
            return Ok(());
        }
        let id = text(delivery, "/id");
        let Some(caption) = self.captions.get(&id) else { return Ok(()) };
        let line = self.line(caption, before, delivery);
        let mut said = Ok(());
        bar.suspend(|| said = output::line(&line));
        said
    }

    /// Fits a terminal of 80 columns: what may be longer stands below.
    fn line(&self, caption: &Caption, before: Option<&str>, delivery: &Value) -> String {
        let second = |at: Option<Timestamp>| {
            at.map_or(0.0, |at| (at.0 as f64 - self.start.0 as f64) / 1_000.0)
        };
        let due = second(Timestamp::parse(&text(delivery, "/due")));
        let now = second(Some(self.clock.now()));
        let (state, reason) = (text(delivery, "/state"), text(delivery, "/reason"));
        let tail = match (state.as_str(), before) {
            ("published", _) => {
                let late = delivery["lateness_ms"].as_u64().unwrap_or_default();
                let late = self.clock.real(Duration::from_millis(late)).as_millis();
                format!("{late} ms late")
            }
            ("planned", Some("waiting")) => "its media is ready".to_owned(),
            ("planned" | "waiting" | "staging", None) => format!("due at {due:2.0} s"),
            _ => String::new(),
        };
        let (handle, label) = (caption.handle, caption.label);
        let platform = text(delivery, "/platform");
        let line =
            format!("{now:6.1} s  {state:<9}  {label:<14}  {platform:<14}  @{handle:<10}  {tail}");
        let line = line.trim_end();
        match reason.is_empty() {
            true => line.to_owned(),
            false => format!("{line}\n{:10}{reason}", ""),
        }
    }

    /// A person who is asked looks at the account, and says what they see.
    async fn decide(&self, delivery: &Value) -> Result<(), Failure> {
        let id = text(delivery, "/id");
        let Some(caption) = self.captions.get(&id) else { return Ok(()) };
        let ledger = self.sandbox.ledger();
        let seen = ledger
            .iter()
            .find(|entry| entry.handle == caption.handle && entry.text.trim() == caption.text);
        let decision = match seen {
            Some(entry) => json!({ "live": { "url": entry.url } }),
            None => json!("not_live"),
        };
        self.robot.post(&format!("/deliveries/{id}/resolve"), &decision).await.map(|_| ())
    }
}

/// How many of the clock's seconds pass in a real one: the clock may run fast, eyes do not.
pub(super) fn speed(clock: &Clock) -> u32 {
    let second = Duration::from_secs(1);
    let real = clock.real(second).max(Duration::from_millis(1));
    u32::try_from(second.as_millis() / real.as_millis()).unwrap_or(1)
}

fn has_ended(delivery: &Value) -> bool {
    ["published", "failed", "cancelled", "held"].contains(&text(delivery, "/state").as_str())
}
