//! Uploaded files. Their bytes pass through piece by piece; none is ever in memory whole.

use std::time::Duration;

use axum::{
    Json,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State, multipart::Field},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{
        ids::{AccountId, MediaId},
        media::{Media, MediaKind},
        problem::Code,
        time::Timestamp,
    },
    engine::facade::{Caller, Change, FitRequest, Fitted, Repeated, Shape, Upload},
};

use super::{
    Answered, Api,
    caller::By,
    once::{self, Replay},
    paging::{PageAsked, Piece},
    reading::{Asked, Id, Strict, Text, cut_off},
    refused::Refused,
};

/// A sender that is silent for longer has gone away.
const SILENCE_MAX: Duration = Duration::from_secs(30);

const FIELD: &str = "file";

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, upload))
        .routes(routes!(show, delete))
        .routes(routes!(fit))
        // The engine counts the bytes as they come.
        .layer(DefaultBodyLimit::disable())
}

/// An uploaded file and what is known of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Media)]
pub(crate) struct MediaView {
    #[schema(value_type = String, example = "med_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    id: Text<MediaId>,
    kind: MediaKindView,
    /// As its content shows, whatever it was sent as.
    #[schema(example = "image/png")]
    mime: String,
    bytes: u64,
    /// In pixels, as it is shown, where the format was understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    /// Of a video, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 12.5)]
    length_seconds: Option<f64>,
    /// How the pictures of a video are encoded, where that is known.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false, example = "h264")]
    codec: String,
    /// Of the content, in hexadecimal.
    sha256: String,
    /// As uploaded.
    #[schema(example = "sunrise.png")]
    name: String,
    #[schema(value_type = String, format = DateTime)]
    created: Text<Timestamp>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MediaKind)]
pub(crate) enum MediaKindView {
    Image,
    Gif,
    Video,
    Document,
}

impl From<Media> for MediaView {
    fn from(media: Media) -> MediaView {
        let kind = match media.kind {
            MediaKind::Image => MediaKindView::Image,
            MediaKind::Gif => MediaKindView::Gif,
            MediaKind::Video => MediaKindView::Video,
            MediaKind::Document => MediaKindView::Document,
        };
        MediaView {
            id: Text(media.id),
            kind,
            mime: media.mime,
            bytes: media.bytes,
            width: media.size.map(|(width, _)| width),
            height: media.size.map(|(_, height)| height),
            length_seconds: media.length.map(|length| length.as_secs_f64()),
            codec: media.codec,
            sha256: media.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            name: media.name,
            created: Text(media.created),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadAsked {
    /// The file's name, where the body is the file itself.
    name: Option<String>,
}

/// A form with one file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form; the form itself is read piece by piece")]
pub(crate) struct UploadForm {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// List media
///
/// Newest first.
#[utoipa::path(get, path = "/media", tag = "media", params(PageAsked),
    responses((status = 200, body = Piece<MediaView>)))]
async fn list(
    by: By,
    State(api): State<Api>,
    Asked(asked): Asked<PageAsked>,
) -> Answered<Piece<MediaView>> {
    let listing = api.engine.media_list(&by.caller, &asked.page()?)?;
    Ok(Json(Piece::of(listing, MediaView::from)))
}

/// Upload a file
///
/// Either a form with the field `file`, or the file itself as the body with `?name=`. What it is,
/// is read from its content.
#[utoipa::path(post, path = "/media", tag = "media", params(UploadAsked),
    request_body(content((UploadForm = "multipart/form-data"),
        (String = "application/octet-stream"))),
    responses((status = 201, description = "Received.", body = MediaView)))]
async fn upload(
    by: By,
    State(api): State<Api>,
    Asked(asked): Asked<UploadAsked>,
    request: Request,
) -> Result<Response, Refused> {
    let key = once::key(request.headers())?;
    let began = api.clock.now();
    let receipt = receive(&api, &by.caller, asked.name, request).await?;
    let once = key.map(|key| {
        let digest = receipt.digest.finalize();
        once::with_digest(key, "POST /api/v1/media", &digest)
    });
    let media = api.engine.upload(&by.caller, &receipt.name, receipt.upload, once).await?;
    let replay = if media.id.made() < began { Replay::Repeated } else { Replay::First };
    Ok(once::answer(replay, Json(MediaView::from(media)).into_response()))
}

/// What an image is to fit.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewFit)]
pub(crate) struct FitBody {
    /// This, or `account`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "instagram")]
    platform: Option<String>,
    /// As the option `format` of a post; without it, the usual shape of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "story")]
    format: Option<String>,
    /// Its server may have limits of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "acc_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    account: Option<Text<AccountId>>,
    #[serde(default)]
    shape: ShapeView,
}

/// How an image gets another ratio of width to height: with a white border, or by losing what is
/// outside its middle.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Shape)]
pub(crate) enum ShapeView {
    #[default]
    Pad,
    Crop,
}

impl FitBody {
    fn read(self) -> FitRequest {
        FitRequest {
            platform: self.platform.unwrap_or_default(),
            format: self.format.unwrap_or_default(),
            account: self.account.map(|Text(id)| id),
            shape: match self.shape {
                ShapeView::Pad => Shape::Pad,
                ShapeView::Crop => Shape::Crop,
            },
        }
    }
}

/// An image that fits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Fitted)]
pub(crate) struct FittedView {
    media: MediaView,
    /// Whether it is a new file; otherwise it is the one that was asked about, which fits as it is.
    changed: bool,
}

