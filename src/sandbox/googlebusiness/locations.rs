//! Accounts and their locations: mybusinessaccountmanagement v1 and mybusinessbusinessinformation
//! v1, both revision 20261026.

use serde_json::{Value, json};

use crate::sandbox::given::Flaw;

use super::{Answer, Call, Googlebusiness, Reply, invalid, listed, not_found, page};

/// What `readMask` may name.
const MASKS: [&str; 18] = [
    "name",
    "languageCode",
    "storeCode",
    "title",
    "phoneNumbers",
    "categories",
    "storefrontAddress",
    "websiteUri",
    "regularHours",
    "specialHours",
    "serviceArea",
    "labels",
    "latlng",
    "openInfo",
    "metadata",
    "profile",
    "relationshipData",
    "serviceItems",
];

/// A location that somebody manages.
pub(super) struct Place {
    pub(super) account: usize,
    /// For counting.
    pub(super) number: usize,
    /// `accounts/1/locations/2`.
    pub(super) name: String,
    pub(super) takes_posts: bool,
}

impl Googlebusiness {
    pub(super) fn accounts(&self, call: &Call, account: usize) -> Reply {
        let person = self.door.people.get(account);
        let own = json!({ "name": format!("accounts/{}", person.id),
            "accountName": person.handle, "type": "PERSONAL", "role": "PRIMARY_OWNER",
            "verificationState": "UNVERIFIED", "vettedState": "NOT_VETTED" });
        let (items, next) = page(call, vec![own], 20, 20)?;
        Ok(listed("accounts", items, next))
    }

    pub(super) fn locations(&self, call: &Call, account: usize, id: &str) -> Reply {
        let person = self.door.people.get(account);
        if id != person.id && id != "-" {
            return Err(not_found());
        }
        let mask = call.query("readMask").unwrap_or_default();
        let fields: Vec<&str> = mask.split(',').map(str::trim).collect();
        let is_unknown =
            |field: &&str| !MASKS.contains(&field.split('.').next().unwrap_or_default());
        if fields.iter().any(is_unknown) {
            return Err(invalid(&Flaw::new("read_mask", "Invalid field mask provided")));
        }
        let all = [1, 2].map(|number| self.shown(call, account, number, &fields));
        let (items, next) = page(call, all.to_vec(), 10, 100)?;
        Ok(listed("locations", items, next))
    }

    fn shown(&self, call: &Call, account: usize, number: usize, fields: &[&str]) -> Value {
        let person = self.door.people.get(account);
        let id = format!("{}{number}", person.id);
        let mut metadata = json!({ "placeId": format!("ChIJ{id}"),
            "mapsUri": format!("{}/maps/{id}", call.base),
            "newReviewUri": format!("{}/maps/{id}/review", call.base),
            "hasVoiceOfMerchant": true });
        // What is false is left out.
        if number == 1 {
            metadata["canOperateLocalPost"] = json!(true);
        }
        let mut location = json!({});
        for field in fields {
            let name = field.split('.').next().unwrap_or_default();
            location[name] = match name {
                "name" => json!(format!("locations/{id}")),
                "title" => match number {
                    1 => json!(format!("{} Bakery", person.handle)),
                    _ => json!(format!("{} Storehouse", person.handle)),
                },
                "metadata" => metadata.clone(),
                "storefrontAddress" => json!({ "regionCode": "DE", "postalCode": "10115",
                    "locality": "Berlin", "addressLines": [format!("Straße {number}")] }),
                "websiteUri" => json!("https://bakery.example/"),
                "languageCode" => json!("de"),
                _ => continue,
            };
        }
        location
    }

    pub(super) fn voice(&self, account: usize, id: &str) -> Reply {
        let own = &self.door.people.get(account).id;
        match [1, 2].iter().any(|number| format!("{own}{number}") == id) {
            true => Ok(Answer::json(
                200,
                &json!({ "hasVoiceOfMerchant": true, "hasBusinessAuthority": true }),
            )),
            false => Err(not_found()),
        }
    }

    pub(super) fn place(&self, account: usize, id: &str, location: &str) -> Result<Place, Answer> {
        let own = &self.door.people.get(account).id;
        let number = [1, 2].into_iter().find(|number| format!("{own}{number}") == location);
        match number.filter(|_| id == own) {
            Some(number) => Ok(Place {
                account,
                number: account * 2 + number,
                name: format!("accounts/{id}/locations/{location}"),
                takes_posts: number == 1,
            }),
            None => Err(not_found()),
        }
    }
}
