//! The answer of a dry run: what would happen to a post, target by target.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{ids::AccountId, time::Timestamp},
    engine::facade::{TargetValidation, Validation},
};

use super::{reading::Text, refused::FindingView};

/// What would happen to a post, without doing it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Validation)]
pub(crate) struct ValidationView {
    /// Whether `POST /api/v1/posts` would accept it.
    acceptable: bool,
    /// Of the post as a whole: its plan, its targets, its priority.
    errors: Vec<FindingView>,
    targets: Vec<TargetView>,
    /// When it would go out; absent for a draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Text<Timestamp>>,
}

/// The post as one account would publish it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TargetView {
    #[schema(value_type = String)]
    account: Text<AccountId>,
    platform: String,
    errors: Vec<FindingView>,
    /// It would go out, but perhaps not as meant.
    warnings: Vec<FindingView>,
    /// How much of each part's text is used, as the platform counts.
    measures: Vec<MeasureView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Measure)]
pub(crate) struct MeasureView {
    /// Counts from 0.
    part: usize,
    used: u32,
    max: u32,
}

impl From<Validation> for ValidationView {
    fn from(validation: Validation) -> ValidationView {
        let refused = |target: &TargetValidation| !target.errors.is_empty();
        let acceptable = validation.problems.is_empty() && !validation.targets.iter().any(refused);
        ValidationView {
            acceptable,
            errors: validation.problems.iter().map(FindingView::from).collect(),
            targets: validation.targets.into_iter().map(TargetView::from).collect(),
            due: validation.due.map(Text),
        }
    }
}

impl From<TargetValidation> for TargetView {
    fn from(target: TargetValidation) -> TargetView {
        let measures = target.measures.iter().map(|measure| MeasureView {
            part: measure.part,
            used: measure.used,
            max: measure.max,
        });
        TargetView {
            account: Text(target.account),
            platform: target.platform,
            errors: target.errors.iter().map(FindingView::from).collect(),
            warnings: target.warnings.iter().map(FindingView::from).collect(),
            measures: measures.collect(),
        }
    }
}
