//! A step as it is stored: sealed. Platforms sign the addresses that files go to, and who has such
//! an address may use it, so a copy of the store without its key must not tell any.

use serde_json::Value;

use crate::{
    domain::{
        ids::{DeliveryId, OrganizationId},
        secret::Secret,
    },
    store::{Key, Vault},
};

pub(in crate::engine) fn seal(
    vault: &Vault,
    organization: OrganizationId,
    delivery: DeliveryId,
    step: &Value,
) -> Vec<u8> {
    vault.seal(&Key::Delivery(organization, delivery), &Secret::new(step.to_string()))
}

/// Earlier versions stored steps as they are. What is neither is no step of any connector.
pub(in crate::engine) fn open(
    vault: &Vault,
    organization: OrganizationId,
    delivery: DeliveryId,
    stored: &[u8],
) -> Value {
    match vault.open(&Key::Delivery(organization, delivery), stored) {
        Ok(step) => serde_json::from_str(step.expose()),
        Err(_) => serde_json::from_slice(stored),
    }
    .unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::MasterKey;

    const HERE: (OrganizationId, DeliveryId) = (OrganizationId(1), DeliveryId(2));

    fn vault(current: u8, retired: &[u8]) -> Vault {
        let key = |byte: &u8| MasterKey::from_bytes([*byte; 32]);
        Vault::new(key(&current), retired.iter().map(key).collect())
    }

    #[test]
    fn stored_step_tells_nothing_and_reads_back_in_its_place_only() {
        let step = json!({ "Upload": { "url": "https://upload.example/?sig=private" } });
        let stored = seal(&vault(1, &[]), HERE.0, HERE.1, &step);
        assert!(!stored.windows(7).any(|part| part == b"private"));
        let read = |vault: &Vault, delivery| open(vault, HERE.0, DeliveryId(delivery), &stored);
        assert_eq!(read(&vault(1, &[]), 2), step);
        assert_eq!(read(&vault(3, &[1]), 2), step);
        assert_eq!(read(&vault(1, &[]), 3), Value::Null);
        assert_eq!(read(&vault(3, &[]), 2), Value::Null);
    }

    #[test]
    fn step_of_an_earlier_version_is_read_as_it_is() {
        for step in [json!("Quota"), json!({ "Publish": { "ready": [] } })] {
            let stored = step.to_string();
            assert_eq!(open(&vault(1, &[]), HERE.0, HERE.1, stored.as_bytes()), step);
        }
        assert_eq!(open(&vault(1, &[]), HERE.0, HERE.1, b"no step"), Value::Null);
    }
}