/// Make an image fit a platform
///
/// Makes a new file that keeps to the platform's limits: upright, in a format, a shape and a size
/// that it takes, and without metadata such as the place where it was taken. The file itself stays
/// as it is. Where nothing has to be done, the answer is the file itself, with `changed: false`.
#[utoipa::path(post, path = "/media/{id}/fit", tag = "media", params(("id" = String, Path)),
    request_body = FitBody, responses(
        (status = 201, description = "Made.", body = FittedView),
        (status = 200, description = "Fits as it is, or made by an earlier request with this key.",
            body = FittedView)))]
async fn fit(
    by: By,
    State(api): State<Api>,
    Id(id): Id<MediaId>,
    headers: HeaderMap,
    Strict(body): Strict<FitBody>,
) -> Result<Response, Refused> {
    let once = once::of(&headers, &format!("POST /api/v1/media/{id}/fit"), &body)?;
    let Fitted { media, change, repeated } =
        api.engine.fit_media(&by.caller, id, &body.read(), once).await?;
    let view = FittedView { media: media.into(), changed: change == Change::Made };
    Ok(match (repeated, change) {
        (Repeated::Yes, _) => once::answer(Replay::Repeated, Json(view).into_response()),
        (Repeated::No, Change::Made) => once::answer(Replay::First, Json(view).into_response()),
        (Repeated::No, Change::None) => Json(view).into_response(),
    })
}

/// Show a file's record
#[utoipa::path(get, path = "/media/{id}", tag = "media", params(("id" = String, Path)),
    responses((status = 200, body = MediaView)))]
async fn show(by: By, State(api): State<Api>, Id(id): Id<MediaId>) -> Answered<MediaView> {
    Ok(Json(api.engine.media(&by.caller, id)?.into()))
}

/// Delete a file
///
/// Refused while a post that has still to go out uses it.
#[utoipa::path(delete, path = "/media/{id}", tag = "media", params(("id" = String, Path)),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    by: By,
    State(api): State<Api>,
    Id(id): Id<MediaId>,
) -> Result<StatusCode, Refused> {
    api.engine.delete_media(&by.caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A file that has arrived completely.
struct Receipt {
    upload: Upload,
    name: String,
    digest: Sha256,
}

async fn receive(
    api: &Api,
    caller: &Caller,
    name: Option<String>,
    request: Request,
) -> Result<Receipt, Refused> {
    let most = api.engine.upload_bytes_max();
    if told_length(request.headers()).is_some_and(|bytes| bytes > most.saturating_add(FORM_BYTES)) {
        return Err(too_large(most));
    }
    if is_form(request.headers()) {
        return receive_form(api, caller, request).await;
    }
    let upload = api.engine.begin_upload(caller).await?;
    let name = name.unwrap_or_default();
    let mut receipt = Receipt { upload, name, digest: Sha256::new() };
    let mut pieces = request.into_body().into_data_stream();
    while let Some(piece) = in_time(api, pieces.next()).await? {
        receipt.take(&piece.map_err(|_| cut_off())?).await?;
    }
    Ok(receipt)
}

async fn receive_form(api: &Api, caller: &Caller, request: Request) -> Result<Receipt, Refused> {
    let mut form = Multipart::from_request(request, api).await.map_err(|_| unreadable_form())?;
    let field = in_time(api, form.next_field()).await?.map_err(|_| unreadable_form())?;
    let Some(mut field) = field.filter(|field| field.name() == Some(FIELD)) else {
        let sentence = "The form does not begin with the field `file`.";
        let remedy = "Send the file as `file`, and nothing else: curl -F file=@picture.png";
        return Err(Refused::new(Code::BadRequest, sentence, remedy).at("body.file"));
    };
    let upload = api.engine.begin_upload(caller).await?;
    let name = file_name(&field);
    let mut receipt = Receipt { upload, name, digest: Sha256::new() };
    while let Some(piece) = in_time(api, field.chunk()).await?.map_err(|_| cut_off())? {
        receipt.take(&piece).await?;
    }
    drop(field);
    match in_time(api, form.next_field()).await? {
        Ok(None) => Ok(receipt),
        Ok(Some(_)) => {
            let sentence = "The form has more than one field.";
            let remedy = "Send each file in a request of its own.";
            Err(Refused::new(Code::BadRequest, sentence, remedy).at("body"))
        }
        Err(_) => Err(cut_off()),
    }
}

impl Receipt {
    async fn take(&mut self, piece: &Bytes) -> Result<(), Refused> {
        self.digest.update(piece);
        Ok(self.upload.write(piece).await?)
    }
}

async fn in_time<T>(api: &Api, piece: impl Future<Output = T>) -> Result<T, Refused> {
    api.clock.within(SILENCE_MAX, piece).await.ok_or_else(|| {
        let seconds = SILENCE_MAX.as_secs();
        let sentence = format!("Nothing of the file arrived for {seconds} seconds.");
        Refused::new(Code::TimedOut, sentence, "Send the file again.")
            .with_status(StatusCode::REQUEST_TIMEOUT)
    })
}

/// What a form adds to its file, generously.
const FORM_BYTES: u64 = 64 * 1024;

fn told_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes().to_ascii_lowercase());
    kind.is_some_and(|kind| kind.starts_with(b"multipart/form-data"))
}

fn file_name(field: &Field<'_>) -> String {
    field.file_name().unwrap_or_default().to_owned()
}

fn unreadable_form() -> Refused {
    let sentence = "The form cannot be read: its parts are not where its boundary says.";
    let remedy = "Let your HTTP library build it, or send the file itself as the body.";
    Refused::new(Code::BadRequest, sentence, remedy).at("body")
}

fn too_large(most: u64) -> Refused {
    let sentence =
        format!("The file is larger than the {} MiB allowed here.", most / (1024 * 1024));
    let remedy = "Send a smaller file, or raise `limits.upload_mib`.";
    Refused::new(Code::TooLarge, sentence, remedy).at("body")
}
