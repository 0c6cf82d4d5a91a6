//! Organizations: listed, made, deleted and restored by whoever may read the data directory.

use serde_json::{Value, json};

use super::{
    Common, Failure, columns,
    control::{self, Control},
    output,
};

#[derive(clap::Args)]
pub(super) struct Options {
    /// For programs.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    act: Act,
}

#[derive(clap::Subcommand)]
enum Act {
    /// List the organizations.
    List,
    /// Make an organization. Its admin key is shown once.
    Create {
        /// As people call it.
        name: String,
    },
    /// Pause an organization now, and erase all of it after its grace.
    Delete {
        /// Of the organization, as `fanfare organization list` tells it.
        id: String,
    },
    /// Take a deletion back, before the grace is over. It stays paused.
    Restore {
        /// Of the organization.
        id: String,
    },
    /// Publish nothing of an organization until it is resumed.
    Pause {
        /// Of the organization.
        id: String,
    },
    /// End a pause.
    Resume {
        /// Of the organization.
        id: String,
    },
}

pub(super) async fn run(common: &Common, options: Options) -> Result<(), Failure> {
    control::with(common, async |control| act(control, &options).await).await
}

async fn act(control: &Control, options: &Options) -> Result<(), Failure> {
    let (method, path, said) = match &options.act {
        Act::List => {
            let all = control.all("/organizations", None).await?;
            return match options.json {
                true => output::json(&all),
                false => output::line(&table(&all)),
            };
        }
        Act::Create { name } => {
            let body = json!({ "name": name });
            let made = control.ask("POST", "/organizations", None, Some(&body)).await?;
            if options.json {
                return output::json(&made);
            }
            return output::line(&format!(
                "The organization {} is made. Its admin key is shown here and never again:\n\n  {}",
                text(&made, "id"),
                text(&made, "key")
            ));
        }
        Act::Delete { id } => ("DELETE", format!("/organizations/{id}"), "is deleted"),
        Act::Restore { id } => ("POST", format!("/organizations/{id}/restore"), "is restored"),
        Act::Pause { id } => ("POST", format!("/organizations/{id}/pause"), "is paused"),
        Act::Resume { id } => ("POST", format!("/organizations/{id}/resume"), "is resumed"),
    };
    let shown = control.ask(method, &path, None, None).await?;
    if options.json {
        return output::json(&shown);
    }
    let (id, name, ends) = (text(&shown, "id"), text(&shown, "name"), text(&shown, "ends"));
    output::line(&match (ends.is_empty(), shown["paused_since"].is_null()) {
        (false, _) => format!(
            "{id} ({name}) {said}. Nothing of it is published; until {ends} `fanfare organization \
             restore {id}` takes that back, then all of it is erased."
        ),
        (true, false) => format!("{id} ({name}) {said}; nothing of it is published."),
        (true, true) => format!("{id} ({name}) {said}."),
    })
}

fn table(organizations: &[Value]) -> String {
    let head = ["id", "created", "state", "name"].map(str::to_owned);
    let rows = organizations.iter().map(|one| {
        let (ends, paused) = (text(one, "ends"), text(one, "paused_since"));
        let state = match (ends.is_empty(), paused.is_empty()) {
            (false, _) => format!("erased from {ends}"),
            (true, false) => format!("paused since {paused}"),
            (true, true) => "runs".to_owned(),
        };
        [text(one, "id"), text(one, "created"), state, text(one, "name")]
    });
    columns::table(std::iter::once(head).chain(rows))
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}
