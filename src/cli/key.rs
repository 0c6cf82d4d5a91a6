//! API keys: made, listed and revoked by whoever may read the data directory.

use serde_json::{Value, json};

use super::{
    Common, Failure, columns,
    control::{self, Control},
    output,
};

#[derive(clap::Args)]
pub(super) struct Options {
    /// The organization, by its id, instead of the first.
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
    /// Make a key. Its text is shown once.
    Create {
        /// What it is for.
        #[arg(long)]
        name: String,
        /// read, draft, publish or admin; each includes the ones before it.
        #[arg(long, default_value = "publish")]
        scope: String,
        /// Binds the key to this account; may be given several times.
        #[arg(long, value_name = "ID")]
        account: Vec<String>,
        /// Lets it make organizations too, and switch everything off.
        #[arg(long, conflicts_with = "account")]
        instance: bool,
        /// When it ends, such as 2027-01-31T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// List the keys, without their texts.
    List,
    /// From then on it opens nothing.
    Revoke {
        /// Of the key, as `fanfare key list` tells it.
        id: String,
    },
}

pub(super) async fn run(common: &Common, options: Options) -> Result<(), Failure> {
    control::with(common, async |control| act(control, &options).await).await
}

async fn act(control: &Control, options: &Options) -> Result<(), Failure> {
    let organization = options.organization.as_deref();
    match &options.act {
        Act::Create { name, scope, account, instance, expires } => {
            let mut body = json!({ "name": name, "scope": scope, "instance": instance });
            if !account.is_empty() {
                body["accounts"] = json!(account);
            }
            if let Some(expires) = expires {
                body["expires"] = json!(expires);
            }
            let made = control.ask("POST", "/keys", organization, Some(&body)).await?;
            if options.json {
                return output::json(&made);
            }
            let (id, text) = (said(&made, "id"), said(&made, "text"));
            output::line(&format!(
                "The key {id} is made. It is shown here and never again:\n\n  {text}"
            ))
        }
        Act::List => {
            let keys = control.all("/keys", organization).await?;
            if options.json {
                return output::json(&keys);
            }
            output::line(&table(&keys))
        }
        Act::Revoke { id } => {
            control.ask("DELETE", &format!("/keys/{id}"), organization, None).await?;
            if options.json {
                return output::json(&json!({ "revoked": id }));
            }
            output::line(&format!("The key {id} is revoked."))
        }
    }
}

fn table(keys: &[Value]) -> String {
    let head = ["id", "scope", "reach", "last used", "expires", "name"].map(str::to_owned);
    let rows = keys.iter().map(|key| {
        let bound = key["accounts"].as_array().map(Vec::len);
        let reach = match bound {
            Some(1) => "1 account".to_owned(),
            Some(count) => format!("{count} accounts"),
            None => said(key, "reach"),
        };
        let or = |field: &str, otherwise: &str| {
            let found = said(key, field);
            if found.is_empty() { otherwise.to_owned() } else { found }
        };
        let (used, expires) = (or("last_used", "never"), or("expires", "never"));
        [said(key, "id"), said(key, "scope"), reach, used, expires, said(key, "name")]
    });
    columns::table(std::iter::once(head).chain(rows))
}

fn said(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}
