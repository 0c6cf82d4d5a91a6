//! The vault's keys, for whoever may read the data directory.

use serde_json::{Value, json};

use super::{
    Common, Failure,
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
    /// How much is sealed with which key.
    Status,
    /// Make a new key and seal everything anew with it, while Fanfare works on.
    Rotate {
        /// Somebody else may have the old key: forget it within minutes instead of a day. Addresses
        /// of files that platforms were given end with it.
        #[arg(long)]
        leaked: bool,
    },
}

pub(super) async fn run(common: &Common, options: Options) -> Result<(), Failure> {
    control::with(common, async |control| act(control, &options).await).await
}

async fn act(control: &Control, options: &Options) -> Result<(), Failure> {
    let shown = match options.act {
        Act::Status => control.ask("GET", "/vault", None, None).await?,
        Act::Rotate { leaked } => {
            let body = json!({ "leaked": leaked });
            control.ask("POST", "/vault/rotation", None, Some(&body)).await?
        }
    };
    if options.json {
        return output::json(&shown);
    }
    output::line(&sentence(&shown))
}

fn sentence(shown: &Value) -> String {
    let key = shown["key"].as_str().unwrap_or_default();
    let sealed = shown["sealed"].as_u64().unwrap_or_default();
    let secrets = if sealed == 1 { "secret" } else { "secrets" };
    let mut said = format!("Key {key} has sealed {sealed} {secrets}.");
    if let Some(until) = shown["old_until"].as_str() {
        said.push_str(&format!(
            " An old key has sealed {}, and is kept until {until}. Backups from before the change \
             open with the old key only: keep your copy of it as long as those, and copy the new \
             one now.",
            shown["sealed_with_old"]
        ));
    }
    if shown["sealed_strangely"].as_u64().unwrap_or_default() > 0 {
        said.push_str(&format!(
            " {} were sealed with a key that is not here: the accounts that they are for have to \
             be connected again.",
            shown["sealed_strangely"]
        ));
    }
    said
}
