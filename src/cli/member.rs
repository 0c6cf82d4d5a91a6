//! Members: listed, invited, and given a way back in, by whoever may read the data directory.

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
    /// List the members and what they are.
    List,
    /// Print a link by which somebody becomes a member, once, within a week.
    Invite {
        /// owner, admin, editor, viewer or guest.
        #[arg(long, default_value = "editor")]
        role: String,
        /// Binds the link to this address.
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
    },
    /// Print a link by which a member sets a new password, once, within an hour. Using it turns
    /// their second factor off and ends their sessions.
    Reset {
        /// The member, by their id or address, as `fanfare member list` tells it.
        member: String,
    },
}

pub(super) async fn run(common: &Common, options: Options) -> Result<(), Failure> {
    control::with(common, async |control| act(control, &options).await).await
}

async fn act(control: &Control, options: &Options) -> Result<(), Failure> {
    let organization = options.organization.as_deref();
    match &options.act {
        Act::List => {
            let members = control.all("/members", organization).await?;
            if options.json {
                return output::json(&members);
            }
            output::line(&table(&members))
        }
        Act::Invite { role, email } => {
            let mut body = json!({ "role": role });
            if let Some(email) = email {
                body["email"] = json!(email);
            }
            let made = control.ask("POST", "/invitations", organization, Some(&body)).await?;
            if options.json {
                return output::json(&made);
            }
            let (link, expires) = (said(&made, "link"), said(&made, "expires"));
            output::line(&format!(
                "Whoever opens this link until {expires} may become a member, once:\n\n  {link}"
            ))
        }
        Act::Reset { member } => {
            let id = found(control, organization, member).await?;
            let path = format!("/members/{id}/reset");
            let made = control.ask("POST", &path, organization, None).await?;
            if options.json {
                return output::json(&made);
            }
            let (link, expires) = (said(&made, "link"), said(&made, "expires"));
            output::line(&format!(
                "Whoever opens this link until {expires} sets a new password, once:\n\n  {link}"
            ))
        }
    }
}

async fn found(
    control: &Control,
    organization: Option<&str>,
    member: &str,
) -> Result<String, Failure> {
    if !member.contains('@') {
        return Ok(member.to_owned());
    }
    let members = control.all("/members", organization).await?;
    let wanted = member.trim().to_lowercase();
    let known = members.iter().find(|known| said(known, "email").to_lowercase() == wanted);
    known.map(|known| said(known, "id")).ok_or_else(|| {
        Failure::NotDone(format!(
            "No member has the address {member}. `fanfare member list` tells who there is."
        ))
    })
}

fn table(members: &[Value]) -> String {
    let head = ["id", "role", "logs in", "email", "name"].map(str::to_owned);
    let rows = members.iter().map(|member| {
        let is = |field: &str| member[field].as_bool().unwrap_or_default();
        let logs_in = match (is("disabled"), is("can_log_in"), is("two_factor")) {
            (true, _, _) => "disabled",
            (false, false, _) => "no",
            (false, true, false) => "yes",
            (false, true, true) => "with a code",
        };
        let [id, role, email, name] = ["id", "role", "email", "name"].map(|it| said(member, it));
        [id, role, logs_in.to_owned(), email, name]
    });
    columns::table(std::iter::once(head).chain(rows))
}

fn said(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}
