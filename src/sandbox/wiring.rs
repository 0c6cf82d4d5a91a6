//! How Fanfare is pointed at the simulated platforms: the settings that replace the real ones.

use std::collections::BTreeMap;

/// Mastodon is missing: there, people name the server, as `<origin>/mastodon`.
pub struct Wiring {
    /// Base URLs by platform and endpoint.
    pub endpoints: BTreeMap<String, BTreeMap<String, String>>,
    /// Client ids by section of the settings.
    pub clients: BTreeMap<String, String>,
}

impl Wiring {
    /// The same for every client; it guards nothing.
    pub const SECRET: &str = "sandbox-secret";

    /// For a sandbox at this origin, such as `http://127.0.0.1:7701`.
    pub fn at(origin: &str) -> Wiring {
        let mut endpoints: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (platform, endpoint, path) in ENDPOINTS {
            let urls = endpoints.entry((*platform).to_owned()).or_default();
            urls.insert((*endpoint).to_owned(), format!("{origin}{path}"));
        }
        let client = |(section, id): &(&str, &str)| ((*section).to_owned(), (*id).to_owned());
        Wiring { endpoints, clients: CLIENTS.iter().map(client).collect() }
    }
}

const ENDPOINTS: &[(&str, &str, &str)] = &[
    ("bluesky", "app", "/bluesky"),
    ("bluesky", "entry", "/bluesky"),
    ("bluesky", "plc", "/bluesky/plc"),
    ("discord", "api", "/discord/api/v10"),
    ("discord", "cdn", "/discord"),
    ("discord", "web", "/discord"),
    ("facebook", "graph", "/facebook"),
    ("facebook", "video", "/facebook"),
    ("facebook", "web", "/facebook"),
    ("googlebusiness", "accounts", "/googlebusiness"),
    ("googlebusiness", "api", "/googlebusiness"),
    ("googlebusiness", "information", "/googlebusiness"),
    ("googlebusiness", "management", "/googlebusiness"),
    ("googlebusiness", "token", "/googlebusiness"),
    ("googlebusiness", "verifications", "/googlebusiness"),
    ("googlebusiness", "web", "/googlebusiness"),
    ("instagram", "api", "/instagram"),
    ("instagram", "facebook", "/facebook"),
    ("instagram", "facebook_web", "/facebook"),
    ("instagram", "graph", "/instagram"),
    ("instagram", "upload", "/facebook"),
    ("instagram", "web", "/instagram"),
    ("linkedin", "api", "/linkedin"),
    ("linkedin", "web", "/linkedin"),
    ("pinterest", "api", "/pinterest"),
    ("pinterest", "web", "/pinterest"),
    ("slack", "api", "/slack/api"),
    ("slack", "app", "/slack"),
    ("slack", "hooks", "/slack"),
    ("slack", "web", "/slack"),
    ("snapchat", "api", "/snapchat"),
    ("snapchat", "site", "/snapchat"),
    ("snapchat", "web", "/snapchat"),
    ("telegram", "api", "/telegram"),
    ("telegram", "web", "/telegram"),
    ("threads", "graph", "/threads"),
    ("threads", "web", "/threads"),
    ("tiktok", "api", "/tiktok"),
    ("tiktok", "web", "/tiktok"),
    ("whatsapp", "graph", "/whatsapp"),
    ("x", "api", "/x"),
    ("x", "web", "/x"),
    ("youtube", "accounts", "/youtube"),
    ("youtube", "api", "/youtube"),
    ("youtube", "token", "/youtube"),
    ("youtube", "web", "/youtube"),
];

/// The simulated LinkedIn gives the rights of an approved app to clients that are named so, and the
/// simulated TikTok those of an audited one.
const CLIENTS: &[(&str, &str)] = &[
    ("facebook", "fanfare"),
    ("googlebusiness", "fanfare"),
    ("instagram", "fanfare"),
    ("linkedin", "fanfare"),
    ("linkedin_organization", "fanfare-organization"),
    ("pinterest", "fanfare"),
    ("slack", "fanfare"),
    ("snapchat", "fanfare"),
    ("threads", "fanfare"),
    ("tiktok", "fanfare-audited"),
    ("x", "fanfare"),
    ("youtube", "fanfare"),
];
