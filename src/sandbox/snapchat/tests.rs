//! snapchat as a client meets it.
