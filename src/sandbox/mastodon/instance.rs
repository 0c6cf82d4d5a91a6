//! What the server says about itself and its limits: methods/instance, read 2026-07-02.

use serde_json::{Value, json};

use super::{Answer, Call, Flavour, Mastodon, media, poll, statuses};

impl Mastodon {
    pub(super) fn chars_max(&self) -> usize {
        match self.flavour {
            Flavour::Mastodon | Flavour::Pixelfed => 500,
            Flavour::Gotosocial | Flavour::Pleroma => 5_000,
        }
    }

    pub(super) fn attachments_max(&self) -> usize {
        match self.flavour {
            Flavour::Mastodon => 4,
            Flavour::Gotosocial => 6,
            Flavour::Pleroma => 16,
            Flavour::Pixelfed => 10,
        }
    }

    pub(super) fn poll_options_max(&self) -> usize {
        match self.flavour {
            Flavour::Mastodon => 4,
            Flavour::Gotosocial => 6,
            Flavour::Pleroma => 20,
            Flavour::Pixelfed => 0,
        }
    }

    fn version(&self) -> &'static str {
        match self.flavour {
            Flavour::Mastodon => "4.5.0",
            Flavour::Gotosocial => "0.20.0+git-sandbox",
            Flavour::Pleroma => "2.7.2 (compatible; Pleroma 2.6.0)",
            Flavour::Pixelfed => "3.5.3 (compatible; Pixelfed 0.12.3)",
        }
    }

    fn configuration(&self) -> Value {
        json!({
            "urls": { "streaming": "", "status": null },
            "accounts": { "max_featured_tags": 10, "max_pinned_statuses": 5 },
            "statuses": {
                "max_characters": self.chars_max(),
                "max_media_attachments": self.attachments_max(),
                "characters_reserved_per_url": statuses::URL_CHARS,
            },
            "media_attachments": {
                "supported_mime_types": media::MIME_TYPES,
                "description_limit": media::DESCRIPTION_CHARS_MAX,
                "image_size_limit": media::IMAGE_BYTES_MAX,
                "image_matrix_limit": media::IMAGE_PIXELS_MAX,
                "video_size_limit": media::VIDEO_BYTES_MAX,
                "video_frame_rate_limit": 120,
                "video_matrix_limit": 8_294_400,
            },
            "polls": {
                "max_options": self.poll_options_max(),
                "max_characters_per_option": poll::OPTION_CHARS_MAX,
                "min_expiration": poll::POLL_SECONDS_MIN,
                "max_expiration": poll::POLL_SECONDS_MAX,
            },
            "translation": { "enabled": false },
        })
    }

    fn domain(call: &Call) -> &str {
        call.header("host").unwrap_or("localhost")
    }

    pub(super) fn instance_v2(&self, call: &Call) -> Answer {
        let body = json!({
            "domain": Mastodon::domain(call), "title": "Sandbox", "version": self.version(),
            "source_url": "", "description": "A simulated server.",
            "usage": { "users": { "active_month": self.people.handles().count() } },
            "thumbnail": { "url": "" }, "icon": [], "languages": ["en"],
            "configuration": self.configuration(),
            "registrations": { "enabled": true, "approval_required": false, "message": null },
            "api_versions": { "mastodon": 7 },
            "contact": { "email": "", "account": null }, "rules": [],
        });
        Answer::json(200, &body)
    }

    pub(super) fn instance_v1(&self, call: &Call) -> Answer {
        let body = json!({
            "uri": Mastodon::domain(call), "title": "Sandbox", "version": self.version(),
            "short_description": "A simulated server.", "description": "A simulated server.",
            "email": "", "urls": { "streaming_api": "" },
            "stats": { "user_count": self.people.handles().count(),
                "status_count": self.statuses.len(), "domain_count": 1 },
            "thumbnail": "", "languages": ["en"], "registrations": true,
            "approval_required": false, "invites_enabled": false,
            "configuration": self.configuration(), "contact_account": null, "rules": [],
        });
        Answer::json(200, &body)
    }

    /// OAuth discovery exists since Mastodon 4.3; GoToSocial has it, too.
    pub(super) fn metadata(&self, call: &Call) -> Answer {
        let base = &call.base;
        let body = json!({
            "issuer": format!("{base}/"),
            "service_documentation": "https://docs.joinmastodon.org/",
            "authorization_endpoint": format!("{base}/oauth/authorize"),
            "token_endpoint": format!("{base}/oauth/token"),
            "app_registration_endpoint": format!("{base}/api/v1/apps"),
            "revocation_endpoint": format!("{base}/oauth/revoke"),
            "scopes_supported": super::signin::SCOPES,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "token_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
        });
        Answer::json(200, &body)
    }

    pub(super) fn nodeinfo_links(&self, call: &Call) -> Answer {
        let link = json!({
            "rel": "http://nodeinfo.diaspora.software/ns/schema/2.0",
            "href": format!("{}/nodeinfo/2.0", call.base),
        });
        Answer::json(200, &json!({ "links": [link] }))
    }

    pub(super) fn nodeinfo(&self) -> Answer {
        let software = json!({ "name": self.platform().name(), "version": self.version() });
        let body = json!({
            "version": "2.0", "software": software, "protocols": ["activitypub"],
            "services": { "inbound": [], "outbound": [] }, "openRegistrations": true,
            "usage": { "users": { "total": self.people.handles().count() },
                "localPosts": self.statuses.len() },
            "metadata": {},
        });
        Answer::json(200, &body)
    }
}
