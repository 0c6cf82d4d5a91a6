//! Developer apps: set, listed and removed by whoever may read the data directory.
//!
//! Never: a secret among the arguments, which other people of the machine can list.

use std::io::{self, BufRead, IsTerminal, Write};

use serde_json::{Value, json};

use super::{
    Common, Failure, columns,
    control::{self, Control},
    output,
};

#[derive(clap::Args)]
pub(super) struct Options {
    /// The organization, by its id, instead of the first.
    #[arg(long, global = true, value_name = "ID", conflicts_with = "instance")]
    organization: Option<String>,
    /// The app of the whole instance, which every organization without its own connects through.
    #[arg(long, global = true)]
    instance: bool,
    /// For programs.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    act: Act,
}

#[derive(clap::Subcommand)]
enum Act {
    /// List what accounts are connected through, and the address to enter at each platform.
    List,
    /// Set an app. Its secret is read from the standard input: the first line, empty for none.
    Set {
        /// Such as linkedin, as `fanfare app list` tells it.
        platform: String,
        /// What the platform calls the app's client id, app id or client key.
        #[arg(long, value_name = "ID")]
        client_id: String,
        /// Even if accounts lose the only client that can renew their access.
        #[arg(long)]
        force: bool,
    },
    /// Remove an app with its secret.
    Remove {
        /// Such as linkedin, as `fanfare app list` tells it.
        platform: String,
        /// Even if accounts lose the only client that can renew their access.
        #[arg(long)]
        force: bool,
    },
}

pub(super) async fn run(common: &Common, options: Options) -> Result<(), Failure> {
    // Before anything is opened: nobody waits for a lock while a person looks for a secret.
    let secret = match &options.act {
        Act::Set { .. } => read_secret()?,
        Act::List | Act::Remove { .. } => String::new(),
    };
    control::with(common, async |control| act(control, &options, &secret).await).await
}

fn read_secret() -> Result<String, Failure> {
    let failed = |error: io::Error| Failure::NotDone(format!("No secret was read: {error}."));
    if io::stdin().is_terminal() {
        let asked = "The client secret (it is seen as you type; pipe it in to hide it): ";
        let mut prompt = io::stderr();
        prompt.write_all(asked.as_bytes()).and_then(|()| prompt.flush()).map_err(failed)?;
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    Ok(line.trim().to_owned())
}

async fn act(control: &Control, options: &Options, secret: &str) -> Result<(), Failure> {
    let organization = options.organization.as_deref();
    let list = if options.instance { "/instance/apps" } else { "/apps" };
    let one = |platform: &str, force: bool| {
        let force = if force { "?force=true" } else { "" };
        let platform: String = url::form_urlencoded::byte_serialize(platform.as_bytes()).collect();
        format!("{list}/{platform}{force}")
    };
    match &options.act {
        Act::List => {
            let apps = control.all(list, organization).await?;
            if options.json {
                return output::json(&apps);
            }
            output::line(&table(&apps))
        }
        Act::Set { platform, client_id, force } => {
            let mut body = json!({ "client_id": client_id });
            if !secret.is_empty() {
                body["client_secret"] = json!(secret);
            }
            let path = one(platform, *force);
            let set = control.ask("PUT", &path, organization, Some(&body)).await?;
            if options.json {
                return output::json(&set);
            }
            let mut lines = vec![format!(
                "Accounts are connected through {client_id} from now on. At the platform, enter:"
            )];
            lines.extend(callbacks(&set).into_iter().map(|url| format!("  {url}")));
            output::line(&lines.join("\n"))
        }
        Act::Remove { platform, force } => {
            let path = one(platform, *force);
            control.ask("DELETE", &path, organization, None).await?;
            if options.json {
                return output::json(&json!({ "removed": platform }));
            }
            output::line(&format!("The app for {platform} is removed with its secret."))
        }
    }
}

fn table(apps: &[Value]) -> String {
    let head = ["platform", "whose", "client id", "secret", "accounts", "callback"];
    let rows = apps.iter().flat_map(|app| {
        let secret = match (&app["client_id"], app["client_secret"].as_bool()) {
            (Value::Null, _) => "",
            (_, Some(true)) => "set",
            (_, Some(false) | None) => "none",
        };
        let accounts = app["accounts"].as_u64().unwrap_or_default().to_string();
        let [platform, source, id] = ["platform", "source", "client_id"].map(|it| said(app, it));
        let mut first = [platform, source, id, secret.to_owned(), accounts];
        callbacks(app).into_iter().map(move |url| {
            let [platform, source, id, secret, accounts] = std::mem::take(&mut first);
            [platform, source, id, secret, accounts, url]
        })
    });
    columns::table(std::iter::once(head.map(str::to_owned)).chain(rows))
}

fn callbacks(app: &Value) -> Vec<String> {
    let callbacks = app["callbacks"].as_array().into_iter().flatten();
    callbacks.map(|callback| said(callback, "url")).collect()
}

fn said(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}
