//! How long a text is, as each platform counts, and where its links, mentions and tags are.
