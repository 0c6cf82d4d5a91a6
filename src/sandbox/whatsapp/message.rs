//! One message to one recipient, as facebook/openapi describes it (business-messaging-api v23.0).
//! The templates are the sandbox's own.

use serde_json::{Value, json};

use crate::sandbox::{
    Platform,
    given::{Flaw, Given, characters},
    ledger::{Face, LedgerEntry, LedgerMedia},
    text,
    wire::{Answer, Call},
    world::Books,
};

use super::{PRODUCT, Reply, WINDOW, Whatsapp, body, display, invalid, refusal};

const BODY_CHARS_MAX: usize = 4_096;
const CAPTION_CHARS_MAX: usize = 1_024;
const CALLBACK_CHARS_MAX: usize = 512;
const KINDS: [&str; 5] = ["text", "image", "video", "document", "template"];

/// A template that was approved: how many parameters its text has, and what stands at its head.
struct Template {
    name: &'static str,
    languages: &'static [&'static str],
    parameters: usize,
    header: Option<&'static str>,
}

const TEMPLATES: [Template; 4] = [
    Template { name: "hello_world", languages: &["en_US"], parameters: 0, header: None },
    Template { name: "reminder", languages: &["en_US", "de"], parameters: 1, header: None },
    Template { name: "autumn_sale", languages: &["en_US"], parameters: 2, header: Some("image") },
    Template { name: "paused_offer", languages: &["en_US"], parameters: 0, header: None },
];

/// What readers see of a message.
struct Shown {
    text: String,
    media: Vec<LedgerMedia>,
    marks: Vec<String>,
    label: &'static str,
}

impl Whatsapp {
    pub(super) fn send(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let sent = body(call)?;
        let mut known = vec![
            "messaging_product",
            "recipient_type",
            "to",
            "type",
            "context",
            "biz_opaque_callback_data",
        ];
        known.extend(KINDS);
        let given = Given::of(&sent, &known).map_err(|flaw| invalid(&flaw))?;
        let (input, to, kind) = envelope(&given)?;
        let shown = match kind {
            "text" => words(&given).map_err(|flaw| invalid(&flaw))?,
            "template" => self.template(call, account, &given)?,
            kind => self.file(call, account, &given, kind)?,
        };
        self.meter(account, &to, call.now)?;
        self.reachable(call, account, &to, kind)?;
        let id = format!("wamid.{}", books.chance.word(40));
        self.record(call, account, &to, id.clone(), shown, books);
        // "`accepted`, `held_for_quality_assessment` or `paused`", of templates alone.
        let is_held = to.ends_with("0011") && sent["type"] == "template";
        let status = if is_held { "held_for_quality_assessment" } else { "accepted" };
        Ok(Answer::json(
            200,
            &json!({
                "messaging_product": PRODUCT,
                "contacts": [{ "input": input, "wa_id": to }],
                "messages": [{ "id": id, "message_status": status }],
            }),
        ))
    }

    fn reachable(&self, call: &Call, account: usize, to: &str, kind: &str) -> Result<(), Answer> {
        if to == digits(&display(&self.people.get(account).id)) {
            let details = "Recipient cannot be the sender";
            return Err(refusal(400, 131_021, "(#131021) Recipient cannot be sender", details));
        }
        if to.ends_with("0000") {
            let details = "Message Undeliverable: the recipient is not a WhatsApp phone number.";
            return Err(refusal(400, 131_026, "(#131026) Message undeliverable", details));
        }
        let wrote = self.writers.get(to);
        let is_open = wrote.is_some_and(|at| at.elapsed(call.now) < WINDOW);
        if to.ends_with("0024") && !is_open && kind != "template" {
            let details = "More than 24 hours have passed since the customer last replied";
            return Err(refusal(400, 131_047, "(#131047) Re-engagement message", details));
        }
        Ok(())
    }

