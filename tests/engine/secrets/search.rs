//! Looks for secrets in heaps of text: as they are, in base64 and percent-encoded.

use std::collections::{BTreeMap, HashMap};

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A stretch of a secret is enough to give it away, and is found where the rest was cut off.
const STRETCH: usize = 24;

/// All needles are looked for by their first bytes, in one pass.
const HEAD: usize = 8;

pub(super) struct Search {
    /// By their first bytes: the rest, and what they are of.
    needles: HashMap<[u8; HEAD], Vec<(Vec<u8>, String)>>,
}

impl Search {
    pub(super) fn of(secrets: &BTreeMap<String, &'static str>) -> Search {
        let mut needles: HashMap<_, Vec<_>> = HashMap::new();
        for (secret, kind) in secrets {
            // From a quarter on: the beginnings of some tokens are alike, and say nothing.
            let from = if secret.len() > 2 * STRETCH { secret.len() / 4 } else { 0 };
            let stretch = &secret.as_bytes()[from..secret.len().min(from + STRETCH)];
            for (way, needle) in spellings(stretch) {
                let head = needle[..HEAD].try_into().unwrap();
                needles.entry(head).or_default().push((needle, format!("{kind}, {way}")));
            }
        }
        Search { needles }
    }

    /// What is found, once for each of its kinds, with what stands before it.
    pub(super) fn look(&self, place: &str, text: &[u8], found: &mut BTreeMap<String, String>) {
        for (at, head) in text.windows(HEAD).enumerate() {
            let head: &[u8; HEAD] = head.try_into().unwrap();
            for (needle, what) in self.needles.get(head).into_iter().flatten() {
                if text[at..].starts_with(needle) {
                    let around = &text[at.saturating_sub(200)..text.len().min(at + 40)];
                    let around = String::from_utf8_lossy(around).into_owned();
                    found.entry(format!("{place}: {what}")).or_insert(around);
                }
            }
        }
    }
}

fn spellings(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut spellings = vec![("as it is", text.to_vec())];
    let encoded: String = url::form_urlencoded::byte_serialize(text).collect();
    spellings.push(("percent-encoded", encoded.into_bytes()));
    // Within a longer text it may begin at any of three places of a group.
    for before in 0..3 {
        let padded = [&vec![0; before], text].concat();
        let whole = STANDARD.encode(&padded);
        let from = (before * 8).div_ceil(6);
        let until = padded.len() * 8 / 6;
        let plain = whole.as_bytes()[from..until].to_vec();
        let safe = String::from_utf8(plain.clone()).unwrap().replace('+', "-").replace('/', "_");
        spellings.push(("in base64", plain));
        spellings.push(("in base64 for URLs", safe.into_bytes()));
    }
    spellings
}

#[test]
fn secrets_are_found_in_every_spelling_and_cut_off() {
    let secret = "sec|ret/of?forty-eight>characters+and~some=more&.".to_owned();
    let search = Search::of(&BTreeMap::from([(secret.clone(), "token")]));
    let finds = |text: &str| {
        let mut found = BTreeMap::new();
        search.look("here", text.as_bytes(), &mut found);
        !found.is_empty()
    };
    let percent = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let cut = &secret[..40];
    for text in [secret.as_str(), cut, "id:sec", "x"].map(|text| text.replace("id:sec", &secret)) {
        assert_eq!(finds(&format!("it is {text}.")), text != "x");
        for before in ["", "a", "ab"] {
            let encoded = STANDARD.encode(format!("{before}{text}"));
            assert_eq!(finds(&encoded), text != "x", "{encoded}");
            let encoded = encoded.replace('+', "-").replace('/', "_");
            assert_eq!(finds(&encoded), text != "x", "{encoded}");
        }
        let encoded: String = percent(&text);
        assert_eq!(finds(&encoded), text != "x", "{encoded}");
    }
}
