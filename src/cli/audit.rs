//! The audit: whether it is whole, and all of it as lines.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::domain::audit::{self, Hash};

use super::{
    Common, Failure,
    control::{self, Control},
    output,
};

#[derive(clap::Args)]
pub(super) struct Options {
    /// The organization, by its id, instead of all of them.
    #[arg(long, global = true, value_name = "ID")]
    organization: Option<String>,
    /// For programs.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    act: Act,
}

#[derive(clap::Subcommand)]
enum Act {
    /// Look whether every event is what was written, and none is missing.
    Verify {
        /// An export instead of the store: whether its lines are what was exported.
        file: Option<PathBuf>,
    },
    /// Print everything that happened, one JSON object a line.
    Export {
        /// Only what happened then or later, such as 2026-11-01T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
    },
}

/// How many lines are asked for at once.
const PIECE: usize = 5_000;

pub(super) async fn run(common: &Common, options: Options) -> Result<(), Failure> {
    if let Act::Verify { file: Some(file) } = &options.act {
        return verify_file(file, options.json);
    }
    control::with(common, async |control| act(control, &options).await).await
}

async fn act(control: &Control, options: &Options) -> Result<(), Failure> {
    let organizations = match &options.organization {
        Some(organization) => vec![organization.clone()],
        None => {
            let all = control.all("/organizations", None).await?;
            all.iter().filter_map(|one| one["id"].as_str().map(str::to_owned)).collect()
        }
    };
    match &options.act {
        Act::Verify { .. } => verify(control, &organizations, options.json).await,
        Act::Export { since } => {
            for organization in &organizations {
                export(control, organization, since.as_deref()).await?;
            }
            Ok(())
        }
    }
}

async fn verify(control: &Control, organizations: &[String], as_json: bool) -> Result<(), Failure> {
    let (mut verdicts, mut broken) = (Vec::new(), 0);
    for organization in organizations {
        let verdict = control.ask("GET", "/audit/verification", Some(organization), None).await?;
        broken += usize::from(verdict["intact"] != true);
        if !as_json {
            output::line(&sentence(&verdict))?;
        }
        verdicts.push(verdict);
    }
    if as_json {
        output::json(&verdicts)?;
    }
    match broken {
        0 => Ok(()),
        _ => Err(Failure::NotDone(format!(
            "{broken} of {} audits are not whole: somebody changed the store from outside, or it \
             is damaged. Compare with an export or a backup.",
            organizations.len()
        ))),
    }
}

fn sentence(verdict: &Value) -> String {
    let said = |field: &str| verdict[field].as_str().unwrap_or_default();
    let (organization, hash) = (said("organization"), said("hash"));
    match verdict["flaw"].as_str() {
        Some(flaw) => format!("{organization}: NOT WHOLE, {flaw}."),
        None => format!(
            "{organization}: whole, {} events; the last is {} with {hash}.",
            verdict["events"], verdict["last"]
        ),
    }
}

async fn export(control: &Control, organization: &str, since: Option<&str>) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let mut query = vec![("after", after.to_string()), ("limit", PIECE.to_string())];
        query.extend(since.map(|since| ("since", since.to_owned())));
        let mut path =
            url::form_urlencoded::Serializer::for_suffix("/audit?".to_owned(), "/audit?".len());
        let path = path.extend_pairs(query).finish();
        let lines = control.text(&path, Some(organization)).await?;
        let Some(last) = lines.lines().last() else { return Ok(()) };
        let last: Value = serde_json::from_str(last)
            .map_err(|error| Failure::NotDone(format!("The export was cut short: {error}.")))?;
        after = last["sequence"].as_u64().unwrap_or(u64::MAX);
        let written = io::stdout().write_all(lines.as_bytes());
        written.map_err(|error| Failure::NotDone(format!("Nothing can be printed: {error}.")))?;
        if lines.lines().count() < PIECE {
            return Ok(());
        }
    }
}