    /// An uploaded file of that number and kind.
    fn uploaded(
        &self,
        call: &Call,
        account: usize,
        id: &str,
        kind: &str,
    ) -> Result<LedgerMedia, Answer> {
        let found = self.media.get(id).filter(|it| it.account == account && it.until > call.now);
        let Some(media) = found.filter(|media| media.kind == kind) else {
            let details = format!("{id} is no {kind} that was uploaded for this number");
            return Err(refusal(400, 131_009, "(#131009) Parameter value is not valid", &details));
        };
        Ok(LedgerMedia { kind: media.kind, ..media.kept.for_ledger("") })
    }

    fn file(
        &self,
        call: &Call,
        account: usize,
        given: &Given,
        kind: &str,
    ) -> Result<Shown, Answer> {
        let known: &[&str] = match kind {
            "document" => &["id", "caption", "filename"],
            _ => &["id", "caption"],
        };
        let read = || -> Result<(String, String), Flaw> {
            let file = given.needed_object(kind, known)?;
            if kind == "document" {
                file.text("filename")?;
            }
            let caption = file.short("caption", CAPTION_CHARS_MAX, characters)?;
            Ok((file.needed("id")?.to_owned(), caption))
        };
        let (id, text) = read().map_err(|flaw| invalid(&flaw))?;
        let media = vec![self.uploaded(call, account, &id, kind)?];
        Ok(Shown { text, media, marks: Vec::new(), label: "message" })
    }

    fn template(&self, call: &Call, account: usize, given: &Given) -> Result<Shown, Answer> {
        let flawed = |flaw: Flaw| invalid(&flaw);
        let asked = given.needed_object("template", &["name", "language", "components"]);
        let asked = asked.map_err(flawed)?;
        let name = asked.needed("name").map_err(flawed)?;
        let language = asked.needed_object("language", &["code", "policy"]).map_err(flawed)?;
        language.one_of("policy", &["deterministic"]).map_err(flawed)?;
        let language = language.needed("code").map_err(flawed)?;
        let known = TEMPLATES.iter().find(|it| it.name == name);
        let Some(known) = known.filter(|it| it.languages.contains(&language)) else {
            let details = format!("template name ({name}) does not exist in {language}");
            let message = "(#132001) Template name does not exist in the translation";
            return Err(refusal(404, 132_001, message, &details));
        };
        if name.starts_with("paused") {
            let details = "The template is paused because of its low quality";
            return Err(refusal(400, 132_015, "(#132015) Template is Paused", details));
        }
        let mut texts = Vec::new();
        let mut media = Vec::new();
        for component in asked.list("components").map_err(flawed)?.unwrap_or_default() {
            let parameters = component["parameters"].as_array();
            let parameters = parameters.map(Vec::as_slice).unwrap_or_default();
            match component["type"].as_str() {
                Some("body") => texts.extend(parameters.iter().map(text_of)),
                Some("header") => {
                    for parameter in parameters {
                        media.push(self.head(call, account, known, parameter)?);
                    }
                }
                Some(_) | None => return Err(format_differs("a component is not known")),
            }
        }
        let texts = texts.into_iter().collect::<Option<Vec<String>>>();
        let texts = texts.ok_or_else(|| format_differs("a parameter of the body is no text"))?;
        if texts.len() != known.parameters {
            let details = format!(
                "body: number of localizable_params ({}) does not match the expected number of \
                 params ({})",
                texts.len(),
                known.parameters
            );
            let message = "(#132000) Number of parameters does not match the expected number of \
                           params";
            return Err(refusal(400, 132_000, message, &details));
        }
        if known.header.is_some() == media.is_empty() {
            return Err(format_differs("header: Format mismatch"));
        }
        let marks = texts.into_iter().enumerate();
        let marks = marks.map(|(at, text)| format!("{{{{{}}}}}: {text}", at + 1)).collect();
        Ok(Shown { text: name.to_owned(), media, marks, label: "template" })
    }

