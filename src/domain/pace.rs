//! What is stored of rate budgets; `policy::pace` decides by it.

use std::collections::BTreeMap;

use crate::domain::time::Timestamp;

/// One budget: a single instant, however many calls its window allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// When the budget would be whole again if nothing more were taken.
    pub theoretical_arrival: Timestamp,
    /// Nothing goes before this, because the platform said so; wins over everything.
    pub blocked_until: Timestamp,
}

/// All budgets of one account, or of one app, by the name of their pace; kept together because they
/// are taken from together.
pub type Budgets = BTreeMap<String, Budget>;