fn verify_file(path: &Path, as_json: bool) -> Result<(), Failure> {
    let unreadable =
        |error: io::Error| Failure::NotDone(format!("{} cannot be read: {error}.", path.display()));
    let file = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut lines = Lines::default();
    for (at, line) in file.lines().enumerate() {
        let line = line.map_err(unreadable)?;
        if let Err(flaw) = lines.look(&line) {
            let path = path.display();
            return Err(Failure::NotDone(format!("{path}, line {}: {flaw}.", at + 1)));
        }
    }
    if as_json {
        return output::json(&json!({ "intact": true, "events": lines.count }));
    }
    let count = lines.count;
    output::line(&format!("Whole: {count} lines, each as it was exported and in its place."))
}

/// The lines of an export as they come: of one organization after the other.
#[derive(Default)]
struct Lines {
    count: u64,
    /// Organization, sequence and hash of the last one.
    last: Option<(Value, u64, Option<Hash>)>,
}

impl Lines {
    fn look(&mut self, line: &str) -> Result<(), String> {
        let line: Value =
            serde_json::from_str(line).map_err(|error| format!("it is no JSON object: {error}"))?;
        let sequence = line["sequence"].as_u64().ok_or("it has no `sequence`")?;
        let hash = digits(&line["hash"])?;
        let before = digits(&line["before"])?;
        if let Some(hash) = hash {
            let statement = Value::Array(STATED.map(|field| line[field].clone()).into());
            let before = before.ok_or("it has no `before`")?;
            if audit::link(&before, &statement.to_string()) != hash {
                return Err(format!("event {sequence} is not what was exported"));
            }
        }
        if let Some((organization, earlier, linked)) = &self.last
            && *organization == line["organization"]
        {
            if sequence != earlier + 1 {
                return Err(format!("event {} is missing", earlier + 1));
            }
            if linked.is_some() && before != *linked {
                return Err(format!("event {sequence} is not linked to the one before"));
            }
        }
        self.last = Some((line["organization"].clone(), sequence, hash));
        self.count += 1;
        Ok(())
    }
}

/// What is hashed of a line, in this order.
const STATED: [&str; 10] = [
    "organization",
    "sequence",
    "at",
    "actor",
    "from",
    "kind",
    "text",
    "post",
    "delivery",
    "account",
];

fn digits(value: &Value) -> Result<Option<Hash>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let text = value.as_str().ok_or("a hash is no text")?;
    let pairs = text.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    let hash = bytes.and_then(|bytes| Hash::try_from(bytes).ok());
    hash.map(Some).ok_or_else(|| format!("`{text}` is not the 64 digits of a hash"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(sequence: u64, before: Hash, text: &str) -> (String, Hash) {
        let hex = |hash: Hash| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut line = json!({
            "organization": "org_1", "sequence": sequence, "at": "2026-11-26T12:00:00Z",
            "actor": "engine", "from": null, "kind": "post.created", "text": text,
            "post": null, "delivery": null, "account": null,
        });
        let stated = Value::Array(STATED.map(|field| line[field].clone()).into());
        let hash = audit::link(&before, &stated.to_string());
        line["before"] = json!(hex(before));
        line["hash"] = json!(hex(hash));
        (line.to_string(), hash)
    }

    fn look(lines: &[&String]) -> Result<u64, String> {
        let mut looked = Lines::default();
        lines.iter().try_for_each(|line| looked.look(line))?;
        Ok(looked.count)
    }

    #[test]
    fn lines_are_whole_and_what_is_changed_missing_or_made_up_is_noticed() {
        let (one, hash) = line(7, [1; 32], "möwe");
        let (two, hash) = line(8, hash, "second");
        let (three, _) = line(9, hash, "third");
        assert_eq!(look(&[&one, &two, &three]), Ok(3));
        let changed = two.replace("second", "other");
        assert!(look(&[&one, &changed]).unwrap_err().contains("not what was exported"));
        assert!(look(&[&one, &three]).unwrap_err().contains("event 8 is missing"));
        let (alien, _) = line(8, [2; 32], "made up");
        assert!(look(&[&one, &alien]).unwrap_err().contains("not linked"));
        assert!(look(&[&"nothing".to_owned()]).unwrap_err().contains("no JSON"));
        let cut = one.replace(&one[one.len() - 8..], "\"}");
        assert!(look(&[&cut]).is_err());
    }
}