    fn head(
        &self,
        call: &Call,
        account: usize,
        known: &Template,
        parameter: &Value,
    ) -> Result<LedgerMedia, Answer> {
        let kind = known.header.ok_or_else(|| format_differs("header: none is expected"))?;
        let id = parameter[kind]["id"].as_str().filter(|_| parameter["type"] == kind);
        let id = id.ok_or_else(|| format_differs(&format!("header: expected {kind}")))?;
        self.uploaded(call, account, id, kind)
    }

    fn record(
        &self,
        call: &Call,
        account: usize,
        to: &str,
        id: String,
        mut shown: Shown,
        books: &mut Books,
    ) {
        let person = self.people.get(account);
        shown.marks.insert(0, format!("to +{to}"));
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Whatsapp,
            account: person.id.clone(),
            handle: person.handle.clone(),
            id,
            // A message has no address; this is where it can be read.
            url: format!("https://wa.me/{to}"),
            face: Face {
                pieces: text::pieces(&shown.text, &[]),
                marks: shown.marks,
                label: Some(shown.label),
                ..Face::default()
            },
            text: shown.text,
            media: shown.media,
            reply_to: None,
            idempotency_key: None,
            deleted_at: None,
        });
    }
}

/// The recipient as it was written and as WhatsApp knows it, and the kind of the message.
fn envelope<'a>(given: &Given<'a>) -> Result<(&'a str, String, &'a str), Answer> {
    let missing = |name: &str| {
        let details = format!("Missing required parameter: {name}");
        refusal(400, 131_008, "(#131008) Required parameter is missing", &details)
    };
    let wrong =
        |details: &str| refusal(400, 131_009, "(#131009) Parameter value is not valid", details);
    let text = |name: &str| given.text(name).map_err(|flaw| invalid(&flaw));
    match text("messaging_product")? {
        Some(PRODUCT) => {}
        Some(_) | None => return Err(missing("messaging_product")),
    }
    if text("recipient_type")?.is_some_and(|kind| kind != "individual") {
        return Err(wrong("recipient_type must be individual"));
    }
    let callback = given.short("biz_opaque_callback_data", CALLBACK_CHARS_MAX, characters);
    callback.map_err(|flaw| invalid(&flaw))?;
    let input = text("to")?.ok_or_else(|| missing("to"))?;
    let to = digits(input);
    if !(7..=15).contains(&to.len())
        || input.chars().any(|it| !"+ -()".contains(it) && !it.is_ascii_digit())
    {
        return Err(wrong("to is not a phone number"));
    }
    // Without one it is taken for a text: unconfirmed, and no client should rely on it.
    let kind = text("type")?.unwrap_or("text");
    if !KINDS.contains(&kind) {
        let details = format!("Message type {kind} is not supported");
        return Err(refusal(400, 131_051, "(#131051) Unsupported message type", &details));
    }
    let other = KINDS.iter().find(|other| **other != kind && given.value(other).is_some());
    match other {
        Some(other) => Err(wrong(&format!("{other} does not belong to a message of type {kind}"))),
        None => Ok((input, to, kind)),
    }
}

fn words(given: &Given) -> Result<Shown, Flaw> {
    let sent = given.needed_object("text", &["body", "preview_url"])?;
    sent.flag("preview_url")?;
    let text = sent.short("body", BODY_CHARS_MAX, characters)?;
    sent.needed("body")?;
    Ok(Shown { text, media: Vec::new(), marks: Vec::new(), label: "message" })
}

fn text_of(parameter: &Value) -> Option<String> {
    let text = parameter["text"].as_str().filter(|text| !text.is_empty());
    text.filter(|_| parameter["type"] == "text").map(str::to_owned)
}

fn format_differs(details: &str) -> Answer {
    let message = "(#132012) Parameter format does not match format in the created template";
    refusal(400, 132_012, message, details)
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}
